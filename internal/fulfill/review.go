package fulfill

import (
	"context"
	"fmt"
	"time"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/notify"
	"github.com/habeas-data/habeas/internal/plan"
	"github.com/habeas-data/habeas/internal/policy"
	"github.com/habeas-data/habeas/internal/store"
	"github.com/habeas-data/habeas/internal/webhook"
)

// skipProof takes a request into review that needs no proof, or whose proof came with it.
func (s *Service) skipProof(ctx context.Context, r *run) error {
	return s.fenced(ctx, r, func(tx *store.Tx, req *dsr.Request) error {
		act := store.Act{By: job(), Action: "request.verify", Facts: map[string]string{"method": proofMethod(r.sub)}}
		if err := tx.Transition(req, dsr.EventVerified, act, func(q *dsr.Request) { q.NextActionAt = tx.Now }); err != nil {
			return err
		}
		if err := s.events.Request(tx, webhook.EventRequestVerified, *req, nil); err != nil {
			return err
		}
		if r.sub.Person.Email == "" || r.sub.Channel == dsr.ChannelWebhook {
			return nil
		}
		return s.letter(tx, r, notify.KindRequestReceived, "received:"+string(r.sub.ID), nil)
	})
}

func proofMethod(sub dsr.Submission) string {
	if len(sub.Proofs) == 0 {
		return policy.MethodNone
	}
	return sub.Proofs[0].Method
}

// askProof sends the verification mail.
func (s *Service) askProof(ctx context.Context, r *run) error {
	return s.asker.Ask(ctx, &r.req)
}

// expire ends a request that nobody proved in time: nothing was disclosed and nothing destroyed.
func (s *Service) expire(ctx context.Context, r *run) error {
	return s.fenced(ctx, r, func(tx *store.Tx, req *dsr.Request) error {
		if tx.Now.Before(r.sub.ExpiresAt) {
			return tx.Release(req, r.sub.ExpiresAt)
		}
		err := tx.Transition(req, dsr.EventExpired, store.Act{By: job(), Action: "request.expire"}, func(q *dsr.Request) { q.NextActionAt = time.Time{} })
		if err != nil {
			return err
		}
		return s.oweRecords(tx, r) // what a stranger wrote about somebody goes on its day, too
	})
}

// review makes the plan of a request that is proven, and approves it where the policy does: `review: auto`.
func (s *Service) review(ctx context.Context, r *run) error {
	p, err := s.makePlan(ctx, r, time.Time{})
	if err != nil {
		return err
	}
	return s.fenced(ctx, r, func(tx *store.Tx, req *dsr.Request) error {
		if err := putPlan(tx, req, p); err != nil {
			return err
		}
		if len(p.Refusals) > 0 {
			return attention(tx, req, dsr.AttentionPlanRefused)
		}
		req.NeedsAttention = ""
		gone, err := vanished(tx, r, *req, p)
		if err != nil {
			return err
		}
		if gone {
			return attention(tx, req, dsr.AttentionVanished)
		}
		stopped, err := sentBack(tx, req.ID)
		if err != nil {
			return err
		}
		if stopped || !s.approvesItself(r, p) {
			req.NextActionAt = time.Time{}
			return tx.UpdateRequest(req, store.Act{By: job(), Action: "plan.make", Facts: planFacts(p)})
		}
		if err := tx.AddApproval(req.ID, store.Approval{By: job(), Subject: "policy", Role: "policy", Digest: p.Digest}); err != nil {
			return err
		}
		return s.approved(tx, r, req, p, store.Act{By: job(), Action: "request.approve", Facts: planFacts(p)})
	})
}

func putPlan(tx *store.Tx, req *dsr.Request, p plan.Plan) error {
	if err := tx.PutPlan(req.ID, p); err != nil {
		return err
	}
	req.PlanDigest, req.PlanMadeAt = p.Digest, p.MadeAt
	return nil
}

func planFacts(p plan.Plan) map[string]string {
	return map[string]string{"plan_digest": p.Digest, "steps": fmt.Sprint(len(p.Steps))}
}

// approvesItself tells whether the policy itself approves: where it says so, where nothing is held of the person (they
// are told so), and for a suppression that needs no proof and that the policy does not speak of.
func (s *Service) approvesItself(r *run, p plan.Plan) bool {
	if p.NothingHeld && !notSearched(p) {
		return true
	}
	rule, ok := r.set.Policy.Rights[string(r.req.Right)]
	if !ok {
		return !r.needsProof()
	}
	return rule.Review == policy.ReviewAuto
}

// vanished tells whether the identifiers find nobody any more where an earlier plan of the request found something, and
// it was not our own hand: the product gave the person another address meanwhile, and their data are still there.
func vanished(tx *store.Tx, r *run, req dsr.Request, p plan.Plan) (bool, error) {
	if !p.NothingHeld {
		return false, nil
	}
	before, ok, err := tx.PlanBefore(req.ID, p.Digest)
	if err != nil || !ok || before.NothingHeld {
		return false, err
	}
	ours, err := rewritten(tx, r, req, dsr.WorkErase)
	return !ours, err
}

// notSearched tells whether there are tables in which no machine looks: then nobody can say that nothing is held.
func notSearched(p plan.Plan) bool {
	for _, w := range p.Withheld {
		if w.What == "not_searched" {
			return true
		}
	}
	return false
}

// approved takes a request with an approved plan on: into its grace period, or straight into execution.
func (s *Service) approved(tx *store.Tx, r *run, req *dsr.Request, p plan.Plan, act store.Act) error {
	// A grace period is waited once: a plan made anew after it, because data moved, is carried out when it is approved.
	ends := req.GraceEndsAt
	if grace := graceOf(r); ends.IsZero() && !grace.IsZero() && !p.NothingHeld {
		ends = grace.AddTo(tx.Now)
	}
	if !ends.After(tx.Now) {
		err := tx.Transition(req, dsr.EventApproved, act, func(q *dsr.Request) {
			q.NextActionAt, q.Stage, q.Attempts, q.NeedsAttention = tx.Now, dsr.StageNone, 0, ""
		})
		if err != nil {
			return err
		}
		return s.events.Request(tx, webhook.EventRequestApproved, *req, map[string]any{"plan_digest": p.Digest})
	}
	err := tx.Transition(req, dsr.EventScheduled, act, func(q *dsr.Request) {
		// The legal date is met by the decision and its letter; the grace period is a fact of the policy.
		q.GraceEndsAt = ends
		q.NextActionAt, q.Stage, q.Attempts, q.NeedsAttention = q.GraceEndsAt, dsr.StageNone, 0, ""
		q.AnsweredAt = tx.Now
	})
	if err != nil {
		return err
	}
	if err := s.events.Request(tx, webhook.EventRequestApproved, *req, map[string]any{"plan_digest": p.Digest}); err != nil {
		return err
	}
	if err := s.events.Request(tx, webhook.EventErasureScheduled, *req, map[string]any{"grace_ends_at": req.GraceEndsAt.UTC().Format(time.RFC3339)}); err != nil {
		return err
	}
	return s.letter(tx, r, notify.KindErasureScheduled, fmt.Sprintf("scheduled:%s:%d", req.ID, req.GraceEndsAt.Unix()), func(d *notify.Data) {
		d.GraceEndsAt = req.GraceEndsAt
		d.Kept = keptLines(p)
	})
}

// endGrace begins the execution when the grace period is over, no hold stands, and what was asked together with it to
// be handed over first has been.
func (s *Service) endGrace(ctx context.Context, r *run) error {
	return s.fenced(ctx, r, func(tx *store.Tx, req *dsr.Request) error {
		if tx.Now.Before(req.GraceEndsAt) {
			return tx.Release(req, req.GraceEndsAt)
		}
		wait, err := s.mustWait(tx, req)
		if err != nil {
			return err
		}
		if wait {
			return tx.Release(req, tx.Now.Add(time.Minute))
		}
		return tx.Transition(req, dsr.EventGraceEnded, store.Act{By: job(), Action: "request.grace_ended"}, func(q *dsr.Request) {
			q.NextActionAt, q.Stage, q.Attempts = tx.Now, dsr.StageCapture, 0
		})
	})
}

// mustWait tells whether an erasure may not run yet: a hold stands, or an access or portability request of the same
// submission is still open (it is delivered first, or waived by withdrawing it).
func (s *Service) mustWait(tx *store.Tx, req *dsr.Request) (bool, error) {
	if req.OnHold {
		return true, nil
	}
	siblings, err := tx.RequestsOf(req.Submission)
	if err != nil {
		return false, err
	}
	for _, o := range siblings {
		if o.ID != req.ID && o.Right.Work() == dsr.WorkPackage && !o.Status.Final() {
			return true, nil
		}
	}
	return false, nil
}

// outdated takes a request back into review because the data no longer fit the approved plan.
func (s *Service) outdated(ctx context.Context, r *run, fresh plan.Plan) error {
	return s.fenced(ctx, r, func(tx *store.Tx, req *dsr.Request) error {
		if err := dropRows(tx, r, req); err != nil {
			return err
		}
		return tx.Transition(req, dsr.EventPlanOutdated, store.Act{By: job(), Action: "plan.outdated", Facts: planFacts(fresh)}, func(q *dsr.Request) {
			// What was decided and told no longer holds: the legal clock runs until it is decided anew.
			q.NextActionAt, q.Stage, q.AnsweredAt = tx.Now, dsr.StageNone, time.Time{}
		})
	})
}

// confirm makes the plan anew and compares: what runs is what was approved. It gives the approved plan, or nil after
// the request went back into review.
func (s *Service) confirm(ctx context.Context, r *run) (*plan.Plan, error) {
	var approved plan.Plan
	err := s.store.Read(ctx, r.req.Tenant, func(tx *store.Tx) (err error) {
		approved, err = tx.Plan(r.req.ID, r.req.PlanDigest)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the approved plan: %w", err)
	}
	if approved.Digest == "" || plan.Digest(approved) != approved.Digest {
		return nil, needsPerson(dsr.AttentionStepFailed, "the stored plan does not answer to its digest")
	}
	fresh, err := s.makePlan(ctx, r, approved.MadeAt)
	if err != nil {
		return nil, err
	}
	if len(fresh.Refusals) > 0 || plan.Changed(approved, fresh) {
		return nil, s.outdated(ctx, r, fresh)
	}
	return &approved, nil
}
