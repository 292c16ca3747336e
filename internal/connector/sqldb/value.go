package sqldb

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// encoder appends a non-null value of a driver to dst as one complete JSON value.
type encoder func(dst []byte, src any) []byte

func itoa(n int) string { return strconv.Itoa(n) }

// cell takes one column of one row without a copy: database/sql hands the driver's own value to Scan.
type cell struct {
	encode encoder
	shown  bool
	null   bool
	buf    []byte
}

// Scan implements sql.Scanner.
func (c *cell) Scan(src any) error {
	c.null = src == nil
	if c.null || !c.shown {
		c.buf = append(c.buf[:0], "null"...)
		return nil
	}
	c.buf = c.encode(c.buf[:0], src)
	return nil
}

// value gives the JSON of the cell; nil when the column is not shown.
func (c *cell) value() []byte {
	if !c.shown {
		return nil
	}
	return c.buf
}

func text(src any) string {
	switch v := src.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case uint64:
		return strconv.FormatUint(v, 10)
	case float64:
		return floatText(v, 64)
	case float32:
		return floatText(float64(v), 32)
	case bool:
		return strconv.FormatBool(v)
	case time.Time:
		return v.Format(time.RFC3339Nano)
	default:
		return fmt.Sprint(v)
	}
}

// floatText is the shortest text that reads back as the same number; as JSON, without an exponent where people
// would not write one.
func floatText(f float64, bits int) string {
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		return strconv.FormatFloat(f, 'e', -1, bits)
	}
	return strconv.FormatFloat(f, 'f', -1, bits)
}

var (
	jsonNumberForm = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)
	timestampForm  = regexp.MustCompile(`^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d(:?\d\d)?|Z)?$`)
)

// encodeNumber keeps the source's own digits; NaN, Infinity and padded numbers, which JSON has no number for, are strings.
func encodeNumber(dst []byte, src any) []byte {
	if n, ok := src.(int64); ok {
		return strconv.AppendInt(dst, n, 10)
	}
	t := text(src)
	if jsonNumberForm.MatchString(t) {
		return append(dst, t...)
	}
	return appendString(dst, t)
}

func encodeString(dst []byte, src any) []byte { return appendString(dst, text(src)) }

func encodeBool(dst []byte, src any) []byte {
	if b, ok := src.(bool); ok {
		return strconv.AppendBool(dst, b)
	}
	t := text(src)
	return strconv.AppendBool(dst, t == "t" || t == "true" || t == "1")
}

func encodeBytes(dst []byte, src any) []byte {
	var raw []byte
	switch v := src.(type) {
	case []byte:
		raw = v
	default:
		raw = []byte(text(src))
	}
	dst = append(dst, '"')
	dst = base64.StdEncoding.AppendEncode(dst, raw)
	return append(dst, '"')
}

func encodeRawJSON(dst []byte, src any) []byte { return append(dst, text(src)...) }

func encodeMaybeJSON(dst []byte, src any) []byte {
	if t, ok := src.(string); ok && json.Valid([]byte(t)) {
		return append(dst, t...)
	}
	return encodeAny(dst, src)
}

// encodeTimestamp writes RFC 3339, which knows no time without a zone: a value stored without one is written as UTC, and
// the collection's schema names the source's type. What no RFC 3339 time can say (infinity, BC, zero dates) stays as it is.
func encodeTimestamp(dst []byte, src any) []byte { return appendString(dst, timestamp(text(src))) }

func timestamp(t string) string {
	if !timestampForm.MatchString(t) || strings.HasPrefix(t, "0000-") {
		return t
	}
	t = t[:10] + "T" + t[11:]
	rest := t[19:]
	switch i := strings.IndexAny(rest, "+-Z"); {
	case i < 0:
		return t + "Z"
	case rest[i:] == "+00" || rest[i:] == "+00:00" || rest[i:] == "+0000":
		return t[:19+i] + "Z"
	case len(rest[i:]) == 3:
		return t + ":00"
	case len(rest[i:]) == 5:
		return t[:len(t)-2] + ":" + t[len(t)-2:]
	}
	return t
}

// encodeAny writes a value by its own storage class, which SQLite gives each value apart.
func encodeAny(dst []byte, src any) []byte {
	switch v := src.(type) {
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return appendString(dst, strconv.FormatFloat(v, 'g', -1, 64))
		}
		return append(dst, floatText(v, 64)...)
	case []byte:
		return encodeBytes(dst, v)
	case bool:
		return strconv.AppendBool(dst, v)
	default:
		return appendString(dst, text(src))
	}
}

func encodeSQLiteBool(dst []byte, src any) []byte {
	if n, ok := src.(int64); ok && (n == 0 || n == 1) {
		return strconv.AppendBool(dst, n == 1)
	}
	return encodeAny(dst, src)
}

func encodeSQLiteTime(dst []byte, src any) []byte {
	if t, ok := src.(string); ok {
		return encodeTimestamp(dst, t)
	}
	return encodeAny(dst, src)
}

const hexDigits = "0123456789abcdef"

// appendString writes a JSON string. Bytes that are not UTF-8 become U+FFFD, as JSON has no other bytes.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= 0x20 && c != '"' && c != '\\' {
				i++
				continue
			}
			dst = append(dst, s[start:i]...)
			switch c {
			case '"', '\\':
				dst = append(dst, '\\', c)
			case '\n':
				dst = append(dst, '\\', 'n')
			case '\r':
				dst = append(dst, '\\', 'r')
			case '\t':
				dst = append(dst, '\\', 't')
			default:
				dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			}
			i++
			start = i
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			dst = append(dst, s[start:i]...)
			dst = append(dst, "\uFFFD"...)
			start = i + n
		}
		i += n
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}
