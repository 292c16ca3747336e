package plan

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/policy"
	"github.com/habeas-data/habeas/internal/statute"
)

// Own names our own side in steps that touch no system of the map.
const Own = "habeas"

// Input is everything a plan hangs on.
type Input struct {
	Right         dsr.Right
	Policy        *policy.Policy
	Map           *datamap.Map
	Rules         map[string]*Rules // by system, for erasure
	Founds        []Found           // at most one a system, in any order
	Rectify       []Step            // for rectification: what the connectors found to change
	Withheld      []Withheld        // for rectification: copies that stay as they are
	Refusals      []Refusal         // obstacles known beforehand, say of NewRules
	Lifted        bool              // an officer lifted the ceilings for this request
	Today         statute.Date      // the day on which the plan will be executed
	Now           time.Time
	ConfigVersion int64
}

// Ambiguous tells whether a system knows several people by the proven identifiers: an officer must decide who is
// meant before anything is planned.
func Ambiguous(founds []Found) bool {
	return slices.ContainsFunc(founds, func(f Found) bool { return f.Subjects > 1 })
}

// Make decides. It is pure: the same input gives the same plan, whatever the order of Founds. A plan with refusals
// shows what would happen and must not be executed. The error tells of input that contradicts itself, never of data.
func Make(in Input) (Plan, error) {
	if in.Policy == nil || in.Map == nil {
		return Plan{}, fmt.Errorf("a plan needs a policy and a map")
	}
	m := &maker{in: in, plan: Plan{
		MadeAt: in.Now.UTC().Truncate(time.Second), Right: string(in.Right), PolicyVersion: in.Policy.VersionText, ConfigVersion: in.ConfigVersion,
	}}
	founds, err := m.ordered()
	if err != nil {
		return Plan{}, err
	}
	switch in.Right.Work() {
	case dsr.WorkErase:
		m.plan.Refusals = append(m.plan.Refusals, in.Refusals...)
		for _, f := range founds {
			m.erase(f)
		}
	case dsr.WorkPackage:
		for _, f := range founds {
			m.collect(f)
		}
	case dsr.WorkRectify:
		m.plan.Steps = append(m.plan.Steps, in.Rectify...)
		m.plan.Withheld = append(m.plan.Withheld, in.Withheld...)
		for _, f := range founds {
			m.corrections(f)
		}
		m.plan.Refusals = append(m.plan.Refusals, in.Refusals...)
	case dsr.WorkSuppress:
		m.plan.Steps = append(m.plan.Steps, Step{System: Own, Table: "suppressions", Action: ActionSuppress, Rows: 1})
	case dsr.WorkLetter:
		m.plan.Steps = append(m.plan.Steps, Step{System: Own, Table: "letter", Action: ActionAnswer})
	}
	switch in.Right.Work() {
	case dsr.WorkErase, dsr.WorkPackage, dsr.WorkRectify:
		m.plan.NothingHeld = nothing(founds) && len(in.Rectify) == 0
	case dsr.WorkSuppress, dsr.WorkLetter:
	}
	sortWithheld(m.plan.Withheld)
	sortRefusals(m.plan.Refusals)
	m.plan.Refusals = slices.Compact(m.plan.Refusals)
	m.plan.Digest = Digest(m.plan)
	return m.plan, nil
}

// corrections holds the rows that a correction writes against the ceilings.
func (m *maker) corrections(f Found) {
	for _, t := range f.Tables {
		var n int64
		for _, s := range m.in.Rectify {
			if s.System == f.System && s.Table == t.Table {
				n = max(n, s.Rows)
			}
		}
		m.limits(f.System, t, n)
	}
}

func nothing(founds []Found) bool {
	for _, f := range founds {
		if f.Subjects > 0 {
			return false
		}
		for _, t := range f.Tables {
			if t.Rows() > 0 {
				return false
			}
		}
	}
	return true
}

type maker struct {
	in   Input
	plan Plan
}

// ordered gives the founds in the order of the map's systems, which is the file's.
func (m *maker) ordered() ([]Found, error) {
	position := make(map[string]int, len(m.in.Map.Systems))
	for i := range m.in.Map.Systems {
		position[m.in.Map.Systems[i].Name] = i
	}
	seen := map[string]bool{}
	for _, f := range m.in.Founds {
		if _, ok := position[f.System]; !ok {
			return nil, fmt.Errorf("rows were found in %s, which the map does not name", f.System)
		}
		if seen[f.System] {
			return nil, fmt.Errorf("%s was looked through twice", f.System)
		}
		seen[f.System] = true
	}
	return slices.SortedFunc(slices.Values(m.in.Founds), func(a, b Found) int { return cmp.Compare(position[a.System], position[b.System]) }), nil
}

func (m *maker) step(s Step) { m.plan.Steps = append(m.plan.Steps, s) }

func (m *maker) withhold(w Withheld) { m.plan.Withheld = append(m.plan.Withheld, w) }

func (m *maker) refuse(system, table, format string, args ...any) {
	m.plan.Refusals = append(m.plan.Refusals, Refusal{System: system, Table: table, Message: fmt.Sprintf(format, args...)})
}

// table gives the map's entry for a table, or an empty one for what a kind without tables calls its collections.
func (m *maker) table(system, table string) *datamap.Table {
	if s, ok := m.in.Map.System(system); ok {
		if t, ok := s.Table(table); ok {
			return t
		}
	}
	return &datamap.Table{Name: table}
}

// unsearched lists the tables in which no machine finds anybody.
func (m *maker) unsearched(system string) {
	s, ok := m.in.Map.System(system)
	if !ok {
		return
	}
	for i := range s.Tables {
		if t := &s.Tables[i]; t.Match != nil && t.Match.None {
			m.withhold(Withheld{System: system, Table: t.Name, What: "not_searched", Ground: cmp.Or(t.Why, "no key leads to these rows: an officer decides")})
		}
	}
}
