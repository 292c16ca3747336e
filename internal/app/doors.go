package app

import (
	"context"
	"net/http"

	"github.com/habeas-data/habeas/internal/httpapi"
)

// Handler gives every door that is reached over HTTP: the API and the pages.
func (a *App) Handler() http.Handler {
	e := httpapi.New(httpapi.Deps{
		Intake: a.Intake, Proofs: a.Verify, Requests: a.Fulfill, Tokens: tokens{a}, Audit: a.Oversee, Webhooks: a.Oversee,
		Idempotency: a.Oversee, Ready: a.ready, Log: a.Log, Now: a.Now, PublicURL: a.Config.PublicURL,
		TrustedProxies: a.Config.TrustedProxies,
	})
	return e
}

// ready tells whether requests can be taken: the database answers. It needs neither a worker nor a product's database.
func (a *App) ready(ctx context.Context) error { return a.Store.Ping(ctx) }
