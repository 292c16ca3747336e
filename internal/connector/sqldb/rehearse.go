package sqldb

import (
	"context"
	"database/sql"
	"errors"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/plan"
)

// rehearsed is how many rows of a step are written, and undone, before the first change.
const rehearsed = 100

var errRehearsal = errors.New("a rehearsal ends here")

// rehearse writes the first rows of every step that anonymizes and undoes it, so that a rule of the database that stands
// against a value (a check, a domain, an enum, a unique index of any kind, a foreign key, a trigger) is met before
// anything was changed. The error names the column.
func (e *eraser) rehearse(ctx context.Context) error {
	for _, i := range e.work {
		s := e.steps[i]
		if s.Action != plan.ActionAnonymize && s.Action != plan.ActionRedact {
			continue
		}
		keys, err := (&cursor{e: e, step: i}).peek(ctx, rehearsed)
		if err != nil {
			return err
		}
		w, err := e.writer(e.g.tables[s.Table], s)
		if err != nil || len(keys) == 0 {
			return err
		}
		failed := e.undone(ctx, w, keys)
		if !fault.Is(failed, fault.Conflict) {
			if failed != nil {
				return failed
			}
			continue
		}
		all := w.todo
		for _, x := range all {
			w.todo = []treatment{x}
			if err := e.undone(ctx, w, keys); fault.Is(err, fault.Conflict) {
				return fault.Wrap(err, fault.Conflict, "cannot_anonymize",
					"A rule of the database %s stands against what is written to %s of %s (%s): say in the map how else it is anonymized. Nothing was changed.", e.d.sys.Name, x.col.Name, w.t.name, x.with)
			}
		}
		return fault.Wrap(failed, fault.Conflict, "cannot_anonymize",
			"A rule of the database %s stands against what is written to %s: say in the map how else its columns are anonymized. Nothing was changed.", e.d.sys.Name, w.t.name)
	}
	return nil
}

// undone writes in a transaction that is never committed.
func (e *eraser) undone(ctx context.Context, w *columnWriter, keys []connector.Key) error {
	_, err := e.tries(ctx, bounds{wait: e.pace.target, statement: wholeStatement}, func(tx *sql.Tx) error {
		if _, err := w.write(ctx, tx, distinct(keys)); err != nil {
			return err
		}
		return errRehearsal
	})
	if errors.Is(err, errRehearsal) {
		return nil
	}
	return err
}
