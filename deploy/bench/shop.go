package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"
)

// shop is one generated database, or a copy of one.
type shop struct {
	engine string // postgres, mysql, sqlite
	size   size
	name   string // of the database, or the path of the file
	at     server
}

// server says where databases are made.
type server struct {
	postgres string // URL of a database from which others are made
	mysql    string // DSN of the driver, without a database
	dir      string // for files
}

// dsn gives the address as a data map writes it.
func (s shop) dsn() string {
	switch s.engine {
	case "postgres":
		u, _ := url.Parse(s.at.postgres)
		u.Path = "/" + s.name
		return u.String()
	case "mysql":
		cfg, err := mysql.ParseDSN(s.at.mysql)
		if err != nil {
			return s.at.mysql // opening it tells what is wrong
		}
		return (&url.URL{Scheme: "mysql", User: url.UserPassword(cfg.User, cfg.Passwd), Host: cfg.Addr, Path: "/" + s.name}).String()
	}
	return s.name
}

func (s shop) open() (*sql.DB, error) {
	switch s.engine {
	case "postgres":
		return sql.Open("pgx", s.dsn())
	case "mysql":
		return sql.Open("mysql", s.at.mysql+s.name)
	}
	return sql.Open("sqlite", "file:"+s.name+"?_pragma=foreign_keys(1)&_pragma=busy_timeout(15000)&_txlock=immediate")
}

// admin runs a statement on the server outside of the shop's database.
func (s shop) admin(ctx context.Context, statements ...string) error {
	dsn, driver := s.at.postgres, "pgx"
	if s.engine == "mysql" {
		dsn, driver = s.at.mysql, "mysql"
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	for _, q := range statements {
		if _, err := db.ExecContext(ctx, q); err != nil {
			return fmt.Errorf("%s: %w", strings.SplitN(q, "\n", 2)[0], err)
		}
	}
	return nil
}

// exists tells whether the shop was generated to its end: its last statement makes the table bench_complete.
func (s shop) exists(ctx context.Context) bool {
	if s.engine == "sqlite" {
		if _, err := os.Stat(s.name); err != nil {
			return false
		}
	}
	db, err := s.open()
	if err != nil {
		return false
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, "SELECT * FROM bench_complete")
	return err == nil
}

// build generates the shop, unless it is there from a run before.
func (s shop) build(ctx context.Context) error {
	if s.exists(ctx) {
		return nil
	}
	if err := s.drop(ctx); err != nil {
		return err
	}
	if s.engine != "sqlite" {
		if err := s.admin(ctx, "CREATE DATABASE "+s.name); err != nil {
			return err
		}
	}
	db, err := s.open()
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1) // the settings of a session hold for all that follows
	for _, q := range s.statements() {
		if _, err := db.ExecContext(ctx, q); err != nil {
			return fmt.Errorf("generating the shop on %s: %s …: %w", s.engine, firstWords(q), err)
		}
	}
	return nil
}

func firstWords(q string) string { return q[:min(60, len(q))] }

func (s shop) drop(ctx context.Context) error {
	switch s.engine {
	case "postgres":
		return s.admin(ctx, "DROP DATABASE IF EXISTS "+s.name+" WITH (FORCE)")
	case "mysql":
		return s.admin(ctx, "DROP DATABASE IF EXISTS "+s.name)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(s.name + suffix); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}

// clone makes a copy to be spoiled.
func (s shop) clone(ctx context.Context, name string) (shop, error) {
	c := s
	switch s.engine {
	case "postgres":
		c.name = s.name + "_" + name
		// By file, not by log: the copy is as quick as the disk.
		return c, s.admin(ctx, "DROP DATABASE IF EXISTS "+c.name+" WITH (FORCE)", "CREATE DATABASE "+c.name+" TEMPLATE "+s.name+" STRATEGY file_copy", "CHECKPOINT")
	case "mysql":
		c.name = s.name + "_" + name
		if err := c.drop(ctx); err != nil {
			return c, err
		}
		return c, c.build(ctx) // no server of this kind copies a database: it is generated again
	}
	c.name = filepath.Join(filepath.Dir(s.name), name+".sqlite")
	if err := c.drop(ctx); err != nil {
		return c, err
	}
	content, err := os.ReadFile(s.name)
	if err != nil {
		return c, err
	}
	return c, os.WriteFile(c.name, content, 0o600)
}
