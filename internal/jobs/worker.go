package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/hibiken/asynq"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/store"
)

// Handler carries one due row on. It claims the row itself; a row that is not due is left alone.
type Handler func(ctx context.Context, tenant dsr.TenantID, id string) error

// Handlers are the use cases behind each kind of due work.
type Handlers map[string]Handler

// Kinds lists the kinds that need a handler.
func Kinds() []string {
	return []string{store.DueRequest, store.DueMail, store.DueDelivery, store.DueObligation, store.DuePackage, store.DueMemory, store.DueAudit, store.DueToken}
}

// Worker takes wake-ups and calls handlers.
type Worker struct {
	redis    *Redis
	handlers Handlers
	log      *slog.Logger
	nudge    func()
}

// NewWorker makes a worker. nudge is called after each handled row, so that what it made due is found at once.
func NewWorker(r *Redis, h Handlers, nudge func(), log *slog.Logger) *Worker {
	return &Worker{redis: r, handlers: h, log: log, nudge: nudge}
}

// Run works until the context ends, then lets what runs come to its end for up to 30 seconds. A Redis that is away at
// the start is waited for.
func (w *Worker) Run(ctx context.Context) error {
	mux := asynq.NewServeMux()
	for _, kind := range Kinds() {
		h, ok := w.handlers[kind]
		if !ok {
			return fmt.Errorf("there is no handler for %s", kind)
		}
		mux.HandleFunc(kind, w.handle(h))
	}
	for {
		srv := asynq.NewServer(w.redis.opt, asynq.Config{
			Concurrency: 8, Queues: map[string]int{queue: 1}, Logger: logger{w.log}, LogLevel: asynq.WarnLevel,
			ShutdownTimeout: 30 * time.Second, TaskCheckInterval: 100 * time.Millisecond,
			BaseContext: func() context.Context { return context.WithoutCancel(ctx) },
		})
		err := srv.Start(mux)
		if err == nil {
			<-ctx.Done()
			srv.Shutdown()
			return nil
		}
		w.log.WarnContext(ctx, "the queue can't be reached; trying on", "error", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(2 * time.Second):
		}
	}
}

// handle never gives an error to asynq: what failed is recorded in the database, and found again by the sweeper.
func (w *Worker) handle(h Handler) asynq.HandlerFunc {
	return func(ctx context.Context, t *asynq.Task) error {
		var k wake
		if err := json.Unmarshal(t.Payload(), &k); err != nil {
			w.log.WarnContext(ctx, "a wake-up that can't be read was dropped", "kind", t.Type())
			return nil
		}
		tenant, err := dsr.ParseTenant(k.Tenant)
		if err != nil {
			w.log.WarnContext(ctx, "a wake-up for nobody was dropped", "kind", t.Type())
			return nil
		}
		defer func() {
			if p := recover(); p != nil {
				w.log.ErrorContext(ctx, "a step broke", "kind", t.Type(), "id", k.ID, "panic", p)
			}
			w.nudge()
		}()
		if err := h(ctx, tenant, k.ID); err != nil {
			w.log.WarnContext(ctx, "work failed", "kind", t.Type(), "tenant", tenant, "id", k.ID, "error", err)
		}
		return nil
	}
}

// logger lets asynq log through slog.
type logger struct{ log *slog.Logger }

func (l logger) Debug(args ...any) { l.log.Debug(fmt.Sprint(args...)) }
func (l logger) Info(args ...any)  { l.log.Info(fmt.Sprint(args...)) }
func (l logger) Warn(args ...any)  { l.log.Warn(fmt.Sprint(args...)) }
func (l logger) Error(args ...any) { l.log.Error(fmt.Sprint(args...)) }
func (l logger) Fatal(args ...any) { l.log.Error(fmt.Sprint(args...)) }
