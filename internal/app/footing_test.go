package app_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/habeas-data/habeas/internal/app/apptest"
	"github.com/habeas-data/habeas/internal/app/demoshop"
	"github.com/habeas-data/habeas/internal/statute"
)

// shopTenant generates the sample shop and a tenant over it.
func shopTenant(t *testing.T) (tenants string, shop *apptest.Product) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "shop.sqlite")
	if err := demoshop.Generate(context.Background(), path, statute.DateOf(time.Now())); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(dir, "tenants", demoshop.Tenant)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	policy := bytes.ReplaceAll(demoshop.PolicyYAML(), []byte("PT8S"), []byte("PT2S"))
	for name, b := range map[string][]byte{"policy.yaml": policy, "datamap.yaml": demoshop.DataMapYAML(path)} {
		if err := os.WriteFile(filepath.Join(folder, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "tenants"), apptest.OpenSQLite(t, path)
}

// toGrace takes an erasure of the shop's person to its grace period.
func toGrace(p *apptest.Program, officer string) apptest.Receipt {
	receipt := p.Submit(demoshop.Tenant, demoshop.ErasurePerson, "erasure")
	p.Verify(demoshop.Tenant, demoshop.ErasurePerson, receipt.Reference)
	r := p.WaitFor(officer, receipt.Reference, "erasure", "in_review", 30*time.Second)
	plan := p.PlanOf(officer, r.ID)
	p.Approve(officer, r.ID, plan.Digest)
	return receipt
}

// endedOnce wants the erasure done, told once, and the log sound.
func endedOnce(t *testing.T, p *apptest.Program, shop *apptest.Product, reference string) {
	t.Helper()
	if n := shop.Count(t, "SELECT count(*) FROM customer WHERE email = ?", demoshop.ErasurePerson); n != 0 {
		t.Error("the person is still there")
	}
	told := func() int {
		n := 0
		for _, m := range p.Mail.All() {
			if strings.Contains(m.Text, reference) && strings.Contains(m.Subject, "were deleted") {
				n++
			}
		}
		return n
	}
	p.Eventually(20*time.Second, "a letter tells the end", func() (bool, string) { return told() > 0, "" })
	time.Sleep(500 * time.Millisecond) // a second one has its chance
	if n := told(); n != 1 {
		t.Errorf("%d letters tell the end", n)
	}
	p.Eventually(20*time.Second, "the log verifies", func() (bool, string) {
		out, code := p.Command("audit", "verify", "--tenant", demoshop.Tenant)
		return code == 0, out
	})
}

// TestTheSameFlowOnBothFootings runs access and erasure of the generated shop's people on both footings.
func TestTheSameFlowOnBothFootings(t *testing.T) {
	for _, footing := range []apptest.Footing{apptest.Embedded, apptest.Production} {
		t.Run(string(footing), func(t *testing.T) {
			t.Parallel()
			tenants, shop := shopTenant(t)
			p := apptest.Start(t, apptest.Options{Footing: footing, Worker: true, Tenants: tenants})
			officer := p.Token(demoshop.Tenant, "officer", "olga")
			receipt := p.Submit(demoshop.Tenant, demoshop.Person, "access")
			access := p.Verify(demoshop.Tenant, demoshop.Person, receipt.Reference)
			r := p.WaitFor(officer, receipt.Reference, "access", "in_review", 30*time.Second)
			p.Approve(officer, r.ID, p.PlanOf(officer, r.ID).Digest)
			p.WaitFor(officer, receipt.Reference, "access", "fulfilled", 30*time.Second)
			z := p.Download(demoshop.Tenant, demoshop.Person, receipt.Reference, access)
			if rows := apptest.Rows(p, z, "shop", "customer"); len(rows) != 1 || rows[0]["email"] != demoshop.Person {
				t.Errorf("the package's customer is %v", rows)
			}
			before := shop.Snapshot(t)
			erasure := toGrace(p, officer)
			p.WaitFor(officer, erasure.Reference, "erasure", "fulfilled", 60*time.Second)
			endedOnce(t, p, shop, erasure.Reference)
			if gone := before.Gone(shop.Snapshot(t)); gone["customer"] != 1 || gone["product"] != 0 {
				t.Errorf("rows that went: %v", gone)
			}
		})
	}
}

// TestRedisFlushed empties Redis again and again while an erasure waits and runs: it still ends, once.
func TestRedisFlushed(t *testing.T) {
	t.Parallel()
	tenants, shop := shopTenant(t)
	p := apptest.Start(t, apptest.Options{Footing: apptest.Production, Worker: true, Tenants: tenants})
	opt, err := redis.ParseURL(p.Redis)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(opt)
	defer client.Close()
	officer := p.Token(demoshop.Tenant, "officer", "olga")
	receipt := toGrace(p, officer)
	stop, flushes := make(chan struct{}), 0
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(150 * time.Millisecond):
				if client.FlushDB(context.Background()).Err() == nil {
					flushes++
				}
			}
		}
	})
	p.WaitFor(officer, receipt.Reference, "erasure", "fulfilled", 90*time.Second)
	close(stop)
	wg.Wait()
	if flushes < 5 {
		t.Errorf("only %d flushes", flushes)
	}
	endedOnce(t, p, shop, receipt.Reference)
}

// TestZombieWorker stops a worker (SIGSTOP) in the middle of an erasure, lets another finish the work after the lease
// has run out, and wakes the first again: what it then does finds everything done, and what it writes is fenced off.
func TestZombieWorker(t *testing.T) {
	t.Parallel()
	tenants, shop := shopTenant(t)
	p := apptest.Prepare(t, apptest.Options{Footing: apptest.Production, Tenants: tenants})
	p.StartServe(false)
	first := p.StartWorker()
	officer := p.Token(demoshop.Tenant, "officer", "olga")
	receipt := toGrace(p, officer)
	// The product's database is busy: the worker hangs in the middle of its work.
	ctx := context.Background()
	lock, err := shop.DB.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if _, err := lock.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	p.WaitFor(officer, receipt.Reference, "erasure", "executing", 30*time.Second)
	time.Sleep(1500 * time.Millisecond)
	first.Signal(syscall.SIGSTOP)
	if _, err := lock.ExecContext(ctx, "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	stopped := time.Now()
	p.StartWorker()
	p.WaitFor(officer, receipt.Reference, "erasure", "fulfilled", 120*time.Second)
	if took := time.Since(stopped); took < 10*time.Second {
		t.Errorf("the second worker was done after %s: the first did not hold the work when it was stopped", took)
	}
	after := shop.Snapshot(t).Digest()
	first.Signal(syscall.SIGCONT)
	time.Sleep(3 * time.Second) // the zombie has every chance to do harm
	if shop.Snapshot(t).Digest() != after {
		t.Error("the worker that was overtaken changed the product's database")
	}
	endedOnce(t, p, shop, receipt.Reference)
}

// TestAcknowledgedIsStored posts requests while the program is killed and started again: every 201 is there afterwards.
func TestAcknowledgedIsStored(t *testing.T) {
	for _, footing := range []apptest.Footing{apptest.Embedded, apptest.Production} {
		t.Run(string(footing), func(t *testing.T) {
			t.Parallel()
			tenants, _ := shopTenant(t)
			p := apptest.Prepare(t, apptest.Options{Footing: footing, Tenants: tenants})
			serve := p.StartServe(true)
			kills := 3
			if os.Getenv("HABEAS_SOAK") != "" {
				kills = 50
			}
			var (
				mu    sync.Mutex
				acked []string
				wg    sync.WaitGroup
				stop  = make(chan struct{})
			)
			for w := range 4 {
				wg.Go(func() {
					for i := 0; ; i++ {
						select {
						case <-stop:
							return
						default:
						}
						a := p.Call(http.MethodPost, "/v1/public/demo/requests", "", map[string]any{"types": []string{"access"}, "email": fmt.Sprintf("w%d-%d@example.org", w, i)})
						if a.Status == http.StatusCreated {
							var r apptest.Receipt
							a.JSON(p, &r)
							mu.Lock()
							acked = append(acked, r.Reference)
							mu.Unlock()
						} else {
							time.Sleep(20 * time.Millisecond) // down, or told to slow down
						}
					}
				})
			}
			for range kills {
				time.Sleep(1500 * time.Millisecond)
				serve.Kill()
				serve = p.StartServe(true)
			}
			time.Sleep(time.Second)
			close(stop)
			wg.Wait()
			officer := p.Token(demoshop.Tenant, "officer", "olga")
			missing := 0
			for _, ref := range acked {
				if got := p.Find(officer, ref); len(got) != 1 {
					missing++
				}
			}
			t.Logf("%d acknowledged, %d kills, %d missing", len(acked), kills, missing)
			if missing > 0 || len(acked) < 20 {
				t.Errorf("%d of %d acknowledged requests are missing", missing, len(acked))
			}
		})
	}
}

// TestOneWriterADataDir wants a second process refused with a sentence, while commands that read run beside the first.
func TestOneWriterADataDir(t *testing.T) {
	t.Parallel()
	tenants, _ := shopTenant(t)
	p := apptest.Start(t, apptest.Options{Footing: apptest.Embedded, Tenants: tenants})
	second := p.Run("serve", "--listen", fmt.Sprintf("127.0.0.1:%d", apptest.FreePort(t)))
	second.Wait()
	if out := second.Output(); !strings.Contains(out, "data dir") && !strings.Contains(out, "another process") {
		t.Errorf("the second process says: %s", out)
	}
	for _, args := range [][]string{{"token", "--tenant", "demo", "--role", "auditor"}, {"audit", "verify", "--tenant", "demo"}, {"tenant", "list"}} {
		p.Eventually(20*time.Second, strings.Join(args, " "), func() (bool, string) {
			out, code := p.Command(args...)
			return code == 0, out
		})
	}
}

// TestUnsafeRolesAreRefused wants `serve` to refuse to run as the owner of the tables or a superuser, saying why, and
// to name the command that brings an old schema up to date.
func TestUnsafeRolesAreRefused(t *testing.T) {
	t.Parallel()
	owner := apptest.NewDatabase(t)
	p := apptest.Prepare(t, apptest.Options{Footing: apptest.Embedded, Env: []string{"HABEAS_DATABASE_URL=" + owner}})
	old := p.Run("serve")
	old.Wait()
	if out := old.Output(); !strings.Contains(out, "habeas migrate up") {
		t.Errorf("on an empty schema it says: %s", out)
	}
	if _, code := p.Command("migrate", "up"); code != 0 {
		t.Fatalf("migrate up ends with %d", code)
	}
	unsafe := p.Run("serve")
	unsafe.Wait()
	if out := unsafe.Output(); !strings.Contains(out, "superuser") && !strings.Contains(out, "owner") {
		t.Errorf("as the owner it says: %s", out)
	}
}
