package export

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/policy"
)

// section is one part of the response letter.
type section struct {
	Title string
	Paras []string
	Items []string
	Facts [][2]string
}

// writeResponse writes the letter that answers the request (GDPR Art. 15(1) and (2); Cal. Civ. Code 1798.130(a)(3)),
// as a page and as plain text of the same words.
func (w *Writer) writeResponse() error {
	p := w.page(w.meta.Words.Say("response.title"))
	p.Lead, p.Sections = w.responseLead(), w.responseSections()
	var page bytes.Buffer
	if err := pages().ExecuteTemplate(&page, "response.html", p); err != nil {
		return fmt.Errorf("filling the page: %w", err)
	}
	if err := w.put("response.html", page.Bytes(), File{}); err != nil {
		return err
	}
	return w.put("response.txt", []byte(plainText(p)), File{})
}

func (w *Writer) responseLead() []string {
	m, words := &w.meta, w.meta.Words
	rows := int64(0)
	for _, t := range w.tables {
		rows += t.rows
	}
	lead := []string{
		words.Say("response.lead", "controller", oneLine(m.Controller), "right", words.RightNoun(m.Right), "reference", m.Reference,
			"date", words.At(m.MadeAt, nil), "policy", m.PolicyVersion),
		words.Say("response.holds", "rows", words.Count("entries", rows), "tables", words.Count("package.tables", int64(len(w.tables)))),
	}
	if w.since != nil {
		c := w.since.total()
		lead = append(lead, words.Say("response.since", "date", words.At(w.since.Since, nil), "new", words.Number(c.New), "changed", words.Number(c.Changed),
			"gone", words.Number(c.Gone), "same", words.Number(c.Same)))
	}
	return append(lead, words.Say("response.contact", "contact", oneLine(m.Contact)))
}

func (w *Writer) responseSections() []section {
	words := w.meta.Words
	var out []section
	add := func(s section) {
		if len(s.Paras)+len(s.Items)+len(s.Facts) > 0 {
			out = append(out, s)
		}
	}
	for _, s := range w.categorySections() {
		add(s)
	}
	if p := w.meta.Policy; p != nil {
		add(section{Title: words.Say("response.recipients"), Items: w.recipients(p)})
		add(w.transfers(p))
		if strings.HasPrefix(w.meta.Jurisdiction, "us-") {
			add(w.disclosures(p))
		}
		add(section{Title: words.Say("response.ask_directly"), Items: w.askDirectly(p)})
		add(w.automated(p))
	}
	left := section{Title: words.Say("package.left_out"), Items: w.leftOut()}
	if len(left.Items) == 0 {
		left.Paras = []string{words.Say("package.left_out.nothing")}
	}
	add(left)
	add(w.rights())
	add(section{Title: words.Say("response.complain"), Items: words.Recourse(w.meta.Jurisdiction, w.meta.Authority, w.meta.AuthorityURL, w.meta.Contact, w.meta.Appeal)})
	add(section{Title: words.Say("response.files"), Paras: []string{words.Say("response.files.lead")}})
	return out
}

// categorySections says of each kind of data that was found what it is for and how long it stays, and names the kinds
// of which nothing was found.
func (w *Writer) categorySections() []section {
	words := w.meta.Words
	tables := map[string][]string{}
	for _, t := range w.tables {
		name := w.meta.category(t.system, t.table)
		tables[name] = append(tables[name], words.Say("package.withheld.rows", "table", words.Thing(t.table), "rows", words.Count("entries", t.rows)))
	}
	var out []section
	var absent []string
	if w.meta.Policy != nil {
		for _, name := range w.meta.Policy.CategoryNames() {
			c := w.meta.Policy.Categories[name]
			if len(tables[name]) == 0 {
				if c.Personal {
					absent = append(absent, words.Thing(name))
				}
				continue
			}
			out = append(out, section{Title: capital(words.Thing(name)), Facts: w.categoryFacts(c, tables[name])})
			delete(tables, name)
		}
	}
	var rest []string
	for _, list := range tables {
		rest = append(rest, list...)
	}
	slices.Sort(rest)
	out = append(out, section{Title: words.Say("response.uncategorized"), Items: rest})
	if len(absent) > 0 {
		out = append(out, section{Title: words.Say("response.absent"), Paras: []string{words.Say("response.absent.lead", "kinds", words.List(absent))}})
	}
	return out
}

func (w *Writer) categoryFacts(c policy.Category, tables []string) [][2]string {
	words := w.meta.Words
	var out [][2]string
	add := func(key, value string) {
		if value != "" {
			out = append(out, [2]string{words.Say("response." + key), visible(oneLine(value))})
		}
	}
	add("description", c.Description)
	add("tables", strings.Join(tables, "; "))
	if c.Role == policy.RoleProcessor {
		add("role", words.Say("response.processor", "who", cmp.Or(words.Thing(c.InstructedBy), words.Say("response.our_customer"))))
	}
	var purposes []string
	for _, name := range c.Purposes {
		text := words.Thing(name)
		if p, ok := w.meta.Policy.Purposes[name]; ok && p.Description != "" {
			text += " (" + p.Description + ")"
		}
		purposes = append(purposes, text)
	}
	add("purposes", strings.Join(purposes, "; "))
	if c.Basis != "" {
		add("basis", words.Code("basis", c.Basis))
	}
	var names []string
	for _, r := range c.Recipients {
		names = append(names, cmp.Or(w.meta.Policy.Recipients[r].Name, words.Thing(r)))
	}
	add("recipients.short", strings.Join(names, "; "))
	add("retention", w.retention(c.Retention))
	add("source", c.Source)
	add("automated.short", c.Automated)
	add("statutory", c.StatutoryAs)
	return out
}

// retention says how long a kind of data stays.
func (w *Writer) retention(r *policy.Retention) string {
	words := w.meta.Words
	if r == nil {
		return words.Say("retention.none")
	}
	var out string
	if period, fixed := r.Keep.Fixed(); fixed {
		key := "retention." + r.From
		out = words.Say(key, "period", words.Period(period), "event", words.Thing(r.After))
	} else {
		out = words.Say("retention.depends", "what", words.Thing(strings.Join(r.Keep.Columns(), ", ")))
		for _, c := range r.Keep.Cases {
			if c.Column == "" {
				out += " " + words.Say("retention.case", "value", c.Value, "period", words.Period(c.Period))
			}
		}
	}
	if r.Then == policy.ThenAnonymize {
		out += " " + words.Say("retention.anonymized")
	}
	if r.Ground != "" {
		out += " " + words.Say("retention.ground", "ground", trimDot(r.Ground))
	}
	return out
}

// recipients names who gets data: by name, with purpose, country and safeguard (C-154/21: the identity, not the kind).
// Those that get a kind of data found in this package come first; the policy's others follow.
func (w *Writer) recipients(p *policy.Policy) []string {
	words := w.meta.Words
	var out []string
	for _, key := range sortedKeys(p.Recipients) {
		r := p.Recipients[key]
		line := r.Name
		if r.Purpose != "" {
			line += " – " + r.Purpose
		}
		var more []string
		if r.Kind != "" {
			more = append(more, words.Code("recipient", r.Kind))
		}
		if r.Role != "" {
			more = append(more, words.Code("role", r.Role))
		}
		if r.Country != "" {
			more = append(more, words.Country(r.Country))
		}
		if r.Safeguard != "" {
			more = append(more, words.Code("safeguard", r.Safeguard))
		}
		if len(more) > 0 {
			line += " (" + strings.Join(more, "; ") + ")"
		}
		if got := w.givenTo(p, key); len(got) > 0 {
			line += ": " + words.List(got)
		}
		out = append(out, visible(oneLine(line)))
	}
	return out
}

// givenTo lists the kinds of data that go to a recipient.
func (w *Writer) givenTo(p *policy.Policy, recipient string) []string {
	var out []string
	for _, name := range p.CategoryNames() {
		if slices.Contains(p.Categories[name].Recipients, recipient) {
			out = append(out, w.meta.Words.Thing(name))
		}
	}
	return out
}

// transfers names the safeguards of transfers abroad (GDPR Art. 15(2)).
func (w *Writer) transfers(p *policy.Policy) section {
	words := w.meta.Words
	s := section{Title: words.Say("response.transfers")}
	for _, key := range sortedKeys(p.Recipients) {
		r := p.Recipients[key]
		if r.Country == "" || r.Safeguard == "" || r.Safeguard == "none_needed" {
			continue
		}
		s.Items = append(s.Items, visible(words.Say("response.transfer", "name", oneLine(r.Name), "country", words.Country(r.Country), "safeguard", words.Code("safeguard", r.Safeguard))))
	}
	if len(s.Items) == 0 {
		s.Paras = []string{words.Say("response.transfers.none")}
	}
	return s
}

// disclosures gives the separate lists of California: what is sold or shared, and what is disclosed for a business
// purpose, by category.
func (w *Writer) disclosures(p *policy.Policy) section {
	words := w.meta.Words
	s := section{Title: words.Say("response.disclosures")}
	if !p.Sells {
		s.Paras = append(s.Paras, words.Say("response.not_sold"))
	}
	for _, kind := range []string{"sold", "shared", "business_purpose"} {
		var names []string
		for _, name := range p.CategoryNames() {
			c := p.Categories[name]
			if c.Disclosure == kind || kind == "business_purpose" && c.Disclosure == "" && len(c.Recipients) > 0 {
				names = append(names, cmp.Or(c.StatutoryAs, words.Thing(name)))
			}
		}
		if len(names) > 0 {
			s.Items = append(s.Items, visible(words.Say("response.disclosed."+kind, "kinds", words.List(names))))
		}
	}
	return s
}

// askDirectly names recipients that hold data of their own about the person.
func (w *Writer) askDirectly(p *policy.Policy) []string {
	var out []string
	for _, key := range sortedKeys(p.Recipients) {
		if r := p.Recipients[key]; r.AskDirectly {
			line := w.meta.Words.Say("response.ask", "name", oneLine(r.Name))
			if r.PolicyURL != "" {
				line += " " + r.PolicyURL
			}
			out = append(out, visible(line))
		}
	}
	return out
}

func (w *Writer) automated(p *policy.Policy) section {
	words := w.meta.Words
	s := section{Title: words.Say("response.automated")}
	for _, name := range p.CategoryNames() {
		if a := p.Categories[name].Automated; a != "" {
			s.Items = append(s.Items, visible(capital(words.Thing(name))+": "+oneLine(a)))
		}
	}
	if len(s.Items) == 0 {
		s.Paras = []string{words.Say("response.automated.none")}
	}
	return s
}

// rights lists what else the person can ask for: what the policy offers, without what they asked.
func (w *Writer) rights() section {
	words := w.meta.Words
	s := section{Title: words.Say("response.rights"), Paras: []string{words.Say("response.rights.lead", "contact", oneLine(w.meta.Contact))}}
	for _, r := range dsr.Rights() {
		if r == w.meta.Right || r == dsr.RightAppeal || r == dsr.RightComplaint {
			continue
		}
		if w.meta.Policy != nil {
			if _, ok := w.meta.Policy.Rights[string(r)]; !ok {
				continue
			}
		}
		s.Items = append(s.Items, words.Right(r))
	}
	return s
}

// textWidth is the width of response.txt in characters.
const textWidth = 78

// plainText writes the letter as text.
func plainText(p page) string {
	var b strings.Builder
	b.WriteString(p.Title + "\n" + strings.Repeat("=", len([]rune(p.Title))) + "\n\n")
	para := func(indent, s string) { b.WriteString(wrap(indent, s)) }
	for _, l := range p.Lead {
		para("", l)
		b.WriteByte('\n')
	}
	for _, s := range p.Sections {
		b.WriteString(s.Title + "\n" + strings.Repeat("-", len([]rune(s.Title))) + "\n")
		for _, l := range s.Paras {
			para("", l)
		}
		for _, f := range s.Facts {
			para("  ", f[0]+": "+f[1])
		}
		for _, l := range s.Items {
			para("- ", l)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// wrap breaks a paragraph into lines; all but the first begin with spaces as wide as first.
func wrap(first, s string) string {
	var b strings.Builder
	indent := strings.Repeat(" ", len(first))
	line, n := first, len(first)
	empty := true
	for _, word := range strings.Fields(s) {
		size := len([]rune(word))
		if !empty && n+1+size > textWidth {
			b.WriteString(line + "\n")
			line, n, empty = indent, len(indent), true
		}
		if !empty {
			line, n = line+" ", n+1
		}
		line, n, empty = line+word, n+size, false
	}
	b.WriteString(line + "\n")
	return b.String()
}

// oneLine makes a single line of a text.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
}

func trimDot(s string) string { return strings.TrimRight(s, ".") }

func capital(s string) string {
	for i, r := range s {
		return string(unicode.ToUpper(r)) + s[i+len(string(r)):]
	}
	return s
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
