package jobs_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/jobs"
	"github.com/habeas-data/habeas/internal/store"
)

// work is a work list as the database would have it: rows stay due until a handler takes them off.
type work struct {
	mu      sync.Mutex
	due     []store.Due
	handled []string
	during  func(id string)
}

func (w *work) Due(context.Context, time.Time, int) ([]store.Due, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.due), nil
}

func (w *work) handle(kind string) jobs.Handler {
	return func(_ context.Context, tenant dsr.TenantID, id string) error {
		if w.during != nil {
			w.during(id)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		i := slices.Index(w.due, store.Due{Tenant: tenant, Kind: kind, ID: id})
		if i < 0 {
			return nil // somebody else was quicker
		}
		w.due = slices.Delete(w.due, i, i+1)
		w.handled = append(w.handled, kind+":"+string(tenant)+":"+id)
		if strings.HasPrefix(id, "bad") {
			return errors.New("it failed, and the database knows")
		}
		return nil
	}
}

func (w *work) left() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.due)
}

func run(t *testing.T, url string, w *work) {
	t.Helper()
	r, err := jobs.OpenRedis(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	log := slog.New(slog.DiscardHandler)
	s := jobs.NewSweeper(w, r, 50*time.Millisecond, time.Now, log)
	handlers := jobs.Handlers{}
	for _, kind := range jobs.Kinds() {
		handlers[kind] = w.handle(kind)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { s.Run(ctx) })
	wg.Go(func() {
		if err := jobs.NewWorker(r, handlers, s.Nudge, log).Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); wg.Wait() })
}

func drained(t *testing.T, w *work) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); w.left() > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d rows are left", w.left())
		}
	}
}

func redisURL() string {
	if v := os.Getenv("TEST_REDIS"); v != "" {
		return v
	}
	return "redis://127.0.0.1:6379/2"
}

func someWork() *work {
	w := &work{}
	for _, kind := range jobs.Kinds() {
		for _, id := range []string{"", "019a0000-0000-7000-8000-000000000001", "bad-one"} {
			w.due = append(w.due, store.Due{Tenant: "acme", Kind: kind, ID: id})
		}
	}
	return w
}

// TestWakeUps: whatever is due is handled, on a real Redis and on the one in the process; failing and breaking handlers
// keep nobody else from their turn.
func TestWakeUps(t *testing.T) {
	for name, url := range map[string]string{"in process": "", "Redis": redisURL()} {
		t.Run(name, func(t *testing.T) {
			w := someWork()
			broken := sync.Once{}
			w.during = func(id string) {
				if id == "" {
					broken.Do(func() { panic("on purpose") })
				}
			}
			want := w.left()
			run(t, url, w)
			drained(t, w)
			if len(w.handled) != want {
				t.Errorf("%d of %d rows were handled: %v", len(w.handled), want, w.handled)
			}
		})
	}
}

// TestFlushedRedisLosesNothing empties Redis while there is work: the next sweep finds it again.
func TestFlushedRedisLosesNothing(t *testing.T) {
	opt, err := redis.ParseURL(redisURL())
	if err != nil {
		t.Fatal(err)
	}
	opt.DB = 3
	client := redis.NewClient(opt)
	defer client.Close()
	w := &work{}
	for i := range 300 {
		w.due = append(w.due, store.Due{Tenant: "acme", Kind: store.DueRequest, ID: "r" + string(rune('a'+i%26)) + strings.Repeat("x", i/26)})
	}
	w.during = func(string) { time.Sleep(time.Millisecond) }
	run(t, "redis://"+opt.Addr+"/3", w)
	for range 10 {
		time.Sleep(20 * time.Millisecond)
		if err := client.FlushDB(context.Background()).Err(); err != nil {
			t.Fatal(err)
		}
	}
	drained(t, w)
}

// TestPayloadsHoldTwoIDs reads what travels through Redis: a tenant and an id, nothing else.
func TestPayloadsHoldTwoIDs(t *testing.T) {
	opt, err := redis.ParseURL(redisURL())
	if err != nil {
		t.Fatal(err)
	}
	opt.DB = 4
	client := redis.NewClient(opt)
	defer client.Close()
	ctx := context.Background()
	if err := client.FlushDB(ctx).Err(); err != nil {
		t.Fatal(err)
	}
	r, err := jobs.OpenRedis("redis://" + opt.Addr + "/4")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	w := &work{due: []store.Due{{Tenant: "acme", Kind: store.DueRequest, ID: "019a0000-0000-7000-8000-000000000001"}}}
	s := jobs.NewSweeper(w, r, time.Hour, time.Now, slog.New(slog.DiscardHandler))
	for range 3 { // the same row again and again is one wake-up
		if err := s.Sweep(ctx); err != nil {
			t.Fatal(err)
		}
	}
	n, err := client.LLen(ctx, "asynq:{habeas}:pending").Result()
	if err != nil || n != 1 {
		t.Errorf("%d wake-ups wait (%v)", n, err)
	}
	keys, err := client.Keys(ctx, "asynq:{habeas}:t:*").Result()
	if err != nil || len(keys) != 1 {
		t.Fatalf("tasks are %v (%v)", keys, err)
	}
	msg, err := client.HGet(ctx, keys[0], "msg").Result()
	if err != nil || !strings.Contains(msg, `{"t":"acme","i":"019a0000-0000-7000-8000-000000000001"}`) {
		t.Errorf("the payload is not two ids: %q (%v)", msg, err)
	}
}

func TestOpenRedisRefusesNonsense(t *testing.T) {
	for _, url := range []string{"http://localhost", "redis://:bad\x00", "nonsense"} {
		if r, err := jobs.OpenRedis(url); err == nil {
			r.Close()
			t.Errorf("%q is taken for a Redis", url)
		}
	}
}
