package sqldb

import (
	"context"
	"database/sql"
	"sync"
	"time"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/fault"
)

// Few connections: the database belongs to the product, and one request needs one.
const maxConns = 4

// DB is one opened SQL system of a data map. It is safe for concurrent use.
type DB struct {
	sys     *datamap.System
	pool    *sql.DB
	dialect dialect

	mu    sync.Mutex
	graph *graph // of the catalog read last
}

var (
	_ connector.System    = (*DB)(nil)
	_ connector.Cataloger = (*DB)(nil)
	_ connector.Resolver  = (*DB)(nil)
	_ connector.Locator   = (*DB)(nil)
	_ connector.Collector = (*DB)(nil)
	_ connector.Capturer  = (*DB)(nil)
	_ connector.Eraser    = (*DB)(nil)
	_ connector.Rectifier = (*DB)(nil)
	_ connector.Checker   = (*DB)(nil)
	_ connector.Opener    = Opener
)

// Opener opens an SQL system for a connector.Registry.
func Opener(ctx context.Context, sys *datamap.System, getenv func(string) string) (connector.System, error) {
	return Open(ctx, sys, getenv)
}

// Open prepares a connection pool to the system's database without connecting. getenv resolves ${NAME} in the DSN;
// ${file:/path} is read from disk. A missing secret, an unreadable DSN, or one that allows a plain connection beyond
// this machine is a fault.Invalid that names the system and the variable, never a value.
func Open(_ context.Context, sys *datamap.System, getenv func(string) string) (*DB, error) {
	dsn, err := expandDSN(sys, getenv)
	if err != nil {
		return nil, err
	}
	d := &DB{sys: sys}
	// What is not named is the default.
	//exhaustive:ignore
	switch sys.Kind {
	case datamap.KindPostgres:
		d.dialect = postgres{}
		d.pool, err = openPostgres(sys, dsn)
	case datamap.KindMySQL:
		d.dialect = mysqlDialect{}
		d.pool, err = openMySQL(sys, dsn)
	case datamap.KindSQLite:
		d.dialect = sqliteDialect{}
		d.pool, err = openSQLite(sys, dsn)
	default:
		return nil, fault.New(fault.Invalid, "not_sql", "The system %s is of kind %s, which is no SQL database.", sys.Name, sys.Kind)
	}
	if err != nil {
		return nil, err
	}
	d.pool.SetMaxOpenConns(maxConns)
	d.pool.SetMaxIdleConns(maxConns)
	d.pool.SetConnMaxIdleTime(time.Minute)
	return d, nil
}

// Name gives the system's name in the map.
func (d *DB) Name() string { return d.sys.Name }

// Close ends all connections.
func (d *DB) Close() error { return d.pool.Close() }

// Ping tells whether the database answers and every kind of person's table, key and identifiers exist in it.
func (d *DB) Ping(ctx context.Context) error {
	if err := d.pool.PingContext(ctx); err != nil {
		return d.fail(err, "connecting")
	}
	g, err := d.freshGraph(ctx)
	if err != nil {
		return err
	}
	return g.usable()
}

// Catalog reads the live schema.
func (d *DB) Catalog(ctx context.Context) (*datamap.Catalog, error) {
	conn, err := d.pool.Conn(ctx)
	if err != nil {
		return nil, d.fail(err, "connecting")
	}
	defer func() { _ = conn.Close() }()
	cat, err := d.dialect.catalog(ctx, conn, d.sys)
	if err != nil {
		return nil, d.fail(err, "reading the schema")
	}
	return cat, nil
}

// freshGraph reads the schema anew and compiles the map over it. Every use case does: a product migrates its schema
// while we run, and a plan over yesterday's schema would miss today's table.
func (d *DB) freshGraph(ctx context.Context) (*graph, error) {
	cat, err := d.Catalog(ctx)
	if err != nil {
		return nil, err
	}
	g := compile(d.sys, cat)
	d.mu.Lock()
	d.graph = g
	d.mu.Unlock()
	return g, nil
}

// knownGraph gives the graph compiled last, or a fresh one: for work on keys that a fresh graph has just given.
func (d *DB) knownGraph(ctx context.Context) (*graph, error) {
	d.mu.Lock()
	g := d.graph
	d.mu.Unlock()
	if g != nil {
		return g, nil
	}
	return d.freshGraph(ctx)
}

// inSnapshot runs fn on one connection in one consistent read-only view of the data.
func (d *DB) inSnapshot(ctx context.Context, fn func(q querier) error) error {
	conn, err := d.pool.Conn(ctx)
	if err != nil {
		return d.fail(err, "connecting")
	}
	defer func() { _ = conn.Close() }()
	end, err := d.dialect.snapshot(ctx, conn)
	if err != nil {
		return d.fail(err, "opening a snapshot")
	}
	defer end()
	return fn(conn)
}
