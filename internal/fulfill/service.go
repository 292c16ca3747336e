package fulfill

import (
	"context"
	"log/slog"
	"time"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/auditlog"
	"github.com/habeas-data/habeas/internal/blob"
	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/notify"
	"github.com/habeas-data/habeas/internal/statute"
	"github.com/habeas-data/habeas/internal/store"
	"github.com/habeas-data/habeas/internal/tenant"
	"github.com/habeas-data/habeas/internal/webhook"
)

// Bounds of the work.
const (
	lease        = 30 * time.Second // of a claim; renewed by a heartbeat while the step runs
	heartbeat    = 8 * time.Second  // how often it is renewed
	codeFor      = 10 * time.Minute // of a download code
	codeTries    = 5
	codesAnHour  = 5
	failedTries  = 8 // of one step before a person must look
	captureChunk = 5000
)

// Service is the use case "carry requests through".
type Service struct {
	store   *store.Store
	tenants *tenant.Registry
	book    *statute.Book
	systems *connector.Pool
	blobs   blob.Store
	outbox  *notify.Outbox
	events  *webhook.Events
	asker   Asker
	log     *slog.Logger
	now     func() time.Time
}

// Asker asks a person for proof: package verify, which lies beside this one.
type Asker interface {
	Ask(ctx context.Context, req *dsr.Request) error
}

// Deps are what the service works with.
type Deps struct {
	Store   *store.Store
	Tenants *tenant.Registry
	Book    *statute.Book
	Systems *connector.Pool
	Blobs   blob.Store
	Outbox  *notify.Outbox
	Events  *webhook.Events
	Asker   Asker
	Log     *slog.Logger
	Now     func() time.Time
}

// New makes the service.
func New(d Deps) *Service {
	return &Service{store: d.Store, tenants: d.Tenants, book: d.Book, systems: d.Systems, blobs: d.Blobs, outbox: d.Outbox,
		events: d.Events, asker: d.Asker, log: d.Log, now: d.Now}
}

// job is the actor of what the machine does by itself.
func job() auditlog.Actor { return auditlog.Actor{Kind: string(access.KindJob)} }

func requestObject(id dsr.RequestID) auditlog.Object {
	return auditlog.Object{Kind: "request", ID: string(id)}
}

// Obligation is a dated promise that fires by itself.
type Obligation struct {
	ID      string
	Request dsr.RequestID
	System  string
	Table   string
	Kind    string
	Rows    int64
	DueOn   statute.Date
	Ground  string
	State   string
	DoneAt  time.Time
}

// Suppressed is the guard's answer for one identifier.
type Suppressed struct {
	Identifier string
	Suppressed bool
	Lists      []SuppressedOn
}

// SuppressedOn is one list an identifier is on.
type SuppressedOn struct {
	List  string
	Since time.Time
}
