package intake

import (
	"time"

	"github.com/habeas-data/habeas/internal/dsr"
)

// Input is a submission as it came in. Field names in errors are those of the wire form.
type Input struct {
	Types        []string
	Email        string
	Name         string
	Identifiers  map[string]string
	Jurisdiction string
	Language     string
	Message      string
	Changes      []dsr.Change
	OnBehalfOf   *dsr.Represented
	Purpose      string // of an objection: `marketing` needs no proof (GDPR Art. 21(3): it is stopped at once)

	// From officers and backends alone.
	Subject    string
	Channel    string
	ReceivedAt time.Time // mail that lay about; zero: now
	Assertion  *Assertion
	Org        string
}

// Assertion is a product's word that its signed-in user is who they say.
type Assertion struct {
	Method          string
	AuthenticatedAt time.Time
}

// Receipt is the answer to a submission.
type Receipt struct {
	Submission dsr.SubmissionID
	Reference  dsr.Reference
	Requests   []dsr.Request
}

// Form is what a form needs to know about a tenant.
type Form struct {
	Tenant        dsr.TenantID
	Controller    string
	Contact       string
	Languages     []string
	PolicyVersion string
	Rights        []dsr.Right
	Jurisdictions []string
	MinimumAge    int
	Identifiers   []string // further identifiers the data map knows, beside email
	Fields        []FormField
}

// FormField is one field of the form.
type FormField struct {
	Name     string
	Required bool
	Max      int // most characters
}

// PurposeMarketing is the objection that needs no proof: nothing is disclosed or destroyed by it.
const PurposeMarketing = "marketing"

// Limits of a submission.
const (
	MaxTypes       = 8
	MaxName        = 200
	MaxMessage     = 4000
	MaxIdentifiers = 8
	MaxIdentifier  = 320
	MaxChanges     = 20
	MaxChange      = 2000
)
