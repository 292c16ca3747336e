package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/plan"
)

// oneTransaction is the most rows that go in one transaction; beyond it locks last too long for the product.
const oneTransaction = 10_000

// eraser is one run of Erase, on one connection of its own.
type eraser struct {
	d       *DB
	g       *graph
	conn    *sql.Conn
	level   sql.IsolationLevel
	steps   []plan.Step
	work    []int                      // the steps of this system that change something, in the order of the plan
	places  map[*table][]int           // the steps that delete rows of a table: several where rows retained for several reasons end
	people  map[*table][]connector.Key // the person's own rows, by subject table
	keys    connector.Source
	guard   connector.Guard
	record  connector.Recorder
	secret  []byte // of the hashes of this run; never stored, so nothing can be linked afterwards
	done    map[int]*progress
	pace    *pace
	tally   *tally // of the present transaction; nil where nothing in the database acts by itself
	since   func() stopwatch
	batched bool // there are several transactions
}

type progress struct{ affected, gone int64 }

// Erase unlinks, anonymizes, redacts and deletes the captured rows in the order of the steps.
//
// Up to 10,000 rows in all go in one transaction: whatever fails, nothing was done. More go in transactions whose size
// follows the time that the last ones took, so that none holds its locks for longer than the map's limits.lock_time.
// Before each batch the guard is asked; its error stops the work there, and in the one-transaction form undoes it.
// A lock that the product holds for longer is not waited for: the batch is undone and tried again a few times, then the
// error is fault.Unavailable. So are deadlocks.
//
// After each statement no row may be left that should have gone, and none be unchanged that should have changed. Rows
// that were gone before count as done. A row that refers to one that is to be deleted and that the plan does not hold,
// whether the reference is declared or the map's alone, is connector.ErrChanged: it came after the plan was made, and
// no cascade may take it along. So is a row that now holds another person's key where it held this person's. So are rows elsewhere that a trigger deletes. Errors name step and table, never a value.
func (d *DB) Erase(ctx context.Context, steps []plan.Step, keys connector.Source, guard connector.Guard, record connector.Recorder) error {
	g, err := d.freshGraph(ctx)
	if err != nil {
		return err
	}
	if err := g.usable(); err != nil {
		return err
	}
	e := &eraser{d: d, g: g, steps: steps, keys: keys, guard: guard, record: record, secret: newSecret(), done: map[int]*progress{},
		places: map[*table][]int{}, pace: newPace(d.sys.Limits.LockTime), since: start}
	if err := e.plan(); err != nil {
		return err
	}
	if e.conn, err = d.writes.Conn(ctx); err != nil {
		return d.fail(err, "connecting")
	}
	defer func() {
		_ = e.conn.Raw(func(any) error { return driver.ErrBadConn }) // its session settings go with it
		_ = e.conn.Close()
	}()
	if e.level, err = d.dialect.isolation(ctx, e.conn); err != nil {
		return d.fail(err, "asking how the server writes its log")
	}
	if err := e.ask(ctx); err != nil {
		return err
	}
	if err := e.learn(ctx); err != nil {
		return err
	}
	if err := e.rehearse(ctx); err != nil {
		return err
	}
	small, err := e.gather(ctx)
	if err != nil {
		return err
	}
	if small != nil {
		err = e.atOnce(ctx, small)
	} else {
		err = e.inBatches(ctx)
	}
	if err != nil {
		return err
	}
	return d.fail(d.dialect.afterErase(ctx, d.writes), "cleaning up after the erasure")
}

// plan finds the steps that are ours and whether they can be done.
func (e *eraser) plan() error {
	for i, s := range e.steps {
		if s.System != e.d.sys.Name || !s.Action.Destructive() {
			continue
		}
		if s.Action == plan.ActionRectify {
			return fault.New(fault.Invalid, "not_an_erasure", "Step %d of the plan corrects %s; an erasure does not.", i+1, s.Table)
		}
		t, ok := e.g.tables[s.Table]
		if !ok {
			return &connector.StepError{Step: i, Action: s.Action, Table: s.Table, Cause: connector.ErrChanged}
		}
		if s.Action == plan.ActionAnonymize || s.Action == plan.ActionRedact {
			if _, err := e.writer(t, s); err != nil { // before the first change, not at its turn
				return &connector.StepError{Step: i, Action: s.Action, Table: s.Table, Cause: err}
			}
		}
		if s.Action == plan.ActionDelete {
			e.places[t] = append(e.places[t], i)
		}
		e.work = append(e.work, i)
		e.done[i] = &progress{}
		e.tally = e.tally.need(e.g, t)
	}
	return nil
}

// gather reads the keys of all steps; nil when they are too many to hold.
func (e *eraser) gather(ctx context.Context) (map[int][]connector.Key, error) {
	var planned int64
	for _, i := range e.work {
		planned += e.steps[i].Rows
	}
	if planned > oneTransaction {
		return nil, nil
	}
	out, n := map[int][]connector.Key{}, 0
	for _, i := range e.work {
		c := &cursor{e: e, step: i}
		keys, err := c.peek(ctx, oneTransaction+1-n)
		if err != nil {
			return nil, err
		}
		if n += len(keys); n > oneTransaction {
			return nil, nil
		}
		out[i] = keys
	}
	return out, nil
}

func (e *eraser) atOnce(ctx context.Context, keys map[int][]connector.Key) error {
	_, err := e.tries(ctx, bounds{wait: e.pace.target, statement: wholeStatement}, func(tx *sql.Tx) error {
		for _, i := range e.work {
			*e.done[i] = progress{}
		}
		for _, i := range e.work {
			for _, dt := range e.detachments(i) {
				if err := e.detach(ctx, tx, dt, keys[dt.step]); err != nil {
					return err
				}
			}
			if err := e.chunk(ctx, tx, i, keys[i]); err != nil {
				return err
			}
		}
		return e.ask(ctx) // a hold placed while we worked still undoes everything
	})
	if err != nil {
		return e.explain(ctx, err)
	}
	for _, i := range e.work {
		if err := e.record(ctx, i, e.done[i].affected, e.done[i].gone); err != nil {
			return fmt.Errorf("recording step %d: %w", i+1, err)
		}
	}
	return nil
}

func (e *eraser) inBatches(ctx context.Context) error {
	e.batched = true
	for _, i := range e.work {
		for _, dt := range e.detachments(i) {
			err := e.inPace(ctx, dt.step, func(tx *sql.Tx, keys []connector.Key) error { return e.detach(ctx, tx, dt, keys) }, func() error { return nil })
			if err != nil {
				return e.explain(ctx, err)
			}
		}
		err := e.inPace(ctx, i, func(tx *sql.Tx, keys []connector.Key) error { return e.chunk(ctx, tx, i, keys) },
			func() error { return e.record(ctx, i, e.done[i].affected, e.done[i].gone) })
		if err != nil {
			return e.explain(ctx, err)
		}
	}
	return nil
}

func (e *eraser) ask(ctx context.Context) error {
	if e.guard == nil {
		return nil
	}
	if err := e.guard(ctx); err != nil {
		return fmt.Errorf("the erasure in %s was stopped: %w", e.d.sys.Name, err)
	}
	return nil
}

// askInside asks between the statements of one transaction. A batch of several was asked about before it began: the
// answer takes time in which the product would wait.
func (e *eraser) askInside(ctx context.Context) error {
	if e.batched {
		return nil
	}
	return e.ask(ctx)
}

// chunk does one step on some of its keys.
func (e *eraser) chunk(ctx context.Context, tx *sql.Tx, i int, keys []connector.Key) error {
	s := e.steps[i]
	t := e.g.tables[s.Table]
	size := e.d.batchOf(t)
	var writer *columnWriter
	if s.Action == plan.ActionAnonymize || s.Action == plan.ActionRedact {
		w, err := e.writer(t, s)
		if err != nil {
			return err
		}
		writer = w
		if w.perRow {
			size = min(size, 200)
		}
	}
	// Keys that repeat, as rows without a primary key may, stand for rows that go in one statement.
	once := distinct(keys)
	e.done[i].gone += int64(len(keys) - len(once))
	for _, batch := range batches(once, size) {
		if err := e.askInside(ctx); err != nil {
			return err
		}
		if err := e.batch(ctx, tx, i, t, batch, writer); err != nil {
			return &refused{step: i, keys: batch, cause: &connector.StepError{Step: i, Action: s.Action, Table: s.Table, Cause: err}}
		}
	}
	return nil
}

func (e *eraser) batch(ctx context.Context, tx *sql.Tx, i int, t *table, keys []connector.Key, writer *columnWriter) error {
	s, p := e.steps[i], e.done[i]
	if s.Action == plan.ActionUnlink {
		n, err := e.unlink(ctx, tx, t, s.Columns, keys)
		p.affected += n
		p.gone += int64(len(keys)) - n
		return err
	}
	var affected, left int64
	var err error
	if s.Action == plan.ActionDelete {
		affected, err = e.delete(ctx, tx, i, t, keys)
	} else {
		affected, err = writer.write(ctx, tx, keys)
	}
	if err != nil {
		return err
	}
	if affected != int64(len(keys)) {
		// Some were gone before, or something stood between. The statement holds what it touched until the end of the
		// transaction, so what is there now is what it should have touched and did not.
		if left, err = e.d.count(ctx, tx, t, keys); err != nil {
			return err
		}
		if s.Action != plan.ActionDelete {
			left -= affected
		}
	}
	if left != 0 {
		return fault.Wrap(connector.ErrChanged, fault.Conflict, "rows_differ",
			"%d rows of %s were there and did not change: a trigger or another writer stands between, or they are somebody else's by now; nothing of it was done.", left, t.name)
	}
	p.affected += affected
	p.gone += max(int64(len(keys))-affected, 0)
	return nil
}

func (e *eraser) delete(ctx context.Context, tx *sql.Tx, i int, t *table, keys []connector.Key) (int64, error) {
	if err := e.referrers(ctx, tx, i, t, keys); err != nil {
		return 0, err
	}
	b := &builder{dialect: e.d.dialect}
	name := e.d.dialect.table(t.cat)
	b.write("DELETE FROM ", name, " WHERE (")
	if err := e.d.writeRows(b, name, t, keys); err != nil {
		return 0, err
	}
	b.write(")")
	if err := e.writeStillTheirs(b, name, t); err != nil {
		return 0, err
	}
	n, err := e.exec(ctx, tx, b, "deleting rows of %s", t.name)
	e.tally.own(t, n)
	return n, err
}

func (e *eraser) exec(ctx context.Context, tx *sql.Tx, b *builder, doing string, args ...any) (int64, error) {
	res, err := tx.ExecContext(ctx, b.sql.String(), b.args...)
	if err != nil {
		return 0, e.d.fail(err, doing, args...)
	}
	n, err := res.RowsAffected()
	e.tally.any(n)
	return n, e.d.fail(err, doing, args...)
}
