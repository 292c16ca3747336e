package statute

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rickar/cal/v2"
)

// The first and the last year of which dates are counted. Holidays are known from one to the other.
const (
	firstYear = 1995
	lastYear  = 2200
)

// How a holiday on a weekend is made good.
const (
	substituteNext    = "next_working_day" // the next day that is neither free nor a substitute already
	substituteNearest = "nearest"          // Saturday: the Friday before; Sunday: the Monday after
)

// holiday is one row of a calendar: a fixed day, a distance from Easter, or a weekday of a month.
type holiday struct {
	Name           string `yaml:"name"`
	Month          int    `yaml:"month"`
	Day            int    `yaml:"day"`
	Easter         *int   `yaml:"easter"`          // days after Easter Sunday of the Western churches
	OrthodoxEaster *int   `yaml:"orthodox_easter"` // days after Easter Sunday of the Eastern churches
	Weekday        string `yaml:"weekday"`         // monday ... sunday, with nth or on_or_after
	Nth            int    `yaml:"nth"`             // 1 to 4, or -1 for the last of the month
	OnOrAfter      string `yaml:"on_or_after"`     // "06-19": the first such weekday from that day on

	From      int    `yaml:"from"` // years; 0: always
	Until     int    `yaml:"until"`
	Only      []int  `yaml:"only"`
	Except    []int  `yaml:"except"`
	NotOn     []int  `yaml:"not_on"`     // days of the month on which it is not kept
	IfWeekday string `yaml:"if_weekday"` // kept only if the day is that weekday

	Substitute     string `yaml:"substitute"`
	SubstituteFrom int    `yaml:"substitute_from"` // year; 0: always
	Lenient        bool   `yaml:"lenient"`         // held by some lists only: moves a date, not its stricter reading
}

// on gives the day of the holiday in a year, the zero Date if it is not kept then.
func (h *holiday) on(year int) Date {
	if (h.From > 0 && year < h.From) || (h.Until > 0 && year > h.Until) || slices.Contains(h.Except, year) ||
		(len(h.Only) > 0 && !slices.Contains(h.Only, year)) {
		return Date{}
	}
	d := h.rule(year)
	if slices.Contains(h.NotOn, d.Day) || (h.IfWeekday != "" && d.Weekday() != weekdays()[h.IfWeekday]) {
		return Date{}
	}
	return d
}

// rule leaves the formulas of Easter and of weekdays to the library.
func (h *holiday) rule(year int) Date {
	r := &cal.Holiday{Month: time.Month(h.Month), Day: h.Day, Offset: h.Nth, Weekday: weekdays()[h.Weekday]}
	switch {
	case h.Easter != nil:
		r.Offset = *h.Easter
		return DateOf(cal.CalcEasterOffset(r, year))
	case h.OrthodoxEaster != nil:
		r.Offset, r.Julian = *h.OrthodoxEaster, true
		// The library adds the 13 days between the calendars that hold until February 2100, for all years.
		return DateOf(cal.CalcEasterOffset(r, year)).AddDays(julianLag(year) - 13)
	case h.OnOrAfter != "":
		day, _ := time.Parse("01-02", h.OnOrAfter) // faults has read it
		r.Month, r.Day, r.Offset = day.Month(), day.Day(), 1
		return DateOf(cal.CalcWeekdayFrom(r, year))
	case h.Weekday != "":
		return DateOf(cal.CalcWeekdayOffset(r, year))
	}
	return NewDate(year, time.Month(h.Month), h.Day)
}

// julianLag counts the days by which the Julian calendar is behind at Easter.
func julianLag(year int) int { return year/100 - year/400 - 2 }

func weekdays() map[string]time.Weekday {
	return map[string]time.Weekday{"monday": time.Monday, "tuesday": time.Tuesday, "wednesday": time.Wednesday,
		"thursday": time.Thursday, "friday": time.Friday, "saturday": time.Saturday, "sunday": time.Sunday}
}

func (h *holiday) faults() string {
	forms := 0
	for _, is := range []bool{h.Day != 0, h.Easter != nil, h.OrthodoxEaster != nil, h.Nth != 0, h.OnOrAfter != ""} {
		if is {
			forms++
		}
	}
	_, weekday := weekdays()[h.Weekday]
	_, ifWeekday := weekdays()[h.IfWeekday]
	_, badDay := time.Parse("01-02", cmp.Or(h.OnOrAfter, "01-01"))
	switch {
	case h.Name == "":
		return "no name"
	case forms != 1:
		return "needs one of month and day, easter, orthodox_easter, weekday and nth, weekday and on_or_after"
	case (h.Day != 0 || h.Nth != 0) != (h.Month != 0) || h.Month < 0 || h.Month > 12:
		return "month goes with day or nth, and is 1 to 12"
	case h.Day != 0 && NewDate(2024, time.Month(h.Month), h.Day).Day != h.Day:
		return fmt.Sprintf("month %d has no day %d", h.Month, h.Day)
	case (h.Nth != 0 || h.OnOrAfter != "") != (h.Weekday != "") || (h.Weekday != "" && !weekday) || (h.IfWeekday != "" && !ifWeekday):
		return "a weekday is monday to sunday, and goes with nth or on_or_after"
	case h.Nth < -1 || h.Nth > 4:
		return "nth is 1 to 4, or -1 for the last"
	case badDay != nil:
		return fmt.Sprintf("on_or_after %q is not a day such as 06-19", h.OnOrAfter)
	case h.Substitute != "" && h.Substitute != substituteNext && h.Substitute != substituteNearest:
		return fmt.Sprintf("substitute %q is not known", h.Substitute)
	}
	return ""
}

// freeDay is a weekday on which nobody is expected to work.
type freeDay struct {
	name    string
	lenient bool
}

// freeDays lays the rows on the years: every holiday that falls on a weekday, and the substitutes of those that do not.
func freeDays(rows []holiday) map[Date]freeDay {
	out := map[Date]freeDay{}
	keep := func(d Date, f freeDay) {
		if had, ok := out[d]; !ok || had.lenient {
			out[d] = f
		}
	}
	for year := firstYear - 1; year <= lastYear+1; year++ {
		type lost struct {
			on  Date
			row *holiday
		}
		var weekend []lost
		for i := range rows {
			h := &rows[i]
			d := h.on(year)
			switch {
			case d.IsZero():
			case !d.weekend():
				keep(d, freeDay{h.Name, h.Lenient})
			case h.Substitute != "" && year >= h.SubstituteFrom:
				weekend = append(weekend, lost{d, h})
			}
		}
		slices.SortFunc(weekend, func(a, b lost) int { return a.on.Compare(b.on) })
		for _, l := range weekend {
			d := l.on.AddDays(-1)
			if l.row.Substitute == substituteNext || l.on.Weekday() == time.Sunday {
				for d = l.on.AddDays(1); d.weekend() || out[d].name != ""; d = d.AddDays(1) {
				}
			}
			keep(d, freeDay{"substitute for " + l.row.Name, l.row.Lenient})
		}
	}
	return out
}

// calendar knows the days on which nobody is expected to work at a place. A holiday that it does not know makes a
// date earlier, never later: that is the safe side, and so a place without a calendar of its own gets weekends alone.
type calendar struct {
	name   string // as it stands in explanations
	days   map[Date]freeDay
	strict bool // leaves out what only some lists hold
	known  bool // the place has a calendar here
}

// weekdaysOnly is the calendar of the strictest reading.
func weekdaysOnly() calendar { return calendar{name: "weekends only"} }

// stricter is the same calendar without the days that only some lists hold.
func (c calendar) stricter() calendar {
	c.strict = true
	return c
}

func (d Date) weekend() bool {
	w := d.Weekday()
	return w == time.Saturday || w == time.Sunday
}

// free tells why a day is no working day: the name of the holiday, or of the weekday; "" for a working day.
func (c calendar) free(d Date) string {
	if d.weekend() {
		return d.Weekday().String()
	}
	if f, ok := c.days[d]; ok && !(c.strict && f.lenient) {
		return f.name
	}
	return ""
}

// addBusinessDays counts n working days after d.
func (c calendar) addBusinessDays(d Date, n int) Date {
	for n > 0 {
		if d = d.AddDays(1); c.free(d) == "" {
			n--
		}
	}
	return d
}

// roll moves a day that is no working day to the next one that is, and says over what.
func (c calendar) roll(d Date) (Date, []string) {
	var over []string
	for why := c.free(d); why != ""; why = c.free(d) {
		over = append(over, d.String()+" ("+why+")")
		d = d.AddDays(1)
	}
	return d, over
}

// country gives the part of a place before the hyphen.
func country(place string) string {
	c, _, _ := strings.Cut(place, "-")
	return c
}
