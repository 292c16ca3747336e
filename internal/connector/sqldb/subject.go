package sqldb

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/fault"
)

var errKeyForm = errors.New("a key does not have the form of its column")

// walk is one look for one person: the graph, the subject's own keys and the proven identifiers as they are stored.
type walk struct {
	d       *DB
	g       *graph
	subject *datamap.Subject
	home    *table
	keys    []connector.Key // of the subject's rows, in the columns of subject.Key
	proven  map[string][]string
	stored  map[string][]string // "table\x00column\x00json\x00identifier" → stored texts that answer to it
	rings   map[*table][]*table // tables whose rows own one another
	reach   map[*table]bool     // tables in which rows of this kind of person can lie
}

// start compiles the map over the live schema, resolves the subject's keys and prepares the match columns.
func (d *DB) start(ctx context.Context, q querier, g *graph, scope connector.Scope) (*walk, error) {
	if err := g.usable(); err != nil {
		return nil, err
	}
	s, ok := d.sys.Subject(scope.Subject)
	if !ok {
		return nil, fault.New(fault.Invalid, "unknown_subject", "The data map of %s knows no subject %s.", d.sys.Name, scope.Subject)
	}
	w := &walk{d: d, g: g, subject: s, home: g.tables[s.Table], proven: scope.Identifiers, stored: map[string][]string{}}
	w.reach = w.reachable()
	if err := w.findRings(); err != nil {
		return nil, err
	}
	if err := w.resolveKeys(ctx, q, scope.Keys); err != nil {
		return nil, err
	}
	for _, t := range g.sorted() {
		if t.entry == nil || t.entry.Match == nil {
			continue
		}
		for _, all := range t.entry.Match.Any {
			for _, m := range all.Columns {
				if err := w.resolveMatch(ctx, q, t, m); err != nil {
					return nil, err
				}
			}
		}
	}
	return w, nil
}

// reachable gives the tables from which owner relations lead to the subject's table, or which match an identifier.
func (w *walk) reachable() map[*table]bool {
	in := map[*table]bool{w.home: true}
	for grown := true; grown; {
		grown = false
		for _, t := range w.g.tables {
			if in[t] || t.entry == nil || !t.entry.Personal {
				continue
			}
			if w.matches(t) || w.identifies(t) || slices.ContainsFunc(slices.Concat(t.owners, t.alsoFrom), func(l link) bool { return in[l.to] }) {
				in[t], grown = true, true
			}
		}
	}
	for _, t := range w.g.tables {
		if t.entry != nil && slices.ContainsFunc(t.about, func(l link) bool { return in[l.to] }) {
			in[t] = true
		}
	}
	return in
}

// identifies tells whether the rows of t are the subject's because they hold an identifier of theirs: where the map
// names no other owner.
func (w *walk) identifies(t *table) bool {
	return len(t.owners) == 0 && slices.ContainsFunc(w.subject.Identifiers, func(id datamap.Identifier) bool { return id.Table == t.name && len(id.By) > 0 })
}

func (w *walk) matches(t *table) bool {
	return t.entry.Match != nil && !t.entry.Match.None && len(t.entry.Match.Any) > 0
}

// resolveKeys finds the subject's rows by every proven identifier. The database preselects; the comparison that
// counts is done here on stored bytes.
func (w *walk) resolveKeys(ctx context.Context, q querier, known []connector.Key) error {
	seen := map[string]bool{}
	for _, key := range known {
		if k := joinKey(key); !seen[k] && len(key) == len(w.subject.Key) {
			seen[k] = true
			w.keys = append(w.keys, key)
		}
	}
	for _, id := range w.subject.Identifiers {
		home, by := w.home, w.subject.Key
		if id.Table != "" && id.Table != w.subject.Table {
			home, by = w.g.tables[id.Table], id.By
		}
		for _, value := range w.proven[id.Name] {
			err := w.candidates(ctx, q, home, by, candidate{column: id.Column, rule: id.Match, value: value}, func(key connector.Key, _ string) {
				if k := joinKey(key); !seen[k] {
					seen[k] = true
					w.keys = append(w.keys, key)
				}
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// candidate is one proven value for one column.
type candidate struct {
	column string
	json   string
	rule   datamap.MatchRule
	value  string
}

// candidates gives the key columns and the stored text of rows whose column equals the value by the rule.
func (w *walk) candidates(ctx context.Context, q querier, t *table, cols []string, c candidate, emit func(connector.Key, string)) error {
	if c.value == "" {
		return nil // an empty value would match every row that never had one
	}
	b := &builder{dialect: w.d.dialect}
	a := b.alias()
	col, _ := t.cat.Column(c.column)
	expr := w.matchExpr(b, a, col, c.json)
	list := make([]string, 0, len(cols)+1)
	for _, k := range cols {
		kc, _ := t.cat.Column(k)
		list = append(list, w.d.dialect.keyText(b.col(a, k), kc))
	}
	stored := w.d.dialect.storedText(expr)
	if c.json == "" && mysqlBinary(col.Type) {
		stored = w.d.dialect.keyText(expr, col) // bytes are compared by their hex digits
	}
	list = append(list, stored)
	for i, text := range list { // two spellings are two, though their collation takes them for one
		list[i] = w.d.dialect.exact(text)
	}
	b.write("SELECT DISTINCT ", strings.Join(list, ", "), " FROM ", w.d.dialect.table(t.cat), " ", a, " WHERE ")
	if !w.writeEqual(b, expr, col, c) {
		return nil
	}
	keys := make([]textCell, len(cols)+1)
	dest := make([]any, len(keys))
	for i := range keys {
		dest[i] = &keys[i]
	}
	rows, err := q.QueryContext(ctx, b.sql.String(), b.args...)
	if err != nil {
		return w.d.fail(err, "looking for the person in %s", t.name)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return w.d.fail(err, "looking for the person in %s", t.name)
		}
		got := keys[len(cols)].text
		if !equalByRule(c.rule, got, c.value) || slices.ContainsFunc(keys[:len(cols)], func(k textCell) bool { return k.null }) {
			continue
		}
		key := make(connector.Key, len(cols))
		for i := range cols {
			key[i] = keys[i].text
		}
		emit(key, got)
	}
	return w.d.fail(rows.Err(), "looking for the person in %s", t.name)
}

func (w *walk) matchExpr(b *builder, alias string, col *datamap.CatalogColumn, json string) string {
	expr := b.col(alias, col.Name)
	if json != "" {
		expr = w.d.dialect.jsonText(expr, col, jsonSteps(json))
	}
	return expr
}

// writeEqual writes a condition that holds at least for the rows that equal by the rule; for exact, precisely for
// them. False when no row can.
func (w *walk) writeEqual(b *builder, expr string, col *datamap.CatalogColumn, c candidate) bool {
	di := w.d.dialect
	if c.rule == datamap.MatchDomainCI || c.rule == datamap.MatchASCIICI {
		if c.json != "" {
			col = nil
		}
		b.write(di.folded(expr, col, b.param(c.value)))
		return true
	}
	if c.json != "" {
		b.write(expr, " IS NOT NULL AND ")
		b.write(di.nullSafe(expr, di.asText(b.param(c.value))))
		return true
	}
	v, ok := di.keyValue(c.value, col)
	if !ok {
		return false
	}
	first := true
	b.write(di.same(expr, col, func() string {
		if first { // the first compares as the column does, the second as text
			first = false
			return b.param(v)
		}
		return b.param(c.value)
	}))
	return true
}

// equalByRule compares on bytes. Only ASCII letters have a case here: anything wider would join different mailboxes.
func equalByRule(rule datamap.MatchRule, stored, proven string) bool {
	// What is not named is the default.
	//exhaustive:ignore
	switch rule {
	case datamap.MatchASCIICI:
		return asciiLower(stored) == asciiLower(proven)
	case datamap.MatchDomainCI:
		i, j := strings.LastIndexByte(stored, '@'), strings.LastIndexByte(proven, '@')
		if i < 0 || j < 0 {
			return stored == proven
		}
		return stored[:i] == proven[:j] && asciiLower(stored[i:]) == asciiLower(proven[j:])
	default:
		return stored == proven
	}
}

func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// joinKey makes one text of a key: the parts with a separator between, which within a part is written otherwise.
func joinKey(k connector.Key) string {
	if len(k) == 1 {
		return k[0]
	}
	for i, part := range k {
		if strings.ContainsAny(part, "\x1e\x1f") {
			k = slices.Clone(k)
			for j := i; j < len(k); j++ {
				k[j] = strings.ReplaceAll(strings.ReplaceAll(k[j], "\x1e", "\x1e0"), "\x1f", "\x1e1")
			}
			break
		}
	}
	return strings.Join(k, "\x1f")
}

// splitKey undoes joinKey.
func splitKey(t *table, joined string) connector.Key {
	if len(t.keys) == 1 {
		return connector.Key{joined}
	}
	parts := strings.Split(joined, "\x1f")
	if strings.Contains(joined, "\x1e") {
		for i, part := range parts {
			parts[i] = strings.ReplaceAll(strings.ReplaceAll(part, "\x1e1", "\x1f"), "\x1e0", "\x1e")
		}
	}
	return parts
}

// jsonSteps takes `$.a.b[0]` apart.
func jsonSteps(path string) []string {
	path = strings.ReplaceAll(strings.ReplaceAll(strings.TrimPrefix(path, "$"), "[", "."), "]", "")
	return strings.Split(strings.TrimPrefix(path, "."), ".")
}

// jsonPath puts the steps together as MySQL and SQLite read them.
func jsonPath(steps []string) string {
	var b strings.Builder
	b.WriteByte('$')
	for _, s := range steps {
		if integerForm.MatchString(s) {
			b.WriteString("[" + s + "]")
		} else {
			b.WriteString(`."` + strings.ReplaceAll(s, `"`, `\"`) + `"`)
		}
	}
	return b.String()
}

// resolveMatch finds the stored texts of a match column that answer to the proven values, so that the statements
// that follow compare exactly and by index.
func (w *walk) resolveMatch(ctx context.Context, q querier, t *table, m datamap.MatchColumn) error {
	rule := w.ruleOf(m)
	var out []string
	for _, value := range w.proven[m.Identifier] {
		if rule == datamap.MatchExact || rule == "" {
			if value != "" {
				out = append(out, value)
			}
			continue
		}
		err := w.candidates(ctx, q, t, nil, candidate{column: m.Column, json: m.JSON, rule: rule, value: value}, func(_ connector.Key, got string) {
			if !slices.Contains(out, got) {
				out = append(out, got)
			}
		})
		if err != nil {
			return err
		}
	}
	w.stored[matchKey(t, m)] = out
	return nil
}

func (w *walk) ruleOf(m datamap.MatchColumn) datamap.MatchRule {
	if m.Rule != "" {
		return m.Rule
	}
	for _, id := range w.subject.Identifiers {
		if id.Name == m.Identifier {
			return id.Match
		}
	}
	return datamap.MatchExact
}

func matchKey(t *table, m datamap.MatchColumn) string {
	return t.name + "\x00" + m.Column + "\x00" + m.JSON + "\x00" + m.Identifier
}

// Contact gives the stored values of an identifier for the subject rows that answer to the scope; none when nobody
// does. The statements are the same in number and kind whether or not anybody matches.
func (d *DB) Contact(ctx context.Context, scope connector.Scope, identifier string) ([]string, error) {
	g, err := d.freshGraph(ctx)
	if err != nil {
		return nil, err
	}
	var out []string
	err = d.inSnapshot(ctx, func(q querier) error {
		w, err := d.start(ctx, q, g, scope)
		if err != nil {
			return err
		}
		for _, id := range w.subject.Identifiers {
			if id.Name != identifier {
				continue
			}
			t, by := w.home, w.subject.Key
			if id.Table != "" && id.Table != w.subject.Table {
				t, by = g.tables[id.Table], id.By
			}
			b := &builder{dialect: d.dialect}
			a := b.alias()
			b.write("SELECT DISTINCT ", d.dialect.exact(d.dialect.storedText(b.col(a, id.Column))), " FROM ", d.dialect.table(t.cat), " ", a, " WHERE ")
			w.writeKeys(b, a, t, by)
			b.write(" AND ", b.col(a, id.Column), " IS NOT NULL")
			err := each(ctx, q, b.sql.String(), b.args, 1, func(v []string) { out = append(out, v[0]) })
			if err != nil {
				return d.fail(err, "reading the contact in %s", t.name)
			}
		}
		return nil
	})
	slices.Sort(out)
	return slices.Compact(out), err
}
