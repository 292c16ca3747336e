package main

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/habeas-data/habeas/internal/statute"
)

func main() { os.Exit(run()) }

// run gives the exit code. The first SIGINT or SIGTERM lets what runs come to its end, the second ends it.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)

	p := &program{stdout: os.Stdout, stderr: os.Stderr, environ: os.Environ()}
	parser, err := kong.New(newCommands(),
		kong.Name("habeas"),
		kong.Description("Answers people who ask for their data, or to be erased."),
		kong.Vars{"events": strings.Join(statute.EventNames(), ", ")},
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, WrapUpperBound: 100}),
		kong.Bind(p), kong.BindTo(ctx, (*context.Context)(nil)))
	if err != nil {
		return p.fail(err)
	}
	command, err := parser.Parse(os.Args[1:])
	if err != nil {
		return p.fail(err)
	}
	return p.fail(command.Run())
}

// commands are all commands of the program.
type commands struct {
	Demo    demoCmd    `cmd:"" help:"Show an access request and an erasure on a sample shop, then stay up."`
	Serve   serveCmd   `cmd:"" help:"Serve the API and the pages, and do the work."`
	Worker  workerCmd  `cmd:"" help:"Do the work only; any number of them."`
	Migrate migrateCmd `cmd:"" help:"Schema migrations: up, status."`
	Tenant  tenantCmd  `cmd:"" help:"Tenants and their files: apply, list."`
	Policy  policyCmd  `cmd:"" help:"Look at a policy.yaml: check, explain."`
	Map     mapCmd     `cmd:"" help:"Look at a data map: infer, check, explain."`
	Clock   clockCmd   `cmd:"" help:"The legal dates of a request, and the reason for each."`
	Plan    planCmd    `cmd:"" help:"What would be done for a request, without doing it."`
	Audit   auditCmd   `cmd:"" help:"A tenant's audit log: verify, prove, export."`
	Token   tokenCmd   `cmd:"" help:"Mint a token with the local signing key."`
	Version versionCmd `cmd:"" help:"The version of this program."`
}

func newCommands() *commands {
	c := &commands{}
	all := []string(nil)
	c.Serve.settings, c.Worker.settings = newSettings(all), newSettings(all)
	c.Tenant.Apply.settings, c.Tenant.List.settings = newSettings(storeSettings()), newSettings(storeSettings())
	c.Map.Check.settings, c.Map.Explain.settings = newSettings(storeSettings()), newSettings(storeSettings())
	c.Audit.Verify.settings, c.Audit.Prove.settings, c.Audit.Export.settings = newSettings(storeSettings()), newSettings(storeSettings()), newSettings(storeSettings())
	c.Plan.settings = newSettings(storeSettings())
	c.Token.settings = newSettings(tokenSettings())
	c.Migrate.Up.settings, c.Migrate.Status.settings = newSettings(migrateSettings()), newSettings(migrateSettings())
	return c
}

// program is what a command talks to.
type program struct {
	stdout, stderr io.Writer
	environ        []string
}

// json prints the answer as one JSON value.
func (p *program) json(v any) error {
	enc := json.NewEncoder(p.stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
