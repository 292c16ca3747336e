package sqldb

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/connector/connectortest"
	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/plan"
	"github.com/habeas-data/habeas/internal/statute"
)

func onAllEngines(t *testing.T, run func(*testing.T, connectortest.Fixture)) {
	for name, fixture := range map[string]func(*testing.T) connectortest.Fixture{"postgres": postgresFixture, "mysql": mysqlFixture, "sqlite": sqliteFixture} {
		t.Run(name, func(t *testing.T) { run(t, fixture(t)) })
	}
}

func execAll(t *testing.T, f connectortest.Fixture, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := f.DB.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// shapes: an identifier in a table of its own, a polymorphic owner, a table without any key, a composite owner key,
// a key that is not the primary one, a rule that hashes and generalizes.
func shapes(t *testing.T, f connectortest.Fixture) connector.System {
	execAll(t, f,
		"CREATE TABLE person (org INTEGER NOT NULL, no INTEGER NOT NULL, code VARCHAR(10) NOT NULL UNIQUE, born DATE NOT NULL, phone VARCHAR(20) NOT NULL, PRIMARY KEY (org, no))",
		"CREATE TABLE mail (id INTEGER PRIMARY KEY, address VARCHAR(60), org INTEGER, no INTEGER)",
		"CREATE TABLE file (id INTEGER PRIMARY KEY, owner_type VARCHAR(10), owner_code VARCHAR(10))",
		"CREATE TABLE trail (org INTEGER, no INTEGER, what VARCHAR(20))",
		"INSERT INTO person VALUES (1, 1, 'a', '1980-05-05', '0301234'), (1, 2, 'b', '1981-05-05', '0305678'), (2, 1, 'c', '1982-05-05', '0309999')",
		"INSERT INTO mail VALUES (1, 'ann@x.test', 1, 1), (2, 'ann@work.test', 1, 1), (3, 'bob@x.test', 1, 2), (4, 'cy@x.test', 2, 1)",
		"INSERT INTO file VALUES (1, 'Person', 'a'), (2, 'Robot', 'a'), (3, 'Person', 'b')",
		"INSERT INTO trail VALUES (1, 1, 'in'), (1, 1, 'in'), (1, 1, NULL), (1, 2, 'in'), (2, 1, NULL)",
	)
	person := personal("person")
	anon := func(with datamap.Anonymizer) datamap.Column {
		return datamap.Column{Anonymize: &datamap.Anonymize{With: with}}
	}
	person.Columns = map[string]datamap.Column{"born": anon(datamap.AnonGeneralize), "phone": anon(datamap.AnonHash), "code": fixed("x{key}")}
	file := personal("file", datamap.Relation{Table: "person", By: []string{"owner_code"}, To: []string{"code"}, When: map[string]string{"owner_type": "Person"}})
	sys := &datamap.System{Name: "shapes", Kind: f.Kind,
		Subjects: []datamap.Subject{{Name: "person", Table: "person", Key: []string{"org", "no"}, Identifiers: []datamap.Identifier{
			{Name: "email", Table: "mail", Column: "address", By: []string{"org", "no"}, Match: datamap.MatchDomainCI}}}},
		Tables: []datamap.Table{person, personal("mail", by("person", "org", "no")), file, personal("trail", by("person", "org", "no"))}}
	s, err := f.Open(sys)
	must(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func ann() connector.Scope {
	return connector.Scope{Identifiers: map[string][]string{"email": {"ann@X.test"}}}
}

func deleteAll(tables ...string) *plan.Rules {
	r := &plan.Rules{Today: statute.NewDate(2026, 6, 1), Tables: map[string]plan.TableRule{}}
	for _, t := range tables {
		r.Tables[t] = plan.TableRule{Do: plan.ActionDelete, Others: "refuse"}
	}
	return r
}

func TestShapes(t *testing.T) {
	onAllEngines(t, func(t *testing.T, f connectortest.Fixture) {
		ctx := context.Background()
		s := shapes(t, f)
		p := connectortest.NewPackage()
		must(t, s.(connector.Collector).Collect(ctx, ann(), p))
		for table, want := range map[string][]string{"person": {"1|1"}, "mail": {"1", "2"}, "file": {"1"}} {
			if !slices.Equal(p.Keys[table], want) {
				t.Errorf("%s: %v, want %v", table, p.Keys[table], want)
			}
		}
		if len(p.Rows["trail"]) != 3 {
			t.Errorf("trail: %v, want the three rows, two of them alike", p.Rows["trail"])
		}
		contact, err := s.(connector.Resolver).Contact(ctx, ann(), "email")
		if err != nil || !slices.Equal(contact, []string{"ann@work.test", "ann@x.test"}) {
			t.Errorf("contact %v, %v", contact, err)
		}
		rules := deleteAll("mail", "file", "trail")
		rules.Tables["person"] = plan.TableRule{Do: plan.ActionAnonymize}
		found, steps, keys, err := connectortest.Prepare(ctx, s, ann(), rules)
		must(t, err)
		if len(found.Gaps) != 0 {
			t.Errorf("gaps %v", found.Gaps)
		}
		must(t, s.(connector.Eraser).Erase(ctx, steps, keys.Source, connectortest.Free, connectortest.Mute))
		for table, want := range map[string]int64{"person": 3, "mail": 2, "file": 2, "trail": 2} {
			if n := countRows(t, f, table); n != want {
				t.Errorf("%s has %d rows, want %d", table, n, want)
			}
		}
		var code, born, phone string
		must(t, f.DB.QueryRow("SELECT code, CAST(born AS CHAR(10)), phone FROM person WHERE org = 1 AND no = 1").Scan(&code, &born, &phone))
		if code != "x1-1" || !strings.HasPrefix(born, "1980-01-01") || len(phone) != 20 || strings.Contains(phone, "1234") {
			t.Errorf("anonymized to %s, %s, %s", code, born, phone)
		}
		must(t, f.DB.QueryRow("SELECT code FROM person WHERE org = 1 AND no = 2").Scan(&code))
		if code != "b" {
			t.Errorf("another person's code is %s", code)
		}
	})
}

// TestCascade: rows of other people that the database would take along by itself are seen before the first delete.
func TestCascade(t *testing.T) {
	onAllEngines(t, func(t *testing.T, f connectortest.Fixture) {
		execAll(t, f,
			"CREATE TABLE person (id INTEGER PRIMARY KEY, email VARCHAR(60))",
			"CREATE TABLE gift (id INTEGER PRIMARY KEY, giver INTEGER NOT NULL, taker INTEGER NOT NULL, FOREIGN KEY (giver) REFERENCES person (id) ON DELETE CASCADE, FOREIGN KEY (taker) REFERENCES person (id))",
			"INSERT INTO person VALUES (1, 'ann@x.test'), (2, 'bob@x.test')", "INSERT INTO gift VALUES (1, 1, 2), (2, 2, 2)")
		sys := &datamap.System{Name: "gifts", Kind: f.Kind, Subjects: []datamap.Subject{subject("person", "id")},
			Tables: []datamap.Table{personal("person"), personal("gift", by("person", "taker"))}}
		s, err := f.Open(sys)
		must(t, err)
		defer func() { _ = s.Close() }()
		rules := deleteAll("person", "gift")
		found, err := s.(connector.Locator).Locate(context.Background(), ann(), rules, connectortest.Hash)
		must(t, err)
		if !connectortest.Refused(found, rules) {
			t.Errorf("bob's gift would go by cascade and nothing said so: %+v", found)
		}
	})
}

// TestRing: a key that may not be empty keeps what it points at; one that may is cleared.
func TestUndatedRowsStay(t *testing.T) {
	onAllEngines(t, func(t *testing.T, f connectortest.Fixture) {
		execAll(t, f,
			"CREATE TABLE person (id INTEGER PRIMARY KEY, email VARCHAR(60))",
			"CREATE TABLE bill (id INTEGER PRIMARY KEY, person_id INTEGER NOT NULL, paid DATE, FOREIGN KEY (person_id) REFERENCES person (id))",
			"INSERT INTO person VALUES (1, 'ann@x.test')", "INSERT INTO bill VALUES (1, 1, NULL), (2, 1, '2000-01-01'), (3, 1, '2025-01-01')")
		bill := personal("bill", datamap.Relation{Table: "person"})
		bill.RowDate = "paid"
		s, err := f.Open(&datamap.System{Name: "bills", Kind: f.Kind, Subjects: []datamap.Subject{subject("person", "id")}, Tables: []datamap.Table{personal("person"), bill}})
		must(t, err)
		defer func() { _ = s.Close() }()
		rules := deleteAll("person")
		rules.Tables["bill"] = plan.TableRule{Do: plan.ActionRetain, RowDate: "paid", Keep: statute.Period{Years: 5}, Ground: "tax law"}
		found, err := s.(connector.Locator).Locate(context.Background(), ann(), rules, connectortest.Hash)
		must(t, err)
		got := map[string]int64{}
		for _, g := range found.Tables[0].Groups {
			got[string(g.Fate.Action)+" "+g.Fate.Until.String()] = g.Rows
		}
		if got["delete "] != 1 || got["retain "] != 1 || got["retain 2030-01-01"] != 1 {
			t.Errorf("bills: %v", got)
		}
		if g := found.Tables[1].Groups; len(g) != 1 || g[0].Fate.Action != plan.ActionAnonymize {
			t.Errorf("the person: %+v", g)
		}
	})
}

func TestTriggerInBetween(t *testing.T) {
	f := sqliteFixture(t)
	ctx := context.Background()
	execAll(t, f, "CREATE TABLE person (id INTEGER PRIMARY KEY, email VARCHAR(60))", "INSERT INTO person VALUES (1, 'ann@x.test')",
		"CREATE TRIGGER stay BEFORE DELETE ON person BEGIN SELECT RAISE(IGNORE); END")
	s, err := f.Open(&datamap.System{Name: "t", Kind: f.Kind, Subjects: []datamap.Subject{subject("person", "id")}, Tables: []datamap.Table{personal("person")}})
	must(t, err)
	defer func() { _ = s.Close() }()
	_, steps, keys, err := connectortest.Prepare(ctx, s, ann(), deleteAll("person"))
	must(t, err)
	if err := s.(connector.Eraser).Erase(ctx, steps, keys.Source, connectortest.Free, connectortest.Mute); !fault.Is(err, fault.Conflict) {
		t.Errorf("a row that does not go gives %v", err)
	}
}

// A row that goes with its owner may have several forms of owner: each one that leads to the person decides.
func TestWithSeveralOwners(t *testing.T) {
	onAllEngines(t, func(t *testing.T, f connectortest.Fixture) {
		ctx := context.Background()
		execAll(t, f,
			"CREATE TABLE person (id INTEGER PRIMARY KEY, email VARCHAR(40) NOT NULL)",
			"CREATE TABLE project (id INTEGER PRIMARY KEY, person_id INTEGER NOT NULL)",
			"CREATE TABLE note (id INTEGER PRIMARY KEY, owner_type VARCHAR(10) NOT NULL, owner_id INTEGER NOT NULL)",
			"INSERT INTO person VALUES (1, 'ann@x.test'), (2, 'bob@x.test')",
			"INSERT INTO project VALUES (10, 1), (2, 1), (20, 2), (1, 2)",
			"INSERT INTO note VALUES (1, 'Person', 1), (2, 'Project', 10), (3, 'Project', 2), (4, 'Person', 2), (5, 'Project', 20), (6, 'Project', 1)",
		)
		note := personal("note",
			datamap.Relation{Table: "person", By: []string{"owner_id"}, When: map[string]string{"owner_type": "Person"}},
			datamap.Relation{Table: "project", By: []string{"owner_id"}, When: map[string]string{"owner_type": "Project"}})
		s, err := f.Open(&datamap.System{Name: "several", Kind: f.Kind,
			Subjects: []datamap.Subject{subject("person", "id")},
			Tables:   []datamap.Table{personal("person"), personal("project", by("person", "person_id")), note}})
		must(t, err)
		defer func() { _ = s.Close() }()
		rules := deleteAll("person", "project", "note")
		rules.Tables["note"] = plan.TableRule{Do: plan.ActionDelete, Follow: []string{"person", "project"}}
		_, steps, keys, err := connectortest.Prepare(ctx, s, ann(), rules)
		must(t, err)
		must(t, s.(connector.Eraser).Erase(ctx, steps, keys.Source, connectortest.Free, connectortest.Mute))
		var left []string
		rows, err := f.DB.Query("SELECT id FROM note ORDER BY id")
		must(t, err)
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var id string
			must(t, rows.Scan(&id))
			left = append(left, id)
		}
		must(t, rows.Err())
		if !slices.Equal(left, []string{"4", "5", "6"}) {
			t.Errorf("notes %v are left, want those of the other person", left)
		}
	})
}

// A row that became somebody else's after its key was recorded is not deleted.
func TestRowsThatChangeHands(t *testing.T) {
	onAllEngines(t, func(t *testing.T, f connectortest.Fixture) {
		ctx := context.Background()
		execAll(t, f,
			"CREATE TABLE person (id INTEGER PRIMARY KEY, email VARCHAR(40) NOT NULL)",
			"CREATE TABLE event (id INTEGER PRIMARY KEY, person_id INTEGER NOT NULL)",
			"INSERT INTO person VALUES (1, 'ann@x.test'), (2, 'bob@x.test')",
			"INSERT INTO event VALUES (1, 1), (2, 1), (3, 2)",
		)
		s, err := f.Open(&datamap.System{Name: "hands", Kind: f.Kind, Subjects: []datamap.Subject{subject("person", "id")},
			Tables: []datamap.Table{personal("person"), personal("event", by("person", "person_id"))}})
		must(t, err)
		defer func() { _ = s.Close() }()
		_, steps, keys, err := connectortest.Prepare(ctx, s, ann(), deleteAll("person", "event"))
		must(t, err)
		execAll(t, f, "UPDATE event SET person_id = 2 WHERE id = 2")
		err = s.(connector.Eraser).Erase(ctx, steps, keys.Source, connectortest.Free, connectortest.Mute)
		if !errors.Is(err, connector.ErrChanged) {
			t.Errorf("the erasure of a row that is another person's by now: %v, want that the data changed", err)
		}
		if n := countRows(t, f, "event"); n != 3 {
			t.Errorf("%d events are left, want all three: what is not as approved is not begun", n)
		}
	})
}
