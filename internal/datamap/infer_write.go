package datamap

import (
	"cmp"
	"slices"
	"strings"
)

// write turns the seats into the entries of the map: people, then what hangs on them, nearest first.
func (in *inference) write() {
	in.prune()
	names := slices.Clone(in.order)
	slices.SortStableFunc(names, func(a, b string) int {
		x, y := in.seats[a], in.seats[b]
		return cmp.Or(cmp.Compare(x.rank(), y.rank()), cmp.Compare(x.distance, y.distance))
	})
	for _, name := range names {
		in.system.Tables = append(in.system.Tables, in.entry(name))
	}
	in.system.Wildcard = &Table{Name: "*", Why: "no key leads from these tables to a person"}
	in.system.Limits = Limits{MaxRows: 10_000, MaxShare: 0.1}
	in.note("", "", "limits: a plan that would touch more rows of one table, or more than this share of it, stops before its first row. Raise them if one person may have more")
	in.note("", "", "category: the names stand for those of your policy.yaml, which says how long each is kept")
	in.records()
	in.others()
	in.softDeletes()
	in.materialized()
}

func (s *seat) rank() int {
	switch s.role {
	case seatPeople:
		return 0
	case seatOwned, seatAbove:
		return 1
	case seatMatch:
		return 2
	case seatCut, seatCopy:
		return 3
	}
	return 3
}

// prune drops references that connect nothing that is named: they would tell a reader about the catalogue.
func (in *inference) prune() {
	counts := func(table string) bool {
		s := in.seats[table]
		return s != nil && s.role != seatCopy && (s.role != seatCut || len(s.closed) > 0)
	}
	in.system.References = slices.DeleteFunc(in.system.References, func(r Reference) bool {
		return !counts(r.FromTable) && !counts(r.ToTable) || !counts(r.ToTable)
	})
	in.notes = slices.DeleteFunc(in.notes, func(n Note) bool {
		if n.Kind == NoteReason {
			return !slices.ContainsFunc(in.system.References, func(r Reference) bool { return r.FromTable == n.Table && r.FromColumns[0] == n.Column })
		}
		return n.Table != "" && in.seats[n.Table] == nil
	})
}

func (in *inference) entry(name string) Table {
	s, t := in.seats[name], in.table(name)
	out := Table{Name: name, Personal: true, Columns: map[string]Column{}}
	no := false
	for _, c := range s.closed {
		out.Columns[c] = Column{Personal: &no}
	}
	if s.role == seatCut || s.role == seatCopy {
		out.Personal, out.Why = false, s.why
		in.closeKeys(&out, s)
		if len(out.Columns) == 0 {
			out.Columns = nil
		}
		return out
	}
	out.Owners, out.AlsoAbout, out.AlsoFrom, out.Mentions, out.Match = s.owners, s.about, s.from, s.mentions, s.match
	for _, r := range s.about {
		out.Export.HideOthers = append(out.Export.HideOthers, r.By...)
	}
	if len(s.about) > 0 && len(s.owners) > 0 {
		out.Export.HideOthers = append(slices.Clone(s.owners[0].By), out.Export.HideOthers...)
		slices.Sort(out.Export.HideOthers)
		out.Export.HideOthers = slices.Compact(out.Export.HideOthers)
	}
	out.Category = in.category(t, s)
	out.Erase = in.erase(s)
	out.RowDate = in.rowDate(t)
	in.columns(t, s, &out)
	return out
}

// closeKeys marks the keys to people of a table that is nobody's, so that nothing is said twice about them.
func (in *inference) closeKeys(out *Table, s *seat) {
	no := false
	if s.role == seatCopy {
		for _, l := range in.links {
			if l.From == out.Name && slices.Contains(in.kinds, l.To) {
				for _, c := range l.FromColumns {
					out.Columns[c] = Column{Personal: &no}
				}
			}
		}
	}
}

func (in *inference) category(t *CatalogTable, s *seat) string {
	ws := in.namer.words(t)
	switch {
	case slices.ContainsFunc(ws, func(w string) bool { return listed(auditWords, w) }):
		return "audit_log"
	case slices.ContainsFunc(ws, func(w string) bool { return listed(recordWords, w) }):
		return "billing"
	case s.role == seatMatch:
		return "contact"
	default:
		return "account"
	}
}

func (in *inference) erase(s *seat) Erase {
	switch {
	case s.role == seatAbove:
		return Erase{Do: EraseDelete, IfOthersRefer: OthersKeep}
	case len(s.about) > 0:
		return Erase{Do: EraseDelete, IfOthersRefer: OthersRefuse}
	case s.role == seatPeople, s.role == seatMatch && len(s.owners) == 0, s.match != nil:
		return Erase{Do: EraseDelete}
	default:
		return Erase{Do: EraseWithOwner}
	}
}

// rowDate guesses the column that dates a business record.
func (in *inference) rowDate(t *CatalogTable) string {
	if !in.record(t) {
		return ""
	}
	best, top := "", 0
	table := in.namer.words(t)
	for i := range t.Columns {
		c := &t.Columns[i]
		if classOf(c) != typeTime {
			continue
		}
		ws := words(c.Name)
		score := 1
		for _, w := range ws {
			switch {
			case slices.Contains(stems(table), stem(w)):
				score += 6
			case listed(" issued invoiced placed ordered paid booked date datum fecha created erstellt creado cree ", w):
				score += 4
			case listed(" updated modified deleted due shipped cancelled canceled expires update last ", w):
				score -= 5
			}
		}
		if score > top {
			best, top = c.Name, score
		}
	}
	return best
}

func (in *inference) record(t *CatalogTable) bool {
	ws := in.namer.words(t)
	return len(ws) > 0 && (listed(recordWords, ws[len(ws)-1]) || len(ws) > 1 && listed(recordWords, strings.Join(ws[len(ws)-2:], "_")))
}

// columns notes what each column seems to hold and hides secrets.
func (in *inference) columns(t *CatalogTable, s *seat, out *Table) {
	in.personal[t.Name] = map[string]string{}
	person := s.role == seatPeople || in.looksLikePeople(t)
	held := map[string][]string{}
	var order, files []string
	for i := range t.Columns {
		c := &t.Columns[i]
		if s.role == seatPeople && slices.Contains(t.PrimaryKey, c.Name) {
			continue
		}
		what := personal(t, c, person, in.samples[t.Name].Columns[c.Name])
		if fileForm.MatchString(snake(c.Name)) && classOf(c) == typeText {
			files = append(files, c.Name)
		}
		if what == "" {
			in.harmless(t, s, c, out)
			continue
		}
		in.personal[t.Name][c.Name] = what
		if held[what] == nil {
			order = append(order, what)
		}
		held[what] = append(held[what], c.Name)
		if what == guessSecret || secretNames.MatchString(snake(c.Name)) && classOf(c) == typeText && looksPersonal(c.Name) == guessSecret {
			col := out.Columns[c.Name]
			col.Export = ShowPresence
			out.Columns[c.Name] = col
		}
	}
	if len(order) > 0 {
		var parts []string
		for _, what := range order {
			parts = append(parts, what+" ("+strings.Join(held[what], ", ")+")")
		}
		in.remark(t.Name, "", "personal: %s", strings.Join(parts, "; "))
	}
	if len(files) > 0 {
		in.note(t.Name, "", "%s looks like the name of a stored file: name the store as a system of its own and add file: {system: …, key: %s}", strings.Join(files, ", "), files[0])
	}
	if len(out.Columns) == 0 {
		out.Columns = nil
	}
}

// harmless says of columns that tell nothing about a person and can't be emptied that they are left alone, in tables whose
// rows are likely to be anonymized: people whose records are kept, rows of two people.
func (in *inference) harmless(t *CatalogTable, s *seat, c *CatalogColumn, out *Table) {
	likely := s.role == seatPeople || s.role == seatAbove || len(s.about) > 0
	_, said := out.Columns[c.Name]
	key := slices.Contains(t.PrimaryKey, c.Name) || slices.ContainsFunc(in.links, func(l Link) bool { return l.From == t.Name && slices.Contains(l.FromColumns, c.Name) })
	if !likely || said || key || c.Nullable || c.Generated || c.Identity || classOf(c) == typeText || classOf(c) == typeJSON || classOf(c) == typeBytes {
		return
	}
	no := false
	out.Columns[c.Name] = Column{Personal: &no}
}

// records asks once about everything that a law may order to keep.
func (in *inference) records() {
	var names []string
	for i := range in.system.Tables {
		t := &in.system.Tables[i]
		if t.Personal && in.record(in.table(t.Name)) && in.seats[t.Name].role == seatOwned {
			names = append(names, t.Name)
		}
	}
	if len(names) > 0 {
		in.note("", "", "%s may be business records that the law keeps: then say erase: retain there (row_date dates a row), and redact_now: [columns] for what need not be kept", strings.Join(names, ", "))
	}
}

// others asks about rows to which other people's rows may point.
func (in *inference) others() {
	for i := range in.system.Tables {
		t := &in.system.Tables[i]
		s := in.seats[t.Name]
		if !t.Personal || s.role == seatAbove || s.role == seatPeople {
			continue
		}
		var from []string
		for _, l := range in.links {
			other := in.seats[l.From]
			if l.To != t.Name || other == nil || len(l.When) > 0 || other.role != seatOwned && other.role != seatPeople || t.Erase.IfOthersRefer != "" {
				continue
			}
			foreign := l.From == t.Name || len(in.direct(l.From)) > 0 && !slices.ContainsFunc(other.owners, func(r Relation) bool { return r.Table == t.Name })
			if foreign {
				from = append(from, l.From+"."+strings.Join(l.FromColumns, "+"))
			}
		}
		if len(from) > 0 {
			in.remark(t.Name, "", "%s may be another person's: the plan stops there, unless if_others_refer says keep, set_null or anonymize", strings.Join(from, ", "))
		}
	}
}

func (in *inference) softDeletes() {
	var names []string
	for i := range in.system.Tables {
		t := in.table(in.system.Tables[i].Name)
		if j := slices.IndexFunc(t.Columns, func(c CatalogColumn) bool { return softDeleted.MatchString(snake(c.Name)) }); j >= 0 && in.system.Tables[i].Personal {
			names = append(names, t.Name+"."+t.Columns[j].Name)
		}
	}
	if len(names) > 0 {
		in.remark("", "", "rows that %s marks as deleted are still there: they are found, handed over and erased like all others", strings.Join(names, ", "))
	}
	var audit []string
	for i := range in.system.Tables {
		if x := &in.system.Tables[i]; x.Personal && x.Category == "audit_log" {
			audit = append(audit, x.Name)
		}
	}
	if len(audit) > 0 {
		in.note("", "", "%s record what happened: erased with the person (stands), or erase: retain in a category with a ground?", strings.Join(audit, ", "))
	}
}

func (in *inference) materialized() {
	for i := range in.cat.Tables {
		if t := &in.cat.Tables[i]; t.Materialized && !in.outside(t) {
			in.remark("", "", "the materialized view %s keeps a copy of what it shows until it is refreshed: refresh it after an erasure", t.Name)
		}
	}
}
