package app

import (
	"context"
	"fmt"
)

// Drain carries on what is due, one row after the other, in this goroutine, until nothing is due or max rows were
// handled. It is the worker without a queue: for commands that must end, and for tests that set the clock. It gives
// the number of rows handled.
func (a *App) Drain(ctx context.Context, max int) (int, error) {
	handlers, n := a.handlers(), 0
	for n < max {
		due, err := a.Store.Due(ctx, a.Now(), max-n)
		if err != nil {
			return n, fmt.Errorf("looking for due work: %w", err)
		}
		if len(due) == 0 {
			return n, nil
		}
		for _, d := range due {
			h, ok := handlers[d.Kind]
			if !ok {
				return n, fmt.Errorf("there is no handler for %s", d.Kind)
			}
			if err := h(ctx, d.Tenant, d.ID); err != nil {
				return n, fmt.Errorf("carrying on a %s: %w", d.Kind, err)
			}
			n++
		}
	}
	return n, nil
}
