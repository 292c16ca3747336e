package sqldb

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/habeas-data/habeas/internal/connector"
)

// encoder appends a non-null value to dst as one complete JSON value. Within one column it is injective: two values
// that the database tells apart never give the same JSON. Most values are plain; those whose plain form would read as
// another value are an object with one key that says what the source holds (connector.Tag…).
type encoder func(dst []byte, v *value) []byte

var timestampForm = regexp.MustCompile(`^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d(:?\d\d)?|Z)?$`)

func tagged(dst []byte, tag string, write func([]byte) []byte) []byte {
	dst = append(append(append(dst, `{"`...), tag...), `":`...)
	return append(write(dst), '}')
}

func taggedText(dst []byte, tag string, s []byte) []byte {
	return tagged(dst, tag, func(dst []byte) []byte { return appendString(dst, s) })
}

func taggedBytes(dst []byte, tag string, raw []byte) []byte {
	return tagged(dst, tag, func(dst []byte) []byte { return appendBase64(dst, raw) })
}

func appendBase64(dst, raw []byte) []byte {
	dst = append(dst, '"')
	dst = base64.StdEncoding.AppendEncode(dst, raw)
	return append(dst, '"')
}

// appendText writes a text; one that is no UTF-8, which JSON can't hold, as its bytes.
func appendText(dst, s []byte) []byte {
	if !utf8.Valid(s) {
		return taggedBytes(dst, connector.TagTextBytes, s)
	}
	return appendString(dst, s)
}

// encodeNumber keeps the source's own digits; NaN, Infinity and padded numbers, which JSON has no number for, are strings.
func encodeNumber(dst []byte, v *value) []byte {
	switch v.class {
	case classInteger:
		return strconv.AppendInt(dst, v.n, 10)
	case classReal:
		return append(dst, floatText(v.f, 64)...)
	case classText, classBytes, classNull:
	}
	if isNumber(v.raw) {
		return append(dst, v.raw...)
	}
	return appendText(dst, v.raw)
}

// isNumber tells whether s is a JSON number (RFC 8259, section 6).
func isNumber(s []byte) bool {
	i := 0
	digits := func() bool {
		start := i
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		return i > start
	}
	if i < len(s) && s[i] == '-' {
		i++
	}
	whole := i
	if !digits() || s[whole] == '0' && i > whole+1 {
		return false
	}
	if i < len(s) && s[i] == '.' {
		i++
		if !digits() {
			return false
		}
	}
	if i < len(s) && s[i]|0x20 == 'e' {
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		if !digits() {
			return false
		}
	}
	return i == len(s)
}

func encodeString(dst []byte, v *value) []byte {
	if v.class == classInteger || v.class == classReal {
		return appendString(dst, []byte(v.text()))
	}
	return appendText(dst, v.raw)
}

// encodeFloat32 writes the shortest digits of a single-precision number that came as a double.
func encodeFloat32(dst []byte, v *value) []byte {
	if v.class != classReal {
		return encodeNumber(dst, v)
	}
	return append(dst, floatText(v.f, 32)...)
}

// encodePgBool reads PostgreSQL's text of a boolean.
func encodePgBool(dst []byte, v *value) []byte {
	return strconv.AppendBool(dst, len(v.raw) > 0 && v.raw[0] == 't')
}

func encodeBytes(dst []byte, v *value) []byte { return appendBase64(dst, v.raw) }

// encodePgBytes reads bytea_output = hex.
func encodePgBytes(dst []byte, v *value) []byte {
	raw := make([]byte, hex.DecodedLen(max(len(v.raw)-2, 0)))
	if len(v.raw) < 2 || string(v.raw[:2]) != `\x` {
		return taggedText(dst, connector.TagText, v.raw)
	}
	if _, err := hex.Decode(raw, v.raw[2:]); err != nil {
		return taggedText(dst, connector.TagText, v.raw)
	}
	return appendBase64(dst, raw)
}

// encodeJSON embeds JSON as it stands, down to its digits and repeated keys. JSON's own null, which would read as
// SQL's, what would read as one of our tags, and space around the value are told as text.
func encodeJSON(dst []byte, v *value) []byte {
	s := v.raw
	if v.class == classInteger || v.class == classReal {
		return encodeNumber(dst, v)
	}
	if !utf8.Valid(s) || !json.Valid(s) {
		if !utf8.Valid(s) {
			return taggedBytes(dst, connector.TagTextBytes, s)
		}
		return taggedText(dst, connector.TagText, s)
	}
	if string(s) == "null" || space(s[0]) || space(s[len(s)-1]) || looksTagged(s) {
		return taggedText(dst, connector.TagJSON, s)
	}
	return append(dst, s...)
}

func space(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// looksTagged tells whether an object of the source begins like one of our tags, in whatever spelling.
func looksTagged(s []byte) bool {
	if s[0] != '{' {
		return false
	}
	rest := bytes.TrimLeft(s[1:], " \t\r\n")
	return bytes.HasPrefix(rest, []byte(`"$`)) || bytes.HasPrefix(rest, []byte(`"\`))
}

// encodeTimestamp writes RFC 3339, which knows no time without a zone: a value stored without one is written as UTC, and
// the collection's schema names the source's type. What no RFC 3339 time can say (infinity, BC, zero dates) stays as it is.
func encodeTimestamp(dst []byte, v *value) []byte {
	s := v.raw
	// The common form at once: 2006-01-02 15:04:05[.999999][+00], every digit in its place.
	if n := len(s); n >= 19 && plainTime(s) && (n == 19 || n == 22 && string(s[19:]) == "+00") {
		dst = append(append(append(dst, '"'), s[:10]...), 'T')
		return append(append(dst, s[11:19]...), `Z"`...)
	}
	return appendText(dst, []byte(timestamp(string(s))))
}

func plainTime(s []byte) bool {
	const form = "0000-00-00 00:00:00"
	for i := range form {
		if form[i] == '0' && (s[i] < '0' || s[i] > '9') || form[i] != '0' && s[i] != form[i] {
			return false
		}
	}
	return string(s[:4]) != "0000" && string(s[5:7]) != "00" && string(s[8:10]) != "00"
}

func timestamp(t string) string {
	if !timestampForm.MatchString(t) || strings.HasPrefix(t, "0000-") || t[5:7] == "00" || t[8:10] == "00" {
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

// SQLite gives each value a storage class of its own, whatever the column says. A number is a number, with a point or an
// exponent where it is stored as a real; plain strings are the class that the column asks for, and others are tagged.

// liteNumber writes integers and reals; false for the other classes.
func liteNumber(dst []byte, v *value) ([]byte, bool) {
	switch {
	case v.class == classInteger:
		return strconv.AppendInt(dst, v.n, 10), true
	case v.class == classReal && (math.IsInf(v.f, 0) || math.IsNaN(v.f)):
		return taggedText(dst, connector.TagReal, []byte(floatText(v.f, 64))), true
	case v.class == classReal:
		return append(dst, realText(v.f)...), true
	}
	return dst, false
}

// encodeLite is for columns in which plain strings are texts.
func encodeLite(dst []byte, v *value) []byte {
	if out, ok := liteNumber(dst, v); ok {
		return out
	}
	if v.class == classBytes {
		return taggedBytes(dst, connector.TagBytes, v.raw)
	}
	return appendText(dst, v.raw)
}

// encodeLiteBlob is for columns in which plain strings are base64.
func encodeLiteBlob(dst []byte, v *value) []byte {
	if out, ok := liteNumber(dst, v); ok {
		return out
	}
	if v.class == classBytes {
		return appendBase64(dst, v.raw)
	}
	if !utf8.Valid(v.raw) {
		return taggedBytes(dst, connector.TagTextBytes, v.raw)
	}
	return taggedText(dst, connector.TagText, v.raw)
}

func encodeLiteBool(dst []byte, v *value) []byte {
	if v.class == classInteger && (v.n == 0 || v.n == 1) {
		return strconv.AppendBool(dst, v.n == 1)
	}
	return encodeLite(dst, v)
}

// encodeLiteJSON is for columns declared JSON: texts that are JSON are embedded.
func encodeLiteJSON(dst []byte, v *value) []byte {
	if v.class != classText {
		return encodeLite(dst, v)
	}
	if s := v.raw; len(s) > 0 && (s[0] == '-' || s[0] >= '0' && s[0] <= '9') && json.Valid(s) {
		return taggedText(dst, connector.TagJSON, s) // a text all the same, not a number
	}
	return encodeJSON(dst, v)
}

// encodeLiteTime writes the form that SQLite's own functions give, 2006-01-02 15:04:05, as RFC 3339 in UTC. A text that
// is stored as RFC 3339 in UTC already keeps its instant and says its zone as +00:00; one that is stored like that
// again is tagged. Every other text stays as it is.
func encodeLiteTime(dst []byte, v *value) []byte {
	s := v.raw
	if v.class != classText || len(s) < 19 || !timestampForm.Match(s) {
		return encodeLite(dst, v)
	}
	zone := strings.TrimLeft(string(s[19:]), ".0123456789")
	switch {
	case s[10] == ' ' && zone == "" && plainTime(s):
		return append(append(append(append(append(append(dst, '"'), s[:10]...), 'T'), s[11:]...), 'Z'), '"')
	case s[10] == 'T' && zone == "Z":
		return append(append(append(append(dst, '"'), s[:len(s)-1]...), "+00:00"...), '"')
	case s[10] == 'T' && zone == "+00:00":
		return taggedText(dst, connector.TagText, s)
	}
	return encodeLite(dst, v)
}

const hexDigits = "0123456789abcdef"

// appendString writes a JSON string. Bytes that are not UTF-8 become U+FFFD, as JSON has no other bytes.
func appendString(dst, s []byte) []byte {
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
		r, n := utf8.DecodeRune(s[i:])
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
