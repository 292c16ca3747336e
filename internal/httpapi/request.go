package httpapi

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/habeas-data/habeas/api"
	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/fulfill"
	"github.com/habeas-data/habeas/internal/intake"
)

func (a *door) createRequest(c echo.Context) error {
	in, err := decode[api.NewRequest](c, maxBody)
	if err != nil {
		return err
	}
	p := principal(c)
	input, err := officerInput(in, p)
	if err != nil {
		return err
	}
	r, err := a.Intake.Submit(c.Request().Context(), p, dsr.TenantID(p.Tenant), input)
	if err != nil {
		return err
	}
	if len(r.Requests) == 1 {
		c.Response().Header().Set(echo.HeaderLocation, "/v1/requests/"+string(r.Requests[0].ID))
	}
	return c.JSON(http.StatusCreated, api.Created{Reference: string(r.Reference), Requests: each(r.Requests, requestOf)})
}

// officerInput adds what only officers and backends may say.
func officerInput(in api.NewRequest, p access.Principal) (intake.Input, error) {
	out := inputOf(in.NewSubmission)
	out.Subject, out.Channel, out.Org = in.Subject, in.Channel, in.Org
	if out.Channel == "" {
		out.Channel = string(dsr.ChannelAPI)
		if p.Kind == access.KindProduct {
			out.Channel = string(dsr.ChannelProduct)
		}
	}
	var wrong []fault.Field
	when := func(name, s string) time.Time {
		t, err := time.Parse(time.RFC3339, s)
		if err != nil {
			wrong = append(wrong, fault.Field{Name: name, Message: "must be a time of the form 2026-11-02T09:00:00Z"})
		}
		return t.UTC()
	}
	if in.ReceivedAt != nil {
		out.ReceivedAt = when("received_at", *in.ReceivedAt)
	}
	if in.Assertion != nil {
		out.Assertion = &intake.Assertion{Method: in.Assertion.Method, AuthenticatedAt: when("assertion.authenticated_at", in.Assertion.AuthenticatedAt)}
	}
	return out, fault.BadInput(wrong)
}

func (a *door) listRequests(c echo.Context) error {
	q := queryOf(c)
	f := fulfill.Filter{
		Status: q.words("status", isStatus, statusWords()), Types: q.words("type", isRight, rightWords()),
		DueBefore: q.date("due_before"), Assignee: q.text("assignee"), Reference: q.text("reference"), Query: q.text("q"),
		Attention: q.oneOf("needs_attention", "true", "false") == "true",
		Sort:      q.oneOf("sort", "due", "-due", "received", "-received"), Cursor: q.text("cursor"), Limit: q.limit(),
	}
	if err := q.err(); err != nil {
		return err
	}
	items, next, err := a.Requests.List(c.Request().Context(), principal(c), f)
	if err != nil {
		return err
	}
	return page(c, each(items, requestOf), next)
}

// view reads the request of the path as the caller may see it.
func (a *door) view(c echo.Context) (fulfill.OfficerView, error) {
	id, err := dsr.ParseRequestID(c.Param("id"))
	if err != nil {
		return fulfill.OfficerView{}, err
	}
	return a.Requests.Request(c.Request().Context(), principal(c), id)
}

func (a *door) getRequest(c echo.Context) error {
	v, err := a.view(c)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, detailOf(v))
}

func (a *door) getNotes(c echo.Context) error {
	if err := principal(c).Check(access.NoteRead); err != nil {
		return err
	}
	v, err := a.view(c)
	if err != nil {
		return err
	}
	return page(c, each(v.Notes, func(n fulfill.Note) api.Note { return api.Note{At: instant(n.At), By: n.By, Body: n.Body} }), "")
}

func (a *door) getMessages(c echo.Context) error {
	if err := principal(c).Check(access.MessageRead); err != nil {
		return err
	}
	v, err := a.view(c)
	if err != nil {
		return err
	}
	return page(c, each(v.Messages, messageOf), "")
}

func (a *door) getEvents(c echo.Context) error {
	return read(c, a.Requests.Events, func(c echo.Context, list []fulfill.EventView) error {
		return page(c, each(list, func(e fulfill.EventView) api.Event {
			return api.Event{At: instant(e.At), Name: e.Name, From: text(string(e.From)), To: text(string(e.To)),
				Actor: api.Actor{Kind: e.Kind, By: e.By}, Facts: facts(e.Facts)}
		}), "")
	})
}

func requestOf(r dsr.Request) api.Request {
	return api.Request{ID: string(r.ID), Reference: string(r.Reference), Type: string(r.Right), Status: string(r.Status),
		ReceivedAt: instant(r.ReceivedAt), AcknowledgeBy: date(r.AcknowledgeBy), DueOn: date(r.DueOn),
		DueOnConservative: date(r.DueOnConservative), ExtendedUntil: date(r.ExtendedUntil), AnsweredAt: instant(r.AnsweredAt),
		GraceEndsAt: instant(r.GraceEndsAt), ClockPaused: r.ClockPaused, OnHold: r.OnHold, AwaitingCtrl: r.AwaitingController,
		NeedsAttention: r.NeedsAttention != "", AttentionReason: text(r.NeedsAttention), Assignee: text(r.Assignee),
		PlanDigest: text(r.PlanDigest), DenyGround: text(string(r.DenyGround)), UpdatedAt: instant(r.UpdatedAt)}
}

func detailOf(v fulfill.OfficerView) api.RequestDetail {
	out := api.RequestDetail{Request: requestOf(v.Request), Decision: text(v.Request.Decision), VerifiedAt: instant(v.Submission.VerifiedAt),
		Changes:  each(v.Request.Changes, func(x dsr.Change) api.Change { return api.Change{Field: x.Field, To: x.To} }),
		Siblings: each(v.Siblings, requestOf), Possible: words(v.Possible), ApprovedBy: each(v.Approvals, approvalOf),
		Approvals: api.Approvals{Have: len(v.Approvals), Need: v.Need},
		Proofs: each(v.Submission.Proofs, func(p dsr.Proof) api.Proof {
			return api.Proof{Identifier: p.Identifier, Method: p.Method, At: instant(p.At)}
		}),
		Holds: each(v.Holds, func(h fulfill.HoldView) api.Hold {
			return api.Hold{ID: h.ID, Reason: h.Reason, PlacedAt: instant(h.PlacedAt), Until: date(h.Until), ReleasedAt: instant(h.ReleasedAt)}
		}),
		Findings: each(v.Findings, func(f fulfill.FindingView) api.Finding {
			return api.Finding{System: f.System, Table: f.Table, Column: f.Column, Kind: f.Kind, Rows: f.Rows}
		})}
	s := v.Submission
	out.Jurisdiction, out.Language, out.Channel, out.PolicyVersion = s.Jurisdiction, s.Language, string(s.Channel), s.PolicyVersion
	if v.Plan != nil {
		out.Withheld = each(v.Plan.Withheld, withheldOf)
	}
	if v.Package != nil {
		out.Package = packageOf(*v.Package)
	}
	if s.Person.Email != "" || s.Person.Name != "" || len(s.Person.Identifiers) > 0 {
		out.Person = &api.Person{Email: s.Person.Email, Name: s.Person.Name, Identifiers: facts(s.Person.Identifiers), Message: s.Person.Message}
		if o := s.Person.OnBehalfOf; o != nil {
			out.Person.OnBehalfOf = &api.OnBehalfOf{Relation: o.Relation, Name: o.Name, Email: o.Email}
		}
	}
	return out
}

func approvalOf(x fulfill.ApprovalView) api.Approval {
	return api.Approval{Role: x.Role, By: x.By, At: instant(x.At), Note: x.Note}
}
