package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/store"
	"github.com/habeas-data/habeas/internal/store/storetest"
)

// rule is one thing that must hold for the catalogue of PostgreSQL: query lists what breaks it.
type rule struct {
	name, query string
	plant       []string // makes it break
}

// notTenant are the tables that hold nothing of a tenant.
const notTenant = `('goose_db_version')`

const ourTables = `(SELECT c.oid, c.relname, c.relowner, c.relrowsecurity, c.relforcerowsecurity, c.relacl FROM pg_class c
	WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname NOT IN ` + notTenant + `) t`

func rules(app string) []rule {
	appHas := func(privilege string) string {
		return fmt.Sprintf(`has_table_privilege('%s', t.oid, '%s')`, app, privilege)
	}
	return []rule{
		{"tenant is a column that is never null", `SELECT relname FROM ` + ourTables + ` WHERE NOT EXISTS
			(SELECT FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attname = 'tenant' AND a.attnotnull AND NOT a.attisdropped)`,
			[]string{`ALTER TABLE answer DROP CONSTRAINT answer_pkey`, `ALTER TABLE answer ALTER tenant DROP NOT NULL`}},
		{"row-level security is on and forced", `SELECT relname FROM ` + ourTables + ` WHERE NOT (relrowsecurity AND relforcerowsecurity)`,
			[]string{`ALTER TABLE note NO FORCE ROW LEVEL SECURITY`}},
		{"one policy of the restricted role covers everything", `SELECT relname FROM ` + ourTables + ` WHERE (SELECT count(*) FROM pg_policies p
			WHERE p.tablename = t.relname AND p.schemaname = 'public' AND p.roles = ARRAY['` + app + `']::name[] AND p.cmd = 'ALL'
			AND p.permissive = 'PERMISSIVE' AND p.qual ~ '^\(tenant = .*app_tenant\(\)' AND p.with_check = p.qual) <> 1`,
			[]string{`ALTER POLICY tenant_rows ON mail USING (true)`}},
		{"no other policy but the sweeper's reading", `SELECT policyname FROM pg_policies p WHERE schemaname = 'public' AND policyname <> 'tenant_rows'
			AND NOT (policyname = 'sweeper_reads' AND cmd = 'SELECT' AND roles = ARRAY[replace('` + app + `', '_app', '_sweeper')]::name[])`,
			[]string{`CREATE POLICY extra ON mail FOR SELECT TO PUBLIC USING (true)`}},
		{"unique keys begin with tenant", `SELECT i.indexrelid::regclass::text FROM pg_index i JOIN ` + ourTables + ` ON t.oid = i.indrelid
			WHERE i.indisunique AND (SELECT attname FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attnum = i.indkey[0]) <> 'tenant'`,
			[]string{`CREATE UNIQUE INDEX planted ON submission (email_hash, tenant)`}},
		{"foreign keys take tenant along", `SELECT conname FROM pg_constraint k JOIN ` + ourTables + ` ON t.oid = k.conrelid WHERE k.contype = 'f'
			AND (SELECT attname FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attnum = k.conkey[1]) <> 'tenant'`,
			[]string{`ALTER TABLE note ADD COLUMN by_other text`, `ALTER TABLE tenant ADD UNIQUE (vkey)`, `ALTER TABLE note ADD CONSTRAINT planted FOREIGN KEY (by_other) REFERENCES tenant (vkey)`}},
		{"nothing is deleted by a cascade", `SELECT conname FROM pg_constraint k JOIN ` + ourTables + ` ON t.oid = k.conrelid WHERE k.contype = 'f' AND k.confdeltype <> 'a'`,
			[]string{`ALTER TABLE note ADD CONSTRAINT planted FOREIGN KEY (tenant, request) REFERENCES request (tenant, id) ON DELETE CASCADE`}},
		{"the restricted role owns nothing", `SELECT relname FROM ` + ourTables + ` WHERE relowner = '` + app + `'::regrole`,
			[]string{`ALTER TABLE note OWNER TO ` + app}},
		{"no TRUNCATE, REFERENCES, TRIGGER", `SELECT relname FROM ` + ourTables + ` WHERE ` + appHas("TRUNCATE") + ` OR ` + appHas("REFERENCES") + ` OR ` + appHas("TRIGGER"),
			[]string{`GRANT TRUNCATE ON note TO ` + app}},
		{"what only grows can't be changed", `SELECT relname FROM ` + ourTables + ` WHERE (relname LIKE 'audit\_%' AND relname <> 'audit_pending' OR relname IN ('request_event', 'inbound', 'config', 'tenant'))
			AND (` + appHas("UPDATE") + ` OR ` + appHas("DELETE") + ` OR has_any_column_privilege('` + app + `', t.oid, 'UPDATE'))`,
			[]string{`GRANT UPDATE (leaf) ON audit_leaf TO ` + app}},
		{"requests and submissions can't be deleted", `SELECT relname FROM ` + ourTables + ` WHERE relname IN ('request', 'submission', 'step', 'hold', 'obligation', 'suppression', 'package') AND ` + appHas("DELETE"),
			[]string{`GRANT DELETE ON request TO ` + app}},
		{"nothing is granted to everybody", `SELECT relname FROM ` + ourTables + `, aclexplode(t.relacl) a WHERE a.grantee = 0`,
			[]string{`GRANT SELECT ON note TO PUBLIC`}},
		{"no role with too much power", `SELECT rolname FROM pg_roles WHERE rolname IN ('` + app + `', replace('` + app + `', '_app', '_sweeper'))
			AND (rolsuper OR rolbypassrls OR rolcreatedb OR rolcreaterole OR rolreplication OR rolcanlogin <> (rolname = '` + app + `'))`,
			[]string{`ALTER ROLE ` + app + ` CREATEDB`}},
		{"nobody creates in the schema", `SELECT 'public' WHERE has_schema_privilege('` + app + `', 'public', 'CREATE') OR has_schema_privilege(replace('` + app + `', '_app', '_sweeper'), 'public', 'CREATE')`,
			[]string{`GRANT CREATE ON SCHEMA public TO ` + app}},
		{"functions that act for another are the two known ones, with a fixed path", `SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef AND NOT
			(proname IN ('app_due', 'app_tenants') AND proowner = replace('` + app + `', '_app', '_sweeper')::regrole AND proconfig = ARRAY['search_path=pg_catalog, pg_temp'])`,
			[]string{`CREATE FUNCTION planted() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM request'`}},
		{"only the restricted role calls them", `SELECT proname FROM pg_proc, aclexplode(proacl) a WHERE pronamespace = 'public'::regnamespace AND proname IN ('app_due', 'app_tenants', 'app_tenant') AND a.grantee = 0`,
			[]string{`GRANT EXECUTE ON FUNCTION app_tenants() TO PUBLIC`}},
		{"the sweeper reads ids and times alone", `SELECT table_name || '.' || column_name FROM information_schema.column_privileges
			WHERE grantee = replace('` + app + `', '_app', '_sweeper') AND (privilege_type <> 'SELECT' OR column_name NOT IN
			('tenant', 'id', 'state', 'at', 'next_action_at', 'next_at', 'lease_until', 'expires_at', 'destroyed_at'))`,
			[]string{`GRANT SELECT (reference) ON request TO ` + strings.TrimSuffix(app, "_app") + `_sweeper`}},
		{"no views", `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('v', 'm')`,
			[]string{`CREATE VIEW planted AS SELECT * FROM request`}},
	}
}

// TestCatalog holds the live catalogue against the rules, then breaks each rule and wants to see it.
func TestCatalog(t *testing.T) {
	db := storetest.NewServer(t).Postgres(t)
	var name string
	if err := db.Owner.QueryRowContext(t.Context(), "SELECT current_database()").Scan(&name); err != nil {
		t.Fatal(err)
	}
	for _, r := range rules(name + "_app") {
		if broken := list(t, db.Owner, r.query); len(broken) > 0 {
			t.Errorf("%s: broken by %v", r.name, broken)
		}
		tx, err := db.Owner.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range r.plant {
			if _, err := tx.ExecContext(t.Context(), q); err != nil {
				t.Fatalf("%s: %v", q, err)
			}
		}
		if len(list(t, tx, r.query)) == 0 {
			t.Errorf("%s: %v was not seen", r.name, r.plant)
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
	}
}

type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func list(t *testing.T, q querier, query string) (out []string) {
	t.Helper()
	rows, err := q.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestSameSchema: both engines have the same tables, columns and null rules, and the same indexes.
func TestSameSchema(t *testing.T) {
	pg := storetest.NewServer(t).Postgres(t)
	lite := storetest.SQLite(t)
	a := list(t, pg.Owner, `SELECT table_name || '.' || column_name || CASE is_nullable WHEN 'NO' THEN ' not null' ELSE '' END
		FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'goose_db_version'`)
	b := list(t, lite.Owner, `SELECT m.name || '.' || c.name || CASE c."notnull" WHEN 1 THEN ' not null' ELSE '' END
		FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name <> 'goose_db_version'`)
	same(t, "columns", a, b)
	a = list(t, pg.Owner, `SELECT indexname FROM pg_indexes WHERE schemaname = 'public' AND indexname NOT LIKE '%\_pkey'`)
	b = list(t, lite.Owner, `SELECT name FROM sqlite_master WHERE type = 'index' AND name NOT LIKE 'sqlite_%'`)
	same(t, "indexes", a, b)
}

func same(t *testing.T, what string, pg, lite []string) {
	t.Helper()
	slices.Sort(pg)
	slices.Sort(lite)
	if len(pg) < 20 || !slices.Equal(pg, lite) {
		t.Errorf("%s differ:\n%v\n%v", what, pg, lite)
	}
}

// TestNoTenantNoRows goes past the store with the restricted role: without a tenant every table raises, with one it
// shows that tenant's rows alone, and the setting does not outlive its transaction.
func TestNoTenantNoRows(t *testing.T) {
	db := storetest.NewServer(t).Postgres(t)
	for _, tenant := range []dsr.TenantID{"tenant-x-one", "tenant-x-two"} {
		if _, err := db.CreateTenant(t.Context(), tenant); err != nil {
			t.Fatal(err)
		}
	}
	pool := storetest.Connect(t, db.URL)
	pool.SetMaxOpenConns(1)
	var n int
	for round := range 3 {
		if err := pool.QueryRowContext(t.Context(), "SELECT count(*) FROM tenant").Scan(&n); err == nil || !strings.Contains(err.Error(), "no tenant is set") {
			t.Fatalf("round %d: without a tenant: %d rows, %v", round, n, err)
		}
		tx, err := pool.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.ExecContext(t.Context(), "SELECT set_config('app.tenant', 'tenant-x-one', true)"); err != nil {
			t.Fatal(err)
		}
		if err := tx.QueryRowContext(t.Context(), "SELECT count(*) FROM tenant").Scan(&n); err != nil || n != 1 {
			t.Fatalf("with a tenant: %d rows, %v", n, err)
		}
		res, err := tx.ExecContext(t.Context(), "INSERT INTO answer (tenant, key, body_hash, status, created_at) VALUES ('tenant-x-two', 'k', '', 0, now())")
		if err == nil {
			t.Fatalf("wrote a row of another tenant: %v", res)
		}
		_ = tx.Rollback()
	}
	if db.Engine() != store.EnginePostgres {
		t.Fatal("not on PostgreSQL")
	}
}
