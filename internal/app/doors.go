package app

import (
	"context"
	"net/http"
	"strings"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/httpapi"
	"github.com/habeas-data/habeas/internal/store"
	"github.com/habeas-data/habeas/internal/web/console"
	"github.com/habeas-data/habeas/internal/web/portal"
)

// Handler gives every door that is reached over HTTP: the API, the person's pages, the console.
func (a *App) Handler() http.Handler {
	limits := httpapi.NewLimiter(a.Now)
	e := httpapi.New(httpapi.Deps{
		Intake: a.Intake, Proofs: a.Verify, Requests: a.Fulfill, Tokens: tokens{a}, Audit: a.Oversee, Webhooks: a.Oversee,
		Idempotency: a.Oversee, Limits: limits, Ready: a.ready, Log: a.Log, Now: a.Now, PublicURL: a.Config.PublicURL,
		TrustedProxies: a.Config.TrustedProxies, Metrics: a.metrics,
	})
	console.Mount(e, console.Deps{
		Sessions: a.Verify, Requests: a.Fulfill, Log: a.Oversee, Mailbox: a.mailbox(), Settings: a.settings,
		Reveal: a.Fulfill.Reveal, Limits: limits, Now: a.Now, PublicURL: a.Config.PublicURL,
	})
	portal.Mount(e, portal.Deps{
		Intake: a.Intake, Proofs: a.Verify, Requests: a.Fulfill, Limits: limits, Now: a.Now, PublicURL: a.Config.PublicURL,
	})
	return e
}

// ready tells whether requests can be taken: the database answers. It needs neither a worker nor a product's database.
func (a *App) ready(ctx context.Context) error { return a.Store.Ping(ctx) }

// mailbox is the page of kept mails: only where mails are kept instead of sent.
func (a *App) mailbox() console.Mailbox {
	if a.Config.SMTPURL != "" {
		return nil
	}
	return a.Oversee
}

// settings tells an officer what is in force: the policy in plain sentences.
func (a *App) settings(ctx context.Context, p access.Principal) (console.Settings, error) {
	var out console.Settings
	err := a.Store.Read(ctx, dsr.TenantID(p.Tenant), func(tx *store.Tx) error {
		set, err := a.Tenants.Current(tx)
		if err != nil {
			return err
		}
		c, err := tx.CurrentConfig()
		if err != nil {
			return err
		}
		var text strings.Builder
		set.Policy.Explain(&text)
		out = console.Settings{PolicyVersion: set.Policy.VersionText, AppliedAt: c.AppliedAt, Text: text.String()}
		return nil
	})
	return out, err
}
