package datamap

import (
	"context"
	"slices"
	"strings"
)

// matches seats tables that no key connects with a person but that carry e-mail addresses, in a column or within JSON.
func (in *inference) matches(ctx context.Context) ([]string, error) {
	if in.system.Subjects[0].Identifiers[0].Name != "email" {
		return nil, nil
	}
	id := in.system.Subjects[0].Identifiers[0]
	var out []string
	for _, t := range in.live() {
		if in.seats[t.Name] != nil {
			continue
		}
		mails, paths := in.mailColumns(t), in.jsonPaths(t)
		if len(mails)+len(paths) == 0 {
			continue
		}
		s := in.seat(t.Name, seatMatch, 0)
		s.match = in.matchOf(mails, paths)
		out = append(out, t.Name)
		looked, found := 0, 0
		if in.ev != nil {
			for _, c := range mails {
				l, f, err := in.ev.Included(ctx, t, []string{c}, in.table(id.Table), []string{id.Column})
				if err != nil && ctx.Err() != nil {
					return nil, err
				}
				looked, found = looked+l, found+f
			}
		}
		switch {
		case in.copied(t):
			in.note(t.Name, "", "looks like a copy of people's rows: should it be here at all?")
		case len(paths) > 0:
			in.note(t.Name, "", "no key leads to a person; the address within %s does: are these rows about that person?", strings.Join(sortedKeys(paths), ", "))
		case found > 0:
			in.remark(t.Name, "", "no key leads to a person; %d of %d sampled addresses are those of people in %s", found, looked, id.Table)
		case looked > 0:
			in.note(t.Name, "", "no key leads to a person, and none of %d sampled addresses is in %s: found by the address all the same, or personal: false with why?", looked, id.Table)
		default:
			in.note(t.Name, "", "no key leads to a person: found by the address, or personal: false with why?")
		}
	}
	return out, nil
}

// jsonPaths gives, for each JSON column, the path at which e-mail addresses were seen most.
func (in *inference) jsonPaths(t *CatalogTable) map[string]string {
	out := map[string]string{}
	for i := range t.Columns {
		c := &t.Columns[i]
		best, most := "", 0
		seen := in.samples[t.Name].Columns[c.Name]
		for path, n := range seen.JSON {
			if n > most || n == most && path < best {
				best, most = path, n
			}
		}
		if best != "" && (classOf(c) == typeJSON || classOf(c) == typeText) {
			out[c.Name] = best
		}
	}
	return out
}

// above seats what people's rows point at and what looks personal: an address may be the person's own, a city is not.
func (in *inference) above() {
	for i := 0; i < len(in.order); i++ {
		from := in.seats[in.order[i]]
		if from.role == seatCut || from.role == seatCopy {
			continue
		}
		for _, l := range in.links {
			if l.From == in.order[i] && l.To != l.From && len(l.When) == 0 {
				in.pointed(l, from)
			}
		}
	}
}

func (in *inference) pointed(l Link, from *seat) {
	t := in.table(l.To)
	if t == nil || t.View || in.outside(t) {
		return
	}
	rel := Relation{Table: l.From, From: l.FromColumns}
	if s := in.seats[l.To]; s != nil {
		if s.role != seatAbove {
			return
		}
		if from.role == seatPeople {
			s.owners = append(s.owners, rel)
		} else {
			s.from = append(s.from, rel)
		}
		return
	}
	own, why := in.ownAbove(l, t, from)
	if !own {
		if why != "" {
			closed := in.seat(l.To, seatCut, from.distance+1)
			closed.why = why
		}
		return
	}
	s := in.seat(l.To, seatAbove, from.distance+1)
	s.owners = []Relation{rel}
	if why != "" {
		in.note(l.To, "", "%s", why)
	}
}

// ownAbove tells whether the rows of a table at which people's rows point are theirs, with what is in doubt, or why they are not.
func (in *inference) ownAbove(l Link, t *CatalogTable, from *seat) (own bool, why string) {
	holds := map[string]string{}
	for i := range t.Columns {
		c := &t.Columns[i]
		if what := personal(t, c, false, in.samples[t.Name].Columns[c.Name]); what != "" && what != guessFreeText {
			holds[c.Name] = what
		}
	}
	single := uniqueTogether(in.table(l.From), l.FromColumns)
	file := slices.ContainsFunc(t.Columns, func(c CatalogColumn) bool { return fileForm.MatchString(snake(c.Name)) })
	ws, _ := keyWords(l.FromColumns[0])
	portrait := slices.ContainsFunc(ws, func(w string) bool {
		return listed(" avatar photo picture portrait signature image selfie foto ", w)
	})
	switch people := in.looksLikePeople(t); {
	case in.group(l.To) && !single:
		return false, ""
	case people && single && from.role == seatPeople:
		return true, "one row of " + l.From + " for each: the same person?"
	case people:
		return false, "people of another kind: nothing here says how one of them is found"
	case portrait && (len(holds) > 0 || file):
		return true, ""
	case len(holds) == 0 && !file && !(single && from.role == seatPeople && !in.group(l.To)):
		return false, ""
	case len(holds) == 0 && !file && in.samples[l.To].Rows == 0 && !uniqueTogether(in.table(l.From), l.FromColumns):
		return false, ""
	}
	if n := in.samples[l.From].Columns[l.FromColumns[0]]; len(l.FromColumns) == 1 && n.Values >= 20 && n.Distinct*5 <= n.Values && !single {
		return true, "several rows of " + l.From + " share one of these: the person's own, or a list for all (then personal: false with why)?"
	}
	return true, ""
}

func uniqueTogether(t *CatalogTable, columns []string) bool {
	if t == nil {
		return false
	}
	same := func(u []string) bool {
		return slices.Equal(slices.Sorted(slices.Values(u)), slices.Sorted(slices.Values(columns)))
	}
	return same(t.PrimaryKey) || slices.ContainsFunc(t.Unique, same)
}

// leftovers names tables that no key connects and whose columns look personal: the default leaves them out, and asks.
func (in *inference) leftovers() {
	for _, t := range in.live() {
		if in.seats[t.Name] != nil {
			continue
		}
		var held []string
		for i := range t.Columns {
			c := &t.Columns[i]
			what := personal(t, c, in.looksLikePeople(t), in.samples[t.Name].Columns[c.Name])
			if what != "" && what != guessFreeText && !(in.group(t.Name) && (what == guessAddress || what == "a place on the map")) {
				held = append(held, c.Name)
			}
		}
		if len(held) == 0 {
			continue
		}
		s := in.seat(t.Name, seatCut, 0)
		s.why = "no key leads from here to a person"
		in.note(t.Name, "", "%s looks personal, yet no key leads to a person: whose is it?", strings.Join(held, ", "))
	}
}
