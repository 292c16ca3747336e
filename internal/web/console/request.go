package console

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/fulfill"
	"github.com/habeas-data/habeas/internal/plan"
	"github.com/habeas-data/habeas/internal/statute"
	"github.com/habeas-data/habeas/internal/web/ui"
)

type requestBody struct {
	fulfill.OfficerView
	Row         row
	SiblingRows []row
	Clock       *statute.Clock
	Home        string
	Email       string // masked, unless Revealed
	Name        string
	Revealed    bool
	Rows        int64 // of the plan
	Share       int   // percent of the time to the legal date that is gone
	Me          string
	Mine        bool
	CanReveal   bool
	CanReview   bool
	CanCertify  bool
	Grounds     []dsr.DenyGround
	Open        string // the act whose form was sent and is wrong
	Wrong       string
	Allowed     []string
	In          map[string]string // what was entered in it
}

// Can tells whether an act is possible now for whoever looks.
func (b requestBody) Can(act string) bool { return slices.Contains(b.Possible, act) }

// Entered gives what was entered into a field of the form that was wrong.
func (b requestBody) Entered(act, field string) string {
	if act != b.Open {
		return ""
	}
	return b.In[field]
}

func (s *console) request(c echo.Context, o officer) error {
	return s.showRequest(c, o, http.StatusOK, requestBody{})
}

func (s *console) showRequest(c echo.Context, o officer, status int, body requestBody) error {
	id, err := dsr.ParseRequestID(c.Param("id"))
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	if body.OfficerView, err = s.Requests.Request(ctx, o.Principal, id); err != nil {
		return err
	}
	clock, err := s.Requests.Clock(ctx, o.Principal, id)
	if err == nil {
		body.Clock = &clock
	} else if !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.NotFound) { // those: no law with a clock for it
		return err
	}
	title := "Request " + string(body.Request.Reference) + ": " + ui.Words(body.Request.Right)
	view := s.view(c, o, title, nil)
	fill(&body, o, view)
	if done := c.QueryParam("done"); status == http.StatusOK && c.Request().Method != http.MethodPost {
		view.Notice = acts()[done].done
	}
	view.Body = body
	return s.pages.Render(c, status, "request", view)
}

// fill works out what the page shows beside the view itself.
func fill(b *requestBody, o officer, v ui.View) {
	b.Home = home + "/requests/" + string(b.Request.ID)
	b.Row, b.SiblingRows = rowOf(v, b.Request), rows(v, b.Siblings)
	b.Me, b.Mine = o.Subject, b.Request.Assignee == o.Subject
	b.Grounds = dsr.DenyGrounds()
	b.Share = min(max(int(b.ShareOfDue*100), 0), 999)
	b.CanReveal = b.Submission.Person.Email != "" && o.Can(access.MessageRead)
	b.CanReview = b.Package != nil && o.Can(access.PackageReview)
	b.CanCertify = b.Request.Status == dsr.StatusFulfilled && o.Can(access.CertificateRead)
	b.Email, b.Name = mask(b.Submission.Person.Email), maskName(b.Submission.Person.Name)
	if b.Revealed {
		b.Email, b.Name = b.Submission.Person.Email, b.Submission.Person.Name
	}
	if b.Plan != nil {
		for _, st := range b.Plan.Steps {
			b.Rows += st.Rows
		}
	}
}

// StepText says what a step does to its rows.
func (b requestBody) StepText(a plan.Action) string {
	switch a {
	case plan.ActionCollect:
		return "handed over"
	case plan.ActionDelete:
		return "deleted"
	case plan.ActionAnonymize:
		return "kept without the person"
	case plan.ActionRedact:
		return "partly anonymized now"
	case plan.ActionRetain:
		return "kept, deleted later"
	case plan.ActionKeep:
		return "stays"
	case plan.ActionUnlink:
		return "references of others cleared"
	case plan.ActionRectify:
		return "corrected"
	case plan.ActionSuppress:
		return "put on the suppression list"
	case plan.ActionAnswer:
		return "answered by letter"
	}
	return ui.Words(a)
}

// mask shows enough of an address to tell two apart over a shoulder and not enough to write to it.
func mask(email string) string {
	local, domain, ok := strings.Cut(email, "@")
	if !ok {
		if email == "" {
			return ""
		}
		return "•••"
	}
	first := []rune(local)
	if len(first) > 1 {
		first = first[:1]
	}
	return string(first) + "•••@" + domain
}

func maskName(name string) string {
	parts := strings.Fields(name)
	for i, p := range parts {
		parts[i] = string([]rune(p)[:1]) + "•••"
	}
	return strings.Join(parts, " ")
}

// reveal shows address and name in the clear, once, after it was recorded who looked.
func (s *console) reveal(c echo.Context, o officer) error {
	id, err := dsr.ParseRequestID(c.Param("id"))
	if err != nil {
		return err
	}
	if err := o.Check(access.MessageRead); err != nil {
		return err
	}
	if s.Reveal != nil {
		if err := s.Reveal(c.Request().Context(), o.Principal, id); err != nil {
			return err
		}
	}
	return s.showRequest(c, o, http.StatusOK, requestBody{Revealed: true})
}

// reviewPackage sends the package to an officer; the log says who looked.
func (s *console) reviewPackage(c echo.Context, o officer) error {
	id, err := dsr.ParseRequestID(c.Param("id"))
	if err != nil {
		return err
	}
	d, err := s.Requests.OpenPackage(c.Request().Context(), o.Principal, id)
	if err != nil {
		return err
	}
	return ui.SendZip(c, d)
}

func (s *console) certificate(c echo.Context, o officer) error {
	id, err := dsr.ParseRequestID(c.Param("id"))
	if err != nil {
		return err
	}
	x, err := s.Requests.Certificate(c.Request().Context(), o.Principal, id)
	if err != nil {
		return err
	}
	return s.pages.Render(c, http.StatusOK, "certificate", s.view(c, o, "Certificate of "+string(x.Reference), x))
}

// attachment hands out a file that came with a message, as bytes to be saved and never shown: a stranger sent it.
func (s *console) attachment(c echo.Context, o officer) error {
	id, err := dsr.ParseRequestID(c.Param("id"))
	if err != nil {
		return err
	}
	v, err := s.Requests.Request(c.Request().Context(), o.Principal, id)
	if err != nil {
		return err
	}
	m, errM := strconv.Atoi(c.Param("message"))
	f, errF := strconv.Atoi(c.Param("file"))
	if errM != nil || errF != nil || m < 0 || f < 0 || m >= len(v.Messages) || f >= len(v.Messages[m].Attachments) {
		return echo.ErrNotFound
	}
	file := v.Messages[m].Attachments[f]
	h := c.Response().Header()
	h.Set(echo.HeaderContentDisposition, `attachment; filename="`+ui.FileName(file.Name)+`"`)
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox; frame-ancestors 'none'")
	return c.Blob(http.StatusOK, echo.MIMEOctetStream, file.Data)
}
