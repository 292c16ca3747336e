// Package demoshop makes the sample product that Habeas is shown with: the SQLite database of an invented
// subscription shop for coffee and tea, and the policy and data map of the tenant `demo` over it.
//
// It owns the shape of that shop, the rows in it and the two tenant files. It knows nothing of requests, plans
// or erasure: to Habeas it is a product like any other, reached through its data map alone.
//
// The one idea: the shop is small and honest. Every difficulty that real product databases put in the way of a
// data subject request is in it at least once, around two people who exist for the purpose:
//
//	country ◄── address ◄─────────── customer ◄── subscription, payment_method, support_ticket ◄── ticket_reply
//	              ▲                   ▲ ▲ ▲ ▲
//	              │ shipped to        │ │ │ └──── invoice ◄── invoice_line ──► product ──► category
//	              └───── orders ──────┘ │ └─ household_member ──► household
//	                       ▲            │
//	                  order_line        └── message (a sender, a recipient, and the colleague who handled it)
//
//	no declared key: session, event (a number only) · newsletter_entry (an e-mail address only)
//
// A parent row above the person (address), one shared by two people (an address, a household), a parcel sent to
// a friend's home, rows about two people at once (message), rows that the law keeps (invoice, some of them past
// their time already), two people of one name, and an address that differs from another only in its capitals.
//
// The rows come from a seeded generator: the same day gives the same content, always. Dates count back from that
// day, so that the shop never grows stale. All people, streets and addresses are invented; e-mail addresses lie in
// the domains that RFC 2606 sets aside.
package demoshop
