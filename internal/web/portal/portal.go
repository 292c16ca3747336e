package portal

import (
	"context"
	"embed"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/fulfill"
	"github.com/habeas-data/habeas/internal/intake"
	"github.com/habeas-data/habeas/internal/verify"
	"github.com/habeas-data/habeas/internal/web/ui"
)

//go:embed pages/*.html
var files embed.FS

const (
	cookieName = "habeas_request"
	maxForm    = 64 << 10 // bytes of a form without files
)

// Deps are what the portal needs; all must be set.
type Deps struct {
	Intake    Intake
	Proofs    Proofs
	Requests  Requests
	Limits    Limits
	Now       func() time.Time
	PublicURL string
}

// Intake accepts requests; intake.Service is one.
type Intake interface {
	Form(ctx context.Context, tenant dsr.TenantID) (intake.Form, error)
	Submit(ctx context.Context, p access.Principal, tenant dsr.TenantID, in intake.Input) (intake.Receipt, error)
}

// Proofs proves who asks; verify.Service is one. Peek changes nothing.
type Proofs interface {
	Peek(ctx context.Context, tenant dsr.TenantID, token string) (verify.Pending, error)
	RedeemLink(ctx context.Context, tenant dsr.TenantID, token string) (verify.Session, error)
	RedeemCode(ctx context.Context, tenant dsr.TenantID, reference, code string) (verify.Session, error)
	Resend(ctx context.Context, tenant dsr.TenantID, reference, email string) error
	Person(ctx context.Context, tenant dsr.TenantID, reference, accessToken string) (access.Principal, error)
}

// Requests are what a person may do to a submission; fulfill.Service is one.
type Requests interface {
	Status(ctx context.Context, p access.Principal, reference dsr.Reference) (fulfill.PersonView, error)
	WithdrawAsPerson(ctx context.Context, p access.Principal, reference dsr.Reference, rights []string) (fulfill.PersonView, error)
	MessageAsPerson(ctx context.Context, p access.Principal, reference dsr.Reference, m fulfill.Message) error
	SendDownloadCode(ctx context.Context, p access.Principal, reference dsr.Reference) error
	Download(ctx context.Context, p access.Principal, reference dsr.Reference, code, right string) (fulfill.Download, error)
}

// Limits slows strangers down; httpapi.Limiter is one.
type Limits interface {
	Allow(ctx context.Context, key string, perMinute int) (ok bool, retryAfter time.Duration)
}

type portal struct {
	Deps
	pages *ui.Pages
}

// Mount adds the pages to an Echo that answers errors. It panics when a template is broken, which a test would have seen.
func Mount(e *echo.Echo, d Deps) {
	s := &portal{Deps: d, pages: ui.MustPages(files)}
	read := func(path string, h echo.HandlerFunc) { e.Match([]string{http.MethodGet, http.MethodHead}, path, h) }
	post := func(path string, h echo.HandlerFunc, limit int64, call string) {
		e.POST(path, h, ui.RefuseCrossSite, s.limited(call), readForm(limit))
	}
	read("/:tenant", s.form)
	post("/:tenant", s.submit, maxForm, "submit")
	read("/:tenant/verify", s.verify)
	post("/:tenant/verify", s.confirm, maxForm, "verify")
	read("/:tenant/r", s.find)
	post("/:tenant/r", s.open, maxForm, "find")
	ref := "/:tenant/r/:reference"
	read(ref, s.status)
	post(ref+"/link", s.link, maxForm, "link")
	post(ref+"/code", s.code, maxForm, "verify")
	read(ref+"/withdraw", s.askWithdraw)
	post(ref+"/withdraw", s.withdraw, maxForm, "withdraw")
	post(ref+"/messages", s.message, ui.MaxFiles+ui.MaxLetter+maxForm, "message")
	post(ref+"/download-codes", s.sendCode, maxForm, "code")
	post(ref+"/downloads", s.download, maxForm, "download")
	post(ref+"/leave", s.leave, maxForm, "leave")
}

// limited slows strangers down by call, tenant and network, on the same count as the JSON twins of the pages.
func (s *portal) limited(call string) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if ok, wait := s.Limits.Allow(c.Request().Context(), ui.LimitKey(call, c.Param("tenant"), c.RealIP()), 300); !ok {
				err := fault.New(fault.TooMany, "too_many", "That was too often. Please try again a little later.")
				err.RetryAfter = wait
				return err
			}
			return next(c)
		}
	}
}

// readForm reads a form of at most limit bytes and refuses text that can't be kept.
func readForm(limit int64) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			r.Body = http.MaxBytesReader(c.Response(), r.Body, limit)
			var err error
			switch kind, _, _ := strings.Cut(r.Header.Get(echo.HeaderContentType), ";"); strings.TrimSpace(strings.ToLower(kind)) {
			case echo.MIMEMultipartForm:
				err = r.ParseMultipartForm(limit)
			case echo.MIMEApplicationForm:
				err = r.ParseForm()
			default:
				return echo.ErrUnsupportedMediaType
			}
			if err != nil {
				return badForm(err)
			}
			if name, bad := ui.BadText(r.PostForm); bad {
				return fault.BadInput([]fault.Field{{Name: name, Message: "holds characters that are no text"}})
			}
			return next(c)
		}
	}
}

func badForm(err error) error {
	if strings.Contains(err.Error(), "request body too large") { // what mime/multipart gives has lost its type
		return echo.ErrStatusRequestEntityTooLarge
	}
	return fault.Wrap(err, fault.Invalid, "unreadable_form", "The form did not arrive whole.")
}

// taken lists the first parts of addresses that belong to others; a tenant of such a name has no pages.
func taken() []string {
	return []string{"v1", "console", "docs", "assets", "healthz", "readyz", "metrics"}
}

// site is what every page of a tenant knows.
type site struct {
	tenant dsr.TenantID
	form   intake.Form
	lang   string
}

func (s *portal) site(c echo.Context) (site, error) {
	if slices.Contains(taken(), c.Param("tenant")) {
		return site{}, echo.ErrNotFound
	}
	tenant, err := dsr.ParseTenant(c.Param("tenant"))
	if err != nil {
		return site{}, err
	}
	form, err := s.Intake.Form(c.Request().Context(), tenant)
	if err != nil {
		return site{}, err
	}
	return site{tenant, form, ui.Language(c, form.Languages)}, nil
}

// view begins a page: its language links lead to the same page.
func (s *portal) view(c echo.Context, at site, title string, body any) ui.View {
	v := ui.View{Lang: at.lang, Title: title, Brand: at.form.Controller, Home: "/" + string(at.tenant) + langQuery(at), Now: s.Now(), Body: body}
	if at.form.Contact != "" {
		v.Foot = s.pages.T(at.lang, "status.foot", "contact", at.form.Contact)
	}
	// A page that answers a POST has no address of its own; neither is a token to be repeated in links.
	if c.Request().Method == http.MethodPost || c.QueryParam("token") != "" {
		return v
	}
	if offered := ui.Offered(at.form.Languages); len(offered) > 1 {
		for _, l := range offered {
			q := c.QueryParams()
			next := make(url.Values, len(q)+1)
			for k, x := range q {
				next[k] = x
			}
			next.Set("lang", l)
			v.Langs = append(v.Langs, ui.Link{Text: ui.LanguageName(l), Href: c.Request().URL.Path + "?" + next.Encode(), Lang: l, Here: l == at.lang})
		}
	}
	return v
}

// langQuery keeps a language across links when it is not the first.
func langQuery(at site) string {
	if at.lang == ui.Offered(at.form.Languages)[0] {
		return ""
	}
	return "?lang=" + at.lang
}

func (s *portal) public(c echo.Context, at site) access.Principal {
	return access.Principal{Kind: access.KindPublic, Tenant: string(at.tenant), Address: c.RealIP()}
}
