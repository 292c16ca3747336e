package residue

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/habeas-data/habeas/internal/datamap"
)

// database is one opened product database: read only, in one view of the data, with the few words in which the engines
// differ.
type database struct {
	kind  datamap.Kind
	pool  *sql.DB
	q     *sql.Tx
	words engine
}

type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
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
	// list gives the condition that a row has one of the keys, as text;
	// false when the engine or the types of the columns have no such form.
	list(columns []field, keys [][]string) (condition string, args []any, ok bool)
	// size estimates the rows of a table without reading it; false when the engine has nothing good to go by.
	size(ctx context.Context, q querier, t *table) (rows int64, known bool, err error)
	// name gives the full name of a table.
	name(t *table) string
	tables(ctx context.Context, q querier) ([]table, error)

	isolation() sql.IsolationLevel
	// prepare fixes the settings of the transaction.
	prepare(ctx context.Context, q querier) error
	// replica tells whether the server copies another and may lag behind it.
	replica(ctx context.Context, q querier) (bool, error)
	// try runs fn so that its failure does not end the transaction.
	try(ctx context.Context, q querier, fn func() error) error
	// plain makes text of a binary value: at least its ASCII stands there as it is.
	plain(expr string) string
	// join puts texts together with a control character between; null adds nothing.
	join(exprs []string) string
	// strip takes the signs out of a text that people write between digits.
	strip(text string) string
	// once gives a FROM in which expr is worked out once a row under a name; engines that can't give from as it is.
	once(from, expr, name string) string
}

func (d *database) tables(ctx context.Context) ([]table, error) {
	tables, err := d.words.tables(ctx, d.q)
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

// most is how many keys one statement asks for.
func (d *database) most(t *table) int {
	if _, _, ok := d.words.list(t.key, nil); ok && !t.keyless {
		return manyKeys
	}
	return chunk
}

// where gives the condition that a row has one of the keys. Keys that no row can have are left out; none left: 1 = 0.
func (d *database) where(t *table, keys [][]string) (string, []any, error) {
	for _, key := range keys {
		if len(key) != len(t.key) {
			return "", nil, fmt.Errorf("a recorded key of %s has %d parts, the table's key has %d", t.bare, len(key), len(t.key))
		}
	}
	if !t.keyless {
		if condition, args, ok := d.words.list(t.key, keys); ok {
			return condition, args, nil
		}
	}
	return d.oneByOne(t, keys)
}

// oneByOne writes `(a = ? AND b = ?) OR …`.
func (d *database) oneByOne(t *table, keys [][]string) (string, []any, error) {
	var args []any
	var ors []string
	for _, key := range keys {
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

// rows counts the rows of a table, at most to limit. An estimate does where it is far from the limit.
func (d *database) rows(ctx context.Context, t *table, limit int64) (int64, error) {
	if n, known, err := d.words.size(ctx, d.q, t); err != nil || known && n < limit/2 {
		return n, err
	}
	return d.number(ctx, "SELECT count(*) FROM (SELECT 1 AS one FROM "+d.words.name(t)+" LIMIT "+strconv.FormatInt(limit, 10)+") counted")
}

// look is one pass over a table: per column, the rows that hold what is looked for. The database finds rows that may,
// by cheap means; what they hold is judged here, by look's own rules. Without a limit (0) all rows are read.
func (d *database) look(ctx context.Context, t *table, columns []field, w *wanted, limit int64) (hits []int64, err error) {
	texts := make([]string, len(columns))
	for i, col := range columns {
		if texts[i] = d.words.text(d.words.quote(col.name)); binary(col.typ) {
			texts[i] = d.words.plain(d.words.quote(col.name))
		}
	}
	from, whole := d.words.name(t), d.words.lower(d.joined(texts))
	if limit > 0 {
		from = "(SELECT * FROM " + from + " LIMIT " + strconv.FormatInt(limit, 10) + ") part"
	}
	if named := d.words.once(from, whole, lookName); named != from {
		from, whole = named, lookName
	}
	var args []any
	var conds []string
	for _, n := range w.forms {
		args = append(args, n)
		conds = append(conds, d.words.contains(whole, d.words.param(len(args))))
	}
	for _, n := range w.digits {
		args = append(args, n)
		conds = append(conds, d.words.contains(d.words.strip(whole), d.words.param(len(args))))
	}
	rows, err := d.q.QueryContext(ctx, "SELECT "+strings.Join(texts, ", ")+" FROM "+from+" WHERE "+strings.Join(conds, " OR "), args...)
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
			if v.Valid && w.in(columns[i], v.String) {
				hits[i]++
			}
		}
	}
	return hits, rows.Err()
}

func (d *database) number(ctx context.Context, query string, args ...any) (int64, error) {
	var n int64
	err := d.q.QueryRowContext(ctx, query, args...).Scan(&n)
	return n, err
}

// lookName is no column of anybody's.
const lookName = "habeas_looked_at"

// joined joins any number of texts: engines bound the parameters of a function and the depth of an expression.
func (d *database) joined(texts []string) string {
	const most = 50
	for len(texts) > most {
		var next []string
		for part := range slices.Chunk(texts, most) {
			next = append(next, "("+d.words.join(part)+")")
		}
		texts = next
	}
	return d.words.join(texts)
}

// largeObjects counts the large objects that hold what is wanted as plain text.
func (d *database) largeObjects(ctx context.Context, w *wanted) (int64, error) {
	rows, err := d.q.QueryContext(ctx, "SELECT encode(lo_get(oid), 'escape') FROM pg_largeobject_metadata")
	if err != nil {
		return 0, err
	}
	defer func() { _ = rows.Close() }()
	var n int64
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return 0, err
		}
		if w.in(field{}, text) {
			n++
		}
	}
	return n, rows.Err()
}

// orphans counts the rows that the index of a full-text table has for an address and whose text is gone.
func (d *database) orphans(ctx context.Context, t *table, addresses []string) (int64, error) {
	var n int64
	name := d.words.name(t)
	for _, a := range addresses {
		ids, err := d.matching(ctx, t, a)
		if err != nil {
			return 0, err
		}
		for _, id := range ids {
			texts := make([]string, len(t.columns))
			for i, col := range t.columns {
				texts[i] = "coalesce(" + d.words.quote(col.name) + ", '')"
			}
			var text string
			err := d.q.QueryRowContext(ctx, "SELECT "+strings.Join(texts, " || ")+" FROM "+name+" WHERE rowid = ?", id).Scan(&text)
			if err != nil || text == "" { // the row that it indexes does not exist, or never kept its text
				n++
			}
		}
	}
	return n, nil
}

// matching asks a full-text index for an address as a phrase.
func (d *database) matching(ctx context.Context, t *table, address string) (ids []int64, err error) {
	rows, err := d.q.QueryContext(ctx, "SELECT rowid FROM "+d.words.name(t)+" WHERE "+d.words.quote(t.bare)+" MATCH ?", `"`+strings.ReplaceAll(address, `"`, `""`)+`"`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}
