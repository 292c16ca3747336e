package sqldb

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/datamap"
)

// querier is what reading needs of a connection or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// dialect is what differs between the engines. Expressions that it gets and gives are SQL text made of quoted names.
type dialect interface {
	quote(name string) string
	table(t *datamap.CatalogTable) string
	placeholder(n int) string

	catalog(ctx context.Context, q querier, sys *datamap.System) (*datamap.Catalog, error)
	snapshot(ctx context.Context, conn *sql.Conn) (end func(), err error)

	// keyText makes the text of a key column; keyValue goes back: a parameter for that text, and false when no value
	// of the column has it.
	keyText(expr string, c *datamap.CatalogColumn) string
	keyValue(text string, c *datamap.CatalogColumn) (any, bool)
	// keyParam wraps a placeholder that carries a keyValue so that it compares with the column by its index.
	keyParam(placeholder string, c *datamap.CatalogColumn) string

	// storedText is the stored text of a column by which a person is found.
	storedText(expr string) string
	// exact makes texts compare byte by byte in DISTINCT and ORDER BY, whatever the collation of their column.
	exact(text string) string
	// same compares expr with a parameter on stored bytes, while an index on expr can be used.
	same(expr string, c *datamap.CatalogColumn, param func() string) string
	// folded compares expr with a parameter: at least the values that are equal but for the case of ASCII letters. It
	// takes the form that an index on the column serves; c is nil for what is no column.
	folded(expr string, c *datamap.CatalogColumn, param string) string
	// nullSafe compares two expressions so that null equals null.
	nullSafe(a, b string) string
	// jsonText reads a path within a JSON column as text; null when there is none.
	jsonText(expr string, c *datamap.CatalogColumn, path []string) string

	// export is how a column is read for a package.
	export(expr string, c *datamap.CatalogColumn) exportForm
	// read runs a query and hands the values of each row to fn, which must not keep them.
	read(ctx context.Context, q querier, query string, args []any, columns int, fn func([]value) error) error
	// keyIsValue tells whether the text of a key column is what export reads of it, byte by byte.
	keyIsValue(c *datamap.CatalogColumn) bool

	// keysIn is a condition that is true for rows whose key is among keys (each of len(cols) parts).
	keysIn(b *builder, alias string, cols []*datamap.CatalogColumn, keys []connector.Key) error
	batch() int // most keys of one statement
	isText(c *datamap.CatalogColumn) bool
	// text makes text of an expression; right keeps its last n characters; concat joins.
	asText(expr string) string
	right(expr string, n int) string
	concat(parts []string) string
	// assign wraps a text parameter so that it can be written to the column.
	assign(placeholder string, c *datamap.CatalogColumn) string
	// checks gives the conditions that the engine holds every row of a table against, in its own words: columns
	// without a table's name before them.
	checks(ctx context.Context, q querier, t *datamap.CatalogTable) ([]rowCheck, error)
	// afterErase runs on the pool when rows are gone.
	afterErase(ctx context.Context, pool *sql.DB) error
	// isolation is the level of a writing transaction: each statement sees what others committed before it.
	isolation(ctx context.Context, q querier) (sql.IsolationLevel, error)
	// begin prepares a writing transaction: it gives up a lock that it has to wait for longer than b.wait, and a
	// statement that takes longer than b.statement (0: no bound), where the engine can.
	begin(ctx context.Context, tx *sql.Tx, b bounds) error
	// forUpdate and forShare end a SELECT that locks what it reads; empty where a writer is alone anyway.
	forUpdate() string
	forShare() string
	// deleted counts the rows that this session's transactions deleted so far, by anybody: statements, triggers and,
	// where the engine counts them, cascades. By table name, or under "" in all.
	deleted(ctx context.Context, q querier) (map[string]int64, error)
	// standing tells what of a role's settings stands against the work.
	standing(ctx context.Context, q querier, what purpose) ([]datamap.Finding, error)
	// settings reads what the server says about the files in which deleted rows stay; traces says it in sentences.
	settings(ctx context.Context, q querier) (map[string]string, error)
	traces(settings map[string]string) []connector.Trace
	// defers tells whether the engine checks all foreign keys at commit in transactions prepared by begin.
	defers() bool
}

// bounds are the times of one writing transaction.
type bounds struct{ wait, statement time.Duration }

// exportForm is how a column is read for a package: the expression, and how its values become JSON.
type exportForm struct {
	expr   string
	kind   connector.JSONType
	encode encoder
	tagged bool // values may be objects with a tag
}

// readRows is dialect.read by database/sql.
func readRows(ctx context.Context, q querier, query string, args []any, columns int, fn func([]value) error) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	values, dest := make([]value, columns), make([]any, columns)
	for i := range values {
		dest[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		if err := fn(values); err != nil {
			return err
		}
	}
	return rows.Err()
}

// builder collects a statement and its parameters in the order of the text.
type builder struct {
	sql     strings.Builder
	args    []any
	dialect dialect
	aliases int
}

func (b *builder) write(parts ...string) {
	for _, p := range parts {
		b.sql.WriteString(p)
	}
}

// param adds a parameter and gives its placeholder. Placeholders are positional in two engines, so it must be
// written before anything that adds another parameter.
func (b *builder) param(v any) string {
	b.args = append(b.args, v)
	return b.dialect.placeholder(len(b.args))
}

// alias gives a table alias that no other part of the statement has.
func (b *builder) alias() string {
	b.aliases++
	return "t" + itoa(b.aliases)
}

// list joins the columns of an alias.
func (b *builder) list(alias string, cols []string) string {
	out := make([]string, len(cols))
	for i, c := range cols {
		out[i] = b.col(alias, c)
	}
	return strings.Join(out, ", ")
}

func (b *builder) col(alias, name string) string { return alias + "." + b.dialect.quote(name) }

// tuple is list in parentheses when there is more than one column.
func (b *builder) tuple(alias string, cols []string) string {
	if len(cols) == 1 {
		return b.col(alias, cols[0])
	}
	return "(" + b.list(alias, cols) + ")"
}
