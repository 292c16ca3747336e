package sqldb

import (
	"context"
	"slices"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/plan"
)

// mostPeople bounds the keys of the person's own rows that a delete is held against.
const mostPeople = 100

// learn reads the keys of the person's own rows, against which rows are held when their turn comes: in the minutes that
// batches take, a row may have become somebody else's.
func (e *eraser) learn(ctx context.Context) error {
	e.people = map[*table][]connector.Key{}
	for i, s := range e.steps {
		t := e.g.tables[s.Table]
		if s.System != e.d.sys.Name || t == nil || t.keyless || !e.g.isSubject(s.Table) || s.Action == plan.ActionUnlink || s.Action == plan.ActionRectify {
			continue
		}
		keys, err := (&cursor{e: e, step: i}).peek(ctx, mostPeople+1)
		if err != nil {
			return err
		}
		for _, k := range keys {
			if !slices.ContainsFunc(e.people[t], func(h connector.Key) bool { return slices.Equal(h, k) }) {
				e.people[t] = append(e.people[t], k)
			}
		}
	}
	return nil
}

// stillTheirs gives the columns of t that hold the key of the person who owns a row, and the person's keys. False where
// a row is owned otherwise: through other rows, which go after it, or in several ways.
func (e *eraser) stillTheirs(t *table) (cols []*datamap.CatalogColumn, keys []connector.Key, ok bool) {
	if t.keyless || len(t.owners) != 1 || len(t.alsoFrom) > 0 || len(t.about) > 0 || t.entry == nil || t.entry.Match != nil {
		return nil, nil, false
	}
	l := t.owners[0]
	people := e.people[l.to]
	if l.up || l.to == t || len(people) == 0 || len(people) > mostPeople || !sameSet(l.refs, l.to.keys) {
		return nil, nil, false
	}
	for _, name := range inOrder(l.to.keys, l.refs, l.cols) {
		col, found := t.cat.Column(name)
		if !found {
			return nil, nil, false
		}
		cols = append(cols, col)
	}
	for _, k := range people {
		fits := len(k) == len(cols)
		for n := range cols {
			if fits {
				_, fits = e.d.dialect.keyValue(k[n], cols[n])
			}
		}
		if fits {
			keys = append(keys, k)
		}
	}
	return cols, keys, len(keys) > 0
}

// writeStillTheirs writes, behind a condition, that the row is nobody else's by now. A reference that was cleared, as
// those that close a ring are before the deletes, is nobody's.
func (e *eraser) writeStillTheirs(b *builder, a string, t *table) error {
	cols, keys, ok := e.stillTheirs(t)
	if !ok {
		return nil
	}
	b.write(" AND (")
	for _, c := range cols {
		b.write(b.col(a, c.Name), " IS NULL OR ")
	}
	b.write("(")
	if err := e.d.dialect.keysIn(b, a, cols, keys); err != nil {
		return err
	}
	b.write("))")
	return nil
}
