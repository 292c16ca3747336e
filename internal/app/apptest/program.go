package apptest

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver of the tests' own connections

	"github.com/habeas-data/habeas/internal/dsr"
)

// Footing is how the program stands: by itself, or on PostgreSQL and Redis.
type Footing string

// The footings.
const (
	Embedded   Footing = "embedded"
	Production Footing = "production"
)

var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "habeas-bin")
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "habeas")
	out, err := exec.Command("go", "build", "-o", bin, "github.com/habeas-data/habeas/cmd/habeas").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building the program: %w\n%s", err, out)
	}
	return bin, nil
})

// Binary gives the path of the built program.
func Binary(t testing.TB) string {
	t.Helper()
	bin, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// Program is a running installation.
type Program struct {
	t       testing.TB
	Footing Footing
	Dir     string   // data dir
	Env     []string // of every process
	URL     string
	Mail    *Mailbox
	Redis   string // URL on the production footing

	mu    sync.Mutex
	serve *Process
	extra []*Process
}

// Process is one running process of the program.
type Process struct {
	cmd    *exec.Cmd
	output *output
	done   chan struct{}
}

// output is a buffer that can be read while the process writes.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// Kill ends a process at once, as a power cut would.
func (p *Process) Kill() {
	_ = p.cmd.Process.Signal(syscall.SIGKILL)
	<-p.done
}

// Signal sends a signal.
func (p *Process) Signal(s os.Signal) { _ = p.cmd.Process.Signal(s) }

// Output is what the process printed so far; after Wait, all of it.
func (p *Process) Output() string { return p.output.String() }

// Wait waits for the process to end.
func (p *Process) Wait() { <-p.done }

// Options of a Program.
type Options struct {
	Footing Footing
	Tenants string   // HABEAS_TENANTS_DIR
	Env     []string // further settings and secrets
	Worker  bool     // on the production footing: `serve --worker=false` and one `worker`
}

// Start starts an installation and waits until it answers. Everything ends with the test.
func Start(t testing.TB, o Options) *Program {
	t.Helper()
	p := Prepare(t, o)
	p.StartServe(o.Footing != Production || !o.Worker)
	if o.Footing == Production && o.Worker {
		p.StartWorker()
	}
	return p
}

// Prepare makes an installation without starting it.
func Prepare(t testing.TB, o Options) *Program {
	t.Helper()
	p := &Program{t: t, Footing: o.Footing, Dir: t.TempDir(), Mail: NewMailbox(t)}
	port := FreePort(t)
	p.URL = fmt.Sprintf("http://127.0.0.1:%d", port)
	p.Env = append(cleanEnv(),
		"HABEAS_LISTEN=127.0.0.1:"+fmt.Sprint(port), "HABEAS_PUBLIC_URL="+p.URL, "HABEAS_DATA_DIR="+p.Dir,
		"HABEAS_SMTP_URL="+p.Mail.URL, "HABEAS_SWEEP=PT1S", "HABEAS_LOG=debug", "HABEAS_WEBHOOK_ALLOW_PRIVATE=true",
		"HABEAS_TENANTS_DIR="+o.Tenants)
	p.Env = append(p.Env, o.Env...)
	if o.Footing == Production {
		p.production()
	}
	t.Cleanup(p.stopAll)
	return p
}

func cleanEnv() []string {
	var out []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "HABEAS_") {
			out = append(out, kv)
		}
	}
	return out
}

// production makes a database of its own, lets the program set up its role, and takes a Redis database.
func (p *Program) production() {
	p.t.Helper()
	owner := NewDatabase(p.t)
	cmd := exec.Command(Binary(p.t), "migrate", "up", "--json")
	cmd.Env = append(append([]string(nil), p.Env...), "HABEAS_DATABASE_URL="+owner)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		p.t.Fatalf("migrate up: %v\n%s%s", err, out, stderr.String())
	}
	var got struct {
		DatabaseURL string `json:"database_url"`
	}
	if err := json.Unmarshal(out, &got); err != nil || got.DatabaseURL == "" {
		p.t.Fatalf("migrate up --json prints %q (%v)", out, err)
	}
	p.Redis = redisDatabase(p.t)
	p.Env = append(p.Env, "HABEAS_DATABASE_URL="+got.DatabaseURL, "HABEAS_REDIS_URL="+p.Redis)
}

var nextRedis atomic.Int32

// redisDatabase gives each installation a Redis database of its own, counting down from that of TEST_REDIS.
func redisDatabase(t testing.TB) string {
	t.Helper()
	u, err := url.Parse(env("TEST_REDIS", "redis://127.0.0.1:6379/15"))
	if err != nil {
		t.Fatal(err)
	}
	n := 15 - int(nextRedis.Add(1)-1)%12
	u.Path = "/" + strconv.Itoa(n)
	return u.String()
}

// NewDatabase makes a PostgreSQL database for one test and gives its owner's URL.
func NewDatabase(t testing.TB) string {
	t.Helper()
	admin := env("TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable")
	name := "habeas_e2e_" + strings.ReplaceAll(dsr.NewID()[19:], "-", "")
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
	return u.String()
}

func env(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

// FreePort gives a port that was free a moment ago.
func FreePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// StartServe starts `serve` and waits until it is ready.
func (p *Program) StartServe(workers bool) *Process {
	p.t.Helper()
	pr := p.Run("serve", fmt.Sprintf("--worker=%t", workers))
	p.mu.Lock()
	p.serve = pr
	p.mu.Unlock()
	p.Eventually(30*time.Second, "the program is ready", func() (bool, string) {
		select {
		case <-pr.done:
			p.t.Fatalf("serve ended:\n%s", pr.output.String())
		default:
		}
		res, err := http.Get(p.URL + "/readyz")
		if err != nil {
			return false, err.Error()
		}
		_ = res.Body.Close()
		return res.StatusCode == http.StatusOK, res.Status
	})
	return pr
}

// StartWorker starts a `worker`.
func (p *Program) StartWorker() *Process { return p.Run("worker") }

// Run starts the program with arguments.
func (p *Program) Run(args ...string) *Process {
	p.t.Helper()
	cmd := exec.Command(Binary(p.t), args...)
	cmd.Env = p.Env
	pr := &Process{cmd: cmd, output: &output{}, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = pr.output, pr.output
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	go func() {
		_ = cmd.Wait()
		close(pr.done)
	}()
	p.mu.Lock()
	p.extra = append(p.extra, pr)
	p.mu.Unlock()
	return pr
}

// Command runs a command of the program to its end and gives what it printed.
func (p *Program) Command(args ...string) (stdout string, code int) {
	p.t.Helper()
	cmd := exec.Command(Binary(p.t), args...)
	cmd.Env = p.Env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil && cmd.ProcessState == nil {
		p.t.Fatal(err)
	}
	if cmd.ProcessState.ExitCode() != 0 {
		p.t.Logf("habeas %s: %s", strings.Join(args, " "), stderr.String())
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func (p *Program) stopAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, pr := range p.extra {
		select {
		case <-pr.done:
		default:
			pr.Signal(syscall.SIGTERM)
			select {
			case <-pr.done:
			case <-time.After(40 * time.Second):
				pr.Kill()
				p.t.Error("a process did not end after SIGTERM")
			}
		}
		if p.t.Failed() {
			p.t.Logf("output of %v:\n%s", pr.cmd.Args[1:], tail(pr.output.String(), 8000))
		}
	}
}

func tail(s string, n int) string {
	if len(s) > n {
		return "…" + s[len(s)-n:]
	}
	return s
}

// Eventually waits until cond holds, looking every 50 ms.
func (p *Program) Eventually(within time.Duration, what string, cond func() (bool, string)) {
	p.t.Helper()
	deadline := time.Now().Add(within)
	last := ""
	for {
		ok, state := cond()
		if ok {
			return
		}
		last = state
		if time.Now().After(deadline) {
			p.t.Fatalf("not within %s: %s (%s)", within, what, last)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
