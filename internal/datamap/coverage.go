package datamap

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Coverage holds a system's entry against its live database and tells every difference, errors and warnings, sorted
// by table and column. An error stops an erasure before its first delete.
//
// The gate is reachability: a table from which keys lead to a person, over any number of tables, must be named; "*"
// covers only what no key connects with a person. A key is not followed where the map says that it holds somebody
// else's (mentions, or `personal: false` on its columns), nor through a table that is named as not personal.
func Coverage(sys *System, cat *Catalog) []Finding {
	c := &coverage{sys: sys, cat: cat, links: Links(sys, cat)}
	c.schemas()
	c.references()
	for i := range sys.Subjects {
		c.subject(&sys.Subjects[i])
	}
	for i := range sys.Tables {
		c.table(&sys.Tables[i])
	}
	c.reach()
	c.strangers()
	c.anonymization()
	c.relations()
	c.cleared()
	c.cycles()
	c.indexes()
	c.lines()
	slices.SortStableFunc(c.findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Table, b.Table), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(c.findings)
}

// Blocking tells whether any finding is more than a warning.
func Blocking(findings []Finding) bool {
	return slices.ContainsFunc(findings, func(f Finding) bool { return !f.Warning })
}

// lines tells where in the map each finding belongs.
func (c *coverage) lines() {
	for i := range c.findings {
		f := &c.findings[i]
		t, ok := c.sys.Table(f.Table)
		switch {
		case f.Table == "":
			f.Line = c.sys.Line
		case ok:
			f.Line = cmp.Or(t.Columns[f.Column].Line, t.Line)
		}
	}
}

type coverage struct {
	sys      *System
	cat      *Catalog
	links    []Link // foreign keys and references
	owned    []Link // resolved relations of the map, whatever their kind
	findings []Finding
}

func (c *coverage) bad(table, column, fix, format string, args ...any) {
	c.findings = append(c.findings, Finding{System: c.sys.Name, Table: table, Column: column, Fix: fix, Message: fmt.Sprintf(format, args...)})
}

func (c *coverage) warn(table, column, fix, format string, args ...any) {
	c.bad(table, column, fix, format, args...)
	c.findings[len(c.findings)-1].Warning = true
}

// ignored tells whether a table lies in a schema that the map leaves out with a reason.
func (c *coverage) ignored(t *CatalogTable) bool {
	_, ok := c.sys.Schemas.Ignore[t.Schema]
	return ok
}

func (c *coverage) schemas() {
	in := c.sys.Schemas
	exists := map[string]bool{}
	told := map[string]bool{}
	for i := range c.cat.Tables {
		t := &c.cat.Tables[i]
		exists[t.Schema] = true
		if len(in.Include) == 0 || t.View || told[t.Schema] || slices.Contains(in.Include, t.Schema) || c.ignored(t) || named(c.sys, t.Name) {
			continue
		}
		told[t.Schema] = true
		c.bad("", "", "add it to schemas.include, or to schemas.ignore with a reason", "the schema %s is neither included nor ignored", t.Schema)
	}
	if len(c.cat.Tables) == 0 {
		return
	}
	for _, name := range in.Include {
		if !exists[name] && c.cat.Kind == KindPostgres { // in MySQL it is another database, to be searched after an erasure
			c.bad("", "", "", "the included schema %s does not exist or holds no tables", name)
		}
	}
}

func (c *coverage) references() {
	for _, r := range c.sys.References {
		c.columns(r.FromTable, "a reference", r.FromColumns...)
		c.columns(r.ToTable, "a reference", r.ToColumns...)
	}
}

// columns tells which of the columns that the map names do not exist.
func (c *coverage) columns(table, by string, names ...string) {
	t, ok := c.cat.Table(table)
	if !ok {
		if !named(c.sys, table) { // a named table is told by table()
			c.bad(table, "", c.nearTable(table), "%s names the table %s, which does not exist", by, table)
		}
		return
	}
	for _, name := range names {
		if _, ok := t.Column(name); !ok {
			c.bad(table, name, nearColumn(t, name), "the column does not exist; %s names it", by)
		}
	}
}

func (c *coverage) nearTable(name string) string {
	var known []string
	for i := range c.cat.Tables {
		known = append(known, c.cat.Tables[i].Name)
	}
	return near(name, known)
}

func nearColumn(t *CatalogTable, name string) string {
	var known []string
	for i := range t.Columns {
		known = append(known, t.Columns[i].Name)
	}
	return near(name, known)
}

// near is suggest without the list of everything: a database has too many names for that.
func near(name string, known []string) string {
	for _, k := range known {
		if strings.EqualFold(k, name) {
			return "did you mean " + k + "?"
		}
	}
	if s := suggest(name, known); strings.HasPrefix(s, "did you mean") {
		return s
	}
	return ""
}

func (c *coverage) subject(s *Subject) {
	c.columns(s.Table, "the subject's key", s.Key...)
	for _, id := range s.Identifiers {
		c.columns(id.Table, "the identifier "+id.Name, append(slices.Clone(id.By), id.Column)...)
	}
	if s.Members != nil {
		c.columns(s.Members.Table, "members", s.Members.By, s.Members.Person)
	}
	t, ok := c.cat.Table(s.Table)
	if !ok || len(s.Key) == 0 {
		return
	}
	isKey := slices.Equal(slices.Sorted(slices.Values(t.PrimaryKey)), slices.Sorted(slices.Values(s.Key)))
	for _, u := range t.Unique {
		isKey = isKey || slices.Equal(slices.Sorted(slices.Values(u)), slices.Sorted(slices.Values(s.Key)))
	}
	if !isKey {
		c.warn(s.Table, strings.Join(s.Key, ", "), "", "the subject's key is neither the primary key nor unique: one key may stand for several people")
	}
}

func (c *coverage) table(t *Table) {
	live, ok := c.cat.Table(t.Name)
	switch {
	case !ok:
		c.bad(t.Name, "", c.nearTable(t.Name), "the map names the table, but it does not exist")
		return
	case live.View:
		c.bad(t.Name, "", "remove it; the tables below it are named instead", "this is a view: views need no entry")
		return
	case c.ignored(live):
		c.bad(t.Name, "", "", "the table is named, yet its schema %s is ignored", live.Schema)
		return
	}
	for _, name := range slices.Sorted(maps.Keys(t.Columns)) {
		c.columns(t.Name, "the map", name)
	}
	c.columns(t.Name, "redact_now", t.RedactNow...)
	c.columns(t.Name, "hide_others", t.Export.HideOthers...)
	if t.File != nil {
		c.columns(t.Name, "file", t.File.Key)
	}
	if t.RowDate != "" {
		c.columns(t.Name, "row_date", t.RowDate)
		if col, ok := live.Column(t.RowDate); ok && classOf(col) != typeTime && c.sys.Kind != KindSQLite {
			c.bad(t.Name, t.RowDate, "name a date or timestamp", "row_date must date the row; this column is %s", col.Type)
		} else if ok && col.Nullable && t.Erase.Do == EraseRetain {
			c.warn(t.Name, t.RowDate, "name a date that every row has", "row_date may be null here: a row without it is kept until somebody looks")
		}
	}
	if t.Match != nil {
		for _, all := range t.Match.Any {
			for _, m := range all.Columns {
				c.columns(t.Name, "match", m.Column)
				if col, ok := live.Column(m.Column); ok && m.JSON != "" && classOf(col) != typeJSON && classOf(col) != typeText {
					c.bad(t.Name, m.Column, "", "a path within JSON is matched, but the column is %s", col.Type)
				}
			}
		}
	}
	c.largeObjects(t, live)
	for _, list := range [][]Relation{t.Owners, t.AlsoAbout, t.AlsoFrom, t.Mentions} {
		for _, rel := range list {
			c.relation(t, rel)
		}
	}
}

func (c *coverage) relation(t *Table, rel Relation) {
	if len(rel.When) > 0 {
		holder := t.Name
		if rel.Upward() {
			holder = rel.Table
		}
		c.columns(holder, "when", slices.Sorted(maps.Keys(rel.When))...)
	}
	if to, ok := c.cat.Table(rel.Table); ok && to.View {
		c.bad(t.Name, strings.Join(rel.By, ", "), "name the table below it", "%s is a view: rows belong to tables", rel.Table)
		return
	}
	l, err := Resolve(c.sys, c.cat, t.Name, rel)
	if err != nil {
		c.bad(t.Name, strings.Join(rel.By, ", "), "", "%s", err)
		return
	}
	c.owned = append(c.owned, l)
}

// strangers looks at what no key connects with a person, but whose names say otherwise.
func (c *coverage) strangers() {
	for i := range c.cat.Tables {
		t := &c.cat.Tables[i]
		if t.View || c.ignored(t) || named(c.sys, t.Name) {
			continue
		}
		if c.reported(t.Name) {
			continue
		}
		if c.sys.Wildcard == nil {
			c.bad(t.Name, "", `name it, or add "*": {personal: false, why: …}`, "the table is not covered by the map")
			continue
		}
		for j := range t.Columns {
			col := &t.Columns[j]
			if s, ok := c.suspected(col); ok {
				c.bad(t.Name, col.Name, "name the table: with owner {table: "+s.Table+", by: "+col.Name+"}, or personal: false with why",
					`the column looks like a key of %s that the database does not declare; "*" can't cover it`, s.Table)
			} else if owner, ok := c.suspectedOwner(t, col); ok {
				c.warn(t.Name, col.Name, "name the table: with owner {table: "+owner+", by: "+col.Name+"}, or personal: false with why",
					`the column looks like a key of %s that the database does not declare`, owner)
			} else if what := looksPersonal(col.Name); what != "" {
				c.warn(t.Name, col.Name, "name the table", `"*" covers the table as not personal, yet the column looks like %s`, what)
			}
		}
	}
}

func (c *coverage) suspected(col *CatalogColumn) (Subject, bool) {
	for _, s := range c.sys.Subjects {
		if suspectedKey(col, s, c.cat) {
			return s, true
		}
	}
	return Subject{}, false
}

// suspectedOwner is suspected for tables that hold people's rows without being the people.
func (c *coverage) suspectedOwner(t *CatalogTable, col *CatalogColumn) (string, bool) {
	if slices.Equal(t.PrimaryKey, []string{col.Name}) {
		return "", false
	}
	for i := range c.sys.Tables {
		o := &c.sys.Tables[i]
		live, ok := c.cat.Table(o.Name)
		if ok && o.Personal && !onlyUpward(o) && suspectedKey(col, Subject{Table: o.Name, Key: live.PrimaryKey}, c.cat) {
			return o.Name, true
		}
	}
	return "", false
}

// reported tells whether an error about a table as a whole was told already.
func (c *coverage) reported(table string) bool {
	return slices.ContainsFunc(c.findings, func(f Finding) bool { return f.Table == table && f.Column == "" && !f.Warning })
}
