package console

import (
	"context"
	"embed"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/auditlog"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/fulfill"
	"github.com/habeas-data/habeas/internal/statute"
	"github.com/habeas-data/habeas/internal/store"
	"github.com/habeas-data/habeas/internal/verify"
	"github.com/habeas-data/habeas/internal/web/ui"
)

//go:embed pages/*.html
var files embed.FS

const (
	home       = "/console"
	cookieName = "habeas_console"
	maxForm    = 256 << 10 // bytes of a form
)

// Deps are what the console needs. All must be set but those that say otherwise.
type Deps struct {
	Sessions  Sessions
	Requests  Requests
	Log       Log
	Mailbox   Mailbox                                                               // nil: mails are sent, and there is no mailbox page
	Settings  func(ctx context.Context, p access.Principal) (Settings, error)       // nil: no settings page
	Reveal    func(ctx context.Context, p access.Principal, id dsr.RequestID) error // records that an address was looked at; nil: not recorded
	Limits    Limits
	Now       func() time.Time
	PublicURL string
}

// Sessions signs officers in and out; verify.Service is one. PeekSignIn and Officer change nothing.
type Sessions interface {
	PeekSignIn(ctx context.Context, token string) error
	SignIn(ctx context.Context, token string) (verify.OfficerSession, error)
	Officer(ctx context.Context, sessionToken string) (access.Principal, error)
	SignOut(ctx context.Context, sessionToken string) error
	ByOfficer(ctx context.Context, p access.Principal, id dsr.RequestID, checked string) error
}

// Requests is the queue and what may be done in it; fulfill.Service is one.
type Requests interface {
	Reads
	Acts
}

// Reads change nothing.
type Reads interface {
	List(ctx context.Context, p access.Principal, f fulfill.Filter) ([]dsr.Request, string, error)
	Counts(ctx context.Context, p access.Principal) (fulfill.Counts, error)
	Request(ctx context.Context, p access.Principal, id dsr.RequestID) (fulfill.OfficerView, error)
	Certificate(ctx context.Context, p access.Principal, id dsr.RequestID) (fulfill.Certificate, error)
	Clock(ctx context.Context, p access.Principal, id dsr.RequestID) (statute.Clock, error)
	Obligations(ctx context.Context, p access.Principal, state string, before statute.Date, cursor string, limit int) ([]fulfill.Obligation, string, error)
}

// Acts change a request.
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

// Log reads a tenant's audit log and checks it; oversee.Service is one.
type Log interface {
	Entries(ctx context.Context, p access.Principal, f store.AuditFilter) ([]store.AuditRecord, string, error)
	Check(ctx context.Context, p access.Principal) (auditlog.Report, error)
}

// Mailbox gives the mails that were kept instead of sent, newest first; oversee.Service is one.
type Mailbox interface {
	Mailbox(ctx context.Context, p access.Principal, cursor string) ([]store.OutMail, string, error)
}

// Limits slows strangers down; httpapi.Limiter is one.
type Limits interface {
	Allow(ctx context.Context, key string, perMinute int) (ok bool, retryAfter time.Duration)
}

// Settings is what is in force for a tenant.
type Settings struct {
	PolicyVersion string
	AppliedAt     time.Time
	Text          string // the policy in plain sentences
}

type console struct {
	Deps
	pages *ui.Pages
	cross *http.CrossOriginProtection
}

// Mount adds the pages to an Echo that answers errors. It panics when a template is broken, which a test would have seen.
func Mount(e *echo.Echo, d Deps) {
	s := &console{Deps: d, pages: ui.MustPages(files), cross: http.NewCrossOriginProtection()}
	// Behind a proxy the host differs from the one that the browser names.
	_ = s.cross.AddTrustedOrigin(strings.TrimRight(d.PublicURL, "/"))
	read := func(path string, h func(echo.Context, officer) error) {
		e.Match([]string{http.MethodGet, http.MethodHead}, path, s.officer(h))
	}
	post := func(path string, h func(echo.Context, officer) error) {
		e.POST(path, s.posted(s.officer(s.checked(h))))
	}

	e.Match([]string{http.MethodGet, http.MethodHead}, home+"/sign-in", s.askSignIn)
	e.POST(home+"/sign-in", s.posted(s.signIn))
	post(home+"/sign-out", s.signOut)
	read(home, s.queue)
	read(home+"/requests/:id", s.request)
	read(home+"/requests/:id/certificate", s.certificate)
	read(home+"/requests/:id/messages/:message/files/:file", s.attachment)
	post(home+"/requests/:id/reveal", s.reveal)
	post(home+"/requests/:id/package", s.reviewPackage)
	for name := range acts() {
		post(home+"/requests/:id/"+name, s.act(name))
	}
	read(home+"/obligations", s.obligations)
	read(home+"/audit", s.audit)
	if d.Settings != nil {
		read(home+"/settings", s.settings)
	}
	if d.Mailbox != nil {
		read(home+"/mailbox", s.mailbox)
		read(home+"/mailbox/:id", s.mail)
		read(home+"/mailbox/:id/html", s.mailHTML)
	}
}

// officer is who is signed in.
type officer struct {
	access.Principal
	session string
}

// officer lets a handler run for whoever is signed in. Others are sent to the sign-in page, or refused if they wanted
// to do something.
func (s *console) officer(h func(echo.Context, officer) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		cookie, err := c.Cookie(cookieName)
		if err == nil && cookie.Value != "" {
			p, err := s.Sessions.Officer(c.Request().Context(), cookie.Value)
			switch {
			case err == nil:
				p.Address = c.RealIP()
				return h(c, officer{p, cookie.Value})
			case fault.Is(err, fault.Internal), fault.Is(err, fault.Unavailable):
				return err
			}
		}
		if c.Request().Method == http.MethodPost {
			return fault.New(fault.Unauthorized, "no_session", "You are not signed in any more. Nothing was done.")
		}
		return c.Redirect(http.StatusSeeOther, home+"/sign-in")
	}
}

// posted guards every POST: from this site, a form, of bounded size, of text.
func (s *console) posted(h echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if s.cross.Check(r) != nil {
			return fault.New(fault.Forbidden, "cross_site", "This came from another site and was not done.")
		}
		if kind, _, _ := strings.Cut(r.Header.Get(echo.HeaderContentType), ";"); !strings.EqualFold(strings.TrimSpace(kind), echo.MIMEApplicationForm) {
			return echo.ErrUnsupportedMediaType
		}
		r.Body = http.MaxBytesReader(c.Response(), r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			if strings.Contains(err.Error(), "request body too large") {
				return echo.ErrStatusRequestEntityTooLarge
			}
			return fault.Wrap(err, fault.Invalid, "unreadable_form", "The form did not arrive whole.")
		}
		if name, bad := ui.BadText(r.PostForm); bad {
			return fault.BadInput([]fault.Field{{Name: name, Message: "holds characters that are no text"}})
		}
		return h(c)
	}
}

// checked refuses a form that is not of this session.
func (s *console) checked(h func(echo.Context, officer) error) func(echo.Context, officer) error {
	return func(c echo.Context, o officer) error {
		if err := ui.CheckForm(c, o.session); err != nil {
			return err
		}
		return h(c, o)
	}
}

// view begins a page for somebody signed in.
func (s *console) view(c echo.Context, o officer, title string, body any) ui.View {
	links := []ui.Link{{Text: "Queue", Href: home}}
	if o.Can(access.ObligationList) {
		links = append(links, ui.Link{Text: "Obligations", Href: home + "/obligations"})
	}
	if o.Can(access.AuditRead) {
		links = append(links, ui.Link{Text: "Audit log", Href: home + "/audit"})
	}
	if s.Settings != nil && o.Can(access.SettingsRead) {
		links = append(links, ui.Link{Text: "Settings", Href: home + "/settings"})
	}
	if s.Mailbox != nil && o.Can(access.MessageRead) {
		links = append(links, ui.Link{Text: "Mailbox", Href: home + "/mailbox"})
	}
	path := c.Request().URL.Path
	for i, l := range links {
		links[i].Here = path == l.Href || l.Href != home && strings.HasPrefix(path, l.Href+"/")
	}
	return s.pages.Bind(ui.View{Title: title, Brand: "Habeas · " + o.Tenant, Home: home, Wide: true, Nav: links, Now: s.Now(),
		Leave: home + "/sign-out", Token: ui.FormToken(o.session), Body: body})
}
