package store

import (
	"errors"
	"time"

	"github.com/habeas-data/habeas/internal/auditlog"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/statute"
)

// The kinds of obligations.
const (
	ObligationDeleteRows    = "delete_rows"    // retained rows go
	ObligationPurge         = "purge"          // our own data on the submission go
	ObligationExpirePackage = "expire_package" // the package goes
	ObligationReminder      = "reminder"       // a person must look
	ObligationRecheck       = "recheck"        // corrected values are looked at again
)

// The states of obligations.
const (
	ObligationOpen   = "open"
	ObligationDone   = "done"
	ObligationFailed = "failed" // for good: a person must look
)

// Obligation is something that is owed on a day, perhaps years ahead.
type Obligation struct {
	ID           string // UUIDv7; made by AddObligation when empty
	Request      dsr.RequestID
	Submission   dsr.SubmissionID
	System       string
	Table        string
	Kind         string
	Rows         int64
	DueOn        statute.Date
	Ground       string
	State        string // "" is open
	Step         int    // index of the plan's step whose captured keys are meant
	DoneAt       time.Time
	Attempts     int
	NextActionAt time.Time // zero at AddObligation: the begin of DueOn in UTC
	Epoch        int64
	CreatedAt    time.Time
}

// ObligationFilter narrows ListObligations; zero fields don't.
type ObligationFilter struct {
	State   string
	Before  statute.Date // DueOn lies before it
	Request dsr.RequestID
	Cursor  string
	Limit   int // 1 to 500; 0 is 100
}

type obligationRow struct {
	Tenant     string
	ID         string
	Request    string
	Submission string
	System     string
	TableName  string
	Kind       string
	RowCount   int64
	DueOn      civil
	Ground     string
	State      string
	Step       int64
	Done       stamp `gorm:"column:done_at"`
	Attempts   int64
	NextAction stamp `gorm:"column:next_action_at"`
	LeaseUntil stamp
	Epoch      int64
	Created    stamp `gorm:"column:created_at"`
}

func (r obligationRow) obligation() Obligation {
	return Obligation{
		ID: r.ID, Request: dsr.RequestID(r.Request), Submission: dsr.SubmissionID(r.Submission), System: r.System, Table: r.TableName,
		Kind: r.Kind, Rows: r.RowCount, DueOn: r.DueOn.Date, Ground: r.Ground, State: r.State, Step: int(r.Step),
		DoneAt: r.Done.Time, Attempts: int(r.Attempts), NextActionAt: r.NextAction.Time, Epoch: r.Epoch, CreatedAt: r.Created.Time,
	}
}

// AddObligation stores something that is owed on DueOn. It begins to be due at NextActionAt, by default when that
// day begins in UTC.
func (tx *Tx) AddObligation(o Obligation) (id string, err error) {
	if o.DueOn.IsZero() || o.Kind == "" {
		return "", errors.New("storing an obligation: it needs a kind and a day")
	}
	if o.State == "" {
		o.State = ObligationOpen
	}
	if o.NextActionAt.IsZero() && o.State == ObligationOpen {
		o.NextActionAt = o.DueOn.In(time.UTC)
	}
	row := obligationRow{
		Tenant: string(tx.Tenant), ID: newID(o.ID), Request: string(o.Request), Submission: string(o.Submission),
		System: o.System, TableName: o.Table, Kind: o.Kind, RowCount: o.Rows, DueOn: on(o.DueOn), Ground: o.Ground, State: o.State,
		Step: int64(o.Step), Done: at(o.DoneAt), Attempts: int64(o.Attempts), NextAction: at(o.NextActionAt), Created: at(tx.Now),
	}
	return row.ID, tx.insert("obligation", &row)
}

// Obligation gives one obligation.
func (tx *Tx) Obligation(id string) (Obligation, error) {
	row, err := take[obligationRow](tx.locked(tx.in("obligation").Where("id = ?", id)), errNoObligation())
	return row.obligation(), err
}

// ListObligations gives one page in the order of the days, and the cursor of the next.
func (tx *Tx) ListObligations(f ObligationFilter) (items []Obligation, next string, err error) {
	limit := within(f.Limit, 100, 500)
	q := tx.in("obligation")
	if f.State != "" {
		q = q.Where("state = ?", f.State)
	}
	if !f.Before.IsZero() {
		q = q.Where("due_on < ?", on(f.Before))
	}
	if f.Request != "" {
		q = q.Where("request = ?", string(f.Request))
	}
	if f.Cursor != "" {
		key, err := readCursor(f.Cursor, 2)
		if err != nil {
			return nil, "", err
		}
		day, err := statute.ParseDate(key[0])
		if err != nil {
			return nil, "", errCursor()
		}
		q = q.Where("(due_on, id) > (?, ?)", on(day), key[1])
	}
	rows, err := all[obligationRow](q.Order("due_on, id").Limit(limit + 1))
	if err != nil {
		return nil, "", err
	}
	if len(rows) > limit {
		rows = rows[:limit]
		next = writeCursor(rows[limit-1].DueOn.String(), rows[limit-1].ID)
	}
	for _, r := range rows {
		items = append(items, r.obligation())
	}
	return items, next, nil
}

// ClaimObligation takes an open obligation that is due and that nobody holds, as Claim does a request.
func (tx *Tx) ClaimObligation(id string, lease time.Duration) (o Obligation, ok bool, err error) {
	n, err := tx.exec(`UPDATE obligation SET epoch = epoch + 1, lease_until = ? WHERE tenant = ? AND id = ?
		AND state = 'open' AND next_action_at <= ? AND (lease_until IS NULL OR lease_until <= ?)`,
		at(tx.Now.Add(lease)), string(tx.Tenant), id, at(tx.Now), at(tx.Now))
	if err != nil || n != 1 {
		return Obligation{}, false, err
	}
	o, err = tx.Obligation(id)
	return o, err == nil, err
}

// UpdateObligation writes State, Rows, DueOn, Step, DoneAt, Attempts and NextActionAt, fenced by Epoch, and ends the
// claim. act without an Action writes no leaf.
func (tx *Tx) UpdateObligation(o *Obligation, act Act) error {
	if err := tx.exactlyOne(errOvertaken(), `UPDATE obligation SET state = ?, row_count = ?, due_on = ?, step = ?, done_at = ?,
		attempts = ?, next_action_at = ?, lease_until = NULL WHERE tenant = ? AND id = ? AND epoch = ?`,
		o.State, o.Rows, on(o.DueOn), o.Step, at(o.DoneAt), o.Attempts, at(o.NextActionAt), string(tx.Tenant), o.ID, o.Epoch); err != nil {
		return err
	}
	if act.Action == "" {
		return nil
	}
	return tx.Audit(act, auditlog.Object{Kind: "obligation", ID: o.ID})
}

func errNoObligation() error {
	return notFound("unknown_obligation", "There is no such obligation.")
}
