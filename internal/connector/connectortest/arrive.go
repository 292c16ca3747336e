package connectortest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/plan"
	"github.com/habeas-data/habeas/internal/statute"
)

// reference is a way in which pages may refer to documents.
type reference struct{ name, constraint string }

func references() []reference {
	return []reference{
		{"declared", "FOREIGN KEY (doc_id) REFERENCES doc (id)"},
		{"cascade", "FOREIGN KEY (doc_id) REFERENCES doc (id) ON DELETE CASCADE"},
		{"set null", "FOREIGN KEY (doc_id) REFERENCES doc (id) ON DELETE SET NULL"},
		{"undeclared", "CHECK (id > 0)"},
	}
}

// library loads people with documents, and pages of documents of which nobody is the owner by the map.
func (f Fixture) library(t *testing.T, r reference, docs int) connector.System {
	t.Helper()
	if f.Kind == datamap.KindSQLite {
		f.load(t, []string{`PRAGMA foreign_keys = ON`}) // the engine asks each writer whether it wants its keys kept
	}
	f.load(t, []string{
		`CREATE TABLE person (id INTEGER PRIMARY KEY, email VARCHAR(60))`,
		`CREATE TABLE doc (id INTEGER PRIMARY KEY, person_id INTEGER NOT NULL, FOREIGN KEY (person_id) REFERENCES person (id))`,
		`CREATE TABLE page (id INTEGER PRIMARY KEY, doc_id INTEGER, ` + r.constraint + `)`,
		`CREATE INDEX page_doc ON page (doc_id)`,
		`INSERT INTO person VALUES (1, 'ann@x.test'), (2, 'bob@x.test')`,
	})
	for from := 0; from < docs; from += 500 {
		var v []string
		for i := from; i < min(docs, from+500); i++ {
			v = append(v, fmt.Sprintf("(%d, 1)", i+1))
		}
		f.load(t, []string{"INSERT INTO doc VALUES " + strings.Join(v, ", ")})
	}
	f.load(t, []string{`INSERT INTO doc VALUES (1000000, 2)`, `INSERT INTO page VALUES (1, 1000000)`})
	owned := func(name, owner string) datamap.Table {
		return datamap.Table{Name: name, Personal: true, Category: "account", Owners: []datamap.Relation{{Table: owner, By: []string{owner + "_id"}}}}
	}
	return f.open(t, &datamap.System{
		Name: "library", Kind: f.Kind,
		References: []datamap.Reference{{FromTable: "page", FromColumns: []string{"doc_id"}, ToTable: "doc", ToColumns: []string{"id"}}},
		Tables:     []datamap.Table{{Name: "person", Personal: true, Category: "account"}, owned("doc", "person"), owned("page", "doc")},
		Subjects: []datamap.Subject{{Name: "person", Table: "person", Key: []string{"id"}, Identifiers: []datamap.Identifier{
			{Name: "email", Table: "person", Column: "email", Match: datamap.MatchExact}}}},
	})
}

func reader() connector.Scope {
	return connector.Scope{Identifiers: map[string][]string{"email": {"ann@x.test"}}}
}

func libraryRules() *plan.Rules {
	del := plan.TableRule{Do: plan.ActionDelete, Others: string(datamap.OthersRefuse)}
	return &plan.Rules{Today: statute.NewDate(2026, 6, 1), Tables: map[string]plan.TableRule{"person": del, "doc": del, "page": del}}
}

// inBatches makes an erasure run as one of many rows does, a transaction a batch, whatever the number of rows.
func inBatches(steps []plan.Step) []plan.Step {
	out := append([]plan.Step{}, steps...)
	if len(out) > 0 {
		out[0].Rows += 10_001
	}
	return out
}

// testArrivals: a row that refers to one that is to be deleted and came after the plan is named, and nothing takes it along.
func testArrivals(t *testing.T, factory Factory) {
	for _, r := range references() {
		t.Run(r.name, func(t *testing.T) {
			ctx := context.Background()
			f := factory(t)
			s := f.library(t, r, 5)
			_, steps, keys, err := Prepare(ctx, s, reader(), libraryRules())
			if err != nil {
				t.Fatal(err)
			}
			f.load(t, []string{`INSERT INTO page VALUES (4711, 3)`})
			for name, st := range map[string][]plan.Step{"at once": steps, "in batches": inBatches(steps)} {
				err = s.(connector.Eraser).Erase(ctx, st, keys.Source, Free, Mute)
				if !errors.Is(err, connector.ErrChanged) || !fault.Is(err, fault.Conflict) {
					t.Fatalf("%s: got %v, want a plan that no longer fits", name, err)
				}
				if text := err.Error(); !strings.Contains(text, "page") || !strings.Contains(text, "doc") || strings.Contains(text, "4711") {
					t.Errorf("%s: %v names not both tables, or a value", name, err)
				}
				if n := f.number(t, "SELECT COUNT(*) FROM page WHERE id = 4711 AND doc_id = 3"); n != 1 {
					t.Errorf("%s: the row that came later was taken along", name)
				}
				if n := f.number(t, "SELECT COUNT(*) FROM doc WHERE id = 3"); n != 1 {
					t.Errorf("%s: the row that it refers to was deleted", name)
				}
			}
			_, steps, keys, err = Prepare(ctx, s, reader(), libraryRules())
			if err != nil {
				t.Fatal(err)
			}
			if err := s.(connector.Eraser).Erase(ctx, steps, keys.Source, Free, Mute); err != nil {
				t.Fatalf("by the plan made anew: %v", err)
			}
			if n := f.number(t, "SELECT COUNT(*) FROM page") + f.number(t, "SELECT COUNT(*) FROM doc") + f.number(t, "SELECT COUNT(*) FROM person"); n != 3 {
				t.Errorf("%d rows are left, want the 3 of somebody else", n)
			}
		})
	}
}

// testWriter: while rows go in batches somebody keeps writing rows that refer to them. None of these is lost.
func testWriter(t *testing.T, factory Factory) {
	for _, r := range references()[:3] {
		t.Run(r.name, func(t *testing.T) {
			ctx := context.Background()
			f := factory(t)
			const docs = 1500
			s := f.library(t, r, docs)
			_, steps, keys, err := Prepare(ctx, s, reader(), libraryRules())
			if err != nil {
				t.Fatal(err)
			}
			var wait sync.WaitGroup
			stop, begun, written := make(chan struct{}), make(chan struct{}), 0
			wait.Go(func() {
				for i := 0; ; i++ {
					select {
					case <-stop:
						return
					default:
					}
					// from the end, where the erasure comes last; refused once the document is gone
					if _, err := f.DB.ExecContext(ctx, fmt.Sprintf("INSERT INTO page VALUES (%d, %d)", 10+i, docs-(i*7)%docs)); err == nil {
						written++
					}
					if i == 0 {
						close(begun)
					}
				}
			})
			<-begun
			err = s.(connector.Eraser).Erase(ctx, inBatches(steps), keys.Source, Free, Mute)
			close(stop)
			wait.Wait()
			if err != nil && !errors.Is(err, connector.ErrChanged) && !fault.Is(err, fault.Unavailable) {
				t.Fatal(err)
			}
			if n := f.number(t, "SELECT COUNT(*) FROM page WHERE doc_id IN (SELECT id FROM doc)"); n != int64(written)+1 {
				t.Errorf("%d rows refer to a document that is there, %d were written beside one: %v", n, written, err)
			}
		})
	}
}

func (f Fixture) number(t *testing.T, query string) (n int64) {
	t.Helper()
	if err := f.DB.QueryRowContext(context.Background(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}
