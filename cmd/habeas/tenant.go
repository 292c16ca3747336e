package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/auditlog"
	"github.com/habeas-data/habeas/internal/policy"
	"github.com/habeas-data/habeas/internal/store"
	"github.com/habeas-data/habeas/internal/tenant"
)

type tenantCmd struct {
	Apply tenantApplyCmd `cmd:"" help:"Put policy.yaml and datamap.yaml of a directory in force as a new version."`
	List  tenantListCmd  `cmd:"" help:"The tenants and what is in force for each."`
}

// Help shows an example.
func (tenantCmd) Help() string {
	return example("habeas tenant apply ./tenants/acme", "habeas tenant list")
}

type tenantApplyCmd struct {
	settings `embed:""`
	Dir      string `arg:"" type:"existingdir" help:"Directory with policy.yaml and, where there is one, datamap.yaml."`
	JSON     bool   `help:"Print one JSON object."`
}

// Help shows an example.
func (tenantApplyCmd) Help() string {
	return "The files are checked first; with a fault nothing changes. The same files again change nothing. Requests that\n" +
		"are under way keep the version that they were received under.\n\n" + example("habeas tenant apply ./tenants/acme")
}

// Run applies a directory and prints what changes.
func (c *tenantApplyCmd) Run(ctx context.Context, p *program) (err error) {
	files, err := tenant.ReadDir(c.Dir)
	if err != nil {
		return err
	}
	a, err := p.open(ctx, c.settings, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	applied, problems, err := a.Tenants.Apply(ctx, files, auditlog.Actor{Kind: string(access.KindJob)})
	if err != nil {
		return err
	}
	if err := p.problems(problems); err != nil {
		return err
	}
	if applied.Changed {
		if err := a.Oversee.Number(ctx, applied.Tenant); err != nil { // no worker need run for the log to be whole
			return err
		}
	}
	if c.JSON {
		return p.json(map[string]any{"tenant": applied.Tenant, "version": applied.Version, "created": applied.Created,
			"changed": applied.Changed, "changes": append([]policy.Change{}, applied.Changes...)})
	}
	switch {
	case !applied.Changed:
		_, _ = fmt.Fprintf(p.stdout, "%s: nothing changes; version %d stays in force\n", applied.Tenant, applied.Version)
	case applied.Created:
		_, _ = fmt.Fprintf(p.stdout, "%s: new; version %d is in force\n", applied.Tenant, applied.Version)
	default:
		_, _ = fmt.Fprintf(p.stdout, "%s: version %d is in force\n", applied.Tenant, applied.Version)
	}
	for _, ch := range applied.Changes {
		_, _ = fmt.Fprintf(p.stdout, "  %s: %s → %s\n", ch.Path, orNothing(ch.From), orNothing(ch.To))
	}
	return nil
}

func orNothing(s string) string {
	if s == "" {
		return "(nothing)"
	}
	return s
}

// problems prints warnings, and gives an error when there is more than that.
func (p *program) problems(list []tenant.Problem) error {
	var lines []string
	for _, x := range list {
		lines = append(lines, x.String())
	}
	if tenant.Wrong(list) {
		return no(lines...)
	}
	for _, l := range lines {
		_, _ = fmt.Fprintln(p.stderr, l)
	}
	return nil
}

type tenantListCmd struct {
	settings `embed:""`
	JSON     bool `help:"Print one JSON array."`
}

// Help shows an example.
func (tenantListCmd) Help() string { return example("habeas tenant list --json") }

type tenantLine struct {
	Tenant        string `json:"tenant"`
	Version       int64  `json:"version"` // 0: no files were applied yet
	PolicyVersion string `json:"policy_version"`
	DataMap       bool   `json:"datamap"`
	AppliedAt     string `json:"applied_at"`
}

// Run lists the tenants.
func (c *tenantListCmd) Run(ctx context.Context, p *program) (err error) {
	a, err := p.open(ctx, c.settings, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	all, err := a.Store.Tenants(ctx)
	if err != nil {
		return err
	}
	lines := []tenantLine{}
	rows := [][]string{{"TENANT", "VERSION", "POLICY", "DATA MAP", "APPLIED"}}
	for _, id := range all {
		l := tenantLine{Tenant: string(id)}
		err := a.Store.Read(ctx, id, func(tx *store.Tx) error {
			conf, err := tx.CurrentConfig()
			if err != nil {
				return err
			}
			l.Version, l.PolicyVersion, l.DataMap, l.AppliedAt = conf.Version, conf.PolicyVersion, len(conf.DataMap) > 0, rfc3339(conf.AppliedAt)
			return nil
		})
		if err != nil {
			return fmt.Errorf("reading what is in force for %s: %w", id, err)
		}
		lines = append(lines, l)
		has := "no"
		if l.DataMap {
			has = "yes"
		}
		rows = append(rows, []string{l.Tenant, fmt.Sprint(l.Version), l.PolicyVersion, has, l.AppliedAt})
	}
	if c.JSON {
		return p.json(lines)
	}
	return p.table(rows)
}
