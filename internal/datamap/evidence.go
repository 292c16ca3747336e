package datamap

import (
	"context"
	"encoding/json"
	"net/netip"
	"regexp"
	"strings"
	"unicode"
)

// Evidence looks at the data of a live database on behalf of Infer. It gives counts, names of JSON fields and the words
// of columns that name tables; a value about a person never leaves it.
type Evidence interface {
	// Sample looks at some rows of a table.
	Sample(ctx context.Context, t *CatalogTable) (Sample, error)
	// Included takes some distinct values of columns, without null, 0 and the empty text, and counts how many of them
	// stand in the columns of another table.
	Included(ctx context.Context, from *CatalogTable, columns []string, to *CatalogTable, refs []string) (looked, found int, err error)
	// Words gives the distinct rows of a few columns that hold names of tables or classes (`owner_type`), at most 100.
	Words(ctx context.Context, t *CatalogTable, columns ...string) ([][]string, error)
}

// Sample is what was seen of some rows of a table.
type Sample struct {
	Rows    int
	Columns map[string]ColumnSample
}

// ColumnSample counts what was seen of a column.
type ColumnSample struct {
	Values   int // not null, not empty
	Empty    int // null, 0 or the empty text
	Distinct int
	Shapes   map[string]int // by what a value looks like, as guessed personal columns are told
	JSON     map[string]int // path ($.contact.email) -> rows in which an e-mail address stands there
}

// Observe counts one value, read as text; null tells that there is none. The value itself is not kept.
func (s *ColumnSample) Observe(value string, null bool) {
	if null || value == "" || value == "0" {
		s.Empty++
		return
	}
	s.Values++
	if shape := shapeOf(value); shape != "" {
		if s.Shapes == nil {
			s.Shapes = map[string]int{}
		}
		s.Shapes[shape]++
	}
	if value[0] == '{' || value[0] == '[' {
		for _, path := range mailPaths(value) {
			if s.JSON == nil {
				s.JSON = map[string]int{}
			}
			s.JSON[path]++
		}
	}
}

// mostly gives the shape of at least three in five sampled values, of three or more.
func (s ColumnSample) mostly() string {
	for shape, n := range s.Shapes {
		if s.Values >= 3 && n*5 >= s.Values*3 {
			return shape
		}
	}
	return ""
}

var (
	mailForm  = regexp.MustCompile(`^[^\s@<>"(),:;]+@[^\s@<>"(),:;]+\.[A-Za-z]{2,}$`)
	phoneForm = regexp.MustCompile(`^(\+[0-9]|\(?0[0-9])[0-9 ()./-]{6,20}$`)
	ibanForm  = regexp.MustCompile(`^[A-Z]{2}[0-9]{2}[A-Z0-9 ]{11,34}$`)
)

// shapeOf tells what a value looks like, in the words of looksPersonal; "" when it could be anything.
func shapeOf(v string) string {
	switch {
	case len(v) > 320:
		return ""
	case mailForm.MatchString(v):
		return guessEmail
	case ibanForm.MatchString(v) && ibanHolds(v):
		return "a bank account or card"
	case phoneForm.MatchString(v) && digits(v) >= 7 && digits(v) <= 15 && strings.ContainsAny(v, "+ (-/"):
		return "a telephone number"
	}
	host, _, _ := strings.Cut(v, "/")
	if ip, err := netip.ParseAddr(host); err == nil && (ip.Is4() || strings.Count(host, ":") >= 2) {
		return "a network address or device"
	}
	return ""
}

func digits(s string) (n int) {
	for _, r := range s {
		if unicode.IsDigit(r) {
			n++
		}
	}
	return n
}

// ibanHolds checks the two check digits: ISO 13616, the whole number modulo 97 is 1.
func ibanHolds(v string) bool {
	v = strings.ReplaceAll(v, " ", "")
	if len(v) < 15 || len(v) > 34 {
		return false
	}
	rest := 0
	for _, r := range v[4:] + v[:4] {
		if r >= 'A' {
			rest = (rest*100 + int(r-'A') + 10) % 97
		} else {
			rest = (rest*10 + int(r-'0')) % 97
		}
	}
	return rest == 1
}

// mailPaths lists the paths within a JSON value at which an e-mail address stands.
func mailPaths(value string) []string {
	var v any
	if json.Unmarshal([]byte(value), &v) != nil {
		return nil
	}
	var out []string
	var walk func(v any, path string, depth int)
	walk = func(v any, path string, depth int) {
		switch x := v.(type) {
		case string:
			if path != "$" && mailForm.MatchString(x) && jsonForm.MatchString(path) {
				out = append(out, path)
			}
		case map[string]any:
			for k, inner := range x {
				// A key may itself be a value: {"ann@example.com": …}. Only field names are paths.
				if depth < 4 && nameForm.MatchString(k) {
					walk(inner, path+"."+k, depth+1)
				}
			}
		}
	}
	walk(v, "$", 0)
	return out
}
