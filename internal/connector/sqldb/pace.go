package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/fault"
)

// stopwatch gives the time that passed since it was started.
type stopwatch func() time.Duration

func start() stopwatch {
	began := time.Now()                                      //nolint:forbidigo // how long, not when: a batch's time sets the size of the next
	return func() time.Duration { return time.Since(began) } //nolint:forbidigo // as above
}

const (
	firstBatch  = 500
	leastBatch  = 1
	mostBatch   = 20_000
	moreRows    = 500 // a batch grows by these
	mostTries   = 8
	firstPause  = 50 * time.Millisecond
	longestWait = 2 * time.Second
	// wholeStatement bounds a statement of an erasure that goes in one transaction.
	wholeStatement = 30 * time.Second
	// lastStatement bounds a statement on a single row, which can't be made smaller.
	lastStatement = 2 * time.Minute
)

// pace sets the size of batches by what the last ones took: a little more while there is time, half when there is not
// (additive increase, multiplicative decrease). It aims at half of the time allowed, since batches differ. At first it
// doubles, until a batch takes half of what it aims at.
type pace struct {
	target time.Duration // no batch may hold its locks for longer
	size   int
	steady bool // no longer doubling
}

func newPace(target time.Duration) *pace {
	if target <= 0 {
		target = datamap.DefaultLockTime
	}
	return &pace{target: target, size: firstBatch}
}

// begin starts a step: its rows may cost more than those of the last one, so it starts small.
func (p *pace) begin() { p.size, p.steady = min(p.size, firstBatch), false }

// took tells the time of a batch from its first lock to its commit.
func (p *pace) took(rows int, d time.Duration) {
	aim := p.target / 2
	p.steady = p.steady || d > aim/2
	switch {
	case d > p.target*3/4:
		p.size = max(leastBatch, min(p.size, rows)/2)
	case d > aim:
		p.size = max(leastBatch, p.size*9/10)
	case rows >= p.size: // a shorter one, as the last of a table, says little
		more := moreRows
		if !p.steady {
			more = max(more, p.size)
		}
		p.size = min(mostBatch, p.size+more)
		if d > aim/4 { // never beyond what the measured speed allows
			p.size = min(p.size, int(float64(rows)*float64(aim)/float64(d))+1)
		}
	}
}

// cursor reads the keys of one step.
type cursor struct {
	e           *eraser
	step, chunk int
	ahead       []connector.Key
	ended       bool
}

// peek gives the next n keys, fewer at the end, without passing them.
func (c *cursor) peek(ctx context.Context, n int) ([]connector.Key, error) {
	for !c.ended && len(c.ahead) < n {
		keys, err := c.e.keys(ctx, c.step, c.chunk)
		if err != nil {
			return nil, fmt.Errorf("reading the captured keys of step %d: %w", c.step+1, err)
		}
		c.chunk++
		c.ended = len(keys) == 0
		c.ahead = append(c.ahead, keys...)
	}
	return c.ahead[:min(n, len(c.ahead))], nil
}

func (c *cursor) drop(n int) {
	c.ahead = c.ahead[n:]
	if len(c.ahead) == 0 {
		c.ahead = nil // what was passed is free
	}
}

// inPace runs fn on all keys of a step, in transactions of the pace's size. after runs when one is committed.
func (e *eraser) inPace(ctx context.Context, step int, fn func(*sql.Tx, []connector.Key) error, after func() error) error {
	c := &cursor{e: e, step: step}
	e.pace.begin()
	for {
		keys, err := c.peek(ctx, e.pace.size)
		if err != nil || len(keys) == 0 {
			return err
		}
		n, err := e.one(ctx, step, keys, fn)
		if err != nil {
			return err
		}
		c.drop(n)
		if err := after(); err != nil {
			return fmt.Errorf("recording step %d: %w", step+1, err)
		}
	}
}

// one commits one batch: the keys, or the first of them when all would take too long. It gives how many.
func (e *eraser) one(ctx context.Context, step int, keys []connector.Key, fn func(*sql.Tx, []connector.Key) error) (int, error) {
	was := *e.done[step]
	for {
		b := bounds{wait: e.pace.target, statement: e.pace.target}
		if len(keys) == leastBatch {
			b.statement = lastStatement
		}
		d, err := e.tries(ctx, b, func(tx *sql.Tx) error {
			*e.done[step] = was
			return fn(tx, keys)
		})
		var de *dbError
		if err != nil && len(keys) > leastBatch && errors.As(err, &de) && de.slow && ctx.Err() == nil {
			e.pace.took(len(keys), e.pace.target)
			keys = keys[:max(leastBatch, len(keys)/2)]
			continue
		}
		if err != nil {
			*e.done[step] = was
			return 0, err
		}
		e.pace.took(len(keys), d)
		return len(keys), nil
	}
}

// tries runs fn in a transaction, again where others held what it needed, and gives how long the last one took from
// its first statement to its commit.
func (e *eraser) tries(ctx context.Context, b bounds, fn func(*sql.Tx) error) (time.Duration, error) {
	pause := firstPause
	for try := 1; ; try++ {
		d, err := e.inTx(ctx, b, fn)
		var de *dbError
		if err == nil || !errors.As(err, &de) || !de.again || ctx.Err() != nil {
			return d, err
		}
		if try == mostTries {
			return d, fault.Wrap(err, fault.Unavailable, "rows_locked",
				"The database %s holds rows locked that are to be erased; after %d tries nothing of this batch was done.", e.d.sys.Name, try)
		}
		t := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			t.Stop()
			return d, e.d.fail(ctx.Err(), "waiting for locked rows")
		case <-t.C:
		}
		pause = min(2*pause, longestWait)
	}
}

func (e *eraser) inTx(ctx context.Context, b bounds, fn func(tx *sql.Tx) error) (time.Duration, error) {
	if e.batched {
		if err := e.ask(ctx); err != nil {
			return 0, err
		}
	}
	tx, err := e.conn.BeginTx(ctx, &sql.TxOptions{Isolation: e.level})
	if err != nil {
		return 0, e.d.fail(err, "beginning the erasure")
	}
	defer func() { _ = tx.Rollback() }()
	if err := e.d.dialect.begin(ctx, tx, b); err != nil {
		return 0, e.d.fail(err, "beginning the erasure")
	}
	if err := e.tally.begin(ctx, e.d, tx); err != nil {
		return 0, err
	}
	took := e.since()
	if err := fn(tx); err != nil {
		return took(), err
	}
	if err := e.tally.check(ctx, e.d, tx); err != nil {
		return took(), err
	}
	err = tx.Commit()
	return took(), e.d.fail(err, "committing the erasure")
}
