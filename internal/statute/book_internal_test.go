package statute

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// The lists are those published by gov.uk, opm.gov, the German Länder in common and service-public.fr.
func TestHolidays(t *testing.T) {
	for place, want := range map[string]string{
		"GB-ENG": "2026-01-01 2026-04-03 2026-04-06 2026-05-04 2026-05-25 2026-08-31 2026-12-25 2026-12-28 " +
			"2027-01-01 2027-03-26 2027-03-29 2027-05-03 2027-05-31 2027-08-30 2027-12-27 2027-12-28",
		"US": "2026-01-01 2026-01-19 2026-02-16 2026-05-25 2026-06-19 2026-07-03 2026-09-07 2026-10-12 2026-11-11 2026-11-26 2026-12-25 " +
			"2027-01-01 2027-01-18 2027-02-15 2027-05-31 2027-06-18 2027-07-05 2027-09-06 2027-10-11 2027-11-11 2027-11-25 2027-12-24 2027-12-31",
		"DE": "2026-01-01 2026-04-03 2026-04-06 2026-05-01 2026-05-14 2026-05-25 2026-12-25 " +
			"2027-01-01 2027-03-26 2027-03-29 2027-05-06 2027-05-17",
		"FR": "2026-01-01 2026-04-06 2026-05-01 2026-05-08 2026-05-14 2026-05-25 2026-07-14 2026-11-11 2026-12-25 " +
			"2027-01-01 2027-03-29 2027-05-06 2027-05-17 2027-07-14 2027-11-01 2027-11-11",
	} {
		c, ok := calendarOf(place)
		if !ok {
			t.Fatalf("no calendar for %s", place)
		}
		var got []string
		for d := NewDate(2026, time.January, 1); d.Year < 2028; d = d.AddDays(1) {
			if w := d.Weekday(); w != time.Saturday && w != time.Sunday && c.free(d) != "" {
				got = append(got, d.String())
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s:\n got %s\nwant %s", place, strings.Join(got, " "), want)
		}
	}
	uk, _ := calendarOf("GB-ENG")
	if uk.free(Date{2022, time.September, 19}) == "" || uk.free(Date{2023, time.September, 19}) != "" {
		t.Error("the proclaimed holiday of 2022 is not kept to its year")
	}
}

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
		{"eu", "name: European", "nom: European", "unknown field"},
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
		if _, err := loadFS(files, "j"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s with %q: %v, want %q", c.code, c.new, err, c.want)
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
	b, err := loadFS(fstest.MapFS{"j/us-pattern.yaml": {Data: []byte(pattern)}, "j/us-zz.yaml": {Data: []byte(state)}}, "j")
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
