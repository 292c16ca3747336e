package oversee

import (
	"context"
	"time"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/store"
)

// claimFor is how long a first call may run before a repeat of it counts as a new try.
const claimFor = time.Minute

// Begin claims an idempotency key, or gives the answer that is stored under it. The same key with another body or
// target is a fault.Conflict; so is one whose first call still runs.
func (s *Service) Begin(ctx context.Context, tenant dsr.TenantID, k store.IdempotencyKey) (a store.Answer, found bool, err error) {
	err = s.store.InTx(ctx, tenant, func(tx *store.Tx) error {
		if err := tx.DropStaleClaim(k, tx.Now.Add(-claimFor)); err != nil {
			return err
		}
		first, err := tx.Idempotent(k)
		switch {
		case err != nil:
			return err
		case first == nil:
			return tx.ClaimAnswer(k)
		case first.Status == 0:
			return fault.New(fault.Conflict, "still_running", "The first call with this Idempotency-Key still runs: try again in a moment.")
		}
		a, found = *first, true
		return nil
	})
	return a, found, err
}

// Finish stores the answer.
func (s *Service) Finish(ctx context.Context, tenant dsr.TenantID, k store.IdempotencyKey, a store.Answer) error {
	return s.store.InTx(ctx, tenant, func(tx *store.Tx) error {
		if err := tx.DropAnswer(k); err != nil {
			return err
		}
		return tx.PutAnswer(k, a)
	})
}

// Abandon gives the claim back: nothing was done.
func (s *Service) Abandon(ctx context.Context, tenant dsr.TenantID, k store.IdempotencyKey) error {
	return s.store.InTx(ctx, tenant, func(tx *store.Tx) error { return tx.DropAnswer(k) })
}
