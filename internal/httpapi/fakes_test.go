package httpapi_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/auditlog"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/fulfill"
	"github.com/habeas-data/habeas/internal/intake"
	"github.com/habeas-data/habeas/internal/plan"
	"github.com/habeas-data/habeas/internal/statute"
	"github.com/habeas-data/habeas/internal/store"
	"github.com/habeas-data/habeas/internal/verify"
	"github.com/habeas-data/habeas/internal/web/console"
)

const (
	testID   = "01930d2e-8c1a-7b3c-9d4e-5f6a7b8c9d0e"
	otherID  = "01930d2e-8c1a-7b3c-9d4e-5f6a7b8c9d0f"
	testRef  = "HB-7K3M-92QD"
	goodLink = "AbCdEfGhIjKlMnOpQrStUv"
	session  = "person-session-0123456789"
	desk     = "acme.officer-session-0123456789"
)

var now = time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)

// fakes stands in for every use case. It remembers which of them would have changed something.
type fakes struct {
	mu      sync.Mutex
	changed []string
	inputs  []intake.Input
	letters []fulfill.Message
	filters []fulfill.Filter
	err     error                 // what every change answers
	say     func(s string) string // what becomes of every text
	have    int                   // approvals after Approve
	answers map[string]stored
	zip     func() fulfill.Download
	roles   []access.Role
}

type stored struct {
	key  store.IdempotencyKey
	a    store.Answer
	done bool
}

func newFakes() *fakes {
	return &fakes{say: func(s string) string { return s }, have: 2, answers: make(map[string]stored), roles: []access.Role{access.RoleOfficer, access.RoleAuditor}}
}

func (f *fakes) change(what string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.changed = append(f.changed, what)
	return f.err
}

func (f *fakes) did() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.changed)
}

func day(y int, m time.Month, d int) statute.Date { return statute.NewDate(y, m, d) }

func (f *fakes) Form(_ context.Context, t dsr.TenantID) (intake.Form, error) {
	if t != "acme" {
		return intake.Form{}, fault.New(fault.NotFound, "unknown_tenant", "There is nobody by that name here.")
	}
	return intake.Form{Tenant: t, Controller: f.say("Acme Records"), Contact: f.say("privacy@acme.example"), Languages: []string{"en", "es", "de", "fr"},
		PolicyVersion: f.say("2026-04-02"), Rights: []dsr.Right{dsr.RightAccess, dsr.RightErasure, dsr.RightRectification, dsr.RightObjection, dsr.RightOptOut},
		Jurisdictions: []string{"eu", "us-ca"}, MinimumAge: 16, Identifiers: []string{"user_id"},
		Fields: []intake.FormField{{Name: "types", Required: true}, {Name: "email", Required: true, Max: 320}}}, nil
}

func (f *fakes) Submit(_ context.Context, _ access.Principal, _ dsr.TenantID, in intake.Input) (intake.Receipt, error) {
	f.mu.Lock()
	f.inputs = append(f.inputs, in)
	f.mu.Unlock()
	if len(in.Types) == 0 || !strings.Contains(in.Email, "@") {
		var wrong []fault.Field
		if len(in.Types) == 0 {
			wrong = append(wrong, fault.Field{Name: "types", Message: "is empty"})
		}
		if !strings.Contains(in.Email, "@") {
			wrong = append(wrong, fault.Field{Name: "email", Message: "is no address"})
		}
		return intake.Receipt{}, fault.BadInput(wrong)
	}
	if err := f.change("Submit"); err != nil {
		return intake.Receipt{}, err
	}
	out := intake.Receipt{Submission: "s", Reference: testRef}
	for _, t := range in.Types {
		r := f.req(dsr.Right(t), dsr.StatusReceived)
		r.ExtendedUntil = statute.Date{}
		out.Requests = append(out.Requests, r)
	}
	return out, nil
}

func (f *fakes) Hook(context.Context, dsr.TenantID, string, http.Header, []byte) error {
	return f.change("Hook")
}

func (f *fakes) Peek(_ context.Context, _ dsr.TenantID, token string) (verify.Pending, error) {
	if token != goodLink {
		return verify.Pending{}, fault.New(fault.Gone, "link_gone", "This link has been used already.")
	}
	return verify.Pending{Reference: testRef, Language: "en", Rights: []dsr.Right{dsr.RightAccess, dsr.RightErasure}}, nil
}

func (f *fakes) RedeemLink(ctx context.Context, t dsr.TenantID, token string) (verify.Session, error) {
	if _, err := f.Peek(ctx, t, token); err != nil {
		return verify.Session{}, err
	}
	return verify.Session{Reference: testRef, AccessToken: session, ExpiresAt: now.AddDate(0, 0, 7), Requests: []dsr.Request{f.req(dsr.RightAccess, dsr.StatusInReview)}}, f.change("RedeemLink")
}

func (f *fakes) RedeemCode(_ context.Context, _ dsr.TenantID, _, code string) (verify.Session, error) {
	if code != "123456" {
		return verify.Session{}, fault.New(fault.Gone, "code_gone", "This code is not valid.")
	}
	return verify.Session{Reference: testRef, AccessToken: session, ExpiresAt: now.AddDate(0, 0, 7)}, f.change("RedeemCode")
}

func (f *fakes) Resend(_ context.Context, _ dsr.TenantID, _, email string) error {
	if email == "unknown@example.org" {
		return fault.New(fault.NotFound, "unknown", "Nobody.")
	}
	return f.change("Resend")
}

func (f *fakes) Person(_ context.Context, t dsr.TenantID, ref, token string) (access.Principal, error) {
	if token != session || ref != testRef {
		return access.Principal{}, fault.New(fault.Unauthorized, "no_session", "Open the link in your mail first.")
	}
	return access.Principal{Kind: access.KindPerson, Tenant: string(t), Subject: "s", Via: access.ViaLink}, nil
}

func (f *fakes) ByOfficer(context.Context, access.Principal, dsr.RequestID, string) error {
	return f.change("ByOfficer")
}

func (f *fakes) PeekSignIn(_ context.Context, token string) error {
	if token != goodLink {
		return fault.New(fault.Gone, "link_gone", "Gone.")
	}
	return nil
}

func (f *fakes) SignIn(ctx context.Context, token string) (verify.OfficerSession, error) {
	if err := f.PeekSignIn(ctx, token); err != nil {
		return verify.OfficerSession{}, err
	}
	return verify.OfficerSession{Token: desk, ExpiresAt: now.Add(8 * time.Hour)}, f.change("SignIn")
}

func (f *fakes) Officer(_ context.Context, s string) (access.Principal, error) {
	if s != desk {
		return access.Principal{}, fault.New(fault.Unauthorized, "no_session", "Sign in first.")
	}
	return access.Principal{Kind: access.KindOfficer, Tenant: "acme", Subject: "dana", Roles: f.roles, Via: access.ViaSession}, nil
}

func (f *fakes) SignOut(context.Context, string) error { return f.change("SignOut") }

func (f *fakes) Verify(_ context.Context, token string) (access.Principal, error) {
	if token != "good" {
		return access.Principal{}, fault.New(fault.Unauthorized, "invalid_token", "The token is not valid.")
	}
	return access.Principal{Kind: access.KindOfficer, Tenant: "acme", Subject: "dana", Roles: f.roles, Via: access.ViaJWT}, nil
}

func (f *fakes) req(r dsr.Right, st dsr.Status) dsr.Request {
	out := dsr.Request{ID: testID, Tenant: "acme", Submission: "s", Reference: testRef, Right: r, Status: st,
		ReceivedAt: now.AddDate(0, 0, -18), DueOn: day(2026, 12, 2), DueOnConservative: day(2026, 12, 1), Assignee: f.say("dana"),
		PlanDigest: f.say("5f2c6e0b91aa77d0c3"), UpdatedAt: now}
	if st == dsr.StatusInGrace {
		out.GraceEndsAt, out.AnsweredAt = now.AddDate(0, 0, 12), now.AddDate(0, 0, -3)
	}
	if st == dsr.StatusDenied {
		out.Decision, out.DenyGround, out.AnsweredAt = f.say("We hold nothing by that name."), dsr.GroundNoMatch, now
	}
	return out
}

func (f *fakes) Status(context.Context, access.Principal, dsr.Reference) (fulfill.PersonView, error) {
	history := []fulfill.HistoryItem{{At: now.AddDate(0, 0, -18), Text: f.say("Your request came in.")}, {At: now.AddDate(0, 0, -17), Text: f.say("You confirmed that it is you.")}}
	return fulfill.PersonView{Reference: testRef, Tenant: "acme", Controller: f.say("Acme Records"), Contact: f.say("privacy@acme.example"), Language: "en",
		ReceivedAt: now.AddDate(0, 0, -18), Verified: true,
		Requests: []fulfill.PersonRequest{
			{Request: f.req(dsr.RightErasure, dsr.StatusInGrace), StatusText: f.say("Approved. You can still stop it."), CanWithdraw: true,
				History:  append(slices.Clone(history), fulfill.HistoryItem{At: now.AddDate(0, 0, -3), Text: f.say("The deletion was approved.")}),
				NextText: f.say("the deletion begins"), NextOn: day(2026, 12, 2),
				Kept: []fulfill.Kept{{What: f.say("Invoices"), Why: f.say("tax law: invoices are kept five years"), Rows: 1412, Until: day(2031, 12, 31), System: "app", Table: "invoice"}}},
			{Request: f.req(dsr.RightAccess, dsr.StatusFulfilled), StatusText: f.say("Your data are ready."), History: history,
				Package: &fulfill.PackageView{Size: 1_482_233, Rows: 3120, SHA256: "ab", MadeAt: now, ExpiresAt: now.AddDate(0, 0, 7), Available: true,
					Files: []fulfill.PackageFile{{Path: "index.html"}, {Path: f.say("data/app/customer.json"), Rows: 1}, {Path: "data/app/order.json", Rows: 3119}}}},
			{Request: f.req(dsr.RightObjection, dsr.StatusDenied), History: history, Decision: f.say("We hold nothing by that name.")},
		},
		Messages: []fulfill.Message{{At: now.AddDate(0, 0, -4), FromPerson: true, Body: f.say("When will this be done?"), Attachments: []fulfill.Attachment{{Name: f.say("letter.pdf"), Type: "application/pdf", Data: make([]byte, 20480)}}},
			{At: now.AddDate(0, 0, -3), Body: f.say("By 2 December.")}}}, nil
}

func (f *fakes) WithdrawAsPerson(ctx context.Context, p access.Principal, r dsr.Reference, _ []string) (fulfill.PersonView, error) {
	if err := f.change("WithdrawAsPerson"); err != nil {
		return fulfill.PersonView{}, err
	}
	return f.Status(ctx, p, r)
}

func (f *fakes) MessageAsPerson(_ context.Context, _ access.Principal, _ dsr.Reference, m fulfill.Message) error {
	f.mu.Lock()
	f.letters = append(f.letters, m)
	f.mu.Unlock()
	return f.change("MessageAsPerson")
}

func (f *fakes) SendDownloadCode(context.Context, access.Principal, dsr.Reference) error {
	return f.change("SendDownloadCode")
}

func (f *fakes) Download(_ context.Context, _ access.Principal, _ dsr.Reference, code, _ string) (fulfill.Download, error) {
	if code != "123456" {
		return fulfill.Download{}, fault.New(fault.Unauthorized, "bad_code", "This code is not valid.")
	}
	return f.package_(), f.change("Download")
}

func (f *fakes) package_() fulfill.Download {
	if f.zip != nil {
		return f.zip()
	}
	return fulfill.Download{Name: f.say("HB-7K3M-92QD-access.zip"), Size: 4, Stream: io.NopCloser(strings.NewReader("PK\x03\x04"))}
}

func (f *fakes) List(_ context.Context, _ access.Principal, q fulfill.Filter) ([]dsr.Request, string, error) {
	f.mu.Lock()
	f.filters = append(f.filters, q)
	f.mu.Unlock()
	one := f.req(dsr.RightErasure, dsr.StatusInReview)
	one.NeedsAttention, one.DueOn = dsr.AttentionAmbiguous, day(2026, 11, 18)
	two := f.req(dsr.RightAccess, dsr.StatusInReview)
	two.ID, two.DueOn, two.Assignee, two.OnHold = otherID, day(2026, 11, 24), "", true
	three := f.req(dsr.RightOptOut, dsr.StatusExecuting)
	three.DueOn, three.DueOnConservative = statute.Date{}, statute.Date{}
	if q.Attention {
		return []dsr.Request{one}, "", nil
	}
	return []dsr.Request{one, two, f.req(dsr.RightErasure, dsr.StatusInGrace), three}, "next-page", nil
}

func (f *fakes) Counts(context.Context, access.Principal) (fulfill.Counts, error) {
	return fulfill.Counts{ByStatus: map[dsr.Status]int{dsr.StatusInReview: 12, dsr.StatusInGrace: 3, dsr.StatusVerifying: 7}, Overdue: 1, Attention: 1}, nil
}

func (f *fakes) plan() plan.Plan {
	return plan.Plan{Digest: f.say("5f2c6e0b91aa77d0c3"), MadeAt: now, Right: "erasure", PolicyVersion: "2026-04-02", ConfigVersion: 3,
		Steps: []plan.Step{{System: f.say("app"), Table: f.say("order_line"), Action: plan.ActionDelete, Rows: 4120},
			{System: "app", Table: "invoice", Action: plan.ActionRetain, Rows: 1412, Ground: f.say("tax law: invoices are kept five years"), On: day(2031, 12, 31), Category: "billing"},
			{System: "app", Table: "customer", Action: plan.ActionAnonymize, Rows: 1, Columns: []string{f.say("email"), "name", "phone"}, Because: f.say("invoice")},
			{System: "app", Table: "profile", Action: plan.ActionRectify, Rows: 1, Changes: []plan.FieldChange{{Column: "city", Before: f.say("Bonn"), After: f.say("Köln")}}}},
		Withheld: []plan.Withheld{{System: "app", Table: "review", Column: f.say("text"), What: "hidden", Rows: 3, Ground: f.say("belongs to others as well")}}}
}

func (f *fakes) Request(context.Context, access.Principal, dsr.RequestID) (fulfill.OfficerView, error) {
	p := f.plan()
	r := f.req(dsr.RightErasure, dsr.StatusInReview)
	r.Changes = []dsr.Change{{Field: f.say("city"), To: f.say("Köln")}}
	sibling := f.req(dsr.RightAccess, dsr.StatusFulfilled)
	sibling.ID = otherID
	return fulfill.OfficerView{Request: r, Plan: &p, Need: 2, ShareOfDue: 0.6, Siblings: []dsr.Request{sibling},
		Submission: dsr.Submission{ID: "s", Tenant: "acme", Reference: testRef, Channel: dsr.ChannelForm, Jurisdiction: "eu", Language: "en", PolicyVersion: "2026-04-02",
			Person: dsr.Person{Email: f.say("ada@example.org"), Name: f.say("Ada Lovelace"), Message: f.say("Please delete all."), Identifiers: map[string]string{"user_id": f.say("42")},
				OnBehalfOf: &dsr.Represented{Relation: "child", Name: f.say("Byron Jr")}},
			Proofs: []dsr.Proof{{Identifier: "email", Value: f.say("ada@example.org"), Method: "email_link", At: now}}, ReceivedAt: now.AddDate(0, 0, -18), VerifiedAt: now.AddDate(0, 0, -17)},
		Approvals: []fulfill.ApprovalView{{Role: "officer", By: "9f31ab", At: now, Note: f.say("fine")}},
		Events: []fulfill.EventView{{At: now.AddDate(0, 0, -18), Name: "received", To: dsr.StatusReceived, Kind: "person"},
			{At: now.AddDate(0, 0, -17), Name: "verified", From: dsr.StatusVerifying, To: dsr.StatusInReview, Kind: "person", Facts: map[string]string{"method": "email_link"}}},
		Notes:    []fulfill.Note{{At: now, By: f.say("dana"), Body: f.say("Asked billing.")}},
		Messages: []fulfill.Message{{At: now, FromPerson: true, Body: f.say("When?"), Attachments: []fulfill.Attachment{{Name: f.say("a.html"), Type: "text/html", Data: []byte("<script>1</script>")}}}},
		Holds:    []fulfill.HoldView{{ID: "h", Reason: f.say("Court case"), PlacedAt: now}},
		Findings: []fulfill.FindingView{{System: "app", Table: f.say("log"), Column: "email", Kind: "still_there", Rows: 2}},
		Package:  &fulfill.PackageView{Size: 1000, Rows: 3, MadeAt: now, ExpiresAt: now.AddDate(0, 0, 7), NeedReview: true, Files: []fulfill.PackageFile{{Path: f.say("index.html")}}},
		Possible: []string{"approve", "answer", "replan", "deny", "extend", "pause", "resume", "hold", "release", "assign", "note", "message", "verify", "withdraw", "retry"}}, nil
}

func (f *fakes) Events(ctx context.Context, p access.Principal, id dsr.RequestID) ([]fulfill.EventView, error) {
	v, _ := f.Request(ctx, p, id)
	return v.Events, nil
}

func (f *fakes) Plan(context.Context, access.Principal, dsr.RequestID) (fulfill.Planned, error) {
	return f.planned(), nil
}

func (f *fakes) Replan(context.Context, access.Principal, dsr.RequestID) (fulfill.Planned, error) {
	return f.planned(), f.change("Replan")
}

func (f *fakes) planned() fulfill.Planned {
	return fulfill.Planned{Plan: f.plan(), Changed: []plan.Change{{System: "app", Table: f.say("invoice"), Action: plan.ActionDelete, Before: 1, After: 2, Message: f.say("2 rows, not 1")}}}
}

func (f *fakes) Approve(_ context.Context, _ access.Principal, _ dsr.RequestID, digest, _ string) (fulfill.Approved, error) {
	if digest == "stale" {
		e := fault.New(fault.Conflict, "plan_changed", "The plan has changed.")
		e.Allowed = []string{"replan"}
		return fulfill.Approved{}, e
	}
	return fulfill.Approved{Request: f.req(dsr.RightErasure, dsr.StatusInGrace), Have: f.have, Need: 2}, f.change("Approve " + digest)
}

func (f *fakes) moved(what string) (dsr.Request, error) {
	return f.req(dsr.RightErasure, dsr.StatusInReview), f.change(what)
}

func (f *fakes) Deny(_ context.Context, _ access.Principal, _ dsr.RequestID, ground, explanation string) (dsr.Request, error) {
	if ground == "" || explanation == "" {
		return dsr.Request{}, fault.BadInput([]fault.Field{{Name: "explanation", Message: "is empty"}})
	}
	return f.moved("Deny")
}

func (f *fakes) Extend(context.Context, access.Principal, dsr.RequestID, string, string) (dsr.Request, error) {
	return f.moved("Extend")
}

func (f *fakes) Pause(context.Context, access.Principal, dsr.RequestID, string, string) (dsr.Request, error) {
	return f.moved("Pause")
}

func (f *fakes) Resume(context.Context, access.Principal, dsr.RequestID) (dsr.Request, error) {
	return f.moved("Resume")
}

func (f *fakes) Hold(context.Context, access.Principal, dsr.RequestID, string, statute.Date) (dsr.Request, error) {
	return f.moved("Hold")
}

func (f *fakes) LiftCeiling(context.Context, access.Principal, dsr.RequestID, string) (dsr.Request, error) {
	return f.moved("LiftCeiling")
}

func (f *fakes) ReleaseHold(context.Context, access.Principal, dsr.RequestID, string) (dsr.Request, error) {
	return f.moved("ReleaseHold")
}

func (f *fakes) Assign(_ context.Context, _ access.Principal, _ dsr.RequestID, to string) (dsr.Request, error) {
	return f.moved("Assign " + to)
}

func (f *fakes) AddNote(context.Context, access.Principal, dsr.RequestID, string) error {
	return f.change("AddNote")
}

func (f *fakes) SendMessage(context.Context, access.Principal, dsr.RequestID, fulfill.Message) error {
	return f.change("SendMessage")
}

func (f *fakes) Withdraw(context.Context, access.Principal, dsr.RequestID, string) (dsr.Request, error) {
	return f.moved("Withdraw")
}

func (f *fakes) Retry(context.Context, access.Principal, dsr.RequestID) (dsr.Request, error) {
	return f.moved("Retry")
}

func (f *fakes) Answer(context.Context, access.Principal, dsr.RequestID, string) (dsr.Request, error) {
	return f.moved("Answer")
}

func (f *fakes) Package(ctx context.Context, p access.Principal, id dsr.RequestID) (fulfill.PackageView, error) {
	v, _ := f.Request(ctx, p, id)
	return *v.Package, nil
}

func (f *fakes) OpenPackage(context.Context, access.Principal, dsr.RequestID) (fulfill.Download, error) {
	return f.package_(), f.change("OpenPackage")
}

func (f *fakes) Certificate(context.Context, access.Principal, dsr.RequestID) (fulfill.Certificate, error) {
	return fulfill.Certificate{Reference: testRef, Request: testID, Type: dsr.RightErasure, Status: dsr.StatusFulfilled, PolicyVersion: "2026-04-02", PlanDigest: f.say("5f2c"),
		ReceivedAt: now, AnsweredAt: now, Check: "agreed", Steps: []fulfill.CertStep{{System: "app", Table: f.say("order"), Action: "delete", Expected: 5, Affected: 5}},
		Remains: []fulfill.CertRemains{{System: "app", Table: "invoice", Rows: 3, Ground: f.say("tax law"), Until: day(2031, 12, 31)}}, Notes: []string{f.say("Backups expire on 2026-12-31.")},
		Approvals: []fulfill.ApprovalView{{Role: "officer", By: "9f31ab", At: now, Note: f.say("ok")}}}, nil
}

func (f *fakes) Clock(context.Context, access.Principal, dsr.RequestID) (statute.Clock, error) {
	return statute.Clock{DueOn: day(2026, 12, 2), DueOnConservative: day(2026, 12, 1), ExtendedUntil: day(2027, 2, 2), ExtensionNoticeBy: day(2026, 12, 2),
		Steps: []statute.Step{{Date: "due_on", On: day(2026, 12, 2), Text: f.say("One month from receipt."), Cite: f.say("GDPR Art. 12(3)"), Confidence: "A"}}}, nil
}

func (f *fakes) Obligations(context.Context, access.Principal, string, statute.Date, string, int) ([]fulfill.Obligation, string, error) {
	return []fulfill.Obligation{{ID: "o", Request: testID, System: "app", Table: f.say("invoice"), Kind: "delete_rows", Rows: 1412, DueOn: day(2031, 12, 31), Ground: f.say("tax law"), State: "open"}}, "more", nil
}

func (f *fakes) Suppressed(_ context.Context, _ access.Principal, _ string, ids []string) ([]fulfill.Suppressed, error) {
	var out []fulfill.Suppressed
	for _, id := range ids {
		out = append(out, fulfill.Suppressed{Identifier: id, Suppressed: true, Lists: []fulfill.SuppressedOn{{List: "marketing", Since: now}}})
	}
	return out, nil
}

func (f *fakes) Entries(context.Context, access.Principal, store.AuditFilter) ([]store.AuditRecord, string, error) {
	return []store.AuditRecord{{Seq: 7, Leaf: []byte("leaf"), Entry: auditlog.Entry{ID: testID, Tenant: "acme", At: now, Actor: auditlog.Actor{Kind: "officer", Hash: "9f31ab"},
		Action: "request.approve", Object: auditlog.Object{Kind: "request", ID: testID}, Outcome: "ok", Facts: map[string]string{"right": f.say("erasure")}}}}, "", nil
}

func (f *fakes) Check(context.Context, access.Principal) (auditlog.Report, error) {
	return auditlog.Report{Size: 8}, nil
}

// logKeys is the signing key of the fake log.
var logKeys = sync.OnceValues(func() (skey, vkey string) {
	skey, vkey, err := auditlog.NewSignerKey("habeas/acme")
	if err != nil {
		panic(err)
	}
	return skey, vkey
})

func (f *fakes) Head(context.Context, access.Principal) ([]byte, string, error) {
	skey, vkey := logKeys()
	signed, err := auditlog.SignCheckpoint(auditlog.Checkpoint{Origin: "habeas/acme", Size: 8}, skey)
	return signed, vkey, err
}

func (f *fakes) Inclusion(context.Context, access.Principal, int64, int64) ([]byte, []tlog.Hash, error) {
	return []byte("leaf"), make([]tlog.Hash, 3), nil
}

func (f *fakes) Consistency(context.Context, access.Principal, int64, int64) ([]tlog.Hash, error) {
	return make([]tlog.Hash, 2), nil
}

func (f *fakes) endpoint() store.Endpoint {
	return store.Endpoint{ID: testID, URL: "https://acme.example/hook", Events: []string{"*"}, Secrets: []string{"whsec_new", "whsec_old"}, CreatedAt: now}
}

func (f *fakes) Endpoints(context.Context, access.Principal) ([]store.Endpoint, error) {
	return []store.Endpoint{f.endpoint()}, nil
}

func (f *fakes) AddEndpoint(context.Context, access.Principal, string, []string) (store.Endpoint, error) {
	return f.endpoint(), f.change("AddEndpoint")
}

func (f *fakes) RemoveEndpoint(context.Context, access.Principal, string) error {
	return f.change("RemoveEndpoint")
}

func (f *fakes) RotateEndpoint(context.Context, access.Principal, string) (store.Endpoint, error) {
	return f.endpoint(), f.change("RotateEndpoint")
}

func (f *fakes) Deliveries(context.Context, access.Principal, string, string, int) ([]store.Delivery, string, error) {
	return []store.Delivery{{ID: "d", Endpoint: testID, Event: "request.received", State: "sent", Attempts: 1, LastStatus: 200, SentAt: now, CreatedAt: now}}, "", nil
}

func (f *fakes) Redeliver(context.Context, access.Principal, string, string) error {
	return f.change("Redeliver")
}

func (f *fakes) source() store.Source {
	return store.Source{ID: testID, Name: "shop", Secrets: []string{"whsec_x"}, CreatedAt: now}
}

func (f *fakes) Sources(context.Context, access.Principal) ([]store.Source, error) {
	return []store.Source{f.source()}, nil
}

func (f *fakes) AddSource(context.Context, access.Principal, string) (store.Source, error) {
	return f.source(), f.change("AddSource")
}

func (f *fakes) RemoveSource(context.Context, access.Principal, string) error {
	return f.change("RemoveSource")
}

func (f *fakes) RotateSource(context.Context, access.Principal, string) (store.Source, error) {
	return f.source(), f.change("RotateSource")
}

func (f *fakes) Begin(_ context.Context, t dsr.TenantID, k store.IdempotencyKey) (store.Answer, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := string(t) + "|" + k.Principal + "|" + k.Key
	old, ok := f.answers[at]
	switch {
	case !ok:
		f.answers[at] = stored{key: k}
		return store.Answer{}, false, nil
	case old.key != k:
		return store.Answer{}, false, fault.New(fault.Conflict, "key_reused", "This Idempotency-Key was used for something else.")
	case !old.done:
		return store.Answer{}, false, fault.New(fault.Conflict, "in_progress", "The first call still runs.")
	}
	return old.a, true, nil
}

func (f *fakes) Finish(_ context.Context, t dsr.TenantID, k store.IdempotencyKey, a store.Answer) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	a.Body = bytes.Clone(a.Body)
	f.answers[string(t)+"|"+k.Principal+"|"+k.Key] = stored{k, a, true}
	return nil
}

func (f *fakes) Abandon(_ context.Context, t dsr.TenantID, k store.IdempotencyKey) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.answers, string(t)+"|"+k.Principal+"|"+k.Key)
	return nil
}

func (f *fakes) Mailbox(context.Context, access.Principal, string) ([]store.OutMail, string, error) {
	return []store.OutMail{{ID: testID, Kind: "verify", To: f.say("ada@example.org"), Subject: f.say("Is this your request?"), State: "kept", CreatedAt: now,
		Text: f.say("Hello,\n\nplease open this link:\n\nhttp://localhost:8080/acme/verify?token=" + goodLink + "\n\nYours"),
		HTML: "<p style=\"color:#444\">Hello, <b>please</b> open the link.</p>"}}, "", nil
}

func (f *fakes) Settings(context.Context, access.Principal) (console.Settings, error) {
	return console.Settings{PolicyVersion: f.say("2026-04-02"), AppliedAt: now, Text: f.say("access: a verified request runs without an officer.\nerasure: two officers approve.")}, nil
}

func (f *fakes) Reveal(context.Context, access.Principal, dsr.RequestID) error {
	return f.change("Reveal")
}
