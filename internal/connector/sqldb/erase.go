package sqldb

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/plan"
)

// oneTransaction is the most rows that go in one transaction; beyond it locks last too long for the product.
const oneTransaction = 10_000

// batchTransaction is about how many rows go in one transaction beyond that: short locks, few commits.
const batchTransaction = 5_000

// eraser is one run of Erase.
type eraser struct {
	d      *DB
	g      *graph
	steps  []plan.Step
	work   []int // the steps of this system that change something, in the order of the plan
	keys   connector.Source
	guard  connector.Guard
	record connector.Recorder
	secret []byte // of the hashes of this run; never stored, so nothing can be linked afterwards
	done   map[int]*progress
}

type progress struct{ affected, gone int64 }

// Erase unlinks, anonymizes, redacts and deletes the captured rows in the order of the steps.
//
// Up to 10,000 rows in all go in one transaction: whatever fails, nothing was done. More go in
// transactions of about 5,000. Before each batch the guard is asked; its error stops the work there, and in the one-transaction form
// undoes it. After each statement no row may be left that should have gone, and none be unchanged that should have
// changed. Rows that were gone before count as done. A rule of the database that stands against it is a fault.Conflict
// that names the step, never a value.
func (d *DB) Erase(ctx context.Context, steps []plan.Step, keys connector.Source, guard connector.Guard, record connector.Recorder) error {
	g, err := d.freshGraph(ctx)
	if err != nil {
		return err
	}
	if err := g.usable(); err != nil {
		return err
	}
	e := &eraser{d: d, g: g, steps: steps, keys: keys, guard: guard, record: record, secret: newSecret(), done: map[int]*progress{}}
	for i, s := range steps {
		if s.System != d.sys.Name || !s.Action.Destructive() {
			continue
		}
		if s.Action == plan.ActionRectify {
			return fault.New(fault.Invalid, "not_an_erasure", "Step %d of the plan corrects %s; an erasure does not.", i+1, s.Table)
		}
		if _, ok := g.tables[s.Table]; !ok {
			return fmt.Errorf("step %d, %s of %s: %w", i+1, s.Action, s.Table, connector.ErrChanged)
		}
		e.work = append(e.work, i)
		e.done[i] = &progress{}
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
	return d.fail(d.dialect.afterErase(ctx, d.pool), "cleaning up after the erasure")
}

// gather reads the keys of all steps; nil when they are too many to hold.
func (e *eraser) gather(ctx context.Context) (map[int][]connector.Key, error) {
	out, n := map[int][]connector.Key{}, 0
	for _, i := range e.work {
		for chunk := 0; ; chunk++ {
			keys, err := e.keys(ctx, i, chunk)
			if err != nil {
				return nil, fmt.Errorf("reading the captured keys of step %d: %w", i+1, err)
			}
			if len(keys) == 0 {
				break
			}
			if n += len(keys); n > oneTransaction {
				return nil, nil
			}
			out[i] = append(out[i], keys...)
		}
	}
	return out, nil
}

func (e *eraser) atOnce(ctx context.Context, keys map[int][]connector.Key) error {
	err := e.inTx(ctx, func(tx *sql.Tx) error {
		for _, i := range e.work {
			if err := e.detach(ctx, tx, i, func(other int, fn func([]connector.Key) error) error { return fn(keys[other]) }); err != nil {
				return err
			}
			if err := e.chunk(ctx, tx, i, keys[i]); err != nil {
				return err
			}
		}
		return e.ask(ctx) // a hold placed while we worked still undoes everything
	})
	if err != nil {
		return err
	}
	for _, i := range e.work {
		if err := e.record(ctx, i, e.done[i].affected, e.done[i].gone); err != nil {
			return fmt.Errorf("recording step %d: %w", i+1, err)
		}
	}
	return nil
}

func (e *eraser) inBatches(ctx context.Context) error {
	for _, i := range e.work {
		err := e.inTx(ctx, func(tx *sql.Tx) error {
			return e.detach(ctx, tx, i, func(other int, fn func([]connector.Key) error) error { return e.chunks(ctx, other, fn) })
		})
		if err != nil {
			return err
		}
		err = e.joined(ctx, i, func(keys []connector.Key) error {
			was := *e.done[i]
			err := e.inTx(ctx, func(tx *sql.Tx) error {
				*e.done[i] = was
				return e.chunk(ctx, tx, i, keys)
			})
			if err != nil {
				return err
			}
			return e.record(ctx, i, e.done[i].affected, e.done[i].gone)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (e *eraser) chunks(ctx context.Context, step int, fn func([]connector.Key) error) error {
	for chunk := 0; ; chunk++ {
		keys, err := e.keys(ctx, step, chunk)
		if err != nil {
			return fmt.Errorf("reading the captured keys of step %d: %w", step+1, err)
		}
		if len(keys) == 0 {
			return nil
		}
		if err := fn(keys); err != nil {
			return err
		}
	}
}

// joined is chunks with several joined into one transaction's worth.
func (e *eraser) joined(ctx context.Context, step int, fn func([]connector.Key) error) error {
	var some []connector.Key
	err := e.chunks(ctx, step, func(keys []connector.Key) error {
		if some = append(some, keys...); len(some) < batchTransaction {
			return nil
		}
		defer func() { some = nil }()
		return fn(some)
	})
	if err != nil || len(some) == 0 {
		return err
	}
	return fn(some)
}

func (e *eraser) inTx(ctx context.Context, fn func(tx *sql.Tx) error) error {
	tx, err := e.d.pool.BeginTx(ctx, nil)
	if err != nil {
		return e.d.fail(err, "beginning the erasure")
	}
	defer func() { _ = tx.Rollback() }()
	if err := e.d.dialect.begin(ctx, tx); err != nil {
		return e.d.fail(err, "beginning the erasure")
	}
	if err := fn(tx); err != nil {
		return err
	}
	return e.d.fail(tx.Commit(), "committing the erasure")
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
		if err := e.ask(ctx); err != nil {
			return err
		}
		if err := e.batch(ctx, tx, i, t, batch, writer); err != nil {
			return fmt.Errorf("step %d, %s of %s: %w", i+1, s.Action, s.Table, err)
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
		affected, err = e.delete(ctx, tx, t, keys)
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
			"%d rows of %s were there and did not change: a trigger or another writer stands between; nothing of it was done.", left, t.name)
	}
	p.affected += affected
	p.gone += max(int64(len(keys))-affected, 0)
	return nil
}

func (e *eraser) delete(ctx context.Context, tx *sql.Tx, t *table, keys []connector.Key) (int64, error) {
	b := &builder{dialect: e.d.dialect}
	name := e.d.dialect.table(t.cat)
	b.write("DELETE FROM ", name, " WHERE ")
	if err := e.d.writeRows(b, name, t, keys); err != nil {
		return 0, err
	}
	return e.exec(ctx, tx, b, "deleting rows of %s", t.name)
}

func (e *eraser) exec(ctx context.Context, tx *sql.Tx, b *builder, doing string, args ...any) (int64, error) {
	res, err := tx.ExecContext(ctx, b.sql.String(), b.args...)
	if err != nil {
		return 0, e.d.fail(err, doing, args...)
	}
	n, err := res.RowsAffected()
	return n, e.d.fail(err, doing, args...)
}

// unlink clears the references of other people's rows. A key holds the reference as it was captured: a row that
// points somewhere else by now is left alone.
func (e *eraser) unlink(ctx context.Context, tx *sql.Tx, t *table, cols []string, keys []connector.Key) (int64, error) {
	for i := range e.g.edges {
		ed := &e.g.edges[i]
		if ed.from != t || !sameSet(ed.cols, cols) {
			continue
		}
		addressed := *t
		if !t.keyless {
			addressed.key = append([]*datamap.CatalogColumn{}, t.key...)
			addressed.keys = append([]string{}, t.keys...)
			for _, c := range ed.cols {
				col, _ := t.cat.Column(c)
				addressed.key = append(addressed.key, col)
				addressed.keys = append(addressed.keys, c)
			}
		} else {
			keys = trim(keys, len(t.keys)) // all columns are the key: the reference is among them
		}
		return e.setNull(ctx, tx, &addressed, ed.clearable(), keys)
	}
	return 0, fault.New(fault.Conflict, "plan_changed", "No reference of %s is held by the columns that the plan clears.", t.name)
}

func (e *eraser) setNull(ctx context.Context, tx *sql.Tx, t *table, cols []string, keys []connector.Key) (int64, error) {
	if len(cols) == 0 {
		return 0, fault.New(fault.Conflict, "not_nullable", "The reference of %s can't be cleared: its column forbids null.", t.name)
	}
	b := &builder{dialect: e.d.dialect}
	name := e.d.dialect.table(t.cat)
	b.write("UPDATE ", name, " SET ")
	for i, c := range cols {
		if i > 0 {
			b.write(", ")
		}
		b.write(e.d.dialect.quote(c), " = NULL")
	}
	b.write(" WHERE ")
	if err := e.d.writeRows(b, name, t, keys); err != nil {
		return 0, err
	}
	return e.exec(ctx, tx, b, "clearing a reference of %s", t.name)
}

// detach clears, before rows of a table are deleted, the references among the rows to be deleted that come too late
// in the order: a table's own rows, and the reference that closes a ring.
func (e *eraser) detach(ctx context.Context, tx *sql.Tx, i int, each func(step int, fn func([]connector.Key) error) error) error {
	s := e.steps[i]
	if s.Action != plan.ActionDelete {
		return nil
	}
	t := e.g.tables[s.Table]
	for _, j := range e.work {
		other := e.steps[j]
		if j < i || other.Action != plan.ActionDelete {
			continue
		}
		from := e.g.tables[other.Table]
		for _, ed := range e.g.edges {
			if ed.from != from || ed.to != t || !ed.declared || len(ed.clearable()) == 0 || from.keyless {
				continue
			}
			err := each(j, func(keys []connector.Key) error {
				for _, batch := range batches(distinct(keys), e.d.batchOf(from)) {
					if err := e.ask(ctx); err != nil {
						return err
					}
					if _, err := e.setNull(ctx, tx, from, ed.clearable(), batch); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}
