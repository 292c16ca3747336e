package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/httpapi"
	"github.com/habeas-data/habeas/internal/jobs"
	"github.com/habeas-data/habeas/internal/tenant"
)

// drainFor is how long a stopping server lets open calls come to their end.
const drainFor = 20 * time.Second

// Work runs the sweeper and the workers until the context ends.
func (a *App) Work(ctx context.Context) error {
	work, err := a.startWork(ctx)
	if err != nil {
		return err
	}
	defer work.stop()
	return work.run(ctx)
}

// working is a sweeper and a worker over one Redis.
type working struct {
	redis   *jobs.Redis
	sweeper *jobs.Sweeper
	worker  *jobs.Worker
}

func (a *App) startWork(ctx context.Context) (*working, error) {
	r, err := jobs.OpenRedis(a.Config.RedisURL)
	if err != nil {
		return nil, err
	}
	if a.Config.Embedded() {
		if err := a.Store.ForgetLeases(ctx); err != nil {
			r.Close()
			return nil, fmt.Errorf("taking up work of the last run: %w", err)
		}
	}
	s := jobs.NewSweeper(a.Store, r, a.Config.Sweep, a.Now, a.Log)
	return &working{redis: r, sweeper: s, worker: jobs.NewWorker(r, a.handlers(), s.Nudge, a.Log)}, nil
}

func (w *working) run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { w.sweeper.Run(ctx) })
	err := w.worker.Run(ctx)
	wg.Wait()
	return err
}

func (w *working) stop() { w.redis.Close() }

// Serve runs the doors and, when workers is true, the workers too, until the context ends. ready is called with the
// listener's address once requests can be taken.
func (a *App) Serve(ctx context.Context, workers bool, ready func(addr string)) error {
	var work *working
	nudge := func() {}
	if workers {
		var err error
		if work, err = a.startWork(ctx); err != nil {
			return err
		}
		defer work.stop()
		nudge = work.sweeper.Nudge
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", a.Config.Listen)
	if err != nil {
		return fault.New(fault.Unavailable, "cannot_listen", "HABEAS_LISTEN: %s can't be listened on: %v.", a.Config.Listen, errors.Unwrap(err))
	}
	server := &http.Server{Handler: nudging(a.Handler(), nudge)} //nolint:gosec // Harden sets every timeout
	httpapi.Harden(server)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	if work != nil {
		wg.Go(func() {
			if err := work.run(ctx); err != nil {
				cancel(err)
			}
		})
	}
	wg.Go(func() {
		<-ctx.Done()
		drain, stop := context.WithTimeout(context.WithoutCancel(ctx), drainFor)
		defer stop()
		_ = server.Shutdown(drain) // what does not end in time is cut off: everything acknowledged is stored
	})
	if a.Config.MetricsListen != "" {
		stop, err := a.serveMetrics(ctx)
		if err != nil {
			return errors.Join(err, listener.Close())
		}
		defer stop()
	}
	if ready != nil {
		ready(listener.Addr().String())
	}
	err = server.Serve(listener)
	cancel(err)
	wg.Wait()
	if cause := context.Cause(ctx); errors.Is(err, http.ErrServerClosed) && (cause == nil || errors.Is(cause, context.Canceled) || errors.Is(cause, http.ErrServerClosed)) {
		return nil
	}
	return err
}

// serveMetrics answers /metrics on a listener of its own, which no stranger reaches.
func (a *App) serveMetrics(ctx context.Context) (stop func(), err error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", a.Config.MetricsListen)
	if err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "cannot_listen", "HABEAS_METRICS_LISTEN: %s can't be listened on.", a.Config.MetricsListen)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", a.metrics.Handler())
	s := &http.Server{Handler: mux} //nolint:gosec // Harden sets every timeout
	httpapi.Harden(s)
	go func() { _ = s.Serve(l) }()
	return func() { _ = s.Close() }, nil
}

// nudging wakes the sweeper after every call that may have made something due.
func nudging(h http.Handler, nudge func()) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r)
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			nudge()
		}
	})
}

// tokens gives access.Keys a clock.
type tokens struct{ a *App }

// Verify checks a bearer token now.
func (t tokens) Verify(ctx context.Context, token string) (access.Principal, error) {
	return t.a.Keys.Verify(ctx, token, t.a.Now())
}

func problemError(problems []tenant.Problem) error {
	var lines []string
	for _, p := range problems {
		if !p.Warning {
			lines = append(lines, p.String())
		}
	}
	return fault.New(fault.Invalid, "bad_files", "%s", strings.Join(lines, "\n"))
}
