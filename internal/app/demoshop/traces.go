package demoshop

import (
	"fmt"
	"strings"
)

// What the policy promises for the two shortest-lived kinds of data; the shop keeps to it.
const (
	sessionDays = 30
	eventDays   = 90
)

// traces fills what is written by machines, without a declared key: sessions, events, and the newsletter list.
func (g *generator) traces() {
	for _, p := range g.people {
		for range g.between(1, 4) {
			g.session(p)
		}
		for range g.between(10, 45) {
			g.event(p.id, min(p.joined, eventDays-1))
		}
		if g.chance(45) {
			g.newsletter(p.email, p.joined)
		}
	}
	for range 1500 {
		g.event(nil, eventDays-1)
	}
	for i := range 160 { // readers without an account
		given, family := pick(g, g.words.given), pick(g, g.words.family)
		g.newsletter(fmt.Sprintf("%s.%s.reader%d@example.net", mailbox(given), mailbox(family), i), 4*yearDays)
	}
}

func (g *generator) session(p person) {
	started := g.between(1, min(p.joined, sessionDays-1))
	ip := fmt.Sprintf("203.0.113.%d", g.between(1, 254)) // RFC 5737
	g.row("session", "s_"+g.hex(12), p.id, g.hex(32), ip, pick(g, g.words.browsers), g.at(started), g.at(g.between(1, started)))
}

func (g *generator) event(customer any, oldest int) {
	bought := pick(g, g.products)
	payload := fmt.Sprintf(`{"product_id":%d,"seconds":%d}`, bought.id, g.between(1, 400))
	kind := pick(g, []string{"view", "view", "view", "cart_add", "cart_remove", "search"})
	if kind == "search" {
		payload = fmt.Sprintf(`{"q":%q,"hits":%d}`, strings.ToLower(strings.Fields(bought.name)[0]), g.between(0, 30))
	}
	g.add("event", customer, kind, payload, g.at(g.between(1, oldest)))
}

func (g *generator) newsletter(email string, joined int) {
	confirmed := 0
	if g.chance(85) {
		confirmed = 1
	}
	g.add("newsletter_entry", email, pick(g, []string{"checkout", "footer", "tasting"}), confirmed, g.at(g.between(1, joined)))
}
