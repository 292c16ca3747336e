package portal

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/intake"
)

const changeRows = 3

// formBody is what the form shows: what is offered, what was entered, what is wrong.
type formBody struct {
	Controller, Contact, Policy string
	Action, Find                string
	Rights                      []choice
	Jurisdictions               []choice
	Identifiers                 []entry
	Changes                     []dsr.Change
	CanCorrect, Correcting      bool // a correction may be asked for; it is
	In                          intake.Input
	Behalf                      dsr.Represented
	OnBehalf                    bool
	Wrong                       map[string]string // by field
	Problems                    []problem         // in the order of the form, for the top
}

type choice struct {
	Value, Label, Help string
	On                 bool
}

type entry struct{ Name, Value string }

type problem struct{ Field, Text string }

func (s *portal) form(c echo.Context) error {
	at, err := s.site(c)
	if err != nil {
		return err
	}
	return s.showForm(c, at, http.StatusOK, prefilled(c), nil)
}

// prefilled takes what a link to the form brought along. It is a convenience and proves nothing.
func prefilled(c echo.Context) intake.Input {
	q := c.QueryParams()
	clip := func(name string, most int) string {
		v := strings.ToValidUTF8(strings.ReplaceAll(q.Get(name), "\x00", ""), "")
		if len(v) > most {
			return ""
		}
		return v
	}
	in := intake.Input{Email: clip("email", 320), Name: clip("name", intake.MaxName), Message: clip("message", intake.MaxMessage),
		Jurisdiction: clip("jurisdiction", 20)}
	for _, list := range slices.Concat(q["types"], q["type"]) {
		in.Types = append(in.Types, strings.Split(list, ",")...)
	}
	return in
}

// entered reads the form as it was sent.
func entered(c echo.Context, f intake.Form, lang string) intake.Input {
	v := c.Request().PostForm
	text := func(name string) string { return strings.TrimSpace(v.Get(name)) }
	in := intake.Input{Types: v["types"], Email: text("email"), Name: text("name"), Jurisdiction: text("jurisdiction"),
		Message: strings.TrimSpace(strings.ReplaceAll(v.Get("message"), "\r\n", "\n")), Language: lang, Channel: string(dsr.ChannelForm)}
	for _, name := range f.Identifiers {
		if x := text("identifiers." + name); x != "" {
			if in.Identifiers == nil {
				in.Identifiers = make(map[string]string)
			}
			in.Identifiers[name] = x
		}
	}
	for i := range changeRows {
		ch := dsr.Change{Field: text(change(i, "field")), To: text(change(i, "to"))}
		if ch != (dsr.Change{}) {
			in.Changes = append(in.Changes, ch)
		}
	}
	b := dsr.Represented{Relation: text("on_behalf_of.relation"), Name: text("on_behalf_of.name"), Email: text("on_behalf_of.email")}
	if b != (dsr.Represented{}) {
		in.OnBehalfOf = &b
	}
	return in
}

func change(i int, part string) string { return "changes[" + strconv.Itoa(i) + "]." + part }

func (s *portal) submit(c echo.Context) error {
	at, err := s.site(c)
	if err != nil {
		return err
	}
	// The language of the form is the language of the letters; its field carries it over the POST.
	if l := c.FormValue("language"); slices.Contains(at.form.Languages, l) && s.pages.Has(l, "form.title") {
		at.lang = l
	}
	in := entered(c, at.form, at.lang)
	r, err := s.Intake.Submit(c.Request().Context(), s.public(c, at), at.tenant, in)
	if fault.Is(err, fault.Invalid) {
		f, _ := fault.As(err)
		return s.showForm(c, at, http.StatusBadRequest, in, f)
	}
	if err != nil {
		return err
	}
	body := sentBody{Reference: string(r.Reference), Email: in.Email, Status: s.home(at, r.Reference)}
	for _, q := range r.Requests {
		body.Requests = append(body.Requests, sentRequest{Right: string(q.Right), Request: q})
		body.NeedsProof = body.NeedsProof || q.Right.NeedsProof()
	}
	return s.pages.Render(c, http.StatusCreated, "sent", s.view(c, at, s.pages.T(at.lang, "sent.title"), body))
}

type sentBody struct {
	Reference, Email, Status string
	NeedsProof               bool
	Requests                 []sentRequest
}

type sentRequest struct {
	Right   string
	Request dsr.Request
}

// home gives the address of a submission's status page.
func (s *portal) home(at site, ref dsr.Reference) string {
	return "/" + string(at.tenant) + "/r/" + string(ref)
}

func (s *portal) showForm(c echo.Context, at site, status int, in intake.Input, wrong *fault.Error) error {
	body := formBody{Controller: at.form.Controller, Contact: at.form.Contact, Policy: at.form.PolicyVersion,
		Action: "/" + string(at.tenant), Find: "/" + string(at.tenant) + "/r" + langQuery(at), In: in, Wrong: map[string]string{}}
	for _, r := range at.form.Rights {
		body.Rights = append(body.Rights, choice{Value: string(r), Label: s.pages.T(at.lang, "right."+string(r)),
			Help: s.pages.T(at.lang, "right."+string(r)+".help"), On: slices.Contains(in.Types, string(r))})
		body.CanCorrect = body.CanCorrect || r == dsr.RightRectification
	}
	for _, j := range at.form.Jurisdictions {
		body.Jurisdictions = append(body.Jurisdictions, choice{Value: j, Label: s.place(at.lang, j), On: j == in.Jurisdiction})
	}
	for _, name := range at.form.Identifiers {
		body.Identifiers = append(body.Identifiers, entry{name, in.Identifiers[name]})
	}
	body.Changes = make([]dsr.Change, max(changeRows, len(in.Changes)))
	copy(body.Changes, in.Changes)
	body.Correcting = len(in.Changes) > 0 || slices.Contains(in.Types, string(dsr.RightRectification))
	if in.OnBehalfOf != nil {
		body.OnBehalf, body.Behalf = true, *in.OnBehalfOf
	}
	if wrong != nil {
		s.explain(at.lang, wrong, &body)
	}
	return s.pages.Render(c, status, "form", s.view(c, at, s.pages.T(at.lang, "form.title", "controller", at.form.Controller), body))
}

// place names a jurisdiction; one without a name in the catalog is shown by its code.
func (s *portal) place(lang, code string) string {
	if s.pages.Has("en", "place."+code) {
		return s.pages.T(lang, "place."+code)
	}
	return strings.ToUpper(code)
}

var index = regexp.MustCompile(`\[\d+\].*|\..*`)

// explain puts what is wrong at its field and at the top. The use case speaks English; in other languages the page says
// what it can about the field.
func (s *portal) explain(lang string, wrong *fault.Error, body *formBody) {
	list := wrong.Fields
	if len(list) == 0 {
		list = []fault.Field{{Message: wrong.Message}}
	}
	for _, f := range list {
		name := f.Name
		if strings.HasPrefix(name, "types") {
			name = "types"
		}
		if _, twice := body.Wrong[name]; twice {
			continue
		}
		text := f.Message
		general := "form.wrong." + index.ReplaceAllString(name, "")
		switch {
		case s.pages.Has(lang, general):
			text = s.pages.T(lang, general)
		case lang != "en":
			text = s.pages.T(lang, "form.wrong.any")
		}
		body.Wrong[name] = text
		body.Problems = append(body.Problems, problem{name, text})
	}
}
