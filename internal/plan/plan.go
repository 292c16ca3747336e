package plan

import (
	"time"

	"github.com/habeas-data/habeas/internal/statute"
)

// Action is what a step does to its rows.
type Action string

// The actions of steps.
const (
	ActionCollect   Action = "collect"   // handed over in the package
	ActionDelete    Action = "delete"    // deleted when the grace period ends
	ActionAnonymize Action = "anonymize" // kept without the person in them
	ActionRedact    Action = "redact"    // some columns anonymized now while the row is kept
	ActionRetain    Action = "retain"    // kept until On for Ground, then deleted by itself
	ActionKeep      Action = "keep"      // stays: belongs to others as well, or the map says so
	ActionUnlink    Action = "unlink"    // other people's references to the rows are cleared first
	ActionRectify   Action = "rectify"   // Changes are written
	ActionSuppress  Action = "suppress"  // recorded in our own suppression list
	ActionAnswer    Action = "answer"    // an officer answers by letter
)

// Destructive tells whether the action changes or deletes rows of a product's database when the plan is executed.
func (a Action) Destructive() bool {
	return a == ActionDelete || a == ActionAnonymize || a == ActionRedact || a == ActionUnlink || a == ActionRectify
}

// Step is one line of a plan. Steps are ordered: for an erasure children come before parents and the person's own
// row before the rows above it.
type Step struct {
	System   string        `json:"system"`
	Table    string        `json:"table"`
	Action   Action        `json:"action"`
	Rows     int64         `json:"rows"`
	Ground   string        `json:"ground,omitempty"`
	On       statute.Date  `json:"on,omitzero"` // for retain: the day on which the rows go; zero: when the plan runs
	Category string        `json:"category,omitempty"`
	Columns  []string      `json:"columns,omitempty"` // for redact and unlink: what is written; anonymize writes all that the map says
	Changes  []FieldChange `json:"changes,omitempty"` // for rectify
	Keys     string        `json:"keys,omitempty"`    // keyed digest over the keys of the rows, independent of their order
	Because  string        `json:"because,omitempty"` // the table whose kept rows need these
}

// FieldChange is one value to write: before and after as text. Personal data: the store seals plans.
type FieldChange struct {
	Column string `json:"column"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// Withheld is something that the person does not get, or that stays, and why.
type Withheld struct {
	System string       `json:"system"`
	Table  string       `json:"table"`
	Column string       `json:"column,omitempty"`
	What   string       `json:"what"` // hidden, presence, never, retained, kept, not_searched
	Rows   int64        `json:"rows,omitempty"`
	Ground string       `json:"ground"`
	Until  statute.Date `json:"until,omitzero"`
}

// Refusal is a reason for which no erasure can run: an obstacle found before the first delete.
type Refusal struct {
	System  string `json:"system"`
	Table   string `json:"table"`
	Message string `json:"message"`           // a sentence that names tables and columns, never a value
	Ceiling bool   `json:"ceiling,omitempty"` // too many rows: an officer may lift it
}

// Plan is what will happen. Digest covers everything but MadeAt.
type Plan struct {
	Digest        string     `json:"digest"`
	MadeAt        time.Time  `json:"made_at"`
	Right         string     `json:"right"`
	PolicyVersion string     `json:"policy_version"`
	ConfigVersion int64      `json:"config_version"`
	Steps         []Step     `json:"steps"`
	Withheld      []Withheld `json:"withheld"`
	Refusals      []Refusal  `json:"refusals,omitempty"`
	NothingHeld   bool       `json:"nothing_held,omitempty"` // no row of this person anywhere
	Lifted        bool       `json:"lifted,omitempty"`       // it is over a ceiling that an officer lifted
}
