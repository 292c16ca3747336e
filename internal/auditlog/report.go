package auditlog

import "golang.org/x/mod/sumdb/tlog"

// Report is the result of a verification.
type Report struct {
	Tenant   string    `json:"tenant"`
	Size     int64     `json:"size"` // entries read, from 0 on, before the first bad one
	Root     tlog.Hash `json:"root"` // root over these
	FirstBad int64     `json:"first_bad"`
	Problem  string    `json:"problem,omitempty"`
}

// OK tells whether everything held.
func (r Report) OK() bool { return r.Problem == "" }

// noEntry is FirstBad where no entry is at fault.
const noEntry = -1
