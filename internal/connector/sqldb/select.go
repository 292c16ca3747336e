package sqldb

import (
	"slices"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/datamap"
)

// set says which rows of a table are meant.
type set int

const (
	owned   set = iota // by an owner relation or a match: from these, and only these, one walks on
	mine               // owned, and those reached by also_from that nobody else owns
	reached            // mine, and those that concern the person without being theirs (also_about)
)

// selection is what to read of a set's rows. The functions write SQL for the alias of the rows.
type selection struct {
	cols  func(alias string)
	join  func(alias string)
	where func(alias string)
	order bool // by key: the same data give the same sequence
}

// branch writes a condition on an alias of the table's rows.
type branch func(b *builder, alias string)

// rows writes one SELECT of the rows of t that are in the set.
//
// Several ways to a row are a UNION of keys joined back, not an OR: an OR of subqueries makes every engine read the
// whole table. The union also counts a row once, however many ways lead to it.
func (w *walk) rows(b *builder, t *table, in set, s selection) {
	own, beside := w.ownerBranches(t), w.besideBranches(t, in)
	ring := w.rings[t]
	a := b.alias()
	b.write("SELECT ")
	s.cols(a)
	b.write(" FROM ", w.d.dialect.table(t.cat), " ", a)
	union := !t.keyless && (len(own)+len(beside) > 1 || ring != nil)
	if union {
		b.write(" JOIN (")
		w.union(b, t, own, beside)
		u := b.alias()
		b.write(") ", u, " ON ")
		for i, k := range t.keys {
			if i > 0 {
				b.write(" AND ")
			}
			b.write(b.col(a, k), " = ", u, ".k", itoa(i))
		}
	}
	if s.join != nil {
		s.join(a)
	}
	b.write(" WHERE ")
	if union {
		b.write("1 = 1")
	} else {
		w.writeAny(b, a, append(own, beside...))
	}
	if s.where != nil {
		b.write(" AND ")
		s.where(a)
	}
	if s.order {
		b.write(" ORDER BY ", b.list(a, t.keys))
	}
}

// writeAny writes: one of the branches holds.
func (w *walk) writeAny(b *builder, a string, branches []branch) {
	if len(branches) == 0 {
		b.write("1 = 0")
		return
	}
	b.write("(")
	for i, br := range branches {
		if i > 0 {
			b.write(" OR ")
		}
		b.write("(")
		br(b, a)
		b.write(")")
	}
	b.write(")")
}

// union writes the keys of all branches. Only from owned rows one walks on, so what stands beside is not in the ring.
func (w *walk) union(b *builder, t *table, own, beside []branch) {
	if w.rings[t] != nil {
		w.writeRing(b, t)
	} else {
		beside = append(own, beside...)
	}
	for i, br := range beside {
		if i > 0 || w.rings[t] != nil {
			b.write(" UNION ")
		}
		a := b.alias()
		b.write("SELECT ")
		w.writeKeyColumns(b, a, t)
		b.write(" FROM ", w.d.dialect.table(t.cat), " ", a, " WHERE ")
		br(b, a)
	}
}

func (w *walk) writeKeyColumns(b *builder, alias string, t *table) {
	for i, k := range t.keys {
		if i > 0 {
			b.write(", ")
		}
		b.write(b.col(alias, k), " AS k", itoa(i))
	}
}

// besideBranches gives the ways in which rows come into the set that the person does not own.
func (w *walk) besideBranches(t *table, in set) []branch {
	var out []branch
	if in >= mine && t != w.home {
		for _, l := range t.alsoFrom {
			if !w.reach[l.to] {
				continue
			}
			out = append(out, func(b *builder, a string) {
				w.writeLink(b, a, t, l)
				b.write(" AND (")
				w.writeOthers(b, a, t)
				b.write(") IS NOT TRUE")
			})
		}
	}
	if in >= reached {
		for _, l := range t.about {
			if w.reach[l.to] {
				out = append(out, func(b *builder, a string) { w.writeLink(b, a, t, l) })
			}
		}
	}
	return out
}

// ownerBranches gives the ways in which rows of t are owned, but for the links within its ring.
func (w *walk) ownerBranches(t *table) []branch {
	if t == w.home {
		return []branch{func(b *builder, a string) { w.writeKeys(b, a, t, w.subject.Key) }}
	}
	var out []branch
	for _, l := range t.owners {
		if w.reach[l.to] && !slices.Contains(w.rings[t], l.to) {
			out = append(out, func(b *builder, a string) { w.writeLink(b, a, t, l) })
		}
	}
	if t.entry != nil && w.matches(t) {
		for _, all := range t.entry.Match.Any {
			if w.provable(t, all) {
				out = append(out, func(b *builder, a string) { w.writeMatch(b, a, t, all) })
			}
		}
	}
	for _, id := range w.subject.Identifiers { // rows that hold an identifier elsewhere are the subject's
		if id.Table == t.name && len(id.By) > 0 && len(t.owners) == 0 && t.entry != nil && t.entry.Personal {
			out = append(out, func(b *builder, a string) { w.writeKeys(b, a, t, id.By) })
		}
	}
	return out
}

// writeLink writes: our columns hold what an owned row of the other table holds.
func (w *walk) writeLink(b *builder, a string, t *table, l link) {
	if l.to == w.home && slices.Equal(l.refs, w.subject.Key) {
		w.writeKeys(b, a, t, l.cols)
	} else {
		b.write(b.tuple(a, l.cols), " IN (")
		w.rows(b, l.to, owned, selection{cols: func(o string) { b.write(b.list(o, l.refs)) }})
		b.write(")")
	}
	w.writeWhen(b, a, t, l.when)
}

func (w *walk) writeWhen(b *builder, a string, t *table, when []cond) {
	for _, c := range when {
		col, _ := t.cat.Column(c.column)
		v, ok := w.d.dialect.keyValue(c.value, col)
		if !ok {
			b.write(" AND 1 = 0")
			continue
		}
		b.write(" AND ", b.col(a, c.column), " = ")
		b.write(w.d.dialect.keyParam(b.param(v), col))
	}
}

// writeKeys writes: these columns of the alias hold one of the subject's own keys.
func (w *walk) writeKeys(b *builder, a string, t *table, cols []string) {
	if len(w.keys) == 0 {
		b.write("1 = 0")
		return
	}
	list := make([]*datamap.CatalogColumn, len(cols))
	for i, c := range cols {
		list[i], _ = t.cat.Column(c)
	}
	fits := make([]connector.Key, 0, len(w.keys))
	for _, k := range w.keys {
		if len(k) == len(list) && !slices.ContainsFunc(list, func(c *datamap.CatalogColumn) bool { return c == nil }) && w.fits(k, list) {
			fits = append(fits, k)
		}
	}
	if len(fits) == 0 {
		b.write("1 = 0")
		return
	}
	if err := w.d.dialect.keysIn(b, a, list, fits); err != nil {
		b.write("1 = 0") // cannot be: every key was tried above
	}
}

func (w *walk) fits(k connector.Key, cols []*datamap.CatalogColumn) bool {
	for i, c := range cols {
		if _, ok := w.d.dialect.keyValue(k[i], c); !ok {
			return false
		}
	}
	return true
}

// provable tells whether every identifier of a match was proven and has a stored form.
func (w *walk) provable(t *table, all datamap.MatchAll) bool {
	return len(all.Columns) > 0 && !slices.ContainsFunc(all.Columns, func(m datamap.MatchColumn) bool {
		return len(w.stored[matchKey(t, m)]) == 0
	})
}

func (w *walk) writeMatch(b *builder, a string, t *table, all datamap.MatchAll) {
	for i, m := range all.Columns {
		if i > 0 {
			b.write(" AND ")
		}
		col, _ := t.cat.Column(m.Column)
		expr := w.matchExpr(b, a, col, m.JSON)
		b.write("(")
		any := false
		for _, v := range w.stored[matchKey(t, m)] {
			c := candidate{column: m.Column, json: m.JSON, rule: datamap.MatchExact, value: v}
			if _, ok := w.d.dialect.keyValue(v, col); !ok && m.JSON == "" {
				continue
			}
			if any {
				b.write(" OR ")
			}
			b.write("(")
			w.writeEqual(b, expr, col, c)
			b.write(")")
			any = true
		}
		if !any {
			b.write("1 = 0")
		}
		b.write(")")
	}
}

// writeOthers writes: somebody else owns the row by one of the table's owner relations. An owner that is not the
// person is somebody else, also where the owner's row is gone or nobody is found above it.
func (w *walk) writeOthers(b *builder, a string, t *table) {
	w.writeOthersBy(b, a, t, t.owners)
}

func (w *walk) writeOthersBy(b *builder, a string, t *table, owners []link) {
	n := 0
	for _, l := range owners {
		if n > 0 {
			b.write(" OR ")
		}
		n++
		b.write("(")
		w.writeOther(b, a, t, l)
		b.write(")")
	}
	if n == 0 {
		b.write("1 = 0")
	}
}

func (w *walk) writeOther(b *builder, a string, t *table, l link) {
	if l.up {
		// Their row points at ours, and it is not one of the person's.
		o := b.alias()
		b.write(b.tuple(a, l.cols), " IN (SELECT ", b.list(o, l.refs), " FROM ", w.d.dialect.table(l.to.cat), " ", o, " WHERE ")
		for _, r := range l.refs {
			b.write(b.col(o, r), " IS NOT NULL AND ")
		}
		b.write("(")
		w.writeMember(b, o, l.to)
		b.write(") IS NOT TRUE)")
		return
	}
	for _, c := range l.cols {
		b.write(b.col(a, c), " IS NOT NULL AND ")
	}
	b.write("((")
	if l.to == w.home && slices.Equal(l.refs, w.subject.Key) {
		w.writeKeys(b, a, t, l.cols)
	} else if w.reach[l.to] {
		b.write(b.tuple(a, l.cols), " IN (")
		w.rows(b, l.to, owned, selection{cols: func(o string) { b.write(b.list(o, l.refs)) }})
		b.write(")")
	} else {
		b.write("1 = 0")
	}
	b.write(") IS NOT TRUE)")
	w.writeWhen(b, a, t, l.when)
}

// writeMember writes: the row of the alias is one of the person's own in t.
func (w *walk) writeMember(b *builder, a string, t *table) {
	switch {
	case t == w.home:
		w.writeKeys(b, a, t, w.subject.Key)
	case !w.reach[t]:
		b.write("1 = 0")
	case t.keyless:
		w.writeAny(b, a, append(w.ownerBranches(t), w.besideBranches(t, reached)...))
	default:
		b.write(b.tuple(a, t.keys), " IN (")
		w.rows(b, t, owned, selection{cols: func(o string) { b.write(b.list(o, t.keys)) }})
		b.write(")")
	}
}
