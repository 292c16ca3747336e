package datamap

import (
	"maps"
	"slices"
	"strings"
)

// relations looks at what the resolved relations of a table say together.
func (c *coverage) relations() {
	for i := range c.sys.Tables {
		t := &c.sys.Tables[i]
		live, ok := c.cat.Table(t.Name)
		if !ok || live.View {
			continue
		}
		var seen []Link
		keys := map[string]bool{}
		for _, list := range [][]Relation{t.Owners, t.AlsoAbout, t.AlsoFrom, t.Mentions} {
			for _, rel := range list {
				l, err := Resolve(c.sys, c.cat, t.Name, rel)
				if err != nil {
					continue
				}
				for _, name := range l.FromColumns {
					keys[name] = true
				}
				if slices.ContainsFunc(seen, func(o Link) bool { return o.same(l) && maps.Equal(o.When, l.When) }) {
					c.bad(t.Name, strings.Join(l.FromColumns, ", "), "remove one of the two", "the same relation is said in two ways: %s", l)
				}
				seen = append(seen, l)
				c.types(t, l)
				c.conditions(t, rel)
				if rel.OnErase == "null" && !nullable(live, l.FromColumns) {
					c.bad(t.Name, strings.Join(l.FromColumns, ", "), "write on_erase: keep, or make the column nullable", "on_erase clears the reference, but the column may not be null")
				}
			}
		}
		for _, name := range t.Export.HideOthers {
			if _, exists := live.Column(name); exists && !keys[name] {
				c.bad(t.Name, name, "name the key of a relation, or say columns: {"+name+": {export: hide}}", "hide_others compares a key with the person's own, and no relation of the map goes by this column")
			}
		}
	}
}

// types holds the two sides of a key against each other: a number never equals a text.
func (c *coverage) types(t *Table, l Link) {
	from, ok1 := c.cat.Table(l.From)
	to, ok2 := c.cat.Table(l.To)
	if !ok1 || !ok2 || l.Enforced || c.sys.Kind == KindSQLite {
		return
	}
	for i, name := range l.FromColumns {
		a, ok1 := from.Column(name)
		b, ok2 := to.Column(l.ToColumns[i])
		if !ok1 || !ok2 || classOf(a) == classOf(b) || classOf(a) == typeOther || classOf(b) == typeOther {
			continue
		}
		c.bad(t.Name, name, "name the column that holds the key", "%s.%s is %s and %s.%s is %s: they can't be compared", l.From, name, a.Type, l.To, b.Name, b.Type)
	}
}

// conditions holds the values of a polymorphic relation against an enumerated column.
func (c *coverage) conditions(t *Table, rel Relation) {
	holder := t.Name
	if rel.Upward() {
		holder = rel.Table
	}
	live, ok := c.cat.Table(holder)
	if !ok {
		return
	}
	for _, name := range sortedKeys(rel.When) {
		if col, ok := live.Column(name); ok && len(col.Enum) > 0 && !slices.Contains(col.Enum, rel.When[name]) {
			c.bad(t.Name, name, "one of "+strings.Join(col.Enum, ", "), "when asks for %q, which the column never holds", rel.When[name])
		}
	}
}

// cleared holds if_others_refer: set_null against the keys that it would clear.
func (c *coverage) cleared() {
	for i := range c.sys.Tables {
		t := &c.sys.Tables[i]
		if !t.Personal || t.Erase.IfOthersRefer != OthersSetNull {
			continue
		}
		for _, l := range append(slices.Clone(c.links), c.owned...) {
			from, ok := c.cat.Table(l.From)
			if ok && l.To == t.Name && !from.View && !c.ignored(from) && !nullable(from, l.FromColumns) && !c.goesWith(l) {
				c.bad(t.Name, "", "say keep or refuse, or make "+l.From+"."+strings.Join(l.FromColumns, "+")+" nullable",
					"if_others_refer: set_null would clear %s.%s, which may not be null", l.From, strings.Join(l.FromColumns, "+"))
			}
		}
	}
}

// goesWith tells whether rows that refer by a link are the owner's own, so that no other people's are among them.
func (c *coverage) goesWith(l Link) bool {
	t, ok := c.sys.Table(l.From)
	if !ok {
		return false
	}
	return slices.ContainsFunc(t.Owners, func(r Relation) bool {
		o, err := Resolve(c.sys, c.cat, t.Name, r)
		return err == nil && o.same(l)
	})
}

// largeObjects tells of columns that hold only the number of a content kept elsewhere in the database.
func (c *coverage) largeObjects(t *Table, live *CatalogTable) {
	for i := range live.Columns {
		col := &live.Columns[i]
		rule := t.Columns[col.Name]
		if !t.Personal || col.Type != "oid" && col.Type != "lo" || rule.Personal != nil && !*rule.Personal || rule.Export == ShowHide || rule.Export == ShowNever {
			continue
		}
		c.bad(t.Name, col.Name, "keep the content in a bytea column, or say columns: {"+col.Name+": {export: never}} and remove the objects by hand",
			"the column holds the number of a large object, whose content can be neither exported nor erased")
	}
}
