package sqldb

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/fault"
)

func TestDSN(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	must(t, os.WriteFile(file, []byte("p@ss/w:rd%\n"), 0o600))
	vars := map[string]string{"WHOLE": "postgres://u:hunter2@db.example.test/x?sslmode=require", "PW": "hunter2", "PLAIN": "postgres://u:hunter2@db.example.test/x?sslmode=disable", "JUNK": "postgres://u:hunter2@[bad/x"}
	getenv := func(n string) string { return vars[n] }
	for _, c := range []struct {
		kind  datamap.Kind
		dsn   string
		fails string // part of the message; empty: opens
	}{
		{datamap.KindPostgres, "${WHOLE}", ""},
		{datamap.KindPostgres, "postgres://u:${PW}@127.0.0.1/x?sslmode=disable", ""},
		{datamap.KindPostgres, "postgres://u:${file:" + file + "}@127.0.0.1/x?sslmode=disable", ""},
		{datamap.KindPostgres, "${PLAIN}", "unencrypted"},
		{datamap.KindPostgres, "postgres://u:p@db.example.test/x", "unencrypted"}, // the driver would fall back to plain
		{datamap.KindPostgres, "postgres://u:p@127.0.0.1,db.example.test/x?sslmode=disable", "unencrypted"},
		{datamap.KindPostgres, "${JUNK}", "can't be read"},
		{datamap.KindPostgres, "${NOT_SET}", "NOT_SET"},
		{datamap.KindPostgres, "postgres://u:${file:/nowhere/at/all}@h/x", "/nowhere/at/all"},
		{datamap.KindPostgres, "", "no dsn"},
		{datamap.KindMySQL, "mysql://u:${PW}@127.0.0.1:3306/x", ""},
		{datamap.KindMySQL, "mysql://u:${PW}@db.example.test/x", ""}, // TLS by default
		{datamap.KindMySQL, "mysql://u:${PW}@db.example.test/x?tls=false", "unencrypted"},
		{datamap.KindMySQL, "u:${PW}@tcp(db)/x", "can't be read"},
		{datamap.KindSQLite, "", "no dsn"},
		{datamap.KindSQLite, "https://example.test/x.db", "can't be read"},
		{datamap.KindREST, "x", "no SQL"},
	} {
		db, err := Open(context.Background(), &datamap.System{Name: "shop", Kind: c.kind, DSN: c.dsn}, getenv)
		if db != nil {
			_ = db.Close()
		}
		switch {
		case c.fails == "" && err != nil:
			t.Errorf("%s: %v", c.dsn, err)
		case c.fails != "" && (!fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.fails) || !strings.Contains(err.Error(), "shop")):
			t.Errorf("%s: got %v, want an error with %q", c.dsn, err, c.fails)
		case err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "db.example")):
			t.Errorf("%s: the error tells the DSN: %v", c.dsn, err)
		}
	}
	got, err := expandDSN("s", "postgres://u:${file:"+file+"}@h/x", getenv)
	if err != nil || got != "postgres://u:p%40ss%2Fw%3Ard%25@h/x" {
		t.Errorf("%s, %v", got, err)
	}
}

func TestUnreachableTellsNoSecret(t *testing.T) {
	db, err := Open(context.Background(), &datamap.System{Name: "shop", Kind: datamap.KindPostgres, DSN: "postgres://user1:hunter2@127.0.0.1:1/x?sslmode=disable"}, noEnv)
	must(t, err)
	defer func() { _ = db.Close() }()
	err = db.Ping(context.Background())
	if !fault.Is(err, fault.Unavailable) || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "user1") {
		t.Errorf("got %v", err)
	}
	missing, err := Open(context.Background(), &datamap.System{Name: "shop", Kind: datamap.KindSQLite, DSN: filepath.Join(t.TempDir(), "none.db")}, noEnv)
	must(t, err)
	defer func() { _ = missing.Close() }()
	if err := missing.Ping(context.Background()); err == nil {
		t.Error("a file that does not exist was opened")
	}
}
