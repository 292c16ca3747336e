package fulfill

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/plan"
	"github.com/habeas-data/habeas/internal/statute"
	"github.com/habeas-data/habeas/internal/store"
)

// findingFewShare is the kind of anonymized rows that fewer people share than the data map's limits.k asks for.
const findingFewShare = "few_share"

// fewShare looks at what stays of anonymized rows, in systems whose limits name a k.
func (s *Service) fewShare(ctx context.Context, r *run, p plan.Plan) ([]store.Finding, error) {
	open, _, err := s.openSystems(ctx, r)
	if err != nil {
		return nil, err
	}
	var out []store.Finding
	for _, o := range open {
		index, steps := stepsOf(&p, o.entry.Name)
		sharer, ok := o.system.(connector.Sharer)
		if !ok || o.entry.Limits.K == 0 || len(steps) == 0 {
			continue
		}
		shares, err := sharer.Sharing(ctx, steps, s.source(r, index))
		if err != nil {
			return nil, fmt.Errorf("counting who shares what stays in %s: %w", o.entry.Name, err)
		}
		for _, x := range shares {
			if len(x.Columns) > 0 && x.K < o.entry.Limits.K {
				out = append(out, store.Finding{System: o.entry.Name, Table: x.Table, Column: strings.Join(x.Columns, ", "), Kind: findingFewShare, Rows: x.Rows})
			}
		}
	}
	return out, nil
}

// allKnown tells whether an earlier look found all of this already.
func allKnown(found, known []store.Finding) bool {
	return !slices.ContainsFunc(found, func(f store.Finding) bool {
		return !slices.ContainsFunc(known, func(k store.Finding) bool {
			return k.System == f.System && k.Table == f.Table && k.Column == f.Column && k.Kind == f.Kind
		})
	})
}

// traces says where deleted rows stay for a while outside of the tables, as the servers tell now. A system that does not
// answer is named instead.
func (s *Service) traces(ctx context.Context, r *run) []string {
	if !r.set.HasMap() {
		return nil
	}
	open, _, err := s.openSystems(ctx, r)
	if err != nil {
		return []string{"A system did not answer: what stays in its files could not be read now."}
	}
	var out []string
	for _, o := range open {
		tracer, ok := o.system.(connector.Tracer)
		if !ok {
			continue
		}
		found, err := tracer.Traces(ctx)
		if err != nil {
			out = append(out, fmt.Sprintf("%s did not answer: what stays in its files could not be read now.", o.entry.Name))
			continue
		}
		for _, t := range found {
			out = append(out, fmt.Sprintf("%s, %s: %s", o.entry.Name, strings.ReplaceAll(t.Where, "_", " "), t.Text))
		}
	}
	return out
}

// backups says for each system from which rows went until when its backups may hold them, counted from its last step.
func backups(r *run, steps []store.StepRecord) []CertBackups {
	out := []CertBackups{}
	if !r.set.HasMap() {
		return out
	}
	for i := range r.set.Map.Systems {
		entry := &r.set.Map.Systems[i]
		var last time.Time
		for _, st := range steps {
			if st.System == entry.Name && st.DoneAt.After(last) {
				last = st.DoneAt
			}
		}
		if last.IsZero() {
			continue
		}
		b := CertBackups{System: entry.Name}
		if !entry.Backups.IsZero() {
			b.Until = entry.Backups.AddToDate(statute.DateOf(last.In(zone(r.set.Policy))))
		}
		out = append(out, b)
	}
	return out
}
