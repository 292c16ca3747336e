package sqldb

import (
	"context"
	"slices"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/fault"
)

// tally holds what one transaction deleted itself against what the database counted, so that a trigger or a cascade
// that deletes more does not go unnoticed. A nil tally does nothing.
type tally struct {
	before  map[string]int64
	byTable map[string]int64 // by schema and name
	sum     int64
	changed int64 // by all statements
}

// need gives a tally where the database acts by itself when rows of t change.
func (y *tally) need(g *graph, t *table) *tally {
	cascades := slices.ContainsFunc(g.edges, func(ed edge) bool { return ed.to == t && ed.acts() })
	if y == nil && (cascades || slices.ContainsFunc(t.cat.Triggers, func(tr datamap.Trigger) bool { return tr.Deletes })) {
		return &tally{}
	}
	return y
}

func (y *tally) begin(ctx context.Context, d *DB, q querier) error {
	if y == nil {
		return nil
	}
	*y = tally{byTable: map[string]int64{}}
	var err error
	y.before, err = d.dialect.deleted(ctx, q)
	return d.fail(err, "counting what is deleted")
}

func (y *tally) own(t *table, n int64) {
	if y != nil {
		y.byTable[t.cat.Schema+"."+t.cat.Bare] += n
		y.sum += n
	}
}

func (y *tally) any(n int64) {
	if y != nil {
		y.changed += n
	}
}

func (y *tally) check(ctx context.Context, d *DB, q querier) error {
	if y == nil {
		return nil
	}
	now, err := d.dialect.deleted(ctx, q)
	if err != nil {
		return d.fail(err, "counting what is deleted")
	}
	for name, n := range now {
		own, where := y.byTable[name], name
		if name == "" {
			own, where = y.sum, "other tables"
			if d.sys.Kind == datamap.KindSQLite {
				own = y.changed // it counts all changes together
			}
		}
		if more := n - y.before[name] - own; more > 0 {
			return fault.Wrap(connector.ErrChanged, fault.Conflict, "deleted_elsewhere",
				"A trigger or a cascade of the database %s deleted %d rows of %s that are not in the plan; nothing of this batch was done.", d.sys.Name, more, where)
		}
	}
	return nil
}
