package verify

import (
	"context"
	"time"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/auditlog"
	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/notify"
	"github.com/habeas-data/habeas/internal/seal"
	"github.com/habeas-data/habeas/internal/store"
	"github.com/habeas-data/habeas/internal/tenant"
	"github.com/habeas-data/habeas/internal/webhook"
)

// Bounds of the proof.
const (
	mailsADay       = 5                   // verification mails a day and address
	sessionFor      = 90 * 24 * time.Hour // of a person: packages expire before
	officerFor      = 12 * time.Hour      // of a console session
	freshFor        = 5 * time.Minute     // after a sign-in, dangerous acts need no further factor
	signInFor       = 24 * time.Hour      // of an officer's one-time link
	codeTries       = 5
	maxTokenLength  = 128
	methodEmailLink = "email_link"
)

// Service is the use case "prove who asks".
type Service struct {
	store   *store.Store
	tenants *tenant.Registry
	systems *connector.Pool
	outbox  *notify.Outbox
	events  *webhook.Events
}

// Deps are what the service works with.
type Deps struct {
	Store   *store.Store
	Tenants *tenant.Registry
	Systems *connector.Pool
	Outbox  *notify.Outbox
	Events  *webhook.Events
}

// New makes the service.
func New(d Deps) *Service {
	return &Service{store: d.Store, tenants: d.Tenants, systems: d.Systems, outbox: d.Outbox, events: d.Events}
}

func gone() error {
	return fault.New(fault.Gone, "link_gone", "This link has been used already, or its time is up. Ask for a new one.")
}

// usable hides the difference between a token that never was, was used and is expired.
func usable(err error) error {
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Gone) || fault.Is(err, fault.Conflict) {
		return gone()
	}
	return err
}

// Peek looks at a verification link without using it. Unknown, used and expired links answer fault.Gone alike.
func (s *Service) Peek(ctx context.Context, id dsr.TenantID, token string) (Pending, error) {
	if len(token) > maxTokenLength {
		return Pending{}, gone()
	}
	var out Pending
	err := s.store.Read(ctx, id, func(tx *store.Tx) error {
		t, err := tx.TokenByHash(PurposeVerify, seal.TokenHash(token))
		if err != nil {
			return usable(err)
		}
		sub, err := tx.Submission(t.Submission)
		if err != nil {
			return err
		}
		reqs, err := tx.RequestsOf(sub.ID)
		if err != nil {
			return err
		}
		out = Pending{Reference: sub.Reference, Language: sub.Language}
		for _, r := range reqs {
			out.Rights = append(out.Rights, r.Right)
		}
		return nil
	})
	return out, err
}

// RedeemLink uses a verification link: once. It proves the address that the mail went to and nothing else.
func (s *Service) RedeemLink(ctx context.Context, id dsr.TenantID, token string) (Session, error) {
	if len(token) > maxTokenLength {
		return Session{}, gone()
	}
	return s.redeem(ctx, id, func(tx *store.Tx) (store.Token, error) {
		return tx.RedeemToken(PurposeVerify, seal.TokenHash(token))
	})
}

// RedeemCode uses a six-digit code from a mail beside its reference. Five tries; then the code is worth nothing.
func (s *Service) RedeemCode(ctx context.Context, id dsr.TenantID, reference, code string) (Session, error) {
	ref, err := dsr.ParseReference(reference)
	if err != nil || len(code) != 6 {
		return Session{}, gone()
	}
	return s.redeem(ctx, id, func(tx *store.Tx) (store.Token, error) {
		sub, err := tx.SubmissionByReference(ref)
		if err != nil {
			return store.Token{}, err
		}
		return tx.RedeemCode(PurposeVerify, sub.ID, tx.Hash("code", string(sub.ID)+":"+code), codeTries)
	})
}

func (s *Service) redeem(ctx context.Context, id dsr.TenantID, use func(*store.Tx) (store.Token, error)) (Session, error) {
	var (
		out     Session
		refused error
	)
	err := s.store.InTx(ctx, id, func(tx *store.Tx) error {
		t, err := use(tx)
		if err != nil {
			// A wrong code must be counted: the transaction commits, and the refusal is given afterwards.
			if refused = usable(err); fault.Is(refused, fault.Gone) {
				return nil
			}
			return err
		}
		sub, err := tx.Submission(t.Submission)
		if err != nil {
			return err
		}
		if err := s.proven(tx, &sub, string(t.Data)); err != nil {
			return err
		}
		out, err = s.session(tx, sub)
		return err
	})
	if err == nil {
		err = refused
	}
	return out, err
}

// proven records that the address the link went to is the person's, and moves every request that waited for it.
// A link that only brings somebody back to the status page finds nothing to move.
func (s *Service) proven(tx *store.Tx, sub *dsr.Submission, address string) error {
	by := personActor(tx, sub.ID)
	if sub.VerifiedAt.IsZero() {
		sub.VerifiedAt = tx.Now
		sub.Proofs = append(sub.Proofs, dsr.Proof{Identifier: "email", Value: address, Method: methodEmailLink, At: tx.Now})
		act := store.Act{By: by, Action: "submission.verified", Facts: map[string]string{"method": methodEmailLink}}
		if err := tx.UpdateSubmission(sub, act); err != nil {
			return err
		}
	}
	return s.moveAll(tx, sub.ID, by, methodEmailLink)
}

// moveAll takes every request of a submission that waits for proof into review.
func (s *Service) moveAll(tx *store.Tx, id dsr.SubmissionID, by auditlog.Actor, method string) error {
	reqs, err := tx.RequestsOf(id)
	if err != nil {
		return err
	}
	for _, r := range reqs {
		if r.Status != dsr.StatusVerifying && r.Status != dsr.StatusReceived {
			continue
		}
		act := store.Act{By: by, Action: "request.verify", Facts: map[string]string{"method": method}}
		err := tx.Transition(&r, dsr.EventVerified, act, func(r *dsr.Request) { r.NextActionAt = tx.Now })
		if err != nil {
			return err
		}
		if err := s.events.Request(tx, webhook.EventRequestVerified, r, nil); err != nil {
			return err
		}
	}
	return nil
}

// session begins a person's session: a token for the status page and the calls behind it.
func (s *Service) session(tx *store.Tx, sub dsr.Submission) (Session, error) {
	token := seal.Token()
	t := store.Token{Purpose: PurposeSession, Submission: sub.ID, Hash: seal.TokenHash(token), ExpiresAt: tx.Now.Add(sessionFor)}
	if err := tx.PutToken(t); err != nil {
		return Session{}, err
	}
	reqs, err := tx.RequestsOf(sub.ID)
	return Session{Reference: sub.Reference, Requests: reqs, AccessToken: token, ExpiresAt: t.ExpiresAt}, err
}

// Person checks a person's access_token for a reference and gives the principal that acts with it.
func (s *Service) Person(ctx context.Context, id dsr.TenantID, reference, accessToken string) (access.Principal, error) {
	refuse := fault.New(fault.Unauthorized, "no_session", "Open the link in your mail first, or ask for a new one.")
	ref, err := dsr.ParseReference(reference)
	if err != nil || accessToken == "" || len(accessToken) > maxTokenLength {
		return access.Principal{}, refuse
	}
	var p access.Principal
	err = s.store.Read(ctx, id, func(tx *store.Tx) error {
		t, err := tx.TokenByHash(PurposeSession, seal.TokenHash(accessToken))
		if err != nil {
			if fault.Is(usable(err), fault.Gone) {
				return refuse
			}
			return err
		}
		sub, err := tx.Submission(t.Submission)
		if err != nil {
			return err
		}
		if sub.Reference != ref {
			return refuse
		}
		p = access.Principal{Kind: access.KindPerson, Tenant: string(id), Subject: string(sub.ID), Via: access.ViaSession}
		return nil
	})
	return p, err
}

// ByOfficer records a check that an officer made: what was seen, never the document itself. It proves every
// identifier that the submission names: the officer answers for it.
func (s *Service) ByOfficer(ctx context.Context, p access.Principal, id dsr.RequestID, checked string) error {
	if err := p.Check(access.RequestVerify); err != nil {
		return s.refused(ctx, p, id, err)
	}
	if len(checked) < 3 || len(checked) > 1000 {
		return fault.BadInput([]fault.Field{{Name: "checked", Message: "say in 3 to 1,000 characters what was checked"}})
	}
	return s.store.InTx(ctx, dsr.TenantID(p.Tenant), func(tx *store.Tx) error {
		r, err := tx.Request(id)
		if err != nil {
			return err
		}
		if r.Status != dsr.StatusReceived && r.Status != dsr.StatusVerifying {
			_, err := dsr.Next(r.Status, dsr.EventVerified)
			return err
		}
		sub, err := tx.Submission(r.Submission)
		if err != nil {
			return err
		}
		sub.VerifiedAt = tx.Now
		for name, value := range sub.Person.Identifiers {
			sub.Proofs = append(sub.Proofs, dsr.Proof{Identifier: name, Value: value, Method: "officer", At: tx.Now})
		}
		if sub.Person.Email != "" {
			sub.Proofs = append(sub.Proofs, dsr.Proof{Identifier: "email", Value: sub.Person.Email, Method: "officer", At: tx.Now})
		}
		by := tx.Actor(p)
		if err := tx.UpdateSubmission(&sub, store.Act{By: by, Action: string(access.RequestVerify), Facts: map[string]string{"method": "officer"}}); err != nil {
			return err
		}
		if _, err := tx.AddNote(store.Note{Request: id, By: by, Subject: p.Subject, Text: checked}, store.Act{By: by, Action: "note.write"}); err != nil {
			return err
		}
		return s.moveAll(tx, sub.ID, by, "officer")
	})
}

// refused records that somebody was not allowed. If that can't be recorded, the caller hears that instead.
func (s *Service) refused(ctx context.Context, p access.Principal, id dsr.RequestID, why error) error {
	if p.Tenant == "" {
		return why
	}
	if _, bad := dsr.ParseRequestID(string(id)); bad != nil {
		id = "" // a stranger's words have no place in the log
	}
	err := s.store.InTx(ctx, dsr.TenantID(p.Tenant), func(tx *store.Tx) error {
		act := store.Act{By: tx.Actor(p), Action: string(access.RequestVerify), Outcome: auditlog.OutcomeRefused}
		return tx.Audit(act, auditlog.Object{Kind: "request", ID: string(id)})
	})
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	return why
}

func personActor(tx *store.Tx, id dsr.SubmissionID) auditlog.Actor {
	return tx.Actor(access.Principal{Kind: access.KindPerson, Tenant: string(tx.Tenant), Subject: string(id), Via: access.ViaLink})
}
