package demoshop

// scenes adds the rows that the two people of the demo are known by: at least one in every table that can be about
// a customer, and each of the difficulties that the package comment lists.
func (g *generator) scenes() {
	if g.err != nil {
		return // the cast may not be there
	}
	nora, amara, tomas, johan := g.people[noraID-1], g.people[amaraID-1], g.people[tomasID-1], g.people[johanID-1]

	for _, p := range []person{nora, tomas} {
		g.subscription(p)
		g.paymentMethod(p)
		g.session(p)
		g.ticket(p, 12)
		g.review(p)
		g.wishlist(p)
		g.upload(p, 11)
		g.newsletter(p.email, 400)
		g.event(p.id, 20)
		// On both sides of the five years for which invoices are kept, and right at the edge.
		for _, age := range []int{6*yearDays + 40, 5*yearDays + 200, 4 * yearDays, 2*yearDays + 15, 70} {
			g.billed(p, age)
		}
	}

	// Nora and Johan share an address and a household. Tomás has a household of one, which goes with him.
	g.household(nora, johan)
	alone := g.add("household", "Home of Rivera", g.at(600))
	g.row("household_member", alone, tomas.id, "owner", g.at(600))

	// Nora sent a present to Amara's home, Tomás one to Nora's. Each order is its buyer's; neither address is.
	g.purchase(nora, amara.home, 150, "For the long evenings. Nora")
	g.purchase(tomas, nora.home, 95, "Thank you for everything! Tomás")
	// A delivery to where Nora works: no customer lives there, only her orders point at it.
	office := g.addressAt("Hornsgatan 88", "Stockholm", "118 21", "SE", "Reception, third floor.")
	g.purchase(nora, office, 60, "Leave at the reception.")

	// Messages about two people at once.
	g.message(nora, tomas, 50, "Did your parcel arrive? Mine is two days late.")
	g.message(tomas, nora, 49, "It did! Come by on Saturday, Calle de Atocha 42, I will make coffee.")
	g.message(amara, nora, 148, "Nora, you should not have! The tea is wonderful.")
	g.message(nora, amara, 147, "It was nothing. Try it with cold water first.")
	g.message(tomas, amara, 33, "Do you still have the name of that roaster?")
	g.message(johan, tomas, 21, "We are at number 17 now, see you at six.")

	// The same mailbox, written otherwise: after the @ capitals mean nothing (RFC 5321, section 2.4) ...
	g.newsletter("nora.lindqvist@Example.COM", 300)
	// ... before it they may be another person's, and another domain is.
	g.newsletter("Nora.Lindqvist@example.com", 300)
	g.newsletter("nora.lindqvist@example.org", 300)
}

// billed is a purchase whose invoice is sure to be there.
func (g *generator) billed(p person, daysAgo int) {
	lines := []orderLine{{pick(g, g.products), g.between(1, 2)}, {pick(g, g.products), 1}}
	number := "M-" + g.digits(2) + "-" + g.hex(4) // from before the shop numbered its orders, no order row remains
	g.invoice(p, number, daysAgo, lines)
}
