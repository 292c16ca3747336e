package residue

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/plan"
)

// Kind says what kind of difference was found.
type Kind string

// The kinds of differences.
const (
	LeftOver      Kind = "left_over"      // rows that the plan deletes are still there
	Missing       Kind = "missing"        // rows that the plan keeps are gone
	NotAnonymized Kind = "not_anonymized" // an anonymized row still holds an identifier
	Unrecorded    Kind = "unrecorded"     // fewer or more keys were recorded than the step has rows
	Identifier    Kind = "identifier"     // the map's own look-up still finds somebody
	Copy          Kind = "copy"           // an address of the person stands where the plan keeps nothing
)

// Finding is one difference. It never holds a value.
type Finding struct {
	System string `json:"system"`
	Table  string `json:"table"`
	Column string `json:"column,omitempty"`
	Kind   Kind   `json:"kind"`
	Rows   int64  `json:"rows"`
}

// Skipped is something that was not looked at, and why.
type Skipped struct {
	System string `json:"system"`
	Table  string `json:"table,omitempty"`
	Column string `json:"column,omitempty"`
	Why    string `json:"why"`
}

// Report is the outcome. OK: no finding; what was not searched does not count against it, but must be shown.
type Report struct {
	OK          bool      `json:"ok"`
	Findings    []Finding `json:"findings,omitempty"`
	Apart       []Finding `json:"apart,omitempty"` // in schemas that the map ignores: told, but no difference
	NotSearched []Skipped `json:"not_searched,omitempty"`
	Looked      int       `json:"looked"` // tables that were searched from end to end
}

// Expectation is what must be true of the rows of one table whose keys were recorded.
type Expectation struct {
	System, Table string
	Gone          bool  // no row may be left
	Rows          int64 // as many rows were recorded; unless Gone, as many must exist
}

// Expect gives what a step promises; false for steps that promise nothing about rows.
func Expect(s plan.Step) (Expectation, bool) {
	e := Expectation{System: s.System, Table: s.Table, Rows: s.Rows}
	switch s.Action {
	case plan.ActionDelete:
		e.Gone = true
	case plan.ActionRetain, plan.ActionKeep, plan.ActionAnonymize, plan.ActionRedact:
	case plan.ActionCollect, plan.ActionUnlink, plan.ActionRectify, plan.ActionSuppress, plan.ActionAnswer:
		return Expectation{}, false
	default:
		return Expectation{}, false
	}
	return e, true
}

// Budget bounds the search of the whole schema; the look-ups by key and identifier are never cut short.
type Budget struct {
	Time time.Duration // 0: two minutes
	Rows int64         // rows read in all; 0: five million
}

// Input is what a check needs.
type Input struct {
	System *datamap.System
	Getenv func(string) string // resolves ${NAME} in the DSN
	Steps  []plan.Step         // of the plan that ran; steps of other systems are passed over
	// Keys gives the recorded keys of a step (its index in Steps), chunk by chunk from 0, and nil at the end: the text
	// of each key column in the order of the primary key.
	Keys        func(ctx context.Context, step, chunk int) ([][]string, error)
	Identifiers map[string][]string // proven identifiers by the map's names
	Budget      Budget
}

// Check looks. The error means that it could not look at all or not to the end of the look-ups; differences are in
// the report.
func Check(ctx context.Context, in Input) (Report, error) {
	if in.System == nil || !in.System.Kind.SQL() {
		return Report{}, errors.New("only SQL databases can be looked through")
	}
	db, err := open(ctx, in.System, in.Getenv)
	if err != nil {
		return Report{}, err
	}
	defer db.close()
	c := &checker{in: in, db: db, name: in.System.Name}
	if c.tables, err = db.tables(ctx); err != nil {
		return Report{}, fmt.Errorf("listing the tables of %s: %w", c.name, err)
	}
	if err := c.keys(ctx); err != nil {
		return Report{}, fmt.Errorf("looking for recorded keys in %s: %w", c.name, err)
	}
	if err := c.lookups(ctx); err != nil {
		return Report{}, fmt.Errorf("looking for identifiers in %s: %w", c.name, err)
	}
	if err := c.search(ctx); err != nil {
		return Report{}, fmt.Errorf("searching %s: %w", c.name, err)
	}
	c.report.Findings = tidy(c.report.Findings)
	c.report.Apart = tidy(c.report.Apart)
	c.report.OK = len(c.report.Findings) == 0
	return c.report, nil
}

func tidy(f []Finding) []Finding {
	slices.SortFunc(f, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Table, b.Table), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Rows, b.Rows))
	})
	return slices.Compact(f)
}

type checker struct {
	in     Input
	db     *database
	name   string
	tables []table
	report Report
}

// table is a table as the database itself tells.
type table struct {
	schema, bare string
	key          []field // primary key, or all columns when there is none
	keyless      bool
	columns      []field
	foreign      bool   // lies elsewhere: not searched
	special      string // the name of another database, or fts
	history      bool   // keeps what was deleted (MariaDB); in PostgreSQL: temporary
}

type field struct {
	name   string
	typ    string
	text   bool // can hold an address as text
	number bool
}

// mapName is the name by which a map calls the table: bare in the default schema.
func (c *checker) mapName(t *table) string {
	switch {
	case c.db.kind == datamap.KindMySQL && t.special != "":
		return t.special + "." + t.bare
	case c.db.kind != datamap.KindPostgres:
		return t.bare
	}
	home := "public"
	if in := c.in.System.Schemas.Include; len(in) > 0 {
		home = in[0]
	}
	if t.schema == home {
		return t.bare
	}
	return t.schema + "." + t.bare
}

func (c *checker) find(name string) (*table, bool) {
	for i := range c.tables {
		if c.mapName(&c.tables[i]) == name {
			return &c.tables[i], true
		}
	}
	return nil, false
}

func (c *checker) found(table, column string, kind Kind, rows int64) {
	c.report.Findings = append(c.report.Findings, Finding{c.name, table, column, kind, rows})
}

func (c *checker) skip(table, column, why string) {
	c.report.NotSearched = append(c.report.NotSearched, Skipped{c.name, table, column, why})
}

// stays tells how many rows of a table the plan leaves as they are, with this column in them.
func (c *checker) stays(table, column string) int64 {
	entry, ok := c.in.System.Table(table)
	if ok && slices.Contains(entry.RedactNow, column) {
		return 0
	}
	var kept, retained, later, anonymized int64
	for _, s := range c.in.Steps {
		if s.System != c.name || s.Table != table {
			continue
		}
		switch s.Action {
		case plan.ActionKeep:
			kept += s.Rows
		case plan.ActionRetain:
			retained += s.Rows
			if s.Because != "" {
				later += s.Rows
			}
		case plan.ActionAnonymize:
			anonymized += s.Rows
		case plan.ActionDelete, plan.ActionRedact, plan.ActionUnlink, plan.ActionRectify, plan.ActionCollect, plan.ActionSuppress, plan.ActionAnswer:
		}
	}
	// The keys of anonymized rows stay: they tell nothing once the rows they lead to are gone or anonymized.
	if ok && (leftAlone(entry.Columns[column]) || c.isKey(entry, column)) {
		kept += anonymized
	}
	// Rows that stay for a while because kept rows need them are anonymized: the person is not in them.
	return kept + retained - min(later, anonymized)
}

// isKey tells whether a column is part of the table's key or leads to another table, and no rule of its own writes it.
func (c *checker) isKey(t *datamap.Table, column string) bool {
	if t.Columns[column].Anonymize != nil {
		return false
	}
	if live, ok := c.find(t.Name); ok && !live.keyless && slices.ContainsFunc(live.key, func(k field) bool { return k.name == column }) {
		return true
	}
	for _, list := range [][]datamap.Relation{t.Owners, t.AlsoAbout, t.AlsoFrom, t.Mentions} {
		for _, r := range list {
			if slices.Contains(r.By, column) {
				return true
			}
		}
	}
	for _, s := range c.in.System.Subjects {
		if s.Table == t.Name && slices.Contains(s.Key, column) {
			return true
		}
	}
	return slices.ContainsFunc(c.in.System.References, func(r datamap.Reference) bool {
		return r.FromTable == t.Name && slices.Contains(r.FromColumns, column)
	})
}

func leftAlone(c datamap.Column) bool {
	return c.Personal != nil && !*c.Personal || c.Anonymize != nil && c.Anonymize.With == datamap.AnonKeep
}

// asciiLower lowers ASCII letters only, as the databases are told to.
func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
