package datamap

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
)

// guess is a column that may hold another table's key.
type guess struct {
	ref           Reference
	score         int
	looked, found int // sampled values, and how many of them stand in the other table; 0, 0: nothing to see
}

// references adds the keys that the schema does not declare: named like a table or its key, of its type, and filled
// with values that stand there.
func (in *inference) references(ctx context.Context, taken map[string]bool) error {
	for _, t := range in.live() {
		if t.Parent != "" {
			continue
		}
		for i := range t.Columns {
			c := &t.Columns[i]
			declared := slices.ContainsFunc(t.ForeignKeys, func(fk ForeignKey) bool { return slices.Contains(fk.Columns, c.Name) })
			if declared || taken[t.Name+"\x00"+c.Name] || c.Generated {
				continue
			}
			best, err := in.target(ctx, t, c)
			if err != nil {
				return err
			}
			if best != nil {
				in.refer(best)
			}
		}
		if err := in.composite(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

func (in *inference) refer(g *guess) {
	in.system.References = append(in.system.References, g.ref)
	reason := "by its name"
	if g.score < likePart-1 {
		reason = "by its role"
	}
	if g.looked > 0 {
		reason += fmt.Sprintf("; %d of %d sampled values are there", g.found, g.looked)
	}
	in.notes = append(in.notes, Note{Table: g.ref.FromTable, Column: g.ref.FromColumns[0], Text: reason, Kind: NoteReason})
	column := strings.Join(g.ref.FromColumns, "+")
	switch {
	case g.looked > 0 && g.found < g.looked:
		in.note(g.ref.FromTable, "", "%s looks like a key of %s, yet %d of %d sampled values are not there: orphans, or another table's keys?", column, g.ref.ToTable, g.looked-g.found, g.looked)
	case g.looked == 0 && g.score < likeSuffix:
		in.note(g.ref.FromTable, "", "%s looks like a key of %s, and there are no rows to see whether it is: remove the reference if not", column, g.ref.ToTable)
	}
}

// target finds the table at which a column most likely points.
func (in *inference) target(ctx context.Context, t *CatalogTable, c *CatalogColumn) (*guess, error) {
	var found []guess
	for _, to := range in.live() {
		if to.Parent != "" {
			continue
		}
		for _, key := range in.keysOf(to) {
			if g := in.liken(t, c, to, key); g != nil {
				found = append(found, *g)
			}
		}
	}
	slices.SortStableFunc(found, func(a, b guess) int { return cmp.Compare(b.score, a.score) })
	var best *guess
	for i := range found {
		g := &found[i]
		if best != nil && g.score < best.score-10 {
			break
		}
		if len(found) > 12 && i >= 12 {
			break
		}
		ok, err := in.believe(ctx, t, c, g)
		if err != nil {
			return nil, err
		}
		if ok && (best == nil || share(g) > share(best)) {
			best = g
		}
	}
	return best, nil
}

func share(g *guess) float64 {
	if g.looked == 0 {
		return 1
	}
	return float64(g.found) / float64(g.looked)
}

// keysOf gives the single columns by which rows of a table may be pointed at.
func (in *inference) keysOf(t *CatalogTable) []string {
	var out []string
	if len(t.PrimaryKey) == 1 {
		out = append(out, t.PrimaryKey[0])
	}
	for _, u := range t.Unique {
		// Another unique column is a key only by its own name: customer_no.
		if len(u) == 1 && !slices.Contains(out, u[0]) && !generic(u[0]) && looksPersonal(u[0]) == "" {
			if _, key := keyWords(u[0]); key {
				out = append(out, u[0])
			}
		}
	}
	return out
}

// liken scores a column against a key by their names and types; nil: not alike.
func (in *inference) liken(t *CatalogTable, c *CatalogColumn, to *CatalogTable, key string) *guess {
	target, ok := to.Column(key)
	if !ok || to == t && key == c.Name || !comparable(c, target) {
		return nil
	}
	alone := slices.Equal(t.PrimaryKey, []string{c.Name})
	ws, isKey := in.keyWords(t, c.Name)
	table := in.namer.words(to)
	score := 0
	switch {
	case c.Name == key && !generic(key) && to != t:
		score = likeExact + 5
		if alone && alike(ws, table) < likeShort {
			return nil // two tables that call their keys alike
		}
		if kw, _ := keyWords(key); alike(kw, table) < likeShort && len(to.PrimaryKey) == 1 && in.pointsAway(to, key) {
			return nil // a key that is itself borrowed from a third table
		}
	case key != firstKey(to) || generic(c.Name):
		return nil
	default:
		score = alike(ws, table)
		if to == t && score > 0 && alone {
			return nil
		}
		if score == 0 && in.isRole(t, ws, isKey) && in.looksLikePeople(to) {
			score = likeRole
			if listed(personWords, ws[len(ws)-1]) && !slices.Contains(stems(table), stem(ws[len(ws)-1])) {
				score-- // another word for people than this table's
			}
			if to == t {
				score += 5 // an employee's manager is an employee
			}
		}
		if score == 0 && isKey && len(ws) == 1 && (ws[0] == "parent" || ws[0] == "reply" || ws[0] == "root" || ws[0] == "thread") && to == t {
			score = likeSuffix
		}
	}
	if score == 0 && strongKey(target) && strongKey(c) && isKey {
		score = likeRole - 10 // values of such keys tell by themselves
	}
	if alone && score < likeSuffix && score != likePart {
		return nil
	}
	if score == 0 || !isKey && score < likeExact && (score < likeRole-1 || score > likeRole+5) {
		return nil
	}
	return &guess{ref: Reference{t.Name, []string{c.Name}, to.Name, []string{key}}, score: score}
}

func firstKey(t *CatalogTable) string {
	if len(t.PrimaryKey) != 1 {
		return ""
	}
	return t.PrimaryKey[0]
}

// pointsAway tells whether a table's key is declared or named as another table's.
func (in *inference) pointsAway(t *CatalogTable, key string) bool {
	if slices.ContainsFunc(t.ForeignKeys, func(fk ForeignKey) bool { return slices.Equal(fk.Columns, []string{key}) }) {
		return true
	}
	ws, _ := keyWords(key)
	return slices.ContainsFunc(in.live(), func(o *CatalogTable) bool { return o.Name != t.Name && alike(ws, in.namer.words(o)) >= likePart })
}

// isRole tells whether words name a person by what they do.
func (in *inference) isRole(t *CatalogTable, ws []string, key bool) bool {
	if len(ws) == 0 {
		return false
	}
	last := ws[len(ws)-1]
	if len(ws) > 1 && strings.Contains(byWords, " "+last+" ") || strings.Contains(" to an a ", " "+last+" ") && len(ws) > 1 && listed(actorRoles, ws[0]) {
		return true
	}
	if len(ws) == 2 && ws[0] == "reports" && ws[1] == "to" {
		return true
	}
	role := listed(ownRoles, last) || listed(otherRoles, last) || listed(actorRoles, last) || listed(personWords, last)
	return role && (key || !listed(groupWords, last) && len(last) > 3)
}

// believe asks the data. Without rows the name must do.
func (in *inference) believe(ctx context.Context, t *CatalogTable, c *CatalogColumn, g *guess) (bool, error) {
	to := in.table(g.ref.ToTable)
	if in.ev == nil || in.samples[t.Name].Columns[c.Name].Values == 0 {
		_, key := keyWords(c.Name)
		return g.score >= likeRole-1 && (key || classOf(c) != typeText), nil
	}
	var err error
	if g.looked, g.found, err = in.ev.Included(ctx, t, g.ref.FromColumns, to, g.ref.ToColumns); err != nil {
		if ctx.Err() != nil {
			return false, err
		}
		g.looked, g.found = 0, 0
		return g.score >= likeRole-1, nil
	}
	switch {
	case g.looked == 0:
		return g.score >= likeRole-1, nil
	case g.found == 0:
		return false, nil
	case g.score >= likeSuffix:
		return g.found*2 >= g.looked, nil
	case g.score >= likeRole-1:
		return g.found*10 >= g.looked*8, nil
	default:
		return g.looked >= 3 && g.found == g.looked, nil
	}
}

// keyWords is keyWords without the table's own name before them: post_author of posts is an author.
func (in *inference) keyWords(t *CatalogTable, column string) ([]string, bool) {
	ws, key := keyWords(column)
	own := in.namer.words(t)
	if n := len(own); n > 0 && len(ws) > n && slices.Equal(stems(ws[:n]), stems(own)) {
		ws = ws[n:]
	}
	return ws, key
}

// comparable tells whether two columns can hold the same key.
func comparable(a, b *CatalogColumn) bool {
	x, y := classOf(a), classOf(b)
	fractional := func(c *CatalogColumn) bool {
		t := strings.ToLower(c.Type)
		return strings.Contains(t, "float") || strings.Contains(t, "double") || strings.Contains(t, "real") || strings.Contains(t, "money")
	}
	return x == y && (x == typeNumber || x == typeText || x == typeUUID) && !fractional(a) && !fractional(b)
}

// strongKey tells whether a column's values are unlikely to be anything else's: UUIDs.
func strongKey(c *CatalogColumn) bool {
	return classOf(c) == typeUUID || classOf(c) == typeText && c.Length == 36
}

// composite adds keys of several columns that carry the names of another table's primary key.
func (in *inference) composite(ctx context.Context, t *CatalogTable) error {
	for _, to := range in.live() {
		if to == t || len(to.PrimaryKey) < 2 || to.Parent != "" || slices.Equal(t.PrimaryKey, to.PrimaryKey) && len(t.Columns) <= len(t.PrimaryKey) {
			continue
		}
		own := slices.ContainsFunc(to.PrimaryKey, func(k string) bool { return !in.refers(to, k) && !generic(k) })
		declared := slices.ContainsFunc(t.ForeignKeys, func(fk ForeignKey) bool { return fk.RefTable == to.Name })
		if !own || declared {
			continue
		}
		for _, columns := range in.sameNames(t, to) {
			g := guess{ref: Reference{t.Name, columns, to.Name, to.PrimaryKey}, score: likeExact}
			if in.ev != nil {
				var err error
				if g.looked, g.found, err = in.ev.Included(ctx, t, columns, to, to.PrimaryKey); err != nil && ctx.Err() != nil {
					return err
				}
			}
			if g.looked == 0 || g.found*2 >= g.looked {
				in.refer(&g)
			}
		}
	}
	return nil
}

// sameNames gives the sets of columns that carry the names of a composite key, plain or with a role before the last
// (bill_to_customer_no). A table whose own key is the same is its twin or parent, so the longer key refers to the shorter.
func (in *inference) sameNames(t, to *CatalogTable) [][]string {
	plain := make([]string, len(to.PrimaryKey))
	var own string
	for i, k := range to.PrimaryKey {
		plain[i] = k
		if !in.refers(to, k) {
			own = k
		}
	}
	var out [][]string
	has := func(names []string) bool {
		for i, n := range names {
			c, ok := t.Column(n)
			target, ok2 := to.Column(to.PrimaryKey[i])
			if !ok || !ok2 || classOf(c) != classOf(target) {
				return false
			}
		}
		return true
	}
	if has(plain) && (len(t.PrimaryKey) != len(to.PrimaryKey) || !slices.Equal(t.PrimaryKey, plain)) {
		out = append(out, plain)
	}
	for i := range t.Columns {
		name := t.Columns[i].Name
		if own == "" || name == own || !strings.HasSuffix(snake(name), "_"+snake(own)) {
			continue
		}
		with := slices.Clone(plain)
		with[slices.Index(plain, own)] = name
		if has(with) {
			out = append(out, with)
		}
	}
	return out
}

// refers tells whether a column is a key of another table by itself.
func (in *inference) refers(t *CatalogTable, column string) bool {
	for _, fk := range t.ForeignKeys {
		if slices.Equal(fk.Columns, []string{column}) {
			return true
		}
	}
	if slices.ContainsFunc(in.system.References, func(r Reference) bool {
		return r.FromTable == t.Name && slices.Equal(r.FromColumns, []string{column})
	}) {
		return true
	}
	ws, key := keyWords(column)
	return key && slices.ContainsFunc(in.live(), func(o *CatalogTable) bool {
		return o != t && len(o.PrimaryKey) == 1 && alike(ws, in.namer.words(o)) == likeExact
	})
}
