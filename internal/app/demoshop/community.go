package demoshop

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"
)

const (
	customers = 400
	yearDays  = 365
)

// Numbers of the people around whom the scenes are set. Their neighbors in the table are like everybody else.
const (
	noraID     = 17
	amaraID    = 23  // a friend of Nora's, at an address of her own
	tomasID    = 42  // asks to be erased
	johanID    = 121 // lives with Nora: one address, one household
	namesakeID = 318 // another Nora Lindqvist
)

// catalog fills what is about nobody: countries, categories, products; and the shop's own people.
func (g *generator) catalog() {
	for _, c := range g.words.countries {
		g.row("country", c[0], c[1])
	}
	categories := make(map[string]int)
	for i, p := range g.words.products {
		if categories[p[0]] == 0 {
			categories[p[0]] = g.add("category", p[0])
		}
		cents, err := strconv.Atoi(p[2])
		if err != nil {
			panic("demoshop: " + err.Error()) // embedded at build time
		}
		id := g.add("product", categories[p[0]], fmt.Sprintf("%s-%03d", strings.ToUpper(p[0][:2]), i+1), p[1], cents)
		g.products = append(g.products, product{id, cents, p[1], p[0] == "Subscription"})
	}
	for i, team := range []string{"care", "care", "care", "care", "tasting", "tasting", "warehouse", "warehouse", "accounts"} {
		given, family := g.words.given[i*11], g.words.family[i*9]
		g.staff = append(g.staff, g.add("staff", given+" "+family, mailbox(given)+"@shop.example", team))
	}
}

// community fills customers, their addresses and their households.
func (g *generator) community() {
	for id := 1; id <= customers; id++ {
		g.customer(id)
	}
	for i := 1; i < len(g.people); i++ {
		if sharesHome(i + 1) {
			g.household(g.people[i-1], g.people[i])
		}
	}
}

// sharesHome tells whether a customer lives with the one before.
func sharesHome(id int) bool { return id%9 == 2 }

func (g *generator) customer(id int) {
	given, family := pick(g, g.words.given), pick(g, g.words.family)
	p := person{
		id: id, name: given + " " + family,
		email:  fmt.Sprintf("%s.%s%d@example.%s", mailbox(given), mailbox(family), id, pick(g, []string{"com", "net", "org"})),
		phone:  "+" + g.digits(2) + " " + g.digits(3) + " " + g.digits(4),
		joined: g.between(30, 9*yearDays),
	}
	home := g.address()
	if sharesHome(id) {
		home = g.people[id-2].home // the address just made stays without a resident, as old ones do
	}
	switch id { // the cast; their rows are otherwise made like all others
	case noraID:
		p.name, p.email, p.phone, p.joined = "Nora Lindqvist", Person, "+46 8 555 0117", 8*yearDays
		home = g.addressAt("Bondegatan 17", "Stockholm", "116 33", "SE", "Second courtyard, left door.")
	case amaraID:
		p.name, p.email, p.joined = "Amara Okafor", "amara.okafor@example.net", 6*yearDays
		home = g.addressAt("Manor Street 5", "Dublin", "D07 XY12", "IE", "Leave with the bookshop on the ground floor.")
	case tomasID:
		p.name, p.email, p.phone, p.joined = "Tomás Rivera", ErasurePerson, "+34 91 555 0142", 7*yearDays+100
		home = g.addressAt("Calle de Atocha 42", "Madrid", "28012", "ES", "Ring twice, the bell is quiet.")
	case johanID:
		p.name, p.email, p.joined = "Johan Ek", "johan.ek@example.org", 5*yearDays
		home = g.people[noraID-1].home
	case namesakeID:
		p.name, p.email = "Nora Lindqvist", "nora.lindqvist@example.org"
	}
	p.home = home
	language := map[string]string{"ES": "es", "DE": "de", "AT": "de", "FR": "fr", "BE": "fr"}[g.addresses[home].country]
	if language == "" {
		language = "en"
	}
	preferences := fmt.Sprintf(`{"grind":%q,"newsletter":%t,"roast":{"light":%d,"dark":%d},"allergies":%s}`,
		pick(g, []string{"beans", "filter", "espresso", "press"}), g.chance(60), g.between(0, 10), g.between(0, 10),
		pick(g, []string{"[]", "[]", "[]", `["nuts"]`, `["milk"]`}))
	var closed any
	if id > noraID && id%61 == 0 {
		closed = g.at(g.between(1, min(p.joined, 25))) // gone, and within the month after which the account is cleared
	}
	g.row("customer", p.id, p.email, p.name, p.phone, maybe(g, 70, g.day(g.between(19*yearDays, 80*yearDays))), p.home, language,
		"$argon2id$v=19$m=65536,t=3,p=4$"+g.hex(11)+"$"+g.hex(21), preferences, maybe(g, 40, pick(g, g.staff)), g.at(p.joined), closed)
	g.people = append(g.people, p)
}

func (g *generator) address() int {
	at := pick(g, g.words.places)
	postcode := []byte(at.postcode)
	for i, c := range postcode {
		switch c {
		case '#':
			postcode[i] = g.digits(1)[0]
		case '@':
			postcode[i] = g.letters("ABCDEFGHJKLMNPRSTUVWXYZ", 1)[0]
		}
	}
	street := fmt.Sprintf("%s %d", pick(g, at.streets), g.between(1, 140))
	return g.addressAt(street, at.city, string(postcode), at.country, maybe(g, 20, pick(g, g.words.notes)))
}

func (g *generator) addressAt(street, city, postcode, country string, note any) int {
	id := g.add("address", street, city, postcode, country, note)
	g.addresses[id] = address{id, street, city, postcode, country}
	return id
}

func (g *generator) household(owner, member person) int {
	since := min(owner.joined, member.joined)
	_, family, _ := strings.Cut(owner.name, " ")
	id := g.add("household", "Home of "+family, g.at(since))
	g.row("household_member", id, owner.id, "owner", g.at(since))
	g.row("household_member", id, member.id, "member", g.at(max(since-g.between(1, 20), 1)))
	return id
}

// mailbox makes the local part of an e-mail address of a name: ASCII lower case, without marks.
func mailbox(name string) string {
	plain, _, err := transform.String(transform.Chain(norm.NFD, runes.Remove(runes.In(unicode.Mn))), name)
	if err != nil {
		plain = name
	}
	special := strings.NewReplacer("ø", "o", "ı", "i", "ß", "ss", "ł", "l", "đ", "d", "æ", "ae", "'", "")
	return special.Replace(strings.ToLower(plain))
}
