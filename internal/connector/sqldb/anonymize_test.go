package sqldb

import (
	"context"
	"database/sql"
	"strings"
	"testing"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/connector/connectortest"
	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/plan"
)

// TestFakes: a fake has the shape of what it stands for, fits the column, is nobody's and differs from all others.
func TestFakes(t *testing.T) {
	onAllEngines(t, func(t *testing.T, f connectortest.Fixture) {
		ctx := context.Background()
		execAll(t, f, "CREATE TABLE person (id INTEGER PRIMARY KEY, email VARCHAR(60) NOT NULL UNIQUE, code VARCHAR(1) NOT NULL, pin VARCHAR(4) NOT NULL UNIQUE, age INTEGER NOT NULL, CHECK (age < 200))",
			"INSERT INTO person VALUES (1, 'ann@x.test', '1', '1234', 47), (2, 'bob@x.test', 'a', '1111', 30)")
		// All digits but 7 are somebody's.
		for i, c := range "012345689" {
			execAll(t, f, "INSERT INTO person VALUES ("+itoa(10+i)+", 'p"+itoa(i)+"@x.test', '"+string(c)+"', '000"+itoa(i)+"', 20)")
		}
		person := personal("person")
		with := func(w datamap.Anonymizer) datamap.Column {
			return datamap.Column{Anonymize: &datamap.Anonymize{With: w}}
		}
		person.Columns = map[string]datamap.Column{"email": with(datamap.AnonFake), "code": with(datamap.AnonFake), "pin": with(datamap.AnonFake), "age": with(datamap.AnonGeneralize)}
		s, err := f.Open(&datamap.System{Name: "s", Kind: f.Kind, Subjects: []datamap.Subject{subject("person", "id")}, Tables: []datamap.Table{person}})
		must(t, err)
		defer func() { _ = s.Close() }()
		rules := deleteAll()
		rules.Tables["person"] = plan.TableRule{Do: plan.ActionAnonymize}
		_, steps, keys, err := connectortest.Prepare(ctx, s, ann(), rules)
		must(t, err)
		err = s.(connector.Eraser).Erase(ctx, steps, keys.Source, connectortest.Free, connectortest.Mute)
		must(t, err)
		var email, code, pin string
		var age int
		must(t, f.DB.QueryRow("SELECT email, code, pin, age FROM person WHERE id = 1").Scan(&email, &code, &pin, &age))
		if !strings.HasSuffix(email, "@example.invalid") || strings.Contains(email, "ann") || code != "7" || len(pin) != 4 || age != 40 {
			t.Errorf("became %s, %s, %s, %d", email, code, pin, age)
		}
	})
}

func TestFakeAddress(t *testing.T) {
	mac := []byte("0123456789abcdef0123456789abcdef")
	for _, length := range []int{0, 60, 26, 25, 24, 10} {
		got := fake("Ann.Lee+shop@mail.example.test", mac, length)
		if length > 0 && len(got) > length || strings.Contains(got, "Ann") || strings.Contains(got, "@") && !strings.HasSuffix(got, "@example.invalid") {
			t.Errorf("of %d characters: %s", length, got)
		}
	}
}

// TestRulesOfTheDatabase: a rule that stands against a value is met before the first change, and the column is named.
func TestRulesOfTheDatabase(t *testing.T) {
	cases := map[string][]string{
		"a check":            {"CREATE TABLE person (id INTEGER PRIMARY KEY, email VARCHAR(60), grade VARCHAR(20) NOT NULL, CHECK (grade IN ('low', 'high')))"},
		"a foreign key":      {"CREATE TABLE kind (name VARCHAR(20) PRIMARY KEY)", "INSERT INTO kind VALUES ('low')", "CREATE TABLE person (id INTEGER PRIMARY KEY, email VARCHAR(60), grade VARCHAR(20) NOT NULL, FOREIGN KEY (grade) REFERENCES kind (name))"},
		"a composite unique": {"CREATE TABLE person (id INTEGER PRIMARY KEY, email VARCHAR(60), place INTEGER DEFAULT 1, grade VARCHAR(20) NOT NULL, UNIQUE (place, grade))", "INSERT INTO person (id, email, grade) VALUES (3, 'x', 'gone')"},
		"a partial unique":   {"CREATE TABLE person (id INTEGER PRIMARY KEY, email VARCHAR(60), grade VARCHAR(20) NOT NULL)", "CREATE UNIQUE INDEX one_gone ON person (grade) WHERE grade = 'gone'", "INSERT INTO person VALUES (3, 'x', 'gone')"},
	}
	for name, ddl := range cases {
		t.Run(name, func(t *testing.T) {
			onAllEngines(t, func(t *testing.T, f connectortest.Fixture) {
				if name == "a partial unique" && f.Kind == datamap.KindMySQL {
					return // the engine has none
				}
				ctx := context.Background()
				execAll(t, f, ddl...)
				execAll(t, f, "CREATE TABLE note (id INTEGER PRIMARY KEY, person_id INTEGER)", "INSERT INTO note VALUES (1, 1)",
					"INSERT INTO person (id, email, grade) VALUES (1, 'ann@x.test', 'low')")
				person := personal("person")
				person.Columns = map[string]datamap.Column{"grade": fixed("gone")}
				if name != "a check" && name != "a foreign key" {
					person.Columns["grade"] = datamap.Column{Anonymize: &datamap.Anonymize{With: datamap.AnonGeneralize}}
					execAll(t, f, "UPDATE person SET grade = 'go' WHERE id = 3")
					execAll(t, f, "UPDATE person SET grade = 'gone' WHERE id = 1")
					if name == "a partial unique" {
						execAll(t, f, "DROP INDEX one_gone", "CREATE UNIQUE INDEX one_go ON person (grade) WHERE grade = 'go'")
					}
				}
				if name == "a composite unique" {
					person.Columns["place"] = datamap.Column{Anonymize: &datamap.Anonymize{With: datamap.AnonKeep}}
				}
				s, err := f.Open(&datamap.System{Name: "s", Kind: f.Kind, Subjects: []datamap.Subject{subject("person", "id")},
					Tables: []datamap.Table{person, personal("note", by("person", "person_id"))}})
				must(t, err)
				defer func() { _ = s.Close() }()
				rules := deleteAll("note")
				rules.Tables["person"] = plan.TableRule{Do: plan.ActionAnonymize}
				_, steps, keys, err := connectortest.Prepare(ctx, s, ann(), rules)
				must(t, err)
				steps[0].Rows += oneTransaction // a transaction a batch: what is done stays done
				err = s.(connector.Eraser).Erase(ctx, steps, keys.Source, connectortest.Free, connectortest.Mute)
				if f.Kind == datamap.KindSQLite && name == "a foreign key" {
					return // it checks at the commit, which a rehearsal does not reach
				}
				if !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "grade of person") {
					t.Errorf("got %v, want the column named", err)
				}
				if n := countRows(t, f, "note"); n != 1 {
					t.Error("something was deleted before")
				}
				var email sql.NullString
				must(t, f.DB.QueryRow("SELECT email FROM person WHERE id = 1").Scan(&email))
				if email.String != "ann@x.test" {
					t.Error("something was changed before")
				}
			})
		})
	}
}
