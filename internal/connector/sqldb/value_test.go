package sqldb

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/connector/connectortest"
	"github.com/habeas-data/habeas/internal/datamap"
)

func TestStringsAreJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		var back string
		if err := json.Unmarshal(appendString(nil, []byte(s)), &back); err != nil || back != s {
			t.Fatalf("%q became %q (%v)", s, back, err)
		}
	})
	for _, bad := range []string{"\xff", "a\xc3", "\xed\xa0\x80"} {
		if !json.Valid(appendString(nil, []byte(bad))) {
			t.Errorf("%q gives no JSON", bad)
		}
	}
}

func TestTimestamp(t *testing.T) {
	for in, want := range map[string]string{
		"2021-01-01 00:00:00":        "2021-01-01T00:00:00Z",
		"2021-01-01 00:00:00.5+00":   "2021-01-01T00:00:00.5Z",
		"2021-01-01 10:00:00+05:30":  "2021-01-01T10:00:00+05:30",
		"2021-01-01 10:00:00+05":     "2021-01-01T10:00:00+05:00",
		"infinity":                   "infinity",
		"0044-03-15 00:00:00 BC":     "0044-03-15 00:00:00 BC",
		"0000-00-00 00:00:00":        "0000-00-00 00:00:00",
		"2021-01-01T00:00:00.123456": "2021-01-01T00:00:00.123456Z",
	} {
		if got := timestamp(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

// exported gives the values of the only row of the table person, as JSON.
func exported(t *testing.T, f connectortest.Fixture) map[string]string {
	s, err := f.Open(&datamap.System{Name: "t", Kind: f.Kind, Subjects: []datamap.Subject{subject("person", "id")}, Tables: []datamap.Table{personal("person")}})
	must(t, err)
	defer func() { _ = s.Close() }()
	p := connectortest.NewPackage()
	must(t, s.(connector.Collector).Collect(context.Background(), ann(), p))
	if len(p.Rows["person"]) != 1 {
		t.Fatalf("rows %v", p.Rows)
	}
	for c, v := range p.Rows["person"][0] {
		if !json.Valid([]byte(v)) {
			t.Errorf("%s: %s is no JSON", c, v)
		}
	}
	return p.Rows["person"][0]
}

func TestTypesKept(t *testing.T) {
	for name, c := range map[string]struct {
		fixture func(*testing.T) connectortest.Fixture
		setup   []string
		columns [][3]string // name, definition, literal
		want    []string
	}{
		"postgres": {fixture: postgresFixture, setup: []string{"CREATE TYPE mood AS ENUM ('sad', 'ok')", "CREATE DOMAIN small AS integer CHECK (VALUE < 100)"}, columns: [][3]string{
			{"big", "bigint", "9007199254740993"}, {"num", "numeric(10,2)", "8.90"}, {"nan", "numeric", "'NaN'"}, {"f", "double precision", "0.1"}, {"inf", "real", "'-Infinity'"},
			{"b", "boolean", "true"}, {"ts", "timestamp", "'2021-01-02 03:04:05.6'"}, {"tz", "timestamptz", "'2021-01-02 03:04:05+02'"}, {"d", "date", "'2021-01-02'"},
			{"raw", "bytea", `'\x00ff'`}, {"j", "jsonb", `'{"a": [1, 2.50]}'`}, {"arr", "text[]", `ARRAY['a"b', NULL]`}, {"nums", "numeric[]", "ARRAY[1.10, 2]"}, {"m", "money", "20"},
			{"u", "uuid", "'00000000-0000-0000-0000-000000000001'"}, {"e", "mood", "'ok'"}, {"s", "small", "42"}, {"n", "text", "NULL"}, {"never", "timestamptz", "'infinity'"},
		}, want: []string{"9007199254740993", "8.90", `"NaN"`, "0.1", `"-Infinity"`, "true", `"2021-01-02T03:04:05.6Z"`, `"2021-01-02T01:04:05Z"`, `"2021-01-02"`,
			`"AP8="`, `{"a": [1, 2.50]}`, `["a\"b",null]`, "[1.10,2]", `"$20.00"`, `"00000000-0000-0000-0000-000000000001"`, `"ok"`, "42", "null", `"infinity"`}},
		"mysql": {fixture: mysqlFixture, columns: [][3]string{
			{"big", "bigint unsigned", "18446744073709551615"}, {"num", "decimal(10,2)", "8.90"}, {"f", "double", "0.1"}, {"f4", "float", "0.1"}, {"b", "boolean", "true"}, {"bits", "bit(8)", "5"},
			{"ts", "datetime(1)", "'2021-01-02 03:04:05.6'"}, {"d", "date", "'2021-01-02'"}, {"raw", "blob", "x'00ff'"}, {"j", "json", `'{"a": [1, 2.50]}'`}, {"e", "enum('sad','ok')", "'ok'"},
			{"l", "varchar(10) CHARACTER SET latin1", "'é'"}, {"y", "year", "2021"}, {"n", "text", "NULL"},
		}, want: []string{"18446744073709551615", "8.90", "0.1", "0.1", "1", "5", `"2021-01-02T03:04:05.6Z"`, `"2021-01-02"`, `"AP8="`, `{"a": [1, 2.50]}`, `"ok"`, `"é"`, "2021", "null"}},
		"sqlite": {fixture: sqliteFixture, columns: [][3]string{
			{"big", "INTEGER", "9007199254740993"}, {"num", "NUMERIC(10,2)", "8.91"}, {"b", "BOOLEAN", "1"}, {"ts", "DATETIME", "'2021-01-02 03:04:05'"}, {"d", "DATE", "'2021-01-02'"}, {"epoch", "TIMESTAMP", "1600000000"},
			{"raw", "BLOB", "x'00ff'"}, {"j", "JSON", `'{"a": [1, 2.50]}'`}, {"odd", "INTEGER", "'no number'"}, {"bare", "", "'text'"}, {"n", "TEXT", "NULL"},
		}, want: []string{"9007199254740993", "8.91", "true", `"2021-01-02T03:04:05Z"`, `"2021-01-02"`, "1600000000", `"AP8="`, `{"a": [1, 2.50]}`, `"no number"`, `"text"`, "null"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := c.fixture(t)
			execAll(t, f, c.setup...)
			defs, values := []string{"id INTEGER PRIMARY KEY", "email VARCHAR(60)"}, []string{"1", "'ann@x.test'"}
			for _, col := range c.columns {
				defs, values = append(defs, f.Quote(col[0])+" "+col[1]), append(values, col[2])
			}
			execAll(t, f, "CREATE TABLE person ("+strings.Join(defs, ", ")+")", "INSERT INTO person VALUES ("+strings.Join(values, ", ")+")")
			got := exported(t, f)
			for i, col := range c.columns {
				if got[col[0]] != c.want[i] {
					t.Errorf("%s %s: %s, want %s", col[0], col[1], got[col[0]], c.want[i])
				}
			}
		})
	}
}

func TestGeneralize(t *testing.T) {
	for _, c := range [][3]string{
		{"1980-05-05", "", "1980-01-01"}, {"1980-05-05 10:11:12+00", "", "1980-01-01 00:00:00+00"}, {"10115", "", "10"}, {"04103", "", "04"}, {"47", "10", "40"}, {"-3", "10", "-10"}, {"SW1A", "", "SW"},
	} {
		got := generalize(c[0], c[1])
		if got != c[2] {
			t.Errorf("%s: %s, want %s", c[0], got, c[2])
		}
		if again := generalize(got, c[1]); again != got {
			t.Errorf("%s twice: %s", c[0], again)
		}
	}
}

func TestEqualByRule(t *testing.T) {
	for _, c := range []struct {
		rule           datamap.MatchRule
		stored, proven string
		want           bool
	}{
		{datamap.MatchExact, "a@x", "a@X", false}, {datamap.MatchDomainCI, "a@x", "a@X", true}, {datamap.MatchDomainCI, "A@x", "a@x", false},
		{datamap.MatchDomainCI, "a@É", "a@é", false}, {datamap.MatchDomainCI, "a@b@x", "a@B@x", false}, {datamap.MatchASCIICI, "A@x", "a@X", true},
		{datamap.MatchASCIICI, "K", "\u212A", false}, {datamap.MatchExact, "a ", "a", false}, {datamap.MatchDomainCI, "noat", "NOAT", false},
	} {
		if got := equalByRule(c.rule, c.stored, c.proven); got != c.want {
			t.Errorf("%s: %q and %q: %v", c.rule, c.stored, c.proven, got)
		}
	}
}
