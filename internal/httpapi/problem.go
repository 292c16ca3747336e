package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/habeas-data/habeas/api"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/web/ui"
)

// refusal is an error of HTTP itself, for which there is no kind of fault.
type refusal struct {
	status       int
	code, detail string
}

func (r *refusal) Error() string { return r.detail }

func tooLarge(limit int64) error {
	return &refusal{http.StatusRequestEntityTooLarge, "too_large", "The body is larger than " + strconv.FormatInt(limit>>20, 10) + " MiB."}
}

// fail answers every error. What a stranger reads comes from a *fault.Error or from the status alone; the log has the
// cause.
func (a *door) fail(err error, c echo.Context) {
	p, wait := problemOf(err)
	if p.Status >= http.StatusInternalServerError {
		a.logFailure(c, err)
	}
	if errors.Is(err, ui.ErrCutOff) {
		// Half a package must not look whole: cutting the connection is the only way left to say so.
		panic(http.ErrAbortHandler)
	}
	if c.Response().Committed {
		return // half an answer is out: nothing can be said any more
	}
	h := c.Response().Header()
	h.Del(echo.HeaderContentDisposition)
	h.Set(echo.HeaderCacheControl, "no-store")
	if wait > 0 {
		h.Set(echo.HeaderRetryAfter, strconv.Itoa(wait))
	}
	if !isAPI(c.Request().URL.Path) && strings.Contains(c.Request().Header.Get(echo.HeaderAccept), "text/html") {
		if a.failPage(c, p) == nil {
			return
		}
	}
	if p.Status == http.StatusUnauthorized {
		challenge := `Bearer realm="habeas"`
		if c.Request().Header.Get(echo.HeaderAuthorization) != "" {
			challenge += `, error="invalid_token"`
		}
		h.Set(echo.HeaderWWWAuthenticate, challenge)
	}
	body, _ := json.Marshal(p) // strings and numbers: it can't fail
	_ = c.Blob(p.Status, "application/problem+json", body)
}

func (a *door) logFailure(c echo.Context, err error) {
	level := slog.LevelError
	if errors.Is(err, context.Canceled) {
		level = slog.LevelInfo // the caller went away
	}
	a.Log.LogAttrs(c.Request().Context(), level, "request failed", slog.String("method", c.Request().Method),
		slog.String("route", c.Path()), slog.String("request_id", requestID(c)), slog.Any("error", err))
}

// problemOf gives what a caller may know about an error, and the seconds after which another try may help (0: unknown).
func problemOf(err error) (api.Problem, int) {
	var r *refusal
	if errors.As(err, &r) {
		return problem(r.status, r.code, r.detail), 0
	}
	var tooBig *http.MaxBytesError
	if errors.As(err, &tooBig) {
		return problemOf(tooLarge(tooBig.Limit))
	}
	if f, ok := fault.As(err); ok && f.Kind != fault.Internal {
		p := problem(fault.HTTPStatus(f.Kind), f.Code, f.Message)
		for _, w := range f.Fields {
			p.Errors = append(p.Errors, api.FieldError{Name: w.Name, Message: w.Message})
		}
		p.Allowed = f.Allowed
		wait := int(math.Ceil(f.RetryAfter.Seconds()))
		if f.Kind == fault.TooMany {
			wait = max(wait, 1)
		}
		return p, wait
	}
	var he *echo.HTTPError
	if errors.As(err, &he) {
		switch he.Code {
		case http.StatusNotFound:
			return problem(he.Code, "not_found", "There is nothing at this address."), 0
		case http.StatusMethodNotAllowed:
			return problem(he.Code, "method_not_allowed", "This address does not take that method; see the header Allow."), 0
		case http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusBadRequest, http.StatusForbidden:
			return problem(he.Code, slug(he.Code), http.StatusText(he.Code)+"."), 0
		}
	}
	return problem(http.StatusInternalServerError, "internal", "Something went wrong on our side. Nothing of your call was kept unless it says so elsewhere; trying again does no harm with the same Idempotency-Key."), 0
}

func problem(status int, code, detail string) api.Problem {
	if code == "" {
		code = slug(status)
	}
	return api.Problem{Type: api.ProblemType + code, Title: http.StatusText(status), Status: status, Detail: detail, Code: code}
}

func slug(status int) string {
	return strings.ReplaceAll(strings.ToLower(http.StatusText(status)), " ", "_")
}
