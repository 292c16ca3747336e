package datamap

import (
	"maps"
	"slices"
)

func (p *mapReader) checkTable(m *Map, s *System, t *Table, identifiers map[string]bool, path string) {
	if !t.Personal {
		p.checkImpersonal(t, path)
		return
	}
	p.checkRelations(s, t, path)
	p.checkMatch(t, identifiers, path)
	p.checkErase(s, t, path)
	p.checkExport(t, path)
	for _, name := range slices.Sorted(maps.Keys(t.Columns)) {
		p.checkCopy(m, s, t, name, join(path, "columns."+name))
	}
	if t.Category == "" && t.Erase.Do != EraseRetain && (t.Match == nil || !t.Match.None) {
		p.warnAt(path, "add category:, as the policy names it", "%s has no category: its purposes and retention can't be told to the person", t.Name)
	}
	if t.File != nil && t.File.System != "" {
		switch sys, ok := m.System(t.File.System); {
		case !ok:
			names := make([]string, len(m.Systems))
			for i := range m.Systems {
				names[i] = m.Systems[i].Name
			}
			p.badAt(join(path, "file.system"), suggest(t.File.System, names), "there is no system %s", t.File.System)
		case sys.Kind.SQL():
			p.badAt(join(path, "file.system"), "", "%s is a database and holds no files", t.File.System)
		}
	}
}

func (p *mapReader) checkImpersonal(t *Table, path string) {
	if t.Why == "" {
		p.badAt(path, "add why: catalogue", "a table that is not about people needs a reason")
	}
	if len(t.Owners)+len(t.AlsoAbout)+len(t.AlsoFrom)+len(t.Mentions)+len(t.RedactNow) > 0 || t.Match != nil || t.Erase.Do != "" || t.File != nil {
		p.badAt(path, "remove personal: false, or the rest", "%s is said not to be about people, yet there are rules about whose it is or what becomes of it", t.Name)
	}
}

func (p *mapReader) checkRelations(s *System, t *Table, path string) {
	isSubject := false
	for _, subject := range s.Subjects {
		isSubject = isSubject || subject.Table == t.Name || subject.Members != nil && subject.Members.Table == t.Name
	}
	if !isSubject && len(t.Owners) == 0 && t.Match == nil {
		p.badAt(path, "add owner:, match:, or personal: false with why", "nothing says whose rows these are")
	}
	if t.Match != nil && t.Match.None && len(t.Owners) > 0 {
		p.badAt(join(path, "match"), "remove one of the two", "match: none says that no machine finds these rows, yet there is an owner")
	}
	seen := map[string]bool{}
	for key, list := range map[string][]Relation{"owner": t.Owners, "also_about": t.AlsoAbout, "also_from": t.AlsoFrom, "mentions": t.Mentions} {
		for i, r := range list {
			here := p.listed(join(path, key), i)
			owner, ok := s.Table(r.Table)
			switch {
			case r.Table == "":
				continue
			case !ok && (key == "owner" || s.Wildcard == nil):
				p.badAt(here, suggest(r.Table, tableNames(s)), "the table %s is not among the tables", r.Table)
			case ok && !owner.Personal && key == "owner":
				p.badAt(here, "", "%s is said not to be about people: it owns nothing", r.Table)
			}
			if key == "owner" && r.Table == t.Name && len(t.Owners) == 1 && !isSubject && t.Match == nil {
				p.badAt(here, "", "%s is its own owner: nothing leads to a person", t.Name)
			}
			if len(r.By) > 0 || len(r.From) > 0 || key != "owner" {
				continue
			}
			if seen[r.Table] {
				p.badAt(here, "add by: to each", "%s is named twice as an owner", r.Table)
			}
			seen[r.Table] = true
		}
	}
}

// listed gives the path of the i-th member whether the file has a list or the one thing itself.
func (p *mapReader) listed(path string, i int) string {
	if _, ok := p.places[indexed(path, i)]; ok {
		return indexed(path, i)
	}
	return path
}

func (p *mapReader) checkMatch(t *Table, identifiers map[string]bool, path string) {
	if t.Match == nil {
		return
	}
	if t.Match.None && t.Why == "" {
		p.badAt(join(path, "match"), "add why:", "rows that no machine finds need a reason, which the officer is told")
	}
	for _, all := range t.Match.Any {
		for _, c := range all.Columns {
			if c.Identifier != "" && !identifiers[c.Identifier] {
				p.badAt(join(path, "match"), suggest(c.Identifier, slices.Sorted(maps.Keys(identifiers))), "%q is not an identifier of any subject", c.Identifier)
			}
		}
	}
}

func (p *mapReader) checkErase(s *System, t *Table, path string) {
	here := join(path, "erase")
	switch t.Erase.Do {
	case EraseRetain:
		if t.Category == "" {
			p.badAt(here, "add category: billing, whose retention and ground the policy tells", "rows that are kept need a category")
		}
	case EraseWithOwner:
		if len(t.Owners) == 0 {
			p.badAt(here, "add owner:, or say delete, anonymize, retain or keep", "with_owner follows the owner's row; there is no owner")
		}
	case EraseKeep:
		if t.Erase.Why == "" && t.Why == "" {
			p.badAt(here, "write {do: keep, why: …}", "rows that stay need a reason, which the person is told")
		}
	case EraseDelete, EraseAnonymize, "":
		if len(t.RedactNow) > 0 {
			p.badAt(join(path, "redact_now"), "say erase: retain, or remove redact_now", "columns are redacted while a row is kept; these rows are not kept")
		}
	}
	if t.Match != nil && t.Match.None && (t.Erase.Do == EraseDelete || t.Erase.Do == EraseAnonymize) {
		p.badAt(here, "remove erase:; an officer decides about these rows", "rows that no machine finds can't be erased by it")
	}
	for _, c := range t.RedactNow {
		if col, ok := t.Columns[c]; ok && col.Personal != nil && !*col.Personal {
			p.badAt(join(path, "redact_now"), "", "%s is said not to be personal", c)
		}
	}
}

func (p *mapReader) checkExport(t *Table, path string) {
	for _, c := range t.Export.HideOthers {
		if col, ok := t.Columns[c]; ok && (col.Export == ShowHide || col.Export == ShowNever) {
			p.badAt(join(path, "export"), "remove one of the two", "%s is hidden from everybody by its column rule", c)
		}
	}
	for name, c := range t.Columns {
		if name == t.RowDate && t.Erase.Do == EraseRetain && c.Anonymize != nil && c.Anonymize.With != AnonKeep {
			p.badAt(join(path, "columns."+name), "keep it, or date the rows by another column", "%s dates the rows that are kept; it can't be anonymized", name)
		}
	}
}
