package fulfill

import (
	"context"
	"slices"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/plan"
	"github.com/habeas-data/habeas/internal/store"
)

// eventLifted is the line in a request's history by which its ceilings are lifted.
const eventLifted = "ceiling_lifted"

// LiftCeiling lets one request touch more rows than a plan may, with the reason in the notes. The plan is made anew and
// says so; it still needs its approvals.
func (s *Service) LiftCeiling(ctx context.Context, p access.Principal, id dsr.RequestID, reason string) (dsr.Request, error) {
	if err := text("reason", reason, 3, maxNote); err != nil {
		return dsr.Request{}, err
	}
	return s.change(ctx, p, id, access.RequestLift, func(tx *store.Tx, r *run) error {
		current, err := tx.Plan(id, r.req.PlanDigest)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		if r.req.Status != dsr.StatusInReview || !overCeiling(current) {
			return fault.New(fault.Conflict, "no_ceiling", "No ceiling stands in the way of this request.")
		}
		act := store.Act{By: tx.Actor(p), Action: string(access.RequestLift), Facts: map[string]string{"plan_digest": r.req.PlanDigest}}
		if _, err := tx.AddNote(store.Note{Request: id, By: tx.Actor(p), Subject: p.Subject, Text: reason}, act); err != nil {
			return err
		}
		if err := tx.AddEvent(id, eventLifted, act); err != nil {
			return err
		}
		r.req.NeedsAttention, r.req.NextActionAt, r.req.Attempts = "", tx.Now, 0
		return tx.UpdateRequest(&r.req, store.Act{})
	})
}

func overCeiling(p plan.Plan) bool {
	return slices.ContainsFunc(p.Refusals, func(r plan.Refusal) bool { return r.Ceiling })
}

// lifted tells whether an officer lifted the ceilings for the request.
func (s *Service) lifted(ctx context.Context, r *run) (yes bool, err error) {
	err = s.store.Read(ctx, r.req.Tenant, func(tx *store.Tx) error {
		all, err := tx.Events(r.req.ID)
		yes = slices.ContainsFunc(all, func(e store.EventRecord) bool { return e.Name == eventLifted })
		return err
	})
	return yes, err
}
