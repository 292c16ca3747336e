package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/habeas-data/habeas/internal/store"
)

type migrateCmd struct {
	Up     migrateUpCmd     `cmd:"" help:"Bring the schema up to date; on PostgreSQL also make the restricted role and print its URL."`
	Status migrateStatusCmd `cmd:"" help:"How far the schema is."`
}

// Help shows an example.
func (migrateCmd) Help() string {
	return example("habeas migrate up --database-url postgres://owner@db.example.com/habeas?sslmode=verify-full", "habeas migrate status")
}

type migrateUpCmd struct {
	settings `embed:""`
	JSON     bool `help:"Print one JSON object."`
}

// Help shows an example.
func (migrateUpCmd) Help() string {
	return "On PostgreSQL give the URL of the role that owns the database. It can be repeated: what is there stays.\n\n" +
		example("habeas migrate up --database-url postgres://owner@db.example.com/habeas?sslmode=verify-full")
}

// Run migrates.
func (c *migrateUpCmd) Run(ctx context.Context, p *program) error {
	conf, err := p.load(c.settings)
	if err != nil {
		return err
	}
	res, err := store.Migrate(ctx, store.MigrateOptions{URL: conf.DatabaseURL, DataDir: conf.DataDir})
	if err != nil {
		return err
	}
	if c.JSON {
		return p.json(map[string]any{"database_url": res.AppURL, "from": res.From, "to": res.To, "applied": append([]string{}, res.Applied...)})
	}
	if len(res.Applied) == 0 {
		_, _ = fmt.Fprintf(p.stdout, "the schema is up to date: version %d\n", res.To)
	} else {
		_, _ = fmt.Fprintf(p.stdout, "the schema went from version %d to %d: %s\n", res.From, res.To, strings.Join(res.Applied, ", "))
	}
	if res.AppURL != "" {
		_, _ = fmt.Fprintf(p.stdout, "for serve and worker:\nHABEAS_DATABASE_URL=%s\n", res.AppURL)
	}
	return nil
}

type migrateStatusCmd struct {
	settings `embed:""`
	JSON     bool `help:"Print one JSON object."`
}

// Help shows an example.
func (migrateStatusCmd) Help() string { return example("habeas migrate status --json") }

type migrationLine struct {
	Version   int64   `json:"version"`
	Name      string  `json:"name"`
	AppliedAt *string `json:"applied_at"` // null: not yet
}

// Run prints each migration and when it was applied. It changes nothing.
func (c *migrateStatusCmd) Run(ctx context.Context, p *program) error {
	conf, err := p.load(c.settings)
	if err != nil {
		return err
	}
	s, err := store.Status(ctx, store.MigrateOptions{URL: conf.DatabaseURL, DataDir: conf.DataDir})
	if err != nil {
		return err
	}
	lines := []migrationLine{}
	for _, step := range s.Steps {
		l := migrationLine{Version: step.Version, Name: step.Name}
		if !step.AppliedAt.IsZero() {
			l.AppliedAt = new(rfc3339(step.AppliedAt))
		}
		lines = append(lines, l)
	}
	if c.JSON {
		return p.json(map[string]any{"version": s.Version, "wanted": s.Wanted, "up_to_date": s.Version >= s.Wanted, "steps": lines})
	}
	for _, l := range lines {
		at := "not applied"
		if l.AppliedAt != nil {
			at = *l.AppliedAt
		}
		_, _ = fmt.Fprintf(p.stdout, "%-30s %s\n", l.Name, at)
	}
	if s.Version < s.Wanted {
		_, _ = fmt.Fprintf(p.stdout, "the schema has version %d and the program needs %d; run `habeas migrate up`\n", s.Version, s.Wanted)
	}
	return nil
}
