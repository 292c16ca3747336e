package plan

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/habeas-data/habeas/internal/statute"
)

// digestForm is hashed before a plan, so that a later change of what a digest covers never meets an old one.
const digestForm = "habeas plan 1\n"

// Digest gives `sha256:` and the hex digest over everything of a plan but MadeAt and Digest itself: what an approval
// answers for. Steps count in their order; withheld and refusals in any.
func Digest(p Plan) string {
	p.Digest, p.MadeAt = "", time.Time{}
	p.Steps = nonNil(p.Steps)
	p.Withheld = nonNil(slices.Clone(p.Withheld))
	p.Refusals = slices.Clone(p.Refusals)
	sortWithheld(p.Withheld)
	sortRefusals(p.Refusals)
	body, err := json.Marshal(p)
	if err != nil {
		panic(fmt.Sprintf("a plan holds texts, numbers and dates only: %v", err)) // can't happen: no field can fail
	}
	sum := sha256.Sum256(append([]byte(digestForm), body...))
	return "sha256:" + hex.EncodeToString(sum[:])
}

func nonNil[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

func sortWithheld(w []Withheld) {
	slices.SortFunc(w, func(a, b Withheld) int {
		return cmp.Or(cmp.Compare(a.System, b.System), cmp.Compare(a.Table, b.Table), cmp.Compare(a.Column, b.Column), cmp.Compare(a.What, b.What),
			cmp.Compare(a.Until.String(), b.Until.String()), cmp.Compare(a.Ground, b.Ground), cmp.Compare(a.Rows, b.Rows))
	})
}

func sortRefusals(r []Refusal) {
	slices.SortFunc(r, func(a, b Refusal) int {
		return cmp.Or(cmp.Compare(a.System, b.System), cmp.Compare(a.Table, b.Table), cmp.Compare(a.Message, b.Message))
	})
}

// Changed tells whether a plan made anew differs from the approved one in anything that the approval answers for. It
// computes both digests itself and believes neither plan's field.
func Changed(approved, fresh Plan) bool { return Digest(approved) != Digest(fresh) }

// Change is one difference between two plans. Message is a sentence for an officer and holds no personal data.
type Change struct {
	System  string       `json:"system,omitempty"`
	Table   string       `json:"table,omitempty"`
	Action  Action       `json:"action,omitempty"`
	On      statute.Date `json:"on,omitzero"`
	Before  int64        `json:"before"` // rows in the old plan
	After   int64        `json:"after"`
	Message string       `json:"message"`
}

// Diff says what moved between two plans, in the order of the new one, then what only the old one had. It is empty
// exactly when Changed is false.
func Diff(old, fresh Plan) []Change {
	if !Changed(old, fresh) {
		return nil
	}
	var out []Change
	out = append(out, diffHeads(old, fresh)...)
	out = append(out, diffSteps(old, fresh)...)
	out = append(out, diffRefusals(old, fresh)...)
	out = append(out, diffWithheld(old, fresh)...)
	if len(out) == 0 {
		out = append(out, Change{Message: "the steps come in another order"})
	}
	return out
}

func diffHeads(old, fresh Plan) []Change {
	var out []Change
	say := func(differs bool, format string, args ...any) {
		if differs {
			out = append(out, Change{Message: fmt.Sprintf(format, args...)})
		}
	}
	say(old.Right != fresh.Right, "the right was %s and is %s", old.Right, fresh.Right)
	say(old.PolicyVersion != fresh.PolicyVersion, "the policy's version was %s and is %s", old.PolicyVersion, fresh.PolicyVersion)
	say(old.ConfigVersion != fresh.ConfigVersion, "the tenant's files were version %d and are %d", old.ConfigVersion, fresh.ConfigVersion)
	say(!old.Lifted && fresh.Lifted, "the ceiling of rows was lifted for this request")
	say(old.Lifted && !fresh.Lifted, "it no longer is over the ceiling that was lifted")
	say(old.NothingHeld && !fresh.NothingHeld, "nothing was held; now something is")
	say(!old.NothingHeld && fresh.NothingHeld, "something was held; now nothing is")
	return out
}

type stepKey struct {
	system, table, ground, because, columns string
	action                                  Action
	on                                      statute.Date
}

func keyOf(s Step) stepKey {
	return stepKey{s.System, s.Table, s.Ground, s.Because, fmt.Sprintf("%q", s.Columns), s.Action, s.On}
}

func diffSteps(old, fresh Plan) []Change {
	before := map[stepKey]Step{}
	for _, s := range old.Steps {
		before[keyOf(s)] = s
	}
	var out []Change
	change := func(s Step, was, is int64, format string, args ...any) {
		out = append(out, Change{System: s.System, Table: s.Table, Action: s.Action, On: s.On, Before: was, After: is, Message: fmt.Sprintf(format, args...)})
	}
	for _, s := range fresh.Steps {
		o, ok := before[keyOf(s)]
		delete(before, keyOf(s))
		switch {
		case !ok:
			change(s, 0, s.Rows, "new: %s %d rows of %s", s.Action, s.Rows, s.Table)
		case o.Rows != s.Rows:
			change(s, o.Rows, s.Rows, "%s %d rows of %s, not %d", s.Action, s.Rows, s.Table, o.Rows)
		case o.Keys != s.Keys:
			change(s, o.Rows, s.Rows, "%s as many rows of %s as before, but others", s.Action, s.Table)
		case !slices.Equal(o.Changes, s.Changes), o.Category != s.Category:
			change(s, o.Rows, s.Rows, "what is written to %s is not the same", s.Table)
		}
	}
	for _, s := range old.Steps {
		if _, left := before[keyOf(s)]; left {
			change(s, s.Rows, 0, "gone: %s %d rows of %s", s.Action, s.Rows, s.Table)
		}
	}
	return out
}

func diffRefusals(old, fresh Plan) []Change {
	var out []Change
	for _, r := range fresh.Refusals {
		if !slices.Contains(old.Refusals, r) {
			out = append(out, Change{System: r.System, Table: r.Table, Message: "new obstacle: " + r.Message})
		}
	}
	for _, r := range old.Refusals {
		if !slices.Contains(fresh.Refusals, r) {
			out = append(out, Change{System: r.System, Table: r.Table, Message: "no longer in the way: " + r.Message})
		}
	}
	return out
}

func diffWithheld(old, fresh Plan) []Change {
	var out []Change
	for _, w := range fresh.Withheld {
		if !slices.Contains(old.Withheld, w) {
			out = append(out, Change{System: w.System, Table: w.Table, After: w.Rows, Message: "now withheld: " + w.What + " in " + w.Table})
		}
	}
	for _, w := range old.Withheld {
		if !slices.Contains(fresh.Withheld, w) {
			out = append(out, Change{System: w.System, Table: w.Table, Before: w.Rows, Message: "no longer withheld: " + w.What + " in " + w.Table})
		}
	}
	return out
}
