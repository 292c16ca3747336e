package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"github.com/habeas-data/habeas/internal/app"
)

type serveCmd struct {
	settings `embed:""`
	Worker   bool `default:"true" help:"Do the work in this process too; --worker=false leaves it to habeas worker."`
}

// Help shows an example.
func (serveCmd) Help() string {
	return "Without settings everything is kept in ./habeas-data and mails in the demo mailbox. With HABEAS_DATABASE_URL\n" +
		"the schema must be up to date (habeas migrate up).\n\n" +
		example("habeas serve --tenants-dir ./tenants", "HABEAS_DATABASE_URL=postgres://… HABEAS_REDIS_URL=rediss://… habeas serve --worker=false")
}

// Run serves until it is told to stop.
func (c *serveCmd) Run(ctx context.Context, p *program) (err error) {
	a, err := p.open(ctx, c.settings, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	logStart(ctx, a)
	if dir := a.Config.TenantsDir; dir != "" {
		if err := a.ApplyDir(ctx, dir); err != nil {
			return err
		}
	}
	links, err := a.SignInLinks(ctx)
	if err != nil {
		return err
	}
	return a.Serve(ctx, c.Worker, func(addr string) {
		_, _ = fmt.Fprintf(p.stdout, "listening on http://%s\n", addr)
		for _, l := range links {
			_, _ = fmt.Fprintf(p.stdout, "sign in to the console of %s (once, within 24 hours): %s\n", l.Tenant, l.URL)
		}
	})
}

type workerCmd struct {
	settings `embed:""`
}

// Help shows an example.
func (workerCmd) Help() string {
	return "Uses the settings of habeas serve, and never listens on HABEAS_LISTEN.\n\n" +
		example("HABEAS_DATABASE_URL=postgres://… HABEAS_REDIS_URL=rediss://… habeas worker")
}

// Run works until it is told to stop.
func (c *workerCmd) Run(ctx context.Context, p *program) (err error) {
	a, err := p.open(ctx, c.settings, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	logStart(ctx, a)
	return a.Work(ctx)
}

func logStart(ctx context.Context, a *app.App) {
	attrs := []any{"version", buildVersion().Version}
	settings := a.Config.Describe()
	for _, k := range slices.Sorted(maps.Keys(settings)) {
		attrs = append(attrs, slog.String(k, settings[k]))
	}
	a.Log.InfoContext(ctx, "starting", attrs...)
}
