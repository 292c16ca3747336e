package dsr

import (
	"slices"

	"github.com/habeas-data/habeas/internal/fault"
)

// Status is where a request stands.
type Status string

// The statuses. Each says who acts next.
const (
	// StatusReceived: the request is stored and acknowledged. The machine acts next: it sends the verification
	// mail, or goes straight to review where no proof is needed.
	StatusReceived Status = "received"
	// StatusVerifying: a link has been sent. The person acts next, or the time runs out.
	StatusVerifying Status = "verifying"
	// StatusInReview: the person is proven. An officer acts next (or the policy, where it says `review: auto`).
	StatusInReview Status = "in_review"
	// StatusInGrace: approved, and waiting for the grace period to end. The person may still stop it.
	StatusInGrace Status = "in_grace"
	// StatusExecuting: the machine is carrying out the plan, step by step.
	StatusExecuting Status = "executing"
	// StatusFulfilled: all that is due now is done, checked and told. Obligations years ahead don't keep it open.
	StatusFulfilled Status = "fulfilled"
	// StatusDenied: refused, with a coded ground and recourse, by letter.
	StatusDenied Status = "denied"
	// StatusWithdrawn: called back by the person or on their behalf.
	StatusWithdrawn Status = "withdrawn"
	// StatusExpired: never verified in time; nothing was disclosed and nothing destroyed.
	StatusExpired Status = "expired"
)

// Statuses lists all statuses in the order of a request's life.
func Statuses() []Status {
	return []Status{StatusReceived, StatusVerifying, StatusInReview, StatusInGrace, StatusExecuting,
		StatusFulfilled, StatusDenied, StatusWithdrawn, StatusExpired}
}

// Final tells whether nothing can happen to the request any more.
func (s Status) Final() bool {
	return s == StatusFulfilled || s == StatusDenied || s == StatusWithdrawn || s == StatusExpired
}

// Event is what happens to a request and may move it.
type Event string

// The events that move a request.
const (
	EventProofAsked   Event = "proof_asked"   // a verification link was sent (again)
	EventVerified     Event = "verified"      // the person is proven, or no proof is needed
	EventExpired      Event = "expired"       // no proof in time
	EventApproved     Event = "approved"      // the plan was approved; nothing to wait for
	EventScheduled    Event = "scheduled"     // the plan was approved; a grace period begins
	EventGraceEnded   Event = "grace_ended"   // the grace period is over
	EventPlanOutdated Event = "plan_outdated" // the data no longer fit the approved plan: review anew
	EventFulfilled    Event = "fulfilled"     // done, checked and told
	EventDenied       Event = "denied"        // refused
	EventWithdrawn    Event = "withdrawn"     // called back
)

// Events lists all events.
func Events() []Event {
	return []Event{EventProofAsked, EventVerified, EventExpired, EventApproved, EventScheduled, EventGraceEnded,
		EventPlanOutdated, EventFulfilled, EventDenied, EventWithdrawn}
}

// lifecycle is the whole of it: what is not here does not happen.
//
//nolint:gochecknoglobals // the lifecycle table, never written
var lifecycle = map[Status]map[Event]Status{
	StatusReceived: {
		EventProofAsked: StatusVerifying,
		EventVerified:   StatusInReview, // a product vouched, an officer checked, or the right needs no proof
		EventExpired:    StatusExpired,
		EventDenied:     StatusDenied,
		EventWithdrawn:  StatusWithdrawn,
	},
	StatusVerifying: {
		EventProofAsked: StatusVerifying, // a new link replaces the old one
		EventVerified:   StatusInReview,
		EventExpired:    StatusExpired,
		EventDenied:     StatusDenied,
		EventWithdrawn:  StatusWithdrawn,
	},
	StatusInReview: {
		EventApproved:  StatusExecuting,
		EventScheduled: StatusInGrace,
		EventDenied:    StatusDenied,
		EventWithdrawn: StatusWithdrawn,
	},
	StatusInGrace: {
		EventGraceEnded:   StatusExecuting,
		EventPlanOutdated: StatusInReview,
		EventDenied:       StatusDenied,
		EventWithdrawn:    StatusWithdrawn, // "Stop the deletion"
	},
	StatusExecuting: {
		// The data are no longer what the approved plan saw, before the first destructive step or between two.
		EventPlanOutdated: StatusInReview,
		EventFulfilled:    StatusFulfilled,
	},
}

// Next gives the status that an event leads to. A pair that is not in the table is a Conflict that lists what is
// possible now.
func Next(from Status, e Event) (Status, error) {
	if to, ok := lifecycle[from][e]; ok {
		return to, nil
	}
	err := fault.New(fault.Conflict, "not_possible_now", "A request that is %s can't be %s.", from, e.words())
	for _, a := range Possible(from) {
		err.Allowed = append(err.Allowed, string(a))
	}
	return "", err
}

// Possible lists the events that a status admits, sorted.
func Possible(from Status) []Event {
	var out []Event
	for e := range lifecycle[from] {
		out = append(out, e)
	}
	slices.Sort(out)
	return out
}

func (e Event) words() string {
	switch e {
	case EventProofAsked:
		return "asked for proof"
	case EventGraceEnded:
		return "moved on by the end of a grace period"
	case EventPlanOutdated:
		return "planned anew"
	case EventVerified, EventExpired, EventApproved, EventScheduled, EventFulfilled, EventDenied, EventWithdrawn:
		return string(e)
	}
	return string(e)
}
