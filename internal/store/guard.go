package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// guard stands between gorm and the transaction and lets no statement through that could reach another tenant:
//
//   - each table of a statement needs a predicate `tenant = ?` of its own, bound to this transaction's tenant;
//   - an insert names tenant as its first column, and each of its rows carries this transaction's tenant;
//   - a reading transaction only reads;
//   - after a wrong code nothing may be written but the refusal (Tx.RedeemCode).
//
// On PostgreSQL it is the second wall behind row-level security, on SQLite the only one. It reads our own SQL,
// whose values are all bound; it is no parser for foreign text. It is gorm's ConnPool.
type guard struct {
	tx       *sql.Tx
	tenant   string
	readOnly bool
	writes   int  // writing statements so far
	refused  bool // a wrong code was given
}

var (
	tableUse     = regexp.MustCompile(`(?i)\b(?:from|join|update|into)\s+"?([a-z_]+)"?`)
	tenantBound  = regexp.MustCompile(`"?\btenant"?\s*=\s*(\$\d+|\?)`)
	placeholder  = regexp.MustCompile(`\$\d+|\?`)
	insertForm   = regexp.MustCompile(`(?i)^\s*insert\s+into\s+"?[a-z_]+"?\s*\(([^)]*)\)\s*values\s*(.*)$`)
	lockStrength = regexp.MustCompile(`(?i)\bfor\s+update\b|\bdo\s+update\s+set\b`)
)

var errGuard = errors.New("statement refused: it is not bound to the tenant of its transaction")

// afterRefusal are the tables that may still be written after a wrong code.
func afterRefusal(table string) bool {
	switch table {
	case "token", "audit_leaf", "audit_pending", "request_event":
		return true
	}
	return false
}

// check refuses what the type's comment says. Its errors hold the SQL, whose values are placeholders.
func (g *guard) check(query string, args []any) error {
	verb := strings.ToLower(strings.SplitN(strings.TrimSpace(query), " ", 2)[0])
	if verb != "select" {
		if g.readOnly {
			return fmt.Errorf("statement refused in a reading transaction: %s", query)
		}
		g.writes++
	}
	uses := tableUse.FindAllStringSubmatch(lockStrength.ReplaceAllString(query, ""), -1)
	if len(uses) == 0 {
		return fmt.Errorf("%w: %s", errGuard, query)
	}
	if g.refused && verb != "select" && !afterRefusal(uses[0][1]) {
		return fmt.Errorf("statement refused after a wrong code: %s", query)
	}
	if verb == "insert" {
		return g.checkInsert(query, args, len(uses))
	}
	bound := 0
	for _, at := range tenantBound.FindAllStringSubmatchIndex(query, -1) {
		arg, ok := argument(query, args, at[2], at[3])
		if !ok || arg != g.tenant {
			return fmt.Errorf("%w: %s", errGuard, query)
		}
		bound++
	}
	if bound < len(uses) {
		return fmt.Errorf("%w: %s", errGuard, query)
	}
	return nil
}

// checkInsert accepts `INSERT INTO t (tenant, …) VALUES (?, …), (?, …)` with nothing but placeholders.
func (g *guard) checkInsert(query string, args []any, uses int) error {
	m := insertForm.FindStringSubmatch(query)
	if m == nil || uses != 1 {
		return fmt.Errorf("%w: %s", errGuard, query)
	}
	columns := strings.Split(m[1], ",")
	values, _, _ := strings.Cut(m[2], " ON CONFLICT")
	rows := strings.Count(values, "(")
	if strings.Trim(columns[0], `" `) != "tenant" || len(args) != rows*len(columns) {
		return fmt.Errorf("%w: %s", errGuard, query)
	}
	for i := 0; i < len(args); i += len(columns) {
		if args[i] != g.tenant {
			return fmt.Errorf("%w: %s", errGuard, query)
		}
	}
	return nil
}

// argument gives the value bound to the placeholder at query[from:to].
func argument(query string, args []any, from, to int) (any, bool) {
	n := len(placeholder.FindAllStringIndex(query[:from], -1)) // SQLite: `?` counts
	if query[from] == '$' {
		k, err := strconv.Atoi(query[from+1 : to])
		if err != nil {
			return nil, false
		}
		n = k - 1
	}
	if n < 0 || n >= len(args) {
		return nil, false
	}
	return args[n], true
}

// PrepareContext is refused: a prepared statement's arguments would come past the guard.
func (g *guard) PrepareContext(context.Context, string) (*sql.Stmt, error) {
	return nil, errors.New("prepared statements are not used here")
}

// ExecContext runs a statement that passed.
func (g *guard) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if err := g.check(query, args); err != nil {
		return nil, err
	}
	return g.tx.ExecContext(ctx, query, args...)
}

// QueryContext runs a query that passed.
func (g *guard) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := g.check(query, args); err != nil {
		return nil, err
	}
	return g.tx.QueryContext(ctx, query, args...)
}

// QueryRowContext can't give an error, so a refused query runs as one that finds nothing anywhere.
func (g *guard) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if err := g.check(query, args); err != nil {
		return g.tx.QueryRowContext(ctx, "SELECT 1 WHERE 1 = 0")
	}
	return g.tx.QueryRowContext(ctx, query, args...)
}
