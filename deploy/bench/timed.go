package main

import (
	"context"
	"time"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/connector/sqldb"
	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/plan"
)

// timed is an SQL system whose calls are timed. It changes nothing of what they do.
type timed struct {
	*sqldb.DB
	r *runner
}

func openTimed(ctx context.Context, r *runner, sys *datamap.System, getenv func(string) string) (connector.System, error) {
	db, err := sqldb.Open(ctx, sys, getenv)
	if err != nil {
		return nil, err
	}
	return timed{db, r}, nil
}

// Locate times planning.
func (t timed) Locate(ctx context.Context, scope connector.Scope, rules *plan.Rules, hash connector.KeyHash) (found plan.Found, err error) {
	err = t.r.time("locate", func() error {
		found, err = t.DB.Locate(ctx, scope, rules, hash)
		return err
	})
	return found, err
}

// Collect times reading for the package, which the writer slows down: it is the time of both.
func (t timed) Collect(ctx context.Context, scope connector.Scope, sink connector.Sink) error {
	return t.r.time("collect", func() error { return t.DB.Collect(ctx, scope, sink) })
}

// Capture times recording the keys, the records included.
func (t timed) Capture(ctx context.Context, scope connector.Scope, rules *plan.Rules, steps []plan.Step, emit func(int, []connector.Key) error) error {
	return t.r.time("capture", func() error { return t.DB.Capture(ctx, scope, rules, steps, emit) })
}

// Erase times the erasure and, apart, what the program does for itself meanwhile: reading recorded keys, asking
// whether it may go on, and recording what it did.
func (t timed) Erase(ctx context.Context, steps []plan.Step, keys connector.Source, guard connector.Guard, record connector.Recorder) error {
	var outside time.Duration
	apart := func() func() {
		began := time.Now()
		return func() { outside += time.Since(began) }
	}
	err := t.r.time("erase", func() error {
		return t.DB.Erase(ctx, steps,
			func(ctx context.Context, step, chunk int) ([]connector.Key, error) {
				defer apart()()
				return keys(ctx, step, chunk)
			},
			func(ctx context.Context) error {
				defer apart()()
				return guard(ctx)
			},
			func(ctx context.Context, step int, affected, gone int64) error {
				defer apart()()
				return record(ctx, step, affected, gone)
			})
	})
	t.r.spans[len(t.r.spans)-1].Outside = outside
	return err
}
