package statute

// Names of the events that may move a clock. Those that a jurisdiction attaches nothing to are accepted, have no
// effect and are explained in a step, so that a caller need not know the law to report what happened.
const (
	EventIdentityAsked         = "identity_asked"
	EventIdentityReceived      = "identity_received"
	EventClarificationAsked    = "clarification_asked"
	EventClarificationReceived = "clarification_received"
	EventFeeAsked              = "fee_asked"
	EventFeePaid               = "fee_paid" // or, where the law only asks for that, the person confirmed the request in spite of the fee
	EventExtensionNotice       = "extension_notice"
	EventExtensionUntil        = "extension_until" // the day that the notice of an extension names, where the law sets no limit
	EventAppeal                = "appeal"
	EventAnswered              = "answered"
)

// Event is one thing that happened to a request and may move its clock: a name from the list above and its day.
type Event struct {
	Name string `json:"name"`
	On   Date   `json:"on"`
}

// Question asks for the legal dates of one right.
//
// Jurisdiction and Right are names of the contract (`eu`, `us-ca`; `access`, `know_specific`). Received is the day
// on which the request arrived at any reasonable channel, in the controller's zone, from 1995 to 2200. Establishment
// is the place whose holidays count: an ISO 3166 code (`DE`, `FR`, `GB-ENG`, `US`), or "" for the jurisdiction's
// default. Controller is a kind of controller that the law tells apart (`agency`, `small`), or "" for its ordinary one.
type Question struct {
	Jurisdiction  string  `json:"jurisdiction"`
	Right         string  `json:"right"`
	Received      Date    `json:"received"`
	Establishment string  `json:"establishment,omitempty"`
	Controller    string  `json:"controller,omitempty"`
	Events        []Event `json:"events,omitempty"`
}

// Clock is the answer: civil dates, the zero Date where the law fixes none.
type Clock struct {
	// AcknowledgeBy is the last day for saying that the request arrived; zero where no law asks for it.
	AcknowledgeBy Date `json:"acknowledge_by"`
	// AcknowledgeByConservative is AcknowledgeBy under the stricter reading, never later. It can stand alone where
	// only that reading asks for it.
	AcknowledgeByConservative Date `json:"acknowledge_by_conservative"`
	// DueOn is the last day for the decision and its letter, without any extension.
	DueOn Date `json:"due_on"`
	// DueOnConservative is DueOn under the stricter reading, never later. Alarms run on it.
	DueOnConservative Date `json:"due_on_conservative"`
	// ExtendedUntil is the day that the one possible extension reaches, whether or not it was taken;
	// zero where the law has none, or has no limit and no day was named. Extended tells which.
	ExtendedUntil Date `json:"extended_until"`
	// ExtendedUntilConservative is ExtendedUntil under the stricter reading, never later.
	ExtendedUntilConservative Date `json:"extended_until_conservative"`
	// ExtensionNoticeBy is the last day on which the notice of an extension counts.
	ExtensionNoticeBy Date `json:"extension_notice_by"`
	// Extended tells whether an extension was announced, in time.
	Extended bool `json:"extended"`
	// AppealDueOn is the last day for deciding an appeal; zero when none was made.
	AppealDueOn Date `json:"appeal_due_on"`
	// Paused tells that the law lets the clock stand while an answer of the person is outstanding. The dates are
	// then those without that pause: the clock will move on when the answer comes, never back.
	Paused bool `json:"paused"`
	// PausedDays counts the days by which closed pauses moved DueOn; a restart is not in it.
	PausedDays int `json:"paused_days"`
	// Milestones are dates beside the answer, such as a first and simpler one.
	Milestones []Milestone `json:"milestones"`
	// Steps explain every date in the order in which it was found.
	Steps []Step `json:"steps"`
}

// Until gives the day by which the answer must be out: ExtendedUntil once an extension was announced, else DueOn.
func (c Clock) Until() Date {
	if c.Extended {
		return c.ExtendedUntil
	}
	return c.DueOn
}

// Milestone is a date beside the answer.
type Milestone struct {
	What string `json:"what"` // what is due: "simplified_confirmation"
	On   Date   `json:"on"`
}

// Step is one link of the explanation of a date.
type Step struct {
	Jurisdiction string `json:"jurisdiction"` // code of the law that speaks; "" where several are weighed
	Date         string `json:"date"`         // which date it speaks of: "due_on", "acknowledge_by", ...
	On           Date   `json:"on"`           // the value reached by this step; zero for a remark
	Text         string `json:"text"`
	Cite         string `json:"cite"`
	Confidence   string `json:"confidence"` // A, B, C or K; "" for plain counting
}
