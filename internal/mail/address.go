package mail

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/habeas-data/habeas/internal/fault"
)

// Address is one mailbox in canonical form. Two Addresses are equal (==) only if they are the same
// mailbox by every reading; case and dots of the local part are kept, as only its server knows what they mean.
type Address struct {
	Local  string // dot-atom of ASCII, unchanged
	Domain string // lower-case ASCII with at least one dot, IDNA A-labels
}

// String gives local@domain.
func (a Address) String() string { return a.Local + "@" + a.Domain }

const (
	maxLocal   = 64  // RFC 5321, 4.5.3.1.1
	maxAddress = 254 // RFC 5321, 4.5.3.1.3, less the angle brackets
)

// ParseAddress reads one addr-spec and nothing around it. Refused are: display names, comments, quoted
// local parts, source routes, domain literals and addresses, encoded words, a second address, spaces and
// control characters, invisible and bidirectional characters, local parts that are not ASCII, `%` and `!`
// in them (old relays read another address out of it), domains without a dot or with one at the end, and
// spellings of an international domain that only a mapping makes equal to it (full-width letters, the
// Kelvin sign, decomposed accents). The error is a fault.Invalid with code "bad_address" that says why and
// does not repeat the address.
func ParseAddress(s string) (Address, error) {
	switch {
	case s == "":
		return Address{}, bad("An e-mail address is needed.")
	case len(s) > 4*maxAddress || !utf8.ValidString(s):
		return Address{}, bad("The e-mail address is too long or not valid text.")
	case strings.ContainsFunc(s, invisible):
		return Address{}, bad("The e-mail address holds a space or an invisible character.")
	case strings.Count(s, "@") != 1:
		return Address{}, bad("An e-mail address holds exactly one @.")
	}
	local, domain, _ := strings.Cut(s, "@")
	if why := checkLocal(local); why != "" {
		return Address{}, bad(why)
	}
	domain, why := canonicalDomain(domain)
	if why != "" {
		return Address{}, bad(why)
	}
	a := Address{Local: local, Domain: domain}
	if len(a.String()) > maxAddress {
		return Address{}, bad("An e-mail address has at most 254 characters.")
	}
	return a, nil
}

func bad(why string) error { return fault.New(fault.Invalid, "bad_address", "%s", why) }

// invisible tells whether a character can't be seen or shifts what is seen: spaces, controls, format
// characters (zero width, bidirectional), private and unassigned ones, and marks and fillers without ink.
func invisible(r rune) bool {
	return !unicode.IsGraphic(r) || unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) ||
		unicode.Is(unicode.Variation_Selector, r) || unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
}

// checkLocal gives why a local part is refused, or "".
func checkLocal(local string) string {
	switch {
	case local == "":
		return "The part of the e-mail address before the @ is missing."
	case len(local) > maxLocal:
		return "The part of the e-mail address before the @ has at most 64 characters."
	case local[0] == '.' || local[len(local)-1] == '.' || strings.Contains(local, ".."):
		return "The part of the e-mail address before the @ has a dot too many."
	case strings.HasPrefix(local, "=?"):
		return "The e-mail address is encoded; write it plainly."
	}
	const atext = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789#$&'*+-/=?^_`{|}~."
	if strings.ContainsFunc(local, func(r rune) bool { return !strings.ContainsRune(atext, r) }) {
		return "The part of the e-mail address before the @ holds a character that is not supported."
	}
	return ""
}

// canonicalDomain gives the lower-case A-label form of a domain, or why it is refused.
func canonicalDomain(domain string) (canonical, why string) {
	const wrong = "The part of the e-mail address after the @ is not a domain such as example.com."
	lower := asciiLower(domain)
	profile := idna.New(
		idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(true),
		idna.VerifyDNSLength(true), idna.ValidateLabels(true), idna.CheckJoiners(true), idna.BidiRule(),
	)
	ascii, err := profile.ToASCII(lower)
	if err != nil {
		return "", wrong
	}
	// What is not yet in the form that ToASCII reads out of it was mapped: two spellings, one domain.
	if ascii != lower {
		if back, err := profile.ToUnicode(ascii); err != nil || back != lower {
			return "", "The domain of the e-mail address is written with characters that have a plainer form."
		}
	}
	labels := strings.Split(ascii, ".")
	if len(labels) < 2 || strings.Trim(labels[len(labels)-1], "0123456789") == "" {
		return "", wrong
	}
	return ascii, ""
}

// asciiLower lowers A to Z and nothing else: unicode.ToLower makes an i of İ and a k of the Kelvin sign.
func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + ('a' - 'A')
		}
		return r
	}, s)
}
