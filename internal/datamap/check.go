package datamap

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// sessionForm leaves the server's own settings, which have no dot, to us.
var sessionForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*\.[A-Za-z_][A-Za-z0-9_]*$`)

// check judges the sense of what was read: names that must meet, rules that contradict each other. It stays quiet
// about parts whose shape was refused already.
func (p *mapReader) check(m *Map) {
	identifiers := map[string]bool{}
	for _, s := range m.Systems {
		for _, subject := range s.Subjects {
			for _, id := range subject.Identifiers {
				identifiers[id.Name] = true
			}
		}
	}
	for i := range m.Systems {
		s := &m.Systems[i]
		path := join("systems", s.Name)
		p.checkAccess(s, path)
		if s.Kind.SQL() {
			p.checkSubjects(s, path)
			p.checkReferences(s, path)
			for j := range s.Tables {
				p.checkTable(m, s, &s.Tables[j], identifiers, join(path, "tables."+s.Tables[j].Name))
			}
			p.checkWildcard(s, path)
			p.checkOwnership(s, path)
		}
		p.checkFind(s, identifiers, path)
	}
}

// checkAccess holds what a system of a kind needs to be reached at all, and that no secret stands in the map.
func (p *mapReader) checkAccess(s *System, path string) {
	switch {
	case s.Kind.SQL():
		if s.DSN == "" {
			p.badAt(path, "add dsn: ${"+strings.ToUpper(strings.ReplaceAll(s.Name, "-", "_"))+"_DSN}", "the database's address is missing")
		}
		if s.URL != "" {
			p.badAt(join(path, "url"), "write dsn:", "a database is reached by its dsn")
		}
	case s.Kind == KindBlob, s.Kind == KindWebhook, s.Kind == KindREST:
		if s.URL == "" {
			p.badAt(path, "add url:", "the system's address is missing")
		}
		if s.DSN != "" {
			p.badAt(join(path, "dsn"), "write url:", "only databases have a dsn")
		}
	}
	if !s.Kind.SQL() && s.Kind != "" && (len(s.Tables) > 0 || s.Wildcard != nil || len(s.References) > 0) {
		p.badAt(join(path, "tables"), "", "a system of kind %s has no tables", s.Kind)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Session)) {
		switch {
		case s.Kind != KindPostgres:
			p.badAt(join(path, "session"), "remove it", "only PostgreSQL has settings of a session that its policies read")
		case !sessionForm.MatchString(name):
			p.badAt(join(path, "session."+name), "write app.tenant: acme", "%q is not a setting of the product's own, a word, a dot and a word", name)
		}
	}
	dsn := join(path, "dsn")
	for where, value := range map[string]string{dsn: s.DSN, join(dsn, "write"): s.WriteDSN, join(path, "url"): s.URL} {
		switch secretIn(value) {
		case secretAbroad:
			p.badAt(where, "write ${NAME} for the secret, taken from the environment, or ${file:/path}", "a password stands here in the clear")
		case secretLocal:
			p.warnAt(where, "write ${NAME} for the secret", "a password stands here in the clear; that is allowed for an address of this machine only")
		case secretNone:
		}
	}
}

func (p *mapReader) checkFind(s *System, identifiers map[string]bool, path string) {
	if s.Kind == KindBlob && len(s.Find) == 0 {
		p.badAt(path, `add find: {prefix: "u/{user_id}/"}`, "nothing says which files are a person's")
	}
	for _, key := range slices.Sorted(maps.Keys(s.Find)) {
		where := join(path, "find."+key)
		for _, name := range holes(s.Find[key]) {
			if !identifiers[name] {
				p.badAt(where, suggest(name, slices.Sorted(maps.Keys(identifiers))), "{%s} is not an identifier of any subject", name)
			}
		}
		if s.Kind == KindBlob && len(holes(s.Find[key])) == 0 {
			p.badAt(where, `write "u/{user_id}/"`, "this finds the same files for everybody: it holds no identifier")
		}
	}
}

// holes lists the names in braces of a template.
func holes(s string) []string {
	var out []string
	for {
		_, rest, ok := strings.Cut(s, "{")
		if !ok {
			return out
		}
		name, after, ok := strings.Cut(rest, "}")
		if !ok {
			return out
		}
		out, s = append(out, name), after
	}
}

func (p *mapReader) checkSubjects(s *System, path string) {
	for _, subject := range s.Subjects {
		here := join(path, "subject")
		if _, plural := p.places[join(path, "subjects")]; plural {
			here = join(path, "subjects."+subject.Name)
		}
		if subject.Table == "" {
			continue
		}
		t, ok := s.Table(subject.Table)
		switch {
		case !ok:
			p.badAt(join(here, "table"), suggest(subject.Table, tableNames(s)), "the subject's table %s is not among the tables", subject.Table)
		case !t.Personal:
			p.badAt(join(path, "tables."+t.Name), "remove personal: false", "%s holds the people themselves", t.Name)
		}
		for _, id := range subject.Identifiers {
			if _, ok := s.Table(id.Table); !ok && id.Table != subject.Table && id.Table != "" {
				p.badAt(join(here, "identifiers."+id.Name), suggest(id.Table, tableNames(s)), "the table %s is not among the tables", id.Table)
			}
			if len(id.By) > 0 && len(id.By) != len(subject.Key) {
				p.badAt(join(here, "identifiers."+id.Name), "", "by names %d columns, the subject's key has %d", len(id.By), len(subject.Key))
			}
		}
		if mem := subject.Members; mem != nil && mem.Table != "" {
			if _, ok := s.Table(mem.Table); !ok {
				p.badAt(join(here, "members"), suggest(mem.Table, tableNames(s)), "the table %s is not among the tables", mem.Table)
			}
		}
	}
	found := len(s.Subjects) > 0
	for _, t := range s.Tables {
		found = found || t.Match != nil && !t.Match.None
	}
	if !found && s.Kind != "" {
		p.badAt(path, "add subject: {table: …, key: …, identifiers: {email: email}}", "nothing says who is looked for: there is no subject, and no table with match")
	}
}

func tableNames(s *System) []string {
	out := make([]string, len(s.Tables))
	for i := range s.Tables {
		out[i] = s.Tables[i].Name
	}
	return out
}

func (p *mapReader) checkReferences(s *System, path string) {
	for i, ref := range s.References {
		here := indexed(join(path, "references"), i)
		for _, t := range []string{ref.FromTable, ref.ToTable} {
			if t != "" && s.Wildcard == nil && !named(s, t) {
				p.badAt(here, suggest(t, tableNames(s)), "the table %s is not among the tables", t)
			}
		}
		for j := range i {
			if same := s.References[j]; same.FromTable == ref.FromTable && slices.Equal(same.FromColumns, ref.FromColumns) &&
				same.ToTable == ref.ToTable && slices.Equal(same.ToColumns, ref.ToColumns) && ref.FromTable != "" {
				p.badAt(here, "remove one of the two", "this reference stands here twice")
			}
		}
	}
}

func named(s *System, table string) bool { _, ok := s.Table(table); return ok }

func (p *mapReader) checkWildcard(s *System, path string) {
	w, here := s.Wildcard, join(path, "tables.*")
	if w == nil {
		return
	}
	if w.Personal {
		p.badAt(here, `write "*": {personal: false, why: catalogue}`, `"*" covers only tables that are not about people`)
	} else if w.Why == "" {
		p.badAt(here, "add why:", "tables that are left alone need a reason")
	}
	if len(w.Owners)+len(w.AlsoAbout)+len(w.AlsoFrom)+len(w.Mentions)+len(w.Columns)+len(w.RedactNow) > 0 || w.Match != nil ||
		w.File != nil || w.Erase.Do != "" || w.Category != "" || w.RowDate != "" {
		p.badAt(here, "name the tables one by one", `"*" takes personal: false and why, nothing else`)
	}
}

// checkOwnership follows the owners upward: every table must come to a subject or to rows found by an identifier.
func (p *mapReader) checkOwnership(s *System, path string) {
	reached := map[string]bool{}
	for _, subject := range s.Subjects {
		reached[subject.Table] = true
		if subject.Members != nil {
			reached[subject.Members.Table] = true
		}
	}
	for _, t := range s.Tables {
		if t.Match != nil {
			reached[t.Name] = true
		}
	}
	for grown := true; grown; {
		grown = false
		for _, t := range s.Tables {
			if reached[t.Name] {
				continue
			}
			for _, o := range t.Owners {
				if reached[o.Table] {
					reached[t.Name], grown = true, true
				}
			}
		}
	}
	for _, t := range s.Tables {
		if !t.Personal || reached[t.Name] || len(t.Owners) == 0 || p.ownerFault(s, t) {
			continue
		}
		if cycle := ownerCycle(s, t.Name); cycle != nil {
			p.badAt(join(path, "tables."+t.Name+".owner"), "give one of them an owner that leads to a subject",
				"the owners go round in a circle and never come to a person: %s", strings.Join(cycle, " → "))
			continue
		}
		p.badAt(join(path, "tables."+t.Name+".owner"), "give it an owner that leads to a subject", "the owners of %s never come to a person", t.Name)
	}
}

// ownerFault tells whether a fault of an owner itself was told already.
func (p *mapReader) ownerFault(s *System, t Table) bool {
	for _, o := range t.Owners {
		if owner, ok := s.Table(o.Table); !ok || !owner.Personal {
			return true
		}
	}
	return false
}

func ownerCycle(s *System, from string) []string {
	path, seen := []string{from}, map[string]int{from: 0}
	for {
		t, ok := s.Table(path[len(path)-1])
		if !ok || len(t.Owners) == 0 {
			return nil
		}
		next := t.Owners[0].Table
		path = append(path, next)
		if i, ok := seen[next]; ok {
			return path[i:]
		}
		seen[next] = len(path) - 1
	}
}
