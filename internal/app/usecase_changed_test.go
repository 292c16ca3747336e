package app_test

import (
	"strings"
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/app/demoshop"
	"github.com/habeas-data/habeas/internal/dsr"
)

// betweenCaptureAndDelete runs a statement in the shop once, when the keys of an erasure are recorded and nothing is
// deleted yet.
func (b *bench) betweenCaptureAndDelete(statement string, args ...any) (done *bool) {
	b.Helper()
	done = new(bool)
	own := b.own()
	b.clock.mu.Lock()
	defer b.clock.mu.Unlock()
	b.clock.broken = func() bool {
		var n int
		if !*done && own.QueryRowContext(b.ctx, "SELECT count(*) FROM request WHERE stage = 'act'").Scan(&n) == nil && n > 0 {
			_, err := b.shop.DB.ExecContext(b.ctx, statement, args...)
			*done = err == nil
		}
		return false
	}
	return done
}

func (b *bench) undisturbed() {
	b.clock.mu.Lock()
	defer b.clock.mu.Unlock()
	b.clock.broken = nil
}

// lineOf gives a statement that adds a line to the newest order of a customer.
func (b *bench) lineOf(me int) string {
	b.Helper()
	return "INSERT INTO order_line (order_id, line_no, product_id, quantity, unit_price_cents) SELECT max(order_id), 99, (SELECT min(product_id) FROM product), 1, 100 FROM orders WHERE customer_id = " + stringOf(me)
}

// stopped gives the notes that say where an erasure was stopped.
func (b *bench) stopped(id dsr.RequestID) []string {
	b.Helper()
	var out []string
	for _, n := range b.view(id).Notes {
		if strings.HasPrefix(n.Body, "The erasure was stopped ") {
			out = append(out, n.Body)
		}
	}
	return out
}

// TestAChildThatComesBetween: a row that refers to what is to be deleted came after the keys were recorded. Nothing is
// done; the request is back in review with a plan that holds the row, says why, waits for somebody even where the policy
// approves by itself, and ends well.
func TestAChildThatComesBetween(t *testing.T) {
	for name, edits := range map[string][]string{"by hand": nil, "by the policy": {"    review: officer\n", "    review: auto\n"}} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, edits...)
			me := b.customer(demoshop.ErasurePerson)
			sets := b.rowids(mine(me, demoshop.ErasurePerson))
			others := b.others(sets)
			r, _ := b.ask(demoshop.ErasurePerson, "erasure")
			if name == "by hand" {
				b.approve(r, "erasure")
			}
			first := b.of(r, "erasure").PlanDigest
			before := b.shop.Snapshot(t)
			came := b.betweenCaptureAndDelete(b.lineOf(me))
			b.pass(14*day + time.Minute)
			b.undisturbed()
			if !*came {
				t.Fatal("the row never came")
			}
			b.settle()
			q := b.want(r, "erasure", dsr.StatusInReview)
			if q.PlanDigest == first || q.NeedsAttention != "" {
				t.Errorf("plan made anew: %v, attention %q", q.PlanDigest != first, q.NeedsAttention)
			}
			if gone := before.Gone(b.shop.Snapshot(t)); len(gone) != 0 {
				t.Errorf("rows went by a plan that did not hold: %v", gone)
			}
			said := b.stopped(q.ID)
			if len(said) != 1 || !strings.Contains(said[0], "rows of orders") || !strings.Contains(said[0], "1 rows of order_line (order_id) refer") {
				t.Errorf("the officer reads %q", said)
			}
			v := b.view(q.ID)
			if last := v.Events[len(v.Events)-1]; last.Name != "plan_outdated" || last.Facts["reason"] != "rows_arrived" || last.Facts["dataset"] != "orders" || last.Facts["system"] != "shop" {
				t.Errorf("the history ends with %+v", last)
			}
			if len(v.Changed) != 1 || v.Changed[0].Table != "order_line" || v.Changed[0].After != v.Changed[0].Before+1 {
				t.Errorf("what moved: %+v", v.Changed)
			}
			if n := b.leaves(); n["erasure.stopped/failed"] != 1 || n["plan.outdated/ok"] != 1 {
				t.Errorf("the log has %v", n)
			}
			b.wantMails(r, "erasure_done", 0)
			b.approve(r, "erasure")
			b.settle()
			b.want(r, "erasure", dsr.StatusFulfilled)
			b.nothingLeft(me, demoshop.ErasurePerson)
			for table, h := range b.others(sets) {
				if h != others[table] && table != "order_line" {
					t.Errorf("rows of %s that are somebody else's are not as they were", table)
				}
			}
			b.logVerifies()
		})
	}
}

// TestWhatANewPlanDoesNotMend: where a trigger stands between, a new plan would be the same one. Nobody is asked to
// approve it again; a person looks, reads why, and the request goes on when the trigger is gone.
func TestWhatANewPlanDoesNotMend(t *testing.T) {
	b := newBench(t)
	me := b.customer(demoshop.ErasurePerson)
	r, _ := b.ask(demoshop.ErasurePerson, "erasure")
	b.approve(r, "erasure")
	before := b.shop.Snapshot(t)
	b.exec("CREATE TRIGGER nothing_goes BEFORE DELETE ON session BEGIN SELECT raise(IGNORE); END")
	b.pass(14*day + time.Minute)
	b.settle()
	q := b.want(r, "erasure", dsr.StatusExecuting)
	said := b.stopped(q.ID)
	if q.NeedsAttention != dsr.AttentionStepFailed || len(said) != 1 || !strings.Contains(said[0], "session") || !strings.Contains(said[0], "would be the same") {
		t.Errorf("attention %q, the officer reads %q", q.NeedsAttention, said)
	}
	b.untouched(before, "stopped by a trigger")
	b.exec("DROP TRIGGER nothing_goes")
	_, err := b.app.Fulfill.Retry(b.ctx, b.officer, q.ID)
	b.must(err)
	b.settle()
	b.want(r, "erasure", dsr.StatusFulfilled)
	b.nothingLeft(me, demoshop.ErasurePerson)
}

// TestWhatANewPlanWouldLose: an erasure of many batches took the orders already when somebody else's order came to one
// of the addresses. The data no longer lead to the addresses, so a new plan would forget them: the old one stays, and
// goes on when the way is free.
func TestWhatANewPlanWouldLose(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.applyMap("    tables:\n", "    limits: {max_share: 1}\n    tables:\n")
	me := b.customer(demoshop.ErasurePerson)
	b.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10001)
		INSERT INTO event (customer_id, kind, payload, happened_at) SELECT ?, 'view', '{}', '2026-03-01 10:00:00' FROM n`, me)
	addresses := "address_id IN (" + strings.Join(b.keys("SELECT address_id FROM address WHERE "+mine(me, demoshop.ErasurePerson)["address"]), ", ") + ")"
	r, _ := b.ask(demoshop.ErasurePerson, "erasure")
	b.approve(r, "erasure")
	came := false
	b.clock.mu.Lock()
	b.clock.broken = func() bool {
		var orders int
		if !came && b.shop.DB.QueryRowContext(b.ctx, "SELECT count(*) FROM orders WHERE customer_id = ?", me).Scan(&orders) == nil && orders == 0 {
			_, err := b.shop.DB.ExecContext(b.ctx, `INSERT INTO orders (order_number, customer_id, shipping_address_id, placed_at, status)
				SELECT 'LATE-1', (SELECT min(customer_id) FROM customer WHERE customer_id <> ?), min(address_id), '2026-03-01 10:00:00', 'open' FROM address WHERE `+addresses, me)
			came = err == nil
		}
		return false
	}
	b.clock.mu.Unlock()
	b.pass(14*day + time.Minute)
	b.undisturbed()
	q := b.want(r, "erasure", dsr.StatusExecuting)
	said := b.stopped(q.ID)
	if !came || q.NeedsAttention != dsr.AttentionStepFailed || len(said) != 1 || !strings.Contains(said[0], "would lose rows of address") {
		t.Fatalf("the order came: %v; attention %q, the officer reads %q", came, q.NeedsAttention, said)
	}
	b.exec("DELETE FROM orders WHERE order_number = 'LATE-1'")
	left := b.shop.Count(t, "SELECT count(*) FROM address WHERE "+addresses)
	_, err := b.app.Fulfill.Retry(b.ctx, b.officer, q.ID)
	b.must(err)
	b.settle()
	b.want(r, "erasure", dsr.StatusFulfilled)
	if now := b.shop.Count(t, "SELECT count(*) FROM address WHERE "+addresses); left == 0 || now >= left {
		t.Errorf("%d addresses were left to go, %d are left", left, now)
	}
	b.nothingLeft(me, demoshop.ErasurePerson)
}
