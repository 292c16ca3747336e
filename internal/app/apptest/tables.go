package apptest

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	_ "github.com/go-sql-driver/mysql" // drivers of the tests' own connections
	_ "modernc.org/sqlite"

	"github.com/habeas-data/habeas/internal/dsr"
)

// Product is a product's database for one test.
type Product struct {
	Engine string // sqlite, postgres, mysql
	DSN    string // as a data map writes it
	DB     *sql.DB
}

// Chinook loads the Chinook database into an engine, from the folder TEST_DATABASES. Without that setting the test
// prints one line and ends: the same flow runs on the generated shop.
func Chinook(t testing.TB, engine string) *Product {
	t.Helper()
	dir := os.Getenv("TEST_DATABASES")
	script, err := os.ReadFile(filepath.Join(dir, "chinook", "chinook_"+engine+".sql")) //nolint:gosec // a test's own setting
	if err != nil {
		t.Fatalf("loading Chinook: %v", err)
	}
	switch engine {
	case "sqlite":
		p := OpenSQLite(t, filepath.Join(t.TempDir(), "chinook.sqlite"))
		if _, err := p.DB.ExecContext(context.Background(), string(script)); err != nil {
			t.Fatalf("loading Chinook: %v", err)
		}
		return p
	case "postgres":
		p := &Product{Engine: engine, DSN: NewDatabase(t)}
		load(t, script, "psql", "-q", "-v", "ON_ERROR_STOP=1", p.DSN)
		p.open(t, "pgx", p.DSN)
		return p
	default:
		return chinookMySQL(t, script)
	}
}

func chinookMySQL(t testing.TB, script []byte) *Product {
	admin, err := sql.Open("mysql", env("TEST_MYSQL", "root@tcp(127.0.0.1:3306)/"))
	if err != nil {
		t.Fatal(err)
	}
	name := "habeas_e2e_" + strings.ReplaceAll(dsr.NewID()[19:], "-", "")
	if _, err := admin.ExecContext(context.Background(), "CREATE DATABASE "+name+" CHARACTER SET utf8mb4"); err != nil {
		t.Fatalf("MariaDB is needed at TEST_MYSQL: %v", err)
	}
	t.Cleanup(func() {
		_, _ = admin.ExecContext(context.Background(), "DROP DATABASE "+name)
		_ = admin.Close()
	})
	load(t, script, "mariadb", "-h", "127.0.0.1", "-u", "root", name)
	p := &Product{Engine: "mysql", DSN: "mysql://root@127.0.0.1:3306/" + name}
	p.open(t, "mysql", "root@tcp(127.0.0.1:3306)/"+name)
	return p
}

// OpenSQLite opens a SQLite file as a product's database.
func OpenSQLite(t testing.TB, path string) *Product {
	t.Helper()
	p := &Product{Engine: "sqlite", DSN: path}
	p.open(t, "sqlite", "file:"+path+"?_pragma=busy_timeout(10000)")
	return p
}

func (p *Product) open(t testing.TB, driver, dsn string) {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	p.DB = db
}

func load(t testing.TB, script []byte, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...) //nolint:gosec // ends with its input
	cmd.Stdin = strings.NewReader(string(script))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("loading with %s: %v\n%s", name, err, out)
	}
}

// Snapshot is every row of every table, as text, hashed.
type Snapshot map[string]map[string]int // table → row's hash → how often

// Snapshot reads all tables.
func (p *Product) Snapshot(t testing.TB) Snapshot {
	t.Helper()
	out := Snapshot{}
	for _, table := range p.tables(t) {
		out[table] = map[string]int{}
		for _, row := range p.rows(t, table) {
			sum := sha256.Sum256([]byte(row))
			out[table][hex.EncodeToString(sum[:])]++
		}
	}
	return out
}

func (p *Product) tables(t testing.TB) []string {
	t.Helper()
	query := map[string]string{
		"sqlite":   "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
		"postgres": "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'",
		"mysql":    "SELECT table_name FROM information_schema.tables WHERE table_schema = database() AND table_type = 'BASE TABLE'",
	}[p.Engine]
	rows, err := p.DB.QueryContext(context.Background(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		out = append(out, name)
	}
	sort.Strings(out)
	return out
}

func (p *Product) quote(name string) string {
	if p.Engine == "mysql" {
		return "`" + name + "`"
	}
	return `"` + name + `"`
}

func (p *Product) rows(t testing.TB, table string) []string {
	t.Helper()
	rows, err := p.DB.QueryContext(context.Background(), "SELECT * FROM "+p.quote(table)) //nolint:gosec // a name from the catalog
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	cols, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for rows.Next() {
		cells, ptrs := make([]any, len(cols)), make([]any, len(cols))
		for i := range cells {
			ptrs[i] = &cells[i]
		}
		if err := rows.Scan(ptrs...); err != nil {
			t.Fatal(err)
		}
		for i, c := range cells {
			if b, ok := c.([]byte); ok {
				cells[i] = string(b)
			}
		}
		out = append(out, fmt.Sprintf("%q", cells))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// Rows counts the rows of a table.
func (s Snapshot) Rows(table string) int {
	n := 0
	for _, c := range s[table] {
		n += c
	}
	return n
}

// Gone and New tell, table by table, how many rows of before are not in after, and the other way round. Tables
// without a difference are not listed.
func (s Snapshot) Gone(after Snapshot) map[string]int { return difference(s, after) }

// New tells how many rows of after are not in s.
func (s Snapshot) New(after Snapshot) map[string]int { return difference(after, s) }

func difference(a, b Snapshot) map[string]int {
	out := map[string]int{}
	for table, rows := range a {
		for row, n := range rows {
			if d := n - b[table][row]; d > 0 {
				out[table] += d
			}
		}
	}
	return out
}

// Count asks the database for one number.
func (p *Product) Count(t testing.TB, query string, args ...any) int {
	t.Helper()
	var n int
	if err := p.DB.QueryRowContext(context.Background(), query, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// Digest is one value over all rows of all tables.
func (s Snapshot) Digest() string {
	var lines []string
	for table, rows := range s {
		for row, n := range rows {
			lines = append(lines, fmt.Sprintf("%s %s %d", table, row, n))
		}
	}
	sort.Strings(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return hex.EncodeToString(sum[:])
}
