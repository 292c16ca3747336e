package datamap

import (
	"fmt"
	"slices"
	"strings"
)

// Link is a relation with its columns known: FromColumns of From hold the ToColumns of To.
type Link struct {
	From        string
	FromColumns []string
	To          string
	ToColumns   []string
	When        map[string]string // polymorphic: only rows of the relation's table that have these values
	Enforced    bool              // the database itself holds it
}

// String gives `invoice.customer_id → customer.customer_id`.
func (l Link) String() string {
	return l.From + "." + strings.Join(l.FromColumns, "+") + " → " + l.To + "." + strings.Join(l.ToColumns, "+")
}

func (l Link) same(o Link) bool {
	return l.From == o.From && l.To == o.To && slices.Equal(l.FromColumns, o.FromColumns) && slices.Equal(l.ToColumns, o.ToColumns)
}

// Links lists every key by which tables of a system refer to each other: the foreign keys of the database, then the
// references of the map that the database does not know.
func Links(sys *System, cat *Catalog) []Link {
	var out []Link
	add := func(l Link) {
		if !slices.ContainsFunc(out, l.same) {
			out = append(out, l)
		}
	}
	for i := range cat.Tables {
		t := &cat.Tables[i]
		for _, fk := range t.ForeignKeys {
			to := fk.RefColumns
			if parent, ok := cat.Table(fk.RefTable); ok && len(to) == 0 {
				to = parent.PrimaryKey // SQLite leaves them out when the primary key is meant
			}
			add(Link{From: t.Name, FromColumns: fk.Columns, To: fk.RefTable, ToColumns: to, Enforced: true})
		}
	}
	for _, r := range sys.References {
		add(Link{From: r.FromTable, FromColumns: r.FromColumns, To: r.ToTable, ToColumns: r.ToColumns})
	}
	return out
}

// Resolve finds the columns of a relation of a table. The error says in one sentence what a person must add to the
// map: a table that does not exist, no key between the two, or several.
func Resolve(sys *System, cat *Catalog, table string, rel Relation) (Link, error) {
	ours, ok := cat.Table(table)
	if !ok {
		return Link{}, fmt.Errorf("%s does not exist", table)
	}
	theirs, ok := cat.Table(rel.Table)
	if !ok {
		return Link{}, fmt.Errorf("%s does not exist", rel.Table)
	}
	switch {
	case rel.Upward():
		return explicit(theirs, rel.From, ours, nil, rel.When)
	case len(rel.By) > 0:
		return explicit(ours, rel.By, theirs, rel.To, rel.When)
	}
	var found []Link
	for _, l := range Links(sys, cat) {
		if l.From == table && l.To == rel.Table {
			found = append(found, l)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return Link{}, fmt.Errorf("no foreign key leads from %s to %s: say by which column, {table: %s, by: …}", table, rel.Table, rel.Table)
	default:
		var columns []string
		for _, l := range found {
			columns = append(columns, strings.Join(l.FromColumns, "+"))
		}
		return Link{}, fmt.Errorf("%s refers to %s by %s: say which, {table: %s, by: %s}",
			table, rel.Table, strings.Join(columns, " and by "), rel.Table, columns[0])
	}
}

func explicit(from *CatalogTable, by []string, to *CatalogTable, columns []string, when map[string]string) (Link, error) {
	if len(columns) == 0 {
		columns = to.PrimaryKey
		// A declared key over the same columns knows better than the primary key.
		for _, fk := range from.ForeignKeys {
			if fk.RefTable == to.Name && slices.Equal(fk.Columns, by) && len(fk.RefColumns) > 0 {
				columns = fk.RefColumns
			}
		}
	}
	switch {
	case len(columns) == 0:
		return Link{}, fmt.Errorf("%s has no primary key: say which columns are meant with to", to.Name)
	case len(columns) != len(by):
		return Link{}, fmt.Errorf("%s names %d columns, the key of %s has %d (%s)",
			strings.Join(by, ", "), len(by), to.Name, len(columns), strings.Join(columns, ", "))
	}
	for _, c := range by {
		if _, ok := from.Column(c); !ok {
			return Link{}, fmt.Errorf("%s has no column %s", from.Name, c)
		}
	}
	for _, c := range columns {
		if _, ok := to.Column(c); !ok {
			return Link{}, fmt.Errorf("%s has no column %s", to.Name, c)
		}
	}
	return Link{From: from.Name, FromColumns: by, To: to.Name, ToColumns: columns, When: when}, nil
}
