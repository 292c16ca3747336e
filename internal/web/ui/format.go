package ui

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"time"

	"github.com/habeas-data/habeas/internal/statute"
)

func functions() template.FuncMap {
	return template.FuncMap{
		"style": StylePath,
		"id":    FieldID,
		"iso":   func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"short": func(s string) string { // of a digest: enough to compare by eye
			if len(s) > 12 {
				return s[:12] + "…"
			}
			return s
		},
		"plus":  func(a, b int) int { return a + b },
		"words": Words,
		"join":  strings.Join,
		"list":  func(s ...string) []string { return s },
		"pair":  func(list, me any) Rows { return Rows{list, me} },
		"under": func(body any, act string) Under { return Under{body, act} },
	}
}

// Rows is a list and who looks at it, for a part of a page that shows lists.
type Rows struct{ List, Me any }

// Under is a page's body and one act on it, for a part of a page that shows what was wrong with it.
type Under struct {
	Body any
	Act  string
}

// With gives the same view over another body, for a part of a page.
func (v View) With(body any) View {
	v.Body = body
	return v
}

// FieldID makes an id of a field's name as it stands in errors: changes[0].field becomes changes-0-field.
func FieldID(name string) string {
	var b strings.Builder
	for _, r := range name {
		switch {
		case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_':
			b.WriteRune(r)
		case b.Len() > 0 && r != ']':
			b.WriteByte('-')
		}
	}
	return b.String()
}

// Words makes a coded value readable: in_review becomes "in review".
func Words(code any) string {
	return strings.NewReplacer("_", " ", ".", ": ").Replace(fmt.Sprint(code))
}

// Date writes a civil date in words: 2 December 2026. No date is the empty text.
func (v View) Date(d statute.Date) string {
	if d.IsZero() {
		return ""
	}
	return v.T("date.format", "day", d.Day, "month", v.T("month."+strconv.Itoa(int(d.Month))), "year", d.Year)
}

// Day writes the civil date of an instant, in UTC.
func (v View) Day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return v.Date(statute.DateOf(t.UTC()))
}

// Time writes an instant in words, in UTC.
func (v View) Time(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return v.Day(t) + ", " + t.UTC().Format("15:04") + " UTC"
}

// Size writes a number of bytes: 1.4 MB.
func (v View) Size(n int64) string {
	units := []string{"kB", "MB", "GB", "TB"}
	if n < 1000 {
		return strconv.FormatInt(n, 10) + " B"
	}
	f, i := float64(n)/1000, 0
	for f >= 999.95 && i < len(units)-1 {
		f, i = f/1000, i+1
	}
	s := strconv.FormatFloat(f, 'f', 1, 64)
	if v.Lang != "en" {
		s = strings.Replace(s, ".", ",", 1)
	}
	return s + " " + units[i]
}

// Number writes a number with groups of thousands, apart by a thin space, which reads alike in every language.
func (v View) Number(n any) string {
	s := fmt.Sprint(n)
	neg := strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(s, "-")
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	if neg {
		return "-" + s
	}
	return s
}

// Until says in words how far a day is away: "in 12 days", "today", "3 days ago".
func (v View) Until(d statute.Date) string {
	switch n := statute.DateOf(v.Now.UTC()).DaysUntil(d); {
	case d.IsZero():
		return ""
	case n == 0:
		return v.T("until.today")
	case n == 1:
		return v.T("until.tomorrow")
	case n == -1:
		return v.T("until.yesterday")
	case n < 0:
		return v.T("until.past", "n", -n)
	default:
		return v.T("until.days", "n", n)
	}
}

// FileSize writes the size of a file.
func (v View) FileSize(data []byte) string { return v.Size(int64(len(data))) }
