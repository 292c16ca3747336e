package app

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"strings"

	"github.com/habeas-data/habeas/internal/app/demoshop"
)

// shopDB looks into the sample shop with queries of its own: the demo believes nothing that the program says of it.
type shopDB struct {
	*sql.DB
	columns map[string][]string // by table
	keys    map[string][]int    // places of the primary key's columns, by table
}

func openShop(path string) (*shopDB, error) {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(10000)&_pragma=query_only(1)")
	if err != nil {
		return nil, err
	}
	return &shopDB{DB: db}, nil
}

// rowHashes are the rows of the shop: a hash over all values, by table and key. Keys are written as demoshop.Expect
// writes them.
type rowHashes map[string]map[string][32]byte

// snapshot hashes every row of every table.
func (s *shopDB) snapshot(ctx context.Context) (rowHashes, error) {
	out := rowHashes{}
	for _, table := range demoshop.Tables() {
		rows, err := s.tableHashes(ctx, table)
		if err != nil {
			return nil, fmt.Errorf("reading the shop's %s: %w", table, err)
		}
		out[table] = rows
	}
	return out, nil
}

func (s *shopDB) tableHashes(ctx context.Context, table string) (map[string][32]byte, error) {
	key, err := s.primaryKey(ctx, table)
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(ctx, "SELECT * FROM "+table)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	out := map[string][32]byte{}
	values, into := make([]any, len(names)), make([]any, len(names))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		var all strings.Builder
		byName := map[string]string{}
		for i, v := range values {
			if b, ok := v.([]byte); ok {
				v = string(b)
			}
			_, _ = fmt.Fprintf(&all, "%T:%d:%v;", v, len(fmt.Sprint(v)), v)
			byName[names[i]] = fmt.Sprint(v)
		}
		parts := make([]string, len(key))
		for i, k := range key {
			parts[i] = byName[k]
		}
		out[strings.Join(parts, "|")] = sha256.Sum256([]byte(all.String()))
	}
	return out, rows.Err()
}

// primaryKey gives the columns of a table's key in their order.
func (s *shopDB) primaryKey(ctx context.Context, table string) ([]string, error) {
	return s.texts(ctx, "SELECT name FROM pragma_table_info('"+table+"') WHERE pk > 0 ORDER BY pk")
}

// texts reads the one column of a query.
func (s *shopDB) texts(ctx context.Context, query string, args ...any) ([]string, error) {
	rows, err := s.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var t string
		if err := rows.Scan(&t); err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, rows.Err()
}

// expected gives the keys of all rows of a person, by table: the second opinion, written by hand. Tables without any
// are left out.
func (s *shopDB) expected(ctx context.Context, person string) (map[string]map[string]bool, error) {
	out := map[string]map[string]bool{}
	for table, query := range demoshop.Expect(person) {
		keys, err := s.texts(ctx, query)
		if err != nil {
			return nil, fmt.Errorf("asking for the rows of the person in %s: %w", table, err)
		}
		for _, k := range keys {
			if out[table] == nil {
				out[table] = map[string]bool{}
			}
			out[table][k] = true
		}
	}
	return out, nil
}

// mentions gives the columns of the whole shop in which a text stands, in any capitals: `message.body (2)`.
func (s *shopDB) mentions(ctx context.Context, text string) ([]string, error) {
	var found []string
	for _, table := range demoshop.Tables() {
		columns, err := s.texts(ctx, "SELECT name FROM pragma_table_info('"+table+"')")
		if err != nil {
			return nil, err
		}
		for _, c := range columns {
			var n int
			query := fmt.Sprintf(`SELECT count(*) FROM %s WHERE instr(CAST("%s" AS TEXT), ?) > 0`, table, c)
			if err := s.QueryRowContext(ctx, query, text).Scan(&n); err != nil {
				return nil, err
			}
			if n > 0 {
				found = append(found, fmt.Sprintf("%s.%s (%d)", table, c, n))
			}
		}
	}
	return found, nil
}

// moved compares two looks at the shop, leaving aside the rows of one person: what must be untouched.
func moved(before, after rowHashes, aside map[string]map[string]bool) error {
	for table, rows := range before {
		for key, hash := range rows {
			if aside[table][key] {
				continue
			}
			switch now, there := after[table][key]; {
			case !there:
				return fmt.Errorf("somebody else's row of %s is gone", table)
			case now != hash:
				return fmt.Errorf("somebody else's row of %s was changed", table)
			}
		}
		for key := range after[table] {
			if _, there := rows[key]; !there {
				return fmt.Errorf("a row of %s came from nowhere", table)
			}
		}
	}
	return nil
}

func (r rowHashes) count() (rows int) {
	for _, t := range r {
		rows += len(t)
	}
	return rows
}
