// Package console is the workplace of privacy officers at /console: the queue, one page a request with everything that
// is needed to decide it, and what is owed on a day, the log and the settings beside it.
//
// It decides nothing: what may be done to a request is told by the use case (OfficerView.Possible) and checked there
// again. A GET changes nothing. Every POST carries the token of the session's forms and must come from this site. The
// approve button carries the digest of the plan that stands on the page: what is approved is what was looked at.
//
//	sign-in link ─► session cookie (/console) ─► queue ─► request ─ POST act ─► 303 back, or the page again with what was wrong
package console
