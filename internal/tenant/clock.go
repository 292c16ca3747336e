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

func nearest(r dsr.Right) []dsr.Right {
	switch r {
	case dsr.RightAccess, dsr.RightPortability:
		return []dsr.Right{r, dsr.RightKnowSpecific, dsr.RightAccess}
	case dsr.RightKnowSpecific, dsr.RightKnowCategories, dsr.RightThirdPartyList:
		return []dsr.Right{r, dsr.RightAccess}
	case dsr.RightOptOut, dsr.RightLimitSensitive, dsr.RightWithdrawConsent, dsr.RightObjection, dsr.RightRestriction:
		return []dsr.Right{r, dsr.RightObjection, dsr.RightOptOut}
	case dsr.RightErasure, dsr.RightRectification, dsr.RightAutomatedDecisionReview, dsr.RightAppeal, dsr.RightComplaint:
		return []dsr.Right{r, dsr.RightAccess, dsr.RightErasure}
	}
	return []dsr.Right{r}
}
