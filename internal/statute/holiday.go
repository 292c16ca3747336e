package statute

import (
	"regexp"
	"strings"
	"time"

	"github.com/rickar/cal/v2"
	"github.com/rickar/cal/v2/de"
	"github.com/rickar/cal/v2/fr"
	"github.com/rickar/cal/v2/gb"
	"github.com/rickar/cal/v2/us"
)

// calendar knows the days on which nobody is expected to work at a place. A holiday that it does not know makes a
// date earlier, never later: that is the safe side, and so a place without a checked calendar gets weekends alone.
type calendar struct {
	name     string // as it stands in explanations
	holidays []*cal.Holiday
	extra    []Date // proclaimed once, and missing in the library
	known    bool   // the holidays were checked against official lists
}

var placeForm = regexp.MustCompile(`^[A-Z]{2}(-[A-Z0-9]{1,3})?$`)

// calendarOf finds the calendar of a place; false when the text is not an ISO 3166 code. A region of Germany or
// France gets the nationwide holidays, which all its regions share.
func calendarOf(place string) (calendar, bool) {
	if !placeForm.MatchString(place) {
		return calendar{}, false
	}
	switch country, _, _ := strings.Cut(place, "-"); {
	case country == "DE":
		return calendar{name: "Germany (nationwide)", holidays: de.Holidays, known: true}, true
	case country == "FR":
		return calendar{name: "France", holidays: fr.Holidays, known: true}, true
	case country == "US":
		return calendar{name: "United States (federal)", holidays: us.Holidays, known: true}, true
	case place == "GB-SCT" || place == "GB-NIR":
		return calendar{name: "what Great Britain's calendars share", holidays: sharedGB(), known: true}, true
	case country == "GB":
		// The State Funeral of 2022 was proclaimed for that one year.
		return calendar{name: "England and Wales", holidays: gb.Holidays, extra: []Date{{2022, time.September, 19}}, known: true}, true
	}
	return calendar{name: place}, true
}

// sharedGB leaves out Easter Monday and the late-summer holiday, which Scotland does not have.
func sharedGB() []*cal.Holiday {
	return []*cal.Holiday{gb.NewYear, gb.GoodFriday, gb.EarlyMay, gb.VEDay, gb.CoronationDay, gb.SpringHoliday,
		gb.SpringHoliday2022, gb.PlatinumJubilee, gb.ChristmasDay, gb.BoxingDay}
}

// weekdaysOnly is the calendar of the strictest reading.
func weekdaysOnly() calendar { return calendar{name: "weekends only"} }

// free tells why a day is no working day: the name of the holiday, or of the weekday; "" for a working day.
func (c calendar) free(d Date) string {
	if w := d.Weekday(); w == time.Saturday || w == time.Sunday {
		return w.String()
	}
	for _, e := range c.extra {
		if e == d {
			return "public holiday"
		}
	}
	// A holiday may be observed across the turn of the year (1 January 2028 on 31 December 2027).
	for _, year := range []int{d.Year, d.Year + 1, d.Year - 1} {
		for _, h := range c.holidays {
			actual, observed := h.Calc(year)
			if !actual.IsZero() && (DateOf(actual) == d || DateOf(observed) == d) {
				return h.Name
			}
		}
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
