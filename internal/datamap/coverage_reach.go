package datamap

import (
	"slices"
	"strings"
)

// reach walks from the people's tables down along the keys that point at them, and asks of every table that it
// comes to whether the map names it.
func (c *coverage) reach() {
	via := map[string]string{} // table -> the way by which it reaches a person; "" for where the walk begins
	var queue []string
	visit := func(table, way string) {
		if _, seen := via[table]; !seen {
			via[table] = way
			queue = append(queue, table)
		}
	}
	for _, s := range c.sys.Subjects {
		visit(s.Table, "")
	}
	for i := range c.sys.Tables {
		// Rows that lie above people (an address) are people's too, but what else points at them is not for that
		// reason theirs: a shop has an address as well.
		if t := &c.sys.Tables[i]; t.Personal && !onlyUpward(t) {
			visit(t.Name, "")
		}
	}
	for len(queue) > 0 {
		parent := queue[0]
		queue = queue[1:]
		for _, l := range append(slices.Clone(c.links), c.owned...) {
			if l.To != parent || l.From == parent || c.cut(l) {
				continue
			}
			way := l.String()
			if via[parent] != "" {
				way += ", then " + via[parent]
			}
			visit(l.From, way)
		}
	}
	for i := range c.cat.Tables {
		t := &c.cat.Tables[i]
		way, reached := via[t.Name]
		if t.View || c.ignored(t) || !reached || named(c.sys, t.Name) {
			continue
		}
		if c.sys.Wildcard != nil {
			c.bad(t.Name, "", "name the table", `the table reaches a person (%s); "*" never covers such a table`, way)
		} else {
			c.bad(t.Name, "", "name the table", "the table reaches a person (%s) and is not covered by the map", way)
		}
	}
	c.unsaid()
}

func onlyUpward(t *Table) bool {
	if len(t.Owners) == 0 || t.Match != nil {
		return false
	}
	return !slices.ContainsFunc(t.Owners, func(r Relation) bool { return !r.Upward() })
}

// cut tells whether the map says that a key is no path to a person.
func (c *coverage) cut(l Link) bool {
	t, ok := c.sys.Table(l.From)
	if !ok {
		return false
	}
	if !t.Personal {
		return true
	}
	return c.somebodyElse(t, l)
}

// somebodyElse tells whether a key of a table is declared to hold another person's key.
func (c *coverage) somebodyElse(t *Table, l Link) bool {
	others := !slices.ContainsFunc(l.FromColumns, func(name string) bool {
		col, ok := t.Columns[name]
		return !ok || col.Personal == nil || *col.Personal
	})
	if others {
		return true
	}
	return slices.ContainsFunc(t.Mentions, func(r Relation) bool {
		m, err := Resolve(c.sys, c.cat, t.Name, r)
		return err == nil && m.From == l.From && m.To == l.To && slices.Equal(m.FromColumns, l.FromColumns)
	})
}

// unsaid warns of keys to people's rows about which the map says nothing.
func (c *coverage) unsaid() {
	for _, l := range c.links {
		t, ok := c.sys.Table(l.From)
		column := strings.Join(l.FromColumns, ", ")
		switch {
		case !ok:
			live, exists := c.cat.Table(l.From)
			if above, is := c.sys.Table(l.To); is && above.Personal && onlyUpward(above) && exists && !live.View && !c.ignored(live) && c.sys.Wildcard != nil {
				c.warn(l.From, column, "name the table if its rows are about people", `"*" covers the table as not personal, yet it refers to %s, which holds people's rows`, l.To)
			}
		case !c.isSubject(l.To) || c.somebodyElse(t, l):
		case !t.Personal:
			c.warn(t.Name, column, "if its rows are about people, name their owner", "the table is said not to be personal, yet it refers to %s", l.To)
		case !c.said(l):
			c.warn(t.Name, column, "say owner, also_about, mentions, or columns: {"+column+": {personal: false}}",
				"the column refers to %s and the map does not say in which role", l.To)
		}
	}
}

func (c *coverage) said(l Link) bool {
	return slices.ContainsFunc(c.owned, func(o Link) bool {
		return o.From == l.From && o.To == l.To && slices.Equal(o.FromColumns, l.FromColumns)
	})
}

func (c *coverage) isSubject(table string) bool {
	return slices.ContainsFunc(c.sys.Subjects, func(s Subject) bool { return s.Table == table })
}

// cycles finds tables that hold each other so that no order of deletes exists: every key of the circle forbids null.
func (c *coverage) cycles() {
	hard := map[string][]string{}
	for i := range c.cat.Tables {
		t := &c.cat.Tables[i]
		entry, ok := c.sys.Table(t.Name)
		if !ok || !entry.Personal || entry.Erase.Do == EraseKeep {
			continue
		}
		for _, fk := range t.ForeignKeys {
			parent, ok := c.sys.Table(fk.RefTable)
			if !ok || !parent.Personal || fk.RefTable == t.Name || nullable(t, fk.Columns) {
				continue
			}
			hard[t.Name] = append(hard[t.Name], fk.RefTable)
		}
	}
	done := map[string]bool{}
	for i := range c.cat.Tables {
		if path := circle(hard, c.cat.Tables[i].Name, nil, done); path != nil {
			c.bad(path[0], "", "make one of the keys nullable", "the tables hold each other by keys that forbid null, so no row of them can be deleted first: %s", strings.Join(path, " → "))
		}
	}
}

func nullable(t *CatalogTable, columns []string) bool {
	return slices.ContainsFunc(columns, func(name string) bool {
		col, ok := t.Column(name)
		return ok && col.Nullable
	})
}

// circle finds a circle that can be reached from a table; tables in done were searched before.
func circle(edges map[string][]string, table string, path []string, done map[string]bool) []string {
	if i := slices.Index(path, table); i >= 0 {
		return append(slices.Clone(path[i:]), table)
	}
	if done[table] {
		return nil
	}
	for _, next := range edges[table] {
		if found := circle(edges, next, append(path, table), done); found != nil {
			done[table] = true
			return found
		}
	}
	done[table] = true
	return nil
}
