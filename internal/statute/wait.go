package statute

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/habeas-data/habeas/internal/fault"
)

// Reasons for which something is asked back from the person.
const (
	reasonIdentity      = "identity"
	reasonClarification = "clarification"
	reasonFee           = "fee"
)

// wait is one question to the person and its answer.
type wait struct {
	reason   string
	asked    Date
	answered Date // zero: outstanding
	alone    bool // the answer came without a question on record
}

// happened is the sorted and paired form of a question's events.
type happened struct {
	waits    []wait // by the day asked
	notices  []Date // extension notices
	appeals  []Date
	answered Date // the answer to the request; zero: not yet
}

// readEvents checks the events and pairs questions with answers. Every fault is named at once.
func readEvents(q Question) (happened, error) {
	var h happened
	var wrong []fault.Field
	bad := func(e Event, format string, args ...any) {
		wrong = append(wrong, fault.Field{Name: "events." + e.Name, Message: fmt.Sprintf(format, args...)})
	}
	events := slices.Clone(q.Events)
	// On one day a question comes before its answer, whatever order the caller gave.
	slices.SortStableFunc(events, func(a, b Event) int {
		return cmp.Or(a.On.Compare(b.On), cmp.Compare(eventOrder(a.Name), eventOrder(b.Name)))
	})
	open := map[string]int{}
	for _, e := range events {
		if e.On.IsZero() || e.On.Before(q.Received) {
			bad(e, "needs a day that is not before the day of receipt, %s", q.Received)
			continue
		}
		reason, asks := waitReason(e.Name)
		i, isOpen := open[reason]
		switch {
		case reason != "" && asks && !isOpen:
			open[reason] = len(h.waits)
			h.waits = append(h.waits, wait{reason: reason, asked: e.On})
		case reason != "" && asks: // asked again while the first question is open: the first one counts
		case reason != "" && isOpen:
			h.waits[i].answered = e.On
			delete(open, reason)
		case reason != "":
			h.waits = append(h.waits, wait{reason: reason, asked: e.On, answered: e.On, alone: true})
		case e.Name == EventExtensionNotice:
			h.notices = append(h.notices, e.On)
		case e.Name == EventAppeal:
			h.appeals = append(h.appeals, e.On)
		case e.Name == EventAnswered && h.answered.IsZero():
			h.answered = e.On
		case e.Name == EventAnswered: // only the first answer meets the date
		default:
			bad(e, "is not an event; events are %v", EventNames())
		}
	}
	if len(h.notices) > 1 {
		bad(Event{Name: EventExtensionNotice}, "a period can be extended once only")
	}
	if len(h.appeals) > 1 {
		bad(Event{Name: EventAppeal}, "one appeal can be counted at a time")
	}
	return h, fault.BadInput(wrong)
}

// EventNames lists the events that Clock understands.
func EventNames() []string {
	return []string{EventIdentityAsked, EventIdentityReceived, EventClarificationAsked, EventClarificationReceived,
		EventFeeAsked, EventFeeReceived, EventExtensionNotice, EventAnswered, EventAppeal}
}

func eventOrder(name string) int { return slices.Index(EventNames(), name) }

func waitReason(name string) (reason string, asks bool) {
	switch name {
	case EventIdentityAsked:
		return reasonIdentity, true
	case EventIdentityReceived:
		return reasonIdentity, false
	case EventClarificationAsked:
		return reasonClarification, true
	case EventClarificationReceived:
		return reasonClarification, false
	case EventFeeAsked:
		return reasonFee, true
	case EventFeeReceived:
		return reasonFee, false
	}
	return "", false
}

// pause is a wait whose days do not count.
type pause struct {
	from, to  Date // asked, answered
	inclusive bool // both days are left out, else the day asked is not
	statutory bool
}

// pausedDays counts the days of the union of the pauses that lie on or after start. The strict count leaves out what
// rests on guidance alone and counts statutory pauses one day shorter.
func pausedDays(pauses []pause, start Date, strict bool) int {
	type stretch struct{ from, to Date } // half open
	var all []stretch
	for _, p := range pauses {
		if strict && !p.statutory {
			continue
		}
		s := stretch{p.from, p.to}
		if p.inclusive && !strict {
			s.to = s.to.AddDays(1)
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b stretch) int { return a.from.Compare(b.from) })
	days, end := 0, start
	for _, s := range all {
		if s.from.Before(end) {
			s.from = end
		}
		if s.from.Before(s.to) {
			days += s.from.DaysUntil(s.to)
			end = s.to
		}
	}
	return days
}
