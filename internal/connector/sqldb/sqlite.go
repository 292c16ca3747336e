package sqldb

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"net/url"
	"strconv"
	"strings"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/datamap"
)

type sqliteDialect struct{}

// openSQLite opens an existing file. secure_delete overwrites what is deleted, so that no page keeps it.
func openSQLite(sys *datamap.System, dsn string, what purpose) (*sql.DB, error) {
	path := strings.TrimPrefix(strings.TrimPrefix(dsn, "sqlite:"), "file:")
	if strings.HasPrefix(path, "//") && strings.HasPrefix(dsn, "sqlite:") {
		path = strings.TrimPrefix(path, "//")
	}
	path, _, _ = strings.Cut(path, "?")
	if path == "" || strings.Contains(path, "://") {
		return nil, badDSN(sys, "write the path of the file")
	}
	q := url.Values{"mode": {"rw"}, "_txlock": {"immediate"}, "_dqs": {"0"}, "_pragma": {
		"busy_timeout(15000)", "foreign_keys(1)", "secure_delete(1)",
	}}
	if what == forReading {
		q.Add("_pragma", "query_only(1)") // not mode=ro, which could not roll back a journal that a crash left
	}
	escaped := (&url.URL{Path: path}).EscapedPath()
	pool, err := sql.Open("sqlite", "file:"+escaped+"?"+q.Encode())
	if err != nil {
		return nil, badDSN(sys, "write the path of the file")
	}
	return pool, nil
}

func (sqliteDialect) quote(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

func (s sqliteDialect) table(t *datamap.CatalogTable) string { return s.quote(t.Bare) }

func (sqliteDialect) placeholder(int) string { return "?" }

func (sqliteDialect) snapshot(ctx context.Context, conn *sql.Conn) (func(), error) {
	tx, err := conn.BeginTx(ctx, &sql.TxOptions{ReadOnly: true}) // deferred: the first read opens the view
	if err != nil {
		return nil, err
	}
	return func() { _ = tx.Rollback() }, nil
}

// affinity gives the column's type affinity by SQLite's own rules (https://sqlite.org/datatype3.html, 3.1).
func affinity(declared string) string {
	t := strings.ToUpper(declared)
	switch {
	case strings.Contains(t, "INT"):
		return "integer"
	case strings.Contains(t, "CHAR"), strings.Contains(t, "CLOB"), strings.Contains(t, "TEXT"):
		return "text"
	case t == "", strings.Contains(t, "BLOB"):
		return "blob"
	case strings.Contains(t, "REAL"), strings.Contains(t, "FLOA"), strings.Contains(t, "DOUB"):
		return "real"
	}
	return "numeric"
}

func (sqliteDialect) keyText(expr string, c *datamap.CatalogColumn) string {
	if affinity(c.Type) != "blob" {
		return "CAST(" + expr + " AS TEXT)"
	}
	// Without an affinity 1, '1' and x'31' are three values: the storage class goes with the text.
	return "CASE typeof(" + expr + ") WHEN 'blob' THEN 'x:' || hex(" + expr + ") WHEN 'integer' THEN 'i:' || " + expr +
		" WHEN 'real' THEN 'r:' || " + expr + " WHEN 'text' THEN 't:' || " + expr + " END"
}

func (sqliteDialect) keyValue(text string, c *datamap.CatalogColumn) (any, bool) {
	switch affinity(c.Type) {
	case "text":
		return text, true
	case "blob":
		class, rest, ok := strings.Cut(text, ":")
		switch {
		case !ok:
			return text, true
		case class == "x":
			raw, err := hex.DecodeString(rest)
			return raw, err == nil
		case class == "i":
			n, err := strconv.ParseInt(rest, 10, 64)
			return n, err == nil
		case class == "r":
			f, err := strconv.ParseFloat(rest, 64)
			return f, err == nil
		case class == "t":
			return rest, true
		}
		return text, true
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && strconv.FormatInt(n, 10) == text {
		return n, true
	}
	return text, true
}

func (sqliteDialect) keyParam(placeholder string, _ *datamap.CatalogColumn) string {
	return placeholder
}

func (sqliteDialect) storedText(expr string) string { return "CAST(" + expr + " AS TEXT)" }

func (sqliteDialect) same(expr string, _ *datamap.CatalogColumn, param func() string) string {
	return expr + " = " + param() + " AND CAST(" + expr + " AS TEXT) COLLATE BINARY = CAST(" + param() + " AS TEXT)"
}

func (sqliteDialect) exact(text string) string { return text + " COLLATE BINARY" }

func (sqliteDialect) folded(expr string, _ *datamap.CatalogColumn, param string) string {
	return "lower(CAST(" + expr + " AS TEXT)) = lower(CAST(" + param + " AS TEXT))"
}

func (sqliteDialect) nullSafe(a, b string) string { return a + " IS " + b }

func (sqliteDialect) jsonText(expr string, _ *datamap.CatalogColumn, path []string) string {
	return "CAST(CASE WHEN json_valid(" + expr + ") THEN json_extract(" + expr + ", '" +
		strings.ReplaceAll(jsonPath(path), "'", "''") + "') END AS TEXT)"
}

func (sqliteDialect) keysIn(b *builder, alias string, cols []*datamap.CatalogColumn, keys []connector.Key) error {
	return keyList(b, alias, cols, keys, "VALUES ")
}

func (sqliteDialect) batch() int { return 500 }

func (sqliteDialect) isText(c *datamap.CatalogColumn) bool { return affinity(c.Type) == "text" }

func (sqliteDialect) asText(expr string) string { return "CAST(" + expr + " AS TEXT)" }

func (sqliteDialect) right(expr string, n int) string {
	return "substr(" + expr + ", -" + itoa(n) + ")"
}

func (sqliteDialect) concat(parts []string) string { return strings.Join(parts, " || ") }

func (sqliteDialect) assign(placeholder string, _ *datamap.CatalogColumn) string { return placeholder }

func (sqliteDialect) checks(ctx context.Context, q querier, t *datamap.CatalogTable) ([]rowCheck, error) {
	var out []rowCheck
	err := each(ctx, q, "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?", []any{t.Bare}, 1, func(v []string) { out = liteChecks(v[0]) })
	return out, err
}

// afterErase moves the write-ahead log into the file and cuts it: its old frames still hold what was deleted.
func (sqliteDialect) afterErase(ctx context.Context, pool *sql.DB) error {
	var busy, log, done int
	err := pool.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &log, &done)
	if err == nil && busy != 0 {
		return errors.New("readers hold the write-ahead log")
	}
	return err
}

func (sqliteDialect) isolation(context.Context, querier) (sql.IsolationLevel, error) {
	return sql.LevelDefault, nil
}

func (sqliteDialect) forUpdate() string { return "" } // there is one writer at a time

func (sqliteDialect) forShare() string { return "" }

// deleted gives all changes: the engine counts inserts, updates and deletes together, those of triggers and cascades too.
func (sqliteDialect) deleted(ctx context.Context, q querier) (map[string]int64, error) {
	out := map[string]int64{}
	err := each(ctx, q, "SELECT total_changes()", nil, 1, func(v []string) { out[""], _ = strconv.ParseInt(v[0], 10, 64) })
	return out, err
}

func (sqliteDialect) begin(ctx context.Context, tx *sql.Tx, _ bounds) error {
	_, err := tx.ExecContext(ctx, "PRAGMA defer_foreign_keys = ON")
	return err
}

func (sqliteDialect) defers() bool { return true }

// standing has nothing to tell: begin, which takes the lock for writing, has shown that the file can be written.
func (sqliteDialect) standing(context.Context, querier, purpose) ([]datamap.Finding, error) {
	return nil, nil
}
