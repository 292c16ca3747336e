package auditlog

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	maxFacts = 24  // facts of one entry
	maxValue = 200 // bytes of one value
)

// factType is the shape that the values of a fact have. No shape lets an address, a sentence or a
// line break through.
type factType string

const (
	factEnum   factType = "an enum value"
	factID     factType = "an opaque id"
	factCount  factType = "a count"
	factDigest factType = "a digest"
	factDate   factType = "a date or an instant of UTC"
	factPeriod factType = "an ISO 8601 duration"
	factFlag   factType = "true or false"
	factName   factType = "a name from the data map"
)

// typeOf is the list of allowed facts. A fact that is not listed can't be recorded: adding one is a
// decision about what the log may hold, and is made here. Values come from our own enums and counters
// and from the data map, never from a form field.
func typeOf(key string) (factType, bool) {
	switch key {
	case "right", "from", "to", "status", "ground", "channel", "method", "jurisdiction", "act", "role", "via",
		"template", "language", "event", "code", "reason", "kind", "step", "list", "engine", "mode", "check", "identifier_kind", "source":
		return factEnum, true
	case "request", "submission", "hold", "endpoint", "delivery", "task", "obligation", "entry", "key", "reference", "assignee", "backup":
		return factID, true
	case "rows", "files", "bytes", "count", "attempt", "epoch", "have", "need", "steps", "withheld", "remaining", "failed",
		"skipped", "size", "version", "policy_version", "map_version", "year", "http_status":
		return factCount, true
	case "digest", "plan_digest", "package_digest", "policy_digest", "map_digest", "root", "subject_hash", "recipient_hash", "evidence_digest":
		return factDigest, true
	case "on", "due_on", "until", "extended_until", "received_on", "expires_at", "restored_at":
		return factDate, true
	case "for", "grace":
		return factPeriod, true
	case "dry_run", "known", "waived", "redacted", "early", "fresh":
		return factFlag, true
	case "system", "dataset", "field", "category", "purpose":
		return factName, true
	}
	return "", false
}

// checkFact gives an error that names the fact and what its value must be, and not the value.
func checkFact(key, value string) error {
	t, ok := typeOf(key)
	if !ok {
		if !isEnum(key) {
			key = "(not a key)"
		}
		return fmt.Errorf("facts.%s is not on the list of allowed facts", key)
	}
	if len(value) > maxValue || !t.holds(value) {
		return fmt.Errorf("facts.%s must be %s of at most %d bytes", key, t, maxValue)
	}
	return nil
}

// holds tells whether a value has the shape of its type.
func (t factType) holds(v string) bool {
	switch t {
	case factEnum:
		return isEnum(v)
	case factID:
		return isToken(v)
	case factCount:
		n, err := strconv.ParseInt(v, 10, 64)
		return err == nil && n >= 0 && strconv.FormatInt(n, 10) == v
	case factDigest:
		return len(v) >= 16 && isToken(strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(v, "=")))
	case factDate:
		_, dateErr := time.Parse(time.DateOnly, v)
		_, timeErr := time.Parse(time.RFC3339Nano, v)
		return dateErr == nil || (timeErr == nil && strings.HasSuffix(v, "Z"))
	case factPeriod:
		return len(v) > 1 && v[0] == 'P' && strings.Trim(v, "PTYMWDHS0123456789.") == ""
	case factFlag:
		return v == "true" || v == "false"
	case factName:
		return isName(v)
	}
	return false
}

// isEnum tells whether s is one of our own lower-case words: letters, digits, dots, dashes, underscores.
func isEnum(s string) bool {
	if s == "" || len(s) > 64 || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789._-") == ""
}

// isToken tells whether s is an id or a hash: URL-safe characters and the parting signs of prefixed ids.
func isToken(s string) bool {
	if s == "" || len(s) > 128 {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-") == ""
}

// isSlug tells whether s is the short name of a tenant.
func isSlug(s string) bool {
	if s == "" || len(s) > 63 || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// isName tells whether s may be the name of a system, table or column: anything printable but '@'.
// Printable leaves out U+2028 and its like, which JSON encoders write differently.
func isName(s string) bool {
	return s != "" && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return r == '@' || !unicode.IsPrint(r)
	})
}
