package app_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/app/demoshop"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/plan"
)

// write adds an event of a customer, as the pipeline does that declares no key.
func (b *bench) write(customer int) {
	b.Helper()
	b.exec("INSERT INTO event (customer_id, kind, payload, happened_at) VALUES (?, 'view', '{}', '2026-03-01 10:00:00')", customer)
}

// TestWhatMoved: between approval and run the command line's look, the plan made anew and the officer's page say what
// moved, by table and count.
func TestWhatMoved(t *testing.T) {
	b := newBench(t)
	me := b.customer(demoshop.ErasurePerson)
	r, _ := b.ask(demoshop.ErasurePerson, "erasure")
	q := b.want(r, "erasure", dsr.StatusInReview)
	if _, moved, err := b.app.Fulfill.Drift(b.ctx, b.officer, q.ID); err != nil || len(moved) != 0 {
		t.Fatalf("nothing moved, and the look says %v, %v", moved, err)
	}
	b.write(me)
	said := func(where string, changed []plan.Change) {
		t.Helper()
		if len(changed) != 1 || changed[0].Table != "event" || changed[0].After != changed[0].Before+1 {
			t.Errorf("%s says %+v", where, changed)
		}
	}
	_, moved, err := b.app.Fulfill.Drift(b.ctx, b.officer, q.ID)
	b.must(err)
	said("the look", moved)
	b.approve(r, "erasure")
	b.pass(14*day + time.Minute)
	if again := b.want(r, "erasure", dsr.StatusInReview); again.PlanDigest == q.PlanDigest {
		t.Fatal("the plan is the old one")
	}
	said("the officer's page", b.view(q.ID).Changed)
	b.write(me)
	made, err := b.app.Fulfill.Replan(b.ctx, b.officer, q.ID)
	b.must(err)
	said("the plan made anew", made.Changed)
	read, err := b.app.Fulfill.Plan(b.ctx, b.officer, q.ID)
	b.must(err)
	said("the plan read again", read.Changed)
}

// writeDuring puts rows into the shop while an erasure runs: at each look at the clock one, from the moment on at which
// rows were gone.
func (b *bench) writeDuring(me int, most int) (written *int) {
	b.Helper()
	written = new(int)
	b.clock.mu.Lock()
	defer b.clock.mu.Unlock()
	b.clock.broken = func() bool {
		var left int
		if err := b.shop.DB.QueryRowContext(b.ctx, "SELECT count(*) FROM session WHERE customer_id = ?", me).Scan(&left); err == nil && left == 0 && *written < most {
			if _, err := b.shop.DB.ExecContext(b.ctx, "INSERT INTO event (customer_id, kind, payload, happened_at) VALUES (?, 'view', '{}', '2026-03-01 10:00:00')", me); err == nil {
				*written++
			}
		}
		return false
	}
	return written
}

// TestRowsThatComeDuringTheRun: what a pipeline writes while the rows go is found by the look afterwards and named; an
// officer lets it be planned anew, and it goes by an approval of its own.
func TestRowsThatComeDuringTheRun(t *testing.T) {
	b := newBench(t)
	me := b.customer(demoshop.ErasurePerson)
	r, _ := b.ask(demoshop.ErasurePerson, "erasure")
	b.approve(r, "erasure")
	written := b.writeDuring(me, 3)
	b.pass(14*day + time.Minute)
	b.clock.mu.Lock()
	b.clock.broken = nil
	b.clock.mu.Unlock()
	late := b.shop.Count(t, "SELECT count(*) FROM event WHERE customer_id = ?", me)
	if *written == 0 || late == 0 {
		t.Fatalf("%d rows were written, %d are there", *written, late)
	}
	q := b.want(r, "erasure", dsr.StatusExecuting)
	v := b.view(q.ID)
	named := int64(0)
	for _, f := range v.Findings {
		if f.Table == "event" && f.Kind == "late" {
			named += f.Rows
		}
	}
	if q.NeedsAttention != dsr.AttentionResidue || named != int64(late) {
		t.Fatalf("%d rows came late: attention %q, findings %+v", late, q.NeedsAttention, v.Findings)
	}
	b.wantMails(r, "erasure_done", 0)
	_, err := b.app.Fulfill.Retry(b.ctx, b.officer, q.ID)
	b.must(err)
	b.drain()
	again := b.want(r, "erasure", dsr.StatusInReview)
	if again.NeedsAttention != "" {
		t.Fatalf("planned anew, it wants attention: %q %v", again.NeedsAttention, b.view(q.ID).Plan.Refusals)
	}
	var rows int64
	for _, s := range b.view(q.ID).Plan.Steps {
		if s.Table == "event" && s.Action == plan.ActionDelete {
			rows = s.Rows
		}
	}
	if rows != int64(late) {
		t.Errorf("the plan for what came late deletes %d rows of event, want %d", rows, late)
	}
	b.approve(r, "erasure")
	b.settle()
	b.want(r, "erasure", dsr.StatusFulfilled)
	b.wantMails(r, "erasure_done", 1)
	if n := b.shop.Count(t, "SELECT count(*) FROM event WHERE customer_id = ?", me); n != 0 {
		t.Errorf("%d rows are left", n)
	}
	b.nothingLeft(me, demoshop.ErasurePerson)
}

// TestRowsThatComeAfter: what arrives for an erased account a day or a week later is named to an officer. Somebody who
// signs up again with the same address is nobody's late row.
func TestRowsThatComeAfter(t *testing.T) {
	b := newBench(t)
	me := b.customer(demoshop.ErasurePerson)
	r, _ := b.ask(demoshop.ErasurePerson, "erasure")
	b.approve(r, "erasure")
	b.pass(14*day + time.Minute)
	q := b.want(r, "erasure", dsr.StatusFulfilled)
	b.exec(b.insertableFor(demoshop.ErasurePerson))
	b.pass(25 * time.Hour)
	if a := b.of(r, "erasure").NeedsAttention; a != "" {
		t.Fatalf("nothing came but a new sign-up, and it wants attention: %q %+v", a, b.view(q.ID).Findings)
	}
	late := 20
	if soak() {
		late = 1000
	}
	for range late {
		b.write(me)
	}
	b.pass(6*day + time.Hour)
	v := b.view(q.ID)
	if v.Request.NeedsAttention != dsr.AttentionResidue || len(v.Findings) != 1 || v.Findings[0].Table != "event" || v.Findings[0].Rows != int64(late) {
		t.Errorf("%d rows came after a week: attention %q, findings %+v", late, v.Request.NeedsAttention, v.Findings)
	}
	if n := b.leaves()["erasure.late/failed"]; n != 1 {
		t.Errorf("%d leaves tell of it", n)
	}
}

func (b *bench) insertableFor(email string) string {
	return fmt.Sprintf("INSERT INTO newsletter_entry (email, source, confirmed, subscribed_at) VALUES ('%s', 'footer', 1, '2026-03-20 10:00:00')", email)
}

// TestANewAddressIsNoEmptyAnswer: a person whose address the product changed meanwhile is found by nothing that was
// proven. They must not be told that nothing is held; a person looks.
func TestANewAddressIsNoEmptyAnswer(t *testing.T) {
	b := newBench(t)
	r, _ := b.ask(demoshop.ErasurePerson, "erasure")
	b.approve(r, "erasure")
	b.exec("UPDATE customer SET email = 'another@example.net' WHERE email = ?", demoshop.ErasurePerson)
	b.exec("DELETE FROM newsletter_entry WHERE email = ?", demoshop.ErasurePerson)
	b.pass(14*day + time.Minute)
	if q := b.want(r, "erasure", dsr.StatusInReview); q.NeedsAttention != dsr.AttentionVanished {
		t.Errorf("attention %q", q.NeedsAttention)
	}
	b.wantMails(r, "nothing_held", 0)
}
