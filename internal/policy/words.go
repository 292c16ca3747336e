package policy

import (
	"fmt"
	"strings"

	"github.com/habeas-data/habeas/internal/statute"
)

// Say gives a period in English: "30 days", "one year and 6 months".
func Say(p statute.Period) string {
	var parts []string
	add := func(n int, unit string) {
		switch {
		case n == 1:
			parts = append(parts, "one "+unit)
		case n > 1:
			parts = append(parts, fmt.Sprintf("%d %ss", n, unit))
		}
	}
	add(p.Years, "year")
	add(p.Months, "month")
	add(p.Weeks, "week")
	add(p.Days, "day")
	add(p.Hours, "hour")
	add(p.Minutes, "minute")
	add(p.Seconds, "second")
	if len(parts) == 0 {
		return "no time"
	}
	return and(parts, "and")
}

func and(list []string, word string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:len(list)-1], ", ") + " " + word + " " + list[len(list)-1]
}

func spoken(word string) string { return strings.ReplaceAll(word, "_", " ") }

func spokenAll(words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = spoken(w)
	}
	return out
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
