package portal

import (
	"io"
	"mime/multipart"
	"net/http"
	"path/filepath"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/fulfill"
	"github.com/habeas-data/habeas/internal/web/ui"
)

// visit is a person at their own submission.
type visit struct {
	site
	ref     dsr.Reference
	session string
	person  access.Principal
}

// enter lets a person in who has the session of the reference. Without it ok is false.
func (s *portal) enter(c echo.Context) (v visit, ok bool, err error) {
	if v.site, err = s.site(c); err != nil {
		return v, false, err
	}
	if v.ref, err = dsr.ParseReference(c.Param("reference")); err != nil {
		return v, false, err
	}
	cookie, err := c.Cookie(cookieName)
	if err != nil || cookie.Value == "" {
		return v, false, nil
	}
	v.session = cookie.Value
	v.person, err = s.Proofs.Person(c.Request().Context(), v.tenant, string(v.ref), v.session)
	switch {
	case err == nil:
		v.person.Address = c.RealIP()
		return v, true, nil
	case fault.Is(err, fault.Unavailable), fault.Is(err, fault.Internal):
		return v, false, err
	}
	return v, false, nil
}

// act is enter for what a button does: it wants the form's token too.
func (s *portal) act(c echo.Context) (visit, error) {
	v, ok, err := s.enter(c)
	switch {
	case err != nil:
		return v, err
	case !ok:
		return v, fault.New(fault.Unauthorized, "no_session", "Please open the link of the mail again.")
	}
	return v, ui.CheckForm(c, v.session)
}

type statusBody struct {
	fulfill.PersonView
	Home      string
	Contents  bool
	Codes     bool   // a package can be fetched
	Wrong     string // what went wrong with a message or a code
	WrongAt   string // messages, downloads
	Draft     string // the message that was not sent
	CodeTried string
}

// status shows how things stand, or, to whoever has no session, how to get a link; of both, whatever the reference.
func (s *portal) status(c echo.Context) error {
	v, ok, err := s.enter(c)
	if err != nil {
		return err
	}
	if canonical := s.home(v.site, v.ref); c.Request().URL.Path != canonical {
		return c.Redirect(http.StatusSeeOther, canonical) // the cookie is for the exact address
	}
	if !ok {
		body := askBody{Action: s.home(v.site, v.ref) + "/link", Code: s.home(v.site, v.ref) + "/code", Reference: string(v.ref)}
		return s.pages.Render(c, http.StatusOK, "ask", s.view(c, v.site, s.pages.T(v.lang, "ask.title", "reference", v.ref), body))
	}
	return s.show(c, v, http.StatusOK, statusBody{})
}

func (s *portal) show(c echo.Context, v visit, status int, body statusBody) error {
	var err error
	if body.PersonView, err = s.Requests.Status(c.Request().Context(), v.person, v.ref); err != nil {
		return err
	}
	// The history is in the language of the request; the page around it speaks the same.
	if s.pages.Has(body.Language, "status.title") {
		v.lang = body.Language
	}
	body.Home = s.home(v.site, v.ref)
	for _, r := range body.Requests {
		body.Codes = body.Codes || r.Package != nil && r.Package.Available
	}
	view := s.view(c, v.site, s.pages.T(v.lang, "status.title", "reference", v.ref), body)
	view.Langs = nil
	view.Token, view.Leave = ui.FormToken(v.session), body.Home+"/leave"
	if done := c.QueryParam("done"); slices.Contains([]string{"withdrawn", "message", "code", "verified"}, done) && status == http.StatusOK {
		view.Notice = s.pages.T(v.lang, "done."+done)
	}
	return s.pages.Render(c, status, "status", view)
}

type withdrawBody struct {
	Home, Type string
	Rights     []string
	Stop       bool // it ends a running grace period
}

// askWithdraw asks once more. The question says what would be called back.
func (s *portal) askWithdraw(c echo.Context) error {
	v, ok, err := s.enter(c)
	if err != nil {
		return err
	}
	if !ok {
		return c.Redirect(http.StatusSeeOther, s.home(v.site, v.ref))
	}
	st, err := s.Requests.Status(c.Request().Context(), v.person, v.ref)
	if err != nil {
		return err
	}
	if s.pages.Has(st.Language, "withdraw.title") {
		v.lang = st.Language
	}
	body := withdrawBody{Home: s.home(v.site, v.ref), Type: c.QueryParam("type")}
	for _, r := range st.Requests {
		if right := string(r.Request.Right); r.CanWithdraw && (body.Type == "" || body.Type == right) {
			body.Rights = append(body.Rights, right)
			body.Stop = r.Request.Right == dsr.RightErasure && r.Request.Status == dsr.StatusInGrace
		}
	}
	if len(body.Rights) == 0 {
		return c.Redirect(http.StatusSeeOther, body.Home)
	}
	body.Stop = body.Stop && len(body.Rights) == 1
	title := "withdraw.title"
	if body.Stop {
		title = "withdraw.title.stop"
	}
	view := s.view(c, v.site, s.pages.T(v.lang, title), body)
	view.Langs, view.Token = nil, ui.FormToken(v.session)
	return s.pages.Render(c, http.StatusOK, "withdraw", view)
}

func (s *portal) withdraw(c echo.Context) error {
	v, err := s.act(c)
	if err != nil {
		return err
	}
	if _, err := s.Requests.WithdrawAsPerson(c.Request().Context(), v.person, v.ref, c.Request().PostForm["types"]); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, s.home(v.site, v.ref)+"?done=withdrawn")
}

func (s *portal) message(c echo.Context) error {
	v, err := s.act(c)
	if err != nil {
		return err
	}
	m := fulfill.Message{FromPerson: true, Body: strings.TrimSpace(strings.ReplaceAll(c.FormValue("body"), "\r\n", "\n"))}
	if m.Attachments, err = attached(c.Request().MultipartForm); err != nil {
		return err
	}
	err = ui.CheckLetter(m)
	if err == nil {
		err = s.Requests.MessageAsPerson(c.Request().Context(), v.person, v.ref, m)
	}
	if fault.Is(err, fault.Invalid) {
		return s.show(c, v, http.StatusBadRequest, statusBody{WrongAt: "messages", Wrong: s.sentence(v.lang, err), Draft: m.Body})
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, s.home(v.site, v.ref)+"?done=message")
}

// sentence gives what a person reads of an error at a field.
func (s *portal) sentence(lang string, err error) string {
	f, ok := fault.As(err)
	if !ok || lang != "en" {
		return s.pages.T(lang, "form.wrong.any")
	}
	if len(f.Fields) > 0 {
		return f.Fields[0].Name + " " + f.Fields[0].Message
	}
	return f.Message
}

// attached reads the files of a form. A file field that was left empty counts as none.
func attached(form *multipart.Form) ([]fulfill.Attachment, error) {
	if form == nil {
		return nil, nil
	}
	var out []fulfill.Attachment
	for _, h := range form.File["files"] {
		if h.Filename == "" && h.Size == 0 {
			continue
		}
		f, err := h.Open()
		if err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "unreadable_form", "A file did not arrive whole.")
		}
		data, err := io.ReadAll(io.LimitReader(f, ui.MaxFiles+1))
		f.Close()
		if err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "unreadable_form", "A file did not arrive whole.")
		}
		out = append(out, fulfill.Attachment{Name: filepath.Base(strings.ToValidUTF8(h.Filename, "_")), Type: h.Header.Get("Content-Type"), Data: data})
	}
	return out, nil
}

func (s *portal) sendCode(c echo.Context) error {
	v, err := s.act(c)
	if err != nil {
		return err
	}
	if err := s.Requests.SendDownloadCode(c.Request().Context(), v.person, v.ref); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, s.home(v.site, v.ref)+"?done=code#code")
}

func (s *portal) download(c echo.Context) error {
	v, err := s.act(c)
	if err != nil {
		return err
	}
	code := strings.Join(strings.Fields(c.FormValue("code")), "")
	d, err := s.Requests.Download(c.Request().Context(), v.person, v.ref, code, c.FormValue("type"))
	switch fault.KindOf(err) {
	case fault.Invalid, fault.Unauthorized, fault.Gone:
		if err != nil {
			return s.show(c, v, fault.HTTPStatus(fault.KindOf(err)), statusBody{WrongAt: "downloads", Wrong: s.badCode(v.lang, err), CodeTried: code})
		}
	case fault.Internal, fault.Forbidden, fault.NotFound, fault.Conflict, fault.TooMany, fault.Unavailable:
	}
	if err != nil {
		return err
	}
	return ui.SendZip(c, d)
}

func (s *portal) badCode(lang string, err error) string {
	if lang == "en" {
		return s.sentence(lang, err)
	}
	return s.pages.T(lang, "error.410.text")
}

// leave takes the cookie away, for whoever used a device of others.
func (s *portal) leave(c echo.Context) error {
	v, err := s.act(c)
	if err != nil {
		return err
	}
	home := s.home(v.site, v.ref)
	c.SetCookie(ui.Cookie(cookieName, "", home, s.Now().AddDate(-1, 0, 0), ui.Secure(s.PublicURL)))
	view := s.view(c, v.site, s.pages.T(v.lang, "ask.title", "reference", v.ref),
		askBody{Action: home + "/link", Code: home + "/code", Reference: string(v.ref)})
	view.Notice = s.pages.T(v.lang, "done.left")
	return s.pages.Render(c, http.StatusOK, "ask", view)
}
