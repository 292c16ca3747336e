package sqldb

import (
	"context"
	"slices"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/plan"
)

const captureChunk = 1000

// Capture streams the keys of the rows that each step touches, in one snapshot. A step is found again by its table
// and by what it does: the fates are worked out anew, so steps must come from a plan over the same rules and day.
// Keys of an unlink step hold the row's key and, behind it, the reference to be cleared.
func (d *DB) Capture(ctx context.Context, scope connector.Scope, rules *plan.Rules, steps []plan.Step, emit func(step int, keys []connector.Key) error) error {
	g, err := d.freshGraph(ctx)
	if err != nil {
		return err
	}
	return d.inSnapshot(ctx, func(q querier) error {
		w, err := d.start(ctx, q, g, scope)
		if err != nil {
			return err
		}
		f := newFates(w, q, rules)
		if rules != nil {
			if err := f.work(ctx); err != nil {
				return err
			}
		}
		for i, s := range steps {
			if s.System == d.sys.Name && s.Action == plan.ActionRectify {
				if err := w.captureChanges(ctx, q, i, s, emit); err != nil {
					return err
				}
			}
		}
		for _, t := range slices.Backward(f.order) {
			if err := f.capture(ctx, t, steps, emit); err != nil {
				return err
			}
		}
		for i, s := range steps {
			if s.System == d.sys.Name && s.Action == plan.ActionUnlink && rules != nil {
				if err := f.captureUnlink(ctx, i, s, emit); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// capture hands on the keys of one table's rows. Rows stream out of the database into emit, which may be slow: they
// are held for one chunk a step.
func (f *fates) capture(ctx context.Context, t *table, steps []plan.Step, emit func(int, []connector.Key) error) error {
	var at []int
	for i, s := range steps {
		if s.System == f.w.d.sys.Name && s.Table == t.name && s.Action != plan.ActionUnlink && s.Action != plan.ActionRectify {
			at = append(at, i)
		}
	}
	if len(at) == 0 && (f.rules == nil || f.held[t] == nil) {
		return nil
	}
	chunks := make(map[int][]connector.Key, len(at))
	var failed error
	err := f.emit(ctx, t, func(key connector.Key, x plan.Fate) {
		if failed != nil {
			return
		}
		for _, i := range at {
			if !touches(steps[i], x, f.rules) {
				continue
			}
			chunks[i] = append(chunks[i], slices.Clone(key))
			if len(chunks[i]) == captureChunk {
				failed = emit(i, chunks[i])
				chunks[i] = nil
			}
		}
	})
	if err != nil {
		return err
	}
	for _, i := range at {
		if failed == nil && len(chunks[i]) > 0 {
			failed = emit(i, chunks[i])
		}
	}
	return failed
}

// touches tells whether a step stands for rows of a fate. Table and action tell which rows are meant, and for rows
// that stay the day, the ground and what needs them.
func touches(s plan.Step, x plan.Fate, rules *plan.Rules) bool {
	// What is not named is the default.
	//exhaustive:ignore
	switch s.Action {
	case plan.ActionDelete, plan.ActionAnonymize, plan.ActionCollect:
		return x.Action == s.Action
	case plan.ActionRedact:
		own := rules != nil && rules.Tables[s.Table].Do == plan.ActionKeep && x.Ground != groundShared
		return x.Action == plan.ActionRetain || (x.Action == plan.ActionKeep && own)
	case plan.ActionRetain:
		waits := x.Action == plan.ActionAnonymize && x.Because != "" // goes with the last row that needs it
		return (x.Action == plan.ActionRetain || waits) && s.On == x.Until && s.Because == x.Because &&
			(s.Ground == "" || x.Ground == "" || s.Ground == x.Ground)
	case plan.ActionKeep:
		return x.Action == plan.ActionKeep && s.Because == x.Because && (s.Ground == "" || x.Ground == "" || s.Ground == x.Ground)
	default:
		return false
	}
}

// captureUnlink reads the rows of other people whose reference to rows that will go is cleared.
func (f *fates) captureUnlink(ctx context.Context, step int, s plan.Step, emit func(int, []connector.Key) error) error {
	from, ok := f.w.g.tables[s.Table]
	if !ok {
		return connector.ErrChanged
	}
	for n, e := range f.w.g.edges {
		if e.from != from || !sameSet(e.cols, s.Columns) || len(f.hits[n])+len(f.own[n]) == 0 || (s.Because != "" && e.to.name != s.Because) {
			continue
		}
		doomed := map[string]bool{}
		for key := range f.hits[n] {
			if f.unlinked(e, f.kinds[f.held[e.to][key]]) {
				doomed[key] = true
			}
		}
		if err := f.referrers(ctx, step, e, doomed, nil, emit); err != nil {
			return err
		}
		own := map[string]bool{}
		for _, r := range f.own[n] {
			if f.cleared(r) {
				own[r.from] = true
				doomed[r.to] = true
			}
		}
		if len(own) == 0 {
			continue
		}
		if err := f.referrers(ctx, step, e, doomed, own, emit); err != nil {
			return err
		}
	}
	return nil
}

// referrers hands on the rows that refer through e to doomed rows: other people's, or those of the person's own that
// are given.
func (f *fates) referrers(ctx context.Context, step int, e edge, doomed, own map[string]bool, emit func(int, []connector.Key) error) error {
	w := f.w
	b := &builder{dialect: w.d.dialect}
	notMine := ""
	n := len(e.to.keys) + len(e.from.keys) + len(e.cols)
	from := b.alias()
	w.rows(b, e.to, mine, selection{
		cols: func(a string) {
			list := w.keyTexts(b, a, e.to)
			list = append(list, w.keyTexts(b, from, e.from)...)
			for _, c := range e.cols {
				col, _ := e.from.cat.Column(c)
				list = append(list, w.d.dialect.keyText(b.col(from, c), col))
			}
			for i, x := range list {
				if i > 0 {
					b.write(", ")
				}
				b.write(x)
			}
		},
		join: func(a string) {
			f.writeReference(b, a, from, e)
			if own == nil {
				notMine = f.writeNotMine(b, from, e)
			}
		},
		where: func(string) { b.write(defaultTo(notMine, "1 = 1")) },
	})
	rows, err := f.q.QueryContext(ctx, b.sql.String(), b.args...)
	if err != nil {
		return w.d.fail(err, "reading references from %s", e.from.name)
	}
	defer func() { _ = rows.Close() }()
	cells, dest := make([]textCell, n), make([]any, n)
	for i := range cells {
		dest[i] = &cells[i]
	}
	var chunk []connector.Key
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return w.d.fail(err, "reading references from %s", e.from.name)
		}
		if !doomed[joinCells(cells[:len(e.to.keys)])] {
			continue
		}
		key := make(connector.Key, n-len(e.to.keys))
		fillKey(key, cells[len(e.to.keys):])
		if own != nil && !own[joinKey(key[:len(e.from.keys)])] {
			continue
		}
		if chunk = append(chunk, key); len(chunk) == captureChunk {
			if err := emit(step, chunk); err != nil {
				return err
			}
			chunk = nil
		}
	}
	if err := rows.Err(); err != nil {
		return w.d.fail(err, "reading references from %s", e.from.name)
	}
	if len(chunk) > 0 {
		return emit(step, chunk)
	}
	return nil
}
