package sqldb

import (
	"cmp"
	"slices"
	"strings"

	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/fault"
)

// findRings gives each table that owns rows of itself, by one step or by several, the tables of its ring, itself
// among them, in the order of their names. The subject's own table is in none: whoever is below a person is another
// person. Rows without a key can't be followed around a ring: such a map is a fault.Invalid.
func (w *walk) findRings() error {
	w.rings = map[*table][]*table{}
	for _, t := range w.g.sorted() {
		below := w.ownersOf(t)
		if t == w.home || !w.reach[t] || !below[t] {
			continue
		}
		ring := []*table{}
		for o := range below {
			if w.ownersOf(o)[t] {
				ring = append(ring, o)
			}
		}
		slices.SortFunc(ring, func(a, b *table) int { return cmp.Compare(a.name, b.name) })
		if slices.ContainsFunc(ring, func(o *table) bool { return o.keyless }) {
			names := make([]string, len(ring))
			for i, o := range ring {
				names[i] = o.name
			}
			return fault.New(fault.Invalid, "owner_cycle",
				"In the data map of %s the rows of %s own one another, and not each of these tables has a primary key: give it one, or leave out one of these owners.",
				w.d.sys.Name, strings.Join(names, ", "))
		}
		w.rings[t] = ring
	}
	return nil
}

// ownersOf gives the tables above t by owner relations at any height, below the subject's own table.
func (w *walk) ownersOf(t *table) map[*table]bool {
	seen := map[*table]bool{}
	queue := []*table{t}
	for len(queue) > 0 {
		for _, l := range queue[0].owners {
			if l.to != w.home && w.reach[l.to] && !seen[l.to] {
				seen[l.to] = true
				queue = append(queue, l.to)
			}
		}
		queue = queue[1:]
	}
	return seen
}

// writeRing writes the keys of the owned rows of t, whose ring may go around any number of times:
//
//	own(m, …)   m says of which table a row is, and each table has columns of its own for its key
//
// UNION, not UNION ALL: it ends when a round gives no new key.
func (w *walk) writeRing(b *builder, t *table) {
	ring := w.rings[t]
	own := b.alias()
	names := []string{"m"}
	for i, m := range ring {
		for k := range m.keys {
			names = append(names, ringColumn(i, k))
		}
	}
	b.write("SELECT ")
	at := slices.Index(ring, t)
	for k := range t.keys {
		if k > 0 {
			b.write(", ")
		}
		b.write(ringColumn(at, k), " AS k", itoa(k))
	}
	b.write(" FROM (WITH RECURSIVE ", own, "(", strings.Join(names, ", "), ") AS (")
	first := true
	for i, m := range ring {
		branches := w.ownerBranches(m)
		if len(branches) == 0 {
			branches = []branch{func(b *builder, _ string) { b.write("1 = 0") }}
		}
		for _, br := range branches {
			if !first {
				b.write(" UNION ")
			}
			first = false
			a := b.alias()
			w.writeRingRow(b, ring, i, a)
			b.write(" FROM ", w.d.dialect.table(m.cat), " ", a, " WHERE ")
			br(b, a)
		}
	}
	w.writeRound(b, ring, own)
	b.write(") SELECT * FROM ", own, ") ", b.alias(), " WHERE m = ", itoa(at))
}

func ringColumn(member, part int) string { return "m" + itoa(member) + "k" + itoa(part) }

// writeRingRow writes the columns of one row of the ring; those of the other tables are null, in the type of their key.
func (w *walk) writeRingRow(b *builder, ring []*table, of int, alias string) {
	b.write("SELECT ", itoa(of), " AS m")
	for i, m := range ring {
		for k, key := range m.keys {
			b.write(", ")
			if i == of {
				b.write(b.col(alias, key))
			} else {
				z := b.alias()
				b.write("(SELECT ", b.col(z, key), " FROM ", w.d.dialect.table(m.cat), " ", z, " WHERE 1 = 0)")
			}
			b.write(" AS ", ringColumn(i, k))
		}
	}
}

// writeRound writes one step around the ring. PostgreSQL allows the rows found so far to be named once only; the
// others know no LATERAL.
func (w *walk) writeRound(b *builder, ring []*table, own string) {
	lateral := w.d.sys.Kind == datamap.KindPostgres
	o, x := b.alias(), b.alias()
	if lateral {
		b.write(" UNION SELECT ", x, ".* FROM ", own, " ", o, " CROSS JOIN LATERAL (")
	}
	first := true
	for i, m := range ring {
		for _, l := range m.owners {
			above := slices.Index(ring, l.to)
			if above < 0 {
				continue
			}
			switch {
			case !lateral:
				b.write(" UNION ")
				o = b.alias()
			case !first:
				b.write(" UNION ALL ")
			}
			first = false
			child, parent := b.alias(), b.alias()
			w.writeRingRow(b, ring, i, child)
			b.write(" FROM ")
			if !lateral {
				b.write(own, " ", o, " CROSS JOIN ")
			}
			b.write(w.d.dialect.table(l.to.cat), " ", parent)
			w.writeStep(b, m, l, child, parent)
			b.write(" WHERE ", o, ".m = ", itoa(above))
			for k, key := range l.to.keys {
				b.write(" AND ", b.col(parent, key), " = ", o, ".", ringColumn(above, k))
			}
		}
	}
	if lateral {
		b.write(") ", x)
	}
}

// writeStep joins the rows that are owned through a link to the rows above them.
func (w *walk) writeStep(b *builder, t *table, l link, child, parent string) {
	b.write(" JOIN ", w.d.dialect.table(t.cat), " ", child, " ON ")
	for i := range l.cols {
		if i > 0 {
			b.write(" AND ")
		}
		b.write(b.col(child, l.cols[i]), " = ", b.col(parent, l.refs[i]))
	}
	w.writeWhen(b, child, t, l.when)
}
