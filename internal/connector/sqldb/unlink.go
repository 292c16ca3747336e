package sqldb

import (
	"context"
	"database/sql"
	"slices"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/plan"
)

// unlink clears the references of other people's rows. A key holds the reference as it was captured: a row that
// points somewhere else by now is left alone.
func (e *eraser) unlink(ctx context.Context, tx *sql.Tx, t *table, cols []string, keys []connector.Key) (int64, error) {
	for i := range e.g.edges {
		ed := &e.g.edges[i]
		if ed.from != t || !sameSet(ed.cols, cols) {
			continue
		}
		addressed := *t
		if !t.keyless {
			addressed.key = append([]*datamap.CatalogColumn{}, t.key...)
			addressed.keys = append([]string{}, t.keys...)
			for _, c := range ed.cols {
				col, _ := t.cat.Column(c)
				addressed.key = append(addressed.key, col)
				addressed.keys = append(addressed.keys, c)
			}
		} else {
			keys = trim(keys, len(t.keys)) // all columns are the key: the reference is among them
		}
		return e.setNull(ctx, tx, &addressed, ed.clearable(), keys)
	}
	return 0, fault.New(fault.Conflict, "plan_changed", "No reference of %s is held by the columns that the plan clears.", t.name)
}

func (e *eraser) setNull(ctx context.Context, tx *sql.Tx, t *table, cols []string, keys []connector.Key) (int64, error) {
	if len(cols) == 0 {
		return 0, fault.New(fault.Conflict, "not_nullable", "The reference of %s can't be cleared: its column forbids null.", t.name)
	}
	b := &builder{dialect: e.d.dialect}
	name := e.d.dialect.table(t.cat)
	b.write("UPDATE ", name, " SET ")
	for i, c := range cols {
		if i > 0 {
			b.write(", ")
		}
		b.write(e.d.dialect.quote(c), " = NULL")
	}
	b.write(" WHERE (")
	for i, c := range cols { // what is clear already is not written again
		if i > 0 {
			b.write(" OR ")
		}
		b.write(name, ".", e.d.dialect.quote(c), " IS NOT NULL")
	}
	b.write(") AND (")
	if err := e.d.writeRows(b, name, t, keys); err != nil {
		return 0, err
	}
	b.write(")")
	return e.exec(ctx, tx, b, "clearing a reference of %s", t.name)
}

// detachment is a reference among rows to be deleted that comes too late in the order: within a table, or the one that
// closes a ring. It is cleared before the rows at which it points are deleted.
type detachment struct {
	step int // the step that deletes the rows that refer
	edge *edge
}

func (e *eraser) detachments(i int) []detachment {
	if e.steps[i].Action != plan.ActionDelete {
		return nil
	}
	var out []detachment
	for n := range e.g.edges {
		ed := &e.g.edges[n]
		if ed.to != e.g.tables[e.steps[i].Table] || !e.detachable(ed) {
			continue
		}
		for _, at := range e.places[ed.from] {
			if at >= i {
				out = append(out, detachment{at, ed})
			}
		}
	}
	return out
}

// late tells whether the rows that refer through an edge are deleted no sooner than those of step i.
func (e *eraser) late(ed *edge, i int) bool {
	return slices.ContainsFunc(e.places[ed.from], func(at int) bool { return at >= i })
}

func (e *eraser) detachable(ed *edge) bool { return len(ed.clearable()) > 0 && !ed.from.keyless }

func (e *eraser) detach(ctx context.Context, tx *sql.Tx, dt detachment, keys []connector.Key) error {
	from := dt.edge.from
	for _, batch := range batches(distinct(keys), e.d.batchOf(from)) {
		if err := e.askInside(ctx); err != nil {
			return err
		}
		if _, err := e.setNull(ctx, tx, from, dt.edge.clearable(), batch); err != nil {
			return err
		}
	}
	return nil
}
