package sqldb

import (
	"context"
	"crypto/tls"
	"database/sql"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/habeas-data/habeas/internal/datamap"
)

// openPostgres makes a pool. Nothing that a pooler in transaction mode could lose or refuse is asked of a connection:
// settings go with each transaction, and no statement is prepared by name.
func openPostgres(sys *datamap.System, dsn string, _ purpose) (*sql.DB, error) {
	if !strings.HasPrefix(dsn, "postgres://") && !strings.HasPrefix(dsn, "postgresql://") {
		return nil, badDSN(sys, "write postgres://user:password@host:5432/database")
	}
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, badDSN(sys, "write postgres://user:password@host:5432/database?sslmode=verify-full&sslrootcert=/path/ca.pem") // err may quote the DSN
	}
	plain := cfg.TLSConfig == nil && !loopback(cfg.Host)
	for _, f := range cfg.Fallbacks {
		plain = plain || (f.TLSConfig == nil && !loopback(f.Host))
	}
	if plain {
		return nil, plainBeyondLoopback(sys, "say sslmode=verify-full, or sslmode=require")
	}
	for _, t := range tlsConfigs(cfg) {
		t.MinVersion = max(t.MinVersion, tls.VersionTLS12)
	}
	if u, err := url.Parse(dsn); err != nil || !u.Query().Has("default_query_exec_mode") {
		cfg.DefaultQueryExecMode = pgx.QueryExecModeDescribeExec
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = connecting
	}
	cfg.RuntimeParams["application_name"] = "habeas"
	cfg.RuntimeParams["client_encoding"] = "UTF8"
	return stdlib.OpenDB(*cfg), nil
}

func tlsConfigs(cfg *pgx.ConnConfig) []*tls.Config {
	var out []*tls.Config
	if cfg.TLSConfig != nil {
		out = append(out, cfg.TLSConfig)
	}
	for _, f := range cfg.Fallbacks {
		if f.TLSConfig != nil {
			out = append(out, f.TLSConfig)
		}
	}
	return out
}

// pgSession is what every transaction begins with: settings fixed, whatever those of role and database are.
type pgSession struct {
	pins   string                 // one SELECT
	extend atomic.Pointer[string] // schemas of the types that extensions brought, as the catalog showed them last
}

// newPGSession fixes the text of values (dates, intervals, bytes, floats, money), the meaning of a literal and of names.
//
// Names: an operator or a function of a schema on the role's search_path could take the place of the server's own
// (CVE-2018-1058). What is read is read with pg_catalog alone, and the schemas of the extensions whose types columns
// have. Writing keeps the role's own path, since the product's triggers are written for it; see accessPostgres.
//
// Row-level security: off means that a query which a policy would cut short fails, instead of showing too little.
func newPGSession(sys *datamap.System) *pgSession {
	ms := func(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
	settings := map[string]string{
		"TimeZone": "UTC", "DateStyle": "ISO, YMD", "IntervalStyle": "iso_8601", "bytea_output": "hex",
		"extra_float_digits": "1", "lc_monetary": "C", "standard_conforming_strings": "on", "transform_null_equals": "off",
		"quote_all_identifiers": "off", "client_encoding": "UTF8", "row_security": "off", "xmloption": "content",
		"lock_timeout": ms(waitLock), "statement_timeout": ms(longStatement), "idle_in_transaction_session_timeout": ms(longStatement),
	}
	if len(sys.Session) > 0 {
		settings["row_security"] = "on"
	}
	maps.Copy(settings, sys.Session)
	var calls []string
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		calls = append(calls, "pg_catalog.set_config("+literal(name)+", "+literal(settings[name])+", true)")
	}
	return &pgSession{pins: strings.Join(calls, ", ")}
}

// literal writes a text so that it means the same whatever standard_conforming_strings is.
func literal(s string) string {
	s = strings.ReplaceAll(s, "'", "''")
	if strings.Contains(s, `\`) {
		return "E'" + strings.ReplaceAll(s, `\`, `\\`) + "'"
	}
	return "'" + s + "'"
}

type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

func (p postgres) pin(ctx context.Context, tx execer, forWhat purpose) error {
	query := "SELECT " + p.session.pins
	more := p.session.extend.Load()
	switch {
	case forWhat == forReading && more != nil:
		query += ", pg_catalog.set_config('search_path', " + literal("pg_catalog"+*more) + ", true)"
	case forWhat == forReading:
		query += ", pg_catalog.set_config('search_path', 'pg_catalog', true)"
	case more != nil && *more != "": // at the end: the role's own come first
		query += ", pg_catalog.set_config('search_path', pg_catalog.concat_ws(', ', nullif(pg_catalog.current_setting('search_path'), ''), " +
			literal(strings.TrimPrefix(*more, ", ")) + "), true)"
	}
	_, err := tx.ExecContext(ctx, query)
	return err
}

func (p postgres) snapshot(ctx context.Context, conn *sql.Conn) (func(), error) {
	tx, err := conn.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return nil, err
	}
	err = p.pin(ctx, conn, forReading)
	if err == nil { // compiling a statement takes longer here than running it, and sorting by key belongs into memory
		_, err = tx.ExecContext(ctx, "SELECT pg_catalog.set_config('jit', 'off', true), pg_catalog.set_config('work_mem', greatest(setting::int, 65536)::text, true)"+
			" FROM pg_catalog.pg_settings WHERE name = 'work_mem'")
	}
	if err != nil {
		_ = tx.Rollback()
		return nil, err
	}
	return func() { _ = tx.Rollback() }, nil // statements on conn run within it
}

// standing looks at the search_path by which the role writes: a schema before pg_catalog, or an operator that is no
// extension's and has the name of one of ours, could make a statement mean something else. It asks in words that no
// path can bend.
func (postgres) standing(ctx context.Context, q querier, what purpose) (out []datamap.Finding, err error) {
	err = each(ctx, q, "SELECT pg_catalog.pg_is_in_recovery()", nil, 1, func(v []string) {
		if v[0] == "true" {
			out = append(out, replicaNote(what))
		}
	})
	if err != nil || what == forReading {
		return out, err
	}
	first := true
	err = each(ctx, q, "SELECT s FROM pg_catalog.unnest(pg_catalog.current_schemas(true)) AS s", nil, 1, func(v []string) {
		if first && v[0] != "pg_catalog" && !strings.HasPrefix(v[0], "pg_temp_") {
			out = append(out, datamap.Finding{Fix: "alter the role: search_path without pg_catalog, which then comes first",
				Message: "the search_path of the writing role has " + v[0] + " before pg_catalog: what lies there could take the place of the server's own functions"})
		}
		first = first && strings.HasPrefix(v[0], "pg_temp_")
	})
	if err != nil {
		return out, err
	}
	err = each(ctx, q, pgStrangers, nil, 2, func(v []string) {
		out = append(out, datamap.Finding{Fix: "drop it, or take " + v[0] + " from the role's search_path",
			Message: "the schema " + v[0] + " on the writing role's search_path has an operator " + v[1] + " of its own, which could make a statement mean something else"})
	})
	return out, err
}

// pgStrangers lists operators on the path that have the name of one that we write with and are no extension's.
const pgStrangers = `
SELECT n.nspname, o.oprname FROM pg_catalog.pg_operator o
JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) o.oprnamespace
WHERE n.nspname OPERATOR(pg_catalog.=) ANY (pg_catalog.current_schemas(false)) AND n.nspname OPERATOR(pg_catalog.<>) 'pg_catalog'
  AND o.oprname OPERATOR(pg_catalog.=) ANY (ARRAY['=', '<>', '||', '#>>']::pg_catalog.name[])
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_operator'::pg_catalog.regclass
    AND d.objid OPERATOR(pg_catalog.=) o.oid AND d.deptype OPERATOR(pg_catalog.=) 'e')
GROUP BY n.nspname, o.oprname`
