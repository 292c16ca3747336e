package residue

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/habeas-data/habeas/internal/datamap"
)

const (
	defaultTime = 2 * time.Minute
	defaultRows = 5_000_000
)

// search reads every table for the person's addresses, also tables that the map does not know, until the budget ends.
func (c *checker) search(ctx context.Context) error {
	var needles []string
	for _, values := range c.in.Identifiers {
		for _, v := range values {
			// A bare domain or a stray sign would fit half the database.
			if i := strings.LastIndex(v, "@"); i > 0 && i < len(v)-1 {
				needles = append(needles, asciiLower(v))
			}
		}
	}
	slices.Sort(needles)
	needles = slices.Compact(needles)
	if len(needles) == 0 {
		c.skip("", "", "no e-mail address was proven: there is nothing to search for")
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
		read, err := c.searchTable(bounded, t, needles, left)
		left -= read
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return ctx.Err() // the caller's end, not ours
		case bounded.Err() != nil:
			c.skip(c.mapName(t), "", "the time for the search was over")
		default:
			c.skip(c.mapName(t), "", "the table could not be read")
		}
	}
	return nil
}

func (c *checker) searchTable(ctx context.Context, t *table, needles []string, left int64) (read int64, err error) {
	name := c.mapName(t)
	if t.foreign {
		c.skip(name, "", "the table lies in another database")
		return 0, nil
	}
	var columns []field
	for _, col := range t.columns {
		if col.text {
			columns = append(columns, col)
		} else if binary(col.typ) {
			c.skip(name, col.name, "binary values are not searched")
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
	read, err = c.db.rows(ctx, t, left+1)
	if err != nil {
		return 0, err
	}
	whole := read <= left
	if !whole {
		read = left
	}
	hits, err := c.db.search(ctx, t, columns, needles, read)
	if err != nil {
		return read, err
	}
	if whole {
		c.report.Looked++
	} else {
		c.skip(name, "", "the number of rows for the search was reached within the table")
	}
	c.judge(t, name, columns, hits)
	return read, nil
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

// holds tells whether a text holds an address as a whole: `ann@x.org` does not stand in `joann@x.org` nor in
// `ann@x.org.uk`. Both are in lower case.
func holds(text, address string) bool {
	for from := 0; ; {
		i := strings.Index(text[from:], address)
		if i < 0 {
			return false
		}
		start, end := from+i, from+i+len(address)
		before, _ := utf8.DecodeLastRuneInString(text[:start])
		if (start == 0 || !partOfAddress(before)) && endsHere(text[end:]) {
			return true
		}
		from = start + 1
	}
}

func partOfAddress(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune(".!#$&*+/=?^_`|~-", r) && r != utf8.RuneError || r > 127 && r != utf8.RuneError
}

// endsHere tells whether a domain ends before rest: a full stop ends a sentence unless a letter follows it.
func endsHere(rest string) bool {
	if rest == "" {
		return true
	}
	alnum := func(b byte) bool { return b >= 'a' && b <= 'z' || b >= '0' && b <= '9' || b >= utf8.RuneSelf }
	switch {
	case alnum(rest[0]) || rest[0] == '-':
		return false
	case rest[0] == '.' && len(rest) > 1:
		return !alnum(rest[1])
	default:
		return true
	}
}

func binary(typ string) bool {
	t := strings.ToLower(typ)
	return strings.Contains(t, "bytea") || strings.Contains(t, "blob") || strings.Contains(t, "binary")
}
