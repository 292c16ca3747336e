package datamap

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

const copyMap = `
tenant: acme
systems:
  app:
    kind: sqlite
    dsn: app.db
    subject: {table: customer, key: id, identifiers: {email: {column: mail, match: domain_ci}}}
    tables:
      customer: {category: account, erase: delete}
      invoice:
        owner: customer
        category: account
        erase: delete
        columns:
          billing_name: {copy_of: customer.name}
      reminder:
        owner: invoice
        category: account
        erase: delete
        columns:
          addressed_to: {copy_of: invoice.billing_name}
  letters:
    kind: sqlite
    dsn: letters.db
    subject: {table: reader, key: id, identifiers: {email: address}}
    tables:
      reader:
        category: account
        erase: delete
        columns:
          called: {copy_of: app.customer.name}
      signup: {match: {any: [{mail: email}, {params: {json: "$.mail", is: email}}]}, category: account, erase: delete}
`

// TestPlaces lists where a field is kept: itself in each system, its copies at any distance, and what a match compares.
func TestPlaces(t *testing.T) {
	m, problems := Parse("map.yaml", []byte(copyMap))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for field, want := range map[string][]string{
		"name":                 {"app customer.name", "letters reader.name", "app invoice.billing_name<customer.name", "letters reader.called<customer.name", "app reminder.addressed_to<customer.name"},
		"invoice.billing_name": {"app invoice.billing_name", "letters invoice.billing_name", "app customer.name<invoice.billing_name", "app reminder.addressed_to<invoice.billing_name", "letters reader.called<invoice.billing_name"},
		"email":                {"app customer.mail", "letters reader.address", "letters signup.mail<customer.mail", "letters signup.params$.mail<customer.mail"},
	} {
		var got []string
		for _, p := range m.Places(map[string]string{"app": "", "letters": ""}, field) {
			s := fmt.Sprintf("%s %s.%s%s", p.System, p.Table, p.Column, p.JSON)
			if p.CopyOf != "" {
				s += "<" + p.CopyOf
			}
			got = append(got, s)
		}
		slices.Sort(got)
		if slices.Sort(want); !slices.Equal(got, want) {
			t.Errorf("%s:\n%q, want\n%q", field, got, want)
		}
	}
	if got := m.Places(map[string]string{"app": ""}, "email"); len(got) != 1 {
		t.Errorf("places in a system that was not asked: %+v", got)
	}
	again, problems := Parse("map.yaml", Write(m, nil))
	if len(problems) > 0 || again.Systems[1].Tables[0].Columns["called"].CopyOf != "app.customer.name" {
		t.Errorf("written and read again: %v", problems)
	}
}

// TestCopyFaults names copies of nothing.
func TestCopyFaults(t *testing.T) {
	for wrong, want := range map[string]string{
		"copy_of: nothing.name":                   "names no table",
		"copy_of: name":                           "names no table",
		"copy_of: invoice.billing_name":           "a copy of itself",
		"personal: false, copy_of: customer.name": "not personal",
	} {
		_, problems := Parse("map.yaml", []byte(strings.Replace(copyMap, "copy_of: customer.name}", wrong+"}", 1)))
		if len(problems) == 0 || !strings.Contains(problems[0].Message, want) {
			t.Errorf("%s: %v", wrong, problems)
		}
	}
}
