package sqldb

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/plan"
)

const erased = "[erased]"

func newSecret() []byte {
	s := make([]byte, 32)
	_, _ = rand.Read(s) // never fails (crypto/rand)
	return s
}

// treatment is what one column gets.
type treatment struct {
	col    *datamap.CatalogColumn
	with   datamap.Anonymizer
	value  string
	unique bool // the value must differ from row to row: it carries the key
}

// treatments works out what anonymizing a row of t writes: the map's rule for each column, or for columns that it
// does not name null, or [erased] for texts that forbid null. Keys, references, generated columns, the column that
// dates a row and columns declared not personal are left alone. A column that none of this fits comes back as a
// problem: the map must say. only narrows it to some columns (redaction).
func (g *graph) treatments(t *table, only []string) (out []treatment, problems []string) {
	left := g.leftAlone(t)
	for i := range t.cat.Columns {
		c := &t.cat.Columns[i]
		var rule datamap.Column
		if t.entry != nil {
			rule = t.entry.Columns[c.Name]
		}
		asked := slices.Contains(only, c.Name)
		if (only != nil && !asked) || c.Generated {
			continue
		}
		unique := isUnique(t.cat, c.Name)
		switch {
		case rule.Anonymize != nil && rule.Anonymize.With == datamap.AnonKeep:
		case rule.Anonymize != nil && rule.Anonymize.With == datamap.AnonNull && !c.Nullable:
			problems = append(problems, fmt.Sprintf("column %s of %s is to become null and forbids it: say fixed", c.Name, t.name))
		case rule.Anonymize != nil:
			out = append(out, treatment{col: c, with: rule.Anonymize.With, value: rule.Anonymize.Value,
				unique: unique && rule.Anonymize.With == datamap.AnonFixed && !strings.Contains(rule.Anonymize.Value, "{key}")})
		case rule.Personal != nil && !*rule.Personal:
		case left[c.Name] && !asked:
		case c.Nullable && !slices.Contains(t.cat.PrimaryKey, c.Name):
			out = append(out, treatment{col: c, with: datamap.AnonNull})
		case g.isText(c):
			out = append(out, treatment{col: c, with: datamap.AnonFixed, value: erased, unique: unique})
		default:
			problems = append(problems, fmt.Sprintf("column %s of %s can't be anonymized by default: say how", c.Name, t.name))
		}
	}
	return out, problems
}

// isText tells whether [erased] can be written to the column.
func (g *graph) isText(c *datamap.CatalogColumn) bool {
	// What is not named is the default.
	//exhaustive:ignore
	switch g.cat.Kind {
	case datamap.KindPostgres:
		return len(c.Enum) == 0 && postgres{}.isText(c)
	case datamap.KindMySQL:
		return len(c.Enum) == 0 && mysqlDialect{}.isText(c)
	default:
		return sqliteDialect{}.isText(c)
	}
}

// leftAlone gives the columns of t that hold keys, and the one that dates a row.
func (g *graph) leftAlone(t *table) map[string]bool {
	out := map[string]bool{}
	add := func(cols []string) {
		for _, c := range cols {
			out[c] = true
		}
	}
	add(t.cat.PrimaryKey)
	for _, e := range g.edges {
		if e.from == t {
			add(e.cols)
			for _, w := range e.when {
				out[w.column] = true
			}
		}
		if e.to == t {
			add(e.refs)
		}
	}
	if t.entry != nil && t.entry.RowDate != "" {
		out[t.entry.RowDate] = true
	}
	for _, c := range t.cat.Columns {
		if c.Identity {
			out[c.Name] = true
		}
	}
	return out
}

// isUnique tells whether the column's values must differ. A column of a wider unique key must, in doubt.
func isUnique(t *datamap.CatalogTable, column string) bool {
	return slices.ContainsFunc(t.Unique, func(u []string) bool { return slices.Contains(u, column) }) ||
		slices.Equal(t.PrimaryKey, []string{column})
}

// anonymizeGaps names the columns that stop an erasure because rows of t would be anonymized and nothing says how.
func (w *walk) anonymizeGaps(t *table, rule plan.TableRule, ft plan.FoundTable) []plan.Refusal {
	var problems []string
	has := func(a plan.Action) bool {
		return slices.ContainsFunc(ft.Groups, func(g plan.Group) bool { return g.Fate.Action == a && g.Rows > 0 })
	}
	if t.keyless && (has(plan.ActionAnonymize) || len(rule.RedactNow) > 0 && (has(plan.ActionRetain) || rule.Do == plan.ActionKeep && has(plan.ActionKeep))) {
		problems = append(problems, t.name+" has no primary key: its rows can be deleted but not anonymized")
	}
	if has(plan.ActionAnonymize) {
		_, p := w.g.treatments(t, nil)
		problems = append(problems, p...)
	}
	if len(rule.RedactNow) > 0 && (has(plan.ActionRetain) || rule.Do == plan.ActionKeep && has(plan.ActionKeep)) {
		_, p := w.g.treatments(t, rule.RedactNow)
		problems = append(problems, p...)
	}
	out := make([]plan.Refusal, len(problems))
	for i, p := range problems {
		out[i] = plan.Refusal{System: w.d.sys.Name, Table: t.name, Message: p}
	}
	return out
}

// columnWriter writes the treatments of one step.
type columnWriter struct {
	e      *eraser
	t      *table
	todo   []treatment
	perRow bool // some values are computed here, from the old ones
}

func (e *eraser) writer(t *table, s plan.Step) (*columnWriter, error) {
	var only []string
	if s.Action == plan.ActionRedact {
		only = s.Columns
		if len(only) == 0 && t.entry != nil {
			only = t.entry.RedactNow
		}
		if len(only) == 0 {
			return nil, fault.New(fault.Invalid, "nothing_to_redact", "The plan redacts %s but names no column.", t.name)
		}
		for _, c := range only {
			if _, ok := t.cat.Column(c); !ok {
				return nil, fmt.Errorf("redacting %s of %s: %w", c, t.name, connector.ErrChanged)
			}
		}
	}
	todo, problems := e.g.treatments(t, only)
	if len(problems) > 0 {
		return nil, fault.New(fault.Invalid, "cannot_anonymize", "%s.", strings.Join(problems, "; "))
	}
	w := &columnWriter{e: e, t: t, todo: todo}
	w.perRow = slices.ContainsFunc(todo, func(x treatment) bool {
		return x.with == datamap.AnonHash || x.with == datamap.AnonGeneralize || x.with == datamap.AnonFake
	})
	if t.keyless {
		// The key is all columns: once written, a row can't be found again to see that it was.
		return nil, fault.New(fault.Invalid, "cannot_anonymize", "%s has no primary key: its rows can be deleted but not anonymized.", t.name)
	}
	return w, nil
}

// write treats the rows with these keys and gives the number of rows written.
func (w *columnWriter) write(ctx context.Context, tx *sql.Tx, keys []connector.Key) (int64, error) {
	d := w.e.d
	if len(w.todo) == 0 {
		return d.count(ctx, tx, w.t, keys)
	}
	var computed map[string][]rowValue
	if w.perRow {
		var err error
		if computed, err = w.compute(ctx, tx, keys); err != nil {
			return 0, err
		}
	}
	b := &builder{dialect: d.dialect}
	name := d.dialect.table(w.t.cat)
	b.write("UPDATE ", name, " SET ")
	for i, x := range w.todo {
		if i > 0 {
			b.write(", ")
		}
		b.write(d.dialect.quote(x.col.Name), " = ")
		// What is not named is the default.
		//exhaustive:ignore
		switch x.with {
		case datamap.AnonNull:
			b.write("NULL")
		case datamap.AnonFixed:
			w.writeFixed(b, x, name)
		default:
			w.writeCase(b, x, name, computed[x.col.Name])
		}
	}
	b.write(" WHERE ")
	if err := d.writeRows(b, name, w.t, keys); err != nil {
		return 0, err
	}
	return w.e.exec(ctx, tx, b, "anonymizing rows of %s", w.t.name)
}

// writeFixed writes a value that may hold {key}. A value that must be unique ends with the key, whose end is what
// a cut must spare; any other keeps its beginning.
func (w *columnWriter) writeFixed(b *builder, x treatment, name string) {
	di := w.e.d.dialect
	value := x.value
	if x.unique {
		value += "-{key}"
	}
	if !strings.Contains(value, "{key}") {
		b.write(di.assign(b.param(cut(value, x.col.Length)), x.col))
		return
	}
	var parts []string
	for i, piece := range strings.Split(value, "{key}") {
		if i > 0 {
			parts = append(parts, w.keyExpr(name))
		}
		if piece != "" {
			parts = append(parts, di.asText(b.param(piece)))
		}
	}
	expr := di.concat(parts)
	if len(parts) == 1 {
		expr = parts[0]
	}
	if x.col.Length > 0 {
		expr = di.right("("+expr+")", x.col.Length)
	}
	if _, pg := di.(postgres); pg && !di.isText(x.col) {
		expr = "(" + expr + ")::" + x.col.Type
	}
	b.write(expr)
}

// keyExpr is the text of the row's key.
func (w *columnWriter) keyExpr(name string) string {
	di := w.e.d.dialect
	var parts []string
	for i, c := range w.t.key {
		if i > 0 {
			parts = append(parts, "'-'")
		}
		parts = append(parts, di.keyText(name+"."+di.quote(c.Name), c))
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return di.concat(parts)
}

func cut(s string, n int) string {
	r := []rune(s)
	if n <= 0 || len(r) <= n {
		return s
	}
	return string(r[:n])
}
