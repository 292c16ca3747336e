package fulfill

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/plan"
	"github.com/habeas-data/habeas/internal/store"
)

// eraseStopped answers for a database in which the approved plan can't go on, because rows are there that it does not
// hold. Planned anew they are, and somebody approves that; never by itself, whatever the policy says: what stands in the
// way might stand there again. The request stays where it is, for a person to look, when a new plan would be the same
// one, and when it would lose rows of the old one that nothing finds any more.
func (s *Service) eraseStopped(ctx context.Context, r *run, p plan.Plan, o opened, cause error) error {
	fresh, err := s.makePlan(ctx, r, p.MadeAt)
	if err != nil {
		return err
	}
	same := len(fresh.Refusals) == 0 && !plan.Changed(p, fresh)
	lost := ""
	if !same {
		if lost, err = s.losesReach(ctx, r, p); err != nil {
			return err
		}
	}
	sentence, facts := reasonOfStop(p, o, cause)
	switch {
	case same:
		sentence += " A new plan would be the same: look at what else writes there, then let it go on."
	case lost != "":
		sentence += fmt.Sprintf(" A new plan would lose rows of %s that are still to go: remove what came, then let it go on.", lost)
	}
	err = s.fenced(ctx, r, func(tx *store.Tx, req *dsr.Request) error {
		note := store.Note{Request: req.ID, By: job(), Subject: "habeas", Text: sentence}
		if _, err := tx.AddNote(note, store.Act{By: job(), Action: "erasure.stopped", Outcome: "failed", Facts: facts}); err != nil {
			return err
		}
		if same || lost != "" {
			return nil
		}
		if err := dropRows(tx, r, req); err != nil {
			return err
		}
		return tx.Transition(req, dsr.EventPlanOutdated, store.Act{By: job(), Action: "plan.outdated", Facts: facts}, func(q *dsr.Request) {
			q.NextActionAt, q.Stage, q.AnsweredAt, q.Attempts = tx.Now, dsr.StageNone, time.Time{}, 0
		})
	})
	if err == nil && (same || lost != "") {
		return s.eraseFailed(o, cause)
	}
	return err
}

// reasonOfStop says in a sentence for officers, and in facts for the log, where an erasure was stopped and why.
func reasonOfStop(p plan.Plan, o opened, cause error) (string, map[string]string) {
	facts := map[string]string{"reason": "data_changed", "system": o.entry.Name, "plan_digest": p.Digest}
	why := "The data are no longer what the plan saw."
	if e, ok := fault.As(cause); ok {
		facts["reason"], why = e.Code, e.Message
	}
	where := "in " + o.entry.Name
	var at *connector.StepError
	if errors.As(cause, &at) {
		facts["dataset"] = at.Table
		where = fmt.Sprintf("%s at the step that would %s rows of %s", where, at.Action, at.Table)
	}
	return fmt.Sprintf("The erasure was stopped %s. %s", where, why), facts
}

// losesReach names a table with rows that the plan still has to see to and that the person's data no longer lead to:
// what led to them went already. A plan made anew would leave them for ever. "" when there are none.
func (s *Service) losesReach(ctx context.Context, r *run, p plan.Plan) (string, error) {
	open, _, err := s.openSystems(ctx, r)
	if err != nil {
		return "", err
	}
	var done []store.StepRecord
	err = s.store.Read(ctx, r.req.Tenant, func(tx *store.Tx) (err error) {
		done, err = tx.Steps(r.req.ID)
		return err
	})
	if err != nil {
		return "", err
	}
	finished := map[int]bool{}
	for _, d := range done {
		finished[d.Step] = d.Affected+d.Gone >= d.Expected
	}
	for i, o := range open {
		if lost, err := s.losesReachIn(ctx, r, p, i, o, finished); lost != "" || err != nil {
			return lost, err
		}
	}
	return "", nil
}

func (s *Service) losesReachIn(ctx context.Context, r *run, p plan.Plan, system int, o opened, finished map[int]bool) (string, error) {
	index, steps := stepsOf(&p, o.entry.Name)
	sweeper, sweeps := o.system.(connector.Sweeper)
	checker, counts := o.system.(connector.Checker)
	if len(steps) == 0 {
		return "", nil
	}
	if !sweeps || !counts {
		return steps[0].Table, nil
	}
	scope, err := s.scopeIn(ctx, r, o)
	if err != nil {
		return "", err
	}
	if err := s.recorded(ctx, r, system, &scope); err != nil {
		return "", err
	}
	found := map[string]bool{}
	err = sweeper.Sweep(ctx, scope, rulesFor(r, o.entry, p.MadeAt), func(table string, _ plan.Fate, key connector.Key) {
		found[table+"\x1e"+strings.Join(key, "\x1f")] = true
	})
	if err != nil {
		return "", fmt.Errorf("looking for what is still to go in %s: %w", o.entry.Name, err)
	}
	source := s.source(r, index)
	for i, st := range steps {
		// Nothing is owed to rows that are kept. Rows that are unlinked are led to by those that go: they are found as
		// long as those are.
		if finished[index[i]] || st.Action == plan.ActionUnlink || st.Action == plan.ActionKeep {
			continue
		}
		for chunk := 0; ; chunk++ {
			keys, err := source(ctx, i, chunk)
			if err != nil {
				return "", err
			}
			if keys == nil {
				break
			}
			var missed []connector.Key
			for _, k := range keys {
				if !found[st.Table+"\x1e"+strings.Join(k, "\x1f")] {
					missed = append(missed, k)
				}
			}
			if len(missed) == 0 {
				continue
			}
			n, err := checker.CountKeys(ctx, st.Table, missed)
			if n > 0 || err != nil {
				return st.Table, err
			}
		}
	}
	return "", nil
}

// sentBack tells whether the request is in review because an erasure was stopped in the middle.
func sentBack(tx *store.Tx, id dsr.RequestID) (bool, error) {
	all, err := tx.Events(id)
	stopped := false
	for _, e := range all {
		if e.From != e.To {
			stopped = e.Name == string(dsr.EventPlanOutdated) && e.Facts["reason"] != ""
		}
	}
	return stopped, err
}
