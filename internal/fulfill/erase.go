package fulfill

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/plan"
	"github.com/habeas-data/habeas/internal/residue"
	"github.com/habeas-data/habeas/internal/store"
)

// capture is the last look before anything is touched: the plan is made anew and must answer to the approved digest;
// then the keys of every row it speaks of are recorded, sealed, so that a run that was cut off finds its way and the
// look afterwards knows where to look. Only then is the request in StageAct.
func (s *Service) capture(ctx context.Context, r *run) error {
	wait := false
	err := s.fenced(ctx, r, func(tx *store.Tx, req *dsr.Request) (err error) {
		if req.Right.Work() == dsr.WorkRectify {
			wait, err = s.mustWaitToRectify(tx, r, req)
		} else {
			wait, err = s.mustWait(tx, req)
		}
		if err != nil || wait {
			return errors.Join(err, tx.Release(req, tx.Now.Add(time.Minute)))
		}
		if err := tx.CloseSteps(req); err != nil {
			return err
		}
		return dropRows(tx, r, req) // of a run that was cut off in the middle of recording
	})
	if err != nil || wait {
		return err
	}
	p, err := s.confirm(ctx, r)
	if err != nil || p == nil {
		return err
	}
	open, _, err := s.openSystems(ctx, r)
	if err != nil {
		return err
	}
	for i, o := range open {
		if err := s.captureSystem(ctx, r, p, i, o); err != nil {
			return err
		}
		if err := s.captureSubject(ctx, r, i, o); err != nil {
			return err
		}
	}
	return s.enter(ctx, r, dsr.StageAct)
}

func (s *Service) captureSystem(ctx context.Context, r *run, p *plan.Plan, system int, o opened) error {
	index, steps := stepsOf(p, o.entry.Name)
	if len(steps) == 0 {
		return nil
	}
	capturer, ok := o.system.(connector.Capturer)
	if !ok {
		return fmt.Errorf("the system %s can't list keys", o.entry.Name)
	}
	chunks, counts := map[int]int{}, map[int]int64{}
	buffer := map[int][][]string{}
	flush := func(step int) error {
		if len(buffer[step]) == 0 {
			return nil
		}
		err := s.fenced(ctx, r, func(tx *store.Tx, req *dsr.Request) error {
			return tx.PutCapture(req, index[step], chunks[step], buffer[step])
		})
		chunks[step]++
		buffer[step] = nil
		return err
	}
	scope, err := s.scopeIn(ctx, r, o)
	if err != nil {
		return err
	}
	if err := s.recorded(ctx, r, system, &scope); err != nil {
		return err
	}
	err = capturer.Capture(ctx, scope, rulesFor(r, o.entry, p.MadeAt), steps, func(step int, keys []connector.Key) error {
		for _, k := range keys {
			buffer[step] = append(buffer[step], append([]string(nil), k...))
		}
		counts[step] += int64(len(keys))
		if len(buffer[step]) < captureChunk {
			return nil
		}
		return flush(step)
	})
	if err != nil {
		return fmt.Errorf("recording the keys of %s: %w", o.entry.Name, err)
	}
	for step := range steps {
		if err := flush(step); err != nil {
			return err
		}
		if counts[step] != steps[step].Rows {
			return fmt.Errorf("recording the keys of %s: %w: %d rows of %s where the plan has %d", o.entry.Name, connector.ErrChanged, counts[step], steps[step].Table, steps[step].Rows)
		}
	}
	return nil
}

// source gives captured keys back. index maps a connector's steps to those of the plan.
func (s *Service) source(r *run, index []int) connector.Source {
	return func(ctx context.Context, step, chunk int) (keys []connector.Key, err error) {
		err = s.store.Read(ctx, r.req.Tenant, func(tx *store.Tx) error {
			rows, err := tx.Capture(r.req.ID, index[step], chunk)
			for _, k := range rows {
				keys = append(keys, connector.Key(k))
			}
			return err
		})
		return keys, err
	}
}

// erase carries the destructive steps out on the recorded keys. It can be cut off anywhere and called again.
func (s *Service) erase(ctx context.Context, r *run) error {
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
		if len(steps) == 0 {
			continue
		}
		eraser, ok := o.system.(connector.Eraser)
		if !ok {
			return fmt.Errorf("the system %s can't erase", o.entry.Name)
		}
		if err := eraser.Erase(ctx, steps, s.source(r, index), s.guard(r), s.recorder(r, p, index)); err != nil {
			if errors.Is(err, connector.ErrChanged) {
				return s.eraseStopped(ctx, r, p, o, err)
			}
			return s.eraseFailed(o, err)
		}
	}
	return s.enter(ctx, r, dsr.StageCheck)
}

// eraseFailed tells a database's refusal, which no further try mends, from an outage, which one does.
func (s *Service) eraseFailed(o opened, err error) error {
	err = fmt.Errorf("erasing in %s: %w", o.entry.Name, err)
	if fault.Is(err, fault.Conflict) || errors.Is(err, connector.ErrChanged) {
		return &lasting{dsr.AttentionStepFailed, err}
	}
	return err
}

func (s *Service) approvedPlan(ctx context.Context, r *run) (p plan.Plan, err error) {
	err = s.store.Read(ctx, r.req.Tenant, func(tx *store.Tx) (err error) {
		p, err = tx.Plan(r.req.ID, r.req.PlanDigest)
		return err
	})
	return p, err
}

// recorder keeps the evidence of each step: counts, never values.
func (s *Service) recorder(r *run, p plan.Plan, index []int) connector.Recorder {
	return func(ctx context.Context, step int, affected, gone int64) error {
		st := p.Steps[index[step]]
		return s.fenced(ctx, r, func(tx *store.Tx, req *dsr.Request) error {
			return tx.PutStep(req, store.StepRecord{Step: index[step], System: st.System, Table: st.Table, Action: string(st.Action),
				Expected: st.Rows, Affected: affected, Gone: gone, DoneAt: tx.Now})
		})
	}
}

// check looks again, independently of what did the work. "Completed" is never claimed from counts of what was touched.
func (s *Service) check(ctx context.Context, r *run) error {
	if r.req.Right.Work() != dsr.WorkErase {
		return s.enter(ctx, r, dsr.StageTell)
	}
	p, err := s.approvedPlan(ctx, r)
	if err != nil {
		return err
	}
	var findings []store.Finding
	for i := range r.set.Map.Systems {
		entry := &r.set.Map.Systems[i]
		index, steps := stepsOf(&p, entry.Name) // none where nothing was found: the look is for what was not
		if !entry.Kind.SQL() {
			continue
		}
		source := s.source(r, index)
		report, err := residue.Check(ctx, residue.Input{
			System: entry, Getenv: s.systems.Getenv(), Steps: steps, Identifiers: r.scope().Identifiers,
			Keys: func(ctx context.Context, step, chunk int) (out [][]string, err error) {
				keys, err := source(ctx, step, chunk)
				for _, k := range keys {
					out = append(out, k)
				}
				return out, err
			},
		})
		if err != nil {
			return fmt.Errorf("looking again at %s: %w", entry.Name, err)
		}
		for _, f := range report.Findings {
			findings = append(findings, store.Finding{System: f.System, Table: f.Table, Column: f.Column, Kind: string(f.Kind), Rows: f.Rows})
		}
	}
	late, err := s.late(ctx, r, p, false)
	if err != nil {
		return err
	}
	findings = append(findings, late...)
	few, err := s.fewShare(ctx, r, p)
	if err != nil {
		return err
	}
	return s.fenced(ctx, r, func(tx *store.Tx, req *dsr.Request) error {
		known, err := tx.Findings(req.ID)
		if err != nil {
			return err
		}
		if err := tx.PutFindings(req, append(slices.Clone(findings), few...)); err != nil {
			return err
		}
		// What few people share stays so however often one looks: an officer who saw it lets the request go on.
		if len(findings) > 0 || len(few) > 0 && !allKnown(few, known) {
			return attention(tx, req, dsr.AttentionResidue)
		}
		return stage(tx, req, dsr.StageTell)
	})
}
