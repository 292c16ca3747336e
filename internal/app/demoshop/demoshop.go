package demoshop

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"

	_ "modernc.org/sqlite" // the driver `sqlite`

	"github.com/habeas-data/habeas/internal/statute"
)

// The two people whose requests the demo shows. Both have rows in every table that can be about a customer.
const (
	Person        = "nora.lindqvist@example.com" // asks for access
	ErasurePerson = "tomas.rivera@example.com"   // asks to be erased; some of his invoices must be kept
)

//go:embed schema.sql
var schema string

// Generate writes the shop's database to a new SQLite file at path. A file that is there already is an error that
// wraps fs.ErrExist, and is left alone. The same today gives the same rows in the same order; no date in them lies
// on or after today. The file appears only when it is complete.
func Generate(ctx context.Context, path string, today statute.Date) (err error) {
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("making the sample shop: %s: %w", path, fs.ErrExist)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("making the sample shop: %w", err)
	}
	draft := path + ".draft" // beside the target, so that the rename cannot cross file systems
	if err := os.Remove(draft); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("making the sample shop: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, removeIfThere(draft), removeIfThere(draft+"-journal"))
		}
	}()
	if err := fill(ctx, draft, today); err != nil {
		return fmt.Errorf("making the sample shop: %w", err)
	}
	if err := os.Rename(draft, path); err != nil {
		return fmt.Errorf("making the sample shop: %w", err)
	}
	return nil
}

func removeIfThere(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// fill makes schema and rows in one transaction, with the database's own key checks on: a row that points nowhere
// is an error here, not a surprise in a later erasure.
func fill(ctx context.Context, path string, today statute.Date) (err error) {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1) // pragmas belong to a connection

	// A draft is thrown away after a crash, so nothing is gained by waiting for the disk.
	for _, pragma := range []string{"PRAGMA synchronous = OFF", "PRAGMA journal_mode = MEMORY", "PRAGMA foreign_keys = ON"} {
		if _, err := db.ExecContext(ctx, pragma); err != nil {
			return err
		}
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	if _, err := tx.ExecContext(ctx, schema); err != nil {
		return fmt.Errorf("schema: %w", err)
	}
	if err := newGenerator(ctx, tx, today).run(); err != nil {
		return err
	}
	return tx.Commit()
}

// Tables gives the names of the shop's tables, parents before their children.
func Tables() []string {
	var names []string
	for _, m := range regexp.MustCompile(`(?m)^CREATE TABLE (\w+)`).FindAllStringSubmatch(schema, -1) {
		names = append(names, m[1])
	}
	return names
}

// Counts gives the number of rows of each of the shop's tables.
func Counts(ctx context.Context, db *sql.DB) (map[string]int, error) {
	counts := make(map[string]int)
	for _, table := range Tables() {
		var n int
		if err := db.QueryRowContext(ctx, "SELECT count(*) FROM "+table).Scan(&n); err != nil {
			return nil, fmt.Errorf("counting %s: %w", table, err)
		}
		counts[table] = n
	}
	return counts, nil
}
