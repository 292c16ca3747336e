package sqldb

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"strings"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/plan"
)

// place is a column in which a field of the person is kept.
type place struct {
	t      *table
	column string
	after  string
}

// Before finds where the named fields are kept and what they hold. A field is the name of an identifier, a column of
// the subject's own table, or `table.column` of a table that the person's rows are in. A field that is none of these,
// that is a key, or whose values differ from row to row is a fault.Invalid that names it.
func (d *DB) Before(ctx context.Context, scope connector.Scope, changes map[string]string) ([]plan.Step, error) {
	g, err := d.freshGraph(ctx)
	if err != nil {
		return nil, err
	}
	var steps []plan.Step
	err = d.inSnapshot(ctx, func(q querier) error {
		w, err := d.start(ctx, q, g, scope)
		if err != nil {
			return err
		}
		places, err := w.places(changes)
		if err != nil {
			return err
		}
		for _, p := range places {
			rows, before, err := w.present(ctx, q, p)
			if err != nil {
				return err
			}
			if rows == 0 {
				continue
			}
			if len(before) > 1 {
				return fault.New(fault.Conflict, "values_differ", "The column %s holds different values in the %d rows of %s: an officer must say which is meant.", p.column, rows, p.t.name)
			}
			steps = addChange(steps, plan.Step{
				System: d.sys.Name, Table: p.t.name, Action: plan.ActionRectify, Rows: rows,
				Columns: []string{p.column}, Changes: []plan.FieldChange{{Column: p.column, Before: before[0], After: p.after}},
			})
		}
		return nil
	})
	return steps, err
}

// addChange joins changes of one table into one step.
func addChange(steps []plan.Step, s plan.Step) []plan.Step {
	for i := range steps {
		if steps[i].Table == s.Table && steps[i].Rows == s.Rows {
			steps[i].Columns = append(steps[i].Columns, s.Columns...)
			steps[i].Changes = append(steps[i].Changes, s.Changes...)
			return steps
		}
	}
	return append(steps, s)
}

func (w *walk) places(changes map[string]string) ([]place, error) {
	var out []place
	var wrong []fault.Field
	for _, field := range slices.Sorted(maps.Keys(changes)) {
		p, why := w.place(field)
		if why != "" {
			wrong = append(wrong, fault.Field{Name: field, Message: why})
			continue
		}
		p.after = changes[field]
		out = append(out, p)
	}
	return out, fault.BadInput(wrong)
}

func (w *walk) place(field string) (place, string) {
	p := place{t: w.home, column: field}
	for _, id := range w.subject.Identifiers {
		if id.Name == field {
			p.column = id.Column
			if id.Table != "" {
				p.t = w.g.tables[id.Table]
			}
		}
	}
	if i := strings.LastIndexByte(field, '.'); i > 0 {
		t, ok := w.g.tables[field[:i]]
		if !ok || !w.reach[t] {
			return p, "no table of this person has this name"
		}
		p.t, p.column = t, field[i+1:]
	}
	col, ok := p.t.cat.Column(p.column)
	switch {
	case !ok:
		return p, "no field of this person has this name"
	case col.Generated:
		return p, "the database computes this field"
	case w.g.leftAlone(p.t)[p.column] && slices.Contains(append(slices.Clone(p.t.cat.PrimaryKey), w.subject.Key...), p.column):
		return p, "this field is a key and can't be changed"
	case p.t.entry != nil && p.t.entry.Columns[p.column].Personal != nil && !*p.t.entry.Columns[p.column].Personal:
		return p, "the data map says that this field is not about the person"
	}
	return p, ""
}

// present counts the person's rows at a place and gives the distinct values there; null is "".
func (w *walk) present(ctx context.Context, q querier, p place) (int64, []string, error) {
	b := &builder{dialect: w.d.dialect}
	w.rows(b, p.t, owned, selection{cols: func(a string) { b.write(w.d.dialect.storedText(b.col(a, p.column))) }})
	var n int64
	var values []string
	err := each(ctx, q, b.sql.String(), b.args, 1, func(v []string) {
		n++
		if !slices.Contains(values, v[0]) {
			values = append(values, v[0])
		}
	})
	return n, values, w.d.fail(err, "reading %s", p.t.name)
}

// Rectify writes the steps in one transaction: each column only where it still holds what Before saw, and every row
// of the person's, or the whole is undone with connector.ErrChanged. It reads back what it wrote.
func (d *DB) Rectify(ctx context.Context, scope connector.Scope, steps []plan.Step, guard connector.Guard) error {
	g, err := d.freshGraph(ctx)
	if err != nil {
		return err
	}
	tx, err := d.pool.BeginTx(ctx, nil)
	if err != nil {
		return d.fail(err, "beginning the correction")
	}
	defer func() { _ = tx.Rollback() }()
	w, err := d.start(ctx, tx, g, scope)
	if err != nil {
		return err
	}
	// The rows are addressed by keys taken before the first write: an identifier may be what changes.
	type target struct {
		t    *table
		keys []connector.Key
		s    plan.Step
	}
	var targets []target
	for _, s := range steps {
		if s.System != d.sys.Name || s.Action != plan.ActionRectify {
			continue
		}
		t, ok := g.tables[s.Table]
		if !ok {
			return changed(s.Table)
		}
		var keys []connector.Key
		if err := w.stream(ctx, tx, t, reading{set: owned}, func(r record) { keys = append(keys, slices.Clone(r.key)) }); err != nil {
			return err
		}
		if int64(len(keys)) != s.Rows {
			return changed(s.Table)
		}
		targets = append(targets, target{t, keys, s})
	}
	for _, x := range targets {
		if guard != nil {
			if err := guard(ctx); err != nil {
				return err
			}
		}
		if err := d.correct(ctx, tx, x.t, x.s, x.keys); err != nil {
			return err
		}
	}
	return d.fail(tx.Commit(), "committing the correction")
}

func changed(name string) error {
	return fault.Wrap(connector.ErrChanged, fault.Conflict, "data_changed", "The rows of %s are no longer what the plan saw.", name)
}

func (d *DB) correct(ctx context.Context, tx *sql.Tx, t *table, s plan.Step, keys []connector.Key) error {
	for _, batch := range batches(distinct(keys), d.batchOf(t)) {
		b := &builder{dialect: d.dialect}
		name := d.dialect.table(t.cat)
		b.write("UPDATE ", name, " SET ")
		cols := make([]*datamap.CatalogColumn, len(s.Changes))
		for i, ch := range s.Changes {
			col, ok := t.cat.Column(ch.Column)
			if !ok {
				return changed(t.name)
			}
			cols[i] = col
			if i > 0 {
				b.write(", ")
			}
			b.write(d.dialect.quote(ch.Column), " = ")
			if ch.After == "" && col.Nullable {
				b.write("NULL")
				continue
			}
			v, ok := d.dialect.keyValue(ch.After, col)
			if !ok {
				return fault.New(fault.Invalid, "wrong_form", "The new value of %s does not have the form of the column.", ch.Column)
			}
			b.write(d.dialect.assign(b.param(v), col))
		}
		b.write(" WHERE ")
		if err := d.writeRows(b, name, t, batch); err != nil {
			return err
		}
		for i, ch := range s.Changes {
			b.write(" AND ")
			expr := d.dialect.storedText(name + "." + d.dialect.quote(cols[i].Name))
			if ch.Before == "" {
				b.write("(", expr, " IS NULL OR ", expr, " = '')")
				continue
			}
			b.write(d.dialect.nullSafe(expr, d.dialect.asText(b.param(ch.Before))))
		}
		res, err := tx.ExecContext(ctx, b.sql.String(), b.args...)
		if err != nil {
			return d.fail(err, "correcting %s", t.name)
		}
		if n, err := res.RowsAffected(); err != nil || n != int64(len(batch)) {
			return changed(t.name)
		}
	}
	return d.readBack(ctx, tx, t, s, keys)
}

// readBack holds what the table has now against what was written: a trigger or a cut by the column would show here.
func (d *DB) readBack(ctx context.Context, tx *sql.Tx, t *table, s plan.Step, keys []connector.Key) error {
	for _, batch := range batches(distinct(keys), d.batchOf(t)) {
		for _, ch := range s.Changes {
			b := &builder{dialect: d.dialect}
			a := b.alias()
			b.write("SELECT ", d.dialect.storedText(b.col(a, ch.Column)), " FROM ", d.dialect.table(t.cat), " ", a, " WHERE ")
			if err := d.writeRows(b, a, t, batch); err != nil {
				return err
			}
			same := true
			col, _ := t.cat.Column(ch.Column)
			err := each(ctx, tx, b.sql.String(), b.args, 1, func(v []string) {
				same = same && (v[0] == ch.After || !d.dialect.isText(col)) // 1.5 reads back as 1.50 from numeric(10,2)
			})
			if err != nil {
				return d.fail(err, "reading back %s", t.name)
			}
			if !same {
				return fault.New(fault.Conflict, "not_as_written", "The database changed what was written to %s of %s; nothing was kept.", ch.Column, t.name)
			}
		}
	}
	return nil
}
