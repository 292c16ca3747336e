package sqldb

import (
	"context"
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/habeas-data/habeas/internal/connector/connectortest"
	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/plan"
)

// roles is a database with a person, two more roles, and the addresses by which each comes in.
type roles struct {
	connectortest.Fixture
	reader, writer string // names, as GRANT wants them
	read, write    string // DSNs
}

func withRoles(t *testing.T, f connectortest.Fixture, admin string) roles {
	t.Helper()
	r := roles{Fixture: f, reader: "r_" + uniqueName(), writer: "w_" + uniqueName()}
	u, err := url.Parse(admin)
	must(t, err)
	if f.Kind == datamap.KindMySQL {
		r.reader, r.writer = r.reader[:20], r.writer[:20]
		name := databaseOf(t, f, "SELECT DATABASE()")
		for _, role := range []*string{&r.reader, &r.writer} {
			bare := *role
			*role = "'" + bare + "'@'127.0.0.1'"
			execAll(t, f, "CREATE USER "+*role+" IDENTIFIED BY 'p@ss/w:rd%41'", "GRANT SELECT ON "+name+".* TO "+*role)
			t.Cleanup(func() { execAll(t, f, "DROP USER "+*role) })
		}
		form := func(role string) string {
			bare, _, _ := strings.Cut(strings.Trim(role, "'"), "'")
			return "mysql://" + bare + ":${PW}@" + u.Host + "/" + name
		}
		r.read, r.write = form(r.reader), form(r.writer)
		return r
	}
	for _, role := range []string{r.reader, r.writer} {
		execAll(t, f, "CREATE ROLE "+role+" LOGIN PASSWORD 'p@ss/w:rd%41'", "GRANT USAGE ON SCHEMA public TO "+role,
			"ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO "+role)
		t.Cleanup(func() { execAll(t, f, "DROP OWNED BY "+role, "DROP ROLE "+role) })
	}
	form := func(role string) string {
		return "postgres://" + role + ":${PW}@" + u.Host + "/" + databaseOf(t, f, "SELECT current_database()") + "?sslmode=disable"
	}
	r.read, r.write = form(r.reader), form(r.writer)
	return r
}

func (r roles) open(t *testing.T, sys *datamap.System) *DB {
	t.Helper()
	sys.DSN, sys.WriteDSN = r.read, r.write
	db, err := Open(context.Background(), sys, func(string) string { return "p@ss/w:rd%41" })
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func onServers(t *testing.T, run func(*testing.T, roles)) {
	t.Run("postgres", func(t *testing.T) {
		f := postgresFixture(t)
		run(t, withRoles(t, f, env("TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable")))
	})
	t.Run("mysql", func(t *testing.T) { run(t, withRoles(t, mysqlFixture(t), "mysql://127.0.0.1:3306/")) })
}

func personAndNotes(f connectortest.Fixture) *datamap.System {
	person, note, diary := personal("person"), personal("note", by("person", "person_id")), personal("diary", by("person", "person_id"))
	person.Erase.Do, note.Erase.Do, diary.Erase.Do = datamap.EraseDelete, datamap.EraseDelete, datamap.EraseAnonymize
	return &datamap.System{Name: "app", Kind: f.Kind, Subjects: []datamap.Subject{subject("person", "id")}, Tables: []datamap.Table{person, note, diary}}
}

func createPersonAndNotes(t *testing.T, f connectortest.Fixture) {
	execAll(t, f,
		"CREATE TABLE person (id INTEGER PRIMARY KEY, email VARCHAR(60))",
		"CREATE TABLE note (id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES person (id), body VARCHAR(60))",
		"CREATE TABLE diary (id INTEGER PRIMARY KEY, person_id INTEGER, body VARCHAR(60))",
		"CREATE TABLE other (id INTEGER PRIMARY KEY)",
		"INSERT INTO person VALUES (1, 'ann@x.test'), (2, 'bob@x.test')", "INSERT INTO note VALUES (1, 1, 'a'), (2, 2, 'b')",
		"INSERT INTO diary VALUES (1, 1, 'a'), (2, 2, 'b')")
}

func eraseRules() *plan.Rules {
	rules := deleteAll("person", "note")
	rules.Tables["diary"] = plan.TableRule{Do: plan.ActionAnonymize}
	return rules
}

// TestRolesApart: a role that may only read finds, plans and exports; what the other lacks is said before the first
// request, and by the plan.
func TestRolesApart(t *testing.T) {
	onServers(t, func(t *testing.T, r roles) {
		ctx := context.Background()
		createPersonAndNotes(t, r.Fixture)
		db := r.open(t, personAndNotes(r.Fixture))
		missing, err := db.Access(ctx)
		must(t, err)
		var got []string
		for _, f := range missing {
			got = append(got, f.Table+": "+f.Message)
		}
		want := "diary: the writing role lacks UPDATE on diary: its rows can't be changed\n" +
			"note: the writing role lacks DELETE on note: its rows can't be deleted\n" +
			"person: the writing role lacks DELETE on person: its rows can't be deleted"
		if strings.Join(got, "\n") != want {
			t.Fatalf("got\n%s\nwant\n%s", strings.Join(got, "\n"), want)
		}
		if err := db.Ping(ctx); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "lacks UPDATE on diary") {
			t.Errorf("Ping: %v", err)
		}
		found, err := db.Locate(ctx, ann(), eraseRules(), connectortest.Hash)
		must(t, err)
		if len(found.Gaps) != 3 || !connectortest.Refused(found, eraseRules()) {
			t.Errorf("the plan's gaps: %v", found.Gaps)
		}
		execAll(t, r.Fixture, "GRANT DELETE ON person TO "+r.writer, "GRANT DELETE ON note TO "+r.writer, "GRANT UPDATE ON diary TO "+r.writer, "GRANT UPDATE ON person TO "+r.writer)
		must(t, db.Ping(ctx))
		_, steps, keys, err := connectortest.Prepare(ctx, db, ann(), eraseRules())
		must(t, err)
		if _, err := db.pool.ExecContext(ctx, "DELETE FROM note"); err == nil {
			t.Error("the reading role deleted")
		}
		must(t, db.Erase(ctx, steps, keys.Source, connectortest.Free, connectortest.Mute))
		if countRows(t, r.Fixture, "note") != 1 {
			t.Error("not erased")
		}
	})
}

func TestUnreadableTablesAreNamed(t *testing.T) {
	f := postgresFixture(t)
	r := withRoles(t, f, env("TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable"))
	createPersonAndNotes(t, f)
	execAll(t, f, "GRANT DELETE, UPDATE ON person, note, diary TO "+r.writer, "REVOKE SELECT ON note, other FROM "+r.reader)
	db := r.open(t, personAndNotes(f))
	missing, err := db.Access(context.Background())
	must(t, err)
	if len(missing) != 2 || missing[0].Table != "note" || missing[0].Warning || missing[1].Table != "other" || !missing[1].Warning {
		t.Errorf("%+v", missing)
	}
	_, err = db.Locate(context.Background(), ann(), eraseRules(), connectortest.Hash)
	if !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "for the table note") {
		t.Errorf("%v", err)
	}
}

// TestRowLevelSecurity: a role that policies hold back would see too little without a word. It is refused, unless the
// map says by which settings the policies let it see what is the tenant's.
func TestRowLevelSecurity(t *testing.T) {
	ctx := context.Background()
	f := postgresFixture(t)
	r := withRoles(t, f, env("TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable"))
	createPersonAndNotes(t, f)
	execAll(t, f, "GRANT DELETE, UPDATE ON person, note, diary TO "+r.writer, "ALTER TABLE note ENABLE ROW LEVEL SECURITY",
		"CREATE POLICY tenant ON note USING (current_setting('app.tenant', true) = 'acme')")
	db := r.open(t, personAndNotes(f))
	err := db.Ping(ctx)
	if !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "row-level security would show it only a part") {
		t.Errorf("Ping: %v", err)
	}
	if err := db.Collect(ctx, ann(), connectortest.NewPackage()); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "only a part of the table note") {
		t.Errorf("Collect: %v", err)
	}
	sys := personAndNotes(f)
	sys.Session = map[string]string{"app.tenant": "acme"}
	db = r.open(t, sys)
	must(t, db.Ping(ctx))
	p := connectortest.NewPackage()
	must(t, db.Collect(ctx, ann(), p))
	if len(p.Rows["note"]) != 1 {
		t.Errorf("with the setting: %v", p.Rows)
	}
	_, steps, keys, err := connectortest.Prepare(ctx, db, ann(), eraseRules())
	must(t, err)
	must(t, db.Erase(ctx, steps, keys.Source, connectortest.Free, connectortest.Mute))
	if countRows(t, f, "note") != 1 {
		t.Error("not erased under the policy")
	}
}

// TestSettingsOfTheRole: whatever a role's own settings make of values and names, the package holds the same bytes.
func TestSettingsOfTheRole(t *testing.T) {
	ctx := context.Background()
	f := postgresFixture(t)
	r := withRoles(t, f, env("TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable"))
	execAll(t, f, "CREATE TYPE mood AS ENUM ('so \\ so', 'it''s')",
		"CREATE TABLE person (id INTEGER PRIMARY KEY, email VARCHAR(60), at TIMESTAMPTZ, d DATE, i INTERVAL, b BYTEA, f DOUBLE PRECISION, m MONEY, e mood, r TSRANGE)",
		`INSERT INTO person VALUES (1, 'ann@x.test', '2026-07-01 12:00+02', '2026-02-03', '1 mon 2 days 03:04:05', '\x00ff5c', 0.1::float8 + 0.2, '1234.5', 'so \ so', '[2026-01-02,2026-03-04)')`)
	sys := &datamap.System{Name: "app", Kind: f.Kind, Subjects: []datamap.Subject{subject("person", "id")}, Tables: []datamap.Table{personal("person")}}
	collect := func() string {
		p := connectortest.NewPackage()
		must(t, r.open(t, sys).Collect(ctx, ann(), p))
		if len(p.Rows["person"]) != 1 {
			t.Fatalf("rows: %v", p.Rows)
		}
		var b strings.Builder
		for _, c := range p.Heads["person"].Columns {
			b.WriteString(c.Name + " " + c.Type + " " + p.Rows["person"][0][c.Name] + "\n")
		}
		return b.String()
	}
	before := collect()
	execAll(t, f, "CREATE SCHEMA evil", "GRANT USAGE ON SCHEMA evil TO PUBLIC",
		"CREATE FUNCTION evil.no(varchar, text) RETURNS bool LANGUAGE sql AS 'SELECT false'",
		"CREATE OPERATOR evil.= (LEFTARG = varchar, RIGHTARG = text, FUNCTION = evil.no)",
		"CREATE FUNCTION evil.lower(text) RETURNS text LANGUAGE sql AS $$SELECT 'x'$$")
	for _, s := range []string{"TimeZone = 'America/New_York'", "DateStyle = 'German, DMY'", "IntervalStyle = 'sql_standard'", "bytea_output = 'escape'",
		"extra_float_digits = '-5'", "standard_conforming_strings = off", "search_path = evil, pg_catalog, public", "quote_all_identifiers = on", "client_encoding = 'LATIN1'"} {
		execAll(t, f, "ALTER ROLE "+r.reader+" SET "+s, "ALTER ROLE "+r.writer+" SET "+s)
	}
	if after := collect(); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
	sys.Tables[0].Erase.Do = datamap.EraseDelete
	execAll(t, f, "GRANT DELETE ON person TO "+r.writer)
	err := r.open(t, sys).Ping(ctx)
	if !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "evil before pg_catalog") {
		t.Errorf("a schema before pg_catalog: %v", err)
	}
	execAll(t, f, "ALTER ROLE "+r.writer+" SET search_path = public, evil")
	err = r.open(t, sys).Ping(ctx)
	if !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "an operator = of its own") {
		t.Errorf("an operator of the schema's own: %v", err)
	}
}

// TestSearchPathOfTriggers: the product's triggers run by the path of the writing role, for which they were written.
func TestSearchPathOfTriggers(t *testing.T) {
	ctx := context.Background()
	f := postgresFixture(t)
	r := withRoles(t, f, env("TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable"))
	createPersonAndNotes(t, f)
	execAll(t, f, "GRANT DELETE, UPDATE ON person, note, diary TO "+r.writer,
		"CREATE TABLE gone (n INTEGER)", "GRANT INSERT ON gone TO "+r.writer,
		"CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO gone VALUES (1); RETURN OLD; END'",
		"CREATE TRIGGER tell BEFORE DELETE ON note FOR EACH ROW EXECUTE FUNCTION tell()")
	db := r.open(t, personAndNotes(f))
	_, steps, keys, err := connectortest.Prepare(ctx, db, ann(), eraseRules())
	must(t, err)
	must(t, db.Erase(ctx, steps, keys.Source, connectortest.Free, connectortest.Mute))
	if countRows(t, f, "gone") != 1 {
		t.Error("the trigger did not run")
	}
}

func TestSettingsOfASession(t *testing.T) {
	db, err := mysqlFixture(t).Open(&datamap.System{Name: "app", Kind: datamap.KindMySQL})
	must(t, err)
	defer func() { _ = db.Close() }()
	for name, want := range map[string]string{"sql_mode": "STRICT_ALL_TABLES", "sql_select_limit": "18446744073709551615", "foreign_key_checks": "1",
		"time_zone": "+00:00", "max_statement_time": "1800", "character_set_client": "utf8mb4", "character_set_results": "utf8mb4"} {
		for _, pool := range []*sql.DB{db.(*DB).pool, db.(*DB).writes} {
			var got string
			must(t, pool.QueryRow("SELECT @@session."+name).Scan(&got))
			if got != want {
				t.Errorf("%s is %s, want %s", name, got, want)
			}
		}
	}
}

// TestConnectionTroubleInOneSentence: each names the system and what is wrong, tells what another try may mend from what
// only a person does, and quotes nothing.
func TestConnectionTroubleInOneSentence(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text.db")
	must(t, os.WriteFile(text, []byte(strings.Repeat("no database at all. ", 100)), 0o600))
	for _, c := range []struct {
		kind datamap.Kind
		dsn  string
		want fault.Kind
		says string
	}{
		{datamap.KindPostgres, "postgres://u:hunter2@127.0.0.1:1/x?sslmode=disable", fault.Unavailable, "refused the connection: nothing listens there"},
		{datamap.KindPostgres, "postgres://u:hunter2@nowhere.invalid/x?sslmode=require", fault.Unavailable, "its host has no address"},
		{datamap.KindPostgres, "postgres://nobody_here:hunter2@127.0.0.1/postgres?sslmode=disable", fault.Conflict, "does not let this user in"},
		{datamap.KindPostgres, "postgres://postgres:hunter2@127.0.0.1/none_such?sslmode=disable", fault.Conflict, "does not exist on that server"},
		{datamap.KindMySQL, "mysql://root:hunter2@127.0.0.1:1/x", fault.Unavailable, "nothing listens there"},
		{datamap.KindMySQL, "mysql://nobody_here:hunter2@127.0.0.1/x", fault.Conflict, "refuses the user or the password"},
		{datamap.KindMySQL, "mysql://root@127.0.0.1/none_such", fault.Conflict, "does not exist on that server"},
		{datamap.KindMySQL, "mysql://root@127.0.0.1/mysql?tls=true", fault.Conflict, "does not offer TLS"},
		{datamap.KindSQLite, "/nowhere/hunter2.db", fault.Conflict, "can't be opened"},
		{datamap.KindSQLite, text, fault.Conflict, "no SQLite database"},
	} {
		db, err := Open(context.Background(), &datamap.System{Name: "shop", Kind: c.kind, DSN: c.dsn}, noEnv)
		must(t, err)
		err = db.Ping(context.Background())
		_ = db.Close()
		f, ok := fault.As(err)
		if !ok || f.Kind != c.want || !strings.Contains(f.Message, c.says) || !strings.Contains(f.Message, "shop") {
			t.Errorf("%s: got %v, want %q", c.dsn, err, c.says)
			continue
		}
		for _, secret := range []string{"hunter2", "nobody_here", "127.0.0.1", "nowhere"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%s: the error quotes %s: %v", c.dsn, secret, err)
			}
		}
	}
}

func TestSecretsStandAsTheyAre(t *testing.T) {
	odd := `a@b:c/d?e#f%41 g&h=i[é]"'\`
	get := func(string) string { return odd }
	for _, form := range []string{"postgres://u:${PW}@h/x", "mysql://u:${PW}@h:3306/x?tls=true", "postgres://u:${PW}@h/x?options=-cwork_mem%3D1@2"} {
		got, err := expandDSN("s", form, get)
		must(t, err)
		u, err := url.Parse(got)
		must(t, err)
		if pw, _ := u.User.Password(); pw != odd || u.Hostname() != "h" {
			t.Errorf("%s: password %q, host %q", form, pw, u.Hostname())
		}
	}
	got, err := expandDSN("s", "postgres://h/${DB}?password=${PW}&user=u", get)
	must(t, err)
	u, err := url.Parse(got)
	must(t, err)
	if u.Path != "/"+odd || u.Query().Get("password") != odd || u.Query().Get("user") != "u" {
		t.Errorf("%s", got)
	}
	if got, _ := expandDSN("s", "${DIR}/x.db", get); got != odd+"/x.db" {
		t.Errorf("a path: %s", got)
	}
}
