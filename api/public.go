package api

// Form is what a form needs to know about a tenant.
type Form struct {
	Tenant        string      `json:"tenant"`
	Controller    string      `json:"controller"`
	Contact       string      `json:"contact"`
	PolicyVersion string      `json:"policy_version"`
	Rights        []string    `json:"rights"`
	Languages     []string    `json:"languages"`
	Jurisdictions []string    `json:"jurisdictions"`
	MinimumAge    *int        `json:"minimum_age"` // null: none stated
	Identifiers   []string    `json:"identifiers"` // further names for identifiers, beside email
	Fields        []FormField `json:"fields"`
}

// FormField is one field of the form.
type FormField struct {
	Name      string `json:"name"`
	Required  bool   `json:"required"`
	MaxLength *int   `json:"max_length"` // characters; null: not a text
}

// NewSubmission is what a person asks at once.
type NewSubmission struct {
	Types        []string          `json:"types"`
	Email        string            `json:"email"`
	Name         string            `json:"name"`
	Identifiers  map[string]string `json:"identifiers"`
	Jurisdiction string            `json:"jurisdiction"`
	Language     string            `json:"language"`
	Message      string            `json:"message"`
	Changes      []Change          `json:"changes"`
	OnBehalfOf   *OnBehalfOf       `json:"on_behalf_of"`
}

// Change is one value to correct.
type Change struct {
	Field string `json:"field"`
	To    string `json:"to"`
}

// OnBehalfOf is the person for whom somebody else asks.
type OnBehalfOf struct {
	Relation string `json:"relation"` // child, agent, other
	Name     string `json:"name"`
	Email    string `json:"email"`
}

// Receipt is the answer to a person's submission. It is the same whether or not the person is known.
type Receipt struct {
	Reference string        `json:"reference"`
	Requests  []ReceiptItem `json:"requests"`
}

// ReceiptItem is one request of a Receipt.
type ReceiptItem struct {
	Type          string  `json:"type"`
	Status        string  `json:"status"`
	AcknowledgeBy *string `json:"acknowledge_by"` // null: the law has none
	DueOn         *string `json:"due_on"`
}

// NewVerification is a proof: the token of a link, or a reference with the code of a mail.
type NewVerification struct {
	Token     string `json:"token"`
	Reference string `json:"reference"`
	Code      string `json:"code"`
}

// Verification is the answer to a proof.
type Verification struct {
	Reference   string        `json:"reference"`
	Requests    []ReceiptItem `json:"requests"`
	AccessToken string        `json:"access_token"`
	ExpiresAt   *string       `json:"expires_at"`
}

// PersonStatus is what a person sees of their submission.
type PersonStatus struct {
	Reference  string          `json:"reference"`
	Controller string          `json:"controller"`
	Contact    string          `json:"contact"`
	Language   string          `json:"language"`
	ReceivedAt *string         `json:"received_at"`
	Verified   bool            `json:"verified"`
	Requests   []PersonRequest `json:"requests"`
	Messages   []Message       `json:"messages"`
}

// PersonRequest is one request of a PersonStatus. Texts are in the person's language.
type PersonRequest struct {
	Type          string        `json:"type"`
	Status        string        `json:"status"`
	StatusText    string        `json:"status_text"`
	ReceivedAt    *string       `json:"received_at"`
	AcknowledgeBy *string       `json:"acknowledge_by"`
	DueOn         *string       `json:"due_on"`
	ExtendedUntil *string       `json:"extended_until"`
	AnsweredAt    *string       `json:"answered_at"`
	GraceEndsAt   *string       `json:"grace_ends_at"`
	ClockPaused   bool          `json:"clock_paused"`
	History       []HistoryItem `json:"history"`
	Next          *Next         `json:"next"` // null: nothing more happens
	Kept          []Kept        `json:"kept"`
	CanWithdraw   bool          `json:"can_withdraw"`
	Decision      *string       `json:"decision"` // words of a denial or an answer
	Package       *Package      `json:"package"`
}

// HistoryItem is one line of a history in plain words.
type HistoryItem struct {
	At   *string `json:"at"`
	Text string  `json:"text"`
}

// Next is what happens next, and when.
type Next struct {
	Text string  `json:"text"`
	On   *string `json:"on"` // null: it has no date
}

// Kept is something that was kept or left out, and why.
type Kept struct {
	What  string  `json:"what"`
	Why   string  `json:"why"`
	Rows  int64   `json:"rows"`
	Until *string `json:"until"`
}

// Package is a finished export.
type Package struct {
	Size        int64         `json:"size"` // bytes
	Rows        int64         `json:"rows"`
	SHA256      string        `json:"sha256"`
	MadeAt      *string       `json:"made_at"`
	ExpiresAt   *string       `json:"expires_at"`
	Downloads   int           `json:"downloads"`
	Available   bool          `json:"available"` // released and not expired
	NeedsReview bool          `json:"needs_review"`
	Files       []PackageFile `json:"files"`
}

// PackageFile is one file of a package.
type PackageFile struct {
	Path   string `json:"path"`
	Rows   int64  `json:"rows"`
	SHA256 string `json:"sha256"`
}

// NewWithdrawal calls requests back: those of the given types, or all that can be.
type NewWithdrawal struct {
	Types []string `json:"types"`
}

// NewMessage is a letter of the correspondence.
type NewMessage struct {
	Body        string          `json:"body"`
	Attachments []NewAttachment `json:"attachments"`
}

// NewAttachment is a file that comes with a message.
type NewAttachment struct {
	Name string `json:"name"`
	Type string `json:"type"` // media type
	Data []byte `json:"data"` // base64
}

// Message is one letter of the correspondence.
type Message struct {
	At          *string      `json:"at"`
	From        string       `json:"from"` // person, controller
	Body        string       `json:"body"`
	Attachments []Attachment `json:"attachments"`
}

// Attachment names a file that came with a message.
type Attachment struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Size int    `json:"size"` // bytes
}

// NewDownload redeems a one-time code. Type chooses when a submission has several packages.
type NewDownload struct {
	Code string `json:"code"`
	Type string `json:"type"`
}
