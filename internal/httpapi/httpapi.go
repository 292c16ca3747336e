package httpapi

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/habeas-data/habeas/api"
	"github.com/habeas-data/habeas/internal/web/ui"
)

// door is the API with its dependencies.
type door struct {
	Deps
	errors  *ui.Pages
	docs    *ui.Pages
	docBody func() (docBody, error) // read once, when first asked for
}

// New gives an Echo with all calls of the API, on which the pages can be mounted, and a Server that has limits set. It
// panics when a template or the document is broken, which a test would have seen.
func New(d Deps) *echo.Echo {
	if d.Limits == nil {
		d.Limits = NewLimiter(d.Now)
	}
	if d.Ready == nil {
		d.Ready = func(context.Context) error { return nil }
	}
	a := &door{Deps: d, errors: ui.MustPages(ui.ErrorFiles()), docs: ui.MustPages(docFiles),
		docBody: sync.OnceValues(func() (docBody, error) { return readDocs(api.Spec()) })}

	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.Debug = false // true would put error texts into answers
	e.HTTPErrorHandler = a.fail
	e.IPExtractor = extractor(d.TrustedProxies)
	Harden(e.Server)
	Harden(e.TLSServer)
	// Recover stands inside the log, so that a panic is logged as the 500 that it is answered with.
	e.Use(a.observe, a.headers, a.recover)
	a.routes(e)
	return e
}

// extractor reads the caller's address. Echo's own default believes anybody's X-Forwarded-For.
func extractor(proxies []netip.Prefix) echo.IPExtractor {
	if len(proxies) == 0 {
		return echo.ExtractIPDirect()
	}
	options := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, p := range proxies {
		_, network, err := net.ParseCIDR(p.Masked().String())
		if err == nil {
			options = append(options, echo.TrustIPRange(network))
		}
	}
	return echo.ExtractIPFromXFFHeader(options...)
}

// Harden sets the limits that net/http does not have by itself. A download may take longer than WriteTimeout: it moves
// its own deadline.
func Harden(s *http.Server) {
	s.ReadHeaderTimeout = 10 * time.Second
	s.ReadTimeout = time.Minute
	s.WriteTimeout = time.Minute
	s.IdleTimeout = 2 * time.Minute
	s.MaxHeaderBytes = 32 << 10
	s.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug) // it would log addresses
}

// routes is the whole of the API on one screen. Reading answers HEAD too (RFC 9110 section 9.1).
func (a *door) routes(e *echo.Echo) {
	read := func(path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) {
		e.Match([]string{http.MethodGet, http.MethodHead}, path, h, m...)
	}
	read("/healthz", a.healthz)
	read("/readyz", a.readyz)
	read("/openapi.yaml", a.spec)
	read("/docs", a.docsPage)
	read("/assets/:file", ui.Asset)

	once, onceLetter := a.idempotent(maxBody), a.idempotent(maxLetter)

	pub := "/v1/public/:tenant"
	read(pub, a.getForm)
	e.POST(pub+"/requests", a.submit, a.limited("submit", 300), a.public, once)
	e.POST(pub+"/verifications", a.verify, a.limited("verify", 300))
	ref := pub + "/requests/:reference"
	read(ref, a.getStatus, a.person)
	e.POST(ref+"/withdraw", a.withdrawAsPerson, a.person, once)
	e.POST(ref+"/messages", a.messageAsPerson, a.limited("message", 60), a.person, onceLetter)
	e.POST(ref+"/download-codes", a.sendDownloadCode, a.limited("code", 60), a.person)
	e.POST(ref+"/downloads", a.download, a.limited("download", 60), a.person)

	read("/v1/requests", a.listRequests, a.token)
	e.POST("/v1/requests", a.createRequest, a.token, once)
	id := "/v1/requests/:id"
	read(id, a.getRequest, a.token)
	read(id+"/events", a.getEvents, a.token)
	read(id+"/notes", a.getNotes, a.token)
	read(id+"/messages", a.getMessages, a.token)
	read(id+"/plan", a.getPlan, a.token)
	read(id+"/clock", a.getClock, a.token)
	read(id+"/package", a.getPackage, a.token)
	read(id+"/certificate", a.getCertificate, a.token)
	e.POST(id+"/package/downloads", a.reviewPackage, a.token)
	e.POST(id+"/messages", a.sendMessage, a.token, onceLetter)
	for verb, h := range map[string]echo.HandlerFunc{
		"plan": a.replan, "approve": a.approve, "deny": a.deny, "extend": a.extend, "pause": a.pause, "resume": a.resume,
		"hold": a.hold, "release": a.release, "lift-ceiling": a.liftCeiling, "assign": a.assign, "verify": a.verifyByOfficer, "notes": a.addNote,
		"withdraw": a.withdraw, "retry": a.retry, "answer": a.answer,
	} {
		e.POST(id+"/"+verb, h, a.token, once)
	}

	read("/v1/obligations", a.listObligations, a.token)
	read("/v1/suppressions/check", a.checkSuppression, a.token)
	e.POST("/v1/suppressions/check", a.checkSuppressions, a.token)
	read("/v1/audit/entries", a.listAuditEntries, a.token)
	read("/v1/audit/tree-head", a.getTreeHead, a.token)
	read("/v1/audit/proof", a.getProof, a.token)

	read("/v1/webhook-endpoints", a.listEndpoints, a.token)
	e.POST("/v1/webhook-endpoints", a.addEndpoint, a.token, once)
	e.DELETE("/v1/webhook-endpoints/:id", a.removeEndpoint, a.token)
	read("/v1/webhook-endpoints/:id/deliveries", a.listDeliveries, a.token)
	e.POST("/v1/webhook-endpoints/:id/redeliver", a.redeliver, a.token, once)
	e.POST("/v1/webhook-endpoints/:id/rotate-secret", a.rotateEndpoint, a.token, once)
	read("/v1/webhook-sources", a.listSources, a.token)
	e.POST("/v1/webhook-sources", a.addSource, a.token, once)
	e.DELETE("/v1/webhook-sources/:id", a.removeSource, a.token)
	e.POST("/v1/webhook-sources/:id/rotate-secret", a.rotateSource, a.token, once)
	e.POST("/v1/hooks/:tenant/:source", a.hook, a.limited("hook", 600))
}

// isAPI tells whether a path belongs to programs: errors there are never pages.
func isAPI(path string) bool {
	return path == "/v1" || strings.HasPrefix(path, "/v1/") || path == "/healthz" || path == "/readyz" || path == "/openapi.yaml"
}

func bearer(c echo.Context) (string, error) {
	values := c.Request().Header.Values(echo.HeaderAuthorization)
	if len(values) != 1 {
		return "", errNoToken()
	}
	scheme, token, ok := strings.Cut(values[0], " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") || strings.TrimSpace(token) == "" {
		return "", errNoToken()
	}
	return strings.TrimSpace(token), nil
}

func asErr(recovered any) error {
	if err, ok := recovered.(error); ok {
		return fmt.Errorf("panic: %w", err)
	}
	return fmt.Errorf("panic: %v", recovered)
}
