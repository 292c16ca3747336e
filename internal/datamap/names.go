package datamap

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

var (
	wordBreak    = regexp.MustCompile(`([a-z0-9])([A-Z])`)
	acronymBreak = regexp.MustCompile(`([A-Z])([A-Z][a-z])`)
	nameSplit    = regexp.MustCompile(`[^a-z0-9]+`)
)

// snake writes a name in lower case with underscores and without accents: `BillingPostalCode` and `CustID` are
// billing_postal_code and cust_id, `Straße` is strasse.
func snake(s string) string {
	s = wordBreak.ReplaceAllString(acronymBreak.ReplaceAllString(s, "${1}_$2"), "${1}_$2")
	return strings.Trim(nameSplit.ReplaceAllString(fold(strings.ToLower(s)), "_"), "_")
}

// fold writes the accented letters of Western European languages plainly.
func fold(s string) string {
	return strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "ß", "ss", "é", "e", "è", "e", "ê", "e", "ë", "e", "á", "a", "à", "a", "â", "a",
		"ã", "a", "å", "a", "í", "i", "ì", "i", "î", "i", "ï", "i", "ó", "o", "ò", "o", "ô", "o", "õ", "o", "ø", "o", "ú", "u", "ù", "u", "û", "u",
		"ñ", "n", "ç", "c", "œ", "oe", "æ", "ae").Replace(s)
}

func words(s string) []string {
	return strings.FieldsFunc(snake(s), func(r rune) bool { return r == '_' })
}

// listed tells whether a word, or its singular, is one of a list of words between blanks.
func listed(list, word string) bool {
	for _, w := range []string{word, strings.TrimSuffix(word, "s"), strings.TrimSuffix(word, "es"), strings.TrimSuffix(word, "n"), strings.TrimSuffix(word, "en")} {
		if strings.Contains(list, " "+w+" ") {
			return true
		}
	}
	return false
}

// stem makes one form of singular and plural, well enough to compare two names of one schema in English, German,
// Spanish, French or Italian: category and categories, Kunde and Kunden, cliente and clientes.
func stem(w string) string {
	switch w {
	case "people", "persons", "personen", "personas", "personnes":
		return "person"
	case "children":
		return "child"
	}
	if strings.HasSuffix(w, "ies") && len(w) > 4 {
		return w[:len(w)-3] + "y"
	}
	if strings.HasSuffix(w, "ie") && len(w) > 4 {
		return w[:len(w)-2] + "y"
	}
	if strings.HasSuffix(w, "ss") {
		return w
	}
	for _, end := range []string{"es", "en", "s", "e"} {
		if rest, ok := strings.CutSuffix(w, end); ok && len(rest) >= 3 {
			return rest
		}
	}
	return w
}

func stems(ws []string) []string {
	out := make([]string, len(ws))
	for i, w := range ws {
		out[i] = stem(w)
	}
	return out
}

// Words that say "key" before or behind the name of what a column points at.
const (
	keyEndings   = " id ids uid uuid guid key pk fk no nr num number nummer code cod ref sk oid pid kennung numero "
	keyBeginning = " id fk cod ref num nr no k "
	tablePrefix  = " tbl tb t tab tabelle tabla "
)

// keyWords gives what a column's name says about the table it may point at, and whether the name says that it is a
// key at all: shipping_address_id is [shipping address], true; created_by is [created by], false.
func keyWords(column string) (ws []string, key bool) {
	ws = words(column)
	if len(ws) == 1 {
		for _, cut := range []string{"uuid", "guid", "id"} {
			if rest, ok := strings.CutSuffix(ws[0], cut); ok && len(rest) >= 3 {
				return []string{rest}, true
			}
		}
		if rest, ok := strings.CutPrefix(ws[0], "id"); ok && len(rest) >= 4 {
			return []string{rest}, true
		}
	}
	for len(ws) > 1 && strings.Contains(keyEndings, " "+ws[len(ws)-1]+" ") {
		ws, key = ws[:len(ws)-1], true
	}
	for len(ws) > 1 && strings.Contains(keyBeginning, " "+ws[0]+" ") {
		ws, key = ws[1:], true
	}
	return ws, key
}

// generic tells whether a key's name says nothing about its table.
func generic(column string) bool {
	ws := words(column)
	return len(ws) == 1 && (strings.Contains(keyEndings, " "+ws[0]+" ") || ws[0] == "name" || ws[0] == "rowid")
}

// tableNamer knows the prefix that most tables of a schema share: wp_posts and wp_users are about posts and users.
type tableNamer struct{ prefix string }

func newTableNamer(cat *Catalog) tableNamer {
	count, n := map[string]int{}, 0
	for i := range cat.Tables {
		if cat.Tables[i].View {
			continue
		}
		n++
		if ws := words(cat.Tables[i].Bare); len(ws) > 1 {
			count[ws[0]]++
		}
	}
	var out tableNamer
	for p, c := range count {
		if n >= 4 && c*10 >= n*6 && !listed(personWords, p) && (out.prefix == "" || c > count[out.prefix]) {
			out.prefix = p
		}
	}
	return out
}

// words gives what a table is about, without prefixes.
func (n tableNamer) words(t *CatalogTable) []string {
	ws := words(t.Bare)
	if len(ws) > 1 && (ws[0] == n.prefix || strings.Contains(tablePrefix, " "+ws[0]+" ")) {
		ws = ws[1:]
	}
	if len(ws) == 1 {
		if rest, ok := strings.CutPrefix(ws[0], "tbl"); ok && len(rest) >= 3 {
			ws = []string{rest}
		}
	}
	return ws
}

// Scores of likeness between a column's words and a table.
const (
	likeExact  = 100
	likeSuffix = 80 // shipping address ~ address
	likePart   = 60 // user ~ auth user
	likeShort  = 50 // cust ~ customer
	likeRole   = 40 // created by ~ the people
)

// alike scores how well the words of a key name a table; 0: not at all.
func alike(column, table []string) int {
	c, t := stems(column), stems(table)
	switch {
	case len(c) == 0 || len(t) == 0:
		return 0
	case slices.Equal(c, t) || strings.Join(c, "") == strings.Join(t, ""):
		return likeExact
	case len(c) > len(t) && slices.Equal(c[len(c)-len(t):], t):
		return likeSuffix
	case len(t) > len(c) && slices.Equal(t[len(t)-len(c):], c):
		return likePart
	case len(c) == 1 && len(t) == 1 && shortened(column[0], table[0]):
		return likeShort
	case len(c) > 1 && len(t) == 1 && shortened(column[len(column)-1], table[0]):
		return likeShort - 1
	}
	return 0
}

// shortened tells whether one word is a usual shortening of the other: cust of customer, dept of department.
func shortened(short, long string) bool {
	if len(short) < 3 || len(long) < len(short)+2 || short[0] != long[0] {
		return false
	}
	if strings.HasPrefix(long, short) {
		return true
	}
	rest := long
	for _, r := range short {
		i := strings.IndexRune(rest, r)
		if i < 0 {
			return false
		}
		rest = rest[i+1:]
	}
	return len(short) >= 4 && !strings.ContainsFunc(short[1:], func(r rune) bool { return strings.ContainsRune("aeiou", r) && !unicode.IsDigit(r) }) || short == "dept" || short == "acct"
}
