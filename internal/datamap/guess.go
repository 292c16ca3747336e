package datamap

import (
	"regexp"
	"strings"
)

// typeClass groups the types of all engines by what can be written into them.
type typeClass uint8

const (
	typeOther typeClass = iota
	typeText
	typeNumber
	typeTime
	typeBool
	typeJSON
	typeBytes
	typeUUID
)

func classOf(c *CatalogColumn) typeClass {
	t := strings.ToLower(c.Type)
	if strings.HasSuffix(t, "[]") || len(c.Enum) > 0 || strings.HasPrefix(t, "enum(") || strings.HasPrefix(t, "set(") {
		return typeOther
	}
	if t == "tinyint(1)" {
		return typeBool
	}
	base, _, _ := strings.Cut(t, "(")
	has := func(parts ...string) bool {
		for _, p := range parts {
			if strings.Contains(base, p) {
				return true
			}
		}
		return false
	}
	switch {
	case has("char", "text", "clob", "string"):
		return typeText
	case has("json"):
		return typeJSON
	case has("uuid", "uniqueidentifier"):
		return typeUUID
	case has("interval"):
		return typeOther
	case has("bool"):
		return typeBool
	case has("timestamp", "datetime", "date", "time", "year"):
		return typeTime
	case has("int", "serial", "numeric", "decimal", "double", "float", "real", "money", "number"):
		return typeNumber
	case has("bytea", "blob", "binary"):
		return typeBytes
	default:
		return typeOther
	}
}

//nolint:gochecknoglobals // compiled patterns, never written
var (
	personalNames = []struct {
		what string
		form *regexp.Regexp
	}{
		{"an e-mail address", regexp.MustCompile(`e_?mail`)},
		{"a telephone number", regexp.MustCompile(`(^|_)(tele)?(phone|fax|mobile|msisdn)(_|$|number)|phone_?number`)},
		{"a person's name", regexp.MustCompile(`(^|_)(first|last|middle|sur|given|family|full|display|nick|maiden)_?name|^surname$|^username$|(^|_)user_?name$|(contact|recipient|holder|customer|patient|passenger)_name`)},
		{"a date of birth", regexp.MustCompile(`birth|(^|_)dob(_|$)`)},
		{"a postal address", regexp.MustCompile(`(^|_)(street|address(_?(line)?_?[0-9])?|post_?code|postal_?code|zip(_?code)?)($|_)|_address$`)},
		{"a number of an identity document", regexp.MustCompile(`(^|_)(ssn|social_security|passport|national_id|tax_id|nin|driver_?s?_licen[cs]e)`)},
		{"a bank account or card", regexp.MustCompile(`(^|_)(iban|ccn|card_?number|pan|cvv|cvc|account_?number|bic)(_|$)`)},
		{"a network address", regexp.MustCompile(`(^|_)(ip|ip_?addr(ess)?|remote_addr|client_ip)(_|$)`)},
		{"a password or secret", regexp.MustCompile(`password|passwd|pwd|secret|api_?key|access_token|refresh_token|otp_|totp`)},
	}
	secretNames = regexp.MustCompile(`password|passwd|pwd|secret|api_?key|_token$|otp_|totp|_hash$`)
	wordBreak   = regexp.MustCompile(`([a-z0-9])([A-Z])`)
	rowDates    = regexp.MustCompile(`(^|_)(created|create|issued|invoice|order|ordered|placed|paid|payment|date|time|timestamp|rental|sent|logged|occurred)(_(at|on|date|time))?$|_date$|_at$|^date$`)
)

// snake writes CamelCase as snake_case: `BillingPostalCode` is billing_postal_code.
func snake(s string) string {
	return strings.ToLower(wordBreak.ReplaceAllString(s, "${1}_$2"))
}

// looksPersonal guesses from a column's name what of a person it may hold; "" when nothing speaks for it.
func looksPersonal(column string) string {
	name := snake(column)
	if strings.HasSuffix(name, "_id") && !strings.Contains(name, "national") && !strings.Contains(name, "tax") {
		return ""
	}
	for _, p := range personalNames {
		if p.form.MatchString(name) {
			return p.what
		}
	}
	return ""
}

// keyNames gives the names under which other tables are likely to hold a subject's key, without underscores and in
// lower case: for customers(id) `customerid` and `customersid`.
func keyNames(s Subject) []string {
	if len(s.Key) != 1 {
		return nil
	}
	flat := func(x string) string { return strings.ReplaceAll(strings.ToLower(x), "_", "") }
	table := flat(s.Table[strings.LastIndex(s.Table, ".")+1:])
	key := flat(s.Key[0])
	suffix := key
	switch key {
	case "id", "uid", "uuid", "guid", "key", "pk", "no", "code":
	default:
		suffix = "id"
	}
	out := []string{table + suffix, singular(table) + suffix}
	if suffix != key {
		out = append(out, key)
	}
	return out
}

func singular(s string) string {
	switch {
	case strings.HasSuffix(s, "ies"):
		return s[:len(s)-3] + "y"
	case strings.HasSuffix(s, "sses"), strings.HasSuffix(s, "xes"):
		return s[:len(s)-2]
	case strings.HasSuffix(s, "ss"):
		return s
	case s == "people":
		return "person"
	default:
		return strings.TrimSuffix(s, "s")
	}
}

// suspectedKey tells whether a column is named and typed as if it held a subject's key without a declared reference.
func suspectedKey(c *CatalogColumn, s Subject, cat *Catalog) bool {
	names := keyNames(s)
	flat := strings.ReplaceAll(strings.ToLower(c.Name), "_", "")
	hit := false
	for _, n := range names {
		hit = hit || n == flat
	}
	if !hit {
		return false
	}
	t, ok := cat.Table(s.Table)
	if !ok {
		return false
	}
	key, ok := t.Column(s.Key[0])
	return ok && classOf(key) == classOf(c)
}
