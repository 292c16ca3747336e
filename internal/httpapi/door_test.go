package httpapi_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/habeas-data/habeas/internal/httpapi"
	"github.com/habeas-data/habeas/internal/web/console"
	"github.com/habeas-data/habeas/internal/web/portal"
	"github.com/habeas-data/habeas/internal/web/ui"
)

// world is all doors over the fakes, as they are wired in the program.
type world struct {
	*fakes
	e   *echo.Echo
	log *bytes.Buffer
}

func newWorld(t *testing.T, with ...func(*httpapi.Deps)) *world {
	t.Helper()
	f, log := newFakes(), new(bytes.Buffer)
	clock := func() time.Time { return now }
	limits := httpapi.NewLimiter(clock)
	d := httpapi.Deps{Intake: f, Proofs: f, Requests: f, Tokens: f, Audit: f, Webhooks: f, Idempotency: f, Limits: limits,
		Log: slog.New(slog.NewTextHandler(log, nil)), Now: clock, PublicURL: "http://localhost:8080"}
	for _, w := range with {
		w(&d)
	}
	e := httpapi.New(d)
	portal.Mount(e, portal.Deps{Intake: f, Proofs: f, Requests: f, Limits: limits, Now: clock, PublicURL: d.PublicURL})
	console.Mount(e, console.Deps{Sessions: f, Requests: f, Log: f, Mailbox: f, Settings: f.Settings, Reveal: f.Reveal, Limits: limits, Now: clock, PublicURL: d.PublicURL})
	return &world{f, e, log}
}

// ask is one call; a body that begins with { or [ is JSON, another a form.
func ask(method, path, body string, header ...string) *http.Request {
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req := httptest.NewRequest(method, path, r)
	req.Header.Set("Accept", "application/json")
	switch {
	case strings.HasPrefix(body, "{"), strings.HasPrefix(body, "["):
		req.Header.Set("Content-Type", "application/json")
	case body != "":
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(header); i += 2 {
		if header[i+1] == "" {
			req.Header.Del(header[i])
		} else {
			req.Header.Set(header[i], header[i+1])
		}
	}
	return req
}

func (w *world) do(r *http.Request) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	w.e.ServeHTTP(rec, r)
	return rec
}

// browser is ask for a page, with all sessions there are.
func browser(method, path, form string) *http.Request {
	return ask(method, path, form, "Accept", "text/html,application/xhtml+xml", "Cookie", "habeas_request="+session+"; habeas_console="+desk)
}

func formToken(path string) string {
	if strings.HasPrefix(path, "/console") {
		return "form_token=" + ui.FormToken(desk)
	}
	return "form_token=" + ui.FormToken(session)
}
