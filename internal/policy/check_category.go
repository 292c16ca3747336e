package policy

import (
	"slices"
	"strings"
)

func (c *checker) category(name string, cat Category) {
	path := "categories." + name
	for i, r := range cat.Recipients {
		if _, ok := c.p.Recipients[r]; !ok {
			c.bad(indexed(path+".recipients", i), suggest(r, keysOf(c.p.Recipients)), "there is no recipient %q", r)
		}
	}
	switch {
	case !cat.Personal && (cat.Basis != "" || cat.Role == RoleProcessor || cat.InstructedBy != ""):
		c.bad(path+".personal", "leave basis, role and instructed_by out, or personal", "%s is declared not to be about a person, yet treated as if it were", name)
	case cat.Role == RoleController && cat.InstructedBy != "":
		c.bad(path+".instructed_by", "write role: processor, or leave it out", "nobody instructs a controller")
	case cat.Personal && cat.Role == RoleController && cat.Basis == "" && c.under("eu", "uk"):
		c.warn(path, "add basis:, one of "+strings.Join(Bases(), ", "), "%s names no lawful basis, and an answer under GDPR Art. 15 should", name)
	}
	if cat.Basis == "consent" && !c.consented(name, cat) && len(c.p.Consents) > 0 {
		c.warn(path+".basis", "name the category or a purpose of it under consents:", "%s rests on consent, but no consent names it", name)
	}
	if !c.p.Sells && (cat.Disclosure == "sold" || cat.Disclosure == "shared") {
		c.bad(path+".disclosure", "write sells: true, or another disclosure", "%s is %s, while the policy says that nothing is sold or shared", name, cat.Disclosure)
	}
	if cat.Retention != nil {
		c.retention(path+".retention", name, cat)
	}
}

func (c *checker) under(codes ...string) bool {
	return slices.ContainsFunc(c.p.Jurisdictions, func(j string) bool { return slices.Contains(codes, j) })
}

func (c *checker) consented(name string, cat Category) bool {
	for _, con := range c.p.Consents {
		if slices.Contains(con.Categories, name) || slices.ContainsFunc(con.Purposes, func(p string) bool { return slices.Contains(cat.Purposes, p) }) {
			return true
		}
	}
	return false
}

func (c *checker) retention(path, name string, cat Category) {
	r := cat.Retention
	if _, ok := c.p.Events[r.After]; r.From == FromEvent && !ok {
		key := ".after"
		if c.p.at[path+".after"] == (position{}) {
			key = ".from"
		}
		known := keysOf(c.p.Events)
		if key == ".from" {
			known = append([]string{FromRow, FromRowYearEnd}, known...)
		}
		fix := suggest(r.After, known)
		if fix == "" {
			fix = "add it to events:, with its table and column"
		}
		c.bad(path+key, fix, "there is no event %q", r.After)
	}
	// GDPR Art. 13(2)(a), 17(3)(b): what outlives an erasure because a law orders it must say which.
	if cat.Basis == "legal_obligation" && r.Ground == "" {
		c.bad(path, `add ground: "tax law: invoices are kept five years"`, "%s is kept by law, and the person must be told by which: a ground is required", name)
	}
	if p, fixed := r.Keep.Fixed(); fixed && p.IsZero() && r.Ground != "" {
		c.bad(path+".keep", "", "%s has a ground for keeping and is kept for no time", name)
	}
}

func (c *checker) sharing() {
	for _, name := range keysOf(c.p.Purposes) {
		if p := c.p.Purposes[name]; p.Objection == ObjectionGoesOn && p.Why == "" {
			// GDPR Art. 21(1): the controller has to demonstrate the grounds.
			c.bad("purposes."+name, "add why:", "%s goes on after an objection, and does not say why", name)
		}
		if p := c.p.Purposes[name]; p.Objection == ObjectionGoesOn && strings.Contains(name, "marketing") {
			c.bad("purposes."+name+".objection", "write objection: stops", "direct marketing stops on an objection, always (GDPR Art. 21(3))")
		}
	}
	for _, name := range keysOf(c.p.Consents) {
		for i, cat := range c.p.Consents[name].Categories {
			if _, ok := c.p.Categories[cat]; !ok {
				c.bad(indexed("consents."+name+".categories", i), suggest(cat, c.p.CategoryNames()), "there is no category %q", cat)
			}
		}
	}
	used := map[string]bool{}
	for _, cat := range c.p.Categories {
		for _, r := range cat.Recipients {
			used[r] = true
		}
	}
	for _, name := range keysOf(c.p.Recipients) {
		r, path := c.p.Recipients[name], "recipients."+name
		if !used[name] {
			c.warn(path, "name it at a category, or remove it", "no category goes to %s", name)
		}
		if (r.Safeguard == "" || r.Safeguard == "none_needed") && r.Country != "" && c.under("eu") && !slices.Contains(adequate(), r.Country) {
			// GDPR Art. 15(2), 46: the answer names the safeguard.
			c.warn(path, "add safeguard:, such as scc or adequacy", "data go to %s in %s, and no safeguard of that transfer is named", r.Name, r.Country)
		}
	}
	after := map[string]bool{}
	for _, cat := range c.p.Categories {
		if cat.Retention != nil {
			after[cat.Retention.After] = true
		}
	}
	for _, name := range keysOf(c.p.Events) {
		if !after[name] {
			c.warn("events."+name, "", "no retention counts from %s", name)
		}
	}
}

// adequate lists the EEA and the countries with a general adequacy decision of the Commission, as known in 2026.
// The United States are not among them: there the decision covers certified companies alone.
func adequate() []string {
	return strings.Fields("AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE IS LI NO " +
		"AD AR BR CA FO GG IL IM JP JE NZ KR CH GB UY")
}

// spelling suggests the spelling of the United States for names that other files refer to.
func (c *checker) spelling() {
	suggestUS := func(path, word string) {
		if us := american(word); us != word {
			c.warn(path, "write "+us, "%q is not spelled as in the United States, as names here are", word)
		}
	}
	for _, name := range c.p.CategoryNames() {
		suggestUS("categories."+name, name)
		for i, p := range c.p.Categories[name].Purposes {
			suggestUS(indexed("categories."+name+".purposes", i), p)
		}
	}
	for _, name := range keysOf(c.p.Events) {
		suggestUS("events."+name, name)
	}
	for _, name := range keysOf(c.p.Purposes) {
		suggestUS("purposes."+name, name)
	}
	for _, name := range keysOf(c.p.Consents) {
		suggestUS("consents."+name, name)
	}
}
