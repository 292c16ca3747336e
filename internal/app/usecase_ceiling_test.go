package app_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/app/demoshop"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
)

// TestCeilings plans erasures that would take too much, drawn at random over what a wrong key or a match that fits
// everybody looks like: each halts before its first row, whatever is tried.
func TestCeilings(t *testing.T) {
	t.Parallel()
	n := 2
	if soak() {
		n = 50
	}
	rng := rand.New(rand.NewPCG(20260302, 2)) //nolint:gosec // a fixed draw
	b := newBench(t)
	people := b.keys("SELECT email FROM customer")
	total := b.shop.Count(t, "SELECT count(*) FROM event")
	if total < 1000 {
		t.Fatal("the table is too small to have a share")
	}
	for i := range n {
		email := people[rng.IntN(len(people))]
		me := b.customer(email)
		if rng.IntN(2) == 0 { // a share of a large table
			b.applyMap()
			b.exec("UPDATE event SET customer_id = ? WHERE event_id % 100 < ?", me, 26+rng.IntN(70))
		} else { // a number of rows
			b.applyMap("    tables:\n", "    limits: {max_rows: 3}\n    tables:\n")
			b.exec("UPDATE event SET customer_id = ? WHERE event_id IN (SELECT event_id FROM event LIMIT ?)", me, 4+rng.IntN(40))
		}
		before := b.shop.Snapshot(t)
		r, _ := b.ask(email, "erasure")
		q := b.want(r, "erasure", dsr.StatusInReview)
		v := b.view(q.ID)
		if q.NeedsAttention != dsr.AttentionPlanRefused || !strings.Contains(v.Plan.Refusals[0].Message, "more than the ceiling of") || !v.Plan.Refusals[0].Ceiling {
			t.Fatalf("draw %d: attention %q, refusals %v", i, q.NeedsAttention, v.Plan.Refusals)
		}
		_, err := b.app.Fulfill.Approve(b.ctx, b.officer, q.ID, q.PlanDigest, "")
		b.refuses(err, fault.Conflict, "plan_refused")
		_, err = b.app.Fulfill.Retry(b.ctx, b.officer, q.ID)
		b.must(err)
		_, err = b.app.Fulfill.Replan(b.ctx, b.officer, q.ID)
		b.must(err)
		b.pass(time.Minute)
		b.want(r, "erasure", dsr.StatusInReview)
		b.untouched(before, "over the ceiling")
		_, err = b.app.Fulfill.Withdraw(b.ctx, b.officer, q.ID, "")
		b.must(err)
	}
}

// TestLiftedCeiling: an officer lets one person's many rows go, by an act of its own that the log and the plan hold;
// the plan still needs its approval, and the next request has its ceiling again.
func TestLiftedCeiling(t *testing.T) {
	b := newBench(t)
	me := b.customer(demoshop.ErasurePerson)
	b.exec("UPDATE event SET customer_id = ? WHERE event_id % 2 = 0", me)
	r, _ := b.ask(demoshop.ErasurePerson, "erasure")
	q := b.want(r, "erasure", dsr.StatusInReview)
	_, err := b.app.Fulfill.LiftCeiling(b.ctx, b.auditor, q.ID, "they trained the model")
	b.refuses(err, fault.Forbidden, "not_allowed")
	_, err = b.app.Fulfill.LiftCeiling(b.ctx, b.officer, q.ID, "")
	b.refuses(err, fault.Invalid, "")
	if _, err := b.app.Fulfill.LiftCeiling(b.ctx, b.officer, q.ID, "their account ran the load tests"); err != nil {
		t.Fatal(err)
	}
	b.drain()
	lifted := b.want(r, "erasure", dsr.StatusInReview)
	v := b.view(q.ID)
	if lifted.NeedsAttention != "" || len(v.Plan.Refusals) > 0 || !v.Plan.Lifted || lifted.PlanDigest == q.PlanDigest || len(v.Notes) != 1 || len(v.Changed) == 0 {
		t.Fatalf("attention %q, plan %+v, changed %v", lifted.NeedsAttention, v.Plan, v.Changed)
	}
	if n := b.leaves()["request.lift/"] + b.leaves()["request.lift/ok"]; n == 0 {
		t.Errorf("no leaf tells of it: %v", b.leaves())
	}
	_, err = b.app.Fulfill.LiftCeiling(b.ctx, b.officer, q.ID, "once more")
	b.refuses(err, fault.Conflict, "no_ceiling")
	b.approve(r, "erasure")
	b.pass(14*day + time.Minute)
	b.want(r, "erasure", dsr.StatusFulfilled)
	if n := b.shop.Count(t, "SELECT count(*) FROM event WHERE customer_id = ?", me); n != 0 {
		t.Errorf("%d rows are left", n)
	}
	b.exec("UPDATE event SET customer_id = ?", b.customer(demoshop.Person))
	next, _ := b.ask(demoshop.Person, "erasure")
	if q := b.want(next, "erasure", dsr.StatusInReview); q.NeedsAttention != dsr.AttentionPlanRefused {
		t.Error("what was lifted for one request is lifted for the next")
	}
}
