package datamap

import (
	"cmp"
	"context"
	"slices"
	"strings"
)

// discover finds everything that is connected with people.
func (in *inference) discover(ctx context.Context, home *CatalogTable, column string) error {
	in.inherited()
	poly, taken, err := in.polymorphic(ctx)
	if err != nil {
		return err
	}
	if err := in.references(ctx, taken); err != nil {
		return err
	}
	in.links = append(Links(&in.system, in.cat), poly...)
	home = in.identifiers(home, column)
	in.kinds = []string{home.Name}
	in.seat(home.Name, seatPeople, 0)
	if err := in.otherKinds(ctx); err != nil {
		return err
	}
	in.below(in.kinds)
	matched, err := in.matches(ctx)
	if err != nil {
		return err
	}
	in.below(matched)
	for _, name := range in.order {
		in.relate(name)
	}
	in.above()
	in.leftovers()
	return nil
}

// inherited seats tables whose rows are read through a parent: PostgreSQL shows a child's rows in its parent.
func (in *inference) inherited() {
	for _, t := range in.live() {
		parent := in.table(t.Parent)
		if t.Parent == "" || parent == nil {
			continue
		}
		in.seat(t.Name, seatCopy, 0).why = "its rows are part of " + t.Parent
		var extra []string
		for i := range t.Columns {
			if _, ok := parent.Column(t.Columns[i].Name); !ok {
				extra = append(extra, t.Columns[i].Name)
			}
		}
		if len(extra) > 0 {
			in.note(t.Name, "", "it inherits from %s, and what it has beside that (%s) is in no export: enough?", t.Parent, strings.Join(extra, ", "))
		}
	}
}

// identifiers names the columns by which a person is found. Where the addresses lie in a table of their own, the
// people are those at whom it points.
func (in *inference) identifiers(t *CatalogTable, column string) *CatalogTable {
	name := snake(column)
	what := personal(t, columnOf(t, column), true, in.samples[t.Name].Columns[column])
	if what == guessEmail || strings.Contains(name, "mail") || slices.ContainsFunc(words(t.Bare), func(w string) bool { return w == "email" || w == "emails" || w == "emailaddress" }) {
		name = "email"
	}
	id := Identifier{Name: name, Table: t.Name, Column: column, Match: defaultRule(name)}
	if c, ok := t.Column(column); ok && c.Folded == FoldedPlain && id.Match == MatchDomainCI {
		id.Match = MatchASCIICI // the product itself takes both spellings for one account
		in.remark(t.Name, "", "%s ignores case in this database, so people are found in any case", column)
	}
	home := t
	if people, link := in.addressBook(t); people != nil {
		id.By, home = link.FromColumns, people
		in.note(people.Name, "", "the people are those of %s, found by %s.%s: is that so?", people.Name, t.Name, column)
	} else if !unique(t, column) {
		in.remark(t.Name, "", "%s is not unique; where two people have the same, an officer decides", column)
	}
	s := Subject{Name: home.Name, Table: home.Name, Key: home.PrimaryKey, Identifiers: []Identifier{id}}
	if len(s.Key) == 1 && (home != t || s.Key[0] != column) {
		s.Identifiers = append(s.Identifiers, Identifier{Name: "user_id", Table: home.Name, Column: s.Key[0], Match: MatchExact})
	}
	in.system.Subjects = []Subject{s}
	return home
}

func columnOf(t *CatalogTable, name string) *CatalogColumn {
	c, _ := t.Column(name)
	return c
}

// addressBook tells whether a table holds people's addresses and not the people: it points at one table of people.
func (in *inference) addressBook(t *CatalogTable) (*CatalogTable, Link) {
	ws := in.namer.words(t)
	if !slices.ContainsFunc(ws, func(w string) bool {
		return strings.Contains(w, "mail") || w == "contact" || w == "address" || w == "addresses" || w == "login" || w == "identity"
	}) {
		return nil, Link{}
	}
	var found []Link
	for _, l := range in.links {
		if to := in.table(l.To); l.From == t.Name && l.To != t.Name && to != nil && len(l.When) == 0 && slices.Equal(l.ToColumns, to.PrimaryKey) && in.looksLikePeople(to) {
			found = append(found, l)
		}
	}
	if len(found) != 1 {
		return nil, Link{}
	}
	return in.table(found[0].To), found[0]
}

// looksLikePeople tells whether a table is named or built like one of people.
func (in *inference) looksLikePeople(t *CatalogTable) bool {
	if len(in.system.Subjects) > 0 && in.system.Subjects[0].Table == t.Name {
		return true
	}
	ws := in.namer.words(t)
	if len(ws) == 0 {
		return false
	}
	named := listed(personWords, ws[len(ws)-1]) || len(ws) > 1 && strings.Join(ws, "") == "salesrep"
	if listed(groupWords, ws[len(ws)-1]) {
		named = false
	}
	mail, name, rest := 0, 0, 0
	for i := range t.Columns {
		switch looksPersonal(t.Columns[i].Name) {
		case guessEmail:
			mail++
		case guessName:
			name++
		case guessBirth, "a telephone number", guessSecret, "a trait of a person":
			rest++
		case "":
			if bareName.MatchString(snake(t.Columns[i].Name)) && named {
				name++
			}
		}
	}
	return named && mail+name+rest > 0 || mail > 0 && name > 0 && rest > 0 && !listed(groupWords, ws[len(ws)-1])
}

func (in *inference) mailColumns(t *CatalogTable) []string {
	var out []string
	for i := range t.Columns {
		c := &t.Columns[i]
		if classOf(c) == typeText && !c.Generated && personal(t, c, false, in.samples[t.Name].Columns[c.Name]) == guessEmail {
			out = append(out, c.Name)
		}
	}
	return out
}

// otherKinds finds tables of people of another kind: staff beside customers. They are subjects of their own, unless the
// same addresses stand in both.
func (in *inference) otherKinds(ctx context.Context) error {
	home := in.table(in.kinds[0])
	id := in.system.Subjects[0].Identifiers[0]
	for _, t := range in.live() {
		mails := in.mailColumns(t)
		if in.seats[t.Name] != nil || len(t.PrimaryKey) == 0 || len(mails) == 0 || !in.looksLikePeople(t) || in.belongs(t, home.Name) || in.copied(t) {
			continue
		}
		ws := in.namer.words(t)
		worker := listed(workerWords, ws[len(ws)-1])
		if in.ev != nil && id.Name == "email" {
			looked, found, err := in.ev.Included(ctx, t, mails[:1], in.table(id.Table), []string{id.Column})
			if err != nil && ctx.Err() != nil {
				return err
			}
			if found > 0 && !worker && found*2 >= looked {
				continue // the same people by their address
			}
		}
		pointed := slices.ContainsFunc(in.links, func(l Link) bool { return l.To == t.Name && l.From != t.Name })
		if !worker && !pointed {
			continue
		}
		in.kinds = append(in.kinds, t.Name)
		in.seat(t.Name, seatPeople, 0)
		in.system.Subjects = append(in.system.Subjects, Subject{Name: t.Name, Table: t.Name, Key: t.PrimaryKey,
			Identifiers: []Identifier{{Name: "email", Table: t.Name, Column: mails[0], Match: MatchDomainCI}}})
		in.note(t.Name, "", "people of another kind, found by %s: right? If they have no rights here, remove the subject and say personal: false with why", mails[0])
	}
	for i := range in.system.Subjects {
		in.system.Subjects[i].Name = subjectName(in.system.Subjects[i].Table)
		if len(in.system.Subjects) == 1 {
			in.system.Subjects[i].Name = in.system.Subjects[i].Table
		}
	}
	return nil
}

// subjectName makes a name for a kind of person from its table: letters, digits, _ and - alone.
func subjectName(table string) string {
	out := snake(table)
	if !nameForm.MatchString(out) {
		out = "people_" + out
	}
	return out
}

// belongs tells whether a table's rows are owned by people of another table, or are those people (a shared key).
func (in *inference) belongs(t *CatalogTable, people string) bool {
	return slices.ContainsFunc(in.links, func(l Link) bool {
		return l.From == t.Name && l.To == people && in.roleOf(l) <= roleUnknown && !(in.roleOf(l) == roleCreated)
	})
}

// copied tells whether a table is named like a copy of another.
func (in *inference) copied(t *CatalogTable) bool {
	ws := words(t.Bare)
	return len(ws) > 1 && slices.ContainsFunc(ws, func(w string) bool { return listed(copyWords, w) || len(w) >= 4 && strings.Trim(w, "0123456789") == "" })
}

// below seats every table from which keys lead to one of the given ones, nearest first.
func (in *inference) below(from []string) {
	queue := slices.Clone(from)
	for len(queue) > 0 {
		parent := queue[0]
		queue = queue[1:]
		for _, l := range in.links {
			t := in.table(l.From)
			if l.To != parent || t == nil || t.View || in.seats[l.From] != nil || in.outside(t) {
				continue
			}
			if why := in.nobodys(l.From); why != "" {
				in.seat(l.From, seatCut, in.seats[parent].distance+1).why = why
				continue
			}
			in.seat(l.From, seatOwned, in.seats[parent].distance+1)
			queue = append(queue, l.From)
		}
	}
}

func (in *inference) outside(t *CatalogTable) bool {
	_, ignored := in.system.Schemas.Ignore[t.Schema]
	return ignored
}

// The roles of a key to people.
type keyRole uint8

const (
	rolePlain   keyRole = iota // customer_id
	roleOwn                    // owner_id, sender_id
	roleCreated                // created_by
	roleUnknown                // some word of the product's own
	roleOther                  // recipient_id: a second person
	roleActor                  // updated_by, manager_id: somebody who did something
	roleChanged                // updated_by alone: says nothing about whose row it is
)

// roleOf reads from a key's name in which role the person stands to the row.
func (in *inference) roleOf(l Link) keyRole {
	if len(l.FromColumns) != 1 {
		return rolePlain
	}
	to := in.table(l.To)
	ws, _ := in.keyWords(in.table(l.From), l.FromColumns[0])
	table := in.namer.words(to)
	role := slices.Clone(ws)
	for n := min(len(table), len(ws)); n > 0; n-- {
		if slices.Equal(stems(ws[len(ws)-n:]), stems(table[len(table)-n:])) {
			role = ws[:len(ws)-n]
			break
		}
	}
	for i, w := range role {
		role[i] = strings.TrimRight(w, "0123456789")
	}
	has := func(list string) bool {
		return slices.ContainsFunc(role, func(w string) bool { return w != "" && listed(list, w) })
	}
	switch {
	case len(role) == 0, len(role) == 1 && len(table) > 0 && alike(role, table) > 0:
		return rolePlain
	case has(" updated modified changed deleted locked published mis modifie geaendert aktualisiert bearbeitet modificado actualizado "):
		return roleChanged
	case has(otherRoles):
		return roleOther
	case has(createdWords):
		return roleCreated
	case strings.Contains(byWords, " "+role[len(role)-1]+" "), has(actorRoles):
		return roleActor
	case has(ownRoles), has(personWords):
		return roleOwn
	default:
		return roleUnknown
	}
}

// direct lists a table's keys to people, the likeliest owner first.
func (in *inference) direct(table string) []Link {
	var out []Link
	for _, l := range in.links {
		if l.From == table && l.To != table && slices.Contains(in.kinds, l.To) {
			out = append(out, l)
		}
	}
	rank := func(l Link) int {
		n := int(in.roleOf(l)) * 10
		if l.To != in.kinds[0] {
			n++
		}
		if l.To != in.kinds[0] && in.works(l.To) {
			n += 5 // a customer's rental, though staff handed it over
			if in.roleOf(l) <= roleOwn {
				n += 25
			}
		} else if in.works(l.To) {
			n += 4
		}
		if len(l.When) > 0 {
			n += 15
		}
		return n
	}
	slices.SortStableFunc(out, func(a, b Link) int { return cmp.Compare(rank(a), rank(b)) })
	return out
}

// works tells whether a kind of people works for the controller, beside others that do not.
func (in *inference) works(kind string) bool {
	if len(in.kinds) < 2 {
		return false
	}
	ws := in.namer.words(in.table(kind))
	return len(ws) > 0 && listed(workerWords, ws[len(ws)-1])
}

// group tells whether a table is named like an organization, a place or a list of things.
func (in *inference) group(table string) bool {
	ws := in.namer.words(in.table(table))
	return len(ws) > 0 && listed(groupWords, ws[len(ws)-1]) && !(len(ws) > 1 && (listed(groupWords, ws[0]) && listed(personWords, ws[len(ws)-1])))
}

// nobodys tells why a table that refers to people is nobody's own; "" when somebody owns its rows.
func (in *inference) nobodys(table string) string {
	direct := in.direct(table)
	if len(direct) == 0 {
		if in.group(table) && len(in.table(table).PrimaryKey) == 1 && !slices.ContainsFunc(in.links, func(l Link) bool {
			return l.From == table && in.seats[l.To] != nil && !nullable(in.table(table), l.FromColumns)
		}) {
			return "shared by many people; the key to a person's row makes it nobody's own"
		}
		return ""
	}
	role := in.roleOf(direct[0])
	joined := len(in.table(table).PrimaryKey) > 1
	switch {
	case role == roleChanged:
		for _, l := range in.links {
			if s := in.seats[l.To]; l.From == table && s != nil && s.role == seatOwned {
				return ""
			}
		}
		return "its rows are nobody's own; a key says who changed them"
	case in.group(table) && !joined && (role >= roleCreated || in.ownerWord(direct[0]) || in.works(direct[0].To)):
		return "shared by many people; a key says who made or leads it"
	}
	return ""
}

// ownerWord tells whether a key is that of an owner of an organization rather than of a member.
func (in *inference) ownerWord(l Link) bool {
	ws, _ := keyWords(l.FromColumns[0])
	return slices.ContainsFunc(ws, func(w string) bool { return listed(" owner propietario proprietaire besitzer inhaber ", w) })
}
