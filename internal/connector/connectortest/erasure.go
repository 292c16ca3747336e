package connectortest

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/plan"
)

// Steps makes the steps of an erasure from what was found, as package plan does, without a policy.
func Steps(found plan.Found, rules *plan.Rules) []plan.Step {
	var out []plan.Step
	for _, t := range found.Tables {
		rule := rules.Tables[t.Table]
		for _, b := range t.Blockers {
			if b.Nullable && (b.Clear || rule.Others == "set_null") {
				out = append(out, plan.Step{System: found.System, Table: b.Table, Action: plan.ActionUnlink, Rows: b.Rows, Columns: b.Columns, Because: t.Table})
			}
		}
		for _, a := range []plan.Action{plan.ActionDelete, plan.ActionAnonymize} {
			if n := rowsOf(t, a); n > 0 {
				out = append(out, plan.Step{System: found.System, Table: t.Table, Action: a, Rows: n})
			}
		}
		if n := rowsOf(t, plan.ActionRetain); n > 0 && len(rule.RedactNow) > 0 {
			out = append(out, plan.Step{System: found.System, Table: t.Table, Action: plan.ActionRedact, Rows: n, Columns: rule.RedactNow})
		}
		for _, g := range t.Groups {
			if g.Fate.Action == plan.ActionRetain || g.Fate.Action == plan.ActionAnonymize && g.Fate.Because != "" {
				out = append(out, plan.Step{System: found.System, Table: t.Table, Action: plan.ActionRetain, Rows: g.Rows, On: g.Fate.Until, Ground: g.Fate.Ground, Because: g.Fate.Because})
			}
		}
	}
	return out
}

func rowsOf(t plan.FoundTable, a plan.Action) int64 {
	var n int64
	for _, g := range t.Groups {
		if g.Fate.Action == a {
			n += g.Rows
		}
	}
	return n
}

// Refused tells whether a plan over what was found would be refused: uncovered tables, or rows that others need.
func Refused(found plan.Found, rules *plan.Rules) bool {
	if len(found.Gaps) > 0 {
		return true
	}
	for _, t := range found.Tables {
		for _, b := range t.Blockers {
			if rowsOf(t, plan.ActionDelete) > 0 && !(b.Nullable && (b.Clear || rules.Tables[t.Table].Others == "set_null")) {
				return true
			}
		}
	}
	return false
}

// Hash is a key hash for tests.
func Hash(key []byte) [32]byte { return sha256.Sum256(key) }

// Keys is what Capture gave, kept by step.
type Keys map[int][][]connector.Key

// Source gives the keys back.
func (k Keys) Source(_ context.Context, step, chunk int) ([]connector.Key, error) {
	if chunk >= len(k[step]) {
		return nil, nil
	}
	return k[step][chunk], nil
}

// Count counts the keys of a step.
func (k Keys) Count(step int) int64 {
	var n int64
	for _, c := range k[step] {
		n += int64(len(c))
	}
	return n
}

// Prepare locates and captures: what a worker has in hands before its first delete.
func Prepare(ctx context.Context, s connector.System, scope connector.Scope, rules *plan.Rules) (plan.Found, []plan.Step, Keys, error) {
	found, err := s.(connector.Locator).Locate(ctx, scope, rules, Hash)
	if err != nil {
		return found, nil, nil, err
	}
	steps, keys := Steps(found, rules), Keys{}
	err = s.(connector.Capturer).Capture(ctx, scope, rules, steps, func(step int, k []connector.Key) error {
		keys[step] = append(keys[step], k)
		return nil
	})
	if err != nil {
		return found, steps, keys, err
	}
	for i, st := range steps {
		if n := keys.Count(i); st.Action != plan.ActionUnlink && n != st.Rows {
			return found, steps, keys, fmt.Errorf("step %d, %s of %s: %d rows planned, %d captured", i, st.Action, st.Table, st.Rows, n)
		}
	}
	return found, steps, keys, nil
}

// Free is a guard that lets everything pass.
func Free(context.Context) error { return nil }

// Mute is a recorder that keeps nothing.
func Mute(context.Context, int, int64, int64) error { return nil }
