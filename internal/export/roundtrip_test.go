package export_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/connector/sqldb"
	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/export"
)

// engine is a database of a test's own, and how values of a package go back into it.
type engine struct {
	kind datamap.Kind
	db   *sql.DB
	dsn  string
	// place is the expression that takes a value, and the argument for it.
	place func(column, typ string, v json.RawMessage) (string, any)
	// same is the condition that two rows' columns are the same value.
	same func(a, b, column, typ string) string
}

func env(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

func open(t *testing.T, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func exec(t testing.TB, db *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%v\n%s", err, s)
		}
	}
}

func postgresEngine(t *testing.T) engine {
	admin := env("TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable")
	root := open(t, "pgx", admin)
	name := fmt.Sprintf("habeas_export_%d_%d", os.Getpid(), time.Now().UnixNano())
	exec(t, root, "CREATE DATABASE "+name)
	t.Cleanup(func() { _, _ = root.ExecContext(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)") })
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return engine{kind: datamap.KindPostgres, db: open(t, "pgx", u.String()), dsn: u.String(), place: pgPlace,
		same: func(a, b, c, typ string) string {
			return fmt.Sprintf("%s.%s::text IS NOT DISTINCT FROM %s.%s::text", a, c, b, c)
		}}
}

func mysqlEngine(t *testing.T) engine {
	cfg, err := mysql.ParseDSN(env("TEST_MYSQL", "root@tcp(127.0.0.1:3306)/"))
	if err != nil {
		t.Fatal(err)
	}
	root := open(t, "mysql", cfg.FormatDSN())
	name := fmt.Sprintf("habeas_export_%d_%d", os.Getpid(), time.Now().UnixNano())
	exec(t, root, "CREATE DATABASE "+name+" CHARACTER SET utf8mb4")
	t.Cleanup(func() { _, _ = root.ExecContext(context.Background(), "DROP DATABASE "+name) })
	cfg.DBName, cfg.Params = name, map[string]string{"sql_mode": "''", "time_zone": "'+00:00'", "charset": "utf8mb4"}
	dsn := (&url.URL{Scheme: "mysql", User: url.UserPassword(cfg.User, cfg.Passwd), Host: cfg.Addr, Path: "/" + name}).String()
	return engine{kind: datamap.KindMySQL, db: open(t, "mysql", cfg.FormatDSN()), dsn: dsn, place: mysqlPlace, same: func(a, b, c, typ string) string {
		if strings.HasPrefix(typ, "float") || strings.HasPrefix(typ, "double") {
			return fmt.Sprintf("%s.`%s` <=> %s.`%s`", a, c, b, c)
		}
		return fmt.Sprintf("HEX(CAST(%s.`%s` AS BINARY)) <=> HEX(CAST(%s.`%s` AS BINARY))", a, c, b, c)
	}}
}

func sqliteEngine(t *testing.T) engine {
	path := filepath.Join(t.TempDir(), "source.db")
	db := open(t, "sqlite", "file:"+path)
	db.SetMaxOpenConns(1)
	return engine{kind: datamap.KindSQLite, db: db, dsn: path, place: sqlitePlace, same: func(a, b, c, _ string) string {
		return fmt.Sprintf(`typeof(%s.%q) = typeof(%s.%q) AND %s.%q IS %s.%q AND hex(%s.%q) = hex(%s.%q)`, a, c, b, c, a, c, b, c, a, c, b, c)
	}}
}

// tagOf reads a value that is an object with a tag.
func tagOf(v json.RawMessage) (tag, content string) {
	var object map[string]json.RawMessage
	if len(v) == 0 || v[0] != '{' || json.Unmarshal(v, &object) != nil || len(object) != 1 {
		return "", ""
	}
	for k, c := range object {
		if strings.HasPrefix(k, "$") && json.Unmarshal(c, &content) == nil {
			return k, content
		}
	}
	return "", ""
}

func unquote(v json.RawMessage) string {
	var s string
	if json.Unmarshal(v, &s) == nil && v[0] == '"' {
		return s
	}
	return string(v)
}

func decode(s string) []byte {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		panic("not base64: " + s)
	}
	return b
}

func pgPlace(_, typ string, v json.RawMessage) (string, any) {
	if string(v) == "null" {
		return "%s", nil
	}
	if tag, content := tagOf(v); tag != "" {
		return "%s::text::" + typ, content
	}
	switch {
	case typ == "bytea":
		return "%s::bytea", decode(unquote(v))
	case typ == "json" || typ == "jsonb":
		return "%s::text::" + typ, string(v)
	case strings.HasSuffix(typ, "[]"):
		return "%s::text::" + typ, pgLiteral(v)
	}
	return "%s::text::" + typ, unquote(v)
}

// pgLiteral writes a JSON array as PostgreSQL's text of an array.
func pgLiteral(v json.RawMessage) string {
	switch v[0] {
	case '[':
		var list []json.RawMessage
		if err := json.Unmarshal(v, &list); err != nil {
			panic(err)
		}
		parts := make([]string, len(list))
		for i, e := range list {
			parts[i] = pgLiteral(e)
		}
		return "{" + strings.Join(parts, ",") + "}"
	case '"':
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(unquote(v)) + `"`
	}
	return string(v) // a number, a boolean, null
}

func mysqlPlace(_, typ string, v json.RawMessage) (string, any) {
	if string(v) == "null" {
		return "%s", nil
	}
	if tag, content := tagOf(v); tag == connector.TagTextBytes {
		return "%s", decode(content)
	} else if tag != "" {
		return "%s", content
	}
	kind, _, _ := strings.Cut(typ, "(")
	switch {
	case strings.HasSuffix(kind, "binary"), strings.HasSuffix(kind, "blob"):
		return "%s", decode(unquote(v))
	case slices.Contains([]string{"geometry", "point", "linestring", "polygon", "multipolygon", "geometrycollection"}, kind):
		raw := decode(unquote(v)) // the reference system's number, then well-known binary
		return "ST_GeomFromWKB(UNHEX(%s), " + strconv.Itoa(int(raw[0])|int(raw[1])<<8|int(raw[2])<<16) + ")", hex.EncodeToString(raw[4:])
	case kind == "json":
		return "%s", string(v)
	case kind == "bit" || kind == "year":
		n, err := strconv.ParseUint(string(v), 10, 64)
		if err != nil {
			panic(err)
		}
		return "%s", n
	case kind == "datetime" || kind == "timestamp":
		return "%s", strings.TrimSuffix(strings.Replace(unquote(v), "T", " ", 1), "Z")
	}
	return "%s", unquote(v)
}

func sqlitePlace(_, typ string, v json.RawMessage) (string, any) {
	tag, content := tagOf(v)
	switch {
	case string(v) == "null":
		return "%s", nil
	case tag == connector.TagBytes:
		return "%s", decode(content)
	case tag == connector.TagTextBytes:
		return "CAST(%s AS TEXT)", decode(content)
	case tag == connector.TagReal:
		return map[string]string{"+Inf": "9e999 + 0 * coalesce(%s, 0)", "-Inf": "-9e999 + 0 * coalesce(%s, 0)"}[content], nil
	case tag == connector.TagText, tag == connector.TagJSON:
		return "%s", content
	case strings.HasPrefix(typ, "JSON") && strings.ContainsAny(string(v[:1]), `{["tf`):
		return "%s", string(v)
	case v[0] == '"' && strings.Contains(typ, "BLOB"):
		return "%s", decode(unquote(v))
	case v[0] == '"' && (typ == "DATETIME" || strings.HasPrefix(typ, "TIMESTAMP")):
		return "%s", liteTime(unquote(v))
	case v[0] == '"':
		return "%s", unquote(v)
	case string(v) == "true":
		return "%s", 1
	case string(v) == "false":
		return "%s", 0
	}
	if n, err := strconv.ParseInt(string(v), 10, 64); err == nil {
		return "%s", n
	}
	f, err := strconv.ParseFloat(string(v), 64)
	if err != nil {
		panic(err)
	}
	return "%s", f
}

func liteTime(s string) string {
	if len(s) < 20 || s[10] != 'T' {
		return s
	}
	if at, ok := strings.CutSuffix(s, "Z"); ok {
		return at[:10] + " " + at[11:]
	}
	if at, ok := strings.CutSuffix(s, "+00:00"); ok {
		return at + "Z"
	}
	return s
}

const roundTripMap = `
tenant: demo
systems:
  shop:
    kind: KIND
    dsn: DSN
    subjects:
      person: {table: person, key: [id], identifiers: {email: {column: email}}}
    tables:
      person: {category: account, erase: delete}
      item: {category: orders, owner: person, erase: delete}
`

// takeOut makes a package of the person, checks it, and gives its rows of the table item and the types of the columns.
func takeOut(t testing.TB, e engine) (rows []map[string]json.RawMessage, columns []string, types map[string]string) {
	t.Helper()
	m, problems := datamap.Parse("datamap.yaml", []byte(strings.NewReplacer("KIND", string(e.kind), "DSN", "'"+e.dsn+"'").Replace(roundTripMap)))
	if m == nil {
		t.Fatal(problems)
	}
	sys, err := sqldb.Open(t.Context(), &m.Systems[0], func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sys.Close() }()
	scope := connector.Scope{Identifiers: map[string][]string{"email": {"ada@example.com"}}}
	meta, want := testMeta("en"), expect(nil)
	meta.Map, meta.Withheld = m, nil
	found, err := sys.Locate(t.Context(), scope, nil, hash)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found.Tables {
		for _, g := range f.Groups {
			want.Collections = append(want.Collections, export.ExpectCollection{System: "shop", Table: f.Table, Rows: g.Rows, Keys: g.Digest})
		}
	}
	var b bytes.Buffer
	w := export.NewWriter(&b, meta)
	defer w.Discard()
	if err := sys.Collect(t.Context(), scope, w.System("shop")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := export.Verify(bytes.NewReader(b.Bytes()), want); err != nil {
		t.Fatal(err)
	}
	files := unpack(t, b.Bytes())
	if err := json.Unmarshal([]byte(files["data/shop/item.json"]), &rows); err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Items struct {
			Properties map[string]struct {
				Description string `json:"description"`
			} `json:"properties"`
			Required []string `json:"required"`
		} `json:"items"`
	}
	if err := json.Unmarshal([]byte(files["schema/shop/item.schema.json"]), &schema); err != nil {
		t.Fatal(err)
	}
	types = map[string]string{}
	for name, p := range schema.Items.Properties {
		types[name] = p.Description
	}
	return rows, schema.Items.Required, types
}

// putBack writes rows of a package into the table copy, and gives the columns in which the database finds a difference
// to the table item, with their number.
func putBack(t testing.TB, e engine, rows []map[string]json.RawMessage, columns []string, types map[string]string) map[string]int {
	t.Helper()
	exec(t, e.db, "DELETE FROM copy")
	for _, row := range rows {
		var names, places []string
		var args []any
		for _, c := range columns {
			place, arg := e.place(c, types[c], row[c])
			mark := "?"
			if e.kind == datamap.KindPostgres {
				mark = "$" + strconv.Itoa(len(args)+1)
			}
			names, places, args = append(names, c), append(places, fmt.Sprintf(place, mark)), append(args, arg)
		}
		if _, err := e.db.ExecContext(t.Context(), "INSERT INTO copy ("+strings.Join(names, ", ")+") VALUES ("+strings.Join(places, ", ")+")", args...); err != nil {
			t.Fatalf("row %s: %v", row["id"], err)
		}
	}
	differ := map[string]int{}
	for _, c := range columns {
		var n, all int
		q := "SELECT COALESCE(SUM(CASE WHEN " + e.same("a", "b", c, types[c]) + " THEN 0 ELSE 1 END), 0), COUNT(*) FROM item a JOIN copy b ON a.id = b.id"
		if err := e.db.QueryRowContext(t.Context(), q).Scan(&n, &all); err != nil {
			t.Fatal(c, err)
		}
		if n > 0 {
			differ[c] = n
		}
		if all != len(rows) {
			differ["rows"] = all - len(rows)
		}
	}
	return differ
}

// tryColumns makes a table with a column for each type, whose rows hold the values, brings it into a package and back.
func tryColumns(t *testing.T, e engine, setup []string, columns [][]string) (rows []map[string]json.RawMessage, names []string, types map[string]string) {
	exec(t, e.db, setup...)
	defs := []string{"id integer PRIMARY KEY", "person_id integer REFERENCES person (id)"}
	most := 0
	for i, c := range columns {
		defs, most = append(defs, fmt.Sprintf("c%d %s", i, c[0])), max(most, len(c)-1)
	}
	exec(t, e.db, "CREATE TABLE person (id integer PRIMARY KEY, email varchar(60))", "INSERT INTO person VALUES (1, 'ada@example.com'), (2, 'bob@example.com')",
		"CREATE TABLE item ("+strings.Join(defs, ", ")+")", "CREATE TABLE copy ("+strings.Join(defs, ", ")+")")
	for n := range most {
		values := []string{strconv.Itoa(n), "1"}
		for _, c := range columns {
			v := "NULL"
			if n+1 < len(c) {
				v = c[n+1]
			}
			values = append(values, v)
		}
		exec(t, e.db, "INSERT INTO item VALUES ("+strings.Join(values, ", ")+")")
	}
	rows, names, types = takeOut(t, e)
	if len(rows) != most {
		t.Fatalf("%d rows and not %d", len(rows), most)
	}
	for c, n := range putBack(t, e, rows, names, types) {
		t.Errorf("%s (%s): %d values are others after the way through a package", c, types[c], n)
		for _, r := range rows {
			t.Logf("  %s: %s", c, r[c])
		}
	}
	return rows, names, types
}

// Every type, with values at its ends, through a package and back: the database itself compares.
func TestRoundTripPostgres(t *testing.T) {
	e := postgresEngine(t)
	var have bool
	if err := e.db.QueryRowContext(t.Context(), "SELECT count(*) = 2 FROM pg_available_extensions WHERE name IN ('hstore', 'citext')").Scan(&have); err != nil {
		t.Fatal(err)
	}
	setup := []string{"CREATE TYPE mood AS ENUM ('sad', 'o''k', 'ä b')", "CREATE DOMAIN small AS integer CHECK (VALUE < 100)", "CREATE DOMAIN tags AS text[]",
		"CREATE TYPE address AS (street text, zip char(5), at point, more int[])", "CREATE TYPE span AS RANGE (subtype = float8)"}
	columns := [][]string{
		{"numeric(38,18)", "12345678901234567890.123456789012345678", "-0.000000000000000001", "0"},
		{"numeric", "1e300", "'NaN'", "'Infinity'", "'-Infinity'", "1.10", "0.000000000000000000000000000000000001"},
		{"bigint", "9223372036854775807", "-9223372036854775808", "9007199254740993"},
		{"smallint", "-32768"}, {"oid", "4294967295"},
		{"double precision", "0.1", "'NaN'", "'-Infinity'", "5e-324", "1.7976931348623157e308", "'-0'", "1e21"},
		{"real", "0.1", "16777217", "'Infinity'", "1e-45", "3.4028235e38"},
		{"boolean", "true", "false"},
		{"timestamp", "'2021-01-02 03:04:05.678901'", "'infinity'", "'-infinity'", "'0044-03-15 12:00:00 BC'", "'294276-12-31 23:59:59.999999'", "'0001-01-01'"},
		{"timestamptz", "'2021-01-02 03:04:05.6+02'", "'infinity'", "'0044-03-15 12:00:00+00 BC'", "'1883-11-18 12:03:58-04:56:02'"},
		{"timestamp(0)", "'2021-01-02 03:04:05'"},
		{"date", "'2021-01-02'", "'infinity'", "'-infinity'", "'0044-03-15 BC'", "'5874897-12-31'"},
		{"time", "'24:00:00'", "'00:00:00.000001'"}, {"timetz", "'03:04:05.6+05:30'", "'24:00:00-15:59:59'"},
		{"interval", "'1 year -2 months 3 days -04:05:06.789'", "'-178000000 years'", "'0'", "'1 mon -1 day +00:00:01'"},
		{"bytea", `'\x00ff'`, "''", `'\\x41'`},
		{"text", "''", `E'a"b\\c\n\t\u0001\u007f\u2028'`, "'</script>'", "' null '", "'null'", `'{"$text":"x"}'`, "U&'\\+01F600'"},
		{"char(5)", "'ab'", "''", "'a b c'"}, {"varchar(10)", "'ab  '"}, {`"char"`, "'x'", "''"}, {"name", "'pg_x'"},
		{"json", `'{"a": 1, "a": 12345678901234567890.10, "b" : [1.0, 1e400]}'`, "'null'", "' {} '", `'{"$json": 1}'`, `'{"\u0024text": "x"}'`, "'5'", `'"5"'`, `'"\ud800"'`, "E'[1,\\n2]'", "'true'"},
		{"jsonb", `'{"a": 12345678901234567890.10, "b": [null, {"c": "\"☃"}]}'`, "'null'", `'{"$array": "x"}'`, `'"null"'`, "'[]'"},
		{"text[]", `ARRAY['a"b', NULL, 'NULL', '', E'\\', '{}', ' x ', 'a,b']`, "'{}'", "'{{a,b},{c,d}}'", "'[0:1]={a,b}'", "'[2:2][-1:0]={{a,b}}'", "'{{{x}}}'"},
		{"int[]", "'{1,NULL,-3}'", "'[5:6]={1,2}'"}, {"numeric(20,2)[]", "'{1.10,NaN,12345678901234567.89}'"}, {"boolean[]", "'{t,f,NULL}'"},
		{"float8[]", "'{0.1,NaN,-Infinity,1e-300}'"}, {"timestamptz[]", "'{2021-01-02 03:04:05+02,infinity,0044-03-15 12:00:00+00 BC}'"}, {"timestamp[]", "'{2021-01-02 03:04:05.6,-infinity}'"},
		{"date[]", "'{2021-01-02,infinity}'"}, {"bytea[]", `ARRAY['\x00ff'::bytea, NULL]`}, {"mood[]", `'{sad,"o''k",NULL}'`}, {"json[]", `ARRAY['null'::json, NULL, '[1]', ' {} ']`},
		{"jsonb[]", `ARRAY['null'::jsonb, NULL, '[[1]]']`}, {"address[]", `ARRAY[ROW('a "b", c', 'x', '(1,2)', '{1,NULL}')::address, NULL, ROW(NULL, NULL, NULL, NULL)::address]`},
		{"int4range[]", "ARRAY['[1,5)'::int4range, 'empty', NULL]"}, {"inet[]", "'{10.0.0.1,::1/64}'"}, {"interval[]", "'{1 day,-1 mon}'"}, {"money[]", "'{1.50}'"}, {"point[]", "ARRAY['(1,2)'::point]"},
		{"char(3)[]", "'{a,bc}'"}, {"bit(3)[]", "'{101}'"}, {"uuid[]", "'{00000000-0000-0000-0000-000000000001}'"}, {"xml[]", "ARRAY['<a b=\"c\"/>'::xml]"},
		{"mood", "'sad'", "'o''k'", "'ä b'"}, {"small", "42", "-1"}, {"tags", "'{a,NULL}'"}, {"address", `ROW('a "b", c', 'x', '(1,2)', '{1,NULL}')`, "ROW(NULL, NULL, NULL, NULL)", "ROW('', '', NULL, '{}')"},
		{"int4range", "'[1,5)'", "'empty'", "'(,)'", "'[,5)'"}, {"numrange", "'(1.10,2.200]'"}, {"tstzrange", "'[2021-01-01 00:00:00+02,infinity)'"}, {"daterange", "'[2021-01-01,)'"}, {"span", "'[0.1,2)'"},
		{"int4multirange", "'{[1,2),[5,9)}'", "'{}'"}, {"datemultirange", "'{[2021-01-01,2021-02-01)}'"},
		{"inet", "'10.0.0.1'", "'10.0.0.1/8'", "'::1'", "'2001:db8::/32'"}, {"cidr", "'10.0.0.0/8'", "'2001:db8::/32'"}, {"macaddr", "'08:00:2b:01:02:03'"}, {"macaddr8", "'08:00:2b:01:02:03:04:05'"},
		{"money", "1234.56", "-0.01"}, {"bit(5)", "B'10101'"}, {"bit varying", "B''", "B'0001'"}, {"uuid", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'"},
		{"xml", "'<a>1 &lt; 2</a>'", "'text'"}, {"tsvector", "'a:1A b''c:2'"}, {"tsquery", "'a & !b'"}, {"pg_lsn", "'16/B374D848'"}, {"jsonpath", "'$.a[*]'"},
		{"point", "'(0.1,-1e300)'"}, {"line", "'{1,2,3}'"}, {"lseg", "'[(0,0),(1,1)]'"}, {"box", "'(1,1),(0,0)'"}, {"path", "'[(0,0),(1,1)]'", "'((0,0),(1,1))'"}, {"polygon", "'((0,0),(1,1),(1,0))'"}, {"circle", "'<(0,0),0.1>'"},
	}
	if have {
		setup = append([]string{"CREATE EXTENSION hstore", "CREATE EXTENSION citext"}, setup...)
		columns = append(columns, [][]string{{"hstore", `'a=>1, "b \"c"=>NULL'`, "''"}, {"citext", "'AbC'"}, {"hstore[]", `ARRAY['a=>NULL'::hstore]`}, {"citext[]", "'{A,b}'"}}...)
	}
	rows, _, _ := tryColumns(t, e, setup, columns)
	for c, want := range map[string]string{"c0": `12345678901234567890.123456789012345678`, "c2": `9223372036854775807`, "c8": `"2021-01-02T03:04:05.678901Z"`, "c9": `"2021-01-02T01:04:05.6Z"`, "c15": `"AP8="`} {
		if string(rows[0][c]) != want {
			t.Errorf("%s is %s and not %s", c, rows[0][c], want)
		}
	}
}

func TestRoundTripMySQL(t *testing.T) {
	e := mysqlEngine(t)
	columns := [][]string{
		{"bigint unsigned", "18446744073709551615", "0"}, {"bigint", "-9223372036854775808"}, {"int(5) zerofill", "42"}, {"tinyint(1)", "1", "-128"}, {"decimal(65,30)", "12345678901234567890123456789012345.123456789012345678901234567890", "-0.000000000000000000000000000001"},
		{"float", "0.1", "16777217", "1e-38", "3.4028235e38", "123456.789"}, {"float(7,4)", "999.00009"}, {"double", "0.1", "5e-324", "1.7976931348623157e308", "-0e0", "1e21"}, {"double(10,3)", "1234.5678"},
		{"datetime", "'0000-00-00 00:00:00'", "'2021-00-00 00:00:00'", "'9999-12-31 23:59:59'"}, {"datetime(6)", "'2021-01-02 03:04:05.678901'", "'0000-00-00'"}, {"timestamp(6) NULL", "'2021-01-02 03:04:05.678901'", "'0000-00-00 00:00:00'"},
		{"date", "'0000-00-00'", "'2021-02-00'", "'2021-01-02'"}, {"time", "'838:59:59'", "'-838:59:59'", "'00:00:00'"}, {"time(6)", "'-00:00:00.000001'", "'100:00:00.5'"}, {"year", "2021", "0", "1901"},
		{"bit(8)", "5", "255"}, {"bit(64)", "18446744073709551615"}, {"bit(1)", "1"},
		{"enum('sad','o''k','')", "'sad'", "'o''k'", "''"}, {"set('a','b','c d')", "'a,c d'", "''"},
		{"json", `'{"a": 1, "a": 12345678901234567890.10}'`, "'null'", "' {} '", `'{"$json": 1}'`, "'[1e400]'", `'"x"'`, "'5'"},
		{"varchar(20)", "''", `'a"b\\c\n\0'`, "'ab  '", "'null'"}, {"char(5)", "'ab'"}, {"varchar(10) CHARACTER SET latin1", "'é€'"}, {"varchar(10) CHARACTER SET utf16", "'é😀'"}, {"longtext", "'{\"$text\":1}'"}, {"text COLLATE utf8mb4_bin", "'😀'"},
		{"binary(4)", "x'00ff'", "''"}, {"varbinary(4)", "x'00ff'", "''"}, {"blob", "x'fffe00'"}, {"tinyblob", "''"},
		{"geometry", "ST_GeomFromText('POINT(1 2)', 4326)", "ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(0 0,1 1))')"}, {"point", "ST_GeomFromText('POINT(0.1 -1e300)')"}, {"polygon", "ST_GeomFromText('POLYGON((0 0,1 1,1 0,0 0))')"}, {"linestring", "ST_GeomFromText('LINESTRING(0 0,1 1)')"}, {"multipolygon", "ST_GeomFromText('MULTIPOLYGON(((0 0,1 1,1 0,0 0)))')"},
	}
	var version string
	if err := e.db.QueryRowContext(t.Context(), "SELECT VERSION()").Scan(&version); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(version, "MariaDB") {
		columns = append(columns, [][]string{{"uuid", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'"}, {"inet6", "'::1'", "'2001:db8::ff'"}, {"inet4", "'10.0.0.1'"}}...)
	}
	e.db.SetMaxOpenConns(2)
	rows, _, _ := tryColumns(t, e, nil, columns)
	for c, want := range map[string]string{"c0": `18446744073709551615`, "c5": `0.1`, "c9": `"0000-00-00 00:00:00"`, "c13": `"838:59:59"`, "c10": `"2021-01-02T03:04:05.678901Z"`} {
		if string(rows[0][c]) != want {
			t.Errorf("%s is %s and not %s", c, rows[0][c], want)
		}
	}
}

// SQLite takes any value in any column.
func TestRoundTripSQLite(t *testing.T) {
	anything := []string{"9223372036854775807", "-9223372036854775808", "0", "1", "2", "0.1", "1.0", "-0.0", "1e21", "1e-7", "5e-324", "1.7976931348623157e308", "9e999", "-9e999", "'x'", "''", "'5'", "'5.0'", "' 5 '", "'1e400'", "'NaN'", "'Infinity'",
		"'+Inf'", "'true'", "'null'", "'{}'", "' {} '", `'{"$text":"x"}'`, `'{"$base64":"eA=="}'`, "'[1, 2.50]'", `'"q"'`, "x'00ff'", "x''", "x'35'", "CAST(x'ff00fe' AS TEXT)", "CAST(x'6100ff' AS TEXT)", "'a' || char(0) || 'b'", "'eA=='",
		"'2021-01-02 03:04:05'", "'2021-01-02 03:04:05.678'", "'2021-01-02T03:04:05Z'", "'2021-01-02T03:04:05.678Z'", "'2021-01-02T03:04:05+00:00'", "'2021-01-02 03:04:05+00:00'", "'2021-01-02T03:04:05'", "'2021-01-02 03:04:05Z'", "'2021-01-02T03:04:05+02:00'",
		"'2021-01-02 03:04:05.'", "'2021-01-02 25:99:99'", "'0000-00-00 00:00:00'", "'2021-01-02'", "2459216.5", "1609556645", "'😀'", "char(0x2028)"}
	var columns [][]string
	for _, typ := range []string{"INTEGER", "TEXT", "REAL", "NUMERIC", "BLOB", "", "DATETIME", "TIMESTAMP", "DATE", "BOOLEAN", "JSON", "JSONB", "VARCHAR(3)", "DECIMAL(10,2)", "UNHEARD OF", "MEDIUMBLOB"} {
		columns = append(columns, append([]string{typ}, anything...))
	}
	e := sqliteEngine(t)
	rows, _, _ := tryColumns(t, e, nil, columns)
	for _, c := range []struct {
		row    int
		column string
		want   string
	}{{0, "c0", "9223372036854775807"}, {38, "c6", `"2021-01-02T03:04:05Z"`}, {31, "c1", `{"$base64":"AP8="}`}, {31, "c4", `"AP8="`}} {
		if got := string(rows[c.row][c.column]); got != c.want {
			t.Errorf("%s of row %d is %s and not %s", c.column, c.row, got, c.want)
		}
	}
}
