package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/app/demoshop"
	"github.com/habeas-data/habeas/internal/auditlog"
	"github.com/habeas-data/habeas/internal/config"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/statute"
	"github.com/habeas-data/habeas/internal/tenant"
)

// DemoOptions say how the demo runs.
type DemoOptions struct {
	Listen  string // "": 127.0.0.1:8080, or a free port if that is taken
	DataDir string // "": a directory of its own that goes at the end
	Exit    bool   // end after the walk-through
	Out     io.Writer
	Color   bool
	Log     *slog.Logger // nil: nothing is logged
}

// Demo shows the main job from form to deleted rows: it makes a sample shop, starts the whole program over it and walks
// an access request and an erasure through its API, as a person and an officer would. What it shows it has checked: a
// step that did not hold ends it with an error that names the step. Without Exit it then stays up until ctx ends.
func Demo(ctx context.Context, o DemoOptions) (err error) {
	d := &demo{out: &progress{w: o.Out, color: o.Color}, log: o.Log}
	if d.dir = o.DataDir; d.dir == "" {
		if d.dir, err = os.MkdirTemp("", "habeas-demo-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(d.dir)) }()
	}
	listen, moved, err := demoListen(ctx, o.Listen)
	if err != nil {
		return err
	}
	d.out.title("Habeas, shown on a sample shop")
	if moved {
		d.out.note("127.0.0.1:8080 is taken; using %s", listen)
	}
	if err := d.prepare(ctx, listen); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.app.Close(), d.shop.Close()) }()

	serving, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	ready, served := make(chan string, 1), make(chan error, 1)
	go func() {
		err := d.app.Serve(serving, true, func(addr string) { ready <- addr })
		served <- err
		stop(cmp.Or(err, errors.New("the program ended"))) // the walk must not wait for what can't come
	}()
	defer func() {
		stop(nil)
		err = cmp.Or(err, <-served) // the same, where that is what ended the walk
	}()
	select {
	case addr := <-ready:
		d.calls = newCalls("http://"+addr, d.app.Keys, d.app.Now)
		d.out.did("serving", "%s (form, API, console, workers: one process)", d.app.Config.PublicURL)
	case <-serving.Done():
		return context.Cause(serving)
	}
	if err := d.walk(serving); err != nil {
		return unlessStopped(ctx, err)
	}
	if o.Exit {
		return nil
	}
	if err := d.invite(ctx); err != nil {
		return err
	}
	<-serving.Done()
	return unlessStopped(ctx, context.Cause(serving))
}

// unlessStopped leaves out the error that Ctrl-C makes of whatever runs.
func unlessStopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// demo is a demo under way.
type demo struct {
	dir   string
	log   *slog.Logger
	out   *progress
	app   *App
	shop  *shopDB
	calls *calls
}

// prepare makes shop, program and tenant.
func (d *demo) prepare(ctx context.Context, listen string) (err error) {
	if err := os.MkdirAll(d.dir, 0o700); err != nil {
		return fmt.Errorf("making the data dir %s: %w", d.dir, err)
	}
	path := filepath.Join(d.dir, "shop.db")
	if err := demoshop.Generate(ctx, path, statute.DateOf(time.Now().UTC())); errors.Is(err, fs.ErrExist) {
		return fault.New(fault.Conflict, "demo_ran", "HABEAS_DATA_DIR: %s holds a demo that ran before; name an empty directory.", d.dir)
	} else if err != nil {
		return err
	}
	if d.shop, err = openShop(path); err != nil {
		return err
	}
	if d.app, err = openDemo(ctx, d.dir, listen, d.log); err != nil {
		return errors.Join(err, d.shop.Close())
	}
	if err := d.introduce(ctx, path); err != nil {
		return errors.Join(err, d.app.Close(), d.shop.Close())
	}
	return nil
}

func openDemo(ctx context.Context, dir, listen string, log *slog.Logger) (*App, error) {
	c, err := config.Load(nil, map[string]string{"HABEAS_LISTEN": listen, "HABEAS_DATA_DIR": filepath.Join(dir, "habeas")})
	if err != nil {
		return nil, err
	}
	c.Sweep = 200 * time.Millisecond // somebody is watching
	return Open(ctx, c, Options{Log: log, Getenv: func(string) string { return "" }})
}

// introduce puts the shop's policy and data map in force.
func (d *demo) introduce(ctx context.Context, shop string) error {
	counts, err := demoshop.Counts(ctx, d.shop.DB)
	if err != nil {
		return err
	}
	rows := 0
	for _, n := range counts {
		rows += n
	}
	d.out.did("sample shop", "%d tables, %d rows, SQLite (%s)", len(counts), rows, shop)
	files := tenant.Files{PolicyName: "policy.yaml", MapName: "datamap.yaml", Policy: demoshop.PolicyYAML(), Map: demoshop.DataMapYAML(shop)}
	applied, problems, err := d.app.Tenants.Apply(ctx, files, auditlog.Actor{Kind: string(access.KindSystem)})
	if err != nil {
		return err
	}
	if tenant.Wrong(problems) {
		return problemError(problems)
	}
	d.out.did("tenant", "%s: policy.yaml and datamap.yaml applied, version %d", applied.Tenant, applied.Version)
	return nil
}

// demoListen gives the address to listen on, and whether it is another one than people expect.
func demoListen(ctx context.Context, asked string) (listen string, moved bool, err error) {
	try := asked
	if try == "" {
		try = "127.0.0.1:8080"
	}
	host, port, err := net.SplitHostPort(try)
	if ip := net.ParseIP(host); err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		// Its tokens are signed by a key of its own, and its pages show everything.
		return "", false, fault.New(fault.Invalid, "demo_listen", "--listen: the demo serves this machine alone; name an address such as 127.0.0.1:8080, not %q.", asked)
	}
	if asked != "" && port != "0" {
		return asked, false, nil
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", try)
	if err != nil && asked == "" {
		moved = true
		l, err = (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	}
	if err != nil {
		return "", false, fmt.Errorf("looking for a free port: %w", err)
	}
	return l.Addr().String(), moved, l.Close() // links in mails name the port, so it must be known before serving
}

// invite prints where to look.
func (d *demo) invite(ctx context.Context) error {
	link, err := d.app.signInLink(ctx, demoshop.Tenant)
	if err != nil {
		return err
	}
	base := d.app.Config.PublicURL
	d.out.title("Look around; Ctrl-C ends it")
	d.out.line("form", "%s/%s", base, demoshop.Tenant)
	d.out.line("status page", "%s/%s/r/%s", base, demoshop.Tenant, d.calls.lastReference)
	d.out.line("officer console", "%s (once)", link.URL)
	d.out.line("mailbox", "%s/console/mailbox (after signing in): every mail it would have sent", base)
	d.out.line("API", "%s/docs", base)
	d.out.line("files", "%s", d.dir)
	d.out.note("ask as %s or %s", demoshop.Person, demoshop.ErasurePerson)
	return nil
}
