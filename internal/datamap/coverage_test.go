package datamap

import (
	"strings"
	"testing"
)

func coverageOf(t *testing.T, src string, cat *Catalog) []Finding {
	t.Helper()
	return Coverage(&mustParse(t, src).Systems[0], cat)
}

func expectFinding(t *testing.T, findings []Finding, warning bool, want string) {
	t.Helper()
	for _, f := range findings {
		if f.Warning == warning && strings.Contains(f.String(), want) {
			return
		}
	}
	t.Errorf("no finding (warning %v) holds %q in:\n%v", warning, want, lines(findings))
}

func expectClean(t *testing.T, findings []Finding) {
	t.Helper()
	if Blocking(findings) {
		t.Errorf("the map should be enough, but:\n%s", lines(findings))
	}
}

func lines(findings []Finding) string {
	var b strings.Builder
	for _, f := range findings {
		b.WriteString(f.String() + "\n")
	}
	return b.String()
}

func TestCoverageOfAMapThatFits(t *testing.T) {
	findings := coverageOf(t, shopMap, shop(t))
	if len(findings) != 0 {
		t.Errorf("nothing to say, but:\n%s", lines(findings))
	}
}

// Every case changes the map or the database so that one thing no longer fits.
func TestCoverageFinds(t *testing.T) {
	cases := []struct {
		name     string
		old, new string   // replaced in the map
		tables   []string // added to the database
		want     string
		warning  bool
	}{
		{"a child of a child is not covered by the star", "      invoice_line: {owner: invoice, category: billing, erase: with_owner}\n", "", nil, "app.invoice_line: the table reaches a person (invoice_line.invoice_id → invoice.invoice_id", false},
		{"a new table that refers to the subject", "", "", []string{"review(id int pk, author int -> customer.customer_id)"}, "app.review: the table reaches a person", false},
		{"a new table far below", "", "", []string{"refund(id int pk, line int -> invoice_line.invoice_line_id)", "refund_note(id int pk, refund int -> refund.id)"}, "app.refund_note: the table reaches a person", false},
		{"an undeclared reference reaches too", "    tables:", "    references: [{from: visit.who, to: customer.customer_id}]\n    tables:", []string{"visit(id int pk, who int)"}, "app.visit: the table reaches a person", false},
		{"a child of rows found by e-mail reaches", "      employee:", "      newsletter: {match: {email: email}, category: marketing}\n      employee:", []string{"newsletter(id int pk, email text)", "click(id int pk, letter int -> newsletter.id)"}, "app.click: the table reaches a person", false},
		{"a column named like the key, without a foreign key", "", "", []string{"login(id int pk, customer_id int)"}, "app.login.customer_id: the column looks like a key of customer", false},
		{"without a star every table is named", `      "*": {personal: false, why: catalogue}` + "\n", "", nil, "app.artist: the table is not covered", false},
		{"a named table that is gone", "      employee:", "      invoices: {owner: customer, category: billing}\n      employee:", nil, "did you mean invoice?", false},
		{"a view is named", "      employee:", "      customer_list: {personal: false, why: view}\n      employee:", nil, "app.customer_list: this is a view", false},
		{"a named column that is gone", "support_rep_id: {personal: false}", "support_rep_id: {personal: false}, emial: {export: hide}", nil, "app.customer.emial: the column does not exist", false},
		{"row_date is gone", "row_date: invoice_date", "row_date: invoiced_on", nil, "app.invoice.invoiced_on", false},
		{"row_date is no date", "row_date: invoice_date", "row_date: total", nil, "row_date must date the row", false},
		{"redact_now is gone", "[billing_address]", "[billing_adress]", nil, "did you mean billing_address?", false},
		{"redact_now of a number that forbids null", "[billing_address]", "[total]", nil, "app.invoice.total: rows of invoice may be anonymized; this column is numeric(10,2)", false},
		{"two foreign keys to the owner", "      employee:", "      message: {owner: customer, category: content}\n      employee:", []string{"message(id int pk, sender_id int -> customer.customer_id, recipient_id int -> customer.customer_id)"}, "message refers to customer by sender_id and by recipient_id: say which", false},
		{"no foreign key to the owner", "      employee:", "      message: {owner: customer, category: content}\n      employee:", []string{"message(id int pk, sender int)"}, "no foreign key leads from message to customer", false},
		{"a by column that is gone", "      employee:", "      message: {owner: {table: customer, by: sender_id}, category: content}\n      employee:", []string{"message(id int pk, sender int)"}, "message has no column sender_id", false},
		{"a composite key named by one column", "      employee:", "      seat: {owner: {table: invoice, by: inv}, category: content}\n      invoice2: {owner: customer, category: content}\n      seat2: {owner: {table: invoice2, by: inv}, category: content}\n      employee:", []string{"seat(id int pk, inv int)", "seat2(id int pk, inv int)", "invoice2(a int pk, b int pk, c int -> customer.customer_id)"}, "inv names 1 columns, the key of invoice2 has 2", false},
		{"a match column that is gone", "      employee:", "      newsletter: {match: {mail: email}, category: marketing}\n      employee:", []string{"newsletter(id int pk, email text)"}, "app.newsletter.mail: the column does not exist", false},
		{"an identifier column that is gone", "{email: email}", "{email: e_mail}", nil, "app.customer.e_mail: the column does not exist", false},
		{"anonymized by default, a number that forbids null", "invoice: {owner: customer, category: billing, erase: retain, row_date: invoice_date, redact_now: [billing_address]}", "invoice: {owner: customer, category: billing, erase: anonymize}", nil, "app.invoice.total", false},
		{"null on a column that forbids it", "support_rep_id: {personal: false}", `support_rep_id: {personal: false}, email: {anonymize: {with: "null"}}`, nil, "app.customer.email: the column may not be null", false},
		{"a fixed value that is too long", "support_rep_id: {personal: false}", `support_rep_id: {personal: false}, last_name: {anonymize: {with: fixed, value: "this is longer than twenty"}}`, nil, "longer than the column's 20 characters", false},
		{"a fixed value in a unique column", "      employee:", "      device: {owner: customer, category: account, erase: anonymize, columns: {serial: {anonymize: {with: fixed, value: gone}}}}\n      employee:", []string{"device(id int pk, customer_id int -> customer.customer_id, serial text unique)"}, "put {key} into the value", true},
		{"tables that hold each other", "      employee:", "      a: {owner: customer, category: account}\n      b: {owner: a, category: account}\n      employee:", []string{"a(id int pk, customer_id int -> customer.customer_id, b_id int -> b.id)", "b(id int pk, a_id int -> a.id)"}, "the tables hold each other", false},
		{"a schema that nobody speaks of", "    tables:", "    schemas: {include: [public]}\n    tables:", []string{"backup.customer(id int pk, email text)"}, "the schema backup is neither included nor ignored", false},
		{"an included schema that does not exist", "    tables:", "    schemas: {include: [public, crm]}\n    tables:", nil, "the included schema crm does not exist", false},

		{"rows to anonymize without a primary key", "      employee:", "      note: {owner: customer, category: content, erase: anonymize}\n      employee:", []string{"note(customer_id int -> customer.customer_id, text varchar(99) null)"}, "app.note: rows of note may be anonymized, and it has no primary key", false},
		{"redact_now of a computed column", "      employee:", "      bill: {owner: customer, category: billing, erase: retain, redact_now: [label]}\n      employee:", []string{"bill(id int pk, customer_id int -> customer.customer_id, label text null generated)"}, "app.bill.label: redact_now names a column that the database computes", false},
		{"a rule for a computed column", "      employee:", "      bill: {owner: customer, category: billing, erase: anonymize, columns: {label: {anonymize: {with: fixed, value: x}}}}\n      employee:", []string{"bill(id int pk, customer_id int -> customer.customer_id, label text generated)"}, "app.bill.label: the database computes this column", false},
		{"a fixed value in a foreign key", "{support_rep_id: {personal: false}}", `{support_rep_id: {anonymize: {with: fixed, value: "0"}}}`, nil, "app.customer.support_rep_id: the column is a key to employee", false},
		{"a generalized unique column", "      employee:", "      device: {owner: customer, category: account, erase: anonymize, columns: {serial: {anonymize: generalize}}}\n      employee:", []string{"device(id int pk, customer_id int -> customer.customer_id, serial text unique)"}, "app.device.serial: the column is unique, and two people", false},
		{"a hash in a number", "      employee:", "      device: {owner: customer, category: account, erase: anonymize, columns: {serial: {anonymize: hash}}}\n      employee:", []string{"device(id int pk, customer_id int -> customer.customer_id, serial int)"}, "a hash is a text; this column is int", false},
		{"a unique text too short for mark and key", "      employee:", "      device: {owner: customer, category: account, erase: anonymize}\n      employee:", []string{"device(id int pk, customer_id int -> customer.customer_id, serial varchar(10) unique)"}, "too short for a mark and a key", false},
		{"part of a key that looks personal", "      employee:", "      visit: {match: {email: email}, category: account, erase: anonymize}\n      employee:", []string{"visit(email text pk, day date pk)"}, "app.visit.email: rows of visit may be anonymized; this column is part of a key", false},
		{"one relation in two ways", "      employee:", "      note: {owner: customer, mentions: [{table: customer, by: customer_id}], category: content}\n      employee:", []string{"note(id int pk, customer_id int -> customer.customer_id)"}, "the same relation is said in two ways", false},
		{"a key of another type", "      employee:", "      note: {owner: {table: customer, by: who}, category: content}\n      employee:", []string{"note(id int pk, who text)"}, "they can't be compared", false},
		{"on_erase null where null is forbidden", "      employee:", `      note: {owner: {table: customer, by: customer_id}, mentions: [{table: customer, by: writer, on_erase: "null"}], category: content}` + "\n      employee:", []string{"note(id int pk, customer_id int -> customer.customer_id, writer int -> customer.customer_id)"}, "app.note.writer: on_erase clears the reference", false},
		{"set_null where null is forbidden", "      employee:", "      card: {owner: customer, category: billing, erase: {do: delete, if_others_refer: set_null}}\n      sale: {owner: customer, category: billing}\n      employee:", []string{"card(id int pk, customer_id int -> customer.customer_id)", "sale(id int pk, customer_id int -> customer.customer_id, card_id int -> card.id)"}, "if_others_refer: set_null would clear sale.card_id", false},
		{"hide_others of a column that is no key", "      employee:", "      note: {owner: customer, category: content, export: {hide_others: [words]}}\n      employee:", []string{"note(id int pk, customer_id int -> customer.customer_id, words text)"}, "app.note.words: hide_others compares a key", false},
		{"a view as an owner", "      employee:", "      note: {owner: {table: customer_list, by: c}, category: content}\n      customer_list: {owner: customer, category: content}\n      employee:", []string{"note(id int pk, c int)"}, "customer_list is a view: rows belong to tables", false},
		{"a large object", "      employee:", "      scan: {owner: customer, category: content}\n      employee:", []string{"scan(id int pk, customer_id int -> customer.customer_id, picture oid)"}, "app.scan.picture: the column holds the number of a large object", false},
		{"when names a column that is gone", "      employee:", "      note: {owner: {table: customer, by: owner_id, when: {owner_kind: Customer}}, category: content}\n      employee:", []string{"note(id int pk, owner_id int, owner_type text)"}, "app.note.owner_kind: the column does not exist", false},
		{"hide_others is gone", "      employee:", "      note: {owner: customer, category: content, export: {hide_others: [sender]}}\n      employee:", []string{"note(id int pk, customer_id int -> customer.customer_id)"}, "app.note.sender: the column does not exist; hide_others names it", false},
		{"a path within a number", "      employee:", "      event: {match: {payload: {json: \"$.email\", is: email}}, category: account}\n      employee:", []string{"event(id int pk, payload int)"}, "a path within JSON is matched, but the column is int", false},
		{"a reference that is gone", "    tables:", "    references: [{from: visit.whom, to: customer.customer_id}]\n    tables:", []string{"visit(id int pk, who int)"}, "app.visit.whom: the column does not exist", false},
		{"the subject's key is gone", "key: customer_id", "key: id", nil, "app.customer.id: the column does not exist; the subject's key names it", false},

		{"warns of a second key to the subject", "      employee:", "      message: {owner: {table: customer, by: sender_id}, category: content}\n      employee:", []string{"message(id int pk, sender_id int -> customer.customer_id, recipient_id int -> customer.customer_id)"}, "app.message.recipient_id: warning: the column refers to customer", true},
		{"warns of an e-mail column under the star", "", "", []string{"lead(id int pk, email text)"}, "app.lead.email: warning:", true},
		{"warns of a key without an index", "      employee:", "      note: {owner: customer, category: content}\n      employee:", []string{"note(id int pk, !customer_id int -> customer.customer_id)"}, "no index begins with this key", true},
		{"warns when a table named as not personal refers to people", "      employee:", "      rating: {personal: false, why: statistics}\n      employee:", []string{"rating(id int pk, customer int -> customer.customer_id)"}, "said not to be personal, yet it refers to customer", true},
		{"warns of what shares a person's address", "      employee:", "      address: {owner: {table: customer, from: support_rep_id}, category: account}\n      employee:", []string{"address(id int pk, street text)", "store(id int pk, address_id int -> address.id)"}, "it refers to address, which holds people's rows", true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			src := shopMap
			if c.old != "" {
				if !strings.Contains(src, c.old) {
					t.Fatalf("the map does not hold %q", c.old)
				}
				src = strings.Replace(src, c.old, c.new, 1)
			}
			findings := coverageOf(t, src, shop(t, c.tables...))
			expectFinding(t, findings, c.warning, c.want)
			if c.warning {
				expectClean(t, findings)
			}
		})
	}
}

func TestCoverageLeavesOpenWhatIsSaid(t *testing.T) {
	cases := []struct {
		name, old, new string
		tables         []string
	}{
		{"a cycle with a nullable key", "      employee:", "      a: {owner: customer, category: account}\n      b: {owner: a, category: account}\n      employee:", []string{"a(id int pk, customer_id int -> customer.customer_id, b_id int null -> b.id)", "b(id int pk, a_id int -> a.id)"}},
		{"an ignored schema", "    tables:", "    schemas: {include: [public], ignore: {backup: a copy}}\n    tables:", []string{"backup.customer(id int pk, email text)", "backup.login(id int pk, customer_id int)"}},
		{"a mention is no path", "      employee:", "      job: {owner: {table: customer, by: customer_id}, category: account, mentions: [{table: customer, by: boss}]}\n      employee:", []string{"job(id int pk, boss int -> customer.customer_id, customer_id int -> customer.customer_id)"}},
		{"a table named as not personal ends the walk", "      employee:", "      rating: {personal: false, why: statistics}\n      employee:", []string{"rating(id int pk, customer int -> customer.customer_id)", "rating_part(id int pk, r int -> rating.id)"}},
		{"what stands above is reached by nobody else", "      employee:", "      address: {owner: {table: customer, from: support_rep_id}, category: account}\n      employee:", []string{"address(id int pk, street text)", "store(id int pk, address_id int -> address.id)"}},
		{"a polymorphic owner", "      employee:", "      note: {owner: {table: customer, by: owner_id, when: {owner_type: Customer}}, category: content}\n      employee:", []string{"note(id int pk, owner_id int, owner_type text)"}},
		{"a self reference", "      employee:", "      tree: {owner: customer, category: content}\n      employee:", []string{"tree(id int pk, customer_id int -> customer.customer_id, parent int null -> tree.id)"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			expectClean(t, coverageOf(t, strings.Replace(shopMap, c.old, c.new, 1), shop(t, c.tables...)))
		})
	}
}

// What kept rows need is anonymized: the gate asks about its columns although the table itself says delete.
func TestCoverageAsksAboutWhatKeptRowsNeed(t *testing.T) {
	cat := shop(t)
	customer, _ := cat.Table("customer")
	customer.Columns = append(customer.Columns, CatalogColumn{Name: "score", Type: "integer"})
	expectFinding(t, coverageOf(t, shopMap, cat), false, "app.customer.score: rows of customer may be anonymized")
	src := strings.Replace(shopMap, "erase: retain, row_date: invoice_date, redact_now: [billing_address]", "erase: delete", 1)
	expectClean(t, coverageOf(t, src, cat))
}

// A rule of the database that refuses what an anonymization would write.
func TestCoverageReadsChecks(t *testing.T) {
	state := func(expr, rule string) []Finding {
		cat := shop(t, "device(id int pk, customer_id int -> customer.customer_id, state varchar(20))")
		device, _ := cat.Table("device")
		device.Checks = []Check{{Name: "device_state_check", Column: "state", Expr: expr}}
		src := strings.Replace(shopMap, "      employee:", "      device: {owner: customer, category: account, erase: anonymize"+rule+"}\n      employee:", 1)
		return coverageOf(t, src, cat)
	}
	listing := "CHECK (((state)::text = ANY ((ARRAY['new'::character varying, 'old'::character varying])::text[])))"
	expectFinding(t, state(listing, ""), false, `app.device.state: the check device_state_check allows only new, old here, not "[erased]"`)
	expectFinding(t, state(listing, ", columns: {state: {anonymize: hash}}"), false, "allows only new, old here")
	expectFinding(t, state("CHECK (length(state) > 3)", ""), true, "the check device_state_check may refuse what is written here")
	expectClean(t, state(listing, ", columns: {state: {anonymize: {with: fixed, value: old}}}"))
	expectClean(t, state(listing, ", columns: {state: {personal: false}}"))
}

// A missing index is a nuisance in a small table and hours in a big one.
func TestCoverageAsksForIndexes(t *testing.T) {
	big := func(rows int64, rule string) []Finding {
		cat := shop(t, "note(id int pk, !customer_id int -> customer.customer_id)", "letter(id int pk, mail text)")
		for _, name := range []string{"note", "letter"} {
			table, _ := cat.Table(name)
			table.Rows = rows
		}
		return coverageOf(t, strings.Replace(shopMap, "      employee:", "      note: {owner: customer, category: content"+rule+"}\n      letter: {match: {mail: email}, category: content"+rule+"}\n      employee:", 1), cat)
	}
	expectFinding(t, big(500, ""), true, "CREATE INDEX CONCURRENTLY ON note (customer_id)")
	expectFinding(t, big(2_000_000, ""), false, "app.note.customer_id: no index begins with this key to customer: every delete there reads the whole table; it has about 2000000 rows, so it needs an index; CREATE INDEX CONCURRENTLY ON note (customer_id)")
	expectFinding(t, big(2_000_000, ""), false, "CREATE INDEX CONCURRENTLY ON letter (lower(mail))")
	if findings := big(2_000_000, ", index: accepted"); len(findings) > 0 {
		t.Errorf("accepted in the map, yet:\n%s", lines(findings))
	}
}

// A finding says where in the file its table or column stands.
func TestFindingsHavePlaces(t *testing.T) {
	src := strings.Replace(shopMap, "support_rep_id: {personal: false}", "support_rep_id: {personal: false}, emial: {export: hide}", 1)
	for _, f := range coverageOf(t, src, shop(t)) {
		if f.Column == "emial" && !strings.HasPrefix(f.In("datamap.yaml"), "datamap.yaml:8: app.customer.emial: ") {
			t.Errorf("the wrong place: %s", f.In("datamap.yaml"))
		}
	}
}

func TestRowDateThatMayBeMissing(t *testing.T) {
	cat := shop(t)
	invoice, _ := cat.Table("invoice")
	date, _ := invoice.Column("invoice_date")
	date.Nullable = true
	expectFinding(t, coverageOf(t, shopMap, cat), true, "app.invoice.invoice_date: warning: row_date may be null here")
}
