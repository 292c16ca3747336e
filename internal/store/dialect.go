package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
)

// dialect is everything in which the two engines differ. The rest of the package does not know which one it is on.
type dialect interface {
	name() string
	// open gives gorm's view of the pool.
	gorm(pool *sql.DB) gorm.Dialector
	// check refuses an engine that would not keep our promises: unsafe roles, durability switched off.
	check(ctx context.Context, pool *sql.DB) error
	// begin makes a transaction that sees one tenant. done is called after its end.
	begin(ctx context.Context, pool *sql.DB, tenant dsr.TenantID, readOnly bool) (tx *sql.Tx, done func(), err error)
	// forUpdate is appended to a select whose row stays locked until the end of the transaction.
	forUpdate() string
	// lock makes transactions with the same key wait for one another, until their end.
	lock(ctx context.Context, tx *sql.Tx, key string) error
	// tenants and due look across tenants: names and ids alone.
	tenants(ctx context.Context, pool *sql.DB) ([]dsr.TenantID, error)
	due(ctx context.Context, pool *sql.DB, now time.Time, limit int) ([]Due, error)
	// leader takes a lock that is held beyond a transaction, when nobody holds it.
	leader(ctx context.Context, pool *sql.DB, name string) (release func(), ok bool, err error)
	// busy tells whether an error says that trying again may help, duplicate that a unique key stood in the way.
	busy(err error) bool
	duplicate(err error) bool
}

// errRows lets a caller fail without leaving a half-read result open.
func eachRow(rows *sql.Rows, err error, scan func(*sql.Rows) error) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// translate gives an error of the engine a kind. Errors that have one, or that the caller's own code made, pass.
func translate(d dialect, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.As(err, new(*fault.Error)):
		return err
	case d.busy(err):
		return fault.Wrap(err, fault.Unavailable, "database_busy", "The database is busy; please try again.")
	case d.duplicate(err):
		return fault.Wrap(err, fault.Conflict, "already_there", "That is there already.")
	}
	return err
}
