package httpapi

import (
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/habeas-data/habeas/internal/dsr"
)

const keyRequestID = "habeas.request_id"

func requestID(c echo.Context) string {
	id, _ := c.Get(keyRequestID).(string)
	return id
}

// observe writes one line a request: the pattern of the route and never the address itself, since paths hold
// references and query strings hold tokens and e-mail addresses.
func (a *door) observe(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		begun := a.Now()
		id := dsr.NewID()
		c.Set(keyRequestID, id)
		c.Response().Header().Set(echo.HeaderXRequestID, id)
		if err := next(c); err != nil {
			c.Error(err) // answered here, so that the line below has the status
		}
		status, took := c.Response().Status, a.Now().Sub(begun)
		a.Log.LogAttrs(c.Request().Context(), slog.LevelInfo, "request", slog.String("method", method(c)),
			slog.String("route", c.Path()), slog.Int("status", status), slog.Duration("took", took), slog.String("request_id", id))
		if a.Metrics != nil {
			a.Metrics.observe(status, took)
		}
		return nil
	}
}

// method gives the request's method; a made-up one is no text for a log.
func method(c echo.Context) string {
	switch m := c.Request().Method; m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "other"
}

// recover turns a panic into an error, so that one bad request does not end the connections of others.
func (a *door) recover(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			r := recover()
			if r == nil {
				return
			}
			if r == http.ErrAbortHandler { //nolint:errorlint // net/http panics with this very value
				panic(r)
			}
			a.Log.LogAttrs(c.Request().Context(), slog.LevelError, "panic", slog.String("route", c.Path()),
				slog.String("request_id", requestID(c)), slog.String("stack", string(debug.Stack())))
			err = asErr(r)
		}()
		return next(c)
	}
}

// headers sets what every answer carries, errors included. Pages and answers are never cached unless they say so
// themselves; there is no script anywhere, and style comes from our own file.
func (a *door) headers(next echo.HandlerFunc) echo.HandlerFunc {
	secure := strings.HasPrefix(a.PublicURL, "https://")
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
		h.Set(echo.HeaderCacheControl, "no-store")
		if secure {
			h.Set(echo.HeaderStrictTransportSecurity, "max-age=31536000; includeSubDomains")
		}
		return next(c)
	}
}
