package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/app"
	"github.com/habeas-data/habeas/internal/app/apptest"
	"github.com/habeas-data/habeas/internal/app/demoshop"
	"github.com/habeas-data/habeas/internal/config"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/intake"
	"github.com/habeas-data/habeas/internal/statute"
	"github.com/habeas-data/habeas/internal/store"
)

// TestKillAtEachStep kills the process (SIGKILL, by its own hand) when it begins its k-th transaction of an erasure's
// execution, for every k until a run comes through, starts it again, and wants each time the same product database,
// one last letter, the same obligations and a log that verifies. Each transaction is either the record of a step or
// the look before a batch, so the kills fall before and after everything that can be half done.
// The normal run takes every tenth k, `make soak` all.
func TestKillAtEachStep(t *testing.T) {
	t.Parallel()
	ready := prepareKill(t)
	want := finishKill(t, ready, 0)
	if want.Fulfilled != 1 || want.Letters != 1 || want.Deleted == 0 {
		t.Fatalf("the undisturbed run ends with %+v", want)
	}
	stride := 10
	if os.Getenv("HABEAS_SOAK") != "" {
		stride = 1
	}
	kills := 0
	for k := 1; ; k += stride {
		got := finishKill(t, ready, k)
		if !got.Killed {
			break
		}
		kills++
		got.Killed = false
		if got != want {
			t.Errorf("killed at transaction %d it ends with %+v, undisturbed with %+v", k, got, want)
		}
	}
	t.Logf("%d kills", kills)
	if kills < 3 {
		t.Errorf("only %d kills: the execution has more transactions than that", kills)
	}
}

// killed is how an erasure ended.
type killed struct {
	Killed      bool
	Fulfilled   int
	Letters     int // that tell the end
	Obligations int
	Deleted     int
	Product     string // digest over all tables
	Audit       string
}

const killRequest = "request.json"

// prepareKill makes an installation in which an erasure is approved, its grace period over, and nothing done yet.
func prepareKill(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	ctx := context.Background()
	now := time.Now()
	shop := filepath.Join(dir, "shop.sqlite")
	if err := demoshop.Generate(ctx, shop, statute.DateOf(now)); err != nil {
		t.Fatal(err)
	}
	writeDemoTenant(t, dir)
	a := openKill(t, dir, func() time.Time { return now })
	defer a.Close()
	if err := a.ApplyDir(ctx, a.Config.TenantsDir); err != nil {
		t.Fatal(err)
	}
	public := access.Principal{Kind: access.KindPublic, Tenant: demoshop.Tenant}
	receipt, err := a.Intake.Submit(ctx, public, demoshop.Tenant, intake.Input{Types: []string{"erasure"}, Email: demoshop.ErasurePerson})
	if err != nil {
		t.Fatal(err)
	}
	id := receipt.Requests[0].ID
	drain(t, a)
	officer := access.Principal{Kind: access.KindOfficer, Tenant: demoshop.Tenant, Subject: "olga", Roles: []access.Role{access.RoleOfficer}}
	if err := a.Verify.ByOfficer(ctx, officer, id, "passport seen"); err != nil {
		t.Fatal(err)
	}
	drain(t, a)
	p, err := a.Fulfill.Plan(ctx, officer, id)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Fulfill.Approve(ctx, officer, id, p.Digest, ""); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(struct {
		ID  dsr.RequestID
		Now time.Time
	}{id, now.Add(time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, killRequest), b, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func writeDemoTenant(t *testing.T, dir string) {
	t.Helper()
	folder := filepath.Join(dir, "tenants", "demo")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"policy.yaml": demoshop.PolicyYAML(), "datamap.yaml": demoshop.DataMapYAML("${SHOP}")} {
		if err := os.WriteFile(filepath.Join(folder, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func openKill(t *testing.T, dir string, now func() time.Time) *app.App {
	t.Helper()
	c, err := config.Load(nil, map[string]string{"HABEAS_DATA_DIR": filepath.Join(dir, "data"), "HABEAS_TENANTS_DIR": filepath.Join(dir, "tenants")})
	if err != nil {
		t.Fatal(err)
	}
	shop := filepath.Join(dir, "shop.sqlite")
	a, err := app.Open(context.Background(), c, app.Options{Now: now, Getenv: func(string) string { return shop }})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func drain(t *testing.T, a *app.App) {
	t.Helper()
	if _, err := a.Drain(context.Background(), 10_000); err != nil {
		t.Fatal(err)
	}
}

// finishKill runs the execution in a child that kills itself at transaction k (0: never), then in one that does not,
// and looks at what there is.
func finishKill(t *testing.T, ready string, k int) killed {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(ready)); err != nil {
		t.Fatal(err)
	}
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			return os.Chmod(path, 0o600) //nolint:gosec // inside the test's own folder
		}
		return err
	})
	out := killed{}
	if k > 0 {
		out.Killed = child(t, dir, k)
	}
	if child(t, dir, 0) {
		t.Fatal("the second run was killed")
	}
	out.look(t, dir)
	return out
}

// child runs TestKillChild in a process of its own and tells whether it died by its own hand.
func child(t *testing.T, dir string, k int) bool {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKillChild$", "-test.count=1")
	cmd.Env = append(os.Environ(), "KILL_DIR="+dir, "KILL_AT="+strconv.Itoa(k))
	out, err := cmd.CombinedOutput()
	if err == nil {
		return false
	}
	if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() && ws.Signal() == syscall.SIGKILL {
		return true
	}
	t.Fatalf("the child failed: %v\n%s", err, out)
	return false
}

// TestKillChild is the body of the child; without its settings it has nothing to do.
func TestKillChild(t *testing.T) {
	dir := os.Getenv("KILL_DIR")
	if dir == "" {
		return
	}
	at, err := strconv.Atoi(os.Getenv("KILL_AT"))
	if err != nil {
		t.Fatal(err)
	}
	id, now := killTarget(t, dir)
	begun := 0
	armed := false
	a := openKill(t, dir, func() time.Time {
		if armed {
			if begun++; begun == at {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {} // nothing more happens here
			}
		}
		return now
	})
	defer a.Close()
	ctx := context.Background()
	if err := a.Store.ForgetLeases(ctx); err != nil {
		t.Fatal(err)
	}
	armed = true
	for range 200 {
		if err := a.Fulfill.Advance(ctx, demoshop.Tenant, id); err != nil {
			t.Fatal(err)
		}
		var r dsr.Request
		if err := a.Store.Read(ctx, demoshop.Tenant, func(tx *store.Tx) (err error) { r, err = tx.Request(id); return err }); err != nil {
			t.Fatal(err)
		}
		if r.Status == dsr.StatusFulfilled {
			return
		}
		if r.NeedsAttention != "" {
			t.Fatalf("it needs attention: %s", r.NeedsAttention)
		}
	}
	t.Fatal("it does not come to its end")
}

func killTarget(t *testing.T, dir string) (dsr.RequestID, time.Time) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, killRequest)) //nolint:gosec // inside the test's own folder
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		ID  dsr.RequestID
		Now time.Time
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v.ID, v.Now
}

// look reads how it ended.
func (k *killed) look(t *testing.T, dir string) {
	t.Helper()
	id, now := killTarget(t, dir)
	a := openKill(t, dir, func() time.Time { return now })
	defer a.Close()
	ctx := context.Background()
	drain(t, a)
	err := a.Store.Read(ctx, demoshop.Tenant, func(tx *store.Tx) error {
		r, err := tx.Request(id)
		if err != nil {
			return err
		}
		if r.Status == dsr.StatusFulfilled {
			k.Fulfilled = 1
		}
		mails, _, err := tx.ListMail(200, "")
		if err != nil {
			return err
		}
		for _, m := range mails {
			if m.Kind == "erasure_done" {
				k.Letters++
			}
		}
		owed, _, err := tx.ListObligations(store.ObligationFilter{Limit: 500})
		k.Obligations = len(owed)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	report, err := a.Oversee.Check(ctx, access.Principal{Kind: access.KindOfficer, Tenant: demoshop.Tenant, Subject: "ada", Roles: []access.Role{access.RoleAuditor}})
	if err != nil {
		t.Fatal(err)
	}
	k.Audit = report.Problem
	shop := apptest.OpenSQLite(t, filepath.Join(dir, "shop.sqlite"))
	k.Deleted = 1 - shop.Count(t, "SELECT count(*) FROM customer WHERE email = ?", demoshop.ErasurePerson)
	k.Product = fmt.Sprint(shop.Snapshot(t).Digest())
}
