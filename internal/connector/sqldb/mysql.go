package sqldb

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/datamap"
)

type mysqlDialect struct{}

func defaultTo(v, otherwise string) string {
	if v == "" {
		return otherwise
	}
	return v
}

func (mysqlDialect) quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

func (m mysqlDialect) table(t *datamap.CatalogTable) string {
	return m.quote(t.Schema) + "." + m.quote(t.Bare)
}

func (mysqlDialect) placeholder(int) string { return "?" }

func mysqlBinary(t string) bool {
	return strings.HasPrefix(t, "binary") || strings.HasPrefix(t, "varbinary") || strings.HasSuffix(t, "blob")
}

func mysqlInteger(t string) bool {
	for _, p := range []string{"tinyint", "smallint", "mediumint", "int", "bigint", "year"} {
		if strings.HasPrefix(t, p) {
			return true
		}
	}
	return false
}

func (mysqlDialect) keyText(expr string, c *datamap.CatalogColumn) string {
	switch {
	case mysqlBinary(c.Type):
		return "LOWER(HEX(" + expr + "))"
	case strings.HasPrefix(c.Type, "bit"):
		return "CONVERT(" + expr + " + 0 USING utf8mb4)"
	default:
		return "CONVERT(" + expr + " USING utf8mb4)"
	}
}

func (mysqlDialect) keyValue(text string, c *datamap.CatalogColumn) (any, bool) {
	switch {
	case mysqlBinary(c.Type):
		raw, err := hex.DecodeString(text)
		return raw, err == nil
	case mysqlInteger(c.Type), strings.HasPrefix(c.Type, "bit"):
		if !integerForm.MatchString(text) && !(len(text) == 20 && decimalForm.MatchString(text)) {
			return nil, false
		}
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n, true
		}
		n, err := strconv.ParseUint(text, 10, 64)
		return n, err == nil
	case strings.HasPrefix(c.Type, "decimal"):
		return text, decimalForm.MatchString(text)
	}
	return text, true
}

func (mysqlDialect) keyParam(placeholder string, c *datamap.CatalogColumn) string {
	if strings.HasPrefix(c.Type, "decimal") {
		return "CAST(" + placeholder + " AS DECIMAL(65,30))"
	}
	return placeholder
}

func (mysqlDialect) storedText(expr string) string { return "CONVERT(" + expr + " USING utf8mb4)" }

func (m mysqlDialect) same(expr string, c *datamap.CatalogColumn, param func() string) string {
	// Collations ignore case, accents and trailing blanks; bytes don't.
	if mysqlBinary(c.Type) {
		return expr + " = " + param()
	}
	return expr + " = " + m.keyParam(param(), c) + " AND CAST(" + m.keyText(expr, c) + " AS BINARY) = CAST(" + param() + " AS BINARY)"
}

func (mysqlDialect) exact(text string) string { return "CAST(" + text + " AS BINARY)" }

func (mysqlDialect) folded(expr string, c *datamap.CatalogColumn, param string) string {
	if c != nil && c.Folded == datamap.FoldedPlain {
		return expr + " = " + param
	}
	lower := func(x string) string { return "CAST(LOWER(CONVERT(" + x + " USING utf8mb4)) AS BINARY)" }
	return lower(expr) + " = " + lower(param)
}

func (mysqlDialect) nullSafe(a, b string) string {
	return "CAST(" + a + " AS BINARY) <=> CAST(" + b + " AS BINARY)"
}

func (mysqlDialect) jsonText(expr string, _ *datamap.CatalogColumn, path []string) string {
	return "JSON_UNQUOTE(JSON_EXTRACT(" + expr + ", '" + strings.ReplaceAll(jsonPath(path), "'", "''") + "'))"
}

func (m mysqlDialect) keysIn(b *builder, alias string, cols []*datamap.CatalogColumn, keys []connector.Key) error {
	return keyList(b, alias, cols, keys, "")
}

// keyList writes (a, b) IN ((?, ?), …); engines that want VALUES before the rows say so.
func keyList(b *builder, alias string, cols []*datamap.CatalogColumn, keys []connector.Key, values string) error {
	names := make([]string, len(cols))
	for i, c := range cols {
		names[i] = c.Name
	}
	b.write(b.tuple(alias, names), " IN (")
	if len(cols) > 1 {
		b.write(values)
	}
	for n, k := range keys {
		if n > 0 {
			b.write(", ")
		}
		if len(cols) > 1 {
			b.write("(")
		}
		for i, c := range cols {
			v, ok := b.dialect.keyValue(k[i], c)
			if !ok {
				return errKeyForm
			}
			if i > 0 {
				b.write(", ")
			}
			b.write(b.dialect.keyParam(b.param(v), c))
		}
		if len(cols) > 1 {
			b.write(")")
		}
	}
	b.write(")")
	return nil
}

func (mysqlDialect) batch() int { return 500 }

func (mysqlDialect) isText(c *datamap.CatalogColumn) bool {
	return strings.HasPrefix(c.Type, "varchar") || strings.HasPrefix(c.Type, "char") || strings.HasSuffix(c.Type, "text")
}

func (mysqlDialect) asText(expr string) string { return "CONVERT(" + expr + " USING utf8mb4)" }

func (mysqlDialect) right(expr string, n int) string { return "RIGHT(" + expr + ", " + itoa(n) + ")" }

func (mysqlDialect) concat(parts []string) string { return "CONCAT(" + strings.Join(parts, ", ") + ")" }

func (mysqlDialect) assign(placeholder string, _ *datamap.CatalogColumn) string { return placeholder }

// checks reads the table's own text: the two dialects of the catalog that MySQL and MariaDB have differ.
func (mysqlDialect) checks(ctx context.Context, q querier, t *datamap.CatalogTable) ([]rowCheck, error) {
	var out []rowCheck
	m := mysqlDialect{}
	err := each(ctx, q, "SHOW CREATE TABLE "+m.table(t), nil, 2, func(v []string) { out = liteChecks(v[1]) })
	return out, err
}

func (mysqlDialect) afterErase(context.Context, *sql.DB) error { return nil }

// isolation is read committed, which locks rows and not the gaps between them, unless the server writes its log in a
// way that forbids it.
func (mysqlDialect) isolation(ctx context.Context, q querier) (sql.IsolationLevel, error) {
	level := sql.LevelReadCommitted
	err := each(ctx, q, "SELECT @@log_bin AND @@binlog_format = 'STATEMENT'", nil, 1, func(v []string) {
		if v[0] == "1" {
			level = sql.LevelRepeatableRead
		}
	})
	return level, err
}

// begin sets session variables: the eraser's connection ends with it.
func (mysqlDialect) begin(ctx context.Context, tx *sql.Tx, b bounds) error {
	wait := max(1, int64(math.Round(b.wait.Seconds()))) // the engine knows whole seconds
	if _, err := tx.ExecContext(ctx, "SET innodb_lock_wait_timeout = "+strconv.FormatInt(wait, 10)); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "SET max_statement_time = "+strconv.FormatFloat(b.statement.Seconds(), 'f', 3, 64))
	var unknown *mysql.MySQLError
	if errors.As(err, &unknown) && unknown.Number == unknownVariable {
		return nil // MySQL bounds reading statements only; MariaDB bounds all
	}
	return err
}

const unknownVariable = 1193

func (mysqlDialect) forUpdate() string { return " FOR UPDATE" }

func (mysqlDialect) forShare() string { return " LOCK IN SHARE MODE" }

// deleted counts what statements and triggers of this session deleted; the engine does not count its cascades.
func (mysqlDialect) deleted(ctx context.Context, q querier) (map[string]int64, error) {
	out := map[string]int64{}
	err := each(ctx, q, "SHOW SESSION STATUS LIKE 'Handler_delete'", nil, 2, func(v []string) { out[""], _ = strconv.ParseInt(v[1], 10, 64) })
	return out, err
}

func (mysqlDialect) defers() bool { return false }
