package store

import (
	"errors"
	"time"

	"github.com/habeas-data/habeas/internal/auditlog"
)

// Officer is a person of the controller who may sign in.
type Officer struct {
	ID         string // UUIDv7; made by PutOfficer when empty
	Email      string // sealed
	Name       string // sealed
	Subject    string // unique in the tenant
	Roles      []string
	DisabledAt time.Time
	CreatedAt  time.Time
}

type officerRow struct {
	Tenant    string
	ID        string
	Email     []byte
	EmailHash string
	Name      []byte
	Subject   string
	Roles     string
	Disabled  stamp `gorm:"column:disabled_at"`
	Created   stamp `gorm:"column:created_at"`
}

// PutOfficer stores an officer under their subject: a new one, or the whole of one that is there.
func (tx *Tx) PutOfficer(o Officer, act Act) (id string, err error) {
	if o.Subject == "" {
		return "", errors.New("storing an officer: the subject is missing")
	}
	known, err := all[officerRow](tx.locked(tx.in("officer").Where("subject = ?", o.Subject)))
	if err != nil {
		return "", err
	}
	if len(known) > 0 {
		o.ID = known[0].ID
	}
	roles, err := toText(o.Roles)
	if err != nil {
		return "", err
	}
	row := officerRow{
		Tenant: string(tx.Tenant), ID: newID(o.ID), EmailHash: tx.EmailHash(o.Email), Subject: o.Subject,
		Roles: roles, Disabled: at(o.DisabledAt), Created: at(tx.Now),
	}
	if row.Email, err = sealed(tx.key, tx.place("officer", row.ID, "email"), o.Email); err != nil {
		return "", err
	}
	if row.Name, err = sealed(tx.key, tx.place("officer", row.ID, "name"), o.Name); err != nil {
		return "", err
	}
	if err := tx.upsert("officer", &row, []string{"tenant", "id"}, []string{"email", "email_hash", "name", "subject", "roles", "disabled_at"}); err != nil {
		return "", err
	}
	return row.ID, tx.Audit(act, auditlog.Object{Kind: "officer", ID: row.ID})
}

func (tx *Tx) officer(r officerRow) (Officer, error) {
	o := Officer{ID: r.ID, Subject: r.Subject, DisabledAt: r.Disabled.Time, CreatedAt: r.Created.Time}
	err := errors.Join(
		fromText(r.Roles, &o.Roles),
		open(tx.key, tx.place("officer", r.ID, "email"), r.Email, &o.Email),
		open(tx.key, tx.place("officer", r.ID, "name"), r.Name, &o.Name),
	)
	return o, err
}

// Officer gives the officer with that subject, a disabled one too.
func (tx *Tx) Officer(subject string) (Officer, error) {
	row, err := take[officerRow](tx.in("officer").Where("subject = ?", subject), errNoOfficer())
	if err != nil {
		return Officer{}, err
	}
	return tx.officer(row)
}

// OfficerByEmail gives the officer with that address. Two with one address are none: nobody knows whom the link is for.
func (tx *Tx) OfficerByEmail(address string) (Officer, error) {
	rows, err := all[officerRow](tx.in("officer").Where("email_hash = ?", tx.EmailHash(address)).Limit(2))
	if err != nil {
		return Officer{}, err
	}
	if len(rows) != 1 {
		return Officer{}, errNoOfficer()
	}
	return tx.officer(rows[0])
}

// ListOfficers gives all officers by subject.
func (tx *Tx) ListOfficers() ([]Officer, error) {
	rows, err := all[officerRow](tx.in("officer").Order("subject"))
	if err != nil {
		return nil, err
	}
	out := make([]Officer, len(rows))
	for i, r := range rows {
		if out[i], err = tx.officer(r); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func errNoOfficer() error { return notFound("unknown_officer", "There is no such officer.") }
