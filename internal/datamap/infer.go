package datamap

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/habeas-data/habeas/internal/fault"
)

// InferOptions name what a database can't tell.
type InferOptions struct {
	Tenant string // default acme
	System string // default app
	DSN    string // written as it is unless it holds a password; then ${SYSTEM_DSN}
}

// Note is something a person must decide: Table "" is the system as a whole, Column "" the table as a whole.
type Note struct {
	Table, Column string
	Text          string
}

// Infer proposes a first map from a live database: whose rows are whose by foreign keys and by columns named like the
// subject's key, columns that look personal, and everything it was unsure of as a note. subjectColumn is the column
// by which a person is found (`customer.email`). Errors are Invalid faults that say what the database lacks.
func Infer(cat *Catalog, subjectTable, subjectColumn string, opts InferOptions) (*Map, []Note, error) {
	t, ok := cat.Table(subjectTable)
	switch {
	case !ok || t.View:
		return nil, nil, fault.New(fault.Invalid, "unknown_table", "There is no table %s in this database.", subjectTable)
	case len(t.PrimaryKey) == 0:
		return nil, nil, fault.New(fault.Invalid, "no_primary_key", "The table %s has no primary key; name the subject's key in a map written by hand.", subjectTable)
	}
	if _, ok := t.Column(subjectColumn); !ok {
		return nil, nil, fault.New(fault.Invalid, "unknown_column", "The table %s has no column %s.", subjectTable, subjectColumn)
	}
	in := &inference{cat: cat, kept: map[string]int{}, system: System{
		Name: cmp.Or(opts.System, "app"), Kind: cat.Kind, DSN: opts.DSN,
		Subjects: []Subject{{Name: subjectTable, Table: subjectTable, Key: t.PrimaryKey}},
	}}
	if opts.DSN == "" || secretIn(opts.DSN) != secretNone {
		in.system.DSN = "${" + strings.ToUpper(regexp.MustCompile(`[^A-Za-z0-9]`).ReplaceAllString(in.system.Name, "_")) + "_DSN}"
		in.note("", "", "set this variable to the database's address; no password belongs in this file")
	}
	in.identifiers(t, subjectColumn)
	in.schemas(t)
	in.suspected()
	in.tables(subjectTable)
	return &Map{Tenant: cmp.Or(opts.Tenant, "acme"), Systems: []System{in.system}}, in.notes, nil
}

type inference struct {
	cat    *Catalog
	system System
	kept   map[string]int // table -> distance from the subject, of tables that reach it
	notes  []Note
}

func (in *inference) note(table, column, format string, args ...any) {
	in.notes = append(in.notes, Note{table, column, fmt.Sprintf(format, args...)})
}

func (in *inference) identifiers(t *CatalogTable, column string) {
	s := &in.system.Subjects[0]
	name := snake(column)
	if strings.Contains(name, "mail") {
		name = "email"
	}
	s.Identifiers = []Identifier{{Name: name, Table: t.Name, Column: column, Match: defaultRule(name)}}
	if len(s.Key) == 1 && s.Key[0] != column {
		s.Identifiers = append(s.Identifiers, Identifier{Name: "user_id", Table: t.Name, Column: s.Key[0], Match: MatchExact})
	}
	if !unique(t, column) {
		in.note(t.Name, "", "%s is not unique: two people with one %s go to an officer", column, name)
	}
}

// schemas keeps the subject's schema and leaves the others to a person: equal keys there may be other people.
func (in *inference) schemas(t *CatalogTable) {
	if in.cat.Kind != KindPostgres {
		return
	}
	in.system.Schemas.Include = []string{t.Schema}
	for i := range in.cat.Tables {
		other := in.cat.Tables[i].Schema
		if other == t.Schema || in.system.Schemas.Ignore[other] != "" {
			continue
		}
		if in.system.Schemas.Ignore == nil {
			in.system.Schemas.Ignore = map[string]string{}
		}
		in.system.Schemas.Ignore[other] = "not looked at yet"
		in.note("", "", "does the schema %s hold people's data? If so, include it and name its tables", other)
	}
}

func (in *inference) ignored(t *CatalogTable) bool {
	_, ok := in.system.Schemas.Ignore[t.Schema]
	return t.View || ok
}

// suspected adds references for columns that no foreign key declares but that are named like the key of the subject or
// of a table already known to lie below it: `login.customer_id`, then `order_item.order_id`. What the person's own row
// seems to point at (`customer.address_id`) is added as well; above decides whether it is personal.
func (in *inference) suspected() {
	subject := in.system.Subjects[0]
	known := []Subject{{Table: subject.Table, Key: subject.Key}}
	for i := 0; i < len(known); i++ {
		for j := range in.cat.Tables {
			t := &in.cat.Tables[j]
			if in.ignored(t) || slices.ContainsFunc(known, func(s Subject) bool { return s.Table == t.Name }) {
				continue
			}
			if in.refer(t, known[i]) || slices.ContainsFunc(t.ForeignKeys, func(fk ForeignKey) bool { return fk.RefTable == known[i].Table }) {
				known = append(known, Subject{Table: t.Name, Key: t.PrimaryKey})
			}
		}
	}
	own, _ := in.cat.Table(subject.Table)
	for j := range in.cat.Tables {
		t := &in.cat.Tables[j]
		if !in.ignored(t) && !slices.ContainsFunc(known, func(s Subject) bool { return s.Table == t.Name }) {
			in.refer(own, Subject{Table: t.Name, Key: t.PrimaryKey})
		}
	}
}

// refer adds references from columns of a table that are named and typed like the key of another.
func (in *inference) refer(t *CatalogTable, to Subject) bool {
	added := false
	for i := range t.Columns {
		c := &t.Columns[i]
		declared := slices.ContainsFunc(t.ForeignKeys, func(fk ForeignKey) bool { return slices.Contains(fk.Columns, c.Name) })
		if declared || slices.Equal(t.PrimaryKey, []string{c.Name}) || !suspectedKey(c, to, in.cat) {
			continue
		}
		in.system.References = append(in.system.References, Reference{t.Name, []string{c.Name}, to.Table, to.Key})
		in.note(t.Name, "", "%s looks like the key of %s; the database does not declare it", c.Name, to.Table)
		added = true
	}
	return added
}

// tables walks from the subject down the keys and names every table that it comes to, then looks at what stands
// above the person, and at what no key connects but whose columns look personal.
func (in *inference) tables(subject string) {
	links := Links(&in.system, in.cat)
	for _, name := range append([]string{subject}, in.below([]string{subject}, links)...) {
		t, _ := in.cat.Table(name)
		in.system.Tables = append(in.system.Tables, in.owned(t, links))
	}
	in.above(subject, links)
	// What hangs on people of another kind is theirs: it is named as well, and waits for the same decision.
	for _, name := range in.below(in.strangers(), links) {
		t, _ := in.cat.Table(name)
		in.system.Tables = append(in.system.Tables, in.owned(t, links))
	}
	in.system.Wildcard = &Table{Name: "*", Why: "no key leads from these tables to a person"}
}

// below lists the tables from which keys lead to one of the given ones, nearest first, without those listed before.
func (in *inference) below(from []string, links []Link) []string {
	for _, name := range from {
		in.kept[name] = 0
	}
	order := slices.Clone(from)
	for i := 0; i < len(order); i++ {
		for _, l := range links {
			t, ok := in.cat.Table(l.From)
			if _, seen := in.kept[l.From]; l.To == order[i] && !seen && ok && !in.ignored(t) && !named(&in.system, l.From) {
				in.kept[l.From] = in.kept[order[i]] + 1
				order = append(order, l.From)
			}
		}
	}
	return order[len(from):]
}

// owned proposes a table's entry: the owner is the nearest table to the person that it refers to.
func (in *inference) owned(t *CatalogTable, links []Link) Table {
	subject := in.system.Subjects[0].Table
	out := Table{Name: t.Name, Personal: true, Category: "account", Erase: Erase{Do: EraseWithOwner}, Columns: map[string]Column{}}
	if t.Name == subject {
		out.Erase.Do = EraseDelete
		in.note(t.Name, "", "erase: delete, anonymize or retain; and the category, as the policy names it")
	}
	var up []Link
	for _, l := range links {
		if _, ok := in.kept[l.To]; ok && l.From == t.Name && l.To != t.Name {
			up = append(up, l)
		}
	}
	slices.SortStableFunc(up, func(a, b Link) int { return cmp.Compare(in.kept[a.To], in.kept[b.To]) })
	for i, l := range up {
		rel := Relation{Table: l.To}
		if len(filter(up, func(o Link) bool { return o.To == l.To })) > 1 {
			rel.By = l.FromColumns
		}
		column := strings.Join(l.FromColumns, "+")
		switch {
		case i == 0 && t.Name != subject:
			out.Owners = []Relation{rel}
		case t.Name != subject && l.To == subject && up[0].To == subject:
			rel.By = l.FromColumns
			out.AlsoAbout = append(out.AlsoAbout, rel)
			in.note(t.Name, "", "%s refers to %s twice: is it shared by two people? Who owns it, and is %s of another person?", t.Name, subject, column)
		case t.Name != subject:
			in.note(t.Name, column, "refers to %s as well: another way to the same person, or to another one?", l.To)
		}
	}
	if len(out.AlsoAbout) > 0 {
		out.Erase.Do = EraseDelete
		in.note(t.Name, "", "erase: a shared row that is deleted is gone for the other person too; anonymize keeps it")
		out.Erase.IfOthersRefer = OthersRefuse
	}
	in.selfReferences(t, &out, links)
	in.columns(t, &out)
	return out
}

func filter(in []Link, keep func(Link) bool) []Link {
	var out []Link
	for _, l := range in {
		if keep(l) {
			out = append(out, l)
		}
	}
	return out
}

// selfReferences marks keys of a people's table to itself (reports_to): they are other people's.
func (in *inference) selfReferences(t *CatalogTable, out *Table, links []Link) {
	for _, l := range links {
		if l.From != t.Name || l.To != t.Name || len(l.FromColumns) != 1 || t.Name != in.system.Subjects[0].Table {
			continue
		}
		no := false
		out.Columns[l.FromColumns[0]] = Column{Personal: &no}
		in.note(t.Name, l.FromColumns[0], "another person's key, so it is not followed")
	}
}

func (in *inference) columns(t *CatalogTable, out *Table) {
	for i := range t.Columns {
		c := &t.Columns[i]
		what := looksPersonal(c.Name)
		if what != "" && secretNames.MatchString(snake(c.Name)) {
			col := out.Columns[c.Name]
			col.Export = ShowPresence
			out.Columns[c.Name] = col
			in.note(t.Name, c.Name, "%s: the person is told that it is held, not what it is", what)
		}
	}
	if len(out.Columns) == 0 {
		out.Columns = nil
	}
}

// above looks at the tables that the person's row points at: an address may be the person's own, a city is not.
func (in *inference) above(subject string, links []Link) {
	for _, l := range links {
		t, ok := in.cat.Table(l.To)
		if _, seen := in.kept[l.To]; l.From != subject || seen || !ok || in.ignored(t) || named(&in.system, l.To) {
			continue
		}
		what := ""
		for i := range t.Columns {
			if w := looksPersonal(t.Columns[i].Name); w != "" && what == "" {
				what = t.Columns[i].Name
			}
		}
		hasPeople := slices.ContainsFunc(t.Columns, func(c CatalogColumn) bool {
			w := looksPersonal(c.Name)
			return w == "an e-mail address" || w == "a person's name" || w == "a password or secret"
		})
		switch {
		case what == "":
			continue
		case hasPeople:
			// A staff member, a manager: another kind of person, never reached from this one.
			no := false
			entry, _ := in.system.Table(subject)
			if entry.Columns == nil {
				entry.Columns = map[string]Column{}
			}
			for _, column := range l.FromColumns {
				entry.Columns[column] = Column{Personal: &no}
			}
			in.note(subject, strings.Join(l.FromColumns, "+"), "another person's key, so it is not followed; is %s a second kind of subject?", l.To)
		default:
			in.system.Tables = append(in.system.Tables, Table{
				Name: l.To, Personal: true, Category: "account", Owners: []Relation{{Table: subject, From: l.FromColumns}},
				Erase: Erase{Do: EraseDelete, IfOthersRefer: OthersKeep},
			})
			in.note(l.To, "", "%s points at it and %s looks personal: the person's own, kept where others use it too?", subject, what)
		}
	}
}

// strangers names tables that no key connects but that hold an e-mail column: people of
// another kind, or the same ones by their address. It gives their names.
func (in *inference) strangers() []string {
	var out []string
	subject := in.system.Subjects[0]
	id := subject.Identifiers[0]
	for i := range in.cat.Tables {
		t := &in.cat.Tables[i]
		if in.ignored(t) || named(&in.system, t.Name) {
			continue
		}
		var any []MatchAll
		for j := range t.Columns {
			c := &t.Columns[j]
			if id.Match == MatchDomainCI && classOf(c) == typeText && looksPersonal(c.Name) == "an e-mail address" {
				any = append(any, MatchAll{[]MatchColumn{{Column: c.Name, Identifier: id.Name}}})
			}
		}
		if len(any) == 0 {
			for j := range t.Columns {
				if what := looksPersonal(t.Columns[j].Name); what != "" {
					in.note("*", "", "%s.%s looks like %s, yet no key leads to a person", t.Name, t.Columns[j].Name, what)
				}
			}
			continue
		}
		in.system.Tables = append(in.system.Tables, Table{
			Name: t.Name, Personal: true, Match: &Match{None: true}, Category: "account",
			Why: "not decided yet: no key leads to " + subject.Table,
		})
		out = append(out, t.Name)
		in.note(t.Name, "", "same people as in %s? Then match: {any: [{%s: %s}]} and erase: delete; another kind of person: a subject of its own", subject.Table, any[0].Columns[0].Column, id.Name)
	}
	return out
}
