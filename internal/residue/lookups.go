package residue

import (
	"context"

	"github.com/habeas-data/habeas/internal/datamap"
)

// lookups repeats the map's own ways to find a person: each must count nothing, unless the plan keeps rows of that
// table with the identifier in them.
func (c *checker) lookups(ctx context.Context) error {
	for _, s := range c.in.System.Subjects {
		for _, id := range s.Identifiers {
			for _, value := range c.in.Identifiers[id.Name] {
				if err := c.lookup(ctx, id.Table, []term{{id.Column, "", id.Match, value}}); err != nil {
					return err
				}
			}
		}
	}
	for i := range c.in.System.Tables {
		t := &c.in.System.Tables[i]
		if t.Match == nil {
			continue
		}
		for _, all := range t.Match.Any {
			for _, terms := range c.terms(all) {
				if err := c.lookup(ctx, t.Name, terms); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// term compares one column (or a path within its JSON) with one value.
type term struct {
	column, json string
	rule         datamap.MatchRule
	value        string
}

// terms gives one list of terms for every combination of proven values; none when an identifier was not proven.
func (c *checker) terms(all datamap.MatchAll) [][]term {
	out := [][]term{nil}
	for _, m := range all.Columns {
		var next [][]term
		for _, base := range out {
			for _, value := range c.in.Identifiers[m.Identifier] {
				next = append(next, append(base[:len(base):len(base)], term{m.Column, m.JSON, c.rule(m), value}))
			}
		}
		out = next
	}
	return out
}

func (c *checker) rule(m datamap.MatchColumn) datamap.MatchRule {
	if m.Rule != "" {
		return m.Rule
	}
	for _, s := range c.in.System.Subjects {
		for _, id := range s.Identifiers {
			if id.Name == m.Identifier {
				return id.Match
			}
		}
	}
	return datamap.MatchASCIICI // an identifier of another system: the wider look
}

func (c *checker) lookup(ctx context.Context, name string, terms []term) error {
	t, ok := c.find(name)
	if !ok || len(terms) == 0 {
		return nil
	}
	for _, x := range terms {
		if !t.has(x.column) {
			c.skip(name, x.column, "the column does not exist")
			return nil
		}
	}
	n, err := c.db.lookup(ctx, t, terms)
	if err != nil {
		return err
	}
	if n > c.stays(name, terms[0].column) {
		c.found(name, terms[0].column, Identifier, n-c.stays(name, terms[0].column))
	}
	return nil
}

func (t *table) has(name string) bool {
	for _, c := range t.columns {
		if c.name == name {
			return true
		}
	}
	return false
}
