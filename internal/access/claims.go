package access

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// claims are the claims of ours, checked for shape.
type claims struct {
	Issuer    string
	Subject   string
	Tenant    string
	Roles     []Role
	Org       string
	Expires   time.Time
	NotBefore time.Time // zero when absent
	IssuedAt  time.Time // zero when absent
	AuthTime  time.Time // zero when absent
	Fresh     bool
}

// tenantForm is the form of a tenant's slug.
const tenantForm = `^[a-z][a-z0-9-]{0,62}$`

// readClaims takes the claims by their exact names; encoding/json into a struct would take "EXP" for
// "exp" as well.
func readClaims(body map[string]any) (claims, error) {
	var c claims
	// An array with us and another in it is refused too: that other could bring the token to us.
	if aud, ok := body["aud"].([]any); ok && len(aud) == 1 {
		body["aud"] = aud[0]
	}
	if body["aud"] != audience {
		return c, errors.New("aud is not habeas alone")
	}
	for name, to := range map[string]*string{"iss": &c.Issuer, "sub": &c.Subject, "tenant": &c.Tenant, "org": &c.Org} {
		text, isText := body[name].(string)
		if _, there := body[name]; there && !isText {
			return c, errors.New(name + " is not a text")
		}
		*to = text
	}
	for name, to := range map[string]*time.Time{"exp": &c.Expires, "nbf": &c.NotBefore, "iat": &c.IssuedAt, "auth_time": &c.AuthTime} {
		value, there := body[name]
		if !there {
			continue
		}
		at, err := numericDate(value)
		if err != nil {
			return c, errors.New(name + " is not a date")
		}
		*to = at
	}
	if c.Expires.IsZero() {
		return c, errors.New("exp is missing")
	}
	list, _ := body["roles"].([]any)
	for _, r := range list {
		text, ok := r.(string)
		if !ok {
			return c, errors.New("roles is not a list of texts")
		}
		c.Roles = append(c.Roles, Role(text))
	}
	c.Fresh = body["fresh"] == true
	return c, c.check()
}

// check holds the claims that name somebody against their rules.
func (c claims) check() error {
	switch {
	case !isName(c.Subject):
		return errors.New("the subject must be 1 to 256 printable characters")
	case !regexp.MustCompile(tenantForm).MatchString(c.Tenant):
		return errors.New("the tenant must be a slug: " + tenantForm)
	case len(c.Roles) == 0:
		return errors.New("at least one role is needed")
	case slices.ContainsFunc(c.Roles, func(r Role) bool { return !slices.Contains(Roles(), r) }):
		return errors.New("every role must be one of officer, approver, auditor, admin, org_admin, product")
	case slices.Contains(c.Roles, RoleProduct) && slices.ContainsFunc(c.Roles, func(r Role) bool { return r != RoleProduct }):
		return errors.New("the role product stands alone")
	case slices.Contains(c.Roles, RoleOrgAdmin) && !isName(c.Org):
		return errors.New("the role org_admin needs an organization of 1 to 256 printable characters")
	case c.Org != "" && !isName(c.Org):
		return errors.New("the organization must be 1 to 256 printable characters")
	}
	return nil
}

// isName tells whether s may name somebody: printable, without spaces at its ends.
func isName(s string) bool {
	return s != "" && len(s) <= 256 && utf8.ValidString(s) && strings.TrimSpace(s) == s &&
		!strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// numericDate reads seconds since 1970 between then and the year 9999, with or without a fraction.
func numericDate(v any) (time.Time, error) {
	n, ok := v.(json.Number)
	if !ok {
		return time.Time{}, errors.New("not a number")
	}
	f, err := n.Float64()
	if err != nil || math.IsNaN(f) || f <= 0 || f > 253402300799 {
		return time.Time{}, errors.New("out of range")
	}
	whole, part := math.Modf(f)
	return time.Unix(int64(whole), int64(part*1e9)).UTC(), nil
}

// decodeObject decodes one part of a token: unpadded base64url of one JSON object in UTF-8 without a
// doubled key at any depth, for of two values one parser takes the first and another the last.
func decodeObject(part string) (map[string]any, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil || !utf8.Valid(raw) {
		return nil, errors.New("a part of the token is not base64url")
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	v, err := readValue(dec, 0)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("a part of the token holds more than one value")
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("a part of the token is not a JSON object")
	}
	return object, nil
}

// readValue reads one JSON value of at most 16 levels.
func readValue(dec *json.Decoder, depth int) (any, error) {
	bad := errors.New("a part of the token is not JSON")
	token, err := dec.Token()
	if err != nil || depth > 16 {
		return nil, bad
	}
	switch token {
	case json.Delim('['):
		list := []any{}
		for dec.More() {
			v, err := readValue(dec, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = dec.Token()
		return list, err
	case json.Delim('{'):
		object := map[string]any{}
		for dec.More() {
			key, err := dec.Token()
			if err != nil {
				return nil, bad
			}
			name, ok := key.(string)
			if _, twice := object[name]; !ok || twice {
				return nil, errors.New("a part of the token has a doubled key")
			}
			if object[name], err = readValue(dec, depth+1); err != nil {
				return nil, err
			}
		}
		_, err = dec.Token()
		return object, err
	}
	return token, nil
}
