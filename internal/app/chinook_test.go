package app_test

import (
	"crypto/md5" //nolint:gosec // the expected digests are MD5
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/app/apptest"
)

// chinookPolicy has a grace period of seconds; everything else is what a shop would publish.
const chinookPolicy = `version: "2025-01-01"
tenant: chinook
controller: {name: Chinook Music, contact: privacy@chinook.example, languages: [en, es, de, fr]}
jurisdictions: [eu, uk, us-ca]
rights:
  access: {review: officer}
  portability: {review: auto}
  rectification: {review: officer}
  erasure: {review: officer, approvals: 1, grace: PT2S}
  restriction: {review: auto}
  objection: {review: auto}
  withdraw_consent: {review: auto}
verification: {methods: [email_link, product_session]}
categories:
  account: {role: controller, purposes: [selling music], basis: contract, source: the person}
  billing:
    role: controller
    purposes: [accounting]
    basis: legal_obligation
    retention: {from: row, keep: P5Y, ground: "tax law: invoices are kept for five years"}
  personnel: {role: controller, purposes: [employment], basis: contract}
`

// chinookMap is the data map; names are those of the SQLite and MySQL editions and changed for PostgreSQL.
const chinookMap = `tenant: chinook
systems:
  app:
    kind: ENGINE
    dsn: ${CHINOOK_DSN}
    subjects:
      customer: {table: Customer, key: CustomerId, identifiers: {email: Email, user_id: CustomerId}}
      employee: {table: Employee, key: EmployeeId, identifiers: {email: Email}}
    tables:
      Customer:
        category: account
        erase: delete
        columns:
          FirstName: {anonymize: {with: fixed, value: "[erased]"}}
          LastName: {anonymize: {with: fixed, value: "[erased]"}}
          Email: {anonymize: {with: fixed, value: "erased-{key}@invalid"}}
          SupportRepId: {personal: false}
      Invoice:
        owner: Customer
        category: billing
        erase: retain
        row_date: InvoiceDate
        redact_now: [BillingAddress, BillingCity, BillingState, BillingPostalCode]
      InvoiceLine: {owner: Invoice, category: billing, erase: with_owner}
      Employee: {category: personnel, erase: {do: delete, if_others_refer: set_null}}
      "*": {personal: false, why: catalogue}
`

// tenantDir writes a tenants directory for Chinook on an engine.
func tenantDir(t *testing.T, engine string) string {
	t.Helper()
	dir := t.TempDir()
	folder := filepath.Join(dir, "chinook")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	m := strings.ReplaceAll(chinookMap, "ENGINE", engine)
	if engine == "postgres" {
		m = snake(m)
	}
	for name, text := range map[string]string{"policy.yaml": chinookPolicy, "datamap.yaml": m} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// snake writes the names as the PostgreSQL edition does.
func snake(s string) string {
	for _, name := range []string{"InvoiceLineId", "InvoiceId", "CustomerId", "EmployeeId", "ReportsTo", "FirstName", "LastName", "SupportRepId", "InvoiceLine", "InvoiceDate", "BillingAddress",
		"BillingCity", "BillingState", "BillingPostalCode", "Customer", "Invoice", "Employee", "Email"} {
		var b strings.Builder
		for i, r := range name {
			if r >= 'A' && r <= 'Z' && i > 0 {
				b.WriteByte('_')
			}
			b.WriteRune(r)
		}
		s = strings.ReplaceAll(s, name, strings.ToLower(b.String()))
	}
	return s
}

func named(engine, name string) string {
	if engine == "postgres" {
		return snake(name)
	}
	return name
}

// TestChinook takes an access request and an erasure of a customer of a database that nobody here wrote from the form
// to the end, over HTTP against the real program: on SQLite, PostgreSQL and MariaDB, on both footings.
func TestChinook(t *testing.T) {
	if os.Getenv("TEST_DATABASES") == "" {
		t.Log("not run: TEST_DATABASES is not set (the same flow runs on the generated shop)")
		return
	}
	for _, c := range []struct {
		engine  string
		footing apptest.Footing
	}{{"sqlite", apptest.Embedded}, {"postgres", apptest.Production}, {"mysql", apptest.Embedded}} {
		t.Run(c.engine+" on "+string(c.footing), func(t *testing.T) {
			t.Parallel()
			product := apptest.Chinook(t, c.engine)
			p := apptest.Start(t, apptest.Options{Footing: c.footing, Worker: true, Tenants: tenantDir(t, c.engine), Env: []string{"CHINOOK_DSN=" + product.DSN}})
			chinookAccess(t, p, product)
			chinookErasure(t, p, product)
			chinookEmployee(t, p, product)
		})
	}
}

const luis = "luisg@embraer.com.br"

func chinookAccess(t *testing.T, p *apptest.Program, product *apptest.Product) {
	t.Helper()
	officer := p.Token("chinook", "officer", "olga")
	receipt := p.Submit("chinook", luis, "access")
	access := p.Verify("chinook", luis, receipt.Reference)
	r := p.WaitFor(officer, receipt.Reference, "access", "in_review", 20*time.Second)
	plan := p.PlanOf(officer, r.ID)
	e := product.Engine
	want := map[string]int64{named(e, "Customer"): 1, named(e, "Invoice"): 7, named(e, "InvoiceLine"): 38}
	for _, s := range plan.Steps {
		if want[s.Table] != s.Rows {
			t.Errorf("the plan has %d rows of %s, want %d", s.Rows, s.Table, want[s.Table])
		}
		delete(want, s.Table)
	}
	if len(want) > 0 {
		t.Errorf("the plan lacks %v", want)
	}
	p.Approve(officer, r.ID, plan.Digest)
	p.WaitFor(officer, receipt.Reference, "access", "fulfilled", 30*time.Second)
	z := p.Download("chinook", luis, receipt.Reference, access)
	// The digests over the keys are those that hand-written SQL gave.
	for _, c := range []struct{ table, key, digest string }{
		{"Customer", "CustomerId", "c4ca4238a0b923820dcc509a6f75849b"},
		{"Invoice", "InvoiceId", "b69eee02ef505902f4eecf83b4f4b6f4"},
		{"InvoiceLine", "InvoiceLineId", "0be965b457e2b378da29f17fd39a6d29"},
	} {
		var keys []string
		for _, row := range apptest.Rows(p, z, "app", named(e, c.table)) {
			keys = append(keys, fmt.Sprint(row[named(e, c.key)]))
		}
		slices.Sort(keys)
		sum := md5.Sum([]byte(strings.Join(keys, ","))) //nolint:gosec // as above
		if got := hex.EncodeToString(sum[:]); got != c.digest {
			t.Errorf("the keys of %s are %v", c.table, keys)
		}
	}
	for _, f := range z.File {
		if strings.HasPrefix(f.Name, "data/") && !slices.Contains([]string{"data/app/" + named(e, "Customer") + ".json", "data/app/" + named(e, "Invoice") + ".json", "data/app/" + named(e, "InvoiceLine") + ".json"}, f.Name) {
			t.Errorf("the package holds %s", f.Name)
		}
	}
}

// chinookErasure runs the erasure of the same customer: invoices younger than five years stay without the address,
// older ones go, and nothing else of the database moves.
func chinookErasure(t *testing.T, p *apptest.Program, product *apptest.Product) {
	t.Helper()
	e := product.Engine
	officer := p.Token("chinook", "officer", "olga")
	before := product.Snapshot(t)
	cutoff := time.Now().UTC().AddDate(-5, 0, 0).Format(time.DateOnly)
	q := func(s string) string {
		if e == "postgres" {
			return snake(s)
		}
		return s
	}
	old := product.Count(t, q("SELECT count(*) FROM Invoice WHERE CustomerId = 1 AND InvoiceDate <= '"+cutoff+"'"))
	oldLines := product.Count(t, q("SELECT count(*) FROM InvoiceLine WHERE InvoiceId IN (SELECT InvoiceId FROM Invoice WHERE CustomerId = 1 AND InvoiceDate <= '"+cutoff+"')"))
	receipt := p.Submit("chinook", luis, "erasure")
	p.Verify("chinook", luis, receipt.Reference)
	r := p.WaitFor(officer, receipt.Reference, "erasure", "in_review", 20*time.Second)
	plan := p.PlanOf(officer, r.ID)
	if len(plan.Refusals) > 0 {
		t.Fatalf("the plan is refused: %v", plan.Refusals)
	}
	p.Approve(officer, r.ID, plan.Digest)
	p.WaitFor(officer, receipt.Reference, "erasure", "fulfilled", 60*time.Second)

	after := product.Snapshot(t)
	kept := 7 - old
	gone, fresh := before.Gone(after), before.New(after)
	// The customer is needed by the kept invoices: changed, not deleted; so are the kept invoices, without the address.
	wantGone := map[string]int{named(e, "Customer"): 1, named(e, "Invoice"): 7, named(e, "InvoiceLine"): oldLines}
	wantNew := map[string]int{named(e, "Customer"): 1, named(e, "Invoice"): kept}
	if oldLines == 0 {
		delete(wantGone, named(e, "InvoiceLine"))
	}
	if fmt.Sprint(gone) != fmt.Sprint(wantGone) || fmt.Sprint(fresh) != fmt.Sprint(wantNew) {
		t.Errorf("rows that went: %v, want %v; rows that came: %v, want %v", gone, wantGone, fresh, wantNew)
	}
	for _, zero := range []string{
		"SELECT count(*) FROM Customer WHERE Email = '" + luis + "'",
		"SELECT count(*) FROM Invoice WHERE CustomerId = 1 AND (BillingAddress IS NOT NULL OR BillingCity IS NOT NULL OR BillingState IS NOT NULL OR BillingPostalCode IS NOT NULL)",
		"SELECT count(*) FROM Invoice WHERE CustomerId = 1 AND InvoiceDate <= '" + cutoff + "'",
	} {
		if n := product.Count(t, q(zero)); n != 0 {
			t.Errorf("%s = %d", zero, n)
		}
	}
	m := p.Mail.Wait(luis, func(m apptest.Mail) bool {
		return strings.Contains(m.Text, receipt.Reference) && strings.Contains(m.Text, "five years")
	})
	if m.Token() != "" {
		t.Error("a letter at the end holds a verification link")
	}
}

const jane = "jane@chinookcorp.com"

// chinookEmployee erases somebody of the second kind that the map knows: the form asks nobody for their kind, so every
// kind is looked through. The 21 customers whom she advised stay, without an adviser, and the officer saw that number.
func chinookEmployee(t *testing.T, p *apptest.Program, product *apptest.Product) {
	t.Helper()
	e := product.Engine
	officer := p.Token("chinook", "officer", "olga")
	before := product.Snapshot(t)
	receipt := p.Submit("chinook", jane, "erasure")
	p.Verify("chinook", jane, receipt.Reference)
	r := p.WaitFor(officer, receipt.Reference, "erasure", "in_review", 20*time.Second)
	plan := p.PlanOf(officer, r.ID)
	unlinked := int64(0)
	for _, s := range plan.Steps {
		if s.Action == "unlink" {
			unlinked += s.Rows
		}
	}
	if unlinked != 21 {
		t.Errorf("the plan says that %d rows lose their reference, want 21: %+v", unlinked, plan.Steps)
	}
	p.Approve(officer, r.ID, plan.Digest)
	p.WaitFor(officer, receipt.Reference, "erasure", "fulfilled", 60*time.Second)
	after := product.Snapshot(t)
	gone, fresh := before.Gone(after), before.New(after)
	if gone[named(e, "Employee")] != 1 || gone[named(e, "Customer")] != 21 || len(gone) != 2 || fresh[named(e, "Customer")] != 21 || len(fresh) != 1 {
		t.Errorf("rows that went: %v; rows that came: %v", gone, fresh)
	}
	q := func(s string) string {
		if e == "postgres" {
			return snake(s)
		}
		return s
	}
	if n := product.Count(t, q("SELECT count(*) FROM Customer WHERE SupportRepId = 3")); n != 0 {
		t.Errorf("%d customers still name her", n)
	}
	twoKinds(t, p, product, officer)
}

// twoKinds gives a customer the address of an employee: nobody can tell by machine who asks, so a person must look, and
// nothing is handed over meanwhile.
func twoKinds(t *testing.T, p *apptest.Program, product *apptest.Product, officer string) {
	t.Helper()
	const nancy = "nancy@chinookcorp.com"
	q := "UPDATE Customer SET Email = '" + nancy + "' WHERE CustomerId = 5"
	if product.Engine == "postgres" {
		q = snake(q)
	}
	if _, err := product.DB.ExecContext(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	receipt := p.Submit("chinook", nancy, "access")
	p.Verify("chinook", nancy, receipt.Reference)
	p.Eventually(20*time.Second, "a person must look", func() (bool, string) {
		for _, r := range p.Find(officer, receipt.Reference) {
			if r.Status != "verifying" && r.Status != "in_review" {
				t.Fatalf("it is %s", r.Status)
			}
			if r.NeedsAttention == true {
				return true, ""
			}
		}
		return false, "not yet"
	})
}
