package httpapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/store"
)

// headerIdempotencyKey is draft-ietf-httpapi-idempotency-key-header.
const headerIdempotencyKey = "Idempotency-Key"

// idempotent gives a repeated write its first answer. Only answers to writes that were done are kept: after an error
// nothing was done, so a repeat may try again. It stands behind who calls, since a key belongs to its caller.
func (a *door) idempotent(limit int64) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			keys := c.Request().Header.Values(headerIdempotencyKey)
			if len(keys) == 0 {
				return next(c)
			}
			if len(keys) > 1 || !isVisible(keys[0]) {
				return fault.BadInput([]fault.Field{{Name: headerIdempotencyKey, Message: "must be one value of 1 to 255 visible characters"}})
			}
			body, err := readBody(c, limit)
			if err != nil {
				return err
			}
			p, sum := principal(c), sha256.Sum256(body)
			k := store.IdempotencyKey{Key: keys[0], Principal: string(p.Kind) + ":" + p.Subject,
				Target: c.Request().Method + " " + c.Request().URL.Path, BodyHash: hex.EncodeToString(sum[:])}
			return a.once(c, dsr.TenantID(p.Tenant), k, next)
		}
	}
}

func (a *door) once(c echo.Context, tenant dsr.TenantID, k store.IdempotencyKey, next echo.HandlerFunc) error {
	ctx := c.Request().Context()
	first, found, err := a.Idempotency.Begin(ctx, tenant, k)
	if err != nil {
		return err
	}
	if found {
		c.Response().Header().Set("Idempotency-Replayed", "true")
		if len(first.Body) == 0 {
			return c.NoContent(first.Status)
		}
		return c.Blob(first.Status, echo.MIMEApplicationJSON, first.Body)
	}
	// A panic ends the claim too, and the caller's going away must not keep it from being ended.
	ctx = context.WithoutCancel(ctx)
	done := false
	defer func() {
		if !done {
			_ = a.Idempotency.Abandon(ctx, tenant, k)
		}
	}()
	held := &heldWriter{ResponseWriter: c.Response().Writer, status: http.StatusOK}
	c.Response().Writer = held
	err = next(c)
	c.Response().Writer = held.ResponseWriter
	if err != nil {
		return err
	}
	// From here on the write is done. If its answer can't be kept, the claim stays: a repeat must not do it twice.
	done = true
	if err := a.Idempotency.Finish(ctx, tenant, k, store.Answer{Status: held.status, Body: held.body.Bytes()}); err != nil {
		a.logFailure(c, err)
	}
	return held.send()
}

// heldWriter holds an answer back until it is kept: whoever has seen it gets the same again.
type heldWriter struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (h *heldWriter) WriteHeader(status int)      { h.status = status }
func (h *heldWriter) Write(b []byte) (int, error) { return h.body.Write(b) }

func (h *heldWriter) send() error {
	h.ResponseWriter.WriteHeader(h.status)
	if h.body.Len() == 0 {
		return nil
	}
	_, err := h.ResponseWriter.Write(h.body.Bytes())
	return err
}

func isVisible(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return s != "" && len(s) <= 255
}
