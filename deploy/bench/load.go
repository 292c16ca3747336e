package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// sample is one answered transaction of the load.
type sample struct {
	at   time.Time // of its end
	took time.Duration
}

// traffic is other people's business on the same tables: clients in a closed loop, each transaction a look-up of an
// invoice with its lines, a change of a customer, a new invoice with a line. It never touches the heavy person.
func (s shop) traffic(ctx context.Context, clients int) ([]sample, error) {
	var (
		mu   sync.Mutex
		all  []sample
		errs error
		wg   sync.WaitGroup
	)
	for n := range clients {
		wg.Go(func() {
			got, err := s.client(ctx, n)
			mu.Lock()
			defer mu.Unlock()
			all, errs = append(all, got...), errors.Join(errs, err)
		})
	}
	wg.Wait()
	return all, errs
}

func (s shop) client(ctx context.Context, n int) ([]sample, error) {
	free := context.WithoutCancel(ctx) // a transaction that began ends
	conn, err := pgx.Connect(free, s.dsn())
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(free) }()
	r := rand.New(rand.NewPCG(7, uint64(n))) //nolint:gosec // no secret
	var out []sample
	// Ids of a range that nobody else writes: each run of a client has its own.
	next := int64(1e12) + time.Now().UnixMicro()*100 + int64(n)
	for ctx.Err() == nil {
		began := time.Now()
		next += 10
		if err := s.transaction(free, conn, r, next); err != nil {
			return out, fmt.Errorf("other traffic: %w", err)
		}
		now := time.Now()
		out = append(out, sample{now, now.Sub(began)})
	}
	return out, nil
}

func (s shop) transaction(ctx context.Context, conn *pgx.Conn, r *rand.Rand, next int64) error {
	customer := 2 + r.IntN(s.size.customers()-2)
	invoice := 1 + r.IntN(s.size.invoices()-1)
	if invoice%10 == 0 {
		invoice++ // every tenth is the heavy person's
	}
	tx, err := conn.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(ctx) }()
	var total float64
	if err := tx.QueryRow(ctx, "SELECT sum(unit_price * quantity)::float8 FROM invoice_line WHERE invoice_id = $1", invoice).Scan(&total); err != nil {
		return err
	}
	for _, q := range []struct {
		sql  string
		args []any
	}{
		{"UPDATE customer SET phone = $1 WHERE id = $2", []any{fmt.Sprint(next), customer}},
		{"INSERT INTO invoice (id, customer_id, issued_at, total) VALUES ($1, $2, now(), $3)", []any{next, customer, total}},
		{"INSERT INTO invoice_line (id, invoice_id, product_id, unit_price, quantity) VALUES ($1, $1, $2, 1, 1)", []any{next, 1 + r.IntN(products)}},
	} {
		if _, err := tx.Exec(ctx, q.sql, q.args...); err != nil {
			return err
		}
	}
	return tx.Commit(ctx)
}

// probe writes to random rows of the heavy person while these are erased: its longest wait is how long a batch holds
// its locks against somebody who wants the same rows.
func (s shop) probe(ctx context.Context) ([]sample, error) {
	free := context.WithoutCancel(ctx)
	conn, err := pgx.Connect(free, s.dsn())
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(free) }()
	r := rand.New(rand.NewPCG(11, 13)) //nolint:gosec // no secret
	var out []sample
	for ctx.Err() == nil {
		began := time.Now()
		if _, err := conn.Exec(free, "UPDATE invoice SET city = city WHERE id = $1", 10*(1+r.IntN(s.size.heavy))); err != nil {
			return out, fmt.Errorf("waiting for locks: %w", err)
		}
		now := time.Now()
		out = append(out, sample{now, now.Sub(began)})
		time.Sleep(500 * time.Microsecond)
	}
	return out, nil
}

// watch looks every few milliseconds for the longest writing transaction of the program.
func (s shop) watch(ctx context.Context) (longest time.Duration, err error) {
	free := context.WithoutCancel(ctx)
	conn, err := pgx.Connect(free, s.dsn())
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close(free) }()
	for ctx.Err() == nil {
		var ms float64
		err := conn.QueryRow(free, `SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)) * 1000, 0)::float8 FROM pg_stat_activity
WHERE application_name = 'habeas' AND datname = current_database() AND backend_xid IS NOT NULL`).Scan(&ms)
		if err != nil {
			return longest, err
		}
		longest = max(longest, time.Duration(ms*float64(time.Millisecond)))
		time.Sleep(3 * time.Millisecond)
	}
	return longest, nil
}

// within gives the samples that ended in a span of time, sorted by how long they took.
func within(all []sample, from, to time.Time) []time.Duration {
	var out []time.Duration
	for _, s := range all {
		if s.at.After(from) && s.at.Before(to) {
			out = append(out, s.took)
		}
	}
	slices.Sort(out)
	return out
}

// quantile gives a quantile of sorted durations.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}
