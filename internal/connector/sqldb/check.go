package sqldb

import (
	"context"
	"fmt"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/fault"
)

// CountKeys counts how many of the given rows of a table exist. Parts of a key beyond the table's own (the captured
// reference of an unlink step) are left aside.
func (d *DB) CountKeys(ctx context.Context, name string, keys []connector.Key) (int64, error) {
	g, err := d.knownGraph(ctx)
	if err != nil {
		return 0, err
	}
	t, ok := g.tables[name]
	if !ok {
		return 0, fault.New(fault.Invalid, "unknown_table", "The database %s has no table %s.", d.sys.Name, name)
	}
	var total int64
	err = d.inSnapshot(ctx, func(q querier) error {
		for _, batch := range batches(distinct(trim(keys, len(t.keys))), d.batchOf(t)) {
			n, err := d.count(ctx, q, t, batch)
			if err != nil {
				return err
			}
			total += n
		}
		return nil
	})
	return total, err
}

// batchOf gives the most keys of one statement on t.
func (d *DB) batchOf(t *table) int {
	if t.keyless {
		return 50 // each key is a condition over all columns
	}
	return d.dialect.batch()
}

// count counts the rows with these keys.
func (d *DB) count(ctx context.Context, q querier, t *table, keys []connector.Key) (int64, error) {
	b := &builder{dialect: d.dialect}
	a := b.alias()
	b.write("SELECT COUNT(*) FROM (SELECT 1 AS one FROM ", d.dialect.table(t.cat), " ", a, " WHERE ")
	if err := d.writeRows(b, a, t, keys); err != nil {
		return 0, d.fail(err, "counting rows of %s", t.name)
	}
	b.write(") c")
	var n int64
	err := each(ctx, q, b.sql.String(), b.args, 1, func(v []string) { _, _ = fmt.Sscan(v[0], &n) })
	return n, d.fail(err, "counting rows of %s", t.name)
}

// writeRows writes: the row has one of these keys.
func (d *DB) writeRows(b *builder, a string, t *table, keys []connector.Key) error {
	for _, k := range keys {
		if len(k) != len(t.keys) {
			return errKeyForm
		}
	}
	if !t.keyless {
		return d.dialect.keysIn(b, a, t.key, keys)
	}
	for i, k := range keys {
		if i > 0 {
			b.write(" OR ")
		}
		b.write("(")
		for n, c := range t.key {
			if n > 0 {
				b.write(" AND ")
			}
			var v any = k[n]
			if k[n] == nullPart {
				v = nil
			}
			expr := d.dialect.keyText(b.col(a, c.Name), c)
			b.write(d.dialect.nullSafe(expr, d.dialect.asText(b.param(v))))
		}
		b.write(")")
	}
	return nil
}

func trim(keys []connector.Key, n int) []connector.Key {
	out := make([]connector.Key, len(keys))
	for i, k := range keys {
		out[i] = k[:min(n, len(k))]
	}
	return out
}

// distinct drops repeated keys: rows without a primary key may be alike.
func distinct(keys []connector.Key) []connector.Key {
	seen := make(map[string]bool, len(keys))
	out := make([]connector.Key, 0, len(keys))
	for _, k := range keys {
		if s := joinKey(k); !seen[s] {
			seen[s] = true
			out = append(out, k)
		}
	}
	return out
}

func batches(keys []connector.Key, size int) [][]connector.Key {
	var out [][]connector.Key
	for len(keys) > size {
		out = append(out, keys[:size])
		keys = keys[size:]
	}
	if len(keys) > 0 {
		out = append(out, keys)
	}
	return out
}
