package connectortest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/fault"
)

var errCut = errors.New("cut off")

// cutAt is a guard that fails at its k-th call.
func cutAt(k int) connector.Guard {
	n := 0
	return func(context.Context) error {
		if n++; n == k {
			return errCut
		}
		return nil
	}
}

func testCutOff(t *testing.T, f Fixture) {
	ctx := context.Background()
	s := f.twin(t)
	before := f.content(t)
	_, steps, keys, err := Prepare(ctx, s, scope(), Rules())
	if err != nil {
		t.Fatal(err)
	}
	for k := 1; ; k++ {
		err := s.(connector.Eraser).Erase(ctx, steps, keys.Source, cutAt(k), Mute)
		if err == nil {
			if k < len(steps) {
				t.Errorf("the guard was asked %d times for %d steps", k-1, len(steps))
			}
			break
		}
		if !errors.Is(err, errCut) {
			t.Fatalf("cut at %d: %v", k, err)
		}
		if d := diff(before, f.content(t)); len(d) != 0 {
			t.Fatalf("cut at %d left %v", k, d)
		}
	}
	if got := diff(before, f.content(t)); !slices.Equal(got, after()) {
		t.Errorf("in the end changed\n%s", strings.Join(got, "\n"))
	}
}

// heavy gives person 1 more rows than one transaction takes.
func heavy(f Fixture, t *testing.T) {
	const orders, lines = 110, 110
	var stmts []string
	for o := range orders {
		id := 10_000 + o
		var values []string
		for l := range lines {
			values = append(values, fmt.Sprintf("(%d, %d, 1)", id, l))
		}
		stmts = append(stmts, fmt.Sprintf(`INSERT INTO "order" VALUES (%d, 1, NULL, '2025-05-05', NULL)`, id),
			"INSERT INTO order_line VALUES "+strings.Join(values, ", "))
	}
	f.load(t, stmts)
}

func testBatches(t *testing.T, f Fixture) {
	ctx := context.Background()
	s := f.twin(t)
	heavy(f, t)
	before := f.content(t)
	_, steps, keys, err := Prepare(ctx, s, scope(), Rules())
	if err != nil {
		t.Fatal(err)
	}
	cuts := 0
	for _, k := range []int{1, 2, 5, 9, 14, 17, 1 << 30} {
		err := s.(connector.Eraser).Erase(ctx, steps, keys.Source, cutAt(k), Mute)
		if err == nil {
			break
		}
		if !errors.Is(err, errCut) {
			t.Fatal(err)
		}
		cuts++
		for _, d := range diff(before, f.content(t)) { // whatever is left half done, nobody else is touched
			if table, _, _ := strings.Cut(d, "/"); table != "order_line" && table != "order" && !slices.ContainsFunc(after(), func(a string) bool { return sameRow(a, d) }) {
				t.Fatalf("cut at %d left %s", k, d)
			}
		}
	}
	if cuts < 4 {
		t.Errorf("only %d runs were cut off", cuts)
	}
	rest := slices.DeleteFunc(diff(before, f.content(t)), func(d string) bool {
		return strings.HasSuffix(d, " gone") && (strings.HasPrefix(d, "order_line/10") || strings.HasPrefix(d, "order/10")) && !slices.Contains(after(), d)
	})
	if !slices.Equal(rest, after()) {
		t.Errorf("in the end changed\n%s", strings.Join(rest, "\n"))
	}
	if p := export(t, s, scope()); len(p.Keys) != 0 {
		t.Errorf("still found %v", p.Keys)
	}
}

// sameRow compares two lines of a diff but for what became of the row: one that will go may be detached first.
func sameRow(a, b string) bool {
	a, _, _ = strings.Cut(a, " ")
	b, _, _ = strings.Cut(b, " ")
	return a == b
}

func testConstraint(t *testing.T, f Fixture) {
	ctx := context.Background()
	s := f.twin(t)
	before := f.content(t)
	_, steps, keys, err := Prepare(ctx, s, scope(), Rules())
	if err != nil {
		t.Fatal(err)
	}
	// Somebody answers after the look: the plan would tear a row out from under another person's.
	f.load(t, []string{`INSERT INTO line_note VALUES (999, 100, 1, 'late')`})
	before["line_note"]["999"] = f.content(t)["line_note"]["999"]
	err = s.(connector.Eraser).Erase(ctx, steps, keys.Source, Free, Mute)
	if !fault.Is(err, fault.Conflict) || !errors.Is(err, connector.ErrChanged) {
		t.Errorf("got %v, want a conflict that asks for another plan", err)
	}
	if err != nil && (strings.Contains(err.Error(), "late") || strings.Contains(err.Error(), "999")) {
		t.Errorf("the error holds values: %v", err)
	}
	if d := diff(before, f.content(t)); len(d) != 0 {
		t.Errorf("a failed erasure changed %v", d)
	}
}

func testGaps(t *testing.T, f Fixture) {
	f.load(t, schema(f))
	f.load(t, rows())
	f.load(t, []string{`CREATE TABLE forgotten (id INTEGER PRIMARY KEY, line INTEGER, FOREIGN KEY (line) REFERENCES invoice_line (id))`,
		`CREATE TABLE loose (id INTEGER PRIMARY KEY, who INTEGER)`})
	sys := System(f.Kind)
	sys.References = []datamap.Reference{{FromTable: "loose", FromColumns: []string{"who"}, ToTable: "customer", ToColumns: []string{"id"}}}
	sys.Wildcard = &datamap.Table{Name: "*"}
	sys.Tables[2].Owners = []datamap.Relation{{Table: "customer", By: []string{"buyer_id"}}}
	found, err := f.open(t, sys).(connector.Locator).Locate(context.Background(), scope(), Rules(), Hash)
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	for _, g := range found.Gaps {
		named = append(named, g.Table)
	}
	if !slices.Contains(named, "forgotten") || !slices.Contains(named, "loose") || !slices.Contains(named, "order") {
		t.Errorf("gaps are %v", found.Gaps)
	}
	if err := f.open(t, sys).(connector.Collector).Collect(context.Background(), scope(), NewPackage()); !fault.Is(err, fault.Invalid) {
		t.Errorf("an export by a broken map gives %v", err)
	}
}

func testLookups(t *testing.T, f Fixture) {
	ctx := context.Background()
	s := f.twin(t)
	if err := s.Ping(ctx); err != nil {
		t.Fatal(err)
	}
	got, err := s.(connector.Resolver).Contact(ctx, scope(), "email")
	if err != nil || !slices.Equal(got, []string{subjectMail}) {
		t.Errorf("contact %v, %v", got, err)
	}
	nobody := connector.Scope{Identifiers: map[string][]string{"email": {"nobody@example.test"}}}
	if got, err = s.(connector.Resolver).Contact(ctx, nobody, "email"); err != nil || len(got) != 0 {
		t.Errorf("contact of nobody %v, %v", got, err)
	}
	n, err := s.(connector.Checker).CountKeys(ctx, "membership", []connector.Key{{"1", "1"}, {"1", "9"}, {"2", "2"}, {"2", "2"}})
	if err != nil || n != 2 {
		t.Errorf("counted %d, %v", n, err)
	}
	both := connector.Scope{Identifiers: map[string][]string{"email": {subjectMail}, "user_id": {"2", "1"}}}
	found, err := s.(connector.Locator).Locate(ctx, both, nil, nil)
	if err != nil || found.Subjects != 2 {
		t.Errorf("subjects %d, %v; two people answer", found.Subjects, err)
	}
}
