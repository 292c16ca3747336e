package storetest

import (
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/store"
)

func (s suite) due(t *testing.T) {
	f := suite{db: s.fresh(t), fresh: s.fresh, number: s.number}
	// One tenant with a long list, one with a short one.
	busy, quiet := f.tenant(t), f.tenant(t)
	now := f.db.Clock.Now()
	for range 30 {
		f.plain(t, busy, dsr.RightAccess)
	}
	_, req := f.planted(t, quiet)
	f.in(t, quiet, func(tx *store.Tx) error { // its claim is given back
		r, err := tx.Request(req.ID)
		must(t, err)
		return tx.Release(&r, now)
	})
	ask := func(at time.Time, limit int) map[string]int {
		list, err := f.db.Due(t.Context(), at, limit)
		must(t, err)
		out := map[string]int{}
		for _, d := range list {
			if (d.ID == "") != (d.Kind == store.DueAudit || d.Kind == store.DueToken) {
				t.Errorf("due: %+v", d)
			}
			out[string(d.Tenant)+" "+d.Kind]++
		}
		return out
	}
	b, q := string(busy)+" ", string(quiet)+" "
	wantEqual(t, "due now", ask(now, 100), map[string]int{b + "request": 30, b + "audit": 1, q + "request": 1, q + "mail": 1, q + "delivery": 1, q + "audit": 1})
	wantEqual(t, "the first of many, in turn", len(ask(now, 8)), 6)
	wantEqual(t, "due before", ask(now.Add(-time.Microsecond), 100), map[string]int{b + "audit": 1, q + "audit": 1})
	later := ask(now.AddDate(0, 1, 0), 100)
	wantEqual(t, "due in a month", []int{later[q+"package"], later[q+"obligation"], later[q+"token"]}, []int{1, 1, 1})
	wantEqual(t, "due in a year and more", []int{later[q+"memory"], ask(now.AddDate(0, 13, 1), 100)[q+"memory"]}, []int{0, 1})
	// What is held, done or numbered is not due.
	f.in(t, quiet, func(tx *store.Tx) error {
		_, ok, err := tx.Claim(req.ID, time.Minute)
		wantEqual(t, "claimed", ok, true)
		return err
	})
	for _, tenant := range []dsr.TenantID{busy, quiet} {
		_, err := f.db.Sequence(t.Context(), tenant)
		must(t, err)
	}
	wantEqual(t, "due while held", ask(now, 100), map[string]int{b + "request": 30, q + "mail": 1, q + "delivery": 1})
	wantEqual(t, "due after the lease", ask(now.Add(time.Minute), 100)[q+"request"], 1)
}

func (s suite) leader(t *testing.T) {
	release, ok, err := s.db.LeaderTry(t.Context(), "sweep")
	must(t, err)
	wantEqual(t, "first leader", ok, true)
	_, ok, err = s.db.LeaderTry(t.Context(), "sweep")
	must(t, err)
	wantEqual(t, "second leader", ok, false)
	other, ok, err := s.db.LeaderTry(t.Context(), "other")
	must(t, err)
	wantEqual(t, "leader of something else", ok, true)
	other()
	release()
	release()
	again, ok, err := s.db.LeaderTry(t.Context(), "sweep")
	must(t, err)
	wantEqual(t, "leader after release", ok, true)
	again()
}
