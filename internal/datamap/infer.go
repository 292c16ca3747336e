package datamap

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/habeas-data/habeas/internal/fault"
)

// InferOptions name what a database can't tell.
type InferOptions struct {
	Tenant   string   // default acme
	System   string   // default app
	DSN      string   // written as it is unless it holds a password; then ${SYSTEM_DSN}
	Evidence Evidence // samples of the data; nil: names and types alone
}

// NoteKind says what a note is for.
type NoteKind uint8

// The kinds of notes.
const (
	NoteDecide NoteKind = iota // a person must decide; a safe default stands
	NoteRemark                 // worth knowing, nothing to do
	NoteReason                 // why the reference from Table.Column is believed
)

// Note is a remark of Infer: Table "" is the system as a whole, Column "" the table as a whole.
type Note struct {
	Table, Column string
	Text          string
	Kind          NoteKind
}

// Draft is a proposed map.
type Draft struct {
	Map      *Map
	Notes    []Note
	Personal map[string]map[string]string // table -> column -> what it seems to hold, of the named tables
}

// Open counts the decisions that are left to a person.
func (d *Draft) Open() (n int) {
	for _, note := range d.Notes {
		if note.Kind == NoteDecide {
			n++
		}
	}
	return n
}

// Infer proposes a first map from a live database: whose rows are whose, by foreign keys and by columns that are named,
// typed and filled like keys; which columns look personal; and everything it was unsure of as a note, with a safe
// default in its place. subjectColumn is the column by which a person is found (`customer.email`). Errors are Invalid
// faults that say what the database lacks, and what Evidence answers.
func Infer(ctx context.Context, cat *Catalog, subjectTable, subjectColumn string, opts InferOptions) (*Draft, error) {
	t, ok := cat.Table(subjectTable)
	if !ok {
		t, ok = tableInAnyCase(cat, subjectTable)
	}
	switch {
	case !ok || t.View:
		return nil, fault.New(fault.Invalid, "unknown_table", "There is no table %s in this database%s.", subjectTable, orNear(subjectTable, tableNamesOf(cat)))
	case len(t.PrimaryKey) == 0:
		return nil, fault.New(fault.Invalid, "no_primary_key", "The table %s has no primary key; name the subject's key in a map written by hand.", subjectTable)
	}
	if _, ok := t.Column(subjectColumn); !ok {
		return nil, fault.New(fault.Invalid, "unknown_column", "The table %s has no column %s%s.", subjectTable, subjectColumn, orNear(subjectColumn, columnNames(t)))
	}
	cat, home := rehomed(cat, t)
	in := &inference{
		cat: cat, ev: opts.Evidence, namer: newTableNamer(cat), samples: map[string]Sample{}, seats: map[string]*seat{}, personal: map[string]map[string]string{},
		system: System{Name: cmp.Or(opts.System, "app"), Kind: cat.Kind, DSN: opts.DSN},
	}
	if opts.DSN == "" || secretIn(opts.DSN) != secretNone {
		in.system.DSN = "${" + strings.ToUpper(regexp.MustCompile(`[^A-Za-z0-9]`).ReplaceAllString(in.system.Name, "_")) + "_DSN}"
		in.note("", "", "set this variable to the database's address; no password belongs in this file")
	}
	in.schemas(home)
	if err := in.sample(ctx); err != nil {
		return nil, err
	}
	if err := in.discover(ctx, home, subjectColumn); err != nil {
		return nil, err
	}
	in.write()
	return &Draft{
		Map: &Map{Tenant: cmp.Or(opts.Tenant, "acme"), Systems: []System{in.system}}, Notes: in.notes, Personal: in.personal,
	}, nil
}

func tableInAnyCase(cat *Catalog, name string) (*CatalogTable, bool) {
	i := slices.IndexFunc(cat.Tables, func(t CatalogTable) bool { return strings.EqualFold(t.Name, name) })
	if i < 0 {
		return nil, false
	}
	return &cat.Tables[i], true
}

func orNear(name string, known []string) string {
	if s := near(name, known); s != "" {
		return "; " + strings.TrimSuffix(s, "?")
	}
	return ""
}

func tableNamesOf(cat *Catalog) []string {
	var out []string
	for i := range cat.Tables {
		out = append(out, cat.Tables[i].Name)
	}
	return out
}

func columnNames(t *CatalogTable) []string {
	var out []string
	for i := range t.Columns {
		out = append(out, t.Columns[i].Name)
	}
	return out
}

// rehomed writes the names of a PostgreSQL catalog as a map does whose first schema is the subject's.
func rehomed(cat *Catalog, subject *CatalogTable) (*Catalog, *CatalogTable) {
	if cat.Kind != KindPostgres || subject.Name == subject.Bare {
		return cat, subject
	}
	names := map[string]string{}
	for i := range cat.Tables {
		t := &cat.Tables[i]
		names[t.Name] = t.Schema + "." + t.Bare
		if t.Schema == subject.Schema {
			names[t.Name] = t.Bare
		}
	}
	out := &Catalog{Kind: cat.Kind, Tables: slices.Clone(cat.Tables)}
	for i := range out.Tables {
		t := &out.Tables[i]
		t.Name = names[t.Name]
		t.ForeignKeys = slices.Clone(t.ForeignKeys)
		for j := range t.ForeignKeys {
			t.ForeignKeys[j].RefTable = cmp.Or(names[t.ForeignKeys[j].RefTable], t.ForeignKeys[j].RefTable)
		}
		if t.Parent != "" {
			t.Parent = names[t.Parent]
		}
	}
	slices.SortFunc(out.Tables, func(a, b CatalogTable) int { return cmp.Compare(a.Name, b.Name) })
	t, _ := out.Table(subject.Bare)
	return out, t
}

// inference gathers what is found out about a database, table by table.
type inference struct {
	cat      *Catalog
	ev       Evidence
	namer    tableNamer
	system   System
	samples  map[string]Sample
	links    []Link           // foreign keys, believed references and polymorphic ones
	kinds    []string         // tables of people; the first is the subject's
	seats    map[string]*seat // every table that is connected with a person
	order    []string         // of seats, as they were found
	notes    []Note
	personal map[string]map[string]string
}

// seat is a table's place in the draft.
type seat struct {
	role     seatRole
	distance int
	owners   []Relation
	about    []Relation
	from     []Relation // also_from
	mentions []Relation
	closed   []string // columns that hold somebody else's key and are not followed
	match    *Match
	why      string
}

type seatRole uint8

const (
	seatPeople seatRole = iota // the people themselves
	seatOwned                  // by keys that lead down to it
	seatAbove                  // people's rows point at it
	seatMatch                  // found by an identifier
	seatCut                    // reached, and nobody's own
	seatCopy                   // its rows are read through another table
)

func (in *inference) note(table, column, format string, args ...any) {
	in.notes = append(in.notes, Note{Table: table, Column: column, Text: fmt.Sprintf(format, args...)})
}

func (in *inference) remark(table, column, format string, args ...any) {
	in.notes = append(in.notes, Note{Table: table, Column: column, Text: fmt.Sprintf(format, args...), Kind: NoteRemark})
}

func (in *inference) seat(table string, role seatRole, distance int) *seat {
	s := &seat{role: role, distance: distance}
	in.seats[table] = s
	in.order = append(in.order, table)
	return s
}

func (in *inference) table(name string) *CatalogTable {
	t, _ := in.cat.Table(name)
	return t
}

// live lists the tables that count.
func (in *inference) live() []*CatalogTable {
	var out []*CatalogTable
	for i := range in.cat.Tables {
		t := &in.cat.Tables[i]
		if _, ignored := in.system.Schemas.Ignore[t.Schema]; !t.View && !ignored {
			out = append(out, t)
		}
	}
	return out
}

// sample looks at every table once. A table that can't be read is judged by its names.
func (in *inference) sample(ctx context.Context) error {
	if in.ev == nil {
		return nil
	}
	for _, t := range in.live() {
		s, err := in.ev.Sample(ctx, t)
		if err != nil {
			if ctx.Err() != nil {
				return err
			}
			in.remark("", "", "%s could not be looked at, so it was judged by its names alone", t.Name)
			continue
		}
		in.samples[t.Name] = s
	}
	return nil
}

// schemas keeps the subject's schema and those that hold modules of the same product; copies are left out, since equal
// keys there are other people, or the same ones a second time.
func (in *inference) schemas(home *CatalogTable) {
	if in.cat.Kind != KindPostgres {
		return
	}
	in.system.Schemas.Include = []string{home.Schema}
	at := map[string]map[string]bool{}
	for i := range in.cat.Tables {
		t := &in.cat.Tables[i]
		if at[t.Schema] == nil {
			at[t.Schema] = map[string]bool{}
		}
		if !t.View {
			at[t.Schema][t.Bare] = true
		}
	}
	for _, schema := range sortedKeys(mapTo(at)) {
		if schema == home.Schema || len(at[schema]) == 0 {
			continue
		}
		same := 0
		for bare := range at[schema] {
			if at[home.Schema][bare] {
				same++
			}
		}
		marked := slices.ContainsFunc(words(schema), func(w string) bool { return listed(copyWords, w) })
		if same*2 >= len(at[schema]) && same >= 2 || marked && same > 0 {
			in.ignore(schema, "a copy; equal keys are other people")
			in.note("", "", "%d of the %d tables of the schema %s have the same names as in %s: a copy, or a second set of people?", same, len(at[schema]), schema, home.Schema)
			continue
		}
		in.system.Schemas.Include = append(in.system.Schemas.Include, schema)
	}
}

func (in *inference) ignore(schema, why string) {
	if in.system.Schemas.Ignore == nil {
		in.system.Schemas.Ignore = map[string]string{}
	}
	in.system.Schemas.Ignore[schema] = why
}

func mapTo[V any](m map[string]V) map[string]string {
	out := make(map[string]string, len(m))
	for k := range m {
		out[k] = k
	}
	return out
}
