package residue

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"github.com/habeas-data/habeas/internal/datamap"
)

// database is one opened product database: read only, with the few words in which the engines differ.
type database struct {
	kind  datamap.Kind
	pool  *sql.DB
	words engine
}

// engine is what differs between the engines.
type engine interface {
	quote(name string) string
	param(n int) string // from 1
	// text casts to text.
	text(expr string) string
	// lower lowers at least the ASCII letters of a text.
	lower(expr string) string
	// bytes makes a comparison of a text hold on its bytes, whatever the collation.
	bytes(expr string) string
	// contains is true where the text holds the parameter.
	contains(text, param string) string
	// json reads a path of a JSON column as text. The path was checked when the map was parsed.
	json(expr, path string) string
	// key gives the condition that a key column has the value written as text, and the parameter for it; false when no
	// value of the column can have that text.
	key(col field, expr, text string, n int) (condition string, arg any, ok bool)
	// name gives the full name of a table.
	name(t *table) string
	tables(ctx context.Context, pool *sql.DB) ([]table, error)
}

func (d *database) tables(ctx context.Context) ([]table, error) {
	tables, err := d.words.tables(ctx, d.pool)
	if err != nil {
		return nil, err
	}
	for i := range tables {
		if t := &tables[i]; len(t.key) == 0 {
			t.key, t.keyless = t.columns, true
		}
	}
	return tables, nil
}

// where writes `(a = ? AND b = ?) OR …` for keys. Keys that no row can have are left out; none left: 1 = 0.
func (d *database) where(t *table, keys [][]string) (string, []any, error) {
	var args []any
	var ors []string
	for _, key := range keys {
		if len(key) != len(t.key) {
			return "", nil, fmt.Errorf("a recorded key of %s has %d parts, the table's key has %d", t.bare, len(key), len(t.key))
		}
		var ands []string
		mark := len(args)
		for i, col := range t.key {
			expr := d.words.quote(col.name)
			cond, arg, ok := d.words.key(col, expr, key[i], len(args)+1)
			if !ok {
				ands = nil
				break
			}
			if t.keyless && key[i] == "" {
				cond = "(" + expr + " IS NULL OR " + cond + ")" // a null has no text
			}
			ands, args = append(ands, cond), append(args, arg)
		}
		if ands == nil {
			args = args[:mark]
			continue
		}
		ors = append(ors, "("+strings.Join(ands, " AND ")+")")
	}
	if len(ors) == 0 {
		return "1 = 0", nil, nil
	}
	return "(" + strings.Join(ors, " OR ") + ")", args, nil
}

// count counts the rows that have one of the keys.
func (d *database) count(ctx context.Context, t *table, keys [][]string) (int64, error) {
	where, args, err := d.where(t, keys)
	if err != nil {
		return 0, err
	}
	return d.number(ctx, "SELECT count(*) FROM "+d.words.name(t)+" WHERE "+where, args...)
}

// countText counts the rows among keys whose column equals a value, in any case of ASCII letters.
func (d *database) countText(ctx context.Context, t *table, keys [][]string, col field, value string) (int64, error) {
	where, args, err := d.where(t, keys)
	if err != nil {
		return 0, err
	}
	args = append(args, value)
	return d.number(ctx, "SELECT count(*) FROM "+d.words.name(t)+" WHERE "+where+" AND "+
		d.words.contains(d.words.lower(d.words.text(d.words.quote(col.name))), d.words.param(len(args))), args...)
}

// lookup counts the rows for which all terms hold, each by its own rule on stored bytes.
func (d *database) lookup(ctx context.Context, t *table, terms []term) (int64, error) {
	var conds []string
	var args []any
	add := func(expr, value string) {
		args = append(args, value)
		conds = append(conds, d.words.bytes(expr)+" = "+d.words.bytes(d.words.param(len(args))))
	}
	for _, x := range terms {
		expr := d.words.text(d.words.quote(x.column))
		if x.json != "" {
			expr = d.words.json(d.words.quote(x.column), x.json)
		}
		at := strings.LastIndex(x.value, "@")
		switch {
		case x.rule == datamap.MatchASCIICI:
			add(d.words.lower(expr), asciiLower(x.value))
		case x.rule == datamap.MatchDomainCI && at >= 0:
			add(d.words.lower(expr), asciiLower(x.value))
			local := x.value[:at+1]
			add("substr("+expr+", 1, "+strconv.Itoa(len([]rune(local)))+")", local)
		default:
			add(expr, x.value)
		}
	}
	return d.number(ctx, "SELECT count(*) FROM "+d.words.name(t)+" WHERE "+strings.Join(conds, " AND "), args...)
}

// rows counts the rows of a table, at most to limit.
func (d *database) rows(ctx context.Context, t *table, limit int64) (int64, error) {
	return d.number(ctx, "SELECT count(*) FROM (SELECT 1 AS one FROM "+d.words.name(t)+" LIMIT "+strconv.FormatInt(limit, 10)+") counted")
}

// search counts per column the rows that hold one of the addresses, among the first rows of the table.
func (d *database) search(ctx context.Context, t *table, columns []field, needles []string, limit int64) (hits []int64, err error) {
	var args []any
	var exprs, conds, inner []string
	for i, col := range columns {
		alias := "c" + strconv.Itoa(i)
		inner = append(inner, d.words.text(d.words.quote(col.name))+" AS "+alias)
		exprs = append(exprs, alias)
		for _, n := range needles {
			args = append(args, n)
			conds = append(conds, d.words.contains(d.words.lower(alias), d.words.param(len(args))))
		}
	}
	rows, err := d.pool.QueryContext(ctx, "SELECT "+strings.Join(exprs, ", ")+" FROM (SELECT "+strings.Join(inner, ", ")+" FROM "+
		d.words.name(t)+" LIMIT "+strconv.FormatInt(limit, 10)+") searched WHERE "+strings.Join(conds, " OR "), args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	hits = make([]int64, len(columns))
	values, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		for i, v := range values {
			text := asciiLower(v.String)
			for _, n := range needles {
				if v.Valid && holds(text, n) {
					hits[i]++
					break
				}
			}
		}
	}
	return hits, rows.Err()
}

func (d *database) number(ctx context.Context, query string, args ...any) (int64, error) {
	var n int64
	err := d.pool.QueryRowContext(ctx, query, args...).Scan(&n)
	return n, err
}
