package store

import (
	"time"

	"github.com/habeas-data/habeas/internal/auditlog"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
)

// createRequest stores a request of a new submission, with its first event.
func (tx *Tx) createRequest(sub *dsr.Submission, r *dsr.Request, act Act) error {
	r.ID = dsr.RequestID(newID(string(r.ID)))
	r.Tenant, r.Submission, r.Reference = tx.Tenant, sub.ID, sub.Reference
	if r.Status == "" {
		r.Status = dsr.StatusReceived
	}
	if r.ReceivedAt.IsZero() {
		r.ReceivedAt = sub.ReceivedAt
	}
	r.CreatedAt, r.UpdatedAt, r.Epoch = tx.Now, tx.Now, 0
	key, err := tx.submissionKey(sub.ID)
	if err != nil {
		return err
	}
	row, err := tx.requestRow(r, key)
	if err != nil {
		return err
	}
	if err := tx.insert("request", &row); err != nil {
		return err
	}
	return tx.event(EventRecord{Name: string(dsr.StatusReceived), To: r.Status, Actor: act.By, Facts: act.Facts}, r.ID)
}

// Request gives one request. In a writing transaction nobody else changes it until the end.
func (tx *Tx) Request(id dsr.RequestID) (dsr.Request, error) {
	row, err := take[requestRow](tx.locked(tx.in("request").Where("id = ?", string(id))), errNoRequest())
	if err != nil {
		return dsr.Request{}, err
	}
	return tx.request(row)
}

// RequestsOf gives the requests of a submission in the order in which they were stored.
func (tx *Tx) RequestsOf(sub dsr.SubmissionID) ([]dsr.Request, error) {
	rows, err := all[requestRow](tx.locked(tx.in("request").Where("submission = ?", string(sub)).Order("id")))
	if err != nil {
		return nil, err
	}
	return tx.requests(rows)
}

// Transition moves a request by an event and is the only way to change a status. It refuses what dsr.Next refuses.
// set, when given, changes other fields of the request in the same write (next action, grace period, answer). Status,
// history, audit leaf and next action are written together.
//
// req must be as it was last read: when its status, epoch or anything else was changed since, the error is a
// fault.Conflict that lists what is possible now, and nothing is written. On success *req is the new state.
func (tx *Tx) Transition(req *dsr.Request, event dsr.Event, act Act, set func(*dsr.Request)) error {
	to, err := dsr.Next(req.Status, event)
	if err != nil {
		return err
	}
	next := *req
	if set != nil {
		set(&next)
	}
	next.Status = to
	if err := tx.writeRequest(req, &next); err != nil {
		return err
	}
	if err := tx.event(EventRecord{Name: string(event), From: req.Status, To: to, Actor: act.By, Facts: act.Facts}, req.ID); err != nil {
		return err
	}
	if err := tx.Audit(act, auditlog.Object{Kind: "request", ID: string(req.ID)}); err != nil {
		return err
	}
	*req = next
	return nil
}

// UpdateRequest writes everything of a request but its status, guarded as Transition is. act without an Action writes
// no leaf: that is for bookkeeping whose leaf was written beside it.
func (tx *Tx) UpdateRequest(req *dsr.Request, act Act) error {
	next := *req
	if err := tx.writeRequest(req, &next); err != nil {
		return err
	}
	if act.Action != "" {
		if err := tx.Audit(act, auditlog.Object{Kind: "request", ID: string(req.ID)}); err != nil {
			return err
		}
	}
	*req = next
	return nil
}

// writeRequest is the one guarded UPDATE. Status and epoch must be those of `was`; so must updated_at, which each
// write moves: whoever writes over a change must have read it.
func (tx *Tx) writeRequest(was, next *dsr.Request) error {
	next.ID, next.Submission, next.Epoch = was.ID, was.Submission, was.Epoch
	next.UpdatedAt = later(tx.Now, was.UpdatedAt)
	key, err := tx.submissionKey(was.Submission)
	if err != nil {
		return err
	}
	r, err := tx.requestRow(next, key)
	if err != nil {
		return err
	}
	n, err := tx.exec(`UPDATE request SET status = ?, acknowledge_by = ?, due_on = ?, due_on_conservative = ?,
		extended_until = ?, sort_on = ?, clock_paused = ?, clock_events = ?, answered_at = ?, on_hold = ?,
		awaiting_controller = ?, needs_attention = ?, assignee = ?, plan_digest = ?, plan_made_at = ?, grace_ends_at = ?,
		stage = ?, deny_ground = ?, changes = ?, decision = ?, next_action_at = ?, attempts = ?, updated_at = ?
		WHERE tenant = ? AND id = ? AND status = ? AND epoch = ? AND updated_at = ?`,
		r.Status, r.AcknowledgeBy, r.DueOn, r.DueOnConservative,
		r.ExtendedUntil, r.SortOn, r.ClockPaused, r.ClockEvents, r.Answered, r.OnHold,
		r.AwaitingController, r.NeedsAttention, r.Assignee, r.PlanDigest, r.PlanMade, r.GraceEnds,
		r.Stage, r.DenyGround, r.Changes, r.Decision, r.NextAction, r.Attempts, r.Updated,
		r.Tenant, r.ID, string(was.Status), was.Epoch, at(was.UpdatedAt))
	if err != nil {
		return err
	}
	if n != 1 {
		return tx.overtaken(was.ID)
	}
	return nil
}

// later gives now, or the microsecond after was when the clock did not move: two writes never have the same
// updated_at.
func later(now, was time.Time) time.Time {
	if now.After(was) {
		return now
	}
	return was.Add(time.Microsecond)
}

// overtaken says why a guarded write touched nothing, with what is possible now.
func (tx *Tx) overtaken(id dsr.RequestID) error {
	now, err := tx.Request(id)
	if err != nil {
		return err
	}
	conflict := fault.New(fault.Conflict, "changed_meanwhile", "The request was changed by somebody else in the meantime.")
	for _, e := range dsr.Possible(now.Status) {
		conflict.Allowed = append(conflict.Allowed, string(e))
	}
	return conflict
}

// Claim takes a request whose next action is due and which nobody holds, until the lease ends or Release. It raises
// the epoch: whoever held the request before can write nothing more. ok is false when there was nothing to take.
func (tx *Tx) Claim(id dsr.RequestID, lease time.Duration) (req dsr.Request, ok bool, err error) {
	n, err := tx.exec(`UPDATE request SET epoch = epoch + 1, lease_until = ?
		WHERE tenant = ? AND id = ? AND next_action_at <= ? AND (lease_until IS NULL OR lease_until <= ?)`,
		at(tx.Now.Add(lease)), string(tx.Tenant), string(id), at(tx.Now), at(tx.Now))
	if err != nil || n != 1 {
		return dsr.Request{}, false, err
	}
	req, err = tx.Request(id)
	return req, err == nil, err
}

// Release ends a claim and says when to act next; the zero time: not before something happens. It writes Attempts
// too. When somebody else changed the request since req was read, their next action stands. A claim that was
// overtaken is a fault.Conflict.
func (tx *Tx) Release(req *dsr.Request, nextAt time.Time) error {
	if err := tx.fence(req); err != nil {
		return err
	}
	now, err := tx.Request(req.ID)
	if err != nil {
		return err
	}
	if !now.UpdatedAt.Equal(micro(req.UpdatedAt)) && !now.NextActionAt.IsZero() {
		nextAt = now.NextActionAt
	}
	moved := later(tx.Now, now.UpdatedAt)
	if err := tx.exactlyOne(errOvertaken(), `UPDATE request SET next_action_at = ?, lease_until = NULL, attempts = ?, updated_at = ?
		WHERE tenant = ? AND id = ? AND epoch = ?`,
		at(nextAt), req.Attempts, at(moved), string(tx.Tenant), string(req.ID), req.Epoch); err != nil {
		return err
	}
	req.NextActionAt, req.UpdatedAt = micro(nextAt), moved
	return nil
}

// fence refuses a worker that was overtaken: every step write of an execution goes through it.
func (tx *Tx) fence(req *dsr.Request) error {
	var row struct{ Epoch int64 }
	res := tx.locked(tx.in("request").Select("epoch").Where("id = ? AND epoch = ?", string(req.ID), req.Epoch)).Limit(1).Find(&row)
	if res.Error != nil {
		return res.Error
	}
	if res.RowsAffected != 1 {
		return errOvertaken()
	}
	return nil
}

func errOvertaken() error {
	return fault.New(fault.Conflict, "overtaken", "Somebody else has taken over this piece of work.")
}

func errNoRequest() error {
	return fault.New(fault.NotFound, "unknown_request", "There is no such request.")
}
