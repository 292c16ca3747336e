package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/hibiken/asynq"

	"github.com/habeas-data/habeas/internal/store"
)

const (
	queue      = "habeas"
	sweepBatch = 500
	// taskBucket bounds how long a task whose worker died can block the next wake-up for the same row.
	taskBucket = 30 * time.Second
	taskLimit  = 30 * time.Minute
)

// wake is the payload of every task: two ids. The kind is the task's type.
type wake struct {
	Tenant string `json:"t"`
	ID     string `json:"i"`
}

// Finder finds what is due across tenants.
type Finder interface {
	Due(ctx context.Context, now time.Time, limit int) ([]store.Due, error)
}

// Sweeper looks for due work at an interval, and at once when nudged, and turns it into wake-ups.
type Sweeper struct {
	find   Finder
	client *asynq.Client
	every  time.Duration
	now    func() time.Time
	log    *slog.Logger
	nudge  chan struct{}
}

// NewSweeper makes a sweeper.
func NewSweeper(f Finder, r *Redis, every time.Duration, now func() time.Time, log *slog.Logger) *Sweeper {
	return &Sweeper{find: f, client: asynq.NewClient(r.opt), every: every, now: now, log: log, nudge: make(chan struct{}, 1)}
}

// Nudge asks for a sweep now: called after a commit that made something due. It never waits.
func (s *Sweeper) Nudge() {
	select {
	case s.nudge <- struct{}{}:
	default:
	}
}

// Run sweeps until the context ends.
func (s *Sweeper) Run(ctx context.Context) {
	defer s.client.Close()
	tick := time.NewTicker(s.every)
	defer tick.Stop()
	failing := false
	for {
		err := s.Sweep(ctx)
		if err != nil && ctx.Err() == nil && !failing {
			s.log.WarnContext(ctx, "sweeping failed; trying on", "error", err)
		}
		if failing && err == nil {
			s.log.InfoContext(ctx, "sweeping works again")
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-s.nudge:
		}
	}
}

// Sweep turns what is due now into wake-ups, once.
func (s *Sweeper) Sweep(ctx context.Context) error {
	now := s.now()
	due, err := s.find.Due(ctx, now, sweepBatch)
	if err != nil {
		return fmt.Errorf("looking for due work: %w", err)
	}
	for _, d := range due {
		payload, err := json.Marshal(wake{string(d.Tenant), d.ID})
		if err != nil {
			return fmt.Errorf("writing a wake-up: %w", err)
		}
		id := fmt.Sprintf("%s:%s:%s:%d", d.Kind, d.Tenant, d.ID, now.Unix()/int64(taskBucket/time.Second))
		task := asynq.NewTask(d.Kind, payload)
		_, err = s.client.EnqueueContext(ctx, task, asynq.Queue(queue), asynq.TaskID(id), asynq.MaxRetry(0), asynq.Timeout(taskLimit))
		if err != nil && !errors.Is(err, asynq.ErrTaskIDConflict) {
			return fmt.Errorf("queueing a wake-up: %w", err)
		}
	}
	return nil
}
