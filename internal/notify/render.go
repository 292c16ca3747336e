package notify

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"regexp"
	"strings"
	"sync"
	ttemplate "text/template"
	"unicode"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/statute"
)

//go:embed letters
var letterFiles embed.FS

// Letter is a letter ready to be sent. Text is complete by itself; HTML says the same.
type Letter struct {
	Subject string
	Text    string
	HTML    string
}

var (
	codeForm   = regexp.MustCompile(`^[0-9]{6}$`)
	linkForm   = regexp.MustCompile(`^https?://[^\s"<>\\]+$`)
	digitsForm = regexp.MustCompile(`[0-9]{6,}`)
	verifyForm = regexp.MustCompile(`(?i)verify\?token=`)
)

// letters parses the embedded letters once: language/kind to template. They are part of the program, held by tests.
//
//nolint:gochecknoglobals // embedded data, parsed once and never written again
var letters = sync.OnceValue(func() map[string]*ttemplate.Template {
	out := map[string]*ttemplate.Template{}
	for _, lang := range Languages() {
		for _, kind := range Kinds() {
			name := lang + "/" + string(kind)
			src, err := letterFiles.ReadFile("letters/" + name + ".txt")
			if err != nil {
				panic("notify: " + err.Error())
			}
			t := ttemplate.New(name).Option("missingkey=error").Funcs(placeholders())
			out[name] = ttemplate.Must(t.Parse(string(src)))
		}
	}
	return out
})

//nolint:gochecknoglobals // embedded data, parsed once and never written again
var layout = sync.OnceValue(func() *template.Template {
	src, err := letterFiles.ReadFile("letters/layout.html")
	if err != nil {
		panic("notify: " + err.Error())
	}
	return template.Must(template.New("layout").Parse(string(src)))
})

// placeholders gives the functions of letters as they are known when templates are parsed; Render binds them to a language.
func placeholders() ttemplate.FuncMap { return functions(nil, Data{}) }

// Render writes a letter in its language. An error means that Data lacks what the kind can't do without (a link for a
// verification, six digits for a code); it holds nothing of Data.
func Render(kind Kind, d Data) (Letter, error) {
	p := Words(d.Language)
	t, ok := letters()[p.Lang()+"/"+string(kind)]
	if !ok {
		return Letter{}, fmt.Errorf("there is no letter of kind %q", kind)
	}
	if err := checkData(kind, &d); err != nil {
		return Letter{}, fmt.Errorf("writing a letter of kind %s: %w", kind, err)
	}
	t, err := t.Clone()
	if err != nil {
		return Letter{}, fmt.Errorf("writing a letter of kind %s: %w", kind, err)
	}
	var b bytes.Buffer
	if err := t.Funcs(functions(p, d)).Execute(&b, d); err != nil {
		return Letter{}, fmt.Errorf("writing a letter of kind %s: %w", kind, err)
	}
	head, body, _ := strings.Cut(b.String(), "\n")
	subject, ok := strings.CutPrefix(head, "Subject: ")
	if !ok {
		return Letter{}, fmt.Errorf("the letter %s/%s does not begin with its subject", p.Lang(), kind)
	}
	body = strings.TrimSpace(body)
	l := Letter{Subject: strings.TrimSpace(subject), Text: frame(p, d, kind, body)}
	l.HTML, err = page(p, d, l)
	return l, err
}

// checkData brings Data into a form that can't break a letter's rules.
func checkData(kind Kind, d *Data) error {
	for _, s := range []*string{&d.Controller, &d.Contact, &d.Authority, &d.AuthorityURL, &d.StatusURL} {
		*s = oneLine(*s)
	}
	d.Explanation = printable(d.Explanation)
	if kind != KindDownloadCode && !kind.asksForProof() {
		d.Code = ""
	}
	if kind == KindExtended && d.ExtendedUntil.IsZero() || kind == KindErasureScheduled && d.GraceEndsAt.IsZero() {
		return fmt.Errorf("it needs a date")
	}
	if kind.asksForProof() {
		if !linkForm.MatchString(d.Link) {
			return fmt.Errorf("it needs a link")
		}
		d.StatusURL = "" // one address, and that one alone on its line
		if digitsForm.MatchString(d.Link) {
			d.Code = "" // the link suffices, and two numbers of six digits would be one too many
		}
	} else {
		d.Link = ""
		// A link that proves who somebody is stands in verification mails and nowhere else, not even in an officer's words.
		for _, s := range []*string{&d.Explanation, &d.Controller, &d.StatusURL, &d.AuthorityURL, &d.Authority} {
			*s = verifyForm.ReplaceAllString(*s, "verify ")
		}
	}
	if kind == KindDownloadCode || d.Code != "" {
		if !codeForm.MatchString(d.Code) {
			return fmt.Errorf("its code must be six digits")
		}
		d.StatusURL = ""
		d.Controller, d.Contact = parted(d.Controller), parted(d.Contact)
	}
	return nil
}

// parted breaks runs of six and more digits, so that no name in a letter with a code can be taken for the code.
func parted(s string) string {
	return digitsForm.ReplaceAllStringFunc(s, func(run string) string {
		var parts []string
		for len(run) > 3 {
			parts, run = append(parts, run[:3]), run[3:]
		}
		return strings.Join(append(parts, run), "\u00a0")
	})
}

// oneLine makes a single line of a name.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, ""), func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }), " ")
}

// printable keeps the lines of a text and drops what can't be seen or turns what is seen around.
func printable(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\r\n", "\n")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			return -1
		case r == '\u2028' || r == '\u2029':
			return '\n'
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}

// quotePrefix begins each line of an officer's own words. A line of theirs can thus be no line of ours: no link
// alone on its line, no list, no code.
const quotePrefix = "    "

// functions gives what letters may call, in a language.
func functions(p *Phrases, d Data) ttemplate.FuncMap {
	return ttemplate.FuncMap{
		"date":  func(on statute.Date) string { return p.Date(on) },
		"right": func(r dsr.Right) string { return p.RightNoun(r) },
		"asked": func() string { return p.asked(d) },
		"say":   func(key string, pairs ...string) (string, error) { return p.sayChecked(key, pairs) },
		"day":   func(at any) (string, error) { return p.day(at, d) },
		"quote": func(s string) string {
			return quotePrefix + strings.ReplaceAll(s, "\n", "\n"+quotePrefix)
		},
		"kept":     func() []string { return p.keptLines(d) },
		"done":     func() []string { return p.doneLines(d) },
		"ground":   func() string { return p.DenyGround(d.Ground) },
		"recourse": func() []string { return p.recourse(d) },
	}
}

// frame puts a greeting before and the standing lines after a letter's body.
func frame(p *Phrases, d Data, kind Kind, body string) string {
	var b strings.Builder
	b.WriteString(p.Say("letter.hello") + "\n\n" + body + "\n")
	if d.StatusURL != "" && kind != KindExpired && kind != KindObligationDone {
		b.WriteString("\n" + p.Say("letter.status") + "\n" + d.StatusURL + "\n")
	}
	b.WriteString("\n")
	if d.Reference != "" {
		b.WriteString(p.Say("letter.reference", "reference", string(d.Reference)) + "\n")
	}
	if d.Contact != "" {
		b.WriteString(p.Say("letter.contact", "contact", d.Contact) + "\n")
	}
	b.WriteString("\n" + p.Say("letter.bye") + "\n" + d.Controller + "\n")
	return collapse(b.String()) + "\n"
}

// collapse makes one empty line of several, which conditions in a letter leave behind.
func collapse(s string) string {
	var out []string
	for line := range strings.SplitSeq(s, "\n") {
		line = strings.TrimRight(line, " \t")
		if line == "" && (len(out) == 0 || out[len(out)-1] == "") {
			continue
		}
		out = append(out, line)
	}
	return strings.TrimRight(strings.Join(out, "\n"), "\n")
}
