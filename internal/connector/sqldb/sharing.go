package sqldb

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/plan"
)

// quasi is a column that still tells something of an anonymized row: what it is made of, and made coarse.
type quasi struct {
	col   *datamap.CatalogColumn
	width string // of a number's range
	raw   bool   // kept as it is
}

// staying gives the columns of t that are generalized or kept in words when a row is anonymized.
func (g *graph) staying(t *table) []quasi {
	var out []quasi
	if t.entry == nil {
		return nil
	}
	for i := range t.cat.Columns {
		c := &t.cat.Columns[i]
		a := t.entry.Columns[c.Name].Anonymize
		switch {
		case a == nil || slices.Contains(t.keys, c.Name):
		case a.With == datamap.AnonKeep:
			out = append(out, quasi{col: c, raw: true})
		case a.With == datamap.AnonGeneralize:
			width := a.Value
			if width == "" && numberLike(c) {
				width = defaultRange
			}
			out = append(out, quasi{col: c, width: width})
		}
	}
	return out
}

// Sharing counts, for the tables whose rows the steps anonymized, how many people share what stays of them.
func (d *DB) Sharing(ctx context.Context, steps []plan.Step, keys connector.Source) ([]connector.Sharing, error) {
	g, err := d.freshGraph(ctx)
	if err != nil {
		return nil, err
	}
	var out []connector.Sharing
	for i, s := range steps {
		t, ok := g.tables[s.Table]
		if s.System != d.sys.Name || s.Action != plan.ActionAnonymize || !ok || t.keyless {
			continue
		}
		var sh connector.Sharing
		err := d.inSnapshot(ctx, func(q querier) error {
			m := &sharing{d: d, g: g, t: t, cols: g.staying(t), mine: map[string]bool{}}
			m.out = connector.Sharing{System: d.sys.Name, Table: t.name, Columns: []string{}}
			err := m.measure(ctx, q, &cursor{e: &eraser{keys: keys}, step: i})
			sh = m.out
			return err
		})
		if err != nil {
			return nil, err
		}
		if sh.Rows > 0 {
			out = append(out, sh)
		}
	}
	return out, nil
}

type sharing struct {
	d    *DB
	g    *graph
	t    *table
	cols []quasi
	mine map[string]bool // the groups in which the rows lie
	out  connector.Sharing
}

func (m *sharing) measure(ctx context.Context, q querier, c *cursor) error {
	for _, x := range m.cols {
		m.out.Columns = append(m.out.Columns, x.col.Name)
	}
	for {
		keys, err := c.peek(ctx, m.d.batchOf(m.t))
		if err != nil || len(keys) == 0 {
			if err == nil && len(m.cols) > 0 && m.out.Rows > 0 {
				err = m.groups(ctx, q)
			}
			return err
		}
		if err := m.find(ctx, q, keys); err != nil {
			return err
		}
		c.drop(len(keys))
	}
}

// find notes the groups of the rows with these keys.
func (m *sharing) find(ctx context.Context, q querier, keys []connector.Key) error {
	b := &builder{dialect: m.d.dialect}
	a := b.alias()
	b.write("SELECT COUNT(*), 0", m.texts(b, a), " FROM ", m.d.dialect.table(m.t.cat), " ", a, " WHERE ")
	if err := m.d.writeRows(b, a, m.t, keys); err != nil {
		return err
	}
	m.groupBy(b, a)
	return m.scan(ctx, q, b, func(n, _ int64, group string) {
		m.mine[group] = true
		m.out.Rows += n
	})
}

// groups counts the people of every group of the table, once made coarse alike and once as they are stored.
func (m *sharing) groups(ctx context.Context, q querier) error {
	counts := map[string]int64{}
	err := m.people(ctx, q, false, func(n int64, group string) { counts[group] = n })
	if err != nil {
		return err
	}
	for group := range m.mine {
		n := counts[group]
		if m.out.K == 0 || n < m.out.K {
			m.out.K = n
		}
		if n <= 1 {
			m.out.Alone++
		}
	}
	return m.people(ctx, q, true, func(n int64, _ string) {
		if m.out.Stored == 0 || n < m.out.Stored {
			m.out.Stored = n
		}
	})
}

// people counts the people of the groups in which the rows lie. stored: only rows whose values are coarse already.
func (m *sharing) people(ctx context.Context, q querier, stored bool, fn func(n int64, group string)) error {
	di := m.d.dialect
	b := &builder{dialect: di}
	a := b.alias()
	chain, owner := m.owner(b, a)
	count := "COUNT(*)"
	rest := "0"
	if owner != "" {
		// Rows whose owner is not known any more count as one person's: fewer rather than more.
		count, rest = "COUNT(DISTINCT "+owner+")", "COUNT(*) - COUNT("+owner+")"
	}
	b.write("SELECT ", count, ", ", rest, m.texts(b, a), " FROM ", di.table(m.t.cat), " ", a, chain)
	if stored {
		b.write(" WHERE 1 = 1")
		for _, x := range m.cols {
			if !x.raw {
				b.write(" AND ", di.nullSafe(di.storedText(b.col(a, x.col.Name)), m.asStored(b, a, x)))
			}
		}
	}
	m.groupBy(b, a)
	return m.scan(ctx, q, b, func(n, unknown int64, group string) {
		if unknown > 0 {
			n++
		}
		if m.mine[group] {
			fn(n, group)
		}
	})
}

// owner joins the rows with the people whose they are, over any number of tables. Rows of the subject's own table are
// people themselves; a table without an owner by key counts its rows.
func (m *sharing) owner(b *builder, a string) (joins, expr string) {
	at, alias := m.t, a
	seen := map[*table]bool{}
	for !m.g.isSubject(at.name) && !seen[at] {
		seen[at] = true
		i := slices.IndexFunc(at.owners, func(l link) bool { return l.to != at })
		if i < 0 {
			return "", ""
		}
		l := at.owners[i]
		next := b.alias()
		joins += " LEFT JOIN " + m.d.dialect.table(l.to.cat) + " " + next + " ON "
		for n := range l.cols {
			if n > 0 {
				joins += " AND "
			}
			joins += b.col(alias, l.cols[n]) + " = " + b.col(next, l.refs[n])
		}
		at, alias = l.to, next
	}
	if at == m.t {
		return "", ""
	}
	parts := make([]string, 0, 2*len(at.key))
	for n, c := range at.key {
		if n > 0 {
			parts = append(parts, "'-'")
		}
		parts = append(parts, m.d.dialect.keyText(b.col(alias, c.Name), c))
	}
	if len(parts) == 1 {
		return joins, parts[0]
	}
	return joins, m.d.dialect.concat(parts)
}

// coarse is the expression of a column's group as text.
func (m *sharing) coarse(b *builder, a string, x quasi) string {
	di := m.d.dialect
	expr := b.col(a, x.col.Name)
	text := di.storedText(expr)
	switch {
	case x.raw:
		return text
	case dateLike(x.col):
		return "substr(" + text + ", 1, 4)"
	case x.width != "" && numberLike(x.col):
		return di.storedText("FLOOR(" + expr + " / " + rangeWidth(x.width) + ")")
	default:
		return "substr(" + text + ", 1, 2)"
	}
}

// asStored is the text that a generalized value of the column has.
func (m *sharing) asStored(b *builder, a string, x quasi) string {
	di := m.d.dialect
	expr := b.col(a, x.col.Name)
	text := di.storedText(expr)
	switch {
	case dateLike(x.col):
		return di.concat([]string{"substr(" + text + ", 1, 4)", "'-01-01'", "CASE WHEN substr(" + text + ", 11, 9) = '' THEN '' ELSE " +
			di.concat([]string{"substr(" + text + ", 11, 1)", "'00:00:00'", "substr(" + text + ", 20)"}) + " END"})
	case x.width != "" && numberLike(x.col):
		return "CASE WHEN " + expr + " = FLOOR(" + expr + " / " + rangeWidth(x.width) + ") * " + rangeWidth(x.width) + " THEN " + text + " ELSE '' END"
	default:
		return "substr(" + text + ", 1, 2)"
	}
}

// rangeWidth writes a width, which the map's check holds to be a number; the point makes the division exact.
func rangeWidth(how string) string {
	n, err := strconv.ParseInt(how, 10, 64)
	if err != nil || n <= 0 {
		n = 10
	}
	return strconv.FormatInt(n, 10) + ".0"
}

func dateLike(c *datamap.CatalogColumn) bool {
	t := strings.ToLower(c.Type)
	return strings.HasPrefix(t, "date") || strings.HasPrefix(t, "timestamp")
}

func numberLike(c *datamap.CatalogColumn) bool {
	t := strings.ToLower(c.Type)
	for _, p := range []string{"smallint", "int", "bigint", "tinyint", "mediumint", "numeric", "decimal", "real", "double", "float"} {
		if strings.HasPrefix(t, p) && !strings.HasPrefix(t, "interval") {
			return true
		}
	}
	return false
}

func (m *sharing) texts(b *builder, a string) string {
	var s strings.Builder
	for _, x := range m.cols {
		s.WriteString(", " + m.coarse(b, a, x))
	}
	return s.String()
}

func (m *sharing) groupBy(b *builder, a string) {
	if len(m.cols) == 0 {
		return
	}
	b.write(" GROUP BY ", strings.TrimPrefix(m.texts(b, a), ", "))
}

func (m *sharing) scan(ctx context.Context, q querier, b *builder, fn func(n, unknown int64, group string)) error {
	rows, err := q.QueryContext(ctx, b.sql.String(), b.args...)
	if err != nil {
		return m.d.fail(err, "counting who shares what stays of %s", m.t.name)
	}
	defer func() { _ = rows.Close() }()
	cells, dest := make([]textCell, 2+len(m.cols)), make([]any, 2+len(m.cols))
	for i := range cells {
		dest[i] = &cells[i]
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return m.d.fail(err, "counting who shares what stays of %s", m.t.name)
		}
		var n, unknown int64
		_, _ = fmt.Sscan(cells[0].text, &n)
		_, _ = fmt.Sscan(cells[1].text, &unknown)
		key := make(connector.Key, len(m.cols))
		fillKey(key, cells[2:])
		fn(n, unknown, joinKey(key))
	}
	return m.d.fail(rows.Err(), "counting who shares what stays of %s", m.t.name)
}
