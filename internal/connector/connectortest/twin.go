package connectortest

import (
	"fmt"
	"strings"

	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/plan"
	"github.com/habeas-data/habeas/internal/statute"
)

// schema gives the statements that make the twin. `"order"` is quoted as the engine does.
func schema(f Fixture) []string {
	s := []string{
		`CREATE TABLE product (id INTEGER PRIMARY KEY, title VARCHAR(60) NOT NULL)`,
		`CREATE TABLE club (id INTEGER PRIMARY KEY, title VARCHAR(60) NOT NULL)`,
		`CREATE TABLE address (id INTEGER PRIMARY KEY, street VARCHAR(60) NOT NULL, city VARCHAR(60))`,
		`CREATE TABLE customer (id INTEGER PRIMARY KEY, email VARCHAR(100), name VARCHAR(12) NOT NULL, login VARCHAR(20) NOT NULL UNIQUE,
			address_id INTEGER, referrer_id INTEGER, password_hash VARCHAR(60),
			FOREIGN KEY (address_id) REFERENCES address (id), FOREIGN KEY (referrer_id) REFERENCES customer (id))`,
		`CREATE TABLE "order" (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL, shipping_address_id INTEGER, placed DATE NOT NULL, note TEXT,
			FOREIGN KEY (customer_id) REFERENCES customer (id), FOREIGN KEY (shipping_address_id) REFERENCES address (id))`,
		`CREATE TABLE order_line (order_id INTEGER NOT NULL, line_no INTEGER NOT NULL, product_id INTEGER NOT NULL, PRIMARY KEY (order_id, line_no),
			FOREIGN KEY (order_id) REFERENCES "order" (id), FOREIGN KEY (product_id) REFERENCES product (id))`,
		`CREATE TABLE line_note (id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL, line_no INTEGER NOT NULL, body TEXT,
			FOREIGN KEY (order_id, line_no) REFERENCES order_line (order_id, line_no))`,
		`CREATE TABLE invoice (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL, issued DATE NOT NULL, billing_address VARCHAR(60), total NUMERIC(10,2) NOT NULL,
			FOREIGN KEY (customer_id) REFERENCES customer (id))`,
		`CREATE TABLE invoice_line (id INTEGER PRIMARY KEY, invoice_id INTEGER NOT NULL, amount NUMERIC(10,2) NOT NULL, FOREIGN KEY (invoice_id) REFERENCES invoice (id))`,
		`CREATE TABLE message (id INTEGER PRIMARY KEY, sender_id INTEGER, recipient_id INTEGER, body TEXT NOT NULL,
			FOREIGN KEY (sender_id) REFERENCES customer (id), FOREIGN KEY (recipient_id) REFERENCES customer (id))`,
		`CREATE TABLE newsletter (id INTEGER PRIMARY KEY, email VARCHAR(100), old_email VARCHAR(100))`,
		`CREATE TABLE event (id INTEGER PRIMARY KEY, params ` + f.JSON + ` NOT NULL)`,
		`CREATE TABLE remark (id INTEGER PRIMARY KEY, customer_id INTEGER, reply_to INTEGER, body TEXT NOT NULL,
			FOREIGN KEY (customer_id) REFERENCES customer (id), FOREIGN KEY (reply_to) REFERENCES remark (id))`,
		`CREATE TABLE folder (id INTEGER PRIMARY KEY, customer_id INTEGER, parent_id INTEGER, title VARCHAR(60),
			FOREIGN KEY (customer_id) REFERENCES customer (id), FOREIGN KEY (parent_id) REFERENCES folder (id))`,
		`CREATE TABLE membership (customer_id INTEGER NOT NULL, club_id INTEGER NOT NULL, since DATE, PRIMARY KEY (customer_id, club_id),
			FOREIGN KEY (customer_id) REFERENCES customer (id), FOREIGN KEY (club_id) REFERENCES club (id))`,
		`CREATE TABLE account (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL, main_card_id INTEGER, FOREIGN KEY (customer_id) REFERENCES customer (id))`,
		`CREATE TABLE card (id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL, digits VARCHAR(20), FOREIGN KEY (account_id) REFERENCES account (id))`,
	}
	if f.AlterForeignKey {
		s = append(s, `ALTER TABLE account ADD FOREIGN KEY (main_card_id) REFERENCES card (id)`)
	} else {
		s[len(s)-2] = strings.Replace(s[len(s)-2], "FOREIGN KEY", "FOREIGN KEY (main_card_id) REFERENCES card (id), FOREIGN KEY", 1)
	}
	return s
}

// people of the twin. Person 1 is the one whose rights are exercised; 4 differs from 1 by one letter's case.
const (
	subjectMail = "zoë.o'hara@example.test"
	people      = 5
)

// rows gives the statements that fill the twin.
func rows() []string {
	var s []string
	add := func(format string, args ...any) { s = append(s, fmt.Sprintf(format, args...)) }
	add(`INSERT INTO product VALUES (1, 'Tea'), (2, 'Cake')`)
	add(`INSERT INTO club VALUES (1, 'Chess'), (2, 'Running')`)
	for i := 1; i <= people; i++ {
		add(`INSERT INTO address VALUES (%d, '%d Any Street', 'Örebro')`, 10*i, i)
	}
	add(`INSERT INTO address VALUES (99, 'The gift shop', NULL)`)
	mails := []string{"", "zoë.o''hara@example.test", "bob@example.test", "cy@example.test", "Zoë.o''hara@example.test", "zoe.o''hara@example.test"}
	for i := 1; i <= people; i++ {
		home, ref := 10*i, "NULL"
		if i == 3 {
			home = 20 // shares a home with 2
		}
		if i == 2 {
			ref = "1" // was brought by 1
		}
		add(`INSERT INTO customer VALUES (%d, '%s', 'Zoë O''Hara', 'login%d', %d, %s, 'hash%d')`, i, mails[i], i, home, ref, i)
	}
	for i := 1; i <= people; i++ {
		ship := []int{0, 20, 20, 99, 40, 50}[i] // 1 had an order sent to the home of 2 and 3
		add(`INSERT INTO "order" VALUES (%d, %d, %d, '2025-03-0%d', 'it''s a gift'), (%d, %d, 99, '2025-04-0%d', NULL)`, 100*i, i, ship, i, 100*i+1, i, i)
		add(`INSERT INTO order_line VALUES (%d, 1, 1), (%d, 2, 2), (%d, 1, 2)`, 100*i, 100*i, 100*i+1)
		add(`INSERT INTO line_note VALUES (%d, %d, 2, 'note'), (%d, %d, 1, 'note')`, 100*i, 100*i, 100*i+1, 100*i+1)
		add(`INSERT INTO invoice VALUES (%d, %d, '2019-05-01', 'Any Street', 8.91), (%d, %d, '2024-05-01', 'Any Street', 100.00)`, 100*i, i, 100*i+1, i)
		add(`INSERT INTO invoice_line VALUES (%d, %d, 8.91), (%d, %d, 50.50), (%d, %d, 49.50)`, 100*i, 100*i, 100*i+1, 100*i+1, 100*i+2, 100*i+1)
		add(`INSERT INTO message VALUES (%d, %d, %d, 'hello from %d')`, 100*i, i, i%people+1, i)
		add(`INSERT INTO newsletter VALUES (%d, '%s', NULL)`, i, mails[i])
		add(`INSERT INTO event VALUES (%d, '{"email": "%s", "n": 12345678901234567890}')`, i, mails[i])
		add(`INSERT INTO remark VALUES (%d, %d, NULL, 'first'), (%d, %d, %d, 'to myself')`, 100*i, i, 100*i+1, i, 100*i)
		add(`INSERT INTO folder VALUES (%d, %d, NULL, 'root'), (%d, NULL, %d, 'below'), (%d, NULL, %d, 'deep')`, 100*i, i, 100*i+1, 100*i, 100*i+2, 100*i+1)
		add(`INSERT INTO membership VALUES (%d, 1, '2020-01-01'), (%d, 2, NULL)`, i, i)
		add(`INSERT INTO account VALUES (%d, %d, NULL)`, i, i)
		add(`INSERT INTO card VALUES (%d, %d, '4111')`, i, i)
		add(`UPDATE account SET main_card_id = %d WHERE id = %d`, i, i)
	}
	add(`INSERT INTO newsletter VALUES (90, 'new@example.test', '%s')`, mails[1])
	add(`INSERT INTO newsletter VALUES (91, '', '')`)
	add(`INSERT INTO remark VALUES (900, 2, 101, 'an answer to 1')`) // somebody else's row that needs one of 1's
	return s
}

// wanted gives the keys that an export of person 1 holds, table by table.
func wanted() map[string][]string {
	return map[string][]string{
		"customer": {"1"}, "address": {"10", "99"}, "order": {"100", "101"}, "order_line": {"100|1", "100|2", "101|1"},
		"line_note": {"100", "101"}, "invoice": {"100", "101"}, "invoice_line": {"100", "101", "102"},
		"message": {"100", "500"}, "newsletter": {"1", "90"}, "event": {"1"}, "remark": {"100", "101"},
		"folder": {"100", "101", "102"}, "membership": {"1|1", "1|2"}, "account": {"1"}, "card": {"1"},
	}
}

// System gives the twin's map, without a DSN.
func System(kind datamap.Kind) *datamap.System {
	by := func(table string, cols ...string) datamap.Relation { return datamap.Relation{Table: table, By: cols} }
	only := func(table string) []datamap.Relation { return []datamap.Relation{{Table: table}} }
	anon := func(with datamap.Anonymizer, value string) datamap.Column {
		return datamap.Column{Anonymize: &datamap.Anonymize{With: with, Value: value}}
	}
	match := func(column, path string) datamap.MatchAll {
		return datamap.MatchAll{Columns: []datamap.MatchColumn{{Column: column, JSON: path, Identifier: "email"}}}
	}
	tables := []datamap.Table{
		{Name: "customer", Columns: map[string]datamap.Column{
			"password_hash": {Export: datamap.ShowPresence}, "login": anon(datamap.AnonFixed, "gone-{key}"),
		}},
		{Name: "address", Owners: []datamap.Relation{{Table: "customer", From: []string{"address_id"}}},
			AlsoFrom: []datamap.Relation{{Table: "order", From: []string{"shipping_address_id"}}}},
		{Name: "order", Owners: only("customer")},
		{Name: "order_line", Owners: only("order")},
		{Name: "line_note", Owners: only("order_line")},
		{Name: "invoice", Owners: only("customer"), RowDate: "issued", RedactNow: []string{"billing_address"}},
		{Name: "invoice_line", Owners: only("invoice")},
		{Name: "message", Owners: []datamap.Relation{by("customer", "sender_id")}, AlsoAbout: []datamap.Relation{by("customer", "recipient_id")},
			Export:  datamap.Export{HideOthers: []string{"sender_id", "recipient_id"}},
			Columns: map[string]datamap.Column{"body": anon(datamap.AnonFixed, "[removed]"), "sender_id": anon(datamap.AnonNull, "")}},
		{Name: "newsletter", Match: &datamap.Match{Any: []datamap.MatchAll{match("email", ""), match("old_email", "")}}},
		{Name: "event", Match: &datamap.Match{Any: []datamap.MatchAll{match("params", "$.email")}}},
		{Name: "remark", Owners: only("customer")},
		{Name: "folder", Owners: []datamap.Relation{{Table: "customer"}, by("folder", "parent_id")}},
		{Name: "membership", Owners: only("customer")},
		{Name: "account", Owners: only("customer")},
		{Name: "card", Owners: only("account")},
	}
	for i := range tables {
		tables[i].Personal = true
		tables[i].Category = "account"
	}
	tables = append(tables, datamap.Table{Name: "product", Why: "catalog"}, datamap.Table{Name: "club", Why: "catalog"})
	return &datamap.System{
		Name: "twin", Kind: kind, Tables: tables,
		Subjects: []datamap.Subject{{Name: "customer", Table: "customer", Key: []string{"id"}, Identifiers: []datamap.Identifier{
			{Name: "email", Table: "customer", Column: "email", Match: datamap.MatchDomainCI},
			{Name: "user_id", Table: "customer", Column: "id", Match: datamap.MatchExact},
		}}},
	}
}

// today is the day on which the twin's erasures run.
func today() statute.Date { return statute.NewDate(2026, 6, 1) }

// Rules gives the twin's rules: invoices are kept five years, an address stays while others live there, a remark
// that others answered goes and their answer stands alone.
func Rules() *plan.Rules {
	del := plan.TableRule{Do: plan.ActionDelete, Others: string(datamap.OthersRefuse)}
	with := func(others datamap.OthersRefer) plan.TableRule { r := del; r.Others = string(others); return r }
	follow := func(owner string) plan.TableRule { r := del; r.Follow = []string{owner}; return r }
	return &plan.Rules{Today: today(), Tables: map[string]plan.TableRule{
		"customer": with(datamap.OthersSetNull), "address": with(datamap.OthersKeep), "order": del, "order_line": follow("order"), "line_note": follow("order_line"),
		"invoice": {Do: plan.ActionRetain, RowDate: "issued", Keep: statute.Period{Years: 5}, Ground: "tax law", Others: "refuse",
			RedactNow: []string{"billing_address"}},
		"invoice_line": follow("invoice"), "message": {Do: plan.ActionAnonymize, Others: "refuse"}, "newsletter": del, "event": del,
		"remark": with(datamap.OthersSetNull), "folder": del, "membership": del, "account": del, "card": del,
	}}
}
