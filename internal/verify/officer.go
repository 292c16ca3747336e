package verify

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/auditlog"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/seal"
	"github.com/habeas-data/habeas/internal/store"
)

// A console token is `<tenant>.<128 random bits>`: the tenant is needed to find the hash, and tells nothing.
const consoleSeparator = "."

// signedIn is what an officer's session token carries, sealed.
type signedIn struct {
	Roles []access.Role `json:"roles"`
	At    time.Time     `json:"at"`
}

// Invite makes a one-time sign-in link's token for an officer of a tenant; `serve` prints it at its first start.
func (s *Service) Invite(ctx context.Context, id dsr.TenantID, subject string, roles []access.Role) (string, error) {
	secret := seal.Token()
	data, err := json.Marshal(signedIn{Roles: roles})
	if err != nil {
		return "", fmt.Errorf("writing the invitation: %w", err)
	}
	err = s.store.InTx(ctx, id, func(tx *store.Tx) error {
		if err := tx.PutToken(store.Token{Purpose: PurposeSignIn, Subject: subject, Hash: seal.TokenHash(secret), ExpiresAt: tx.Now.Add(signInFor), Data: data}); err != nil {
			return err
		}
		return tx.Audit(store.Act{By: auditlog.Actor{Kind: string(access.KindSystem)}, Action: "officer.invite"}, auditlog.Object{Kind: "officer", ID: ""})
	})
	return string(id) + consoleSeparator + secret, err
}

// PeekSignIn tells whether an officer's one-time sign-in link is still good, without using it.
func (s *Service) PeekSignIn(ctx context.Context, token string) error {
	id, secret, err := splitConsole(token)
	if err != nil {
		return err
	}
	return usable(s.store.Read(ctx, id, func(tx *store.Tx) error {
		_, err := tx.TokenByHash(PurposeSignIn, seal.TokenHash(secret))
		return usable(err)
	}))
}

// SignIn uses an officer's one-time sign-in link and begins a session.
func (s *Service) SignIn(ctx context.Context, token string) (OfficerSession, error) {
	id, secret, err := splitConsole(token)
	if err != nil {
		return OfficerSession{}, err
	}
	session := seal.Token()
	var out OfficerSession
	err = s.store.InTx(ctx, id, func(tx *store.Tx) error {
		t, err := tx.RedeemToken(PurposeSignIn, seal.TokenHash(secret))
		if err != nil {
			return usable(err)
		}
		var in signedIn
		if err := json.Unmarshal(t.Data, &in); err != nil {
			return fmt.Errorf("reading an invitation: %w", err)
		}
		in.At = tx.Now
		data, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("writing a session: %w", err)
		}
		out = OfficerSession{Token: string(id) + consoleSeparator + session, ExpiresAt: tx.Now.Add(officerFor)}
		put := store.Token{Purpose: PurposeOfficerSession, Subject: t.Subject, Hash: seal.TokenHash(session), ExpiresAt: out.ExpiresAt, Data: data}
		if err := tx.PutToken(put); err != nil {
			return err
		}
		by := tx.Actor(access.Principal{Kind: access.KindOfficer, Tenant: string(id), Subject: t.Subject})
		return tx.Audit(store.Act{By: by, Action: "officer.sign_in", Facts: map[string]string{"method": "link"}}, auditlog.Object{Kind: "session", ID: ""})
	})
	return out, usable(err) // nor does a link tell which tenants there are
}

// Officer gives the principal of a console session.
func (s *Service) Officer(ctx context.Context, sessionToken string) (access.Principal, error) {
	refuse := fault.New(fault.Unauthorized, "no_session", "Please sign in.")
	id, secret, err := splitConsole(sessionToken)
	if err != nil {
		return access.Principal{}, refuse
	}
	var p access.Principal
	err = s.store.Read(ctx, id, func(tx *store.Tx) error {
		t, err := tx.TokenByHash(PurposeOfficerSession, seal.TokenHash(secret))
		if err != nil {
			if fault.Is(usable(err), fault.Gone) {
				return refuse
			}
			return err
		}
		var in signedIn
		if err := json.Unmarshal(t.Data, &in); err != nil {
			return fmt.Errorf("reading a session: %w", err)
		}
		p = access.Principal{Kind: access.KindOfficer, Tenant: string(id), Subject: t.Subject, Roles: in.Roles,
			FreshUntil: in.At.Add(freshFor), Via: access.ViaSession}
		return nil
	})
	if fault.Is(err, fault.NotFound) { // no such tenant
		err = refuse
	}
	return p, err
}

// SignOut ends a console session.
func (s *Service) SignOut(ctx context.Context, sessionToken string) error {
	id, secret, err := splitConsole(sessionToken)
	if err != nil {
		return nil //nolint:nilerr // no session to end
	}
	return s.store.InTx(ctx, id, func(tx *store.Tx) error {
		_, err := tx.RedeemToken(PurposeOfficerSession, seal.TokenHash(secret))
		if fault.Is(usable(err), fault.Gone) {
			return nil
		}
		return err
	})
}

func splitConsole(token string) (dsr.TenantID, string, error) {
	for i := range token {
		if token[i] == consoleSeparator[0] && len(token) <= maxTokenLength {
			id, err := dsr.ParseTenant(token[:i])
			if err != nil {
				return "", "", gone()
			}
			return id, token[i+1:], nil
		}
	}
	return "", "", gone()
}
