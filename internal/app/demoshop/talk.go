package demoshop

import (
	"fmt"
	"strings"
)

// talk fills what people say: messages to each other, tickets, reviews, wishlists and the files they sent in.
func (g *generator) talk() {
	for range 1800 {
		from, to := pick(g, g.people), pick(g, g.people)
		if from.id == to.id {
			continue
		}
		g.message(from, to, g.between(2, min(from.joined, to.joined, 2*yearDays)), pick(g, g.words.messages))
	}
	for _, p := range g.people {
		if g.chance(55) {
			g.ticket(p, g.between(3, min(p.joined, 2*yearDays)))
		}
		if g.chance(40) {
			g.review(p)
		}
		if g.chance(50) {
			g.wishlist(p)
		}
		if g.chance(30) {
			g.upload(p, g.between(1, p.joined))
		}
	}
}

func (g *generator) message(from, to person, daysAgo int, body string) {
	var read any
	if g.chance(80) {
		read = g.at(daysAgo - 1)
	}
	g.add("message", from.id, to.id, maybe(g, 8, pick(g, g.staff)), body, g.at(daysAgo), read)
}

func (g *generator) ticket(p person, daysAgo int) {
	t := pick(g, g.words.tickets)
	status := "closed"
	if daysAgo < 7 {
		status = "open"
	}
	by := pick(g, g.staff)
	id := g.add("support_ticket", p.id, maybe(g, 90, by), t[0], status, g.at(daysAgo))
	g.add("ticket_reply", id, nil, t[1], g.at(daysAgo))
	g.add("ticket_reply", id, by, t[2], g.at(daysAgo-1))
	if g.chance(50) {
		g.add("ticket_reply", id, nil, "Thank you, that helped.", g.at(daysAgo-2))
	}
}

func (g *generator) review(p person) {
	r := pick(g, g.words.reviews)
	given, _, _ := strings.Cut(p.name, " ")
	g.add("product_review", pick(g, g.products).id, p.id, given, int(r[0][0]-'0'), r[1], g.at(g.between(1, p.joined)))
}

func (g *generator) wishlist(p person) {
	id := g.add("wishlist", p.id, pick(g, []string{"Birthday", "Kitchen", "For the office", "One day"}))
	for _, i := range g.rng.Perm(len(g.products))[:g.between(1, 5)] {
		g.row("wishlist_item", id, g.products[i].id, maybe(g, 20, "In the darker color, please."))
	}
}

func (g *generator) upload(p person, daysAgo int) {
	name := pick(g, []string{"broken-cup", "parcel", "receipt", "kitchen", "label"})
	key := fmt.Sprintf("u/%d/%s.jpg", p.id, g.hex(8))
	g.add("upload", p.id, name+".jpg", "image/jpeg", g.between(40_000, 4_000_000), key, g.at(daysAgo))
}
