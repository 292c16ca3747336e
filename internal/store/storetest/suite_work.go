package storetest

import (
	"bytes"
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/auditlog"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/plan"
	"github.com/habeas-data/habeas/internal/seal"
	"github.com/habeas-data/habeas/internal/store"
)

func object(sub dsr.SubmissionID) auditlog.Object {
	return auditlog.Object{Kind: "submission", ID: string(sub)}
}

func samplePlan(digest string) plan.Plan {
	return plan.Plan{
		Digest: digest, MadeAt: utc(instant(3)), Right: "rectification", PolicyVersion: "v1", ConfigVersion: 2,
		Steps: []plan.Step{{System: "shop", Table: "customer", Action: plan.ActionRectify, Rows: 1, Ground: "g", On: day(4),
			Category: "contact", Columns: []string{"name"}, Changes: []plan.FieldChange{{Column: "name", Before: "planted before", After: "planted after"}}, Keys: "k", Because: "b"}},
		Withheld: []plan.Withheld{{System: "shop", Table: "invoice", What: "retained", Rows: 2, Ground: "tax", Until: day(5)}},
		Refusals: []plan.Refusal{{System: "shop", Table: "t", Message: "m"}}, NothingHeld: true, Lifted: true,
	}
}

func (s suite) plans(t *testing.T) {
	tenant := s.tenant(t)
	req := s.plain(t, tenant, dsr.RightRectification)
	s.in(t, tenant, func(tx *store.Tx) error {
		_, ok, err := tx.LatestPlan(req.ID)
		must(t, err)
		wantEqual(t, "a plan before the first", ok, false)
		first, second := samplePlan("d1"), samplePlan("d2")
		filled(t, first)
		must(t, tx.PutPlan(req.ID, first))
		must(t, tx.PutPlan(req.ID, second))
		must(t, tx.PutPlan(req.ID, first)) // again: stays as it was
		got, err := tx.Plan(req.ID, "d1")
		must(t, err)
		wantEqual(t, "plan", got, first)
		got, ok, err = tx.LatestPlan(req.ID)
		must(t, err)
		wantEqual(t, "latest plan", []any{ok, got}, []any{true, second})
		_, err = tx.Plan(req.ID, "d3")
		wantKind(t, err, fault.NotFound)
		return nil
	})
}

func (s suite) approvals(t *testing.T) {
	tenant := s.tenant(t)
	req := s.plain(t, tenant, dsr.RightErasure)
	s.in(t, tenant, func(tx *store.Tx) error {
		a := store.Approval{By: auditlog.Actor{Kind: "officer", Hash: "h"}, Subject: "o1", Role: "officer", Digest: "d1", At: tx.Now, Note: "planted note"}
		filled(t, a)
		must(t, tx.AddApproval(req.ID, a))
		wantKind(t, tx.AddApproval(req.ID, a), fault.Conflict)
		b := a
		b.Subject, b.Note = "o2", ""
		must(t, tx.AddApproval(req.ID, b))
		a2 := a
		a2.Digest = "d2"
		must(t, tx.AddApproval(req.ID, a2))
		got, err := tx.Approvals(req.ID, "d1")
		wantEqual(t, "approvals", got, []store.Approval{a, b})
		return err
	})
}

func (s suite) claimed(t *testing.T, tenant dsr.TenantID) (req dsr.Request) {
	t.Helper()
	id := s.plain(t, tenant, dsr.RightErasure).ID
	s.in(t, tenant, func(tx *store.Tx) (err error) {
		var ok bool
		if req, ok, err = tx.Claim(id, time.Hour); !ok {
			t.Fatal("not claimed")
		}
		return err
	})
	return req
}

func (s suite) captures(t *testing.T) {
	tenant := s.tenant(t)
	req := s.claimed(t, tenant)
	s.in(t, tenant, func(tx *store.Tx) error {
		none, err := tx.Capture(req.ID, 0, 0)
		must(t, err)
		if none != nil {
			t.Fatal("captured keys before the first")
		}
		keys := [][]string{{"1", "planted-key"}, {"2", ""}}
		must(t, tx.PutCapture(&req, 0, 0, [][]string{{"other"}}))
		must(t, tx.PutCapture(&req, 0, 0, keys))
		must(t, tx.PutCapture(&req, 0, 1, nil))
		must(t, tx.PutCapture(&req, 3, 0, keys))
		got, err := tx.Capture(req.ID, 0, 0)
		must(t, err)
		wantEqual(t, "captured keys", got, keys)
		empty, err := tx.Capture(req.ID, 0, 1)
		must(t, err)
		if empty == nil || len(empty) != 0 {
			t.Fatalf("a chunk without keys came back as %v", empty)
		}
		return nil
	})
	s.in(t, tenant, func(tx *store.Tx) error {
		steps, err := tx.CaptureSteps(req.ID)
		must(t, err)
		wantEqual(t, "captured steps", steps, map[int]int{0: 2, 3: 1})
		must(t, tx.DropCapture(req.ID))
		steps, err = tx.CaptureSteps(req.ID)
		wantEqual(t, "captured steps after the drop", len(steps), 0)
		must(t, tx.PutCapture(&req, 1, 0, [][]string{{"9"}}))
		return err
	})
}

func (s suite) progress(t *testing.T) {
	tenant := s.tenant(t)
	req := s.claimed(t, tenant)
	s.in(t, tenant, func(tx *store.Tx) error {
		step := store.StepRecord{Step: 1, System: "shop", Table: "t", Action: "delete", Expected: 3, Affected: 2, Gone: 1, DoneAt: utc(instant(4)), Note: "n"}
		filled(t, step)
		half := step
		half.Affected, half.DoneAt = 1, time.Time{}
		must(t, tx.PutStep(&req, half))
		must(t, tx.PutStep(&req, step))
		zero := store.StepRecord{}
		must(t, tx.PutStep(&req, zero))
		got, err := tx.Steps(req.ID)
		must(t, err)
		wantEqual(t, "steps", got, []store.StepRecord{zero, step})
		for run := range 2 { // what an earlier plan did stays beside what the next one does, and in its order
			must(t, tx.CloseSteps(&req))
			must(t, tx.CloseSteps(&req))
			must(t, tx.PutStep(&req, store.StepRecord{Step: 1, Table: []string{"second", "third"}[run]}))
		}
		got, err = tx.Steps(req.ID)
		must(t, err)
		var tables []string
		for _, s := range got {
			tables = append(tables, s.Table)
		}
		wantEqual(t, "tables of the steps of three runs", tables, []string{"", "t", "second", "third"})

		finding := store.Finding{System: "shop", Table: "t", Column: "c", Kind: "key", Rows: 3, At: tx.Now}
		filled(t, finding)
		must(t, tx.PutFindings(&req, []store.Finding{finding, finding, finding}))
		must(t, tx.PutFindings(&req, []store.Finding{finding}))
		found, err := tx.Findings(req.ID)
		wantEqual(t, "findings", found, []store.Finding{finding})
		return err
	})
}

func (s suite) holds(t *testing.T) {
	tenant := s.tenant(t)
	req := s.plain(t, tenant, dsr.RightErasure)
	var ids [2]string
	s.in(t, tenant, func(tx *store.Tx) error {
		h := store.Hold{Request: req.ID, Reason: "planted reason", By: auditlog.Actor{Kind: "officer", Hash: "h"}, Until: utc(instant(9))}
		for i := range ids {
			id, err := tx.PlaceHold(h, act("request.hold"))
			must(t, err)
			ids[i] = id
		}
		got, err := tx.Holds(req.ID)
		h.ID, h.PlacedAt, h.ReleasedAt = ids[0], tx.Now, tx.Now
		filled(t, h)
		h.ReleasedAt = time.Time{}
		wantEqual(t, "hold", got[0], h)
		return err
	})
	wantEqual(t, "on hold", s.request(t, tenant, req.ID).OnHold, true)
	// Whoever read the request before the hold can't write over it.
	err := s.db.InTx(t.Context(), tenant, func(tx *store.Tx) error { return tx.UpdateRequest(&req, store.Act{}) })
	wantKind(t, err, fault.Conflict)
	for i, still := range []bool{true, false} {
		s.in(t, tenant, func(tx *store.Tx) error { return tx.ReleaseHold(ids[i], act("request.hold")) })
		wantEqual(t, "on hold", s.request(t, tenant, req.ID).OnHold, still)
	}
	err = s.db.InTx(t.Context(), tenant, func(tx *store.Tx) error { return tx.ReleaseHold(ids[0], act("request.hold")) })
	wantKind(t, err, fault.Conflict)
}

func (s suite) obligations(t *testing.T) {
	tenant := s.tenant(t)
	req := s.plain(t, tenant, dsr.RightErasure)
	var id string
	s.in(t, tenant, func(tx *store.Tx) error {
		o := store.Obligation{
			ID: dsr.NewID(), Request: req.ID, Submission: req.Submission, System: "shop", Table: "invoice", Kind: store.ObligationDeleteRows, Rows: 4,
			DueOn: day(3), Ground: "tax", State: store.ObligationOpen, Step: 2, DoneAt: utc(instant(1)), Attempts: 1, NextActionAt: utc(instant(2)), CreatedAt: tx.Now,
		}
		filled(t, o, "Epoch")
		var err error
		id, err = tx.AddObligation(o)
		must(t, err)
		got, err := tx.Obligation(id)
		must(t, err)
		wantEqual(t, "obligation", got, o)
		for i := range 6 {
			_, err := tx.AddObligation(store.Obligation{Request: req.ID, Submission: req.Submission, Kind: store.ObligationReminder, DueOn: day(1 + i/2)})
			must(t, err)
		}
		f := store.ObligationFilter{State: store.ObligationOpen, Before: day(4), Request: req.ID, Limit: 2}
		filled(t, f, "Cursor")
		n := 0
		for {
			page, next, err := tx.ListObligations(f)
			must(t, err)
			n += len(page)
			if f.Cursor = next; next == "" {
				break
			}
		}
		wantEqual(t, "obligations on all pages", n, 7)
		page, _, err := tx.ListObligations(store.ObligationFilter{Before: day(2)})
		wantEqual(t, "obligations before the second", len(page), 2)
		return err
	})
	s.db.Clock.Move(0)
	s.in(t, tenant, func(tx *store.Tx) error {
		if _, ok, err := tx.ClaimObligation(id, time.Minute); ok || err != nil {
			t.Fatalf("an obligation was claimed years before its day (%v)", err)
		}
		o, err := tx.Obligation(id)
		must(t, err)
		o.NextActionAt = tx.Now
		return tx.UpdateObligation(&o, store.Act{})
	})
	s.in(t, tenant, func(tx *store.Tx) error {
		o, ok, err := tx.ClaimObligation(id, time.Minute)
		must(t, err)
		wantEqual(t, "claimed, with epoch", []any{ok, o.Epoch}, []any{true, int64(1)})
		stale := o
		stale.Epoch = 0
		wantKind(t, tx.UpdateObligation(&stale, store.Act{}), fault.Conflict)
		o.State, o.DoneAt, o.NextActionAt, o.Rows, o.Attempts, o.DueOn, o.Step = store.ObligationDone, tx.Now, time.Time{}, 5, 2, day(6), 7
		must(t, tx.UpdateObligation(&o, act("obligation.done")))
		got, err := tx.Obligation(id)
		must(t, err)
		wantEqual(t, "obligation when done", got, o)
		_, ok, err = tx.ClaimObligation(id, time.Minute)
		wantEqual(t, "a done obligation was claimed", ok, false)
		return err
	})
}

func (s suite) suppressions(t *testing.T) {
	tenant := s.tenant(t)
	req := s.plain(t, tenant, dsr.RightOptOut)
	s.in(t, tenant, func(tx *store.Tx) error {
		h1, h2 := tx.Hash("suppression", "a@example.org"), tx.Hash("suppression", "b@example.org")
		sup := store.Suppression{ID: dsr.NewID(), List: "marketing", IdentifierHash: h1, Request: req.ID, Since: tx.Now, LiftedAt: tx.Now}
		filled(t, sup)
		sup.LiftedAt = time.Time{}
		for i, want := range []bool{true, false} {
			added, err := tx.AddSuppression(sup, act("suppression.write"))
			must(t, err)
			if added != want {
				t.Fatalf("call %d added: %v", i, added)
			}
		}
		for _, c := range []struct {
			list string
			want int
		}{{"", 1}, {"marketing", 1}, {"sale", 0}} {
			got, err := tx.CheckSuppressions(c.list, []string{h1, h2})
			must(t, err)
			wantEqual(t, "on list "+c.list, len(got[h1]), c.want)
			if _, there := got[h2]; there {
				t.Error("somebody else is suppressed")
			}
			if c.want == 1 {
				wantEqual(t, "suppression", got[h1][0], sup)
			}
		}
		n, err := tx.LiftSuppressions(req.ID, act("suppression.write"))
		must(t, err)
		wantEqual(t, "lifted", n, 1)
		got, err := tx.CheckSuppressions("", []string{h1})
		must(t, err)
		wantEqual(t, "after lifting", len(got), 0)
		added, err := tx.AddSuppression(sup, act("suppression.write"))
		wantEqual(t, "added again", added, true)
		return err
	})
}

func (s suite) messages(t *testing.T) {
	tenant := s.tenant(t)
	req := s.plain(t, tenant, dsr.RightAccess)
	other := s.plain(t, tenant, dsr.RightAccess)
	by := auditlog.Actor{Kind: "officer", Hash: "h"}
	s.in(t, tenant, func(tx *store.Tx) error {
		n := store.Note{ID: dsr.NewID(), Request: req.ID, By: by, Subject: "o1", At: tx.Now, Text: "planted remark"}
		filled(t, n)
		_, err := tx.AddNote(n, act("note.write"))
		must(t, err)
		notes, err := tx.Notes(req.ID)
		must(t, err)
		wantEqual(t, "notes", notes, []store.Note{n})

		a := store.Attachment{ID: dsr.NewID(), Name: "planted.pdf", Type: "application/pdf", Size: 7, Content: []byte("planted")}
		m := store.Message{ID: dsr.NewID(), Submission: req.Submission, Request: req.ID, Direction: store.MessageIn, By: by, At: tx.Now, Text: "planted letter", Attachments: []store.Attachment{a, a}}
		m.Attachments[1].ID = dsr.NewID()
		filled(t, a)
		filled(t, m)
		_, err = tx.AddMessage(m, act("message.write"))
		must(t, err)
		got, err := tx.Attachment(req.Submission, a.ID)
		must(t, err)
		wantEqual(t, "attachment", got, a)
		_, err = tx.Attachment(other.Submission, a.ID)
		wantKind(t, err, fault.NotFound)
		m.Attachments[0].Content, m.Attachments[1].Content = nil, nil
		list, err := tx.Messages(req.Submission)
		wantEqual(t, "messages", list, []store.Message{m})
		return err
	})
}

func (s suite) packages(t *testing.T) {
	tenant := s.tenant(t)
	req := s.plain(t, tenant, dsr.RightAccess)
	key := seal.NewKey()
	box := key.Seal([]byte("zip"), nil)
	s.in(t, tenant, func(tx *store.Tx) error {
		p := store.Package{
			ID: dsr.NewID(), Submission: req.Submission, Request: req.ID, BlobKey: "b/1", Key: key, Size: 3, Rows: 2, SHA256: "s", MadeAt: utc(instant(1)),
			ExpiresAt: utc(instant(9)), DestroyedAt: utc(instant(1)), ReleasedAt: utc(instant(2)), Downloads: 1, Manifest: []byte("planted manifest"),
		}
		filled(t, p)
		p.DestroyedAt = time.Time{}
		_, err := tx.PutPackage(p)
		must(t, err)
		got, err := tx.PackageOf(req.ID)
		must(t, err)
		plain, err := got.Key.Open(box, nil)
		must(t, err)
		if !bytes.Equal(plain, []byte("zip")) {
			t.Fatal("the package's key came back as another")
		}
		got.Key, p.Key = seal.Key{}, seal.Key{}
		wantEqual(t, "package", got, p)
		list, err := tx.PackagesOf(req.Submission)
		must(t, err)
		wantEqual(t, "packages", len(list), 1)
		must(t, tx.MarkDownloaded(p.ID, act("package.download")))
		must(t, tx.ReleasePackage(p.ID, tx.Now, act("package.review")))
		wantKind(t, tx.MarkDownloaded(p.ID, act("package.download")), fault.Gone) // expired this very instant
		must(t, tx.DestroyPackage(p.ID, act("package.destroy")))
		must(t, tx.DestroyPackage(p.ID, act("package.destroy")))
		wantKind(t, tx.ReleasePackage(p.ID, tx.Now.Add(time.Hour), act("package.review")), fault.Gone)
		got, err = tx.Package(p.ID)
		must(t, err)
		wantEqual(t, "after destruction", []any{got.Key.IsZero(), got.Downloads, got.DestroyedAt, got.ReleasedAt}, []any{true, 2, tx.Now, tx.Now})
		_, err = tx.PackageOf(dsr.RequestID(dsr.NewID()))
		wantKind(t, err, fault.NotFound)
		return nil
	})
}
