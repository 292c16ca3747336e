package connector

import (
	"context"
	"errors"
	"fmt"

	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/plan"
)

// Scope says whose data: the kind of subject and the identifiers that were proven, by the map's names. A name may
// have several proven values.
type Scope struct {
	Subject     string // "" is the system's first
	Identifiers map[string][]string
	// Keys are keys of the subject's own rows that were recorded before a run: they find what hangs on a person
	// whose row is gone.
	Keys []Key
}

// Kinds lists the kinds of person of a system that may be meant: the one that was named, or all that the map has.
func Kinds(sys *datamap.System, named string) []string {
	if _, ok := sys.Subject(named); ok && named != "" || len(sys.Subjects) == 0 {
		return []string{named}
	}
	out := make([]string, len(sys.Subjects))
	for i, s := range sys.Subjects {
		out[i] = s.Name
	}
	return out
}

// System is one opened system of a data map. The capabilities below are asked for by type assertion.
type System interface {
	Name() string
	// Ping tells whether the system answers and the map fits well enough to be used.
	Ping(ctx context.Context) error
	Close() error
}

// Cataloger reads the live schema.
type Cataloger interface {
	Catalog(ctx context.Context) (*datamap.Catalog, error)
}

// KeyHash is a keyed hash over one row's key, given by the caller so that digests of keys tell nothing without
// the tenant's key.
type KeyHash func(key []byte) [32]byte

// Resolver turns a proven identifier into its stored form and the contact on file.
type Resolver interface {
	// Contact gives the stored value of an identifier (say the e-mail as the product has it) for the subject rows
	// that match; none when nobody matches. It must take the same path whether or not anybody matches.
	Contact(ctx context.Context, scope Scope, identifier string) ([]string, error)
}

// Locator finds and counts.
type Locator interface {
	// Locate walks all tables in one consistent snapshot and groups the person's rows by their fate under rules.
	// For work other than erasure rules may be nil: every row's fate is ActionCollect.
	Locate(ctx context.Context, scope Scope, rules *plan.Rules, hash KeyHash) (plan.Found, error)
}

// Collector streams a person's rows.
type Collector interface {
	// Collect sends every table that holds rows of the person, with its rows, to the sink, in one consistent
	// snapshot, at constant memory.
	Collect(ctx context.Context, scope Scope, sink Sink) error
}

// Collection describes a table about to be sent.
type Collection struct {
	System  string
	Table   string
	Columns []CollectionColumn // in the source's order; hidden ones included
	Key     []string           // primary key columns; empty when there is none
}

// CollectionColumn is one column of a collection.
type CollectionColumn struct {
	Name     string
	Type     string // the source's type
	JSON     JSONType
	Nullable bool
	Show     datamap.Show
	Tagged   bool // values may be objects with a tag
}

// JSONType is how values of a column are written in the package.
type JSONType string

// The JSON types of columns.
const (
	JSONNumber   JSONType = "number" // exact text of the source: 8.91 stays 8.91
	JSONInteger  JSONType = "integer"
	JSONString   JSONType = "string"
	JSONBoolean  JSONType = "boolean"
	JSONDateTime JSONType = "date-time" // RFC 3339
	JSONDate     JSONType = "date"
	JSONBytes    JSONType = "base64"
	JSONAny      JSONType = "any" // JSON columns and arrays: embedded as they are
)

// A value whose plain JSON form would read as another value of its column is an object with one of these keys.
const (
	TagText      = "$text"        // a text, where plain strings are something else
	TagTextBytes = "$text_base64" // the bytes of a text that is no UTF-8
	TagBytes     = "$base64"      // bytes, where plain strings are texts
	TagReal      = "$real"        // a floating-point number that JSON has no number for
	TagJSON      = "$json"        // the text of a JSON value: its null, which is not SQL's, or one with space around it
	TagArray     = "$array"       // PostgreSQL's own text of an array whose indexes do not begin at 1
)

// Sink receives a person's rows. Calls come in the order Begin, Row*, End, once a collection.
type Sink interface {
	Begin(Collection) error
	// Row takes one row: values[i] belongs to Columns[i] and is a complete JSON value (null for SQL NULL). Values of
	// columns that are not shown are nil, but where presence is told: true when there is one, else false. A value that is
	// hidden because it stands for somebody else is nil too. key identifies the row, for digests alone: it may hold
	// what is hidden. The slices are reused after the call returns.
	Row(key Key, values [][]byte) error
	End() error
	// Hidden reports rows that were reached but are somebody else's and were left out.
	Hidden(table string, rows int64, why string) error
}

// Key is a row's key: the text of each key column, in the order of the primary key. Tables without a primary key
// are addressed by all their columns.
type Key []string

// Captured is a set of rows whose keys were recorded before anything was touched.
type Captured struct {
	Step plan.Step
	Keys []Key
}

// Capturer lists the keys of the rows that a plan's steps touch.
type Capturer interface {
	// Capture streams the keys, at most 1,000 at a time, in one consistent snapshot: step is the index into steps.
	// Retained rows are captured too, so that their day finds them. Locate must have given these steps.
	Capture(ctx context.Context, scope Scope, rules *plan.Rules, steps []plan.Step, emit func(step int, keys []Key) error) error
}

// Guard is asked before each batch: an error stops the work before that batch.
type Guard func(ctx context.Context) error

// Source gives back captured keys, chunk by chunk, for one step. It returns nil at the end.
type Source func(ctx context.Context, step int, chunk int) ([]Key, error)

// Recorder hears of progress: rows that the step has done in all (affected) and rows that were already gone.
type Recorder func(ctx context.Context, step int, affected, gone int64) error

// Eraser carries out destructive steps.
type Eraser interface {
	// Erase runs the destructive steps on the captured keys in the order of the plan. Up to 10,000 rows go in one
	// transaction; more go in batches. It may be called again after a crash at any point: rows already gone count
	// as done, rows already anonymized are written alike again. Any other count is an error that names the step.
	Erase(ctx context.Context, steps []plan.Step, keys Source, guard Guard, record Recorder) error
}

// Correction is one field of a person and what it should say.
type Correction struct {
	Field  string
	To     string
	Places []datamap.Place // where one system holds it: the field itself first
	Was    []string        // what the field itself holds, in whatever system: rows of a copy that hold it are corrected
}

// Corrected is what a system has of the fields to correct.
type Corrected struct {
	Steps    []plan.Step         // of action rectify: rows of one table that hold the same values
	Known    []string            // fields that the system itself has, by their names
	Was      map[string][]string // what they hold: the distinct values, "" for none
	Withheld []plan.Withheld     // copies that hold something else, or that no machine writes
}

// Overwritten is a corrected column that no longer says what was written.
type Overwritten struct {
	Step   int // index into the steps
	Column string
	Rows   int64
}

// Rectifier corrects values.
type Rectifier interface {
	// Before finds the fields and their copies with their present values, and tries the new ones against the columns:
	// their form, length and list of values, that they are unique, and the table's checks. What does not fit is a
	// fault.Invalid that names the field. A field that a system does not have is not among Known, and no error.
	Before(ctx context.Context, scope Scope, hash KeyHash, fields []Correction) (Corrected, error)
	// Rectify writes the steps on the captured keys in one transaction and reads back. A row that already says what
	// it should counts as written, so it may be called again after a crash at any point. A row that holds neither
	// what Before saw nor the new value undoes everything with ErrChanged.
	Rectify(ctx context.Context, steps []plan.Step, keys Source, guard Guard, record Recorder) error
	// Recheck looks which of the written values are no longer there. Rows that are gone are no difference.
	Recheck(ctx context.Context, steps []plan.Step, keys Source) ([]Overwritten, error)
}

// Sweeper finds rows of a person that came late: written by the product while an erasure ran, or after it.
type Sweeper interface {
	// SubjectKeys gives the keys of the subject's own rows that answer to the scope.
	SubjectKeys(ctx context.Context, scope Scope) ([]Key, error)
	// Sweep gives each row of the person with what would become of it, in one consistent snapshot.
	Sweep(ctx context.Context, scope Scope, rules *plan.Rules, emit func(table string, x plan.Fate, key Key)) error
}

// Checker looks again after the work, with queries of its own.
type Checker interface {
	// CountKeys counts how many of the given rows of a table exist.
	CountKeys(ctx context.Context, table string, keys []Key) (int64, error)
}

// ErrChanged says that the data are no longer what the plan saw: it must be made anew.
var ErrChanged = errors.New("the data no longer fit the plan")

// StepError says at which of the steps that it was given a connector was stopped.
type StepError struct {
	Step   int // index
	Action plan.Action
	Table  string
	Cause  error
}

// Error names step, action and table before the cause.
func (e *StepError) Error() string {
	return fmt.Sprintf("step %d, %s of %s: %v", e.Step+1, e.Action, e.Table, e.Cause)
}

// Unwrap gives the cause.
func (e *StepError) Unwrap() error { return e.Cause }

// Opener opens a system of its kind. Getenv resolves ${NAME} in the DSN.
type Opener func(ctx context.Context, sys *datamap.System, getenv func(string) string) (System, error)

// Registry knows the openers by kind.
type Registry map[datamap.Kind]Opener
