package sqldb

import (
	"context"
	"slices"
	"strings"

	"github.com/habeas-data/habeas/internal/datamap"
)

// catalogBuilder gathers what the catalog queries of an engine answer, row by row.
type catalogBuilder struct {
	cat    datamap.Catalog
	byName map[string]*datamap.CatalogTable
	order  []string
}

func newCatalogBuilder(kind datamap.Kind) *catalogBuilder {
	return &catalogBuilder{cat: datamap.Catalog{Kind: kind}, byName: map[string]*datamap.CatalogTable{}}
}

func (b *catalogBuilder) add(t datamap.CatalogTable) *datamap.CatalogTable {
	b.byName[t.Name] = &t
	b.order = append(b.order, t.Name)
	return &t
}

// foreignKey adds a key once: partitions repeat those of their parent, and some keys live on partitions only.
func (b *catalogBuilder) foreignKey(table string, fk datamap.ForeignKey) {
	t, ok := b.byName[table]
	if !ok {
		return
	}
	for _, have := range t.ForeignKeys {
		if have.RefTable == fk.RefTable && slices.Equal(have.Columns, fk.Columns) && slices.Equal(have.RefColumns, fk.RefColumns) {
			return
		}
	}
	t.ForeignKeys = append(t.ForeignKeys, fk)
}

// index adds the columns of an index; a unique one over nullable or partial values is for the caller to leave out.
func (b *catalogBuilder) index(table string, cols []string, primary, unique bool) {
	t, ok := b.byName[table]
	if !ok || len(cols) == 0 {
		return
	}
	switch {
	case primary:
		t.PrimaryKey = cols
	case unique && !containsSet(t.Unique, cols):
		t.Unique = append(t.Unique, cols)
	}
	if !containsSet(t.Indexes, cols) {
		t.Indexes = append(t.Indexes, cols)
	}
}

func (b *catalogBuilder) trigger(table, name, event string, deletes bool) {
	if t, ok := b.byName[table]; ok {
		t.Triggers = append(t.Triggers, datamap.Trigger{Name: name, Event: event, Deletes: deletes})
	}
}

func containsSet(sets [][]string, cols []string) bool {
	return slices.ContainsFunc(sets, func(s []string) bool { return slices.Equal(s, cols) })
}

func (b *catalogBuilder) done() *datamap.Catalog {
	slices.Sort(b.order)
	for _, n := range b.order {
		b.cat.Tables = append(b.cat.Tables, *b.byName[n])
	}
	return &b.cat
}

// each runs a query and hands every row's columns, read as text, to fn; null is "". Without fn the rows are passed over.
func each(ctx context.Context, q querier, query string, args []any, n int, fn func(v []string)) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	cells := make([]textCell, n)
	dest, v := make([]any, n), make([]string, n)
	for i := range cells {
		dest[i] = &cells[i]
	}
	for rows.Next() {
		if fn == nil {
			continue
		}
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		for i := range cells {
			v[i] = cells[i].text
		}
		fn(v)
	}
	return rows.Err()
}

// textCell reads any value as text.
type textCell struct {
	text string
	null bool
}

// Scan implements sql.Scanner.
func (c *textCell) Scan(src any) error {
	c.null = src == nil
	c.text = ""
	if !c.null {
		c.text = text(src)
	}
	return nil
}

// split takes apart a list that a catalog query joined with the unit separator, which no sane name holds.
func split(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, "\x1f")
}
