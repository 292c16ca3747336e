package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/auditlog"
	"github.com/habeas-data/habeas/internal/blob"
	"github.com/habeas-data/habeas/internal/config"
	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/connector/sqldb"
	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fulfill"
	"github.com/habeas-data/habeas/internal/httpapi"
	"github.com/habeas-data/habeas/internal/intake"
	"github.com/habeas-data/habeas/internal/jobs"
	"github.com/habeas-data/habeas/internal/mail"
	"github.com/habeas-data/habeas/internal/notify"
	"github.com/habeas-data/habeas/internal/oversee"
	"github.com/habeas-data/habeas/internal/seal"
	"github.com/habeas-data/habeas/internal/statute"
	"github.com/habeas-data/habeas/internal/store"
	"github.com/habeas-data/habeas/internal/tenant"
	"github.com/habeas-data/habeas/internal/verify"
	"github.com/habeas-data/habeas/internal/webhook"
)

// App is the whole program, wired.
type App struct {
	Config  *config.Config
	Log     *slog.Logger
	Now     func() time.Time
	Store   *store.Store
	Book    *statute.Book
	Keys    *access.Keys
	Tenants *tenant.Registry
	Systems *connector.Pool
	Intake  *intake.Service
	Verify  *verify.Service
	Fulfill *fulfill.Service
	Oversee *oversee.Service

	post    *notify.Post
	hooks   *webhook.Sender
	metrics *httpapi.Metrics
}

// Options say how to open the program beside its settings.
type Options struct {
	Shared bool // for commands that read beside a running `serve` on the same data dir
	Log    *slog.Logger
	Now    func() time.Time // nil: the clock
	Getenv func(string) string
}

// Open wires the program. In the embedded mode it applies migrations first (unless it is opened beside the writer); on
// PostgreSQL an old schema stops it with the command to run.
func Open(ctx context.Context, c *config.Config, o Options) (_ *App, err error) {
	a := &App{Config: c, Log: o.Log, Now: o.Now}
	if a.Now == nil {
		a.Now = time.Now
	}
	if a.Log == nil {
		a.Log = slog.New(slog.DiscardHandler)
	}
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("making the data dir %s: %w", c.DataDir, err)
	}
	master, err := openMaster(c)
	if err != nil {
		return nil, err
	}
	if c.Embedded() && !o.Shared {
		if _, err := store.Migrate(ctx, store.MigrateOptions{DataDir: c.DataDir}); err != nil {
			return nil, fmt.Errorf("applying migrations: %w", err)
		}
	}
	if a.Store, err = store.Open(ctx, store.Options{URL: c.DatabaseURL, DataDir: c.DataDir, Master: master, Now: a.Now, Shared: o.Shared}); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Store.Close())
		}
	}()
	if a.Book, err = statute.Load(); err != nil {
		return nil, fmt.Errorf("reading the statutes: %w", err)
	}
	if a.Keys, err = access.OpenKeys(c.JWTKeys, c.JWTIssuer, c.DataDir, c.Loopback()); err != nil {
		return nil, err
	}
	return a, a.wire(c, o.Getenv)
}

// wire makes the parts and hands each what it needs.
func (a *App) wire(c *config.Config, getenv func(string) string) error {
	blobs, err := blob.Open(c.BlobURL)
	if err != nil {
		return fmt.Errorf("opening HABEAS_BLOB_URL: %w", err)
	}
	var sender mail.Sender
	if c.SMTPURL != "" {
		if sender, err = mail.Open(c.SMTPURL); err != nil {
			return fmt.Errorf("opening HABEAS_SMTP_URL: %w", err)
		}
	}
	outbox, err := notify.NewOutbox(c.PublicURL, a.Book)
	if err != nil {
		return fmt.Errorf("reading HABEAS_PUBLIC_URL: %w", err)
	}
	events := webhook.NewEvents()
	a.Tenants = tenant.New(a.Store, a.Book)
	a.Systems = connector.NewPool(connector.Registry{
		datamap.KindPostgres: sqldb.Opener,
		datamap.KindMySQL:    sqldb.Opener,
		datamap.KindSQLite:   sqldb.Opener,
	}, getenv)
	a.Verify = verify.New(verify.Deps{Store: a.Store, Tenants: a.Tenants, Systems: a.Systems, Outbox: outbox, Events: events})
	a.Fulfill = fulfill.New(fulfill.Deps{Store: a.Store, Tenants: a.Tenants, Book: a.Book, Systems: a.Systems, Blobs: blobs,
		Outbox: outbox, Events: events, Asker: a.Verify, Log: a.Log, Now: a.Now})
	a.Intake = intake.New(intake.Deps{Store: a.Store, Tenants: a.Tenants, Book: a.Book, Events: events, CallBack: a.Fulfill})
	a.Oversee = oversee.New(a.Store, c.WebhookAllowPrivate)
	a.post = notify.NewPost(notify.PostDeps{Store: a.Store, Tenants: a.Tenants, Sender: sender, From: c.MailFrom, Now: a.Now})
	a.metrics = httpapi.NewMetrics(nil)
	a.hooks = webhook.NewSender(a.Store, webhook.NewClient(c.WebhookAllowPrivate, 15*time.Second), a.Now)
	return nil
}

func openMaster(c *config.Config) (seal.Master, error) {
	path := filepath.Join(c.DataDir, "master.key")
	if c.KMSURL != "" {
		u, err := url.Parse(c.KMSURL)
		if err != nil {
			return nil, fmt.Errorf("reading HABEAS_KMS_URL: %w", err)
		}
		path = u.Host + u.Path
	}
	return seal.OpenKeyFile(path)
}

// ApplyDir applies every tenant of HABEAS_TENANTS_DIR. A tenant with faults stops the start: its problems are in the
// error, one a line.
func (a *App) ApplyDir(ctx context.Context, dir string) error {
	folders, err := tenant.Folders(dir)
	if err != nil {
		return err
	}
	for _, folder := range folders {
		files, err := tenant.ReadDir(folder)
		if err != nil {
			return err
		}
		applied, problems, err := a.Tenants.Apply(ctx, files, auditlog.Actor{Kind: string(access.KindSystem)})
		if err != nil {
			return err
		}
		if tenant.Wrong(problems) {
			return problemError(problems)
		}
		if applied.Changed {
			a.Log.InfoContext(ctx, "tenant applied", "tenant", applied.Tenant, "version", applied.Version)
		}
	}
	return nil
}

// handlers binds each kind of due work to the use case that carries it on.
func (a *App) handlers() jobs.Handlers {
	return jobs.Handlers{
		store.DueRequest: func(ctx context.Context, t dsr.TenantID, id string) error {
			return a.Fulfill.Advance(ctx, t, dsr.RequestID(id))
		},
		store.DueMail:       a.post.Deliver,
		store.DueDelivery:   a.hooks.Deliver,
		store.DueObligation: a.Fulfill.Oblige,
		store.DuePackage:    a.Fulfill.Expire,
		store.DueMemory:     a.Fulfill.Forget,
		store.DueAudit:      func(ctx context.Context, t dsr.TenantID, _ string) error { return a.Oversee.Number(ctx, t) },
		store.DueToken:      a.sweepTokens,
	}
}

// sweepTokens forgets tokens that expired a while ago; until then they answer like any other that can't be used.
func (a *App) sweepTokens(ctx context.Context, t dsr.TenantID, _ string) error {
	return a.Store.InTx(ctx, t, func(tx *store.Tx) error {
		_, err := tx.SweepTokens(tx.Now.Add(-store.TokenKeep)) // exactly what Due calls due: less would be due for ever
		return err
	})
}

// Close closes what is open.
func (a *App) Close() error { return errors.Join(a.Systems.Close(), a.Store.Close()) }
