package sqldb

import (
	"context"
	"hash/maphash"
	"strings"

	"github.com/habeas-data/habeas/internal/datamap"
)

const (
	sampledRows   = 200
	sampledKeys   = 200
	longestSample = 4000 // characters of one value; a document that is cut is no JSON any more
)

// Evidence looks at samples of the data so that a first map can be proposed: see datamap.Evidence. Values are read,
// counted and forgotten.
func (d *DB) Evidence() datamap.Evidence { return evidence{d} }

type evidence struct{ d *DB }

// Sample reads the first rows that the database gives, without an order: that costs the same on a table of any size.
func (e evidence) Sample(ctx context.Context, t *datamap.CatalogTable) (datamap.Sample, error) {
	out := datamap.Sample{Columns: map[string]datamap.ColumnSample{}}
	var names, exprs []string
	for i := range t.Columns {
		c := &t.Columns[i]
		if isBinary(c) {
			continue
		}
		names = append(names, c.Name)
		exprs = append(exprs, "substr("+e.d.dialect.asText("s."+e.d.dialect.quote(c.Name))+", 1, "+itoa(longestSample)+")")
	}
	if len(exprs) == 0 {
		return out, nil
	}
	rows, err := e.d.pool.QueryContext(ctx, "SELECT "+strings.Join(exprs, ", ")+" FROM "+e.d.dialect.table(t)+" s LIMIT "+itoa(sampledRows))
	if err != nil {
		return out, e.d.fail(err, "looking at %s", t.Name)
	}
	defer func() { _ = rows.Close() }()
	cells, dest := make([]textCell, len(names)), make([]any, len(names))
	seen, seed := make([]map[uint64]bool, len(names)), maphash.MakeSeed()
	samples := make([]datamap.ColumnSample, len(names))
	for i := range cells {
		dest[i], seen[i] = &cells[i], map[uint64]bool{}
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return out, e.d.fail(err, "looking at %s", t.Name)
		}
		out.Rows++
		for i, c := range cells {
			samples[i].Observe(c.text, c.null)
			if !c.null {
				seen[i][maphash.String(seed, c.text)] = true
			}
		}
	}
	for i, n := range names {
		samples[i].Distinct = len(seen[i])
		out.Columns[n] = samples[i]
	}
	return out, e.d.fail(rows.Err(), "looking at %s", t.Name)
}

func isBinary(c *datamap.CatalogColumn) bool {
	t := strings.ToLower(c.Type)
	return strings.Contains(t, "blob") || strings.Contains(t, "binary") || t == "bytea" || strings.Contains(t, "geom") || t == "tsvector"
}

// Included lets keys of different types (a number kept as text) meet as texts.
func (e evidence) Included(ctx context.Context, from *datamap.CatalogTable, columns []string, to *datamap.CatalogTable, refs []string) (looked, found int, err error) {
	q := e.d.dialect
	var pick, some, same []string
	for i, c := range columns {
		alias := "c" + itoa(i)
		source, ok1 := from.Column(c)
		target, ok2 := to.Column(refs[i])
		if !ok1 || !ok2 {
			return 0, 0, nil
		}
		pick = append(pick, "a."+q.quote(c)+" AS "+alias)
		some = append(some, "a."+q.quote(c)+" IS NOT NULL AND "+q.asText("a."+q.quote(c))+" NOT IN ('', '0')")
		// Columns of one class compare as they are, so that the index of the key serves.
		left, right := "s."+alias, "r."+q.quote(refs[i])
		if !strings.EqualFold(source.Type, target.Type) && !(whole(source) && whole(target)) && !(q.isText(source) && q.isText(target)) {
			left, right = q.asText(left), q.asText(right)
		}
		same = append(same, left+" = "+right)
	}
	query := "SELECT COUNT(*), COALESCE(SUM(CASE WHEN EXISTS (SELECT 1 FROM " + q.table(to) + " r WHERE " + strings.Join(same, " AND ") +
		") THEN 1 ELSE 0 END), 0) FROM (SELECT DISTINCT * FROM (SELECT " + strings.Join(pick, ", ") + " FROM " + q.table(from) + " a WHERE " +
		strings.Join(some, " AND ") + " LIMIT " + itoa(sampledKeys*5) + ") d LIMIT " + itoa(sampledKeys) + ") s"
	if err := e.d.pool.QueryRowContext(ctx, query).Scan(&looked, &found); err != nil {
		return 0, 0, e.d.fail(err, "comparing %s with %s", from.Name, to.Name)
	}
	return looked, found, nil
}

func whole(c *datamap.CatalogColumn) bool {
	return strings.Contains(strings.ToLower(c.Type), "int") || strings.Contains(strings.ToLower(c.Type), "serial")
}

// Words reads columns that name tables or classes.
func (e evidence) Words(ctx context.Context, t *datamap.CatalogTable, columns ...string) ([][]string, error) {
	exprs, outer := make([]string, len(columns)), make([]string, len(columns))
	for i, c := range columns {
		exprs[i] = e.d.dialect.asText("a."+e.d.dialect.quote(c)) + " AS c" + itoa(i)
		outer[i] = "s.c" + itoa(i)
	}
	query := "SELECT DISTINCT " + strings.Join(outer, ", ") + " FROM (SELECT " + strings.Join(exprs, ", ") + " FROM " + e.d.dialect.table(t) + " a LIMIT 5000) s LIMIT 100"
	var out [][]string
	err := each(ctx, e.d.pool, query, nil, len(columns), func(v []string) { out = append(out, append([]string(nil), v...)) })
	return out, e.d.fail(err, "looking at %s", t.Name)
}
