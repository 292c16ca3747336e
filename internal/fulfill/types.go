package fulfill

import (
	"io"
	"time"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/plan"
	"github.com/habeas-data/habeas/internal/statute"
)

// PersonView is what the person sees of a submission. Texts are in the person's language.
type PersonView struct {
	Reference  dsr.Reference
	Tenant     dsr.TenantID
	Controller string
	Contact    string
	Language   string
	ReceivedAt time.Time
	Verified   bool
	Requests   []PersonRequest
	Messages   []Message
}

// PersonRequest is one request in a PersonView.
type PersonRequest struct {
	Request     dsr.Request
	StatusText  string
	History     []HistoryItem
	NextText    string
	NextOn      statute.Date // zero when the next thing has no date
	Kept        []Kept
	CanWithdraw bool
	Package     *PackageView
	Decision    string // words of a denial or an answer
}

// HistoryItem is one line of a request's history in plain words.
type HistoryItem struct {
	At   time.Time
	Text string
}

// Kept is something that was kept or left out, and why.
type Kept struct {
	What   string
	Why    string
	Rows   int64
	Until  statute.Date
	System string
	Table  string
}

// PackageView is a finished package.
type PackageView struct {
	Size       int64
	Rows       int64
	SHA256     string
	MadeAt     time.Time
	ExpiresAt  time.Time
	Downloads  int
	Available  bool // released and not expired
	Files      []PackageFile
	NeedReview bool
}

// PackageFile is one file of a package, from its manifest.
type PackageFile struct {
	Path   string
	Rows   int64
	SHA256 string
}

// Message is one letter of the correspondence.
type Message struct {
	At          time.Time
	FromPerson  bool
	Body        string
	Attachments []Attachment
}

// Attachment is a file that came with a message.
type Attachment struct {
	Name string
	Type string
	Data []byte
}

// OfficerView is what an officer sees of a request.
type OfficerView struct {
	Request    dsr.Request
	Submission dsr.Submission
	Siblings   []dsr.Request
	Plan       *plan.Plan
	Changed    []plan.Change // what moved since the plan before this one
	Approvals  []ApprovalView
	Need       int // how many approvals the policy wants
	Events     []EventView
	Notes      []Note
	Messages   []Message
	Holds      []HoldView
	Findings   []FindingView
	Package    *PackageView
	Possible   []string // what this principal may do now: approve, deny, extend, …
	ShareOfDue float64  // of the time between receipt and due date, how much is gone; over 1 is overdue
}

// ApprovalView is one approval given to a plan.
type ApprovalView struct {
	Role string
	By   string // short keyed hash: tells two officers apart, names nobody
	At   time.Time
	Note string
}

// EventView is one line of a request's history for officers.
type EventView struct {
	At    time.Time
	Name  string
	From  dsr.Status
	To    dsr.Status
	Kind  string // of the actor: person, officer, job, product, system
	By    string
	Facts map[string]string
}

// Note is an officer's note; the person never sees it.
type Note struct {
	At   time.Time
	By   string
	Body string
}

// HoldView is a legal hold on a request.
type HoldView struct {
	ID         string
	Reason     string
	PlacedAt   time.Time
	Until      statute.Date
	ReleasedAt time.Time
}

// FindingView is something that the look afterwards found: table and column, never the value.
type FindingView struct {
	System, Table, Column, Kind string
	Rows                        int64
}

// Approved is the answer to an approval.
type Approved struct {
	Request dsr.Request
	Have    int
	Need    int
}

// Certificate is the evidence of what was done, without personal data.
type Certificate struct {
	Reference     dsr.Reference  `json:"reference"`
	Request       dsr.RequestID  `json:"request"`
	Type          dsr.Right      `json:"type"`
	Status        dsr.Status     `json:"status"`
	PolicyVersion string         `json:"policy_version"`
	PlanDigest    string         `json:"plan_digest"`
	ReceivedAt    time.Time      `json:"received_at"`
	AnsweredAt    time.Time      `json:"answered_at,omitzero"`
	Steps         []CertStep     `json:"steps"`
	Remains       []CertRemains  `json:"remains"`
	Backups       []CertBackups  `json:"backups"` // of erasures: the systems from which rows went
	Check         string         `json:"check"`
	Approvals     []ApprovalView `json:"approvals"`
	Notes         []string       `json:"notes"` // what can't be seen from here: backups, dead tuples
}

// CertStep is one executed step.
type CertStep struct {
	System   string `json:"system"`
	Table    string `json:"table"`
	Action   string `json:"action"`
	Expected int64  `json:"expected"`
	Affected int64  `json:"affected"`
	Gone     int64  `json:"already_gone"`
}

// CertBackups says until when backups of a system may still hold what was erased.
type CertBackups struct {
	System string       `json:"system"`
	Until  statute.Date `json:"until,omitzero"` // zero: the data map does not say how long they are kept
}

// CertRemains is what was kept, until when and why.
type CertRemains struct {
	System string       `json:"system"`
	Table  string       `json:"table"`
	Rows   int64        `json:"rows"`
	Ground string       `json:"ground"`
	Until  statute.Date `json:"until,omitzero"`
}

// Download is a package on its way out: the plain ZIP as a stream.
type Download struct {
	Name   string
	Size   int64 // of the plain ZIP; -1 when unknown
	Stream io.ReadCloser
}

// Filter selects requests for the queue.
type Filter struct {
	Status    []string
	Types     []string
	DueBefore statute.Date
	Assignee  string
	Reference string
	Query     string // a reference or, exactly, an e-mail address
	Attention bool
	Sort      string // due, -due, received, -received
	Cursor    string
	Limit     int
}

// Counts is the head of the queue.
type Counts struct {
	ByStatus  map[dsr.Status]int
	Overdue   int
	Attention int
}
