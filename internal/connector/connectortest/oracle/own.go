package oracle

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/habeas-data/habeas/internal/datamap"
)

// rows is a set of rows: table → indices.
type rows map[*Table]map[int]bool

func (r rows) add(t *Table, i int) bool {
	if r[t][i] {
		return false
	}
	if r[t] == nil {
		r[t] = map[int]bool{}
	}
	r[t][i] = true
	return true
}

// look is one look at a case for its person.
type look struct {
	c       *Case
	subject *datamap.Subject
	home    *Table
	owned   rows // by an owner relation or a match: from these, and only these, one walks on
	mine    rows // and those reached by also_from that nobody else owns
	reached rows // and those that concern the person
	hidden  rows // reached by also_from, and somebody else's
	refs    []reference
}

func newLook(c *Case) *look {
	l := &look{c: c, owned: rows{}, mine: rows{}, reached: rows{}, hidden: rows{}}
	l.subject, _ = c.Map.Subject(c.Subject)
	l.home = c.Table(l.subject.Table)
	l.subjects()
	l.closure()
	l.beside()
	l.references()
	return l
}

func (l *look) entry(t *Table) *datamap.Table {
	e, ok := l.c.Map.Table(t.Name)
	if !ok || !e.Personal {
		return nil
	}
	return e
}

// subjects finds the person's own rows by every proven identifier.
func (l *look) subjects() {
	for _, id := range l.subject.Identifiers {
		t, by := l.home, l.subject.Key
		if id.Table != "" && id.Table != l.subject.Table {
			t, by = l.c.Table(id.Table), id.By
		}
		for _, proven := range l.c.Proven[id.Name] {
			for _, r := range t.Rows {
				if !equal(id.Match, r[t.at(id.Column)], proven) {
					continue
				}
				for i, h := range l.home.Rows {
					if l.columnsEqual(t, r, by, l.home, h, l.subject.Key) {
						l.owned.add(l.home, i)
					}
				}
			}
		}
	}
}

// equal compares an identifier on its stored bytes, by its own rule.
func equal(rule datamap.MatchRule, stored Value, proven string) bool {
	if !stored.Set || proven == "" {
		return false
	}
	if rule == datamap.MatchASCIICI {
		return lowerASCII(stored.Text) == lowerASCII(proven)
	}
	if i, j := strings.LastIndex(stored.Text, "@"), strings.LastIndex(proven, "@"); rule == datamap.MatchDomainCI && i >= 0 && j >= 0 {
		return stored.Text[:i] == proven[:j] && lowerASCII(stored.Text[i:]) == lowerASCII(proven[j:])
	}
	return stored.Text == proven
}

func (l *look) columnsEqual(t *Table, r []Value, cols []string, o *Table, q []Value, refs []string) bool {
	if len(cols) == 0 || len(cols) != len(refs) {
		return false
	}
	for i := range cols {
		if !l.c.same(t.column(cols[i]), r[t.at(cols[i])], o.column(refs[i]), q[o.at(refs[i])]) {
			return false
		}
	}
	return true
}

// ends gives the columns of a relation: ours, and theirs.
func (l *look) ends(t *Table, r datamap.Relation) (o *Table, ours, theirs []string) {
	o = l.c.Table(r.Table)
	switch {
	case len(r.From) > 0:
		if ours = r.To; len(ours) == 0 {
			ours = t.Key
		}
		return o, ours, r.From
	case len(r.By) > 0:
		if theirs = r.To; len(theirs) == 0 {
			theirs = o.Key
		}
		return o, r.By, theirs
	}
	for _, fk := range t.ForeignKeys {
		if fk.To == r.Table {
			return o, fk.Columns, fk.Refs
		}
	}
	for _, ref := range l.c.Map.References {
		if ref.FromTable == t.Name && ref.ToTable == r.Table {
			return o, ref.FromColumns, ref.ToColumns
		}
	}
	panic("the case has no key from " + t.Name + " to " + r.Table)
}

func (l *look) holds(t *Table, r []Value, when map[string]string) bool {
	for col, want := range when {
		c := t.column(col)
		if !l.c.same(c, r[t.at(col)], c, val(want)) {
			return false
		}
	}
	return true
}

// ties tells whether a row is tied to a row of another table by a relation.
func (l *look) ties(t *Table, r []Value, rel datamap.Relation, q []Value) bool {
	o, ours, theirs := l.ends(t, rel)
	return l.holds(t, r, rel.When) && l.columnsEqual(t, r, ours, o, q, theirs)
}

// tied tells whether a row is tied by a relation to any row of a set.
func (l *look) tied(t *Table, r []Value, rel datamap.Relation, in rows) bool {
	o := l.c.Table(rel.Table)
	for i, q := range o.Rows {
		if in[o][i] && l.ties(t, r, rel, q) {
			return true
		}
	}
	return false
}

// closure goes down the owner relations until nothing new is found.
func (l *look) closure() {
	for grown := true; grown; {
		grown = false
		for _, t := range l.c.Tables {
			e := l.entry(t)
			if e == nil || t == l.home {
				continue
			}
			for i, r := range t.Rows {
				if l.isOwned(t, e, r) && l.owned.add(t, i) {
					grown = true
				}
			}
		}
	}
}

func (l *look) isOwned(t *Table, e *datamap.Table, r []Value) bool {
	for _, rel := range e.Owners {
		if l.tied(t, r, rel, l.owned) {
			return true
		}
	}
	if e.Match != nil {
		for _, all := range e.Match.Any {
			if len(all.Columns) > 0 && !slices.ContainsFunc(all.Columns, func(m datamap.MatchColumn) bool { return !l.matches(t, r, m) }) {
				return true
			}
		}
	}
	for _, id := range l.subject.Identifiers { // a table that holds identifiers, and says nothing else, is the subject's
		if id.Table == t.Name && len(id.By) > 0 && len(e.Owners) == 0 {
			for i, h := range l.home.Rows {
				if l.owned[l.home][i] && l.columnsEqual(t, r, id.By, l.home, h, l.subject.Key) {
					return true
				}
			}
		}
	}
	return false
}

func (l *look) matches(t *Table, r []Value, m datamap.MatchColumn) bool {
	v, rule := r[t.at(m.Column)], m.Rule
	if m.JSON != "" {
		v = jsonAt(v, m.JSON)
	}
	for _, id := range l.subject.Identifiers {
		if id.Name == m.Identifier && rule == "" {
			rule = id.Match
		}
	}
	return slices.ContainsFunc(l.c.Proven[m.Identifier], func(p string) bool { return equal(rule, v, p) })
}

func jsonAt(v Value, path string) Value {
	var doc any
	if !v.Set || json.Unmarshal([]byte(v.Text), &doc) != nil {
		return Value{}
	}
	for _, step := range strings.Split(strings.TrimPrefix(path, "$."), ".") {
		m, ok := doc.(map[string]any)
		if !ok {
			return Value{}
		}
		doc = m[step]
	}
	s, ok := doc.(string)
	return Value{s, ok}
}

// beside adds what is reached otherwise: by also_from where nobody else owns the row, and by also_about.
func (l *look) beside() {
	for t, in := range l.owned {
		for i := range in {
			l.mine.add(t, i)
			l.reached.add(t, i)
		}
	}
	for _, t := range l.c.Tables {
		e := l.entry(t)
		if e == nil || t == l.home {
			continue
		}
		for i, r := range t.Rows {
			by := func(rels []datamap.Relation) bool {
				return slices.ContainsFunc(rels, func(rel datamap.Relation) bool { return l.tied(t, r, rel, l.owned) })
			}
			from := by(e.AlsoFrom)
			if from && !l.others(t, e, r) {
				l.mine.add(t, i)
				l.reached.add(t, i)
			}
			if by(e.AlsoAbout) {
				l.reached.add(t, i)
			}
			if from && !l.reached[t][i] {
				l.hidden.add(t, i)
			}
		}
	}
}

// others tells whether somebody else owns a row: an owner that is not the person is somebody else, also where the
// owner's row is gone or nobody is found above it.
func (l *look) others(t *Table, e *datamap.Table, r []Value) bool {
	for _, rel := range e.Owners {
		o, ours, _ := l.ends(t, rel)
		if rel.Upward() {
			for i, q := range o.Rows {
				if !l.owned[o][i] && l.ties(t, r, rel, q) {
					return true
				}
			}
			continue
		}
		set := !slices.ContainsFunc(ours, func(col string) bool { return !r[t.at(col)].Set })
		if set && l.holds(t, r, rel.When) && !l.tied(t, r, rel, l.owned) {
			return true
		}
	}
	return false
}

// reference is a way in which rows of one table need rows of another: a foreign key, or what the map says of one.
type reference struct {
	from, to   *Table
	cols, refs []string
	when       map[string]string
	declared   bool
	onDelete   string
	clear      bool // the map says that it is cleared
	dangle     bool // the map says that it stays, and no foreign key insists
}

func (l *look) references() {
	for _, t := range l.c.Tables {
		for _, fk := range t.ForeignKeys {
			l.refer(reference{from: t, to: l.c.Table(fk.To), cols: fk.Columns, refs: fk.Refs, declared: true, onDelete: fk.OnDelete})
		}
	}
	for _, r := range l.c.Map.References {
		l.refer(reference{from: l.c.Table(r.FromTable), to: l.c.Table(r.ToTable), cols: r.FromColumns, refs: r.ToColumns})
	}
	for _, t := range l.c.Tables {
		e := l.entry(t)
		if e == nil {
			continue
		}
		add := func(rels []datamap.Relation, say func(*reference, datamap.Relation)) {
			for _, rel := range rels {
				o, ours, theirs := l.ends(t, rel)
				ref := reference{from: t, to: o, cols: ours, refs: theirs, when: rel.When}
				if rel.Upward() {
					ref = reference{from: o, to: t, cols: theirs, refs: ours}
				} else if say != nil {
					say(&ref, rel)
				}
				l.refer(ref)
			}
		}
		add(e.Owners, nil)
		add(slices.DeleteFunc(slices.Clone(e.AlsoFrom), func(r datamap.Relation) bool { return !r.Upward() }), nil)
		add(e.AlsoAbout, func(r *reference, _ datamap.Relation) { r.clear = true })
		add(e.Mentions, func(r *reference, rel datamap.Relation) {
			r.clear, r.dangle = rel.OnErase == "null", rel.OnErase == "keep"
		})
	}
	for i := range l.refs {
		l.refs[i].dangle = l.refs[i].dangle && !l.refs[i].declared
		l.refs[i].clear = l.refs[i].clear && len(l.refs[i].clearable()) > 0
	}
}

// refer adds a reference, or what is said of a known one.
func (l *look) refer(r reference) {
	for i := range l.refs {
		h := &l.refs[i]
		if h.from == r.from && h.to == r.to && slices.Equal(h.cols, r.cols) && slices.Equal(h.refs, r.refs) && (len(r.when) == 0 || len(h.when) > 0) {
			h.clear, h.dangle = h.clear || r.clear, h.dangle || r.dangle
			return
		}
	}
	l.refs = append(l.refs, r)
}

// clearable gives the columns of a reference that can be empty.
func (r reference) clearable() []string {
	var out []string
	for _, name := range r.cols {
		if c := r.from.column(name); !c.NotNull && c.Copy == "" && !slices.Contains(r.from.Key, name) {
			out = append(out, name)
		}
	}
	return out
}

func (l *look) points(ref reference, r, q []Value) bool {
	return l.holds(ref.from, r, ref.when) && l.columnsEqual(ref.from, r, ref.cols, ref.to, q, ref.refs)
}
