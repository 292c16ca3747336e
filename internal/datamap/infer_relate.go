package datamap

import (
	"cmp"
	"slices"
	"strings"
)

// relate decides, for a table that is connected with people, in which role each of its keys stands.
func (in *inference) relate(name string) {
	s := in.seats[name]
	t := in.table(name)
	direct := in.direct(name)
	switch s.role {
	case seatCut:
		for _, l := range direct {
			s.closed = append(s.closed, l.FromColumns...)
		}
		in.note(name, "", "%s: right? If a person's rows lie here, name the owner: {table: %s, by: …}", s.why, cmp.Or(firstTo(direct), in.kinds[0]))
		return
	case seatPeople:
		in.relatePeople(t, s, direct)
		return
	case seatCopy:
		return
	case seatOwned, seatMatch, seatAbove:
	}
	if len(direct) > 0 {
		in.relateDirect(t, s, direct)
	} else {
		in.relateChain(t, s)
	}
	in.guests(t, s)
}

func firstTo(links []Link) string {
	if len(links) == 0 {
		return ""
	}
	return links[0].To
}

// relation writes a link as the owner of its table; the short form when no other key leads there.
func (in *inference) relation(l Link) Relation {
	others := 0
	for _, o := range in.links {
		if o.From == l.From && o.To == l.To {
			others++
		}
	}
	r := Relation{Table: l.To}
	if others > 1 || len(l.When) > 0 {
		r.By, r.When = l.FromColumns, l.When
		if to := in.table(l.To); to != nil && !slices.Equal(to.PrimaryKey, l.ToColumns) {
			r.To = l.ToColumns
		}
	}
	return r
}

// spelled is relation in the long form.
func (in *inference) spelled(l Link) Relation {
	r := in.relation(l)
	r.By, r.When = l.FromColumns, l.When
	if to := in.table(l.To); to != nil && !slices.Equal(to.PrimaryKey, l.ToColumns) {
		r.To = l.ToColumns
	}
	return r
}

// relatePeople marks keys of people to people: those of the same kind are not followed, others are mentioned.
func (in *inference) relatePeople(t *CatalogTable, s *seat, direct []Link) {
	for _, l := range in.links {
		if l.From == t.Name && l.To == t.Name && len(l.FromColumns) == 1 {
			s.closed = append(s.closed, l.FromColumns[0])
		}
	}
	for _, l := range direct {
		s.mentions = append(s.mentions, in.spelled(l))
	}
}

func (in *inference) relateDirect(t *CatalogTable, s *seat, direct []Link) {
	first := direct[0]
	s.owners = []Relation{in.relation(first)}
	column := strings.Join(first.FromColumns, "+")
	if len(first.When) > 0 {
		for _, l := range in.links {
			if p := in.seats[l.To]; l.From == t.Name && len(l.When) > 0 && p != nil && (p.role == seatOwned || p.role == seatMatch) && l.To != t.Name {
				s.owners = append(s.owners, in.relation(l))
			}
		}
	}
	switch role := in.roleOf(first); {
	case role == roleActor && !in.workOf(first), role == roleOther && len(direct) == 1:
		in.note(t.Name, "", "%s says whose rows these are: owner, or somebody who merely acted?", column)
	case role == roleUnknown && len(direct) == 1:
		in.note(t.Name, "", "is %s the person whose rows these are?", column)
	case role == roleCreated && len(direct) == 1 && in.group(t.Name):
		in.note(t.Name, "", "is what a person made here (%s) theirs?", column)
	}
	var second []string
	for _, l := range direct[1:] {
		name := strings.Join(l.FromColumns, "+")
		role := in.roleOf(l)
		switch {
		case len(l.When) > 0 && len(first.When) > 0:
			s.owners = append(s.owners, in.relation(l))
		case len(l.When) > 0:
			in.remark(t.Name, "", "%s points at %s as well; the owner is told by %s", name, l.To, column)
		case role >= roleActor, l.To != first.To && in.works(l.To), role == roleCreated && in.roleOf(first) < roleCreated:
			s.mentions = append(s.mentions, in.spelled(l))
		default:
			s.about = append(s.about, in.spelled(l))
			if len(l.FromColumns) == 1 {
				second = append(second, name)
			}
		}
	}
	if len(s.about) > 0 {
		s.owners[0] = in.spelled(first)
		in.note(t.Name, "", "shared by two people, %s and %s: is the first the owner? `erase: delete` takes the row from both; `erase: anonymize` leaves it to the other without this person in it",
			column, strings.Join(append(second, named2(s.about, second)...), ", "))
	}
}

// named2 gives the columns of composite keys, which second does not hold.
func named2(about []Relation, second []string) []string {
	var out []string
	for _, r := range about {
		if n := strings.Join(r.By, "+"); !slices.Contains(second, n) {
			out = append(out, n)
		}
	}
	return out
}

// workOf tells whether a key leads to the only kind of people there is, or to workers as what they are.
func (in *inference) workOf(l Link) bool {
	ws, _ := keyWords(l.FromColumns[0])
	return in.works(l.To) && len(ws) == 1
}

// relateChain finds the owner among tables that belong to people: the nearest one.
func (in *inference) relateChain(t *CatalogTable, s *seat) {
	var up []Link
	for _, l := range in.links {
		p := in.seats[l.To]
		if l.From == t.Name && l.To != t.Name && p != nil && (p.role == seatOwned || p.role == seatMatch) && p.distance < s.distance {
			up = append(up, l)
		}
	}
	slices.SortStableFunc(up, func(a, b Link) int {
		return cmp.Or(cmp.Compare(in.seats[a.To].distance, in.seats[b.To].distance), cmp.Compare(optional(in, t, a), optional(in, t, b)))
	})
	for i, l := range up {
		column := strings.Join(l.FromColumns, "+")
		switch {
		case i == 0:
			s.owners = []Relation{in.relation(l)}
		case len(l.When) > 0 && len(up[0].When) > 0, optional(in, t, up[0]) == 1 && in.seats[l.To].distance == in.seats[up[0].To].distance:
			s.owners = append(s.owners, in.relation(l))
		default:
			in.remark(t.Name, "", "%s leads to %s as well; the owner is told by %s", column, l.To, strings.Join(up[0].FromColumns, "+"))
		}
	}
	if len(s.owners) > 1 && len(up[0].When) == 0 {
		for i := range s.owners {
			s.owners[i] = in.spelled(up[i])
		}
		in.note(t.Name, "", "each of %s may be empty, so any one of them tells the owner: right?", columnsOf(s.owners))
	}
}

func columnsOf(rels []Relation) string {
	var out []string
	for _, r := range rels {
		out = append(out, strings.Join(r.By, "+"))
	}
	return strings.Join(out, ", ")
}

// optional is 1 for a key that is empty in some rows: in those that were seen, or, when none were, by its type.
func optional(in *inference, t *CatalogTable, l Link) int {
	seen := in.samples[t.Name]
	for _, name := range l.FromColumns {
		c, ok := t.Column(name)
		if !ok {
			continue
		}
		if seen.Rows > 0 && seen.Columns[name].Empty > 0 || seen.Rows == 0 && c.Nullable {
			return 1
		}
	}
	return 0
}

// guests adds a match where rows without an owner carry an e-mail address: orders and comments of people without an account.
func (in *inference) guests(t *CatalogTable, s *seat) {
	mails := in.mailColumns(t)
	if s.match != nil || len(mails) == 0 || len(s.owners) != 1 || !slices.Contains(in.kinds, s.owners[0].Table) || in.system.Subjects[0].Identifiers[0].Name != "email" {
		return
	}
	direct := in.direct(t.Name)
	if len(direct) == 0 {
		return
	}
	switch invited := slices.ContainsFunc(words(t.Bare), func(w string) bool {
		return strings.HasPrefix(w, "invit") || strings.HasPrefix(w, "referral") || strings.HasPrefix(w, "einlad")
	}); {
	case invited:
		s.match = in.matchOf(mails, nil)
		in.note(t.Name, "", "both the one who invited (%s) and the one invited (%s) find their row: right?", strings.Join(direct[0].FromColumns, "+"), strings.Join(mails, ", "))
		return
	case in.works(direct[0].To):
		// A customer's request that a member of staff handles: found by the address, not by who handled it.
		s.match, s.owners = in.matchOf(mails, nil), nil
		for _, l := range direct {
			s.mentions = append(s.mentions, in.spelled(l))
		}
		in.note(t.Name, "", "the person is the one whose address stands in %s, and %s merely handles it: right?", strings.Join(mails, ", "), strings.Join(direct[0].FromColumns, "+"))
		return
	case optional(in, t, direct[0]) == 0:
		return
	}
	s.match = in.matchOf(mails, nil)
	in.note(t.Name, "", "rows without %s are found by %s: may a row of another person carry this address? Then remove match", strings.Join(direct[0].FromColumns, "+"), strings.Join(mails, ", "))
}

func (in *inference) matchOf(columns []string, paths map[string]string) *Match {
	m := &Match{}
	for _, c := range columns {
		m.Any = append(m.Any, MatchAll{[]MatchColumn{{Column: c, Identifier: "email"}}})
	}
	for _, c := range sortedKeys(paths) {
		m.Any = append(m.Any, MatchAll{[]MatchColumn{{Column: c, JSON: paths[c], Identifier: "email"}}})
	}
	return m
}
