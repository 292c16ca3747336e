package policy

import (
	"maps"
	"regexp"
	"slices"

	"github.com/goccy/go-yaml/ast"

	"github.com/habeas-data/habeas/internal/statute"
)

// The forms of single values; api/schema/policy.schema.json holds the same.
var (
	dateForm         = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`)
	slugForm         = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`)
	nameForm         = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,63}$`)
	mailForm         = regexp.MustCompile(`^[^@\s<>,;]+@[^@\s<>,;]+$`)
	languageForm     = regexp.MustCompile(`^[a-z]{2}(-[A-Z]{2})?$`)
	jurisdictionForm = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)?$`)
	placeForm        = regexp.MustCompile(`^[A-Z]{2}(-[A-Z0-9]{1,3})?$`)
	countryForm      = regexp.MustCompile(`^[A-Z]{2}$`)
	linkForm         = regexp.MustCompile(`^https://[^\s]+$`)
	columnForm       = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*){1,3}$`)
	tableForm        = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*){0,2}$`)
	bareForm         = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_$]*$`)
)

// Bases lists the lawful bases of GDPR Art. 6(1), by the file's words.
func Bases() []string {
	return []string{"contract", "consent", "legal_obligation", "legitimate_interests", "vital_interests", "public_task"}
}

// Methods lists the verification methods, by the file's words.
func Methods() []string {
	return []string{MethodEmailLink, MethodProductSession, MethodOfficer, MethodNone}
}

// Parse reads a policy.yaml of at most 1 MiB. It never stops at the first fault: the problems are all that the shape
// of the file gives reason for, sorted by place; Check finds what is wrong with its sense. The policy is never nil and
// holds what could be read; it may be used only when Wrong says that nothing is wrong. name stands in messages.
func Parse(name string, src []byte) (*Policy, []Problem) {
	r := &reader{file: name, at: map[string]position{}}
	p := &Policy{File: name, at: r.at}
	if doc, ok := r.document(src); ok {
		r.policy(p, doc)
	}
	return p, sortProblems(r.problems)
}

func (r *reader) policy(p *Policy, doc ast.Node) {
	o := r.object(doc, "", "version", "number", "tenant", "controller", "jurisdictions", "minimum_age", "sells", "acknowledge",
		"rights", "verification", "categories", "purposes", "consents", "recipients", "events", "instructions", "package", "records", "changes")
	o.need("version", "tenant", "controller", "jurisdictions", "rights")
	p.VersionText = o.like("version", dateForm, `write the day it comes into force, as in "2026-04-02"`)
	if dateForm.MatchString(p.VersionText) {
		var err error
		if p.Version, err = statute.ParseDate(p.VersionText); err != nil {
			n, path, _ := o.get("version")
			r.bad(where(n), path, "", "%s is not a day of the calendar", p.VersionText)
		}
	}
	p.Number = o.text("number")
	p.Tenant = o.like("tenant", slugForm, "up to 40 lower case letters, digits and hyphens")
	r.controller(&p.Controller, o)
	p.Jurisdictions = o.list("jurisdictions", func(n ast.Node, path string) string {
		return r.like(n, path, jurisdictionForm, "write a code such as eu, uk or us-ca, in lower case")
	})
	p.MinimumAge = o.whole("minimum_age", 0, 1, 21)
	p.Sells = o.flag("sells", false)
	p.Acknowledge = o.period("acknowledge", "")

	p.Rights = map[string]Right{}
	o.each("rights", nil, func(name string, n ast.Node, path string) {
		if !slices.Contains(statute.RightNames(), name) {
			r.bad(r.at[path], path, suggest(rightWord(name), statute.RightNames()), "%q is not a right", name)
		}
		p.Rights[name] = r.right(n, path)
	})
	r.verification(&p.Verification, o)
	p.Categories = map[string]Category{}
	o.each("categories", nameForm, func(name string, n ast.Node, path string) { p.Categories[name] = r.category(n, path) })
	r.sharing(p, o)
	r.rules(p, o)
}

// rightWord maps everyday words to the rights that they mean.
func rightWord(name string) string {
	words := map[string]string{"delete": "erasure", "deletion": "erasure", "correct": "rectification", "correction": "rectification",
		"export": "portability", "object": "objection", "restrict": "restriction", "know": "know_specific", "erase": "erasure",
		"opt_out_of_sale_sharing": "opt_out", "do_not_sell": "opt_out", "rectify": "rectification"}
	if w, ok := words[name]; ok {
		return w
	}
	return name
}

func (r *reader) controller(c *Controller, top *object) {
	c.Languages, c.Zone = []string{"en"}, "UTC"
	n, path, ok := top.get("controller")
	if !ok {
		return
	}
	o := r.object(n, path, "name", "contact", "dpo", "address", "languages", "zone", "establishment")
	o.need("name", "contact")
	c.Name, c.DPO, c.Address = o.text("name"), o.text("dpo"), o.text("address")
	c.Contact = o.like("contact", mailForm, "write one e-mail address")
	if o.has("languages") {
		c.Languages = o.list("languages", func(n ast.Node, path string) string {
			return r.like(n, path, languageForm, "write a code such as en or es")
		})
	}
	if o.has("zone") {
		c.Zone = o.text("zone")
	}
	c.Establishment = o.like("establishment", placeForm, "write a country or region code such as DE or GB-ENG")
}

func (r *reader) right(n ast.Node, path string) Right {
	o := r.object(n, path, "review", "approvals", "grace", "child_grace")
	out := Right{
		Review:     o.word("review", ReviewOfficer, ReviewAuto, ReviewOfficer),
		Approvals:  o.whole("approvals", 1, 1, 2),
		ChildGrace: o.period("child_grace", ""),
	}
	g, gpath, ok := o.get("grace")
	if !ok {
		return out
	}
	if _, plain := scalar(g); plain {
		out.Grace, out.GraceMode = r.period(g, gpath), GraceLive
	} else {
		m := r.object(g, gpath, "for", "mode")
		m.need("for")
		out.Grace = m.period("for", "")
		out.GraceMode = m.word("mode", GraceLive, GraceLive, GraceBlocked, GraceSealed)
	}
	return out
}

func (r *reader) verification(v *Verification, top *object) {
	v.Methods, v.For = []string{MethodEmailLink}, map[string][]string{}
	n, path, ok := top.get("verification")
	if !ok {
		n = &ast.MappingNode{BaseNode: &ast.BaseNode{}}
	}
	o := r.object(n, path, "methods", "for", "link_ttl", "expire")
	v.LinkTTL, v.Expire = o.period("link_ttl", "P1D"), o.period("expire", "P14D")
	if o.has("methods") {
		v.Methods = o.list("methods", r.words(Methods()...))
	}
	o.each("for", nil, func(name string, n ast.Node, path string) {
		if !slices.Contains(statute.RightNames(), name) {
			r.bad(r.at[path], path, suggest(rightWord(name), statute.RightNames()), "%q is not a right", name)
		}
		v.For[name] = r.list(n, path, r.words(Methods()...))
	})
}

func (r *reader) category(n ast.Node, path string) Category {
	o := r.object(n, path, "role", "instructed_by", "personal", "description", "purposes", "basis", "source", "recipients",
		"retention", "automated", "disclosure", "statutory_as")
	c := Category{
		Role:         o.word("role", RoleController, RoleController, RoleProcessor),
		InstructedBy: o.text("instructed_by"),
		Personal:     o.flag("personal", true),
		Description:  o.text("description"),
		Purposes:     o.list("purposes", r.text),
		Basis:        o.word("basis", "", Bases()...),
		Source:       o.text("source"),
		Recipients:   o.list("recipients", r.text),
		Automated:    o.text("automated"),
		Disclosure:   o.word("disclosure", "", "sold", "shared", "business_purpose", "none"),
		StatutoryAs:  o.text("statutory_as"),
	}
	if rn, rpath, ok := o.get("retention"); ok {
		c.Retention = r.retention(rn, rpath)
	}
	return c
}

func (r *reader) retention(n ast.Node, path string) *Retention {
	o := r.object(n, path, "after", "from", "keep", "then", "ground")
	o.need("keep")
	out := &Retention{Then: o.word("then", ThenDelete, ThenDelete, ThenAnonymize), Ground: o.text("ground")}
	event := func(key string) string {
		return o.like(key, nameForm, "write row, row_year_end or the name of an event")
	}
	switch after, from := event("after"), event("from"); {
	case o.has("after") && o.has("from"):
		r.bad(o.at, path, "keep one of the two", "after and from both say where the period begins")
	case o.has("after"):
		out.From, out.After = FromEvent, after
	case from == FromRow || from == FromRowYearEnd:
		out.From = from
	case o.has("from"):
		out.From, out.After = FromEvent, from
	case len(o.entries) > 0:
		r.bad(o.at, path, "add from: row, from: row_year_end or after: an event", "%s does not say from when the period counts", path)
	}
	if k, kpath, ok := o.get("keep"); ok {
		out.Keep = r.keep(k, kpath)
	}
	return out
}

// keep reads a period, a column that holds days, or a choice by a state.
func (r *reader) keep(n ast.Node, path string) Keep {
	if _, plain := scalar(n); plain {
		c := r.keepCase(n, path)
		if c.Column != "" {
			return Keep{Else: &c}
		}
		return Keep{Period: c.Period}
	}
	entries, ok := r.entries(n, path)
	if !ok {
		return Keep{}
	}
	o := &object{r: r, path: path, at: r.at[path], entries: entries}
	o.need("by", "else")
	out := Keep{By: o.like("by", columnForm, "write TABLE.COLUMN")}
	for _, e := range entries {
		switch e.key {
		case "by":
		case "else":
			c := r.keepCase(e.node, join(path, e.key))
			out.Else = &c
		default:
			c := r.keepCase(e.node, join(path, e.key))
			c.Value = e.key
			out.Cases = append(out.Cases, c)
		}
	}
	if len(out.Cases) == 0 && o.has("by") && o.has("else") {
		r.bad(o.at, path, "name at least one value, as in free: P30D", "%s chooses between nothing", path)
	}
	return out
}

func (r *reader) keepCase(n ast.Node, path string) KeepCase {
	s := r.text(n, path)
	if columnForm.MatchString(s) {
		return KeepCase{Column: s}
	}
	if s == "" {
		return KeepCase{}
	}
	p, err := statute.ParsePeriod(s)
	if err != nil {
		r.bad(where(n), path, durationFix(s)+", or as TABLE.COLUMN where a column holds the days", "%q is not a duration", s)
	}
	return KeepCase{Period: p}
}

// sharing reads purposes, consents, recipients and events.
func (r *reader) sharing(p *Policy, top *object) {
	p.Purposes, p.Consents = map[string]Purpose{}, map[string]Consent{}
	p.Recipients, p.Events = map[string]Recipient{}, map[string]EventSource{}
	top.each("purposes", nameForm, func(name string, n ast.Node, path string) {
		o := r.object(n, path, "description", "basis", "objection", "why")
		p.Purposes[name] = Purpose{
			Description: o.text("description"), Basis: o.word("basis", "", Bases()...),
			Objection: o.word("objection", ObjectionStops, ObjectionStops, ObjectionGoesOn), Why: o.text("why"),
		}
	})
	top.each("consents", nameForm, func(name string, n ast.Node, path string) {
		o := r.object(n, path, "description", "by", "purposes", "categories")
		p.Consents[name] = Consent{
			Description: o.text("description"), By: o.word("by", "person", "person", "organization"),
			Purposes: o.list("purposes", r.text), Categories: o.list("categories", r.text),
		}
	})
	top.each("recipients", nameForm, func(name string, n ast.Node, path string) {
		o := r.object(n, path, "name", "purpose", "country", "safeguard", "role", "kind", "contract", "policy_url", "ask_directly")
		o.need("name")
		p.Recipients[name] = Recipient{
			Name: o.text("name"), Purpose: o.text("purpose"), Safeguard: o.text("safeguard"), Kind: o.text("kind"), Contract: o.text("contract"),
			Country:     o.like("country", countryForm, "write a country code of two capitals, such as IE"),
			Role:        o.word("role", RoleProcessor, RoleProcessor, RoleController, "joint_controller"),
			PolicyURL:   o.like("policy_url", linkForm, "write a link that begins with https://"),
			AskDirectly: o.flag("ask_directly", false),
		}
	})
	top.each("events", nameForm, func(name string, n ast.Node, path string) {
		o := r.object(n, path, "table", "column")
		o.need("table", "column")
		p.Events[name] = EventSource{
			Table:  o.like("table", tableForm, "write SYSTEM.TABLE or TABLE"),
			Column: o.like("column", bareForm, "write the column's name alone"),
		}
	})
}

// rules reads how the program itself is to behave.
func (r *reader) rules(p *Policy, top *object) {
	sub := func(key string, known ...string) *object {
		n, path, ok := top.get(key)
		if !ok {
			return &object{r: r, path: path}
		}
		return r.object(n, path, known...)
	}
	i := sub("instructions", "within", "remind")
	p.Instructions = Instructions{Within: i.period("within", "P10D"), Remind: i.period("remind", "P3D")}
	k := sub("package", "keep", "review")
	p.Package = PackageRules{Keep: k.period("keep", "P7D"), Review: k.flag("review", false)}
	p.Records = Records{Keep: sub("records", "keep").period("keep", "P3Y")}
	c := sub("changes", "announce", "log")
	p.Changes.Announce = c.list("announce", r.words("email", "event"))
	n, path, ok := c.get("log")
	if !ok {
		return
	}
	r.list(n, path, func(n ast.Node, path string) string {
		o := r.object(n, path, "version", "summary")
		o.need("version", "summary")
		e := ChangeEntry{Version: o.text("version"), Summary: o.text("summary")}
		p.Changes.Log = append(p.Changes.Log, e)
		return e.Version
	})
}

// spotOf gives where a path stands, or the nearest path above it that stands anywhere.
func (p *Policy) spotOf(path string) position {
	for ; path != ""; path = parent(path) {
		if at, ok := p.at[path]; ok {
			return at
		}
	}
	return position{1, 1}
}

func parent(path string) string {
	for i := len(path) - 1; i > 0; i-- {
		if path[i] == '.' || path[i] == '[' {
			return path[:i]
		}
	}
	return ""
}

func keysOf[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
