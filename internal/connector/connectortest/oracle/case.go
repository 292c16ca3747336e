package oracle

import (
	"fmt"
	"slices"
	"strings"

	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/policy"
	"github.com/habeas-data/habeas/internal/statute"
)

// Kind is what a column holds.
type Kind string

// The kinds of columns.
const (
	Int  Kind = "int"
	Text Kind = "text"
	Date Kind = "date"
	JSON Kind = "json"
)

// Value is one stored value; the zero Value is null.
type Value struct {
	Text string
	Set  bool
}

func val(s string) Value { return Value{s, true} }

// Column is one column. A column with Copy is generated: it always holds what that column holds.
type Column struct {
	Name    string
	Kind    Kind
	NotNull bool
	Fold    bool // compared without regard to case, where the engine has such a collation
	Length  int
	Copy    string
	use     string // what the generator fills it with
}

// ForeignKey is a declared reference.
type ForeignKey struct {
	Columns    []string
	To         string
	Refs       []string
	OnDelete   string // as SQL has it; empty: no action
	Deferrable bool
}

// Table is one table with its rows. Name is as the map writes it.
type Table struct {
	Name        string
	Schema      string // "" is the case's own
	Bare        string
	Columns     []Column
	Key         []string // empty: no primary key
	Unique      [][]string
	ForeignKeys []ForeignKey
	Partitioned bool   // where the engine has partitions
	Log         string // table that a trigger writes a line to for each deleted row; "" none
	Rows        [][]Value
}

// Case is one database with its map, its policy and the person who asks.
type Case struct {
	Seed    uint64
	Engine  datamap.Kind
	Schema  string // PostgreSQL: the schema of the tables that name none
	Tables  []*Table
	Map     *datamap.System
	Policy  *policy.Policy
	Subject string
	Proven  map[string][]string
	Today   statute.Date
	Started map[string]statute.Date
}

// Table finds a table by its name.
func (c *Case) Table(name string) *Table {
	for _, t := range c.Tables {
		if t.Name == name {
			return t
		}
	}
	return nil
}

func (t *Table) at(column string) int {
	i := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == column })
	if i < 0 {
		panic(fmt.Sprintf("the case has no column %s in %s", column, t.Name))
	}
	return i
}

func (t *Table) column(name string) Column { return t.Columns[t.at(name)] }

// Key gives the text of a row's key: of all columns where there is none. Parts have their length before them.
func (t *Table) keyText(row []Value) string {
	var b strings.Builder
	for _, v := range t.keyValues(row) {
		if v.Set {
			fmt.Fprintf(&b, "%d:%s ", len(v.Text), v.Text)
		} else {
			b.WriteString("null ")
		}
	}
	return b.String()
}

func (t *Table) keyValues(row []Value) []Value {
	if len(t.Key) == 0 {
		return row
	}
	out := make([]Value, len(t.Key))
	for i, k := range t.Key {
		out[i] = row[t.at(k)]
	}
	return out
}

// same tells whether the engine's = holds between values of two columns.
func (c *Case) same(a Column, x Value, b Column, y Value) bool {
	if !x.Set || !y.Set {
		return false
	}
	return c.canon(x.Text, a.Kind == Text, a.Fold && b.Fold) == c.canon(y.Text, b.Kind == Text, a.Fold && b.Fold)
}

func (c *Case) canon(s string, text, fold bool) string {
	if text && c.Engine == datamap.KindMySQL {
		s = strings.TrimRight(s, " ") // trailing blanks don't count there
	}
	if fold && c.Engine != datamap.KindPostgres {
		s = lowerASCII(s)
	}
	return s
}

func lowerASCII(s string) string {
	b := []byte(s)
	for i, x := range b {
		if x >= 'A' && x <= 'Z' {
			b[i] = x + 32
		}
	}
	return string(b)
}

// clone copies the case but for policy and dates, which nobody changes.
func (c *Case) clone() *Case {
	out := *c
	out.Tables = make([]*Table, len(c.Tables))
	for i, t := range c.Tables {
		n := *t
		n.Rows = make([][]Value, len(t.Rows))
		for j, r := range t.Rows {
			n.Rows[j] = slices.Clone(r)
		}
		n.ForeignKeys = slices.Clone(t.ForeignKeys)
		out.Tables[i] = &n
	}
	sys := *c.Map
	sys.Tables = make([]datamap.Table, len(c.Map.Tables))
	for i, e := range c.Map.Tables {
		e.Owners, e.AlsoAbout = slices.Clone(e.Owners), slices.Clone(e.AlsoAbout)
		e.AlsoFrom, e.Mentions = slices.Clone(e.AlsoFrom), slices.Clone(e.Mentions)
		sys.Tables[i] = e
	}
	out.Map = &sys
	return &out
}

// String prints the case so that a person can read it and build it again.
func (c *Case) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d on %s, subject %s proven %v, today %s, started %v\n", c.Seed, c.Engine, c.Subject, c.Proven, c.Today, c.Started)
	for _, s := range c.Map.Subjects {
		fmt.Fprintf(&b, "subject %s: %q key %q identifiers %+v\n", s.Name, s.Table, s.Key, s.Identifiers)
	}
	for _, r := range c.Map.References {
		fmt.Fprintf(&b, "reference %+v\n", r)
	}
	for _, t := range c.Tables {
		fmt.Fprintf(&b, "table %q key %q unique %q partitioned %v log %q\n", t.Name, t.Key, t.Unique, t.Partitioned, t.Log)
		for _, col := range t.Columns {
			fmt.Fprintf(&b, "  column %+v\n", col)
		}
		for _, fk := range t.ForeignKeys {
			fmt.Fprintf(&b, "  foreign key %+v\n", fk)
		}
		if e, ok := c.Map.Table(t.Name); ok {
			fmt.Fprintf(&b, "  map: personal %v category %q erase %+v row_date %q redact %q export %+v\n", e.Personal, e.Category, e.Erase, e.RowDate, e.RedactNow, e.Export)
			for what, rel := range map[string][]datamap.Relation{"owner": e.Owners, "also_about": e.AlsoAbout, "also_from": e.AlsoFrom, "mentions": e.Mentions} {
				for _, r := range rel {
					fmt.Fprintf(&b, "  %s %+v\n", what, r)
				}
			}
			if e.Match != nil {
				fmt.Fprintf(&b, "  match %+v\n", *e.Match)
			}
			for n, col := range e.Columns {
				fmt.Fprintf(&b, "  column %q: export %q", n, col.Export)
				if col.Personal != nil {
					fmt.Fprintf(&b, " personal %v", *col.Personal)
				}
				if col.Anonymize != nil {
					fmt.Fprintf(&b, " anonymize %+v", *col.Anonymize)
				}
				b.WriteByte('\n')
			}
		} else {
			b.WriteString("  not in the map\n")
		}
		for _, r := range t.Rows {
			b.WriteString("  row")
			for _, v := range r {
				if v.Set {
					fmt.Fprintf(&b, " %q", v.Text)
				} else {
					b.WriteString(" null")
				}
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}
