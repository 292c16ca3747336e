package datamap

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// catalogOf builds a catalog from lines such as
//
//	customer(id int pk, email varchar(60) null unique, address_id int null -> address.id, !legacy int)
//
// Tables stand in schema public unless written `schema.table`; "!" before a column: a key without an index.
func catalogOf(t *testing.T, kind Kind, lines ...string) *Catalog {
	t.Helper()
	cat := &Catalog{Kind: kind}
	form := regexp.MustCompile(`^(view )?([\w."]+)\((.*)\)$`)
	for _, line := range lines {
		m := form.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			t.Fatalf("not a table: %q", line)
		}
		table := CatalogTable{Name: m[2], Schema: "public", Bare: m[2], View: m[1] != "", Rows: -1}
		if schema, bare, ok := strings.Cut(m[2], "."); ok {
			table.Schema, table.Bare = schema, bare
		}
		for _, part := range splitOutside(m[3]) {
			addColumn(t, &table, strings.TrimSpace(part))
		}
		if len(table.PrimaryKey) > 0 {
			table.Indexes = append(table.Indexes, table.PrimaryKey)
		}
		cat.Tables = append(cat.Tables, table)
	}
	slices.SortFunc(cat.Tables, func(a, b CatalogTable) int { return strings.Compare(a.Name, b.Name) })
	return cat
}

func splitOutside(s string) []string {
	var out []string
	depth, start := 0, 0
	for i, r := range s {
		switch {
		case r == '(':
			depth++
		case r == ')':
			depth--
		case r == ',' && depth == 0:
			out = append(out, s[start:i])
			start = i + 1
		}
	}
	return append(out, s[start:])
}

func addColumn(t *testing.T, table *CatalogTable, def string) {
	t.Helper()
	body, ref, hasRef := strings.Cut(def, "->")
	words := strings.Fields(body)
	name, indexed := strings.CutPrefix(words[0], "!")
	indexed = !indexed
	c := CatalogColumn{Name: name, Type: words[1]}
	if m := regexp.MustCompile(`char\((\d+)\)`).FindStringSubmatch(c.Type); m != nil {
		c.Length, _ = strconv.Atoi(m[1])
	}
	for _, w := range words[2:] {
		switch w {
		case "pk":
			table.PrimaryKey = append(table.PrimaryKey, c.Name)
		case "null":
			c.Nullable = true
		case "unique":
			table.Unique = append(table.Unique, []string{c.Name})
			table.Indexes = append(table.Indexes, []string{c.Name})
		case "generated":
			c.Generated = true
		case "folded":
			c.Folded = FoldedLower
		default:
			t.Fatalf("what is %q?", w)
		}
	}
	table.Columns = append(table.Columns, c)
	if !hasRef {
		return
	}
	i := strings.LastIndex(strings.TrimSpace(ref), ".")
	target := strings.TrimSpace(ref)
	table.ForeignKeys = append(table.ForeignKeys, ForeignKey{Columns: []string{c.Name}, RefTable: target[:i], RefColumns: []string{target[i+1:]}})
	if indexed {
		table.Indexes = append(table.Indexes, []string{c.Name})
	}
}

// shop is a plain shop, after the shape of Chinook.
func shop(t *testing.T, more ...string) *Catalog {
	t.Helper()
	return catalogOf(t, KindPostgres, append([]string{
		"artist(artist_id int pk, title text null)",
		"customer(customer_id int pk, first_name varchar(40), last_name varchar(20), email varchar(60) folded, phone varchar(24) null, support_rep_id int null -> employee.employee_id)",
		"employee(employee_id int pk, last_name varchar(20), email varchar(60) null, reports_to int null -> employee.employee_id)",
		"invoice(invoice_id int pk, customer_id int -> customer.customer_id, invoice_date timestamp, billing_address varchar(70) null, total numeric(10,2))",
		"invoice_line(invoice_line_id int pk, invoice_id int -> invoice.invoice_id, track_id int -> track.track_id, unit_price numeric(10,2))",
		"track(track_id int pk, name varchar(200), artist_id int null -> artist.artist_id)",
		"view customer_list(customer_id int, email text)",
	}, more...)...)
}

const shopMap = `tenant: acme
systems:
  app:
    kind: postgres
    dsn: ${APP_DSN}
    subject: {table: customer, key: customer_id, identifiers: {email: email}}
    tables:
      customer: {category: account, erase: delete, columns: {support_rep_id: {personal: false}}}
      invoice: {owner: customer, category: billing, erase: retain, row_date: invoice_date, redact_now: [billing_address]}
      invoice_line: {owner: invoice, category: billing, erase: with_owner}
      employee: {personal: false, why: "staff, another register"}
      "*": {personal: false, why: catalogue}
`

func mustParse(t *testing.T, src string) *Map {
	t.Helper()
	m, problems := Parse("datamap.yaml", []byte(src))
	if Wrong(problems) {
		t.Fatalf("the map was refused: %v", problems)
	}
	return m
}
