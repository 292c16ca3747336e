package statute

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/rickar/cal/v2"
	"github.com/rickar/cal/v2/at"
	"github.com/rickar/cal/v2/be"
	"github.com/rickar/cal/v2/bg"
	"github.com/rickar/cal/v2/cz"
	"github.com/rickar/cal/v2/de"
	"github.com/rickar/cal/v2/dk"
	"github.com/rickar/cal/v2/es"
	"github.com/rickar/cal/v2/fr"
	"github.com/rickar/cal/v2/gb"
	"github.com/rickar/cal/v2/gr"
	"github.com/rickar/cal/v2/hr"
	"github.com/rickar/cal/v2/ie"
	"github.com/rickar/cal/v2/it"
	"github.com/rickar/cal/v2/lt"
	"github.com/rickar/cal/v2/lv"
	"github.com/rickar/cal/v2/nl"
	"github.com/rickar/cal/v2/no"
	"github.com/rickar/cal/v2/pl"
	"github.com/rickar/cal/v2/ro"
	"github.com/rickar/cal/v2/se"
	"github.com/rickar/cal/v2/si"
	"github.com/rickar/cal/v2/sk"
	"github.com/rickar/cal/v2/us"
)

func mustLoad(t testing.TB) *Book {
	t.Helper()
	b, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// published is a list as an authority published it: the weekdays off of a year.
type published struct {
	Place   string   `yaml:"place"`
	Year    int      `yaml:"year"`
	Source  string   `yaml:"source"`
	Off     []string `yaml:"off"`     // MM-DD
	Lenient []string `yaml:"lenient"` // off, and held by some lists only
}

// Every calendar is held to a published list: it has those weekdays off and no other.
func TestHolidaysArePublished(t *testing.T) {
	b := mustLoad(t)
	src, err := os.ReadFile(filepath.Join("testdata", "holidays.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var lists []published
	if err := yaml.UnmarshalWithOptions(src, &lists, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	missing := map[string]bool{}
	for _, p := range b.Places() {
		missing[p] = true
	}
	for _, l := range lists {
		delete(missing, strings.TrimSuffix(l.Place, "-ENG"))
		c, err := b.calendar(l.Place)
		if err != nil || l.Source == "" {
			t.Fatalf("%s: %v, source %q", l.Place, err, l.Source)
		}
		var off, lenient []string
		for d := NewDate(l.Year, 1, 1); d.Year == l.Year; d = d.AddDays(1) {
			switch day := d.String()[5:]; {
			case d.weekend() || c.free(d) == "":
			case c.stricter().free(d) == "":
				lenient = append(lenient, day)
			default:
				off = append(off, day)
			}
		}
		if !slices.Equal(off, l.Off) || !slices.Equal(lenient, l.Lenient) {
			t.Errorf("%s %d:\n got %v, lenient %v\nwant %v, lenient %v (%s)", l.Place, l.Year, off, lenient, l.Off, l.Lenient, l.Source)
		}
	}
	for p := range missing {
		t.Errorf("no published list holds the calendar of %s", p)
	}
}

// The library's own lists of 2023 are a second opinion. Where it differs, it is written down here who is right: "+" is
// a day that the calendar here has, "-" one that the library alone has.
func TestHolidaysAgainstTheLibrary(t *testing.T) {
	b := mustLoad(t)
	differ := map[string]string{
		"BG": "+2024-05-01 -2024-05-07",                                                             // the library moves Labor Day whenever it comes before Good Friday
		"GR": "-2024-05-01 +2024-05-07",                                                             // Labor Day was moved out of Holy Week by decree
		"IT": "+2027-10-04 +2028-10-04 +2029-10-04 +2030-10-04 +2032-10-04 +2033-10-04 +2034-10-04", // Law 151/2025
		"PL": "+2025-12-24 +2026-12-24 +2027-12-24 +2029-12-24 +2030-12-24 +2031-12-24 +2032-12-24", // a holiday since 2025
		"RO": "+2025-01-06 +2025-01-07 +2026-01-06 +2026-01-07 +2027-01-06 +2027-01-07 +2028-01-06 +2028-01-07 +2030-01-07 " +
			"+2031-01-06 +2031-01-07 +2032-01-06 +2032-01-07 +2033-01-06 +2033-01-07 +2034-01-06", // holidays since 2024
		"SK": "-2025-09-01 -2025-11-17 -2026-05-08 -2026-09-01 -2026-09-15 -2026-11-17 -2027-09-01 -2027-11-17 -2028-09-01 -2028-11-17 " +
			"-2031-09-01 -2031-11-17 -2032-09-01 -2032-11-17 -2033-09-01 -2033-11-17 -2034-09-01 -2034-11-17", // holidays that are worked
	}
	for place, rows := range map[string][]*cal.Holiday{"AT": at.Holidays, "BE": be.Holidays, "BG": bg.Holidays, "CZ": cz.Holidays,
		"DE": de.Holidays, "DK": dk.Holidays, "ES": es.Holidays, "FR": fr.Holidays, "GB-ENG": gb.Holidays, "GR": gr.Holidays,
		"HR": hr.Holidays, "IE": ie.Holidays, "IT": it.Holidays, "LT": lt.Holidays, "LV": lv.Holidays, "NL": nl.Holidays,
		"NO": no.Holidays, "PL": pl.Holidays, "RO": ro.Holidays, "SE": se.Holidays, "SI": si.Holidays, "SK": sk.Holidays, "US": us.Holidays} {
		c, err := b.calendar(place)
		if err != nil {
			t.Fatal(err)
		}
		theirs := map[Date]bool{}
		for year := 2023; year <= 2035; year++ {
			for _, h := range rows {
				actual, observed := h.Calc(year)
				if !actual.IsZero() {
					theirs[DateOf(actual)], theirs[DateOf(observed)] = true, true
				}
			}
		}
		var got []string
		for d := NewDate(2024, 1, 1); d.Year < 2035; d = d.AddDays(1) {
			switch ours := c.free(d) != ""; {
			case d.weekend() || ours == theirs[d]:
			case ours:
				got = append(got, "+"+d.String())
			default:
				got = append(got, "-"+d.String())
			}
		}
		if strings.Join(got, " ") != differ[place] {
			t.Errorf("%s differs:\n got %s\nwant %s", place, strings.Join(got, " "), differ[place])
		}
	}
}

// Easter of the Eastern churches is a Sunday in all the years, and beyond 2099 a day later than the library says.
func TestOrthodoxEaster(t *testing.T) {
	zero := 0
	h := holiday{Name: "Easter", OrthodoxEaster: &zero}
	for y := firstYear; y <= lastYear; y++ {
		if d := h.on(y); d.Weekday() != time.Sunday || d.Before(NewDate(y, 4, 3)) || d.After(NewDate(y, 5, 12)) {
			t.Errorf("Easter on %s, a %s", d, d.Weekday())
		}
	}
	for _, want := range []string{"2024-05-05", "2026-04-12", "2027-05-02", "2100-05-02"} {
		d, err := ParseDate(want)
		if err != nil {
			t.Fatal(err)
		}
		if got := h.on(d.Year); got != d {
			t.Errorf("Easter on %s, want %s", got, want)
		}
	}
}
