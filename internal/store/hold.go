package store

import (
	"time"

	"github.com/habeas-data/habeas/internal/auditlog"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
)

// Hold is a legal hold on a request: nothing is erased while one stands.
type Hold struct {
	ID         string // UUIDv7; made by PlaceHold when empty
	Request    dsr.RequestID
	Reason     string // sealed
	By         auditlog.Actor
	PlacedAt   time.Time // set to Tx.Now
	Until      time.Time // when it is to be looked at again; it does not end by itself
	ReleasedAt time.Time
}

type holdRow struct {
	Tenant    string
	ID        string
	Request   string
	Reason    []byte
	ActorKind string
	ActorHash string
	Placed    stamp `gorm:"column:placed_at"`
	UntilAt   stamp
	Released  stamp `gorm:"column:released_at"`
}

// PlaceHold places a hold and sets the request's on_hold: a dsr.Request read before is stale afterwards.
func (tx *Tx) PlaceHold(h Hold, act Act) (id string, err error) {
	key, err := tx.requestKey(h.Request)
	if err != nil {
		return "", err
	}
	row := holdRow{
		Tenant: string(tx.Tenant), ID: newID(h.ID), Request: string(h.Request),
		ActorKind: h.By.Kind, ActorHash: h.By.Hash, Placed: at(tx.Now), UntilAt: at(h.Until),
	}
	if row.Reason, err = sealed(key, tx.place("hold", row.ID, "reason"), h.Reason); err != nil {
		return "", err
	}
	// The request first: whoever decides whether a hold stands has its row locked.
	if err := tx.setOnHold(h.Request, true); err != nil {
		return "", err
	}
	if err := tx.insert("hold", &row); err != nil {
		return "", err
	}
	return row.ID, tx.Audit(act, auditlog.Object{Kind: "request", ID: string(h.Request)})
}

// ReleaseHold ends a hold, and on_hold with the last one. One that was released already is a fault.Conflict.
func (tx *Tx) ReleaseHold(id string, act Act) error {
	row, err := take[holdRow](tx.in("hold").Where("id = ?", id), notFound("unknown_hold", "There is no such hold."))
	if err != nil {
		return err
	}
	request := dsr.RequestID(row.Request)
	if _, err := tx.Request(request); err != nil { // locks
		return err
	}
	if err := tx.exactlyOne(fault.New(fault.Conflict, "released_already", "That hold was released already."),
		`UPDATE hold SET released_at = ? WHERE tenant = ? AND id = ? AND released_at IS NULL`, at(tx.Now), string(tx.Tenant), id); err != nil {
		return err
	}
	var standing int64
	if err := tx.in("hold").Where("request = ? AND released_at IS NULL", row.Request).Count(&standing).Error; err != nil {
		return err
	}
	if standing == 0 {
		if err := tx.setOnHold(request, false); err != nil {
			return err
		}
	}
	return tx.Audit(act, auditlog.Object{Kind: "request", ID: row.Request})
}

func (tx *Tx) setOnHold(id dsr.RequestID, hold bool) error {
	now, err := tx.Request(id)
	if err != nil {
		return err
	}
	return tx.exactlyOne(errNoRequest(), `UPDATE request SET on_hold = ?, updated_at = ? WHERE tenant = ? AND id = ?`,
		hold, at(later(tx.Now, now.UpdatedAt)), string(tx.Tenant), string(id))
}

// Holds gives all holds of a request, those that were released too, oldest first.
func (tx *Tx) Holds(id dsr.RequestID) ([]Hold, error) {
	rows, err := all[holdRow](tx.in("hold").Where("request = ?", string(id)).Order("placed_at, id"))
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	key, err := tx.requestKey(id)
	if err != nil {
		return nil, err
	}
	out := make([]Hold, len(rows))
	for i, r := range rows {
		out[i] = Hold{
			ID: r.ID, Request: id, By: auditlog.Actor{Kind: r.ActorKind, Hash: r.ActorHash},
			PlacedAt: r.Placed.Time, Until: r.UntilAt.Time, ReleasedAt: r.Released.Time,
		}
		if err := open(key, tx.place("hold", r.ID, "reason"), r.Reason, &out[i].Reason); err != nil {
			return nil, err
		}
	}
	return out, nil
}
