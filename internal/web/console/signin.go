package console

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/web/ui"
)

type signInBody struct {
	Token string // "": there is no good link
	Gone  bool
}

// askSignIn shows a button for a sign-in link; only the button uses it up.
func (s *console) askSignIn(c echo.Context) error {
	body, status := signInBody{Token: c.QueryParam("token")}, http.StatusOK
	if body.Token != "" {
		err := s.Sessions.PeekSignIn(c.Request().Context(), body.Token)
		switch {
		case fault.Is(err, fault.Internal), fault.Is(err, fault.Unavailable):
			return err
		case err != nil:
			body, status = signInBody{Gone: true}, http.StatusGone
		}
	}
	return s.showSignIn(c, status, body)
}

func (s *console) showSignIn(c echo.Context, status int, body signInBody) error {
	return s.pages.Render(c, status, "signin", ui.View{Lang: "en", Title: "Sign in", Brand: "Habeas", Now: s.Now(), Body: body})
}

func (s *console) signIn(c echo.Context) error {
	if ok, wait := s.Limits.Allow(c.Request().Context(), ui.LimitKey("signin", "", c.RealIP()), 20); !ok {
		err := fault.New(fault.TooMany, "too_many", "That was too often. Please try again a little later.")
		err.RetryAfter = wait
		return err
	}
	session, err := s.Sessions.SignIn(c.Request().Context(), c.FormValue("token"))
	switch {
	case fault.Is(err, fault.Internal), fault.Is(err, fault.Unavailable):
		return err
	case err != nil:
		return s.showSignIn(c, http.StatusGone, signInBody{Gone: true})
	}
	c.SetCookie(ui.Cookie(cookieName, session.Token, home, session.ExpiresAt, ui.Secure(s.PublicURL)))
	return c.Redirect(http.StatusSeeOther, home)
}

func (s *console) signOut(c echo.Context, o officer) error {
	if err := s.Sessions.SignOut(c.Request().Context(), o.session); err != nil {
		return err
	}
	c.SetCookie(ui.Cookie(cookieName, "", home, s.Now().AddDate(-1, 0, 0), ui.Secure(s.PublicURL)))
	return c.Redirect(http.StatusSeeOther, home+"/sign-in")
}
