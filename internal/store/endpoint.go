package store

import (
	"errors"
	"slices"
	"time"

	"github.com/habeas-data/habeas/internal/auditlog"
)

// Endpoint is an address of the product that gets our events.
type Endpoint struct {
	ID        string // UUIDv7; made by PutEndpoint when empty
	URL       string
	Events    []string // names, or "*"
	Secrets   []string // sealed; newest first; each signs
	Disabled  bool
	CreatedAt time.Time
}

type endpointRow struct {
	Tenant   string
	ID       string
	URL      []byte
	Events   string
	Secrets  []byte
	Disabled bool
	Created  stamp `gorm:"column:created_at"`
}

// PutEndpoint stores an endpoint: a new one when its ID is empty or unknown. Of a known one Secrets nil leaves the
// secrets as they are. The URL is sealed, since it may hold a secret of the product.
func (tx *Tx) PutEndpoint(e Endpoint, act Act) (id string, err error) {
	e.ID = newID(e.ID)
	events, err := toText(e.Events)
	if err != nil {
		return "", err
	}
	row := endpointRow{Tenant: string(tx.Tenant), ID: e.ID, Events: events, Disabled: e.Disabled, Created: at(tx.Now)}
	if row.URL, err = sealed(tx.key, tx.place("endpoint", e.ID, "url"), e.URL); err != nil {
		return "", err
	}
	if row.Secrets, err = sealed(tx.key, tx.place("endpoint", e.ID, "secrets"), e.Secrets); err != nil {
		return "", err
	}
	columns := []string{"url", "events", "disabled"}
	if e.Secrets != nil {
		columns = append(columns, "secrets")
	}
	if err := tx.upsert("endpoint", &row, []string{"tenant", "id"}, columns); err != nil {
		return "", err
	}
	return e.ID, tx.Audit(act, auditlog.Object{Kind: "endpoint", ID: e.ID})
}

func (tx *Tx) endpoint(r endpointRow) (Endpoint, error) {
	e := Endpoint{ID: r.ID, Disabled: r.Disabled, CreatedAt: r.Created.Time}
	return e, errors.Join(
		fromText(r.Events, &e.Events),
		open(tx.key, tx.place("endpoint", r.ID, "url"), r.URL, &e.URL),
		open(tx.key, tx.place("endpoint", r.ID, "secrets"), r.Secrets, &e.Secrets),
	)
}

// Endpoint gives one endpoint.
func (tx *Tx) Endpoint(id string) (Endpoint, error) {
	row, err := take[endpointRow](tx.locked(tx.in("endpoint").Where("id = ?", id)), errNoEndpoint())
	if err != nil {
		return Endpoint{}, err
	}
	return tx.endpoint(row)
}

// ListEndpoints gives all endpoints, oldest first.
func (tx *Tx) ListEndpoints() ([]Endpoint, error) {
	rows, err := all[endpointRow](tx.in("endpoint").Order("created_at, id"))
	if err != nil {
		return nil, err
	}
	out := make([]Endpoint, len(rows))
	for i, r := range rows {
		if out[i], err = tx.endpoint(r); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// DeleteEndpoint deletes an endpoint and its deliveries.
func (tx *Tx) DeleteEndpoint(id string, act Act) error {
	if _, err := tx.exec(`DELETE FROM delivery WHERE tenant = ? AND endpoint = ?`, string(tx.Tenant), id); err != nil {
		return err
	}
	if err := tx.exactlyOne(errNoEndpoint(), `DELETE FROM endpoint WHERE tenant = ? AND id = ?`, string(tx.Tenant), id); err != nil {
		return err
	}
	return tx.Audit(act, auditlog.Object{Kind: "endpoint", ID: id})
}

// RotateEndpointSecret puts a new secret in front and keeps the one before it, so that both sign for a while.
func (tx *Tx) RotateEndpointSecret(id, secret string, act Act) error {
	e, err := tx.Endpoint(id)
	if err != nil {
		return err
	}
	e.Secrets = slices.Insert(e.Secrets, 0, secret)
	if len(e.Secrets) > 2 {
		e.Secrets = e.Secrets[:2]
	}
	_, err = tx.PutEndpoint(e, act)
	return err
}

func errNoEndpoint() error { return notFound("unknown_endpoint", "There is no such endpoint.") }
