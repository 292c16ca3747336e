package store

import (
	"time"

	"github.com/habeas-data/habeas/internal/auditlog"
	"github.com/habeas-data/habeas/internal/dsr"
)

// EventRecord is one line of a request's history. It is never changed.
type EventRecord struct {
	At       time.Time
	Name     string
	From, To dsr.Status // equal where the status did not move
	Actor    auditlog.Actor
	Facts    map[string]string
}

type eventRow struct {
	Tenant     string
	ID         string
	Request    string
	At         stamp
	Name       string
	FromStatus string
	ToStatus   string
	ActorKind  string
	ActorHash  string
	Facts      string
}

// event writes one line at tx.Now.
func (tx *Tx) event(e EventRecord, id dsr.RequestID) error {
	facts, err := toText(e.Facts)
	if err != nil {
		return err
	}
	return tx.insert("request_event", &eventRow{
		Tenant: string(tx.Tenant), ID: dsr.NewID(), Request: string(id), At: at(tx.Now), Name: e.Name,
		FromStatus: string(e.From), ToStatus: string(e.To), ActorKind: e.Actor.Kind, ActorHash: e.Actor.Hash, Facts: facts,
	})
}

// AddEvent writes a line of history that moves no status, and its audit leaf.
func (tx *Tx) AddEvent(id dsr.RequestID, name string, act Act) error {
	req, err := tx.Request(id)
	if err != nil {
		return err
	}
	if err := tx.event(EventRecord{Name: name, From: req.Status, To: req.Status, Actor: act.By, Facts: act.Facts}, id); err != nil {
		return err
	}
	return tx.Audit(act, auditlog.Object{Kind: "request", ID: string(id)})
}

// Events gives the history of a request, oldest first.
func (tx *Tx) Events(id dsr.RequestID) ([]EventRecord, error) {
	rows, err := all[eventRow](tx.in("request_event").Where("request = ?", string(id)).Order("at, id"))
	if err != nil {
		return nil, err
	}
	out := make([]EventRecord, len(rows))
	for i, r := range rows {
		out[i] = EventRecord{
			At: r.At.Time, Name: r.Name, From: dsr.Status(r.FromStatus), To: dsr.Status(r.ToStatus),
			Actor: auditlog.Actor{Kind: r.ActorKind, Hash: r.ActorHash},
		}
		if err := fromText(r.Facts, &out[i].Facts); err != nil {
			return nil, err
		}
	}
	return out, nil
}
