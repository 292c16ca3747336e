package verify

import (
	"context"
	"fmt"
	"net/url"
	"slices"
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
)

// Ask sends the verification mail of a submission and takes its requests to `verifying`: the first step of every
// request that needs proof. The mail goes to the stored form of the address if one matches, else to the typed one,
// with the same text. req is claimed by the caller: what is written is fenced by its epoch.
func (s *Service) Ask(ctx context.Context, req *dsr.Request) error {
	sub, set, err := s.load(ctx, req)
	if err != nil {
		return err
	}
	to, err := s.addressOnFile(ctx, set, sub)
	if err != nil {
		return err
	}
	return s.store.InTx(ctx, req.Tenant, func(tx *store.Tx) error {
		sub, err := tx.Submission(req.Submission) // read again: another request of the same submission may have been first
		if err != nil {
			return err
		}
		by := auditlog.Actor{Kind: string(access.KindJob)}
		if sub.ExpiresAt.IsZero() {
			sub.Person.Stored = to
			sub.ExpiresAt = set.Policy.Verification.Expire.AddTo(tx.Now)
			if err := tx.UpdateSubmission(&sub, store.Act{By: by, Action: "submission.ask_proof"}); err != nil {
				return err
			}
			if err := s.sendLink(tx, set, sub, "first"); err != nil {
				return err
			}
		}
		return tx.Transition(req, dsr.EventProofAsked, store.Act{By: by, Action: "request.ask_proof"}, func(r *dsr.Request) {
			r.NextActionAt = sub.ExpiresAt
		})
	})
}

func (s *Service) load(ctx context.Context, req *dsr.Request) (sub dsr.Submission, set *tenant.Settings, err error) {
	err = s.store.Read(ctx, req.Tenant, func(tx *store.Tx) (err error) {
		if sub, err = tx.Submission(req.Submission); err != nil {
			return err
		}
		set, err = s.tenants.At(tx, sub.ConfigVersion)
		return err
	})
	return sub, set, err
}

// addressOnFile looks up the address in every system that knows the identifier, and gives its stored form; the typed
// form when nobody matches. A system that does not answer is an error: mail to a typed address is sent only when it
// is known that no stored one matches.
func (s *Service) addressOnFile(ctx context.Context, set *tenant.Settings, sub dsr.Submission) (string, error) {
	typed := sub.Person.Email
	scope := connector.Scope{Subject: sub.Subject, Identifiers: map[string][]string{}}
	if typed != "" {
		scope.Identifiers["email"] = []string{typed}
	} else {
		for k, v := range sub.Person.Identifiers {
			scope.Identifiers[k] = []string{v}
		}
	}
	key := fmt.Sprintf("%s/%d", set.Tenant, set.Version)
	for i := range set.Map.Systems {
		sys := &set.Map.Systems[i]
		if !s.systems.Has(sys.Kind) {
			continue
		}
		open, err := s.systems.System(ctx, key, sys)
		if err != nil {
			return "", err
		}
		resolver, ok := open.(connector.Resolver)
		if !ok {
			continue
		}
		for _, kind := range connector.Kinds(sys, sub.Subject) {
			scope.Subject = kind
			stored, err := resolver.Contact(ctx, scope, "email")
			if err != nil {
				return "", fmt.Errorf("looking for the contact in %s: %w", sys.Name, err)
			}
			if len(stored) > 0 {
				return stored[0], nil
			}
		}
	}
	return typed, nil
}

// sendLink queues a verification mail with a fresh link; older links of the submission end. Beyond five a day and
// address it stays silent: the form can't be used to harass.
func (s *Service) sendLink(tx *store.Tx, set *tenant.Settings, sub dsr.Submission, which string) error {
	to := sub.Person.Stored
	if to == "" && proves(sub, sub.Person.Email) {
		to = sub.Person.Email // no mail had to be sent for the proof: a product or an officer vouched for the address
	}
	if to == "" {
		return nil // nobody to write to: an officer checks
	}
	hash := tx.EmailHash(to)
	n, err := tx.CountTokens(PurposeVerify, hash, tx.Now.Add(-24*time.Hour))
	if err != nil {
		return err
	}
	if n >= mailsADay {
		return tx.Audit(store.Act{By: auditlog.Actor{Kind: string(access.KindJob)}, Action: "verification.not_sent", Outcome: "refused",
			Facts: map[string]string{"reason": "too_many"}}, auditlog.Object{Kind: "submission", ID: string(sub.ID)})
	}
	if err := tx.RevokeTokens(PurposeVerify, sub.ID, ""); err != nil {
		return err
	}
	token := seal.Token()
	ttl := set.Policy.Verification.LinkTTL
	t := store.Token{ID: dsr.NewID(), Purpose: PurposeVerify, Submission: sub.ID, Hash: seal.TokenHash(token), ExpiresAt: ttl.AddTo(tx.Now), AddressHash: hash, Data: []byte(to)}
	if err := tx.PutToken(t); err != nil {
		return err
	}
	reqs, err := tx.RequestsOf(sub.ID)
	if err != nil {
		return err
	}
	kind := notify.KindVerification
	if which != "first" {
		kind = notify.KindVerificationAgain
	}
	d := s.outbox.Data(set.Policy, sub, reqs)
	d.Link = s.outbox.URL(tx.Tenant, "verify?token="+url.QueryEscape(token))
	d.LinkExpiresAt = t.ExpiresAt
	return s.outbox.Queue(tx, notify.Mail{Kind: kind, To: to, Submission: sub.ID, Dedupe: "verify:" + t.ID, Data: d})
}

// proves tells whether the submission's proofs hold this address.
func proves(sub dsr.Submission, address string) bool {
	return address != "" && slices.ContainsFunc(sub.Proofs, func(p dsr.Proof) bool { return p.Identifier == "email" && p.Value == address })
}

// Resend sends a new verification link for a submission to the address it was sent to before. Whatever the reference
// and address, it answers the same.
func (s *Service) Resend(ctx context.Context, id dsr.TenantID, reference, email string) error {
	ref, err := dsr.ParseReference(reference)
	if err != nil || email == "" {
		return nil //nolint:nilerr // a reference that is none answers like one that is
	}
	return s.store.InTx(ctx, id, func(tx *store.Tx) error {
		sub, err := tx.SubmissionByReference(ref)
		if fault.Is(err, fault.NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		known := tx.EmailHash(email)
		if known != tx.EmailHash(sub.Person.Email) && known != tx.EmailHash(sub.Person.Stored) {
			return nil
		}
		set, err := s.tenants.At(tx, sub.ConfigVersion)
		if err != nil {
			return err
		}
		reqs, err := tx.RequestsOf(sub.ID)
		if err != nil {
			return err
		}
		waiting := false
		for _, r := range reqs {
			waiting = waiting || r.Status == dsr.StatusVerifying
		}
		if !waiting && sub.VerifiedAt.IsZero() {
			return nil // not asked yet, or over
		}
		return s.sendLink(tx, set, sub, "again")
	})
}
