package sqldb

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/connector/connectortest"
	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/fault"
)

// notes is a person with notes, of which some engines copy or take along more by triggers.
func notes(t *testing.T, f connectortest.Fixture, more ...string) connector.System {
	execAll(t, f, append([]string{
		"CREATE TABLE person (id INTEGER PRIMARY KEY, email VARCHAR(60))",
		"CREATE TABLE note (id INTEGER PRIMARY KEY, person_id INTEGER, FOREIGN KEY (person_id) REFERENCES person (id))",
		"CREATE TABLE other (id INTEGER PRIMARY KEY)",
		"INSERT INTO person VALUES (1, 'ann@x.test'), (2, 'bob@x.test')", "INSERT INTO note VALUES (1, 1), (2, 1), (3, 2)", "INSERT INTO other VALUES (1), (2)",
	}, more...)...)
	s, err := f.Open(&datamap.System{Name: "notes", Kind: f.Kind, Subjects: []datamap.Subject{subject("person", "id")},
		Limits: datamap.Limits{LockTime: 50 * time.Millisecond},
		Tables: []datamap.Table{personal("person"), personal("note", datamap.Relation{Table: "person"})}})
	must(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// TestTriggerElsewhere: rows outside the plan that a trigger deletes stop the erasure, and nothing of it is done.
func TestTriggerElsewhere(t *testing.T) {
	triggers := map[datamap.Kind][]string{
		datamap.KindPostgres: {"CREATE FUNCTION more() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM other WHERE id = OLD.id; RETURN OLD; END'",
			"CREATE TRIGGER more AFTER DELETE ON note FOR EACH ROW EXECUTE FUNCTION more()"},
		datamap.KindMySQL:  {"CREATE TRIGGER more AFTER DELETE ON note FOR EACH ROW DELETE FROM other WHERE id = OLD.id"},
		datamap.KindSQLite: {"CREATE TRIGGER more AFTER DELETE ON note BEGIN DELETE FROM other WHERE id = OLD.id; END"},
	}
	onAllEngines(t, func(t *testing.T, f connectortest.Fixture) {
		ctx := context.Background()
		s := notes(t, f, triggers[f.Kind]...)
		_, steps, keys, err := connectortest.Prepare(ctx, s, ann(), deleteAll("person", "note"))
		must(t, err)
		err = s.(connector.Eraser).Erase(ctx, steps, keys.Source, connectortest.Free, connectortest.Mute)
		if !errors.Is(err, connector.ErrChanged) || !strings.Contains(err.Error(), "trigger") {
			t.Errorf("got %v", err)
		}
		if countRows(t, f, "other") != 2 || countRows(t, f, "note") != 3 {
			t.Error("something of it was done")
		}
	})
}

// TestLockedRows: rows that the product holds are waited for shortly and again, and not for ever.
func TestLockedRows(t *testing.T) {
	for name, fixture := range map[string]func(*testing.T) connectortest.Fixture{"postgres": postgresFixture, "mysql": mysqlFixture} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			f := fixture(t)
			s := notes(t, f)
			_, steps, keys, err := connectortest.Prepare(ctx, s, ann(), deleteAll("person", "note"))
			must(t, err)
			hold := func() (release func()) {
				tx, err := f.DB.Begin()
				must(t, err)
				_, err = tx.Exec("SELECT id FROM note WHERE id = 2 FOR UPDATE")
				must(t, err)
				return func() { _ = tx.Rollback() }
			}
			if os.Getenv("HABEAS_SOAK") != "" { // it takes the patience of all tries
				release := hold()
				err = s.(connector.Eraser).Erase(ctx, steps, keys.Source, connectortest.Free, connectortest.Mute)
				if !fault.Is(err, fault.Unavailable) || countRows(t, f, "note") != 3 {
					t.Errorf("got %v and %d notes", err, countRows(t, f, "note"))
				}
				release()
			}
			release := hold()
			time.AfterFunc(300*time.Millisecond, release)
			must(t, s.(connector.Eraser).Erase(ctx, steps, keys.Source, connectortest.Free, connectortest.Mute))
			if n := countRows(t, f, "note"); n != 1 {
				t.Errorf("%d notes", n)
			}
		})
	}
}

// TestPace: batches shrink at once when they take long, double at first and then grow slowly, and stay where half of the time is used.
func TestPace(t *testing.T) {
	p := newPace(100 * time.Millisecond)
	perRow := 20 * time.Microsecond
	for range 200 {
		p.took(p.size, time.Duration(p.size)*perRow)
	}
	if p.size < 2000 || p.size > 2600 {
		t.Errorf("at 20 us a row a batch has %d rows, want about 2500", p.size)
	}
	p.took(p.size, 90*time.Millisecond)
	if p.size > 1300 {
		t.Errorf("after a long batch the next has %d rows", p.size)
	}
	for range 200 {
		p.took(p.size, time.Duration(p.size)*60*time.Millisecond)
	}
	if p.size > 2 {
		t.Errorf("at 60 ms a row a batch has %d rows", p.size)
	}
	p = newPace(100 * time.Millisecond)
	for range 5 {
		p.took(p.size, time.Millisecond)
	}
	if p.size != 32*firstBatch {
		t.Errorf("after five quick batches the next has %d rows, want twice as many each time", p.size)
	}
	if p.begin(); p.size != firstBatch {
		t.Errorf("another step begins with %d rows, want %d", p.size, firstBatch)
	}
	p.took(p.size, 30*time.Millisecond)
	if was := p.size; was > 2*firstBatch {
		t.Errorf("after a batch of 30 ms the next has %d rows, more than half of the time allows", was)
	}
}
