package fulfill

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/plan"
	"github.com/habeas-data/habeas/internal/statute"
	"github.com/habeas-data/habeas/internal/store"
)

// rechecks are the days after which a correction is looked at again.
func rechecks() []int { return []int{1, 7} }

// findFields finds what is to be corrected: the fields in every system that has them, then their copies in all
// systems, wherever the field itself lies.
func (s *Service) findFields(ctx context.Context, r *run, in *plan.Input, open []opened, hash connector.KeyHash) error {
	kinds := map[string]string{}
	for _, o := range open {
		scope, err := s.scopeIn(ctx, r, o)
		if err != nil {
			return err
		}
		kinds[o.entry.Name] = scope.Subject
	}
	fields := make([]connector.Correction, len(r.req.Changes))
	for i, c := range r.req.Changes {
		fields[i] = connector.Correction{Field: c.Field, To: c.To, Places: r.set.Map.Places(kinds, c.Field)}
	}
	known := map[string]bool{}
	for _, copies := range []bool{false, true} {
		for _, o := range open {
			if !holdsPerson(in.Founds, o.entry.Name) {
				continue
			}
			got, err := s.before(ctx, r, in, o, hash, only(fields, o.entry.Name, copies))
			if err != nil {
				return err
			}
			in.Rectify = append(in.Rectify, got.Steps...)
			in.Withheld = append(in.Withheld, got.Withheld...)
			for i := range fields {
				fields[i].Was = append(fields[i].Was, got.Was[fields[i].Field]...)
				known[fields[i].Field] = known[fields[i].Field] || slices.Contains(got.Known, fields[i].Field)
			}
		}
	}
	if !slices.ContainsFunc(in.Founds, func(f plan.Found) bool { return holdsPerson(in.Founds, f.System) }) {
		return nil // nobody is known: there is nothing to correct
	}
	for _, f := range fields {
		if !known[f.Field] {
			in.Refusals = append(in.Refusals, plan.Refusal{System: plan.Own, Message: fmt.Sprintf("no system has a field %s of this person", f.Field)})
		}
	}
	return nil
}

func holdsPerson(founds []plan.Found, system string) bool {
	return slices.ContainsFunc(founds, func(f plan.Found) bool {
		return f.System == system && (f.Subjects > 0 || slices.ContainsFunc(f.Tables, func(t plan.FoundTable) bool { return t.Rows() > 0 }))
	})
}

// only gives the fields with their places in one system, either the field itself or its copies.
func only(fields []connector.Correction, system string, copies bool) []connector.Correction {
	var out []connector.Correction
	for _, f := range fields {
		f.Places = slices.DeleteFunc(slices.Clone(f.Places), func(p datamap.Place) bool { return p.System != system || (p.CopyOf != "") != copies })
		if len(f.Places) > 0 {
			out = append(out, f)
		}
	}
	return out
}

func (s *Service) before(ctx context.Context, r *run, in *plan.Input, o opened, hash connector.KeyHash, fields []connector.Correction) (connector.Corrected, error) {
	if len(fields) == 0 {
		return connector.Corrected{}, nil
	}
	rectifier, ok := o.system.(connector.Rectifier)
	if !ok {
		return connector.Corrected{Withheld: []plan.Withheld{{System: o.entry.Name, What: "not_searched", Ground: "values in this system are corrected by a person"}}}, nil
	}
	scope, err := s.scopeIn(ctx, r, o)
	if err != nil {
		return connector.Corrected{}, err
	}
	got, err := rectifier.Before(ctx, scope, hash, fields)
	if e, ok := fault.As(err); ok && e.Kind == fault.Invalid && len(e.Fields) > 0 {
		for _, f := range e.Fields { // asking again gives the same: the officer sees each field, and why
			got.Known = append(got.Known, f.Name)
			in.Refusals = append(in.Refusals, plan.Refusal{System: o.entry.Name, Message: f.Name + " can't be corrected as asked: " + f.Message})
		}
		got.Steps, got.Withheld = nil, nil
		return got, nil
	}
	if err != nil {
		return got, away(o, fmt.Errorf("reading what is to be corrected: %w", err))
	}
	return got, nil
}

// rectify writes the corrected values on the recorded rows, each only where it still is what the plan showed, and reads
// them back. It can be cut off anywhere and called again. Where nothing was written so far and the data moved, the
// request goes back into review.
func (s *Service) rectify(ctx context.Context, r *run) error {
	p, err := s.approvedPlan(ctx, r)
	if err != nil {
		return err
	}
	open, _, err := s.openSystems(ctx, r)
	if err != nil {
		return err
	}
	for _, o := range open {
		index, steps := stepsOf(&p, o.entry.Name)
		rectifier, ok := o.system.(connector.Rectifier)
		if len(steps) == 0 || !ok {
			continue
		}
		err := rectifier.Rectify(ctx, steps, s.source(r, index), s.guard(r), s.recorder(r, p, index))
		if errors.Is(err, connector.ErrChanged) {
			return s.moved(ctx, r, o, p, err)
		}
		if err != nil {
			return s.eraseFailed(o, err)
		}
	}
	return s.enter(ctx, r, dsr.StageTell)
}

// moved answers for data that are no longer what was approved: planned anew, unless another system was written already.
func (s *Service) moved(ctx context.Context, r *run, o opened, p plan.Plan, cause error) error {
	var done []store.StepRecord
	err := s.store.Read(ctx, r.req.Tenant, func(tx *store.Tx) (err error) {
		done, err = tx.Steps(r.req.ID)
		return err
	})
	if err != nil {
		return err
	}
	if len(done) > 0 {
		return s.eraseFailed(o, cause)
	}
	return s.outdated(ctx, r, p)
}

// changesIdentifier tells whether a correction writes something by which the person is found. What else they asked for
// is done first: afterwards the proven identifier finds nobody.
func (r *run) changesIdentifier(p plan.Plan) bool {
	for _, st := range p.Steps {
		entry, ok := r.set.Map.System(st.System)
		if !ok || st.Action != plan.ActionRectify {
			continue
		}
		if slices.ContainsFunc(st.Columns, func(c string) bool { return entry.IsIdentifier(st.Table, c) }) {
			return true
		}
	}
	return false
}

// mustWaitToRectify tells whether a correction of an identifier waits for what was asked together with it.
func (s *Service) mustWaitToRectify(tx *store.Tx, r *run, req *dsr.Request) (bool, error) {
	p, err := tx.Plan(req.ID, req.PlanDigest)
	if err != nil || !r.changesIdentifier(p) {
		return false, err
	}
	siblings, err := tx.RequestsOf(req.Submission)
	return slices.ContainsFunc(siblings, func(o dsr.Request) bool {
		work := o.Right.Work()
		return o.ID != req.ID && !o.Status.Final() && (work == dsr.WorkPackage || work == dsr.WorkErase)
	}), err
}

// oweRechecks puts the looks at a correction, or for rows that came late, on their days.
func (s *Service) oweRechecks(tx *store.Tx, r *run, req *dsr.Request, p plan.Plan) error {
	var rows int64
	for _, st := range p.Steps {
		rows += st.Rows
	}
	if rows == 0 {
		return nil
	}
	table, ground := "erasure", "a look for rows that came after an erasure"
	if req.Right.Work() == dsr.WorkRectify {
		table, ground = "rectification", "corrected values are looked at again"
	}
	for _, days := range rechecks() {
		at := tx.Now.Add(time.Duration(days) * 24 * time.Hour)
		_, err := tx.AddObligation(store.Obligation{Request: req.ID, Submission: r.sub.ID, System: plan.Own, Table: table, Kind: store.ObligationRecheck,
			Rows: rows, DueOn: statute.DateOf(at.In(zone(r.set.Policy))), Ground: ground, NextActionAt: at})
		if err != nil {
			return err
		}
	}
	return nil
}

// recheck looks whether the corrected values are still there. What something else wrote over is shown to a person.
func (s *Service) recheck(ctx context.Context, r *run, o store.Obligation) error {
	p, err := s.approvedPlan(ctx, r)
	if err != nil {
		return err
	}
	var over []store.Finding
	if r.req.Right.Work() == dsr.WorkErase {
		over, err = s.late(ctx, r, p, true)
	} else {
		over, err = s.overwritten(ctx, r, p)
	}
	if err != nil {
		return err
	}
	return s.store.InTx(ctx, r.req.Tenant, func(tx *store.Tx) error {
		req, err := tx.Request(r.req.ID)
		if err != nil {
			return err
		}
		ours := false
		if req.Right.Work() == dsr.WorkRectify {
			if ours, err = rewritten(tx, r, req, dsr.WorkRectify, dsr.WorkErase); err != nil {
				return err
			}
		}
		if len(over) > 0 && !ours {
			if err := tellOverwritten(tx, &req, over); err != nil {
				return err
			}
		}
		o.State, o.DoneAt, o.NextActionAt = store.ObligationDone, tx.Now, time.Time{}
		if err := tx.UpdateObligation(&o, store.Act{By: job(), Action: "obligation.done", Facts: map[string]string{"obligation": o.ID}}); err != nil {
			return err
		}
		if req.Right.Work() == dsr.WorkErase {
			return nil // retained rows go by the recorded keys
		}
		left, _, err := tx.ListObligations(store.ObligationFilter{Request: req.ID, State: store.ObligationOpen, Limit: 500})
		if err != nil || slices.ContainsFunc(left, func(x store.Obligation) bool { return x.Kind == store.ObligationRecheck }) {
			return err
		}
		return tx.DropCapture(req.ID)
	})
}

func (s *Service) overwritten(ctx context.Context, r *run, p plan.Plan) ([]store.Finding, error) {
	open, _, err := s.openSystems(ctx, r)
	if err != nil {
		return nil, err
	}
	var out []store.Finding
	for _, o := range open {
		index, steps := stepsOf(&p, o.entry.Name)
		rectifier, ok := o.system.(connector.Rectifier)
		if len(steps) == 0 || !ok {
			continue
		}
		found, err := rectifier.Recheck(ctx, steps, s.source(r, index))
		if err != nil {
			return nil, fmt.Errorf("looking again at what was corrected in %s: %w", o.entry.Name, err)
		}
		for _, f := range found {
			table := steps[f.Step].Table
			at := slices.IndexFunc(out, func(x store.Finding) bool {
				return x.System == o.entry.Name && x.Table == table && x.Column == f.Column
			})
			if at < 0 {
				out, at = append(out, store.Finding{System: o.entry.Name, Table: table, Column: f.Column, Kind: "overwritten"}), len(out)
			}
			out[at].Rows += f.Rows
		}
	}
	return out, nil
}

// rewritten tells whether a later request of the same person wrote or erased the values by our own hand.
func rewritten(tx *store.Tx, r *run, req dsr.Request, by ...dsr.Work) (bool, error) {
	subs, err := tx.SubmissionsByEmailHash(tx.EmailHash(r.sub.Person.Email), 0)
	if err != nil {
		return false, err
	}
	for _, sub := range subs {
		reqs, err := tx.RequestsOf(sub.ID)
		if err != nil {
			return false, err
		}
		for _, o := range reqs {
			if o.ID != req.ID && slices.Contains(by, o.Right.Work()) && (o.Status == dsr.StatusFulfilled || o.Status == dsr.StatusExecuting) && o.AnsweredAt.After(req.AnsweredAt) {
				return true, nil
			}
		}
	}
	return false, nil
}

func tellOverwritten(tx *store.Tx, req *dsr.Request, over []store.Finding) error {
	if err := tx.PutFindings(req, over); err != nil {
		return err
	}
	action, reason := "rectification.overwritten", dsr.AttentionOverwritten
	if req.Right.Work() == dsr.WorkErase {
		action, reason = "erasure.late", dsr.AttentionResidue
	}
	for _, f := range over {
		facts := map[string]string{"system": f.System, "dataset": f.Table, "rows": fmt.Sprint(f.Rows)}
		if f.Column != "" {
			facts["field"] = f.Column
		}
		err := tx.Audit(store.Act{By: job(), Action: action, Outcome: "failed", Facts: facts}, requestObject(req.ID))
		if err != nil {
			return err
		}
	}
	return attention(tx, req, reason)
}
