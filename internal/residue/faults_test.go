package residue

import (
	"context"
	"database/sql"
	"encoding/base64"
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/plan"
	"github.com/habeas-data/habeas/internal/statute"
)

const (
	phone   = "+49 30 12345678"
	account = "40917263518"
	userID  = "6f1c2a9e-3b7d-4c55-9a1e-0d2f8b64c7aa"
)

// product is a shop after an erasure that went well, with bystanders that come as near as they can: longer and shorter
// addresses, a number with the same digits elsewhere, the company's own address everywhere.
func product(t *testing.T, e engineUnderTest) Input {
	t.Helper()
	blob, doc := map[datamap.Kind]string{datamap.KindPostgres: "BYTEA", datamap.KindMySQL: "LONGBLOB", datamap.KindSQLite: "BLOB"}[e.kind],
		map[datamap.Kind]string{datamap.KindPostgres: "JSONB", datamap.KindMySQL: "JSON", datamap.KindSQLite: "JSON"}[e.kind]
	e.exec(t,
		"CREATE TABLE person (id VARCHAR(36) PRIMARY KEY, email VARCHAR(100), phone VARCHAR(40), account BIGINT, name VARCHAR(100), deleted_at VARCHAR(20))",
		"CREATE TABLE invoice (id INT PRIMARY KEY, person_id VARCHAR(36), billing_mail VARCHAR(100), paid VARCHAR(10))",
		"CREATE TABLE message (id INT PRIMARY KEY, sender VARCHAR(36), reader VARCHAR(36), body VARCHAR(400))",
		"CREATE TABLE line (invoice_id INT, no INT, what VARCHAR(60), PRIMARY KEY (invoice_id, no))",
		"CREATE TABLE letter (email VARCHAR(100), topic VARCHAR(40))",
		"CREATE TABLE audit_log (id INT PRIMARY KEY, line VARCHAR(400), who VARCHAR(36), phone_no BIGINT, account_no BIGINT, amount BIGINT)",
		"CREATE TABLE event (id INT PRIMARY KEY, doc "+doc+", raw "+blob+")",
		"INSERT INTO person VALUES ('0f1c2a9e-3b7d-4c55-9a1e-0d2f8b64c7aa', 'joann@shop.example', '+49 30 12345679', 40917263519, 'Jo', NULL), ('1f', 'jo-ann@shop.example', NULL, 1, 'x', NULL),"+
			" ('2f', 'ann@shop.example.org', NULL, 2, 'y', NULL), ('3f', 'ann+1@shop.example', NULL, 3, 'z', NULL), ('4f', 'ann@shop-example', NULL, 4, 'z', NULL)",
		"INSERT INTO invoice VALUES (10, '"+userID+"', NULL, '2024-01-01'), (11, '1f', 'joann@shop.example', '2024-01-01')",
		"INSERT INTO line VALUES (10, 1, 'tea'), (11, 1, 'tea')",
		"INSERT INTO message VALUES (20, NULL, '1f', '[removed]'), (21, '1f', '2f', 'write to the shop: info@shop.example or joann@shop.example')",
		"INSERT INTO letter VALUES ('joann@shop.example', 'tea'), ('annex@shop.example', 'tea')",
		"INSERT INTO audit_log VALUES (1, 'joann@shop.example called from 030 12345679, info@shop.example answered', '0f1c2a9e-3b7d-4c55-9a1e-0d2f8b64c7aa', 493012345679, 40917263519, 40917263518),"+
			" (2, 'order 1"+account+"0, track 9930123456780001', '1f', 1, 2, 3012345678), (3, 'am9hbm5Ac2hvcC5leGFtcGxl', NULL, NULL, NULL, NULL), (4, 'to=joann%40shop.example&x=jo.ann%40shop.example', NULL, NULL, NULL, NULL)",
		"INSERT INTO event VALUES (1, '{\"to\": [\"joann@shop.example\"], \"n\": 3012345670}', NULL)",
	)
	src := `tenant: acme
systems:
  app:
    kind: ` + string(e.kind) + `
    dsn: ${APP_DSN}
    subject: {table: person, key: id, identifiers: {email: email, user_id: id, phone: phone, account: account}}
    tables:
      person: {category: account, erase: delete}
      invoice: {owner: {table: person, by: person_id}, category: billing, erase: retain, row_date: paid, redact_now: [billing_mail]}
      line: {owner: {table: invoice, by: invoice_id}, category: billing, erase: with_owner}
      message: {owner: {table: person, by: sender}, also_about: [{table: person, by: reader}], category: content, erase: anonymize}
      letter: {match: {email: email}, category: marketing, erase: delete}
      "*": {personal: false, why: the rest}
`
	m, problems := datamap.Parse("datamap.yaml", []byte(src))
	if datamap.Wrong(problems) {
		t.Fatal(problems)
	}
	keys := [][][]string{{{userID}}, {{"10"}}, {{"10"}}, {{"10", "1"}}, {{"20"}}, {{mail, "coffee"}}}
	return Input{
		System: &m.Systems[0], Getenv: func(string) string { return e.dsn },
		Steps: []plan.Step{
			{System: "app", Table: "person", Action: plan.ActionDelete, Rows: 1},
			{System: "app", Table: "invoice", Action: plan.ActionRetain, Rows: 1, On: statute.NewDate(2030, 1, 1), Ground: "tax"},
			{System: "app", Table: "invoice", Action: plan.ActionRedact, Rows: 1, Columns: []string{"billing_mail"}},
			{System: "app", Table: "line", Action: plan.ActionRetain, Rows: 1, On: statute.NewDate(2030, 1, 1), Ground: "tax"},
			{System: "app", Table: "message", Action: plan.ActionAnonymize, Rows: 1},
			{System: "app", Table: "letter", Action: plan.ActionDelete, Rows: 1},
		},
		Keys: func(_ context.Context, step, chunk int) ([][]string, error) {
			if chunk > 0 {
				return nil, nil
			}
			return keys[step], nil
		},
		Identifiers: map[string][]string{"email": {mail}, "user_id": {userID}, "phone": {phone}, "account": {account}},
	}
}

// seeded is a fault of an eraser, or of a product that keeps copies: what is left afterwards, and where it must be seen.
type seeded struct {
	name, sql, at string
	only          []datamap.Kind // none: on all
}

func seededFaults() []seeded {
	log := func(n int, text string) string {
		return fmt.Sprintf("INSERT INTO audit_log (id, line) VALUES (%d, '%s')", n, text)
	}
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	pg, my, lite := []datamap.Kind{datamap.KindPostgres}, []datamap.Kind{datamap.KindMySQL}, []datamap.Kind{datamap.KindSQLite}
	return []seeded{
		{"the subject's row is skipped", "INSERT INTO person VALUES ('" + userID + "', 'ann@shop.example', NULL, NULL, 'Ann', NULL)", "person", nil},
		{"a soft delete only", "INSERT INTO person VALUES ('" + userID + "', NULL, NULL, NULL, NULL, '2026-01-01')", "person", nil},
		{"a row under another key", "INSERT INTO person VALUES ('99', 'ann@shop.example', NULL, NULL, 'Ann', NULL)", "person.email", nil},
		{"the domain in another case", "INSERT INTO person VALUES ('99', 'ann@SHOP.Example', NULL, NULL, 'Ann', NULL)", "person.email", nil},
		{"found by telephone alone", "INSERT INTO person VALUES ('99', NULL, '" + phone + "', NULL, 'Ann', NULL)", "person.phone", nil},
		{"found by account alone", "INSERT INTO person VALUES ('99', NULL, NULL, " + account + ", 'Ann', NULL)", "person.account", nil},
		{"a table without a key is skipped", "INSERT INTO letter VALUES ('ann@shop.example', 'coffee')", "letter", nil},
		{"a second row of the matched table", "INSERT INTO letter VALUES ('ann@shop.example', 'tea')", "letter.email", nil},
		{"a retained row was deleted", "DELETE FROM invoice WHERE id = 10", "invoice", nil},
		{"the retained row's line was deleted", "DELETE FROM line WHERE invoice_id = 10", "line", nil},
		{"the wrong key: another's row went, ours is left", "UPDATE person SET id = '" + userID + "' WHERE id = '1f'", "person", nil},
		{"the redaction is forgotten", "UPDATE invoice SET billing_mail = 'ann@shop.example' WHERE id = 10", "invoice.billing_mail", nil},
		{"the redaction keeps another case", "UPDATE invoice SET billing_mail = 'Ann@Shop.Example' WHERE id = 10", "invoice.billing_mail", nil},
		{"an anonymized row keeps the address", "UPDATE message SET body = 'ann@shop.example' WHERE id = 20", "message.body", nil},
		{"an anonymized row keeps the telephone", "UPDATE message SET body = 'call +49 30 12345678' WHERE id = 20", "message.body", nil},
		{"an anonymized row is gone", "DELETE FROM message WHERE id = 20", "message", nil},
		{"the second path: a message to her", "INSERT INTO message VALUES (30, '1f', '" + userID + "', 'dear ann@shop.example')", "message.body", nil},
		{"a copy in an unmapped table", log(9, "ann@shop.example signed in"), "audit_log.line", nil},
		{"in another case", log(9, "ANN@SHOP.EXAMPLE"), "audit_log.line", nil},
		{"in the address of a page", log(9, "/unsubscribe?email=ann@shop.example&x=1"), "audit_log.line", nil},
		{"percent-encoded", log(9, "/unsubscribe?email%3Dann%40shop.example"), "audit_log.line", nil},
		{"escaped as HTML", log(9, "<a>ann&#64;shop.example</a>"), "audit_log.line", nil},
		{"in base64", log(9, b64("user=ann@shop.example;")), "audit_log.line", nil},
		{"in base64, shifted", log(9, "token "+b64("xy ann@shop.example")+" end"), "audit_log.line", nil},
		{"the telephone, national", log(9, "call 030 / 123 456 78 back"), "audit_log.line", nil},
		{"the telephone, international", log(9, "0049-30-12345678"), "audit_log.line", nil},
		{"the telephone as a number", "INSERT INTO audit_log (id, phone_no) VALUES (9, 493012345678)", "audit_log.phone_no", nil},
		{"the account as a number", "INSERT INTO audit_log (id, account_no) VALUES (9, " + account + ")", "audit_log.account_no", nil},
		{"the account in a text", log(9, "account "+account+" closed"), "audit_log.line", nil},
		{"her id in a text", log(9, "user "+userID+" signed in"), "audit_log.line", nil},
		{"her id in capitals without dashes", log(9, strings.ToUpper(strings.ReplaceAll(userID, "-", ""))), "audit_log.line", nil},
		{"her id in a column", "INSERT INTO audit_log (id, who) VALUES (9, '" + userID + "')", "audit_log.who", nil},
		{"nested JSON", `INSERT INTO event VALUES (9, '{"a": {"b": [{"to": "Ann@shop.example"}]}}', NULL)`, "event.doc", nil},
		{"a key of JSON", `INSERT INTO event VALUES (9, '{"seen": {"ann@shop.example": true}}', NULL)`, "event.doc", nil},
		{"a table made meanwhile", "CREATE TABLE backup_person AS SELECT 7 AS n, 'ann@shop.example' AS email", "backup_person.email", nil},

		{"binary", `INSERT INTO event VALUES (9, NULL, '\x00ff616e6e4073686f702e6578616d706c650001')`, "event.raw", pg},
		{"an array", "CREATE TABLE tags (l TEXT[])" + ";;INSERT INTO tags VALUES (ARRAY['x', 'ann@shop.example'])", "tags.l", pg},
		{"a materialized view that was not refreshed", "CREATE TABLE base (m TEXT);;INSERT INTO base VALUES ('ann@shop.example');;CREATE MATERIALIZED VIEW seen AS SELECT m FROM base;;DELETE FROM base", "seen.m", pg},
		{"a partition that was missed", "CREATE TABLE part (d DATE, m TEXT) PARTITION BY RANGE (d);;CREATE TABLE part_old PARTITION OF part DEFAULT;;INSERT INTO part_old VALUES ('2020-01-01', 'ann@shop.example')", "part.m", pg},
		{"a history made by a trigger", "CREATE TABLE history (was TEXT);;CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO history VALUES (OLD::text); RETURN OLD; END';;" +
			"CREATE TRIGGER keep BEFORE DELETE ON letter FOR EACH ROW EXECUTE FUNCTION keep();;INSERT INTO letter VALUES ('ann@shop.example', 'x');;DELETE FROM letter WHERE topic = 'x'", "history.was", pg},
		{"XML", "CREATE TABLE x (d XML);;INSERT INTO x VALUES ('<to>ann@shop.example</to>')", "x.d", pg},
		{"a large object", "SELECT lo_from_bytea(0, 'from ann@shop.example')", "pg_largeobject.data", pg},
		{"a UUID column", "CREATE TABLE u (seen UUID);;INSERT INTO u VALUES ('" + userID + "')", "u.seen", pg},
		{"another schema", "CREATE SCHEMA crm;;CREATE TABLE crm.lead (m TEXT);;INSERT INTO crm.lead VALUES ('ann@shop.example')", "crm.lead.m", pg},
		{"a domain over text", "CREATE DOMAIN mail AS TEXT;;CREATE TABLE dm (m mail);;INSERT INTO dm VALUES ('ann@shop.example')", "dm.m", pg},

		{"binary", "INSERT INTO event VALUES (9, NULL, x'00ff616e6e4073686f702e6578616d706c650001')", "event.raw", append(my, lite...)},
		{"a history made by a trigger", "CREATE TABLE history (was TEXT);;CREATE TRIGGER keep BEFORE DELETE ON letter FOR EACH ROW INSERT INTO history VALUES (OLD.email);;" +
			"INSERT INTO letter VALUES ('ann@shop.example', 'x');;DELETE FROM letter WHERE topic = 'x'", "history.was", my},
		{"a system-versioned table", "CREATE TABLE sv (m VARCHAR(60)) WITH SYSTEM VERSIONING;;INSERT INTO sv VALUES ('ann@shop.example');;DELETE FROM sv", "sv.m", my},
		{"a partition that was missed", "CREATE TABLE part (d INT, m VARCHAR(60)) PARTITION BY HASH (d) PARTITIONS 4;;INSERT INTO part VALUES (7, 'ann@shop.example')", "part.m", my},
		{"a latin1 column", "CREATE TABLE l1 (m VARCHAR(60) CHARACTER SET latin1);;INSERT INTO l1 VALUES ('café ann@shop.example')", "l1.m", my},
		{"another engine", "CREATE TABLE ar (m VARCHAR(60)) ENGINE = Aria;;INSERT INTO ar VALUES ('ann@shop.example')", "ar.m", my},

		{"a full-text table", "CREATE VIRTUAL TABLE ft USING fts5(body);;INSERT INTO ft VALUES ('from ann@shop.example')", "ft.body", lite},
		{"the index of a full-text table", "CREATE VIRTUAL TABLE ft USING fts5(body, content='');;INSERT INTO ft (rowid, body) VALUES (1, 'from ann@shop.example')", "ft", lite},
		{"the index of another's content", "CREATE TABLE src (id INTEGER PRIMARY KEY, body TEXT);;CREATE VIRTUAL TABLE ft USING fts5(body, content='src', content_rowid='id');;" +
			"INSERT INTO src VALUES (1, 'from ann@shop.example');;INSERT INTO ft (ft) VALUES ('rebuild');;DELETE FROM src", "ft", lite},
		{"a history made by a trigger", "CREATE TABLE history (was TEXT);;CREATE TRIGGER keep BEFORE DELETE ON letter BEGIN INSERT INTO history VALUES (OLD.email); END;;" +
			"INSERT INTO letter VALUES ('ann@shop.example', 'x');;DELETE FROM letter WHERE topic = 'x'", "history.was", lite},
		{"a table without rowid", "CREATE TABLE wr (m TEXT PRIMARY KEY) WITHOUT ROWID;;INSERT INTO wr VALUES ('ann@shop.example')", "wr.m", lite},
		{"a strict table", "CREATE TABLE st (m ANY) STRICT;;INSERT INTO st VALUES ('ann@shop.example')", "st.m", lite},
		{"a text in a column of numbers", "CREATE TABLE nn (n NUMERIC);;INSERT INTO nn VALUES ('ann@shop.example')", "nn.n", lite},
	}
}

// TestSeededFaults plants each fault of an eraser in a clean product; each must be reported, where it is.
func TestSeededFaults(t *testing.T) {
	for name, open := range engines() {
		t.Run(name, func(t *testing.T) {
			seen, tried, planted := 0, 0, 0
			e := open(t)
			for i, f := range seededFaults() {
				if len(f.only) > 0 && !slices.Contains(f.only, e.kind) {
					continue
				}
				planted++
				if os.Getenv("HABEAS_SOAK") == "" && i%5 != int(e.kind[0])%5 {
					continue
				}
				tried++
				wipe(t, e)
				in := product(t, e)
				for s := range strings.SplitSeq(f.sql, ";;") {
					e.exec(t, s)
				}
				report, err := Check(t.Context(), in)
				if err != nil {
					t.Errorf("%s: %v", f.name, err)
					continue
				}
				if !slices.ContainsFunc(report.Findings, func(x Finding) bool {
					return f.at == "" || x.Table == f.at || x.Table+"."+x.Column == f.at
				}) {
					t.Errorf("%s: not seen at %s: %+v, not searched %+v", f.name, f.at, report.Findings, report.NotSearched)
					continue
				}
				seen++
				told := strings.ToLower(fmt.Sprintf("%+v", report))
				for _, v := range []string{mail, userID, account, "12345678"} {
					if strings.Contains(told, v) {
						t.Errorf("%s: the report tells a value", f.name)
					}
				}
			}
			t.Logf("%d faults, %d planted, %d reported", planted, tried, seen)
			if planted < 40 {
				t.Errorf("there are %d faults for this engine, not 40", planted)
			}
		})
	}
}

func TestBystandersRaiseNoAlarm(t *testing.T) {
	for name, open := range engines() {
		t.Run(name, func(t *testing.T) {
			report, err := Check(t.Context(), product(t, open(t)))
			if err != nil {
				t.Fatal(err)
			}
			if !report.OK {
				t.Errorf("a clean database raises %+v", report.Findings)
			}
		})
	}
}

// TestOtherDatabasesOfTheServer: a database that the map speaks of is searched; one that it does not is told.
func TestOtherDatabasesOfTheServer(t *testing.T) {
	e, other := newMySQL(t), newMySQL(t)
	in := product(t, e)
	u, err := url.Parse(other.dsn)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(u.Path, "/")
	other.exec(t, "CREATE TABLE lead (m VARCHAR(60))", "INSERT INTO lead VALUES ('ann@shop.example')")
	report, err := Check(t.Context(), in)
	if err != nil || !report.OK || !slices.ContainsFunc(report.NotSearched, func(s Skipped) bool { return s.Table == name }) {
		t.Errorf("not spoken of: %+v, %v", report, err)
	}
	in.System.Schemas.Include = []string{name}
	report, err = Check(t.Context(), in)
	if err != nil || fmt.Sprint(report.Findings) != fmt.Sprint([]Finding{{"app", name + ".lead", "m", Copy, 1}}) {
		t.Errorf("included: %+v, %v", report.Findings, err)
	}
}

// TestHeldBackByPolicies: a table that row-level security would show in part is told as not searched.
func TestHeldBackByPolicies(t *testing.T) {
	e := newPostgres(t)
	in := product(t, e)
	role := freshName()
	e.exec(t, "CREATE ROLE "+role+" LOGIN", "GRANT SELECT ON ALL TABLES IN SCHEMA public TO "+role, "ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY")
	t.Cleanup(func() { exec(t, e, "DROP OWNED BY "+role, "DROP ROLE "+role) })
	u, err := url.Parse(e.dsn)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.User(role)
	in.Getenv = func(string) string { return u.String() }
	report, err := Check(t.Context(), in)
	if err != nil || !slices.ContainsFunc(report.NotSearched, func(s Skipped) bool { return s.Table == "audit_log" }) {
		t.Errorf("%+v, %v", report, err)
	}
}

func exec(t *testing.T, e engineUnderTest, statements ...string) {
	db, err := sql.Open("pgx", e.dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, s := range statements {
		if _, err := db.ExecContext(context.WithoutCancel(t.Context()), s); err != nil {
			t.Error(err)
		}
	}
}

func TestWhatIsWanted(t *testing.T) {
	w := wanted{numbers: map[string][]string{}}
	for name, v := range map[string]string{"email": "Ann@x.org", "phone": phone, "user_id": userID, "account": account} {
		if !w.add(name, v, []string{bareName(name)}) {
			t.Errorf("%s is not looked for", name)
		}
	}
	for name, v := range map[string]string{"user_id": "17", "name": "elizabeth", "phone": "110", "email": "@x.org"} {
		if (&wanted{numbers: map[string][]string{}}).add(name, v, nil) {
			t.Errorf("%s %s would be found by chance", name, v)
		}
	}
	for text, want := range map[string]bool{
		`{"a":"x\nann@x.org"}`: true, `ann\u0040x.org`: true, "a=ann@x.org": true, "ann=40x.org": true, "https://h/ann@x.org/": true, "jo%2Bann%40x.org": false,
		"email%3dann%40x.org": true, "joann%40x.org": false, "jo_ann@x.org": false, "'ann@x.org'": true, "(030) 123-45678": true,
		"9930123456780001": false, "301234567": false, "4917263518": false, "x40917263518": false, "no 40917263518.": true, "": false,
		base64.URLEncoding.EncodeToString([]byte(`{"sub":"ann@x.org"}`)): true, base64.StdEncoding.EncodeToString([]byte("joann@x.org")): false,
	} {
		if got := w.in(field{text: true}, text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
	if forms := slices.Collect(maps.Keys(w.numbers)); len(forms) != 1 {
		t.Errorf("%v", forms)
	}
}

// wipe empties a database.
func wipe(t *testing.T, e engineUnderTest) {
	t.Helper()
	if e.kind == datamap.KindPostgres {
		e.exec(t, "SELECT lo_unlink(oid) FROM pg_largeobject_metadata", "DROP SCHEMA IF EXISTS crm CASCADE", "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
		return
	}
	list := "SELECT concat('DROP TABLE `', table_name, '`') FROM information_schema.tables WHERE table_schema = database()"
	if e.kind == datamap.KindSQLite { // a virtual table takes its shadows along
		list = `SELECT 'DROP TABLE "' || name || '"' FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'ft\_%' ESCAPE '\' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'`
	}
	e.each(t, list)
}

// each runs the statements that a query gives.
func (e engineUnderTest) each(t *testing.T, query string) {
	t.Helper()
	rows, err := e.db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	var statements []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		statements = append(statements, s)
	}
	_ = rows.Close()
	e.exec(t, statements...)
}
