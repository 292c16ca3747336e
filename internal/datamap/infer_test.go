package datamap

import (
	"context"
	"reflect"
	"strings"
	"testing"
)

func TestInferPassesItsOwnChecks(t *testing.T) {
	cases := map[string]*Catalog{
		"shop": shop(t),
		"no foreign keys, other schemas": catalogOf(t, KindPostgres,
			"customer(id int pk, email varchar(100) null, name text null, created timestamp, address_id bigint null)",
			"address(id int pk, street text null)", "login(id int pk, customer_id int null)", "visit(email varchar(100) pk, last_visit timestamp pk)",
			"employee(id int pk, email text null)", "badge(id int pk, employee int -> employee.id)", "product(id int pk, name text)",
			"backup_schema.customer(id int pk, email text)"),
		"shared rows": catalogOf(t, KindPostgres, "customer(id int pk, email text unique, password_hash text, manager int null -> customer.id)",
			"message(id int pk, sender_id int -> customer.id, recipient_id int -> customer.id)", "attachment(id int pk, message_id int -> message.id, note text)"),
		"an address above": catalogOf(t, KindPostgres, "customer(id int pk, email text, address_id int -> address.id, store_id int -> store.id)",
			"address(id int pk, address text, city_id int -> city.id)", "city(id int pk, city text)", "store(id int pk, address_id int -> address.id)",
			"rental(id int pk, customer_id int -> customer.id, staff_id int -> staff.id)", "staff(id int pk, email text, first_name text, store_id int -> store.id)",
			"payment(id int pk, customer_id int -> customer.id, rental_id int -> rental.id)"),
		"camel case": catalogOf(t, KindSQLite, "customer(CustomerId INTEGER pk, Email NVARCHAR(60), SupportRepId INTEGER null)", "Invoice(InvoiceId INTEGER pk, CustomerId INTEGER)"),
	}
	for name, cat := range cases {
		t.Run(name, func(t *testing.T) {
			column := "email"
			if name == "camel case" {
				column = "Email"
			}
			d, err := Infer(context.Background(), cat, "customer", column, InferOptions{DSN: "postgres://app:s3cret@db.internal/app"})
			if err != nil {
				t.Fatal(err)
			}
			m := d.Map
			text := string(Write(m, d.Notes))
			if strings.Contains(text, "s3cret") {
				t.Fatalf("the password was written down:\n%s", text)
			}
			if !strings.Contains(text, "# decide: ") {
				t.Errorf("nothing is left to a person:\n%s", text)
			}
			read, problems := Parse("datamap.yaml", []byte(text))
			if len(problems) > 0 {
				t.Fatalf("the written map is not read: %v\n%s", problems, text)
			}
			if findings := Coverage(&read.Systems[0], cat); Blocking(findings) {
				t.Fatalf("the written map does not cover:\n%s\n%s", lines(findings), text)
			}
			sameMap(t, m, read)
		})
	}
}

// sameMap compares two maps but for the lines they stand in and nil against empty.
func sameMap(t *testing.T, a, b *Map) {
	t.Helper()
	if x, y := string(Write(a, nil)), string(Write(b, nil)); x != y {
		t.Errorf("not the same map:\n%s\n---\n%s", x, y)
	}
}

func TestInferRefuses(t *testing.T) {
	cat := shop(t, "log(line text)")
	for _, c := range [][2]string{{"customers", "email"}, {"customer", "mail"}, {"log", "line"}, {"customer_list", "email"}} {
		if _, err := Infer(context.Background(), cat, c[0], c[1], InferOptions{}); err == nil {
			t.Errorf("%v was accepted", c)
		}
	}
}

func TestInferFindsThePathsOfTheShop(t *testing.T) {
	d, err := Infer(context.Background(), shop(t), "customer", "email", InferOptions{DSN: "postgres://app@127.0.0.1/shop"})
	if err != nil {
		t.Fatal(err)
	}
	s := &d.Map.Systems[0]
	if s.DSN != "postgres://app@127.0.0.1/shop" {
		t.Errorf("a DSN without a password is written as it is, not %q", s.DSN)
	}
	for table, owner := range map[string]string{"invoice": "customer", "invoice_line": "invoice"} {
		entry, ok := s.Table(table)
		if !ok || len(entry.Owners) != 1 || entry.Owners[0].Table != owner || entry.Erase.Do != EraseWithOwner {
			t.Errorf("%s should go with %s: %+v", table, owner, entry)
		}
	}
	customer, _ := s.Table("customer")
	if len(customer.Mentions) != 1 || customer.Mentions[0].Table != "employee" || len(customer.Owners) > 0 {
		t.Errorf("the support rep is another person and must not be followed: %+v", customer)
	}
	employee, _ := s.Table("employee")
	if boss := employee.Columns["reports_to"]; boss.Personal == nil || *boss.Personal {
		t.Error("whom an employee reports to is another person")
	}
	if _, named := s.Table("track"); named {
		t.Error("the catalogue belongs under the star")
	}
	if !reflect.DeepEqual(s.Subjects[0].Key, []string{"customer_id"}) {
		t.Errorf("key %v", s.Subjects[0].Key)
	}
}
