package httpapi

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/habeas-data/habeas/api"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/fulfill"
	"github.com/habeas-data/habeas/internal/intake"
	"github.com/habeas-data/habeas/internal/verify"
	"github.com/habeas-data/habeas/internal/web/ui"
)

func (a *door) getForm(c echo.Context) error {
	tenant, err := dsr.ParseTenant(c.Param("tenant"))
	if err != nil {
		return err
	}
	f, err := a.Intake.Form(c.Request().Context(), tenant)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, formOf(f))
}

func (a *door) submit(c echo.Context) error {
	in, err := decode[api.NewSubmission](c, maxBody)
	if err != nil {
		return err
	}
	p := principal(c)
	input := inputOf(in)
	input.Channel = string(dsr.ChannelForm)
	r, err := a.Intake.Submit(c.Request().Context(), p, dsr.TenantID(p.Tenant), input)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, api.Receipt{Reference: string(r.Reference), Requests: each(r.Requests, receiptItem)})
}

func (a *door) verify(c echo.Context) error {
	tenant, err := dsr.ParseTenant(c.Param("tenant"))
	if err != nil {
		return err
	}
	in, err := decode[api.NewVerification](c, maxBody)
	if err != nil {
		return err
	}
	var s verify.Session
	switch {
	case in.Token != "" && in.Reference == "" && in.Code == "":
		s, err = a.Proofs.RedeemLink(c.Request().Context(), tenant, in.Token)
	case in.Token == "" && in.Reference != "" && in.Code != "":
		s, err = a.Proofs.RedeemCode(c.Request().Context(), tenant, in.Reference, in.Code)
	default:
		err = fault.BadInput([]fault.Field{{Name: "token", Message: "give either token, or reference with code"}})
	}
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, api.Verification{Reference: string(s.Reference), Requests: each(s.Requests, receiptItem),
		AccessToken: s.AccessToken, ExpiresAt: instant(s.ExpiresAt)})
}

// own gives the reference that the person's token was checked for.
func own(c echo.Context) dsr.Reference {
	ref, _ := dsr.ParseReference(c.Param("reference")) // the middleware has read it before
	return ref
}

func (a *door) getStatus(c echo.Context) error {
	v, err := a.Requests.Status(c.Request().Context(), principal(c), own(c))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, statusOf(v))
}

func (a *door) withdrawAsPerson(c echo.Context) error {
	in, err := decodeMaybe[api.NewWithdrawal](c)
	if err != nil {
		return err
	}
	v, err := a.Requests.WithdrawAsPerson(c.Request().Context(), principal(c), own(c), in.Types)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, statusOf(v))
}

func (a *door) messageAsPerson(c echo.Context) error {
	m, err := letter(c)
	if err != nil {
		return err
	}
	m.FromPerson = true
	if err := a.Requests.MessageAsPerson(c.Request().Context(), principal(c), own(c), m); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// letter reads a message with its attachments.
func letter(c echo.Context) (fulfill.Message, error) {
	in, err := decode[api.NewMessage](c, maxLetter)
	if err != nil {
		return fulfill.Message{}, err
	}
	m := fulfill.Message{Body: in.Body}
	for _, f := range in.Attachments {
		m.Attachments = append(m.Attachments, fulfill.Attachment{Name: f.Name, Type: f.Type, Data: f.Data})
	}
	return m, ui.CheckLetter(m)
}

func (a *door) sendDownloadCode(c echo.Context) error {
	if _, err := decodeMaybe[api.Nothing](c); err != nil {
		return err
	}
	if err := a.Requests.SendDownloadCode(c.Request().Context(), principal(c), own(c)); err != nil {
		return err
	}
	return c.NoContent(http.StatusAccepted)
}

func (a *door) download(c echo.Context) error {
	in, err := decode[api.NewDownload](c, maxBody)
	if err != nil {
		return err
	}
	if in.Type != "" && !isRight(in.Type) {
		return fault.BadInput([]fault.Field{{Name: "type", Message: "must be one of " + rightWords()}})
	}
	d, err := a.Requests.Download(c.Request().Context(), principal(c), own(c), in.Code, in.Type)
	if err != nil {
		return err
	}
	return ui.SendZip(c, d)
}

func formOf(f intake.Form) api.Form {
	out := api.Form{Tenant: string(f.Tenant), Controller: f.Controller, Contact: f.Contact, PolicyVersion: f.PolicyVersion,
		Rights: each(f.Rights, func(r dsr.Right) string { return string(r) }), Languages: words(f.Languages),
		Jurisdictions: words(f.Jurisdictions), Identifiers: words(f.Identifiers),
		Fields: each(f.Fields, func(x intake.FormField) api.FormField {
			return api.FormField{Name: x.Name, Required: x.Required, MaxLength: positive(x.Max)}
		})}
	out.MinimumAge = positive(f.MinimumAge)
	return out
}

func positive(n int) *int {
	if n <= 0 {
		return nil
	}
	return &n
}

func inputOf(in api.NewSubmission) intake.Input {
	out := intake.Input{Types: in.Types, Email: in.Email, Name: in.Name, Identifiers: in.Identifiers,
		Jurisdiction: in.Jurisdiction, Language: in.Language, Message: in.Message}
	for _, ch := range in.Changes {
		out.Changes = append(out.Changes, dsr.Change{Field: ch.Field, To: ch.To})
	}
	if o := in.OnBehalfOf; o != nil {
		out.OnBehalfOf = &dsr.Represented{Relation: o.Relation, Name: o.Name, Email: o.Email}
	}
	return out
}

func receiptItem(r dsr.Request) api.ReceiptItem {
	return api.ReceiptItem{Type: string(r.Right), Status: string(r.Status), AcknowledgeBy: date(r.AcknowledgeBy), DueOn: date(r.DueOn)}
}

func statusOf(v fulfill.PersonView) api.PersonStatus {
	return api.PersonStatus{Reference: string(v.Reference), Controller: v.Controller, Contact: v.Contact, Language: v.Language,
		ReceivedAt: instant(v.ReceivedAt), Verified: v.Verified, Requests: each(v.Requests, personRequest), Messages: each(v.Messages, messageOf)}
}

func personRequest(r fulfill.PersonRequest) api.PersonRequest {
	q := r.Request
	out := api.PersonRequest{Type: string(q.Right), Status: string(q.Status), StatusText: r.StatusText, ReceivedAt: instant(q.ReceivedAt),
		AcknowledgeBy: date(q.AcknowledgeBy), DueOn: date(q.DueOn), ExtendedUntil: date(q.ExtendedUntil), AnsweredAt: instant(q.AnsweredAt),
		GraceEndsAt: instant(q.GraceEndsAt), ClockPaused: q.ClockPaused, CanWithdraw: r.CanWithdraw, Decision: text(r.Decision),
		History: each(r.History, func(h fulfill.HistoryItem) api.HistoryItem { return api.HistoryItem{At: instant(h.At), Text: h.Text} }),
		// Names of systems and tables are for officers.
		Kept: each(r.Kept, func(k fulfill.Kept) api.Kept {
			return api.Kept{What: k.What, Why: k.Why, Rows: k.Rows, Until: date(k.Until)}
		})}
	if r.NextText != "" {
		out.Next = &api.Next{Text: r.NextText, On: date(r.NextOn)}
	}
	if r.Package != nil {
		out.Package = packageOf(*r.Package)
	}
	return out
}

func packageOf(p fulfill.PackageView) *api.Package {
	return &api.Package{Size: p.Size, Rows: p.Rows, SHA256: p.SHA256, MadeAt: instant(p.MadeAt), ExpiresAt: instant(p.ExpiresAt),
		Downloads: p.Downloads, Available: p.Available, NeedsReview: p.NeedReview,
		Files: each(p.Files, func(f fulfill.PackageFile) api.PackageFile {
			return api.PackageFile{Path: f.Path, Rows: f.Rows, SHA256: f.SHA256}
		})}
}

func messageOf(m fulfill.Message) api.Message {
	from := "controller"
	if m.FromPerson {
		from = "person"
	}
	return api.Message{At: instant(m.At), From: from, Body: m.Body, Attachments: each(m.Attachments, func(f fulfill.Attachment) api.Attachment {
		return api.Attachment{Name: f.Name, Type: f.Type, Size: len(f.Data)}
	})}
}
