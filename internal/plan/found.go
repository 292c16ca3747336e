package plan

import "github.com/habeas-data/habeas/internal/statute"

// Found is what a connector found of one person in one system. It holds counts, dates and digests; no values.
type Found struct {
	System   string
	Subjects int          // rows of the subject's own table that answer to the proven identifiers; over 1 is ambiguous
	Tables   []FoundTable // in the order in which an erasure must go through them: children first
	Gaps     []Refusal    // tables or columns that reach the person and are not covered: they stop an erasure
}

// FoundTable is what was found in one table.
type FoundTable struct {
	Table    string
	Groups   []Group   // the person's rows, by what becomes of them; empty when there are none
	Shared   int64     // of these, rows that other people own too
	Hidden   int64     // rows reached that belong to somebody else: neither handed over nor touched
	Blockers []Blocker // other people's rows that refer to rows that would go
	Total    int64     // rows of the table in all, an estimate will do; 0: unknown, and no limit by share applies
}

// Rows sums the person's rows.
func (t FoundTable) Rows() int64 {
	var n int64
	for _, g := range t.Groups {
		n += g.Rows
	}
	return n
}

// Group is a set of the person's rows of one table with one fate.
type Group struct {
	Fate   Fate
	Rows   int64
	Digest string // keyed, independent of order: hex
}

// Fate is what becomes of a row under Rules: a comparable value, so that rows can be grouped by it.
type Fate struct {
	Action  Action       // delete, anonymize, retain, keep
	Until   statute.Date // for retain: the day on which the row goes
	Ground  string       // for retain and keep
	Because string       // table whose kept rows need this one: it is anonymized now and goes on Until
}

// Blocker is a set of other people's rows that refer to rows of this person that would be deleted.
type Blocker struct {
	Table     string   // whose rows refer
	Columns   []string // by which columns
	Rows      int64    // how many of the person's rows are referred to
	Referring int64    // how many rows refer to them; zero: not counted
	Nullable  bool     // whether their reference can be cleared
	Clear     bool     // the map says in words that it is cleared (also_about; mentions with on_erase: null)
}
