package sqldb

import (
	"context"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/connector/connectortest"
	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/plan"
	"github.com/habeas-data/habeas/internal/statute"
)

// counter is a sink that only counts.
type counter struct{ rows, bytes int64 }

func (c *counter) Begin(connector.Collection) error { return nil }
func (c *counter) End() error                       { return nil }
func (c *counter) Hidden(string, int64, string) error {
	return nil
}
func (c *counter) Row(_ connector.Key, values [][]byte) error {
	c.rows++
	for _, v := range values {
		c.bytes += int64(len(v))
	}
	return nil
}

// TestScale prints what a person with TEST_SCALE invoices, four lines each, costs on PostgreSQL.
func TestScale(t *testing.T) {
	invoices, _ := strconv.Atoi(os.Getenv("TEST_SCALE"))
	if invoices == 0 {
		return // a measurement, made on demand: it holds no promise that another test does not
	}
	ctx := context.Background()
	f := postgresFixture(t)
	n := strconv.Itoa(invoices)
	for _, s := range []string{
		"CREATE TABLE customer (customer_id int PRIMARY KEY, email text, support_rep_id int)",
		"CREATE TABLE invoice (invoice_id int PRIMARY KEY, customer_id int NOT NULL REFERENCES customer, invoice_date timestamp NOT NULL, billing_address varchar(70), billing_city varchar(40), total numeric(10,2) NOT NULL)",
		"CREATE TABLE invoice_line (invoice_line_id int PRIMARY KEY, invoice_id int NOT NULL REFERENCES invoice, track_id int NOT NULL, unit_price numeric(10,2) NOT NULL, quantity int NOT NULL)",
		"INSERT INTO customer SELECT i, 'c' || i || '@example.test', 1 FROM generate_series(1, 1000) i",
		"INSERT INTO invoice SELECT i, CASE WHEN i % 2 = 0 THEN 1 ELSE 2 END, '2021-01-01', 'Any Street ' || i, 'Any City', 8.91 FROM generate_series(1, 2*" + n + ") i",
		"INSERT INTO invoice_line SELECT i, 1 + i / 4, 1, 0.99, 1 FROM generate_series(0, 8*" + n + "-1) i",
		"CREATE INDEX ON invoice (customer_id)", "CREATE INDEX ON invoice_line (invoice_id)", "VACUUM ANALYZE",
	} {
		_, err := f.DB.Exec(s)
		must(t, err)
	}
	invoice := personal("invoice", datamap.Relation{Table: "customer"})
	sys := &datamap.System{Name: "shop", Kind: datamap.KindPostgres, Subjects: []datamap.Subject{subject("customer", "customer_id")},
		Tables: []datamap.Table{personal("customer"), invoice, personal("invoice_line", datamap.Relation{Table: "invoice"})}}
	s, err := f.Open(sys)
	must(t, err)
	defer func() { _ = s.Close() }()
	scope := connector.Scope{Identifiers: map[string][]string{"email": {"c1@example.test"}}}
	began := time.Now()
	step := func(what string) {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		t.Logf("%-20s %6.2f s, heap %d MB", what, time.Since(began).Seconds(), m.HeapAlloc>>20)
		began = time.Now()
	}
	rows, err := f.DB.Query("SELECT row_to_json(l)::text FROM invoice_line l WHERE invoice_id IN (SELECT invoice_id FROM invoice WHERE customer_id = 1)")
	must(t, err)
	for rows.Next() {
	}
	must(t, rows.Err())
	step("row_to_json of lines")
	c := &counter{}
	must(t, s.(connector.Collector).Collect(ctx, scope, c))
	t.Logf("%d rows, %d MB", c.rows, c.bytes>>20)
	step("collect")
	del := plan.TableRule{Do: plan.ActionDelete, Others: "refuse"}
	rules := &plan.Rules{Today: statute.NewDate(2026, 6, 1), Tables: map[string]plan.TableRule{"customer": del, "invoice": del, "invoice_line": {Do: plan.ActionDelete, Follow: []string{"invoice"}}}}
	_, steps, keys, err := connectortest.Prepare(ctx, s, scope, rules)
	must(t, err)
	step("locate and capture")
	must(t, s.(connector.Eraser).Erase(ctx, steps, keys.Source, connectortest.Free, connectortest.Mute))
	step("erase")
	began = time.Now()
	tx, err := f.DB.Begin()
	must(t, err)
	for _, q := range []string{
		"DELETE FROM invoice_line WHERE invoice_id = ANY (ARRAY(SELECT invoice_id FROM invoice WHERE customer_id = 2))",
		"DELETE FROM invoice WHERE customer_id = 2", "DELETE FROM customer WHERE customer_id = 2",
	} {
		_, err := tx.Exec(q)
		must(t, err)
	}
	must(t, tx.Commit())
	step("erase by hand, as many")
	for i, st := range steps {
		for _, k := range keys[i] {
			if left, err := s.(connector.Checker).CountKeys(ctx, st.Table, k); err != nil || left != 0 {
				t.Fatalf("%d left of %s: %v", left, st.Table, err)
			}
		}
	}
	step("count")
}
