package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/habeas-data/habeas/internal/app"
	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/store"
)

type mapCmd struct {
	Infer   mapInferCmd   `cmd:"" help:"Write a first data map from a live database."`
	Check   mapCheckCmd   `cmd:"" help:"Hold a data map against the live systems."`
	Explain mapExplainCmd `cmd:"" help:"Draw whose rows are whose."`
}

// Help shows an example.
func (mapCmd) Help() string {
	return example("habeas map infer --dsn postgres://localhost/shop --subject customer.email > datamap.yaml",
		"habeas map check datamap.yaml", "habeas map explain datamap.yaml --format mermaid")
}

type mapInferCmd struct {
	DSN     string `required:"" name:"dsn" help:"The database: postgres://…, mysql://… or the path of an SQLite file; $${NAME} is taken from the environment." placeholder:"URL"`
	Subject string `required:"" help:"The column that holds the identifier of a person." placeholder:"TABLE.COLUMN"`
	Tenant  string `help:"Name of the tenant in the map." default:"acme"`
	System  string `help:"Name of the system in the map." default:"app"`
}

// Help shows an example.
func (mapInferCmd) Help() string {
	return "Everything it was unsure of is marked with \"# decide:\". The database is only read.\n\n" +
		example("habeas map infer --dsn postgres://localhost/shop --subject customer.email > datamap.yaml")
}

// Run writes the map to stdout.
func (c *mapInferCmd) Run(ctx context.Context, p *program) error {
	dot := strings.LastIndex(c.Subject, ".")
	if dot <= 0 || dot == len(c.Subject)-1 {
		return misused("--subject: %q is not TABLE.COLUMN, such as customer.email", c.Subject)
	}
	sys := &datamap.System{Name: c.System, Kind: kindOf(os.Expand(c.DSN, os.Getenv)), DSN: c.DSN}
	draft, err := app.Infer(ctx, sys, os.Getenv, c.Subject[:dot], c.Subject[dot+1:], datamap.InferOptions{Tenant: c.Tenant, System: c.System, DSN: c.DSN})
	if err != nil {
		return err
	}
	if _, err := p.stdout.Write(datamap.Write(draft.Map, draft.Notes)); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(p.stderr, "%d points are marked `# decide:`; habeas map check holds the finished map against the database\n", draft.Open())
	return nil
}

func kindOf(dsn string) datamap.Kind {
	switch scheme, _, _ := strings.Cut(dsn, "://"); scheme {
	case "postgres", "postgresql":
		return datamap.KindPostgres
	case "mysql", "mariadb":
		return datamap.KindMySQL
	}
	return datamap.KindSQLite
}

type mapCheckCmd struct {
	settings `embed:""`
	File     string `arg:"" optional:"" type:"existingfile" help:"A datamap.yaml; without it, the one in force for the tenant."`
	Tenant   string `help:"The tenant whose map in force is meant (default: the only one)."`
	JSON     bool   `help:"Print one JSON object."`
}

// Help shows an example.
func (mapCheckCmd) Help() string {
	return "Exit 1 and a line each, if a table or column from which keys lead to a person is not covered, or covered and\n" +
		"gone. Made for the CI of the product: with FILE it needs the databases that the map names, and nothing else.\n\n" +
		example("SHOP_DSN=postgres://localhost/shop habeas map check datamap.yaml", "habeas map check --tenant acme")
}

// Run prints what the map lacks.
func (c *mapCheckCmd) Run(ctx context.Context, p *program) error {
	m, err := p.dataMap(ctx, c.settings, c.File, c.Tenant)
	if err != nil {
		return err
	}
	findings, err := app.Coverage(ctx, m, os.Getenv)
	away, code := unreached(err)
	wrong := datamap.Blocking(findings) || len(away) > 0
	if c.JSON {
		answer := map[string]any{"ok": !wrong, "tenant": m.Tenant, "findings": findings, "open": openPoints(c.File)}
		if len(away) > 0 {
			answer["errors"] = away
		}
		if err := p.json(answer); err != nil {
			return err
		}
		if wrong {
			return &failure{code, nil}
		}
		return nil
	}
	lines := make([]string, len(findings))
	for i, f := range findings {
		lines[i] = f.In(c.File)
	}
	if n := openPoints(c.File); n > 0 {
		lines = append(lines, fmt.Sprintf("%s: warning: %d points still wait for a person; each stands behind \"# decide:\"", c.File, n))
	}
	if wrong {
		return &failure{code, append(lines, away...)}
	}
	for _, l := range lines {
		_, _ = fmt.Fprintln(p.stderr, l)
	}
	looked := []string{}
	for _, s := range m.Systems {
		if s.Kind.SQL() {
			looked = append(looked, s.Name)
		} else {
			_, _ = fmt.Fprintf(p.stderr, "%s: warning: systems of kind %s are not looked at\n", s.Name, s.Kind)
		}
	}
	_, err = fmt.Fprintf(p.stdout, "the map covers %s\n", strings.Join(looked, ", "))
	return err
}

// unreached gives a sentence for each system that could not be looked at, and the exit code.
func unreached(err error) (lines []string, code int) {
	code = exitNo
	if err == nil {
		return nil, code
	}
	each := []error{err}
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		each = all.Unwrap()
	}
	for _, e := range each {
		c, told := describe(e)
		lines, code = append(lines, told...), max(code, c)
	}
	return lines, code
}

// openPoints counts the decisions that an inferred map still asks for.
func openPoints(file string) (n int) {
	src, err := os.ReadFile(file) //nolint:gosec // named by who runs the command; without a file there are none
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(src)) {
		if strings.HasPrefix(strings.TrimSpace(line), "# decide:") {
			n++
		}
	}
	return n
}

// dataMap reads a file, or the map in force for a tenant.
func (p *program) dataMap(ctx context.Context, s settings, file, named string) (_ *datamap.Map, err error) {
	switch {
	case file != "" && named != "":
		return nil, misused("give either a file or --tenant")
	case file != "":
		src, err := os.ReadFile(file) //nolint:gosec // named by who runs the command
		if err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "unreadable_file", "%s can't be read.", file)
		}
		m, problems := datamap.Parse(file, src)
		var lines []string
		for _, x := range problems {
			lines = append(lines, x.String())
		}
		if m == nil || datamap.Wrong(problems) {
			return nil, no(lines...)
		}
		for _, l := range lines {
			_, _ = fmt.Fprintln(p.stderr, l)
		}
		return m, nil
	}
	a, err := p.open(ctx, s, true)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	id, err := tenantOf(ctx, a, named)
	if err != nil {
		return nil, err
	}
	var m *datamap.Map
	err = a.Store.Read(ctx, id, func(tx *store.Tx) error {
		set, err := a.Tenants.Current(tx)
		if err != nil {
			return err
		}
		if !set.HasMap() {
			return no(fmt.Sprintf("habeas: %s has no data map yet; put datamap.yaml beside its policy.yaml and run `habeas tenant apply`", id))
		}
		m = set.Map
		return nil
	})
	return m, err
}

type mapExplainCmd struct {
	settings `embed:""`
	File     string `arg:"" optional:"" type:"existingfile" help:"A datamap.yaml; without it, the one in force for the tenant."`
	Tenant   string `help:"The tenant whose map in force is meant (default: the only one)."`
	Format   string `help:"text, dot (Graphviz) or mermaid." enum:"text,dot,mermaid" default:"text"`
}

// Help shows an example.
func (mapExplainCmd) Help() string {
	return example("habeas map explain datamap.yaml", "habeas map explain --tenant acme --format dot | dot -Tsvg > map.svg")
}

// Run draws the map.
func (c *mapExplainCmd) Run(ctx context.Context, p *program) error {
	m, err := p.dataMap(ctx, c.settings, c.File, c.Tenant)
	if err != nil {
		return err
	}
	return datamap.Explain(m, c.Format, p.stdout)
}
