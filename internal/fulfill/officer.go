package fulfill

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/notify"
	"github.com/habeas-data/habeas/internal/plan"
	"github.com/habeas-data/habeas/internal/statute"
	"github.com/habeas-data/habeas/internal/store"
	"github.com/habeas-data/habeas/internal/webhook"
)

const (
	maxExplanation = 4000
	maxNote        = 4000
)

func text(name, s string, least, most int) error {
	n := utf8.RuneCountInString(strings.TrimSpace(s))
	if n < least || n > most || !utf8.ValidString(s) {
		return fault.BadInput([]fault.Field{{Name: name, Message: fmt.Sprintf("between %d and %d characters", least, most)}})
	}
	return nil
}

func badField(name, format string, args ...any) error {
	return fault.BadInput([]fault.Field{{Name: name, Message: fmt.Sprintf(format, args...)}})
}

// Planned is a plan with what moved since the one before it.
type Planned struct {
	plan.Plan
	Changed []plan.Change
}

// Plan gives the plan under review or approved, making one when there is none yet.
func (s *Service) Plan(ctx context.Context, p access.Principal, id dsr.RequestID) (Planned, error) {
	var out Planned
	found := false
	err := s.reading(ctx, p, id, access.PlanRead, func(tx *store.Tx, r *run) (err error) {
		if r.req.PlanDigest != "" {
			out.Plan, err = tx.Plan(id, r.req.PlanDigest)
			found = true
		} else {
			out.Plan, found, err = tx.LatestPlan(id)
		}
		if err != nil || !found {
			return err
		}
		before, ok, err := tx.PlanBefore(id, out.Digest)
		if ok {
			out.Changed = plan.Diff(before, out.Plan)
		}
		return err
	})
	if err != nil || found {
		out.Plan = seenBy(p, out.Plan)
		return out, err
	}
	out.Plan, err = s.Foresee(ctx, p, id)
	return out, err
}

// Drift makes the stored plan of a request anew, from the instant that it speaks from, and says what moved since: what
// the run itself would find. Nothing is kept.
func (s *Service) Drift(ctx context.Context, p access.Principal, id dsr.RequestID) (fresh plan.Plan, moved []plan.Change, err error) {
	var r *run
	var old plan.Plan
	err = s.reading(ctx, p, id, access.PlanRead, func(tx *store.Tx, v *run) (err error) {
		r = v
		if v.req.PlanDigest == "" {
			return fault.New(fault.Conflict, "no_plan", "There is no plan yet that another could be held against.")
		}
		old, err = tx.Plan(id, v.req.PlanDigest)
		return err
	})
	if err != nil {
		return fresh, nil, err
	}
	if fresh, err = s.makePlan(ctx, r, old.MadeAt); err != nil {
		return fresh, nil, asFault(err)
	}
	return seenBy(p, fresh), plan.Diff(old, fresh), nil
}

// seenBy leaves out what a person's data say and should say, but for those who decide about it.
func seenBy(p access.Principal, out plan.Plan) plan.Plan {
	if p.Can(access.RequestApprove) {
		return out
	}
	out.Steps = slices.Clone(out.Steps)
	for i := range out.Steps {
		out.Steps[i].Changes = slices.Clone(out.Steps[i].Changes)
		for j := range out.Steps[i].Changes {
			out.Steps[i].Changes[j].Before, out.Steps[i].Changes[j].After = "", ""
		}
	}
	return out
}

// Foresee makes the plan of a request without keeping it: what would happen.
func (s *Service) Foresee(ctx context.Context, p access.Principal, id dsr.RequestID) (plan.Plan, error) {
	out, err := s.foresee(ctx, p, id)
	return seenBy(p, out), err
}

func (s *Service) foresee(ctx context.Context, p access.Principal, id dsr.RequestID) (plan.Plan, error) {
	var r *run
	err := s.reading(ctx, p, id, access.PlanRead, func(_ *store.Tx, v *run) error {
		r = v
		return nil
	})
	if err != nil {
		return plan.Plan{}, err
	}
	if len(r.sub.Proofs) == 0 && r.needsProof() {
		return plan.Plan{}, fault.New(fault.Conflict, "not_verified", "There is no plan before the person is verified: only proven identifiers find data.")
	}
	out, err := s.makePlan(ctx, r, time.Time{})
	return out, asFault(err)
}

// asFault gives an error that needs a person as one that an officer can read.
func asFault(err error) error {
	if err == nil || fault.KindOf(err) != fault.Internal {
		return err
	}
	switch reasonOf(err) {
	case dsr.AttentionAmbiguous:
		return fault.Wrap(err, fault.Conflict, dsr.AttentionAmbiguous, "Several people answer to the proven identifiers: decide who is meant.")
	case dsr.AttentionNoDataMap:
		return fault.Wrap(err, fault.Conflict, dsr.AttentionNoDataMap, "The tenant has no data map yet: apply one with `habeas tenant apply`.")
	}
	return err
}

// Replan makes the plan anew and says what moved. An approval given to an older plan counts no more: it named another
// digest.
func (s *Service) Replan(ctx context.Context, p access.Principal, id dsr.RequestID) (Planned, error) {
	if err := p.Check(access.PlanMake); err != nil {
		return Planned{}, s.refused(ctx, p, id, access.PlanMake, err)
	}
	fresh, err := s.foresee(ctx, p, id)
	if err != nil {
		return Planned{}, err
	}
	var changed []plan.Change
	err = s.onRequest(ctx, p, id, access.PlanMake, func(tx *store.Tx, r *run) error {
		if r.req.Status != dsr.StatusInReview {
			return fault.New(fault.Conflict, "not_in_review", "A plan is made anew while a request is in review; this one is %s.", r.req.Status)
		}
		if r.req.PlanDigest != "" {
			old, err := tx.Plan(id, r.req.PlanDigest)
			if err != nil {
				return err
			}
			changed = plan.Diff(old, fresh)
		}
		if err := putPlan(tx, &r.req, fresh); err != nil {
			return err
		}
		r.req.NeedsAttention = ""
		if len(fresh.Refusals) > 0 {
			r.req.NeedsAttention = dsr.AttentionPlanRefused
		}
		return tx.UpdateRequest(&r.req, store.Act{By: tx.Actor(p), Action: string(access.PlanMake), Facts: planFacts(fresh)})
	})
	return Planned{seenBy(p, fresh), changed}, err
}

// Approve approves the plan that has this digest. Where the policy wants two approvals, the second comes from another
// person with the role of approver.
func (s *Service) Approve(ctx context.Context, p access.Principal, id dsr.RequestID, digest, note string) (Approved, error) {
	if err := text("note", note, 0, maxNote); err != nil {
		return Approved{}, err
	}
	if err := s.ensurePlan(ctx, p, id); err != nil {
		return Approved{}, err
	}
	var out Approved
	err := s.onRequest(ctx, p, id, access.RequestApprove, func(tx *store.Tx, r *run) error {
		current, err := approvable(tx, r, digest)
		if err != nil {
			return err
		}
		have, need, err := approveOnce(tx, r, p, digest, note)
		if err != nil {
			return err
		}
		act := store.Act{By: tx.Actor(p), Action: string(access.RequestApprove), Facts: map[string]string{"plan_digest": digest, "have": fmt.Sprint(have), "need": fmt.Sprint(need)}}
		out = Approved{Have: have, Need: need}
		if have < need {
			if err := tx.Audit(act, requestObject(id)); err != nil {
				return err
			}
			out.Request = r.req
			return tx.AddEvent(id, "approval", act)
		}
		err = s.approved(tx, r, &r.req, current, act)
		out.Request = r.req
		return err
	})
	return out, err
}

// approvable gives the plan that an approval names, or says why it can't be approved now.
func approvable(tx *store.Tx, r *run, digest string) (plan.Plan, error) {
	if r.req.Status != dsr.StatusInReview {
		_, err := dsr.Next(r.req.Status, dsr.EventApproved)
		return plan.Plan{}, err
	}
	if digest == "" {
		return plan.Plan{}, badField("plan_digest", "name the digest of the plan that you approve")
	}
	if r.req.PlanDigest == "" {
		return plan.Plan{}, fault.New(fault.Conflict, "no_plan", "There is no plan yet: it is being made.")
	}
	if digest != r.req.PlanDigest {
		return plan.Plan{}, fault.New(fault.Conflict, "plan_changed", "This is not the digest of the plan as it stands now: look at it again and approve that one.")
	}
	if r.req.OnHold && r.req.Right.Work() == dsr.WorkErase {
		return plan.Plan{}, fault.New(fault.Conflict, "on_hold", "A legal hold stands: release it first.")
	}
	current, err := tx.Plan(r.req.ID, digest)
	if err != nil {
		return plan.Plan{}, err
	}
	if len(current.Refusals) > 0 {
		return plan.Plan{}, fault.New(fault.Conflict, "plan_refused", "This plan can't run: %s.", current.Refusals[0].Message)
	}
	return current, nil
}

// approveOnce adds an approval and counts what there is.
func approveOnce(tx *store.Tx, r *run, p access.Principal, digest, note string) (have, need int, err error) {
	given, err := tx.Approvals(r.req.ID, digest)
	if err != nil {
		return 0, 0, err
	}
	need = needOf(r)
	for _, a := range given {
		if a.Subject == p.Subject {
			return 0, 0, fault.New(fault.Conflict, "approved_already", "You approved this plan already; the second approval comes from somebody else.")
		}
	}
	role := access.RoleOfficer
	if p.Has(access.RoleApprover) {
		role = access.RoleApprover
	}
	if len(given) > 0 && role != access.RoleApprover {
		return 0, 0, fault.New(fault.Forbidden, "approver_needed", "The second approval needs the role of approver.")
	}
	err = tx.AddApproval(r.req.ID, store.Approval{By: tx.Actor(p), Subject: p.Subject, Role: string(role), Digest: digest, Note: note})
	return len(given) + 1, need, err
}

func needOf(r *run) int {
	if rule, ok := r.set.Policy.Rights[string(r.req.Right)]; ok && rule.Approvals > 0 {
		return rule.Approvals
	}
	return 1
}

// Deny refuses a request with a coded ground and words for the letter.
func (s *Service) Deny(ctx context.Context, p access.Principal, id dsr.RequestID, ground, explanation string) (dsr.Request, error) {
	var faults []fault.Field
	if !slices.Contains(dsr.DenyGrounds(), dsr.DenyGround(ground)) {
		faults = append(faults, fault.Field{Name: "ground", Message: fmt.Sprintf("this is none of %v", dsr.DenyGrounds())})
	}
	if n := utf8.RuneCountInString(strings.TrimSpace(explanation)); n > maxExplanation || n == 0 {
		faults = append(faults, fault.Field{Name: "explanation", Message: fmt.Sprintf("say why, in at most %d characters: it goes into the letter", maxExplanation)})
	}
	if err := fault.BadInput(faults); err != nil {
		return dsr.Request{}, err
	}
	return s.change(ctx, p, id, access.RequestDeny, func(tx *store.Tx, r *run) error {
		act := store.Act{By: tx.Actor(p), Action: string(access.RequestDeny), Facts: map[string]string{"ground": ground}}
		err := tx.Transition(&r.req, dsr.EventDenied, act, func(q *dsr.Request) {
			q.DenyGround, q.Decision, q.AnsweredAt, q.NextActionAt, q.NeedsAttention = dsr.DenyGround(ground), explanation, tx.Now, time.Time{}, ""
		})
		if err != nil {
			return err
		}
		if err := s.events.Request(tx, webhook.EventRequestDenied, r.req, map[string]any{"ground": ground}); err != nil {
			return err
		}
		if err := s.letter(tx, r, notify.KindDenied, "denied:"+string(id), func(d *notify.Data) { d.Ground, d.Explanation = ground, explanation }); err != nil {
			return err
		}
		return s.oweRecords(tx, r)
	})
}

// change is onRequest for what gives back the request as it is afterwards.
func (s *Service) change(ctx context.Context, p access.Principal, id dsr.RequestID, a access.Action, fn func(tx *store.Tx, r *run) error) (dsr.Request, error) {
	var out dsr.Request
	err := s.onRequest(ctx, p, id, a, func(tx *store.Tx, r *run) error {
		if err := fn(tx, r); err != nil {
			return err
		}
		var err error
		out, err = tx.Request(id)
		return err
	})
	return out, err
}

// Withdraw calls a request back on behalf of the person.
func (s *Service) Withdraw(ctx context.Context, p access.Principal, id dsr.RequestID, note string) (dsr.Request, error) {
	if err := text("note", note, 0, maxNote); err != nil {
		return dsr.Request{}, err
	}
	return s.change(ctx, p, id, access.RequestWithdraw, func(tx *store.Tx, r *run) error {
		if note != "" {
			if _, err := tx.AddNote(store.Note{Request: id, By: tx.Actor(p), Subject: p.Subject, Text: note}, store.Act{By: tx.Actor(p), Action: string(access.NoteWrite)}); err != nil {
				return err
			}
		}
		return s.withdraw(tx, r, p)
	})
}

// withdraw calls one request back; in a grace period it stops what was scheduled.
func (s *Service) withdraw(tx *store.Tx, r *run, p access.Principal) error {
	from := r.req.Status
	act := store.Act{By: tx.Actor(p), Action: string(access.RequestWithdraw), Facts: map[string]string{"from": string(from)}}
	err := tx.Transition(&r.req, dsr.EventWithdrawn, act, func(q *dsr.Request) {
		q.NextActionAt, q.GraceEndsAt, q.NeedsAttention = time.Time{}, time.Time{}, ""
	})
	if err != nil {
		return err
	}
	if err := s.events.Request(tx, webhook.EventRequestWithdrawn, r.req, nil); err != nil {
		return err
	}
	kind := notify.KindWithdrawn
	if from == dsr.StatusInGrace {
		kind = notify.KindErasureCancelled
		if err := s.events.Request(tx, webhook.EventErasureCancelled, r.req, nil); err != nil {
			return err
		}
	}
	if err := s.letter(tx, r, kind, "withdrawn:"+string(r.req.ID), nil); err != nil {
		return err
	}
	if err := s.wakeSiblings(tx, r.req); err != nil {
		return err
	}
	return s.oweRecords(tx, r)
}

// wakeSiblings lets an erasure that waited for this request look again at once.
func (s *Service) wakeSiblings(tx *store.Tx, done dsr.Request) error {
	all, err := tx.RequestsOf(done.Submission)
	if err != nil {
		return err
	}
	for _, o := range all {
		waits := o.Right.Work() == dsr.WorkErase || o.Right.Work() == dsr.WorkRectify
		if o.ID != done.ID && waits && (o.Status == dsr.StatusInGrace || o.Status == dsr.StatusExecuting) && !o.NextActionAt.IsZero() && o.NextActionAt.After(tx.Now) {
			if o.Status == dsr.StatusInGrace && o.GraceEndsAt.After(tx.Now) {
				continue
			}
			o.NextActionAt = tx.Now
			if err := tx.UpdateRequest(&o, store.Act{}); err != nil {
				return err
			}
		}
	}
	return nil
}

// CallBack ends open erasures of a person: the other half of account.reopened. identifiers are vouched for by the
// product. It gives the number of erasures ended.
func (s *Service) CallBack(tx *store.Tx, by access.Principal, identifiers map[string]string) (int, error) {
	open, err := s.closing(tx, by, identifiers)
	if err != nil {
		return 0, err
	}
	for i, r := range open {
		if err := s.withdraw(tx, r, by); err != nil {
			return i, err
		}
	}
	return len(open), nil
}

// Closing tells whether an erasure that account.closed began is open for the person.
func (s *Service) Closing(tx *store.Tx, by access.Principal, identifiers map[string]string) (bool, error) {
	open, err := s.closing(tx, by, identifiers)
	return len(open) > 0, err
}

// closing lists the open erasures of a person that an event of the product began.
func (s *Service) closing(tx *store.Tx, by access.Principal, identifiers map[string]string) ([]*run, error) {
	var out []*run
	f := store.RequestFilter{Right: []dsr.Right{dsr.RightErasure}, Limit: 200,
		Status: []dsr.Status{dsr.StatusReceived, dsr.StatusVerifying, dsr.StatusInReview, dsr.StatusInGrace}}
	for more := true; more; more = f.Cursor != "" {
		page, next, err := tx.ListRequests(f)
		if err != nil {
			return nil, err
		}
		f.Cursor = next
		for _, req := range page {
			r, err := s.visible(tx, access.Principal{Kind: access.KindSystem, Tenant: by.Tenant}, req.ID)
			if err != nil {
				return nil, err
			}
			if r.sub.Channel == dsr.ChannelWebhook && sameFor(tx, r.sub, identifiers) {
				out = append(out, r)
			}
		}
	}
	return out, nil
}

// sameFor tells whether a submission was entered for the person whom the identifiers name: every identifier that both
// have must be the same, and there must be one.
func sameFor(tx *store.Tx, sub dsr.Submission, identifiers map[string]string) bool {
	matched := false
	for _, p := range sub.Proofs {
		v, ok := identifiers[p.Identifier]
		if !ok {
			continue
		}
		if identifierHash(tx, p.Identifier, v) != identifierHash(tx, p.Identifier, p.Value) {
			return false
		}
		matched = true
	}
	return matched
}

// Retry lets a request that needs attention go on where it stands.
func (s *Service) Retry(ctx context.Context, p access.Principal, id dsr.RequestID) (dsr.Request, error) {
	return s.change(ctx, p, id, access.RequestRetry, func(tx *store.Tx, r *run) error {
		if r.req.NeedsAttention == "" {
			return fault.New(fault.Conflict, "nothing_to_retry", "This request does not wait for a retry.")
		}
		if r.req.Status.Final() { // what failed is an obligation, perhaps years after the end
			r.req.NeedsAttention = ""
			if err := tx.UpdateRequest(&r.req, store.Act{By: tx.Actor(p), Action: string(access.RequestRetry)}); err != nil {
				return err
			}
			return retryObligations(tx, id)
		}
		late, err := cameLate(tx, r.req)
		if err != nil {
			return err
		}
		if late {
			return tx.Transition(&r.req, dsr.EventPlanOutdated, store.Act{By: tx.Actor(p), Action: string(access.RequestRetry)}, func(q *dsr.Request) {
				q.NextActionAt, q.Stage, q.AnsweredAt, q.NeedsAttention, q.Attempts = tx.Now, dsr.StageNone, time.Time{}, "", 0
			})
		}
		r.req.NeedsAttention, r.req.Attempts, r.req.NextActionAt = "", 0, tx.Now
		return tx.UpdateRequest(&r.req, store.Act{By: tx.Actor(p), Action: string(access.RequestRetry)})
	})
}

// retryObligations makes what failed of a request's obligations due now. One that somebody holds goes on by itself.
func retryObligations(tx *store.Tx, id dsr.RequestID) error {
	owed, _, err := tx.ListObligations(store.ObligationFilter{Request: id, State: store.ObligationOpen, Limit: 500})
	if err != nil {
		return err
	}
	for _, o := range owed {
		if o.Attempts == 0 {
			continue
		}
		o.Attempts, o.NextActionAt = 0, tx.Now
		if err := tx.UpdateObligation(&o, store.Act{}); err != nil {
			return err
		}
	}
	return nil
}

// Answer closes a request that is answered by letter, with these words to the person.
func (s *Service) Answer(ctx context.Context, p access.Principal, id dsr.RequestID, words string) (dsr.Request, error) {
	if err := text("text", words, 1, maxExplanation); err != nil {
		return dsr.Request{}, err
	}
	if err := s.ensurePlan(ctx, p, id); err != nil {
		return dsr.Request{}, err
	}
	return s.change(ctx, p, id, access.RequestApprove, func(tx *store.Tx, r *run) error {
		if r.req.Right.Work() != dsr.WorkLetter {
			return fault.New(fault.Conflict, "not_by_letter", "A request of type %s is carried out, not answered by letter.", r.req.Right)
		}
		if r.req.PlanDigest == "" {
			return fault.New(fault.Conflict, "no_plan", "There is no plan yet: it is being made.")
		}
		current, err := approvable(tx, r, r.req.PlanDigest)
		if err != nil {
			return err
		}
		have, need, err := approveOnce(tx, r, p, r.req.PlanDigest, "")
		if err != nil {
			return err
		}
		r.req.Decision = words // of the last who answers: the second pair of eyes may mend them
		if err := tx.UpdateRequest(&r.req, store.Act{}); err != nil {
			return err
		}
		act := store.Act{By: tx.Actor(p), Action: string(access.RequestApprove), Facts: planFacts(current)}
		if have < need {
			if err := tx.Audit(act, requestObject(id)); err != nil {
				return err
			}
			return tx.AddEvent(id, "approval", act)
		}
		return s.approved(tx, r, &r.req, current, act)
	})
}

// Assign gives a request to an officer; "" to nobody.
func (s *Service) Assign(ctx context.Context, p access.Principal, id dsr.RequestID, assignee string) (dsr.Request, error) {
	if err := text("assignee", assignee, 0, 200); err != nil {
		return dsr.Request{}, err
	}
	return s.change(ctx, p, id, access.RequestAssign, func(tx *store.Tx, r *run) error {
		r.req.Assignee = assignee
		return tx.UpdateRequest(&r.req, store.Act{By: tx.Actor(p), Action: string(access.RequestAssign)})
	})
}

// Hold places a legal hold; until may be zero. While it stands nothing is erased, and what runs stops at its next batch.
func (s *Service) Hold(ctx context.Context, p access.Principal, id dsr.RequestID, reason string, until statute.Date) (dsr.Request, error) {
	if err := text("reason", reason, 3, maxNote); err != nil {
		return dsr.Request{}, err
	}
	return s.change(ctx, p, id, access.RequestHold, func(tx *store.Tx, r *run) error {
		if r.req.Status.Final() && r.req.Status != dsr.StatusFulfilled {
			return fault.New(fault.Conflict, "over", "This request is over.")
		}
		h := store.Hold{Request: id, Reason: reason, By: tx.Actor(p)}
		if !until.IsZero() {
			h.Until = dueAt(until, r)
		}
		act := store.Act{By: tx.Actor(p), Action: string(access.RequestHold), Facts: map[string]string{"act": "place"}}
		if _, err := tx.PlaceHold(h, act); err != nil {
			return err
		}
		return tx.AddEvent(id, "hold", act)
	})
}

// ReleaseHold releases all holds of a request; what they stopped goes on.
func (s *Service) ReleaseHold(ctx context.Context, p access.Principal, id dsr.RequestID, note string) (dsr.Request, error) {
	if err := text("note", note, 0, maxNote); err != nil {
		return dsr.Request{}, err
	}
	return s.change(ctx, p, id, access.RequestHold, func(tx *store.Tx, r *run) error {
		holds, err := tx.Holds(id)
		if err != nil {
			return err
		}
		act := store.Act{By: tx.Actor(p), Action: string(access.RequestHold), Facts: map[string]string{"act": "release"}}
		n := 0
		for _, h := range holds {
			if h.ReleasedAt.IsZero() {
				if err := tx.ReleaseHold(h.ID, act); err != nil {
					return err
				}
				n++
			}
		}
		if n == 0 {
			return fault.New(fault.Conflict, "no_hold", "No hold stands on this request.")
		}
		if err := tx.AddEvent(id, "release", act); err != nil {
			return err
		}
		req, err := tx.Request(id)
		if err != nil || (req.Status != dsr.StatusExecuting && req.Status != dsr.StatusInGrace) {
			return err
		}
		req.NextActionAt = tx.Now
		return tx.UpdateRequest(&req, store.Act{})
	})
}
