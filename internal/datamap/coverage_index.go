package datamap

import (
	"slices"
	"strings"
)

// manyRows is from where a look-up without an index is more than a nuisance: it is done for each row that goes.
const manyRows = 100_000

// indexes tells of keys to people's rows, and of columns by which rows are found, that no index serves: each look-up reads
// the whole table, and each delete of a row looks for those that refer to it.
func (c *coverage) indexes() {
	for _, l := range append(slices.Clone(c.links), c.owned...) {
		t, ok := c.cat.Table(l.From)
		parent, ok2 := c.sys.Table(l.To)
		if ok && ok2 && parent.Personal && !t.View && !c.ignored(t) {
			c.indexed(t, l.FromColumns, "no index begins with this key to "+l.To+": every delete there reads the whole table")
		}
	}
	for i := range c.sys.Subjects {
		for _, id := range c.sys.Subjects[i].Identifiers {
			if t, ok := c.cat.Table(id.Table); ok && !t.View {
				c.found(t, id.Column, id.Match, "people are found by this column")
				if len(id.By) > 0 {
					c.indexed(t, id.By, "the identifier "+id.Name+" is found by this key, and no index begins with it")
				}
			}
		}
	}
	for i := range c.sys.Tables {
		e := &c.sys.Tables[i]
		t, ok := c.cat.Table(e.Name)
		if !ok || t.View || e.Match == nil {
			continue
		}
		for _, all := range e.Match.Any {
			for _, m := range all.Columns {
				if m.JSON == "" && len(all.Columns) == 1 {
					c.found(t, m.Column, c.ruleOf(m), "rows are found by this column")
				}
			}
		}
	}
}

// ruleOf gives the rule by which a matched column is compared.
func (c *coverage) ruleOf(m MatchColumn) MatchRule {
	if m.Rule != "" {
		return m.Rule
	}
	for _, s := range c.sys.Subjects {
		for _, id := range s.Identifiers {
			if id.Name == m.Identifier {
				return id.Match
			}
		}
	}
	return MatchExact
}

// found asks for an index that serves look-ups by an identifier. One that ignores case is served by an index on the
// folded column alone.
func (c *coverage) found(t *CatalogTable, column string, rule MatchRule, what string) {
	col, ok := t.Column(column)
	if !ok {
		return
	}
	if rule == MatchExact {
		c.indexed(t, []string{column}, what+", and no index begins with it: every look-up reads the whole table")
		return
	}
	if col.Folded != FoldedNot || c.sys.Kind == KindSQLite {
		return
	}
	fix := "CREATE INDEX ON " + c.quoted(t) + " (" + c.quoteName(column) + "), with a collation that ignores case (…_ci)"
	if c.sys.Kind == KindPostgres {
		fix = "CREATE INDEX CONCURRENTLY ON " + c.quoted(t) + " (lower(" + c.quoteName(column) + "))"
	}
	cased := " in any case"
	if rule == MatchDomainCI {
		cased = " with the domain in any case"
	}
	c.slow(t, column, fix, what+cased+", and no index serves that: every look-up reads the whole table")
}

// indexed asks for an index that begins with columns, in any order.
func (c *coverage) indexed(t *CatalogTable, columns []string, what string) {
	serves := func(index []string) bool {
		n := len(columns)
		return len(index) >= n && slices.Equal(slices.Sorted(slices.Values(index[:n])), slices.Sorted(slices.Values(columns)))
	}
	if slices.ContainsFunc(t.Indexes, serves) || serves(t.PrimaryKey) || slices.ContainsFunc(t.Unique, serves) {
		return
	}
	quoted := make([]string, len(columns))
	for i, name := range columns {
		quoted[i] = c.quoteName(name)
	}
	on := c.quoted(t) + " (" + strings.Join(quoted, ", ") + ")"
	// What is not named needs a name for the index.
	//exhaustive:ignore
	switch c.sys.Kind {
	case KindPostgres:
		on = "CREATE INDEX CONCURRENTLY ON " + on
	default:
		on = "CREATE INDEX " + c.quoteName("by_"+snake(t.Bare+"_"+strings.Join(columns, "_"))) + " ON " + on
	}
	c.slow(t, strings.Join(columns, ", "), on, what)
}

// slow is a warning for small tables and those for which the map accepts it, and an error for big ones.
func (c *coverage) slow(t *CatalogTable, column, fix, what string) {
	entry, _ := c.sys.Table(t.Name)
	accepted := entry != nil && entry.Slow
	switch {
	case accepted:
	case t.Rows >= manyRows:
		c.bad(t.Name, column, fix+"; or say index: accepted at the table", "%s; it has about %d rows, so it needs an index", what, t.Rows)
	default:
		c.warn(t.Name, column, fix, "%s", what)
	}
}

func (c *coverage) quoted(t *CatalogTable) string {
	if c.sys.Kind == KindPostgres && t.Name != t.Bare {
		return c.quoteName(t.Schema) + "." + c.quoteName(t.Bare)
	}
	return c.quoteName(t.Bare)
}

// quoteName quotes a name where the engine needs it.
func (c *coverage) quoteName(s string) string {
	if snake(s) == s && s != "" && s != "order" && s != "user" && s != "group" && s != "table" {
		return s
	}
	if c.sys.Kind == KindMySQL {
		return "`" + strings.ReplaceAll(s, "`", "``") + "`"
	}
	return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
}
