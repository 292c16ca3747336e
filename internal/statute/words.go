package statute

import (
	"fmt"

	"strings"
)

// words says a period in English: "one month", "45 days", "10 business days".
func (s span) words(amount int) string {
	unit := map[string]string{unitMonth: "month", unitDay: "day", unitBusiness: "business day"}[s.Unit]
	if amount == 1 {
		return "one " + unit
	}
	return fmt.Sprintf("%d %ss", amount, unit)
}

// clamped explains a month end.
func clamped(s span, start, end Date) string {
	if s.Unit == unitMonth && start.Day != end.Day {
		return fmt.Sprintf(" (%s has no day %d)", end.Month, start.Day)
	}
	return ""
}

func long(d Date) string { return fmt.Sprintf("%s %s", d.Weekday(), d) }

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func noWorkingDay(list []string) string {
	if len(list) == 1 {
		return "is no working day"
	}
	return "are no working days"
}
