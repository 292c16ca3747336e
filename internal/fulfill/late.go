package fulfill

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/plan"
	"github.com/habeas-data/habeas/internal/store"
)

// findingLate is the kind of rows that came after the keys were recorded.
const findingLate = "late"

// subjectStep is where the keys of the subject's own rows are recorded, by the position of the system in the map: behind
// all steps that a plan can have.
func subjectStep(system int) int { return 1_000_000 + system }

// captureSubject records the keys of the subject's own rows: what hangs on them and comes late is found by nothing else
// once they are gone.
func (s *Service) captureSubject(ctx context.Context, r *run, system int, o opened) error {
	sweeper, ok := o.system.(connector.Sweeper)
	if !ok || r.req.Right.Work() != dsr.WorkErase {
		return nil
	}
	scope, err := s.scopeIn(ctx, r, o)
	if err != nil {
		return err
	}
	if err := s.recorded(ctx, r, system, &scope); err != nil {
		return err
	}
	keys, err := sweeper.SubjectKeys(ctx, scope)
	if err != nil {
		return fmt.Errorf("recording whom it is about in %s: %w", o.entry.Name, err)
	}
	out := [][]string{{scope.Subject}}
	for _, k := range keys {
		out = append(out, k)
	}
	return s.fenced(ctx, r, func(tx *store.Tx, req *dsr.Request) error { return tx.PutCapture(req, subjectStep(system), 0, out) })
}

// recorded adds what captureSubject recorded to a scope.
func (s *Service) recorded(ctx context.Context, r *run, system int, scope *connector.Scope) error {
	return s.store.Read(ctx, r.req.Tenant, func(tx *store.Tx) error {
		rows, err := tx.Capture(r.req.ID, subjectStep(system), 0)
		if err != nil || len(rows) < 2 {
			return err
		}
		scope.Subject = rows[0][0]
		for _, k := range rows[1:] {
			scope.Keys = append(scope.Keys, k)
		}
		return nil
	})
}

// dropRows forgets the recorded keys of a request but those of the subject's own rows.
func dropRows(tx *store.Tx, r *run, req *dsr.Request) error {
	kept := map[int][][]string{}
	for i := range r.set.Map.Systems {
		rows, err := tx.Capture(req.ID, subjectStep(i), 0)
		if err != nil {
			return err
		}
		if len(rows) > 1 {
			kept[subjectStep(i)] = rows
		}
	}
	if err := tx.DropCapture(req.ID); err != nil {
		return err
	}
	for step, rows := range kept {
		if err := tx.PutCapture(req, step, 0, rows); err != nil {
			return err
		}
	}
	return nil
}

// cameLate tells whether the look after a run found nothing but rows that came late: they are planned for anew.
func cameLate(tx *store.Tx, req dsr.Request) (bool, error) {
	if req.Status != dsr.StatusExecuting || req.Stage != dsr.StageCheck || req.NeedsAttention != dsr.AttentionResidue {
		return false, nil
	}
	found, err := tx.Findings(req.ID)
	return slices.ContainsFunc(found, func(f store.Finding) bool { return f.Kind == findingLate }), err
}

// late names the rows of the person that came after the keys were recorded, by table. afterwards looks by the subject's
// recorded keys alone: who signed up again with the same address is no late row of the erased account.
func (s *Service) late(ctx context.Context, r *run, p plan.Plan, afterwards bool) ([]store.Finding, error) {
	open, _, err := s.openSystems(ctx, r)
	if err != nil {
		return nil, err
	}
	var out []store.Finding
	for i, o := range open {
		sweeper, ok := o.system.(connector.Sweeper)
		if !ok {
			continue
		}
		scope := r.scope()
		if afterwards {
			scope.Identifiers = nil
		}
		if err := s.recorded(ctx, r, i, &scope); err != nil {
			return nil, err
		}
		if len(scope.Keys) == 0 {
			continue
		}
		found, err := s.lateIn(ctx, r, p, o, sweeper, scope)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

func (s *Service) lateIn(ctx context.Context, r *run, p plan.Plan, o opened, sweeper connector.Sweeper, scope connector.Scope) ([]store.Finding, error) {
	subject, ok := o.entry.Subject(scope.Subject)
	if !ok {
		return nil, nil
	}
	seen, err := s.recordedKeys(ctx, r, p, o)
	if err != nil {
		return nil, err
	}
	counts, again := map[string]int64{}, false
	err = sweeper.Sweep(ctx, scope, rulesFor(r, o.entry, p.MadeAt), func(table string, x plan.Fate, key connector.Key) {
		if seen[table+"\x1e"+strings.Join(key, "\x1f")] || x.Action == plan.ActionKeep {
			return
		}
		again = again || table == subject.Table
		counts[table]++
	})
	if err != nil {
		return nil, fmt.Errorf("looking for what came late in %s: %w", o.entry.Name, err)
	}
	if again {
		return nil, nil // the key was given to somebody else: what hangs on it is theirs
	}
	var out []store.Finding
	for table, n := range counts {
		out = append(out, store.Finding{System: o.entry.Name, Table: table, Kind: findingLate, Rows: n})
	}
	slices.SortFunc(out, func(a, b store.Finding) int { return strings.Compare(a.Table, b.Table) })
	return out, nil
}

// recordedKeys gives the keys of the rows of a system that the plan leaves standing. A key that it deletes and that is
// there again is a new row: SQLite hands the highest number out twice.
func (s *Service) recordedKeys(ctx context.Context, r *run, p plan.Plan, o opened) (map[string]bool, error) {
	index, steps := stepsOf(&p, o.entry.Name)
	source := s.source(r, index)
	seen := map[string]bool{}
	for i, st := range steps {
		for chunk := 0; st.Action != plan.ActionUnlink && st.Action != plan.ActionDelete; chunk++ {
			keys, err := source(ctx, i, chunk)
			if err != nil {
				return nil, err
			}
			if keys == nil {
				break
			}
			for _, k := range keys {
				seen[st.Table+"\x1e"+strings.Join(k, "\x1f")] = true
			}
		}
	}
	return seen, nil
}
