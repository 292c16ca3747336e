package httpapi

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/habeas-data/habeas/api"
	"github.com/habeas-data/habeas/internal/fault"
)

func (a *door) healthz(c echo.Context) error {
	return c.JSON(http.StatusOK, api.Health{Status: "ok"})
}

// readyz tells whether requests can be stored; it asks neither for a worker nor for a product's database, since intake
// needs neither.
func (a *door) readyz(c echo.Context) error {
	if err := a.Ready(c.Request().Context()); err != nil {
		return fault.Wrap(err, fault.Unavailable, "not_ready", "Requests can't be taken at the moment.")
	}
	return c.JSON(http.StatusOK, api.Health{Status: "ready"})
}

func (a *door) spec(c echo.Context) error {
	return c.Blob(http.StatusOK, "application/yaml", api.Spec())
}
