package app_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/app/demoshop"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/intake"
)

// TestALinkWorksOnce: of a hundred who press the button at once, one gets a session; looking changes nothing.
func TestALinkWorksOnce(t *testing.T) {
	b := newBench(t)
	r := b.submit(b.public, intake.Input{Email: demoshop.Person, Types: []string{"access"}})
	b.drain()
	token := b.link(r.Submission)
	for range 10 {
		pending, err := b.app.Verify.Peek(b.ctx, demo, token)
		b.must(err)
		if pending.Reference != r.Reference || len(pending.Rights) != 1 {
			t.Fatalf("the page shows %+v", pending)
		}
	}
	b.want(r, "access", dsr.StatusVerifying)
	for _, wrong := range []string{"", "x", token + "x", token[:len(token)-1], strings.ToUpper(token), strings.Repeat("a", 5000)} {
		_, err := b.app.Verify.RedeemLink(b.ctx, demo, wrong)
		b.refuses(err, fault.Gone, "link_gone")
		_, err = b.app.Verify.Peek(b.ctx, demo, wrong)
		b.refuses(err, fault.Gone, "link_gone")
	}
	_, err := b.app.Store.CreateTenant(b.ctx, "other")
	b.must(err)
	_, err = b.app.Verify.RedeemLink(b.ctx, "other", token)
	b.refuses(err, fault.Gone, "link_gone")

	var won atomic.Int32
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			switch _, err := b.app.Verify.RedeemLink(b.ctx, demo, token); {
			case err == nil:
				won.Add(1)
			case !fault.Is(err, fault.Gone):
				t.Errorf("a loser hears %v", err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Fatalf("%d of 100 got a session", won.Load())
	}
	_, err = b.app.Verify.Peek(b.ctx, demo, token)
	b.refuses(err, fault.Gone, "link_gone")
}

// TestSessionsAreTheirReferences: an access_token opens its own reference and tenant and nothing else.
func TestSessionsAreTheirReferences(t *testing.T) {
	b := newBench(t)
	one, p := b.ask(demoshop.Person, "access")
	two, _ := b.ask(demoshop.ErasurePerson, "access")
	if _, err := b.app.Fulfill.Status(b.ctx, p, two.Reference); !fault.Is(err, fault.NotFound) {
		t.Errorf("somebody else's status answers %v", err)
	}
	_, err := b.app.Fulfill.WithdrawAsPerson(b.ctx, p, two.Reference, nil)
	b.refuses(err, fault.NotFound, "")
	b.approve(two, "access")
	_, err = b.app.Fulfill.Download(b.ctx, p, two.Reference, "000000", "")
	b.refuses(err, fault.NotFound, "")
	b.refuses(b.app.Fulfill.SendDownloadCode(b.ctx, p, two.Reference), fault.NotFound, "")
	for _, token := range []string{"", "nonsense", string(one.Reference)} {
		_, err := b.app.Verify.Person(b.ctx, demo, string(one.Reference), token)
		b.refuses(err, fault.Unauthorized, "no_session")
	}
}

// TestMailsADay: five verification mails a day and address, however many submissions; the next day there is a sixth.
func TestMailsADay(t *testing.T) {
	b := newBench(t)
	first := b.submit(b.public, intake.Input{Email: demoshop.Person, Types: []string{"access"}})
	b.drain()
	for range 3 {
		b.must(b.app.Verify.Resend(b.ctx, demo, string(first.Reference), "Nora.Lindqvist@EXAMPLE.com"))
		b.pass(time.Second)
	}
	// The address in other capitals is the same mailbox to us: the limit is the address's, not the spelling's.
	for range 4 {
		b.submit(b.public, intake.Input{Email: "nora.lindqvist@EXAMPLE.com", Types: []string{"access"}})
		b.pass(time.Second)
	}
	count := func() (n int) {
		for _, m := range b.mails() {
			if strings.HasPrefix(m.Kind, "verification") && strings.EqualFold(m.To, demoshop.Person) {
				n++
			}
		}
		return n
	}
	if n := count(); n != 5 {
		t.Errorf("%d verification mails on one day, want 5", n)
	}
	if b.leaves()["verification.not_sent/refused"] == 0 {
		t.Error("what was not sent is not in the log")
	}
	b.pass(day + time.Minute)
	b.must(b.app.Verify.Resend(b.ctx, demo, string(first.Reference), demoshop.Person))
	b.drain()
	if n := count(); n != 6 {
		t.Errorf("%d verification mails after a day, want 6", n)
	}
}

// TestResendSaysNothing: unknown references, other people's addresses and no address answer alike, and send nothing.
func TestResendSaysNothing(t *testing.T) {
	b := newBench(t)
	r := b.submit(b.public, intake.Input{Email: demoshop.Person, Types: []string{"access"}})
	byID := b.submit(b.officer, intake.Input{Subject: fmt.Sprint(b.customer(demoshop.ErasurePerson)), Types: []string{"access"}})
	b.drain()
	n := len(b.mails())
	for _, c := range [][2]string{{"HB-2222-2222", demoshop.Person}, {"nonsense", demoshop.Person}, {"", ""},
		{string(r.Reference), demoshop.ErasurePerson}, {string(r.Reference), ""}, {string(r.Reference), "x"}, {string(byID.Reference), ""}} {
		if err := b.app.Verify.Resend(b.ctx, demo, c[0], c[1]); err != nil {
			t.Errorf("%v answers %v", c, err)
		}
	}
	b.drain()
	if got := len(b.mails()); got != n {
		t.Errorf("%d mails were sent", got-n)
	}
}

// TestMailGoesToTheStoredForm: the mailbox on file gets the link, not the spelling that somebody typed.
func TestMailGoesToTheStoredForm(t *testing.T) {
	b := newBench(t)
	b.exec("UPDATE customer SET email = 'Nora.Lindqvist@Example.COM' WHERE email = ?", demoshop.Person)
	// The local part is the mailbox's own business: other capitals there may be another person.
	for typed, to := range map[string]string{
		"Nora.Lindqvist@example.com": "Nora.Lindqvist@Example.COM",
		"Nora.Lindqvist@EXAMPLE.com": "Nora.Lindqvist@Example.COM",
		"NORA.LINDQVIST@example.com": "NORA.LINDQVIST@example.com",
	} {
		r, _ := b.ask(typed, "access")
		if m := b.wantMails(r, "verification", 1); len(m) == 1 && m[0].To != to {
			t.Errorf("%s: the mail went to %s, want %s", typed, m[0].To, to)
		}
		b.want(r, "access", map[bool]dsr.Status{true: dsr.StatusInReview, false: dsr.StatusFulfilled}[to == "Nora.Lindqvist@Example.COM"])
	}
}

// TestStrangersLookAlike: receipt and mail are the same text for somebody of whom nothing is held; only after the
// proof they are told so, and that is all.
func TestStrangersLookAlike(t *testing.T) {
	b := newBench(t)
	var texts [2]string
	for i, email := range []string{demoshop.Person, "nobody.at.all@example.org"} {
		r := b.submit(b.public, intake.Input{Email: email, Types: []string{"access", "erasure"}, Jurisdiction: "eu"})
		b.drain()
		m := b.wantMails(r, "verification", 1)[0]
		var receipt []string
		for _, q := range r.Requests {
			receipt = append(receipt, fmt.Sprint(q.Right, q.Status, q.AcknowledgeBy, q.DueOn))
		}
		text := strings.Join(receipt, "\n") + m.Subject + m.Text + m.HTML
		text = strings.ReplaceAll(text, string(r.Reference), "REFERENCE")
		texts[i] = regexp.MustCompile(`token=[A-Za-z0-9_-]+`).ReplaceAllString(text, "TOKEN")
		if i == 1 {
			b.prove(r)
			b.drain()
			b.settle()
			b.want(r, "access", dsr.StatusFulfilled)
			b.want(r, "erasure", dsr.StatusFulfilled)
			b.wantMails(r, "nothing_held", 2)
			b.wantMails(r, "erasure_scheduled", 0)
		}
	}
	if texts[0] != texts[1] {
		t.Errorf("the texts differ:\n%s\n----\n%s", texts[0], texts[1])
	}
}

// TestUnprovenIdentifiersFindNothing: whoever names somebody else's number with their own address gets their own rows
// alone, and erases nobody else.
func TestUnprovenIdentifiersFindNothing(t *testing.T) {
	b := newBench(t)
	victim := fmt.Sprint(b.customer(demoshop.ErasurePerson))
	r, p := b.askWith(intake.Input{Email: demoshop.Person, Identifiers: map[string]string{"user_id": victim}, Types: []string{"access"}})
	b.approve(r, "access")
	b.expectRows(demoshop.Person, b.rowsOf(b.fetch(r, p, "")))

	before := b.shop.Snapshot(t)
	thief, _ := b.askWith(intake.Input{Email: "thief@example.org", Identifiers: map[string]string{"user_id": victim}, Types: []string{"erasure", "access"}})
	b.want(thief, "access", dsr.StatusFulfilled)
	b.pass(60 * day)
	b.want(thief, "erasure", dsr.StatusFulfilled)
	b.untouched(before, "erased by somebody who proved another address")

	// An officer who enters a number without an address: the link goes to the address on file, and proves that address.
	entered := b.submit(b.officer, intake.Input{Subject: victim, Types: []string{"access"}})
	b.drain()
	if m := b.wantMails(entered, "verification", 1); len(m) == 1 && m[0].To != demoshop.ErasurePerson {
		t.Errorf("the link went to %s", m[0].To)
	}
}

// TestProductAssertion: a backend's word stands for the proof where the policy allows its method for every right
// asked, and is fresh; else the person proves it by mail.
func TestProductAssertion(t *testing.T) {
	b := newBench(t)
	fresh := func(age time.Duration) *intake.Assertion {
		return &intake.Assertion{Method: "product_session", AuthenticatedAt: b.clock.Now().Add(-age)}
	}
	id := fmt.Sprint(b.customer(demoshop.Person))
	for name, c := range map[string]struct {
		in   intake.Input
		want dsr.Status
	}{
		"allowed":             {intake.Input{Types: []string{"access"}, Assertion: fresh(time.Minute)}, dsr.StatusInReview},
		"not for an erasure":  {intake.Input{Types: []string{"erasure"}, Assertion: fresh(time.Minute)}, dsr.StatusVerifying},
		"not with an erasure": {intake.Input{Types: []string{"access", "erasure"}, Assertion: fresh(time.Minute)}, dsr.StatusVerifying},
		"stale":               {intake.Input{Types: []string{"access"}, Assertion: fresh(61 * time.Minute)}, dsr.StatusVerifying},
		"another method":      {intake.Input{Types: []string{"access"}, Assertion: &intake.Assertion{Method: "email_link", AuthenticatedAt: b.clock.Now()}}, dsr.StatusVerifying},
		"no assertion":        {intake.Input{Types: []string{"access"}}, dsr.StatusVerifying},
	} {
		c.in.Email, c.in.Subject = demoshop.Person, id
		r := b.submit(b.product, c.in)
		b.drain()
		if q := b.of(r, c.in.Types[0]); q.Status != c.want {
			t.Errorf("%s: %s, want %s", name, q.Status, c.want)
		}
	}
	for name, a := range map[string]*intake.Assertion{
		"in the future": {Method: "product_session", AuthenticatedAt: b.clock.Now().Add(time.Hour)},
		"without a day": {Method: "product_session"}, "without a method": {AuthenticatedAt: b.clock.Now()}} {
		if _, err := b.app.Intake.Submit(b.ctx, b.product, demo, intake.Input{Types: []string{"access"}, Subject: id, Assertion: a}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, p := range []access.Principal{b.officer, b.public} {
		_, err := b.app.Intake.Submit(b.ctx, p, demo, intake.Input{Types: []string{"access"}, Email: demoshop.Person, Assertion: fresh(0)})
		b.refuses(err, fault.Invalid, "")
	}
}

// TestVouchedPersonReachesTheirPackage: for whom a product vouched, no mail was needed; the link to the status page,
// and so the package, must be had all the same.
func TestVouchedPersonReachesTheirPackage(t *testing.T) {
	b := newBench(t)
	r := b.submit(b.product, intake.Input{Email: demoshop.Person, Types: []string{"access"}, Assertion: &intake.Assertion{Method: "product_session", AuthenticatedAt: b.clock.Now()}})
	b.drain()
	b.approve(r, "access")
	b.want(r, "access", dsr.StatusFulfilled)
	b.must(b.app.Verify.Resend(b.ctx, demo, string(r.Reference), demoshop.Person))
	b.drain()
	b.expectRows(demoshop.Person, b.rowsOf(b.fetch(r, b.prove(r), "access")))
}

// TestWhoSeesWhat: a backend sees what it created, an org_admin its organization's people, and nobody learns that
// there is more; each refusal leaves its leaf.
func TestWhoSeesWhat(t *testing.T) {
	b := newBench(t)
	org := func(name string) access.Principal {
		return access.Principal{Kind: access.KindOfficer, Tenant: demoshop.Tenant, Subject: "boss-of-" + name, Roles: []access.Role{access.RoleOrgAdmin}, Org: name}
	}
	other := b.product
	other.Subject = "another-backend"
	mine := b.submit(b.product, intake.Input{Email: "a@example.net", Types: []string{"access"}})
	acme := b.submit(org("acme"), intake.Input{Email: "b@example.net", Types: []string{"access"}})
	form := b.submit(b.public, intake.Input{Email: "c@example.net", Types: []string{"access"}})
	if _, err := b.app.Intake.Submit(b.ctx, org("acme"), demo, intake.Input{Email: "b@example.net", Types: []string{"access"}, Org: "umbrella"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("for another organization: %v", err)
	}
	all := []intake.Receipt{mine, acme, form}
	refused := 0
	for _, c := range []struct {
		p    access.Principal
		sees []intake.Receipt
	}{{b.product, all[:1]}, {other, nil}, {org("acme"), all[1:2]}, {org("umbrella"), nil}, {b.officer, all}, {b.auditor, all}, {b.approver, all}} {
		for _, r := range all {
			v, err := b.app.Fulfill.Request(b.ctx, c.p, r.Requests[0].ID)
			sees := slices.ContainsFunc(c.sees, func(x intake.Receipt) bool { return x.Submission == r.Submission })
			if sees != (err == nil) {
				t.Errorf("%s sees %s: %v, want %v (%v)", c.p.Subject, r.Reference, err == nil, sees, err)
			}
			if !sees {
				b.refuses(err, fault.NotFound, "unknown_request")
				refused++
			}
			if err == nil && c.p.Kind == access.KindProduct && v.Submission.Person.Email != "" {
				t.Error("a backend reads the address")
			}
		}
		items, _, err := b.app.Fulfill.List(b.ctx, c.p, fulfillFilter())
		b.must(err)
		if len(items) != len(c.sees) {
			t.Errorf("%s lists %d requests, want %d", c.p.Subject, len(items), len(c.sees))
		}
	}
	nobody := b.admin
	_, err := b.app.Fulfill.Request(b.ctx, nobody, mine.Requests[0].ID)
	b.refuses(err, fault.Forbidden, "not_allowed")
	if n := b.leaves()["request.read/refused"]; n != refused+1 {
		t.Errorf("%d refusals are in the log, want %d", n, refused+1)
	}
	// An id that is none, and one of another tenant.
	_, err = b.app.Fulfill.Request(b.ctx, b.officer, "not-an-id")
	if fault.KindOf(err) != fault.NotFound && fault.KindOf(err) != fault.Invalid {
		t.Errorf("an id that is none: %v", err)
	}
	if _, err := b.app.Fulfill.Request(b.ctx, nobody, "not-an-id\x00"); !fault.Is(err, fault.Forbidden) {
		t.Errorf("refused with an id that is none: %v", err)
	}
	_, err = b.app.Store.CreateTenant(b.ctx, "other")
	b.must(err)
	foreign := b.officer
	foreign.Tenant = "other"
	_, err = b.app.Fulfill.Request(b.ctx, foreign, mine.Requests[0].ID)
	b.refuses(err, fault.NotFound, "unknown_request")
}

// TestVerifiedByOfficer: an officer's look proves what the submission names; a note keeps what was looked at.
func TestVerifiedByOfficer(t *testing.T) {
	b := newBench(t)
	r := b.submit(b.officer, intake.Input{Subject: fmt.Sprint(b.customer(demoshop.Person)), Types: []string{"access"}, Channel: "phone"})
	id := r.Requests[0].ID
	b.refuses(b.app.Verify.ByOfficer(b.ctx, b.auditor, id, "passport seen"), fault.Forbidden, "not_allowed")
	b.refuses(b.app.Verify.ByOfficer(b.ctx, b.officer, id, ""), fault.Invalid, "")
	b.must(b.app.Verify.ByOfficer(b.ctx, b.officer, id, "passport seen"))
	b.refuses(b.app.Verify.ByOfficer(b.ctx, b.officer, id, "passport seen"), fault.Conflict, "")
	b.drain()
	b.want(r, "access", dsr.StatusInReview)
	if v := b.view(id); len(v.Notes) != 1 || v.Notes[0].Body != "passport seen" {
		t.Errorf("the notes are %+v", v.Notes)
	}
	if b.leaves()["request.verify/refused"] != 1 {
		t.Error("the refusal is not in the log")
	}
}

// TestTwoPeopleOfOneAddress: where several answer to what was proven, an officer decides, and nothing is shown.
func TestTwoPeopleOfOneAddress(t *testing.T) {
	b := newBench(t)
	b.exec("UPDATE customer SET email = 'nora.lindqvist@EXAMPLE.COM' WHERE email = ?", demoshop.ErasurePerson)
	r, _ := b.ask(demoshop.Person, "access", "erasure")
	for _, right := range []string{"access", "erasure"} {
		if q := b.want(r, right, dsr.StatusInReview); q.NeedsAttention != dsr.AttentionAmbiguous || q.PlanDigest != "" {
			t.Errorf("%s: attention %q", right, q.NeedsAttention)
		}
	}
}

// TestOfficersSignIn: the console's link works once, and its session is its tenant's.
func TestOfficersSignIn(t *testing.T) {
	b := newBench(t)
	link, err := b.app.Verify.Invite(b.ctx, demo, "olga", []access.Role{access.RoleOfficer})
	b.must(err)
	b.must(b.app.Verify.PeekSignIn(b.ctx, link))
	session, err := b.app.Verify.SignIn(b.ctx, link)
	b.must(err)
	_, err = b.app.Verify.SignIn(b.ctx, link)
	b.refuses(err, fault.Gone, "")
	p, err := b.app.Verify.Officer(b.ctx, session.Token)
	b.must(err)
	if p.Subject != "olga" || p.Tenant != demoshop.Tenant || !p.Fresh(b.clock.Now()) {
		t.Errorf("the session is of %+v", p)
	}
	b.clock.add(6 * time.Minute)
	if p, err = b.app.Verify.Officer(b.ctx, session.Token); err != nil || p.Fresh(b.clock.Now()) {
		t.Errorf("after six minutes it is still fresh (%v)", err)
	}
	for _, wrong := range []string{"", ".", "demo.", "demo.x", "other" + session.Token[4:], link} {
		_, err := b.app.Verify.Officer(b.ctx, wrong)
		b.refuses(err, fault.Unauthorized, "no_session")
	}
	b.must(b.app.Verify.SignOut(b.ctx, session.Token))
	_, err = b.app.Verify.Officer(b.ctx, session.Token)
	b.refuses(err, fault.Unauthorized, "")
	again, err := b.app.Verify.Invite(b.ctx, demo, "olga", []access.Role{access.RoleOfficer})
	b.must(err)
	b.clock.add(25 * time.Hour)
	_, err = b.app.Verify.SignIn(b.ctx, again)
	b.refuses(err, fault.Gone, "")
}
