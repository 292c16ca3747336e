package notify

import (
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/statute"
)

func full(lang string) Data {
	return Data{
		Controller: "Fika & Leaf", Contact: "privacy@shop.example", Reference: "HB-7K3M-92QD", Language: lang, Jurisdiction: "eu",
		StatusURL: "https://privacy.example/demo/r/HB-7K3M-92QD", Rights: []dsr.Right{dsr.RightAccess, dsr.RightErasure},
		AcknowledgeBy: statute.NewDate(2026, 11, 12), DueOn: statute.NewDate(2026, 12, 2), ExtendedUntil: statute.NewDate(2027, 2, 2),
		GraceEndsAt:      time.Date(2026, 11, 22, 14, 5, 0, 0, time.UTC),
		LinkExpiresAt:    time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC),
		PackageExpiresAt: time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC),
		CodeExpiresAt:    time.Date(2026, 11, 3, 9, 10, 0, 0, time.UTC),
		Link:             "https://privacy.example/demo/verify?token=Zm9vYmFyYmF6cXV4Zm9vYg", Code: "204816",
		Kept:   []KeptLine{{What: "invoice", Rows: 3, Ground: "tax law: invoices are kept for five years", From: statute.NewDate(2028, 12, 31), Until: statute.NewDate(2031, 12, 31)}, {What: "order_item", Rows: 1, Ground: "these rows belong to other people"}},
		Done:   []DoneLine{{What: "address", Rows: 2}, {What: "customer", Rows: 1, Anonymized: true}},
		Ground: string(dsr.GroundClaimNotCovered), Explanation: "First line.\n\nSecond <b>line</b>.", Changed: []string{"city"},
		Authority: "Information Commissioner", AuthorityURL: "https://ico.example",
	}
}

func TestEveryLanguageHasEveryPhrase(t *testing.T) {
	hole := regexp.MustCompile(`\{[a-z]+\}`)
	all := catalogs()
	want := slices.Sorted(maps.Keys(all["en"]))
	for _, lang := range Languages() {
		if got := slices.Sorted(maps.Keys(all[lang])); !slices.Equal(got, want) {
			for _, k := range want {
				if _, ok := all[lang][k]; !ok {
					t.Errorf("%s lacks %s", lang, k)
				}
			}
			for _, k := range got {
				if _, ok := all["en"][k]; !ok {
					t.Errorf("%s has %s, which English lacks", lang, k)
				}
			}
		}
		for k, s := range all[lang] {
			holes, english := hole.FindAllString(s, -1), hole.FindAllString(all["en"][k], -1)
			slices.Sort(holes)
			slices.Sort(english)
			if !slices.Equal(slices.Compact(holes), slices.Compact(english)) {
				t.Errorf("%s %s fills %v, English %v", lang, k, holes, english)
			}
			if strings.TrimSpace(s) == "" && k != "number.group" {
				t.Errorf("%s %s is empty", lang, k)
			}
		}
	}
	for _, r := range dsr.Rights() {
		for _, family := range []string{"right.", "asked."} {
			if _, ok := all["en"][family+string(r)]; !ok {
				t.Errorf("there are no words for %s%s", family, r)
			}
		}
	}
	for _, s := range dsr.Statuses() {
		if _, ok := all["en"]["status."+string(s)]; !ok {
			t.Errorf("there are no words for the status %s", s)
		}
	}
	for _, e := range dsr.Events() {
		if Words("en").Event(string(e), nil) == "" {
			t.Errorf("there are no words for the event %s", e)
		}
	}
	for _, g := range dsr.DenyGrounds() {
		if Words("de").DenyGround(string(g)) == "" {
			t.Errorf("there are no words for the ground %s", g)
		}
	}
}

// The program's own reasons are told in the person's language: the texts must be those of the code.
func TestGroundsAreThoseOfTheProgram(t *testing.T) {
	var source strings.Builder
	for _, dir := range []string{"../plan", "../connector/sqldb"} {
		files, err := fs.Glob(os.DirFS(dir), "*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			b, err := os.ReadFile(dir + "/" + f)
			if err != nil {
				t.Fatal(err)
			}
			source.Write(b)
		}
	}
	for k, s := range catalogs()["en"] {
		if strings.HasPrefix(k, "ground.") && !strings.Contains(source.String(), `"`+s+`"`) {
			t.Errorf("%s: nothing in the program says %q", k, s)
		}
	}
	if got := Words("de").Reason("these rows belong to other people"); got != "diese Einträge gehören anderen Menschen" {
		t.Errorf("a reason of the program stays %q", got)
	}
	if got := Words("de").Reason("HGB §257"); got != "HGB §257" {
		t.Errorf("a tenant's own words became %q", got)
	}
}

func TestEveryLetterRenders(t *testing.T) {
	gap := regexp.MustCompile(`\{\{|\{[a-z]+\}|\.\.|: \.|\( | ,|[^ \n]  [^ ]`) // a phrase unfilled, or filled with nothing
	for _, lang := range Languages() {
		for _, kind := range Kinds() {
			for name, d := range map[string]Data{"full": full(lang), "bare": {Language: lang, Controller: "C", Link: "https://x.example/t/verify?token=abcdefghijklmnopqrstuv", Code: "100001", Right: dsr.RightErasure,
				ExtendedUntil: statute.NewDate(2027, 1, 1), GraceEndsAt: time.Unix(1.8e9, 0)}} {
				l, err := Render(kind, d)
				if err != nil {
					t.Errorf("%s %s %s: %v", lang, kind, name, err)
					continue
				}
				for _, s := range []string{l.Subject, l.Text} {
					if s == "" || strings.Contains(s, "<no value>") || gap.MatchString(s) {
						t.Errorf("%s %s %s holds a gap:\n%s", lang, kind, name, s)
					}
				}
				if strings.Contains(l.Text, "\n\n\n") || strings.Contains(l.Subject, "\n") {
					t.Errorf("%s %s %s is badly spaced:\n%s", lang, kind, name, l.Text)
				}
				if !strings.HasPrefix(l.HTML, "<!doctype html>") {
					t.Errorf("%s %s %s has no HTML", lang, kind, name)
				}
				if m := regexp.MustCompile(`(src|background|@import)\s*=\s*["']?http|<img|<link|<script|<table`).FindString(l.HTML); m != "" {
					t.Errorf("%s %s: the HTML holds %s", lang, kind, m)
				}
			}
		}
	}
}

func TestVerificationLinkStandsAlone(t *testing.T) {
	for _, lang := range Languages() {
		for _, kind := range Kinds() {
			d := full(lang)
			d.Explanation = "see https://privacy.example/demo/verify?token=Zm9vYmFyYmF6cXV4Zm9vYg\nhttps://privacy.example/demo/Verify?Token=Zm9vYmFyYmF6cXV4Zm9vYg"
			d.StatusURL = "https://privacy.example/demo/verify?token=Zm9vYmFyYmF6cXV4Zm9vYg"
			l, err := Render(kind, d)
			if err != nil {
				t.Fatal(err)
			}
			alone := slices.Contains(strings.Split(l.Text, "\n"), d.Link)
			if kind.asksForProof() != alone {
				t.Errorf("%s %s: the link stands alone on a line: %v", lang, kind, alone)
			}
			n := len(regexp.MustCompile(`(?i)verify\?token=`).FindAllString(l.Text+l.Subject, -1))
			if kind.asksForProof() && n != 1 || !kind.asksForProof() && n+strings.Count(strings.ToLower(l.HTML), "verify?token") != 0 {
				t.Errorf("%s %s holds %d verification links", lang, kind, n)
			}
		}
	}
	if _, err := Render(KindVerification, Data{Link: "javascript:alert(1)"}); err == nil {
		t.Error("a link that is none was taken")
	}
}

func TestCodeIsTheOnlySixDigits(t *testing.T) {
	six := regexp.MustCompile(`[0-9]{6}`)
	for _, lang := range Languages() {
		rapid.Check(t, func(t *rapid.T) {
			digits := rapid.StringMatching(`[A-Za-z ]{0,4}[0-9]{5,14}[A-Za-z .-]{0,4}[0-9]{0,8}`)
			d := full(lang)
			d.Code = rapid.StringMatching(`[0-9]{6}`).Draw(t, "code")
			d.Controller, d.Contact = digits.Draw(t, "controller"), "privacy@"+rapid.StringMatching(`[0-9]{4,9}`).Draw(t, "contact")+".example"
			d.StatusURL = "https://privacy.example/" + digits.Draw(t, "url")
			d.CodeExpiresAt = time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "until"), 0)
			d.Link = "https://privacy.example/demo/verify?token=" + rapid.StringMatching(`[0-9A-Za-z_-]{22,40}`).Draw(t, "token")
			for _, kind := range []Kind{KindDownloadCode, KindVerification, KindVerificationAgain} {
				l, err := Render(kind, d)
				if err != nil {
					t.Fatal(err)
				}
				found := six.FindAllString(l.Text, -1)
				if strings.Contains(l.Text, "\n"+d.Code+"\n") {
					if len(found) != 1 || found[0] != d.Code {
						t.Fatalf("%s: beside the code %s there are %v in\n%s", kind, d.Code, found, l.Text)
					}
				} else if kind == KindDownloadCode {
					t.Fatal("the code is missing")
				}
			}
		})
	}
	for _, bad := range []string{"", "12345", "1234567", "12a456", "１２３４５６"} {
		if _, err := Render(KindDownloadCode, Data{Code: bad}); err == nil {
			t.Errorf("the code %q was taken", bad)
		}
	}
}

// An officer's words are shown as words: no line of theirs is taken for one of ours, and nothing of them runs.
func TestQuotedWordsStayWords(t *testing.T) {
	d := full("en")
	d.Explanation = "- not a list\n" + d.StatusURL + "\n123456\n</blockquote><script>alert(1)</script>\x00\u202Egnp"
	l, err := Render(KindMessage, d)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"<script>", "\x00", "\u202E", "<li style=\"margin:0 0 .4em;\">not a list"} {
		if strings.Contains(l.HTML, bad) {
			t.Errorf("the HTML holds %q", bad)
		}
	}
	if n := strings.Count(l.HTML, `class="button"`); n != 1 {
		t.Errorf("there are %d buttons, not the one of ours", n)
	}
	if !strings.Contains(l.Text, "\n    - not a list\n") {
		t.Errorf("the words are not set apart:\n%s", l.Text)
	}
}

func TestRecourseByJurisdiction(t *testing.T) {
	tests := []struct{ code, want string }{
		{"eu", "data protection authority"}, {"uk", "ICO"}, {"us-ca", "CPPA"}, {"us-va", "appeal"}, {"us-ut", "Attorney General of your state"},
		{"ch", "FDPIC"}, {"br", "complain"}, {"", "complain"},
	}
	for _, tt := range tests {
		d := full("en")
		d.Jurisdiction, d.Appeal = tt.code, tt.code == "us-va"
		for _, kind := range []Kind{KindDenied, KindExtended, KindAnswered, KindErasureDone} {
			l, err := Render(kind, d)
			if err != nil || !strings.Contains(l.Text, tt.want) {
				t.Errorf("%s %s does not say %q: %v\n%s", tt.code, kind, tt.want, err, l.Text)
			}
		}
	}
}

func TestMerge(t *testing.T) {
	day := func(y int) statute.Date { return statute.NewDate(y, 12, 31) }
	got := Merge([]KeptLine{
		{What: "invoice", Ground: "tax", Rows: 1, Until: day(2030)}, {What: "note", Ground: "law", Rows: 2},
		{What: "invoice", Ground: "tax", Rows: 2, Until: day(2028)}, {What: "invoice", Ground: "tax", Rows: 4, Until: day(2031)},
		{What: "invoice", Ground: "dispute", Rows: 8, Until: day(2031)}, {What: "invoice", Ground: "tax", Rows: 16},
	})
	want := []KeptLine{
		{What: "invoice", Ground: "tax", Rows: 7, From: day(2028), Until: day(2031)}, {What: "note", Ground: "law", Rows: 2},
		{What: "invoice", Ground: "dispute", Rows: 8, Until: day(2031)}, {What: "invoice", Ground: "tax", Rows: 16},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
}

func TestPhrasesByLanguage(t *testing.T) {
	d := statute.NewDate(2026, 11, 22)
	for lang, want := range map[string]string{"en": "22 November 2026", "es": "22 de noviembre de 2026", "de": "22. November 2026", "fr": "22 novembre 2026", "de-AT": "22. November 2026", "pl": "22 November 2026", "": "22 November 2026"} {
		if got := Words(lang).Date(d); got != want {
			t.Errorf("%s: %s", lang, got)
		}
	}
	if got := Words("fr").Date(statute.NewDate(2027, 1, 1)); got != "1er janvier 2027" {
		t.Error(got)
	}
	if got := Words("de").Number(1234567); got != "1.234.567" {
		t.Error(got)
	}
	if got := Words("en").Number(-1000); got != "-1000" {
		t.Error(got)
	}
	if got := Words("es").Period(statute.Period{Years: 5, Months: 1}); got != "5 años y 1 mes" {
		t.Error(got)
	}
	if got := Words("de").Country("SE"); got != "Schweden" {
		t.Error(got)
	}
	if got := Words("en").Say("no.such.key"); got != "no.such.key" {
		t.Error(got)
	}
	if Words("en").Event("secret_internal", nil) != "" {
		t.Error("an event without words was told")
	}
	if got := Words("en").Event("extended", map[string]string{"extended_until": "2027-02-02"}); got != "We need more time, until 2 February 2027." {
		t.Error(got)
	}
}

func TestMatch(t *testing.T) {
	all := Languages()
	for _, tt := range []struct {
		preferred string
		offered   []string
		want      string
	}{
		{"de", all, "de"}, {"fr-CH, de;q=0.5", all, "fr"}, {"pt-BR,pl;q=0.5", []string{"es", "en"}, "es"}, {"zh", []string{"es", "en"}, "es"},
		{"", []string{"de", "en"}, "de"}, {"garbage;;;q=x", all, "en"}, {"es", nil, "en"}, {strings.Repeat("de,", 500), all, "de"},
	} {
		if got := Match(tt.preferred, tt.offered); got != tt.want {
			t.Errorf("%.20q of %v: %s, not %s", tt.preferred, tt.offered, got, tt.want)
		}
	}
}

func TestNextSaysWhatAndWhen(t *testing.T) {
	due, later := statute.NewDate(2026, 12, 2), statute.NewDate(2027, 2, 2)
	r := dsr.Request{Status: dsr.StatusInReview, DueOn: due}
	if text, on := Words("en").Next(r, nil); on != due || !strings.Contains(text, "2 December 2026") {
		t.Error(text, on)
	}
	r.ExtendedUntil = later
	if text, on := Words("de").Next(r, nil); on != later || !strings.Contains(text, "2. Februar 2027") {
		t.Error(text, on)
	}
	r.ClockPaused = true
	if text, on := Words("en").Next(r, nil); !on.IsZero() || !strings.Contains(text, "your answer") {
		t.Error(text, on)
	}
	zone, err := time.LoadLocation("Pacific/Auckland")
	if err != nil {
		t.Fatal(err)
	}
	r = dsr.Request{Status: dsr.StatusInGrace, GraceEndsAt: time.Date(2026, 11, 30, 23, 0, 0, 0, time.UTC)}
	if _, on := Words("en").Next(r, zone); on != statute.NewDate(2026, 12, 1) {
		t.Error("the day is not that of the controller's zone:", on)
	}
	for _, s := range dsr.Statuses() {
		text, _ := Words("fr").Next(dsr.Request{Status: s, DueOn: due, GraceEndsAt: r.GraceEndsAt, NextActionAt: r.GraceEndsAt}, nil)
		if (text == "") != s.Final() || strings.Contains(text, "{") || strings.HasPrefix(text, "next.") {
			t.Errorf("%s: %q", s, text)
		}
	}
}

func TestUnknownKind(t *testing.T) {
	if _, err := Render("nonsense", Data{}); err == nil {
		t.Error("a letter of no kind was written")
	}
}
