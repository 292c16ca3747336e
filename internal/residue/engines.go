package residue

import (
	"context"
	"database/sql"
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

type postgres struct{}

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

func (p postgres) tables(ctx context.Context, pool *sql.DB) ([]table, error) {
	return listTables(ctx, pool, `
SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
       coalesce(array_position(i.indkey::int2[], a.attnum), -1), c.relkind = 'f',
       t.typcategory IN ('S', 'A', 'C') OR t.typname IN ('json', 'jsonb', 'xml', 'hstore', 'citext', 'tsvector')
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
WHERE c.relkind IN ('r', 'p', 'm', 'f') AND NOT c.relispartition
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\_toast%' AND n.nspname NOT LIKE 'pg\_temp%'
ORDER BY n.nspname, c.relname, a.attnum`)
}

type mysqlWords struct{}

func (mysqlWords) quote(name string) string       { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }
func (mysqlWords) param(int) string               { return "?" }
func (mysqlWords) text(expr string) string        { return "CONVERT(" + expr + " USING utf8mb4)" }
func (mysqlWords) lower(expr string) string       { return "LOWER(" + expr + ")" }
func (mysqlWords) bytes(expr string) string       { return "CAST(" + expr + " AS BINARY)" }
func (mysqlWords) contains(text, p string) string { return "LOCATE(" + p + ", " + text + ") > 0" }
func (m mysqlWords) name(t *table) string         { return m.quote(t.schema) + "." + m.quote(t.bare) }

func (mysqlWords) json(expr, path string) string {
	return "JSON_UNQUOTE(JSON_EXTRACT(" + expr + ", '" + strings.ReplaceAll(path, "'", "''") + "'))"
}

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

func (mysqlWords) tables(ctx context.Context, pool *sql.DB) ([]table, error) {
	return listTables(ctx, pool, `
SELECT t.table_schema, t.table_name, c.column_name, c.column_type, coalesce(k.ordinal_position - 1, -1),
       coalesce(t.engine, '') IN ('FEDERATED', 'CONNECT', 'SPIDER'),
       c.data_type IN ('char', 'varchar', 'tinytext', 'text', 'mediumtext', 'longtext', 'json', 'enum', 'set')
FROM information_schema.tables t
JOIN information_schema.columns c ON c.table_schema = t.table_schema AND c.table_name = t.table_name
LEFT JOIN information_schema.key_column_usage k ON k.table_schema = t.table_schema AND k.table_name = t.table_name
  AND k.column_name = c.column_name AND k.constraint_name = 'PRIMARY'
WHERE t.table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') AND t.table_schema = database()
ORDER BY t.table_schema, t.table_name, c.ordinal_position`)
}

type sqlite struct{}

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

func (sqlite) tables(ctx context.Context, pool *sql.DB) ([]table, error) {
	return listTables(ctx, pool, `
SELECT 'main', m.name, c.name, c.type, c.pk - 1, 0,
       upper(c.type) NOT IN ('INTEGER', 'INT', 'BIGINT', 'REAL', 'DOUBLE', 'FLOAT', 'BOOLEAN')
FROM sqlite_schema m JOIN pragma_table_info(m.name) c
WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\_%' ESCAPE '\'
ORDER BY m.name, c.cid`)
}

// listTables reads rows of schema, table, column, type, place in the primary key (-1: none), foreign, text.
func listTables(ctx context.Context, pool *sql.DB, query string) ([]table, error) {
	rows, err := pool.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []table
	var keys []map[int]field
	for rows.Next() {
		var schema, name string
		var col field
		var place int
		var foreign bool
		if err := rows.Scan(&schema, &name, &col.name, &col.typ, &place, &foreign, &col.text); err != nil {
			return nil, err
		}
		if n := len(out); n == 0 || out[n-1].schema != schema || out[n-1].bare != name {
			out, keys = append(out, table{schema: schema, bare: name, foreign: foreign}), append(keys, map[int]field{})
		}
		t := &out[len(out)-1]
		t.columns = append(t.columns, col)
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
