package plan

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// neededByOthers is the ground of rows that stay because other people's rows refer to them.
const neededByOthers = "records of other people refer to it"

// erase turns what was found in one system into ordered steps. The order of the tables is the connector's: children
// first. Within a table there is at most one step that deletes, one that anonymizes and one that redacts, so that
// table and action tell which rows are meant; retain and keep have one step a day or ground.
func (m *maker) erase(f Found) {
	m.plan.Refusals = append(m.plan.Refusals, f.Gaps...)
	for _, t := range f.Tables {
		m.limits(f.System, t, t.Rows())
		rule := m.rule(f.System, t.Table)
		groups := m.blocked(f.System, t, rule)
		for _, action := range []Action{ActionDelete, ActionAnonymize} {
			some := pick(groups, action)
			if rows(some) > 0 {
				m.step(Step{System: f.System, Table: t.Table, Action: action, Rows: rows(some), Category: rule.Category, Keys: keys(some), Because: because(some)})
			}
		}
		m.redact(f.System, t.Table, rule, groups)
		m.stay(f.System, t.Table, rule, groups)
		if t.Hidden > 0 {
			m.withhold(Withheld{System: f.System, Table: t.Table, What: "hidden", Rows: t.Hidden, Ground: "these rows belong to other people"})
		}
	}
	m.unsearched(f.System)
}

func (m *maker) rule(system, table string) TableRule {
	if r := m.in.Rules[system]; r != nil {
		return r.Tables[table]
	}
	return TableRule{}
}

// limits stops a plan that takes more than a person is likely to have: a match that fits everybody, a wrong key. An
// officer may lift the ceiling; the plan says so, and its digest with it.
func (m *maker) limits(system string, t FoundTable, n int64) {
	s, ok := m.in.Map.System(system)
	if !ok {
		return
	}
	most, share, from := s.Limits.Ceiling()
	over := ""
	switch {
	case n > most:
		over = fmt.Sprintf("%d rows of %s would be touched, more than the ceiling of %d", n, t.Table, most)
	case t.Total >= from && float64(n) > share*float64(t.Total):
		over = fmt.Sprintf("%d of %d rows of %s would be touched, more than the ceiling of %g %%", n, t.Total, t.Table, 100*share)
	default:
		return
	}
	if m.in.Lifted {
		m.plan.Lifted = true
		return
	}
	m.plan.Refusals = append(m.plan.Refusals, Refusal{System: system, Table: t.Table, Ceiling: true,
		Message: over + ": if that is right, an officer lifts the ceiling for this request, or the data map sets another (limits)"})
}

// blocked applies the table's rule to rows that other people's rows need. Only a connector can tell which of the
// person's rows those are: it gives them their fate (keep, anonymize) row by row, and reports as blockers what would
// still be deleted. That can be decided here only when it is all rows or none; else the plan is refused rather than
// guessed.
func (m *maker) blocked(system string, t FoundTable, rule TableRule) []Group {
	groups := slices.Clone(t.Groups)
	slices.SortFunc(groups, compareGroups)
	for _, b := range t.Blockers {
		deleted := rows(pick(groups, ActionDelete))
		later := int64(0) // rows that go on a day of their own, or with the last kept row that needs them
		for _, g := range groups {
			if !g.Fate.Until.IsZero() {
				later += g.Rows
			}
		}
		if b.Rows <= 0 {
			continue
		}
		column := strings.Join(b.Columns, ", ")
		switch others := rule.Others; {
		case deleted+later == 0:
			// every row that others need stays already
		case (others == "set_null" || b.Clear) && b.Nullable:
			m.step(Step{System: system, Table: b.Table, Action: ActionUnlink, Rows: cmp.Or(b.Referring, b.Rows), Columns: b.Columns, Because: t.Table})
		case others == "set_null":
			m.refuse(system, t.Table, "%d rows of %s are needed by other people's rows in %s, whose %s may not be cleared: it forbids null", b.Rows, t.Table, b.Table, column)
		case deleted == 0 && (others == "keep" || others == "anonymize"):
			m.refuse(system, t.Table, "%d rows of %s are kept until a day, and other people's rows in %s (by %s) will still need them then", b.Rows, t.Table, b.Table, column)
		case others == "keep", others == "anonymize":
			groups = m.setApart(system, t, rule, b, groups)
		default:
			m.refuse(system, t.Table, "%d rows of %s are needed by other people's rows in %s (by %s); say with if_others_refer what becomes of them", b.Rows, t.Table, b.Table, column)
		}
	}
	return groups
}

func (m *maker) setApart(system string, t FoundTable, rule TableRule, b Blocker, groups []Group) []Group {
	fate := Fate{Action: ActionKeep, Ground: neededByOthers}
	if rule.Others == "anonymize" {
		fate = Fate{Action: ActionAnonymize}
	}
	if rows(pick(groups, ActionDelete)) != b.Rows {
		m.refuse(system, t.Table, "%d rows of %s are needed by other people's rows in %s, and which they are could not be told apart", b.Rows, t.Table, b.Table)
		return groups
	}
	for i := range groups {
		if groups[i].Fate.Action == ActionDelete {
			groups[i].Fate = fate
		}
	}
	return groups
}

// redact lists the columns that lose their values now although their rows stay.
func (m *maker) redact(system, table string, rule TableRule, groups []Group) {
	if len(rule.RedactNow) == 0 {
		return
	}
	some := pick(groups, ActionRetain)
	for _, g := range groups {
		// Rows that stay by the table's own rule, not those that stay because they are other people's as well.
		if rule.Do == ActionKeep && g.Fate.Action == ActionKeep && g.Fate.Ground == rule.Ground {
			some = append(some, g)
		}
	}
	if rows(some) > 0 {
		m.step(Step{System: system, Table: table, Action: ActionRedact, Rows: rows(some), Category: rule.Category,
			Columns: slices.Sorted(slices.Values(rule.RedactNow)), Keys: keys(some)})
	}
}

// stay lists what is kept, with ground and day, and what goes later because kept rows need it.
func (m *maker) stay(system, table string, rule TableRule, groups []Group) {
	for _, g := range oneStep(groups) {
		f := g.Fate
		switch {
		case g.Rows == 0:
		case f.Action == ActionRetain, f.Action == ActionAnonymize && f.Because != "":
			ground := cmp.Or(f.Ground, rule.Ground)
			switch {
			case ground == "" && f.Because != "":
				ground = "retained rows of " + f.Because + " need it"
			case ground == "":
				m.refuse(system, table, "%d rows of %s would be kept without a ground", g.Rows, table)
				ground = "none"
			}
			if f.Until.IsZero() {
				m.refuse(system, table, "%d rows of %s would be kept without an end: nothing dates them", g.Rows, table)
			}
			m.step(Step{System: system, Table: table, Action: ActionRetain, Rows: g.Rows, Ground: ground, On: f.Until,
				Category: rule.Category, Keys: g.Digest, Because: f.Because})
			m.withhold(Withheld{System: system, Table: table, What: "retained", Rows: g.Rows, Ground: ground, Until: f.Until})
		case f.Action == ActionKeep:
			ground := cmp.Or(f.Ground, rule.Ground, neededByOthers)
			m.step(Step{System: system, Table: table, Action: ActionKeep, Rows: g.Rows, Ground: ground, Category: rule.Category, Keys: g.Digest, Because: f.Because})
			m.withhold(Withheld{System: system, Table: table, What: "kept", Rows: g.Rows, Ground: ground})
		}
	}
}

// oneStep joins the groups that one step stands for: rows that are kept as they are until a day, and rows that are
// anonymized now and go on the same day for the same ground, are the same to whoever comes back on that day.
func oneStep(groups []Group) []Group {
	type step struct {
		keep            bool
		until           string
		ground, because string
	}
	at := map[step]int{}
	var out []Group
	for _, g := range groups {
		f := g.Fate
		if f.Action != ActionKeep && f.Action != ActionRetain && (f.Action != ActionAnonymize || f.Because == "") {
			continue
		}
		s := step{f.Action == ActionKeep, f.Until.String(), f.Ground, f.Because}
		if i, ok := at[s]; ok {
			out[i].Digest = keys([]Group{out[i], g})
			out[i].Rows += g.Rows
			continue
		}
		at[s] = len(out)
		out = append(out, g)
	}
	return out
}

func pick(groups []Group, action Action) []Group {
	var out []Group
	for _, g := range groups {
		if g.Fate.Action == action {
			out = append(out, g)
		}
	}
	return out
}

func rows(groups []Group) int64 {
	var n int64
	for _, g := range groups {
		n += g.Rows
	}
	return n
}

// keys gives one digest for several groups: a single one's own, else the hash of all of them in order.
func keys(groups []Group) string {
	if len(groups) == 1 {
		return groups[0].Digest
	}
	var all []string
	for _, g := range groups {
		all = append(all, g.Digest)
	}
	slices.Sort(all)
	sum := sha256.Sum256([]byte(strings.Join(all, "\n")))
	return hex.EncodeToString(sum[:])
}

// because names the table whose kept rows need the groups (at least one), when it is the same for all.
func because(groups []Group) string {
	for _, g := range groups {
		if g.Fate.Because != groups[0].Fate.Because {
			return ""
		}
	}
	return groups[0].Fate.Because
}

func compareGroups(a, b Group) int {
	return cmp.Or(
		cmp.Compare(a.Fate.Action, b.Fate.Action), cmp.Compare(a.Fate.Until.String(), b.Fate.Until.String()),
		cmp.Compare(a.Fate.Ground, b.Fate.Ground), cmp.Compare(a.Fate.Because, b.Fate.Because), cmp.Compare(a.Digest, b.Digest),
	)
}
