package export_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// random draws values that a table may hold; the same seed draws the same.
type random struct{ *rand.Rand }

// text is made of what texts break on. PostgreSQL's have no NUL.
func (r random) text(nul bool) string {
	pieces := []string{"a", " ", "\"", "\\", "'", "\n", "\t", "\x01", "\x7f", "é", "☂", "😀", "\u2028", "\uFFFD", "{", "}", "[", ",", "null", "NULL", "$text", "0", "<b>", "&amp;", "\u202e", "%s", "2021-01-02 03:04:05", "Z"}
	if nul {
		pieces = append(pieces, "\x00")
	}
	var b strings.Builder
	for range r.IntN(6) {
		b.WriteString(pieces[r.IntN(len(pieces))])
	}
	return b.String()
}

func (r random) bytes() []byte {
	b := make([]byte, r.IntN(9))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func (r random) float() float64 {
	switch r.IntN(3) {
	case 0:
		return float64(r.IntN(1000)) / 100
	case 1:
		return float64(r.Int64())
	}
	for {
		if f := math.Float64frombits(r.Uint64()); !math.IsNaN(f) && !math.IsInf(f, 0) {
			return f
		}
	}
}

func (r random) decimal(before, after int) string {
	digits := func(n int) string {
		b := make([]byte, r.IntN(n)+1)
		for i := range b {
			b[i] = byte('0' + r.IntN(10))
		}
		return string(b)
	}
	return []string{"", "-"}[r.IntN(2)] + digits(before) + "." + digits(after)
}

// json is a JSON text, with digits that no float64 holds.
func (r random) json(depth int) string {
	switch n := r.IntN(8); {
	case n < 2 && depth > 0:
		list := make([]string, r.IntN(4))
		for i := range list {
			list[i] = r.json(depth - 1)
		}
		return "[" + strings.Join(list, ", ") + "]"
	case n < 4 && depth > 0:
		list := make([]string, r.IntN(4))
		for i := range list {
			list[i] = quoteJSON(r.text(false)) + ":" + r.json(depth-1)
		}
		return "{" + strings.Join(list, ",") + "}"
	case n == 4:
		return []string{"true", "false", "null"}[r.IntN(3)]
	case n == 5:
		return strconv.FormatUint(r.Uint64(), 10) + "." + strconv.FormatUint(r.Uint64(), 10)
	}
	return quoteJSON(r.text(false))
}

func (r random) moment() string {
	return time.Unix(r.Int64N(4e9)-1e9, r.Int64N(1e6)*1000).UTC().Format("2006-01-02 15:04:05.999999")
}

// any is a value of any storage class of SQLite.
func (r random) any() any {
	switch r.IntN(7) {
	case 0:
		return r.Int64()
	case 1:
		return r.float()
	case 2:
		return r.bytes()
	case 3:
		return r.moment()
	case 4:
		return r.json(2)
	case 5:
		return r.IntN(3)
	}
	return r.text(true)
}

type drawn struct {
	typ  string
	draw func(r random) any
}

// Random values of every kind, through a package and back. HABEAS_SOAK=1 draws fifty times as many.
func TestRoundTripOfRandomValues(t *testing.T) {
	seeds := 1
	if os.Getenv("HABEAS_SOAK") != "" {
		seeds = 50
	}
	lite := []drawn{}
	for _, typ := range []string{"INTEGER", "TEXT", "REAL", "NUMERIC", "BLOB", "", "DATETIME", "DATE", "BOOLEAN", "JSON"} {
		lite = append(lite, drawn{typ, random.any})
	}
	text := func(r random) any { return r.text(false) }
	for name, c := range map[string]struct {
		open    func(*testing.T) engine
		columns []drawn
	}{
		"sqlite": {sqliteEngine, lite},
		"postgres": {postgresEngine, []drawn{{"text", text}, {"varchar(400)", text}, {"bytea", func(r random) any { return r.bytes() }}, {"float8", func(r random) any { return r.float() }},
			{"float4", func(r random) any { return float32(r.NormFloat64() * 1e10) }}, {"numeric", func(r random) any { return r.decimal(40, 30) }}, {"bigint", func(r random) any { return r.Int64() }},
			{"json", func(r random) any { return r.json(3) }}, {"jsonb", func(r random) any { return strings.ReplaceAll(r.json(3), `\u0000`, "") }}, {"timestamp", func(r random) any { return r.moment() }}, {"timestamptz", func(r random) any { return r.moment() + "+02" }},
			{"text[]", func(r random) any {
				list := make([]string, r.IntN(4))
				for i := range list {
					list[i] = r.text(false)
				}
				b, err := json.Marshal(list)
				if err != nil {
					panic(err)
				}
				return pgLiteral(b)
			}},
			{"interval", func(r random) any {
				return fmt.Sprintf("%d mons %d days %d us", r.IntN(1000)-500, r.IntN(1000)-500, r.Int64N(1e13)-5e12)
			}}}},
		"mysql": {mysqlEngine, []drawn{{"varchar(400)", func(r random) any { return r.text(true) }}, {"text", func(r random) any { return r.text(true) }}, {"blob", func(r random) any { return r.bytes() }}, {"double", func(r random) any { return r.float() }},
			{"float", func(r random) any { return float32(r.NormFloat64() * 1e10) }}, {"decimal(60,30)", func(r random) any { return r.decimal(30, 30) }}, {"bigint unsigned", func(r random) any { return r.Uint64() }}, {"bigint", func(r random) any { return r.Int64() }},
			{"json", func(r random) any { return r.json(3) }}, {"datetime(6)", func(r random) any { return r.moment() }}, {"time(6)", func(r random) any {
				return fmt.Sprintf("%d:%02d:%02d.%06d", r.IntN(1676)-838, r.IntN(60), r.IntN(60), r.IntN(1e6))
			}},
			{"varchar(40) CHARACTER SET latin1", func(r random) any { return strings.Repeat("é€ ", r.IntN(4)) }}}},
	} {
		t.Run(name, func(t *testing.T) {
			e := c.open(t)
			defs := []string{"id integer PRIMARY KEY", "person_id integer"}
			for i, col := range c.columns {
				defs = append(defs, fmt.Sprintf("c%d %s", i, col.typ))
			}
			exec(t, e.db, "CREATE TABLE person (id integer PRIMARY KEY, email varchar(60))", "INSERT INTO person VALUES (1, 'ada@example.com')",
				"CREATE TABLE item ("+strings.Join(defs, ", ")+", FOREIGN KEY (person_id) REFERENCES person (id))", "CREATE TABLE copy ("+strings.Join(defs, ", ")+")")
			for seed := range seeds {
				r := random{rand.New(rand.NewPCG(uint64(seed), 1))}
				exec(t, e.db, "DELETE FROM item")
				fill(t, e, r, c.columns)
				rows, names, types := takeOut(t, e)
				if len(rows) != 100 {
					t.Fatalf("%d rows and not 100", len(rows))
				}
				for column, n := range putBack(t, e, rows, names, types) {
					t.Errorf("seed %d, %s (%s): %d values are others after the way through a package", seed, column, types[column], n)
				}
			}
		})
	}
}

func fill(t *testing.T, e engine, r random, columns []drawn) {
	for n := range 100 {
		args, marks := []any{n, 1}, []string{"?", "?"}
		for _, c := range columns {
			var v any
			if r.IntN(10) > 0 {
				v = c.draw(r)
			}
			args, marks = append(args, v), append(marks, "?")
		}
		for i := range marks {
			if e.kind == "postgres" {
				marks[i] = "$" + strconv.Itoa(i+1)
			}
		}
		if _, err := e.db.ExecContext(t.Context(), "INSERT INTO item VALUES ("+strings.Join(marks, ", ")+")", args...); err != nil {
			t.Fatalf("row %d: %v", n, err)
		}
	}
}
