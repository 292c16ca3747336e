package fulfill

import (
	"context"
	"time"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/store"
)

// ensurePlan stores the plan of a request that came into review a moment ago, when whoever decides is quicker than the
// job that makes it: what GET showed can be approved at once.
func (s *Service) ensurePlan(ctx context.Context, p access.Principal, id dsr.RequestID) error {
	var r *run
	err := s.reading(ctx, p, id, access.RequestApprove, func(_ *store.Tx, v *run) error {
		r = v
		return nil
	})
	if err != nil || r.req.Status != dsr.StatusInReview || r.req.PlanDigest != "" {
		return err
	}
	fresh, err := s.makePlan(ctx, r, time.Time{})
	if err != nil {
		return asFault(err)
	}
	return s.onRequest(ctx, p, id, access.RequestApprove, func(tx *store.Tx, r *run) error {
		if r.req.Status != dsr.StatusInReview || r.req.PlanDigest != "" {
			return nil // the job was quicker after all
		}
		if err := putPlan(tx, &r.req, fresh); err != nil {
			return err
		}
		return tx.UpdateRequest(&r.req, store.Act{By: job(), Action: "plan.make", Facts: planFacts(fresh)})
	})
}
