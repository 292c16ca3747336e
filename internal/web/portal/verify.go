package portal

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/verify"
	"github.com/habeas-data/habeas/internal/web/ui"
)

type verifyBody struct {
	Action, Token, Reference string
	Rights                   []string
}

// verify shows what a link stands for. It only looks: the button acts.
func (s *portal) verify(c echo.Context) error {
	at, err := s.site(c)
	if err != nil {
		return err
	}
	token := c.QueryParam("token")
	p, err := s.Proofs.Peek(c.Request().Context(), at.tenant, token)
	if fault.Is(err, fault.Gone) || fault.Is(err, fault.NotFound) || fault.Is(err, fault.Invalid) {
		return s.linkGone(c, at)
	}
	if err != nil {
		return err
	}
	if c.QueryParam("lang") == "" && s.pages.Has(p.Language, "verify.title") {
		at.lang = p.Language
	}
	body := verifyBody{Action: "/" + string(at.tenant) + "/verify", Token: token, Reference: string(p.Reference)}
	for _, r := range p.Rights {
		body.Rights = append(body.Rights, string(r))
	}
	return s.pages.Render(c, http.StatusOK, "verify", s.view(c, at, s.pages.T(at.lang, "verify.title"), body))
}

func (s *portal) linkGone(c echo.Context, at site) error {
	body := askBody{Action: "/" + string(at.tenant) + "/r" + langQuery(at), WithReference: true, Gone: true}
	return s.pages.Render(c, http.StatusGone, "ask", s.view(c, at, s.pages.T(at.lang, "verify.gone"), body))
}

// confirm uses a link, once, and lets the person in.
func (s *portal) confirm(c echo.Context) error {
	at, err := s.site(c)
	if err != nil {
		return err
	}
	session, err := s.Proofs.RedeemLink(c.Request().Context(), at.tenant, c.FormValue("token"))
	if fault.Is(err, fault.Gone) || fault.Is(err, fault.NotFound) || fault.Is(err, fault.Unauthorized) {
		return s.linkGone(c, at)
	}
	if err != nil {
		return err
	}
	return s.letIn(c, at, session)
}

// code uses the six digits of a mail beside the reference.
func (s *portal) code(c echo.Context) error {
	at, err := s.site(c)
	if err != nil {
		return err
	}
	ref, err := dsr.ParseReference(c.Param("reference"))
	if err != nil {
		return err
	}
	session, err := s.Proofs.RedeemCode(c.Request().Context(), at.tenant, string(ref), c.FormValue("code"))
	if err != nil {
		return err
	}
	return s.letIn(c, at, session)
}

// letIn sets the session for this one submission: another one of the same person has a cookie of its own.
func (s *portal) letIn(c echo.Context, at site, session verify.Session) error {
	home := s.home(at, session.Reference)
	c.SetCookie(ui.Cookie(cookieName, session.AccessToken, home, session.ExpiresAt, ui.Secure(s.PublicURL)))
	return c.Redirect(http.StatusSeeOther, home+"?done=verified")
}

type askBody struct {
	Action, Reference, Code   string
	WithReference, Gone, Sent bool
	Wrong                     string
}

// find asks for a reference, for whoever has it on paper.
func (s *portal) find(c echo.Context) error {
	at, err := s.site(c)
	if err != nil {
		return err
	}
	body := askBody{Action: "/" + string(at.tenant) + "/r" + langQuery(at), WithReference: true}
	return s.pages.Render(c, http.StatusOK, "ask", s.view(c, at, s.pages.T(at.lang, "ask.find"), body))
}

// open sends a new link for a reference that was typed in.
func (s *portal) open(c echo.Context) error {
	return s.resend(c, c.FormValue("reference"))
}

// link sends a new link for the reference of the address.
func (s *portal) link(c echo.Context) error {
	return s.resend(c, c.Param("reference"))
}

// resend gives everybody the same answer, whether or not reference and address belong together or exist at all.
func (s *portal) resend(c echo.Context, reference string) error {
	at, err := s.site(c)
	if err != nil {
		return err
	}
	if ref, err := dsr.ParseReference(reference); err == nil {
		err := s.Proofs.Resend(c.Request().Context(), at.tenant, string(ref), c.FormValue("email"))
		switch fault.KindOf(err) {
		case fault.Internal, fault.Unavailable:
			if err != nil {
				return err // says nothing about anybody
			}
		case fault.Invalid, fault.Unauthorized, fault.Forbidden, fault.NotFound, fault.Conflict, fault.Gone, fault.TooMany:
		}
	}
	return s.pages.Render(c, http.StatusOK, "ask", s.view(c, at, s.pages.T(at.lang, "ask.find"), askBody{Sent: true}))
}
