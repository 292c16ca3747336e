package ui

import (
	"slices"

	"github.com/labstack/echo/v4"
	"golang.org/x/text/language"
)

// Language chooses the language of a page: ?lang=, else what the browser asks for, else the first that is offered. Only
// languages that have texts are chosen; no offer means all of them.
func Language(c echo.Context, offered []string) string {
	var can []string
	for _, o := range offered {
		if slices.Contains(Languages(), o) {
			can = append(can, o)
		}
	}
	if len(can) == 0 {
		can = Languages()
	}
	if asked := c.QueryParam("lang"); slices.Contains(can, asked) {
		return asked
	}
	header := c.Request().Header.Get("Accept-Language")
	if header == "" || len(header) > 1000 {
		return can[0]
	}
	wanted, _, err := language.ParseAcceptLanguage(header)
	if err != nil || len(wanted) == 0 {
		return can[0]
	}
	var tags []language.Tag
	for _, o := range can {
		tags = append(tags, language.Make(o))
	}
	_, i, confidence := language.NewMatcher(tags).Match(wanted...)
	if confidence == language.No {
		return can[0]
	}
	return can[i]
}

// Offered narrows the languages of a tenant to those that the pages have.
func Offered(languages []string) []string {
	var out []string
	for _, l := range languages {
		if slices.Contains(Languages(), l) {
			out = append(out, l)
		}
	}
	if len(out) == 0 {
		return []string{"en"}
	}
	return out
}
