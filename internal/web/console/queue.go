package console

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fulfill"
	"github.com/habeas-data/habeas/internal/statute"
	"github.com/habeas-data/habeas/internal/web/ui"
)

const pageSize = 50

type queueBody struct {
	Tiles    []tile
	First    []row // what needs a person first; on the plain queue alone
	Rows     []row
	Next     string // address of the next page
	Filter   filter
	Filtered bool
	Statuses []dsr.Status
	Rights   []dsr.Right
	Me       string
}

// filter is what stands in the address bar.
type filter struct {
	Status, Type, Assignee, Query, Sort string
	Attention                           bool
}

type tile struct {
	Text, Href, Class string
	Count             int
}

// row is one request with its date in words.
type row struct {
	dsr.Request
	Due       statute.Date
	DueText   string
	DueClass  string // warn, bad: never without the words
	Attention string
}

func (s *console) queue(c echo.Context, o officer) error {
	q := c.QueryParams()
	f := filter{Status: q.Get("status"), Type: q.Get("type"), Assignee: q.Get("assignee"), Query: q.Get("q"), Sort: q.Get("sort"),
		Attention: q.Get("attention") == "1"}
	if !slices.Contains([]string{"due", "-due", "received", "-received"}, f.Sort) {
		f.Sort = "due"
	}
	body := queueBody{Filter: f, Statuses: dsr.Statuses(), Rights: dsr.Rights(), Me: o.Subject}
	body.Filtered = f != filter{Sort: f.Sort}
	ask := fulfill.Filter{Assignee: f.Assignee, Query: f.Query, Attention: f.Attention, Sort: f.Sort, Cursor: q.Get("cursor"), Limit: pageSize}
	switch {
	case slices.Contains(dsr.Statuses(), dsr.Status(f.Status)):
		ask.Status = []string{f.Status}
	case f.Query == "" && f.Status != "any":
		ask.Status = open() // whoever searches for one wants it whatever its status
	}
	if _, ok := dsr.ParseRight(f.Type); ok {
		ask.Types = []string{f.Type}
	}
	ctx := c.Request().Context()
	counts, err := s.Requests.Counts(ctx, o.Principal)
	if err != nil {
		return err
	}
	body.Tiles = tiles(counts)
	list, next, err := s.Requests.List(ctx, o.Principal, ask)
	if err != nil {
		return err
	}
	view := s.view(c, o, "Queue", nil)
	body.Rows = rows(view, list)
	if next != "" {
		more := url.Values{}
		for k, v := range q {
			more[k] = v
		}
		more.Set("cursor", next)
		body.Next = home + "?" + more.Encode()
	}
	if !body.Filtered && q.Get("cursor") == "" && counts.Attention > 0 {
		list, _, err := s.Requests.List(ctx, o.Principal, fulfill.Filter{Status: open(), Attention: true, Sort: "due", Limit: 10})
		if err != nil {
			return err
		}
		body.First = rows(view, list)
	}
	view.Body = body
	return s.pages.Render(c, http.StatusOK, "queue", view)
}

// open lists the statuses in which something is still to be done.
func open() []string {
	var out []string
	for _, s := range dsr.Statuses() {
		if !s.Final() {
			out = append(out, string(s))
		}
	}
	return out
}

func tiles(n fulfill.Counts) []tile {
	out := []tile{{Text: "need a person", Href: home + "?attention=1", Class: "bad", Count: n.Attention},
		{Text: "overdue", Href: home, Class: "bad", Count: n.Overdue}}
	for i := range out {
		if out[i].Count == 0 {
			out[i].Class = ""
		}
	}
	for _, st := range dsr.Statuses() {
		if !st.Final() {
			out = append(out, tile{Text: ui.Words(st), Href: home + "?status=" + string(st), Count: n.ByStatus[st]})
		}
	}
	return out
}

func rows(v ui.View, list []dsr.Request) []row {
	out := make([]row, 0, len(list))
	for _, r := range list {
		out = append(out, rowOf(v, r))
	}
	return out
}

// rowOf says in words how the legal date stands; colors only repeat it.
func rowOf(v ui.View, r dsr.Request) row {
	out := row{Request: r, Due: r.DueOn, Attention: attention(r.NeedsAttention)}
	if !r.ExtendedUntil.IsZero() {
		out.Due = r.ExtendedUntil
	}
	left := statute.DateOf(v.Now.UTC()).DaysUntil(out.Due)
	switch {
	case !r.AnsweredAt.IsZero():
		out.DueText = "answered on " + v.Day(r.AnsweredAt)
	case r.Status.Final():
		out.DueText = ""
	case out.Due.IsZero():
		out.DueText = "no legal date"
	case r.ClockPaused:
		out.DueText = "clock paused; " + v.Date(out.Due) + " without the pause"
	case left < 0:
		out.DueText, out.DueClass = "overdue: "+v.Date(out.Due)+", "+v.Until(out.Due), "bad"
	case left <= 7:
		out.DueText, out.DueClass = "soon: "+v.Date(out.Due)+", "+v.Until(out.Due), "warn"
	default:
		out.DueText = v.Date(out.Due) + ", " + v.Until(out.Due)
	}
	return out
}

// attention says in a sentence why a person must look.
func attention(reason string) string {
	switch reason {
	case "":
		return ""
	case dsr.AttentionStepFailed:
		return "A step failed and was given up. Nothing goes on by itself."
	case dsr.AttentionResidue:
		return "The look afterwards found data that should be gone."
	case dsr.AttentionAmbiguous:
		return "Two people answer to one identifier: decide who is meant."
	case dsr.AttentionPlanRefused:
		return "No plan can be made: other people's rows would be harmed, or the data map has a gap."
	case dsr.AttentionOverwritten:
		return "A corrected value was changed again by something else."
	case dsr.AttentionVanished:
		return "The proven identifiers find nobody any more, and did before: the product may know this person by another address now. Look, then approve or refuse."
	case dsr.AttentionNoDataMap:
		return "There is no data map yet, so no data can be found."
	case dsr.AttentionPackageCheck:
		return "The finished package does not agree with the plan."
	}
	return "A person must look: " + ui.Words(reason) + "."
}
