package store

import (
	"errors"
	"time"

	"github.com/habeas-data/habeas/internal/auditlog"
)

// Source is a system that sends us events.
type Source struct {
	ID        string // UUIDv7; made by PutSource when empty
	Name      string // unique in the tenant
	Secrets   []string
	Disabled  bool
	CreatedAt time.Time
}

type sourceRow struct {
	Tenant   string
	ID       string
	Name     string
	Secrets  []byte
	Disabled bool
	Created  stamp `gorm:"column:created_at"`
}

type inboundRow struct {
	Tenant string
	Source string
	ID     string
	Seen   stamp `gorm:"column:seen_at"`
}

// PutSource stores a source under its name. Of one that is there Secrets nil leaves the secrets as they are.
func (tx *Tx) PutSource(s Source, act Act) (id string, err error) {
	if s.Name == "" {
		return "", errors.New("storing a source: it has no name")
	}
	known, err := all[sourceRow](tx.locked(tx.in("source").Where("name = ?", s.Name)))
	if err != nil {
		return "", err
	}
	if len(known) > 0 {
		s.ID = known[0].ID
	}
	row := sourceRow{Tenant: string(tx.Tenant), ID: newID(s.ID), Name: s.Name, Disabled: s.Disabled, Created: at(tx.Now)}
	if row.Secrets, err = sealed(tx.key, tx.place("source", row.ID, "secrets"), s.Secrets); err != nil {
		return "", err
	}
	columns := []string{"name", "disabled"}
	if s.Secrets != nil {
		columns = append(columns, "secrets")
	}
	if err := tx.upsert("source", &row, []string{"tenant", "id"}, columns); err != nil {
		return "", err
	}
	return row.ID, tx.Audit(act, auditlog.Object{Kind: "source", ID: row.ID})
}

func (tx *Tx) source(r sourceRow) (Source, error) {
	s := Source{ID: r.ID, Name: r.Name, Disabled: r.Disabled, CreatedAt: r.Created.Time}
	err := open(tx.key, tx.place("source", r.ID, "secrets"), r.Secrets, &s.Secrets)
	return s, err
}

// Source gives the source of that name.
func (tx *Tx) Source(name string) (Source, error) {
	row, err := take[sourceRow](tx.in("source").Where("name = ?", name), notFound("unknown_source", "There is no such source."))
	if err != nil {
		return Source{}, err
	}
	return tx.source(row)
}

// ListSources gives all sources by name.
func (tx *Tx) ListSources() ([]Source, error) {
	rows, err := all[sourceRow](tx.in("source").Order("name"))
	if err != nil {
		return nil, err
	}
	out := make([]Source, len(rows))
	for i, r := range rows {
		if out[i], err = tx.source(r); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// SeenInbound remembers the id of an inbound message for ever, and tells whether it is the first with that id. The
// id is kept as a keyed hash: it is the sender's word and might name a person.
func (tx *Tx) SeenInbound(source, id string) (first bool, err error) {
	if source == "" || id == "" {
		return false, errors.New("remembering an inbound message: source and id are needed")
	}
	return tx.insertOnce("inbound", &inboundRow{string(tx.Tenant), source, tx.Hash("inbound", source+"\x00"+id), at(tx.Now)})
}
