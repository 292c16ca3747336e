package store_test

import (
	"context"
	"database/sql"
	"io/fs"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/seal"
	"github.com/habeas-data/habeas/internal/store"
	"github.com/habeas-data/habeas/internal/store/storetest"
	"github.com/habeas-data/habeas/migrations"
)

func options(t *testing.T) store.Options {
	t.Helper()
	master, err := seal.OpenKeyFile(filepath.Join(t.TempDir(), "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	return store.Options{Master: master, Now: storetest.NewClock().Now}
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	e, ok := fault.As(err)
	if !ok || e.Code != code || e.Kind != fault.Unavailable {
		t.Fatalf("got %v, want an unavailable with code %s", err, code)
	}
}

func TestSQLiteHasOneWriter(t *testing.T) {
	db := storetest.New(t)
	o := options(t)
	o.DataDir = db.Dir
	_, err := store.Open(t.Context(), o)
	wantCode(t, err, "data_dir_in_use")
	// Beside it, for reading, and with the key that the database was made with or not at all.
	o.Shared = true
	second, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if list, err := second.Tenants(t.Context()); err != nil || len(list) != 1 {
		t.Fatalf("tenants beside the writer: %v, %v", list, err)
	}
	err = second.Read(t.Context(), storetest.Tenant, func(*store.Tx) error { return nil })
	wantCode(t, err, "wrong_master_key")
	// Migrating beside the writer is fine while there is nothing to do.
	res, err := store.Migrate(t.Context(), store.MigrateOptions{DataDir: db.Dir})
	if err != nil || res.From != res.To || len(res.Applied) != 0 {
		t.Fatalf("migrating again: %+v, %v", res, err)
	}
}

func TestOldSchemaIsRefused(t *testing.T) {
	o := options(t)
	o.DataDir = t.TempDir()
	_, err := store.Open(t.Context(), o)
	wantCode(t, err, "old_schema")
	if !strings.Contains(err.Error(), "habeas migrate up") {
		t.Errorf("the error does not say what to do: %v", err)
	}
	status, err := store.Status(t.Context(), store.MigrateOptions{DataDir: o.DataDir})
	if err != nil || status.Version != 0 || status.Wanted == 0 || !status.Steps[0].AppliedAt.IsZero() {
		t.Errorf("status of an empty directory: %+v, %v", status, err)
	}
	server := storetest.NewServer(t)
	o.URL = server.OwnerURL(server.Empty(t))
	_, err = store.Open(t.Context(), o)
	wantCode(t, err, "old_schema")
}

func TestMigratePostgres(t *testing.T) {
	server := storetest.NewServer(t)
	name := server.Empty(t)
	owner := withPassword(t, server.OwnerURL(name), "owner's secret/1")
	// Five at once: one does the work, all get the same URL.
	urls := make([]string, 5)
	applied := make([]int, 5)
	var wg sync.WaitGroup
	for i := range urls {
		wg.Add(1)
		go func() {
			defer wg.Done()
			res, err := store.Migrate(t.Context(), store.MigrateOptions{URL: owner})
			if err != nil {
				t.Errorf("migrating: %v", err)
			}
			urls[i], applied[i] = res.AppURL, len(res.Applied)
		}()
	}
	wg.Wait()
	sum := 0
	for i := range urls {
		sum += applied[i]
		if urls[i] != urls[0] {
			t.Errorf("%s is not %s", urls[i], urls[0])
		}
	}
	status, err := store.Status(t.Context(), store.MigrateOptions{URL: owner})
	if err != nil || sum != len(status.Steps) || status.Version != status.Wanted || time.Since(status.Steps[0].AppliedAt) > time.Hour {
		t.Fatalf("%d migrations applied; status %+v, %v", sum, status, err)
	}
	u, err := url.Parse(urls[0])
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	if u.User.Username() != name+"_app" || len(password) != 43 || u.Query().Get("sslmode") != "disable" || u.Query().Get("application_name") != "x" ||
		strings.Contains(urls[0], "secret") {
		t.Errorf("the restricted role's URL is %s", urls[0])
	}
	o := options(t)
	o.URL = urls[0]
	s, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	res, err := store.Migrate(t.Context(), store.MigrateOptions{URL: server.OwnerURL(name)})
	if err != nil || strings.Contains(res.AppURL, ":@") || !strings.Contains(res.AppURL, name+"_app@") {
		t.Errorf("without a password: %s, %v", res.AppURL, err)
	}
}

func withPassword(t *testing.T, address, password string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(u.User.Username(), password)
	q := u.Query()
	q.Set("application_name", "x")
	u.RawQuery = q.Encode()
	return u.String()
}

// TestUnsafeRoles opens the store as roles that could see across tenants: each is refused with its own code.
func TestUnsafeRoles(t *testing.T) {
	server := storetest.NewServer(t)
	db := server.Postgres(t)
	var name, app string
	if err := db.Owner.QueryRowContext(t.Context(), "SELECT current_database()").Scan(&name); err != nil {
		t.Fatal(err)
	}
	app = name + "_app"
	open := func(url string) error {
		o := options(t)
		o.URL = url
		s, err := store.Open(t.Context(), o)
		if err == nil {
			_ = s.Close()
		}
		return err
	}
	wantCode(t, open(server.OwnerURL(name)), "role_superuser")
	strong := name + "_strong"
	server.Exec(t, "CREATE ROLE "+strong+" BYPASSRLS")
	t.Cleanup(func() { server.Exec(t, "DROP ROLE "+strong) })
	for _, c := range []struct{ do, undo, code string }{
		{"ALTER ROLE " + app + " BYPASSRLS", "ALTER ROLE " + app + " NOBYPASSRLS", "role_bypassrls"},
		{"ALTER ROLE " + app + " SUPERUSER", "ALTER ROLE " + app + " NOSUPERUSER", "role_superuser"},
		{"GRANT " + strong + " TO " + app, "REVOKE " + strong + " FROM " + app, "role_bypassrls"},
		{"GRANT " + name + "_sweeper TO " + app, "REVOKE " + name + "_sweeper FROM " + app, "role_sweeper"},
		{"ALTER TABLE note OWNER TO " + app, "ALTER TABLE note OWNER TO CURRENT_USER", "role_owner"},
		{"ALTER TABLE note NO FORCE ROW LEVEL SECURITY", "ALTER TABLE note FORCE ROW LEVEL SECURITY", "no_row_security"},
		{"ALTER DATABASE " + name + " SET synchronous_commit = off", "ALTER DATABASE " + name + " RESET synchronous_commit", "synchronous_commit_off"},
	} {
		exec := func(q string) {
			if _, err := db.Owner.ExecContext(t.Context(), q); err != nil {
				t.Fatalf("%s: %v", q, err)
			}
		}
		exec(c.do)
		err := open(db.URL)
		exec(c.undo)
		wantCode(t, err, c.code)
		if err := open(db.URL); err != nil {
			t.Fatalf("after %s: %v", c.undo, err)
		}
	}
}

// TestOrdinaryOwner migrates as an owner who is no superuser, as on a managed server.
func TestOrdinaryOwner(t *testing.T) {
	server := storetest.NewServer(t)
	name := server.Empty(t)
	owner := name + "_owner"
	server.Exec(t, "CREATE ROLE "+owner+" LOGIN CREATEROLE")
	server.Exec(t, "ALTER DATABASE "+name+" OWNER TO "+owner)
	// Registered before the database's own clean-up runs: roles go last.
	t.Cleanup(func() {
		server.Exec(t, "DROP DATABASE "+name+" WITH (FORCE)")
		server.Exec(t, "DROP ROLE "+owner)
	})
	u, err := url.Parse(server.OwnerURL(name))
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.User(owner)
	o := options(t)
	for range 2 {
		res, err := store.Migrate(t.Context(), store.MigrateOptions{URL: u.String()})
		if err != nil {
			t.Fatal(err)
		}
		o.URL = res.AppURL
	}
	undoNewest(t, storetest.Connect(t, u.String())) // an older schema, whose functions are no longer the owner's
	if res, err := store.Migrate(t.Context(), store.MigrateOptions{URL: u.String()}); err != nil || len(res.Applied) != 1 {
		t.Fatalf("upgrading: %+v, %v", res, err)
	}
	s, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Due(t.Context(), time.Now(), 10); err != nil {
		t.Fatalf("after the upgrade: %v", err)
	}
	if _, err := s.CreateTenant(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	if list, err := s.Tenants(t.Context()); err != nil || len(list) != 1 {
		t.Fatalf("tenants: %v, %v", list, err)
	}
	// Row-level security is forced: the owner sees nothing, and is no member of the sweeper's role.
	pool := storetest.Connect(t, u.String())
	var rows int
	if err := pool.QueryRowContext(context.Background(), "SELECT count(*) FROM tenant").Scan(&rows); err != nil || rows != 0 {
		t.Fatalf("the owner sees %d tenants, %v", rows, err)
	}
}

// undoNewest takes the newest migration back, as whoever pool logs in as.
func undoNewest(t *testing.T, pool *sql.DB) {
	t.Helper()
	files, err := fs.Sub(migrations.FS, store.EnginePostgres)
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, pool, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.Down(t.Context()); err != nil {
		t.Fatal(err)
	}
}
