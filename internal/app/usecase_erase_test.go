package app_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/app/apptest"
	"github.com/habeas-data/habeas/internal/app/demoshop"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/plan"
	"github.com/habeas-data/habeas/internal/statute"
)

// soak tells whether the long runs are wanted.
func soak() bool { return os.Getenv("HABEAS_SOAK") != "" }

// mine says, by hand and apart from the data map, which rows of each table are one customer's to lose: whatever is
// not here must be the same byte for byte after that customer's erasure.
func mine(me int, email string) map[string]string {
	id := fmt.Sprint(me)
	own := "customer_id = " + id
	out := map[string]string{
		"customer": own, "household_member": own, "subscription": own, "payment_method": own, "orders": own, "invoice": own,
		"support_ticket": own, "upload": own, "wishlist": own, "product_review": own, "session": own, "event": own,
		"message":       "sender_id = " + id + " OR recipient_id = " + id,
		"order_line":    "order_id IN (SELECT order_id FROM orders WHERE " + own + ")",
		"invoice_line":  "invoice_id IN (SELECT invoice_id FROM invoice WHERE " + own + ")",
		"ticket_reply":  "ticket_id IN (SELECT ticket_id FROM support_ticket WHERE " + own + ")",
		"wishlist_item": "wishlist_id IN (SELECT wishlist_id FROM wishlist WHERE " + own + ")",
		"household": "household_id IN (SELECT household_id FROM household_member WHERE " + own + ")" +
			" AND household_id NOT IN (SELECT household_id FROM household_member WHERE customer_id <> " + id + ")",
		"address": "(address_id IN (SELECT address_id FROM customer WHERE " + own + ") OR address_id IN (SELECT shipping_address_id FROM orders WHERE " + own + "))" +
			" AND address_id NOT IN (SELECT address_id FROM customer WHERE customer_id <> " + id + " AND address_id IS NOT NULL)" +
			" AND address_id NOT IN (SELECT shipping_address_id FROM orders WHERE customer_id <> " + id + ")",
		"newsletter_entry": "substr(email, 1, instr(email, '@')) = substr('" + email + "', 1, instr('" + email + "', '@')) AND lower(email) = lower('" + email + "')",
	}
	for _, t := range demoshop.Tables() {
		if _, ok := out[t]; !ok {
			out[t] = "0"
		}
	}
	return out
}

// others hashes every row whose rowid is not in the given sets; nil asks for the sets of a customer first.
func (b *bench) others(sets map[string]map[int64]bool) map[string][32]byte {
	b.Helper()
	out := map[string][32]byte{}
	for _, table := range demoshop.Tables() {
		rows, err := b.shop.DB.QueryContext(b.ctx, "SELECT rowid, * FROM "+table+" ORDER BY rowid")
		b.must(err)
		cols, err := rows.Columns()
		b.must(err)
		h := sha256.New()
		for rows.Next() {
			cells, ptrs := make([]any, len(cols)), make([]any, len(cols))
			for i := range cells {
				ptrs[i] = &cells[i]
			}
			b.must(rows.Scan(ptrs...))
			if !sets[table][cells[0].(int64)] {
				fmt.Fprintf(h, "%q\n", cells)
			}
		}
		b.must(rows.Err())
		b.must(rows.Close())
		out[table] = [32]byte(h.Sum(nil))
	}
	return out
}

func (b *bench) rowids(preds map[string]string) map[string]map[int64]bool {
	b.Helper()
	out := map[string]map[int64]bool{}
	for table, where := range preds {
		out[table] = map[int64]bool{}
		rows, err := b.shop.DB.QueryContext(b.ctx, "SELECT rowid FROM "+table+" WHERE "+where)
		b.must(err)
		for rows.Next() {
			var id int64
			b.must(rows.Scan(&id))
			out[table][id] = true
		}
		b.must(rows.Err())
		b.must(rows.Close())
	}
	return out
}

// TestErasuresTouchNobodyElse erases people drawn from the shop, one after the other: what is not theirs stays as it
// is, byte for byte, and of theirs exactly what the plan says goes, changes and stays.
func TestErasuresTouchNobodyElse(t *testing.T) {
	t.Parallel()
	b := newBench(t, "grace: P14D", "grace: PT8S")
	people := b.keys("SELECT email FROM customer")
	rng := rand.New(rand.NewPCG(20260302, 1)) //nolint:gosec // a fixed draw
	rng.Shuffle(len(people), func(i, j int) { people[i], people[j] = people[j], people[i] })
	n := 10
	if soak() {
		n = 200
	}
	touched := 0
	for _, email := range append([]string{demoshop.Person, demoshop.ErasurePerson}, people[:min(n, len(people))]...) {
		if b.shop.Count(t, "SELECT count(*) FROM customer WHERE email = ?", email) == 0 {
			continue // one of the two was drawn again
		}
		me := b.customer(email)
		preds := mine(me, email)
		sets := b.rowids(preds)
		before, others := b.shop.Snapshot(t), b.others(sets)
		theirs := b.keys("SELECT message_id || ':' || CASE WHEN sender_id = ? THEN coalesce(recipient_id, 0) ELSE coalesce(sender_id, 0) END FROM message WHERE sender_id = ? OR recipient_id = ?", me, me, me)

		r, _ := b.ask(email, "erasure")
		p := *b.view(r.Requests[0].ID).Plan
		if len(p.Refusals) > 0 {
			t.Fatalf("%s: the plan is refused: %v", r.Reference, p.Refusals)
		}
		b.approve(r, "erasure")
		b.pass(10 * time.Second)
		if f := b.view(r.Requests[0].ID).Findings; len(f) > 0 {
			t.Errorf("the look afterwards found %+v", f)
		}
		b.want(r, "erasure", dsr.StatusFulfilled)

		for table, h := range b.others(sets) {
			if h != others[table] {
				t.Errorf("%s: rows of %s that are somebody else's are not as they were", r.Reference, table)
			}
		}
		b.asPlanned(p, before, b.shop.Snapshot(t))
		for _, pair := range theirs {
			id, other, _ := strings.Cut(pair, ":")
			if other != "0" && b.shop.Count(t, "SELECT count(*) FROM message WHERE message_id = ? AND (sender_id = ? OR recipient_id = ?)", id, other, other) != 1 {
				t.Errorf("message %s lost the other person", id)
			}
		}
		b.nothingLeft(me, email)
		touched++
	}
	if touched < 10 {
		t.Fatalf("only %d people were erased", touched)
	}
	t.Logf("%d people erased", touched)
}

// asPlanned holds the difference between two snapshots against the plan's counts.
func (b *bench) asPlanned(p plan.Plan, before, after apptest.Snapshot) {
	b.Helper()
	gone, fresh, unlinked := map[string]int{}, map[string]int{}, map[string]bool{}
	for _, s := range p.Steps {
		switch s.Action {
		case plan.ActionDelete:
			gone[s.Table] += int(s.Rows)
		case plan.ActionUnlink:
			unlinked[s.Table] = true // it counts what is referred to, not the rows that refer
		case plan.ActionAnonymize, plan.ActionRedact:
			gone[s.Table] += int(s.Rows)
			fresh[s.Table] += int(s.Rows)
		case plan.ActionRetain, plan.ActionKeep, plan.ActionCollect, plan.ActionRectify, plan.ActionSuppress, plan.ActionAnswer:
		}
	}
	maps.DeleteFunc(gone, func(_ string, n int) bool { return n == 0 })
	maps.DeleteFunc(fresh, func(_ string, n int) bool { return n == 0 })
	gotGone, gotFresh := before.Gone(after), before.New(after)
	for table := range unlinked {
		if gotGone[table] != gotFresh[table] || gotGone[table] <= fresh[table] {
			b.Errorf("rows of %s: %d went, %d came, %d planned beside those unlinked", table, gotGone[table], gotFresh[table], fresh[table])
		}
		for _, m := range []map[string]int{gone, fresh, gotGone, gotFresh} {
			delete(m, table)
		}
	}
	if !maps.Equal(gotGone, gone) {
		b.Errorf("rows that went: %v, planned %v", gotGone, gone)
	}
	if !maps.Equal(gotFresh, fresh) {
		b.Errorf("rows that came: %v, planned %v", gotFresh, fresh)
	}
}

// nothingLeft looks by hand for what must be gone: everything but invoices younger than five years, and the nameless
// row that they need.
func (b *bench) nothingLeft(me int, email string) {
	b.Helper()
	for _, table := range []string{"household_member", "subscription", "payment_method", "orders", "support_ticket", "upload", "wishlist", "product_review", "session", "event"} {
		if n := b.shop.Count(b.T, "SELECT count(*) FROM "+table+" WHERE customer_id = ?", me); n != 0 {
			b.Errorf("%d rows of %s are left", n, table)
		}
	}
	if n := b.shop.Count(b.T, "SELECT count(*) FROM message WHERE sender_id = ? OR recipient_id = ?", me, me); n != 0 {
		b.Errorf("%d messages still name the person", n)
	}
	if n := b.shop.Count(b.T, "SELECT count(*) FROM newsletter_entry WHERE email = ?", email); n != 0 {
		b.Errorf("%d newsletter entries are left", n)
	}
	cutoff := b.clock.Now().AddDate(-5, 0, 0).Format(time.DateOnly)
	if n := b.shop.Count(b.T, "SELECT count(*) FROM invoice WHERE customer_id = ? AND (issued_on <= ? OR billing_email IS NOT NULL OR billing_phone IS NOT NULL)", me, cutoff); n != 0 {
		b.Errorf("%d invoices are past their time or can reach the person", n)
	}
	if n := b.shop.Count(b.T, "SELECT count(*) FROM customer WHERE customer_id = ? AND (full_name <> '[erased]' OR email NOT LIKE 'erased-%' OR phone IS NOT NULL OR birth_date IS NOT NULL)", me); n != 0 {
		b.Error("the customer's row still holds the person")
	}
	kept := b.shop.Count(b.T, "SELECT count(*) FROM invoice WHERE customer_id = ?", me)
	if rows := b.shop.Count(b.T, "SELECT count(*) FROM customer WHERE customer_id = ?", me); rows != min(kept, 1) {
		b.Errorf("%d rows of the customer with %d kept invoices", rows, kept)
	}
}

// TestObligationsFireOnTheirDays follows one erasure to its end years ahead: each kept invoice goes on its day and not
// the day before, then the row that the invoices needed; the second letter goes out once; then our own records go.
func TestObligationsFireOnTheirDays(t *testing.T) {
	b := newBench(t)
	r, p := b.ask(demoshop.ErasurePerson, "erasure")
	me := b.customer(demoshop.ErasurePerson)
	sets := b.rowids(mine(me, demoshop.ErasurePerson))
	others := b.others(sets)
	b.approve(r, "erasure")
	b.pass(14*day + time.Minute)
	b.want(r, "erasure", dsr.StatusFulfilled)

	own := b.own()
	count := func(query string) (n int) {
		b.must(own.QueryRow(query).Scan(&n))
		return n
	}
	invoices := func() int { return b.shop.Count(t, "SELECT count(*) FROM invoice WHERE customer_id = ?", me) }
	v, err := b.app.Fulfill.Status(b.ctx, p, r.Reference)
	b.must(err)
	if len(v.Requests[0].Kept) == 0 {
		t.Error("the person is not told what is kept")
	}
	// The days follow from the invoices themselves, by SQLite's reckoning of five years.
	days := b.keys("SELECT DISTINCT date(issued_on, '+5 years') FROM invoice WHERE customer_id = ?", me)
	if len(days) < 3 {
		t.Fatalf("only %d days to look at", len(days))
	}
	for _, d := range days {
		on, err := time.Parse(time.DateOnly, d)
		b.must(err)
		b.pass(on.Add(-time.Minute).Sub(b.clock.Now()))
		eve := invoices()
		if n := count("SELECT count(*) FROM submission WHERE purged_at IS NOT NULL"); n != 0 {
			t.Error("our records went before the rows did")
		}
		due := b.shop.Count(t, "SELECT count(*) FROM invoice WHERE customer_id = ? AND date(issued_on, '+5 years') = ?", me, d)
		if due == 0 {
			t.Errorf("the invoices of %s went before their day", d)
		}
		b.pass(24*time.Hour + 2*time.Minute) // the day has come, and is over
		if left := invoices(); left != eve-due {
			t.Errorf("on %s %d invoices are left, want %d", d, left, eve-due)
		}
		if invoices() > 0 {
			b.wantMails(r, "obligation_done", 0)
		}
	}
	if n := b.shop.Count(t, "SELECT count(*) FROM customer WHERE customer_id = ?", me); n != 0 {
		t.Error("the nameless row that the invoices needed is left")
	}
	b.wantMails(r, "obligation_done", 1)
	b.wantMails(r, "erasure_done", 1)
	if n := count("SELECT count(*) FROM capture") + count("SELECT count(*) FROM capture_key"); n != 0 {
		t.Errorf("%d rows of recorded keys are left", n)
	}
	b.until(b.clock.Now().AddDate(8, 0, 0), func() { b.clock.add(29 * day) })
	if n := count("SELECT count(*) FROM submission WHERE wrapped_key IS NOT NULL OR person IS NOT NULL OR proofs IS NOT NULL"); n != 0 {
		t.Error("our own records of the person are never purged")
	}
	if n := count("SELECT count(*) FROM obligation WHERE state <> 'done'"); n != 0 {
		t.Errorf("%d obligations are not done", n)
	}
	for table, h := range b.others(sets) {
		if h != others[table] {
			t.Errorf("rows of %s that are somebody else's are not as they were", table)
		}
	}
	if n := len(b.mailsOf(r.Submission, "")); n > 0 {
		if m := b.mailsOf(r.Submission, "")[0]; m.To != "" || m.Text != "" {
			t.Error("letters can be read after the purge")
		}
	}
	// What stays is evidence without the person.
	if _, err := b.app.Fulfill.Events(b.ctx, b.officer, r.Requests[0].ID); err != nil {
		t.Errorf("the history is gone: %v", err)
	}
	b.logVerifies()
}

// TestHoldOnWhatIsKept: a hold that comes after the erasure keeps the retained rows past their day, and our records
// with them; released, everything goes.
func TestHoldOnWhatIsKept(t *testing.T) {
	b := newBench(t)
	r, _ := b.ask(demoshop.ErasurePerson, "erasure")
	me := b.customer(demoshop.ErasurePerson)
	b.approve(r, "erasure")
	b.pass(14*day + time.Minute)
	q := b.want(r, "erasure", dsr.StatusFulfilled)
	kept := b.shop.Snapshot(t)
	b.hold(q.ID)
	for range 12 {
		b.pass(365 * day) // 12 years: longer than anything is kept
	}
	b.untouched(kept, "12 years on hold")
	b.release(q.ID)
	for range 12 {
		b.pass(30 * day)
	}
	if n := b.shop.Count(t, "SELECT (SELECT count(*) FROM invoice WHERE customer_id = ?1) + (SELECT count(*) FROM customer WHERE customer_id = ?1)", me); n != 0 {
		t.Errorf("%d rows are left after the hold was released", n)
	}
	items, _, err := b.app.Fulfill.Obligations(b.ctx, b.officer, "open", statute.Date{}, "", 100)
	b.must(err)
	if len(items) != 0 {
		t.Errorf("%d obligations are still open", len(items))
	}
}

// TestObligationThatFails: rows that can't go on their day are tried again, a person is told, and a retry takes them up.
func TestObligationThatFails(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r, _ := b.ask(demoshop.ErasurePerson, "erasure")
	me := b.customer(demoshop.ErasurePerson)
	b.approve(r, "erasure")
	b.pass(14*day + time.Minute)
	b.want(r, "erasure", dsr.StatusFulfilled)
	b.exec("CREATE TRIGGER nothing_goes BEFORE DELETE ON invoice BEGIN SELECT raise(ABORT, 'kept by another program'); END")
	b.until(benchStart().AddDate(3, 0, 0), func() { b.clock.add(6 * day) })
	q := b.want(r, "erasure", dsr.StatusFulfilled)
	if q.NeedsAttention == "" {
		t.Fatal("nobody is told")
	}
	b.exec("DROP TRIGGER nothing_goes")
	_, err := b.app.Fulfill.Retry(b.ctx, b.officer, q.ID)
	b.must(err)
	b.drain()
	cutoff := b.clock.Now().AddDate(-5, 0, 0).Format(time.DateOnly)
	if n := b.shop.Count(t, "SELECT count(*) FROM invoice WHERE customer_id = ? AND issued_on < ?", me, cutoff); n != 0 {
		t.Errorf("%d invoices are past their day", n)
	}
	if q := b.of(r, "erasure"); q.NeedsAttention != "" {
		t.Errorf("it still wants attention: %s", q.NeedsAttention)
	}
}

// ended is how an erasure ended.
type ended struct {
	Status      dsr.Status
	Letters     int
	Executed    int // events
	Obligations string
	Findings    int
}

// TestCutOffAnywhere stops the program before the k-th look at the clock of an execution, goes on with a fresh one on
// the same data, and wants each time the same end as of a run that nobody disturbed. The normal run takes every
// seventh k.
func TestCutOffAnywhere(t *testing.T) {
	t.Parallel()
	run := func(k int) (ended, apptest.Snapshot, bool) {
		b := newBench(t)
		_, err := b.app.Oversee.AddEndpoint(b.ctx, b.admin, "http://127.0.0.1:1/hook", []string{"erasure.executed"})
		b.must(err)
		r, _ := b.ask(demoshop.ErasurePerson, "erasure")
		b.approve(r, "erasure")
		b.clock.add(14*day + time.Minute)
		cut := false
		if k > 0 {
			ctx, cancel := context.WithCancel(b.ctx)
			n := 0
			b.clock.mu.Lock()
			b.clock.broken = func() bool {
				if n++; n == k {
					cut = true
					cancel()
				}
				return false
			}
			b.clock.mu.Unlock()
			_, err := b.app.Drain(ctx, 5000)
			b.clock.mu.Lock()
			b.clock.broken = nil
			b.clock.mu.Unlock()
			cancel()
			if cut && err == nil && n == k {
				t.Errorf("cut off at %d, and nobody noticed", k)
			}
			b.must(b.app.Close())
			b.open()
			b.pass(2 * time.Minute) // the claim of the one that died runs out
		}
		b.drain()
		b.settle()
		q := b.want(r, "erasure", dsr.StatusFulfilled)
		out := ended{Status: q.Status, Letters: len(b.mailsOf(r.Submission, "erasure_done")), Findings: len(b.view(q.ID).Findings)}
		out.Executed = len(slices.DeleteFunc(b.eventsOf(r), func(e string) bool { return e != "erasure.executed" }))
		items, _, err := b.app.Fulfill.Obligations(b.ctx, b.officer, "", statute.Date{}, "", 100)
		b.must(err)
		for _, o := range items {
			out.Obligations += fmt.Sprintln(o.Table, o.Rows, o.DueOn, o.Kind, o.State)
		}
		b.logVerifies()
		return out, b.shop.Snapshot(t), cut
	}
	want, rows, _ := run(0)
	if want.Letters != 1 || want.Executed != 1 || want.Obligations == "" {
		t.Fatalf("undisturbed it ends with %+v", want)
	}
	stride := 7
	if soak() {
		stride = 1
	}
	runs := 0
	for k := 1; ; k += stride {
		got, after, cut := run(k)
		if !cut {
			break
		}
		runs++
		if got != want {
			t.Errorf("cut off at %d it ends with %+v, want %+v", k, got, want)
		}
		if gone, fresh := rows.Gone(after), rows.New(after); len(gone)+len(fresh) > 0 {
			t.Errorf("cut off at %d the product has rows less %v, more %v", k, gone, fresh)
		}
	}
	if runs < 5 {
		t.Fatalf("only %d runs were cut off", runs)
	}
	t.Logf("%d runs were cut off", runs)
}

// TestTwoErasuresOfOnePerson: the same person asked twice; the second finds nothing more and says so.
func TestTwoErasuresOfOnePerson(t *testing.T) {
	b := newBench(t)
	one, _ := b.ask(demoshop.ErasurePerson, "erasure")
	two, _ := b.ask(demoshop.ErasurePerson, "erasure")
	b.approve(one, "erasure")
	b.pass(day)
	b.approve(two, "erasure")
	b.pass(13*day + time.Minute)
	b.want(one, "erasure", dsr.StatusFulfilled)
	b.want(two, "erasure", dsr.StatusInGrace)
	b.pass(2 * day)
	b.want(one, "erasure", dsr.StatusFulfilled)
	b.want(two, "erasure", dsr.StatusFulfilled)
	b.wantMails(one, "erasure_done", 1)
	b.wantMails(two, "erasure_done", 0)
	b.wantMails(two, "nothing_held", 1)
}
