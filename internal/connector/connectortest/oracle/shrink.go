package oracle

import (
	"slices"

	"github.com/habeas-data/habeas/internal/datamap"
)

// Shrink drops tables, relations, foreign keys and rows as long as fails still holds, and gives the smallest case found.
func Shrink(c *Case, fails func(*Case) bool) *Case {
	for smaller := true; smaller; {
		smaller = false
		for n := 0; ; n++ {
			next, ok := c.without(n)
			if !ok {
				break
			}
			if next != nil && next.sound() && fails(next) {
				c, smaller = next, true
				n--
			}
		}
	}
	return c
}

// without gives the case without its n-th part; false when there are fewer.
func (c *Case) without(n int) (*Case, bool) {
	for _, t := range c.Tables {
		if n--; n < 0 {
			return c.withoutTable(t.Name), true
		}
	}
	for i := range c.Map.Tables {
		lists := func(x *Case) []*[]datamap.Relation {
			e := &x.Map.Tables[i]
			return []*[]datamap.Relation{&e.Owners, &e.AlsoAbout, &e.AlsoFrom, &e.Mentions}
		}
		for k, list := range lists(c) {
			for r := range *list {
				if n--; n < 0 {
					out := c.clone()
					l := lists(out)[k]
					*l = slices.Delete(*l, r, r+1)
					if e := &out.Map.Tables[i]; e.Erase.Do == datamap.EraseWithOwner && len(e.Owners) == 0 {
						return nil, true
					}
					return out, true
				}
			}
		}
	}
	for i, t := range c.Tables {
		for k := range t.ForeignKeys {
			if n--; n < 0 {
				out := c.clone()
				out.Tables[i].ForeignKeys = slices.Delete(out.Tables[i].ForeignKeys, k, k+1)
				return out, true
			}
		}
		for k := range t.Rows {
			if n--; n < 0 {
				out := c.clone()
				out.Tables[i].Rows = slices.Delete(out.Tables[i].Rows, k, k+1)
				return out, true
			}
		}
		if t.Log != "" {
			if n--; n < 0 {
				out := c.clone()
				out.Tables[i].Log = ""
				return out, true
			}
		}
	}
	return nil, false
}

func (c *Case) withoutTable(name string) *Case {
	for _, s := range c.Map.Subjects {
		for _, id := range s.Identifiers {
			if s.Table == name || id.Table == name {
				return nil
			}
		}
	}
	out := c.clone()
	out.Tables = slices.DeleteFunc(out.Tables, func(t *Table) bool { return t.Name == name })
	out.Map.Tables = slices.DeleteFunc(out.Map.Tables, func(e datamap.Table) bool { return e.Name == name })
	for i := range out.Map.Tables {
		e := &out.Map.Tables[i]
		to := func(r datamap.Relation) bool { return r.Table == name }
		e.Owners, e.AlsoAbout = slices.DeleteFunc(e.Owners, to), slices.DeleteFunc(e.AlsoAbout, to)
		e.AlsoFrom, e.Mentions = slices.DeleteFunc(e.AlsoFrom, to), slices.DeleteFunc(e.Mentions, to)
		if e.Erase.Do == datamap.EraseWithOwner && len(e.Owners) == 0 {
			return nil
		}
	}
	for _, t := range out.Tables {
		t.ForeignKeys = slices.DeleteFunc(t.ForeignKeys, func(fk ForeignKey) bool { return fk.To == name })
		if t.Log == name {
			t.Log = ""
		}
	}
	out.Map.References = slices.DeleteFunc(slices.Clone(out.Map.References), func(r datamap.Reference) bool { return r.FromTable == name || r.ToTable == name })
	return out
}

// sound tells whether the case could stand in a database: every foreign key holds, and every table says whose it is.
func (c *Case) sound() bool {
	l := &look{c: c}
	for _, t := range c.Tables {
		for _, fk := range t.ForeignKeys {
			ref := reference{from: t, to: c.Table(fk.To), cols: fk.Columns, refs: fk.Refs}
			for _, r := range t.Rows {
				set := !slices.ContainsFunc(fk.Columns, func(col string) bool { return !r[t.at(col)].Set })
				if set && !slices.ContainsFunc(ref.to.Rows, func(q []Value) bool { return l.points(ref, r, q) }) {
					return false
				}
			}
		}
	}
	return !slices.ContainsFunc(c.Map.Tables, func(e datamap.Table) bool {
		subject := slices.ContainsFunc(c.Map.Subjects, func(s datamap.Subject) bool {
			return s.Table == e.Name || slices.ContainsFunc(s.Identifiers, func(id datamap.Identifier) bool { return id.Table == e.Name })
		})
		return e.Personal && !subject && len(e.Owners)+len(e.AlsoAbout)+len(e.AlsoFrom)+len(e.Mentions) == 0 && e.Match == nil
	})
}
