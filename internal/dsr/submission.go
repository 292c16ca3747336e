package dsr

import (
	"time"

	"github.com/habeas-data/habeas/internal/statute"
)

// Channel is the way a submission came in.
type Channel string

// The channels.
const (
	ChannelForm    Channel = "form"
	ChannelAPI     Channel = "api"     // an officer or a backend by POST /v1/requests
	ChannelProduct Channel = "product" // a backend for its signed-in user
	ChannelWebhook Channel = "webhook" // account.closed and the like
	ChannelEmail   Channel = "email"
	ChannelPhone   Channel = "phone"
	ChannelPost    Channel = "post"
)

// Person is who asks, as they said it. All of it is personal data: the store seals it.
type Person struct {
	Email       string            `json:"email"`
	Name        string            `json:"name,omitempty"`
	Identifiers map[string]string `json:"identifiers,omitempty"` // by the data map's names, without `email`
	Message     string            `json:"message,omitempty"`
	OnBehalfOf  *Represented      `json:"on_behalf_of,omitempty"`
	Stored      string            `json:"stored,omitempty"` // the address on file that matched, in its stored form
}

// Represented is the person for whom somebody else asks.
type Represented struct {
	Relation string `json:"relation"` // child, agent, other
	Name     string `json:"name"`
	Email    string `json:"email,omitempty"`
}

// Proof is one identifier that was proven, and how. Only proven identifiers are used to find data.
type Proof struct {
	Identifier string    `json:"identifier"` // `email`, `user_id`, …
	Value      string    `json:"value"`      // personal: sealed by the store
	Method     string    `json:"method"`     // email_link, product_session, officer
	At         time.Time `json:"at"`
}

// Submission is what one person asks at once: one reference, one verification, one Request per right.
type Submission struct {
	ID            SubmissionID
	Tenant        TenantID
	Reference     Reference
	Channel       Channel
	Subject       string // which kind of person, by the data map's name
	Jurisdiction  string
	Language      string
	ConfigVersion int64 // the version of policy and data map that was in force when it was received
	PolicyVersion string
	Person        Person
	Proofs        []Proof
	ReceivedAt    time.Time
	VerifiedAt    time.Time // zero: not yet
	ExpiresAt     time.Time // unverified until then: expired
	Org           string    // the organization that an org_admin or product acts for
	CreatedBy     string    // keyed hash of the principal that entered it; "" for the person at the form
	PurgeOn       statute.Date
}

// Request is one right asked by one person.
type Request struct {
	ID         RequestID
	Tenant     TenantID
	Submission SubmissionID
	Reference  Reference
	Right      Right
	Status     Status
	ReceivedAt time.Time

	AcknowledgeBy     statute.Date
	DueOn             statute.Date
	DueOnConservative statute.Date
	ExtendedUntil     statute.Date // zero until extended
	ClockPaused       bool
	ClockEvents       []statute.Event
	AnsweredAt        time.Time // the decision and its letter: what meets the legal date

	OnHold             bool
	AwaitingController bool
	NeedsAttention     string // "" or a coded reason for a person to look
	Assignee           string // subject of the officer's token or session

	PlanDigest  string // the plan now under review or approved
	PlanMadeAt  time.Time
	GraceEndsAt time.Time // zero: no grace period runs
	Stage       Stage     // how far the execution has come
	DenyGround  DenyGround
	Changes     []Change // rectification; personal: sealed
	Decision    string   // words to the person with a denial or a letter answer; personal: sealed

	NextActionAt time.Time // when Advance is due; zero: nothing for the machine to do
	Epoch        int64     // fencing: each claim adds one, each step write names it
	Attempts     int       // failed tries of the step that is due now
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// Stage is how far the execution of a request has come. Each stage is finished before the next is entered, and
// each can be run again after a crash.
type Stage string

// The stages of an execution, in order.
const (
	StageNone    Stage = ""
	StageCapture Stage = "capture" // destructive work: keys are being recorded; nothing touched so far
	StageAct     Stage = "act"     // rows are being collected, erased, written
	StageCheck   Stage = "check"   // the independent look afterwards
	StageTell    Stage = "tell"    // letters, events, obligations, close
)

// Change is one value to rectify: a field of the person's data and what it should say.
type Change struct {
	Field string `json:"field"`
	To    string `json:"to"`
}

// DenyGround is the coded reason of a denial, as in the Data Rights Protocol.
type DenyGround string

// The grounds of a denial.
const (
	GroundSuspectedFraud           DenyGround = "suspected_fraud"
	GroundInsufficientVerification DenyGround = "insufficient_verification"
	GroundNoMatch                  DenyGround = "no_match"
	GroundClaimNotCovered          DenyGround = "claim_not_covered"
	GroundOutsideJurisdiction      DenyGround = "outside_jurisdiction"
	GroundTooManyRequests          DenyGround = "too_many_requests"
	GroundOther                    DenyGround = "other"
)

// DenyGrounds lists the grounds in the order of the contract.
func DenyGrounds() []DenyGround {
	return []DenyGround{GroundSuspectedFraud, GroundInsufficientVerification, GroundNoMatch, GroundClaimNotCovered,
		GroundOutsideJurisdiction, GroundTooManyRequests, GroundOther}
}

// Reasons for NeedsAttention.
const (
	AttentionStepFailed   = "step_failed"   // a step failed for good
	AttentionResidue      = "residue"       // the look afterwards disagreed with the plan
	AttentionAmbiguous    = "ambiguous"     // two subjects answer to one identifier: an officer decides
	AttentionPlanRefused  = "plan_refused"  // no plan can be made: other people's rows would be harmed, or the map has a gap
	AttentionOverwritten  = "overwritten"   // a rectified value was changed again by something else
	AttentionNoDataMap    = "no_data_map"   // the tenant has no data map yet
	AttentionVanished     = "vanished"      // the proven identifiers find nobody any more, and did before
	AttentionPackageCheck = "package_check" // the reader of the finished package disagreed with the plan
)
