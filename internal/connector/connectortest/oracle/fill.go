package oracle

import (
	"fmt"
	"slices"

	"github.com/habeas-data/habeas/internal/datamap"
)

// mails are addresses that are nearly the same, and some that are.
func mails() []string {
	return []string{"ann@x.test", "ann@X.test", "Ann@x.test", "ann@x.tes", "ann@x.testa", "bann@x.test", "änn@x.test", "ANN@X.TEST", "ann", "o'ann@x.test", "ann%@x.test", "_nn@x.test"}
}

// texts are keys in which something could be lost.
func texts() []string {
	return []string{"a", "A", "b", "a b", " a", "a\x1fb", "b\x1fa", "a|b", "é", "日本", "'", `"`, "%", "_", "a,b", "0", "00", "-1", "null", "NULL", `\`, "a\nb", "😀", "x:a", "[a]", "1", "1.0"}
}

// fill gives every table rows; references point at rows that are there wherever a foreign key insists.
func (g *generator) fill() {
	for _, t := range g.c.Tables {
		n := g.IntN(6)
		if g.isSubject(t) {
			n = 2 + g.IntN(4)
		}
		if t.Columns[0].Name == "what" && len(t.Columns) == 1 {
			n = g.IntN(2)
		}
		for range n {
			g.row(t)
		}
	}
	g.point()
	g.proven()
	for _, t := range g.c.Tables {
		t.Rows = g.distinct(t)
	}
	g.valid()
	for _, t := range g.c.Tables {
		if len(t.Key) == 0 && len(t.Rows) > 0 && g.chance(50) { // rows that are alike
			t.Rows = append(t.Rows, slices.Clone(t.Rows[0]))
		}
		for _, r := range t.Rows {
			for n, c := range t.Columns {
				if c.Copy != "" {
					r[n] = r[t.at(c.Copy)]
				}
			}
		}
	}
}

func (g *generator) row(t *Table) {
	r := make([]Value, len(t.Columns))
	for i, c := range t.Columns {
		key := slices.Contains(t.Key, c.Name)
		switch {
		case slices.ContainsFunc(t.Unique, func(u []string) bool { return slices.Contains(u, c.Name) }):
			r[i] = val(fmt.Sprintf("u%d", len(t.Rows)))
		case !key && !c.NotNull && g.chance(20):
		case c.Kind == Int:
			r[i] = val(fmt.Sprint(pick(g, 1, 11, 111, 2, 12, 21, -1, 0)))
		case c.Kind == Date:
			r[i] = val(pick(g, "2021-05-31", "2021-06-01", "2021-06-02", "2020-12-31", "2021-01-01", "2020-02-29", "2024-02-29", "2024-05-05", "1999-01-01"))
		case c.Kind == JSON:
			r[i] = val(pick(g, `{"other": 1}`, `{"email": "`+pick(g, mails()...)+`"}`, `{"email": "ann@x.test"}`, `[]`, `{"email": null}`))
		case c.use == "email", c.use == "address":
			r[i] = val(pick(g, pick(g, mails()...), mails()[0], ""))
		case c.use == "kind":
			r[i] = val(pick(g, "Owner", "Owner", "owner", "Robot"))
		default:
			if r[i] = val(pick(g, texts()...)); c.Length > 0 && len([]rune(r[i].Text)) > c.Length {
				r[i] = val("t")
			}
			if g.c.Engine == datamap.KindMySQL && g.chance(10) {
				r[i].Text += " "
			}
		}
	}
	t.Rows = append(t.Rows, r)
}

// way is where columns point.
type way struct {
	t, to      *Table
	cols, refs []string
	declared   bool
}

func (g *generator) ways() []way {
	l := &look{c: g.c}
	l.references()
	var out []way
	for _, r := range l.refs {
		out = append(out, way{r.from, r.to, r.cols, r.refs, r.declared})
	}
	for _, s := range g.c.Map.Subjects {
		for _, id := range s.Identifiers {
			if id.Table != "" {
				out = append(out, way{g.c.Table(id.Table), g.c.Table(s.Table), id.By, s.Key, false})
			}
		}
	}
	return out
}

// point lets references point at rows, at nothing, or where no key insists into the void.
func (g *generator) point() {
	for _, w := range g.ways() {
		for _, r := range w.t.Rows {
			nullable := slices.ContainsFunc(w.cols, func(c string) bool { return !w.t.column(c).NotNull })
			if nullable && g.chance(20) {
				for _, c := range w.cols {
					if !w.t.column(c).NotNull {
						r[w.t.at(c)] = Value{}
					}
				}
				continue
			}
			if len(w.to.Rows) == 0 || !w.declared && g.chance(12) {
				continue
			}
			q := w.to.Rows[g.IntN(len(w.to.Rows))]
			for i, c := range w.cols {
				r[w.t.at(c)] = q[w.to.at(w.refs[i])]
			}
		}
	}
}

// proven says what the person has proven.
func (g *generator) proven() {
	s, _ := g.c.Map.Subject(g.c.Subject)
	home := g.c.Table(s.Table)
	for i, id := range s.Identifiers {
		if i > 0 && g.chance(50) {
			continue
		}
		t := home
		if id.Table != "" {
			t = g.c.Table(id.Table)
		}
		v := mails()[0]
		if len(t.Rows) > 0 && g.chance(90) {
			v = t.Rows[0][t.at(id.Column)].Text
		}
		if v == "" && i == 0 {
			v = "ann@x.test"
			if len(t.Rows) > 0 {
				t.Rows[0][t.at(id.Column)] = val(v)
			}
		}
		g.c.Proven[id.Name] = []string{v}
		if g.chance(10) {
			g.c.Proven[id.Name] = append(g.c.Proven[id.Name], pick(g, "", "ann@x.test", "nobody@x.test"))
		}
	}
	// Mostly one person answers, now and then two.
	for i, r := range home.Rows {
		at := home.at(s.Identifiers[0].Column)
		if i > 0 && !g.chance(4) && slices.ContainsFunc(g.c.Proven[s.Identifiers[0].Name], func(p string) bool { return equal(s.Identifiers[0].Match, r[at], p) }) {
			r[at] = val(fmt.Sprintf("p%d@x.test", i))
		}
	}
}

// distinct drops rows whose key or unique value is there already, as the engine compares.
func (g *generator) distinct(t *Table) [][]Value {
	var out [][]Value
	seen := map[string]bool{}
	keys := slices.Clone(t.Unique)
	if len(t.Key) > 0 {
		keys = append(keys, t.Key)
	}
	for _, r := range t.Rows {
		fresh := true
		for n, key := range keys {
			s := fmt.Sprint(n)
			for _, k := range key {
				c := t.column(k)
				s += "\x00" + g.c.canon(r[t.at(k)].Text, c.Kind == Text, c.Fold)
			}
			fresh = fresh && !seen[s]
			seen[s] = true
		}
		if fresh {
			out = append(out, r)
		}
	}
	return out
}

// valid clears references that point at nothing although a foreign key insists, or drops their rows.
func (g *generator) valid() {
	for again := true; again; {
		again = false
		for _, t := range g.c.Tables {
			for _, fk := range t.ForeignKeys {
				ref := reference{from: t, to: g.c.Table(fk.To), cols: fk.Columns, refs: fk.Refs}
				l := &look{c: g.c}
				n := len(t.Rows)
				t.Rows = slices.DeleteFunc(t.Rows, func(r []Value) bool {
					if slices.ContainsFunc(fk.Columns, func(c string) bool { return !r[t.at(c)].Set }) ||
						slices.ContainsFunc(ref.to.Rows, func(q []Value) bool { return l.points(ref, r, q) }) {
						return false
					}
					can := ref.clearable()
					for _, c := range can {
						r[t.at(c)] = Value{}
					}
					return len(can) == 0
				})
				again = again || len(t.Rows) != n
			}
		}
	}
}
