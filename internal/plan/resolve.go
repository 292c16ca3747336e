package plan

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/policy"
	"github.com/habeas-data/habeas/internal/statute"
)

// NewRules resolves the policy's retention and the map's erase rules for one system, table by table. Every reason for
// which a rule can't be resolved comes back as a refusal: it stops an erasure. For work other than erasure there
// are no rules: nil.
//
// today is the day on which the plan will be executed: the end of the grace period, not the day on which the plan
// is made. A row whose retention ends in between is then deleted by the plan that was approved, and a plan made
// anew on the day of execution has the same digest unless the data moved.
//
// started gives the days of events by their names in the policy (account_closed). A grace period and a retention
// after account_closed start together and are never added: the caller gives the day on which the grace period
// began, not the one on which it ends.
func NewRules(p *policy.Policy, sys *datamap.System, right dsr.Right, today statute.Date, started map[string]statute.Date) (*Rules, []Refusal) {
	if right.Work() != dsr.WorkErase {
		return nil, nil
	}
	r := &resolver{policy: p, system: sys, started: started}
	out := &Rules{Today: today, Tables: make(map[string]TableRule, len(sys.Tables))}
	for i := range sys.Tables {
		if t := &sys.Tables[i]; t.Personal {
			out.Tables[t.Name] = r.rule(t)
		}
	}
	sortRefusals(r.refusals)
	return out, r.refusals
}

type resolver struct {
	policy   *policy.Policy
	system   *datamap.System
	started  map[string]statute.Date
	refusals []Refusal
}

func (r *resolver) refuse(table, format string, args ...any) {
	r.refusals = append(r.refusals, Refusal{System: r.system.Name, Table: table, Message: fmt.Sprintf(format, args...)})
}

func (r *resolver) rule(t *datamap.Table) TableRule {
	out := TableRule{
		Do: ActionDelete, Category: t.Category, RedactNow: t.RedactNow,
		Others: cmp.Or(string(t.Erase.IfOthersRefer), string(datamap.OthersRefuse)),
	}
	category, known := r.policy.Categories[t.Category]
	if t.Category != "" && !known && t.Erase.Do == datamap.EraseRetain {
		r.refuse(t.Name, "%s is of category %s, which the policy does not know", t.Name, t.Category)
	}
	switch t.Erase.Do {
	case datamap.EraseDelete, "":
	case datamap.EraseAnonymize:
		out.Do = ActionAnonymize
	case datamap.EraseKeep:
		out.Do = ActionKeep
		out.Ground = cmp.Or(t.Erase.Why, t.Why)
	case datamap.EraseWithOwner:
		r.follow(t, &out)
	case datamap.EraseRetain:
		out.Do = ActionRetain
		r.retain(t, category.Retention, &out)
	}
	if t.Match != nil && t.Match.None {
		out.Do, out.Ground = ActionKeep, t.Why // no machine finds these rows, so none decides about them
	}
	return out
}

func (r *resolver) follow(t *datamap.Table, out *TableRule) {
	if len(t.Owners) == 0 {
		r.refuse(t.Name, "%s goes with its owner, but has none", t.Name)
		return
	}
	for _, o := range t.Owners {
		if !slices.Contains(out.Follow, o.Table) {
			out.Follow = append(out.Follow, o.Table)
		}
	}
}

// retain resolves how long the rows of a category stay. Every row that is kept needs a ground and an end.
func (r *resolver) retain(t *datamap.Table, keep *policy.Retention, out *TableRule) {
	if keep == nil {
		r.refuse(t.Name, "%s is retained, but the policy's category %s has no retention", t.Name, t.Category)
		return
	}
	out.Ground = cmp.Or(keep.Ground, t.Erase.Why)
	if out.Ground == "" {
		r.refuse(t.Name, "%s is retained without a ground: the category %s must tell one", t.Name, t.Category)
	}
	period, fixed := keep.Keep.Fixed()
	if !fixed {
		r.refuse(t.Name, "how long %s is retained hangs on %s; periods that hang on the account's state can't be planned yet", t.Name, keep.Keep.By)
		return
	}
	out.Keep = period
	switch keep.From {
	case policy.FromRow, policy.FromRowYearEnd:
		out.RowDate, out.YearEnd = t.RowDate, keep.From == policy.FromRowYearEnd
		if t.RowDate == "" {
			r.refuse(t.Name, "the retention of %s runs from the row, but row_date does not say which column dates it", t.Name)
		}
	default:
		day, ok := r.started[keep.After]
		if !ok || day.IsZero() {
			r.refuse(t.Name, "the retention of %s runs from %s, whose day is not known", t.Name, cmp.Or(keep.After, "an event"))
			return
		}
		out.Fixed = period.AddToDate(day)
	}
}

// strangeCategories warns of tables whose category the policy does not know: their rows can be found and deleted, but
// nobody can be told what they are for. A retained one is an error, found with its rule.
func strangeCategories(p *policy.Policy, sys *datamap.System, file string) []datamap.Problem {
	var out []datamap.Problem
	for i := range sys.Tables {
		t := &sys.Tables[i]
		if _, known := p.Categories[t.Category]; t.Category != "" && !known && t.Erase.Do != datamap.EraseRetain {
			out = append(out, datamap.Problem{File: file, Line: t.Line, Column: 1, Path: "systems." + sys.Name + ".tables." + t.Name, Warning: true,
				Message: fmt.Sprintf("%s is of category %s, which the policy does not know", t.Name, t.Category)})
		}
	}
	return out
}

// CheckMap holds a data map against the policy that it serves: the categories it names exist, and what it retains has
// a retention with a ground. file names the map in the problems.
func CheckMap(p *policy.Policy, m *datamap.Map, file string) []datamap.Problem {
	var out []datamap.Problem
	if p.Tenant != m.Tenant {
		out = append(out, datamap.Problem{File: file, Line: 1, Column: 1, Path: "tenant", Message: fmt.Sprintf("the map is of tenant %s, the policy of %s", m.Tenant, p.Tenant)})
	}
	for i := range m.Systems {
		sys := &m.Systems[i]
		events := map[string]statute.Date{}
		for name := range p.Events {
			events[name] = statute.NewDate(2000, 1, 1) // which day it is does not matter here, only that one can be known
		}
		events["account_closed"] = statute.NewDate(2000, 1, 1)
		out = append(out, strangeCategories(p, sys, file)...)
		_, refusals := NewRules(p, sys, dsr.RightErasure, statute.NewDate(2000, 1, 1), events)
		for _, r := range refusals {
			line := sys.Line
			if t, ok := sys.Table(r.Table); ok {
				line = t.Line
			}
			out = append(out, datamap.Problem{File: file, Line: line, Column: 1, Path: "systems." + sys.Name + ".tables." + r.Table, Message: r.Message})
		}
	}
	slices.SortStableFunc(out, func(a, b datamap.Problem) int { return cmp.Compare(a.Line, b.Line) })
	return out
}
