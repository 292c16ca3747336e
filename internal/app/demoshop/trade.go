package demoshop

import "fmt"

// trade fills orders, invoices, subscriptions and means of payment.
func (g *generator) trade() {
	for _, p := range g.people {
		for range g.between(2, 12) {
			g.purchase(p, p.home, g.between(2, p.joined), nil)
		}
		if g.chance(45) {
			g.subscription(p)
		}
		if g.chance(70) {
			g.paymentMethod(p)
		}
	}
	// Parcels to friends: the order points at an address that belongs to somebody else.
	for range 60 {
		from, to := pick(g, g.people), pick(g, g.people)
		if cast(from.id) || cast(to.id) {
			continue // theirs are set by hand, so that what they own can be told at a glance
		}
		g.purchase(from, to.home, g.between(2, from.joined), "Enjoy! "+from.name)
	}
}

// cast tells whether a customer has a part in the scenes.
func cast(id int) bool {
	return id == noraID || id == amaraID || id == tomasID || id == johanID || id == namesakeID
}

// purchase writes an order with its lines, and the invoice that goes with it: most orders are paid.
func (g *generator) purchase(p person, shipTo, daysAgo int, giftNote any) {
	number := fmt.Sprintf("C-%06d", 100_000+g.lastID["orders"]+1)
	status := "delivered"
	if daysAgo < 4 {
		status = "packed"
	}
	if giftNote == nil {
		giftNote = maybe(g, 5, "No prices in the box, please.")
	}
	order := g.add("orders", number, p.id, shipTo, g.at(daysAgo), status, giftNote)
	lines := make([]orderLine, g.between(1, 4))
	for i := range lines {
		lines[i] = orderLine{pick(g, g.products), g.between(1, 3)}
		g.row("order_line", order, i+1, lines[i].product.id, lines[i].quantity, lines[i].product.cents)
	}
	if g.chance(92) {
		g.invoice(p, number, daysAgo-1, lines)
	}
}

type orderLine struct {
	product  product
	quantity int
}

func (g *generator) invoice(p person, orderNumber string, daysAgo int, lines []orderLine) {
	net := 0
	for _, l := range lines {
		net += l.quantity * l.product.cents
	}
	tax := net * 7 / 100
	home := g.addresses[p.home]
	id := g.add("invoice", fmt.Sprintf("INV-%06d", g.lastID["invoice"]+1), p.id, orderNumber, g.day(daysAgo), net, tax, net+tax, "EUR",
		p.name, home.street, home.post+" "+home.city, home.country, p.email, p.phone)
	for _, l := range lines {
		g.add("invoice_line", id, l.product.id, l.product.name, l.quantity, l.product.cents)
	}
}

func (g *generator) subscription(p person) {
	var plans []product
	for _, offer := range g.products {
		if offer.recurring {
			plans = append(plans, offer)
		}
	}
	started := g.between(2, p.joined)
	var ended any
	if g.chance(35) {
		ended = g.day(g.between(1, started))
	}
	g.add("subscription", p.id, pick(g, plans).id, pick(g, []int{1, 2, 4}), pick(g, []string{"beans", "filter", "espresso"}), g.day(started), ended)
}

func (g *generator) paymentMethod(p person) {
	expires := g.today.AddMonths(g.between(1, 48)).String()[:len("2026-11")]
	g.add("payment_method", p.id, pick(g, []string{"visa", "mastercard", "maestro"}), g.digits(4), expires, "pm_"+g.hex(12))
}
