package fulfill

import (
	"context"
	"errors"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/store"
)

func hiddenRequest() error {
	return fault.Wrap(errHidden, fault.NotFound, "unknown_request", "There is no such request.")
}

// onRequest is the one way to act on a request for somebody: it checks the right to do so, hides what is not the
// caller's, loads the request with what belongs to it, and runs fn in one transaction. A refusal leaves its leaf too.
func (s *Service) onRequest(ctx context.Context, p access.Principal, id dsr.RequestID, a access.Action, fn func(tx *store.Tx, r *run) error) error {
	if err := p.Check(a); err != nil {
		return s.refused(ctx, p, id, a, err)
	}
	return s.logged(ctx, p, id, a, s.store.InTx(ctx, dsr.TenantID(p.Tenant), func(tx *store.Tx) error {
		r, err := s.visible(tx, p, id)
		if err != nil {
			return err
		}
		return fn(tx, r)
	}))
}

// reading is onRequest for what changes nothing.
func (s *Service) reading(ctx context.Context, p access.Principal, id dsr.RequestID, a access.Action, fn func(tx *store.Tx, r *run) error) error {
	if err := p.Check(a); err != nil {
		return s.refused(ctx, p, id, a, err)
	}
	return s.logged(ctx, p, id, a, s.store.Read(ctx, dsr.TenantID(p.Tenant), func(tx *store.Tx) error {
		r, err := s.visible(tx, p, id)
		if err != nil {
			return err
		}
		return fn(tx, r)
	}))
}

// errHidden marks a request that exists and is not the caller's: it answers like one that does not, and is logged.
var errHidden = errors.New("the request is somebody else's")

// logged leaves a leaf for what a closer look refused.
func (s *Service) logged(ctx context.Context, p access.Principal, id dsr.RequestID, a access.Action, err error) error {
	if errors.Is(err, errHidden) || fault.Is(err, fault.Forbidden) {
		return s.refused(ctx, p, id, a, err)
	}
	return err
}

// refused records that somebody was not allowed. If that can't be recorded, the caller hears that instead.
func (s *Service) refused(ctx context.Context, p access.Principal, id dsr.RequestID, a access.Action, why error) error {
	if p.Tenant == "" {
		return why
	}
	if _, bad := dsr.ParseRequestID(string(id)); bad != nil {
		id = "" // a stranger's words have no place in the log
	}
	err := s.store.InTx(ctx, dsr.TenantID(p.Tenant), func(tx *store.Tx) error {
		return tx.Audit(store.Act{By: tx.Actor(p), Action: string(a), Outcome: "refused"}, requestObject(id))
	})
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	return why
}

// visible loads a request that the caller may see. Anything else answers like a request that does not exist.
func (s *Service) visible(tx *store.Tx, p access.Principal, id dsr.RequestID) (*run, error) {
	if _, err := dsr.ParseRequestID(string(id)); err != nil {
		return nil, err
	}
	req, err := tx.Request(id)
	if err != nil {
		return nil, err
	}
	r := &run{req: req}
	if r.sub, err = tx.Submission(req.Submission); err != nil {
		return nil, err
	}
	if p.OrgOnly() && r.sub.Org != p.Org || p.OwnOnly() && r.sub.CreatedBy != tx.Actor(p).Hash {
		return nil, hiddenRequest()
	}
	r.set, err = s.tenants.At(tx, r.sub.ConfigVersion)
	return r, err
}

// asPerson loads the submission of a person's session.
func (s *Service) asPerson(tx *store.Tx, p access.Principal, ref dsr.Reference) (*run, []dsr.Request, error) {
	if p.Kind != access.KindPerson || p.Subject == "" {
		return nil, nil, fault.New(fault.Unauthorized, "no_session", "Open the link in your mail first, or ask for a new one.")
	}
	sub, err := tx.Submission(dsr.SubmissionID(p.Subject))
	if err != nil {
		return nil, nil, err
	}
	if sub.Reference != ref {
		return nil, nil, fault.New(fault.NotFound, "unknown_reference", "There is no request with that reference.")
	}
	r := &run{sub: sub}
	if r.set, err = s.tenants.At(tx, sub.ConfigVersion); err != nil {
		return nil, nil, err
	}
	reqs, err := tx.RequestsOf(sub.ID)
	return r, reqs, err
}
