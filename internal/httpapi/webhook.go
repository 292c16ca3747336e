package httpapi

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/habeas-data/habeas/api"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/store"
)

func (a *door) listEndpoints(c echo.Context) error {
	list, err := a.Webhooks.Endpoints(c.Request().Context(), principal(c))
	if err != nil {
		return err
	}
	return page(c, each(list, endpointOf), "")
}

func (a *door) addEndpoint(c echo.Context) error {
	in, err := decode[api.NewEndpoint](c, maxBody)
	if err != nil {
		return err
	}
	x, err := a.Webhooks.AddEndpoint(c.Request().Context(), principal(c), in.URL, in.Events)
	if err != nil {
		return err
	}
	out := endpointOf(x)
	out.Secret = newest(x.Secrets)
	return c.JSON(http.StatusCreated, out)
}

func (a *door) removeEndpoint(c echo.Context) error {
	return done(c, a.Webhooks.RemoveEndpoint(c.Request().Context(), principal(c), c.Param("id")))
}

func (a *door) rotateEndpoint(c echo.Context) error {
	if _, err := decodeMaybe[api.Nothing](c); err != nil {
		return err
	}
	x, err := a.Webhooks.RotateEndpoint(c.Request().Context(), principal(c), c.Param("id"))
	if err != nil {
		return err
	}
	out := endpointOf(x)
	out.Secret = newest(x.Secrets)
	return c.JSON(http.StatusOK, out)
}

func (a *door) listDeliveries(c echo.Context) error {
	q := queryOf(c)
	cursor, limit := q.text("cursor"), q.limit()
	if err := q.err(); err != nil {
		return err
	}
	items, next, err := a.Webhooks.Deliveries(c.Request().Context(), principal(c), c.Param("id"), cursor, limit)
	if err != nil {
		return err
	}
	return page(c, each(items, func(d store.Delivery) api.Delivery {
		return api.Delivery{ID: d.ID, Endpoint: d.Endpoint, Event: d.Event, State: d.State, Attempts: d.Attempts, NextAt: instant(d.NextAt),
			SentAt: instant(d.SentAt), LastStatus: positive(d.LastStatus), LastError: text(d.LastError), CreatedAt: instant(d.CreatedAt)}
	}), next)
}

func (a *door) redeliver(c echo.Context) error {
	in, err := decode[api.Redelivery](c, maxBody)
	if err != nil {
		return err
	}
	if err := a.Webhooks.Redeliver(c.Request().Context(), principal(c), c.Param("id"), in.Delivery); err != nil {
		return err
	}
	return c.NoContent(http.StatusAccepted)
}

func (a *door) listSources(c echo.Context) error {
	list, err := a.Webhooks.Sources(c.Request().Context(), principal(c))
	if err != nil {
		return err
	}
	return page(c, each(list, sourceOf), "")
}

func (a *door) addSource(c echo.Context) error {
	in, err := decode[api.NewSource](c, maxBody)
	if err != nil {
		return err
	}
	x, err := a.Webhooks.AddSource(c.Request().Context(), principal(c), in.Name)
	if err != nil {
		return err
	}
	out := sourceOf(x)
	out.Secret = newest(x.Secrets)
	return c.JSON(http.StatusCreated, out)
}

func (a *door) removeSource(c echo.Context) error {
	return done(c, a.Webhooks.RemoveSource(c.Request().Context(), principal(c), c.Param("id")))
}

func (a *door) rotateSource(c echo.Context) error {
	if _, err := decodeMaybe[api.Nothing](c); err != nil {
		return err
	}
	x, err := a.Webhooks.RotateSource(c.Request().Context(), principal(c), c.Param("id"))
	if err != nil {
		return err
	}
	out := sourceOf(x)
	out.Secret = newest(x.Secrets)
	return c.JSON(http.StatusOK, out)
}

// hook takes an event of a connected system. The signature is over the bytes as they came, so nothing reads them before.
func (a *door) hook(c echo.Context) error {
	tenant, err := dsr.ParseTenant(c.Param("tenant"))
	if err != nil {
		return err
	}
	body, err := readBody(c, maxBody)
	if err != nil {
		return err
	}
	if err := a.Intake.Hook(c.Request().Context(), tenant, c.Param("source"), c.Request().Header, body); err != nil {
		return err
	}
	return c.NoContent(http.StatusAccepted)
}

func newest(secrets []string) string {
	if len(secrets) == 0 {
		return ""
	}
	return secrets[0]
}

func endpointOf(e store.Endpoint) api.Endpoint {
	return api.Endpoint{ID: e.ID, URL: e.URL, Events: words(e.Events), Disabled: e.Disabled, CreatedAt: instant(e.CreatedAt)}
}

func sourceOf(s store.Source) api.Source {
	return api.Source{ID: s.ID, Name: s.Name, Disabled: s.Disabled, CreatedAt: instant(s.CreatedAt)}
}
