package statute

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

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
	until    Date   // the day that the notice names; zero: none
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
	for i := range events {
		if events[i].Name == legacyFeePaid {
			events[i].Name = EventFeePaid
		}
	}
	// On one day a question comes before its answer, whatever order the caller gave.
	slices.SortStableFunc(events, func(a, b Event) int {
		return cmp.Or(a.On.Compare(b.On), cmp.Compare(eventOrder(a.Name), eventOrder(b.Name)))
	})
	open := map[string]int{}
	for _, e := range events {
		reason, asks := waitReason(e.Name)
		i, isOpen := open[reason]
		switch {
		case eventOrder(e.Name) < 0:
			bad(e, "is not an event; %sevents are %s", meantEvent(e.Name), strings.Join(EventNames(), ", "))
		case e.On.IsZero() || e.On.Before(q.Received):
			bad(e, "needs a day that is not before the day of receipt, %s", q.Received)
		case e.On.Year > lastYear:
			bad(e, "%s lies after the year %d, until which dates are counted", e.On, lastYear)
		case reason != "" && asks && !isOpen:
			open[reason] = len(h.waits)
			h.waits = append(h.waits, wait{reason: reason, asked: e.On})
		case reason != "" && asks: // asked again while the first question is open: the first one counts
		case reason != "" && isOpen:
			h.waits[i].answered = e.On
			delete(open, reason)
		case reason != "" && slices.ContainsFunc(events, func(o Event) bool { r, asks := waitReason(o.Name); return asks && r == reason }):
			bad(e, "of %s is out of order: no question is open then for it to answer", e.On)
		case reason != "":
			h.waits = append(h.waits, wait{reason: reason, asked: e.On, answered: e.On, alone: true})
		default:
			h.single(e, bad)
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

// single takes an event that answers no other one.
func (h *happened) single(e Event, bad func(Event, string, ...any)) {
	switch e.Name {
	case EventExtensionNotice:
		h.notices = append(h.notices, e.On)
	case EventExtensionUntil:
		if !h.until.IsZero() {
			bad(e, "names a second day; an extension reaches one")
		}
		h.until = e.On
	case EventAppeal:
		h.appeals = append(h.appeals, e.On)
	case EventAnswered: // only the first answer meets the date
		if h.answered.IsZero() {
			h.answered = e.On
		}
	}
}

// legacyFeePaid is the name under which requests of earlier versions keep the payment of a fee.
const legacyFeePaid = "fee_received"

func meantEvent(name string) string {
	if near := nearestWord(name, EventNames()); near != "" {
		return "did you mean " + near + "? The "
	}
	return ""
}

// EventNames lists the events that Clock understands.
func EventNames() []string {
	return []string{EventIdentityAsked, EventIdentityReceived, EventClarificationAsked, EventClarificationReceived,
		EventFeeAsked, EventFeePaid, EventExtensionNotice, EventExtensionUntil, EventAnswered, EventAppeal}
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
	case EventFeePaid:
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
