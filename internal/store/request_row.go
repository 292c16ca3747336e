package store

import (
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/seal"
	"github.com/habeas-data/habeas/internal/statute"
)

// requestRow is a dsr.Request with its lease, which is nobody's business but Claim's. Changes and Decision are sealed
// under the submission's key.
type requestRow struct {
	Tenant             string
	ID                 string
	Submission         string
	Reference          string
	RightAsked         string
	Status             string
	Received           stamp `gorm:"column:received_at"`
	AcknowledgeBy      civil
	DueOn              civil
	DueOnConservative  civil
	ExtendedUntil      civil
	SortOn             civil
	ClockPaused        bool
	ClockEvents        string
	Answered           stamp `gorm:"column:answered_at"`
	OnHold             bool
	AwaitingController bool
	NeedsAttention     string
	Assignee           string
	PlanDigest         string
	PlanMade           stamp `gorm:"column:plan_made_at"`
	GraceEnds          stamp `gorm:"column:grace_ends_at"`
	Stage              string
	DenyGround         string
	Changes            []byte
	Decision           []byte
	NextAction         stamp `gorm:"column:next_action_at"`
	LeaseUntil         stamp
	Epoch              int64
	Attempts           int64
	Created            stamp `gorm:"column:created_at"`
	Updated            stamp `gorm:"column:updated_at"`
}

// noLegalDate sorts requests without one behind all others.
func noLegalDate() statute.Date { return statute.NewDate(9999, 12, 31) }

// legalDate is the day that the queue is sorted by: the extended one, else the due one.
func legalDate(r *dsr.Request) statute.Date {
	switch {
	case !r.ExtendedUntil.IsZero():
		return r.ExtendedUntil
	case !r.DueOn.IsZero():
		return r.DueOn
	}
	return noLegalDate()
}

func (tx *Tx) requestRow(r *dsr.Request, key seal.Key) (row requestRow, err error) {
	row = requestRow{
		Tenant: string(tx.Tenant), ID: string(r.ID), Submission: string(r.Submission), Reference: string(r.Reference),
		RightAsked: string(r.Right), Status: string(r.Status), Received: at(r.ReceivedAt),
		AcknowledgeBy: on(r.AcknowledgeBy), DueOn: on(r.DueOn), DueOnConservative: on(r.DueOnConservative),
		ExtendedUntil: on(r.ExtendedUntil), SortOn: on(legalDate(r)), ClockPaused: r.ClockPaused, Answered: at(r.AnsweredAt),
		OnHold: r.OnHold, AwaitingController: r.AwaitingController, NeedsAttention: r.NeedsAttention, Assignee: r.Assignee,
		PlanDigest: r.PlanDigest, PlanMade: at(r.PlanMadeAt), GraceEnds: at(r.GraceEndsAt), Stage: string(r.Stage),
		DenyGround: string(r.DenyGround), NextAction: at(r.NextActionAt), Epoch: r.Epoch, Attempts: int64(r.Attempts),
		Created: at(r.CreatedAt), Updated: at(r.UpdatedAt),
	}
	if row.ClockEvents, err = toText(r.ClockEvents); err != nil {
		return requestRow{}, err
	}
	if len(r.Changes) > 0 {
		if row.Changes, err = sealed(key, tx.place("request", row.ID, "changes"), r.Changes); err != nil {
			return requestRow{}, err
		}
	}
	if r.Decision != "" {
		row.Decision, err = sealed(key, tx.place("request", row.ID, "decision"), r.Decision)
	}
	return row, err
}

func (tx *Tx) request(row requestRow) (dsr.Request, error) {
	r := dsr.Request{
		ID: dsr.RequestID(row.ID), Tenant: tx.Tenant, Submission: dsr.SubmissionID(row.Submission), Reference: dsr.Reference(row.Reference),
		Right: dsr.Right(row.RightAsked), Status: dsr.Status(row.Status), ReceivedAt: row.Received.Time,
		AcknowledgeBy: row.AcknowledgeBy.Date, DueOn: row.DueOn.Date, DueOnConservative: row.DueOnConservative.Date,
		ExtendedUntil: row.ExtendedUntil.Date, ClockPaused: row.ClockPaused, AnsweredAt: row.Answered.Time,
		OnHold: row.OnHold, AwaitingController: row.AwaitingController, NeedsAttention: row.NeedsAttention, Assignee: row.Assignee,
		PlanDigest: row.PlanDigest, PlanMadeAt: row.PlanMade.Time, GraceEndsAt: row.GraceEnds.Time, Stage: dsr.Stage(row.Stage),
		DenyGround: dsr.DenyGround(row.DenyGround), NextActionAt: row.NextAction.Time, Epoch: row.Epoch, Attempts: int(row.Attempts),
		CreatedAt: row.Created.Time, UpdatedAt: row.Updated.Time,
	}
	if err := fromText(row.ClockEvents, &r.ClockEvents); err != nil {
		return dsr.Request{}, err
	}
	if row.Changes == nil && row.Decision == nil {
		return r, nil
	}
	key, err := tx.submissionKey(r.Submission)
	if err != nil {
		return dsr.Request{}, err
	}
	if err := open(key, tx.place("request", row.ID, "changes"), row.Changes, &r.Changes); err != nil {
		return dsr.Request{}, err
	}
	err = open(key, tx.place("request", row.ID, "decision"), row.Decision, &r.Decision)
	return r, err
}

// requests maps rows, with one look-up for all their keys.
func (tx *Tx) requests(rows []requestRow) ([]dsr.Request, error) {
	var ids []dsr.SubmissionID
	for _, row := range rows {
		if row.Changes != nil || row.Decision != nil {
			ids = append(ids, dsr.SubmissionID(row.Submission))
		}
	}
	if err := tx.loadKeys(ids...); err != nil {
		return nil, err
	}
	out := make([]dsr.Request, len(rows))
	for i, row := range rows {
		var err error
		if out[i], err = tx.request(row); err != nil {
			return nil, err
		}
	}
	return out, nil
}
