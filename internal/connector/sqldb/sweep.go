package sqldb

import (
	"context"
	"slices"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/plan"
)

// SubjectKeys implements connector.Sweeper.
func (d *DB) SubjectKeys(ctx context.Context, scope connector.Scope) ([]connector.Key, error) {
	g, err := d.freshGraph(ctx)
	if err != nil {
		return nil, err
	}
	var out []connector.Key
	err = d.inSnapshot(ctx, func(q querier) error {
		w, err := d.start(ctx, q, g, scope)
		if err == nil {
			out = w.keys
		}
		return err
	})
	return out, err
}

// Sweep implements connector.Sweeper.
func (d *DB) Sweep(ctx context.Context, scope connector.Scope, rules *plan.Rules, emit func(string, plan.Fate, connector.Key)) error {
	g, err := d.freshGraph(ctx)
	if err != nil {
		return err
	}
	return d.inSnapshot(ctx, func(q querier) error {
		w, err := d.start(ctx, q, g, scope)
		if err != nil {
			return err
		}
		f := newFates(w, q, rules)
		if rules != nil {
			if err := f.work(ctx); err != nil {
				return err
			}
		}
		for _, t := range slices.Backward(f.order) {
			if err := f.emit(ctx, t, func(key connector.Key, x plan.Fate) { emit(t.name, x, key) }); err != nil {
				return err
			}
		}
		return nil
	})
}
