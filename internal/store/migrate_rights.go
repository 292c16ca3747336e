package store

import (
	"errors"
	"fmt"
	"strings"
)

// appRights is what the restricted role may do with each table. A table that is not listed can't be used, so a new
// one fails in the first test. Nobody gets TRUNCATE, REFERENCES or TRIGGER.
func appRights() map[string]string {
	const (
		grows  = "SELECT, INSERT" // history and evidence: written once
		normal = "SELECT, INSERT, UPDATE"
		swept  = "SELECT, INSERT, UPDATE, DELETE"
	)
	return map[string]string{
		"tenant": grows, "config": grows, "inbound": grows, "request_event": grows,
		"audit_leaf": grows, "audit_sequence": grows, "audit_hash": grows, "audit_checkpoint": grows,
		"audit_pending": "SELECT, INSERT, DELETE",

		"submission": normal, "request": normal, "step": normal, "hold": normal, "obligation": normal,
		"suppression": normal, "mail": normal, "package": normal, "source": normal, "officer": normal,
		// Sealed words can be destroyed; the fact stays as it was written.
		"plan":     "SELECT, INSERT, UPDATE (body)",
		"approval": "SELECT, INSERT, UPDATE (note)",
		"note":     "SELECT, INSERT, UPDATE (body)",
		"message":  "SELECT, INSERT, UPDATE (body)",

		"token": swept, "capture_key": swept, "capture": swept, "finding": swept,
		"endpoint": swept, "delivery": swept, "attachment": swept, "answer": swept,
		"memory": swept,

		"goose_db_version": "SELECT",
	}
}

// sweeperRights is what the role that looks across tenants may read: the columns that say when something is due.
func sweeperRights() map[string]string {
	return map[string]string{
		"tenant":        "tenant",
		"request":       "tenant, id, next_action_at, lease_until",
		"mail":          "tenant, id, state, next_at, lease_until",
		"delivery":      "tenant, id, state, next_at, lease_until",
		"obligation":    "tenant, id, state, next_action_at, lease_until",
		"package":       "tenant, id, expires_at, destroyed_at",
		"memory":        "tenant, id, expires_at",
		"audit_pending": "tenant, at",
		"token":         "tenant, expires_at",
	}
}

// setRights makes policies, grants and owners what they must be, whatever they were: after a restore under another
// name the roles are other ones. It runs as one transaction, so a serving process sees no gap.
func (m roleMaker) setRights() (err error) {
	if err := m.exec("BEGIN"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, m.exec("ROLLBACK"))
		}
	}()
	app, sweeper := ident(m.app), ident(m.sweeper)
	statements := []string{
		"REVOKE CREATE ON SCHEMA public FROM PUBLIC",
		"GRANT USAGE ON SCHEMA public TO " + app + ", " + sweeper,
		"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, " + app + ", " + sweeper,
		"REVOKE ALL ON FUNCTION public.app_tenant() FROM PUBLIC",
	}
	for table, rights := range appRights() {
		statements = append(statements, fmt.Sprintf("GRANT %s ON public.%s TO %s", rights, ident(table), app))
	}
	for table, columns := range sweeperRights() {
		statements = append(statements, fmt.Sprintf("GRANT SELECT (%s) ON public.%s TO %s", columns, ident(table), sweeper))
	}
	statements = append(statements, m.ownFunctions()...)
	for _, q := range statements {
		if err := m.exec(q); err != nil {
			return fmt.Errorf("%s: %w", strings.SplitN(q, " TO ", 2)[0], err)
		}
	}
	if err := m.setPolicies(); err != nil {
		return err
	}
	return m.exec("COMMIT")
}

// ownFunctions hands the two functions to the sweeper. For that the owner must be a member of it and it must be
// allowed to create in the schema, for a moment: as a member the owner would fall under the sweeper's policies.
func (m roleMaker) ownFunctions() []string {
	app, sweeper := ident(m.app), ident(m.sweeper)
	const functions = "public.app_tenants(), public.app_due(timestamptz, int)"
	return []string{
		"GRANT " + sweeper + " TO CURRENT_USER",
		"GRANT CREATE ON SCHEMA public TO " + sweeper,
		"ALTER FUNCTION public.app_tenants() OWNER TO " + sweeper,
		"ALTER FUNCTION public.app_due(timestamptz, int) OWNER TO " + sweeper,
		"REVOKE CREATE ON SCHEMA public FROM " + sweeper,
		"REVOKE ALL ON FUNCTION " + functions + " FROM PUBLIC",
		"GRANT EXECUTE ON FUNCTION " + functions + " TO " + app,
		"GRANT EXECUTE ON FUNCTION public.app_tenant() TO " + app,
		"REVOKE " + sweeper + " FROM CURRENT_USER",
	}
}

// setPolicies gives each tenant table its one policy for the restricted role and, where the sweeper reads, a second
// one for that. Making a policy locks the table, so what is right already stays untouched.
func (m roleMaker) setPolicies() error {
	const mine = "tenant = (SELECT public.app_tenant())"
	reads := sweeperRights()
	for table := range appRights() {
		if table == "goose_db_version" {
			continue
		}
		wanted := map[string][2]string{
			"tenant_rows": {m.app, fmt.Sprintf("FOR ALL TO %s USING (%s) WITH CHECK (%s)", ident(m.app), mine, mine)},
		}
		if reads[table] != "" {
			wanted["sweeper_reads"] = [2]string{m.sweeper, fmt.Sprintf("FOR SELECT TO %s USING (true)", ident(m.sweeper))}
		}
		for name, p := range wanted {
			right, err := m.holds(`SELECT EXISTS (SELECT FROM pg_policies WHERE schemaname = 'public'
				AND tablename = $1 AND policyname = $2 AND roles = ARRAY[$3]::name[] AND permissive = 'PERMISSIVE'
				AND CASE $2 WHEN 'tenant_rows' THEN cmd = 'ALL' AND qual = with_check AND qual ~ '^\(tenant = .*app_tenant\(\)'
				            ELSE cmd = 'SELECT' AND qual = 'true' END)`, table, name, p[0])
			if err != nil {
				return err
			}
			if right {
				continue
			}
			if err := m.exec(fmt.Sprintf("DROP POLICY IF EXISTS %s ON public.%s", name, ident(table))); err != nil {
				return err
			}
			if err := m.exec(fmt.Sprintf("CREATE POLICY %s ON public.%s %s", name, ident(table), p[1])); err != nil {
				return err
			}
		}
	}
	return nil
}
