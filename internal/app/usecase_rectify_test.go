package app_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/app/demoshop"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/intake"
)

// The shop, with what an invoice says of the person declared as copies.
func copies() []string {
	return []string{"        redact_now: [billing_email, billing_phone]", `        redact_now: [billing_email, billing_phone]
        columns:
          billing_email: {copy_of: customer.email}
          billing_phone: {copy_of: customer.phone}`}
}

const newMail = "nora.berg@example.net"

// correct asks for another e-mail address and phone and gives what stood there.
func (b *bench) correct() (intake.Receipt, int) {
	b.Helper()
	b.applyMap(copies()...)
	me := b.customer(demoshop.Person)
	b.exec("UPDATE invoice SET billing_email = (SELECT email FROM customer WHERE customer_id = ?1) WHERE customer_id = ?1", me)
	b.exec("UPDATE invoice SET billing_email = 'an.older@example.net' WHERE invoice_id = (SELECT min(invoice_id) FROM invoice WHERE customer_id = ?)", me)
	r, _ := b.askWith(intake.Input{Email: demoshop.Person, Types: []string{"rectification"},
		Changes: []dsr.Change{{Field: "email", To: newMail}, {Field: "phone", To: "+46 70 000 00 00"}}})
	return r, me
}

// TestRectificationOfEveryCopy writes a field and every copy that the map knows, tells of the copies that hold
// something else, and shows the values to those who decide and to nobody else.
func TestRectificationOfEveryCopy(t *testing.T) {
	b := newBench(t)
	r, me := b.correct()
	q := b.want(r, "rectification", dsr.StatusInReview)
	invoices := b.shop.Count(t, "SELECT count(*) FROM invoice WHERE customer_id = ? AND billing_email <> 'an.older@example.net'", me)
	letters := b.shop.Count(t, "SELECT count(*) FROM newsletter_entry WHERE "+mine(me, demoshop.Person)["newsletter_entry"])
	if invoices == 0 || letters == 0 {
		t.Fatal("the shop has no copies to correct")
	}
	plan, err := b.app.Fulfill.Plan(b.ctx, b.officer, q.ID)
	b.must(err)
	rows := map[string]int64{}
	for _, s := range plan.Steps {
		for _, c := range s.Changes {
			rows[s.Table+"."+c.Column] += s.Rows
			if c.Before == "" && c.Column != "billing_phone" || c.After == "" {
				t.Errorf("the officer does not see what %s.%s says", s.Table, c.Column)
			}
		}
	}
	if rows["customer.email"] != 1 || rows["customer.phone"] != 1 || rows["invoice.billing_email"] != int64(invoices) || rows["newsletter_entry.email"] != int64(letters) {
		t.Errorf("the plan writes %v", rows)
	}
	if len(plan.Withheld) != 1 || plan.Withheld[0].Table != "invoice" || plan.Withheld[0].Column != "billing_email" || plan.Withheld[0].Rows != 1 {
		t.Errorf("withheld: %+v", plan.Withheld)
	}
	b.valuesAreSealed(q.ID)

	before := b.shop.Snapshot(t)
	b.approve(r, "rectification")
	b.want(r, "rectification", dsr.StatusFulfilled)
	after := b.shop.Snapshot(t)
	if gone := before.Gone(after); gone["customer"] != 1 || gone["invoice"] < invoices || gone["newsletter_entry"] != letters || len(gone) != 3 {
		t.Errorf("rows that changed: %v", gone)
	}
	for query, want := range map[string]int{
		"SELECT count(*) FROM customer WHERE customer_id = ? AND email = '" + newMail + "' AND phone = '+46 70 000 00 00'": 1,
		"SELECT count(*) FROM invoice WHERE customer_id = ? AND billing_email = '" + newMail + "'":                         invoices,
		"SELECT count(*) FROM invoice WHERE customer_id = ? AND billing_email = 'an.older@example.net'":                    1,
		"SELECT count(*) FROM newsletter_entry WHERE ? > 0 AND email = '" + newMail + "'":                                  letters,
	} {
		if n := b.shop.Count(t, query, me); n != want {
			t.Errorf("%s: %d, want %d", query, n, want)
		}
	}
	b.wantMails(r, "rectified", 1)
}

// valuesAreSealed looks that an auditor sees no value, and that none stands in the program's own files.
func (b *bench) valuesAreSealed(id dsr.RequestID) {
	b.Helper()
	for _, p := range []access.Principal{b.auditor, {Kind: access.KindJob, Tenant: demoshop.Tenant}} {
		seen, err := b.app.Fulfill.Plan(b.ctx, p, id)
		b.must(err)
		for _, s := range seen.Steps {
			for _, c := range s.Changes {
				if c.Before != "" || c.After != "" || c.Column == "" {
					b.Errorf("%s sees the values of %s.%s", p.Kind, s.Table, c.Column)
				}
			}
		}
	}
	v, err := b.app.Fulfill.Request(b.ctx, b.auditor, id)
	b.must(err)
	if v.Plan == nil || len(v.Plan.Steps) == 0 || v.Plan.Steps[0].Changes[0].Before != "" {
		b.Error("the auditor's page shows a value")
	}
	files, err := filepath.Glob(filepath.Join(b.dir, "*"))
	b.must(err)
	for _, f := range files {
		content, err := os.ReadFile(f) //nolint:gosec // our own data dir
		if err != nil {
			continue // a folder
		}
		if bytes.Contains(content, []byte(newMail)) || bytes.Contains(content, []byte("+46 70 000 00 00")) {
			b.Errorf("%s holds a value in the clear", filepath.Base(f))
		}
	}
}

// TestRectificationIsLookedAtAgain: what something wrote over is told after a day, and again after a week; what is as
// it was written is not, and the recorded keys go with the last look.
func TestRectificationIsLookedAtAgain(t *testing.T) {
	b := newBench(t)
	r, me := b.correct()
	b.approve(r, "rectification")
	q := b.want(r, "rectification", dsr.StatusFulfilled)
	b.pass(23 * time.Hour)
	b.exec("UPDATE newsletter_entry SET email = ? WHERE email = ?", demoshop.Person, newMail)
	if b.of(r, "rectification").NeedsAttention != "" {
		t.Error("it was looked at before the day was over")
	}
	b.pass(2 * time.Hour)
	q = b.of(r, "rectification")
	v := b.view(q.ID)
	if q.NeedsAttention != dsr.AttentionOverwritten || len(v.Findings) != 1 || v.Findings[0].Table != "newsletter_entry" || v.Findings[0].Column != "email" || v.Findings[0].Rows == 0 {
		t.Fatalf("attention %q, findings %+v", q.NeedsAttention, v.Findings)
	}
	if n := b.leaves()["rectification.overwritten/failed"]; n != 1 {
		t.Errorf("%d leaves tell of it", n)
	}
	_, err := b.app.Fulfill.Retry(b.ctx, b.officer, q.ID)
	b.must(err)
	b.exec("UPDATE newsletter_entry SET email = ? WHERE email = ?", newMail, demoshop.Person)
	b.exec("UPDATE customer SET phone = 'somebody else wrote this' WHERE customer_id = ?", me)
	b.pass(5 * day)
	if a := b.of(r, "rectification").NeedsAttention; a != "" {
		t.Errorf("before the week is over: %q", a)
	}
	b.pass(1*day + time.Hour)
	if v := b.view(q.ID); v.Request.NeedsAttention != dsr.AttentionOverwritten || len(v.Findings) != 1 || v.Findings[0].Column != "phone" {
		t.Errorf("after a week: %q, %+v", v.Request.NeedsAttention, v.Findings)
	}
	var n int
	b.must(b.own().QueryRowContext(b.ctx, "SELECT count(*) FROM capture").Scan(&n))
	if n != 0 {
		t.Errorf("%d chunks of recorded keys are left after the last look", n)
	}
}

// TestOwnHandIsNoStranger: a correction that the person had corrected again is not told as overwritten.
func TestOwnHandIsNoStranger(t *testing.T) {
	b := newBench(t)
	ask := func(to string) intake.Receipt {
		r, _ := b.askWith(intake.Input{Email: demoshop.Person, Types: []string{"rectification"}, Changes: []dsr.Change{{Field: "full_name", To: to}}})
		b.approve(r, "rectification")
		b.want(r, "rectification", dsr.StatusFulfilled)
		return r
	}
	first := ask("Nora One")
	b.pass(time.Hour)
	second := ask("Nora Two")
	b.pass(8 * day)
	for _, r := range []intake.Receipt{first, second} {
		if q := b.of(r, "rectification"); q.NeedsAttention != "" {
			t.Errorf("attention %q", q.NeedsAttention)
		}
	}
}

// TestRectificationWaitsForAccess: a correction of the identifier waits for the access that was asked with it: written
// first, nobody would be found any more.
func TestRectificationWaitsForAccess(t *testing.T) {
	b := newBench(t)
	r, _ := b.askWith(intake.Input{Email: demoshop.Person, Types: []string{"access", "rectification"}, Changes: []dsr.Change{{Field: "email", To: newMail}}})
	b.approve(r, "rectification")
	b.want(r, "rectification", dsr.StatusExecuting)
	if b.shop.Count(t, "SELECT count(*) FROM customer WHERE email = ?", newMail) != 0 {
		t.Fatal("the identifier was changed while an access waits for it")
	}
	b.approve(r, "access")
	b.want(r, "access", dsr.StatusFulfilled)
	b.wantMails(r, "nothing_held", 0)
	b.settle()
	b.want(r, "rectification", dsr.StatusFulfilled)
}

// TestMisfitsAreNamed: a value that the database would refuse is refused in the plan, by the name of its field.
func TestMisfitsAreNamed(t *testing.T) {
	b := newBench(t)
	other := b.keys("SELECT email FROM customer WHERE email <> ? LIMIT 1", demoshop.Person)[0]
	for field, to := range map[string]string{"email": other, "birth_date": "the first of May", "full_name": "", "household_member.role": "king", "shoe_size": "44"} {
		r, _ := b.askWith(intake.Input{Email: demoshop.Person, Types: []string{"rectification"}, Changes: []dsr.Change{{Field: field, To: to}}})
		v := b.view(r.Requests[0].ID)
		if field == "full_name" { // a text may be emptied: the table allows it
			if v.Request.NeedsAttention != "" {
				t.Errorf("%s: %q", field, v.Request.NeedsAttention)
			}
			continue
		}
		if v.Request.NeedsAttention != dsr.AttentionPlanRefused || v.Plan == nil || len(v.Plan.Refusals) != 1 || !strings.Contains(v.Plan.Refusals[0].Message, field) {
			t.Errorf("%s: attention %q, plan %+v", field, v.Request.NeedsAttention, v.Plan)
			continue
		}
		if strings.Contains(v.Plan.Refusals[0].Message, to) && to != "king" {
			t.Errorf("%s: the refusal quotes the value", field)
		}
		_, err := b.app.Fulfill.Approve(b.ctx, b.officer, v.Request.ID, v.Request.PlanDigest, "")
		b.refuses(err, fault.Conflict, "plan_refused")
	}
}

// TestRectificationCutOffAnywhere stops the program before the k-th look at the clock, goes on with a fresh one, and
// wants the end of a run that nobody disturbed.
func TestRectificationCutOffAnywhere(t *testing.T) {
	t.Parallel()
	stride, cuts := 21, 0
	if soak() {
		stride = 1
	}
	for k := 1; ; k += stride {
		b := newBench(t)
		r, me := b.correct()
		q := b.want(r, "rectification", dsr.StatusInReview)
		_, err := b.app.Fulfill.Approve(b.ctx, b.officer, q.ID, q.PlanDigest, "")
		b.must(err)
		if !b.cutAt(k) {
			break
		}
		cuts++
		b.drain()
		b.settle()
		b.want(r, "rectification", dsr.StatusFulfilled)
		b.wantMails(r, "rectified", 1)
		if n := b.shop.Count(t, "SELECT count(*) FROM customer WHERE customer_id = ? AND email = '"+newMail+"' AND phone = '+46 70 000 00 00'", me); n != 1 {
			t.Errorf("cut off at %d, the values are not there", k)
		}
		items, _, err := b.app.Fulfill.Obligations(b.ctx, b.officer, "open", statuteDay(b.clock.Now().Add(30*day)), "", 100)
		b.must(err)
		looks := 0
		for _, o := range items {
			if o.Kind == "recheck" {
				looks++
			}
		}
		if looks != 2 {
			t.Errorf("cut off at %d, %d looks are owed", k, looks)
		}
	}
	if cuts < 3 {
		t.Fatalf("only %d runs were cut off", cuts)
	}
	t.Logf("%d runs were cut off", cuts)
}

// cutAt drains until the k-th look at the clock, ends the program there and opens it again; false when the work was
// done before.
func (b *bench) cutAt(k int) bool {
	b.Helper()
	ctx, cancel := context.WithCancel(b.ctx)
	defer cancel()
	n, cut := 0, false
	breaks := func(fn func() bool) {
		b.clock.mu.Lock()
		defer b.clock.mu.Unlock()
		b.clock.broken = fn
	}
	breaks(func() bool {
		if n++; n == k {
			cut = true
			cancel()
		}
		return false
	})
	_, _ = b.app.Drain(ctx, 5000)
	breaks(nil)
	if !cut {
		return false
	}
	b.must(b.app.Close())
	b.open()
	b.pass(2 * time.Minute) // the claim of the one that died runs out
	return true
}
