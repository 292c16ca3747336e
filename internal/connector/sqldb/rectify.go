package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/plan"
)

// heldRows are the person's rows of a table that hold one value in a column.
type heldRows struct {
	value  string // null is ""
	rows   int64
	digest digest
	keys   []string // joined; of the first rows, to try the new value on
}

// tried bounds on how many rows the table's checks are tried.
const tried = 100

// Before implements connector.Rectifier. It reads in one snapshot.
func (d *DB) Before(ctx context.Context, scope connector.Scope, hash connector.KeyHash, fields []connector.Correction) (connector.Corrected, error) {
	out := connector.Corrected{Was: map[string][]string{}}
	g, err := d.freshGraph(ctx)
	if err != nil {
		return out, err
	}
	err = d.inSnapshot(ctx, func(q querier) error {
		w, err := d.start(ctx, q, g, scope)
		if err != nil {
			return err
		}
		c := &corrector{w: w, q: q, hash: hash, out: &out}
		for _, f := range fields {
			for _, p := range f.Places {
				if p.System != d.sys.Name {
					continue
				}
				if err := c.place(ctx, f, p); err != nil {
					return err
				}
			}
		}
		return fault.BadInput(c.wrong)
	})
	return out, err
}

// corrector collects what becomes of the fields in one snapshot.
type corrector struct {
	w     *walk
	q     querier
	hash  connector.KeyHash
	out   *connector.Corrected
	wrong []fault.Field
}

func (c *corrector) bad(field, format string, args ...any) {
	c.wrong = append(c.wrong, fault.Field{Name: field, Message: fmt.Sprintf(format, args...)})
}

func (c *corrector) withhold(t *table, column, format string, args ...any) *plan.Withheld {
	c.out.Withheld = append(c.out.Withheld, plan.Withheld{System: c.w.d.sys.Name, Table: t.name, Column: column, What: "kept", Ground: fmt.Sprintf(format, args...)})
	return &c.out.Withheld[len(c.out.Withheld)-1]
}

func (c *corrector) place(ctx context.Context, f connector.Correction, p datamap.Place) error {
	t, ok := c.w.g.tables[p.Table]
	if !ok || !c.w.reach[t] {
		return nil
	}
	col, ok := t.cat.Column(p.Column)
	if !ok {
		return nil
	}
	if p.CopyOf == "" {
		c.out.Known = append(c.out.Known, f.Field)
		why := c.unwritable(t, col)
		if why == "" && f.To == "" && c.isIdentifier(p) {
			why = "it must not be empty: the person is known by it"
		}
		if why != "" {
			c.bad(f.Field, "%s", why)
			return nil
		}
	} else if why := c.unwritable(t, col); why != "" || p.JSON != "" {
		if n, err := c.w.countOwned(ctx, c.q, t); err != nil || n == 0 {
			return err
		}
		if p.JSON != "" {
			why = "it lies within a JSON value"
		}
		c.withhold(t, p.Column, "it holds a copy of %s that a person must correct: %s", p.CopyOf, why)
		return nil
	}
	held, err := c.held(ctx, t, p.Column)
	if err != nil {
		return err
	}
	if p.CopyOf == "" {
		if len(held) > 1 {
			c.bad(f.Field, "%s of %s holds different values in the %d rows of this person: an officer must say which is meant", p.Column, t.name, total(held))
			return nil
		}
	} else {
		held = c.sameAs(t, f, p, held)
	}
	for _, h := range held {
		if err := c.step(ctx, f, p, t, col, h); err != nil {
			return err
		}
	}
	return nil
}

func (c *corrector) isIdentifier(p datamap.Place) bool {
	return slices.ContainsFunc(c.w.subject.Identifiers, func(id datamap.Identifier) bool {
		return id.Column == p.Column && defaultTo(id.Table, c.w.subject.Table) == p.Table
	})
}

func total(held []*heldRows) (n int64) {
	for _, h := range held {
		n += h.rows
	}
	return n
}

// unwritable says why no correction writes a column; empty when one may.
func (c *corrector) unwritable(t *table, col *datamap.CatalogColumn) string {
	kind := strings.ToLower(col.Type)
	switch {
	case col.Generated:
		return "the database computes it"
	case c.w.isKey(t, col.Name):
		return "it is a key and can't be changed"
	case t.entry != nil && t.entry.Columns[col.Name].Personal != nil && !*t.entry.Columns[col.Name].Personal:
		return "the data map says that it is not about the person"
	case t.keyless:
		return "its table has no primary key"
	case strings.Contains(kind, "json"), strings.HasSuffix(kind, "[]"), kind == "bytea", mysqlBinary(col.Type), strings.Contains(kind, "blob"):
		return "it holds a structure, not one value"
	}
	return ""
}

// isKey tells whether a column is part of a key of its table or points at a row. An identifier may be pointed at.
func (w *walk) isKey(t *table, column string) bool {
	if slices.Contains(t.cat.PrimaryKey, column) || t == w.home && slices.Contains(w.subject.Key, column) {
		return true
	}
	return slices.ContainsFunc(w.g.edges, func(e edge) bool {
		return e.from == t && slices.Contains(e.cols, column) || e.to == t && e.declared && slices.Contains(e.refs, column)
	})
}

func (w *walk) countOwned(ctx context.Context, q querier, t *table) (n int64, err error) {
	err = w.stream(ctx, q, t, reading{set: owned}, func(record) { n++ })
	return n, err
}

// held groups the person's rows by the value of a column.
func (c *corrector) held(ctx context.Context, t *table, column string) ([]*heldRows, error) {
	var out []*heldRows
	var buf []byte
	err := c.w.values(ctx, c.q, t, []string{column}, func(key connector.Key, v []string) {
		i := slices.IndexFunc(out, func(h *heldRows) bool { return h.value == v[0] })
		if i < 0 {
			out, i = append(out, &heldRows{value: v[0]}), len(out)
		}
		h := out[i]
		h.rows++
		if len(h.keys) < tried {
			h.keys = append(h.keys, joinKey(key))
		}
		if c.hash != nil {
			buf = encodeKey(buf[:0], t.name, key)
			h.digest.add(c.hash(buf))
		}
	})
	slices.SortFunc(out, func(a, b *heldRows) int { return strings.Compare(a.value, b.value) })
	return out, err
}

// values streams the keys of the person's rows with the texts of some columns; null is "".
func (w *walk) values(ctx context.Context, q querier, t *table, columns []string, fn func(connector.Key, []string)) error {
	b := &builder{dialect: w.d.dialect}
	w.rows(b, t, owned, selection{order: true, cols: func(a string) {
		list := w.keyTexts(b, a, t)
		for _, c := range columns {
			list = append(list, w.d.dialect.storedText(b.col(a, c)))
		}
		b.write(strings.Join(list, ", "))
	}})
	err := each(ctx, q, b.sql.String(), b.args, len(t.keys)+len(columns), func(v []string) {
		fn(connector.Key(v[:len(t.keys)]), v[len(t.keys):])
	})
	return w.d.fail(err, "reading %s", t.name)
}

// sameAs keeps the rows of a copy that hold what the field itself holds. One that holds something else is no copy any
// more: an officer is told. One that holds nothing never was.
func (c *corrector) sameAs(t *table, f connector.Correction, p datamap.Place, held []*heldRows) []*heldRows {
	var out []*heldRows
	var other int64
	for _, h := range held {
		switch {
		case h.value == "" || h.value == f.To:
		case slices.ContainsFunc(f.Was, func(was string) bool { return equalByRule(p.Rule, h.value, was) }):
			out = append(out, h)
		default:
			other += h.rows
		}
	}
	if other > 0 {
		c.withhold(t, p.Column, "it is a copy of %s by the data map, and holds another value: an officer decides", p.CopyOf).Rows = other
	}
	return out
}

func (c *corrector) step(ctx context.Context, f connector.Correction, p datamap.Place, t *table, col *datamap.CatalogColumn, h *heldRows) error {
	if p.CopyOf == "" {
		c.out.Was[f.Field] = append(c.out.Was[f.Field], h.value)
	}
	if h.value == f.To {
		return nil // it says so already
	}
	why, err := c.misfit(ctx, t, col, f.To, h)
	if err != nil {
		return err
	}
	if why != "" {
		c.bad(f.Field, "%s.%s: %s", t.name, col.Name, why)
		return nil
	}
	ground := ""
	if p.CopyOf != "" {
		ground = "holds the same as " + p.CopyOf
	}
	keys := ""
	if c.hash != nil {
		keys = h.digest.String()
	}
	c.out.Steps = addChange(c.out.Steps, plan.Step{
		System: c.w.d.sys.Name, Table: t.name, Action: plan.ActionRectify, Rows: h.rows, Ground: ground, Keys: keys,
		Columns: []string{col.Name}, Changes: []plan.FieldChange{{Column: col.Name, Before: h.value, After: f.To}},
	})
	return nil
}

// addChange joins changes of the same rows of one table into one step.
func addChange(steps []plan.Step, s plan.Step) []plan.Step {
	for i := range steps {
		if x := &steps[i]; x.Table == s.Table && x.Keys == s.Keys && s.Keys != "" && x.Ground == s.Ground {
			x.Columns = append(x.Columns, s.Columns...)
			x.Changes = append(x.Changes, s.Changes...)
			return steps
		}
	}
	return append(steps, s)
}

// captureChanges lists the keys of the rows that each step of a correction means: those that hold what it saw.
func (w *walk) captureChanges(ctx context.Context, q querier, step int, s plan.Step, emit func(int, []connector.Key) error) error {
	t, ok := w.g.tables[s.Table]
	if !ok {
		return connector.ErrChanged
	}
	columns := make([]string, len(s.Changes))
	for i, ch := range s.Changes {
		if _, ok := t.cat.Column(ch.Column); !ok {
			return connector.ErrChanged
		}
		columns[i] = ch.Column
	}
	var chunk []connector.Key
	var failed error
	err := w.values(ctx, q, t, columns, func(key connector.Key, v []string) {
		for i, ch := range s.Changes {
			if v[i] != ch.Before {
				return
			}
		}
		if chunk = append(chunk, slices.Clone(key)); len(chunk) == captureChunk && failed == nil {
			failed = emit(step, chunk)
			chunk = nil
		}
	})
	if err != nil || failed != nil || len(chunk) == 0 {
		return firstError(err, failed)
	}
	return emit(step, chunk)
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Rectify implements connector.Rectifier.
func (d *DB) Rectify(ctx context.Context, steps []plan.Step, keys connector.Source, guard connector.Guard, record connector.Recorder) error {
	g, err := d.freshGraph(ctx)
	if err != nil {
		return err
	}
	tx, err := d.begin(ctx, "beginning the correction")
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	written := map[int]int64{}
	err = d.eachChunk(ctx, g, steps, keys, func(i int, t *table, s plan.Step, batch []connector.Key) error {
		if guard != nil {
			if err := guard(ctx); err != nil {
				return err
			}
		}
		written[i] += int64(len(batch))
		return d.correct(ctx, tx, t, s, batch)
	})
	if err != nil {
		return err
	}
	for i, s := range steps {
		if s.System == d.sys.Name && s.Action == plan.ActionRectify && written[i] != s.Rows {
			return changed(s.Table)
		}
	}
	if guard != nil {
		if err := guard(ctx); err != nil { // one that was overtaken meanwhile undoes everything
			return err
		}
	}
	if err := d.fail(tx.Commit(), "committing the correction"); err != nil {
		return err
	}
	for i, n := range written {
		if err := record(ctx, i, n, 0); err != nil {
			return fmt.Errorf("recording step %d: %w", i+1, err)
		}
	}
	return nil
}

// eachChunk gives the captured keys of each step of a correction in this system.
func (d *DB) eachChunk(ctx context.Context, g *graph, steps []plan.Step, keys connector.Source, fn func(int, *table, plan.Step, []connector.Key) error) error {
	for i, s := range steps {
		if s.System != d.sys.Name || s.Action != plan.ActionRectify {
			continue
		}
		t, ok := g.tables[s.Table]
		if !ok || slices.ContainsFunc(s.Changes, func(ch plan.FieldChange) bool { _, ok := t.cat.Column(ch.Column); return !ok }) {
			return changed(s.Table)
		}
		for chunk := 0; ; chunk++ {
			some, err := keys(ctx, i, chunk)
			if err != nil {
				return fmt.Errorf("reading the captured keys of step %d: %w", i+1, err)
			}
			if len(some) == 0 {
				break
			}
			for _, batch := range batches(some, d.batchOf(t)) {
				if err := fn(i, t, s, batch); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func changed(name string) error {
	return fault.Wrap(connector.ErrChanged, fault.Conflict, "data_changed", "The rows of %s are no longer what the plan saw.", name)
}

// correct writes one batch where it holds what the plan saw. What is not written must say already what it should: a
// run that was cut off after its commit.
func (d *DB) correct(ctx context.Context, tx *sql.Tx, t *table, s plan.Step, batch []connector.Key) error {
	b := &builder{dialect: d.dialect}
	name := d.dialect.table(t.cat)
	b.write("UPDATE ", name, " SET ")
	for i, ch := range s.Changes {
		col, _ := t.cat.Column(ch.Column)
		if i > 0 {
			b.write(", ")
		}
		b.write(d.dialect.quote(ch.Column), " = ")
		if ch.After == "" && col.Nullable {
			b.write("NULL")
			continue
		}
		v, ok := d.dialect.keyValue(ch.After, col)
		if !ok {
			return fault.New(fault.Invalid, "wrong_form", "The new value of %s does not have the form of the column.", ch.Column)
		}
		b.write(d.dialect.assign(b.param(v), col))
	}
	b.write(" WHERE ")
	if err := d.writeRows(b, name, t, batch); err != nil {
		return err
	}
	for _, ch := range s.Changes {
		b.write(" AND ")
		expr := d.dialect.storedText(name + "." + d.dialect.quote(ch.Column))
		if ch.Before == "" {
			b.write("(", expr, " IS NULL OR ", expr, " = '')")
			continue
		}
		b.write(d.dialect.nullSafe(expr, d.dialect.asText(b.param(ch.Before))))
	}
	res, err := tx.ExecContext(ctx, b.sql.String(), b.args...)
	if err != nil {
		return d.fail(err, "correcting %s of %s", strings.Join(s.Columns, ", "), t.name)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return d.fail(err, "correcting %s", t.name)
	}
	other, err := d.saysOther(ctx, tx, t, s.Changes, batch)
	if err != nil {
		return err
	}
	there, err := d.count(ctx, tx, t, batch)
	switch {
	case err != nil || other == 0 && there == int64(len(batch)):
		return err
	case n == int64(len(batch)): // a trigger, or a cut by the column
		return fault.New(fault.Conflict, "not_as_written", "The database changed what was written to %s of %s; nothing was kept.", strings.Join(s.Columns, ", "), t.name)
	}
	return changed(t.name)
}

// saysOther counts the rows that do not hold all the new values.
func (d *DB) saysOther(ctx context.Context, q querier, t *table, changes []plan.FieldChange, batch []connector.Key) (int64, error) {
	b := &builder{dialect: d.dialect}
	a := b.alias()
	b.write("SELECT COUNT(*) FROM ", d.dialect.table(t.cat), " ", a, " WHERE ")
	if err := d.writeRows(b, a, t, batch); err != nil {
		return 0, err
	}
	b.write(" AND (")
	for i, ch := range changes {
		if i > 0 {
			b.write(" AND ")
		}
		col, _ := t.cat.Column(ch.Column)
		d.writeSays(b, b.col(a, ch.Column), col, ch.After)
	}
	b.write(") IS NOT TRUE")
	var n int64
	err := each(ctx, q, b.sql.String(), b.args, 1, func(v []string) { _, _ = fmt.Sscan(v[0], &n) })
	return n, d.fail(err, "reading back %s", t.name)
}

// writeSays writes: the column holds this value. Texts are compared by their bytes, other values as what they are:
// 1.5 reads back as 1.50 from numeric(10,2).
func (d *DB) writeSays(b *builder, expr string, col *datamap.CatalogColumn, value string) {
	text := d.dialect.storedText(expr)
	switch {
	case value == "":
		b.write("(", expr, " IS NULL OR ", text, " = '')")
	case d.dialect.isText(col) || len(col.Enum) > 0:
		b.write(d.dialect.nullSafe(text, d.dialect.asText(b.param(value))))
	case strings.HasPrefix(strings.ToLower(col.Type), "float"): // four bytes hold 1.1 as something near it
		b.write("ABS(", expr, " - ")
		b.write(d.dialect.assign(b.param(value), col), ") <= ABS(", expr, ") * 1e-6")
	default:
		v, ok := d.dialect.keyValue(value, col)
		if !ok {
			b.write("1 = 0")
			return
		}
		b.write(expr, " = ")
		b.write(d.dialect.assign(b.param(v), col))
	}
}

// Recheck implements connector.Rectifier.
func (d *DB) Recheck(ctx context.Context, steps []plan.Step, keys connector.Source) ([]connector.Overwritten, error) {
	g, err := d.freshGraph(ctx)
	if err != nil {
		return nil, err
	}
	var out []connector.Overwritten
	err = d.eachChunk(ctx, g, steps, keys, func(i int, t *table, s plan.Step, batch []connector.Key) error {
		for n := range s.Changes {
			var other int64
			err := d.inSnapshot(ctx, func(q querier) (err error) {
				other, err = d.saysOther(ctx, q, t, s.Changes[n:n+1], batch)
				return err
			})
			if err != nil {
				return err
			}
			if other == 0 {
				continue
			}
			at := slices.IndexFunc(out, func(o connector.Overwritten) bool { return o.Step == i && o.Column == s.Changes[n].Column })
			if at < 0 {
				out, at = append(out, connector.Overwritten{Step: i, Column: s.Changes[n].Column}), len(out)
			}
			out[at].Rows += other
		}
		return nil
	})
	return out, err
}
