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

// The limits on connections and statements. The database belongs to the product: few connections, none for long, and
// no statement that goes on for ever.
const (
	readConns     = 4
	writeConns    = 2
	connIdle      = time.Minute
	connLife      = 15 * time.Minute // a rotated password or a moved host is seen by then
	connecting    = 15 * time.Second
	waitLock      = 15 * time.Second
	longStatement = 30 * time.Minute
)

// purpose says what a pool is for.
type purpose bool

const (
	forReading purpose = false
	forWriting purpose = true
)

// DB is one opened SQL system of a data map. It is safe for concurrent use.
type DB struct {
	sys     *datamap.System
	pool    *sql.DB // of the reading role: every session is read only
	writes  *sql.DB // of the writing role
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
	_ connector.Sweeper   = (*DB)(nil)
	_ connector.Checker   = (*DB)(nil)
	_ connector.Sharer    = (*DB)(nil)
	_ connector.Tracer    = (*DB)(nil)
	_ connector.Opener    = Opener
)

// Opener opens an SQL system for a connector.Registry.
func Opener(ctx context.Context, sys *datamap.System, getenv func(string) string) (connector.System, error) {
	return Open(ctx, sys, getenv)
}

// Open prepares connection pools to the system's database without connecting: one for reading, one for writing, by
// two roles where the map names two. getenv resolves ${NAME} in a DSN; ${file:/path} is read from disk. A missing
// secret, an unreadable DSN, or one that allows a plain connection beyond this machine is a fault.Invalid that names
// the system and the variable, never a value.
func Open(_ context.Context, sys *datamap.System, getenv func(string) string) (*DB, error) {
	d := &DB{sys: sys}
	var open func(*datamap.System, string, purpose) (*sql.DB, error)
	// What is not named is the default.
	//exhaustive:ignore
	switch sys.Kind {
	case datamap.KindPostgres:
		d.dialect, open = postgres{session: newPGSession(sys)}, openPostgres
	case datamap.KindMySQL:
		d.dialect, open = mysqlDialect{}, openMySQL
	case datamap.KindSQLite:
		d.dialect, open = sqliteDialect{}, openSQLite
	default:
		return nil, fault.New(fault.Invalid, "not_sql", "The system %s is of kind %s, which is no SQL database.", sys.Name, sys.Kind)
	}
	read, err := expandDSN(sys.Name, sys.DSN, getenv)
	if err != nil {
		return nil, err
	}
	write := read
	if sys.WriteDSN != "" {
		if write, err = expandDSN(sys.Name, sys.WriteDSN, getenv); err != nil {
			return nil, err
		}
	}
	if d.pool, err = open(sys, read, forReading); err != nil {
		return nil, err
	}
	if d.writes, err = open(sys, write, forWriting); err != nil {
		_ = d.pool.Close()
		return nil, err
	}
	limit(d.pool, readConns)
	limit(d.writes, writeConns)
	return d, nil
}

func limit(pool *sql.DB, conns int) {
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	pool.SetConnMaxIdleTime(connIdle)
	pool.SetConnMaxLifetime(connLife)
}

// Name gives the system's name in the map.
func (d *DB) Name() string { return d.sys.Name }

// Close ends all connections.
func (d *DB) Close() error {
	err := d.pool.Close()
	if other := d.writes.Close(); err == nil {
		err = other
	}
	return err
}

// Ping tells whether the database answers, every kind of person's table, key and identifiers exist in it, and the
// roles may do what the map asks of them. The error names the first obstacle.
func (d *DB) Ping(ctx context.Context) error {
	if err := d.pool.PingContext(ctx); err != nil {
		return d.fail(err, "connecting")
	}
	g, err := d.freshGraph(ctx)
	if err != nil {
		return err
	}
	if err := g.usable(); err != nil {
		return err
	}
	obstacles, err := d.access(ctx, false)
	if err != nil {
		return err
	}
	for _, o := range obstacles {
		if !o.Warning {
			return fault.New(fault.Conflict, codeRefused, "The system %s is not ready: %s.", d.sys.Name, o.Message)
		}
	}
	return nil
}

// Catalog reads the live schema, in one read-only transaction.
func (d *DB) Catalog(ctx context.Context) (cat *datamap.Catalog, err error) {
	err = d.inSnapshot(ctx, func(q querier) error {
		if cat, err = d.dialect.catalog(ctx, q, d.sys); err != nil {
			return d.fail(err, "reading the schema")
		}
		return nil
	})
	return cat, err
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
	return d.snapshotOf(ctx, d.pool, fn)
}

func (d *DB) snapshotOf(ctx context.Context, pool *sql.DB, fn func(q querier) error) error {
	conn, err := pool.Conn(ctx)
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

// begin opens a writing transaction; doing names the work.
func (d *DB) begin(ctx context.Context, doing string) (*sql.Tx, error) {
	tx, err := d.writes.BeginTx(ctx, nil)
	if err != nil {
		return nil, d.fail(err, "%s", doing)
	}
	if err := d.dialect.begin(ctx, tx, bounds{wait: waitLock, statement: longStatement}); err != nil {
		_ = tx.Rollback()
		return nil, d.fail(err, "%s", doing)
	}
	return tx, nil
}
