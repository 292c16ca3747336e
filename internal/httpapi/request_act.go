package httpapi

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/habeas-data/habeas/api"
	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/statute"
	"github.com/habeas-data/habeas/internal/web/ui"
)

// call is one act on the request of the path, ready to be done.
type call struct {
	ctx context.Context
	p   access.Principal
	id  dsr.RequestID
}

// act reads path and body, in that order, and does it. Which body may be left out is said by optional.
func act[T any](c echo.Context, optional bool, do func(call, T) error) error {
	id, err := dsr.ParseRequestID(c.Param("id"))
	if err != nil {
		return err
	}
	var in T
	if optional {
		in, err = decodeMaybe[T](c)
	} else {
		in, err = decode[T](c, maxBody)
	}
	if err != nil {
		return err
	}
	return do(call{c.Request().Context(), principal(c), id}, in)
}

// moved answers an act with the request as it is now.
func moved(c echo.Context, r dsr.Request, err error) error {
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, requestOf(r))
}

func done(c echo.Context, err error) error {
	if err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

func (a *door) approve(c echo.Context) error {
	return act(c, false, func(k call, in api.NewApproval) error {
		// Without a digest an approval would be of whatever plan there happens to be.
		if in.PlanDigest == "" {
			return fault.BadInput([]fault.Field{{Name: "plan_digest", Message: "is missing: the digest of the plan that was looked at"}})
		}
		x, err := a.Requests.Approve(k.ctx, k.p, k.id, in.PlanDigest, in.Note)
		if err != nil {
			return err
		}
		status := http.StatusAccepted
		if x.Have >= x.Need {
			status = http.StatusOK
		}
		return c.JSON(status, api.ApprovalAnswer{Status: string(x.Request.Status), Approvals: api.Approvals{Have: x.Have, Need: x.Need}})
	})
}

func (a *door) deny(c echo.Context) error {
	return act(c, false, func(k call, in api.NewDecision) error {
		r, err := a.Requests.Deny(k.ctx, k.p, k.id, in.Ground, in.Explanation)
		return moved(c, r, err)
	})
}

func (a *door) extend(c echo.Context) error {
	return act(c, false, func(k call, in api.NewDecision) error {
		r, err := a.Requests.Extend(k.ctx, k.p, k.id, in.Ground, in.Explanation)
		return moved(c, r, err)
	})
}

func (a *door) pause(c echo.Context) error {
	return act(c, false, func(k call, in api.NewPause) error {
		r, err := a.Requests.Pause(k.ctx, k.p, k.id, in.Reason, in.Explanation)
		return moved(c, r, err)
	})
}

func (a *door) resume(c echo.Context) error {
	return act(c, true, func(k call, _ api.Nothing) error {
		r, err := a.Requests.Resume(k.ctx, k.p, k.id)
		return moved(c, r, err)
	})
}

func (a *door) hold(c echo.Context) error {
	return act(c, false, func(k call, in api.NewHold) error {
		var until statute.Date
		if in.Until != "" {
			var err error
			if until, err = statute.ParseDate(in.Until); err != nil {
				return fault.BadInput([]fault.Field{{Name: "until", Message: "must be a day of the form 2026-11-02"}})
			}
		}
		r, err := a.Requests.Hold(k.ctx, k.p, k.id, in.Reason, until)
		return moved(c, r, err)
	})
}

func (a *door) liftCeiling(c echo.Context) error {
	return act(c, false, func(k call, in api.NewReason) error {
		r, err := a.Requests.LiftCeiling(k.ctx, k.p, k.id, in.Reason)
		return moved(c, r, err)
	})
}

func (a *door) release(c echo.Context) error {
	return act(c, true, func(k call, in api.NewRemark) error {
		r, err := a.Requests.ReleaseHold(k.ctx, k.p, k.id, in.Note)
		return moved(c, r, err)
	})
}

func (a *door) assign(c echo.Context) error {
	return act(c, false, func(k call, in api.NewAssignment) error {
		to := ""
		if in.Assignee != nil {
			to = *in.Assignee
		}
		r, err := a.Requests.Assign(k.ctx, k.p, k.id, to)
		return moved(c, r, err)
	})
}

func (a *door) verifyByOfficer(c echo.Context) error {
	return act(c, false, func(k call, in api.NewCheck) error {
		return done(c, a.Proofs.ByOfficer(k.ctx, k.p, k.id, in.Checked))
	})
}

func (a *door) addNote(c echo.Context) error {
	return act(c, false, func(k call, in api.NewNote) error {
		return done(c, a.Requests.AddNote(k.ctx, k.p, k.id, in.Body))
	})
}

func (a *door) sendMessage(c echo.Context) error {
	id, err := dsr.ParseRequestID(c.Param("id"))
	if err != nil {
		return err
	}
	m, err := letter(c)
	if err != nil {
		return err
	}
	return done(c, a.Requests.SendMessage(c.Request().Context(), principal(c), id, m))
}

func (a *door) withdraw(c echo.Context) error {
	return act(c, true, func(k call, in api.NewRemark) error {
		r, err := a.Requests.Withdraw(k.ctx, k.p, k.id, in.Note)
		return moved(c, r, err)
	})
}

func (a *door) retry(c echo.Context) error {
	return act(c, true, func(k call, _ api.Nothing) error {
		r, err := a.Requests.Retry(k.ctx, k.p, k.id)
		return moved(c, r, err)
	})
}

func (a *door) answer(c echo.Context) error {
	return act(c, false, func(k call, in api.NewAnswer) error {
		r, err := a.Requests.Answer(k.ctx, k.p, k.id, in.Text)
		return moved(c, r, err)
	})
}

// reviewPackage opens a package for an officer. It is a POST because the log says who looked.
func (a *door) reviewPackage(c echo.Context) error {
	return act(c, true, func(k call, _ api.Nothing) error {
		d, err := a.Requests.OpenPackage(k.ctx, k.p, k.id)
		if err != nil {
			return err
		}
		return ui.SendZip(c, d)
	})
}
