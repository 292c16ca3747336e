package notify_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/auditlog"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/mail"
	"github.com/habeas-data/habeas/internal/notify"
	"github.com/habeas-data/habeas/internal/statute"
	"github.com/habeas-data/habeas/internal/store"
	"github.com/habeas-data/habeas/internal/store/storetest"
	"github.com/habeas-data/habeas/internal/tenant"
)

// sender takes mails and answers with what it is told.
type sender struct {
	sent []mail.Message
	err  error
}

func (s *sender) Send(_ context.Context, m mail.Message) error {
	s.sent = append(s.sent, m)
	return s.err
}

type office struct {
	db     *storetest.Database
	outbox *notify.Outbox
	post   *notify.Post
	sender *sender
	sub    dsr.Submission
	set    *tenant.Settings
}

func newOffice(t *testing.T, keep bool) *office {
	t.Helper()
	book, err := statute.Load()
	if err != nil {
		t.Fatal(err)
	}
	o := &office{db: storetest.New(t), sender: &sender{}}
	registry := tenant.New(o.db.Store, book)
	src, err := os.ReadFile("testdata/policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if _, problems, err := registry.Apply(t.Context(), tenant.Files{PolicyName: "policy.yaml", Policy: src}, auditlog.Actor{Kind: "system"}); err != nil || tenant.Wrong(problems) {
		t.Fatal(err, problems)
	}
	if o.outbox, err = notify.NewOutbox("https://privacy.example.com/", book); err != nil {
		t.Fatal(err)
	}
	deps := notify.PostDeps{Store: o.db.Store, Tenants: registry, Sender: o.sender, Now: o.db.Clock.Now}
	if keep {
		deps.Sender = nil
	}
	o.post = notify.NewPost(deps)
	o.sub = dsr.Submission{ID: dsr.SubmissionID(dsr.NewID()), Tenant: storetest.Tenant, Reference: "HB-7K3M-92QD", Channel: dsr.ChannelForm,
		Jurisdiction: "eu", Language: "de", Person: dsr.Person{Email: "ada@example.com", Name: "Mallory <evil>", Message: "BUY NOW https://evil.example"}, ReceivedAt: o.db.Clock.Now(), ConfigVersion: 1}
	o.tx(t, func(tx *store.Tx) error {
		if o.set, err = registry.Current(tx); err != nil {
			return err
		}
		req := &dsr.Request{ID: dsr.RequestID(dsr.NewID()), Submission: o.sub.ID, Reference: o.sub.Reference, Right: dsr.RightAccess, Status: dsr.StatusReceived, ReceivedAt: o.sub.ReceivedAt}
		return tx.CreateSubmission(&o.sub, []*dsr.Request{req}, store.Act{By: auditlog.Actor{Kind: "public"}, Action: "request.create"})
	})
	return o
}

func (o *office) tx(t *testing.T, fn func(*store.Tx) error) {
	t.Helper()
	if err := o.db.InTx(t.Context(), storetest.Tenant, fn); err != nil {
		t.Fatal(err)
	}
}

// queue puts one verification mail into the outbox and gives its row.
func (o *office) queue(t *testing.T, dedupe string) store.OutMail {
	t.Helper()
	var m store.OutMail
	o.tx(t, func(tx *store.Tx) error {
		reqs, err := tx.RequestsOf(o.sub.ID)
		if err != nil {
			return err
		}
		d := o.outbox.Data(o.set.Policy, o.sub, reqs)
		d.Link = o.outbox.URL(storetest.Tenant, "verify?token=Zm9vYmFyYmF6cXV4Zm9vYg")
		if err := o.outbox.Queue(tx, notify.Mail{Kind: notify.KindVerification, To: "ada@example.com", Submission: o.sub.ID, Dedupe: dedupe, Data: d}); err != nil {
			return err
		}
		items, _, err := tx.ListMail(50, "")
		m = items[0]
		return err
	})
	return m
}

func (o *office) mail(t *testing.T, id string) store.OutMail {
	t.Helper()
	var m store.OutMail
	o.tx(t, func(tx *store.Tx) (err error) { m, err = tx.Mail(id); return err })
	return m
}

func TestQueuedLetter(t *testing.T) {
	o := newOffice(t, false)
	m := o.queue(t, "verify:1")
	if m.Language != "de" || !strings.HasSuffix(m.MessageID, "@privacy.example.com") || !strings.HasPrefix(m.MessageID, m.ID) {
		t.Errorf("language %s, Message-ID %s", m.Language, m.MessageID)
	}
	if !slices.Contains(strings.Split(m.Text, "\n"), "https://privacy.example.com/acme/verify?token=Zm9vYmFyYmF6cXV4Zm9vYg") {
		t.Errorf("the link does not stand alone:\n%s", m.Text)
	}
	for _, typed := range []string{"Mallory", "evil", "BUY NOW"} {
		if strings.Contains(m.Text+m.HTML+m.Subject, typed) {
			t.Errorf("the letter repeats %q, which somebody typed", typed)
		}
	}
	if again := o.queue(t, "verify:1"); again.ID != m.ID {
		t.Error("the same cause queued two letters")
	}
}

func TestDeliverSendsOnce(t *testing.T) {
	o := newOffice(t, false)
	m := o.queue(t, "1")
	for range 3 {
		if err := o.post.Deliver(t.Context(), storetest.Tenant, m.ID); err != nil {
			t.Fatal(err)
		}
	}
	if len(o.sender.sent) != 1 {
		t.Fatalf("sent %d times", len(o.sender.sent))
	}
	got := o.sender.sent[0]
	if got.From != "privacy@acme.example" || got.FromName != "Acme" || got.To != "ada@example.com" || got.MessageID != m.MessageID || got.Text != m.Text || got.HTML != m.HTML || got.Language != "de" {
		t.Errorf("sent %+v", got)
	}
	if _, err := mail.Compose(got, true); err != nil {
		t.Error(err)
	}
	if after := o.mail(t, m.ID); after.State != store.OutSent || after.SentAt.IsZero() {
		t.Errorf("marked %s", after.State)
	}
}

func TestDeliverKeepsWithoutServer(t *testing.T) {
	o := newOffice(t, true)
	m := o.queue(t, "1")
	if err := o.post.Deliver(t.Context(), storetest.Tenant, m.ID); err != nil {
		t.Fatal(err)
	}
	if after := o.mail(t, m.ID); after.State != store.OutKept {
		t.Errorf("marked %s", after.State)
	}
}

func TestDeliverRetriesForThreeDays(t *testing.T) {
	o := newOffice(t, false)
	m := o.queue(t, "1")
	o.sender.err = fmt.Errorf("talking to the server: %w", errors.New("no route, ada@example.com"))
	if !mail.Temporary(o.sender.err) {
		t.Fatal("the error of the test is not a passing one")
	}
	want := []time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour, 12 * time.Hour}
	start := o.db.Clock.Now()
	for i, wait := range want {
		if err := o.post.Deliver(t.Context(), storetest.Tenant, m.ID); err == nil {
			t.Fatal("a failed try gives no error")
		}
		after := o.mail(t, m.ID)
		if got := after.NextAt.Sub(o.db.Clock.Now()); after.State != store.OutQueued || got != wait {
			t.Fatalf("after try %d: %s, again in %s and not in %s", i+1, after.State, got, wait)
		}
		if strings.Contains(after.LastError, "@") || after.LastError == "" {
			t.Errorf("the row says %q", after.LastError)
		}
		o.db.Clock.Move(wait - time.Second)
		if err := o.post.Deliver(t.Context(), storetest.Tenant, m.ID); err != nil {
			t.Fatal("a letter that is not due was tried:", err)
		}
		o.db.Clock.Move(time.Second)
	}
	for range 10 {
		_ = o.post.Deliver(t.Context(), storetest.Tenant, m.ID)
		o.db.Clock.Move(12 * time.Hour)
	}
	after := o.mail(t, m.ID)
	if after.State != store.OutFailed || after.LastError != "gave_up" {
		t.Errorf("after %s: %s %s", o.db.Clock.Now().Sub(start), after.State, after.LastError)
	}
	if last := o.sender.sent[len(o.sender.sent)-1]; last.MessageID != m.MessageID {
		t.Error("the Message-ID changed between tries")
	}
	o.audited(t, "mail.fail", "gave_up")
}

func TestDeliverGivesUpWhatIsRefused(t *testing.T) {
	o := newOffice(t, false)
	m := o.queue(t, "1")
	o.sender.err = fault.New(fault.Invalid, "bad_mail", "The mail can't be written.")
	if mail.Temporary(o.sender.err) {
		t.Fatal("the error of the test is a passing one")
	}
	if err := o.post.Deliver(t.Context(), storetest.Tenant, m.ID); err == nil {
		t.Error("no error")
	}
	if after := o.mail(t, m.ID); after.State != store.OutFailed {
		t.Errorf("marked %s", after.State)
	}
	o.audited(t, "mail.fail", "refused")
}

// audited looks for a leaf of an action.
func (o *office) audited(t *testing.T, action, code string) {
	t.Helper()
	if _, err := o.db.Sequence(t.Context(), storetest.Tenant); err != nil {
		t.Fatal(err)
	}
	o.tx(t, func(tx *store.Tx) error {
		items, _, err := tx.AuditEntries(store.AuditFilter{Action: action})
		if err == nil && (len(items) != 1 || items[0].Entry.Facts["code"] != code || items[0].Entry.Outcome != auditlog.OutcomeFailed) {
			t.Errorf("the log says %+v", items)
		}
		return err
	})
}

func TestOutboxData(t *testing.T) {
	o := newOffice(t, false)
	reqs := []dsr.Request{
		{Right: dsr.RightAccess, DueOn: statute.NewDate(2026, 12, 22)}, {Right: dsr.RightErasure, DueOn: statute.NewDate(2026, 12, 20)}, {Right: dsr.RightAccess},
	}
	d := o.outbox.Data(o.set.Policy, o.sub, reqs)
	if !slices.Equal(d.Rights, []dsr.Right{dsr.RightAccess, dsr.RightErasure}) || d.DueOn != statute.NewDate(2026, 12, 20) || d.StatusURL != "https://privacy.example.com/acme/r/HB-7K3M-92QD" ||
		d.AuthorityURL == "" || d.Appeal || d.Zone.String() != "Europe/Berlin" {
		t.Errorf("%+v", d)
	}
	// California gives an appeal against automated decisions, from 2027 on, and against nothing else.
	sub := o.sub
	sub.Jurisdiction, sub.ReceivedAt = "us-ca", time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC)
	if o.outbox.Data(o.set.Policy, sub, reqs).Appeal || !o.outbox.Data(o.set.Policy, sub, []dsr.Request{{Right: dsr.RightAutomatedDecisionReview}}).Appeal {
		t.Error("the appeal of California is wrong")
	}
}

func TestNewOutbox(t *testing.T) {
	for _, bad := range []string{"", "privacy.example.com", "ftp://x.example", "https://", "https://u:p@x.example", "https://x.example/?a=b"} {
		if _, err := notify.NewOutbox(bad, nil); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	o, err := notify.NewOutbox("http://127.0.0.1:8080/base/", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := o.URL("acme", "/r/X"); got != "http://127.0.0.1:8080/base/acme/r/X" {
		t.Error(got)
	}
}
