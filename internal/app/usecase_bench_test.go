package app_test

import (
	"archive/zip"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/app"
	"github.com/habeas-data/habeas/internal/app/apptest"
	"github.com/habeas-data/habeas/internal/app/demoshop"
	"github.com/habeas-data/habeas/internal/auditlog"
	"github.com/habeas-data/habeas/internal/config"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/fulfill"
	"github.com/habeas-data/habeas/internal/intake"
	"github.com/habeas-data/habeas/internal/statute"
	"github.com/habeas-data/habeas/internal/store"
	"github.com/habeas-data/habeas/internal/tenant"
)

// The bench runs the use cases on real parts (store, connector, blobs, letters) over the generated shop, without HTTP
// and without a queue: the test holds the clock, and Drain does what is due.

const demo = dsr.TenantID(demoshop.Tenant)

// benchStart is a Monday morning; the shop's rows count back from it.
func benchStart() time.Time { return time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC) }

// shopFile is the shop, generated once for all tests of the package: each test works on a copy.
var shopFile = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "habeas-shop")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	path := filepath.Join(dir, "shop.sqlite")
	if err := demoshop.Generate(context.Background(), path, statute.DateOf(benchStart())); err != nil {
		return nil, err
	}
	return os.ReadFile(path) //nolint:gosec // our own path
})

// benchClock is the time as the test has it. Each look moves it a microsecond, as a real one would.
type benchClock struct {
	mu  sync.Mutex
	now time.Time
	// broken, when set, is asked at each look: the process dies there.
	broken func() bool
}

func (c *benchClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != nil && c.broken() {
		panic(benchDeath)
	}
	c.now = c.now.Add(time.Microsecond)
	return c.now
}

const benchDeath = "the process died here"

func (c *benchClock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func (c *benchClock) set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = at
}

type bench struct {
	*testing.T
	ctx   context.Context
	app   *app.App
	clock *benchClock
	dir   string // data dir
	shop  *apptest.Product
	cfg   *config.Config
	logs  *bytes.Buffer
	edits []string // of the policy, old and new in turn

	public, officer, approver, second, auditor, admin, product access.Principal
}

// newBench opens the program on a fresh data dir and a fresh copy of the shop. edits replace texts in the policy.
func newBench(t *testing.T, edits ...string) *bench {
	t.Helper()
	content, err := shopFile()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "shop.sqlite")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	b := &bench{T: t, ctx: t.Context(), clock: &benchClock{now: benchStart()}, dir: filepath.Join(dir, "data"), logs: &bytes.Buffer{}}
	b.shop = apptest.OpenSQLite(t, path)
	b.cfg, err = config.Load([]string{"HABEAS_DATA_DIR=" + b.dir, "HABEAS_WEBHOOK_ALLOW_PRIVATE=true"}, nil)
	b.must(err)
	b.principals()
	b.open()
	b.apply(append([]string{"grace: PT8S", "grace: P14D"}, edits...)...)
	return b
}

func (b *bench) principals() {
	officer := func(sub string, roles ...access.Role) access.Principal {
		return access.Principal{Kind: access.KindOfficer, Tenant: demoshop.Tenant, Subject: sub, Roles: roles, Via: access.ViaJWT}
	}
	b.public = access.Principal{Kind: access.KindPublic, Tenant: demoshop.Tenant}
	b.officer, b.second = officer("olga", access.RoleOfficer), officer("otto", access.RoleOfficer)
	b.approver, b.auditor = officer("ada", access.RoleApprover), officer("aldo", access.RoleAuditor)
	b.admin = officer("amy", access.RoleAdmin)
	b.product = access.Principal{Kind: access.KindProduct, Tenant: demoshop.Tenant, Subject: "shop-backend", Roles: []access.Role{access.RoleProduct}, Via: access.ViaJWT}
}

// open opens the program; again after a death, on the same data.
func (b *bench) open() {
	b.Helper()
	a, err := app.Open(b.ctx, b.cfg, app.Options{Now: b.clock.Now, Log: slog.New(slog.NewTextHandler(b.logs, nil)), Getenv: func(string) string { return "" }})
	b.must(err)
	b.app = a
	b.Cleanup(func() { _ = a.Close() }) // a test may have closed it
}

func (b *bench) apply(edits ...string) tenant.Applied {
	b.Helper()
	b.edits = edits
	return b.applyMap()
}

// applyMap applies the files with the policy's edits as they were, and edits of the map.
func (b *bench) applyMap(edits ...string) tenant.Applied {
	b.Helper()
	edited := func(text string, edits []string) []byte {
		for i := 0; i < len(edits); i += 2 {
			if !strings.Contains(text, edits[i]) {
				b.Fatalf("the file does not hold %q", edits[i])
			}
			text = strings.Replace(text, edits[i], edits[i+1], 1)
		}
		return []byte(text)
	}
	applied, problems, err := b.app.Tenants.Apply(b.ctx, tenant.Files{PolicyName: "policy.yaml", MapName: "datamap.yaml", Policy: edited(string(demoshop.PolicyYAML()), b.edits),
		Map: edited(string(demoshop.DataMapYAML(b.shop.DSN)), edits)}, auditlog.Actor{Kind: string(access.KindSystem)})
	b.must(err)
	if tenant.Wrong(problems) {
		b.Fatalf("the tenant's files: %v", problems)
	}
	return applied
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// drain does everything that is due now.
func (b *bench) drain() {
	b.Helper()
	n, err := b.app.Drain(b.ctx, 5000)
	b.must(err)
	if n == 5000 {
		b.Fatal("the work never ends")
	}
}

// pass lets time go by, and the work of that time be done in its order.
func (b *bench) pass(d time.Duration) {
	b.Helper()
	b.clock.add(d)
	b.drain()
}

// settle lets a minute go by in small steps, so that what is tried again after seconds is tried.
func (b *bench) settle() {
	b.Helper()
	for range 4 {
		b.pass(time.Minute)
	}
}

// until lets days go by until a day has come.
func (b *bench) until(day time.Time, each func()) {
	b.Helper()
	for b.clock.Now().Before(day) {
		b.pass(24 * time.Hour)
		if each != nil {
			each()
		}
	}
}

func (b *bench) submit(p access.Principal, in intake.Input) intake.Receipt {
	b.Helper()
	r, err := b.app.Intake.Submit(b.ctx, p, demo, in)
	b.must(err)
	return r
}

// ask submits at the form, proves by the link and gives the receipt and the person's principal.
func (b *bench) ask(email string, rights ...string) (intake.Receipt, access.Principal) {
	b.Helper()
	return b.askWith(intake.Input{Email: email, Types: rights})
}

func (b *bench) askWith(in intake.Input) (intake.Receipt, access.Principal) {
	b.Helper()
	r := b.submit(b.public, in)
	b.drain()
	p := b.prove(r)
	b.drain()
	return r, p
}

func (b *bench) prove(r intake.Receipt) access.Principal {
	b.Helper()
	session, err := b.app.Verify.RedeemLink(b.ctx, demo, b.link(r.Submission))
	b.must(err)
	p, err := b.app.Verify.Person(b.ctx, demo, string(r.Reference), session.AccessToken)
	b.must(err)
	return p
}

// mails gives all letters of the tenant, oldest first.
func (b *bench) mails() []store.OutMail {
	b.Helper()
	var out []store.OutMail
	for cursor := ""; ; {
		items, next, err := b.app.Oversee.Mailbox(b.ctx, b.officer, cursor)
		b.must(err)
		out = append(out, items...)
		if cursor = next; next == "" {
			slices.Reverse(out)
			return out
		}
	}
}

func (b *bench) mailsOf(sub dsr.SubmissionID, kind string) []store.OutMail {
	b.Helper()
	return slices.DeleteFunc(b.mails(), func(m store.OutMail) bool { return m.Submission != sub || kind != "" && m.Kind != kind })
}

func (b *bench) wantMails(r intake.Receipt, kind string, n int) []store.OutMail {
	b.Helper()
	got := b.mailsOf(r.Submission, kind)
	if len(got) != n {
		b.Errorf("%d letters of kind %s, want %d", len(got), kind, n)
	}
	return got
}

// link gives the token of the newest verification mail of a submission.
func (b *bench) link(sub dsr.SubmissionID) string {
	b.Helper()
	token := ""
	for _, m := range b.mailsOf(sub, "") {
		if found := regexp.MustCompile(`(?m)^\s*http\S+/verify\?token=([A-Za-z0-9_-]{22,})\s*$`).FindStringSubmatch(m.Text); found != nil {
			token = found[1]
		}
	}
	if token == "" {
		b.Fatal("no verification link was mailed")
	}
	return token
}

// of gives the request of a right.
func (b *bench) of(r intake.Receipt, right string) dsr.Request {
	b.Helper()
	for _, q := range r.Requests {
		if string(q.Right) == right {
			v := b.view(q.ID)
			return v.Request
		}
	}
	b.Fatalf("no request of type %s", right)
	return dsr.Request{}
}

func (b *bench) view(id dsr.RequestID) fulfill.OfficerView {
	b.Helper()
	v, err := b.app.Fulfill.Request(b.ctx, b.officer, id)
	b.must(err)
	return v
}

func (b *bench) want(r intake.Receipt, right string, status dsr.Status) dsr.Request {
	b.Helper()
	q := b.of(r, right)
	if q.Status != status {
		b.Fatalf("the request for %s is %s (attention %q, stage %q), want %s\n%s", right, q.Status, q.NeedsAttention, q.Stage, status, b.logs)
	}
	return q
}

// approve approves the plan as it stands.
func (b *bench) approve(r intake.Receipt, right string) {
	b.Helper()
	q := b.want(r, right, dsr.StatusInReview)
	if _, err := b.app.Fulfill.Approve(b.ctx, b.officer, q.ID, q.PlanDigest, ""); err != nil {
		b.Fatalf("approving %s: %v", right, err)
	}
	b.drain()
}

// refuses fails unless the error is of the kind and, when code is given, has the code.
func (b *bench) refuses(err error, kind fault.Kind, code string) {
	b.Helper()
	if !fault.Is(err, kind) {
		b.Errorf("got %v, want a refusal of kind %v", err, kind)
		return
	}
	if e, _ := fault.As(err); code != "" && e.Code != code {
		b.Errorf("got code %s, want %s", e.Code, code)
	}
}

// untouched fails when the product's database is not as it was.
func (b *bench) untouched(before apptest.Snapshot, when string) {
	b.Helper()
	after := b.shop.Snapshot(b.T)
	if gone, fresh := before.Gone(after), before.New(after); len(gone)+len(fresh) > 0 {
		b.Fatalf("%s: rows went: %v, came: %v", when, gone, fresh)
	}
}

// code mails a download code and reads it.
func (b *bench) code(r intake.Receipt, p access.Principal) string {
	b.Helper()
	b.must(b.app.Fulfill.SendDownloadCode(b.ctx, p, r.Reference))
	b.drain()
	mails := b.mailsOf(r.Submission, "download_code")
	if len(mails) == 0 {
		b.Fatal("no code was mailed")
	}
	codes := regexp.MustCompile(`\b\d{6}\b`).FindAllString(mails[len(mails)-1].Text, -1)
	if len(codes) != 1 {
		b.Fatalf("the mail holds %d six-digit numbers, want one", len(codes))
	}
	return codes[0]
}

// fetch downloads a package and opens it.
func (b *bench) fetch(r intake.Receipt, p access.Principal, right string) *zip.Reader {
	b.Helper()
	d, err := b.app.Fulfill.Download(b.ctx, p, r.Reference, b.code(r, p), right)
	b.must(err)
	content, err := io.ReadAll(d.Stream)
	b.must(err)
	b.must(d.Stream.Close())
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	b.must(err)
	return z
}

// rowsOf gives the rows of each table of the shop in a package.
func (b *bench) rowsOf(z *zip.Reader) map[string][]map[string]any {
	b.Helper()
	out := map[string][]map[string]any{}
	for _, f := range z.File {
		name, ok := strings.CutPrefix(f.Name, "data/shop/")
		if !ok {
			continue
		}
		content, err := readZip(f)
		b.must(err)
		dec := json.NewDecoder(bytes.NewReader(content))
		dec.UseNumber()
		var rows []map[string]any
		b.must(dec.Decode(&rows))
		out[strings.TrimSuffix(name, ".json")] = rows
	}
	return out
}

func readZip(f *zip.File) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// leaves counts the entries of the log by action and outcome.
func (b *bench) leaves() map[string]int {
	b.Helper()
	out := map[string]int{}
	for _, e := range b.entries() {
		out[e.Entry.Action+"/"+string(e.Entry.Outcome)]++
	}
	return out
}

func (b *bench) entries() []store.AuditRecord {
	b.Helper()
	b.drain()
	var out []store.AuditRecord
	f := store.AuditFilter{Limit: 200}
	for {
		items, next, err := b.app.Oversee.Entries(b.ctx, b.auditor, f)
		b.must(err)
		out = append(out, items...)
		if f.Cursor = next; next == "" {
			return out
		}
	}
}

// own opens the program's own database beside it.
func (b *bench) own() *sql.DB {
	b.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(b.dir, "habeas.db")+"?_pragma=busy_timeout(10000)")
	b.must(err)
	b.Cleanup(func() { _ = db.Close() })
	return db
}

func (b *bench) exec(query string, args ...any) {
	b.Helper()
	if _, err := b.shop.DB.ExecContext(b.ctx, query, args...); err != nil {
		b.Fatalf("%s: %v", query, err)
	}
}

// keys gives the first column of a query as sorted texts.
func (b *bench) keys(query string, args ...any) []string {
	b.Helper()
	rows, err := b.shop.DB.QueryContext(b.ctx, query, args...)
	b.must(err)
	defer rows.Close()
	var out []string
	for rows.Next() {
		var k string
		b.must(rows.Scan(&k))
		out = append(out, k)
	}
	b.must(rows.Err())
	slices.Sort(out)
	return out
}

func (b *bench) customer(email string) int {
	b.Helper()
	return b.shop.Count(b.T, "SELECT customer_id FROM customer WHERE email = ?", email)
}

func statuteDay(at time.Time) statute.Date { return statute.DateOf(at) }

func stringOf(v any) string {
	switch x := v.(type) {
	case json.Number:
		return x.String()
	case string:
		return x
	}
	return fmt.Sprint(v)
}

func fulfillFilter() fulfill.Filter { return fulfill.Filter{Limit: 100} }

func message(body string) fulfill.Message { return fulfill.Message{Body: body} }
