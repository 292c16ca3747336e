package datamap

import (
	"time"

	"github.com/habeas-data/habeas/internal/statute"
)

// Map is a parsed datamap.yaml.
type Map struct {
	Tenant  string
	Systems []System // in the order of the file
}

// Kind is a kind of system.
type Kind string

// The kinds of systems.
const (
	KindPostgres Kind = "postgres"
	KindMySQL    Kind = "mysql"
	KindSQLite   Kind = "sqlite"
	KindBlob     Kind = "blob"
	KindWebhook  Kind = "webhook"
	KindREST     Kind = "rest"
	KindManual   Kind = "manual"
)

// SQL tells whether systems of the kind are SQL databases.
func (k Kind) SQL() bool { return k == KindPostgres || k == KindMySQL || k == KindSQLite }

// System is one place in which data lie.
type System struct {
	Name       string
	Kind       Kind
	DSN        string            // for reading; as written: may hold ${NAME}, taken from the environment, or ${file:/path}
	WriteDSN   string            // for erasing and correcting, where another role does that; empty: DSN
	Session    map[string]string // PostgreSQL: settings of every transaction, which row-level security policies read
	URL        string            // of kinds that have no DSN
	Subjects   []Subject
	References []Reference
	Schemas    Schemas
	Tables     []Table // without "*", in the order of the file
	Wildcard   *Table  // the entry "*": never covers a table that reaches a person
	Find       map[string]string
	Limits     Limits
	Backups    statute.Period // how long backups of the system are kept; zero: the map does not say
	Line       int
}

// Limits bound what an erasure may do to a system. MaxRows and MaxShare stop a plan that would take too much before its
// first row. Zero: what holds where the map says nothing.
type Limits struct {
	MaxRows  int64         // most rows of one table that one plan may touch
	MaxShare float64       // most of a table, 0..1, that one plan may touch (tables under 100 rows are exempt)
	LockTime time.Duration // longest that a batch of an erasure may hold its locks; zero: DefaultLockTime
	K        int64         // fewest people who must share what stays of an anonymized row; zero: it is counted, nothing follows
}

// DefaultLockTime is the LockTime of a map that sets none.
const DefaultLockTime = 250 * time.Millisecond

// The bounds of LockTime: below, a batch is a few rows and an erasure takes days; above, other traffic waits noticeably.
const (
	MinLockTime = 10 * time.Millisecond
	MaxLockTime = 10 * time.Second
)

// The ceilings that hold where a map says nothing. One person seldom is a quarter of a table that is worth the name; who
// is has an officer who lifts the ceiling for that request, or a map that sets another.
const (
	DefaultMaxRows  = 1_000_000
	DefaultMaxShare = 0.25
)

// Ceiling gives the limits that hold, and from how many rows of a table on its share counts: a small table is easily
// one person's.
func (l Limits) Ceiling() (rows int64, share float64, from int64) {
	rows, share, from = l.MaxRows, l.MaxShare, 100
	if rows == 0 {
		rows = DefaultMaxRows
	}
	if share == 0 {
		share, from = DefaultMaxShare, 1000
	}
	return rows, share, from
}

// Schemas says which schemas of a database count; ignored ones carry a reason.
type Schemas struct {
	Include []string
	Ignore  map[string]string
}

// Subject is one kind of person (or workspace) that a system knows.
type Subject struct {
	Name        string // the map's name for the kind: `customer`; with `subject:` the table's name
	Table       string
	Key         []string
	Identifiers []Identifier
	Members     *Members // of a workspace: who belongs to it
}

// Members says how the people of a workspace are found.
type Members struct {
	Table, By, Person string
}

// MatchRule says how an identifier is compared, on stored bytes, whatever the collation.
type MatchRule string

// The match rules.
const (
	MatchExact    MatchRule = "exact"
	MatchDomainCI MatchRule = "domain_ci" // the part after the last @ in any ASCII case, the rest exactly
	MatchASCIICI  MatchRule = "ascii_ci"  // all ASCII letters in any case
)

// Identifier is a column by which a subject is found.
type Identifier struct {
	Name   string // `email`, `user_id`
	Table  string // the subject's own table unless it lives elsewhere
	Column string
	By     []string // when elsewhere: the columns there that hold the subject's key
	Match  MatchRule
}

// Reference is a key that the schema does not declare.
type Reference struct {
	FromTable   string
	FromColumns []string
	ToTable     string
	ToColumns   []string
}

// Table is the map's entry for one table. Names are written as in the map: `invoice`, or `schema.table` for
// tables outside the first included schema.
type Table struct {
	Name      string
	Personal  bool // false: declared as not about people
	Why       string
	Category  string
	Owners    []Relation // any one suffices
	AlsoAbout []Relation
	AlsoFrom  []Relation
	Mentions  []Relation
	Match     *Match // rows without a key, found by a proven identifier; None: never by machine
	Export    Export
	Erase     Erase
	RowDate   string   // the column that dates a row, for retention `from: row`
	RedactNow []string // columns anonymized at once although the row is kept
	Columns   map[string]Column
	File      *File
	Slow      bool // `index: accepted`: look-ups without an index are known and taken
	Line      int
}

// Relation ties rows of a table to rows of another, in one of the forms of the contract:
//
//	customer                                   By, To and From empty: the only foreign key to customer
//	{table: customer, by: customer_id}         our By holds their key (To: columns other than their primary key)
//	{table: customer, from: address_id}        their From points at our key: upward
//	{table: user, by: owner_id, when: {…}}     polymorphic: only rows whose columns have these values
type Relation struct {
	Table   string
	By      []string
	To      []string
	From    []string
	When    map[string]string
	OnErase string // of mentions: keep | null
}

// Upward tells whether the owner's row points at ours.
func (r Relation) Upward() bool { return len(r.From) > 0 }

// Match finds rows by proven identifiers. Any one of Any suffices; within one, all of All must hold.
type Match struct {
	None bool
	Any  []MatchAll
}

// MatchAll is a set of column = identifier pairs that must all hold.
type MatchAll struct {
	Columns []MatchColumn
}

// MatchColumn compares a column (or a path within a JSON column) with an identifier.
type MatchColumn struct {
	Column     string
	JSON       string // `$.email`, or empty
	Identifier string
	Rule       MatchRule // empty: the identifier's own rule
}

// Export says what of a row goes into a package.
type Export struct {
	HideOthers []string // columns that hold another person's key: hidden unless they are the subject's own
	Skip       bool     // found, listed, not handed over
	Why        string
}

// Erasure is what an erasure does to a table's rows.
type Erasure string

// What an erasure can do.
const (
	EraseDelete    Erasure = "delete"
	EraseAnonymize Erasure = "anonymize"
	EraseRetain    Erasure = "retain"     // until the category's date, then deleted by itself
	EraseWithOwner Erasure = "with_owner" // whatever happens to the owner's row
	EraseKeep      Erasure = "keep"       // stays as it is, with a reason
)

// OthersRefer is what happens to a row that other people's rows need.
type OthersRefer string

// What can happen to a row that other people's rows need.
const (
	OthersRefuse    OthersRefer = "refuse" // stops the plan: the default
	OthersKeep      OthersRefer = "keep"
	OthersSetNull   OthersRefer = "set_null" // their reference is cleared
	OthersAnonymize OthersRefer = "anonymize"
)

// Erase is a table's rule for an erasure.
type Erase struct {
	Do            Erasure
	IfOthersRefer OthersRefer
	Why           string // ground for keep and retain, beside the category's
}

// Show is what of a column an export holds.
type Show string

// What an export can hold of a column.
const (
	ShowFull     Show = "show"
	ShowPresence Show = "presence" // held, not shown
	ShowHide     Show = "hide"     // left out, and listed as left out
	ShowNever    Show = "never"    // must not leave the system: left out, listed by name only
)

// Column is the map's entry for one column.
type Column struct {
	Personal  *bool // nil: as the table
	Export    Show
	Anonymize *Anonymize
	CopyOf    string // `table.column`, or `system.table.column`: holds the same field, and is corrected with it
	Why       string
	Line      int
}

// Anonymizer is a way to make a value tell nothing about a person.
type Anonymizer string

// The ways to anonymize a value.
const (
	AnonNull       Anonymizer = "null"
	AnonFixed      Anonymizer = "fixed" // Value, which may hold {key}
	AnonHash       Anonymizer = "hash"  // keyed; unlinkable once the key is destroyed
	AnonGeneralize Anonymizer = "generalize"
	AnonFake       Anonymizer = "fake"
	AnonKeep       Anonymizer = "keep" // with why
)

// Anonymize is a column's rule for anonymization.
type Anonymize struct {
	With  Anonymizer
	Value string
	Why   string
}

// File says that a row stands for a file in another system.
type File struct {
	System string
	Key    string // the column that holds the file's key
}

// System finds a system by its name.
func (m *Map) System(name string) (*System, bool) {
	for i := range m.Systems {
		if m.Systems[i].Name == name {
			return &m.Systems[i], true
		}
	}
	return nil, false
}

// Table finds a table's entry by the name that the map uses.
func (s *System) Table(name string) (*Table, bool) {
	for i := range s.Tables {
		if s.Tables[i].Name == name {
			return &s.Tables[i], true
		}
	}
	return nil, false
}

// Subject finds a kind of person by its name; "" is the first.
func (s *System) Subject(name string) (*Subject, bool) {
	for i := range s.Subjects {
		if name == "" || s.Subjects[i].Name == name {
			return &s.Subjects[i], true
		}
	}
	return nil, false
}
