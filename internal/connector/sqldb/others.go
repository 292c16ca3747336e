package sqldb

import (
	"context"

	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/plan"
)

// findHits asks which rows of t that would go, now or later, other people's rows refer to.
func (f *fates) findHits(ctx context.Context, t *table) error {
	held := f.held[t]
	if len(held) == 0 || f.rule(t).Do == plan.ActionAnonymize || f.rule(t).Do == plan.ActionKeep {
		return nil
	}
	for n, e := range f.w.g.edges {
		if e.to != t || (e.keep && !e.declared) {
			continue
		}
		if err := f.findOwn(ctx, n, e); err != nil {
			return err
		}
		if f.ownsAll(e) {
			continue
		}
		hits := map[string]int64{}
		notMine := ""
		err := f.w.stream(ctx, f.q, t, reading{set: mine,
			join: func(b *builder, a string) { notMine = f.writeReferrers(b, a, e) },
			where: func(b *builder, _ string) {
				b.write(defaultTo(notMine, "1 = 1"))
			},
		}, func(r record) {
			key := joinKey(r.key)
			if i, ok := held[key]; ok && f.kinds[i].Action != plan.ActionKeep && !f.about[t][key] {
				hits[key]++ // one record for each row that refers
			}
		})
		if err != nil {
			return err
		}
		if len(hits) > 0 {
			f.hits[n] = hits
		}
	}
	return nil
}

// ownsAll tells whether every row that refers through e to a row of the person is the person's as well, by the map.
// It is not where the row referred to may be reached by also_from: nobody walks on from it.
func (f *fates) ownsAll(e edge) bool {
	return e.owns && e.from != e.to && e.from != f.w.home && f.w.reach[e.from] && len(e.to.alsoFrom) == 0
}

// findOwn gathers the person's own references that are to be cleared before their target goes.
func (f *fates) findOwn(ctx context.Context, n int, e edge) error {
	if !e.clear || !e.nullable || f.held[e.from] == nil {
		return nil
	}
	r := reading{set: mine, parents: []parent{{to: e.to, cols: e.cols, refs: e.refs, when: e.when}}}
	return f.w.stream(ctx, f.q, e.from, r, func(rec record) {
		if _, ok := f.held[e.to][rec.parents[0]]; ok {
			f.own[n] = append(f.own[n], reference{from: joinKey(rec.key), to: rec.parents[0], edge: e})
		}
	})
}

// cleared tells whether one of the person's own references is cleared: its row stays and its target goes.
func (f *fates) cleared(r reference) bool {
	self := r.edge.from == r.edge.to && r.from == r.to
	return !self && f.kinds[f.held[r.edge.from][r.from]].Action != plan.ActionDelete && f.unlinked(r.edge, f.kinds[f.held[r.edge.to][r.to]])
}

// writeReferrers joins the rows that refer through e and are not the person's. It starts from the person's rows, so
// that its cost grows with these where the reference has an index. It gives a further condition for the WHERE.
func (f *fates) writeReferrers(b *builder, a string, e edge) string {
	from := b.alias()
	f.writeReference(b, a, from, e)
	return f.writeNotMine(b, from, e)
}

func (f *fates) writeReference(b *builder, a, from string, e edge) {
	b.write(" JOIN ", f.w.d.dialect.table(e.from.cat), " ", from, " ON ")
	for i := range e.cols {
		if i > 0 {
			b.write(" AND ")
		}
		b.write(b.col(from, e.cols[i]), " = ", b.col(a, e.refs[i]))
	}
	f.w.writeWhen(b, from, e.from, e.when)
}

func (f *fates) writeNotMine(b *builder, from string, e edge) string {
	w := f.w
	switch {
	case e.from == w.home:
		b.write(" AND (")
		w.writeKeys(b, from, e.from, w.subject.Key)
		b.write(") IS NOT TRUE")
	case !w.reach[e.from] || e.from.entry == nil || !e.from.entry.Personal:
	case e.from.keyless:
		b.write(" AND (")
		w.writeMember(b, from, e.from)
		b.write(") IS NOT TRUE")
	default:
		m := b.alias()
		b.write(" LEFT JOIN (")
		w.rows(b, e.from, mine, selection{cols: func(o string) { w.writeKeyColumns(b, o, e.from) }})
		b.write(") ", m, " ON ")
		for i, k := range e.from.keys {
			if i > 0 {
				b.write(" AND ")
			}
			b.write(m, ".k", itoa(i), " = ", b.col(from, k))
		}
		return m + ".k0 IS NULL"
	}
	return ""
}

// applyHits turns rows that others need into kept or anonymized ones where the map says so. It tells whether it did.
func (f *fates) applyHits(t *table) bool {
	keep := plan.Fate{Action: plan.ActionKeep, Ground: groundShared}
	others := datamap.OthersRefer(f.rule(t).Others)
	if others != datamap.OthersKeep && others != datamap.OthersAnonymize || f.rule(t).Do == plan.ActionAnonymize {
		return false
	}
	moved := false
	for n, keys := range f.hits {
		e := f.w.g.edges[n]
		if e.to != t || (e.clear && e.nullable) {
			continue
		}
		for key := range keys {
			x := f.kinds[f.held[t][key]]
			switch {
			case others == datamap.OthersKeep && x.Action != plan.ActionKeep:
				f.held[t][key] = f.intern(keep)
				moved = true
			case !goes(x):
			case x.Action != plan.ActionRetain: // a row that must be kept as it is can't be anonymized: the plan refuses
				f.held[t][key] = f.intern(plan.Fate{Action: plan.ActionAnonymize})
				moved = true
			}
		}
	}
	return moved
}

// blockers gives the references of other people's rows to rows of t that go, now or later, and those of the person's
// own rows that are cleared before.
func (f *fates) blockers(t *table) []plan.Blocker {
	var out []plan.Blocker
	for n, e := range f.w.g.edges {
		if e.to != t {
			continue
		}
		rows := map[string]bool{}
		var referring int64
		for key, refer := range f.hits[n] {
			if goes(f.kinds[f.held[t][key]]) {
				rows[key] = true
				referring += refer
			}
		}
		for _, r := range f.own[n] {
			if f.cleared(r) {
				rows[r.to] = true
				referring++
			}
		}
		if len(rows) > 0 {
			out = append(out, plan.Blocker{Table: e.from.name, Columns: e.cols, Rows: int64(len(rows)), Referring: referring, Nullable: e.nullable, Clear: e.clear})
		}
	}
	return out
}

// unlinked tells whether references through e to a row of this fate are cleared when the plan runs: the map says so,
// and the row goes, now or on its day. Years ahead nobody looks for them.
func (f *fates) unlinked(e edge, x plan.Fate) bool {
	if !e.nullable || !e.clear && datamap.OthersRefer(f.rule(e.to).Others) != datamap.OthersSetNull {
		return false
	}
	return goes(x)
}
