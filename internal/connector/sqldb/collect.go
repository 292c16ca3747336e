package sqldb

import (
	"context"
	"slices"
	"strconv"
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
	r := w.reader(t)
	b := &builder{dialect: w.d.dialect}
	w.rows(b, t, reached, selection{order: true, cols: func(a string) { w.writeColumns(b, a, t, r) }})
	err = w.d.dialect.read(ctx, q, b.sql.String(), b.args, r.width, func(v []value) error { return r.row(v, sink) })
	switch {
	case r.failed != nil:
		return r.failed // of the sink: none of the database's
	case err != nil:
		return w.d.fail(err, "reading %s", t.name)
	case !r.begun:
		return nil
	}
	return sink.End()
}

// rowReader turns rows of a statement into rows of a collection.
type rowReader struct {
	head   connector.Collection
	cells  []exportForm
	keyAt  []int // where each part of the key stands among the values read
	at     []int // where each column's value stands; -1 where it is not read
	owners []int // columns that are hidden where they do not hold this person's key
	flags  int   // where the first of the owners' answers stands
	width  int   // of a row as it is read

	key    connector.Key
	values [][]byte
	ends   []int
	buf    []byte
	begun  bool
	failed error
}

func (w *walk) reader(t *table) *rowReader {
	r := &rowReader{at: make([]int, len(t.cat.Columns)), keyAt: make([]int, len(t.keys)), key: make(connector.Key, len(t.keys)),
		values: make([][]byte, len(t.cat.Columns)), ends: make([]int, len(t.cat.Columns)+1)}
	r.head, r.cells = w.collection(t)
	for i, c := range r.head.Columns {
		r.at[i] = -1
		if c.Show == datamap.ShowFull || c.Show == datamap.ShowPresence { // what is not shown is not even read
			r.at[i] = r.width
			r.width++
		}
	}
	for i, k := range t.key {
		n := slices.IndexFunc(t.cat.Columns, func(c datamap.CatalogColumn) bool { return c.Name == k.Name })
		if n >= 0 && r.head.Columns[n].Show == datamap.ShowFull && w.d.dialect.keyIsValue(k) {
			r.keyAt[i] = r.at[n]
			continue
		}
		r.keyAt[i] = r.width
		r.width++
	}
	r.flags = r.width
	for _, name := range w.ownKeyColumns(t) {
		n := slices.IndexFunc(t.cat.Columns, func(c datamap.CatalogColumn) bool { return c.Name == name })
		if n >= 0 && r.head.Columns[n].Show == datamap.ShowFull {
			r.owners = append(r.owners, n)
			r.width++
		}
	}
	return r
}

// writeColumns writes what reader lays out, in that order.
func (w *walk) writeColumns(b *builder, a string, t *table, r *rowReader) {
	var list []string
	for i := range t.cat.Columns {
		switch col := b.col(a, t.cat.Columns[i].Name); {
		case r.at[i] < 0:
		case r.head.Columns[i].Show == datamap.ShowPresence:
			list = append(list, "CASE WHEN "+col+" IS NULL THEN 0 ELSE 1 END")
		default:
			list = append(list, w.d.dialect.export(col, &t.cat.Columns[i]).expr)
		}
	}
	for i, text := range w.keyTexts(b, a, t) {
		if r.keyAt[i] == len(list) {
			list = append(list, text)
		}
	}
	b.write(strings.Join(list, ", "))
	for _, n := range r.owners { // whether a column that may hold another person's key holds this person's
		name := t.cat.Columns[n].Name
		b.write(", CASE WHEN ", b.col(a, name), " IS NULL THEN 1 WHEN ")
		w.writeKeys(b, a, t, []string{name})
		b.write(" THEN 1 ELSE 0 END")
	}
}

func (r *rowReader) row(v []value, sink connector.Sink) error {
	if !r.begun {
		r.begun = true
		if r.failed = sink.Begin(r.head); r.failed != nil {
			return r.failed
		}
	}
	for i, at := range r.keyAt {
		r.key[i] = nullPart
		if v[at].class != classNull {
			r.key[i] = v[at].text()
		}
	}
	buf := r.buf[:0]
	for i, at := range r.at {
		if at >= 0 {
			buf = r.cell(buf, i, &v[at])
		}
		r.ends[i+1] = len(buf)
	}
	r.buf = buf
	for i, at := range r.at {
		r.values[i] = nil
		if at >= 0 {
			r.values[i] = buf[r.ends[i]:r.ends[i+1]]
		}
	}
	for i, n := range r.owners {
		if v[r.flags+i].text() == "0" {
			r.values[n] = nil
		}
	}
	r.failed = sink.Row(r.key, r.values)
	return r.failed
}

func (r *rowReader) cell(buf []byte, column int, v *value) []byte {
	switch {
	case r.head.Columns[column].Show == datamap.ShowPresence:
		return strconv.AppendBool(buf, v.text() == "1")
	case v.class == classNull:
		return append(buf, "null"...)
	}
	return r.cells[column].encode(buf, v)
}

// ownKeyColumns gives the columns that the map hides where they hold another person's key.
func (w *walk) ownKeyColumns(t *table) []string {
	if t.entry == nil || len(w.subject.Key) != 1 {
		return nil
	}
	return t.entry.Export.HideOthers
}

func (w *walk) collection(t *table) (connector.Collection, []exportForm) {
	head := connector.Collection{System: w.d.sys.Name, Table: t.name, Key: t.cat.PrimaryKey}
	cells := make([]exportForm, len(t.cat.Columns))
	for i := range t.cat.Columns {
		c := &t.cat.Columns[i]
		cells[i] = w.d.dialect.export(c.Name, c)
		show := datamap.ShowFull
		if t.entry != nil && t.entry.Columns[c.Name].Export != "" {
			show = t.entry.Columns[c.Name].Export
		}
		if show == datamap.ShowFull && len(w.subject.Key) != 1 && t.entry != nil && slices.Contains(t.entry.Export.HideOthers, c.Name) {
			show = datamap.ShowHide // part of a composite key can't be told apart: hidden in doubt
		}
		head.Columns = append(head.Columns, connector.CollectionColumn{
			Name: c.Name, Type: c.Type, JSON: cells[i].kind, Nullable: c.Nullable, Show: show, Tagged: cells[i].tagged,
		})
		if show == datamap.ShowPresence {
			head.Columns[i].JSON = connector.JSONBoolean
		}
	}
	return head, cells
}
