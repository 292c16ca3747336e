package mail

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/habeas-data/habeas/internal/fault"
)

func TestParseAddressAccepts(t *testing.T) {
	for in, want := range map[string]string{
		"anna@example.com":                       "anna@example.com",
		"Anna.B@Example.COM":                     "Anna.B@example.com",
		"a+tag@example.co.uk":                    "a+tag@example.co.uk",
		"a.b.c@gmail.com":                        "a.b.c@gmail.com",
		"o'hara_{x}@example.com":                 "o'hara_{x}@example.com",
		"1@1x.example":                           "1@1x.example",
		"anna@bücher.example":                    "anna@xn--bcher-kva.example",
		"anna@BüCHER.example":                    "anna@xn--bcher-kva.example",
		"anna@xn--bcher-kva.example":             "anna@xn--bcher-kva.example",
		"anna@straße.example":                    "anna@xn--strae-oqa.example",
		"anna@cоrp.example":                      "anna@xn--crp-sed.example", // Cyrillic o: another domain, shown as such
		"anna@ıstanbul.example":                  "anna@xn--stanbul-qfb.example",
		strings.Repeat("l", 64) + "@example.com": strings.Repeat("l", 64) + "@example.com",
	} {
		a, err := ParseAddress(in)
		if err != nil || a.String() != want {
			t.Errorf("%s: %s, %v, want %s", in, a, err, want)
			continue
		}
		if again, err := ParseAddress(a.String()); err != nil || again != a {
			t.Errorf("%s: its canonical form reads as %v, %v", in, again, err)
		}
	}
}

func TestParseAddressRefuses(t *testing.T) {
	for name, in := range map[string]string{
		"empty": "", "no at": "example.com", "only at": "@", "empty local": "@example.com", "empty domain": "anna@",
		"two ats": "anna@x.org@evil.com", "quoted local with at": `"a@x.org"@evil.com`, "quoted local": `"anna"@example.com`,
		"quoted space": `"an na"@example.com`, "backslash": `an\na@example.com`,
		"display name": "Anna <anna@example.com>", "angle brackets": "<anna@example.com>",
		"comment after": "anna@example.com(x)", "comment before": "(x)anna@example.com", "comment inside": "anna(x)@example.com",
		"source route": "@relay.org:anna@example.com", "source route in brackets": "<@relay.org:anna@example.com>",
		"percent hack": "anna%example.com@relay.org", "bang path": "relay!anna@example.com",
		"encoded word": "=?utf-8?q?victim=40corp.com=3e?=@evil.com", "encoded word without at": "=?utf-8?q?anna?=@example.com",
		"domain literal": "anna@[127.0.0.1]", "IPv6 literal": "anna@[IPv6:::1]", "IP domain": "anna@127.0.0.1", "short IP": "anna@127.1",
		"two by comma": "anna@example.com,eve@evil.com", "two by semicolon": "anna@example.com;eve@evil.com",
		"two by space": "anna@example.com eve@evil.com", "group": "x:anna@example.com;",
		"CR LF": "anna@example.com\r\nBcc: eve@evil.com", "LF": "anna\n@example.com", "NUL": "anna\x00@example.com", "tab": "anna\t@example.com",
		"leading space": " anna@example.com", "trailing space": "anna@example.com ", "no-break space": "anna\u00a0@example.com",
		"ideographic space": "anna@example\u3000.com", "line separator": "anna@example.com\u2028",
		"no dot": "anna@example", "localhost": "anna@localhost", "trailing dot": "anna@example.com.", "leading dot in domain": "anna@.example.com",
		"two dots in domain": "anna@example..com", "ideographic full stop": "anna@example。com", "full-width full stop": "anna@example．com",
		"leading dot": ".anna@example.com", "trailing dot in local": "anna.@example.com", "two dots in local": "an..na@example.com",
		"dash label": "anna@-example.com", "underscore": "anna@ex_ample.com", "long label": "anna@" + strings.Repeat("d", 64) + ".com",
		"65 local": strings.Repeat("l", 65) + "@example.com", "320 characters": "anna@" + strings.Repeat("d.", 160) + "com",
		"255 characters": strings.Repeat("l", 64) + "@" + strings.Repeat(strings.Repeat("d", 61)+".", 3) + "com.xx",
		"dotless i":      "vıctim@example.com", "long s": "ſam@example.com", "Kelvin sign": "\u212aate@example.com", "dotted I": "İ@example.com",
		"ligature": "ﬁona@example.com", "sharp s": "weiß@example.com", "NFC": "andré@example.com", "NFD": "andre\u0301@example.com",
		"full-width letters": "ａnna@example.com", "full-width at": "anna＠example.com", "Cyrillic": "аnna@example.com",
		"zero-width joiner": "an\u200dna@example.com", "zero-width space": "anna@exam\u200bple.com", "zero-width non-joiner in domain": "anna@exam\u200cple.com",
		"right-to-left mark": "anna\u200f@example.com", "right-to-left override": "anna@\u202emoc.elpmaxe", "soft hyphen": "anna@exam\u00adple.com",
		"byte order mark": "\ufeffanna@example.com", "variation selector": "anna@example\ufe0f.com", "Hangul filler": "anna@exam\u3164ple.com",
		"full-width domain": "anna@ｅxample.com", "Kelvin in domain": "anna@\u212aate.com", "long s in domain": "anna@ſam.com",
		"ligature in domain": "anna@ﬁona.com", "NFD domain": "anna@bu\u0308cher.example", "upper-case umlaut": "anna@BÜCHER.example",
		"circled digits": "anna@①②⑦.example.com", "bad punycode": "anna@xn--zzzzzzz999.example", "punycode of ASCII": "anna@xn--example-.com",
		"mailto": "mailto:anna@example.com", "percent encoded": "anna%40example.com", "invalid UTF-8": "anna\xff@example.com",
	} {
		a, err := ParseAddress(in)
		e, ok := fault.As(err)
		if !ok || e.Kind != fault.Invalid || e.Code != "bad_address" || a != (Address{}) {
			t.Errorf("%s: %q is taken for %q, %v", name, in, a, err)
			continue
		}
		if strings.Contains(err.Error(), "anna") {
			t.Errorf("%s: the error repeats the address: %v", name, err)
		}
	}
}

// TestNoConfusions: whatever is accepted is ASCII, stays as it is, and two different spellings are one
// address only when they differ in the case of ASCII letters of the domain, or in A-label and U-label.
func TestNoConfusions(t *testing.T) {
	victim := "victim@corp-kiss.com"
	for _, attacker := range []string{
		"vıctim@corp-kiss.com", "VICTIM@corp-kiss.com", "victim@corp-ki\u017f\u017f.com", "victim@corp-\u212aiss.com", "victim@corp-kiß.com",
		"victim+x@corp-kiss.com", "v.ictim@corp-kiss.com", "victim@cоrp-kiss.com", "victim@corp\u2010kiss.com", "victim@corp-kiss.com.",
		"victim@corp\u00ad-kiss.com", "ｖictim@corp-kiss.com", "victim\u200b@corp-kiss.com", "victim@corp-kiss。com", " victim@corp-kiss.com",
	} {
		for _, pair := range [][2]string{{victim, attacker}, {attacker, victim}} {
			a, errA := ParseAddress(pair[0])
			b, errB := ParseAddress(pair[1])
			if errA == nil && errB == nil && a == b {
				t.Errorf("%q and %q are one address", pair[0], pair[1])
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		a, err := ParseAddress(rapid.String().Draw(t, "any") + "@" + rapid.StringMatching(`[a-zA-Z0-9ßıİKſé.\-]{1,20}\.(com|de)`).Draw(t, "domain"))
		if err != nil {
			return
		}
		if strings.ContainsFunc(a.String(), func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
			t.Fatalf("%q is not plain ASCII", a)
		}
		if again, err := ParseAddress(a.String()); err != nil || again != a {
			t.Fatalf("%q reads as %q, %v", a, again, err)
		}
	})
}
