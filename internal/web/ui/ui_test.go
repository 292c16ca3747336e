package ui

import (
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"pgregory.net/rapid"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/fulfill"
	"github.com/habeas-data/habeas/internal/statute"
)

var placeholder = regexp.MustCompile(`\{\w+\}`)

// TestEveryTextInEveryLanguage holds keys and placeholders of the languages against each other.
func TestEveryTextInEveryLanguage(t *testing.T) {
	c, err := LoadCatalog()
	if err != nil {
		t.Fatal(err)
	}
	if len(c["en"]) < 150 {
		t.Fatalf("%d texts", len(c["en"]))
	}
	for _, lang := range Languages() {
		for key, en := range c["en"] {
			text, ok := c[lang][key]
			if !ok || strings.TrimSpace(text) == "" {
				t.Errorf("%s has no %s", lang, key)
			}
			a, b := placeholder.FindAllString(en, -1), placeholder.FindAllString(text, -1)
			slices.Sort(a)
			slices.Sort(b)
			if !slices.Equal(a, b) {
				t.Errorf("%s %s has the placeholders %v, English %v", lang, key, b, a)
			}
		}
		for key := range c[lang] {
			if !c.Has("en", key) {
				t.Errorf("%s has %s, English has not", lang, key)
			}
		}
	}
	for _, r := range dsr.Rights() {
		if !c.Has("en", "right."+string(r)) || !c.Has("en", "right."+string(r)+".help") {
			t.Errorf("the right %s has no everyday words", r)
		}
	}
	for _, s := range dsr.Statuses() {
		if !c.Has("en", "status."+string(s)) {
			t.Errorf("the status %s has no everyday words", s)
		}
	}
	for k := fault.Internal; k <= fault.Unavailable; k++ {
		if key := "error." + strconv.Itoa(fault.HTTPStatus(k)); !c.Has("en", key+".title") || !c.Has("en", key+".text") {
			t.Errorf("no page for %s", k)
		}
	}
}

var used = regexp.MustCompile(`\.T "([a-z0-9_.]+)"`)

// TestPagesUseTextsThatThereAre reads the templates of all doors.
func TestPagesUseTextsThatThereAre(t *testing.T) {
	c, err := LoadCatalog()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	err = filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".html" {
			return err
		}
		raw, err := os.ReadFile(path)
		for _, m := range used.FindAllStringSubmatch(string(raw), -1) {
			n++
			if !c.Has("en", m[1]) {
				t.Errorf("%s uses %s, which there is not", path, m[1])
			}
		}
		return err
	})
	if err != nil || n < 60 {
		t.Errorf("%d uses, %v", n, err)
	}
}

func TestDates(t *testing.T) {
	p := MustPages(ErrorFiles())
	v := p.Bind(View{Now: time.Date(2026, 11, 20, 23, 59, 0, 0, time.UTC)})
	d := statute.NewDate(2026, 12, 2)
	for lang, want := range map[string]string{"en": "2 December 2026", "de": "2. Dezember 2026", "es": "2 de diciembre de 2026", "fr": "2 décembre 2026"} {
		v.Lang = lang
		if got := v.Date(d); got != want {
			t.Errorf("%s: %q", lang, got)
		}
	}
	v.Lang = "en"
	for days, want := range map[int]string{0: "today", 1: "tomorrow", -1: "yesterday", 12: "in 12 days", -3: "3 days ago"} {
		if got := v.Until(statute.NewDate(2026, 11, 20).AddDays(days)); got != want {
			t.Errorf("%d: %q", days, got)
		}
	}
	if v.Date(statute.Date{}) != "" || v.Until(statute.Date{}) != "" || v.Time(time.Time{}) != "" {
		t.Error("no date is no text")
	}
	if got := v.Time(time.Date(2026, 12, 2, 1, 5, 0, 0, time.FixedZone("", 7200))); got != "1 December 2026, 23:05 UTC" {
		t.Error(got)
	}
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 1_482_233: "1.5 MB", 999_950: "1.0 MB", 3e12: "3.0 TB"} {
		if got := v.Size(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
	if v.Number(1234567) != "1\u202f234\u202f567" || v.Number(-1000) != "-1\u202f000" || v.Number(12) != "12" {
		t.Error("numbers")
	}
}

func TestLanguage(t *testing.T) {
	tests := []struct{ query, header, want string }{
		{"", "", "es"}, {"?lang=de", "en", "de"}, {"?lang=fr", "", "es"}, {"?lang=xx", "de-AT,de;q=0.8", "de"},
		{"", "pt-BR, en;q=0.5", "en"}, {"", "zh", "es"}, {"", strings.Repeat("de,", 1000), "es"}, {"", ";;;", "es"},
	}
	for _, test := range tests {
		r := httptest.NewRequest("GET", "/"+test.query, nil)
		r.Header.Set("Accept-Language", test.header)
		if got := Language(echo.New().NewContext(r, nil), []string{"es", "en", "de", "it"}); got != test.want {
			t.Errorf("%s %.20s: %s, want %s", test.query, test.header, got, test.want)
		}
	}
}

func TestLimitKey(t *testing.T) {
	same := [][2]string{{"203.0.113.7", "::ffff:203.0.113.7"}, {"2001:db8::1", "2001:db8:0:0:ffff::9"}, {"fe80::1%eth0", "fe80::2"}, {"nonsense", ""}}
	for _, s := range same {
		if LimitKey("c", "t", s[0]) != LimitKey("c", "t", s[1]) {
			t.Errorf("%v are apart", s)
		}
	}
	apart := [][2]string{{"203.0.113.7", "203.0.113.8"}, {"2001:db8::1", "2001:db8:0:1::1"}}
	for _, s := range apart {
		if LimitKey("c", "t", s[0]) == LimitKey("c", "t", s[1]) {
			t.Errorf("%v are one", s)
		}
	}
	if LimitKey("a", "t", "::1") == LimitKey("b", "t", "::1") || LimitKey("a", "t", "::1") == LimitKey("a", "u", "::1") {
		t.Error("calls and tenants count apart")
	}
}

func TestFileName(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		got := FileName(rapid.String().Draw(t, "name"))
		if got == "" || strings.HasPrefix(got, ".") || !regexp.MustCompile(`^[A-Za-z0-9._-]+$`).MatchString(got) {
			t.Fatalf("%q", got)
		}
	})
}

func TestCheckLetter(t *testing.T) {
	file := func(n int) fulfill.Attachment { return fulfill.Attachment{Name: "a", Data: make([]byte, n)} }
	tests := []struct {
		name string
		m    fulfill.Message
		ok   bool
	}{
		{"words", fulfill.Message{Body: "x"}, true},
		{"a file alone", fulfill.Message{Attachments: []fulfill.Attachment{file(1)}}, true},
		{"nothing", fulfill.Message{Body: " \n"}, false},
		{"too long", fulfill.Message{Body: strings.Repeat("x", MaxLetter+1)}, false},
		{"six files", fulfill.Message{Body: "x", Attachments: slices.Repeat([]fulfill.Attachment{file(1)}, 6)}, false},
		{"too big", fulfill.Message{Body: "x", Attachments: []fulfill.Attachment{file(MaxFiles), file(1)}}, false},
		{"no name", fulfill.Message{Body: "x", Attachments: []fulfill.Attachment{{}}}, false},
	}
	for _, test := range tests {
		if err := CheckLetter(test.m); (err == nil) != test.ok {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func TestFieldID(t *testing.T) {
	for name, want := range map[string]string{"changes[0].field": "changes-0-field", "email": "email", "on_behalf_of.name": "on_behalf_of-name", `"><x`: "x"} {
		if got := FieldID(name); got != want && !(name == `"><x` && !strings.ContainsAny(got, `"<>`)) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// TestContrast holds each pair of text and ground of the sheet against WCAG 2.2 AA, in light and dark.
func TestContrast(t *testing.T) {
	value := regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{3,6});`)
	scheme := strings.SplitN(string(style), "@media (prefers-color-scheme: dark)", 2)
	colors := map[string]string{}
	for i, part := range []string{scheme[0], scheme[1][:strings.Index(scheme[1], "* {")]} {
		for _, m := range value.FindAllStringSubmatch(part, -1) {
			colors[m[1]] = m[2]
		}
		pairs := [][2]string{{"text", "ground"}, {"text", "sheet"}, {"faint", "ground"}, {"faint", "sheet"}, {"link", "ground"}, {"link", "sheet"}, {"on-main", "main"},
			{"on-good", "good"}, {"on-warn", "warn"}, {"on-bad", "bad"}, {"on-note", "note"}, {"on-bad", "sheet"}, {"on-bad", "ground"}, {"sheet", "on-bad"}}
		for _, p := range pairs {
			if got := contrast(colors[p[0]], colors[p[1]]); !(got >= 4.5) { // also for a color that is not there
				t.Errorf("scheme %d: %s on %s has %.2f", i, p[0], p[1], got)
			}
		}
		if got := contrast(colors["field"], colors["sheet"]); !(got >= 3) {
			t.Errorf("scheme %d: the edge of a field has %.2f", i, got)
		}
	}
}
