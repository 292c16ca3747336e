package main

import (
	"bytes"
	"context"
	"database/sql"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver of the tests' own connections

	"github.com/habeas-data/habeas/internal/dsr"
)

// process is a command that stays up.
type process struct {
	cmd  *exec.Cmd
	mu   sync.Mutex
	text bytes.Buffer
	done chan struct{}
}

func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *process) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

func start(t *testing.T, dir string, env []string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(binary, args...), done: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env = dir, append(without("HABEAS_"), env...)
	p.cmd.Stdout, p.cmd.Stderr = p, p
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.done
	})
	return p
}

// finds waits until the output matches, and gives the first group.
func (p *process) finds(t *testing.T, pattern string, within time.Duration) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	deadline := time.Now().Add(within)
	for time.Now().Before(deadline) {
		if m := re.FindStringSubmatch(p.output()); m != nil {
			return m[1]
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("no %s within %s:\n%s", pattern, within, p.output())
	return ""
}

// stops sends a signal and wants the process to end well.
func (p *process) stops(t *testing.T, s os.Signal, within time.Duration) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.done:
	case <-time.After(within):
		t.Fatalf("it does not end after %s:\n%s", s, p.output())
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d after %s:\n%s", code, s, p.output())
	}
}

func tenants(t *testing.T, policy string) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir+"/demo/policy.yaml", policy)
	return dir
}

func TestServe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := start(t, dir, nil, "serve", "--listen", "127.0.0.1:0", "--tenants-dir", tenants(t, demoPolicy()))
	base := p.finds(t, `listening on (http://127\.0\.0\.1:\d+)`, 20*time.Second)
	link := p.finds(t, `sign in to the console of demo \(once[^)]*\): (\S+)`, time.Second)
	if !regexp.MustCompile(`/console/sign-in\?token=demo\.[A-Za-z0-9_-]{22,}$`).MatchString(link) {
		t.Errorf("the link is %s", link)
	}
	res, err := http.Get(base + "/readyz")
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("readyz: %v, %v", res, err)
	}
	_ = res.Body.Close()

	// Beside it: reading works, a second writer does not.
	r := habeas(t, dir, nil, "tenant", "list").want(t, 0)
	if !strings.Contains(r.stdout, "demo") {
		t.Errorf("tenant list prints %q", r.stdout)
	}
	habeas(t, dir, nil, "token", "--tenant", "demo", "--role", "officer").want(t, 0)
	habeas(t, dir, nil, "serve", "--listen", "127.0.0.1:0").want(t, 1, "data directory")
	habeas(t, dir, nil, "map", "check").want(t, 1, "no data map")
	p.stops(t, syscall.SIGTERM, 30*time.Second)

	// The same files again change nothing, and a taken address is told.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	habeas(t, dir, nil, "serve", "--listen", l.Addr().String()).want(t, 1, "HABEAS_LISTEN", l.Addr().String())
}

func TestServeRefusesBadTenant(t *testing.T) {
	t.Parallel()
	bad := tenants(t, strings.Replace(demoPolicy(), "grace: PT8S", "grace: soon", 1))
	r := habeas(t, t.TempDir(), []string{"HABEAS_LISTEN=127.0.0.1:0", "HABEAS_TENANTS_DIR=" + bad}, "serve").want(t, 1)
	if !regexp.MustCompile(`(?m)^\S+/demo/policy\.yaml:\d+:\d+: "soon"`).MatchString(r.stderr) {
		t.Errorf("no place in\n%s", r.stderr)
	}
}

func TestTenantApply(t *testing.T) {
	t.Parallel()
	dir, files := t.TempDir(), tenants(t, demoPolicy())+"/demo"
	v := habeas(t, dir, nil, "tenant", "apply", files, "--json").want(t, 0).object(t)
	if v["tenant"] != "demo" || v["version"] != 1.0 || v["created"] != true || v["changed"] != true {
		t.Errorf("the first time: %v", v)
	}
	if v := habeas(t, dir, nil, "tenant", "apply", files, "--json").want(t, 0).object(t); v["version"] != 1.0 || v["changed"] != false {
		t.Errorf("the same again: %v", v)
	}
	write(t, files+"/policy.yaml", strings.Replace(demoPolicy(), "keep: P3Y", "keep: P2Y", 1))
	r := habeas(t, dir, nil, "tenant", "apply", files).want(t, 0)
	if !strings.Contains(r.stdout, "version 2") || !strings.Contains(r.stdout, "P3Y → P2Y") {
		t.Errorf("a change prints %q", r.stdout)
	}
	write(t, files+"/policy.yaml", "tenant: demo\n")
	habeas(t, dir, nil, "tenant", "apply", files).want(t, 1, "/policy.yaml:")
	if v := habeas(t, dir, nil, "audit", "verify", "--json").want(t, 0).object(t); v["ok"] != true || v["size"] != 2.0 {
		t.Errorf("the log after two versions: %v", v)
	}
	auditOffline(t, dir)
}

// auditOffline takes the log elsewhere, and changes it there.
func auditOffline(t *testing.T, dir string) {
	t.Helper()
	stored := habeas(t, dir, nil, "audit", "verify", "--json").want(t, 0).object(t)
	key := stored["key"].(string)
	head := write(t, dir+"/head", stored["head"].(string))
	file := dir + "/log.ndjson"
	habeas(t, dir, nil, "audit", "export", "--file", file).want(t, 0)
	habeas(t, dir, nil, "audit", "verify", "--file", file, "--key", key, "--anchor", head).want(t, 0)
	if v := habeas(t, dir, nil, "audit", "prove", "--file", file, "--entry", "1", "--json").want(t, 0).object(t); v["kind"] != "inclusion" || v["root"] != stored["root"] {
		t.Errorf("the proof is %v", v)
	}
	if v := habeas(t, dir, nil, "audit", "prove", "--from", "1", "--json").want(t, 0).object(t); v["kind"] != "consistency" || v["from"] != 1.0 {
		t.Errorf("the proof is %v", v)
	}
	habeas(t, dir, nil, "audit", "prove", "--entry", "2").want(t, 2, "--entry")
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(content), "\n")
	changed := write(t, dir+"/changed.ndjson", lines[0]+lines[1]+strings.Replace(lines[2], "tenant.apply", "tenant.spare", 1))
	habeas(t, dir, nil, "audit", "verify", "--file", changed).want(t, 1, "first bad entry is 1")
	if v := habeas(t, dir, nil, "audit", "verify", "--file", changed, "--json").want(t, 1).object(t); v["ok"] != false || v["first_bad"] != 1.0 {
		t.Errorf("--json prints %v", v)
	}
	habeas(t, dir, nil, "audit", "verify", "--file", write(t, dir+"/cut.ndjson", lines[0]+lines[1])).want(t, 1)
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if v := habeas(t, dir, nil, "migrate", "up", "--json").want(t, 0).object(t); v["database_url"] != "" || v["to"].(float64) < 1 {
		t.Errorf("embedded: %v", v)
	}
	owner, name := newDatabase(t)
	// What serve would refuse is no business of a migration.
	env := []string{"HABEAS_DATABASE_URL=" + owner, "HABEAS_PUBLIC_URL=https://privacy.example.com", "HABEAS_LISTEN=0.0.0.0:8080", "HABEAS_DATA_DIR=/nonexistent/x"}
	if v := habeas(t, dir, env, "migrate", "status", "--json").want(t, 0).object(t); v["up_to_date"] != false {
		t.Errorf("before: %v", v)
	}
	first := habeas(t, dir, env, "migrate", "up", "--json").want(t, 0).object(t)
	again := habeas(t, dir, env, "migrate", "up", "--json").want(t, 0).object(t)
	u, err := url.Parse(first["database_url"].(string))
	if err != nil || u.User.Username() != name+"_app" || u.Query().Get("sslmode") != "disable" || u.Path != "/"+name {
		t.Errorf("the URL is %v, %v", first["database_url"], err)
	}
	if again["database_url"] != first["database_url"] || len(again["applied"].([]any)) != 0 {
		t.Errorf("again: %v", again)
	}
	if v := habeas(t, dir, env, "migrate", "status", "--json").want(t, 0).object(t); v["up_to_date"] != true {
		t.Errorf("after: %v", v)
	}
	if r := habeas(t, dir, env, "migrate", "up").want(t, 0); !strings.Contains(r.stdout, "\nHABEAS_DATABASE_URL="+u.String()+"\n") {
		t.Errorf("prints %q", r.stdout)
	}
	habeas(t, dir, nil, "migrate", "up", "--database-url", "mysql://x/y").want(t, 2, "HABEAS_DATABASE_URL")
	habeas(t, dir, []string{"HABEAS_DATBASE_URL=x"}, "migrate", "up").want(t, 2, "HABEAS_DATBASE_URL")
}

// TestOldSchema holds that serve names the command to run.
func TestOldSchema(t *testing.T) {
	t.Parallel()
	owner, _ := newDatabase(t)
	habeas(t, t.TempDir(), []string{"HABEAS_DATABASE_URL=" + owner, "HABEAS_LISTEN=127.0.0.1:0"}, "serve").want(t, 1, "habeas migrate up")
}

func newDatabase(t *testing.T) (ownerURL, name string) {
	t.Helper()
	admin := os.Getenv("TEST_POSTGRES")
	if admin == "" {
		admin = "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable"
	}
	name = "habeas_cmd_" + strings.ReplaceAll(dsr.NewID()[19:], "-", "")
	db, err := sql.Open("pgx", admin)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	if _, err := db.ExecContext(ctx, "CREATE DATABASE "+name); err != nil {
		t.Fatalf("PostgreSQL is needed at TEST_POSTGRES: %v", err)
	}
	t.Cleanup(func() {
		_, _ = db.ExecContext(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
		for _, suffix := range []string{"_app", "_sweeper"} {
			_, _ = db.ExecContext(ctx, "DROP ROLE IF EXISTS "+name+suffix)
		}
		_ = db.Close()
	})
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String(), name
}

// TestDemo runs the walk-through, then looks at what it left with the commands that read.
func TestDemo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := habeas(t, dir, []string{"HABEAS_DATABASE_URL=nonsense"}, "demo", "--exit", "--listen", "127.0.0.1:0", "--data-dir", dir).want(t, 0)
	if strings.Contains(r.stdout, "✗") || strings.Contains(r.stdout, "\x1b") || !strings.Contains(r.stdout, "Every step held") {
		t.Errorf("it prints\n%s", r.stdout)
	}
	data := []string{"HABEAS_DATA_DIR=" + filepath.Join(dir, "habeas")}
	references := regexp.MustCompile(`reference (HB-\w{4}-\w{4})`).FindAllStringSubmatch(r.stdout, -1)
	if len(references) != 2 {
		t.Fatalf("%d references", len(references))
	}
	if v := habeas(t, dir, data, "plan", references[0][1], "--json").want(t, 0).object(t); v["type"] != "access" || len(v["steps"].([]any)) < 15 {
		t.Errorf("the plan of the access request: %v", v)
	}
	if r := habeas(t, dir, data, "plan", strings.ToLower(references[0][1])).want(t, 0); !strings.Contains(r.stdout, "payment_method") {
		t.Errorf("the plan prints %q", r.stdout)
	}
	habeas(t, dir, data, "audit", "verify", "--tenant", "demo").want(t, 0)
	habeas(t, dir, data, "map", "check", "--tenant", "demo").want(t, 0)
	habeas(t, dir, data, "demo", "--exit", "--listen", "127.0.0.1:0", "--data-dir", dir).want(t, 1, "ran before")
}

// TestDemoStaysUp holds that the first page is there soon, and that Ctrl-C leaves nothing behind.
func TestDemoStaysUp(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := start(t, dir, []string{"TMPDIR=" + dir}, "demo", "--listen", "127.0.0.1:0")
	base := p.finds(t, `serving +(http://localhost:\d+) `, 10*time.Second)
	res, err := http.Get(strings.Replace(base, "localhost", "127.0.0.1", 1) + "/v1/public/demo")
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("the form: %v, %v", res, err)
	}
	_ = res.Body.Close()
	if form := p.finds(t, `\n +form +(http\S+)\n`, time.Minute); form != base+"/demo" {
		t.Errorf("the form is said to be at %s", form)
	}
	signIn := p.finds(t, `(/console/sign-in\?token=demo\.\S+) \(once\)`, time.Second)
	status := p.finds(t, `\n +status page +http://localhost:\d+(/demo/r/HB-\S+)\n`, time.Second)
	for _, path := range []string{"/demo", status, signIn, "/console/mailbox", "/docs", "/openapi.yaml"} {
		res, err := http.Get(strings.Replace(base, "localhost", "127.0.0.1", 1) + path)
		if err != nil {
			t.Fatal(err)
		}
		if _ = res.Body.Close(); res.StatusCode != http.StatusOK {
			t.Errorf("%s answers %s", path, res.Status)
		}
	}
	p.stops(t, os.Interrupt, 30*time.Second)
	untouched(t, dir)
}
