package statute_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/statute"
)

func TestParseDate(t *testing.T) {
	for _, bad := range []string{"", "2026-02-30", "2026-13-01", "26-01-01", "2026-1-1", "2026-01-01T00:00:00Z", "01.02.2026"} {
		if d, err := statute.ParseDate(bad); err == nil {
			t.Errorf("ParseDate(%q) = %s, want an error", bad, d)
		}
	}
	d, err := statute.ParseDate("2028-02-29")
	if err != nil || d.String() != "2028-02-29" || d.Weekday() != time.Tuesday {
		t.Errorf("got %v, %v", d, err)
	}
	var none statute.Date
	if none.String() != "" || !none.IsZero() || !none.Before(d) || !d.After(none) {
		t.Error("the zero date is not none")
	}
}

func TestDateText(t *testing.T) {
	type box struct {
		On   statute.Date `json:"on"`
		None statute.Date `json:"none"`
	}
	in := box{On: statute.NewDate(2026, time.April, 31)}
	b, err := json.Marshal(in)
	if err != nil || string(b) != `{"on":"2026-05-01","none":null}` {
		t.Fatalf("%s, %v", b, err)
	}
	var out box
	if err := json.Unmarshal(b, &out); err != nil || out != in {
		t.Fatalf("%+v, %v", out, err)
	}
	if err := json.Unmarshal([]byte(`{"on":"","none":null}`), &out); err != nil || !out.On.IsZero() || !out.None.IsZero() {
		t.Errorf("%+v, %v", out, err)
	}
	if err := json.Unmarshal([]byte(`{"on":"tomorrow"}`), &out); err == nil {
		t.Error("a word was read as a date")
	}
}

// A request that arrives at 23:59 in Berlin arrived on that day, whatever the day is in UTC.
func TestDateOfKeepsTheZone(t *testing.T) {
	berlin := time.FixedZone("CEST", 2*3600)
	at := time.Date(2026, time.June, 1, 0, 30, 0, 0, berlin)
	if got := statute.DateOf(at).String(); got != "2026-06-01" {
		t.Errorf("in Berlin %s", got)
	}
	if got := statute.DateOf(at.UTC()).String(); got != "2026-05-31" {
		t.Errorf("in UTC %s", got)
	}
}

func TestParsePeriod(t *testing.T) {
	for _, bad := range []string{"", "P", "PT", "P1DT", "30D", "P-1D", "P1.5D", "p30d", "P1D2M", "P30", "P1D ", "P123456D"} {
		if p, err := statute.ParsePeriod(bad); err == nil {
			t.Errorf("ParsePeriod(%q) = %s, want an error", bad, p)
		}
	}
	for in, want := range map[string]string{"P30D": "P30D", "P1M": "P1M", "P5Y": "P5Y", "PT3S": "PT3S", "P0D": "PT0S", "P1Y2M3W4DT5H6M7S": "P1Y2M3W4DT5H6M7S"} {
		p, err := statute.ParsePeriod(in)
		if err != nil || p.String() != want {
			t.Errorf("ParsePeriod(%q) = %s, %v, want %s", in, p, err, want)
		}
	}
}

func TestPeriodAdds(t *testing.T) {
	for _, c := range []struct{ period, from, want string }{
		{"P1M", "2026-01-31", "2026-02-28"},
		{"P30D", "2026-01-31", "2026-03-02"},
		{"P5Y", "2028-02-29", "2033-02-28"},
		{"P1Y", "2027-02-28", "2028-02-28"},
		{"P2W", "2026-12-25", "2027-01-08"},
		{"PT1H", "2026-06-01", "2026-06-02"},
		{"PT25H", "2026-06-01", "2026-06-03"},
		{"P0D", "2026-06-01", "2026-06-01"},
	} {
		p, err := statute.ParsePeriod(c.period)
		if err != nil {
			t.Fatal(err)
		}
		d, err := statute.ParseDate(c.from)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.AddToDate(d).String(); got != c.want {
			t.Errorf("%s + %s = %s, want %s", c.from, c.period, got, c.want)
		}
	}
	// Across the change to summer time a day stays a day on the clock and an hour stays an hour.
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	eve := time.Date(2026, time.March, 28, 12, 0, 0, 0, berlin)
	day, _ := statute.ParsePeriod("P1D")
	hours, _ := statute.ParsePeriod("PT24H")
	if got := day.AddTo(eve); got.Hour() != 12 || got.Day() != 29 {
		t.Errorf("a day later it is %s", got)
	}
	if got := hours.AddTo(eve); got.Hour() != 13 {
		t.Errorf("24 hours later it is %s", got)
	}
}
