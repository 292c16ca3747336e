package store

import (
	"errors"
	"slices"
	"time"

	"github.com/habeas-data/habeas/internal/auditlog"
	"github.com/habeas-data/habeas/internal/dsr"
)

// Suppression is one identifier on one list, known by its keyed hash alone. It outlives the request.
type Suppression struct {
	ID             string // UUIDv7; made by AddSuppression when empty
	List           string
	IdentifierHash string
	Request        dsr.RequestID
	Since          time.Time
	LiftedAt       time.Time
}

type suppressionRow struct {
	Tenant         string
	ID             string
	List           string
	IdentifierHash string
	Request        string
	Since          stamp
	Lifted         stamp `gorm:"column:lifted_at"`
}

// AddSuppression puts an identifier on a list. It is idempotent for a list, hash and request: added is false when it
// stands there; one that was lifted stands again, from now on.
func (tx *Tx) AddSuppression(s Suppression, act Act) (added bool, err error) {
	if s.List == "" || s.IdentifierHash == "" {
		return false, errors.New("storing a suppression: it needs a list and an identifier")
	}
	if s.Since.IsZero() {
		s.Since = tx.Now
	}
	row := suppressionRow{
		Tenant: string(tx.Tenant), ID: newID(s.ID), List: s.List, IdentifierHash: s.IdentifierHash, Request: string(s.Request), Since: at(s.Since),
	}
	added, err = tx.insertOnce("suppression", &row)
	if err != nil {
		return false, err
	}
	if !added {
		again, err := tx.exec(`UPDATE suppression SET since = ?, lifted_at = NULL WHERE tenant = ? AND list = ? AND identifier_hash = ?
			AND request = ? AND lifted_at IS NOT NULL`, row.Since, row.Tenant, row.List, row.IdentifierHash, row.Request)
		if err != nil || again == 0 {
			return false, err
		}
	}
	return true, tx.Audit(act, auditlog.Object{Kind: "request", ID: row.Request})
}

// LiftSuppressions takes off what a request put on lists, and gives how many. The rows stay as history.
func (tx *Tx) LiftSuppressions(request dsr.RequestID, act Act) (n int, err error) {
	if request == "" {
		return 0, errors.New("lifting suppressions: of which request is not said")
	}
	lifted, err := tx.exec(`UPDATE suppression SET lifted_at = ? WHERE tenant = ? AND request = ? AND lifted_at IS NULL`,
		at(tx.Now), string(tx.Tenant), string(request))
	if err != nil || lifted == 0 {
		return 0, err
	}
	return int(lifted), tx.Audit(act, auditlog.Object{Kind: "request", ID: string(request)})
}

// CheckSuppressions gives the standing suppressions of identifiers, by hash; list "" asks for all lists. A hash that
// is on none has no entry.
func (tx *Tx) CheckSuppressions(list string, hashes []string) (map[string][]Suppression, error) {
	out := map[string][]Suppression{}
	for chunk := range slices.Chunk(hashes, 500) {
		q := tx.in("suppression").Where("identifier_hash IN ? AND lifted_at IS NULL", chunk)
		if list != "" {
			q = q.Where("list = ?", list)
		}
		rows, err := all[suppressionRow](q.Order("since, id"))
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			out[r.IdentifierHash] = append(out[r.IdentifierHash], Suppression{
				r.ID, r.List, r.IdentifierHash, dsr.RequestID(r.Request), r.Since.Time, r.Lifted.Time,
			})
		}
	}
	return out, nil
}
