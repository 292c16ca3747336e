package residue

import (
	"encoding/base64"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// wanted is what a search looks for: forms are cheap texts in lower case of which a row that matters holds one; the
// rest judges a value. An address is found as a whole, in any case and in the encodings in which programs keep texts; a
// telephone number however it is written; another identifier as a whole word.
type wanted struct {
	addresses []string            // in lower case
	phones    []string            // digits, without the country's prefix where that can be told: the last nine at most
	words     []string            // in lower case
	numbers   map[string][]string // identifiers of digits alone → names of columns, bare of signs, that may hold them

	forms  []string
	digits []string
}

const (
	shortestWord  = 8 // a shorter identifier stands everywhere by chance
	shortestPhone = 8
	telling       = 9 // so many digits from the end tell one number from another
	shortestDigit = 7 // of a number that is looked for in columns of numbers
)

var (
	phoneName  = regexp.MustCompile(`(?i)phone|mobile|(^|_)(cell|tel|fax|sms|msisdn|handy)|whatsapp`)
	phoneForm  = regexp.MustCompile(`^\+?[0-9][0-9 ()./-]*$`)
	digitRun   = regexp.MustCompile(`\+?[0-9](?:[ ()./-]{0,3}[0-9])*`)
	numberForm = regexp.MustCompile(`^-?[0-9.]+(?:[eE][+-]?[0-9]+)?$`)
	octal      = regexp.MustCompile(`\\[0-7]{3}`)
	notDigit   = regexp.MustCompile(`[^0-9]+`)
	codeRun    = regexp.MustCompile(`[A-Za-z0-9+/_-]{8,}`)
	percent    = regexp.MustCompile(`%[0-9a-fA-F]{2}`)
	quotedQP   = regexp.MustCompile(`=[0-9a-fA-F]{2}`)
	jsonCode   = regexp.MustCompile(`\\(?:u[0-9a-fA-F]{4}|[nrt/"\\])`)
)

// add tells by name and form what kind of thing an identifier is; false when it is too short to be looked for.
func (w *wanted) add(name, value string, columns []string) bool {
	low := asciiLower(strings.TrimSpace(value))
	at := strings.LastIndex(low, "@")
	switch {
	case at > 0 && at < len(low)-1:
		// A bare domain or a stray sign would fit half the database.
		w.addresses = append(w.addresses, low)
		w.forms = append(w.forms, addressForms(value, low)...)
	case phoneName.MatchString(name) && phoneForm.MatchString(low):
		d := notDigit.ReplaceAllString(low, "")
		if len(d) < shortestPhone {
			return false
		}
		d = d[max(0, len(d)-telling):]
		w.phones, w.digits = append(w.phones, d), append(w.digits, d)
	case notDigit.ReplaceAllString(low, "") == low && low != "":
		if len(low) >= shortestDigit {
			w.numbers[low] = columns
			w.forms = append(w.forms, low)
		}
		return len(low) >= shortestDigit
	case len(low) >= shortestWord && strings.ContainsAny(low, "0123456789._-@"):
		w.words = append(w.words, low)
		w.forms = append(w.forms, low)
		if bare := strings.ReplaceAll(low, "-", ""); len(bare) == 32 && len(low) == 36 { // a UUID without its dashes
			w.words, w.forms = append(w.words, bare), append(w.forms, bare)
		}
	default:
		return false
	}
	return true
}

func (w *wanted) empty() bool { return len(w.forms)+len(w.digits) == 0 }

func (w *wanted) tidy() {
	for _, list := range []*[]string{&w.addresses, &w.phones, &w.words, &w.forms, &w.digits} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
}

// addressForms gives texts of which at least one stands in lower case wherever the address stands in one of these:
// plain, percent-encoded, escaped as in JSON, HTML or quoted-printable, in base64 at any place within three bytes.
func addressForms(value, low string) []string {
	local, domain, _ := strings.Cut(low, "@")
	out := []string{low}
	for _, sign := range []string{"%40", `\u0040`, "&#64;", "&#x40;", "=40", "&commat;"} {
		out = append(out, local+sign+domain)
	}
	if strings.ContainsFunc(local, func(r rune) bool { return r > 127 || strings.ContainsRune("+&'%=", r) }) {
		out = append(out, asciiLower(url.QueryEscape(low)), asciiLower(url.PathEscape(low)), domain)
	}
	for _, v := range []string{low, value} {
		for shift := range 3 {
			code := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("\x00", shift) + v))
			code = code[[]int{0, 2, 3}[shift]:]
			code = code[:len(code)-1] // the last sign may hold bits of what follows
			out = append(out, asciiLower(code), asciiLower(strings.NewReplacer("+", "-", "/", "_").Replace(code)))
		}
	}
	return out
}

// in tells whether a value of the column holds what is wanted.
func (w *wanted) in(col field, value string) bool {
	if col.number && numberForm.MatchString(value) {
		return w.inNumber(col, value)
	}
	if binary(col.typ) {
		value = bytesOf(value)
	}
	views := []string{asciiLower(value)}
	for _, more := range []string{
		percent.ReplaceAllStringFunc(value, func(s string) string { return hexByte(s[1:]) }),
		quotedQP.ReplaceAllStringFunc(value, func(s string) string { return hexByte(s[1:]) }),
		jsonCode.ReplaceAllStringFunc(value, jsonSign),
		html.UnescapeString(value),
	} {
		if more != value {
			views = append(views, asciiLower(more))
		}
	}
	for _, v := range views {
		for _, a := range w.addresses {
			if holds(v, a) {
				return true
			}
		}
	}
	return w.inWords(views[0]) || w.inDigits(value) || w.inCode(value)
}

func (w *wanted) inWords(low string) bool {
	for _, x := range w.words {
		if holdsWord(low, x) {
			return true
		}
	}
	for x := range w.numbers {
		if len(x) >= shortestWord && holdsWord(low, x) {
			return true
		}
	}
	return false
}

func (w *wanted) inDigits(value string) bool {
	if len(w.phones) == 0 {
		return false
	}
	for _, run := range digitRun.FindAllString(value, -1) {
		if w.isPhone(notDigit.ReplaceAllString(run, "")) {
			return true
		}
	}
	return false
}

// isPhone allows for a country's prefix before the digits that tell; longer runs are other numbers.
func (w *wanted) isPhone(d string) bool {
	return slices.ContainsFunc(w.phones, func(p string) bool { return strings.HasSuffix(d, p) && len(d) <= len(p)+6 })
}

// inCode looks into base64: the address must stand there as a whole, so that somebody's longer one is not meant.
func (w *wanted) inCode(value string) bool {
	if len(w.addresses) == 0 {
		return false
	}
	for _, run := range codeRun.FindAllString(value, -1) {
		run = strings.NewReplacer("-", "+", "_", "/").Replace(run)
		for shift := range min(4, len(run)) {
			part := run[shift:]
			part = part[:len(part)-btoi(len(part)%4 == 1)]
			raw, err := base64.RawStdEncoding.DecodeString(part)
			if err != nil {
				continue
			}
			low := asciiLower(string(raw))
			if slices.ContainsFunc(w.addresses, func(a string) bool { return holds(low, a) }) {
				return true
			}
			if shift == 0 && utf8.ValidString(low) && strings.Contains(low, "@") {
				break // it is what it looks like: another shift would read noise
			}
		}
	}
	return false
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// inNumber compares a number only where the column's name says that it may be this one: by chance, any long number of a
// big table equals another.
func (w *wanted) inNumber(col field, value string) bool {
	value, _, _ = strings.Cut(value, ".")
	if phoneName.MatchString(col.name) && w.isPhone(value) {
		return true
	}
	for x, columns := range w.numbers {
		if x == value && named(col.name, columns) {
			return true
		}
	}
	return false
}

// bytesOf leaves of a binary value what is ASCII: what stands beside a text in it belongs to no address.
func bytesOf(value string) string {
	return strings.Map(func(r rune) rune {
		if r > 127 {
			return 0
		}
		return r
	}, octal.ReplaceAllString(value, "\x00"))
}

// named tells whether a column's name says that it may hold what one of the ends of names is about.
func named(column string, about []string) bool {
	name := bareName(column)
	return slices.ContainsFunc(about, func(c string) bool { return strings.HasSuffix(name, c) || len(c) >= 5 && strings.Contains(name, c) })
}

// bareName lowers a name and takes its signs out: user_id, UserId and USERID are one.
func bareName(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r == ' ' || r == '.' {
			return -1
		}
		return r
	}, asciiLower(s))
}

func hexByte(s string) string {
	n, err := strconv.ParseUint(s, 16, 8)
	if err != nil {
		return s
	}
	return string([]byte{byte(n)})
}

func jsonSign(s string) string {
	if s[1] == 'u' {
		n, _ := strconv.ParseUint(s[2:], 16, 16)
		return string(rune(n))
	}
	return map[byte]string{'n': "\n", 'r': "\r", 't': "\t"}[s[1]] + strings.Trim(s[1:], "nrt")
}

// holdsWord tells whether a text holds a word with no letter or digit at either end.
func holdsWord(text, word string) bool {
	alnum := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r > 127 && r != utf8.RuneError
	}
	for from := 0; ; {
		i := strings.Index(text[from:], word)
		if i < 0 {
			return false
		}
		start, end := from+i, from+i+len(word)
		before, _ := utf8.DecodeLastRuneInString(text[:start])
		after, _ := utf8.DecodeRuneInString(text[end:])
		if (start == 0 || !alnum(before)) && (end == len(text) || !alnum(after)) {
			return true
		}
		from = start + 1
	}
}

// holds tells whether a text holds an address as a whole: `ann@x.org` does not stand in `joann@x.org` nor in
// `ann@x.org.uk`. Both are in lower case.
func holds(text, address string) bool {
	for from := 0; ; {
		i := strings.Index(text[from:], address)
		if i < 0 {
			return false
		}
		start, end := from+i, from+i+len(address)
		before, _ := utf8.DecodeLastRuneInString(text[:start])
		if (start == 0 || !partOfAddress(before)) && endsHere(text[end:]) {
			return true
		}
		from = start + 1
	}
}

// partOfAddress leaves out signs that RFC 5322 (3.2.3) allows in a local part and nobody has there, but that stand before
// addresses in addresses of pages, lists and settings: = & ? / | { } # * ! $ ^ ` ~
func partOfAddress(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune(".+_-%", r) && r != utf8.RuneError || r > 127 && r != utf8.RuneError
}

// endsHere tells whether a domain ends before rest: a full stop ends a sentence unless a letter follows it.
func endsHere(rest string) bool {
	if rest == "" {
		return true
	}
	alnum := func(b byte) bool { return b >= 'a' && b <= 'z' || b >= '0' && b <= '9' || b >= utf8.RuneSelf }
	switch {
	case alnum(rest[0]) || rest[0] == '-':
		return false
	case rest[0] == '.' && len(rest) > 1:
		return !alnum(rest[1])
	default:
		return true
	}
}
