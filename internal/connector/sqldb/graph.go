package sqldb

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/plan"
)

// graph is a map compiled over a live schema: whose rows hang on whose, and which rows refer to which.
type graph struct {
	sys    *datamap.System
	cat    *datamap.Catalog
	tables map[string]*table
	order  []string // names of tables, children first
	edges  []edge
	from   map[*table][]int // indexes of the edges that begin at a table
	to     map[*table][]int // and of those that end at it
	broken []plan.Refusal   // the map names what is not there, or says too little
	bare   []plan.Refusal   // tables that reach a person and have no entry
}

// table is one table of the database with its entry of the map; entry is nil for tables that the map does not name.
type table struct {
	name    string
	cat     *datamap.CatalogTable
	entry   *datamap.Table
	key     []*datamap.CatalogColumn // by which rows are addressed
	keys    []string                 // their names
	keyless bool                     // no primary key: rows are addressed by all columns

	owners, about, alsoFrom, mentions []link
}

// link is a resolved relation: our cols hold what their refs hold, whichever side points.
type link struct {
	to   *table
	cols []string
	refs []string
	up   bool // their refs point at our cols
	when []cond
	then string // of mentions: keep or null, or empty when the map leaves it to the owner's if_others_refer
}

// cond is a column that must have a value (polymorphic keys).
type cond struct{ column, value string }

// edge is a reference of rows to rows, declared by the schema or by the map.
type edge struct {
	from, to   *table
	cols, refs []string
	when       []cond
	nullable   bool // the reference can be cleared
	declared   bool // a foreign key: the database itself insists
	deferrable bool
	onDelete   string // of a declared one: what the database does by itself to rows that refer
	clear      bool   // the map says in words that the reference is cleared (also_about, mentions with on_erase null)
	keep       bool   // the map says in words that the reference stays
	owns       bool   // rows that refer through it are the owner's by the map: nobody else's row can be among them
}

func compile(sys *datamap.System, cat *datamap.Catalog) *graph {
	g := &graph{sys: sys, cat: cat, tables: map[string]*table{}, from: map[*table][]int{}, to: map[*table][]int{}}
	for i := range cat.Tables {
		ct := &cat.Tables[i]
		if ct.View || g.ignored(ct.Schema) {
			continue
		}
		t := &table{name: ct.Name, cat: ct}
		t.key, t.keyless = keyOf(ct)
		for _, c := range t.key {
			t.keys = append(t.keys, c.Name)
		}
		g.tables[ct.Name] = t
	}
	for i := range sys.Tables {
		e := &sys.Tables[i]
		if t, ok := g.tables[e.Name]; ok {
			t.entry = e
		} else if ct, isView := cat.Table(e.Name); !isView || !ct.View {
			g.fault(e.Name, "the map names the table %s, which the database does not have", e.Name)
		}
	}
	for _, t := range g.sorted() {
		if t.entry != nil && t.entry.Personal {
			g.resolve(t)
		}
	}
	g.checkSubjects()
	g.addEdges()
	g.findBare()
	g.order = g.childrenFirst()
	return g
}

func (g *graph) ignored(schema string) bool {
	_, ok := g.sys.Schemas.Ignore[schema]
	return ok
}

func (g *graph) sorted() []*table {
	out := make([]*table, 0, len(g.tables))
	for _, n := range slices.Sorted(maps.Keys(g.tables)) {
		out = append(out, g.tables[n])
	}
	return out
}

func (g *graph) fault(table, format string, args ...any) {
	g.broken = append(g.broken, plan.Refusal{System: g.sys.Name, Table: table, Message: fmt.Sprintf(format, args...)})
}

// keyOf gives the columns that address a row: the primary key, else all columns.
func keyOf(t *datamap.CatalogTable) ([]*datamap.CatalogColumn, bool) {
	names := t.PrimaryKey
	if len(names) == 0 {
		for _, c := range t.Columns {
			names = append(names, c.Name)
		}
	}
	cols := make([]*datamap.CatalogColumn, 0, len(names))
	for _, n := range names {
		if c, ok := t.Column(n); ok {
			cols = append(cols, c)
		}
	}
	return cols, len(t.PrimaryKey) == 0
}

// resolve turns the relations of a table's entry into links, and names every column that is not there.
func (g *graph) resolve(t *table) {
	e := t.entry
	t.owners = g.links(t, e.Owners, "owner")
	t.about = g.links(t, e.AlsoAbout, "also_about")
	t.alsoFrom = g.links(t, e.AlsoFrom, "also_from")
	t.mentions = g.links(t, e.Mentions, "mentions")
	named := slices.Sorted(maps.Keys(e.Columns))
	named = append(named, e.RedactNow...)
	named = append(named, e.Export.HideOthers...)
	if e.RowDate != "" {
		named = append(named, e.RowDate)
	}
	if e.Match != nil {
		for _, all := range e.Match.Any {
			for _, c := range all.Columns {
				named = append(named, c.Column)
			}
		}
	}
	g.has(t, named...)
	if !g.isSubject(t.name) && len(t.owners)+len(t.about)+len(t.alsoFrom)+len(t.mentions) == 0 && e.Match == nil &&
		len(e.Owners)+len(e.AlsoAbout)+len(e.AlsoFrom)+len(e.Mentions) == 0 && !g.holdsIdentifier(t.name) {
		g.fault(t.name, "nothing says whose the rows of %s are: give it an owner, a match, or `match: none`", t.name)
	}
}

// holdsIdentifier tells whether a subject is found by a column of the table: its rows are then the subject's.
func (g *graph) holdsIdentifier(name string) bool {
	for _, s := range g.sys.Subjects {
		for _, id := range s.Identifiers {
			if id.Table == name {
				return true
			}
		}
	}
	return false
}

func (g *graph) has(t *table, columns ...string) bool {
	ok := true
	for _, c := range columns {
		if _, found := t.cat.Column(c); !found {
			g.fault(t.name, "the map names the column %s of %s, which the database does not have", c, t.name)
			ok = false
		}
	}
	return ok
}

func (g *graph) isSubject(name string) bool {
	return slices.ContainsFunc(g.sys.Subjects, func(s datamap.Subject) bool { return s.Table == name })
}

func (g *graph) links(t *table, relations []datamap.Relation, as string) []link {
	var out []link
	for _, r := range relations {
		if l, ok := g.link(t, r, as); ok {
			out = append(out, l)
		}
	}
	return out
}

func (g *graph) link(t *table, r datamap.Relation, as string) (link, bool) {
	to, ok := g.tables[r.Table]
	if !ok {
		g.fault(t.name, "the %s of %s is the table %s, which the database does not have", as, t.name, r.Table)
		return link{}, false
	}
	l := link{to: to, up: r.Upward(), then: r.OnErase}
	for _, c := range slices.Sorted(maps.Keys(r.When)) {
		l.when = append(l.when, cond{c, r.When[c]})
		if !g.has(t, c) {
			return link{}, false
		}
	}
	switch {
	case l.up:
		l.refs = r.From
		l.cols = r.To
		if len(l.cols) == 0 {
			l.cols = pointedAt(to.cat, r.From, t)
		}
	case len(r.By) > 0:
		l.cols = r.By
		l.refs = r.To
		if len(l.refs) == 0 {
			l.refs = pointedAt(t.cat, r.By, to)
		}
	default:
		if l.cols, l.refs, ok = g.onlyKey(t, to, as); !ok {
			return link{}, false
		}
	}
	if len(l.cols) != len(l.refs) {
		g.fault(t.name, "the %s of %s joins %d column(s) (%s) with %d of %s (%s): give as many, with `to` where it is not the primary key",
			as, t.name, len(l.cols), strings.Join(l.cols, ", "), len(l.refs), to.name, strings.Join(l.refs, ", "))
		return link{}, false
	}
	return l, g.has(t, l.cols...) && g.has(to, l.refs...)
}

// pointedAt gives the columns of to that the columns of from point at: by the declared key, else the primary key.
func pointedAt(from *datamap.CatalogTable, cols []string, to *table) []string {
	for _, fk := range from.ForeignKeys {
		if fk.RefTable == to.name && sameSet(fk.Columns, cols) {
			out := make([]string, len(cols))
			for i, c := range cols {
				out[i] = fk.RefColumns[slices.Index(fk.Columns, c)]
			}
			return out
		}
	}
	return to.cat.PrimaryKey
}

func sameSet(a, b []string) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(s string) bool { return !slices.Contains(b, s) })
}

// onlyKey finds the only foreign key, or the only declared reference, from t to the owner.
func (g *graph) onlyKey(t, to *table, as string) (cols, refs []string, ok bool) {
	var found [][2][]string
	for _, fk := range t.cat.ForeignKeys {
		if fk.RefTable == to.name {
			found = append(found, [2][]string{fk.Columns, fk.RefColumns})
		}
	}
	if len(found) == 0 {
		for _, r := range g.sys.References {
			if r.FromTable == t.name && r.ToTable == to.name {
				found = append(found, [2][]string{r.FromColumns, r.ToColumns})
			}
		}
	}
	switch len(found) {
	case 1:
		return found[0][0], found[0][1], true
	case 0:
		g.fault(t.name, "%s has no foreign key to its %s %s: name the column that holds it, `{table: %s, by: …}`", t.name, as, to.name, to.name)
	default:
		names := make([]string, len(found))
		for i, f := range found {
			names[i] = strings.Join(f[0], "+")
		}
		g.fault(t.name, "%s has %d foreign keys to its %s %s (%s): say which, `{table: %s, by: %s}`",
			t.name, len(found), as, to.name, strings.Join(names, ", "), to.name, names[0])
	}
	return nil, nil, false
}

func (g *graph) checkSubjects() {
	for _, s := range g.sys.Subjects {
		t, ok := g.tables[s.Table]
		if !ok {
			g.fault(s.Table, "the subject %s lies in the table %s, which the database does not have", s.Name, s.Table)
			continue
		}
		g.has(t, s.Key...)
		for _, id := range s.Identifiers {
			home, ok := g.tables[defaultTo(id.Table, s.Table)]
			if !ok {
				g.fault(id.Table, "the identifier %s lies in the table %s, which the database does not have", id.Name, id.Table)
				continue
			}
			g.has(home, id.Column)
			g.has(home, id.By...)
		}
	}
}

// usable is the error of a map that does not fit the database; nil when it fits. Uncovered tables do not count: they
// stop an erasure, not a look-up.
func (g *graph) usable() error {
	if len(g.broken) == 0 {
		return nil
	}
	fields := make([]fault.Field, len(g.broken))
	for i, b := range g.broken {
		fields[i] = fault.Field{Name: b.System + "." + b.Table, Message: b.Message}
	}
	return &fault.Error{
		Kind: fault.Invalid, Code: "map_broken", Fields: fields,
		Message: fmt.Sprintf("The data map does not fit the database %s.", g.sys.Name),
	}
}
