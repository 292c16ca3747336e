package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	gormpostgres "gorm.io/driver/postgres"
	"gorm.io/gorm"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
)

type postgresDialect struct{}

// openPostgres gives the pool. It connects on first use.
func openPostgres(url string, maxConns int) (*sql.DB, error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		// The parser's own error repeats the URL, and with it perhaps the password.
		return nil, fault.New(fault.Invalid, "bad_database_url", "The database URL can't be read; it should look like postgres://user@host:5432/database.")
	}
	params := map[string]string{
		"application_name": "habeas",
		"timezone":         "UTC",
		"lock_timeout":     "10s",
		// A process that hangs inside a transaction must not hold its locks for ever.
		"idle_in_transaction_session_timeout": "60s",
	}
	for k, v := range params {
		if _, set := cfg.RuntimeParams[k]; !set {
			cfg.RuntimeParams[k] = v
		}
	}
	pool := stdlib.OpenDB(*cfg)
	if maxConns <= 0 {
		maxConns = 16
	}
	pool.SetMaxOpenConns(maxConns)
	pool.SetMaxIdleConns(maxConns)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	return pool, nil
}

func (postgresDialect) name() string { return EnginePostgres }

func (postgresDialect) gorm(pool *sql.DB) gorm.Dialector {
	return gormpostgres.New(gormpostgres.Config{Conn: pool})
}

// safety is one thing that must not be, and the sentence that says so.
type safety struct {
	query   string // gives true where something is wrong
	code    string
	message string
}

func postgresSafety() []safety {
	// An owner can switch row-level security off; so can who may become the owner.
	const powers = `SELECT EXISTS (SELECT FROM pg_roles r WHERE pg_has_role(current_user, r.oid, 'MEMBER') AND `
	return []safety{
		{
			`SELECT current_setting('server_version_num')::int < 120000`, "old_server",
			"The PostgreSQL server is older than version 12; please upgrade it.",
		},
		{
			`SELECT current_setting('fsync') = 'off'`, "fsync_off",
			"The PostgreSQL server runs with fsync=off, so a power failure would lose requests; switch it on.",
		},
		{
			`SELECT current_setting('synchronous_commit') = 'off'`, "synchronous_commit_off",
			"synchronous_commit is off for this database, so a crash would lose the last requests; switch it on.",
		},
		{
			powers + `r.rolsuper)`, "role_superuser",
			"The database role is a superuser or may become one, which would see every tenant; use the URL that `habeas migrate up` prints.",
		},
		{
			powers + `r.rolbypassrls)`, "role_bypassrls",
			"The database role has BYPASSRLS or may take it on, which would see every tenant; use the URL that `habeas migrate up` prints.",
		},
		{
			powers + `r.oid IN (SELECT relowner FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')))`, "role_owner",
			"The database role owns the tables or may act for their owner, and could switch the tenants' walls off; use the URL that `habeas migrate up` prints.",
		},
		{
			powers + `r.oid IN (SELECT proowner FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname IN ('app_due', 'app_tenants')))`, "role_sweeper",
			"The database role may act for the one that looks across tenants; use the URL that `habeas migrate up` prints.",
		},
		{
			`SELECT EXISTS (SELECT FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
				AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant' AND NOT a.attisdropped)
				AND NOT (relrowsecurity AND relforcerowsecurity))`, "no_row_security",
			"A table of the database has no forced row-level security; run `habeas migrate up`.",
		},
	}
}

func (postgresDialect) check(ctx context.Context, pool *sql.DB) error {
	for _, s := range postgresSafety() {
		var wrong bool
		if err := pool.QueryRowContext(ctx, s.query).Scan(&wrong); err != nil {
			return fmt.Errorf("checking the database role: %w", err)
		}
		if wrong {
			return fault.New(fault.Unavailable, s.code, "%s", s.message)
		}
	}
	return nil
}

// begin sets the tenant for this transaction alone (the third argument): a setting of the session would stay on
// the pooled connection and show its rows to the next user.
func (postgresDialect) begin(ctx context.Context, pool *sql.DB, tenant dsr.TenantID, readOnly bool) (*sql.Tx, func(), error) {
	opts := &sql.TxOptions{}
	if readOnly {
		opts = &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	}
	tx, err := pool.BeginTx(ctx, opts)
	if err != nil {
		return nil, nil, err
	}
	if _, err := tx.ExecContext(ctx, "SELECT set_config('app.tenant', $1, true)", string(tenant)); err != nil {
		return nil, nil, errors.Join(err, tx.Rollback())
	}
	return tx, func() {}, nil
}

func (postgresDialect) forUpdate() string { return " FOR UPDATE" }

func (postgresDialect) lock(ctx context.Context, tx *sql.Tx, key string) error {
	_, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", lockNumber(key))
	return err
}

// lockNumber gives the 64-bit number of an advisory lock. Two keys with one number only wait for each other.
func lockNumber(key string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte("habeas/" + key))
	return int64(h.Sum64()) //nolint:gosec // any 64 bits do
}

func (postgresDialect) tenants(ctx context.Context, pool *sql.DB) ([]dsr.TenantID, error) {
	var out []dsr.TenantID
	rows, err := pool.QueryContext(ctx, "SELECT public.app_tenants()")
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

func (postgresDialect) due(ctx context.Context, pool *sql.DB, now time.Time, limit int) ([]Due, error) {
	var out []Due
	rows, err := pool.QueryContext(ctx, "SELECT tenant, kind, id FROM public.app_due($1, $2)", now, limit)
	err = eachRow(rows, err, func(r *sql.Rows) error {
		var d Due
		if err := r.Scan(&d.Tenant, &d.Kind, &d.ID); err != nil {
			return err
		}
		out = append(out, d)
		return nil
	})
	return out, err
}

// leader holds a session's advisory lock on a connection of its own: it ends with the connection, so a process
// that dies leaves no lock behind.
func (postgresDialect) leader(ctx context.Context, pool *sql.DB, name string) (func(), bool, error) {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, false, err
	}
	var ok bool
	key := lockNumber("leader/" + name)
	if err := conn.QueryRowContext(ctx, "SELECT pg_try_advisory_lock($1)", key).Scan(&ok); err != nil || !ok {
		return nil, false, errors.Join(err, conn.Close())
	}
	release := func() {
		// The context that took the lock may be over by now.
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_unlock($1)", key); err != nil {
			// A connection that can't be asked is thrown away, and its lock with it.
			_ = conn.Raw(func(any) error { return driver.ErrBadConn })
		}
		_ = conn.Close()
	}
	return release, true, nil
}

func pgCode(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

func (postgresDialect) busy(err error) bool {
	code := pgCode(err)
	// 40: serialization and deadlock; 53: too many connections, disk or memory full; 55P03: lock timeout; 57P: shutting down.
	return strings.HasPrefix(code, "40") || strings.HasPrefix(code, "53") || strings.HasPrefix(code, "57P") || code == "55P03" ||
		strings.HasPrefix(code, "08") || pgconn.SafeToRetry(err)
}

func (postgresDialect) duplicate(err error) bool { return pgCode(err) == "23505" }
