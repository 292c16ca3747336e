package connectortest

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/datamap"
)

// Fixture is one empty database of an engine and the way to open it as a system.
type Fixture struct {
	Kind            datamap.Kind
	DB              *sql.DB // for the test's own look at the data
	JSON            string  // the engine's type for JSON columns
	AlterForeignKey bool    // whether a foreign key can be added to a table
	Quote           func(string) string
	Open            func(sys *datamap.System) (connector.System, error)
}

// Factory makes a Fixture that ends with the test.
type Factory func(t *testing.T) Fixture

func (f Fixture) load(t *testing.T, statements []string) {
	t.Helper()
	for _, s := range statements {
		if _, err := f.DB.ExecContext(context.Background(), strings.ReplaceAll(s, `"order"`, f.Quote("order"))); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// Twin loads the twin and opens it.
func (f Fixture) twin(t *testing.T) connector.System {
	t.Helper()
	f.load(t, schema(f))
	f.load(t, rows())
	return f.open(t, System(f.Kind))
}

func (f Fixture) open(t *testing.T, sys *datamap.System) connector.System {
	t.Helper()
	s, err := f.Open(sys)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// content is every row of every table: table → key → the whole row as text.
type content map[string]map[string]string

func keyWidth(table string) int {
	if table == "order_line" || table == "membership" {
		return 2
	}
	return 1
}

func (f Fixture) content(t *testing.T) content {
	t.Helper()
	out := content{}
	for _, e := range System(f.Kind).Tables {
		out[e.Name] = map[string]string{}
		rows, err := f.DB.QueryContext(context.Background(), "SELECT * FROM "+f.Quote(e.Name))
		if err != nil {
			t.Fatal(err)
		}
		cols, _ := rows.Columns()
		for rows.Next() {
			v, dest := make([]sql.NullString, len(cols)), make([]any, len(cols))
			for i := range v {
				dest[i] = &v[i]
			}
			if err := rows.Scan(dest...); err != nil {
				t.Fatal(err)
			}
			parts := make([]string, len(v))
			for i := range v {
				parts[i] = fmt.Sprintf("%v:%s", v[i].Valid, v[i].String)
			}
			key := make([]string, keyWidth(e.Name))
			for i := range key {
				key[i] = v[i].String
			}
			out[e.Name][strings.Join(key, "|")] = strings.Join(parts, " ")
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		_ = rows.Close()
	}
	return out
}

// diff lists what differs: `table/key gone`, `table/key changed`, `table/key new`.
func diff(before, after content) []string {
	var out []string
	for table, rows := range before {
		for key, row := range rows {
			now, ok := after[table][key]
			switch {
			case !ok:
				out = append(out, table+"/"+key+" gone")
			case now != row:
				out = append(out, table+"/"+key+" changed")
			}
		}
		for key := range after[table] {
			if _, ok := rows[key]; !ok {
				out = append(out, table+"/"+key+" new")
			}
		}
	}
	slices.Sort(out)
	return out
}

// Package is a sink that keeps what it got.
type Package struct {
	Keys    map[string][]string            // table → keys, joined with |
	Rows    map[string][]map[string]string // table → rows, column → JSON; columns not shown are absent
	Heads   map[string]connector.Collection
	Left    map[string]int64
	current string
}

// NewPackage makes an empty Package.
func NewPackage() *Package {
	return &Package{Keys: map[string][]string{}, Rows: map[string][]map[string]string{}, Heads: map[string]connector.Collection{}, Left: map[string]int64{}}
}

// Begin implements connector.Sink.
func (p *Package) Begin(c connector.Collection) error {
	p.current, p.Heads[c.Table] = c.Table, c
	return nil
}

// Row implements connector.Sink.
func (p *Package) Row(key connector.Key, values [][]byte) error {
	p.Keys[p.current] = append(p.Keys[p.current], strings.Join(key, "|"))
	row := map[string]string{}
	for i, v := range values {
		if v != nil {
			row[p.Heads[p.current].Columns[i].Name] = string(v)
		}
	}
	p.Rows[p.current] = append(p.Rows[p.current], row)
	return nil
}

// End implements connector.Sink.
func (p *Package) End() error { return nil }

// Hidden implements connector.Sink.
func (p *Package) Hidden(table string, rows int64, _ string) error {
	p.Left[table] += rows
	return nil
}
