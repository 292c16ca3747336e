package api

// Plan is what will happen to which rows. Digest stands for all of it but MadeAt.
type Plan struct {
	Digest        string     `json:"digest"`
	MadeAt        *string    `json:"made_at"`
	Type          string     `json:"type"`
	PolicyVersion string     `json:"policy_version"`
	NothingHeld   bool       `json:"nothing_held"`
	Steps         []Step     `json:"steps"`
	Withheld      []Withheld `json:"withheld"`
	Refusals      []Refusal  `json:"refusals"`
	Lifted        bool       `json:"lifted"` // over a ceiling that an officer lifted
	// What moved since the plan before this one.
	Changed []PlanChange `json:"changed"`
}

// PlanChange is one difference between two plans.
type PlanChange struct {
	System  *string `json:"system"`
	Table   *string `json:"table"`
	Action  *string `json:"action"`
	On      *string `json:"on"`
	Before  int64   `json:"before"` // rows
	After   int64   `json:"after"`
	Message string  `json:"message"`
}

// Step is one line of a plan.
type Step struct {
	System   string       `json:"system"`
	Table    string       `json:"table"`
	Action   string       `json:"action"`
	Rows     int64        `json:"rows"`
	Ground   *string      `json:"ground"`
	On       *string      `json:"on"` // for retain: the day on which the rows go
	Category *string      `json:"category"`
	Columns  []string     `json:"columns"`
	Changes  []StepChange `json:"changes"`
	Because  *string      `json:"because"` // the table whose kept rows need these
}

// StepChange is one value to write.
type StepChange struct {
	Column string `json:"column"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// Withheld is something that the person does not get, or that stays, and why.
type Withheld struct {
	System string  `json:"system"`
	Table  string  `json:"table"`
	Column *string `json:"column"`
	What   string  `json:"what"`
	Rows   int64   `json:"rows"`
	Ground string  `json:"ground"`
	Until  *string `json:"until"`
}

// Refusal is a reason for which no erasure can run.
type Refusal struct {
	System  string `json:"system"`
	Table   string `json:"table"`
	Message string `json:"message"`
	Ceiling bool   `json:"ceiling"` // too many rows: an officer may lift it
}

// Certificate is the evidence of what was done, without personal data.
type Certificate struct {
	Reference     string               `json:"reference"`
	Request       string               `json:"request"`
	Type          string               `json:"type"`
	Status        string               `json:"status"`
	PolicyVersion string               `json:"policy_version"`
	PlanDigest    string               `json:"plan_digest"`
	ReceivedAt    *string              `json:"received_at"`
	AnsweredAt    *string              `json:"answered_at"`
	Steps         []CertificateStep    `json:"steps"`
	Remains       []Remains            `json:"remains"`
	Backups       []CertificateBackups `json:"backups"`
	Check         string               `json:"check"`
	Approvals     []Approval           `json:"approvals"`
	Notes         []string             `json:"notes"`
}

// CertificateBackups says until when backups of a system may still hold what was erased; null: its data map does not say.
type CertificateBackups struct {
	System string  `json:"system"`
	Until  *string `json:"until"`
}

// CertificateStep is one executed step.
type CertificateStep struct {
	System      string `json:"system"`
	Table       string `json:"table"`
	Action      string `json:"action"`
	Expected    int64  `json:"expected"`
	Affected    int64  `json:"affected"`
	AlreadyGone int64  `json:"already_gone"`
}

// Remains is what was kept, until when and why.
type Remains struct {
	System string  `json:"system"`
	Table  string  `json:"table"`
	Rows   int64   `json:"rows"`
	Ground string  `json:"ground"`
	Until  *string `json:"until"`
}

// Clock explains the legal dates of a request.
type Clock struct {
	AcknowledgeBy             *string          `json:"acknowledge_by"`
	AcknowledgeByConservative *string          `json:"acknowledge_by_conservative"`
	DueOn                     *string          `json:"due_on"`
	DueOnConservative         *string          `json:"due_on_conservative"`
	ExtendedUntil             *string          `json:"extended_until"` // the day that the one possible extension reaches
	ExtendedUntilConservative *string          `json:"extended_until_conservative"`
	ExtensionNoticeBy         *string          `json:"extension_notice_by"`
	Extended                  bool             `json:"extended"`
	AppealDueOn               *string          `json:"appeal_due_on"`
	Paused                    bool             `json:"paused"`
	PausedDays                int              `json:"paused_days"`
	Milestones                []ClockMilestone `json:"milestones"`
	Steps                     []ClockStep      `json:"steps"`
}

// ClockMilestone is a date beside the answer, such as a first and simpler one.
type ClockMilestone struct {
	What string  `json:"what"`
	On   *string `json:"on"`
}

// ClockStep is one link of the explanation of a date.
type ClockStep struct {
	Jurisdiction string  `json:"jurisdiction"`
	Date         string  `json:"date"`
	On           *string `json:"on"`
	Text         string  `json:"text"`
	Cite         string  `json:"cite"`
	Confidence   string  `json:"confidence"`
}
