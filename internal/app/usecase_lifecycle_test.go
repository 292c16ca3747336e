package app_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/app/demoshop"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/intake"
	"github.com/habeas-data/habeas/internal/statute"
)

const day = 24 * time.Hour

// TestWithdrawBeforeExecution calls an erasure back at each point before it runs, and lets a year go by: not one row
// of the product is another.
func TestWithdrawBeforeExecution(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status dsr.Status
		letter string
		to     func(b *bench, r intake.Receipt)
	}{
		{dsr.StatusReceived, "withdrawn", func(*bench, intake.Receipt) {}},
		{dsr.StatusVerifying, "withdrawn", func(b *bench, _ intake.Receipt) { b.drain() }},
		{dsr.StatusInReview, "withdrawn", func(b *bench, r intake.Receipt) { b.drain(); b.prove(r); b.drain() }},
		{dsr.StatusInGrace, "erasure_cancelled", func(b *bench, r intake.Receipt) { b.drain(); b.prove(r); b.drain(); b.approve(r, "erasure") }},
	} {
		t.Run(string(c.status), func(t *testing.T) {
			b := newBench(t)
			before := b.shop.Snapshot(t)
			r := b.submit(b.public, intake.Input{Email: demoshop.ErasurePerson, Types: []string{"erasure"}})
			c.to(b, r)
			q := b.want(r, "erasure", c.status)
			_, err := b.app.Fulfill.Withdraw(b.ctx, b.officer, q.ID, "by phone")
			b.must(err)
			b.drain()
			b.wantMails(r, c.letter, 1)
			for range 12 {
				b.pass(31 * day)
			}
			q = b.want(r, "erasure", dsr.StatusWithdrawn)
			b.untouched(before, "a year after it was called back")
			b.wantMails(r, "erasure_done", 0)
			_, err = b.app.Fulfill.Withdraw(b.ctx, b.officer, q.ID, "")
			b.refuses(err, fault.Conflict, "not_possible_now")
		})
	}
}

// TestPersonStopsTheDeletion: the person's own button in the grace period, for the erasure alone.
func TestPersonStopsTheDeletion(t *testing.T) {
	b := newBench(t)
	before := b.shop.Snapshot(t)
	r, p := b.ask(demoshop.ErasurePerson, "erasure", "opt_out")
	b.approve(r, "erasure")
	b.want(r, "erasure", dsr.StatusInGrace)
	b.pass(13 * day)
	_, err := b.app.Fulfill.WithdrawAsPerson(b.ctx, p, r.Reference, []string{"opt_out"})
	b.refuses(err, fault.Conflict, "not_possible_now")
	_, err = b.app.Fulfill.WithdrawAsPerson(b.ctx, p, r.Reference, []string{"erasure"})
	b.must(err)
	b.pass(60 * day)
	b.want(r, "erasure", dsr.StatusWithdrawn)
	b.want(r, "opt_out", dsr.StatusFulfilled)
	b.untouched(before, "after the person stopped the deletion")
}

// TestErasureWaitsForAccess: what is asked together with an erasure is handed over first, or waived.
func TestErasureWaitsForAccess(t *testing.T) {
	t.Parallel()
	for _, ending := range []string{"fulfilled", "withdrawn", "denied"} {
		t.Run(ending, func(t *testing.T) {
			b := newBench(t)
			before := b.shop.Snapshot(t)
			r, p := b.ask(demoshop.ErasurePerson, "access", "erasure")
			b.approve(r, "erasure")
			b.pass(40 * day)
			b.want(r, "erasure", dsr.StatusInGrace)
			b.want(r, "access", dsr.StatusInReview)
			b.untouched(before, "past the grace period, the access still open")
			access := b.of(r, "access")
			switch ending {
			case "fulfilled":
				b.approve(r, "access")
			case "withdrawn":
				_, err := b.app.Fulfill.WithdrawAsPerson(b.ctx, p, r.Reference, []string{"access"})
				b.must(err)
			case "denied":
				_, err := b.app.Fulfill.Deny(b.ctx, b.officer, access.ID, "other", "Said on the phone.")
				b.must(err)
			}
			b.drain()
			b.settle()
			b.want(r, "access", dsr.Status(ending))
			// The data did not move, but the day did: what was approved for the end of the grace period still fits.
			b.want(r, "erasure", dsr.StatusFulfilled)
			if ending == "fulfilled" {
				b.expectRows2(b.rowsOf(b.fetch(r, p, "access")), "customer", 1)
			}
		})
	}
}

func (b *bench) expectRows2(rows map[string][]map[string]any, table string, n int) {
	b.Helper()
	if len(rows[table]) != n {
		b.Errorf("the package holds %d rows of %s, want %d", len(rows[table]), table, n)
	}
}

// TestUnprovenExpires: a request that nobody proves ends by itself, a new link can be had until then, and what was
// written with it is purged on its day.
func TestUnprovenExpires(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.submit(b.public, intake.Input{Email: demoshop.ErasurePerson, Name: "Somebody", Types: []string{"erasure", "access"}})
	b.drain()
	b.pass(10 * day)
	old := b.link(r.Submission)
	_, err := b.app.Verify.RedeemLink(b.ctx, demo, old)
	b.refuses(err, fault.Gone, "link_gone")
	b.want(r, "erasure", dsr.StatusVerifying)
	b.must(b.app.Verify.Resend(b.ctx, demo, string(r.Reference), demoshop.ErasurePerson))
	b.drain()
	b.wantMails(r, "verification_again", 1)
	if b.link(r.Submission) == old {
		t.Fatal("the same link was sent again")
	}
	b.pass(60 * day)
	q := b.want(r, "erasure", dsr.StatusExpired)
	b.want(r, "access", dsr.StatusExpired)
	b.must(b.app.Verify.Resend(b.ctx, demo, string(r.Reference), demoshop.ErasurePerson))
	b.drain()
	b.wantMails(r, "verification_again", 1)
	purged := func() bool {
		obligations, _, err := b.app.Fulfill.Obligations(b.ctx, b.officer, "done", statute.Date{}, "", 100)
		b.must(err)
		return len(obligations) == 1 && obligations[0].Kind == "purge" && obligations[0].Request != ""
	}
	if purged() {
		t.Fatal("purged too early")
	}
	b.until(q.ReceivedAt.AddDate(7, 0, 0), nil)
	if !purged() {
		t.Error("what was written with an expired request is never purged")
	}
	// After the purge a new link is asked for: the answer is the same as ever.
	b.must(b.app.Verify.Resend(b.ctx, demo, string(r.Reference), demoshop.ErasurePerson))
}

// TestTwoApprovals wants two people, the second an approver, both for the plan as it stands.
func TestTwoApprovals(t *testing.T) {
	b := newBench(t, "approvals: 1", "approvals: 2")
	r, _ := b.ask(demoshop.ErasurePerson, "erasure")
	q := b.want(r, "erasure", dsr.StatusInReview)
	f := b.app.Fulfill
	_, err := f.Approve(b.ctx, b.officer, q.ID, "sha256:0000", "")
	b.refuses(err, fault.Conflict, "plan_changed")
	_, err = f.Approve(b.ctx, b.officer, q.ID, "", "")
	b.refuses(err, fault.Invalid, "")
	_, err = f.Approve(b.ctx, b.auditor, q.ID, q.PlanDigest, "")
	b.refuses(err, fault.Forbidden, "not_allowed")
	_, err = f.Approve(b.ctx, b.product, q.ID, q.PlanDigest, "")
	b.refuses(err, fault.Forbidden, "not_allowed")

	first, err := f.Approve(b.ctx, b.officer, q.ID, q.PlanDigest, "")
	b.must(err)
	if first.Have != 1 || first.Need != 2 || first.Request.Status != dsr.StatusInReview {
		t.Fatalf("after the first approval: %+v", first)
	}
	_, err = f.Approve(b.ctx, b.officer, q.ID, q.PlanDigest, "")
	b.refuses(err, fault.Conflict, "approved_already")
	both := b.officer
	both.Roles = append(both.Roles, "approver")
	_, err = f.Approve(b.ctx, both, q.ID, q.PlanDigest, "")
	b.refuses(err, fault.Conflict, "approved_already")
	_, err = f.Approve(b.ctx, b.second, q.ID, q.PlanDigest, "")
	b.refuses(err, fault.Forbidden, "approver_needed")
	if n := b.leaves()["request.approve/refused"]; n != 3 {
		t.Errorf("%d refusals are in the log, want 3", n)
	}

	// The data move, and the plan is made anew: the first approval named another digest and counts no more.
	b.exec(b.insertable())
	fresh, err := f.Replan(b.ctx, b.officer, q.ID)
	b.must(err)
	_, err = f.Approve(b.ctx, b.approver, q.ID, q.PlanDigest, "")
	b.refuses(err, fault.Conflict, "plan_changed")
	second, err := f.Approve(b.ctx, b.approver, q.ID, fresh.Digest, "")
	b.must(err)
	if second.Have != 1 {
		t.Fatalf("an approval of another plan counts: %+v", second)
	}
	_, err = f.Approve(b.ctx, b.officer, q.ID, fresh.Digest, "")
	b.refuses(err, fault.Forbidden, "approver_needed")
	other := b.approver
	other.Subject = "anna"
	last, err := f.Approve(b.ctx, other, q.ID, fresh.Digest, "")
	b.must(err)
	if last.Have != 2 || last.Request.Status != dsr.StatusInGrace {
		t.Fatalf("after the second approval: %+v", last)
	}
}

// TestAnswerNeedsTwo: a right that is answered by letter needs as many approvals as the policy wants, too.
func TestAnswerNeedsTwo(t *testing.T) {
	b := newBench(t, "opt_out: {review: auto}", "opt_out: {review: auto}\n  appeal: {review: officer, approvals: 2}")
	r, _ := b.ask("p@example.net", "appeal")
	q := b.want(r, "appeal", dsr.StatusInReview)
	_, err := b.app.Fulfill.Answer(b.ctx, b.officer, q.ID, "First words.")
	b.must(err)
	b.drain()
	b.want(r, "appeal", dsr.StatusInReview)
	_, err = b.app.Fulfill.Answer(b.ctx, b.approver, q.ID, "The words of both.")
	b.must(err)
	b.drain()
	b.want(r, "appeal", dsr.StatusFulfilled)
	if m := b.wantMails(r, "answered", 1); len(m) == 1 && !strings.Contains(m[0].Text, "The words of both.") {
		t.Error("the letter does not hold the last words")
	}
}

// TestDriftInGrace: rows that come, or are exchanged for as many others, take a request back into review; approved
// anew it runs at once, for a grace period is waited once.
func TestDriftInGrace(t *testing.T) {
	t.Parallel()
	me := "(SELECT customer_id FROM customer WHERE email = '" + demoshop.ErasurePerson + "')"
	for name, drift := range map[string]string{
		"a row more":      "INSERT",
		"as many, others": "UPDATE upload SET upload_id = upload_id + 100000 WHERE upload_id = (SELECT max(upload_id) FROM upload WHERE customer_id = " + me + ")",
		"a row less":      "DELETE FROM product_review WHERE review_id = (SELECT max(review_id) FROM product_review WHERE customer_id = " + me + ")",
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			r, _ := b.ask(demoshop.ErasurePerson, "erasure")
			q := b.want(r, "erasure", dsr.StatusInReview)
			b.approve(r, "erasure")
			b.pass(3 * day)
			if strings.HasPrefix(drift, "INSERT") {
				drift = b.insertable()
			}
			b.exec(drift)
			before := b.shop.Snapshot(t)
			b.pass(11*day + time.Hour)
			again := b.want(r, "erasure", dsr.StatusInReview)
			if !again.AnsweredAt.IsZero() {
				t.Error("what was decided no longer holds, and the request still counts as answered")
			}
			if again.PlanDigest == q.PlanDigest {
				t.Fatal("the plan has the old digest")
			}
			b.untouched(before, "planned anew")
			_, err := b.app.Fulfill.Approve(b.ctx, b.officer, q.ID, q.PlanDigest, "")
			b.refuses(err, fault.Conflict, "plan_changed")
			b.approve(r, "erasure")
			b.want(r, "erasure", dsr.StatusFulfilled)
			if n := b.shop.Count(t, "SELECT count(*) FROM upload WHERE customer_id = "+me) + b.shop.Count(t, "SELECT count(*) FROM newsletter_entry WHERE email = ?", demoshop.ErasurePerson); n != 0 {
				t.Errorf("%d rows are left", n)
			}
			b.wantMails(r, "erasure_scheduled", 1)
			b.wantMails(r, "erasure_done", 1)
		})
	}
}

// insertable fills in the columns of newsletter_entry as the schema has them.
func (b *bench) insertable() string {
	var cols []string
	cols = append(cols, b.keys("SELECT name FROM pragma_table_info('newsletter_entry') WHERE pk = 0")...)
	list := strings.Join(cols, ", ")
	return "INSERT INTO newsletter_entry (" + list + ") SELECT " + list + " FROM newsletter_entry WHERE email = '" + demoshop.ErasurePerson + "' LIMIT 1"
}

// TestHolds: nothing is erased while a hold stands, placed before the approval, in the grace period or when the
// execution has begun; what it stopped goes on when it is released.
func TestHolds(t *testing.T) {
	t.Parallel()
	t.Run("before the approval", func(t *testing.T) {
		b := newBench(t)
		r, _ := b.ask(demoshop.ErasurePerson, "erasure")
		q := b.want(r, "erasure", dsr.StatusInReview)
		b.hold(q.ID)
		_, err := b.app.Fulfill.Approve(b.ctx, b.officer, q.ID, q.PlanDigest, "")
		b.refuses(err, fault.Conflict, "on_hold")
		b.release(q.ID)
		_, err = b.app.Fulfill.ReleaseHold(b.ctx, b.officer, q.ID, "")
		b.refuses(err, fault.Conflict, "no_hold")
		b.approve(r, "erasure")
	})
	t.Run("in grace", func(t *testing.T) {
		b := newBench(t)
		before := b.shop.Snapshot(t)
		r, _ := b.ask(demoshop.ErasurePerson, "erasure")
		b.approve(r, "erasure")
		q := b.want(r, "erasure", dsr.StatusInGrace)
		b.hold(q.ID)
		b.hold(q.ID)
		b.pass(100 * day)
		b.want(r, "erasure", dsr.StatusInGrace)
		b.untouched(before, "on hold")
		b.release(q.ID)
		b.drain()
		b.settle()
		if q := b.of(r, "erasure"); q.Status == dsr.StatusInReview { // 100 days later rows may have come to their end
			b.approve(r, "erasure")
		}
		b.want(r, "erasure", dsr.StatusFulfilled)
	})
	t.Run("while it runs", func(t *testing.T) {
		b := newBench(t)
		r, _ := b.ask(demoshop.ErasurePerson, "erasure")
		b.approve(r, "erasure")
		q := b.of(r, "erasure")
		b.clock.add(14*day + time.Hour)
		// Step by step until the rows are captured and the next thing is to touch them.
		for b.of(r, "erasure").Stage != dsr.StageAct {
			b.must(b.app.Fulfill.Advance(b.ctx, demo, q.ID))
		}
		before := b.shop.Snapshot(t)
		b.hold(q.ID)
		b.drain()
		b.pass(30 * day)
		b.want(r, "erasure", dsr.StatusExecuting)
		b.untouched(before, "held while it ran")
		b.release(q.ID)
		b.drain()
		b.want(r, "erasure", dsr.StatusFulfilled)
	})
}

func (b *bench) hold(id dsr.RequestID) {
	b.Helper()
	_, err := b.app.Fulfill.Hold(b.ctx, b.officer, id, "litigation", statute.Date{})
	b.must(err)
}

func (b *bench) release(id dsr.RequestID) {
	b.Helper()
	_, err := b.app.Fulfill.ReleaseHold(b.ctx, b.officer, id, "")
	b.must(err)
}

// TestExtension: once, in time, with the dates of the law; a late one is refused.
func TestExtension(t *testing.T) {
	for _, c := range []struct {
		place         string
		due, extended string
		late          time.Duration
	}{
		// Received on Monday 2 March 2026. One month, and two further ones; both end on a weekday.
		{"eu", "2026-04-02", "2026-06-02", 40 * day},
		// 45 calendar days, and 45 further ones (Cal. Civ. Code § 1798.130(a)(2)(A)).
		{"us-ca", "2026-04-16", "2026-05-31", 50 * day},
	} {
		t.Run(c.place, func(t *testing.T) {
			b := newBench(t)
			r, _ := b.askWith(intake.Input{Email: demoshop.Person, Types: []string{"erasure"}, Jurisdiction: c.place})
			q := b.of(r, "erasure")
			if q.DueOn.String() != c.due || !q.ExtendedUntil.IsZero() {
				t.Errorf("due on %s, extended %s, want %s", q.DueOn, q.ExtendedUntil, c.due)
			}
			_, err := b.app.Fulfill.Extend(b.ctx, b.officer, q.ID, "weather", "It rains.")
			b.refuses(err, fault.Invalid, "")
			got, err := b.app.Fulfill.Extend(b.ctx, b.officer, q.ID, "complexity", "Many systems have to be looked through.")
			b.must(err)
			if got.ExtendedUntil.String() != c.extended {
				t.Errorf("extended until %s, want %s", got.ExtendedUntil, c.extended)
			}
			b.drain()
			b.wantMails(r, "extended", 1)
			_, err = b.app.Fulfill.Extend(b.ctx, b.officer, q.ID, "complexity", "Once more.")
			b.refuses(err, fault.Conflict, "extended_already")

			late, _ := b.askWith(intake.Input{Email: demoshop.ErasurePerson, Types: []string{"erasure"}, Jurisdiction: c.place})
			b.pass(c.late)
			_, err = b.app.Fulfill.Extend(b.ctx, b.officer, late.Requests[0].ID, "complexity", "Too late.")
			b.refuses(err, fault.Conflict, "no_extension")
			if q := b.of(late, "erasure"); !q.ExtendedUntil.IsZero() {
				t.Error("a late extension was written")
			}
		})
	}
}

// TestPause stops the clock where the law does, and the date moves when it starts again.
func TestPause(t *testing.T) {
	b := newBench(t)
	r, _ := b.ask(demoshop.Person, "access")
	q := b.of(r, "access")
	_, err := b.app.Fulfill.Resume(b.ctx, b.officer, q.ID)
	b.refuses(err, fault.Conflict, "not_paused")
	_, err = b.app.Fulfill.Pause(b.ctx, b.officer, q.ID, "holidays", "We are away.")
	b.refuses(err, fault.Invalid, "")
	paused, err := b.app.Fulfill.Pause(b.ctx, b.officer, q.ID, "clarification", "Which years do you mean?")
	b.must(err)
	_, err = b.app.Fulfill.Pause(b.ctx, b.officer, q.ID, "identity", "And who are you?")
	b.refuses(err, fault.Conflict, "paused_already")
	b.drain()
	b.wantMails(r, "clarification", 1)
	b.pass(5 * day)
	resumed, err := b.app.Fulfill.Resume(b.ctx, b.officer, q.ID)
	b.must(err)
	if resumed.ClockPaused {
		t.Error("the clock still stands")
	}
	if paused.ClockPaused && !resumed.DueOn.After(q.DueOn) {
		t.Errorf("the clock stood for five days, and the date is %s as before", resumed.DueOn)
	}
	b.approve(r, "access")
	b.want(r, "access", dsr.StatusFulfilled)
	_, err = b.app.Fulfill.Pause(b.ctx, b.officer, q.ID, "clarification", "Too late.")
	b.refuses(err, fault.Conflict, "answered")
}

// TestDeny tells the person why, stops what was scheduled, and asks for everything that is missing at once.
func TestDeny(t *testing.T) {
	b := newBench(t)
	before := b.shop.Snapshot(t)
	r, p := b.ask(demoshop.ErasurePerson, "erasure")
	q := b.of(r, "erasure")
	_, err := b.app.Fulfill.Deny(b.ctx, b.officer, q.ID, "because", " ")
	if e, ok := fault.As(err); !ok || len(e.Fields) != 2 {
		t.Errorf("not every wrong field is named: %v", err)
	}
	b.approve(r, "erasure")
	_, err = b.app.Fulfill.Deny(b.ctx, b.officer, q.ID, "suspected_fraud", "The account was taken over yesterday.")
	b.must(err)
	b.pass(60 * day)
	b.want(r, "erasure", dsr.StatusDenied)
	b.untouched(before, "denied in grace")
	if m := b.wantMails(r, "denied", 1); len(m) == 1 && !strings.Contains(m[0].Text, "taken over yesterday") {
		t.Error("the letter does not say why")
	}
	v, err := b.app.Fulfill.Status(b.ctx, p, r.Reference)
	b.must(err)
	if v.Requests[0].Decision == "" || v.Requests[0].CanWithdraw {
		t.Errorf("the status page shows %+v", v.Requests[0])
	}
	_, err = b.app.Fulfill.Deny(b.ctx, b.officer, q.ID, "other", "again")
	b.refuses(err, fault.Conflict, "not_possible_now")
}

// TestAFailingSystemIsRetriedAndShown: a system that is away is tried again, and after the last try a person is told;
// a retry goes on.
func TestAFailingSystemIsRetriedAndShown(t *testing.T) {
	b := newBench(t)
	r, _ := b.ask(demoshop.Person, "access")
	b.exec("ALTER TABLE session RENAME TO session_away") // the map no longer fits
	q := b.of(r, "access")
	_, err := b.app.Fulfill.Approve(b.ctx, b.officer, q.ID, q.PlanDigest, "")
	b.must(err)
	b.drain()
	for range 60 {
		b.pass(time.Minute)
	}
	if q := b.of(r, "access"); q.NeedsAttention == "" || q.Status == dsr.StatusFulfilled {
		t.Fatalf("after an hour it is %s with attention %q after %d tries", q.Status, q.NeedsAttention, q.Attempts)
	}
	_, err = b.app.Fulfill.Retry(b.ctx, b.auditor, q.ID)
	b.refuses(err, fault.Forbidden, "")
	b.exec("ALTER TABLE session_away RENAME TO session")
	_, err = b.app.Fulfill.Retry(b.ctx, b.officer, q.ID)
	b.must(err)
	b.drain()
	b.want(r, "access", dsr.StatusFulfilled)
	_, err = b.app.Fulfill.Retry(b.ctx, b.officer, q.ID)
	b.refuses(err, fault.Conflict, "nothing_to_retry")
}

// TestAStopIsNoFailedTry: a program that is stopped in the middle of a step has not failed at it.
func TestAStopIsNoFailedTry(t *testing.T) {
	b := newBench(t)
	r := b.submit(b.public, intake.Input{Email: demoshop.Person, Types: []string{"access"}})
	ctx, cancel := context.WithCancel(b.ctx)
	cancel()
	if err := b.app.Fulfill.Advance(ctx, demo, r.Requests[0].ID); err == nil {
		t.Error("a step that was stopped says that it went well")
	}
	if q := b.want(r, "access", dsr.StatusReceived); q.Attempts != 0 || q.NeedsAttention != "" {
		t.Errorf("%d failed tries, attention %q", q.Attempts, q.NeedsAttention)
	}
	b.pass(2 * time.Minute)
	b.want(r, "access", dsr.StatusVerifying)
}
