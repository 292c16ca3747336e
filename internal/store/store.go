package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/seal"
)

// Options says which database is opened and how.
type Options struct {
	URL      string           // postgres://…; "" is the embedded SQLite file habeas.db in DataDir
	DataDir  string           // for SQLite
	Master   seal.Master      // wraps the tenants' keys
	Now      func() time.Time // the clock
	MaxConns int              // connections at once; 0: 16 on PostgreSQL, 8 on SQLite
	// Shared opens SQLite beside the one writing process, for the commands that read. It takes no lock.
	Shared bool
}

// Engines, as Store.Engine names them.
const (
	EnginePostgres = "postgres"
	EngineSQLite   = "sqlite"
)

// Store is an open database. It is safe for many goroutines.
type Store struct {
	pool    *sql.DB
	gorm    *gorm.DB
	dialect dialect
	master  seal.Master
	now     func() time.Time
	lock    *os.File // SQLite: the data directory's

	mu   sync.Mutex
	keys map[dsr.TenantID]seal.Key // tenants' keys, unwrapped once
}

// Open opens the database and checks that it keeps our promises. It gives a fault.Unavailable when the schema is
// older than the program (it names `habeas migrate up`), when another process writes in the data directory, and when
// the PostgreSQL role could see across tenants or the server would lose commits. A newer schema is accepted: while
// replicas are exchanged one by one, old ones run on it for a while.
func Open(ctx context.Context, o Options) (_ *Store, err error) {
	s := &Store{master: o.Master, now: o.Now, keys: map[dsr.TenantID]seal.Key{}}
	if o.Master == nil || o.Now == nil {
		return nil, errors.New("opening the store: it needs a master key and a clock")
	}
	if o.URL == "" {
		if !o.Shared {
			if s.lock, err = lockDir(o.DataDir); err != nil {
				return nil, err
			}
		}
		s.dialect, s.pool = newSQLiteDialect(), openSQLite(o.DataDir, "rw", o.MaxConns)
	} else {
		s.dialect = postgresDialect{}
		if s.pool, err = openPostgres(o.URL, o.MaxConns); err != nil {
			return nil, err
		}
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if err := checkSchema(ctx, s.pool, o.URL == ""); err != nil {
		return nil, err
	}
	if err := s.dialect.check(ctx, s.pool); err != nil {
		return nil, err
	}
	s.gorm, err = gorm.Open(s.dialect.gorm(s.pool), &gorm.Config{
		SkipDefaultTransaction: true, QueryFields: true, DisableAutomaticPing: true,
		// Its log would hold SQL with values.
		Logger: logger.Discard,
	})
	return s, err
}

// Close ends all connections and gives the data directory free.
func (s *Store) Close() error {
	err := s.pool.Close()
	if s.lock != nil {
		err = errors.Join(err, s.lock.Close())
	}
	return err
}

// Engine gives EnginePostgres or EngineSQLite.
func (s *Store) Engine() string { return s.dialect.name() }

// Ping tells whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	if err := s.pool.QueryRowContext(ctx, "SELECT 1").Scan(&one); err != nil {
		return fault.Wrap(err, fault.Unavailable, "database_away", "The database does not answer.")
	}
	return nil
}

// InTx runs fn in a writing transaction of one tenant and commits when fn gives nil; on an error or a panic nothing
// of it happened. A commit whose answer was lost is an error too, and may have happened: callers decide again from
// what is stored. An unknown tenant is a fault.NotFound, an engine under too much load a fault.Unavailable.
//
// fn runs once. It must not call InTx or Read itself: on SQLite it would wait for itself.
func (s *Store) InTx(ctx context.Context, tenant dsr.TenantID, fn func(*Tx) error) error {
	return s.run(ctx, tenant, false, fn)
}

// Read is InTx for reading: one consistent state of the database, and a statement that writes is refused.
func (s *Store) Read(ctx context.Context, tenant dsr.TenantID, fn func(*Tx) error) error {
	return s.run(ctx, tenant, true, fn)
}

func (s *Store) run(ctx context.Context, tenant dsr.TenantID, readOnly bool, fn func(*Tx) error) (err error) {
	key, err := s.tenantKey(ctx, tenant)
	if err != nil {
		return err
	}
	tx, end, err := s.begin(ctx, tenant, readOnly)
	if err != nil {
		return translate(s.dialect, err)
	}
	defer end()
	tx.key = key
	defer tx.wipe()
	err = fn(tx)
	if err != nil && tx.refusal == nil {
		return translate(s.dialect, err)
	}
	// After a wrong code the try counts, whatever the caller makes of the error.
	if commitErr := tx.guard.tx.Commit(); commitErr != nil {
		return translate(s.dialect, errors.Join(commitErr, err))
	}
	return err
}

// begin makes a transaction that can't be used beyond end; end rolls back what was not committed.
func (s *Store) begin(ctx context.Context, tenant dsr.TenantID, readOnly bool) (*Tx, func(), error) {
	if _, err := dsr.ParseTenant(string(tenant)); err != nil {
		return nil, nil, err
	}
	sqlTx, done, err := s.dialect.begin(ctx, s.pool, tenant, readOnly)
	if err != nil {
		return nil, nil, err
	}
	g := &guard{tx: sqlTx, tenant: string(tenant), readOnly: readOnly}
	db := s.gorm.WithContext(ctx)
	db.Statement.ConnPool = g
	tx := &Tx{Tenant: tenant, Now: micro(s.now()), s: s, ctx: ctx, db: db, guard: g}
	return tx, func() {
		_ = sqlTx.Rollback() // after a commit it says so and does nothing
		done()
	}, nil
}

// LeaderTry takes the lock of that name when nobody else holds it, across all processes on the database (on SQLite:
// within this one). It is a courtesy that saves work and no fence: whoever needs one claims a row. release may be
// called more than once.
func (s *Store) LeaderTry(ctx context.Context, name string) (release func(), ok bool, err error) {
	release, ok, err = s.dialect.leader(ctx, s.pool, name)
	if err != nil || !ok {
		return nil, false, translate(s.dialect, err)
	}
	return sync.OnceFunc(release), true, nil
}

// Due lists work whose time has come, of all tenants in turn, the longest due first within a tenant. It is a hint:
// whoever acts claims the row first.
func (s *Store) Due(ctx context.Context, now time.Time, limit int) ([]Due, error) {
	due, err := s.dialect.due(ctx, s.pool, micro(now), limit)
	if err != nil {
		return nil, translate(s.dialect, fmt.Errorf("looking for due work: %w", err))
	}
	return due, nil
}

// Tenants gives the names of all tenants, sorted.
func (s *Store) Tenants(ctx context.Context) ([]dsr.TenantID, error) {
	list, err := s.dialect.tenants(ctx, s.pool)
	if err != nil {
		return nil, translate(s.dialect, fmt.Errorf("listing tenants: %w", err))
	}
	return list, nil
}
