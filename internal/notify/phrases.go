package notify

import (
	"embed"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/goccy/go-yaml"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/statute"
)

//go:embed phrases/*.yaml
var phraseFiles embed.FS

// Languages lists the languages that letters and phrases exist in, English first.
func Languages() []string { return []string{"en", "es", "de", "fr"} }

// catalogs reads the embedded phrases once. The files are part of the program and held by tests.
//
//nolint:gochecknoglobals // embedded data, parsed once and never written again
var catalogs = sync.OnceValue(func() map[string]map[string]string {
	out := map[string]map[string]string{}
	for _, lang := range Languages() {
		src, err := phraseFiles.ReadFile("phrases/" + lang + ".yaml")
		if err != nil {
			panic("notify: " + err.Error())
		}
		m := map[string]string{}
		if err := yaml.UnmarshalWithOptions(src, &m, yaml.Strict()); err != nil {
			panic("notify: phrases/" + lang + ".yaml: " + err.Error())
		}
		out[lang] = m
	}
	return out
})

// Phrases says things in one language. It is read-only and safe for many goroutines.
type Phrases struct {
	lang string
	own  map[string]string
}

// Words gives the phrases of a language by its BCP 47 tag ("de", "de-AT"); what is not known is English.
func Words(lang string) *Phrases {
	lang = Match(lang, Languages())
	return &Phrases{lang: lang, own: catalogs()[lang]}
}

// Match chooses one of the offered languages for a tag or an Accept-Language header ("fr-CH, de;q=0.5"). When nothing
// fits it is the first offered; with none offered it is "en".
func Match(preferred string, offered []string) string {
	if len(offered) == 0 {
		return Languages()[0]
	}
	tags := make([]language.Tag, len(offered))
	for i, o := range offered {
		tags[i] = language.Make(o)
	}
	if len(preferred) > 256 {
		preferred = preferred[:max(strings.LastIndexByte(preferred[:256], ','), 0)] // a header of a stranger
	}
	want, _, err := language.ParseAcceptLanguage(preferred)
	if err != nil || len(want) == 0 {
		return offered[0]
	}
	_, i, confidence := language.NewMatcher(tags).Match(want...)
	if confidence == language.No {
		return offered[0]
	}
	return offered[i]
}

// Lang gives the language of the phrases.
func (p *Phrases) Lang() string { return p.lang }

// Say gives a phrase with its placeholders filled: pairs of name and text. A key that no language has is given back as
// it is, which a test would find and a reader can still make something of.
func (p *Phrases) Say(key string, pairs ...string) string {
	s, ok := p.own[key]
	if !ok {
		if s, ok = catalogs()["en"][key]; !ok {
			return key
		}
	}
	if len(pairs) == 0 {
		return s
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		pairs[i] = "{" + pairs[i] + "}"
	}
	return strings.NewReplacer(pairs...).Replace(s)
}

// Has tells whether there is such a phrase.
func (p *Phrases) Has(key string) bool { _, ok := catalogs()["en"][key]; return ok }

// Count gives the phrase for a number of things: key.one or key.other, with {n} filled.
func (p *Phrases) Count(key string, n int64) string {
	form := ".other"
	if n == 1 || (n == 0 && p.lang == "fr") {
		form = ".one"
	}
	return p.Say(key+form, "n", p.Number(n))
}

// Number writes a whole number with the language's grouping.
func (p *Phrases) Number(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, s = s[:1], s[1:]
	}
	if len(s) < 5 {
		return sign + s
	}
	group := p.Say("number.group")
	var parts []string
	for len(s) > 3 {
		parts = append(parts, s[len(s)-3:])
		s = s[:len(s)-3]
	}
	parts = append(parts, s)
	slices.Reverse(parts)
	return sign + strings.Join(parts, group)
}

// Date writes a day as people write it: "22 November 2026", "22. November 2026"; "" for none.
func (p *Phrases) Date(d statute.Date) string {
	if d.IsZero() {
		return ""
	}
	day := strconv.Itoa(d.Day)
	if d.Day == 1 && p.lang == "fr" {
		day = "1er"
	}
	return p.Say("date", "day", day, "month", p.Say("month."+strconv.Itoa(int(d.Month))), "year", strconv.Itoa(d.Year))
}

// At writes an instant with its time of day in a zone (nil: UTC): "22 November 2026, 14:05 (UTC)".
func (p *Phrases) At(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	if zone == nil {
		zone = time.UTC
	}
	t = t.In(zone)
	return p.Say("date.time", "date", p.Date(statute.DateOf(t)), "time", t.Format("15:04"), "zone", t.Format("MST"))
}

// Period says how long something is: "5 years and 6 months".
func (p *Phrases) Period(d statute.Period) string {
	var parts []string
	for _, u := range []struct {
		n    int
		unit string
	}{{d.Years, "year"}, {d.Months, "month"}, {d.Weeks, "week"}, {d.Days, "day"}, {d.Hours, "hour"}, {d.Minutes, "minute"}, {d.Seconds, "second"}} {
		if u.n > 0 {
			parts = append(parts, p.Count("period."+u.unit, int64(u.n)))
		}
	}
	return p.List(parts)
}

// List joins things: "a, b and c".
func (p *Phrases) List(items []string) string {
	switch len(items) {
	case 0:
		return ""
	case 1:
		return items[0]
	}
	return strings.Join(items[:len(items)-1], ", ") + " " + p.Say("list.and") + " " + items[len(items)-1]
}

// Country names a country by its ISO 3166-1 code in the language; an unknown code stays as it is.
func (p *Phrases) Country(code string) string {
	r, err := language.ParseRegion(code)
	if err != nil {
		return code
	}
	if name := display.Regions(language.Make(p.lang)).Name(r); name != "" {
		return name
	}
	return code
}

// Right names a right in everyday words: "See the data we hold about you".
func (p *Phrases) Right(r dsr.Right) string { return p.Say("right." + string(r)) }

// RightNoun names a right for the middle of a sentence: "access to your data".
func (p *Phrases) RightNoun(r dsr.Right) string { return p.Say("asked." + string(r)) }

// Status says where a request stands.
func (p *Phrases) Status(s dsr.Status) string { return p.Say("status." + string(s)) }

// DenyGround says the coded ground of a denial or of an extension in everyday words; "" for a code without words.
func (p *Phrases) DenyGround(g string) string {
	if g == "" || !p.Has("deny."+g) {
		return ""
	}
	return p.Say("deny." + g)
}

// Reason gives the ground for which something was kept or left out. What the program says by itself is put into the
// language; a tenant's own words stay as they are.
func (p *Phrases) Reason(text string) string {
	for key, known := range catalogs()["en"] {
		if strings.HasPrefix(key, "ground.") && known == text {
			return p.Say(key)
		}
	}
	return text
}

// Code says a word of a policy file (a basis, a safeguard, a role) in the language: Code("basis", "contract"). A word
// without a phrase is given with spaces for underscores.
func (p *Phrases) Code(family, word string) string {
	if key := family + "." + word; p.Has(key) {
		return p.Say(key)
	}
	return strings.ReplaceAll(word, "_", " ")
}

// Thing makes a table's or category's name readable: `order_item` is "order item".
func (p *Phrases) Thing(name string) string { return strings.ReplaceAll(name, "_", " ") }

// Event says one line of a request's history for the person; "" for events that are none of theirs. facts are those of
// the event: `until` (a date) is used where there is one.
func (p *Phrases) Event(name string, facts map[string]string) string {
	key := "event." + name
	if !p.Has(key) {
		return ""
	}
	until := ""
	for _, f := range []string{"extended_until", "until", "on"} {
		if d, err := statute.ParseDate(facts[f]); err == nil {
			until = p.Date(d)
			break
		}
	}
	if until != "" && p.Has(key+".until") {
		return p.Say(key+".until", "date", until)
	}
	return p.Say(key)
}

// Next says what happens next with a request, and on which day at the latest (zero when it has none). zone is the
// controller's (nil: UTC). A request that is over gives "".
func (p *Phrases) Next(r dsr.Request, zone *time.Location) (string, statute.Date) {
	if zone == nil {
		zone = time.UTC
	}
	due := r.DueOn
	if !r.ExtendedUntil.IsZero() {
		due = r.ExtendedUntil
	}
	say := func(key string, on statute.Date) (string, statute.Date) {
		if on.IsZero() {
			return p.Say("next." + key), on
		}
		return p.Say("next."+key+".on", "date", p.Date(on)), on
	}
	switch r.Status {
	case dsr.StatusReceived:
		return say("received", statute.Date{})
	case dsr.StatusVerifying:
		var until statute.Date
		if !r.NextActionAt.IsZero() {
			until = statute.DateOf(r.NextActionAt.In(zone))
		}
		return say("verifying", until)
	case dsr.StatusInReview:
		if r.ClockPaused {
			return say("paused", statute.Date{})
		}
		return say("in_review", due)
	case dsr.StatusInGrace:
		if r.OnHold {
			return say("on_hold", statute.Date{})
		}
		var until statute.Date
		if !r.GraceEndsAt.IsZero() {
			until = statute.DateOf(r.GraceEndsAt.In(zone))
		}
		return say("in_grace", until)
	case dsr.StatusExecuting:
		if r.OnHold {
			return say("on_hold", statute.Date{})
		}
		return say("executing", statute.Date{})
	case dsr.StatusFulfilled, dsr.StatusDenied, dsr.StatusWithdrawn, dsr.StatusExpired:
	}
	return "", statute.Date{}
}
