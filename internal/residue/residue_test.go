package residue

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/plan"
	"github.com/habeas-data/habeas/internal/statute"
)

const mail = "ann@shop.example"

// engineUnderTest is one empty database of one engine.
type engineUnderTest struct {
	kind datamap.Kind
	dsn  string
	exec func(t *testing.T, statements ...string)
	db   *sql.DB
}

func engines() map[string]func(t *testing.T) engineUnderTest {
	return map[string]func(t *testing.T) engineUnderTest{"postgres": newPostgres, "mysql": newMySQL, "sqlite": newSQLite}
}

func env(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

func runner(db *sql.DB) func(t *testing.T, statements ...string) {
	return func(t *testing.T, statements ...string) {
		t.Helper()
		for _, s := range statements {
			if _, err := db.ExecContext(t.Context(), s); err != nil {
				t.Fatalf("%s: %v", s, err)
			}
		}
	}
}

func connect(t *testing.T, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func freshName() string { return "residue_" + strings.ReplaceAll(uuid.NewString(), "-", "") }

func newPostgres(t *testing.T) engineUnderTest {
	base := env("TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable")
	name := freshName()
	admin := connect(t, "pgx", base)
	runner(admin)(t, "CREATE DATABASE "+name)
	t.Cleanup(func() {
		_, _ = admin.ExecContext(context.WithoutCancel(t.Context()), "DROP DATABASE "+name+" WITH (FORCE)")
	})
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	db := connect(t, "pgx", u.String())
	return engineUnderTest{datamap.KindPostgres, u.String(), runner(db), db}
}

func newMySQL(t *testing.T) engineUnderTest {
	base := env("TEST_MYSQL", "root@tcp(127.0.0.1:3306)/")
	name := freshName()
	admin := connect(t, "mysql", base)
	runner(admin)(t, "CREATE DATABASE "+name+" CHARACTER SET utf8mb4")
	t.Cleanup(func() {
		_, _ = admin.ExecContext(context.WithoutCancel(t.Context()), "DROP DATABASE "+name)
	})
	db := connect(t, "mysql", strings.TrimSuffix(base, "/")+"/"+name)
	user, rest, _ := strings.Cut(base, "@tcp(")
	host, _, _ := strings.Cut(rest, ")")
	return engineUnderTest{datamap.KindMySQL, "mysql://" + user + "@" + host + "/" + name, runner(db), db}
}

func newSQLite(t *testing.T) engineUnderTest {
	path := filepath.Join(t.TempDir(), "product.db")
	db := connect(t, "sqlite", "file:"+path)
	return engineUnderTest{datamap.KindSQLite, path, runner(db), db}
}

// world is a product database after an erasure that went well: the customer is gone, one invoice is retained with
// its address redacted, one note is kept in the clear, one message is anonymized.
func world(t *testing.T, e engineUnderTest) Input {
	t.Helper()
	e.exec(t,
		"CREATE TABLE customer (id INT PRIMARY KEY, email VARCHAR(100), name VARCHAR(100))",
		"CREATE TABLE invoice (id INT PRIMARY KEY, customer_id INT, billing_mail VARCHAR(100))",
		"CREATE TABLE note (part VARCHAR(40), no INT, body VARCHAR(200), PRIMARY KEY (part, no))",
		"CREATE TABLE message (id INT PRIMARY KEY, sender_id INT, body VARCHAR(200))",
		"CREATE TABLE newsletter (email VARCHAR(100), topic VARCHAR(40))",
		"CREATE TABLE audit_log (id INT PRIMARY KEY, line TEXT)",
		"INSERT INTO customer VALUES (2, 'joann@shop.example', 'Jo'), (3, 'ann@shop.example.org', 'Another')",
		"INSERT INTO invoice VALUES (10, 1, NULL), (11, 2, 'joann@shop.example')",
		"INSERT INTO note VALUES ('a', 1, 'please write to ann@shop.example'), ('a', 2, 'nothing')",
		"INSERT INTO message VALUES (20, 1, '[removed]'), (21, 2, 'hello')",
		"INSERT INTO newsletter VALUES ('joann@shop.example', 'tea')",
		"INSERT INTO audit_log VALUES (1, 'joann@shop.example signed in'), (2, 'mail to ann@shop.example.org')",
	)
	src := `tenant: acme
systems:
  app:
    kind: ` + string(e.kind) + `
    dsn: ${APP_DSN}
    subject: {table: customer, key: id, identifiers: {email: email, user_id: id}}
    tables:
      customer: {category: account, erase: delete}
      invoice: {owner: {table: customer, by: customer_id}, category: billing, erase: retain, row_date: id, redact_now: [billing_mail]}
      note: {owner: {table: customer, by: no}, category: content, erase: {do: keep, why: public record}}
      message: {owner: {table: customer, by: sender_id}, category: content, erase: anonymize}
      newsletter: {match: {email: email}, category: marketing, erase: delete}
      "*": {personal: false, why: the rest}
`
	m, problems := datamap.Parse("datamap.yaml", []byte(src))
	if datamap.Wrong(problems) {
		t.Fatal(problems)
	}
	keys := [][][]string{{{"1"}}, {{"10"}}, {{"10"}}, {{"a", "1"}}, {{"20"}}, {{mail, "coffee"}}}
	return Input{
		System: &m.Systems[0],
		Getenv: func(string) string { return e.dsn },
		Steps: []plan.Step{
			{System: "app", Table: "customer", Action: plan.ActionDelete, Rows: 1},
			{System: "app", Table: "invoice", Action: plan.ActionRetain, Rows: 1, On: statute.NewDate(2030, 1, 1), Ground: "tax"},
			{System: "app", Table: "invoice", Action: plan.ActionRedact, Rows: 1, Columns: []string{"billing_mail"}},
			{System: "app", Table: "note", Action: plan.ActionKeep, Rows: 1, Ground: "public record"},
			{System: "app", Table: "message", Action: plan.ActionAnonymize, Rows: 1},
			{System: "app", Table: "newsletter", Action: plan.ActionDelete, Rows: 1},
		},
		Keys: func(_ context.Context, step, chunk int) ([][]string, error) {
			if chunk > 0 {
				return nil, nil
			}
			return keys[step], nil
		},
		Identifiers: map[string][]string{"email": {mail}, "user_id": {"1"}},
	}
}

func TestNothingIsFoundAfterAGoodErasure(t *testing.T) {
	for name, open := range engines() {
		t.Run(name, func(t *testing.T) {
			report, err := Check(t.Context(), world(t, open(t)))
			if err != nil {
				t.Fatal(err)
			}
			if !report.OK || len(report.Findings) > 0 {
				t.Errorf("findings in a clean database: %+v", report)
			}
			if report.Looked != 6 {
				t.Errorf("%d tables looked through, not 6: %+v", report.Looked, report)
			}
		})
	}
}

// Each case plants one fault; the look must see it, and say nothing else.
func TestPlantedFaultsAreFound(t *testing.T) {
	cases := []struct {
		name, sql string
		want      []Finding
	}{
		{"a row is left over", "INSERT INTO customer VALUES (1, NULL, 'x')",
			[]Finding{{"app", "customer", "", LeftOver, 1}, {"app", "customer", "id", Identifier, 1}}},
		{"a row with the address is left over", "INSERT INTO customer VALUES (9, 'ann@SHOP.example', 'x')",
			[]Finding{{"app", "customer", "email", Identifier, 1}}},
		{"a row without a key is left over", "INSERT INTO newsletter VALUES ('ann@shop.example', 'coffee')",
			[]Finding{{"app", "newsletter", "", LeftOver, 1}, {"app", "newsletter", "email", Identifier, 1}}},
		{"a kept row is gone", "DELETE FROM note WHERE no = 1", []Finding{{"app", "note", "", Missing, 1}}},
		{"a retained row is gone", "DELETE FROM invoice WHERE id = 10", []Finding{{"app", "invoice", "", Missing, 1}}},
		{"a redacted column still holds it", "UPDATE invoice SET billing_mail = 'Ann@Shop.example' WHERE id = 10",
			[]Finding{{"app", "invoice", "billing_mail", Copy, 1}, {"app", "invoice", "billing_mail", NotAnonymized, 1}}},
		{"an anonymized row still holds it", "UPDATE message SET body = 'yours, ann@shop.example' WHERE id = 20",
			[]Finding{{"app", "message", "body", Copy, 1}, {"app", "message", "body", NotAnonymized, 1}}},
		{"a copy in a table that the map does not name", "INSERT INTO audit_log VALUES (3, 'ann@shop.example signed in')",
			[]Finding{{"app", "audit_log", "line", Copy, 1}}},
		{"a copy in another case, at the end of a sentence", "INSERT INTO audit_log VALUES (3, 'Wrote to ANN@Shop.Example.'), (4, '{\"to\":\"<ann@shop.EXAMPLE>\"}')",
			[]Finding{{"app", "audit_log", "line", Copy, 2}}},
		{"more rows in the clear than the plan keeps", "INSERT INTO note VALUES ('a', 3, 'again ann@shop.example')",
			[]Finding{{"app", "note", "body", Copy, 1}}},
	}
	for name, open := range engines() {
		for _, c := range cases {
			t.Run(name+"/"+c.name, func(t *testing.T) {
				e := open(t)
				in := world(t, e)
				e.exec(t, c.sql)
				report, err := Check(t.Context(), in)
				if err != nil {
					t.Fatal(err)
				}
				if report.OK {
					t.Error("the report says that all is well")
				}
				if fmt.Sprint(report.Findings) != fmt.Sprint(c.want) {
					t.Errorf("found %v, planted %v", report.Findings, c.want)
				}
				if strings.Contains(strings.ToLower(fmt.Sprintf("%+v", report)), mail) {
					t.Error("the report holds the address itself")
				}
			})
		}
	}
}

func TestIgnoredSchemasAreToldApart(t *testing.T) {
	e := newPostgres(t)
	in := world(t, e)
	in.System.Schemas = datamap.Schemas{Include: []string{"public"}, Ignore: map[string]string{"backup": "a copy"}}
	e.exec(t, "CREATE SCHEMA backup", "CREATE TABLE backup.customer (id INT, data JSONB, tags TEXT[])",
		`INSERT INTO backup.customer VALUES (1, '{"email": "ann@shop.example"}', ARRAY['x', 'ANN@shop.example'])`)
	report, err := Check(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	want := []Finding{{"app", "backup.customer", "data", Copy, 1}, {"app", "backup.customer", "tags", Copy, 1}}
	if !report.OK || fmt.Sprint(report.Apart) != fmt.Sprint(want) {
		t.Errorf("%+v", report)
	}
}

func TestPartitionsAndStoredViewsAreSearched(t *testing.T) {
	e := newPostgres(t)
	in := world(t, e)
	e.exec(t, "CREATE TABLE event (at DATE, line TEXT) PARTITION BY RANGE (at)",
		"CREATE TABLE event_2026 PARTITION OF event FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
		"INSERT INTO event VALUES ('2026-03-01', 'ann@shop.example')", "CREATE MATERIALIZED VIEW recent AS SELECT * FROM event")
	report, err := Check(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	want := []Finding{{"app", "event", "line", Copy, 1}, {"app", "recent", "line", Copy, 1}}
	if fmt.Sprint(report.Findings) != fmt.Sprint(want) {
		t.Errorf("found %v, planted %v", report.Findings, want)
	}
}

func TestTheBudgetEndsTheSearchAndIsTold(t *testing.T) {
	for name, open := range engines() {
		t.Run(name, func(t *testing.T) {
			in := world(t, open(t))
			in.Budget = Budget{Rows: 3}
			report, err := Check(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			if len(report.NotSearched) == 0 || report.Looked >= 6 {
				t.Errorf("a search that was cut short looks like a whole one: %+v", report)
			}
			in.Budget = Budget{Time: time.Nanosecond}
			report, err = Check(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			if report.Looked != 0 || len(report.NotSearched) < 6 {
				t.Errorf("no time, yet: %+v", report)
			}
		})
	}
}

// TestManyKeys: every recorded key is asked for, whatever its type, in one list or one by one, and no other row counts.
func TestManyKeys(t *testing.T) {
	const rows, left = 2_500, 7
	e := newPostgres(t)
	in := world(t, e)
	id := "('00000000-0000-4000-8000-' || lpad(i::text, 12, '0'))"
	for typ, value := range map[string]string{"int": "i", "smallint": "i", "varchar(40)": "'k' || i", "text": "'k' || i", "uuid": id + "::uuid", "numeric": "i"} {
		for _, key := range []string{"a", "a, b", "b, a"} {
			t.Run(typ+" "+key, func(t *testing.T) {
				e.exec(t, "DROP TABLE IF EXISTS many", "CREATE TABLE many (b text, a "+typ+", PRIMARY KEY ("+key+"))",
					fmt.Sprintf("INSERT INTO many SELECT 'x', %s FROM generate_series(1, %d) i WHERE i <= %d OR i > %d", value, rows+50, left, rows))
				var keys [][]string
				r, err := e.db.QueryContext(t.Context(), fmt.Sprintf("SELECT (%s)::text FROM generate_series(1, %d) i", value, rows))
				if err != nil {
					t.Fatal(err)
				}
				defer r.Close()
				for r.Next() {
					var v string
					if err := r.Scan(&v); err != nil {
						t.Fatal(err)
					}
					keys = append(keys, map[string][]string{"a": {v}, "a, b": {v, "x"}, "b, a": {"x", v}}[key])
				}
				if err := r.Err(); err != nil {
					t.Fatal(err)
				}
				in := in
				in.Steps = []plan.Step{{System: "app", Table: "many", Action: plan.ActionDelete, Rows: rows}}
				in.Identifiers = nil
				in.Keys = func(_ context.Context, _, chunk int) ([][]string, error) {
					if chunk*900 >= rows {
						return nil, nil
					}
					return keys[chunk*900 : min(rows, chunk*900+900)], nil
				}
				report, err := Check(t.Context(), in)
				if want := []Finding{{"app", "many", "", LeftOver, left}}; err != nil || fmt.Sprint(report.Findings) != fmt.Sprint(want) {
					t.Errorf("found %v, %v, planted %v", report.Findings, err, want)
				}
			})
		}
	}
}

func TestUnrecordedKeysAreADifference(t *testing.T) {
	in := world(t, newSQLite(t))
	in.Steps[0].Rows = 2
	report, err := Check(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if want := []Finding{{"app", "customer", "", Unrecorded, -1}}; fmt.Sprint(report.Findings) != fmt.Sprint(want) {
		t.Errorf("%+v", report)
	}
}

func TestTheLookWritesNothing(t *testing.T) {
	for name, open := range engines() {
		t.Run(name, func(t *testing.T) {
			in := world(t, open(t))
			db, err := openFor(t, in)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := db.q.ExecContext(t.Context(), "DELETE FROM customer"); err == nil {
				t.Error("the connection can write")
			}
		})
	}
}

func openFor(t *testing.T, in Input) (*database, error) {
	t.Helper()
	db, err := open(t.Context(), in.System, in.Getenv)
	if err == nil {
		t.Cleanup(db.close)
	}
	return db, err
}

func TestErrorsDoNotTellTheAddress(t *testing.T) {
	sys := &datamap.System{Name: "app", Kind: datamap.KindPostgres, DSN: "postgres://app:${PW}@127.0.0.1:1/x?sslmode=disable"}
	_, err := Check(t.Context(), Input{System: sys, Getenv: func(string) string { return "s3cr3t" }})
	if err == nil || strings.Contains(err.Error(), "s3cr3t") {
		t.Errorf("%v", err)
	}
	_, err = Check(t.Context(), Input{System: sys, Getenv: func(string) string { return "" }})
	if err == nil || !strings.Contains(err.Error(), "PW") {
		t.Errorf("%v", err)
	}
}

func TestHolds(t *testing.T) {
	for text, want := range map[string]bool{
		"ann@x.org": true, "joann@x.org": false, "ann@x.org.uk": false, "ann@x.organic": false, "<ann@x.org>": true,
		"ann@x.org.": true, "to ann@x.org, please": true, "jo.ann@x.org": false, "a joann@x.org and ann@x.org": true,
		"ann@x.org-mail": false, "é" + "ann@x.org": false, `"ann@x.org"`: true, "mailto:ann@x.org?x": true, "": false,
	} {
		if holds(text, "ann@x.org") != want {
			t.Errorf("holds(%q) is %v", text, !want)
		}
	}
}
