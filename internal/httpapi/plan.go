package httpapi

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/habeas-data/habeas/api"
	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fulfill"
	"github.com/habeas-data/habeas/internal/plan"
	"github.com/habeas-data/habeas/internal/statute"
)

// read answers a GET about the request of the path: the use case get, encoded by send.
func read[T any](c echo.Context, get func(context.Context, access.Principal, dsr.RequestID) (T, error), send func(echo.Context, T) error) error {
	id, err := dsr.ParseRequestID(c.Param("id"))
	if err != nil {
		return err
	}
	v, err := get(c.Request().Context(), principal(c), id)
	if err != nil {
		return err
	}
	return send(c, v)
}

func sendPlan(c echo.Context, p fulfill.Planned) error { return c.JSON(http.StatusOK, planOf(p)) }

func (a *door) getPlan(c echo.Context) error { return read(c, a.Requests.Plan, sendPlan) }

func (a *door) replan(c echo.Context) error {
	if _, err := decodeMaybe[api.Nothing](c); err != nil {
		return err
	}
	return read(c, a.Requests.Replan, sendPlan)
}

func (a *door) getPackage(c echo.Context) error {
	return read(c, a.Requests.Package, func(c echo.Context, p fulfill.PackageView) error { return c.JSON(http.StatusOK, packageOf(p)) })
}

func (a *door) getClock(c echo.Context) error {
	return read(c, a.Requests.Clock, func(c echo.Context, k statute.Clock) error { return c.JSON(http.StatusOK, clockOf(k)) })
}

func (a *door) getCertificate(c echo.Context) error {
	return read(c, a.Requests.Certificate, func(c echo.Context, x fulfill.Certificate) error { return c.JSON(http.StatusOK, certificateOf(x)) })
}

func planOf(p fulfill.Planned) api.Plan {
	return api.Plan{Digest: p.Digest, MadeAt: instant(p.MadeAt), Type: p.Right, PolicyVersion: p.PolicyVersion, NothingHeld: p.NothingHeld,
		Steps: each(p.Steps, stepOf), Withheld: each(p.Withheld, withheldOf),
		Lifted: p.Lifted,
		Refusals: each(p.Refusals, func(r plan.Refusal) api.Refusal {
			return api.Refusal{System: r.System, Table: r.Table, Message: r.Message, Ceiling: r.Ceiling}
		}),
		Changed: each(p.Changed, func(x plan.Change) api.PlanChange {
			return api.PlanChange{System: text(x.System), Table: text(x.Table), Action: text(string(x.Action)), On: date(x.On), Before: x.Before, After: x.After, Message: x.Message}
		})}
}

func stepOf(s plan.Step) api.Step {
	return api.Step{System: s.System, Table: s.Table, Action: string(s.Action), Rows: s.Rows, Ground: text(s.Ground), On: date(s.On),
		Category: text(s.Category), Columns: words(s.Columns), Because: text(s.Because),
		Changes: each(s.Changes, func(c plan.FieldChange) api.StepChange {
			return api.StepChange{Column: c.Column, Before: c.Before, After: c.After}
		})}
}

func withheldOf(w plan.Withheld) api.Withheld {
	return api.Withheld{System: w.System, Table: w.Table, Column: text(w.Column), What: w.What, Rows: w.Rows, Ground: w.Ground, Until: date(w.Until)}
}

func clockOf(k statute.Clock) api.Clock {
	return api.Clock{AcknowledgeBy: date(k.AcknowledgeBy), AcknowledgeByConservative: date(k.AcknowledgeByConservative),
		DueOn: date(k.DueOn), DueOnConservative: date(k.DueOnConservative),
		ExtendedUntil: date(k.ExtendedUntil), ExtendedUntilConservative: date(k.ExtendedUntilConservative),
		ExtensionNoticeBy: date(k.ExtensionNoticeBy), Extended: k.Extended,
		AppealDueOn: date(k.AppealDueOn), Paused: k.Paused, PausedDays: k.PausedDays,
		Milestones: each(k.Milestones, func(m statute.Milestone) api.ClockMilestone { return api.ClockMilestone{What: m.What, On: date(m.On)} }),
		Steps: each(k.Steps, func(s statute.Step) api.ClockStep {
			return api.ClockStep{Jurisdiction: s.Jurisdiction, Date: s.Date, On: date(s.On), Text: s.Text, Cite: s.Cite, Confidence: s.Confidence}
		})}
}

func certificateOf(x fulfill.Certificate) api.Certificate {
	return api.Certificate{Reference: string(x.Reference), Request: string(x.Request), Type: string(x.Type), Status: string(x.Status),
		PolicyVersion: x.PolicyVersion, PlanDigest: x.PlanDigest, ReceivedAt: instant(x.ReceivedAt), AnsweredAt: instant(x.AnsweredAt),
		Check: x.Check, Notes: words(x.Notes), Approvals: each(x.Approvals, approvalOf),
		Backups: each(x.Backups, func(b fulfill.CertBackups) api.CertificateBackups {
			return api.CertificateBackups{System: b.System, Until: date(b.Until)}
		}),
		Steps: each(x.Steps, func(s fulfill.CertStep) api.CertificateStep {
			return api.CertificateStep{System: s.System, Table: s.Table, Action: s.Action, Expected: s.Expected, Affected: s.Affected, AlreadyGone: s.Gone}
		}),
		Remains: each(x.Remains, func(r fulfill.CertRemains) api.Remains {
			return api.Remains{System: r.System, Table: r.Table, Rows: r.Rows, Ground: r.Ground, Until: date(r.Until)}
		})}
}
