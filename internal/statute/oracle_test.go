package statute_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/statute"
)

// A second implementation of the counting, written from the texts and not from the package: days are numbers, holidays
// are short lines for the years that are looked at, rules are one table. It knows nothing of dates, files or formulas
// of the package.

// dayNumber counts days from 1 March of the year 0, in which leap days come last.
func dayNumber(y, m, d int) int {
	if m < 3 {
		y, m = y-1, m+12
	}
	return 365*y + y/4 - y/100 + y/400 + (153*(m-3)+2)/5 + d - 1
}

func civilDay(n int) (y, m, d int) {
	y = (10000*n + 14780) / 3652425
	left := n - dayNumber(y, 3, 1)
	if left < 0 {
		y--
		left = n - dayNumber(y, 3, 1)
	}
	for m = 14; dayNumber(y, m, 1) > n; m-- {
	}
	d = n - dayNumber(y, m, 1) + 1
	if m > 12 {
		y, m = y+1, m-12
	}
	_ = left
	return y, m, d
}

// weekdayOf is 0 for Monday.
func weekdayOf(n int) int { return (n + 2) % 7 }

// addMonths takes the same day of a later month, or that month's last.
func addMonths(n, months int) int {
	y, m, d := civilDay(n)
	m += months
	for m > 12 {
		y, m = y+1, m-12
	}
	ny, nm := y, m+1
	if nm > 12 {
		ny, nm = y+1, 1
	}
	return min(dayNumber(y, m, 1)+d-1, dayNumber(ny, nm, 1)-1)
}

// easterWest is Knuth's algorithm (The Art of Computer Programming 1.3.2, exercise 14).
func easterWest(y int) int {
	golden, century := y%19+1, y/100+1
	x, z := 3*century/4-12, (8*century+5)/25-5
	sunday := 5*y/4 - x - 10
	epact := (11*golden + 20 + z - x) % 30
	if epact < 0 {
		epact += 30
	}
	if (epact == 25 && golden > 11) || epact == 24 {
		epact++
	}
	n := 44 - epact
	if n < 21 {
		n += 30
	}
	n += 7 - (sunday+n)%7
	return dayNumber(y, 3, 1) + n - 1
}

// easterEast finds the Sunday after the full moon of the Julian calendar, 13 days behind in these years.
func easterEast(y int) int {
	moon := 21 + (19*(y%19)+15)%30
	n := dayNumber(y, 3, 1) + moon - 1 + 13
	for n++; weekdayOf(n) != 6; n++ {
	}
	return n
}

// lines gives the weekdays off of 2024 to 2034 and the months after: day.month, E or O and days from Easter,
// weekday#nth of month, >= a year, < a year, ~ for what some lists leave out.
func lines() map[string]string {
	const uk = " E-2 mon#1.5 mon#-1.5 25.12* 26.12*"
	return map[string]string{
		"AT": "1.1 6.1 E1 1.5 E39 E50 E60 15.8 26.10 1.11 8.12 25.12 26.12",
		"BE": "1.1 E1 1.5 E39 E50 21.7 15.8 1.11 11.11 25.12",
		"BG": "1.1* 3.3* O-2 O1 1.5* 6.5* 24.5* 6.9* 22.9* 24.12* 25.12* 26.12*",
		"HR": "1.1 6.1 E1 1.5 30.5 E60 22.6 5.8 15.8 1.11 18.11 25.12 26.12",
		"CY": "1.1 6.1 O-48 25.3 1.4 O-2 O1 1.5 O50 15.8 1.10 28.10 25.12 26.12",
		"CZ": "1.1 E-2 E1 1.5 8.5 5.7 6.7 28.9 28.10 17.11 24.12 25.12 26.12",
		"DK": "1.1 E-3 E-2 E1 E39 E50 5.6~ 25.12 26.12",
		"EE": "1.1 24.2 E-2 1.5 23.6 24.6 20.8 24.12 25.12 26.12",
		"FI": "1.1 6.1 E-2 E1 1.5 E39 midsummer~ 6.12 24.12~ 25.12 26.12",
		"FR": "1.1 E1 1.5 8.5 E39 E50 14.7 15.8 1.11 11.11 25.12",
		"DE": "1.1 E-2 E1 1.5 E39 E50 3.10 25.12 26.12",
		"GR": "1.1 6.1 O-48 25.3 O-2 O1 1.5>=2025 7.5<2025 O50 15.8 28.10 25.12 26.12",
		"HU": "1.1 15.3 E-2 E1 1.5 E50 20.8 23.10 1.11 25.12 26.12",
		"IE": "1.1 brigid 17.3 E1 mon#1.5 mon#1.6 mon#1.8 mon#-1.10 25.12 26.12",
		"IT": "1.1 6.1 E1 25.4 1.5 2.6 15.8 4.10>=2026 1.11 8.12 25.12 26.12",
		"LV": "1.1 E-2 E1 1.5 4.5* 23.6 24.6 18.11* 24.12 25.12 26.12 31.12",
		"LT": "1.1 16.2 11.3 E1 1.5 24.6 6.7 15.8 1.11 2.11 24.12 25.12 26.12",
		"LU": "1.1 E1 1.5 9.5 E39 E50 23.6 15.8 1.11 25.12 26.12",
		"MT": "1.1 10.2 19.3 31.3 E-2 1.5 7.6 29.6 15.8 8.9 21.9 8.12 13.12 25.12",
		"NL": "1.1 E-2~ E1 27.4 5.5~ E39 E50 25.12 26.12",
		"PL": "1.1 6.1 E1 1.5 3.5 E60 15.8 1.11 11.11 24.12>=2025 25.12 26.12",
		"PT": "1.1 E-2 25.4 1.5 E60 10.6 15.8 5.10 1.11 1.12 8.12 25.12",
		"RO": "1.1 2.1 6.1 7.1 24.1 O-2 O1 1.5 1.6 O50 15.8 30.11 1.12 25.12 26.12",
		"SK": "1.1 6.1 E-2 E1 1.5 8.5<2026 8.5>=2027 5.7 29.8 15.9<2026 15.9>=2027 1.11 17.11<2025 24.12 25.12 26.12",
		"SI": "1.1 2.1 8.2 27.4 E1 1.5 2.5 25.6 15.8 31.10 1.11 25.12 26.12",
		"ES": "1.1 6.1 E-2 1.5 15.8 12.10 1.11 6.12 8.12 25.12",
		"SE": "1.1 6.1 E-2 E1 1.5 E39 6.6 midsummer~ 24.12~ 25.12 26.12 31.12~",
		"IS": "1.1 E-3 E-2 E1 summer 1.5 E39 E50 17.6 mon#1.8 25.12 26.12",
		"LI": "1.1 2.1~ 6.1 2.2~ E-47~ 19.3~ E-2~ E1 1.5 E39 E50 E60 15.8 8.9 1.11 8.12 25.12 26.12 31.12~",
		"NO": "1.1 E-3 E-2 E1 1.5 17.5 E39 E50 25.12 26.12",

		"GB":     "1.1* E1 mon#-1.8" + uk,
		"GB-SCT": "1.1* 2.1* mon#1.8 30.11* 15.6<2027>=2026~" + uk,
		"GB-NIR": "1.1* 17.3* E1 12.7* mon#-1.8" + uk,
		"US":     "1.1^ mon#3.1 mon#3.2 mon#-1.5 19.6^ 4.7^ mon#1.9 mon#2.10 11.11^ thu#4.11 25.12^",
	}
}

// off maps the numbers of weekdays off to whether only some lists hold them.
type off map[int]bool

func layOut(t *testing.T, line string) off {
	t.Helper()
	out := off{}
	for y := 2023; y <= 2036; y++ {
		taken := off{} // as they fall, before substitutes
		var made []int
		for _, word := range strings.Fields(line) {
			n, ok := oneDay(t, word, y)
			if !ok {
				continue
			}
			taken[n] = true
			switch w := weekdayOf(n); {
			case w < 5 && !(strings.HasSuffix(word, "~") && out[n]):
				out[n] = strings.HasSuffix(word, "~")
			case strings.HasSuffix(word, "*"):
				made = append(made, n)
			case strings.HasSuffix(word, "^") && w == 5:
				out[n-1] = false
			case strings.HasSuffix(word, "^"):
				out[n+1] = false
			}
		}
		for _, n := range made { // the lines name these in the order of the year
			for n++; weekdayOf(n) > 4 || taken[n]; n++ {
			}
			taken[n], out[n] = true, false
		}
	}
	return out
}

func oneDay(t *testing.T, word string, y int) (int, bool) {
	t.Helper()
	word = strings.TrimRight(word, "*^~")
	if w, year, ok := strings.Cut(word, ">="); ok {
		if y < atoi(t, year) {
			return 0, false
		}
		word = w
	}
	if w, year, ok := strings.Cut(word, "<"); ok {
		if y >= atoi(t, year) {
			return 0, false
		}
		word = w
	}
	first := func(n, weekday int) int {
		for ; weekdayOf(n) != weekday; n++ {
		}
		return n
	}
	switch {
	case word == "midsummer":
		return first(dayNumber(y, 6, 20), 5) - 1, true
	case word == "summer":
		return first(dayNumber(y, 4, 19), 3), true
	case word == "brigid":
		if weekdayOf(dayNumber(y, 2, 1)) == 4 {
			return dayNumber(y, 2, 1), true
		}
		return first(dayNumber(y, 2, 1), 0), true
	case word[0] == 'E':
		return easterWest(y) + atoi(t, word[1:]), true
	case word[0] == 'O':
		return easterEast(y) + atoi(t, word[1:]), true
	}
	d, m, _ := strings.Cut(word, ".")
	month := atoi(t, m)
	if weekday, nth, ok := strings.Cut(d, "#"); ok {
		w := map[string]int{"mon": 0, "thu": 3}[weekday]
		if nth == "-1" {
			return first(addMonths(dayNumber(y, month, 1), 1)-7, w), true
		}
		return first(dayNumber(y, month, 1), w) + 7*(atoi(t, nth)-1), true
	}
	return dayNumber(y, month, atoi(t, d)), true
}

func atoi(t *testing.T, s string) int {
	t.Helper()
	var n int
	if _, err := fmt.Sscanf(s, "%d", &n); err != nil {
		t.Fatalf("%q is no number", s)
	}
	return n
}

// rule is one cell of the timing table: m months, d days or b business days, the whole reach of the one extension, the
// days of the acknowledgment, and the days taken off by the stricter reading.
type rule struct {
	unit              byte // m, d, b; 0: at once; -: no day
	n, ext, ack, less int
	from              string // first day of the right
	strict            int    // business days of the stricter reading alone
	strictDays        int    // days of the stricter reading alone
	strictAck         int    // business days to acknowledge by the stricter reading alone
}

type oracleLaw struct {
	rolls  bool
	from   string // "": always; before it there is none
	states bool   // before it the pattern answers
	rights map[string]rule
}

func usRights(more map[string]rule) map[string]rule {
	out := map[string]rule{"appeal": {unit: 'd', n: 60}}
	for _, r := range []string{"access", "rectification", "erasure", "portability", "opt_out"} {
		out[r] = rule{unit: 'd', n: 45, ext: 90}
	}
	for name, r := range more {
		out[name] = r
	}
	return out
}

func pattern() map[string]rule {
	out := usRights(nil)
	for name, r := range out {
		r.strictAck = 10
		out[name] = r
	}
	out["opt_out"] = rule{unit: 'd', n: 45, ext: 90, strict: 15}
	out["appeal"] = rule{unit: 'd', n: 60, strictDays: 45}
	return out
}

func same(r rule, names ...string) map[string]rule {
	out := map[string]rule{}
	for _, n := range names {
		out[n] = r
	}
	return out
}

func with(a, b map[string]rule) map[string]rule {
	for name, r := range b {
		a[name] = r
	}
	return a
}

// oracleLaws is the timing table of the reference, one line a law.
func oracleLaws() map[string]oracleLaw {
	gdpr := func() map[string]rule {
		return with(same(rule{unit: 'm', n: 1, ext: 3}, "access", "portability", "rectification", "erasure", "restriction", "objection", "automated_decision_review"),
			same(rule{}, "withdraw_consent"))
	}
	list := map[string]rule{"third_party_list": {unit: 'd', n: 45, ext: 90}}
	days := func(n int) map[string]rule { return map[string]rule{"withdraw_consent": {unit: 'd', n: n}} }
	out := map[string]oracleLaw{
		"eu": {rolls: true, rights: gdpr()},
		"uk": {rolls: true, from: "2026-02-05", rights: with(gdpr(), map[string]rule{"complaint": {unit: '-', ack: -30, from: "2026-06-19"}})},
		"ch": {rights: same(rule{unit: 'd', n: 30}, "access", "portability", "rectification", "erasure", "restriction", "objection", "automated_decision_review")},
		"us-ca": {from: "2026-01-01", rights: with(with(same(rule{unit: 'd', n: 45, ext: 90, ack: 10, less: 1}, "know_categories", "know_specific", "rectification", "erasure"),
			same(rule{unit: 'b', n: 15}, "opt_out", "limit_sensitive")),
			same(rule{unit: 'd', n: 45, ext: 90, ack: 10, less: 1, from: "2027-01-01"}, "automated_decision_review", "appeal"))},
		"us-va": {rights: usRights(nil)},
		"us-co": {rights: usRights(map[string]rule{"appeal": {unit: 'd', n: 45, ext: 105}})},
		"us-ct": {rights: usRights(with(days(15), map[string]rule{"automated_decision_review": {unit: 'd', n: 45, ext: 90, from: "2026-07-01"},
			"third_party_list": {unit: 'd', n: 45, ext: 90, from: "2026-07-01"}}))},
		"us-ut": {rights: usRights(map[string]rule{"rectification": {unit: 'd', n: 45, ext: 90, from: "2026-07-01"}})},
		"us-tx": {from: "2024-07-01", states: true, rights: usRights(nil)},
		"us-or": {from: "2024-07-01", states: true, rights: usRights(with(with(days(15), list), map[string]rule{"appeal": {unit: 'd', n: 45}}))},
		"us-de": {from: "2025-01-01", states: true, rights: usRights(with(days(15), list))},
		"us-ia": {from: "2025-01-01", states: true, rights: with(usRights(nil), same(rule{unit: 'd', n: 90, ext: 135}, "access", "erasure", "portability", "opt_out"))},
		"us-in": {from: "2026-01-01", states: true, rights: usRights(nil)},
		"us-ky": {from: "2026-01-01", states: true, rights: usRights(nil)},
		"us-md": {from: "2025-10-01", states: true, rights: usRights(with(days(30), list))},
		"us-mn": {from: "2025-07-31", states: true, rights: usRights(with(map[string]rule{"appeal": {unit: 'd', n: 45, ext: 105}, "automated_decision_review": {unit: 'd', n: 45, ext: 90}}, list))},
		"us-mt": {from: "2024-10-01", states: true, rights: usRights(days(45))},
		"us-ne": {from: "2025-01-01", states: true, rights: usRights(nil)},
		"us-nh": {from: "2025-01-01", states: true, rights: usRights(days(15))},
		"us-nj": {from: "2025-01-15", states: true, rights: usRights(with(days(15), map[string]rule{"appeal": {unit: 'd', n: 45}}))},
		"us-ri": {from: "2026-01-01", states: true, rights: usRights(days(15))},
		"us-tn": {from: "2025-07-01", states: true, rights: usRights(nil)},
		"us-fl": {from: "2024-07-01", states: true, rights: with(usRights(nil), same(rule{unit: 'd', n: 45, ext: 60}, "access", "rectification", "erasure", "portability", "opt_out"))},
		"us-ok": {from: "2027-01-01", states: true, rights: usRights(nil)},
		"us-la": {from: "2027-01-01", states: true, rights: usRights(nil)},
		"us-al": {from: "2027-05-01", states: true, rights: usRights(nil)},
		"us-vt": {from: "2028-01-01", states: true, rights: usRights(nil)},
		"us-ny": {rights: pattern()}, "us-pattern": {rights: pattern()},
		"au": {rights: same(rule{unit: 'd', n: 30}, "access", "rectification", "objection")},
		"br": {rights: with(same(rule{unit: 'd', n: 15}, "access", "portability", "rectification", "erasure", "restriction", "objection",
			"automated_decision_review", "know_categories", "third_party_list"), same(rule{}, "withdraw_consent"))},
		"ca-pipeda": {rights: with(same(rule{unit: 'd', n: 30, ext: 60}, "access", "rectification"), same(rule{}, "withdraw_consent"))},
		"ca-qc": {rights: with(with(same(rule{unit: 'd', n: 30}, "access", "rectification", "erasure", "automated_decision_review"), same(rule{}, "withdraw_consent")),
			same(rule{unit: 'd', n: 30, from: "2024-09-22"}, "portability"))},
		"in": {from: "2027-05-13", rights: with(same(rule{unit: 'd', n: 90}, "access", "rectification", "erasure", "complaint"), same(rule{}, "withdraw_consent"))},
		"za": {rights: with(with(same(rule{unit: 'd', n: 30}, "rectification", "erasure", "restriction", "objection", "automated_decision_review"),
			same(rule{}, "withdraw_consent")), same(rule{unit: 'd', n: 30, ext: 60}, "access"))},
		"jp": {rights: same(rule{unit: 'd', n: 14}, "access", "rectification", "erasure", "restriction", "objection", "opt_out", "know_categories")},
	}
	delete(out["us-ia"].rights, "rectification")
	delete(out["us-ut"].rights, "appeal")
	return out
}

func number(t *testing.T, s string) int {
	t.Helper()
	var y, m, d int
	if _, err := fmt.Sscanf(s, "%d-%d-%d", &y, &m, &d); err != nil {
		t.Fatal(err)
	}
	return dayNumber(y, m, d)
}

func text(n int) string {
	if n < 0 {
		return ""
	}
	y, m, d := civilDay(n)
	return fmt.Sprintf("%04d-%02d-%02d", y, m, d)
}

func roll(n int, days off, strict bool) int {
	for {
		some, ok := days[n]
		if weekdayOf(n) < 5 && (!ok || (strict && some)) {
			return n
		}
		n++
	}
}

func business(n, amount int, days off) int {
	for amount > 0 {
		n++
		if _, free := days[n]; weekdayOf(n) < 5 && !free {
			amount--
		}
	}
	return n
}

// want counts one cell of the table: acknowledgment, due and extension, each with its stricter reading; -1 is no day.
func (r rule) want(received int, rolls bool, place, federal off) (out [6]int) {
	end := func(n int, strict bool) int {
		raw := received
		switch r.unit {
		case 'm':
			raw = addMonths(received, n)
		case 'd':
			raw += n
		case 'b':
			if strict {
				return business(received, n, nil)
			}
			return business(received, n, federal)
		}
		if strict {
			raw -= r.less
		}
		if rolls && r.unit != 0 {
			raw = roll(raw, place, strict)
		}
		return raw
	}
	out = [6]int{-1, -1, -1, -1, -1, -1}
	switch {
	case r.ack > 0:
		out[0], out[1] = business(received, r.ack, federal), business(received, r.ack, nil)
	case r.ack < 0:
		out[0], out[1] = received-r.ack-1, received-r.ack-1
	case r.strictAck > 0:
		out[1] = business(received, r.strictAck, nil)
	}
	if r.unit != '-' {
		out[2], out[3] = end(r.n, false), end(r.n, true)
	}
	if r.ext > 0 {
		out[4], out[5] = end(r.ext, false), end(r.ext, true)
	}
	switch {
	case r.strict > 0:
		out[3], out[5] = business(received, r.strict, nil), business(received, r.strict, nil)
	case r.strictDays > 0:
		out[3] = received + r.strictDays
	}
	return out
}

// For every day of 2024 to 2034, every calendar and every right of every law: the dates are those of the second
// implementation. A fortieth is looked at, of every law and calendar; everything with HABEAS_SOAK=1.
func TestAgainstOracle(t *testing.T) {
	b := loadBook(t)
	calendars := map[string]off{}
	for place, line := range lines() {
		calendars[place] = layOut(t, line)
	}
	for _, place := range b.Places() {
		if _, ok := calendars[place]; !ok {
			t.Errorf("the oracle knows no holidays of %s", place)
		}
	}
	laws := oracleLaws()
	for _, code := range b.Files() {
		if _, ok := laws[code]; !ok {
			t.Errorf("the oracle knows nothing of %s", code)
		}
	}
	asked := 0
	for code, law := range laws {
		places := []string{"", "DE"}
		if law.rolls {
			places = b.Places()
		}
		draw := rand.New(rand.NewPCG(1182, 71)) //nolint:gosec // a sample that is the same every time
		for n := dayNumber(2024, 1, 1); n < dayNumber(2035, 1, 1); n++ {
			if os.Getenv("HABEAS_SOAK") == "" && draw.IntN(10) > 0 {
				continue
			}
			for i, place := range places {
				if os.Getenv("HABEAS_SOAK") == "" && (i+n)%4 > 0 {
					continue
				}
				days := calendars[place]
				asked += law.compare(t, b, code, place, n, days, calendars["US"])
			}
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("%d questions", asked)
	if asked < 40000 {
		t.Errorf("only %d questions were asked", asked)
	}
}

// compare asks for every right of a law on one day.
func (l oracleLaw) compare(t *testing.T, b *statute.Book, code, place string, n int, days, federal off) int {
	t.Helper()
	rights, early := l.rights, l.from != "" && n < number(t, l.from)
	if early && l.states {
		rights, early = pattern(), false
	}
	y, m, d := civilDay(n)
	asked := 0
	for _, right := range statute.RightNames() {
		c, err := b.Clock(statute.Question{Jurisdiction: code, Right: right, Establishment: place, Received: statute.Date{Year: y, Month: time.Month(m), Day: d}})
		r, has := rights[right]
		if !has || early || (r.from != "" && n < number(t, r.from)) {
			if err == nil {
				t.Errorf("%s has no %s on %s, and it was given", code, right, text(n))
			}
			continue
		}
		asked++
		if err != nil {
			t.Errorf("%s %s %s: %v", code, right, text(n), err)
			continue
		}
		want := r.want(n, l.rolls, days, federal)
		for i, got := range []statute.Date{c.AcknowledgeBy, c.AcknowledgeByConservative, c.DueOn, c.DueOnConservative, c.ExtendedUntil, c.ExtendedUntilConservative} {
			if got.String() != text(want[i]) {
				t.Errorf("%s in %q, %s received %s: date %d is %q, the oracle says %q", code, place, right, text(n), i, got, text(want[i]))
			}
		}
	}
	return asked
}
