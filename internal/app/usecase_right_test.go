package app_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/app/demoshop"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/intake"
	"github.com/habeas-data/habeas/internal/plan"
	"github.com/habeas-data/habeas/internal/webhook"
)

// TestPackagesHoldWhatIsExpected takes every right that hands data over through, for both people of the shop, and
// holds the keys in the package against the second opinion, written by hand, of what is theirs.
func TestPackagesHoldWhatIsExpected(t *testing.T) {
	b := newBench(t)
	for _, person := range []string{demoshop.Person, demoshop.ErasurePerson} {
		for _, right := range []string{"access", "portability", "know_specific"} {
			r, p := b.ask(person, right)
			b.approve(r, right)
			b.want(r, right, dsr.StatusFulfilled)
			b.wantMails(r, "package_ready", 1)
			b.expectRows(person, b.rowsOf(b.fetch(r, p, right)))
		}
	}
}

// expectRows holds the rows of a package against demoshop.Expect.
func (b *bench) expectRows(person string, rows map[string][]map[string]any) {
	b.Helper()
	expect := demoshop.Expect(person)
	for table, query := range expect {
		var got []string
		for _, row := range rows[table] {
			var key []string
			for _, c := range b.keys("SELECT printf('%02d ', pk) || name FROM pragma_table_info(?) WHERE pk > 0", table) {
				v, ok := row[c[3:]]
				if !ok {
					b.Fatalf("a row of %s has no %s", table, c[3:])
				}
				key = append(key, stringOf(v))
			}
			got = append(got, strings.Join(key, "|"))
		}
		slices.Sort(got)
		if want := b.keys(query); !slices.Equal(got, want) {
			b.Errorf("%s of %s holds %v, want %v", table, person, got, want)
		}
		delete(rows, table)
	}
	for table := range rows {
		b.Errorf("the package of %s holds %s", person, table)
	}
}

// TestRectification takes named fields through: before and after stand in the plan, the values are written, and
// nothing else is.
func TestRectification(t *testing.T) {
	b := newBench(t)
	r, _ := b.askWith(intake.Input{Email: demoshop.Person, Types: []string{"rectification"},
		Changes: []dsr.Change{{Field: "full_name", To: "Nora Lindqvist-Berg"}, {Field: "phone", To: "+46 70 000 00 00"}}})
	id := b.customer(demoshop.Person)
	old := b.keys("SELECT full_name FROM customer WHERE customer_id = ?", id)[0]
	var changes []plan.FieldChange
	for _, s := range b.view(r.Requests[0].ID).Plan.Steps {
		changes = append(changes, s.Changes...)
	}
	if i := slices.IndexFunc(changes, func(c plan.FieldChange) bool { return c.Column == "full_name" }); i < 0 || changes[i].Before != old || changes[i].After != "Nora Lindqvist-Berg" {
		t.Errorf("the plan shows the changes %v", changes)
	}
	before := b.shop.Snapshot(t)
	b.approve(r, "rectification")
	b.want(r, "rectification", dsr.StatusFulfilled)
	after := b.shop.Snapshot(t)
	if gone, fresh := before.Gone(after), before.New(after); len(gone) != 1 || gone["customer"] != 1 || len(fresh) != 1 || fresh["customer"] != 1 {
		t.Errorf("rows that went: %v, came: %v", gone, fresh)
	}
	if n := b.shop.Count(t, "SELECT count(*) FROM customer WHERE customer_id = ? AND full_name = 'Nora Lindqvist-Berg' AND phone = '+46 70 000 00 00'", id); n != 1 {
		t.Error("the values were not written")
	}
	b.wantMails(r, "rectified", 1)
}

// TestRectificationOfAMovedValue plans anew when the value is not the one that was approved to be replaced.
func TestRectificationOfAMovedValue(t *testing.T) {
	b := newBench(t)
	r, _ := b.askWith(intake.Input{Email: demoshop.Person, Types: []string{"rectification"}, Changes: []dsr.Change{{Field: "full_name", To: "N. L."}}})
	q := b.want(r, "rectification", dsr.StatusInReview)
	b.exec("UPDATE customer SET full_name = 'changed meanwhile' WHERE email = ?", demoshop.Person)
	b.approve(r, "rectification")
	again := b.want(r, "rectification", dsr.StatusInReview)
	if again.PlanDigest == q.PlanDigest {
		t.Fatal("the plan was not made anew")
	}
	if n := b.shop.Count(t, "SELECT count(*) FROM customer WHERE full_name = 'changed meanwhile'"); n != 1 {
		t.Fatal("the value was overwritten")
	}
	b.approve(r, "rectification")
	b.want(r, "rectification", dsr.StatusFulfilled)
}

// TestRectificationThatNobodyCanPlan shows a request to a person at once where asking again would give the same: a
// field that does not exist, and one that holds several values.
func TestRectificationThatNobodyCanPlan(t *testing.T) {
	b := newBench(t)
	for _, field := range []string{"shoe_size", "invoice.total_cents", "customer_id"} {
		r, _ := b.askWith(intake.Input{Email: demoshop.Person, Types: []string{"rectification"}, Changes: []dsr.Change{{Field: field, To: "1"}}})
		q := b.want(r, "rectification", dsr.StatusInReview)
		if q.NeedsAttention != dsr.AttentionPlanRefused || !q.NextActionAt.IsZero() {
			t.Errorf("%s: attention %q, next at %s", field, q.NeedsAttention, q.NextActionAt)
		}
		if _, err := b.app.Fulfill.Deny(b.ctx, b.officer, q.ID, "claim_not_covered", "There is no such field."); err != nil {
			t.Errorf("%s can't be denied: %v", field, err)
		}
	}
}

// TestSuppressions takes every right through that only puts a person on a list, looks what the guard answers, and
// what was told to the product.
func TestSuppressions(t *testing.T) {
	b := newBench(t)
	_, err := b.app.Oversee.AddEndpoint(b.ctx, b.admin, "http://127.0.0.1:1/hook", nil)
	b.must(err)
	for _, c := range []struct {
		right, purpose string
		proof, review  bool
		lists          []string
	}{
		{"restriction", "", true, true, []string{"restriction"}},
		{"objection", "", true, true, []string{"objection", "marketing"}},
		{"objection", "marketing", false, true, []string{"marketing"}},
		{"withdraw_consent", "", true, false, []string{"withdraw_consent", "marketing"}},
		{"opt_out", "", false, false, []string{"opt_out", "marketing"}},
		{"limit_sensitive", "", false, false, []string{"limit_sensitive"}},
	} {
		t.Run(c.right+" "+c.purpose, func(t *testing.T) {
			email := strings.ReplaceAll(c.right+c.purpose, "_", "-") + "@example.net"
			r := b.submit(b.public, intake.Input{Email: email, Types: []string{c.right}, Purpose: c.purpose})
			if listed := b.suppressed("", email); listed != nil {
				t.Errorf("before anything happened it is on %v", listed)
			}
			b.drain()
			if c.proof {
				b.want(r, c.right, dsr.StatusVerifying)
				b.prove(r)
				b.drain()
			} else {
				b.wantMails(r, "verification", 0)
			}
			if c.review {
				b.approve(r, c.right)
			}
			b.want(r, c.right, dsr.StatusFulfilled)
			for _, list := range []string{"restriction", "objection", "withdraw_consent", "opt_out", "limit_sensitive", "marketing"} {
				// However the address is written.
				got := b.suppressed(list, strings.ToUpper(email)) != nil
				if got != slices.Contains(c.lists, list) {
					t.Errorf("the guard answers %v for %s", got, list)
				}
			}
			event := webhook.EventSuppressionAdded
			if c.right == "restriction" {
				event = webhook.EventRestrictionApplied
			}
			if !slices.Contains(b.eventsOf(r), event) {
				t.Errorf("the product heard %v, want %s too", b.eventsOf(r), event)
			}
			b.wantMails(r, "suppressed", 1)
		})
	}
}

// TestSuppressionBySaidIdentifier: a backend opts its user out by the product's own id, which needs no proof.
func TestSuppressionBySaidIdentifier(t *testing.T) {
	b := newBench(t)
	r := b.submit(b.product, intake.Input{Subject: "4711", Types: []string{"opt_out"}})
	b.drain()
	b.want(r, "opt_out", dsr.StatusFulfilled)
	if b.suppressed("opt_out", "user_id:4711") == nil {
		t.Error("the opt-out was acknowledged and suppresses nothing")
	}
}

func (b *bench) suppressed(list, identifier string) []string {
	b.Helper()
	got, err := b.app.Fulfill.Suppressed(b.ctx, b.officer, list, []string{identifier})
	b.must(err)
	var out []string
	for _, l := range got[0].Lists {
		out = append(out, l.List)
	}
	return out
}

// eventsOf gives the events that the first endpoint was sent about a submission.
func (b *bench) eventsOf(r intake.Receipt) []string {
	b.Helper()
	ends, err := b.app.Oversee.Endpoints(b.ctx, b.admin)
	b.must(err)
	var out []string
	for cursor := ""; ; {
		items, next, err := b.app.Oversee.Deliveries(b.ctx, b.admin, ends[0].ID, cursor, 200)
		b.must(err)
		for _, d := range items {
			if strings.Contains(string(d.Body), string(r.Reference)) {
				out = append(out, d.Event)
			}
		}
		if cursor = next; next == "" {
			return out
		}
	}
}

// TestLetters answers what is answered by letter.
func TestLetters(t *testing.T) {
	b := newBench(t)
	for _, right := range []string{"appeal", "complaint", "know_categories", "third_party_list", "automated_decision_review"} {
		r, _ := b.ask("person@example.net", right)
		q := b.want(r, right, dsr.StatusInReview)
		if q.DueOn.IsZero() {
			t.Errorf("%s has no legal date", right)
		}
		words := "These are the words about " + right + "."
		_, err := b.app.Fulfill.Answer(b.ctx, b.auditor, q.ID, words)
		b.refuses(err, fault.Forbidden, "not_allowed")
		_, err = b.app.Fulfill.Answer(b.ctx, b.officer, q.ID, words)
		b.must(err)
		b.drain()
		q = b.want(r, right, dsr.StatusFulfilled)
		if q.AnsweredAt.IsZero() {
			t.Errorf("%s has no day of its answer", right)
		}
		if m := b.wantMails(r, "answered", 1); len(m) == 1 && !strings.Contains(m[0].Text, words) {
			t.Errorf("the letter lacks the officer's words:\n%s", m[0].Text)
		}
	}
	r, _ := b.ask(demoshop.Person, "access")
	_, err := b.app.Fulfill.Answer(b.ctx, b.officer, r.Requests[0].ID, "words")
	b.refuses(err, fault.Conflict, "not_by_letter")
}

// TestEveryRightEnters: each right of the contract is taken and gets a date in each jurisdiction of the policy.
func TestEveryRightEnters(t *testing.T) {
	b := newBench(t)
	for _, place := range []string{"eu", "uk", "us-ca", ""} {
		for _, right := range dsr.Rights() {
			r := b.submit(b.public, intake.Input{Email: "p@example.net", Types: []string{string(right)}, Jurisdiction: place,
				Changes: []dsr.Change{{Field: "full_name", To: "P"}}})
			if q := r.Requests[0]; q.Status != dsr.StatusReceived || q.DueOn.IsZero() || q.DueOn.Before(statuteDay(benchStart())) {
				t.Errorf("%s in %q: %s, due on %s", right, place, q.Status, q.DueOn)
			}
		}
	}
	b.drain()
	b.pass(24 * time.Hour)
}
