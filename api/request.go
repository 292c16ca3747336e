package api

// NewRequest is a submission entered by an officer or a product backend.
type NewRequest struct {
	NewSubmission
	Subject    string     `json:"subject"` // kind of person, by the data map's name
	Channel    string     `json:"channel"`
	ReceivedAt *string    `json:"received_at"` // RFC 3339; mail that lay about
	Org        string     `json:"org"`
	Assertion  *Assertion `json:"assertion"`
}

// Assertion is a product's word that its signed-in user is who they say.
type Assertion struct {
	Method          string `json:"method"`
	AuthenticatedAt string `json:"authenticated_at"` // RFC 3339
}

// Created is the answer to a NewRequest.
type Created struct {
	Reference string    `json:"reference"`
	Requests  []Request `json:"requests"`
}

// Request is one right asked by one person.
type Request struct {
	ID                string     `json:"id"`
	Reference         string     `json:"reference"`
	Type              string     `json:"type"`
	Status            string     `json:"status"`
	ReceivedAt        *string    `json:"received_at"`
	AcknowledgeBy     *string    `json:"acknowledge_by"` // null: the law has none
	DueOn             *string    `json:"due_on"`
	DueOnConservative *string    `json:"due_on_conservative"`
	ExtendedUntil     *string    `json:"extended_until"` // null until extended
	AnsweredAt        *string    `json:"answered_at"`
	GraceEndsAt       *string    `json:"grace_ends_at"`
	ClockPaused       bool       `json:"clock_paused"`
	OnHold            bool       `json:"on_hold"`
	AwaitingCtrl      bool       `json:"awaiting_controller"`
	NeedsAttention    bool       `json:"needs_attention"`
	AttentionReason   *string    `json:"attention_reason"`
	Assignee          *string    `json:"assignee"`
	PlanDigest        *string    `json:"plan_digest"`
	DenyGround        *string    `json:"deny_ground"`
	UpdatedAt         *string    `json:"updated_at"`
	Jurisdiction      string     `json:"jurisdiction,omitempty"` // of the whole submission: only where one is asked for
	Language          string     `json:"language,omitempty"`
	Channel           string     `json:"channel,omitempty"`
	PolicyVersion     string     `json:"policy_version,omitempty"`
	Withheld          []Withheld `json:"withheld,omitempty"`
}

// RequestDetail is one request with all that an officer needs to decide.
type RequestDetail struct {
	Request
	Decision   *string    `json:"decision"`
	VerifiedAt *string    `json:"verified_at"`
	Person     *Person    `json:"person"` // null: not shown to the caller
	Proofs     []Proof    `json:"proofs"`
	Changes    []Change   `json:"changes"`
	Siblings   []Request  `json:"siblings"` // the other requests of the submission
	Approvals  Approvals  `json:"approvals"`
	Possible   []string   `json:"possible"` // what the caller may do now
	Holds      []Hold     `json:"holds"`
	Findings   []Finding  `json:"findings"`
	Package    *Package   `json:"package"`
	ApprovedBy []Approval `json:"approved_by"`
}

// Person is who asks, as they said it.
type Person struct {
	Email       string            `json:"email"`
	Name        string            `json:"name"`
	Identifiers map[string]string `json:"identifiers"`
	Message     string            `json:"message"`
	OnBehalfOf  *OnBehalfOf       `json:"on_behalf_of"`
}

// Proof is one identifier that was proven, and how; without its value.
type Proof struct {
	Identifier string  `json:"identifier"`
	Method     string  `json:"method"`
	At         *string `json:"at"`
}

// Approvals counts the approvals of a plan.
type Approvals struct {
	Have int `json:"have"`
	Need int `json:"need"`
}

// Approval is one approval given to a plan. By tells two officers apart and names nobody.
type Approval struct {
	Role string  `json:"role"`
	By   string  `json:"by"`
	At   *string `json:"at"`
	Note string  `json:"note"`
}

// Hold is a legal hold on a request.
type Hold struct {
	ID         string  `json:"id"`
	Reason     string  `json:"reason"`
	PlacedAt   *string `json:"placed_at"`
	Until      *string `json:"until"`
	ReleasedAt *string `json:"released_at"`
}

// Finding is something that the look after an erasure found: where, never what.
type Finding struct {
	System string `json:"system"`
	Table  string `json:"table"`
	Column string `json:"column"`
	Kind   string `json:"kind"`
	Rows   int64  `json:"rows"`
}

// Event is one line of a request's history.
type Event struct {
	At    *string           `json:"at"`
	Name  string            `json:"name"`
	From  *string           `json:"from"`
	To    *string           `json:"to"`
	Actor Actor             `json:"actor"`
	Facts map[string]string `json:"facts"`
}

// Actor is who did something: a kind, and a short keyed hash that tells two apart.
type Actor struct {
	Kind string `json:"kind"`
	By   string `json:"by"`
}

// Note is an officer's note.
type Note struct {
	At   *string `json:"at"`
	By   string  `json:"by"`
	Body string  `json:"body"`
}

// NewNote adds a note.
type NewNote struct {
	Body string `json:"body"`
}

// NewApproval approves the plan that has this digest.
type NewApproval struct {
	PlanDigest string `json:"plan_digest"`
	Note       string `json:"note"`
}

// ApprovalAnswer is the answer to an approval.
type ApprovalAnswer struct {
	Status    string    `json:"status"`
	Approvals Approvals `json:"approvals"`
}

// NewDecision is a coded ground with words to the person: a denial or an extension.
type NewDecision struct {
	Ground      string `json:"ground"`
	Explanation string `json:"explanation"`
}

// NewPause records what was asked of the person.
type NewPause struct {
	Reason      string `json:"reason"`
	Explanation string `json:"explanation"`
}

// NewHold places a legal hold.
type NewHold struct {
	Reason string `json:"reason"`
	Until  string `json:"until"` // YYYY-MM-DD; empty: until released
}

// NewReason is an act that needs a reason.
type NewReason struct {
	Reason string `json:"reason"`
}

// NewRemark is an optional remark with an act.
type NewRemark struct {
	Note string `json:"note"`
}

// NewAssignment gives a request to an officer; null or "" to nobody.
type NewAssignment struct {
	Assignee *string `json:"assignee"`
}

// NewCheck records what an officer checked, never the document itself.
type NewCheck struct {
	Checked string `json:"checked"`
}

// NewAnswer closes a request by letter.
type NewAnswer struct {
	Text string `json:"text"`
}

// Nothing is the body of a call that takes none: an empty object or no body at all.
type Nothing struct{}
