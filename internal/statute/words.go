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

// stricterWords names the period of the stricter reading where it is another one.
func (s span) stricterWords() string {
	if s.Stricter == nil {
		return ""
	}
	return ", " + span{Unit: s.Stricter.Unit}.words(s.Stricter.Amount)
}

// basisWords warns where the law itself fixes no day.
func basisWords(basis string) string {
	return map[string]string{basisGuidance: "The law itself fixes no day; guidance takes this as the limit. ",
		basisTarget: "The law fixes no day; this is a target that keeps the answer in bounds. "}[basis]
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
