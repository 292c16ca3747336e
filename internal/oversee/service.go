package oversee

import (
	"context"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/auditlog"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/store"
)

// Service serves auditors and admins.
type Service struct {
	store        *store.Store
	allowPrivate bool // webhooks to private addresses: for development
}

// New makes the service.
func New(s *store.Store, allowPrivate bool) *Service {
	return &Service{store: s, allowPrivate: allowPrivate}
}

// may checks a right; a refusal leaves its leaf.
func (s *Service) may(ctx context.Context, p access.Principal, a access.Action) error {
	why := p.Check(a)
	if why == nil || p.Tenant == "" {
		return why
	}
	err := s.store.InTx(ctx, dsr.TenantID(p.Tenant), func(tx *store.Tx) error {
		return tx.Audit(store.Act{By: tx.Actor(p), Action: string(a), Outcome: auditlog.OutcomeRefused}, auditlog.Object{Kind: "tenant", ID: p.Tenant})
	})
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	return why
}

func (s *Service) read(ctx context.Context, p access.Principal, a access.Action, fn func(tx *store.Tx) error) error {
	if err := s.may(ctx, p, a); err != nil {
		return err
	}
	return s.store.Read(ctx, dsr.TenantID(p.Tenant), fn)
}

func (s *Service) write(ctx context.Context, p access.Principal, a access.Action, fn func(tx *store.Tx, act store.Act) error) error {
	if err := s.may(ctx, p, a); err != nil {
		return err
	}
	return s.store.InTx(ctx, dsr.TenantID(p.Tenant), func(tx *store.Tx) error {
		return fn(tx, store.Act{By: tx.Actor(p), Action: string(a)})
	})
}
