package residue

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/habeas-data/habeas/internal/datamap"
)

const (
	defaultTime = 2 * time.Minute
	defaultRows = 5_000_000
)

// search reads every table for the person's identifiers, also tables that the map does not know, until the budget ends.
func (c *checker) search(ctx context.Context) error {
	everywhere, unmapped := c.wanted()
	if everywhere.empty() && unmapped.empty() {
		c.skip("", "", "no proven identifier is long enough to be searched for")
		return nil
	}
	limit, left := c.in.Budget.Time, c.in.Budget.Rows
	if limit <= 0 {
		limit = defaultTime
	}
	if left <= 0 {
		left = defaultRows
	}
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for i := range c.tables {
		t := &c.tables[i]
		w := &everywhere
		if _, mapped := c.in.System.Table(c.mapName(t)); !mapped {
			w = &unmapped
		}
		if w.empty() {
			continue
		}
		var read int64
		err := c.db.words.try(bounded, c.db.q, func() (err error) {
			read, err = c.searchTable(bounded, t, w, left)
			return err
		})
		left -= read
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return ctx.Err() // the caller's end, not ours
		case bounded.Err() != nil:
			c.skip(c.mapName(t), "", "the time for the search was over")
		default:
			c.skip(c.mapName(t), "", "the table could not be read: the role lacks the right, row-level security would show a part, or a value is broken")
		}
	}
	if bounded.Err() == nil {
		return c.apart(bounded, &everywhere)
	}
	return ctx.Err()
}

// wanted gives what is looked for in every table, and what in those that the map does not name: there, also the keys by
// which rows of kept tables are tied to one another, which say nothing where the map rules.
func (c *checker) wanted() (everywhere, unmapped wanted) {
	everywhere.numbers, unmapped.numbers = map[string][]string{}, map[string][]string{}
	keys := c.keyNames()
	for _, name := range slices.Sorted(maps.Keys(c.in.Identifiers)) {
		columns := c.columnsOf(name)
		for _, v := range c.in.Identifiers[name] {
			if !unmapped.add(name, v, columns) {
				c.skip("", "", "the "+name+" is too short to be searched for: it would be found by chance")
				continue
			}
			if !keys[name] {
				everywhere.add(name, v, columns)
			}
		}
	}
	everywhere.tidy()
	unmapped.tidy()
	return everywhere, unmapped
}

// columnsOf gives the ends of names that columns have which hold an identifier of digits.
func (c *checker) columnsOf(name string) []string {
	out := []string{bareName(name)}
	for _, s := range c.in.System.Subjects {
		for _, id := range s.Identifiers {
			if id.Name == name && id.Table == s.Table {
				out = append(out, bareName(s.Table)+"id")
				if len(bareName(id.Column)) > 2 { // not just id
					out = append(out, bareName(id.Column))
				}
			}
		}
	}
	return out
}

func (c *checker) searchTable(ctx context.Context, t *table, w *wanted, left int64) (read int64, err error) {
	name := c.mapName(t)
	switch {
	case t.foreign:
		c.skip(name, "", "the table lies in another database")
		return 0, nil
	case t.bare == "sqlite_stat4":
		c.skip(name, "", "the planner's samples of values stay until ANALYZE runs again")
		return 0, nil
	case t.history && c.db.kind == datamap.KindPostgres:
		c.skip(name, "", "a temporary table is seen by its own session alone")
		return 0, nil
	}
	var columns []field
	for _, col := range t.columns {
		if col.number && !col.text && !w.mayBe(col) {
			continue
		}
		if col.text || col.number || binary(col.typ) {
			columns = append(columns, col)
		}
		if binary(col.typ) {
			c.skip(name, col.name, "binary values are searched as they are: what is compressed or encrypted in them is not seen")
		}
	}
	if len(columns) == 0 {
		c.report.Looked++
		return 0, nil
	}
	if left <= 0 {
		c.skip(name, "", "the number of rows for the search was reached")
		return 0, nil
	}
	if read, err = c.db.rows(ctx, t, left+1); err != nil {
		return 0, err
	}
	var limit int64
	if read > left {
		read, limit = left, left
	}
	hits, err := c.db.look(ctx, t, columns, w, limit)
	if err != nil {
		return read, err
	}
	if limit == 0 {
		c.report.Looked++
	} else {
		c.skip(name, "", "the number of rows for the search was reached within the table")
	}
	c.judge(t, name, columns, hits)
	if t.special == "fts" {
		return read, c.fullText(ctx, t, w)
	}
	return read, nil
}

// mayBe tells whether a column of numbers can hold what is wanted, by its name.
func (w *wanted) mayBe(col field) bool {
	if len(w.phones) > 0 && phoneName.MatchString(col.name) {
		return true
	}
	for _, columns := range w.numbers {
		if named(col.name, columns) {
			return true
		}
	}
	return false
}

// apart looks where no table of the schema is: large objects of PostgreSQL, and other databases that the role sees.
func (c *checker) apart(ctx context.Context, w *wanted) error {
	if c.db.kind == datamap.KindMySQL {
		return c.strangers(ctx)
	}
	if c.db.kind != datamap.KindPostgres || w.empty() {
		return nil
	}
	var rows int64
	err := c.db.words.try(ctx, c.db.q, func() (err error) {
		rows, err = c.db.largeObjects(ctx, w)
		return err
	})
	switch {
	case err != nil:
		c.skip("pg_largeobject", "", "large objects could not be read")
	case rows > 0:
		c.found("pg_largeobject", "data", Copy, rows)
	}
	return nil
}

// strangers names the other databases that the role sees and the map does not speak of.
func (c *checker) strangers(ctx context.Context) error {
	rows, err := c.db.q.QueryContext(ctx, "SELECT schema_name FROM information_schema.schemata WHERE schema_name <> database() AND schema_name NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys') ORDER BY 1")
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var schema string
		if err := rows.Scan(&schema); err != nil {
			return err
		}
		if _, ignored := c.in.System.Schemas.Ignore[schema]; !ignored && !slices.Contains(c.in.System.Schemas.Include, schema) {
			c.skip(schema, "", "the role sees this other database: name it under schemas.include or schemas.ignore to have it searched")
		}
	}
	return rows.Err()
}

// fullText asks the index of a full-text table of SQLite for rows that have no text of their own any more: the index
// keeps the words of rows that were deleted elsewhere.
func (c *checker) fullText(ctx context.Context, t *table, w *wanted) error {
	rows, err := c.db.orphans(ctx, t, w.addresses)
	if err != nil {
		return err
	}
	if rows > 0 {
		c.found(c.mapName(t), "", Copy, rows)
	}
	return nil
}

// judge turns hits into findings: what the plan keeps in the clear is none.
func (c *checker) judge(t *table, name string, columns []field, hits []int64) {
	_, ignored := c.in.System.Schemas.Ignore[t.schema]
	for i, col := range columns {
		rows := hits[i]
		if rows == 0 {
			continue
		}
		if ignored {
			c.report.Apart = append(c.report.Apart, Finding{c.name, name, col.name, Copy, rows})
			continue
		}
		rows -= c.stays(name, col.name)
		// The column by which people are found was asked by its own rule: one that differs in what the rule tells
		// apart is somebody else.
		if rows > 0 && !c.identifies(name, col.name) {
			c.found(name, col.name, Copy, rows)
		}
	}
}

func (c *checker) identifies(table, column string) bool {
	for _, s := range c.in.System.Subjects {
		for _, id := range s.Identifiers {
			if id.Table == table && id.Column == column && id.Match != datamap.MatchASCIICI {
				return true
			}
		}
	}
	t, ok := c.in.System.Table(table)
	if !ok || t.Match == nil {
		return false
	}
	for _, all := range t.Match.Any {
		if len(all.Columns) == 1 && all.Columns[0].Column == column && all.Columns[0].JSON == "" && c.rule(all.Columns[0]) != datamap.MatchASCIICI {
			return true
		}
	}
	return false
}

func binary(typ string) bool {
	t := strings.ToLower(typ)
	return strings.Contains(t, "bytea") || strings.Contains(t, "blob") || strings.Contains(t, "binary")
}
