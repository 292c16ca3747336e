package tenant

import (
	"slices"
	"time"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/policy"
	"github.com/habeas-data/habeas/internal/statute"
)

// Clock asks the statute for the dates of a right, in the controller's zone and establishment. A right that the
// jurisdiction does not know under that name is asked by its nearest: the request is answered all the same, and in
// the time that the law gives for the like of it. So is a request under a law that is not in force yet: by the other
// laws of the policy, in their order. Where a law fixes no day ("without undue delay") the day is that of the like of
// it, and the explanation says so. What the law itself refuses, such as a late extension, stays refused.
func Clock(book *statute.Book, p *policy.Policy, jurisdiction string, right dsr.Right, received time.Time, events []statute.Event) (statute.Clock, error) {
	q := statute.Question{Jurisdiction: jurisdiction, Received: statute.DateOf(received.In(Zone(p))), Establishment: p.Controller.Establishment, Events: events}
	c, first := nearestClock(book, q, right)
	if !refused(first, "jurisdiction_not_in_force") {
		return c, first
	}
	for _, q.Jurisdiction = range p.Jurisdictions {
		if c, err := nearestClock(book, q, right); !refused(err, "jurisdiction_not_in_force") {
			return c, err
		}
	}
	return statute.Clock{}, first
}

// nearestClock takes the first of the nearest rights that the law gives, and for its day the first that has one.
func nearestClock(book *statute.Book, q statute.Question, right dsr.Right) (statute.Clock, error) {
	names := nearest(right)
	var answer statute.Clock
	var err error
	for len(names) > 0 {
		q.Right, names = string(names[0]), names[1:]
		if answer, err = book.Clock(q); !refused(err, "right_not_available") {
			break
		}
	}
	if err != nil || !answer.DueOn.IsZero() {
		return answer, err
	}
	q.Events = slices.DeleteFunc(slices.Clone(q.Events), func(e statute.Event) bool { return e.Name == statute.EventAppeal })
	for _, name := range names {
		q.Right = string(name)
		if c, err := book.Clock(q); err == nil && !c.DueOn.IsZero() {
			answer.DueOn, answer.DueOnConservative = c.DueOn, c.DueOnConservative
			answer.Steps = append(answer.Steps, statute.Step{Jurisdiction: q.Jurisdiction, Date: "due_on", On: c.DueOn,
				Text: "So that the request has a day all the same, it is held to that of the right " + q.Right + ": " + c.DueOn.String() + "."})
			break
		}
	}
	return answer, nil
}

func refused(err error, code string) bool {
	e, ok := fault.As(err)
	return ok && e.Code == code
}

// Zone is where the controller's days begin and end.
func Zone(p *policy.Policy) *time.Location {
	if loc, err := time.LoadLocation(p.Controller.Zone); err == nil {
		return loc
	}
	return time.UTC
}

// nearest lists a right and those whose time limit stands in for its own, the nearest first. The tail is what every
// law in the book knows at least one of: a request never stands without a date.
func nearest(r dsr.Right) []dsr.Right {
	out := []dsr.Right{r}
	switch r {
	case dsr.RightAccess, dsr.RightPortability:
		out = append(out, dsr.RightKnowSpecific)
	case dsr.RightOptOut, dsr.RightLimitSensitive, dsr.RightWithdrawConsent, dsr.RightObjection, dsr.RightRestriction:
		out = append(out, dsr.RightObjection, dsr.RightOptOut)
	case dsr.RightKnowSpecific, dsr.RightKnowCategories, dsr.RightThirdPartyList, dsr.RightErasure, dsr.RightRectification,
		dsr.RightAutomatedDecisionReview, dsr.RightAppeal, dsr.RightComplaint:
	}
	return append(out, dsr.RightAccess, dsr.RightKnowSpecific, dsr.RightErasure, dsr.RightRectification)
}
