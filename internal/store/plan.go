package store

import (
	"errors"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/plan"
)

// planRow keeps the plan sealed: rectifications hold values. Number orders the plans of a request.
type planRow struct {
	Tenant  string
	Request string
	Digest  string
	Number  int64
	Made    stamp `gorm:"column:made_at"`
	Body    []byte
}

// PutPlan stores a plan under its digest. A plan with the same digest stays as it was, and becomes the latest only
// when it is new: the digest covers everything but MadeAt.
func (tx *Tx) PutPlan(id dsr.RequestID, p plan.Plan) error {
	if p.Digest == "" {
		return errors.New("storing a plan: it has no digest")
	}
	if _, err := tx.Request(id); err != nil { // locks, so that numbers do not meet
		return err
	}
	key, err := tx.requestKey(id)
	if err != nil {
		return err
	}
	row := planRow{Tenant: string(tx.Tenant), Request: string(id), Digest: p.Digest, Number: 1, Made: at(p.MadeAt)}
	if row.Body, err = sealed(key, tx.planPlace(row), p); err != nil {
		return err
	}
	last, err := all[planRow](tx.in("plan").Where("request = ?", string(id)).Order("number DESC").Limit(1))
	if err != nil {
		return err
	}
	if len(last) > 0 {
		row.Number = last[0].Number + 1
	}
	_, err = tx.insertOnce("plan", &row)
	return err
}

func (tx *Tx) planPlace(row planRow) []byte {
	return tx.place("plan", row.Request+"/"+row.Digest, "body")
}

// Plan gives the plan of a request with that digest. A purged one is a fault.Gone.
func (tx *Tx) Plan(id dsr.RequestID, digest string) (plan.Plan, error) {
	row, err := take[planRow](tx.in("plan").Where("request = ? AND digest = ?", string(id), digest),
		fault.New(fault.NotFound, "unknown_plan", "There is no such plan."))
	if err != nil {
		return plan.Plan{}, err
	}
	return tx.plan(row)
}

// LatestPlan gives the plan of a request that was stored last; ok is false when there is none.
func (tx *Tx) LatestPlan(id dsr.RequestID) (p plan.Plan, ok bool, err error) {
	rows, err := all[planRow](tx.in("plan").Where("request = ?", string(id)).Order("number DESC").Limit(1))
	if err != nil || len(rows) == 0 {
		return plan.Plan{}, false, err
	}
	p, err = tx.plan(rows[0])
	return p, err == nil, err
}

// PlanBefore gives the plan that was stored before the one with the digest; ok is false when that was the first.
func (tx *Tx) PlanBefore(id dsr.RequestID, digest string) (p plan.Plan, ok bool, err error) {
	row, err := take[planRow](tx.in("plan").Where("request = ? AND digest = ?", string(id), digest),
		fault.New(fault.NotFound, "unknown_plan", "There is no such plan."))
	if err != nil {
		return plan.Plan{}, false, err
	}
	rows, err := all[planRow](tx.in("plan").Where("request = ? AND number < ?", string(id), row.Number).Order("number DESC").Limit(1))
	if err != nil || len(rows) == 0 {
		return plan.Plan{}, false, err
	}
	p, err = tx.plan(rows[0])
	return p, err == nil, err
}

func (tx *Tx) plan(row planRow) (p plan.Plan, err error) {
	key, err := tx.requestKey(dsr.RequestID(row.Request))
	if err != nil {
		return plan.Plan{}, err
	}
	if row.Body == nil || key.IsZero() {
		return plan.Plan{}, errPurged()
	}
	err = open(key, tx.planPlace(row), row.Body, &p)
	return p, err
}
