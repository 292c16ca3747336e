package sqldb

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/connector/connectortest"
	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/plan"
)

// TestSharing: what stays is counted in people, made coarse alike; a note is its owner's, not a person of its own.
func TestSharing(t *testing.T) {
	onAllEngines(t, func(t *testing.T, f connectortest.Fixture) {
		ctx := context.Background()
		execAll(t, f,
			"CREATE TABLE person (id INTEGER PRIMARY KEY, email VARCHAR(60), born DATE, zip VARCHAR(10), size INTEGER, sex VARCHAR(1))",
			"CREATE TABLE note (id INTEGER PRIMARY KEY, person_id INTEGER, body VARCHAR(20), kind VARCHAR(5), FOREIGN KEY (person_id) REFERENCES person (id))",
			"INSERT INTO person VALUES (1, 'ann@x.test', '1980-05-05', '80331', 171, 'f'), (2, 'b@x.test', '1980-09-09', '80999', 179, 'f'), "+
				"(3, 'c@x.test', '1980-02-02', '80001', 170, 'f'), (4, 'd@x.test', '1980-02-02', '80001', 180, 'f'), (5, 'e@x.test', '1981-05-05', '80331', 171, 'f'), "+
				"(6, 'g@x.test', '1980-05-05', '81331', 171, 'f'), (7, 'h@x.test', '1980-01-01', '80', 170, 'f'), (8, 'i@x.test', '1980-05-05', '80331', 171, 'm'), (9, 'j@x.test', NULL, '80331', 171, 'f')",
			"INSERT INTO note VALUES (1, 1, 'a', 'x'), (2, 1, 'b', 'y'), (3, 2, 'c', 'x'), (4, 2, 'c', 'x'), (5, 3, 'c', 'x')")
		with := func(w datamap.Anonymizer, v string) datamap.Column {
			return datamap.Column{Anonymize: &datamap.Anonymize{With: w, Value: v}}
		}
		person, note := personal("person"), personal("note", datamap.Relation{Table: "person"})
		person.Columns = map[string]datamap.Column{"born": with(datamap.AnonGeneralize, ""), "zip": with(datamap.AnonGeneralize, ""), "size": with(datamap.AnonGeneralize, "10"), "sex": with(datamap.AnonKeep, "")}
		note.Columns = map[string]datamap.Column{"kind": with(datamap.AnonKeep, "")}
		s, err := f.Open(&datamap.System{Name: "s", Kind: f.Kind, Subjects: []datamap.Subject{subject("person", "id")}, Tables: []datamap.Table{person, note}})
		must(t, err)
		defer func() { _ = s.Close() }()
		rules := deleteAll()
		rules.Tables["person"], rules.Tables["note"] = plan.TableRule{Do: plan.ActionAnonymize}, plan.TableRule{Do: plan.ActionAnonymize}
		_, steps, keys, err := connectortest.Prepare(ctx, s, ann(), rules)
		must(t, err)
		must(t, s.(connector.Eraser).Erase(ctx, steps, keys.Source, connectortest.Free, connectortest.Mute))
		got, err := s.(connector.Sharer).Sharing(ctx, steps, keys.Source)
		must(t, err)
		if len(got) != 2 {
			t.Fatalf("measured %+v", got)
		}
		for _, sh := range got {
			switch sh.Table {
			case "person": // 1, 2, 3 and 7 were born in 1980, live in 80, measure 170 to 179; 7 is stored so, as 1 is now
				if sh.Rows != 1 || sh.K != 4 || sh.Stored != 2 || sh.Alone != 0 || len(sh.Columns) != 4 {
					t.Errorf("person: %+v", sh)
				}
			case "note": // x: 1, 2 and 3; y: 1 alone
				if sh.Rows != 2 || sh.K != 1 || sh.Alone != 1 || strings.Join(sh.Columns, " ") != "kind" {
					t.Errorf("note: %+v", sh)
				}
			}
		}
	})
}

// TestTraces: what outlives the delete is said from the server's own settings.
func TestTraces(t *testing.T) {
	onAllEngines(t, func(t *testing.T, f connectortest.Fixture) {
		execAll(t, f, "CREATE TABLE person (id INTEGER PRIMARY KEY, email VARCHAR(60))")
		s, err := f.Open(&datamap.System{Name: "shop", Kind: f.Kind, Subjects: []datamap.Subject{subject("person", "id")}, Tables: []datamap.Table{personal("person")}})
		must(t, err)
		defer func() { _ = s.Close() }()
		traces, err := s.(connector.Tracer).Traces(context.Background())
		must(t, err)
		said := map[string]string{}
		for _, tr := range traces {
			said[tr.Where] = tr.Text
			if tr.System != "shop" || strings.Contains(tr.Text, "unknown") {
				t.Errorf("%+v", tr)
			}
		}
		// What is not named is the default.
		//exhaustive:ignore
		switch f.Kind {
		case datamap.KindPostgres:
			want := databaseOf(t, f, "SHOW max_wal_size")
			if !strings.Contains(said["log"], want) || !strings.Contains(said["dead_rows"], "vacuum") {
				t.Errorf("%v lacks %s", said, want)
			}
		case datamap.KindMySQL:
			if said["undo"] == "" || said["log"] == "" || said["dead_rows"] == "" {
				t.Errorf("%v", said)
			}
		default:
			if !strings.Contains(said["dead_rows"], "overwritten") || !strings.Contains(said["dead_rows"], "cut to nothing") {
				t.Errorf("%v", said)
			}
		}
		if said["backups"] == "" {
			t.Error("nothing is said of backups")
		}
	})
}

// TestSQLiteFilesForget: after an erasure no file of the database holds what was in the rows.
func TestSQLiteFilesForget(t *testing.T) {
	ctx := context.Background()
	f := sqliteFixture(t)
	execAll(t, f, "CREATE TABLE person (id INTEGER PRIMARY KEY, email VARCHAR(60), name TEXT)", "CREATE INDEX person_name ON person (name)",
		"CREATE TABLE note (id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES person (id), body TEXT)",
		"INSERT INTO person VALUES (1, 'ann@x.test', 'Persephone Unforgotten'), (2, 'bob@x.test', 'Bob')",
		"INSERT INTO note VALUES (1, 1, 'a secret of persephone'), (2, 1, '"+strings.Repeat("long secret ", 3000)+"'), (3, 2, 'of bob')")
	var file string
	must(t, f.DB.QueryRow("SELECT file FROM pragma_database_list WHERE name = 'main'").Scan(&file))
	holds := func() (out []string) {
		files, err := filepath.Glob(filepath.Join(filepath.Dir(file), "*"))
		must(t, err)
		for _, name := range files {
			data, err := os.ReadFile(name)
			must(t, err)
			for _, secret := range []string{"Persephone", "persephone", "long secret", "ann@x.test"} {
				if bytes.Contains(data, []byte(secret)) {
					out = append(out, filepath.Ext(name)+" "+secret)
				}
			}
		}
		return out
	}
	if len(holds()) < 4 {
		t.Fatalf("before, the files hold %v", holds())
	}
	s, err := f.Open(&datamap.System{Name: "s", Kind: f.Kind, Subjects: []datamap.Subject{subject("person", "id")},
		Tables: []datamap.Table{personal("person"), personal("note", datamap.Relation{Table: "person"})}})
	must(t, err)
	defer func() { _ = s.Close() }()
	rules := deleteAll("note")
	rules.Tables["person"] = plan.TableRule{Do: plan.ActionAnonymize}
	_, steps, keys, err := connectortest.Prepare(ctx, s, ann(), rules)
	must(t, err)
	must(t, s.(connector.Eraser).Erase(ctx, steps, keys.Source, connectortest.Free, connectortest.Mute))
	if left := holds(); len(left) != 0 {
		t.Errorf("after, the files hold %v", left)
	}
}
