package store

import (
	"context"
	"errors"

	"github.com/habeas-data/habeas/internal/auditlog"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/seal"
)

type tenantRow struct {
	Tenant     string
	WrappedKey []byte
	Signer     []byte
	Vkey       string
	Created    stamp `gorm:"column:created_at"`
}

// CreateTenant makes a tenant with a fresh data key, wrapped by the master key, and a fresh signing key for its
// audit log. A tenant that is there already stays as it is and created is false.
func (s *Store) CreateTenant(ctx context.Context, id dsr.TenantID) (created bool, err error) {
	if _, err := dsr.ParseTenant(string(id)); err != nil {
		return false, err
	}
	key := seal.NewKey()
	defer key.Wipe()
	row := tenantRow{Tenant: string(id)}
	if row.WrappedKey, err = key.Wrap(ctx, s.master, place(id, "tenant", "", "wrapped_key")); err != nil {
		return false, err
	}
	var skey string
	if skey, row.Vkey, err = auditlog.NewSignerKey(auditlog.Origin(string(id))); err != nil {
		return false, err
	}
	if row.Signer, err = sealed(key, place(id, "tenant", "", "signer"), skey); err != nil {
		return false, err
	}
	tx, end, err := s.begin(ctx, id, false)
	if err != nil {
		return false, translate(s.dialect, err)
	}
	defer end()
	row.Created = at(tx.Now)
	if created, err = tx.insertOnce("tenant", &row); err != nil {
		return false, translate(s.dialect, err)
	}
	return created, translate(s.dialect, tx.guard.tx.Commit())
}

// tenantRow reads the tenant's own row; an unknown tenant is a fault.NotFound.
func (s *Store) tenantRow(ctx context.Context, tenant dsr.TenantID) (tenantRow, error) {
	if tenant == "" {
		return tenantRow{}, errors.New("a transaction was begun without a tenant")
	}
	tx, end, err := s.begin(ctx, tenant, true)
	if err != nil {
		return tenantRow{}, translate(s.dialect, err)
	}
	defer end()
	row, err := take[tenantRow](tx.in("tenant"), errNoTenant())
	return row, translate(s.dialect, err)
}

func errNoTenant() error {
	return notFound("unknown_tenant", "There is nobody by that name here.")
}
