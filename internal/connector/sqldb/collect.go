package sqldb

import (
	"context"
	"slices"
	"strings"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/datamap"
)

// Collect streams the person's rows table by table, ordered by key, in one snapshot and at constant memory. Tables
// without rows are left out. A map that does not fit the database is a fault.Invalid before the first row: an
// export that silently lacks a table would be worse than none.
func (d *DB) Collect(ctx context.Context, scope connector.Scope, sink connector.Sink) error {
	g, err := d.freshGraph(ctx)
	if err != nil {
		return err
	}
	return d.inSnapshot(ctx, func(q querier) error {
		w, err := d.start(ctx, q, g, scope)
		if err != nil {
			return err
		}
		for _, t := range newFates(w, q, nil).order {
			if err := w.collect(ctx, q, t, sink); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *walk) collect(ctx context.Context, q querier, t *table, sink connector.Sink) error {
	hidden, err := w.hidden(ctx, q, t)
	if err != nil {
		return err
	}
	if hidden > 0 {
		if err := sink.Hidden(t.name, hidden, "somebody else's"); err != nil {
			return err
		}
	}
	if t.entry != nil && t.entry.Export.Skip {
		n := int64(0)
		if err := w.stream(ctx, q, t, reading{set: reached}, func(record) { n++ }); err != nil || n == 0 {
			return err
		}
		return sink.Hidden(t.name, n, defaultTo(t.entry.Export.Why, "the data map leaves it out"))
	}
	b := &builder{dialect: w.d.dialect}
	head, cells := w.collection(t)
	keys := make([]textCell, len(t.keys))
	owners := w.ownKeyColumns(t)
	w.rows(b, t, reached, selection{order: true, cols: func(a string) {
		list := w.keyTexts(b, a, t)
		for i := range t.cat.Columns {
			c := &t.cat.Columns[i]
			expr, _, _ := w.d.dialect.export(b.col(a, c.Name), c)
			switch {
			case head.Columns[i].Show == datamap.ShowPresence:
				expr = "CASE WHEN " + b.col(a, c.Name) + " IS NULL THEN 0 ELSE 1 END"
			case head.Columns[i].Show == datamap.ShowHide || head.Columns[i].Show == datamap.ShowNever:
				expr = "NULL" // what is not shown is not even read
			}
			list = append(list, expr)
		}
		b.write(strings.Join(list, ", "))
		for _, c := range owners { // whether a column that may hold another person's key holds this person's
			col := c
			b.write(", CASE WHEN ", b.col(a, c), " IS NULL THEN 1 WHEN ")
			w.writeKeys(b, a, t, []string{col})
			b.write(" THEN 1 ELSE 0 END")
		}
	}})
	rows, err := q.QueryContext(ctx, b.sql.String(), b.args...) //nolint:rowserrcheck // send asks for it
	if err != nil {
		return w.d.fail(err, "reading %s", t.name)
	}
	defer func() { _ = rows.Close() }()
	return w.send(rows, t, head, keys, cells, owners, sink)
}

// sqlRows is what send needs of *sql.Rows.
type sqlRows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
}

func (w *walk) send(rows sqlRows, t *table, head connector.Collection, keys []textCell, cells []cell, owners []string, sink connector.Sink) error {
	flags := make([]textCell, len(owners))
	dest := make([]any, 0, len(keys)+len(cells)+len(flags))
	for i := range keys {
		dest = append(dest, &keys[i])
	}
	for i := range cells {
		dest = append(dest, &cells[i])
	}
	for i := range flags {
		dest = append(dest, &flags[i])
	}
	at := make([]int, len(owners))
	for i, c := range owners {
		at[i] = slices.IndexFunc(t.cat.Columns, func(cc datamap.CatalogColumn) bool { return cc.Name == c })
	}
	key, values := make(connector.Key, len(keys)), make([][]byte, len(cells))
	begun := false
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return w.d.fail(err, "reading %s", t.name)
		}
		if !begun {
			begun = true
			if err := sink.Begin(head); err != nil {
				return err
			}
		}
		fillKey(key, keys)
		for i := range cells {
			values[i] = cells[i].value()
		}
		for i, f := range flags {
			if f.text == "0" {
				values[at[i]] = nil
			}
		}
		for i, k := range t.keys { // a key that is another person's must not leave by the side door either
			if n := slices.Index(owners, k); n >= 0 && flags[n].text == "0" {
				key[i] = ""
			}
		}
		if err := sink.Row(key, values); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return w.d.fail(err, "reading %s", t.name)
	}
	if !begun {
		return nil
	}
	return sink.End()
}

// ownKeyColumns gives the columns that the map hides where they hold another person's key.
func (w *walk) ownKeyColumns(t *table) []string {
	if t.entry == nil || len(w.subject.Key) != 1 {
		return nil
	}
	return t.entry.Export.HideOthers
}

func (w *walk) collection(t *table) (connector.Collection, []cell) {
	head := connector.Collection{System: w.d.sys.Name, Table: t.name, Key: t.cat.PrimaryKey}
	cells := make([]cell, len(t.cat.Columns))
	for i := range t.cat.Columns {
		c := &t.cat.Columns[i]
		_, kind, enc := w.d.dialect.export(c.Name, c)
		show := datamap.ShowFull
		if t.entry != nil && t.entry.Columns[c.Name].Export != "" {
			show = t.entry.Columns[c.Name].Export
		}
		if show == datamap.ShowFull && len(w.subject.Key) != 1 && t.entry != nil && slices.Contains(t.entry.Export.HideOthers, c.Name) {
			show = datamap.ShowHide // part of a composite key can't be told apart: hidden in doubt
		}
		head.Columns = append(head.Columns, connector.CollectionColumn{
			Name: c.Name, Type: c.Type, JSON: kind, Nullable: c.Nullable, Show: show,
		})
		cells[i] = cell{encode: enc, shown: show == datamap.ShowFull}
		if show == datamap.ShowPresence {
			head.Columns[i].JSON = connector.JSONBoolean
		}
	}
	return head, cells
}
