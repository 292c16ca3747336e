package httpapi

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/habeas-data/habeas/api"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/fulfill"
)

const maxIdentifiers = 1000 // asked for at once

func (a *door) listObligations(c echo.Context) error {
	q := queryOf(c)
	state, before, cursor, limit := q.oneOf("state", "open", "done", "failed"), q.date("before"), q.text("cursor"), q.limit()
	if err := q.err(); err != nil {
		return err
	}
	items, next, err := a.Requests.Obligations(c.Request().Context(), principal(c), state, before, cursor, limit)
	if err != nil {
		return err
	}
	return page(c, each(items, func(o fulfill.Obligation) api.Obligation {
		return api.Obligation{ID: o.ID, Request: text(string(o.Request)), System: o.System, Table: o.Table, Kind: o.Kind, Rows: o.Rows,
			DueOn: date(o.DueOn), Ground: o.Ground, State: o.State, DoneAt: instant(o.DoneAt)}
	}), next)
}

func (a *door) checkSuppression(c echo.Context) error {
	q := queryOf(c)
	list, identifier := q.text("list"), q.text("identifier")
	if identifier == "" {
		q.bad("identifier", "is missing")
	}
	if err := q.err(); err != nil {
		return err
	}
	found, err := a.Requests.Suppressed(c.Request().Context(), principal(c), list, []string{identifier})
	if err != nil {
		return err
	}
	if len(found) != 1 {
		return fault.New(fault.Internal, "no_answer", "There was no answer for the identifier.")
	}
	return c.JSON(http.StatusOK, suppressionOf(found[0]))
}

func (a *door) checkSuppressions(c echo.Context) error {
	in, err := decode[api.SuppressionQuestion](c, maxBody)
	if err != nil {
		return err
	}
	if n := len(in.Identifiers); n < 1 || n > maxIdentifiers {
		return fault.BadInput([]fault.Field{{Name: "identifiers", Message: "must be 1 to 1000 identifiers"}})
	}
	found, err := a.Requests.Suppressed(c.Request().Context(), principal(c), in.List, in.Identifiers)
	if err != nil {
		return err
	}
	return page(c, each(found, suppressionOf), "")
}

func suppressionOf(s fulfill.Suppressed) api.Suppression {
	return api.Suppression{Identifier: s.Identifier, Suppressed: s.Suppressed, Lists: each(s.Lists, func(l fulfill.SuppressedOn) api.SuppressionOn {
		return api.SuppressionOn{List: l.List, Since: instant(l.Since)}
	})}
}
