package sqldb

import (
	"context"
	"slices"

	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/plan"
)

// findHits asks which rows of t, that their rule would delete, other people's rows refer to.
func (f *fates) findHits(ctx context.Context, t *table) error {
	held := f.held[t]
	if !slices.ContainsFunc(f.kinds, func(x plan.Fate) bool { return x.Action == plan.ActionDelete }) || len(held) == 0 {
		return nil
	}
	for n, e := range f.w.g.edges {
		if e.to != t || (e.keep && !e.declared) || (e.owns && e.from != t && f.w.reach[e.from]) {
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
			if i, ok := held[key]; ok && f.kinds[i].Action == plan.ActionDelete && !f.about[t][key] {
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

// writeReferrers joins the rows that refer through e and are not the person's. It starts from the person's rows, so
// that its cost grows with these where the reference has an index. It gives a further condition for the WHERE.
func (f *fates) writeReferrers(b *builder, a string, e edge) string {
	return f.writeReferrersAs(b, a, b.alias(), e)
}

func (f *fates) writeReferrersAs(b *builder, a, from string, e edge) string {
	w := f.w
	b.write(" JOIN ", w.d.dialect.table(e.from.cat), " ", from, " ON ")
	for i := range e.cols {
		if i > 0 {
			b.write(" AND ")
		}
		b.write(b.col(from, e.cols[i]), " = ", b.col(a, e.refs[i]))
	}
	w.writeWhen(b, from, e.from, e.when)
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

// applyHits turns rows that others need into kept or anonymized ones where the map says so.
func (f *fates) applyHits(t *table) {
	var x plan.Fate
	// What is not named is the default.
	//exhaustive:ignore
	switch datamap.OthersRefer(f.rule(t).Others) {
	case datamap.OthersKeep:
		x = plan.Fate{Action: plan.ActionKeep, Ground: groundShared}
	case datamap.OthersAnonymize:
		x = plan.Fate{Action: plan.ActionAnonymize}
	default:
		return
	}
	for n, keys := range f.hits {
		e := f.w.g.edges[n]
		if e.to != t || (e.clear && e.nullable) {
			continue
		}
		for key := range keys {
			if i := f.held[t][key]; f.kinds[i].Action == plan.ActionDelete {
				f.held[t][key] = f.intern(x)
			}
		}
	}
}

// blockers gives the references of other people's rows to rows of t that would go.
func (f *fates) blockers(t *table) []plan.Blocker {
	var out []plan.Blocker
	for n, e := range f.w.g.edges {
		if e.to != t {
			continue
		}
		var rows, referring int64
		for key, refer := range f.hits[n] {
			if f.unlinked(e, f.kinds[f.held[t][key]]) || f.kinds[f.held[t][key]].Action == plan.ActionDelete {
				rows++
				referring += refer
			}
		}
		if rows > 0 {
			out = append(out, plan.Blocker{Table: e.from.name, Columns: e.cols, Rows: rows, Referring: referring, Nullable: e.nullable, Clear: e.clear})
		}
	}
	return out
}

// unlinked tells whether other people's references through e to a row of this fate are cleared when the plan runs:
// the map says so, and the row goes, now or with the last kept row that needs it. Years ahead nobody looks for them.
func (f *fates) unlinked(e edge, x plan.Fate) bool {
	if !e.nullable || !e.clear && datamap.OthersRefer(f.rule(e.to).Others) != datamap.OthersSetNull {
		return false
	}
	return x.Action == plan.ActionDelete || x.Action == plan.ActionAnonymize && x.Because != ""
}
