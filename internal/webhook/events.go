package webhook

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/store"
)

// The events that go out. Each payload holds ids, enums and dates: who needs more of the person asks the API.
const (
	EventRequestReceived    = "request.received"
	EventRequestVerified    = "request.verified"
	EventRequestApproved    = "request.approved"
	EventRequestDenied      = "request.denied"
	EventRequestExtended    = "request.extended"
	EventRequestFulfilled   = "request.fulfilled"
	EventRequestWithdrawn   = "request.withdrawn"
	EventErasureScheduled   = "erasure.scheduled"
	EventErasureCancelled   = "erasure.cancelled"
	EventErasureExecuted    = "erasure.executed"
	EventRestrictionApplied = "restriction.applied"
	EventRestrictionLifted  = "restriction.lifted"
	EventSuppressionAdded   = "suppression.added"
	EventSuppressionRemoved = "suppression.removed"
)

// EventNames lists the events that an endpoint can subscribe to.
func EventNames() []string {
	return []string{EventRequestReceived, EventRequestVerified, EventRequestApproved, EventRequestDenied, EventRequestExtended,
		EventRequestFulfilled, EventRequestWithdrawn, EventErasureScheduled, EventErasureCancelled, EventErasureExecuted,
		EventRestrictionApplied, EventRestrictionLifted, EventSuppressionAdded, EventSuppressionRemoved}
}

// Events turns what happened into rows of the outbox, in the transaction of what happened.
type Events struct{}

// NewEvents makes it.
func NewEvents() *Events { return &Events{} }

// payload is the body of every event: the form that Standard Webhooks recommends.
type payload struct {
	Type      string         `json:"type"`
	Timestamp time.Time      `json:"timestamp"`
	Data      map[string]any `json:"data"`
}

// Request queues an event about a request. extra may hold further ids, enums, dates and counts, nothing of the person.
func (e *Events) Request(tx *store.Tx, name string, r dsr.Request, extra map[string]any) error {
	data := map[string]any{
		"request_id": r.ID, "reference": r.Reference, "right": r.Right, "status": r.Status,
		"received_at": r.ReceivedAt.UTC().Format(time.RFC3339),
	}
	if !r.DueOn.IsZero() {
		data["due_on"] = r.DueOn.String()
	}
	for k, v := range extra {
		data[k] = v
	}
	body, err := json.Marshal(payload{name, tx.Now.UTC(), data})
	if err != nil {
		return fmt.Errorf("writing the event %s: %w", name, err)
	}
	// The same happening is one event, however often its step is tried: the epoch tells one run from the next.
	dedupe := fmt.Sprintf("%s:%s:%d", name, r.ID, tx.Now.UnixMicro())
	if _, err := tx.QueueDeliveries(name, body, dedupe); err != nil {
		return fmt.Errorf("queueing the event %s: %w", name, err)
	}
	return nil
}
