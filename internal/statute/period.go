package statute

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Period is an ISO 8601 duration (`P30D`, `P1M`, `P5Y`, `PT3S`) kept in its own parts: a month stays a
// month and never becomes 30 days.
type Period struct {
	Years, Months, Weeks, Days int
	Hours, Minutes, Seconds    int
}

var periodForm = regexp.MustCompile(`^P(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,8})S)?)?$`)

// ParsePeriod reads an ISO 8601 duration of whole, non-negative parts.
func ParsePeriod(s string) (Period, error) {
	m := periodForm.FindStringSubmatch(s)
	if m == nil || s == "P" || strings.HasSuffix(s, "T") {
		return Period{}, fmt.Errorf("%q is not an ISO 8601 duration such as P30D, P1M, P5Y or PT3S", s)
	}
	var v [7]int
	for i, part := range m[1:] {
		if part != "" {
			v[i], _ = strconv.Atoi(part) // the pattern admits digits only, few enough to fit
		}
	}
	return Period{v[0], v[1], v[2], v[3], v[4], v[5], v[6]}, nil
}

// IsZero tells whether the period is empty.
func (p Period) IsZero() bool { return p == Period{} }

// String writes the ISO 8601 form; an empty period is PT0S.
func (p Period) String() string {
	if p.IsZero() {
		return "PT0S"
	}
	var b strings.Builder
	b.WriteByte('P')
	put := func(n int, unit byte) {
		if n != 0 {
			b.WriteString(strconv.Itoa(n))
			b.WriteByte(unit)
		}
	}
	put(p.Years, 'Y')
	put(p.Months, 'M')
	put(p.Weeks, 'W')
	put(p.Days, 'D')
	if p.Hours+p.Minutes+p.Seconds > 0 {
		b.WriteByte('T')
		put(p.Hours, 'H')
		put(p.Minutes, 'M')
		put(p.Seconds, 'S')
	}
	return b.String()
}

// AddToDate moves a civil date by the period's years, months, weeks and days, clamped at month ends.
// A rest of hours counts as a further day, so that nothing kept "until" a date goes too early.
func (p Period) AddToDate(d Date) Date {
	out := d.AddMonths(12*p.Years + p.Months).AddDays(7*p.Weeks + p.Days)
	if p.Hours+p.Minutes+p.Seconds > 0 {
		out = out.AddDays(int((p.clock() + 24*time.Hour - 1) / (24 * time.Hour)))
	}
	return out
}

// AddTo moves an instant by the period: the calendar parts on the civil date in the instant's location,
// then the clock parts.
func (p Period) AddTo(t time.Time) time.Time {
	d := DateOf(t).AddMonths(12*p.Years + p.Months).AddDays(7*p.Weeks + p.Days)
	h, m, s := t.Clock()
	moved := time.Date(d.Year, d.Month, d.Day, h, m, s, t.Nanosecond(), t.Location())
	return moved.Add(p.clock())
}

func (p Period) clock() time.Duration {
	return time.Duration(p.Hours)*time.Hour + time.Duration(p.Minutes)*time.Minute + time.Duration(p.Seconds)*time.Second
}

// MarshalText writes the ISO 8601 form.
func (p Period) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads the ISO 8601 form.
func (p *Period) UnmarshalText(b []byte) error {
	v, err := ParsePeriod(string(b))
	if err != nil {
		return err
	}
	*p = v
	return nil
}
