package demoshop

import "strings"

// Expect gives, per table, a query for the keys of all rows that an access request of a person must hold: keys as
// text, the parts of a composite key joined by "|", in the order of the text. A table that is absent must not occur.
//
// The queries are written by hand from what the shop means, not made from the data map: they are the second opinion
// against which the map and everything that reads it are held. person is Person or ErasurePerson; nobody else is
// expected to have anything.
func Expect(person string) map[string]string {
	if person != Person && person != ErasurePerson {
		return nil
	}
	queries := map[string]string{
		"customer":         `SELECT customer_id FROM customer WHERE email = :email`,
		"household_member": `SELECT household_id || '|' || customer_id FROM household_member WHERE customer_id = :me`,
		"household":        `SELECT household_id FROM household_member WHERE customer_id = :me`,
		"subscription":     `SELECT subscription_id FROM subscription WHERE customer_id = :me`,
		"payment_method":   `SELECT payment_method_id FROM payment_method WHERE customer_id = :me`,
		"orders":           `SELECT order_id FROM orders WHERE customer_id = :me`,
		"order_line": `SELECT l.order_id || '|' || l.line_no FROM order_line l
			JOIN orders o ON o.order_id = l.order_id WHERE o.customer_id = :me`,
		"invoice": `SELECT invoice_id FROM invoice WHERE customer_id = :me`,
		"invoice_line": `SELECT l.invoice_line_id FROM invoice_line l
			JOIN invoice i ON i.invoice_id = l.invoice_id WHERE i.customer_id = :me`,
		"message":        `SELECT message_id FROM message WHERE sender_id = :me OR recipient_id = :me`,
		"support_ticket": `SELECT ticket_id FROM support_ticket WHERE customer_id = :me`,
		"ticket_reply": `SELECT r.reply_id FROM ticket_reply r
			JOIN support_ticket t ON t.ticket_id = r.ticket_id WHERE t.customer_id = :me`,
		"upload":   `SELECT upload_id FROM upload WHERE customer_id = :me`,
		"wishlist": `SELECT wishlist_id FROM wishlist WHERE customer_id = :me`,
		"wishlist_item": `SELECT i.wishlist_id || '|' || i.product_id FROM wishlist_item i
			JOIN wishlist w ON w.wishlist_id = i.wishlist_id WHERE w.customer_id = :me`,
		"product_review": `SELECT review_id FROM product_review WHERE customer_id = :me`,
		"session":        `SELECT session_id FROM session WHERE customer_id = :me`,
		"event":          `SELECT event_id FROM event WHERE customer_id = :me`,

		// The home, also when it is shared; of the places that orders went to, those where nobody else lives.
		"address": `SELECT address_id FROM customer WHERE email = :email
			UNION SELECT shipping_address_id FROM orders WHERE customer_id = :me
				AND shipping_address_id NOT IN (SELECT address_id FROM customer WHERE address_id IS NOT NULL AND email <> :email)`,

		// The domain in any capitals, the part before the @ exactly.
		"newsletter_entry": `SELECT entry_id FROM newsletter_entry
			WHERE substr(email, 1, instr(email, '@')) = substr(:email, 1, instr(:email, '@'))
			AND lower(substr(email, instr(email, '@') + 1)) = lower(substr(:email, instr(:email, '@') + 1))`,
	}
	me := "(SELECT customer_id FROM customer WHERE email = :email)"
	for table, query := range queries {
		query = strings.ReplaceAll(query, ":me", me)
		query = strings.ReplaceAll(query, ":email", "'"+person+"'") // one of two constants without quotes
		queries[table] = "SELECT CAST(k AS TEXT) AS k FROM (SELECT 0 AS k WHERE 0 UNION ALL SELECT * FROM (" + query + ")) ORDER BY CAST(k AS TEXT)"
	}
	return queries
}
