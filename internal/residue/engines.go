package residue

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// postgres holds the settings that the product's row-level security reads.
type postgres struct{ session map[string]string }

func (postgres) isolation() sql.IsolationLevel { return sql.LevelRepeatableRead }

// prepare fixes what texts and names mean. With row_security off a table that policies would show in part is an error,
// and told as not searched.
func (p postgres) prepare(ctx context.Context, q querier) error {
	settings := map[string]string{
		"search_path": "pg_catalog", "TimeZone": "UTC", "DateStyle": "ISO, YMD", "IntervalStyle": "iso_8601", "bytea_output": "hex",
		"standard_conforming_strings": "on", "lock_timeout": "15s", "statement_timeout": "30min", "row_security": "off",
		"jit": "off", // compiling a look takes longer than the look
	}
	if len(p.session) > 0 {
		settings["row_security"] = "on"
	}
	maps.Copy(settings, p.session)
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		if _, err := q.ExecContext(ctx, "SELECT pg_catalog.set_config($1::text, $2::text, true)", name, settings[name]); err != nil {
			return err
		}
	}
	return nil
}

func (postgres) replica(ctx context.Context, q querier) (behind bool, err error) {
	err = q.QueryRowContext(ctx, "SELECT pg_is_in_recovery()").Scan(&behind)
	return behind, err
}

// try keeps the transaction when fn fails.
func (postgres) try(ctx context.Context, q querier, fn func() error) error {
	if _, err := q.ExecContext(ctx, "SAVEPOINT look"); err != nil {
		return err
	}
	err := fn()
	if err != nil && ctx.Err() == nil {
		_, back := q.ExecContext(ctx, "ROLLBACK TO SAVEPOINT look")
		return errors.Join(err, back)
	}
	return err
}

// plain gives the ASCII of binary values as it is and the rest escaped.
func (postgres) plain(expr string) string { return "encode(" + expr + ", 'escape')" }

func (postgres) join(exprs []string) string {
	return "concat_ws(chr(1), " + strings.Join(exprs, ", ") + ")"
}

func (postgres) strip(text string) string { return "translate(" + text + ", ' -()./', '')" }

func (postgres) once(from, expr, name string) string {
	return from + " , LATERAL (SELECT " + expr + " AS " + name + " OFFSET 0) l"
}

func (postgres) quote(name string) string       { return pgx.Identifier{name}.Sanitize() }
func (postgres) param(n int) string             { return "$" + strconv.Itoa(n) + "::text" }
func (postgres) text(expr string) string        { return "(" + expr + ")::text" }
func (postgres) lower(expr string) string       { return "lower(" + expr + ` COLLATE "C")` }
func (postgres) bytes(expr string) string       { return "convert_to(" + expr + ", 'UTF8')" }
func (postgres) contains(text, p string) string { return "position(" + p + " in " + text + ") > 0" }
func (p postgres) name(t *table) string         { return p.quote(t.schema) + "." + p.quote(t.bare) }

func (p postgres) json(expr, path string) string {
	return "jsonb_path_query_first((CASE WHEN (" + expr + ")::text ~ '^\\s*[\\[{]' THEN (" + expr + ")::text END)::jsonb, '" + strings.ReplaceAll(path, "'", "''") + "') #>> '{}'"
}

var (
	wholeForm = regexp.MustCompile(`^-?[0-9]{1,19}$`)
	uuidForm  = regexp.MustCompile(`^[0-9a-fA-F-]{36}$`)
)

func (p postgres) key(col field, expr, text string, n int) (string, any, bool) {
	ph := "$" + strconv.Itoa(n) + "::text"
	switch {
	case col.typ == "bytea":
		return "encode(" + expr + ", 'hex') = " + ph, strings.ToLower(text), true
	case col.typ == "integer", col.typ == "bigint", col.typ == "smallint":
		v, err := strconv.ParseInt(text, 10, map[string]int{"smallint": 16, "integer": 32, "bigint": 64}[col.typ])
		return expr + " = $" + strconv.Itoa(n) + "::bigint", v, err == nil
	case col.typ == "uuid":
		return expr + " = " + ph + "::uuid", text, uuidForm.MatchString(text)
	case col.typ == "text", strings.HasPrefix(col.typ, "character varying"):
		return expr + " = " + ph, text, true
	default:
		return "(" + expr + ")::text = " + ph, text, true // right for every type, if slow for some
	}
}

// list compares with arrays, one a column: the planner walks the key's index, or reads the table where that is less.
func (p postgres) list(columns []field, keys [][]string) (string, []any, bool) {
	names, arrays, aliases := make([]string, len(columns)), make([]string, len(columns)), make([]string, len(columns))
	for i, col := range columns {
		cast, ok := arrayOf(col)
		if !ok {
			return "", nil, false
		}
		names[i], arrays[i], aliases[i] = p.quote(col.name), "$"+strconv.Itoa(i+1)+"::text[]"+cast, "k"+strconv.Itoa(i)
	}
	values := make([][]string, len(columns))
	for _, key := range keys {
		if !p.possible(columns, key) {
			continue
		}
		for i := range columns {
			values[i] = append(values[i], key[i])
		}
	}
	if len(columns) == 0 || len(values[0]) == 0 {
		return "1 = 0", nil, len(columns) > 0
	}
	args := make([]any, len(columns))
	for i := range values {
		args[i] = values[i]
	}
	if len(columns) == 1 {
		return names[0] + " = ANY(" + arrays[0] + ")", args, true
	}
	return "(" + strings.Join(names, ", ") + ") IN (SELECT " + strings.Join(aliases, ", ") + " FROM unnest(" + strings.Join(arrays, ", ") +
		") AS keys(" + strings.Join(aliases, ", ") + "))", args, true
}

// size asks the catalog, as planners do: rows a page, as last counted, on the pages that there are.
func (p postgres) size(ctx context.Context, q querier, t *table) (rows int64, known bool, err error) {
	err = q.QueryRowContext(ctx, `SELECT coalesce((SELECT (reltuples::float8 / relpages * pg_relation_size(oid) / current_setting('block_size')::float8)::bigint
FROM pg_class WHERE oid = $1::text::regclass AND relkind = 'r' AND reltuples > 0 AND relpages > 0), -1)`, p.name(t)).Scan(&rows)
	return rows, rows >= 0, err
}

// possible tells whether a row can have the key.
func (p postgres) possible(columns []field, key []string) bool {
	for i, col := range columns {
		if _, _, ok := p.key(col, "", key[i], 1); !ok {
			return false
		}
	}
	return true
}

// arrayOf gives the cast from an array of texts that key's condition on the column would have.
func arrayOf(col field) (string, bool) {
	switch {
	case col.typ == "integer", col.typ == "bigint", col.typ == "smallint":
		return "::bigint[]", true
	case col.typ == "uuid":
		return "::uuid[]", true
	case col.typ == "text", strings.HasPrefix(col.typ, "character varying"):
		return "", true
	}
	return "", false
}

func (p postgres) tables(ctx context.Context, q querier) ([]table, error) {
	return listTables(ctx, q, `
SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
       coalesce(array_position(i.indkey::int2[], a.attnum), -1), c.relkind = 'f',
       coalesce(b.typcategory, t.typcategory) NOT IN ('N', 'D', 'T', 'B', 'E', 'G', 'I', 'R', 'V') AND coalesce(b.typname, t.typname) <> 'bytea',
       coalesce(b.typcategory, t.typcategory) = 'N', '', c.relpersistence = 't'
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_type b ON t.typtype = 'd' AND b.oid = t.typbasetype
LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
WHERE c.relkind IN ('r', 'p', 'm', 'f') AND NOT c.relispartition
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\_toast%' AND n.nspname NOT LIKE 'pg\_temp%'
ORDER BY n.nspname, c.relname, a.attnum`)
}

// mysqlWords holds the other databases that the map speaks of.
type mysqlWords struct{ schemas []string }

func (mysqlWords) isolation() sql.IsolationLevel          { return sql.LevelRepeatableRead }
func (mysqlWords) prepare(context.Context, querier) error { return nil }

func (mysqlWords) replica(ctx context.Context, q querier) (behind bool, err error) {
	err = q.QueryRowContext(ctx, "SELECT @@global.read_only").Scan(&behind)
	return behind, err
}

func (mysqlWords) try(_ context.Context, _ querier, fn func() error) error { return fn() }

func (mysqlWords) plain(expr string) string {
	return "CONVERT(CONVERT(" + expr + " USING latin1) USING utf8mb4)"
}

func (mysqlWords) join(exprs []string) string {
	return "CONCAT_WS(CHAR(1), " + strings.Join(exprs, ", ") + ")"
}

func (mysqlWords) strip(text string) string {
	for _, c := range []string{" ", "-", "(", ")", ".", "/"} {
		text = "REPLACE(" + text + ", '" + c + "', '')"
	}
	return text
}

// once repeats the expression: a derived table would be written to disk.
func (mysqlWords) once(from, _, _ string) string { return from }

func (mysqlWords) quote(name string) string       { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }
func (mysqlWords) param(int) string               { return "?" }
func (mysqlWords) text(expr string) string        { return "CONVERT(" + expr + " USING utf8mb4)" }
func (mysqlWords) lower(expr string) string       { return "LOWER(" + expr + ")" }
func (mysqlWords) bytes(expr string) string       { return "CAST(" + expr + " AS BINARY)" }
func (mysqlWords) contains(text, p string) string { return "LOCATE(" + p + ", " + text + ") > 0" }

// name reads a table that keeps its history (MariaDB) with all of it: what was deleted is still in there.
func (m mysqlWords) name(t *table) string {
	if t.history {
		return m.quote(t.schema) + "." + m.quote(t.bare) + " FOR SYSTEM_TIME ALL"
	}
	return m.quote(t.schema) + "." + m.quote(t.bare)
}

func (mysqlWords) json(expr, path string) string {
	return "JSON_UNQUOTE(JSON_EXTRACT(" + expr + ", '" + strings.ReplaceAll(path, "'", "''") + "'))"
}

func (mysqlWords) list([]field, [][]string) (string, []any, bool) { return "", nil, false }

func (mysqlWords) size(context.Context, querier, *table) (int64, bool, error) { return 0, false, nil }

func (mysqlWords) key(col field, expr, text string, _ int) (string, any, bool) {
	t := strings.ToLower(col.typ)
	switch {
	case strings.Contains(t, "binary"), strings.Contains(t, "blob"):
		raw, err := hex.DecodeString(text)
		return expr + " = ?", raw, err == nil
	case strings.Contains(t, "int"), t == "year", strings.HasPrefix(t, "bit"):
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return expr + " = ?", n, true
		}
		n, err := strconv.ParseUint(text, 10, 64)
		return expr + " = ?", n, err == nil
	case strings.Contains(t, "char"), strings.Contains(t, "text"):
		return expr + " = ?", text, true
	default:
		return "CONVERT(" + expr + " USING utf8mb4) = ?", text, true
	}
}

func (m mysqlWords) tables(ctx context.Context, q querier) ([]table, error) {
	home, args := "database()", make([]any, 0, len(m.schemas))
	for _, s := range m.schemas {
		home += ", ?"
		args = append(args, s)
	}
	return listTables(ctx, q, `
SELECT t.table_schema, t.table_name, c.column_name, c.column_type, coalesce(k.ordinal_position - 1, -1),
       coalesce(t.engine, '') IN ('FEDERATED', 'CONNECT', 'SPIDER'),
       c.data_type IN ('char', 'varchar', 'tinytext', 'text', 'mediumtext', 'longtext', 'json', 'uuid'),
       c.data_type IN ('tinyint', 'smallint', 'mediumint', 'int', 'bigint', 'decimal', 'double', 'float'),
       IF(t.table_schema = database(), '', t.table_schema), t.table_type = 'SYSTEM VERSIONED'
FROM information_schema.tables t
JOIN information_schema.columns c ON c.table_schema = t.table_schema AND c.table_name = t.table_name
LEFT JOIN information_schema.key_column_usage k ON k.table_schema = t.table_schema AND k.table_name = t.table_name
  AND k.column_name = c.column_name AND k.constraint_name = 'PRIMARY'
WHERE t.table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') AND t.table_schema IN (`+home+`)
ORDER BY t.table_schema <> database(), t.table_schema, t.table_name, c.ordinal_position`, args...)
}

type sqlite struct{}

func (sqlite) isolation() sql.IsolationLevel                           { return sql.LevelDefault }
func (sqlite) prepare(context.Context, querier) error                  { return nil }
func (sqlite) replica(context.Context, querier) (bool, error)          { return false, nil }
func (sqlite) try(_ context.Context, _ querier, fn func() error) error { return fn() }
func (sqlite) plain(expr string) string                                { return "CAST(" + expr + " AS TEXT)" }

func (sqlite) join(exprs []string) string {
	parts := make([]string, len(exprs))
	for i, e := range exprs {
		parts[i] = "coalesce(" + e + ", '')"
	}
	return strings.Join(parts, " || char(1) || ")
}

func (sqlite) strip(text string) string { return mysqlWords{}.strip(text) }

func (sqlite) once(from, expr, name string) string {
	return "(SELECT *, " + expr + " AS " + name + " FROM " + from + " LIMIT -1 OFFSET 0)"
}

func (sqlite) quote(name string) string       { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
func (sqlite) param(int) string               { return "?" }
func (sqlite) text(expr string) string        { return "CAST(" + expr + " AS TEXT)" }
func (sqlite) lower(expr string) string       { return "lower(" + expr + ")" }
func (sqlite) bytes(expr string) string       { return "CAST(" + expr + " AS BLOB)" }
func (sqlite) contains(text, p string) string { return "instr(" + text + ", " + p + ") > 0" }
func (s sqlite) name(t *table) string         { return s.quote(t.bare) }

func (sqlite) json(expr, path string) string {
	return "CAST(CASE WHEN json_valid(" + expr + ") THEN json_extract(" + expr + ", '" + strings.ReplaceAll(path, "'", "''") + "') END AS TEXT)"
}

// key compares by the value's own storage class where the column has no affinity (https://sqlite.org/datatype3.html,
// 3.1): there the recorded text begins with the class.
func (sqlite) list([]field, [][]string) (string, []any, bool) { return "", nil, false }

func (sqlite) size(context.Context, querier, *table) (int64, bool, error) { return 0, false, nil }

func (sqlite) key(col field, expr, text string, _ int) (string, any, bool) {
	t := strings.ToUpper(col.typ)
	has := func(parts ...string) bool {
		for _, p := range parts {
			if strings.Contains(t, p) {
				return true
			}
		}
		return false
	}
	if has("INT") || !has("CHAR", "CLOB", "TEXT") && t != "" && !has("BLOB") {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil && strconv.FormatInt(n, 10) == text {
			return expr + " = ?", n, true
		}
		return "CAST(" + expr + " AS TEXT) = ?", text, true
	}
	class, rest, ok := strings.Cut(text, ":")
	if t != "" && !has("BLOB") || has("CHAR", "CLOB", "TEXT") || !ok {
		return expr + " = ?", text, true
	}
	switch class {
	case "x":
		raw, err := hex.DecodeString(rest)
		return expr + " = ?", raw, err == nil
	case "i":
		n, err := strconv.ParseInt(rest, 10, 64)
		return expr + " = ?", n, err == nil
	case "r":
		f, err := strconv.ParseFloat(rest, 64)
		return expr + " = ?", f, err == nil
	default:
		return expr + " = ?", rest, true
	}
}

func (sqlite) tables(ctx context.Context, q querier) ([]table, error) {
	return listTables(ctx, q, `
SELECT 'main', m.name, c.name, c.type, c.pk - 1, 0,
       1,
       upper(c.type) IN ('INTEGER', 'INT', 'BIGINT', 'REAL', 'DOUBLE', 'FLOAT', 'NUMERIC'),
       CASE WHEN lower(m.sql) LIKE 'create virtual table%using fts%' THEN 'fts' ELSE '' END, 0
FROM sqlite_schema m JOIN pragma_table_xinfo(m.name) c
WHERE m.type = 'table' AND c.hidden <> 1 AND (m.name NOT LIKE 'sqlite\_%' ESCAPE '\' OR m.name = 'sqlite_stat4')
ORDER BY m.name, c.cid`)
}

// listTables reads rows of schema, table, column, type, place in the primary key (-1: none), foreign, text, number, what
// is special about the table (another database's name, or fts), and whether it keeps its history (PostgreSQL: is temporary).
func listTables(ctx context.Context, q querier, query string, args ...any) ([]table, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []table
	var keys []map[int]field
	for rows.Next() {
		var t table
		var col field
		var place int
		if err := rows.Scan(&t.schema, &t.bare, &col.name, &col.typ, &place, &t.foreign, &col.text, &col.number, &t.special, &t.history); err != nil {
			return nil, err
		}
		if n := len(out); n == 0 || out[n-1].schema != t.schema || out[n-1].bare != t.bare {
			out = append(out, t)
			keys = append(keys, map[int]field{})
		}
		last := &out[len(out)-1]
		last.columns = append(last.columns, col)
		if place >= 0 {
			keys[len(keys)-1][place] = col
		}
	}
	for i := range out {
		first := 0 // PostgreSQL's int2vector counts from 0
		for range keys[i] {
			for {
				if col, ok := keys[i][first]; ok {
					out[i].key = append(out[i].key, col)
					first++
					break
				}
				first++
			}
		}
	}
	return out, rows.Err()
}
