package httpapi

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/habeas-data/habeas/api"
	"github.com/habeas-data/habeas/internal/statute"
)

func date(d statute.Date) *string { return text(d.String()) }

func instant(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	return text(t.UTC().Format(time.RFC3339Nano))
}

// text gives nil for "": what is not there is null.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// each maps a list; an empty one is [] and never null.
func each[A, B any](in []A, fn func(A) B) []B {
	out := make([]B, 0, len(in))
	for _, x := range in {
		out = append(out, fn(x))
	}
	return out
}

// words copies a list so that an empty one is [].
func words(in []string) []string { return append([]string{}, in...) }

func facts(in map[string]string) map[string]string {
	if in == nil {
		return map[string]string{}
	}
	return in
}

func page[T any](c echo.Context, items []T, next string) error {
	if items == nil {
		items = []T{}
	}
	return c.JSON(http.StatusOK, api.List[T]{Items: items, NextCursor: text(next)})
}
