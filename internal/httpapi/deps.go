package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fulfill"
	"github.com/habeas-data/habeas/internal/intake"
	"github.com/habeas-data/habeas/internal/statute"
	"github.com/habeas-data/habeas/internal/store"
	"github.com/habeas-data/habeas/internal/verify"
)

// Deps are what the API needs. All must be set but those that say otherwise.
type Deps struct {
	Intake      Intake
	Proofs      Proofs
	Requests    Requests
	Tokens      Tokens
	Audit       Audit
	Webhooks    Webhooks
	Idempotency Idempotency
	Limits      Limits                      // nil: NewLimiter(Now)
	Ready       func(context.Context) error // nil error: requests can be taken
	Log         *slog.Logger
	Now         func() time.Time

	PublicURL      string         // base of our own addresses; https turns HSTS on
	TrustedProxies []netip.Prefix // whose X-Forwarded-For counts; empty: the peer's own address is the caller's
	Metrics        *Metrics       // nil: counted for nobody
}

// Intake accepts requests; intake.Service is one.
type Intake interface {
	Form(ctx context.Context, tenant dsr.TenantID) (intake.Form, error)
	Submit(ctx context.Context, p access.Principal, tenant dsr.TenantID, in intake.Input) (intake.Receipt, error)
	Hook(ctx context.Context, tenant dsr.TenantID, source string, header http.Header, body []byte) error
}

// Proofs proves who asks; verify.Service is one.
type Proofs interface {
	RedeemLink(ctx context.Context, tenant dsr.TenantID, token string) (verify.Session, error)
	RedeemCode(ctx context.Context, tenant dsr.TenantID, reference, code string) (verify.Session, error)
	Person(ctx context.Context, tenant dsr.TenantID, reference, accessToken string) (access.Principal, error)
	ByOfficer(ctx context.Context, p access.Principal, id dsr.RequestID, checked string) error
}

// Requests carries requests through; fulfill.Service is one.
type Requests interface {
	PersonCalls
	Reads
	Acts
}

// PersonCalls are what a person may do to a submission.
type PersonCalls interface {
	Status(ctx context.Context, p access.Principal, reference dsr.Reference) (fulfill.PersonView, error)
	WithdrawAsPerson(ctx context.Context, p access.Principal, reference dsr.Reference, rights []string) (fulfill.PersonView, error)
	MessageAsPerson(ctx context.Context, p access.Principal, reference dsr.Reference, m fulfill.Message) error
	SendDownloadCode(ctx context.Context, p access.Principal, reference dsr.Reference) error
	Download(ctx context.Context, p access.Principal, reference dsr.Reference, code, right string) (fulfill.Download, error)
}

// Reads are what officers and backends may see.
type Reads interface {
	List(ctx context.Context, p access.Principal, f fulfill.Filter) ([]dsr.Request, string, error)
	Request(ctx context.Context, p access.Principal, id dsr.RequestID) (fulfill.OfficerView, error)
	Events(ctx context.Context, p access.Principal, id dsr.RequestID) ([]fulfill.EventView, error)
	Plan(ctx context.Context, p access.Principal, id dsr.RequestID) (fulfill.Planned, error)
	Package(ctx context.Context, p access.Principal, id dsr.RequestID) (fulfill.PackageView, error)
	Certificate(ctx context.Context, p access.Principal, id dsr.RequestID) (fulfill.Certificate, error)
	Clock(ctx context.Context, p access.Principal, id dsr.RequestID) (statute.Clock, error)
	Obligations(ctx context.Context, p access.Principal, state string, before statute.Date, cursor string, limit int) ([]fulfill.Obligation, string, error)
	Suppressed(ctx context.Context, p access.Principal, list string, identifiers []string) ([]fulfill.Suppressed, error)
}

// Acts are what officers may do to a request.
type Acts interface {
	Replan(ctx context.Context, p access.Principal, id dsr.RequestID) (fulfill.Planned, error)
	Approve(ctx context.Context, p access.Principal, id dsr.RequestID, digest, note string) (fulfill.Approved, error)
	Deny(ctx context.Context, p access.Principal, id dsr.RequestID, ground, explanation string) (dsr.Request, error)
	Extend(ctx context.Context, p access.Principal, id dsr.RequestID, ground, explanation string) (dsr.Request, error)
	Pause(ctx context.Context, p access.Principal, id dsr.RequestID, reason, explanation string) (dsr.Request, error)
	Resume(ctx context.Context, p access.Principal, id dsr.RequestID) (dsr.Request, error)
	Hold(ctx context.Context, p access.Principal, id dsr.RequestID, reason string, until statute.Date) (dsr.Request, error)
	LiftCeiling(ctx context.Context, p access.Principal, id dsr.RequestID, reason string) (dsr.Request, error)
	ReleaseHold(ctx context.Context, p access.Principal, id dsr.RequestID, note string) (dsr.Request, error)
	Assign(ctx context.Context, p access.Principal, id dsr.RequestID, assignee string) (dsr.Request, error)
	AddNote(ctx context.Context, p access.Principal, id dsr.RequestID, body string) error
	SendMessage(ctx context.Context, p access.Principal, id dsr.RequestID, m fulfill.Message) error
	Withdraw(ctx context.Context, p access.Principal, id dsr.RequestID, note string) (dsr.Request, error)
	Retry(ctx context.Context, p access.Principal, id dsr.RequestID) (dsr.Request, error)
	Answer(ctx context.Context, p access.Principal, id dsr.RequestID, text string) (dsr.Request, error)
	OpenPackage(ctx context.Context, p access.Principal, id dsr.RequestID) (fulfill.Download, error)
}

// Tokens checks a bearer token now: access.Keys with a clock.
type Tokens interface {
	Verify(ctx context.Context, token string) (access.Principal, error)
}

// Audit reads a tenant's log for whoever may.
type Audit interface {
	Entries(ctx context.Context, p access.Principal, f store.AuditFilter) ([]store.AuditRecord, string, error)
	// Head gives the newest signed checkpoint and the key that verifies it.
	Head(ctx context.Context, p access.Principal) (signed []byte, vkey string, err error)
	// Inclusion proves entry n in the log of size leaves.
	Inclusion(ctx context.Context, p access.Principal, n, size int64) (leaf []byte, hashes []tlog.Hash, err error)
	// Consistency proves that the log of size leaves begins with that of from leaves.
	Consistency(ctx context.Context, p access.Principal, from, size int64) ([]tlog.Hash, error)
}

// Webhooks manages where events go and come from. Secrets are set in the answers of Add and Rotate alone, newest first.
type Webhooks interface {
	Endpoints(ctx context.Context, p access.Principal) ([]store.Endpoint, error)
	AddEndpoint(ctx context.Context, p access.Principal, url string, events []string) (store.Endpoint, error)
	RemoveEndpoint(ctx context.Context, p access.Principal, id string) error
	RotateEndpoint(ctx context.Context, p access.Principal, id string) (store.Endpoint, error)
	Deliveries(ctx context.Context, p access.Principal, endpoint, cursor string, limit int) ([]store.Delivery, string, error)
	Redeliver(ctx context.Context, p access.Principal, endpoint, delivery string) error
	Sources(ctx context.Context, p access.Principal) ([]store.Source, error)
	AddSource(ctx context.Context, p access.Principal, name string) (store.Source, error)
	RemoveSource(ctx context.Context, p access.Principal, id string) error
	RotateSource(ctx context.Context, p access.Principal, id string) (store.Source, error)
}

// Idempotency remembers the answers to writes by the key that the caller gave. Key.Principal is kind and subject of the
// caller in the clear: the implementation keeps a keyed hash of it.
type Idempotency interface {
	// Begin claims the key, or gives the answer that is stored under it. The same key with another body or target is a
	// fault.Conflict; so is one whose first call still runs.
	Begin(ctx context.Context, tenant dsr.TenantID, k store.IdempotencyKey) (a store.Answer, found bool, err error)
	// Finish stores the answer.
	Finish(ctx context.Context, tenant dsr.TenantID, k store.IdempotencyKey, a store.Answer) error
	// Abandon gives the claim back: nothing was done.
	Abandon(ctx context.Context, tenant dsr.TenantID, k store.IdempotencyKey) error
}

// Limits says whether one more call under a key is within perMinute; if not, after how long it will be.
type Limits interface {
	Allow(ctx context.Context, key string, perMinute int) (ok bool, retryAfter time.Duration)
}
