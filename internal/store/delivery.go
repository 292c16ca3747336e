package store

import (
	"errors"
	"slices"
	"time"

	"github.com/habeas-data/habeas/internal/auditlog"
	"github.com/habeas-data/habeas/internal/fault"
)

// Delivery is one event on its way to one endpoint. ID is the webhook-id: it stays the same for each try.
type Delivery struct {
	ID         string
	Endpoint   string
	Event      string
	Body       []byte // sealed
	DedupeKey  string
	State      string // OutQueued, OutSent, OutFailed
	Attempts   int
	NextAt     time.Time
	SentAt     time.Time
	LastStatus int // HTTP status of the last try; 0: no answer
	LastError  string
	Epoch      int64
	CreatedAt  time.Time
}

type deliveryRow struct {
	Tenant     string
	ID         string
	Endpoint   string
	Event      string
	Body       []byte
	DedupeKey  string
	State      string
	Attempts   int64
	Next       stamp `gorm:"column:next_at"`
	Sent       stamp `gorm:"column:sent_at"`
	LeaseUntil stamp
	LastStatus int64
	LastError  string
	Epoch      int64
	Created    stamp `gorm:"column:created_at"`
}

// QueueDeliveries queues an event for each endpoint that wants it (by name or "*") and is not disabled, and gives
// how many. dedupe names the cause: the same one queues nothing twice for an endpoint.
func (tx *Tx) QueueDeliveries(event string, body []byte, dedupe string) (n int, err error) {
	if event == "" || dedupe == "" {
		return 0, errors.New("queueing deliveries: event and dedupe key are needed")
	}
	endpoints, err := tx.ListEndpoints()
	if err != nil {
		return 0, err
	}
	for _, e := range endpoints {
		if e.Disabled || !slices.Contains(e.Events, event) && !slices.Contains(e.Events, "*") {
			continue
		}
		row := deliveryRow{
			Tenant: string(tx.Tenant), ID: newID(""), Endpoint: e.ID, Event: event, DedupeKey: dedupe,
			State: OutQueued, Next: at(tx.Now), Created: at(tx.Now),
		}
		row.Body = tx.key.Seal(body, tx.place("delivery", row.ID, "body"))
		added, err := tx.insertOnce("delivery", &row)
		if err != nil {
			return n, err
		}
		if added {
			n++
		}
	}
	return n, nil
}

func (tx *Tx) delivery(r deliveryRow) (d Delivery, err error) {
	d = Delivery{
		ID: r.ID, Endpoint: r.Endpoint, Event: r.Event, DedupeKey: r.DedupeKey, State: r.State, Attempts: int(r.Attempts),
		NextAt: r.Next.Time, SentAt: r.Sent.Time, LastStatus: int(r.LastStatus), LastError: r.LastError, Epoch: r.Epoch, CreatedAt: r.Created.Time,
	}
	if r.Body != nil {
		d.Body, err = tx.key.Open(r.Body, tx.place("delivery", r.ID, "body"))
	}
	return d, err
}

// Delivery gives one delivery. Body is nil when it was swept.
func (tx *Tx) Delivery(id string) (Delivery, error) {
	row, err := take[deliveryRow](tx.in("delivery").Where("id = ?", id), errNoDelivery())
	if err != nil {
		return Delivery{}, err
	}
	return tx.delivery(row)
}

// ClaimDelivery takes a queued delivery that is due and that nobody holds, and raises its epoch.
func (tx *Tx) ClaimDelivery(id string, lease time.Duration) (d Delivery, ok bool, err error) {
	n, err := tx.exec(`UPDATE delivery SET epoch = epoch + 1, lease_until = ? WHERE tenant = ? AND id = ? AND state = 'queued'
		AND next_at <= ? AND (lease_until IS NULL OR lease_until <= ?)`,
		at(tx.Now.Add(lease)), string(tx.Tenant), id, at(tx.Now), at(tx.Now))
	if err != nil || n != 1 {
		return Delivery{}, false, err
	}
	d, err = tx.Delivery(id)
	return d, err == nil, err
}

// MarkDelivery ends a claim, counts the try and says how it went: a state, when to try again (for OutQueued), the
// HTTP status (0: no answer) and a coded error. A claim that was overtaken is a fault.Conflict.
func (tx *Tx) MarkDelivery(id string, epoch int64, state string, nextAt time.Time, status int, code string) error {
	var sent time.Time
	if state == OutSent {
		sent = tx.Now
	}
	return tx.exactlyOne(errOvertaken(), `UPDATE delivery SET state = ?, attempts = attempts + 1, next_at = ?, sent_at = ?,
		last_status = ?, last_error = ?, lease_until = NULL WHERE tenant = ? AND id = ? AND epoch = ? AND state = 'queued'`,
		state, at(nextAt), at(sent), status, code, string(tx.Tenant), id, epoch)
}

// ListDeliveries gives one page of an endpoint's deliveries, newest first.
func (tx *Tx) ListDeliveries(endpoint string, limit int, cursor string) (items []Delivery, next string, err error) {
	limit = within(limit, 50, 200)
	q := tx.in("delivery").Where("endpoint = ?", endpoint)
	if cursor != "" {
		key, err := readCursor(cursor, 1)
		if err != nil {
			return nil, "", err
		}
		q = q.Where("id < ?", key[0])
	}
	rows, err := all[deliveryRow](q.Order("id DESC").Limit(limit + 1))
	if err != nil {
		return nil, "", err
	}
	if len(rows) > limit {
		rows = rows[:limit]
		next = writeCursor(rows[limit-1].ID)
	}
	for _, r := range rows {
		d, err := tx.delivery(r)
		if err != nil {
			return nil, "", err
		}
		items = append(items, d)
	}
	return items, next, nil
}

// Redeliver queues a delivery again, under its own id, so that a receiver can tell that it has seen it. One that is
// queued or whose body was swept is a fault.Conflict.
func (tx *Tx) Redeliver(id string, act Act) error {
	if _, err := tx.Delivery(id); err != nil {
		return err
	}
	if err := tx.exactlyOne(fault.New(fault.Conflict, "not_deliverable", "That delivery is still under way, or too old to be sent again."),
		`UPDATE delivery SET state = 'queued', attempts = 0, next_at = ?, lease_until = NULL
		WHERE tenant = ? AND id = ? AND state <> 'queued' AND body IS NOT NULL`, at(tx.Now), string(tx.Tenant), id); err != nil {
		return err
	}
	return tx.Audit(act, auditlog.Object{Kind: "delivery", ID: id})
}

func errNoDelivery() error { return notFound("unknown_delivery", "There is no such delivery.") }
