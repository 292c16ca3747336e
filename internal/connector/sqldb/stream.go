package sqldb

import (
	"context"
	"slices"
	"strings"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/statute"
)

// nullPart stands for null in the key of a row without a primary key. No engine's text can hold it.
const nullPart = "\x00"

// parent is one reference whose target's key is read along with a row.
type parent struct {
	to         *table
	cols, refs []string
	when       []cond
}

// reading says what to read beside the key of each row.
type reading struct {
	set     set
	date    string // the column that dates a row
	parents []parent
	order   bool // by key: neighbors go in one batch later, which is what makes deleting many rows quick
	where   func(b *builder, alias string)
	join    func(b *builder, alias string)
}

// record is one row of a stream; its slices are reused.
type record struct {
	key     connector.Key
	date    statute.Date
	parents []string // the joined key of each parent; nullPart when there is none
}

// stream reads the rows of a set, one statement.
func (w *walk) stream(ctx context.Context, q querier, t *table, r reading, fn func(record)) error {
	b := &builder{dialect: w.d.dialect}
	joins := make([]string, len(r.parents))
	n := len(t.keys)
	w.rows(b, t, r.set, selection{
		order: r.order,
		cols: func(a string) {
			list := w.keyTexts(b, a, t)
			if r.date != "" {
				list = append(list, w.d.dialect.storedText(b.col(a, r.date)))
				n++
			}
			for i, p := range r.parents {
				if w.direct(t, p) {
					for _, c := range inOrder(p.to.keys, p.refs, p.cols) {
						col, _ := t.cat.Column(c)
						list = append(list, w.d.dialect.keyText(b.col(a, c), col))
					}
				} else {
					joins[i] = b.alias()
					list = append(list, w.keyTexts(b, joins[i], p.to)...)
				}
				n += len(p.to.keys)
			}
			b.write(strings.Join(list, ", "))
		},
		join: func(a string) {
			for i, p := range r.parents {
				if joins[i] == "" {
					continue
				}
				b.write(" LEFT JOIN ", w.d.dialect.table(p.to.cat), " ", joins[i], " ON ")
				for k := range p.cols {
					if k > 0 {
						b.write(" AND ")
					}
					b.write(b.col(a, p.cols[k]), " = ", b.col(joins[i], p.refs[k]))
				}
				w.writeWhen(b, a, t, p.when)
			}
			if r.join != nil {
				r.join(b, a)
			}
		},
		where: bindWhere(b, r.where),
	})
	return w.scan(ctx, q, b, t, r, n, fn)
}

func bindWhere(b *builder, fn func(*builder, string)) func(string) {
	if fn == nil {
		return nil
	}
	return func(a string) { fn(b, a) }
}

func (w *walk) scan(ctx context.Context, q querier, b *builder, t *table, r reading, n int, fn func(record)) error {
	rows, err := q.QueryContext(ctx, b.sql.String(), b.args...)
	if err != nil {
		return w.d.fail(err, "reading %s", t.name)
	}
	defer func() { _ = rows.Close() }()
	cells, dest := make([]textCell, n), make([]any, n)
	for i := range cells {
		dest[i] = &cells[i]
	}
	rec := record{key: make(connector.Key, len(t.keys)), parents: make([]string, len(r.parents))}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return w.d.fail(err, "reading %s", t.name)
		}
		at := fillKey(rec.key, cells)
		if r.date != "" {
			rec.date = dateOf(cells[at])
			at++
		}
		for i, p := range r.parents {
			rec.parents[i] = joinCells(cells[at : at+len(p.to.keys)])
			at += len(p.to.keys)
		}
		fn(rec)
	}
	return w.d.fail(rows.Err(), "reading %s", t.name)
}

func fillKey(key connector.Key, cells []textCell) int {
	for i := range key {
		key[i] = cells[i].text
		if cells[i].null {
			key[i] = nullPart
		}
	}
	return len(key)
}

func joinCells(cells []textCell) string {
	if slices.ContainsFunc(cells, func(c textCell) bool { return c.null }) {
		return nullPart // the empty text may be a key
	}
	if len(cells) == 1 {
		return cells[0].text
	}
	parts := make(connector.Key, len(cells))
	for i, c := range cells {
		parts[i] = c.text
	}
	return joinKey(parts)
}

func (w *walk) keyTexts(b *builder, a string, t *table) []string {
	out := make([]string, len(t.key))
	for i, c := range t.key {
		out[i] = w.d.dialect.keyText(b.col(a, c.Name), c)
	}
	return out
}

// direct tells whether the text of our columns is the text of the target's key, so that no join is needed: it is
// not where the reference holds another key, where it is conditional, and where two stored texts may count as equal.
func (w *walk) direct(t *table, p parent) bool {
	if len(p.when) > 0 || !sameSet(p.refs, p.to.keys) {
		return false
	}
	for i := range p.cols {
		ours, _ := t.cat.Column(p.cols[i])
		theirs, _ := p.to.cat.Column(p.refs[i])
		if ours.Type != theirs.Type && (w.d.dialect.isText(ours) || w.d.dialect.isText(theirs) || strings.HasPrefix(ours.Type, "numeric") || strings.HasPrefix(theirs.Type, "numeric")) {
			return false
		}
		if ours.Type == "numeric" {
			return false // without a scale 1 and 1.0 are one number and two texts
		}
		if w.d.sys.Kind == datamap.KindMySQL && w.d.dialect.isText(ours) || ours.Type == "citext" {
			return false
		}
		if w.d.sys.Kind == datamap.KindSQLite && (affinity(ours.Type) != affinity(theirs.Type) || affinity(ours.Type) == "text") {
			return false // the catalog does not tell a text's collation
		}
	}
	return true
}

// inOrder gives cols in the order in which refs stand in want.
func inOrder(want, refs, cols []string) []string {
	out := make([]string, len(want))
	for i, k := range want {
		out[i] = cols[slices.Index(refs, k)]
	}
	return out
}

// dateOf reads the civil date at the head of a date or timestamp; what is none gives the zero Date, by which a
// retained row has no end: kept rather than lost.
func dateOf(c textCell) statute.Date {
	if c.null || len(c.text) < len("2006-01-02") {
		return statute.Date{}
	}
	d, err := statute.ParseDate(c.text[:10])
	if err != nil {
		return statute.Date{}
	}
	return d
}
