package tenant

import (
	"time"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/policy"
	"github.com/habeas-data/habeas/internal/statute"
)

// Clock asks the statute for the dates of a right, in the controller's zone and establishment. A right that the
// jurisdiction does not know under that name is asked by its nearest: the request is answered all the same, and in
// the time that the law gives for the like of it.
func Clock(book *statute.Book, p *policy.Policy, jurisdiction string, right dsr.Right, received time.Time, events []statute.Event) (statute.Clock, error) {
	q := statute.Question{Jurisdiction: jurisdiction, Received: statute.DateOf(received.In(Zone(p))), Establishment: p.Controller.Establishment, Events: events}
	var first error
	for _, name := range nearest(right) {
		q.Right = string(name)
		c, err := book.Clock(q)
		if err == nil {
			return c, nil
		}
		if first == nil {
			first = err
		}
	}
	return statute.Clock{}, first
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
