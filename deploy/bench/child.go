package main

import (
	"bufio"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/app"
	"github.com/habeas-data/habeas/internal/auditlog"
	"github.com/habeas-data/habeas/internal/blob"
	"github.com/habeas-data/habeas/internal/config"
	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fulfill"
	"github.com/habeas-data/habeas/internal/intake"
	"github.com/habeas-data/habeas/internal/notify"
	"github.com/habeas-data/habeas/internal/plan"
	"github.com/habeas-data/habeas/internal/tenant"
	"github.com/habeas-data/habeas/internal/webhook"
)

//go:embed tenant
var tenantFiles embed.FS

const tenantID = dsr.TenantID("bench")

// job says what a child process does.
type job struct {
	DSN     string
	Kind    string
	Right   string // access, erasure
	Email   string
	Plan    bool   // no further than the plan
	Wait    bool   // say so once approved, and go on at a line on stdin
	Repeat  int    // plans are made anew so often
	Profile string // the beginning of the names of its profiles; none when empty
}

// outcome is what a child measured.
type outcome struct {
	Spans   []span
	Rows    int64 // that the plan speaks of
	Bytes   int64 // of the sealed package
	PeakRSS int64 // bytes, of the whole process
}

// span is one timed part of the work.
type span struct {
	Name       string
	Begin, End time.Time
	Outside    time.Duration // spent in the caller's own records
}

func (s span) took() time.Duration { return s.End.Sub(s.Begin) }

// took gives the durations of all parts of a name.
func (o outcome) took(name string) []time.Duration {
	var out []time.Duration
	for _, s := range o.Spans {
		if s.Name == name {
			out = append(out, s.took())
		}
	}
	return out
}

// last gives the last part of a name.
func (o outcome) last(name string) span {
	for i := len(o.Spans) - 1; i >= 0; i-- {
		if o.Spans[i].Name == name {
			return o.Spans[i]
		}
	}
	return span{}
}

// first gives the first part of a name.
func (o outcome) first(name string) span {
	for _, s := range o.Spans {
		if s.Name == name {
			return s
		}
	}
	return span{}
}

// runner carries one request through the program's own parts.
type runner struct {
	app   *app.App
	spans []span
	bytes int64
}

func (r *runner) time(name string, fn func() error) error {
	began := time.Now()
	err := fn()
	r.spans = append(r.spans, span{Name: name, Begin: began, End: time.Now()})
	return err
}

// child does the job and writes its outcome to stdout.
func child(ctx context.Context, raw string) error {
	var j job
	if err := json.Unmarshal([]byte(raw), &j); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "habeas-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	r := &runner{}
	if err := r.open(ctx, dir, j); err != nil {
		return err
	}
	defer r.app.Close()
	end, err := profile(j.Profile)
	if err != nil {
		return err
	}
	rows, err := r.carry(ctx, j)
	if err = errors.Join(err, end()); err != nil {
		return err
	}
	peak, err := peakRSS("self")
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(outcome{Spans: r.spans, Rows: rows, Bytes: r.bytes, PeakRSS: peak})
}

// open wires the program on a fresh data dir. The parts are the program's own; the systems and the file store are
// timed where they are called.
func (r *runner) open(ctx context.Context, dir string, j job) error {
	cfg, err := config.Load([]string{"HABEAS_DATA_DIR=" + dir}, nil)
	if err != nil {
		return err
	}
	getenv := func(name string) string {
		if name == "BENCH_DSN" {
			return j.DSN
		}
		return ""
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	if r.app, err = app.Open(ctx, cfg, app.Options{Log: log, Getenv: getenv}); err != nil {
		return err
	}
	blobs, err := blob.Open(cfg.BlobURL)
	if err != nil {
		return err
	}
	outbox, err := notify.NewOutbox(cfg.PublicURL, r.app.Book)
	if err != nil {
		return err
	}
	opener := func(ctx context.Context, sys *datamap.System, getenv func(string) string) (connector.System, error) {
		return openTimed(ctx, r, sys, getenv)
	}
	kind := datamap.Kind(j.Kind)
	r.app.Fulfill = fulfill.New(fulfill.Deps{Store: r.app.Store, Tenants: r.app.Tenants, Book: r.app.Book,
		Systems: connector.NewPool(connector.Registry{kind: opener}, getenv), Blobs: timedBlobs{blobs, r},
		Outbox: outbox, Events: webhook.NewEvents(), Asker: r.app.Verify, Log: log, Now: r.app.Now})
	policy, err := tenantFiles.ReadFile("tenant/policy.yaml")
	if err != nil {
		return err
	}
	dataMap, err := mapFor(j.Kind)
	if err != nil {
		return err
	}
	_, problems, err := r.app.Tenants.Apply(ctx, tenant.Files{PolicyName: "policy.yaml", MapName: "datamap.yaml", Policy: policy, Map: dataMap},
		auditlog.Actor{Kind: string(access.KindSystem)})
	if err == nil && tenant.Wrong(problems) {
		err = fmt.Errorf("the tenant's files: %v", problems)
	}
	return err
}

// mapFor gives the data map for an engine.
func mapFor(kind string) ([]byte, error) {
	raw, err := tenantFiles.ReadFile("tenant/datamap.yaml")
	return []byte(strings.Replace(string(raw), "KIND", kind, 1)), err
}

// carry submits the request as the product's backend, approves its plan as an officer, and advances it to its end.
func (r *runner) carry(ctx context.Context, j job) (int64, error) {
	product := access.Principal{Kind: access.KindProduct, Tenant: string(tenantID), Subject: "shop", Roles: []access.Role{access.RoleProduct}, Via: access.ViaJWT}
	officer := access.Principal{Kind: access.KindOfficer, Tenant: string(tenantID), Subject: "olga", Roles: []access.Role{access.RoleOfficer}, Via: access.ViaJWT}
	receipt, err := r.app.Intake.Submit(ctx, product, tenantID, intake.Input{Types: []string{j.Right}, Email: j.Email,
		Assertion: &intake.Assertion{Method: "product_session", AuthenticatedAt: time.Now().Add(-time.Minute)}})
	if err != nil {
		return 0, err
	}
	id, approved := receipt.Requests[0].ID, false
	for range 50 {
		v, err := r.app.Fulfill.Request(ctx, officer, id)
		if err != nil {
			return 0, err
		}
		q := v.Request
		switch {
		case q.NeedsAttention != "":
			return 0, fmt.Errorf("the request needs attention: %s (findings %v)", q.NeedsAttention, v.Findings)
		case q.Status == dsr.StatusFulfilled, q.Status == dsr.StatusInReview && v.Plan != nil && j.Plan:
			return rowsOf(v.Plan), r.again(ctx, officer, id, j)
		case q.Status == dsr.StatusInReview && v.Plan != nil && !approved:
			if _, err := r.app.Fulfill.Approve(ctx, officer, id, q.PlanDigest, ""); err != nil {
				return 0, err
			}
			approved = true
			if j.Wait {
				fmt.Fprintln(os.Stdout, "approved")
				if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
					return 0, fmt.Errorf("waiting for the word to go on: %w", err)
				}
			}
		default:
			name := string(q.Status) + "/" + string(q.Stage)
			if err := r.time(name, func() error { return r.app.Fulfill.Advance(ctx, tenantID, id) }); err != nil {
				return 0, err
			}
		}
	}
	return 0, fmt.Errorf("the request does not come to its end")
}

func rowsOf(p *plan.Plan) (rows int64) {
	for _, s := range p.Steps {
		rows += s.Rows
	}
	return rows
}

// again makes the plan anew, for the medians.
func (r *runner) again(ctx context.Context, officer access.Principal, id dsr.RequestID, j job) error {
	for i := 1; i < j.Repeat; i++ {
		if _, err := r.app.Fulfill.Foresee(ctx, officer, id); err != nil {
			return err
		}
	}
	return nil
}

// peakRSS reads the high-water mark of a process's resident memory.
func peakRSS(pid string) (int64, error) {
	raw, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(raw)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "VmHWM:" {
			kb, err := strconv.ParseInt(f[1], 10, 64)
			return kb << 10, err
		}
	}
	return 0, fmt.Errorf("/proc/%s/status has no VmHWM", pid)
}

// timedBlobs times what is put and counted into the file store: a package is put from its first byte to its last,
// and what the next package is compared with comes after it.
type timedBlobs struct {
	blob.Store
	r *runner
}

func (b timedBlobs) Put(ctx context.Context, key string, in io.Reader) (n int64, err error) {
	err = b.r.time("write", func() error {
		n, err = b.Store.Put(ctx, key, in)
		return err
	})
	b.r.bytes = n
	return n, err
}
