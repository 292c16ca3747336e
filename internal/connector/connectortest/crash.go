package connectortest

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/plan"
)

// testCalledOff: the work is called off at its k-th statement, for every k, and taken up again: the same end.
func testCalledOff(t *testing.T, f Fixture) {
	s := f.twin(t)
	before := f.content(t)
	_, steps, keys, err := Prepare(context.Background(), s, scope(), Rules())
	if err != nil {
		t.Fatal(err)
	}
	for name, st := range map[string][]plan.Step{"at once": steps, "in batches": inBatches(steps)} {
		for k := 1; ; k++ {
			ctx, cancel := context.WithCancel(context.Background())
			n := 0
			err := s.(connector.Eraser).Erase(ctx, st, keys.Source, func(context.Context) error {
				if n++; n == k {
					cancel()
				}
				return nil
			}, Mute)
			cancel()
			if err == nil {
				break
			}
			for _, d := range diff(before, f.content(t)) {
				if !slices.ContainsFunc(after(), func(a string) bool { return sameRow(a, d) }) {
					t.Fatalf("%s, called off at %d: %s", name, k, d)
				}
			}
			if name == "in batches" && k > 2*len(steps)+40 {
				t.Fatalf("no end: %v", err)
			}
		}
	}
	if got := diff(before, f.content(t)); !slices.Equal(got, after()) {
		t.Errorf("in the end changed\n%s", strings.Join(got, "\n"))
	}
}

// Twin is the twin in a database, with what a worker has in hands before its first delete, for tests of one kind that
// cut its work off in ways of their own.
type Twin struct {
	f      Fixture
	System connector.System
	Steps  []plan.Step // as those of many rows: a transaction a batch
	Keys   Keys
	before content
}

// NewTwin loads the twin, locates and captures.
func NewTwin(t *testing.T, f Fixture) *Twin {
	t.Helper()
	w := &Twin{f: f, System: f.twin(t)}
	w.before = f.content(t)
	_, steps, keys, err := Prepare(context.Background(), w.System, scope(), Rules())
	if err != nil {
		t.Fatal(err)
	}
	w.Steps, w.Keys = inBatches(steps), keys
	return w
}

// Within tells of rows that changed and should not have, however far the erasure came.
func (w *Twin) Within(t *testing.T) {
	t.Helper()
	for _, d := range diff(w.before, w.f.content(t)) {
		if !slices.ContainsFunc(after(), func(a string) bool { return sameRow(a, d) }) {
			t.Errorf("%s", d)
		}
	}
}

// Finish erases to the end and holds the database against what it must be then.
func (w *Twin) Finish(t *testing.T) {
	t.Helper()
	if err := w.System.(connector.Eraser).Erase(context.Background(), w.Steps, w.Keys.Source, Free, Mute); err != nil {
		t.Fatalf("taken up again: %v", err)
	}
	if got := diff(w.before, w.f.content(t)); !slices.Equal(got, after()) {
		t.Errorf("in the end changed\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(after(), "\n"))
	}
}
