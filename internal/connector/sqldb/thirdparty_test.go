package sqldb

import (
	"context"
	"crypto/md5" //nolint:gosec // the rule of the expected key sets
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/connector/connectortest"
	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/plan"
	"github.com/habeas-data/habeas/internal/residue"
	"github.com/habeas-data/habeas/internal/statute"
)

// expected is the part of an expect.json that these tests read.
type expected struct {
	Totals   map[string]int64 `json:"table_totals_before"`
	Subjects []struct {
		ID     string
		Key    struct{ Table, Column, Value string }
		Export map[string]struct {
			Rows   int
			MD5    string `json:"keys_md5"`
			KeySQL string `json:"key_sql"`
		}
		Forbidden map[string]struct {
			KeySQL string `json:"key_sql"`
		} `json:"must_not_be_exported"`
		Erase []struct {
			Policy  string
			Fails   bool             `json:"must_fail"`
			After   map[string]int64 `json:"table_totals_after"`
			Residue []struct {
				SQL    string
				Expect any
			}
		}
	}
}

// edition is one third-party database on one engine.
type edition struct {
	folder  string
	fixture func(*testing.T) connectortest.Fixture
	load    func(t *testing.T, f connectortest.Fixture, dir string)
	name    func(string) string // of tables and columns
	sys     func(name func(string) string) *datamap.System
	rules   func(name func(string) string, policy, subject string) *plan.Rules
	sql     bool // the SQL of expect.json is this engine's

	inferred *datamap.System // instead of sys
}

func editions() map[string]edition {
	same := func(s string) string { return s }
	return map[string]edition{
		"chinook on postgres": {"chinook", postgresFixture, psql("chinook_postgres.sql"), same, chinook, chinookRules, true, nil},
		"chinook on mariadb":  {"chinook", mysqlFixture, mariadb("chinook_mysql.sql"), camel, chinook, chinookRules, false, nil},
		"chinook on sqlite":   {"chinook", sqliteFixture, lite("chinook_sqlite.sql"), camel, chinook, chinookRules, false, nil},
		"pagila":              {"pagila", postgresFixture, psql("pagila.sql"), same, pagila, pagilaRules, true, nil},
		"fides":               {"fides_sample", postgresFixture, psql("fides_sample.sql"), same, fides, fidesRules, true, nil},
	}
}

func TestThirdParty(t *testing.T) {
	dir := os.Getenv("TEST_DATABASES")
	if dir == "" {
		t.Log("not run: the third-party databases (set TEST_DATABASES to their folder)")
		return
	}
	for name, e := range editions() {
		t.Run(name, func(t *testing.T) { e.run(t, filepath.Join(dir, e.folder)) })
	}
}

func (e edition) system(f connectortest.Fixture) *datamap.System {
	if e.inferred != nil {
		sys := *e.inferred
		return &sys
	}
	sys := e.sys(e.name)
	sys.Kind = f.Kind
	return sys
}

func (e edition) run(t *testing.T, dir string) {
	raw, err := os.ReadFile(filepath.Join(dir, "expect.json"))
	must(t, err)
	var want expected
	must(t, json.Unmarshal(raw, &want))
	f := e.fixture(t)
	e.load(t, f, dir)
	for i := range want.Subjects {
		if e.inferred != nil && os.Getenv("HABEAS_SOAK") == "" {
			want.Subjects[i].Erase = nil // the long run erases by inferred maps too
		}
		t.Run(want.Subjects[i].ID, func(t *testing.T) { e.subject(t, f, dir, want, i) })
	}
}

func (e edition) subject(t *testing.T, f connectortest.Fixture, dir string, want expected, i int) {
	ctx := context.Background()
	s := want.Subjects[i]
	sys, err := f.Open(e.system(f))
	must(t, err)
	defer func() { _ = sys.Close() }()
	scope := connector.Scope{Subject: s.Key.Table, Identifiers: map[string][]string{"email": {s.Key.Value}}}
	p := connectortest.NewPackage()
	must(t, sys.(connector.Collector).Collect(ctx, scope, p))
	for table, x := range s.Export {
		keys := e.keys(p, table, x.KeySQL)
		if got := keysMD5(keys); got != x.MD5 || len(keys) != x.Rows {
			t.Errorf("%s: %d keys (md5 %s), want %d (%s)", table, len(keys), got, x.Rows, x.MD5)
		}
	}
	for table := range p.Keys {
		if !slices.ContainsFunc(slices.Collect(mapKeys(s.Export)), func(n string) bool { return e.name(n) == table }) {
			t.Errorf("%s was exported", table)
		}
	}
	if e.sql {
		for table, x := range s.Forbidden {
			for _, bad := range firstColumns(t, f.DB, x.KeySQL) {
				if slices.Contains(e.keys(p, table, x.KeySQL), bad) && !strings.Contains(table, ".") {
					t.Errorf("%s %s is somebody else's and was exported", table, bad)
				}
			}
		}
	}
	for _, er := range s.Erase {
		t.Run(er.Policy, func(t *testing.T) {
			fresh := e.fixture(t)
			e.load(t, fresh, dir)
			entry := e.system(fresh)
			sys, err := fresh.Open(entry)
			must(t, err)
			defer func() { _ = sys.Close() }()
			rules := e.rules(e.name, er.Policy, s.Key.Table)
			found, steps, keys, err := connectortest.Prepare(ctx, sys, scope, rules)
			must(t, err)
			if found.Subjects != 1 || len(found.Gaps) > 0 {
				t.Fatalf("subjects %d, gaps %v", found.Subjects, found.Gaps)
			}
			if refused := connectortest.Refused(found, rules); refused != er.Fails {
				t.Errorf("refused %v, want %v: %+v", refused, er.Fails, found.Tables)
			}
			err = sys.(connector.Eraser).Erase(ctx, steps, keys.Source, connectortest.Free, connectortest.Mute)
			if (err != nil) != er.Fails {
				t.Errorf("erasing: %v, must fail %v", err, er.Fails)
			}
			if err == nil {
				noAlarm(t, entry, steps, keys.Source, scope)
			}
			totals := map[string]int64{}
			for table, n := range want.Totals {
				totals[table] = n
			}
			for table, n := range er.After {
				totals[table] = n
			}
			for table, n := range totals {
				if got := countRows(t, fresh, e.name(table)); got != n {
					t.Errorf("%s has %d rows, want %d", table, got, n)
				}
			}
			if !e.sql {
				return
			}
			for _, r := range er.Residue {
				var got string
				must(t, fresh.DB.QueryRow(r.SQL).Scan(&got))
				if got != fmt.Sprint(r.Expect) {
					t.Errorf("%s gives %s, want %v", r.SQL, got, r.Expect)
				}
			}
		})
	}
}

// noAlarm lets the independent check look after an erasure that went well.
func noAlarm(t *testing.T, sys *datamap.System, steps []plan.Step, keys connector.Source, scope connector.Scope) {
	t.Helper()
	report, err := residue.Check(context.Background(), residue.Input{System: sys, Getenv: noEnv, Steps: steps, Identifiers: scope.Identifiers,
		Keys: func(ctx context.Context, step, chunk int) (out [][]string, err error) {
			list, err := keys(ctx, step, chunk)
			for _, k := range list {
				out = append(out, k)
			}
			return out, err
		}})
	must(t, err)
	if !report.OK || report.Looked == 0 {
		t.Errorf("after a good erasure the check finds %+v in %d tables", report.Findings, report.Looked)
	}
}

// keys gives the exported keys in the columns that the expected SQL names.
func (e edition) keys(p *connectortest.Package, table, keySQL string) []string {
	cols := strings.Split(strings.TrimSpace(keySQL[len("select"):strings.Index(keySQL, " from ")]), ",")
	name := e.name(table)
	if len(p.Heads[name].Key) == len(cols) {
		return p.Keys[name]
	}
	var out []string
	for _, row := range p.Rows[name] {
		parts := make([]string, len(cols))
		for i, c := range cols {
			parts[i] = row[e.name(strings.TrimSpace(c))]
		}
		out = append(out, strings.Join(parts, "|"))
	}
	return out
}

func keysMD5(keys []string) string {
	keys = slices.Sorted(slices.Values(keys))
	sum := md5.Sum([]byte(strings.Join(keys, ","))) //nolint:gosec // see above
	return hex.EncodeToString(sum[:])
}

func mapKeys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func firstColumns(t *testing.T, db *sql.DB, query string) []string {
	rows, err := db.Query(query)
	must(t, err)
	defer func() { _ = rows.Close() }()
	var out []string
	for rows.Next() {
		var s string
		must(t, rows.Scan(&s))
		out = append(out, s)
	}
	must(t, rows.Err())
	return out
}

func countRows(t *testing.T, f connectortest.Fixture, table string) (n int64) {
	parts := strings.Split(table, ".")
	for i := range parts {
		parts[i] = f.Quote(parts[i])
	}
	must(t, f.DB.QueryRow("SELECT COUNT(*) FROM "+strings.Join(parts, ".")).Scan(&n))
	return n
}

func camel(s string) string {
	var b strings.Builder
	for _, part := range strings.Split(s, "_") {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}

func databaseOf(t *testing.T, f connectortest.Fixture, query string) string {
	var name string
	must(t, f.DB.QueryRow(query).Scan(&name))
	return name
}

func runClient(t *testing.T, cmd *exec.Cmd, file string) {
	in, err := os.Open(file)
	must(t, err)
	defer func() { _ = in.Close() }()
	cmd.Stdin = in
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out[max(0, len(out)-500):])
	}
}

func psql(file string) func(*testing.T, connectortest.Fixture, string) {
	return func(t *testing.T, f connectortest.Fixture, dir string) {
		admin := env("TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable")
		dsn := strings.Replace(admin, "/postgres?", "/"+databaseOf(t, f, "SELECT current_database()")+"?", 1)
		runClient(t, exec.Command("psql", "-q", "-d", dsn), filepath.Join(dir, file))
	}
}

func mariadb(file string) func(*testing.T, connectortest.Fixture, string) {
	return func(t *testing.T, f connectortest.Fixture, dir string) {
		cfg, err := mysql.ParseDSN(env("TEST_MYSQL", "root@tcp(127.0.0.1:3306)/"))
		must(t, err)
		host, port, _ := strings.Cut(cfg.Addr, ":")
		runClient(t, exec.Command("mariadb", "-h", host, "-P", port, "-u", cfg.User, "--password="+cfg.Passwd, databaseOf(t, f, "SELECT DATABASE()")), filepath.Join(dir, file))
	}
}

func lite(file string) func(*testing.T, connectortest.Fixture, string) {
	return func(t *testing.T, f connectortest.Fixture, dir string) {
		raw, err := os.ReadFile(filepath.Join(dir, file))
		must(t, err)
		_, err = f.DB.Exec(string(raw))
		must(t, err)
	}
}

func personal(name string, owners ...datamap.Relation) datamap.Table {
	return datamap.Table{Name: name, Personal: true, Owners: owners}
}

func subject(table, key string) datamap.Subject {
	return datamap.Subject{Name: table, Table: table, Key: []string{key}, Identifiers: []datamap.Identifier{{Name: "email", Table: table, Column: "email", Match: datamap.MatchDomainCI}}}
}

func by(table string, cols ...string) datamap.Relation {
	return datamap.Relation{Table: table, By: cols}
}

func from(table, col string) datamap.Relation {
	return datamap.Relation{Table: table, From: []string{col}}
}

func catalog(tables []datamap.Table, names ...string) []datamap.Table {
	for _, n := range names {
		tables = append(tables, datamap.Table{Name: n, Why: "catalog"})
	}
	return tables
}

func fixed(v string) datamap.Column {
	return datamap.Column{Anonymize: &datamap.Anonymize{With: datamap.AnonFixed, Value: v}}
}

func kept() datamap.Column {
	return datamap.Column{Anonymize: &datamap.Anonymize{With: datamap.AnonKeep}}
}

func chinook(n func(string) string) *datamap.System {
	sys := &datamap.System{Name: "shop", Kind: datamap.KindSQLite, Subjects: []datamap.Subject{subject(n("customer"), n("customer_id")), subject(n("employee"), n("employee_id"))}}
	for i := range sys.Subjects {
		sys.Subjects[i].Identifiers[0].Column = n("email")
		sys.Subjects[i].Name = strings.ToLower(sys.Subjects[i].Table)
	}
	customer := personal(n("customer"))
	customer.Mentions = []datamap.Relation{by(n("employee"), n("support_rep_id"))}
	customer.Columns = map[string]datamap.Column{n("email"): fixed("erased-{key}@invalid"), n("country"): kept()}
	invoice := personal(n("invoice"), datamap.Relation{Table: n("customer")})
	invoice.RowDate = n("invoice_date")
	invoice.RedactNow = []string{n("billing_address"), n("billing_city"), n("billing_state"), n("billing_postal_code")}
	sys.Tables = []datamap.Table{customer, invoice, personal(n("invoice_line"), datamap.Relation{Table: n("invoice")}), personal(n("employee"))}
	sys.Tables = catalog(sys.Tables, n("album"), n("artist"), n("genre"), n("media_type"), n("playlist"), n("playlist_track"), n("track"))
	return sys
}

func chinookRules(n func(string) string, policy, _ string) *plan.Rules {
	del := plan.TableRule{Do: plan.ActionDelete, Others: "refuse"}
	r := &plan.Rules{Today: statute.NewDate(2026, 6, 1), Tables: map[string]plan.TableRule{
		n("customer"): del, n("invoice"): del, n("invoice_line"): {Do: plan.ActionDelete, Follow: []string{n("invoice")}}, n("employee"): del,
	}}
	switch policy {
	case "keep_billing":
		r.Tables[n("invoice")] = plan.TableRule{Do: plan.ActionRetain, RowDate: n("invoice_date"), Keep: statute.Period{Years: 50}, Ground: "tax law",
			RedactNow: []string{n("billing_address"), n("billing_city"), n("billing_state"), n("billing_postal_code")}}
	case "delete_subject_null_references":
		r.Tables[n("employee")] = plan.TableRule{Do: plan.ActionDelete, Others: "set_null"}
	}
	return r
}

func pagila(func(string) string) *datamap.System {
	sys := &datamap.System{Name: "video", Kind: datamap.KindPostgres, Subjects: []datamap.Subject{subject("customer", "customer_id"), subject("staff", "staff_id")}}
	customer := personal("customer")
	customer.Columns = map[string]datamap.Column{"activebool": fixed("false"), "create_date": kept(), "last_update": kept(), "active": kept()}
	address := personal("address", from("customer", "address_id"), from("staff", "address_id"))
	address.Columns = map[string]datamap.Column{"last_update": kept()}
	handled := []datamap.Relation{{Table: "staff", By: []string{"staff_id"}, OnErase: "keep"}}
	rental := personal("rental", datamap.Relation{Table: "customer"})
	rental.Mentions = handled
	payment := personal("payment", datamap.Relation{Table: "customer"})
	payment.Mentions = handled
	staff := personal("staff")
	staff.Columns = map[string]datamap.Column{"username": fixed("erased-{key}"), "active": fixed("false"), "last_update": kept()}
	sys.Tables = catalog([]datamap.Table{customer, address, rental, payment, staff},
		"actor", "category", "city", "country", "film", "film_actor", "film_category", "inventory", "language", "store")
	return sys
}

func pagilaRules(_ func(string) string, policy, _ string) *plan.Rules {
	del := plan.TableRule{Do: plan.ActionDelete, Others: "refuse"}
	r := &plan.Rules{Today: statute.NewDate(2026, 6, 1), Tables: map[string]plan.TableRule{"customer": del, "address": del, "rental": del, "payment": del, "staff": del}}
	switch policy {
	case "keep_billing":
		keep := plan.TableRule{Do: plan.ActionRetain, Fixed: statute.NewDate(2032, 1, 1), Ground: "tax law", Others: "refuse"}
		r.Tables["payment"], r.Tables["rental"] = keep, keep
	case "delete_own_keep_shared_rental":
		r.Tables["rental"] = plan.TableRule{Do: plan.ActionDelete, Others: "keep"}
	case "anonymise_subject":
		anon := plan.TableRule{Do: plan.ActionAnonymize, Others: "refuse"}
		r.Tables["staff"], r.Tables["address"] = anon, anon
	}
	return r
}

func fides(func(string) string) *datamap.System {
	ref := func(from, col, to string) datamap.Reference {
		return datamap.Reference{FromTable: from, FromColumns: []string{col}, ToTable: to, ToColumns: []string{"id"}}
	}
	email := func(cols ...string) *datamap.Match {
		m := &datamap.Match{}
		for _, c := range cols {
			m.Any = append(m.Any, datamap.MatchAll{Columns: []datamap.MatchColumn{{Column: c, Identifier: "email"}}})
		}
		return m
	}
	sys := &datamap.System{Name: "cookies", Kind: datamap.KindPostgres, Subjects: []datamap.Subject{subject("customer", "id"), subject("employee", "id")},
		Schemas: datamap.Schemas{Include: []string{"public"}, Ignore: map[string]string{"backup_schema": "a copy; equal ids are other people"}},
		References: []datamap.Reference{
			ref("orders", "shipping_address_id", "address"), ref("orders", "payment_card_id", "payment_card"),
			ref("payment_card", "billing_address_id", "address"), ref("customer", "address_id", "address"), ref("employee", "address_id", "address"),
		}}
	address := personal("address", from("customer", "address_id"), from("employee", "address_id"))
	address.AlsoFrom = []datamap.Relation{from("orders", "shipping_address_id"), from("payment_card", "billing_address_id")}
	visit, request, loyalty := personal("visit"), personal("service_request"), personal("loyalty")
	visit.Match, request.Match, loyalty.Match = email("email"), email("email", "alt_email"), &datamap.Match{None: true}
	request.Mentions = []datamap.Relation{{Table: "employee", By: []string{"employee_id"}, OnErase: "keep"}}
	sys.Tables = catalog([]datamap.Table{
		personal("customer"), address, personal("payment_card", by("customer", "customer_id")), personal("orders", by("customer", "customer_id")),
		personal("order_item", by("orders", "order_id")), visit, personal("login", by("customer", "customer_id")), request,
		personal("composite_pk_test", by("customer", "customer_id")), personal("employee"), loyalty,
	}, "product", "report", "type_link_test", "dynamic_email_address_config")
	return sys
}

func fidesRules(_ func(string) string, _, _ string) *plan.Rules {
	del := plan.TableRule{Do: plan.ActionDelete, Others: "refuse"}
	r := &plan.Rules{Today: statute.NewDate(2026, 6, 1), Tables: map[string]plan.TableRule{}}
	for _, t := range fides(nil).Tables {
		if t.Personal {
			r.Tables[t.Name] = del
		}
	}
	r.Tables["address"] = plan.TableRule{Do: plan.ActionDelete, Others: "keep"}
	r.Tables["payment_card"] = plan.TableRule{Do: plan.ActionDelete, Others: "set_null"}
	return r
}
