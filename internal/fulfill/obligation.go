package fulfill

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/notify"
	"github.com/habeas-data/habeas/internal/plan"
	"github.com/habeas-data/habeas/internal/store"
)

// Oblige carries an obligation out whose day has come. Rows of one request that go on the same day go together,
// children first, in the order of the plan that was approved.
func (s *Service) Oblige(ctx context.Context, id dsr.TenantID, obligationID string) error {
	var (
		o    store.Obligation
		same []store.Obligation
		ok   bool
		r    = &run{}
	)
	err := s.store.InTx(ctx, id, func(tx *store.Tx) (err error) {
		if o, ok, err = tx.ClaimObligation(obligationID, 10*lease); err != nil || !ok {
			return err
		}
		if r.req, err = tx.Request(o.Request); err != nil {
			return err
		}
		if r.sub, err = tx.Submission(r.req.Submission); err != nil {
			return err
		}
		if r.set, err = s.tenants.At(tx, r.sub.ConfigVersion); err != nil {
			return err
		}
		if o.Kind != store.ObligationDeleteRows {
			return nil
		}
		same, err = sameDay(tx, o)
		return err
	})
	if err != nil || !ok {
		return err
	}
	switch {
	case o.Kind == store.ObligationPurge:
		err = s.purge(ctx, r, o)
	case o.Kind == store.ObligationRecheck:
		err = s.recheck(ctx, r, o)
	case o.Kind == store.ObligationDeleteRows && r.req.OnHold:
		err = errHeld
	case o.Kind == store.ObligationDeleteRows:
		err = s.deleteRetained(ctx, r, same)
	}
	if err == nil {
		return nil
	}
	return s.obligationFailed(ctx, r, o, err)
}

// sameDay claims the other open obligations of the request that fall on the same day or before.
func sameDay(tx *store.Tx, o store.Obligation) ([]store.Obligation, error) {
	all, _, err := tx.ListObligations(store.ObligationFilter{Request: o.Request, State: store.ObligationOpen, Limit: 500})
	if err != nil {
		return nil, err
	}
	out := []store.Obligation{o}
	for _, x := range all {
		if x.ID == o.ID || x.Kind != store.ObligationDeleteRows || x.System != o.System || x.DueOn.After(o.DueOn) {
			continue
		}
		claimed, ok, err := tx.ClaimObligation(x.ID, 10*lease)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, claimed)
		}
	}
	return out, nil
}

// deleteRetained deletes rows whose retention has ended, by the keys that were recorded before anything was touched,
// and counts them afterwards: nothing of them may be left.
func (s *Service) deleteRetained(ctx context.Context, r *run, due []store.Obligation) error {
	p, err := s.approvedPlan(ctx, r)
	if err != nil {
		return err
	}
	open, _, err := s.openSystems(ctx, r)
	if err != nil {
		return err
	}
	isDue := map[int]bool{}
	for _, o := range due {
		isDue[o.Step] = true
	}
	for _, o := range open {
		if o.entry.Name != due[0].System {
			continue
		}
		var (
			index []int
			steps []plan.Step
		)
		for i, st := range p.Steps {
			if isDue[i] && st.System == o.entry.Name {
				st.Action = plan.ActionDelete
				index, steps = append(index, i), append(steps, st)
			}
		}
		if err := s.deleteSteps(ctx, r, o, index, steps); err != nil {
			return err
		}
		return s.obligationsDone(ctx, r, due)
	}
	return needsPerson(dsr.AttentionStepFailed, "the system %s of an obligation is no longer in the data map", due[0].System)
}

func (s *Service) deleteSteps(ctx context.Context, r *run, o opened, index []int, steps []plan.Step) error {
	eraser, ok := o.system.(connector.Eraser)
	checker, ok2 := o.system.(connector.Checker)
	if !ok || !ok2 {
		return fmt.Errorf("the system %s can't erase", o.entry.Name)
	}
	source := s.source(r, index)
	guard := func(ctx context.Context) error {
		return s.store.Read(ctx, r.req.Tenant, func(tx *store.Tx) error {
			req, err := tx.Request(r.req.ID)
			if err == nil && req.OnHold {
				err = errHeld
			}
			return err
		})
	}
	record := func(context.Context, int, int64, int64) error { return nil }
	if err := eraser.Erase(ctx, steps, source, guard, record); err != nil {
		return fmt.Errorf("deleting retained rows in %s: %w", o.entry.Name, err)
	}
	for i, st := range steps {
		for chunk := 0; ; chunk++ {
			keys, err := source(ctx, i, chunk)
			if err != nil {
				return err
			}
			if keys == nil {
				break
			}
			left, err := checker.CountKeys(ctx, st.Table, keys)
			if err != nil {
				return fmt.Errorf("counting what is left in %s: %w", o.entry.Name, err)
			}
			if left > 0 {
				return needsPerson(dsr.AttentionResidue, "%d rows of %s are still there", left, st.Table)
			}
		}
	}
	return nil
}

// obligationsDone closes obligations and, with the last one of the request, sends the second letter and forgets the keys.
func (s *Service) obligationsDone(ctx context.Context, r *run, due []store.Obligation) error {
	return s.store.InTx(ctx, r.req.Tenant, func(tx *store.Tx) error {
		for i := range due {
			due[i].State, due[i].DoneAt, due[i].NextActionAt = store.ObligationDone, tx.Now, time.Time{}
			act := store.Act{By: job(), Action: "obligation.done", Facts: map[string]string{"obligation": due[i].ID, "rows": fmt.Sprint(due[i].Rows)}}
			if err := tx.UpdateObligation(&due[i], act); err != nil {
				return err
			}
		}
		left, _, err := tx.ListObligations(store.ObligationFilter{Request: r.req.ID, State: store.ObligationOpen, Limit: 500})
		if err != nil {
			return err
		}
		for _, o := range left {
			if o.Kind == store.ObligationDeleteRows {
				return nil
			}
		}
		if err := tx.DropCapture(r.req.ID); err != nil {
			return err
		}
		return s.letter(tx, r, notify.KindObligationDone, "obliged:"+string(r.req.ID), nil)
	})
}

// purge ends our own records of a submission: its key is destroyed, evidence without personal data stays. While rows
// are still owed, or a hold stands, it waits: the plan that the rows go by is part of what is destroyed.
func (s *Service) purge(ctx context.Context, r *run, o store.Obligation) error {
	var packages []store.Package
	err := s.store.Read(ctx, r.req.Tenant, func(tx *store.Tx) (err error) {
		if err := mayPurge(tx, r.sub.ID); err != nil {
			return err
		}
		packages, err = tx.PackagesOf(r.sub.ID)
		return err
	})
	if err != nil {
		return err
	}
	for _, pkg := range packages {
		if pkg.DestroyedAt.IsZero() {
			if err := s.destroyPackage(ctx, r.req.Tenant, pkg); err != nil {
				return err
			}
		}
	}
	return s.store.InTx(ctx, r.req.Tenant, func(tx *store.Tx) error {
		act := store.Act{By: job(), Action: "submission.purge", Facts: map[string]string{"submission": string(r.sub.ID)}}
		if err := tx.PurgeSubmission(r.sub.ID, act); err != nil {
			return err
		}
		o.State, o.DoneAt, o.NextActionAt = store.ObligationDone, tx.Now, time.Time{}
		return tx.UpdateObligation(&o, store.Act{By: job(), Action: "obligation.done", Facts: map[string]string{"obligation": o.ID}})
	})
}

// mayPurge gives errHeld while anything of a submission still needs its records.
func mayPurge(tx *store.Tx, id dsr.SubmissionID) error {
	reqs, err := tx.RequestsOf(id)
	if err != nil {
		return err
	}
	for _, q := range reqs {
		if q.OnHold {
			return errHeld
		}
		owed, _, err := tx.ListObligations(store.ObligationFilter{Request: q.ID, State: store.ObligationOpen, Limit: 500})
		if err != nil {
			return err
		}
		for _, x := range owed {
			if x.Kind == store.ObligationDeleteRows || x.Kind == store.ObligationRecheck {
				return errHeld
			}
		}
	}
	return nil
}

// obligationFailed tries again later, and tells a person when trying won't help.
func (s *Service) obligationFailed(ctx context.Context, r *run, o store.Obligation, cause error) error {
	s.log.WarnContext(ctx, "obligation failed", "tenant", r.req.Tenant, "obligation", o.ID, "attempt", o.Attempts+1, "error", cause)
	return s.store.InTx(context.WithoutCancel(ctx), r.req.Tenant, func(tx *store.Tx) error {
		act := store.Act{By: job(), Action: "obligation.try", Outcome: "failed", Facts: map[string]string{"obligation": o.ID}}
		o.NextActionAt = tx.Now.Add(time.Hour)
		if !errors.Is(cause, errHeld) {
			o.Attempts++
			o.NextActionAt = tx.Now.Add(min(time.Minute<<min(o.Attempts, 10), 12*time.Hour))
		}
		if err := tx.UpdateObligation(&o, act); err != nil {
			return err
		}
		if o.Attempts < failedTries && !errors.Is(cause, errLasting) && !fault.Is(cause, fault.Conflict) {
			return nil
		}
		req, err := tx.Request(o.Request)
		if err != nil || req.NeedsAttention != "" {
			return err
		}
		req.NeedsAttention = reasonOf(cause)
		return tx.UpdateRequest(&req, store.Act{By: job(), Action: "request.attention", Facts: map[string]string{"reason": req.NeedsAttention}})
	})
}
