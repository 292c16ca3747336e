package residue

import (
	"context"
	"slices"
	"strings"

	"github.com/habeas-data/habeas/internal/plan"
)

const (
	// chunk is the most keys asked for at once where each is a condition of its own: SQLite bounds the depth of an
	// expression, and every engine its parameters.
	chunk = 200
	// manyKeys is the most that go in one list: beyond some thousand the planner may read the whole table for each.
	manyKeys = 100_000
)

// keys asks for the rows that were recorded before the first delete.
func (c *checker) keys(ctx context.Context) error {
	for i, s := range c.in.Steps {
		e, ok := Expect(s)
		if !ok || s.System != c.name {
			continue
		}
		if err := c.step(ctx, i, s, e); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) step(ctx context.Context, i int, s plan.Step, e Expectation) error {
	t, ok := c.find(s.Table)
	if !ok {
		if !e.Gone && e.Rows > 0 {
			c.found(s.Table, "", Missing, e.Rows)
			return nil
		}
		c.skip(s.Table, "", "the table does not exist")
		return nil
	}
	if c.in.Keys == nil {
		c.skip(s.Table, "", "no keys were recorded")
		return nil
	}
	if t.keyless && !e.Gone {
		c.skip(s.Table, "", "the table has no primary key: rows that were changed can't be found again by it")
		return nil
	}
	var recorded, exist int64
	still := map[string]int64{}
	err := c.recorded(ctx, i, c.db.most(t), func(keys [][]string) error {
		recorded += int64(len(keys))
		count, err := c.db.count(ctx, t, keys)
		if err != nil {
			return err
		}
		exist += count
		if (s.Action == plan.ActionAnonymize || s.Action == plan.ActionRedact) && count > 0 {
			return c.stillThere(ctx, t, s, keys, still)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if recorded != e.Rows {
		c.found(s.Table, "", Unrecorded, recorded-e.Rows)
	}
	switch {
	case e.Gone && exist > 0:
		c.found(s.Table, "", LeftOver, exist)
	case !e.Gone && exist != e.Rows:
		c.found(s.Table, "", Missing, e.Rows-exist)
	}
	for name, rows := range still {
		c.found(s.Table, name, NotAnonymized, rows)
	}
	return nil
}

// recorded gives the recorded keys of a step, at most so many at once.
func (c *checker) recorded(ctx context.Context, step, most int, fn func(keys [][]string) error) error {
	var keys [][]string
	for n := 0; ; n++ {
		more, err := c.in.Keys(ctx, step, n)
		if err != nil {
			return err
		}
		keys = append(keys, more...)
		for len(keys) >= most || more == nil && len(keys) > 0 {
			part := keys[:min(most, len(keys))]
			if err := fn(part); err != nil {
				return err
			}
			keys = keys[len(part):]
		}
		if more == nil {
			return nil
		}
	}
}

// stillThere counts rows among the keys whose texts are still an identifier of the person.
func (c *checker) stillThere(ctx context.Context, t *table, s plan.Step, keys [][]string, still map[string]int64) error {
	entry, known := c.in.System.Table(s.Table)
	for _, col := range t.columns {
		switch {
		case !col.text,
			s.Action == plan.ActionRedact && !slices.Contains(s.Columns, col.name),
			known && leftAlone(entry.Columns[col.name]):
			continue
		}
		for _, value := range c.telling() {
			n, err := c.db.countText(ctx, t, keys, col, asciiLower(value))
			if err != nil {
				return err
			}
			if n > 0 {
				still[col.name] += n
			}
		}
	}
	return nil
}

// telling lists the identifiers that say who somebody is wherever they stand. A short number that equals a house
// number says nothing, and the subject's key stays in the rows that lead to it.
func (c *checker) telling() []string {
	keys := c.keyNames()
	var out []string
	for name, values := range c.in.Identifiers {
		if keys[name] {
			continue
		}
		for _, v := range values {
			if strings.Contains(v, "@") || len(v) >= 8 {
				out = append(out, v)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// keyNames lists the identifiers that are part of a subject's key.
func (c *checker) keyNames() map[string]bool {
	keys := map[string]bool{}
	for _, s := range c.in.System.Subjects {
		for _, id := range s.Identifiers {
			if id.Table == s.Table && slices.Contains(s.Key, id.Column) {
				keys[id.Name] = true
			}
		}
	}
	return keys
}
