package app

import (
	"context"
	"fmt"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/store"
)

// SignInLink opens the console of a tenant: once, within 24 hours.
type SignInLink struct {
	Tenant dsr.TenantID
	URL    string
}

// SignInLinks makes a one-time link to the console for each tenant that needs one: in the embedded mode all, since
// whoever starts the program owns the machine; on PostgreSQL those into whose console nobody has ever signed in, so
// that a restart does not leave keys to the house in the log.
func (a *App) SignInLinks(ctx context.Context) ([]SignInLink, error) {
	tenants, err := a.Store.Tenants(ctx)
	if err != nil {
		return nil, err
	}
	var out []SignInLink
	for _, id := range tenants {
		if !a.Config.Embedded() {
			used, err := a.signedInBefore(ctx, id)
			if err != nil {
				return nil, err
			}
			if used {
				continue
			}
		}
		link, err := a.signInLink(ctx, id)
		if err != nil {
			return nil, err
		}
		out = append(out, link)
	}
	return out, nil
}

func (a *App) signInLink(ctx context.Context, id dsr.TenantID) (SignInLink, error) {
	roles := []access.Role{access.RoleOfficer, access.RoleApprover, access.RoleAuditor, access.RoleAdmin}
	token, err := a.Verify.Invite(ctx, id, "first-officer", roles)
	if err != nil {
		return SignInLink{}, fmt.Errorf("making a sign-in link for %s: %w", id, err)
	}
	return SignInLink{Tenant: id, URL: a.Config.PublicURL + "/console/sign-in?token=" + token}, nil
}

func (a *App) signedInBefore(ctx context.Context, id dsr.TenantID) (used bool, err error) {
	err = a.Store.Read(ctx, id, func(tx *store.Tx) error {
		found, _, err := tx.AuditEntries(store.AuditFilter{Action: "officer.sign_in", Limit: 1})
		used = len(found) > 0
		return err
	})
	return used, err
}
