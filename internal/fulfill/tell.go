package fulfill

import (
	"context"
	"fmt"
	"time"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/notify"
	"github.com/habeas-data/habeas/internal/plan"
	"github.com/habeas-data/habeas/internal/statute"
	"github.com/habeas-data/habeas/internal/store"
	"github.com/habeas-data/habeas/internal/webhook"
)

// letter queues a letter to the address on file, in the transaction of what it tells. A person without an address
// gets none. The dedupe key makes the same cause one letter.
func (s *Service) letter(tx *store.Tx, r *run, kind notify.Kind, dedupe string, fill func(*notify.Data)) error {
	to := addressOf(r.sub)
	if to == "" {
		return nil
	}
	reqs, err := tx.RequestsOf(r.sub.ID)
	if err != nil {
		return err
	}
	d := s.outbox.Data(r.set.Policy, r.sub, reqs)
	d.Right = r.req.Right
	if fill != nil {
		fill(&d)
	}
	return s.outbox.Queue(tx, notify.Mail{Kind: kind, To: to, Submission: r.sub.ID, Request: r.req.ID, Dedupe: dedupe, Data: d})
}

// addressOf is where a person is written to: the stored form of the address, never a typed one once a stored one is known.
func addressOf(sub dsr.Submission) string {
	if sub.Person.Stored != "" {
		return sub.Person.Stored
	}
	return sub.Person.Email
}

// tell is the last step: the letter, the obligations to come, the event, the end, in one transaction.
func (s *Service) tell(ctx context.Context, r *run) error {
	var p plan.Plan
	if r.req.PlanDigest != "" {
		var err error
		if p, err = s.approvedPlan(ctx, r); err != nil {
			return err
		}
	}
	return s.fenced(ctx, r, func(tx *store.Tx, req *dsr.Request) error {
		kind, fill, err := s.lastLetter(tx, r, req, p)
		if err != nil {
			return err
		}
		if r.req.Right.Work() == dsr.WorkErase {
			if err := tx.EndMemories(identities(tx, r)); err != nil {
				return err
			}
			if err := s.owe(tx, r, req, p); err != nil {
				return err
			}
			if err := s.oweRechecks(tx, r, req, p); err != nil {
				return err
			}
		}
		if r.req.Right.Work() == dsr.WorkRectify {
			if err := s.oweRechecks(tx, r, req, p); err != nil {
				return err
			}
		}
		if err := s.letter(tx, r, kind, "done:"+string(req.ID), fill); err != nil {
			return err
		}
		if p.NothingHeld {
			if err := tx.AddEvent(req.ID, "nothing_held", store.Act{By: job(), Action: "request.nothing_held"}); err != nil {
				return err
			}
		}
		act := store.Act{By: job(), Action: "request.fulfill", Facts: map[string]string{"right": string(req.Right)}}
		err = tx.Transition(req, dsr.EventFulfilled, act, func(q *dsr.Request) {
			q.NextActionAt, q.NeedsAttention = time.Time{}, ""
			if q.AnsweredAt.IsZero() {
				q.AnsweredAt = tx.Now
			}
		})
		if err != nil {
			return err
		}
		if err := s.wakeSiblings(tx, *req); err != nil {
			return err
		}
		for _, name := range doneEvents(*req) {
			if err := s.events.Request(tx, name, *req, nil); err != nil {
				return err
			}
		}
		return s.oweRecords(tx, r)
	})
}

func doneEvents(r dsr.Request) []string {
	switch {
	case r.Right == dsr.RightErasure:
		return []string{webhook.EventErasureExecuted, webhook.EventRequestFulfilled}
	case r.Right == dsr.RightRestriction:
		return []string{webhook.EventRestrictionApplied, webhook.EventRequestFulfilled}
	case r.Right.Work() == dsr.WorkSuppress:
		return []string{webhook.EventSuppressionAdded, webhook.EventRequestFulfilled}
	}
	return []string{webhook.EventRequestFulfilled}
}

// lastLetter chooses the letter that ends a request, and what it says.
func (s *Service) lastLetter(tx *store.Tx, r *run, req *dsr.Request, p plan.Plan) (notify.Kind, func(*notify.Data), error) {
	if p.NothingHeld {
		return notify.KindNothingHeld, nil, nil
	}
	switch req.Right.Work() {
	case dsr.WorkPackage:
		pkg, err := tx.PackageOf(req.ID)
		if err != nil {
			return "", nil, err
		}
		return notify.KindPackageReady, func(d *notify.Data) { d.PackageExpiresAt = pkg.ExpiresAt }, nil
	case dsr.WorkErase:
		return notify.KindErasureDone, func(d *notify.Data) { d.Kept, d.Done = keptLines(p), doneLines(p) }, nil
	case dsr.WorkRectify:
		return notify.KindRectified, nil, nil
	case dsr.WorkSuppress:
		return notify.KindSuppressed, nil, nil
	case dsr.WorkLetter:
		return notify.KindAnswered, func(d *notify.Data) { d.Explanation = req.Decision }, nil
	}
	return notify.KindAnswered, nil, nil
}

// keptLines tells what an erasure leaves, until when and why.
func keptLines(p plan.Plan) []notify.KeptLine {
	var out []notify.KeptLine
	for _, st := range p.Steps {
		if st.Action == plan.ActionRetain || st.Action == plan.ActionKeep {
			out = append(out, notify.KeptLine{What: st.Table, Category: st.Category, Rows: st.Rows, Ground: st.Ground, Until: st.On})
		}
	}
	return notify.Merge(out)
}

func doneLines(p plan.Plan) []notify.DoneLine {
	var out []notify.DoneLine
	for _, st := range p.Steps {
		if st.Action == plan.ActionDelete || st.Action == plan.ActionAnonymize {
			out = append(out, notify.DoneLine{What: st.Table, Category: st.Category, Rows: st.Rows, Anonymized: st.Action == plan.ActionAnonymize})
		}
	}
	return out
}

// owe turns what is kept into dated obligations: each row goes on its date by itself. Keys of steps that are done are
// forgotten; those of retained rows stay, sealed, until their day.
func (s *Service) owe(tx *store.Tx, r *run, req *dsr.Request, p plan.Plan) error {
	for i, st := range p.Steps {
		if st.Action != plan.ActionRetain || st.On.IsZero() {
			continue
		}
		_, err := tx.AddObligation(store.Obligation{Request: req.ID, Submission: r.sub.ID, System: st.System, Table: st.Table,
			Kind: store.ObligationDeleteRows, Rows: st.Rows, DueOn: st.On, Ground: st.Ground, Step: i,
			NextActionAt: dueAt(st.On, r)})
		if err != nil {
			return err
		}
	}
	return nil
}

func dueAt(on statute.Date, r *run) time.Time { return on.In(zone(r.set.Policy)).UTC() }

// oweRecords puts the end of our own records of a submission on its date, once all its requests are over: what we
// store about a person is itself deleted when its time is up.
func (s *Service) oweRecords(tx *store.Tx, r *run) error {
	reqs, err := tx.RequestsOf(r.sub.ID)
	if err != nil {
		return err
	}
	on := r.set.Policy.Records.Keep.AddToDate(statute.DateOf(tx.Now.In(zone(r.set.Policy))))
	for _, q := range reqs {
		if !q.Status.Final() {
			return nil
		}
		owed, _, err := tx.ListObligations(store.ObligationFilter{Request: q.ID, Limit: 500})
		if err != nil {
			return err
		}
		for _, o := range owed {
			if o.Kind == store.ObligationPurge {
				return nil
			}
			if !o.DueOn.Before(on) {
				on = o.DueOn.AddDays(1) // with the plan go the grounds and steps that the rows are deleted by
			}
		}
	}
	_, err = tx.AddObligation(store.Obligation{Request: r.req.ID, Submission: r.sub.ID, System: plan.Own, Table: "submission", Kind: store.ObligationPurge,
		Rows: 1, DueOn: on, Ground: fmt.Sprintf("records of requests are kept %s", r.set.Policy.Records.Keep), NextActionAt: dueAt(on, r)})
	return err
}
