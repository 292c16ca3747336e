package storetest

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/statute"
	"github.com/habeas-data/habeas/internal/store"
)

func (s suite) requestsRoundTrip(t *testing.T) {
	tenant := s.tenant(t)
	sub, req := sample()
	s.in(t, tenant, func(tx *store.Tx) error {
		return tx.CreateSubmission(sub, []*dsr.Request{req}, act("request.create"))
	})
	filled(t, req, "Epoch") // a fresh request has none
	wantEqual(t, "request", s.request(t, tenant, req.ID), *req)
	s.in(t, tenant, func(tx *store.Tx) error {
		list, err := tx.RequestsOf(sub.ID)
		wantEqual(t, "requests of the submission", list, []dsr.Request{*req})
		return err
	})
	// Everything changed to something else, then to nothing.
	s.db.Clock.Move(time.Second)
	changed := *req
	changed.AcknowledgeBy, changed.DueOn, changed.DueOnConservative, changed.ExtendedUntil = day(14), day(15), day(16), day(17)
	changed.ClockEvents = []statute.Event{{Name: statute.EventFeePaid, On: day(18)}}
	changed.AnsweredAt, changed.PlanMadeAt, changed.GraceEndsAt, changed.NextActionAt = utc(instant(19)), utc(instant(20)), utc(instant(21)), utc(instant(22))
	changed.ClockPaused, changed.OnHold, changed.AwaitingController = false, false, false
	changed.NeedsAttention, changed.Assignee, changed.PlanDigest, changed.Stage, changed.DenyGround = "x", "y", "z", dsr.StageTell, dsr.GroundOther
	changed.Changes, changed.Decision, changed.Attempts = []dsr.Change{{Field: "a", To: "b"}}, "other", 9
	bare := dsr.Request{
		ID: req.ID, Tenant: tenant, Submission: req.Submission, Reference: req.Reference, Right: req.Right, Status: req.Status,
		ReceivedAt: req.ReceivedAt, CreatedAt: req.CreatedAt,
	}
	for _, want := range []*dsr.Request{&changed, &bare} {
		want.UpdatedAt = s.request(t, tenant, req.ID).UpdatedAt
		s.in(t, tenant, func(tx *store.Tx) error { return tx.UpdateRequest(want, store.Act{}) })
		wantEqual(t, "changed request", s.request(t, tenant, req.ID), *want)
	}
}

func (s suite) transitions(t *testing.T) {
	tenant := s.tenant(t)
	req := s.plain(t, tenant, dsr.RightErasure)
	s.db.Clock.Move(time.Minute)
	next := s.db.Clock.Now().Add(time.Hour)
	s.in(t, tenant, func(tx *store.Tx) error {
		return tx.Transition(&req, dsr.EventVerified, store.Act{By: act("").By, Action: "request.verify", Facts: map[string]string{"method": "email_link"}},
			func(r *dsr.Request) { r.NextActionAt, r.Status, r.Assignee = next, "nonsense", "officer-2" })
	})
	got := s.request(t, tenant, req.ID)
	wantEqual(t, "after a transition", got, req)
	wantEqual(t, "what set changed", []any{got.Status, got.NextActionAt, got.Assignee, got.UpdatedAt},
		[]any{dsr.StatusInReview, next, "officer-2", s.db.Clock.Now()})
	s.read(t, tenant, func(tx *store.Tx) error {
		events, err := tx.Events(req.ID)
		must(t, err)
		last := events[len(events)-1]
		wantEqual(t, "event", []any{last.Name, last.From, last.To, last.At, last.Facts, last.Actor.Kind},
			[]any{"verified", dsr.StatusReceived, dsr.StatusInReview, tx.Now, map[string]string{"method": "email_link"}, "job"})
		return nil
	})
	// An epoch that is not the stored one, and a status that is not.
	for name, spoil := range map[string]func(*dsr.Request){
		"epoch":  func(r *dsr.Request) { r.Epoch++ },
		"status": func(r *dsr.Request) { r.Status = dsr.StatusVerifying },
		"stale":  func(r *dsr.Request) { r.UpdatedAt = r.UpdatedAt.Add(-time.Microsecond) },
	} {
		stale := got
		spoil(&stale)
		err := s.db.InTx(t.Context(), tenant, func(tx *store.Tx) error {
			return tx.Transition(&stale, dsr.EventWithdrawn, act("request.withdraw"), nil)
		})
		wantKind(t, err, fault.Conflict)
		if e, _ := fault.As(err); !slices.Contains(e.Allowed, string(dsr.EventApproved)) {
			t.Errorf("%s: the conflict allows %v", name, e.Allowed)
		}
		err = s.db.InTx(t.Context(), tenant, func(tx *store.Tx) error { return tx.UpdateRequest(&stale, act("request.assign")) })
		wantKind(t, err, fault.Conflict)
	}
	wantEqual(t, "after refused writes", s.request(t, tenant, req.ID), got)
}

// lifecycle walks every pair of status and event: what dsr.Next refuses is refused and changes nothing.
func (s suite) lifecycle(t *testing.T) {
	tenant := s.tenant(t)
	for _, from := range dsr.Statuses() {
		sub := &dsr.Submission{Person: dsr.Person{Email: "walk@example.org"}, ReceivedAt: s.db.Clock.Now()}
		var reqs []*dsr.Request
		for range dsr.Events() {
			reqs = append(reqs, &dsr.Request{Right: dsr.RightErasure, Status: from})
		}
		s.in(t, tenant, func(tx *store.Tx) error { return tx.CreateSubmission(sub, reqs, act("request.create")) })
		for i, event := range dsr.Events() {
			want, refused := dsr.Next(from, event)
			err := s.db.InTx(t.Context(), tenant, func(tx *store.Tx) error {
				r, err := tx.Request(reqs[i].ID)
				must(t, err)
				return tx.Transition(&r, event, act("request.move"), nil)
			})
			if refused != nil {
				wantKind(t, err, fault.Conflict)
				want = from
			} else {
				must(t, err)
			}
			wantEqual(t, fmt.Sprintf("%s after %s", from, event), s.request(t, tenant, reqs[i].ID).Status, want)
		}
	}
}

// staleWrites: of many writers that read the same state exactly one gets through, and nothing is written over unread.
func (s suite) staleWrites(t *testing.T) {
	tenant := s.tenant(t)
	req := s.plain(t, tenant, dsr.RightAccess)
	var wg sync.WaitGroup
	errs := make([]error, 20)
	for i := range errs {
		wg.Add(1)
		go func() {
			defer wg.Done()
			mine := req
			mine.Assignee = fmt.Sprint(i)
			errs[i] = s.db.InTx(t.Context(), tenant, func(tx *store.Tx) error { return tx.UpdateRequest(&mine, act("request.assign")) })
		}()
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		wantKind(t, err, fault.Conflict)
	}
	wantEqual(t, "writers that got through", won, 1)
}

func (s suite) claims(t *testing.T) {
	tenant := s.tenant(t)
	req := s.plain(t, tenant, dsr.RightErasure)
	claim := func(id dsr.RequestID) (got dsr.Request, ok bool) {
		s.in(t, tenant, func(tx *store.Tx) (err error) {
			got, ok, err = tx.Claim(id, time.Minute)
			return err
		})
		return got, ok
	}
	first, ok := claim(req.ID)
	if !ok || first.Epoch != 1 {
		t.Fatalf("first claim: %v, epoch %d", ok, first.Epoch)
	}
	if _, ok := claim(req.ID); ok {
		t.Fatal("a held request was claimed")
	}
	s.db.Clock.Move(time.Minute)
	second, ok := claim(req.ID)
	if !ok || second.Epoch != 2 {
		t.Fatalf("claim after the lease: %v, epoch %d", ok, second.Epoch)
	}
	// The first holder wakes up: nothing of it is written.
	for name, write := range map[string]func(*store.Tx) error{
		"transition": func(tx *store.Tx) error {
			return tx.Transition(&first, dsr.EventVerified, act("request.verify"), nil)
		},
		"update":   func(tx *store.Tx) error { return tx.UpdateRequest(&first, store.Act{}) },
		"release":  func(tx *store.Tx) error { return tx.Release(&first, tx.Now) },
		"capture":  func(tx *store.Tx) error { return tx.PutCapture(&first, 0, 0, [][]string{{"1"}}) },
		"step":     func(tx *store.Tx) error { return tx.PutStep(&first, store.StepRecord{}) },
		"findings": func(tx *store.Tx) error { return tx.PutFindings(&first, nil) },
	} {
		if err := s.db.InTx(t.Context(), tenant, write); !fault.Is(err, fault.Conflict) {
			t.Errorf("%s by an overtaken worker: %v", name, err)
		}
	}
	second.Attempts = 3
	later := s.db.Clock.Now().Add(time.Hour)
	s.in(t, tenant, func(tx *store.Tx) error { return tx.Release(&second, later) })
	got := s.request(t, tenant, req.ID)
	wantEqual(t, "after release", []any{got.NextActionAt, got.Attempts}, []any{later, 3})
	if _, ok := claim(req.ID); ok {
		t.Fatal("a request was claimed before its time")
	}
	s.db.Clock.Move(time.Hour)
	third, ok := claim(req.ID)
	if !ok {
		t.Fatal("a released request could not be claimed when due")
	}
	// An officer asks for work now while a worker holds the request: the worker's release does not put it off.
	now := s.db.Clock.Now()
	s.in(t, tenant, func(tx *store.Tx) error {
		r, err := tx.Request(req.ID)
		must(t, err)
		r.NextActionAt = now
		return tx.UpdateRequest(&r, act("request.retry"))
	})
	s.in(t, tenant, func(tx *store.Tx) error { return tx.Release(&third, now.Add(24*time.Hour)) })
	wantEqual(t, "next action after both", s.request(t, tenant, req.ID).NextActionAt, now)
	s.in(t, tenant, func(tx *store.Tx) error {
		_, ok, err := tx.Claim(dsr.RequestID(dsr.NewID()), time.Minute)
		if ok {
			t.Error("an unknown request was claimed")
		}
		return err
	})
}

func (s suite) lists(t *testing.T) {
	tenant := s.tenant(t)
	now := s.db.Clock.Now()
	for i := range 25 {
		sub := &dsr.Submission{Person: dsr.Person{Email: fmt.Sprintf("p%d@example.org", i%5)}, ReceivedAt: now, Org: fmt.Sprint("org", i%2), CreatedBy: fmt.Sprint("by", i%3)}
		req := &dsr.Request{Right: dsr.RightAccess, ReceivedAt: now.Add(time.Duration(i/3) * time.Hour), Assignee: fmt.Sprint("o", i%4)}
		if i%6 != 0 { // some have no legal date
			req.DueOn = day(1 + i%7)
		}
		if i%8 == 0 {
			req.ExtendedUntil, req.NeedsAttention, req.Right = day(20), "x", dsr.RightErasure
		}
		s.in(t, tenant, func(tx *store.Tx) error { return tx.CreateSubmission(sub, []*dsr.Request{req}, act("request.create")) })
	}
	yes, no := true, false
	s.read(t, tenant, func(tx *store.Tx) error {
		for _, f := range []struct {
			name   string
			filter store.RequestFilter
			want   int
		}{
			{"all", store.RequestFilter{}, 25},
			{"received", store.RequestFilter{Sort: store.SortReceived}, 25},
			{"newest", store.RequestFilter{Sort: store.SortReceivedDesc}, 25},
			{"status", store.RequestFilter{Status: []dsr.Status{dsr.StatusReceived, dsr.StatusDenied}}, 25},
			{"other status", store.RequestFilter{Status: []dsr.Status{dsr.StatusDenied}}, 0},
			{"right", store.RequestFilter{Right: []dsr.Right{dsr.RightErasure}}, 4},
			{"assignee", store.RequestFilter{Assignee: "o1"}, 6},
			{"address", store.RequestFilter{EmailHash: tx.EmailHash("P2@example.org")}, 5},
			{"organization", store.RequestFilter{Org: "org1"}, 12},
			{"creator and organization", store.RequestFilter{CreatedBy: "by0", Org: "org0"}, 5},
			{"attention", store.RequestFilter{NeedsAttention: &yes}, 4},
			{"no attention", store.RequestFilter{NeedsAttention: &no}, 21},
			{"due", store.RequestFilter{DueBefore: day(3)}, 6},
			{"reference", store.RequestFilter{Reference: "HB-AAAA-AAAA"}, 0},
		} {
			f.filter.Limit = 4
			seen := map[dsr.RequestID]bool{}
			var walked []dsr.Request
			for {
				page, next, err := tx.ListRequests(f.filter)
				must(t, err)
				for _, r := range page {
					if seen[r.ID] {
						t.Fatalf("%s: a request is on two pages", f.name)
					}
					seen[r.ID] = true
				}
				walked = append(walked, page...)
				if f.filter.Cursor = next; next == "" {
					break
				}
			}
			if len(walked) != f.want {
				t.Errorf("%s: %d requests, want %d", f.name, len(walked), f.want)
			}
			inOrder(t, f.name, f.filter.Sort, walked)
		}
		for _, bad := range []store.RequestFilter{{Cursor: "x"}, {Cursor: "WyJhIl0"}, {Sort: "id; DROP TABLE request"}, {Cursor: "WyJhIiwiYiJd"}} {
			_, _, err := tx.ListRequests(bad)
			wantKind(t, err, fault.Invalid)
		}
		return nil
	})
}

func inOrder(t *testing.T, name, sort string, list []dsr.Request) {
	t.Helper()
	key := func(r dsr.Request) string {
		switch {
		case sort != "":
			return r.ReceivedAt.Format(time.RFC3339Nano)
		case !r.ExtendedUntil.IsZero():
			return r.ExtendedUntil.String()
		case !r.DueOn.IsZero():
			return r.DueOn.String()
		}
		return "9999"
	}
	keys := make([]string, len(list))
	for i, r := range list {
		keys[i] = key(r)
	}
	if sort == store.SortReceivedDesc {
		slices.Reverse(keys)
	}
	if !slices.IsSorted(keys) {
		t.Errorf("%s: not in order: %v", name, keys)
	}
}

func (s suite) counts(t *testing.T) {
	tenant := s.tenant(t)
	today := statute.DateOf(s.db.Clock.Now())
	sub := &dsr.Submission{Person: dsr.Person{Email: "c@example.org"}, ReceivedAt: s.db.Clock.Now()}
	reqs := []*dsr.Request{
		{Right: dsr.RightAccess, Status: dsr.StatusInReview, DueOn: today.AddDays(-1)},
		{Right: dsr.RightAccess, Status: dsr.StatusInReview, DueOn: today},
		{Right: dsr.RightAccess, Status: dsr.StatusInReview, DueOn: today.AddDays(-5), ExtendedUntil: today.AddDays(5)},
		{Right: dsr.RightAccess, Status: dsr.StatusInGrace, DueOn: today.AddDays(-1), AnsweredAt: s.db.Clock.Now()},
		{Right: dsr.RightAccess, Status: dsr.StatusDenied, DueOn: today.AddDays(-1)},
	}
	s.in(t, tenant, func(tx *store.Tx) error { return tx.CreateSubmission(sub, reqs, act("request.create")) })
	s.read(t, tenant, func(tx *store.Tx) error {
		by, overdue, err := tx.CountRequests()
		must(t, err)
		wantEqual(t, "counts", by, map[dsr.Status]int{dsr.StatusInReview: 3, dsr.StatusInGrace: 1, dsr.StatusDenied: 1})
		wantEqual(t, "overdue", overdue, 1)
		return nil
	})
}

func (s suite) events(t *testing.T) {
	tenant := s.tenant(t)
	req := s.plain(t, tenant, dsr.RightAccess)
	s.in(t, tenant, func(tx *store.Tx) error {
		must(t, tx.AddEvent(req.ID, "package_downloaded", act("package.download")))
		wantKind(t, tx.AddEvent(dsr.RequestID(dsr.NewID()), "x", act("package.download")), fault.NotFound)
		return nil
	})
	s.read(t, tenant, func(tx *store.Tx) error {
		events, err := tx.Events(req.ID)
		must(t, err)
		var names []string
		for _, e := range events {
			names = append(names, e.Name)
		}
		wantEqual(t, "events", names, []string{"received", "package_downloaded"})
		wantEqual(t, "an event that moves nothing", []dsr.Status{events[1].From, events[1].To}, []dsr.Status{dsr.StatusReceived, dsr.StatusReceived})
		return nil
	})
}
