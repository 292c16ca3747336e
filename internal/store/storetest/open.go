package storetest

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the owner's own connection
	_ "modernc.org/sqlite"             // the same

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/seal"
	"github.com/habeas-data/habeas/internal/store"
)

// Tenant is the tenant that New makes.
const Tenant = dsr.TenantID("acme")

// Clock is a clock that stands still until it is moved. It begins on Sunday, 22 November 2026, 09:00:00.123456 UTC.
type Clock struct {
	mu sync.Mutex
	t  time.Time
}

// NewClock makes one.
func NewClock() *Clock {
	return &Clock{t: time.Date(2026, 11, 22, 9, 0, 0, 123456000, time.UTC)}
}

// Now gives the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

// Move moves the clock.
func (c *Clock) Move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// Database is an open store with what a test needs beside it.
type Database struct {
	*store.Store
	Clock *Clock
	// Owner is a connection that may do what the store may not: it sees all tables and makes triggers.
	Owner *sql.DB
	URL   string // PostgreSQL: of the restricted role
	Dir   string // SQLite: the data directory
}

// New gives an empty migrated SQLite database with the tenant Tenant. It is gone after the test.
func New(t testing.TB) *Database {
	t.Helper()
	db := SQLite(t)
	if _, err := db.CreateTenant(t.Context(), Tenant); err != nil {
		t.Fatal(err)
	}
	return db
}

// SQLite gives an empty migrated SQLite database.
func SQLite(t testing.TB) *Database {
	t.Helper()
	db := &Database{Clock: NewClock(), Dir: t.TempDir()}
	if _, err := store.Migrate(t.Context(), store.MigrateOptions{DataDir: db.Dir}); err != nil {
		t.Fatal(err)
	}
	db.open(t, store.Options{DataDir: db.Dir})
	db.Owner = openOwner(t, "sqlite", "file:"+filepath.Join(db.Dir, "habeas.db")+"?_pragma=busy_timeout(5000)")
	return db
}

func (db *Database) open(t testing.TB, o store.Options) {
	t.Helper()
	o.Now = db.Clock.Now
	var err error
	if o.Master, err = seal.OpenKeyFile(filepath.Join(t.TempDir(), "master.key")); err != nil {
		t.Fatal(err)
	}
	if db.Store, err = store.Open(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("closing the store: %v", err)
		}
	})
}

func openOwner(t testing.TB, driver, dsn string) *sql.DB {
	t.Helper()
	owner, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = owner.Close() })
	return owner
}

// Connect gives a plain connection pool to a PostgreSQL database.
func Connect(t testing.TB, address string) *sql.DB {
	t.Helper()
	return openOwner(t, "pgx", address)
}

// Server is a PostgreSQL server with a migrated template, of which each test gets a copy of its own. The server is
// named by TEST_POSTGRES, by default a local one with the user postgres.
type Server struct {
	url      *url.URL
	admin    *sql.DB
	template string
}

// NewServer connects and makes the template. It goes with the test.
func NewServer(t testing.TB) *Server {
	t.Helper()
	address := os.Getenv("TEST_POSTGRES")
	if address == "" {
		address = "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable"
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{url: u, admin: openOwner(t, "pgx", address), template: uniqueName("tpl")}
	s.Exec(t, "CREATE DATABASE "+s.template)
	t.Cleanup(func() { s.drop(t, s.template) })
	if _, err := store.Migrate(t.Context(), store.MigrateOptions{URL: s.OwnerURL(s.template)}); err != nil {
		t.Fatal(err)
	}
	return s
}

func uniqueName(kind string) string {
	return "habeas_" + kind + "_" + strings.ReplaceAll(dsr.NewID(), "-", "")[8:30]
}

// Exec runs a statement as the server's owner.
func (s *Server) Exec(t testing.TB, query string) {
	t.Helper()
	// Not the test's context: clean-up runs after its end.
	if _, err := s.admin.ExecContext(context.Background(), query); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// OwnerURL names a database of the server as its owner.
func (s *Server) OwnerURL(database string) string {
	u := *s.url
	u.Path = "/" + database
	return u.String()
}

// Empty makes a database without a schema. It is gone after the test, with its roles.
func (s *Server) Empty(t testing.TB) (database string) {
	t.Helper()
	database = uniqueName("test")
	s.Exec(t, "CREATE DATABASE "+database)
	t.Cleanup(func() { s.drop(t, database) })
	return database
}

func (s *Server) drop(t testing.TB, database string) {
	t.Helper()
	s.Exec(t, "DROP DATABASE IF EXISTS "+database+" WITH (FORCE)")
	for _, role := range []string{"_app", "_sweeper"} {
		if _, err := s.admin.ExecContext(context.Background(), "DROP ROLE IF EXISTS "+database+role); err != nil &&
			database != s.template { // copies of the template name its roles until they are gone
			t.Errorf("dropping role %s%s: %v", database, role, err)
		}
	}
}

// Postgres gives an empty migrated database, opened as the restricted role.
func (s *Server) Postgres(t testing.TB) *Database {
	t.Helper()
	database := uniqueName("test")
	s.Exec(t, fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s", database, s.template))
	t.Cleanup(func() { s.drop(t, database) })
	// The copy still names the template's roles; this mends it, as after a restore under another name.
	res, err := store.Migrate(t.Context(), store.MigrateOptions{URL: s.OwnerURL(database)})
	if err != nil {
		t.Fatal(err)
	}
	db := &Database{Clock: NewClock(), URL: res.AppURL}
	db.open(t, store.Options{URL: res.AppURL, MaxConns: 12})
	db.Owner = openOwner(t, "pgx", s.OwnerURL(database))
	return db
}
