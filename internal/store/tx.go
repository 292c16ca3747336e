package store

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/auditlog"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/seal"
)

// Tx is one transaction of one tenant. It is valid until the function that got it returns, and for one goroutine.
type Tx struct {
	Tenant dsr.TenantID
	Now    time.Time // frozen at the begin: UTC, microseconds

	s     *Store
	ctx   context.Context //nolint:containedctx // a transaction lives as long as its context
	db    *gorm.DB
	guard *guard

	key      seal.Key                      // of the tenant
	subKeys  map[dsr.SubmissionID]seal.Key // zero: destroyed
	captures map[dsr.RequestID]seal.Key
	refusal  error // a wrong code was given: the transaction commits its count
}

// Hash gives the keyed hash of a value for one purpose, under the tenant's key: the same value in two tenants has
// two hashes. The caller brings the value into its canonical form.
func (tx *Tx) Hash(purpose, value string) string { return tx.key.Hash(purpose, []byte(value)) }

// EmailHash gives the hash under which an address is looked up everywhere: submissions, mails, tokens, officers.
// ASCII letters count in lower case. Nothing else is folded: to treat two addresses as one because some collation
// does is how mail goes to a stranger.
func (tx *Tx) EmailHash(address string) string { return tx.Hash("email", asciiLower(address)) }

func asciiLower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// Actor gives what the log says of a principal: its kind and the keyed hash of its subject.
func (tx *Tx) Actor(p access.Principal) auditlog.Actor {
	a := auditlog.Actor{Kind: string(p.Kind)}
	if p.Subject != "" {
		a.Hash = tx.Hash("actor", p.Tenant+"\x00"+p.Subject)
	}
	return a
}

func (tx *Tx) wipe() {
	for _, k := range tx.subKeys {
		k.Wipe()
	}
	for _, k := range tx.captures {
		k.Wipe()
	}
}

// in begins a statement on the tenant's rows of a table.
func (tx *Tx) in(table string) *gorm.DB {
	return tx.db.Table(table).Where("tenant = ?", string(tx.Tenant))
}

// insert adds rows (a pointer to a row or to a slice of rows).
func (tx *Tx) insert(table string, rows any) error {
	return tx.db.Table(table).Create(rows).Error
}

// insertOnce adds a row unless a unique key stands in the way. PostgreSQL ends a transaction at a violated key, so
// the insert must not violate one.
func (tx *Tx) insertOnce(table string, row any) (added bool, err error) {
	res := tx.db.Table(table).Clauses(clause.OnConflict{DoNothing: true}).Create(row)
	return res.RowsAffected == 1, res.Error
}

// upsert adds a row, or sets the named columns of the one with the same key.
func (tx *Tx) upsert(table string, row any, key, columns []string) error {
	conflict := clause.OnConflict{DoUpdates: clause.AssignmentColumns(columns)}
	for _, k := range key {
		conflict.Columns = append(conflict.Columns, clause.Column{Name: k})
	}
	return tx.db.Table(table).Clauses(conflict).Create(row).Error
}

// exec runs a statement and gives the number of rows it touched.
func (tx *Tx) exec(query string, args ...any) (int64, error) {
	res := tx.db.Exec(query, args...)
	return res.RowsAffected, res.Error
}

// exactlyOne runs a statement that must touch one row, else it gives otherwise.
func (tx *Tx) exactlyOne(otherwise error, query string, args ...any) error {
	n, err := tx.exec(query, args...)
	switch {
	case err != nil:
		return err
	case n == 0:
		return otherwise
	case n > 1:
		return errors.New("a statement that must touch one row touched several")
	}
	return nil
}

// take reads the one row of a query, or gives missing.
func take[T any](q *gorm.DB, missing error) (T, error) {
	var row T
	err := q.Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		err = missing
	}
	return row, err
}

// all reads every row of a query.
func all[T any](q *gorm.DB) ([]T, error) {
	var rows []T
	err := q.Find(&rows).Error
	return rows, err
}

// locked makes the rows of a select stay as they are until the end of a writing transaction.
func (tx *Tx) locked(q *gorm.DB) *gorm.DB {
	if tx.guard.readOnly || tx.s.dialect.forUpdate() == "" {
		return q
	}
	return q.Clauses(clause.Locking{Strength: "UPDATE"})
}

// lock makes transactions of this tenant that name the same key wait for one another.
func (tx *Tx) lock(key string) error {
	return tx.s.dialect.lock(tx.ctx, tx.guard.tx, string(tx.Tenant)+"/"+key)
}

func notFound(code, message string) error { return fault.New(fault.NotFound, code, "%s", message) }

func newID(id string) string {
	if id == "" {
		return dsr.NewID()
	}
	return id
}
