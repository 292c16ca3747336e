package sqldb

import (
	"context"
	"database/sql"
	"regexp"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/datamap"
)

type postgres struct{ session *pgSession }

func (postgres) quote(name string) string { return pgx.Identifier{name}.Sanitize() }

func (p postgres) table(t *datamap.CatalogTable) string {
	return p.quote(t.Schema) + "." + p.quote(t.Bare)
}

func (postgres) placeholder(n int) string { return "$" + strconv.Itoa(n) }

func (postgres) keyText(expr string, c *datamap.CatalogColumn) string {
	if c.Type == "bytea" {
		return "encode(" + expr + ", 'hex')"
	}
	return expr + "::text"
}

var (
	integerForm = regexp.MustCompile(`^-?[0-9]{1,19}$`)
	decimalForm = regexp.MustCompile(`^-?[0-9]{1,100}(\.[0-9]{1,100})?$`)
	uuidForm    = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)
	hexForm     = regexp.MustCompile(`^([0-9a-fA-F]{2})*$`)
)

func (p postgres) keyValue(text string, c *datamap.CatalogColumn) (any, bool) {
	if strings.IndexByte(text, 0) >= 0 {
		return nil, false
	}
	bits := map[string]int{"smallint": 16, "integer": 32, "bigint": 64}[c.Type]
	switch {
	case bits > 0:
		_, err := strconv.ParseInt(text, 10, bits)
		return text, err == nil && integerForm.MatchString(text)
	case strings.HasPrefix(c.Type, "numeric") && !strings.HasSuffix(c.Type, "[]"):
		return text, decimalForm.MatchString(text)
	case c.Type == "uuid":
		return text, uuidForm.MatchString(text)
	case c.Type == "bytea":
		return text, hexForm.MatchString(text)
	case len(c.Enum) > 0:
		for _, e := range c.Enum {
			if e == text {
				return text, true
			}
		}
		return nil, false
	}
	return text, true
}

func (postgres) keyParam(placeholder string, c *datamap.CatalogColumn) string {
	if c.Type == "bytea" {
		return "decode(" + placeholder + "::text, 'hex')"
	}
	return placeholder + "::text::" + c.Type
}

func (postgres) storedText(expr string) string { return expr + "::text" }

func (p postgres) same(expr string, c *datamap.CatalogColumn, param func() string) string {
	// The first half may use an index; the second holds on bytes even for citext and nondeterministic collations.
	return expr + " = " + p.keyParam(param(), c) + " AND " + p.keyText(expr, c) + ` COLLATE "C" = ` + param() + "::text"
}

func (postgres) exact(text string) string { return text + ` COLLATE "C"` }

func (postgres) folded(expr string, c *datamap.CatalogColumn, param string) string {
	switch {
	case c != nil && c.Folded == datamap.FoldedLower:
		return "lower(" + expr + ") = lower(" + param + "::text)"
	case c != nil && c.Folded == datamap.FoldedPlain:
		return expr + " = " + param + "::text::" + c.Type
	}
	return `lower(` + expr + `::text COLLATE "C") = lower(` + param + `::text COLLATE "C")`
}

func (postgres) nullSafe(a, b string) string { return a + " IS NOT DISTINCT FROM " + b }

func (postgres) jsonText(expr string, c *datamap.CatalogColumn, path []string) string {
	if c.Type != "json" && c.Type != "jsonb" {
		expr = "(CASE WHEN " + expr + ` ~ '^\s*[\[{]' THEN ` + expr + " END)::jsonb"
	}
	quoted := make([]string, len(path))
	for i, p := range path {
		quoted[i] = "'" + strings.ReplaceAll(p, "'", "''") + "'"
	}
	return "(" + expr + " #>> ARRAY[" + strings.Join(quoted, ", ") + "]::text[])"
}

func (p postgres) keysIn(b *builder, alias string, cols []*datamap.CatalogColumn, keys []connector.Key) error {
	arrays := make([][]string, len(cols))
	for _, k := range keys {
		for i := range cols {
			if _, ok := p.keyValue(k[i], cols[i]); !ok {
				return errKeyForm
			}
			arrays[i] = append(arrays[i], k[i])
		}
	}
	if len(cols) == 1 && cols[0].Type != "bytea" {
		b.write(b.col(alias, cols[0].Name), " = ANY(", b.param(arrays[0]), "::text[]::", cols[0].Type, "[])")
		return nil
	}
	names, params, values := make([]string, len(cols)), make([]string, len(cols)), make([]string, len(cols))
	parts := make([]string, len(cols))
	for i, c := range cols {
		names[i] = b.col(alias, c.Name)
		params[i] = b.param(arrays[i]) + "::text[]"
		parts[i] = "k" + itoa(i)
		values[i] = p.keyParam("k.k"+itoa(i), c)
	}
	b.write("(", strings.Join(names, ", "), ") IN (SELECT ", strings.Join(values, ", "), " FROM unnest(",
		strings.Join(params, ", "), ") AS k(", strings.Join(parts, ", "), "))")
	return nil
}

func (postgres) batch() int { return 20_000 }

func (postgres) isText(c *datamap.CatalogColumn) bool {
	t := c.Type
	return t == "text" || t == "citext" || strings.HasPrefix(t, "character") || t == "name" || t == "bpchar"
}

func (postgres) asText(expr string) string { return expr + "::text" }

func (postgres) right(expr string, n int) string { return "right(" + expr + ", " + itoa(n) + ")" }

func (postgres) concat(parts []string) string { return strings.Join(parts, " || ") }

func (p postgres) assign(placeholder string, c *datamap.CatalogColumn) string {
	return p.keyParam(placeholder, c)
}

// checks gives the table's own conditions and those of the domains of its columns.
func (postgres) checks(ctx context.Context, q querier, t *datamap.CatalogTable) ([]rowCheck, error) {
	var out []rowCheck
	err := each(ctx, q, `
SELECT k.conname, pg_get_expr(k.conbin, k.conrelid) FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype = 'c' AND n.nspname = $1 AND c.relname = $2
UNION ALL
SELECT t.typname, quote_ident(a.attname) || '::' || format_type(a.atttypid, a.atttypmod) || ' IS NOT DISTINCT FROM ' || quote_ident(a.attname)
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_type t ON t.oid = a.atttypid
WHERE t.typtype = 'd' AND a.attnum > 0 AND NOT a.attisdropped AND n.nspname = $1 AND c.relname = $2
ORDER BY 1`, []any{t.Schema, t.Bare}, 2, func(v []string) { out = append(out, rowCheck{v[0], v[1]}) })
	return out, err
}

func (postgres) afterErase(context.Context, *sql.DB) error { return nil }

func (postgres) isolation(context.Context, querier) (sql.IsolationLevel, error) {
	return sql.LevelReadCommitted, nil
}

func (p postgres) begin(ctx context.Context, tx *sql.Tx, b bounds) error {
	if err := p.pin(ctx, tx, forWriting); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "SELECT set_config('lock_timeout', $1, true), set_config('statement_timeout', $2, true)",
		strconv.FormatInt(b.wait.Milliseconds(), 10), strconv.FormatInt(b.statement.Milliseconds(), 10))
	if err == nil {
		_, err = tx.ExecContext(ctx, "SET CONSTRAINTS ALL DEFERRED")
	}
	return err
}

func (postgres) forUpdate() string { return " FOR UPDATE" }

func (postgres) forShare() string { return "" } // each statement reads what is committed, and the referred row is locked

// deleted reads the session's own counters, which hold cascades and what triggers did as well.
func (postgres) deleted(ctx context.Context, q querier) (map[string]int64, error) {
	out := map[string]int64{}
	err := each(ctx, q, `
SELECT n.nspname || '.' || c.relname, sum(pg_stat_get_xact_tuples_deleted(k.oid))
FROM pg_class k JOIN pg_class c ON c.oid = coalesce(pg_partition_root(k.oid), k.oid) JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE k.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND pg_stat_get_xact_tuples_deleted(k.oid) > 0 GROUP BY 1`, nil, 2,
		func(v []string) { out[v[0]], _ = strconv.ParseInt(v[1], 10, 64) })
	return out, err
}

func (postgres) defers() bool { return false }
