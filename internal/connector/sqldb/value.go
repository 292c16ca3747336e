package sqldb

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

func itoa(n int) string { return strconv.Itoa(n) }

// class is how a driver gave a value.
type class byte

const (
	classNull class = iota
	classText
	classBytes
	classInteger
	classReal
)

// value is one column of one row, without a copy of what the driver holds: it is valid until the next row.
type value struct {
	class class
	raw   []byte // of texts and bytes
	own   []byte // a buffer of ours, for texts that must be copied
	n     int64
	f     float64
}

// Scan implements sql.Scanner: database/sql hands the driver's own value over.
func (v *value) Scan(src any) error {
	switch s := src.(type) {
	case nil:
		v.class, v.raw = classNull, nil
	case []byte:
		v.class, v.raw = classBytes, s
	case string:
		v.own = append(v.own[:0], s...)
		v.class, v.raw = classText, v.own
	case int64:
		v.class, v.n = classInteger, s
	case float64:
		v.class, v.f = classReal, s
	default:
		v.own = append(v.own[:0], text(src)...)
		v.class, v.raw = classText, v.own
	}
	return nil
}

// text gives a value as the drivers write it.
func (v *value) text() string {
	switch v.class {
	case classInteger:
		return strconv.FormatInt(v.n, 10)
	case classReal:
		return floatText(v.f, 64)
	case classText, classBytes:
		return string(v.raw)
	case classNull:
	}
	return ""
}

// text gives any value of a driver as text.
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

// realText is floatText that can't be taken for a whole number.
func realText(f float64) string {
	t := floatText(f, 64)
	if !strings.ContainsAny(t, ".eIN") {
		t += ".0"
	}
	return t
}
