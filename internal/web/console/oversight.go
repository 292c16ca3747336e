package console

import (
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/auditlog"
	"github.com/habeas-data/habeas/internal/fulfill"
	"github.com/habeas-data/habeas/internal/statute"
	"github.com/habeas-data/habeas/internal/store"
)

type obligationsBody struct {
	Items       []fulfill.Obligation
	State, Next string
}

func (s *console) obligations(c echo.Context, o officer) error {
	body := obligationsBody{State: c.QueryParam("state")}
	if !slices.Contains([]string{"open", "done", "failed"}, body.State) {
		body.State = "open"
	}
	var next string
	var err error
	body.Items, next, err = s.Requests.Obligations(c.Request().Context(), o.Principal, body.State, statute.Date{}, c.QueryParam("cursor"), pageSize)
	if err != nil {
		return err
	}
	if next != "" {
		body.Next = home + "/obligations?" + url.Values{"state": {body.State}, "cursor": {next}}.Encode()
	}
	return s.pages.Render(c, http.StatusOK, "obligations", s.view(c, o, "Obligations", body))
}

type auditBody struct {
	Report  auditlog.Report
	Entries []store.AuditRecord
	Next    string
}

func (s *console) audit(c echo.Context, o officer) error {
	ctx := c.Request().Context()
	list, next, err := s.Log.Entries(ctx, o.Principal, store.AuditFilter{Cursor: c.QueryParam("cursor"), Limit: pageSize})
	if err != nil {
		return err
	}
	report, err := s.Log.Check(ctx, o.Principal)
	if err != nil {
		return err
	}
	body := auditBody{Report: report, Entries: list}
	if next != "" {
		body.Next = home + "/audit?" + url.Values{"cursor": {next}}.Encode()
	}
	return s.pages.Render(c, http.StatusOK, "audit", s.view(c, o, "Audit log", body))
}

func (s *console) settings(c echo.Context, o officer) error {
	if err := o.Check(access.SettingsRead); err != nil {
		return err
	}
	x, err := s.Settings(c.Request().Context(), o.Principal)
	if err != nil {
		return err
	}
	return s.pages.Render(c, http.StatusOK, "settings", s.view(c, o, "Settings", x))
}

type mailboxBody struct {
	Mails []store.OutMail
	Next  string
}

func (s *console) mailbox(c echo.Context, o officer) error {
	list, next, err := s.Mailbox.Mailbox(c.Request().Context(), o.Principal, c.QueryParam("cursor"))
	if err != nil {
		return err
	}
	body := mailboxBody{Mails: list}
	if next != "" {
		body.Next = home + "/mailbox?" + url.Values{"cursor": {next}}.Encode()
	}
	return s.pages.Render(c, http.StatusOK, "mailbox", s.view(c, o, "Mailbox", body))
}

// find looks for a mail among the newest thousand: the mailbox is for demonstrations.
func (s *console) find(c echo.Context, o officer) (store.OutMail, error) {
	cursor := ""
	for range 20 {
		list, next, err := s.Mailbox.Mailbox(c.Request().Context(), o.Principal, cursor)
		if err != nil {
			return store.OutMail{}, err
		}
		for _, m := range list {
			if m.ID == c.Param("id") {
				return m, nil
			}
		}
		if next == "" {
			break
		}
		cursor = next
	}
	return store.OutMail{}, echo.ErrNotFound
}

type mailBody struct {
	store.OutMail
	Linked template.HTML // the text part with links of ours
	Frame  string        // address of the HTML part; "": there is none
}

func (s *console) mail(c echo.Context, o officer) error {
	m, err := s.find(c, o)
	if err != nil {
		return err
	}
	body := mailBody{OutMail: m, Linked: s.link(m.Text)}
	if m.HTML != "" {
		body.Frame = home + "/mailbox/" + m.ID + "/html"
		h := c.Response().Header()
		h.Set("Content-Security-Policy", h.Get("Content-Security-Policy")+"; frame-src 'self'")
	}
	return s.pages.Render(c, http.StatusOK, "mail", s.view(c, o, m.Subject, body))
}

// mailHTML is the HTML part of a mail for the frame on its page: without scripts, forms or anything fetched, and in an
// origin of its own, whatever it holds.
func (s *console) mailHTML(c echo.Context, o officer) error {
	m, err := s.find(c, o)
	if err != nil {
		return err
	}
	h := c.Response().Header()
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'")
	h.Set("X-Frame-Options", "SAMEORIGIN")
	return c.HTML(http.StatusOK, m.HTML)
}

// link makes links of the addresses of ours that stand in a text; everything is escaped.
func (s *console) link(text string) template.HTML {
	base := strings.TrimRight(s.PublicURL, "/") + "/"
	var b strings.Builder
	for line := range strings.Lines(text) {
		word := strings.TrimSpace(line)
		if base != "/" && strings.HasPrefix(word, base) && !strings.ContainsAny(word, " \t\"'<>") {
			safe := template.HTMLEscapeString(word)
			b.WriteString(`<a href="` + safe + `">` + safe + "</a>\n")
			continue
		}
		b.WriteString(template.HTMLEscapeString(line))
	}
	return template.HTML(b.String()) //nolint:gosec // every part was escaped above
}
