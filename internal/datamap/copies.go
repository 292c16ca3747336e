package datamap

import (
	"maps"
	"slices"
	"strings"
)

// Place is a column that holds a field of a person.
type Place struct {
	System, Table, Column string
	JSON                  string    // a path within a JSON column, or empty
	Rule                  MatchRule // how its value is held against the field's own
	CopyOf                string    // `table.column` of the field itself; empty: this is it
}

// Places gives the columns in which the map says that a field of a person is kept: first those that are meant by its
// name in each system (an identifier, a column of the subject's own table, or `table.column`), whether or not the
// database has them, then the copies: columns with copy_of, at any distance, and those by which a match finds rows
// through the same identifier. kinds names the kind of person that is meant, by system; a system that is not in it is
// left out.
func (m *Map) Places(kinds map[string]string, field string) []Place {
	var out []Place
	for i := range m.Systems {
		s := &m.Systems[i]
		kind, asked := kinds[s.Name]
		if subject, ok := s.Subject(kind); ok && asked && s.Kind.SQL() {
			out = append(out, direct(s, subject, field))
		}
	}
	for done := 0; done < len(out); done++ {
		from := out[done]
		root := from.CopyOf
		if root == "" {
			root = from.Table + "." + from.Column
		}
		for _, p := range m.copies(kinds, from) {
			if p.CopyOf = root; !slices.ContainsFunc(out, func(o Place) bool {
				return o.System == p.System && o.Table == p.Table && o.Column == p.Column && o.JSON == p.JSON
			}) {
				out = append(out, p)
			}
		}
	}
	return out
}

// direct gives the column that a field's name means in a system.
func direct(s *System, subject *Subject, field string) Place {
	p := Place{System: s.Name, Table: subject.Table, Column: field, Rule: MatchExact}
	for _, id := range subject.Identifiers {
		if id.Name == field {
			p.Table, p.Column, p.Rule = id.Table, id.Column, id.Match
			if p.Table == "" {
				p.Table = subject.Table
			}
			return p
		}
	}
	if i := strings.LastIndexByte(field, '.'); i > 0 {
		p.Table, p.Column = field[:i], field[i+1:]
	}
	if name, rule := s.identifierAt(p.Table, p.Column); name != "" {
		p.Rule = rule
	}
	return p
}

// identifierAt gives the identifier that lies in a column; empty when none does.
func (s *System) identifierAt(table, column string) (string, MatchRule) {
	for _, subject := range s.Subjects {
		for _, id := range subject.Identifiers {
			if id.Column == column && (id.Table == table || id.Table == "" && subject.Table == table) {
				return id.Name, id.Match
			}
		}
	}
	return "", ""
}

// copies gives the columns one step away from a place.
func (m *Map) copies(kinds map[string]string, from Place) []Place {
	home, ok := m.System(from.System)
	if !ok || from.JSON != "" {
		return nil
	}
	identifier, rule := home.identifierAt(from.Table, from.Column)
	var out []Place
	for i := range m.Systems {
		s := &m.Systems[i]
		if _, asked := kinds[s.Name]; !asked {
			continue
		}
		for j := range s.Tables {
			t := &s.Tables[j]
			if identifier != "" && t.Match != nil {
				out = append(out, matched(s, t, identifier, rule)...)
			}
			for _, name := range slices.Sorted(maps.Keys(t.Columns)) {
				system, table, column := m.target(s, t.Columns[name].CopyOf)
				if table == "" {
					continue
				}
				if system == from.System && table == from.Table && column == from.Column {
					out = append(out, Place{System: s.Name, Table: t.Name, Column: name, Rule: MatchExact})
				}
				if s.Name == from.System && t.Name == from.Table && name == from.Column { // the field itself, asked for by a copy
					out = append(out, Place{System: system, Table: table, Column: column, Rule: MatchExact})
				}
			}
		}
	}
	return out
}

func matched(s *System, t *Table, identifier string, rule MatchRule) []Place {
	var out []Place
	for _, all := range t.Match.Any {
		for _, c := range all.Columns {
			if c.Identifier != identifier {
				continue
			}
			p := Place{System: s.Name, Table: t.Name, Column: c.Column, JSON: c.JSON, Rule: c.Rule}
			if p.Rule == "" {
				p.Rule = rule
			}
			out = append(out, p)
		}
	}
	return out
}

// target reads a copy_of: `table.column` of the same system, or with a system's name before it.
func (m *Map) target(s *System, copyOf string) (system, table, column string) {
	i := strings.LastIndexByte(copyOf, '.')
	if i < 1 {
		return "", "", ""
	}
	table, column = copyOf[:i], copyOf[i+1:]
	if _, ok := s.Table(table); ok {
		return s.Name, table, column
	}
	if name, rest, ok := strings.Cut(table, "."); ok {
		if other, ok := m.System(name); ok {
			if _, ok := other.Table(rest); ok {
				return name, rest, column
			}
		}
	}
	return "", "", ""
}

func (p *mapReader) checkCopy(m *Map, s *System, t *Table, name, path string) {
	c := t.Columns[name]
	if c.CopyOf == "" {
		return
	}
	system, table, column := m.target(s, c.CopyOf)
	switch {
	case table == "":
		p.badAt(join(path, "copy_of"), "write table.column, or system.table.column", "%q names no table of the map", c.CopyOf)
	case system == s.Name && table == t.Name && column == name:
		p.badAt(join(path, "copy_of"), "name the column that holds the field itself", "%s is said to be a copy of itself", name)
	case c.Personal != nil && !*c.Personal:
		p.badAt(path, "remove one of the two", "a column that is not personal is left alone; it can't be corrected with another")
	}
	if other, ok := m.System(system); ok {
		if owner, ok := other.Table(table); ok && !owner.Personal {
			p.badAt(join(path, "copy_of"), "name a column that is about the person", "%s is said not to be about people", table)
		}
	}
}

// IsIdentifier tells whether a column holds an identifier of any kind of person.
func (s *System) IsIdentifier(table, column string) bool {
	name, _ := s.identifierAt(table, column)
	return name != ""
}
