package fulfill

import (
	"context"
	"slices"
	"time"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/auditlog"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/mail"
	"github.com/habeas-data/habeas/internal/plan"
	"github.com/habeas-data/habeas/internal/statute"
	"github.com/habeas-data/habeas/internal/store"
)

func objectOf(id dsr.SubmissionID) auditlog.Object {
	return auditlog.Object{Kind: "submission", ID: string(id)}
}

// List gives a page of requests.
func (s *Service) List(ctx context.Context, p access.Principal, f Filter) ([]dsr.Request, string, error) {
	if err := p.Check(access.RequestList); err != nil {
		return nil, "", s.refused(ctx, p, "", access.RequestList, err)
	}
	q, err := filterOf(f)
	if err != nil {
		return nil, "", err
	}
	var (
		items []dsr.Request
		next  string
	)
	err = s.store.Read(ctx, dsr.TenantID(p.Tenant), func(tx *store.Tx) (err error) {
		if a, err := mail.ParseAddress(f.Query); err == nil {
			q.EmailHash = tx.EmailHash(a.String())
		}
		if p.OrgOnly() {
			q.Org = p.Org
		}
		if p.OwnOnly() {
			q.CreatedBy = tx.Actor(p).Hash
		}
		items, next, err = tx.ListRequests(q)
		return err
	})
	return items, next, err
}

func filterOf(f Filter) (store.RequestFilter, error) {
	q := store.RequestFilter{DueBefore: f.DueBefore, Assignee: f.Assignee, Reference: f.Reference, Sort: f.Sort, Cursor: f.Cursor, Limit: f.Limit}
	for _, v := range f.Status {
		if !slices.Contains(dsr.Statuses(), dsr.Status(v)) {
			return q, badField("status", "this is none of %v", dsr.Statuses())
		}
		q.Status = append(q.Status, dsr.Status(v))
	}
	for _, v := range f.Types {
		right, ok := dsr.ParseRight(v)
		if !ok {
			return q, badField("type", "this is none of %v", dsr.Rights())
		}
		q.Right = append(q.Right, right)
	}
	if f.Attention {
		yes := true
		q.NeedsAttention = &yes
	}
	if f.Reference != "" {
		ref, err := dsr.ParseReference(f.Reference)
		if err != nil {
			return q, badField("reference", "this is not a reference such as HB-7K3M-92QD")
		}
		q.Reference = string(ref)
	}
	if f.Query != "" {
		if ref, err := dsr.ParseReference(f.Query); err == nil {
			q.Reference = string(ref)
		} else if _, err := mail.ParseAddress(f.Query); err != nil {
			return q, badField("q", "search by a reference or by a whole e-mail address")
		}
	}
	return q, nil
}

// Counts gives the head of the queue.
func (s *Service) Counts(ctx context.Context, p access.Principal) (Counts, error) {
	var c Counts
	if err := p.Check(access.RequestList); err != nil {
		return c, s.refused(ctx, p, "", access.RequestList, err)
	}
	err := s.store.Read(ctx, dsr.TenantID(p.Tenant), func(tx *store.Tx) (err error) {
		if c.ByStatus, c.Overdue, err = tx.CountRequests(); err != nil {
			return err
		}
		yes := true
		items, _, err := tx.ListRequests(store.RequestFilter{NeedsAttention: &yes, Limit: 200})
		c.Attention = len(items)
		return err
	})
	return c, err
}

// Request gives one request as an officer or a product backend may see it.
func (s *Service) Request(ctx context.Context, p access.Principal, id dsr.RequestID) (OfficerView, error) {
	var v OfficerView
	err := s.reading(ctx, p, id, access.RequestRead, func(tx *store.Tx, r *run) error {
		v = OfficerView{Request: r.req, Submission: r.sub, Need: needOf(r), Possible: possible(p, r.req, false), ShareOfDue: shareOfDue(r, tx.Now)}
		reqs, err := tx.RequestsOf(r.sub.ID)
		if err != nil {
			return err
		}
		for _, q := range reqs {
			if q.ID != id {
				v.Siblings = append(v.Siblings, q)
			}
		}
		if v.Events, err = events(tx, id); err != nil {
			return err
		}
		if v.Package, err = packageView(tx, id); err != nil {
			return err
		}
		if p.Kind != access.KindOfficer {
			v.Submission.Person = dsr.Person{}
			return nil
		}
		if err := s.officerParts(tx, r, &v); err != nil || v.Plan == nil {
			return err
		}
		v.Possible = possible(p, r.req, overCeiling(*v.Plan))
		before, ok, err := tx.PlanBefore(id, v.Plan.Digest)
		if ok {
			v.Changed = plan.Diff(before, *v.Plan)
		}
		*v.Plan = seenBy(p, *v.Plan)
		return err
	})
	return v, err
}

// officerParts adds what only the controller's own people see.
func (s *Service) officerParts(tx *store.Tx, r *run, v *OfficerView) error {
	if err := planPart(tx, r, v); err != nil {
		return err
	}
	notes, err := tx.Notes(r.req.ID)
	if err != nil {
		return err
	}
	for _, n := range notes {
		v.Notes = append(v.Notes, Note{At: n.At, By: n.Subject, Body: n.Text})
	}
	if v.Messages, err = messages(tx, r.sub.ID); err != nil {
		return err
	}
	holds, err := tx.Holds(r.req.ID)
	if err != nil {
		return err
	}
	for _, h := range holds {
		hv := HoldView{ID: h.ID, Reason: h.Reason, PlacedAt: h.PlacedAt, ReleasedAt: h.ReleasedAt}
		if !h.Until.IsZero() {
			hv.Until = statute.DateOf(h.Until.In(zone(r.set.Policy)))
		}
		v.Holds = append(v.Holds, hv)
	}
	findings, err := tx.Findings(r.req.ID)
	for _, f := range findings {
		v.Findings = append(v.Findings, FindingView{f.System, f.Table, f.Column, f.Kind, f.Rows})
	}
	return err
}

func planPart(tx *store.Tx, r *run, v *OfficerView) error {
	var (
		p   plan.Plan
		ok  = r.req.PlanDigest != ""
		err error
	)
	if ok {
		p, err = tx.Plan(r.req.ID, r.req.PlanDigest)
	} else {
		p, ok, err = tx.LatestPlan(r.req.ID)
	}
	if err != nil || !ok {
		return err
	}
	v.Plan = &p
	given, err := tx.Approvals(r.req.ID, p.Digest)
	v.Approvals = approvals(given)
	return err
}

func approvals(given []store.Approval) []ApprovalView {
	var out []ApprovalView
	for _, a := range given {
		by := a.By.Hash
		if len(by) > 8 {
			by = by[:8]
		}
		out = append(out, ApprovalView{Role: a.Role, By: by, At: a.At, Note: a.Note})
	}
	return out
}

func events(tx *store.Tx, id dsr.RequestID) ([]EventView, error) {
	all, err := tx.Events(id)
	if err != nil {
		return nil, err
	}
	out := make([]EventView, len(all))
	for i, e := range all {
		by := e.Actor.Hash
		if len(by) > 8 {
			by = by[:8]
		}
		out[i] = EventView{At: e.At, Name: e.Name, From: e.From, To: e.To, Kind: e.Actor.Kind, By: by, Facts: e.Facts}
	}
	return out, nil
}

// Events gives a request's history.
func (s *Service) Events(ctx context.Context, p access.Principal, id dsr.RequestID) ([]EventView, error) {
	var out []EventView
	err := s.reading(ctx, p, id, access.RequestRead, func(tx *store.Tx, _ *run) (err error) {
		out, err = events(tx, id)
		return err
	})
	return out, err
}

// possible lists what this principal may do to the request as it stands now.
func possible(p access.Principal, q dsr.Request, over bool) []string {
	var out []string
	add := func(name string, a access.Action, ok bool) {
		if ok && p.Can(a) {
			out = append(out, name)
		}
	}
	can := func(e dsr.Event) bool { return slices.Contains(dsr.Possible(q.Status), e) }
	open := !q.Status.Final()
	add("verify", access.RequestVerify, can(dsr.EventVerified))
	add("approve", access.RequestApprove, q.Status == dsr.StatusInReview && q.Right.Work() != dsr.WorkLetter)
	add("answer", access.RequestApprove, q.Status == dsr.StatusInReview && q.Right.Work() == dsr.WorkLetter)
	add("replan", access.PlanMake, q.Status == dsr.StatusInReview)
	add("lift-ceiling", access.RequestLift, q.Status == dsr.StatusInReview && over)
	add("deny", access.RequestDeny, can(dsr.EventDenied))
	add("withdraw", access.RequestWithdraw, can(dsr.EventWithdrawn))
	unanswered := open && q.AnsweredAt.IsZero()
	add("extend", access.RequestExtend, unanswered && q.ExtendedUntil.IsZero())
	add("pause", access.RequestPause, unanswered && askedFor(q.ClockEvents) == "")
	add("resume", access.RequestPause, open && askedFor(q.ClockEvents) != "")
	add("hold", access.RequestHold, open || q.Status == dsr.StatusFulfilled)
	add("release", access.RequestHold, q.OnHold)
	add("retry", access.RequestRetry, q.NeedsAttention != "")
	add("assign", access.RequestAssign, open)
	add("note", access.NoteWrite, true)
	add("message", access.MessageWrite, true)
	return out
}

// shareOfDue is how much of the time between receipt and legal date is gone.
func shareOfDue(r *run, now time.Time) float64 {
	due := r.req.DueOn
	if !r.req.ExtendedUntil.IsZero() {
		due = r.req.ExtendedUntil
	}
	if due.IsZero() {
		return 0
	}
	end := due.AddDays(1).In(zone(r.set.Policy))
	if total := end.Sub(r.req.ReceivedAt); total > 0 {
		return float64(now.Sub(r.req.ReceivedAt)) / float64(total)
	}
	return 1
}

// Package gives a request's package for review.
func (s *Service) Package(ctx context.Context, p access.Principal, id dsr.RequestID) (PackageView, error) {
	var out PackageView
	err := s.reading(ctx, p, id, access.PackageReview, func(tx *store.Tx, _ *run) error {
		v, err := packageView(tx, id)
		if err != nil {
			return err
		}
		if v == nil {
			return noPackage()
		}
		out = *v
		return nil
	})
	return out, err
}

// OpenPackage opens a package for an officer's review before release. The reading is in the log.
func (s *Service) OpenPackage(ctx context.Context, p access.Principal, id dsr.RequestID) (Download, error) {
	var (
		pkg store.Package
		ref dsr.Reference
	)
	err := s.onRequest(ctx, p, id, access.PackageReview, func(tx *store.Tx, r *run) (err error) {
		ref = r.req.Reference
		if pkg, err = tx.PackageOf(id); err != nil {
			return err
		}
		if !pkg.DestroyedAt.IsZero() {
			return noPackage()
		}
		return tx.Audit(store.Act{By: tx.Actor(p), Action: string(access.PackageReview)}, requestObject(id))
	})
	if err != nil {
		return Download{}, err
	}
	return s.openPackage(ctx, pkg, ref)
}
