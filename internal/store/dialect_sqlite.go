package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"gorm.io/gorm"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
)

// sqliteFile and lockFile are the names in the data directory.
const (
	sqliteFile = "habeas.db"
	lockFile   = "habeas.lock"
)

// sqliteDialect has one writer at a time. SQLite would make the others poll; here they queue.
type sqliteDialect struct {
	writer  chan struct{} // holds one token while somebody writes
	mu      sync.Mutex
	leaders map[string]bool
}

func newSQLiteDialect() *sqliteDialect {
	return &sqliteDialect{writer: make(chan struct{}, 1), leaders: map[string]bool{}}
}

// openSQLite gives the pool. `mode` is rwc to make the file, rw when it must be there.
//
// What each setting is for: immediate transactions, because a read lock that becomes a write lock fails at once
// under load in spite of busy_timeout; synchronous FULL, because in WAL mode NORMAL can lose the last commits to a
// power failure; secure_delete, so that deleted bytes are overwritten in the file; times in UTC, because they are
// text there and are compared as such.
func openSQLite(dir, mode string, maxConns int) *sql.DB {
	q := url.Values{
		"_pragma": {
			"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)",
			"secure_delete(1)", "temp_store(memory)", "trusted_schema(0)",
		},
		"_time_format": {"sqlite"}, "_timezone": {"UTC"}, "_txlock": {"immediate"}, "_dqs": {"0"}, "mode": {mode},
	}
	name := (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.Join(dir, sqliteFile)}).EscapedPath(), RawQuery: q.Encode()}).String()
	// OpenDB with our own connector would do as well; the driver registers itself under this name.
	pool, err := sql.Open("sqlite", name)
	if err != nil {
		panic("store: " + err.Error()) // only for an unknown driver
	}
	if maxConns <= 0 {
		maxConns = 8
	}
	pool.SetMaxOpenConns(maxConns)
	pool.SetMaxIdleConns(maxConns)
	return pool
}

// lockDir makes this process the one that writes in the directory. The lock ends with the process.
func lockDir(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "data_dir", "The data directory can't be made.")
	}
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // a setting of the operator
	if err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "data_dir", "The data directory can't be written.")
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, fault.Wrap(err, fault.Unavailable, "data_dir_in_use",
			"Another process writes in this data directory; only one may. Stop it first, or use PostgreSQL.")
	}
	return f, nil
}

func (*sqliteDialect) name() string { return EngineSQLite }

func (*sqliteDialect) gorm(pool *sql.DB) gorm.Dialector { return sqliteDialector{pool} }

func (*sqliteDialect) check(ctx context.Context, pool *sql.DB) error {
	for pragma, want := range map[string]int{"synchronous": 2, "foreign_keys": 1, "secure_delete": 1} {
		var got int
		if err := pool.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(&got); err != nil {
			return fmt.Errorf("checking the database file: %w", err)
		}
		if got != want {
			return fault.New(fault.Unavailable, "sqlite_setting", "The database file could not be opened safely: %s is %d and not %d.", pragma, got, want)
		}
	}
	return nil
}

func (d *sqliteDialect) begin(ctx context.Context, pool *sql.DB, _ dsr.TenantID, readOnly bool) (*sql.Tx, func(), error) {
	if readOnly {
		tx, err := pool.BeginTx(ctx, &sql.TxOptions{ReadOnly: true}) // a plain BEGIN: takes no write lock
		return tx, func() {}, err
	}
	select {
	case d.writer <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	done := func() { <-d.writer }
	tx, err := pool.BeginTx(ctx, nil)
	if err != nil {
		done()
		return nil, nil, err
	}
	return tx, done, nil
}

// forUpdate is empty: the writer is alone anyway.
func (*sqliteDialect) forUpdate() string { return "" }

// lock does nothing, for the same reason.
func (*sqliteDialect) lock(context.Context, *sql.Tx, string) error { return nil }

func (*sqliteDialect) tenants(ctx context.Context, pool *sql.DB) ([]dsr.TenantID, error) {
	var out []dsr.TenantID
	rows, err := pool.QueryContext(ctx, "SELECT tenant FROM tenant ORDER BY tenant")
	err = eachRow(rows, err, func(r *sql.Rows) error {
		var id dsr.TenantID
		if err := r.Scan(&id); err != nil {
			return err
		}
		out = append(out, id)
		return nil
	})
	return out, err
}

// sqliteDue is what app_due of PostgreSQL does for one tenant.
const sqliteDue = `
SELECT kind, id FROM (
  SELECT * FROM (SELECT 'request' AS kind, id, next_action_at AS at FROM request
    WHERE tenant = ?1 AND next_action_at <= ?2 AND (lease_until IS NULL OR lease_until <= ?2) ORDER BY next_action_at LIMIT ?3)
  UNION ALL
  SELECT * FROM (SELECT 'mail', id, next_at AS at FROM mail
    WHERE tenant = ?1 AND state = 'queued' AND next_at <= ?2 AND (lease_until IS NULL OR lease_until <= ?2) ORDER BY next_at LIMIT ?3)
  UNION ALL
  SELECT * FROM (SELECT 'delivery', id, next_at AS at FROM delivery
    WHERE tenant = ?1 AND state = 'queued' AND next_at <= ?2 AND (lease_until IS NULL OR lease_until <= ?2) ORDER BY next_at LIMIT ?3)
  UNION ALL
  SELECT * FROM (SELECT 'obligation', id, next_action_at AS at FROM obligation
    WHERE tenant = ?1 AND state = 'open' AND next_action_at <= ?2 AND (lease_until IS NULL OR lease_until <= ?2) ORDER BY next_action_at LIMIT ?3)
  UNION ALL
  SELECT * FROM (SELECT 'package', id, expires_at AS at FROM package
    WHERE tenant = ?1 AND destroyed_at IS NULL AND expires_at <= ?2 ORDER BY expires_at LIMIT ?3)
  UNION ALL
  SELECT * FROM (SELECT DISTINCT 'memory', id, expires_at AS at FROM memory
    WHERE tenant = ?1 AND expires_at <= ?2 ORDER BY expires_at LIMIT ?3)
  UNION ALL
  SELECT * FROM (SELECT 'audit', '', at FROM audit_pending WHERE tenant = ?1 ORDER BY at LIMIT 1)
  UNION ALL
  SELECT * FROM (SELECT 'token', '', expires_at AS at FROM token WHERE tenant = ?1 AND expires_at <= ?4 ORDER BY expires_at LIMIT 1)
) ORDER BY at, kind, id LIMIT ?3`

func (d *sqliteDialect) due(ctx context.Context, pool *sql.DB, now time.Time, limit int) ([]Due, error) {
	tenants, err := d.tenants(ctx, pool)
	if err != nil {
		return nil, err
	}
	lists := make([][]Due, len(tenants))
	for i, tenant := range tenants {
		rows, err := pool.QueryContext(ctx, sqliteDue, string(tenant), now, limit, now.Add(-tokenKeep))
		err = eachRow(rows, err, func(r *sql.Rows) error {
			item := Due{Tenant: tenant}
			if err := r.Scan(&item.Kind, &item.ID); err != nil {
				return err
			}
			lists[i] = append(lists[i], item)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return roundRobin(lists, limit), nil
}

// roundRobin takes the first of each list, then the second of each, and so on.
func roundRobin(lists [][]Due, limit int) []Due {
	var out []Due
	for place := 0; ; place++ {
		more := false
		for _, list := range lists {
			if len(out) == limit {
				return out
			}
			if place < len(list) {
				out, more = append(out, list[place]), true
			}
		}
		if !more {
			return out
		}
	}
}

// leader is a lock within the process: there is no other one that writes.
func (d *sqliteDialect) leader(_ context.Context, _ *sql.DB, name string) (func(), bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.leaders[name] {
		return nil, false, nil
	}
	d.leaders[name] = true
	return sync.OnceFunc(func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.leaders, name)
	}), true, nil
}

func sqliteCode(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}

// busy looks at the primary code, the lowest byte of an extended one.
func (*sqliteDialect) busy(err error) bool {
	switch sqliteCode(err) & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_IOERR:
		return true
	}
	return false
}

func (*sqliteDialect) duplicate(err error) bool {
	code := sqliteCode(err)
	return code == sqlite3.SQLITE_CONSTRAINT_UNIQUE || code == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
}
