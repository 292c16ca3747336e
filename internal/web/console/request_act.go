package console

import (
	"context"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/fulfill"
	"github.com/habeas-data/habeas/internal/statute"
)

// form is one act that was asked for: by whom, on what, with what.
type form struct {
	ctx   context.Context
	p     access.Principal
	id    dsr.RequestID
	value func(name string) string
}

// act is one thing that can be done to a request: what is said afterwards, and how it is done.
type act struct {
	done string
	do   func(*console, form) error
}

// acts is the whole of it, by the last part of the address.
func acts() map[string]act {
	only := func(_ any, err error) error { return err }
	return map[string]act{
		"replan": {"The plan was made anew.", func(s *console, f form) error { return only(s.Requests.Replan(f.ctx, f.p, f.id)) }},
		"approve": {"Your approval was recorded.", func(s *console, f form) error {
			return only(s.Requests.Approve(f.ctx, f.p, f.id, f.value("plan_digest"), f.value("note")))
		}},
		"deny": {"The request was refused. The letter is on its way.", func(s *console, f form) error {
			return only(s.Requests.Deny(f.ctx, f.p, f.id, f.value("ground"), f.value("explanation")))
		}},
		"answer": {"The answer is on its way.", func(s *console, f form) error {
			return only(s.Requests.Answer(f.ctx, f.p, f.id, f.value("text")))
		}},
		"extend": {"The legal date was extended. The notice is on its way.", func(s *console, f form) error {
			return only(s.Requests.Extend(f.ctx, f.p, f.id, f.value("ground"), f.value("explanation")))
		}},
		"pause": {"It is recorded what was asked.", func(s *console, f form) error {
			return only(s.Requests.Pause(f.ctx, f.p, f.id, f.value("reason"), f.value("explanation")))
		}},
		"resume": {"It is recorded that it has come.", func(s *console, f form) error { return only(s.Requests.Resume(f.ctx, f.p, f.id)) }},
		"hold":   {"The legal hold is placed.", placeHold},
		"lift-ceiling": {"The ceiling is lifted for this request. The plan is made anew.", func(s *console, f form) error {
			return only(s.Requests.LiftCeiling(f.ctx, f.p, f.id, f.value("reason")))
		}},
		"release": {"The legal holds are released.", func(s *console, f form) error {
			return only(s.Requests.ReleaseHold(f.ctx, f.p, f.id, f.value("note")))
		}},
		"assign": {"It is assigned.", func(s *console, f form) error {
			return only(s.Requests.Assign(f.ctx, f.p, f.id, f.value("assignee")))
		}},
		"note": {"The note is kept.", func(s *console, f form) error { return s.Requests.AddNote(f.ctx, f.p, f.id, f.value("body")) }},
		"message": {"The message is on its way.", func(s *console, f form) error {
			return s.Requests.SendMessage(f.ctx, f.p, f.id, fulfill.Message{Body: f.value("body")})
		}},
		"verify": {"The verification is recorded.", func(s *console, f form) error {
			return s.Sessions.ByOfficer(f.ctx, f.p, f.id, f.value("checked"))
		}},
		"withdraw": {"The request was called back.", func(s *console, f form) error {
			return only(s.Requests.Withdraw(f.ctx, f.p, f.id, f.value("note")))
		}},
		"retry": {"It goes on.", func(s *console, f form) error { return only(s.Requests.Retry(f.ctx, f.p, f.id)) }},
	}
}

func placeHold(s *console, f form) error {
	var until statute.Date
	if text := f.value("until"); text != "" {
		var err error
		if until, err = statute.ParseDate(text); err != nil {
			return fault.BadInput([]fault.Field{{Name: "until", Message: "must be a day of the form 2026-11-02"}})
		}
	}
	_, err := s.Requests.Hold(f.ctx, f.p, f.id, f.value("reason"), until)
	return err
}

// act does one of them and leads back to the request. What is wrong is shown on the page, with all that was entered.
func (s *console) act(name string) func(echo.Context, officer) error {
	return func(c echo.Context, o officer) error {
		id, err := dsr.ParseRequestID(c.Param("id"))
		if err != nil {
			return err
		}
		values := c.Request().PostForm
		f := form{ctx: c.Request().Context(), p: o.Principal, id: id, value: func(name string) string {
			return strings.TrimSpace(strings.ReplaceAll(values.Get(name), "\r\n", "\n"))
		}}
		err = acts()[name].do(s, f)
		if err == nil {
			return c.Redirect(http.StatusSeeOther, home+"/requests/"+string(id)+"?done="+name)
		}
		kind := fault.KindOf(err)
		if kind != fault.Invalid && kind != fault.Conflict && kind != fault.Forbidden {
			return err
		}
		return s.showRequest(c, o, fault.HTTPStatus(kind), wrongAct(name, err, values))
	}
}

func wrongAct(name string, err error, values map[string][]string) requestBody {
	body := requestBody{Open: name, In: make(map[string]string)}
	if f, ok := fault.As(err); ok {
		body.Wrong, body.Allowed = f.Message, f.Allowed
		for _, w := range f.Fields {
			body.Wrong += " " + w.Name + ": " + w.Message + "."
		}
	}
	for k, v := range values {
		if k != "form_token" && len(v) > 0 {
			body.In[k] = v[0]
		}
	}
	return body
}
