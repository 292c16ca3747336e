package access

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/fault"
)

const golden = "testdata/table.golden"

// column is somebody who may or may not do things.
type column struct {
	name string
	who  Principal
}

func columns() []column {
	var list []column
	for _, r := range Roles() {
		kind := KindOfficer
		if r == RoleProduct {
			kind = KindProduct
		}
		list = append(list, column{string(r), Principal{Kind: kind, Tenant: "acme", Roles: []Role{r}, Org: "org-1"}})
	}
	for _, k := range []Kind{KindPerson, KindJob, KindSystem, KindPublic} {
		list = append(list, column{"(" + string(k) + ")", Principal{Kind: k, Tenant: "acme"}})
	}
	return list
}

// TestTable walks every role and kind over every action and holds the answers against a table that
// people read. HABEAS_UPDATE=1 writes it anew; the difference is then to be read as well.
func TestTable(t *testing.T) {
	var b strings.Builder
	fmt.Fprintf(&b, "%-18s", "")
	for _, c := range columns() {
		fmt.Fprintf(&b, " %-9s", c.name)
	}
	b.WriteString("\n")
	for _, a := range Actions() {
		fmt.Fprintf(&b, "%-18s", a)
		for _, c := range columns() {
			mark := "."
			if c.who.Can(a) {
				mark = "yes"
			}
			if err := c.who.Check(a); (err == nil) != (mark == "yes") {
				t.Errorf("%s, %s: Can and Check disagree: %v", c.name, a, err)
			}
			fmt.Fprintf(&b, " %-9s", mark)
		}
		b.WriteString("\n")
	}
	got := ""
	for line := range strings.Lines(b.String()) {
		got += strings.TrimRight(line, " \n") + "\n"
	}
	if os.Getenv("HABEAS_UPDATE") == "1" {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the table differs from %s:\n%s", golden, got)
	}
}

// TestSafetyLines are the cells that no edit of the golden file may change by the way.
func TestSafetyLines(t *testing.T) {
	reading := []Action{RequestList, RequestRead, PlanRead, NoteRead, MessageRead, CertificateRead, ObligationList, SuppressionCheck, AuditRead, MetricsRead, WebhookRead, SettingsRead}
	for _, a := range Actions() {
		can := func(r Role) bool {
			kind := KindOfficer
			if r == RoleProduct {
				kind = KindProduct
			}
			return Principal{Kind: kind, Tenant: "acme", Roles: []Role{r}, Org: "o"}.Can(a)
		}
		if can(RoleAuditor) != slices.Contains(reading, a) {
			t.Errorf("auditor, %s: %v", a, can(RoleAuditor))
		}
		onRequests := strings.HasPrefix(string(a), "request.") || strings.HasPrefix(string(a), "plan.") || strings.HasPrefix(string(a), "package.") || strings.HasPrefix(string(a), "message.") || strings.HasPrefix(string(a), "note.")
		if onRequests && can(RoleAdmin) {
			t.Errorf("admin may %s", a)
		}
		if (a == RequestApprove || a == RequestDeny) && (can(RoleProduct) || can(RoleOrgAdmin) || !can(RoleApprover) || !can(RoleOfficer)) {
			t.Errorf("wrong roles decide: %s", a)
		}
		for _, k := range []Kind{KindPerson, KindJob, KindSystem, KindPublic, "", "root"} {
			if (a == RequestApprove || a == RequestDeny || a == RequestHold) && (Principal{Kind: k, Tenant: "acme"}).Can(a) {
				t.Errorf("%s may %s", k, a)
			}
			// A role in a session that is not an officer's counts for nothing.
			if (Principal{Kind: k, Tenant: "acme", Roles: Roles(), Org: "o"}).Can(a) != (Principal{Kind: k, Tenant: "acme"}).Can(a) {
				t.Errorf("roles widen what %s may do: %s", k, a)
			}
		}
		for _, p := range []Principal{
			{}, {Kind: KindOfficer, Roles: Roles(), Org: "o"}, {Kind: KindOfficer, Tenant: "acme"}, {Kind: KindOfficer, Tenant: "acme", Roles: []Role{"root", ""}},
			{Kind: KindOfficer, Tenant: "acme", Roles: []Role{RoleProduct}}, {Kind: KindProduct, Tenant: "acme", Roles: []Role{RoleOfficer}},
			{Kind: KindOfficer, Tenant: "acme", Roles: []Role{RoleOrgAdmin}}, // without an organization
		} {
			if p.Can(a) {
				t.Errorf("%+v may %s", p, a)
			}
		}
	}
	if (Principal{Kind: KindOfficer, Tenant: "acme", Roles: Roles(), Org: "o"}).Can("request.destroy_all") {
		t.Error("an action without a row is allowed")
	}
	err := Principal{Kind: KindOfficer, Tenant: "acme", Subject: "anna@example.com", Roles: []Role{RoleAuditor}}.Check(RequestApprove)
	e, ok := fault.As(err)
	if !ok || e.Kind != fault.Forbidden || e.Code != "not_allowed" || e.Message != "You may not do this: request.approve." || e.Cause != nil {
		t.Errorf("refused with %#v", err)
	}
}

func TestTableIsWhole(t *testing.T) {
	seen := map[Action]bool{}
	for _, a := range Actions() {
		if seen[a] {
			t.Errorf("%s has two rows", a)
		}
		seen[a] = true
	}
	// Every constant has a row: counted in the source, for the language does not list constants.
	src, err := os.ReadFile("action.go")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(src), " Action = \""); n != len(seen) {
		t.Errorf("%d actions and %d rows", n, len(seen))
	}
}

func TestScopes(t *testing.T) {
	now := time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)
	org := Principal{Kind: KindOfficer, Tenant: "acme", Roles: []Role{RoleOrgAdmin}, Org: "o"}
	both := Principal{Kind: KindOfficer, Tenant: "acme", Roles: []Role{RoleOrgAdmin, RoleAuditor}, Org: "o"}
	adminToo := Principal{Kind: KindOfficer, Tenant: "acme", Roles: []Role{RoleOrgAdmin, RoleAdmin}, Org: "o"}
	product := Principal{Kind: KindProduct, Tenant: "acme", Roles: []Role{RoleProduct}, FreshUntil: now}
	if !org.OrgOnly() || both.OrgOnly() || !adminToo.OrgOnly() || product.OrgOnly() || org.OwnOnly() || !product.OwnOnly() {
		t.Error("scopes are wrong")
	}
	if product.Fresh(now) || !product.Fresh(now.Add(-time.Second)) || org.Fresh(now) {
		t.Error("freshness is wrong")
	}
	secret := Principal{Kind: KindOfficer, Tenant: "acme", Subject: "anna@example.com", Address: "192.0.2.7"}
	if s := secret.LogValue().String(); strings.Contains(s, "anna") || strings.Contains(s, "192.0.2.7") {
		t.Errorf("logged as %s", s)
	}
}
