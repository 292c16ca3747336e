package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/connector/connectortest"
	"github.com/habeas-data/habeas/internal/datamap"
)

func noEnv(string) string { return "" }

func env(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

func opener(dsn string) func(*datamap.System) (connector.System, error) {
	return func(sys *datamap.System) (connector.System, error) {
		sys.DSN = dsn
		return Open(context.Background(), sys, noEnv)
	}
}

func uniqueName() string { return fmt.Sprintf("habeas_test_%d_%d", os.Getpid(), time.Now().UnixNano()) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func postgresFixture(t *testing.T) connectortest.Fixture {
	admin := env("TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable")
	root, err := sql.Open("pgx", admin)
	must(t, err)
	name := uniqueName()
	_, err = root.Exec("CREATE DATABASE " + name)
	must(t, err)
	u, err := url.Parse(admin)
	must(t, err)
	u.Path = "/" + name
	db, err := sql.Open("pgx", u.String())
	must(t, err)
	t.Cleanup(func() {
		_ = db.Close()
		if _, err := root.Exec("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '" + name + "'"); err != nil { // 13 and earlier have no wait
			_, _ = root.Exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" + name + "'")
		}
		if _, err := root.Exec("DROP DATABASE " + name); err != nil {
			t.Error(err)
		}
		_ = root.Close()
	})
	return connectortest.Fixture{Kind: datamap.KindPostgres, DB: db, JSON: "jsonb", AlterForeignKey: true, Quote: postgres{}.quote, Open: opener(u.String())}
}

func mysqlFixture(t *testing.T) connectortest.Fixture {
	cfg, err := mysql.ParseDSN(env("TEST_MYSQL", "root@tcp(127.0.0.1:3306)/"))
	must(t, err)
	root, err := sql.Open("mysql", cfg.FormatDSN())
	must(t, err)
	name := uniqueName()
	_, err = root.Exec("CREATE DATABASE " + name + " CHARACTER SET utf8mb4")
	must(t, err)
	cfg.DBName = name
	db, err := sql.Open("mysql", cfg.FormatDSN())
	must(t, err)
	t.Cleanup(func() {
		_ = db.Close()
		if _, err := root.Exec("DROP DATABASE " + name); err != nil {
			t.Error(err)
		}
		_ = root.Close()
	})
	dsn := (&url.URL{Scheme: "mysql", User: url.UserPassword(cfg.User, cfg.Passwd), Host: cfg.Addr, Path: "/" + name}).String()
	return connectortest.Fixture{Kind: datamap.KindMySQL, DB: db, JSON: "json", AlterForeignKey: true, Quote: mysqlDialect{}.quote, Open: opener(dsn)}
}

func sqliteFixture(t *testing.T) connectortest.Fixture {
	path := filepath.Join(t.TempDir(), "shop's #1.db")
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?_pragma=journal_mode(WAL)&_pragma=busy_timeout(10000)")
	must(t, err)
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	_, err = db.Exec("SELECT 1 FROM sqlite_schema")
	must(t, err)
	return connectortest.Fixture{Kind: datamap.KindSQLite, DB: db, JSON: "JSON", Quote: sqliteDialect{}.quote, Open: opener(path)}
}

func TestConformance(t *testing.T) {
	t.Run("postgres", func(t *testing.T) { connectortest.Run(t, postgresFixture) })
	t.Run("mysql", func(t *testing.T) { connectortest.Run(t, mysqlFixture) })
	t.Run("sqlite", func(t *testing.T) { connectortest.Run(t, sqliteFixture) })
}
