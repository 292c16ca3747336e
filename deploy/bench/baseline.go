package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/habeas-data/habeas/internal/export"
)

// exportBaseline writes the person's rows as JSON made by the database itself, through the package writer's own compression, to a file.
// It gives the time from the first statement to the last byte.
func (s shop) exportBaseline(ctx context.Context, dir string) (time.Duration, error) {
	f, err := os.CreateTemp(dir, "baseline")
	if err != nil {
		return 0, err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // a temporary file
	defer f.Close()
	z, err := export.NewCompressor(f)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if s.engine == "postgres" {
		err = s.copyOut(ctx, z)
	} else {
		err = s.selectOut(ctx, z)
	}
	if err = errors.Join(err, z.Close(), f.Sync()); err != nil {
		return 0, err
	}
	return time.Since(began), nil
}

// own gives the condition for the person's rows of a table.
func own(table string) string {
	switch table {
	case "customer":
		return fmt.Sprintf("t.id = %d", heavyID)
	case "invoice":
		return fmt.Sprintf("t.customer_id = %d", heavyID)
	}
	return fmt.Sprintf("t.invoice_id IN (SELECT id FROM invoice WHERE customer_id = %d)", heavyID)
}

func (s shop) copyOut(ctx context.Context, w io.Writer) error {
	conn, err := pgx.Connect(ctx, s.dsn())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	for _, table := range []string{"invoice_line", "invoice", "customer"} {
		if _, err := conn.PgConn().CopyTo(ctx, w, "COPY (SELECT row_to_json(t) FROM "+table+" t WHERE "+own(table)+" ORDER BY t.id) TO STDOUT"); err != nil {
			return err
		}
	}
	return nil
}

// selectOut is the same where there is no COPY: JSON by the database, row by row over the driver.
func (s shop) selectOut(ctx context.Context, w io.Writer) error {
	db, err := s.open()
	if err != nil {
		return err
	}
	defer db.Close()
	columns := map[string]string{
		"customer":     "'id', id, 'email', email, 'name', name, 'phone', phone, 'street', street, 'city', city, 'country', country, 'created_at', created_at",
		"invoice":      "'id', id, 'customer_id', customer_id, 'issued_at', issued_at, 'street', street, 'city', city, 'country', country, 'postal_code', postal_code, 'total', total",
		"invoice_line": "'id', id, 'invoice_id', invoice_id, 'product_id', product_id, 'unit_price', unit_price, 'quantity', quantity",
	}
	for _, table := range []string{"invoice_line", "invoice", "customer"} {
		if err := each(ctx, db, "SELECT json_object("+columns[table]+") FROM "+table+" t WHERE "+own(table)+" ORDER BY t.id", func(row []byte) error {
			_, err := w.Write(append(row, '\n'))
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

func each(ctx context.Context, db *sql.DB, query string, fn func([]byte) error) error {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	var raw sql.RawBytes
	for rows.Next() {
		if err := rows.Scan(&raw); err != nil {
			return err
		}
		if err := fn(raw); err != nil {
			return err
		}
	}
	return rows.Err()
}

// eraseBaseline deletes the person in one transaction by hand-written statements in the order of the foreign keys.
func (s shop) eraseBaseline(ctx context.Context) (time.Duration, error) {
	lines := "DELETE FROM invoice_line WHERE invoice_id IN (SELECT id FROM invoice WHERE customer_id = %d)"
	if s.engine == "postgres" { // the quickest form found: no hash join over the whole table
		lines = "DELETE FROM invoice_line WHERE invoice_id = ANY (ARRAY(SELECT id FROM invoice WHERE customer_id = %d))"
	}
	db, err := s.open()
	if err != nil {
		return 0, err
	}
	defer db.Close()
	if err := db.PingContext(ctx); err != nil {
		return 0, err
	}
	began := time.Now()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer func() { _ = tx.Rollback() }()
	for _, q := range []string{lines, "DELETE FROM invoice WHERE customer_id = %d", "DELETE FROM customer WHERE id = %d"} {
		if _, err := tx.ExecContext(ctx, fmt.Sprintf(q, heavyID)); err != nil {
			return 0, err
		}
	}
	err = tx.Commit()
	return time.Since(began), err
}

// left counts what is left of the heavy person, by statements of its own.
func (s shop) left(ctx context.Context) (n int64, err error) {
	db, err := s.open()
	if err != nil {
		return 0, err
	}
	defer db.Close()
	err = db.QueryRowContext(ctx, fmt.Sprintf(`SELECT (SELECT count(*) FROM customer WHERE id = %[1]d) + (SELECT count(*) FROM invoice WHERE customer_id = %[1]d)
+ (SELECT count(*) FROM invoice_line l WHERE NOT EXISTS (SELECT 1 FROM invoice i WHERE i.id = l.invoice_id))`, heavyID)).Scan(&n)
	return n, err
}
