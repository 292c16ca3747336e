package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/app"
	"github.com/habeas-data/habeas/internal/statute"
)

type tokenCmd struct {
	settings `embed:""`
	Tenant   string   `required:"" help:"The tenant that it is good for."`
	Role     []string `required:"" help:"officer, approver, auditor, admin, org_admin or product; repeatable, or separated by commas."`
	Subject  string   `help:"Who holds it: the sub of the token." default:"cli"`
	TTL      string   `name:"ttl" help:"How long it is good for: PT1H, P30D, or 90m." default:"PT1H" placeholder:"DURATION"`
	Org      string   `help:"For org_admin: the organization."`
}

// Help shows an example.
func (tokenCmd) Help() string {
	return "For scripts and tests: it prints the token alone, and it counts as a fresh factor. It works where everything is\n" +
		"on loopback; in production tokens come from your identity provider.\n\n" +
		example(`curl -H "Authorization: Bearer $(habeas token --tenant acme --role officer)" localhost:8080/v1/requests`)
}

// Run prints a token.
func (c *tokenCmd) Run(p *program) error {
	roles := make([]access.Role, len(c.Role))
	for i, r := range c.Role {
		roles[i] = access.Role(strings.TrimSpace(r))
		if !slices.Contains(access.Roles(), roles[i]) {
			return misused("--role: %q is none of %s", r, roleWords())
		}
	}
	period, err := parseTTL(c.TTL)
	if err != nil {
		return err
	}
	conf, err := p.load(c.settings)
	if err != nil {
		return err
	}
	token, err := app.Mint(conf, app.Token{Tenant: c.Tenant, Subject: c.Subject, Roles: roles, Org: c.Org, For: period})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.stdout, token)
	return err
}

func roleWords() string {
	words := make([]string, len(access.Roles()))
	for i, r := range access.Roles() {
		words[i] = string(r)
	}
	return strings.Join(words, ", ")
}

// parseTTL reads an ISO 8601 duration or one of Go, down to seconds.
func parseTTL(s string) (statute.Period, error) {
	if p, err := statute.ParsePeriod(s); err == nil && !p.IsZero() {
		return p, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < time.Second {
		return statute.Period{}, misused("--ttl: %q is not a duration such as PT1H, P30D or 90m", s)
	}
	return statute.Period{Seconds: int(d / time.Second)}, nil
}
