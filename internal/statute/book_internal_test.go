package statute

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// Each fault planted in a real file keeps the whole book from loading, and is named.
func TestLoadRefusesFaults(t *testing.T) {
	good := map[string]string{}
	for _, code := range []string{"eu", "uk", "us-ca"} {
		b, err := os.ReadFile("jurisdictions/" + code + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		good[code] = string(b)
	}
	for _, c := range []struct{ code, old, new, want string }{
		{"eu", "schema: 1", "schema: 2", "schema 2"},
		{"eu", "name: European", "nom: European", "eu.yaml:5:1: unknown field \"nom\""},
		{"eu", "{right: access, cite", "{right: access, site: x, cite", "eu.yaml:11:21: unknown field \"site\""},
		{"eu", "{right: access, cite", "{right: [access], cite", "eu.yaml:11:"},
		{"eu", "code: eu", "code: xx", "named after it"},
		{"eu", "establishment: DE", "establishment: Bonn", "no calendar"},
		{"eu", "cite: GDPR Art. 15, confidence: B}", "confidence: B}", "no citation"},
		{"eu", "Art. 16, confidence: B}", "Art. 16, confidence: D}", "confidence"},
		{"eu", "unit: calendar_month, cite", "unit: fortnight, cite", "fortnight"},
		{"eu", "amount: 1, unit: calendar_month", "amount: 30, unit: calendar_day", "extended in calendar_month"},
		{"eu", "amount: 2, unit", "amount: 3, unit", "more than the most allowed"},
		{"eu", "rights: [withdraw_consent], unit: at_once", "rights: [withdrawal], unit: at_once", "unknown right"},
		{"eu", "to: next_working_day", "to: friday", "friday"},
		{"eu", "counting: exclusive, cite", "cite", "counting"},
		{"eu", "reason: fee, effect: none", "reason: identity, effect: none", "same right on the same day"},
		{"eu", "valid_from: 2018-05-25", "valid_from: 2018-02-30", "eu.yaml"},
		{"uk", "valid_to: 2026-06-18", "valid_to: 2026-06-19", "same right on the same day"},
		{"uk", "reason: fee, effect: restart, basis: statute", "reason: fee, effect: restart, basis: guidance", "only a statute"},
		{"uk", "reason: fee, effect: restart, basis: statute", "reason: fee, effect: reflect, basis: statute", "days go with"},
		{"uk", "valid_from: 2026-02-05", "valid_from: 2026-02-05\nbefore: xx", "no jurisdiction \"xx\""},
		{"uk", "valid_from: 2026-02-05", "valid_from: 2026-02-05\ncovers: {eu: Europe}", "a file of its own"},
		{"uk", "{amount: 1, unit: calendar_month, cite", "{amount: 1, unit: calendar_month, controllers: [small], cite", "not among the file's controllers"},
		{"uk", "{amount: 1, unit: calendar_month, cite", "{amount: 1, unit: calendar_month, basis: hearsay, cite", "hearsay"},
		{"uk", "{amount: 1, unit: calendar_month, cite", "{amount: 1, unit: calendar_month, stricter: {amount: 1}, cite", "unit \"\" is not known"},
		{"us-ca", "holidays: US, cite: \"11 CCR 7021(a)", "cite: \"11 CCR 7021(a)", "holidays go with"},
		{"us-ca", "conservative_days: -1", "conservative_days: 1", "may not be later"},
		{"us-ca", "fact: never_disclose", "fact: never_disclosed", "never_disclosed"},
	} {
		if !strings.Contains(good[c.code], c.old) {
			t.Fatalf("%s holds no %q: nothing was planted", c.code, c.old)
		}
		files := fstest.MapFS{}
		for code, src := range good {
			if code == c.code {
				src = strings.Replace(src, c.old, c.new, 1)
			}
			files["j/"+code+".yaml"] = &fstest.MapFile{Data: []byte(src)}
		}
		addHolidays(t, files)
		if _, err := loadFS(files, "j", "h"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s with %q: %v, want %q", c.code, c.new, err, c.want)
		}
	}
}

func addHolidays(t *testing.T, files fstest.MapFS) {
	t.Helper()
	for _, place := range []string{"de", "us", "gb"} {
		src, err := os.ReadFile("holidays/" + place + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		files["h/"+place+".yaml"] = &fstest.MapFile{Data: src}
	}
}

// Each fault planted in a calendar is named when the calendar is asked for.
func TestLoadRefusesFaultyHolidays(t *testing.T) {
	const head = "schema: 1\nplace: XA\nname: A\ncite: x\nconfidence: K\nholidays:\n"
	for src, want := range map[string]string{
		"  - {month: 1, day: 1}":                                      "no name",
		"  - {name: x, month: 2, day: 30}":                            "month 2 has no day 30",
		"  - {name: x, month: 13, day: 3}":                            "1 to 12",
		"  - {name: x, day: 3}":                                       "month goes with",
		"  - {name: x, easter: 1, month: 1, day: 1}":                  "needs one of",
		"  - {name: x, month: 1, weekday: noday, nth: 1}":             "monday to sunday",
		"  - {name: x, month: 1, weekday: monday, nth: 6}":            "nth is 1 to 4",
		"  - {name: x, weekday: monday, on_or_after: \"06-31\"}":      "on_or_after",
		"  - {name: x, month: 1, day: 1, substitute: sometimes}":      "sometimes",
		"  - {name: x, month: 1, day: 1, every: year}":                "h/xa.yaml:7:33: unknown field \"every\"",
		"  - {name: x, month: 1, day: 1}\nplace: DE":                  "xa.yaml:8:1",
		"  - {name: x, month: 1, day: 1}\nregions: [A]\nregions: [B]": "xa.yaml:9:1",
	} {
		files := fstest.MapFS{"h/xa.yaml": {Data: []byte(head + src + "\n")}}
		addHolidays(t, files)
		b, err := loadFS(files, "j", "h")
		if err != nil {
			t.Fatal(err)
		}
		if err := b.CheckPlace("XA"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", src, err, want)
		}
	}
}

// A state that follows a pattern inherits its rules, overrides some and hides others.
func TestExtends(t *testing.T) {
	pattern := `
schema: 1
code: us-pattern
name: A pattern
law: A pattern
valid_from: 2023-01-01
establishment: US
rights:
  - {right: access, cite: x, confidence: K}
  - {right: rectification, cite: x, confidence: K}
  - {right: appeal, cite: x, confidence: K}
response:
  - {amount: 45, unit: calendar_day, cite: x, confidence: K}
  - {rights: [appeal], amount: 60, unit: calendar_day, cite: x, confidence: K}
extension:
  - {amount: 45, unit: calendar_day, cite: x, confidence: K}
  - {rights: [appeal], none: true, cite: x, confidence: K}
`
	state := `
schema: 1
code: us-zz
name: A state
law: An act
extends: us-pattern
valid_from: 2024-01-01
rights:
  - {right: rectification, valid_from: 2026-07-01, cite: y, confidence: K}
  - {right: rectification, none: true, valid_to: 2026-06-30, cite: y, confidence: K}
response:
  - {amount: 90, unit: calendar_day, cite: y, confidence: K}
`
	files := fstest.MapFS{"j/us-pattern.yaml": {Data: []byte(pattern)}, "j/us-zz.yaml": {Data: []byte(state)}}
	addHolidays(t, files)
	b, err := loadFS(files, "j", "h")
	if err != nil {
		t.Fatal(err)
	}
	day := NewDate(2026, time.February, 14)
	c, err := b.Clock(Question{Jurisdiction: "us-zz", Right: "access", Received: day, Events: []Event{{EventAppeal, NewDate(2026, time.April, 2)}}})
	if err != nil || c.DueOn.String() != "2026-05-15" || c.ExtendedUntil.String() != "2026-06-29" || c.AppealDueOn.String() != "2026-06-01" {
		t.Errorf("%+v, %v", c, err)
	}
	// The pattern itself gives the dates worked out for Virginia.
	c, err = b.Clock(Question{Jurisdiction: "us-pattern", Right: "access", Received: day, Events: []Event{{EventAppeal, NewDate(2026, time.April, 2)}}})
	if err != nil || c.DueOn.String() != "2026-03-31" || c.ExtendedUntil.String() != "2026-05-15" || c.AppealDueOn.String() != "2026-06-01" {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := b.Clock(Question{Jurisdiction: "us-zz", Right: "rectification", Received: NewDate(2026, time.June, 15)}); err == nil {
		t.Error("a right that begins in July was given in June")
	}
	if c, err := b.Clock(Question{Jurisdiction: "us-zz", Right: "rectification", Received: NewDate(2026, time.July, 2)}); err != nil || c.DueOn.String() != "2026-09-30" {
		t.Errorf("%+v, %v", c, err)
	}
}
