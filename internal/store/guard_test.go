package store

import "testing"

func TestGuard(t *testing.T) {
	args := func(a ...any) []any { return a }
	for _, c := range []struct {
		name  string
		query string
		args  []any
		ok    bool
	}{
		{"select", `SELECT "a" FROM "request" WHERE tenant = $1 AND id = $2`, args("me", "x"), true},
		{"select, sqlite", `SELECT "a" FROM "request" WHERE id = ? AND tenant = ?`, args("x", "me"), true},
		{"locked", `SELECT "a" FROM "request" WHERE tenant = $1 FOR UPDATE`, args("me"), true},
		{"no tenant", `SELECT "a" FROM "request" WHERE id = $1`, args("me"), false},
		{"other tenant", `SELECT "a" FROM "request" WHERE tenant = $1`, args("you"), false},
		{"tenant bound to another argument", `SELECT "a" FROM "request" WHERE id = ? AND tenant = ?`, args("me", "you"), false},
		{"tenant as text", `SELECT "a" FROM "request" WHERE tenant = 'me'`, nil, false},
		{"tenant unequal", `SELECT "a" FROM "request" WHERE tenant <> $1`, args("me"), false},
		{"another column that ends so", `SELECT "a" FROM "request" WHERE subtenant = $1`, args("me"), false},
		{"subselect without", `SELECT 1 FROM a WHERE tenant = $1 AND EXISTS (SELECT 1 FROM b WHERE b.id = a.id)`, args("me"), false},
		{"subselect with", `SELECT 1 FROM a WHERE tenant = $1 AND EXISTS (SELECT 1 FROM b WHERE b.tenant = $2)`, args("me", "me"), true},
		{"subselect with another", `SELECT 1 FROM a WHERE tenant = $1 AND EXISTS (SELECT 1 FROM b WHERE b.tenant = $2)`, args("me", "you"), false},
		{"join without", `SELECT 1 FROM a JOIN b ON a.id = b.id WHERE a.tenant = $1`, args("me"), false},
		{"update", `UPDATE request SET a = ?, b = ? WHERE tenant = ? AND id = ?`, args(1, 2, "me", "x"), true},
		{"update without", `UPDATE request SET a = ? WHERE id = ?`, args(1, "x"), false},
		{"update that moves a row", `UPDATE request SET tenant = ? WHERE tenant = ?`, args("you", "me"), false},
		{"delete", `DELETE FROM token WHERE tenant = ?`, args("me"), true},
		{"delete everything", `DELETE FROM token`, nil, false},
		{"insert", `INSERT INTO "token" ("tenant","id") VALUES ($1,$2),($3,$4) ON CONFLICT ("tenant","id") DO UPDATE SET "id"="excluded"."id"`, args("me", 1, "me", 2), true},
		{"insert for another", `INSERT INTO "token" ("tenant","id") VALUES ($1,$2),($3,$4)`, args("me", 1, "you", 2), false},
		{"insert without", `INSERT INTO "token" ("id") VALUES ($1)`, args("me"), false},
		{"insert of a select", `INSERT INTO "token" ("tenant") SELECT tenant FROM other WHERE tenant = $1`, args("me"), false},
		{"no table", `SELECT set_config('app.tenant', 'you', true)`, nil, false},
		{"truncate", `TRUNCATE token`, nil, false},
	} {
		g := &guard{tenant: "me"}
		if err := g.check(c.query, c.args); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
		read := &guard{tenant: "me", readOnly: true}
		if err := read.check(c.query, c.args); (err == nil) != (c.ok && c.query[:6] == "SELECT") {
			t.Errorf("%s, reading: %v", c.name, err)
		}
	}
}
