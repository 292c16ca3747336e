package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/fault"
)

// refused is the failure of one statement, with the keys it was about.
type refused struct {
	step  int
	keys  []connector.Key
	cause error
}

func (r *refused) Error() string { return r.cause.Error() }
func (r *refused) Unwrap() error { return r.cause }

// acts tells whether the database itself changes rows that refer when what they refer to goes.
func (e edge) acts() bool {
	return e.declared && slices.Contains([]string{"cascade", "set null", "set default"}, e.onDelete)
}

// watched gives the references to rows of step i that must be looked at before the rows are deleted: those that the
// database does not insist on, and those upon which it would act by itself. The rest it refuses, and explain says so.
func (e *eraser) watched(i int, t *table) []edge {
	var out []edge
	for n := range e.g.edges {
		ed := &e.g.edges[n]
		switch {
		case ed.to != t, ed.keep && !ed.declared: // the map says in words that the reference stays
		case ed.declared && !ed.acts() && !e.d.dialect.defers():
		case e.late(ed, i) && !e.detachable(ed): // deleted later, and not to be told from those that would stay
		default:
			out = append(out, *ed)
		}
	}
	return append(out, e.outside(t)...)
}

// outside gives the foreign keys of tables in schemas that the map ignores: what they hold is nobody's by the map, but
// the database would take it along.
func (e *eraser) outside(t *table) []edge {
	var out []edge
	for n := range e.g.cat.Tables {
		ct := &e.g.cat.Tables[n]
		if _, known := e.g.tables[ct.Name]; known || ct.View {
			continue
		}
		for _, fk := range ct.ForeignKeys {
			ed := edge{from: &table{name: ct.Name, cat: ct}, to: t, cols: fk.Columns, refs: fk.RefColumns, declared: true, onDelete: fk.OnDelete}
			if fk.RefTable == t.name && len(fk.Columns) == len(fk.RefColumns) && ed.acts() {
				out = append(out, ed)
			}
		}
	}
	return out
}

// referrers makes sure, before rows are deleted, that no row refers to them any more. Rows that the database would act
// upon are kept from coming by a lock on what they would refer to.
func (e *eraser) referrers(ctx context.Context, tx *sql.Tx, i int, t *table, keys []connector.Key) error {
	if t.keyless {
		return nil // nothing refers to a row that has no key
	}
	watched := e.watched(i, t)
	if slices.ContainsFunc(watched, func(ed edge) bool { return ed.acts() }) && e.d.dialect.forUpdate() != "" {
		b := &builder{dialect: e.d.dialect}
		a := b.alias()
		b.write("SELECT 1 FROM ", e.d.dialect.table(t.cat), " ", a, " WHERE ")
		if err := e.d.writeRows(b, a, t, keys); err != nil {
			return err
		}
		b.write(e.d.dialect.forUpdate())
		if _, err := tx.ExecContext(ctx, b.sql.String(), b.args...); err != nil {
			return e.d.fail(err, "locking rows of %s", t.name)
		}
	}
	for _, ed := range watched {
		n, err := e.referring(ctx, tx, t, ed, keys)
		if err != nil {
			return err
		}
		if n > 0 {
			return arrived(t, ed, n)
		}
	}
	return nil
}

func arrived(t *table, ed edge, n int64) error {
	return fault.Wrap(connector.ErrChanged, fault.Conflict, "rows_arrived",
		"%d rows of %s (%s) refer to rows of %s that are to be deleted and are not in the plan; make the plan anew.", n, ed.from.name, strings.Join(ed.cols, ", "), t.name)
}

// referring counts the rows that refer through an edge to rows with these keys. It never stops at the first: planners
// take that for a reason to read the whole table.
func (e *eraser) referring(ctx context.Context, q querier, t *table, ed edge, keys []connector.Key) (int64, error) {
	di := e.d.dialect
	b := &builder{dialect: di}
	from, to := b.alias(), b.alias()
	b.write("SELECT COUNT(*) FROM ", di.table(ed.from.cat), " ", from)
	if cols, ok := e.sameColumns(t, ed); ok {
		b.write(" WHERE ")
		if err := di.keysIn(b, from, cols, keys); err != nil {
			return 0, err
		}
	} else {
		b.write(" JOIN ", di.table(t.cat), " ", to, " ON ")
		for n := range ed.cols {
			if n > 0 {
				b.write(" AND ")
			}
			b.write(b.col(from, ed.cols[n]), " = ", b.col(to, ed.refs[n]))
		}
		b.write(" WHERE ")
		if err := e.d.writeRows(b, to, t, keys); err != nil {
			return 0, err
		}
	}
	for _, c := range ed.when {
		col, _ := ed.from.cat.Column(c.column)
		v, ok := di.keyValue(c.value, col)
		if !ok {
			return 0, nil
		}
		b.write(" AND ", b.col(from, c.column), " = ")
		b.write(di.keyParam(b.param(v), col))
	}
	b.write(di.forShare())
	var n int64
	err := each(ctx, q, b.sql.String(), b.args, 1, func(v []string) { _, _ = fmt.Sscan(v[0], &n) })
	return n, e.d.fail(err, "looking for rows of %s that refer to %s", ed.from.name, t.name)
}

// sameColumns gives the columns that hold the key of t itself, in the key's order and of its types.
func (e *eraser) sameColumns(t *table, ed edge) ([]*datamap.CatalogColumn, bool) {
	if !sameSet(ed.refs, t.keys) {
		return nil, false
	}
	out := make([]*datamap.CatalogColumn, len(t.keys))
	for n, name := range inOrder(t.keys, ed.refs, ed.cols) {
		col, ok := ed.from.cat.Column(name)
		if !ok || col.Type != t.key[n].Type {
			return nil, false
		}
		out[n] = col
	}
	return out, true
}

// explain names the rows that came after the plan was made, when the database refused to delete what they refer to.
func (e *eraser) explain(ctx context.Context, err error) error {
	var de *dbError
	var re *refused
	if !errors.As(err, &de) || !de.refers {
		return err
	}
	if errors.As(err, &re) {
		t := e.g.tables[e.steps[re.step].Table]
		for n := range e.g.edges {
			ed := e.g.edges[n]
			if ed.to != t || !ed.declared {
				continue
			}
			var rows int64
			failed := e.d.inSnapshot(ctx, func(q querier) (err error) {
				rows, err = e.referring(ctx, q, t, ed, re.keys)
				return err
			})
			if failed == nil && rows > 0 {
				return &connector.StepError{Step: re.step, Action: e.steps[re.step].Action, Table: t.name, Cause: arrived(t, ed, rows)}
			}
		}
	}
	return fault.Wrap(errors.Join(connector.ErrChanged, err), fault.Conflict, "rows_arrived",
		"Rows in the database %s refer to rows that are to be deleted and are not in the plan; nothing of this batch was done.", e.d.sys.Name)
}
