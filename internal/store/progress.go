package store

import (
	"time"

	"github.com/habeas-data/habeas/internal/dsr"
)

// StepRecord is what a step of a plan did: the evidence, without a value of the person.
type StepRecord struct {
	Step     int // index in the plan; below zero: of an earlier plan of the request
	System   string
	Table    string
	Action   string
	Expected int64 // rows by the plan
	Affected int64 // rows changed by us
	Gone     int64 // rows that were gone before we came
	DoneAt   time.Time
	Note     string // coded
}

// Finding is what the look afterwards found still there.
type Finding struct {
	System string
	Table  string
	Column string
	Kind   string
	Rows   int64
	At     time.Time // set to Tx.Now
}

type stepRow struct {
	Tenant    string
	Request   string
	Step      int64
	System    string
	TableName string
	Action    string
	Expected  int64
	Affected  int64
	Gone      int64
	Done      stamp `gorm:"column:done_at"`
	Note      string
}

// PutStep stores how far a step has come, fenced; a later call replaces an earlier one.
func (tx *Tx) PutStep(req *dsr.Request, r StepRecord) error {
	if err := tx.fence(req); err != nil {
		return err
	}
	row := stepRow{
		Tenant: string(tx.Tenant), Request: string(req.ID), Step: int64(r.Step), System: r.System, TableName: r.Table, Action: r.Action,
		Expected: r.Expected, Affected: r.Affected, Gone: r.Gone, Done: at(r.DoneAt), Note: r.Note,
	}
	return tx.upsert("step", &row, []string{"tenant", "request", "step"},
		[]string{"system", "table_name", "action", "expected", "affected", "gone", "done_at", "note"})
}

// CloseSteps sets the records of a run apart, fenced, so that those of the next plan don't replace them.
func (tx *Tx) CloseSteps(req *dsr.Request) error {
	if err := tx.fence(req); err != nil {
		return err
	}
	open, err := all[stepRow](tx.in("step").Where("request = ? AND step >= 0", string(req.ID)).Limit(1))
	if err != nil || len(open) == 0 {
		return err
	}
	// All move by the same number, which is more than a plan has steps: the order of runs and steps stays.
	_, err = tx.exec(`UPDATE step SET step = step - 1000000 WHERE tenant = ? AND request = ?`, string(tx.Tenant), string(req.ID))
	return err
}

// Steps gives the records of a request in the order of its plans and their steps. Those of earlier runs (CloseSteps)
// have numbers below zero.
func (tx *Tx) Steps(id dsr.RequestID) ([]StepRecord, error) {
	rows, err := all[stepRow](tx.in("step").Where("request = ?", string(id)).Order("step"))
	out := make([]StepRecord, len(rows))
	for i, r := range rows {
		out[i] = StepRecord{
			Step: int(r.Step), System: r.System, Table: r.TableName, Action: r.Action,
			Expected: r.Expected, Affected: r.Affected, Gone: r.Gone, DoneAt: r.Done.Time, Note: r.Note,
		}
	}
	return out, err
}

type findingRow struct {
	Tenant     string
	Request    string
	Number     int64
	System     string
	TableName  string
	ColumnName string
	Kind       string
	RowCount   int64
	At         stamp
}

// PutFindings replaces the findings of a request by those of the newest look, fenced.
func (tx *Tx) PutFindings(req *dsr.Request, findings []Finding) error {
	if err := tx.fence(req); err != nil {
		return err
	}
	if _, err := tx.exec(`DELETE FROM finding WHERE tenant = ? AND request = ?`, string(tx.Tenant), string(req.ID)); err != nil {
		return err
	}
	for i, f := range findings {
		row := findingRow{
			Tenant: string(tx.Tenant), Request: string(req.ID), Number: int64(i), System: f.System, TableName: f.Table,
			ColumnName: f.Column, Kind: f.Kind, RowCount: f.Rows, At: at(tx.Now),
		}
		if err := tx.insert("finding", &row); err != nil {
			return err
		}
	}
	return nil
}

// Findings gives what the newest look found, in its order.
func (tx *Tx) Findings(id dsr.RequestID) ([]Finding, error) {
	rows, err := all[findingRow](tx.in("finding").Where("request = ?", string(id)).Order("number"))
	out := make([]Finding, len(rows))
	for i, r := range rows {
		out[i] = Finding{r.System, r.TableName, r.ColumnName, r.Kind, r.RowCount, r.At.Time}
	}
	return out, err
}
