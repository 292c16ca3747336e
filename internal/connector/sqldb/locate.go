package sqldb

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/plan"
)

// Locate counts the person's rows by fate in one snapshot. Groups of a table are in the order of their fates' text,
// so that the same data give the same Found. With rules nil every fate is collect, and nothing is asked about
// other people's rows.
func (d *DB) Locate(ctx context.Context, scope connector.Scope, rules *plan.Rules, hash connector.KeyHash) (plan.Found, error) {
	found := plan.Found{System: d.sys.Name}
	g, err := d.freshGraph(ctx)
	if err != nil {
		return found, err
	}
	found.Gaps = append(slices.Clone(g.broken), g.bare...)
	if len(g.broken) > 0 && rules != nil {
		return found, nil // nothing can be counted by a map that does not fit; the gaps stop the erasure
	}
	err = d.inSnapshot(ctx, func(q querier) error {
		w, err := d.start(ctx, q, g, scope)
		if err != nil {
			return err
		}
		if found.Subjects, err = w.subjects(ctx, q); err != nil {
			return err
		}
		return w.locate(ctx, q, rules, hash, &found)
	})
	if err != nil || rules == nil {
		return found, err
	}
	obstacles, err := d.obstacles(ctx, g, found.Tables)
	found.Gaps = append(found.Gaps, obstacles...)
	return found, err
}

// subjects counts the subject's own rows.
func (w *walk) subjects(ctx context.Context, q querier) (int, error) {
	n := 0
	err := w.stream(ctx, q, w.home, reading{set: owned}, func(record) { n++ })
	return n, err
}

func (w *walk) locate(ctx context.Context, q querier, rules *plan.Rules, hash connector.KeyHash, found *plan.Found) error {
	f := newFates(w, q, rules)
	if rules != nil {
		if err := f.work(ctx); err != nil {
			return err
		}
	}
	byTable := map[*table]plan.FoundTable{}
	for _, t := range slices.Backward(f.order) {
		ft, err := w.group(ctx, f, t, hash)
		if err != nil {
			return err
		}
		byTable[t] = ft
	}
	for _, t := range f.order {
		ft := byTable[t]
		if rules != nil {
			ft.Blockers = f.blockers(t)
			f.gaps = append(f.gaps, w.anonymizeGaps(t, f.rule(t), ft)...)
		}
		found.Tables = append(found.Tables, ft)
	}
	found.Gaps = append(found.Gaps, f.gaps...)
	found.Gaps = append(found.Gaps, w.ringGaps(byTable)...)
	return nil
}

func (w *walk) group(ctx context.Context, f *fates, t *table, hash connector.KeyHash) (plan.FoundTable, error) {
	ft := plan.FoundTable{Table: t.name}
	type sum struct {
		rows   int64
		digest digest
	}
	sums := map[plan.Fate]*sum{}
	var buf []byte
	err := f.emit(ctx, t, func(key connector.Key, x plan.Fate) {
		s := sums[x]
		if s == nil {
			s = &sum{}
			sums[x] = s
		}
		s.rows++
		if hash != nil {
			buf = encodeKey(buf[:0], t.name, key)
			s.digest.add(hash(buf))
		}
	})
	if err != nil {
		return ft, err
	}
	for x, s := range sums {
		g := plan.Group{Fate: x, Rows: s.rows}
		if hash != nil {
			g.Digest = s.digest.String()
		}
		ft.Groups = append(ft.Groups, g)
	}
	slices.SortFunc(ft.Groups, func(a, b plan.Group) int { return strings.Compare(fateText(a.Fate), fateText(b.Fate)) })
	ft.Total = max(t.cat.Rows, 0)
	// An estimate may be old: what would be over the ceiling by it is counted.
	_, share, from := w.d.sys.Limits.Ceiling()
	if float64(ft.Rows()) > share*float64(max(ft.Total, from)) {
		err := each(ctx, f.q, "SELECT COUNT(*) FROM "+w.d.dialect.table(t.cat), nil, 1, func(v []string) { _, _ = fmt.Sscan(v[0], &ft.Total) })
		if err != nil {
			return ft, w.d.fail(err, "counting %s", t.name)
		}
	}
	ft.Shared = int64(len(f.shared[t]) + len(f.about[t]))
	ft.Hidden, err = w.hidden(ctx, f.q, t)
	return ft, err
}

func fateText(x plan.Fate) string {
	return fmt.Sprintf("%s|%s|%s|%s", x.Action, x.Until, x.Ground, x.Because)
}

// hidden counts rows that were reached by also_from and are somebody else's.
func (w *walk) hidden(ctx context.Context, q querier, t *table) (int64, error) {
	if len(t.alsoFrom) == 0 || t == w.home {
		return 0, nil
	}
	b := &builder{dialect: w.d.dialect}
	a := b.alias()
	b.write("SELECT COUNT(*) FROM ", w.d.dialect.table(t.cat), " ", a, " WHERE (1 = 0")
	for _, l := range t.alsoFrom {
		if w.reach[l.to] {
			b.write(" OR (")
			w.writeLink(b, a, t, l)
			b.write(")")
		}
	}
	b.write(") AND (")
	if t.keyless {
		w.writeMember(b, a, t)
	} else {
		b.write(b.tuple(a, t.keys), " IN (")
		w.rows(b, t, reached, selection{cols: func(o string) { b.write(b.list(o, t.keys)) }})
		b.write(")")
	}
	b.write(") IS NOT TRUE")
	var n int64
	err := each(ctx, q, b.sql.String(), b.args, 1, func(v []string) { _, _ = fmt.Sscan(v[0], &n) })
	return n, w.d.fail(err, "counting hidden rows of %s", t.name)
}

// ringGaps names references that close a ring among rows to be deleted and that nothing can break: a NOT NULL key
// that the engine checks at once.
func (w *walk) ringGaps(found map[*table]plan.FoundTable) []plan.Refusal {
	if w.d.dialect.defers() {
		return nil
	}
	place := map[*table]int{}
	for i, n := range w.g.order {
		place[w.g.tables[n]] = i
	}
	deletes := func(t *table) bool {
		return slices.ContainsFunc(found[t].Groups, func(g plan.Group) bool { return g.Fate.Action == plan.ActionDelete })
	}
	var out []plan.Refusal
	for _, e := range w.g.edges {
		if e.declared && e.from != e.to && place[e.from] > place[e.to] && !e.nullable && !e.deferrable && deletes(e.from) && deletes(e.to) {
			out = append(out, plan.Refusal{System: w.d.sys.Name, Table: e.from.name, Message: fmt.Sprintf(
				"%s and %s refer to each other and neither key can be empty: make %s (%s) nullable or its constraint deferrable",
				e.from.name, e.to.name, e.from.name, strings.Join(e.cols, ", "))})
		}
	}
	return out
}
