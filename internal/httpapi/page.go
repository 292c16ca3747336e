package httpapi

import (
	"embed"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/habeas-data/habeas/api"
	"github.com/habeas-data/habeas/internal/web/ui"
)

//go:embed pages/*.html
var docFiles embed.FS

// failBody is what the page for errors shows.
type failBody struct {
	Text, Detail, ID string
	Allowed          []string
}

// failPage answers a browser. The sentence of the error itself is in English and shown in English pages alone.
func (a *door) failPage(c echo.Context, p api.Problem) error {
	lang := ui.Language(c, nil)
	key := "error." + strconv.Itoa(p.Status)
	if !a.errors.Has("en", key+".title") {
		key = "error.500"
		if p.Status < 500 {
			key = "error.400"
		}
	}
	body := failBody{Text: a.errors.T(lang, key+".text")}
	if lang == "en" && p.Status != 404 && p.Status != 405 && p.Status < 500 {
		body.Text, body.Allowed = p.Detail, p.Allowed
		for _, e := range p.Errors {
			body.Detail += e.Name + ": " + e.Message + ". "
		}
	}
	if p.Status >= 500 {
		body.ID = requestID(c)
	}
	return a.errors.Render(c, p.Status, "error", ui.View{Lang: lang, Title: a.errors.T(lang, key+".title"), Now: a.Now(), Body: body})
}
