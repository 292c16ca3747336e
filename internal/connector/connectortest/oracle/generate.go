package oracle

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/policy"
	"github.com/habeas-data/habeas/internal/statute"
)

// generator makes one case.
type generator struct {
	*rand.Rand
	c     *Case
	named map[string]bool
	home  *Table
	up    []*Table // tables that others point up to
}

// Generate makes a case of a seed: the same for the same seed and engine. What an engine lacks is left out for it:
// schemas, partitions and jsonb are PostgreSQL's; ON DELETE SET DEFAULT and deferrable keys InnoDB lacks.
func Generate(seed uint64, engine datamap.Kind, schema string) *Case {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 7)), named: map[string]bool{}}
	g.c = &Case{Seed: seed, Engine: engine, Schema: schema, Today: statute.Date{Year: 2026, Month: 6, Day: 1},
		Started: map[string]statute.Date{"account_closed": {Year: 2024, Month: 5, Day: 30 + g.IntN(2)}}, Proven: map[string][]string{}}
	if g.chance(30) {
		g.c.Started["account_closed"] = statute.Date{Year: 2024, Month: 6, Day: 1 + g.IntN(2)}
	}
	g.c.Map = &datamap.System{Name: "shop", Kind: engine}
	if engine == datamap.KindPostgres {
		g.c.Map.Schemas.Include = []string{schema}
	}
	g.c.Policy = thePolicy()
	g.people()
	for range 1 + g.IntN(6) {
		g.table()
	}
	for range g.IntN(3) {
		g.beside()
	}
	for range g.IntN(2) {
		g.stranger()
	}
	g.spareKeys()
	g.fill()
	return g.c
}

// spareKeys takes back what would write to a key that others refer to, or a value that refers to nothing: the
// database refuses that by its own rules.
func (g *generator) spareKeys() {
	l := &look{c: g.c}
	l.references()
	for _, r := range l.refs {
		spare := func(t *Table, cols []string, null bool) {
			e, ok := g.c.Map.Table(t.Name)
			for _, c := range cols {
				if !ok || e.Columns[c].Anonymize == nil || null && e.Columns[c].Anonymize.With == datamap.AnonNull {
					continue
				}
				rule := e.Columns[c]
				rule.Anonymize = nil
				e.Columns[c] = rule
			}
		}
		spare(r.to, r.refs, false)
		spare(r.from, r.cols, true)
	}
}

func thePolicy() *policy.Policy {
	from := func(from, after string, years int) policy.Category {
		return policy.Category{Retention: &policy.Retention{From: from, After: after, Ground: "tax law", Keep: policy.Keep{Period: statute.Period{Years: years}}}}
	}
	return &policy.Policy{VersionText: "2026-01-01", Tenant: "acme", Categories: map[string]policy.Category{
		"account": {}, "row": from(policy.FromRow, "", 5), "year": from(policy.FromRowYearEnd, "", 5), "closed": from(policy.FromEvent, "account_closed", 2),
	}}
}

func (g *generator) chance(percent int) bool { return g.IntN(100) < percent }

func pick[T any](g *generator, from ...T) T { return from[g.IntN(len(from))] }

// name gives a name that no other has, odd now and then.
func (g *generator) name(plain string) string {
	odd := []string{"order", "select", "Group", "two words", `quo"te`, "apo'strophe", "dot.ted", "ünïcode", "back`tick", "per%cent", "semi;colon", "日本"}
	if g.c.Engine != datamap.KindMySQL {
		odd = append(odd, "smile😀", " blank ") // MySQL's names end before U+10000, and not in a blank
	}
	s := plain
	if g.chance(35) {
		s = pick(g, odd...)
	}
	for n := 2; g.named[strings.ToLower(s)]; n++ {
		s = fmt.Sprintf("%s%d", plain, n)
	}
	g.named[strings.ToLower(s)] = true
	return s
}

func (g *generator) newTable(plain string) *Table {
	t := &Table{Bare: g.name(plain)}
	t.Name = t.Bare
	if g.c.Engine == datamap.KindPostgres && g.chance(15) {
		t.Schema = g.c.Schema + " 2"
		t.Name = t.Schema + "." + t.Bare
	}
	g.c.Tables = append(g.c.Tables, t)
	return t
}

func (g *generator) column(t *Table, plain string, c Column) string {
	c.use = plain
	if g.chance(20) {
		plain = pick(g, "user", "Key", "a b", `x"y`, "ö", "from", plain+".z")
	}
	c.Name = plain
	for n := 2; slices.ContainsFunc(t.Columns, func(o Column) bool { return strings.EqualFold(o.Name, c.Name) }); n++ {
		c.Name = fmt.Sprintf("%s%d", plain, n)
	}
	t.Columns = append(t.Columns, c)
	return c.Name
}

// key gives a table a primary key, and other columns that it may have.
func (g *generator) key(t *Table, keyless bool) {
	switch n := g.IntN(10); {
	case keyless:
	case n < 5:
		t.Key = []string{g.column(t, "id", Column{Kind: Int, NotNull: true})}
	case n < 8:
		t.Key = []string{g.column(t, "code", Column{Kind: Text, NotNull: true, Fold: g.chance(40), Length: 40})}
	default:
		t.Key = []string{g.column(t, "part", Column{Kind: pick(g, Int, Text), NotNull: true, Length: 40}), g.column(t, "no", Column{Kind: pick(g, Int, Text), NotNull: true, Length: 40})}
	}
	if g.chance(40) {
		slices.Reverse(t.Key)
	}
	if g.chance(70) {
		g.column(t, "note", Column{Kind: Text, NotNull: g.chance(40), Length: pick(g, 0, 5, 30)})
	}
	if !keyless && g.chance(35) {
		u := g.column(t, "handle", Column{Kind: Text, NotNull: true, Length: pick(g, 20, 40)})
		t.Unique = append(t.Unique, []string{u})
	}
	if g.chance(20) && len(t.Columns) > len(t.Key) {
		src := t.Columns[len(t.Columns)-1]
		g.column(t, "copy", Column{Kind: src.Kind, Length: src.Length, Copy: src.Name})
	}
	t.Partitioned = g.c.Engine == datamap.KindPostgres && len(t.Key) == 1 && len(t.Unique) == 0 && g.chance(15)
}

func (g *generator) people() {
	g.home = g.newTable("person")
	g.key(g.home, false)
	mail := g.column(g.home, "email", Column{Kind: Text, Length: 60, Fold: g.chance(40)})
	rule := pick(g, datamap.MatchExact, datamap.MatchDomainCI, datamap.MatchASCIICI)
	s := datamap.Subject{Name: "person", Table: g.home.Name, Key: g.home.Key, Identifiers: []datamap.Identifier{{Name: "email", Column: mail, Match: rule}}}
	if len(g.home.Unique) > 0 && g.chance(30) {
		s.Identifiers = append(s.Identifiers, datamap.Identifier{Name: "handle", Column: g.home.Unique[0][0], Match: datamap.MatchExact})
	}
	if g.chance(15) { // found by addresses that lie in a table of their own
		t := g.newTable("address_book")
		g.key(t, false)
		cols := g.refColumns(t, g.home, g.home.Key, true)
		g.foreign(t, g.home, cols, g.home.Key)
		s.Identifiers = append(s.Identifiers, datamap.Identifier{Name: "other", Table: t.Name, Column: g.column(t, "address", Column{Kind: Text, Length: 60}), By: cols, Match: rule})
		e := g.entry(t)
		if g.chance(50) {
			e.Owners = []datamap.Relation{g.relation(g.home, cols, g.home.Key)}
		}
		g.rule(t, e)
	}
	e := g.entry(g.home)
	e.Erase = datamap.Erase{Do: pick(g, datamap.EraseDelete, datamap.EraseDelete, datamap.EraseAnonymize), IfOthersRefer: g.others()}
	g.treat(g.home, e)
	g.c.Map.Subjects = []datamap.Subject{s}
	g.c.Subject = pick(g, "", "person")
	if g.chance(25) {
		staff := g.newTable("staff")
		g.key(staff, false)
		mail := g.column(staff, "email", Column{Kind: Text, Length: 60})
		g.c.Map.Subjects = append(g.c.Map.Subjects, datamap.Subject{Name: "staff", Table: staff.Name, Key: staff.Key,
			Identifiers: []datamap.Identifier{{Name: "email", Column: mail, Match: rule}}})
		e := g.entry(staff)
		e.Erase = datamap.Erase{Do: datamap.EraseDelete, IfOthersRefer: g.others()}
		g.treat(staff, e)
		if g.chance(30) {
			g.c.Subject = "staff"
		}
	}
}

func (g *generator) others() datamap.OthersRefer {
	return pick(g, "", datamap.OthersRefuse, datamap.OthersKeep, datamap.OthersSetNull, datamap.OthersSetNull, datamap.OthersAnonymize)
}

func (g *generator) entry(t *Table) *datamap.Table {
	g.c.Map.Tables = append(g.c.Map.Tables, datamap.Table{Name: t.Name, Personal: true, Category: "account"})
	return &g.c.Map.Tables[len(g.c.Map.Tables)-1]
}

// rule gives a table what an erasure does to it.
func (g *generator) rule(t *Table, e *datamap.Table) {
	e.Erase = datamap.Erase{Do: pick(g, datamap.EraseDelete, datamap.EraseDelete, datamap.EraseDelete, datamap.EraseAnonymize, datamap.EraseRetain, datamap.EraseRetain, datamap.EraseKeep),
		IfOthersRefer: g.others(), Why: "a reason"}
	if len(e.Owners) == 1 && !e.Owners[0].Upward() && e.Owners[0].Table != t.Name && len(e.Owners[0].When) == 0 && g.chance(35) {
		e.Erase.Do = datamap.EraseWithOwner
	}
	if e.Erase.Do == datamap.EraseRetain {
		if e.Category = pick(g, "row", "year", "closed"); e.Category != "closed" {
			e.RowDate = g.column(t, "day", Column{Kind: Date, NotNull: g.chance(85)})
		}
	}
	if e.Erase.Do == datamap.EraseRetain || e.Erase.Do == datamap.EraseKeep || e.Erase.Do == datamap.EraseWithOwner {
		for _, c := range t.Columns {
			if c.Kind == Text && c.use == "note" && len(t.Key) > 0 && g.chance(50) {
				e.RedactNow = append(e.RedactNow, c.Name)
			}
		}
	}
	g.treat(t, e)
}

// treat says how columns are anonymized and exported.
func (g *generator) treat(t *Table, e *datamap.Table) {
	e.Columns = map[string]datamap.Column{}
	for _, c := range t.Columns {
		if slices.Contains(t.Key, c.Name) || c.Copy != "" {
			continue
		}
		var rule datamap.Column
		switch n := g.IntN(12); {
		case n == 0:
			rule.Anonymize = &datamap.Anonymize{With: datamap.AnonKeep, Why: "a reason"}
		case n == 1 && !c.NotNull:
			rule.Anonymize = &datamap.Anonymize{With: datamap.AnonNull}
		case n == 2 && c.Kind == Text:
			rule.Anonymize = &datamap.Anonymize{With: datamap.AnonFixed, Value: pick(g, "gone", "x-{key}", "{key}")}
		case n == 3:
			no := false
			rule.Personal = &no
		case c.Kind == Date && c.NotNull && c.Name != e.RowDate:
			rule.Anonymize = &datamap.Anonymize{With: datamap.AnonKeep, Why: "a reason"}
		}
		rule.Export = pick(g, "", "", "", datamap.ShowFull, datamap.ShowPresence, datamap.ShowHide, datamap.ShowNever)
		if rule != (datamap.Column{}) {
			e.Columns[c.Name] = rule
		}
	}
	if g.chance(4) {
		e.Export.Skip, e.Export.Why = true, "a reason"
	}
}

// keyOf chooses a key of a table: its primary key, or a unique one.
func (g *generator) keyOf(t *Table) []string {
	if len(t.Unique) > 0 && g.chance(35) {
		return t.Unique[0]
	}
	return t.Key
}

func (g *generator) refColumns(t, to *Table, refs []string, nullable bool) []string {
	var out []string
	for _, r := range refs {
		c := to.column(r)
		out = append(out, g.column(t, cmp.Or(map[bool]string{true: "up_id"}[nullable], "own_id"), Column{Kind: c.Kind, NotNull: !nullable, Fold: c.Fold, Length: c.Length}))
	}
	return out
}

// foreign declares a foreign key.
func (g *generator) foreign(t, to *Table, cols, refs []string) {
	fk := ForeignKey{Columns: cols, To: to.Name, Refs: refs, OnDelete: pick(g, "", "", "", "NO ACTION", "RESTRICT", "CASCADE", "CASCADE")}
	if !slices.ContainsFunc(cols, func(c string) bool { return t.column(c).NotNull }) && g.chance(40) {
		fk.OnDelete = pick(g, "SET NULL", "SET NULL", "SET DEFAULT")
		if fk.OnDelete == "SET DEFAULT" && g.c.Engine == datamap.KindMySQL {
			fk.OnDelete = "SET NULL"
		}
	}
	fk.Deferrable = g.c.Engine != datamap.KindMySQL && g.chance(15)
	t.ForeignKeys = append(t.ForeignKeys, fk)
}

func (g *generator) relation(to *Table, cols, refs []string) datamap.Relation {
	r := datamap.Relation{Table: to.Name, By: cols}
	if !slices.Equal(refs, to.Key) || g.chance(30) {
		r.To = refs
	}
	return r
}

// refer adds columns that refer to a table, with a foreign key mostly, and gives the relation.
func (g *generator) refer(t, to *Table) datamap.Relation {
	refs := g.keyOf(to)
	cols := g.refColumns(t, to, refs, g.chance(60) || t == to)
	if g.chance(75) {
		g.foreign(t, to, cols, refs)
	} else if g.chance(30) {
		g.c.Map.References = append(g.c.Map.References, datamap.Reference{FromTable: t.Name, FromColumns: cols, ToTable: to.Name, ToColumns: refs})
	}
	return g.relation(to, cols, refs)
}

// keyed gives the personal tables that rows can refer to.
func (g *generator) keyed() []*Table {
	var out []*Table
	for _, t := range g.c.Tables {
		if e, ok := g.c.Map.Table(t.Name); ok && e.Personal && len(t.Key) > 0 {
			out = append(out, t)
		}
	}
	return out
}

func (g *generator) owner() *Table {
	if g.chance(45) {
		return g.home
	}
	return pick(g, g.keyed()...)
}

// table adds one table of people's rows in one of the shapes.
func (g *generator) table() {
	owner := g.owner()
	t := g.newTable("thing")
	shape := g.IntN(100)
	if shape < 10 { // many-to-many: the references are the key
		other := g.owner()
		a := g.refColumns(t, owner, owner.Key, false)
		b := g.refColumns(t, other, other.Key, false)
		t.Key = slices.Concat(a, b)
		g.foreign(t, owner, a, owner.Key)
		g.foreign(t, other, b, other.Key)
		g.column(t, "note", Column{Kind: Text, Length: 30})
		e := g.entry(t)
		e.Owners = []datamap.Relation{g.relation(owner, a, owner.Key)}
		if g.chance(40) {
			e.Owners = append(e.Owners, g.relation(other, b, other.Key))
		}
		g.rule(t, e)
		return
	}
	g.key(t, shape >= 10 && shape < 16)
	var owners []datamap.Relation
	var match *datamap.Match
	switch {
	case shape < 26 && len(t.Key) > 0: // upward: the owner points here
		refs := g.keyOf(t)
		cols := g.refColumns(owner, t, refs, g.chance(70))
		if g.chance(70) {
			g.foreign(owner, t, cols, refs)
		}
		owners = append(owners, datamap.Relation{Table: owner.Name, From: cols, To: map[bool][]string{true: refs}[!slices.Equal(refs, t.Key)]})
		g.up = append(g.up, t)
	case shape < 40: // found by an identifier
		match = g.match(t)
	case shape < 48: // polymorphic
		refs := g.keyOf(owner)
		cols := g.refColumns(t, owner, refs, true)
		kind := g.column(t, "kind", Column{Kind: Text, NotNull: true, Length: 20})
		owners = append(owners, datamap.Relation{Table: owner.Name, By: cols, To: refs, When: map[string]string{kind: "Owner"}})
	default:
		owners = append(owners, g.refer(t, owner))
	}
	if g.chance(18) {
		owners = append(owners, g.refer(t, g.owner()))
	}
	if match == nil && g.chance(6) {
		match = g.match(t)
	}
	var ring *datamap.Table
	if len(t.Key) > 0 && g.chance(15) { // rows own rows of the same table
		owners = append(owners, g.refer(t, t))
	} else if len(t.Key) > 0 && owner != g.home && g.chance(25) { // and two tables one another
		ring, _ = g.c.Map.Table(owner.Name)
		ring.Owners = append(ring.Owners, g.refer(owner, t))
		if ring.Erase.Do == datamap.EraseWithOwner {
			ring.Erase.Do = datamap.EraseDelete
		}
	}
	e := g.entry(t)
	e.Owners, e.Match = owners, match
	g.rule(t, e)
	if ring != nil && e.Erase.Do == datamap.EraseWithOwner {
		e.Erase.Do = datamap.EraseDelete
	}
	// The connector takes any row that SQLite changes besides for one that a cascade took: no triggers there.
	if g.chance(6) && len(t.Key) > 0 && g.c.Engine != datamap.KindSQLite {
		t.Log = g.log()
	}
}

// log adds a table that a trigger writes to.
func (g *generator) log() string {
	t := &Table{Bare: g.name("log"), Columns: []Column{{Name: "what", Kind: Text}}}
	t.Name = t.Bare
	g.c.Tables = append(g.c.Tables, t)
	g.c.Map.Tables = append(g.c.Map.Tables, datamap.Table{Name: t.Name, Why: "no people in it"})
	return t.Name
}

func (g *generator) match(t *Table) *datamap.Match {
	m := &datamap.Match{}
	for range 1 + g.IntN(2) {
		var all datamap.MatchAll
		for range 1 + g.IntN(5)/4 {
			mc := datamap.MatchColumn{Identifier: "email"}
			if g.chance(30) {
				mc.Column, mc.JSON = g.column(t, "params", Column{Kind: JSON}), "$.email"
			} else {
				mc.Column = g.column(t, "email", Column{Kind: Text, Length: 60, Fold: g.chance(50)})
			}
			if g.chance(30) {
				mc.Rule = pick(g, datamap.MatchExact, datamap.MatchDomainCI, datamap.MatchASCIICI)
			}
			all.Columns = append(all.Columns, mc)
		}
		m.Any = append(m.Any, all)
	}
	return m
}

// beside adds relations that are not ownership.
func (g *generator) beside() {
	keyed := g.keyed()
	t, to := pick(g, keyed...), pick(g, keyed...)
	e, _ := g.c.Map.Table(t.Name)
	switch g.IntN(4) {
	case 0:
		if t != g.home && !g.isSubject(t) {
			about := g.refer(t, pick(g, g.home, to))
			e, _ = g.c.Map.Table(t.Name)
			e.AlsoAbout = append(e.AlsoAbout, about)
			for _, r := range append(slices.Clone(e.Owners), about) {
				if r.Table == g.home.Name && (len(r.To) == 0 || slices.Equal(r.To, g.home.Key)) && g.chance(60) {
					e.Export.HideOthers = append(e.Export.HideOthers, r.By...)
				}
			}
		}
	case 1, 2:
		r := g.refer(t, pick(g, g.home, to))
		r.OnErase = pick(g, "", "keep", "null")
		e.Mentions = append(e.Mentions, r)
	default:
		if len(g.up) == 0 {
			return
		}
		addr := pick(g, g.up...)
		if t == addr || t == g.home {
			return
		}
		refs := addr.Key
		cols := g.refColumns(t, addr, refs, true)
		if g.chance(70) {
			g.foreign(t, addr, cols, refs)
		}
		e, _ := g.c.Map.Table(addr.Name)
		e.AlsoFrom = append(e.AlsoFrom, datamap.Relation{Table: t.Name, From: cols})
	}
}

func (g *generator) isSubject(t *Table) bool {
	return slices.ContainsFunc(g.c.Map.Subjects, func(s datamap.Subject) bool { return s.Table == t.Name })
}

// stranger adds a table that is declared not personal and yet refers to people's rows, or one that nobody names.
func (g *generator) stranger() {
	t := g.newTable("catalog")
	g.key(t, false)
	to := pick(g, g.keyed()...)
	refs := g.keyOf(to)
	cols := g.refColumns(t, to, refs, g.chance(60))
	if g.chance(70) {
		g.foreign(t, to, cols, refs)
	}
	if !g.chance(12) {
		g.c.Map.Tables = append(g.c.Map.Tables, datamap.Table{Name: t.Name, Why: "catalog"})
	}
}
