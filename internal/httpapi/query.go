package httpapi

import (
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/statute"
)

const (
	defaultLimit = 50
	maxLimit     = 200
	maxQuery     = 500 // bytes of one value
)

// query reads the filters of a list and collects what is wrong with them. Names it is not asked for are ignored.
type query struct {
	values url.Values
	wrong  []fault.Field
}

func queryOf(c echo.Context) *query {
	values, err := url.ParseQuery(c.Request().URL.RawQuery)
	q := &query{values: values}
	if err != nil {
		q.bad("query", "is not a query string")
	}
	return q
}

func (q *query) bad(name, message string) {
	q.wrong = append(q.wrong, fault.Field{Name: name, Message: message})
}

// err names every wrong value at once.
func (q *query) err() error { return fault.BadInput(q.wrong) }

func (q *query) text(name string) string {
	s := q.values.Get(name)
	if len(q.values[name]) > 1 {
		q.bad(name, "stands here twice")
	}
	if len(s) > maxQuery || !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
		q.bad(name, "must be a text of at most 500 bytes")
		return ""
	}
	return s
}

// words reads a list, repeated or separated by commas, of which each must be ok.
func (q *query) words(name string, ok func(string) bool, list string) []string {
	var out []string
	for _, v := range q.values[name] {
		for w := range strings.SplitSeq(v, ",") {
			switch {
			case w == "":
			case !ok(w):
				q.bad(name, "must be one or more of "+list)
				return nil
			default:
				out = append(out, w)
			}
		}
	}
	return out
}

func (q *query) oneOf(name string, allowed ...string) string {
	s := q.text(name)
	if s == "" {
		return ""
	}
	for _, a := range allowed {
		if s == a {
			return s
		}
	}
	q.bad(name, "must be one of "+strings.Join(allowed, ", "))
	return ""
}

func (q *query) date(name string) statute.Date {
	s := q.text(name)
	if s == "" {
		return statute.Date{}
	}
	d, err := statute.ParseDate(s)
	if err != nil {
		q.bad(name, "must be a day of the form 2026-11-02")
	}
	return d
}

func (q *query) instant(name string) time.Time {
	s := q.text(name)
	if s == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		q.bad(name, "must be a time of the form 2026-11-02T09:00:00Z")
	}
	return t.UTC()
}

// number reads a whole number that is not negative; -1 when it is not there.
func (q *query) number(name string) int64 {
	s := q.text(name)
	if s == "" {
		return -1
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		q.bad(name, "must be a whole number that is not negative")
		return -1
	}
	return n
}

func (q *query) limit() int {
	s := q.text("limit")
	if s == "" {
		return defaultLimit
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > maxLimit {
		q.bad("limit", "must be a number from 1 to 200")
		return defaultLimit
	}
	return n
}

func isStatus(s string) bool {
	for _, known := range dsr.Statuses() {
		if string(known) == s {
			return true
		}
	}
	return false
}

func isRight(s string) bool {
	_, ok := dsr.ParseRight(s)
	return ok
}

func statusWords() string {
	var out []string
	for _, s := range dsr.Statuses() {
		out = append(out, string(s))
	}
	return strings.Join(out, ", ")
}

func rightWords() string {
	var out []string
	for _, r := range dsr.Rights() {
		out = append(out, string(r))
	}
	return strings.Join(out, ", ")
}
