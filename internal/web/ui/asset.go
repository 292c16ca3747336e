package ui

import (
	"crypto/sha256"
	_ "embed" // the style sheet
	"encoding/hex"
	"net/http"

	"github.com/labstack/echo/v4"
)

//go:embed assets/habeas.css
var style []byte

// StylePath gives the address of the style sheet. It holds a part of its hash, so that a changed one is fetched anew.
func StylePath() string { return "/assets/" + styleName() }

func styleName() string {
	sum := sha256.Sum256(style)
	return "habeas-" + hex.EncodeToString(sum[:6]) + ".css"
}

// Asset serves /assets/:file, which is the style sheet alone. It is the one answer that may be cached for long.
func Asset(c echo.Context) error {
	if c.Param("file") != styleName() {
		return echo.ErrNotFound
	}
	c.Response().Header().Set(echo.HeaderCacheControl, "public, max-age=31536000, immutable")
	return c.Blob(http.StatusOK, "text/css; charset=utf-8", style)
}
