package ui

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/fulfill"
)

// FormToken gives the token that the forms of a session carry: a hash of the session's secret, which another site can't
// know and from which the secret can't be had.
func FormToken(session string) string {
	sum := sha256.Sum256([]byte("habeas form\x00" + session))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// CheckForm refuses a POST whose form token is not that of the session.
func CheckForm(c echo.Context, session string) error {
	got := c.FormValue("form_token")
	if subtle.ConstantTimeCompare([]byte(got), []byte(FormToken(session))) != 1 {
		return fault.New(fault.Forbidden, "form_token", "This form is out of date. Please open the page again.")
	}
	return nil
}

// RefuseCrossSite refuses a POST that a browser says was caused by another site. Where a browser says nothing it lets
// it through: whatever acts for a session is guarded by CheckForm and SameSite as well, and the public form, which has
// no session, must work in old browsers. (http.CrossOriginProtection would compare Origin there, which our
// Referrer-Policy makes "null".)
func RefuseCrossSite(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		switch c.Request().Header.Get("Sec-Fetch-Site") {
		case "cross-site", "same-site":
			if c.Request().Method != http.MethodGet && c.Request().Method != http.MethodHead {
				return fault.New(fault.Forbidden, "cross_site", "This came from another site and was not done.")
			}
		}
		return next(c)
	}
}

// Secure tells whether cookies are for https alone: they are, unless our own address is plain http, which settings
// allow on loopback only.
func Secure(publicURL string) bool { return !strings.HasPrefix(publicURL, "http://") }

// Cookie makes a session cookie: for the server alone, and sent by other sites' links but never by their forms. A zero
// expires ends with the browser; an empty value takes the cookie away.
func Cookie(name, value, path string, expires time.Time, secure bool) *http.Cookie {
	c := &http.Cookie{Name: name, Value: value, Path: path, Expires: expires, HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode}
	if value == "" {
		c.MaxAge = -1
	}
	return c
}

// LimitKey names what a limit counts: a call on a tenant from a network, which is /32 of IPv4 and /64 of IPv6, the
// smallest that one household holds.
func LimitKey(call, tenant, address string) string {
	network := "unknown"
	if ip, err := netip.ParseAddr(address); err == nil {
		ip = ip.Unmap().WithZone("")
		bits := 32
		if ip.Is6() {
			bits = 64
		}
		if p, err := ip.Prefix(bits); err == nil {
			network = p.String()
		}
	}
	return call + "|" + tenant + "|" + network
}

// Limits of a letter.
const (
	MaxLetter      = 20_000  // bytes of its words
	MaxAttachments = 5       // files
	MaxFiles       = 4 << 20 // bytes of all its files
)

// CheckLetter holds a letter against its limits.
func CheckLetter(m fulfill.Message) error {
	var wrong []fault.Field
	if strings.TrimSpace(m.Body) == "" && len(m.Attachments) == 0 {
		wrong = append(wrong, fault.Field{Name: "body", Message: "is empty"})
	}
	if len(m.Body) > MaxLetter {
		wrong = append(wrong, fault.Field{Name: "body", Message: "must be at most 20,000 bytes long"})
	}
	if len(m.Attachments) > MaxAttachments {
		wrong = append(wrong, fault.Field{Name: "attachments", Message: "must be at most 5 files"})
	}
	size := 0
	for _, f := range m.Attachments {
		size += len(f.Data)
		if f.Name == "" || len(f.Name) > 200 {
			wrong = append(wrong, fault.Field{Name: "attachments", Message: "every file needs a name of at most 200 bytes"})
		}
	}
	if size > MaxFiles {
		wrong = append(wrong, fault.Field{Name: "attachments", Message: "must be at most 4 MiB together"})
	}
	return fault.BadInput(wrong)
}

// BadText tells whether a form holds what no text of ours may hold: broken UTF-8 or U+0000. It gives the field's name.
func BadText(form url.Values) (string, bool) {
	for name, values := range form {
		for _, s := range values {
			if strings.ToValidUTF8(s, "\x00") != s || strings.ContainsRune(s, 0) {
				return name, true
			}
		}
	}
	return "", false
}
