package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// The limits. Speeds are ratios to a baseline of the same run: machines differ, ratios hardly.
const (
	leastExport    = 0.7
	mostMemory     = 96 << 20
	mostPlan       = 2 * time.Second
	mostGrowth     = 2.0 // of a light person's plan, when the table is ten times as large
	leastErase     = 0.7
	leastEraseAll  = 0.5 // with the look afterwards and all records
	mostLock       = 250 * time.Millisecond
	mostTraffic    = 4.0 // p99 of other traffic against its own, alone
	clients        = 4
	trafficAlone   = 5 * time.Second
	sampledDeletes = 5 // rows deleted without an index, to tell what all would take
)

// export measures the package, from the database to the sealed file, and the memory of the whole process.
func (b *bench) export(ctx context.Context) error {
	s, err := b.shop(ctx, "postgres", b.size)
	if err != nil {
		return err
	}
	return b.exportOf(ctx, s, "")
}

func (b *bench) exportOf(ctx context.Context, s shop, on string) error {
	rows := s.size.heavyRows()
	var ours, theirs, reread, all []time.Duration
	var peak, small int64
	for range b.repeat {
		base, err := s.exportBaseline(ctx, b.dir)
		if err != nil {
			return fmt.Errorf("the baseline: %w", err)
		}
		o, err := b.do(ctx, s, job{Right: "access", Email: heavyEmail})
		if err != nil {
			return err
		}
		if o.Rows != rows {
			return fmt.Errorf("the export has %d rows, the person %d", o.Rows, rows)
		}
		build := o.last("executing/")
		theirs, ours = append(theirs, base), append(ours, o.first("write").took())
		reread = append(reread, build.End.Sub(o.first("write").End))
		all = append(all, build.took())
		peak = max(peak, o.PeakRSS)
	}
	b.report.speed(fmt.Sprintf("export%s: %d rows to a sealed package on disk", on, rows), rows, median(ours), median(theirs), leastExport)
	b.report.below("  looking again at the finished package, keeping its marks"+on, median(reread), 0)
	b.report.below("  approved to packaged"+on+": plan confirmed, written, reread", median(all), 0)
	b.report.memory(fmt.Sprintf("  peak memory of the process%s, %d rows", on, rows), peak, mostMemory)
	o, err := b.do(ctx, s, job{Right: "access", Email: s.size.light()})
	if err != nil {
		return err
	}
	small = o.PeakRSS
	b.report.memory(fmt.Sprintf("  peak memory of the process%s, %d rows", on, o.Rows), small, mostMemory)
	return nil
}

// plan measures looking for a person and deciding about each row.
func (b *bench) plan(ctx context.Context) error {
	s, err := b.shop(ctx, "postgres", b.size)
	if err != nil {
		return err
	}
	light, err := b.planOf(ctx, s, "", mostPlan)
	if err != nil {
		return err
	}
	of := map[string]string{"full": "tenth", "tenth": "small"}[b.size.name]
	if of == "" {
		return nil
	}
	smaller, _ := sizeOf(of)
	t, err := b.shop(ctx, "postgres", smaller)
	if err != nil {
		return err
	}
	o, err := b.do(ctx, t, job{Right: "erasure", Email: t.size.light(), Plan: true, Repeat: 4 * b.repeat})
	if err != nil {
		return err
	}
	b.report.factor(fmt.Sprintf("  the same among %d rows (ours) and %d (baseline)", s.size.rows(), t.size.rows()), light, median(o.took("locate")), mostGrowth)
	return nil
}

func (b *bench) planOf(ctx context.Context, s shop, on string, most time.Duration) (time.Duration, error) {
	o, err := b.do(ctx, s, job{Right: "erasure", Email: s.size.light(), Plan: true, Repeat: 4 * b.repeat})
	if err != nil {
		return 0, err
	}
	light := median(o.took("locate"))
	b.report.below(fmt.Sprintf("plan%s: %d rows of one person among %d", on, o.Rows, s.size.rows()), light, most)
	o, err = b.do(ctx, s, job{Right: "erasure", Email: heavyEmail, Plan: true, Repeat: b.repeat})
	if err != nil {
		return 0, err
	}
	b.report.below(fmt.Sprintf("plan%s: %d rows of one person", on, o.Rows), median(o.took("locate")), 0)
	b.report.memory(fmt.Sprintf("  peak memory of planning%s, %d rows", on, o.Rows), o.PeakRSS, 0)
	return light, nil
}

// erase measures the deletes, the records and the look afterwards, each run on a copy of its own.
func (b *bench) erase(ctx context.Context) error {
	s, err := b.shop(ctx, "postgres", b.size)
	if err != nil {
		return err
	}
	return b.eraseOf(ctx, s, "")
}

func (b *bench) eraseOf(ctx context.Context, s shop, on string) error {
	rows := s.size.heavyRows()
	var deletes, recorded, before, theirs []time.Duration
	var peak int64
	for range b.repeat {
		base, err := b.onCopy(ctx, s, shop.eraseBaseline)
		if err != nil {
			return fmt.Errorf("the baseline: %w", err)
		}
		var o outcome
		if _, err := b.onCopy(ctx, s, func(c shop, ctx context.Context) (d time.Duration, err error) {
			o, err = b.do(ctx, c, job{Right: "erasure", Email: heavyEmail})
			return 0, err
		}); err != nil {
			return err
		}
		erase, check := o.last("erase"), o.last("executing/check")
		theirs = append(theirs, base)
		deletes = append(deletes, erase.took()-erase.Outside)
		recorded = append(recorded, o.last("executing/act").took()+check.took())
		before = append(before, o.last("executing/").took())
		peak = max(peak, o.PeakRSS)
	}
	b.report.speed(fmt.Sprintf("erasure%s: %d rows, the deletes alone", on, rows), rows, median(deletes), median(theirs), leastErase)
	b.report.speed("  with its records and the independent look afterwards"+on, rows, median(recorded), median(theirs), leastEraseAll)
	b.report.below("  before it"+on+": plan confirmed, every key recorded", median(before), 0)
	b.report.memory(fmt.Sprintf("  peak memory of the process%s, %d rows", on, rows), peak, 0)
	return nil
}

// onCopy measures on a copy that is dropped again. Nothing of the person may be left on it.
func (b *bench) onCopy(ctx context.Context, s shop, fn func(shop, context.Context) (time.Duration, error)) (time.Duration, error) {
	c, err := s.clone(ctx, "copy")
	defer c.drop(context.WithoutCancel(ctx)) //nolint:errcheck // made anew the next time
	if err != nil {
		return 0, err
	}
	d, err := fn(c, ctx)
	if err != nil {
		return 0, err
	}
	left, err := c.left(ctx)
	if err == nil && left != 0 {
		err = fmt.Errorf("%d rows of the person are left", left)
	}
	return d, err
}

// check drops the index on the lines' invoice and asks `habeas map check`: it must name the table before any erasure
// finds out.
func (b *bench) check(ctx context.Context) error {
	s, err := b.shop(ctx, "postgres", b.size)
	if err != nil {
		return err
	}
	c, err := s.clone(ctx, "bare")
	defer c.drop(context.WithoutCancel(ctx)) //nolint:errcheck // made anew the next time
	if err != nil {
		return err
	}
	db, err := c.open()
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, "DROP INDEX line_invoice"); err != nil {
		return err
	}
	said, err := b.mapCheck(ctx, c)
	if err != nil {
		return err
	}
	named := false
	for l := range strings.Lines(said) {
		named = named || strings.Contains(l, "index") && strings.Contains(l, "invoice_line") && strings.Contains(l, "invoice_id")
	}
	b.report.holds("a missing index is named before the run (map check)", map[bool]string{true: "named", false: "not named"}[named], named)
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("DELETE FROM invoice_line WHERE invoice_id <= %d", 10*sampledDeletes)); err != nil {
		return err
	}
	began := time.Now()
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("DELETE FROM invoice WHERE id %% 10 = 0 AND id <= %d", 10*sampledDeletes)); err != nil {
		return err
	}
	each := time.Since(began) / sampledDeletes
	hours := (each * time.Duration(s.size.heavy)).Hours()
	b.report.add(line{what: fmt.Sprintf("  what it would have cost: %d invoices, %s each", s.size.heavy, seconds(each)), ours: fmt.Sprintf("%.1f hours", hours)})
	return nil
}

// traffic measures what other people's business feels of an erasure.
func (b *bench) traffic(ctx context.Context) error {
	s, err := b.shop(ctx, "postgres", b.size)
	if err != nil {
		return err
	}
	var ratios, alones, during, locks, longest []time.Duration
	for range b.repeat {
		_, err := b.onCopy(ctx, s, func(c shop, ctx context.Context) (time.Duration, error) {
			t, err := b.trafficOn(ctx, c)
			if err != nil {
				return 0, err
			}
			alones, during = append(alones, t.alone), append(during, t.during)
			locks, longest = append(locks, t.lock), append(longest, t.longest)
			ratios = append(ratios, time.Duration(float64(t.during)/float64(t.alone)*float64(time.Second)))
			return 0, nil
		})
		if err != nil {
			return err
		}
	}
	b.report.factor(fmt.Sprintf("other traffic while erasing: p99 of %d clients", clients), median(during), median(alones), mostTraffic)
	b.report.below("  longest wait of a writer for the person's rows", median(locks), mostLock)
	b.report.below("  longest transaction of the erasure", median(longest), mostLock)
	return nil
}

type trafficOutcome struct{ alone, during, lock, longest time.Duration }

func (b *bench) trafficOn(ctx context.Context, c shop) (t trafficOutcome, err error) {
	// Approved first, so that nothing of ours runs while the traffic is alone.
	p, err := b.spawn(ctx, c, job{Right: "erasure", Email: heavyEmail, Wait: true})
	if err != nil {
		return t, err
	}
	if err := p.approved(); err != nil {
		return t, err
	}
	busy, stop := context.WithCancel(ctx)
	defer stop()
	business := background(busy, func(ctx context.Context) ([]sample, error) { return c.traffic(ctx, clients) })
	from := time.Now().Add(time.Second) // warmed up
	time.Sleep(time.Second + trafficAlone)
	to := time.Now()
	probing := background(busy, c.probe)
	watching := background(busy, c.watch)
	if err := p.goOn(); err != nil {
		return t, err
	}
	o, err := p.outcome()
	stop()
	all, terr := business()
	waits, perr := probing()
	longest, werr := watching()
	for _, err := range []error{err, terr, perr, werr} {
		if err != nil {
			return t, err
		}
	}
	erase := o.last("erase")
	waited := within(waits, erase.Begin, erase.End)
	t.alone = quantile(within(all, from, to), 0.99)
	t.during = quantile(within(all, erase.Begin, erase.End), 0.99)
	t.lock, t.longest = quantile(waited, 1), longest
	return t, nil
}

// background starts fn; the function it gives waits for its end.
func background[T any](ctx context.Context, fn func(context.Context) (T, error)) func() (T, error) {
	var out T
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		out, err = fn(ctx)
	}()
	return func() (T, error) {
		<-done
		return out, err
	}
}

// mysql and sqlite measure the same on smaller shops.
func (b *bench) mysql(ctx context.Context) error { return b.other(ctx, "mysql", " (MariaDB)") }

func (b *bench) sqlite(ctx context.Context) error { return b.other(ctx, "sqlite", " (SQLite)") }

func (b *bench) other(ctx context.Context, engine, on string) error {
	of := map[string]string{"full": "tenth"}[b.size.name]
	size, _ := sizeOf(defaultTo(of, "small"))
	s, err := b.shop(ctx, engine, size)
	if err != nil {
		return err
	}
	if err := b.exportOf(ctx, s, on); err != nil {
		return err
	}
	if _, err := b.planOf(ctx, s, on, mostPlan); err != nil {
		return err
	}
	return b.eraseOf(ctx, s, on)
}
