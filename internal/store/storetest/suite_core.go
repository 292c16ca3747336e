package storetest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/store"
)

func (s suite) tenants(t *testing.T) {
	a, b := s.tenant(t), s.tenant(t)
	again, err := s.db.CreateTenant(t.Context(), a)
	must(t, err)
	if again {
		t.Fatal("a tenant was made twice")
	}
	list, err := s.db.Tenants(t.Context())
	must(t, err)
	if !slices.Contains(list, a) || !slices.Contains(list, b) || !slices.IsSorted(list) {
		t.Fatalf("tenants: %v", list)
	}
	for _, wrong := range []dsr.TenantID{"", "nobody-here", "Not A Slug", "'; --"} {
		called := false
		err := s.db.InTx(t.Context(), wrong, func(*store.Tx) error { called = true; return nil })
		if err == nil || called {
			t.Fatalf("tenant %q: a transaction ran (error %v)", wrong, err)
		}
	}
	// Hashes differ by tenant and by purpose, so that nothing can be joined across.
	seen := map[string]bool{}
	for _, tenant := range []dsr.TenantID{a, b} {
		s.read(t, tenant, func(tx *store.Tx) error {
			seen[tx.Hash("x", "v")], seen[tx.Hash("y", "v")] = true, true
			wantEqual(t, "hash of an address in capitals", tx.EmailHash("A@EXAMPLE.org"), tx.EmailHash("a@example.ORG"))
			if tx.EmailHash("\u0131@example.org") == tx.EmailHash("I@example.org") || tx.EmailHash("\u212a@example.org") == tx.EmailHash("k@example.org") {
				t.Error("two different addresses have one hash")
			}
			p := access.Principal{Kind: access.KindOfficer, Tenant: string(tenant), Subject: "officer-1"}
			if got := tx.Actor(p); got.Kind != "officer" || got.Hash == "" || got.Hash == "officer-1" {
				t.Errorf("actor %+v", got)
			}
			return nil
		})
	}
	if len(seen) != 4 {
		t.Fatalf("%d different hashes, want 4", len(seen))
	}
}

func (s suite) transactions(t *testing.T) {
	tenant := s.tenant(t)
	req := s.plain(t, tenant, dsr.RightAccess)
	// An error and a panic undo everything.
	boom := errors.New("boom")
	err := s.db.InTx(t.Context(), tenant, func(tx *store.Tx) error {
		r, err := tx.Request(req.ID)
		must(t, err)
		must(t, tx.Transition(&r, dsr.EventWithdrawn, act("request.withdraw"), nil))
		return boom
	})
	if !errors.Is(err, boom) {
		t.Fatalf("got %v", err)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_ = s.db.InTx(t.Context(), tenant, func(tx *store.Tx) error {
			r, err := tx.Request(req.ID)
			must(t, err)
			must(t, tx.Transition(&r, dsr.EventWithdrawn, act("request.withdraw"), nil))
			panic(boom)
		})
	}()
	wantEqual(t, "status after a rolled back transaction", s.request(t, tenant, req.ID).Status, dsr.StatusReceived)
	// A reading transaction does not write, and a transaction that is over does nothing.
	var kept *store.Tx
	err = s.db.Read(t.Context(), tenant, func(tx *store.Tx) error {
		kept = tx
		return tx.PutToken(store.Token{Purpose: store.TokenVerify, Hash: "h", ExpiresAt: tx.Now})
	})
	if err == nil {
		t.Fatal("a reading transaction wrote")
	}
	if _, err := kept.Request(req.ID); err == nil {
		t.Fatal("a transaction was used after its end")
	}
	// A context that is over ends the transaction.
	ctx, cancel := context.WithCancel(t.Context())
	err = s.db.InTx(ctx, tenant, func(tx *store.Tx) error {
		must(t, tx.AddEvent(req.ID, "note", act("request.note")))
		cancel()
		return nil
	})
	if err == nil {
		t.Fatal("a transaction was committed after its context was over")
	}
	s.read(t, tenant, func(tx *store.Tx) error {
		events, err := tx.Events(req.ID)
		wantEqual(t, "events", len(events), 1)
		return err
	})
	must(t, s.db.Ping(t.Context()))
}

// guard: a frozen clock, to the microsecond.
func (s suite) guard(t *testing.T) {
	tenant := s.tenant(t)
	s.in(t, tenant, func(tx *store.Tx) error {
		before := tx.Now
		s.db.Clock.Move(time.Microsecond)
		wantEqual(t, "now within a transaction", tx.Now, before)
		wantEqual(t, "precision of now", tx.Now.Nanosecond()%1000, 0)
		return nil
	})
}

func (s suite) config(t *testing.T) {
	tenant := s.tenant(t)
	s.in(t, tenant, func(tx *store.Tx) error {
		_, err := tx.CurrentConfig()
		wantKind(t, err, fault.NotFound)
		c := store.Config{PolicyVersion: "v1", Policy: []byte("policy: 1"), DataMap: []byte("map: 1"), Digest: "d1"}
		v, changed, err := tx.PutConfig(c, act("tenant.apply"))
		must(t, err)
		wantEqual(t, "first version", []any{v, changed}, []any{int64(1), true})
		v, changed, err = tx.PutConfig(c, act("tenant.apply"))
		must(t, err)
		wantEqual(t, "same again", []any{v, changed}, []any{int64(1), false})
		c2 := c
		c2.Digest, c2.PolicyVersion = "d2", "v2"
		v, changed, err = tx.PutConfig(c2, act("tenant.apply"))
		must(t, err)
		wantEqual(t, "second version", []any{v, changed}, []any{int64(2), true})
		c.Version, c.AppliedAt = 1, tx.Now
		filled(t, c)
		got, err := tx.Config(1)
		must(t, err)
		wantEqual(t, "config", got, c)
		now, err := tx.CurrentConfig()
		must(t, err)
		wantEqual(t, "current version", now.Version, int64(2))
		_, err = tx.Config(3)
		wantKind(t, err, fault.NotFound)
		return nil
	})
}

func (s suite) submissions(t *testing.T) {
	tenant := s.tenant(t)
	sub, req := sample()
	s.in(t, tenant, func(tx *store.Tx) error {
		return tx.CreateSubmission(sub, []*dsr.Request{req}, act("request.create"))
	})
	filled(t, sub)
	s.in(t, tenant, func(tx *store.Tx) error {
		got, err := tx.Submission(sub.ID)
		must(t, err)
		wantEqual(t, "submission", got, *sub)
		got, err = tx.SubmissionByReference(sub.Reference)
		must(t, err)
		wantEqual(t, "submission by reference", got, *sub)
		list, err := tx.SubmissionsByEmailHash(tx.EmailHash("ada.planted@EXAMPLE.org"), 10)
		must(t, err)
		wantEqual(t, "submissions by address", list, []dsr.Submission{*sub})
		_, err = tx.Submission(dsr.SubmissionID(dsr.NewID()))
		wantKind(t, err, fault.NotFound)
		_, err = tx.SubmissionByReference("HB-AAAA-AAAA")
		wantKind(t, err, fault.NotFound)

		sub.Person.Stored, sub.Person.Email = "other@example.org", "changed@example.org"
		sub.Proofs = append(sub.Proofs, dsr.Proof{Identifier: "user_id", Value: "7", Method: "officer", At: tx.Now})
		sub.VerifiedAt, sub.ExpiresAt, sub.Language, sub.PurgeOn = tx.Now, utc(instant(20)), "fr", day(30)
		must(t, tx.UpdateSubmission(sub, act("request.verify")))
		got, err = tx.Submission(sub.ID)
		must(t, err)
		wantEqual(t, "changed submission", got, *sub)
		list, err = tx.SubmissionsByEmailHash(tx.EmailHash("ada.planted@example.org"), 10)
		must(t, err)
		wantEqual(t, "submissions by the former address", len(list), 0)
		return nil
	})
	// The same reference twice in a tenant is refused; in another tenant it is free.
	err := s.db.InTx(t.Context(), tenant, func(tx *store.Tx) error {
		again, req := sample()
		again.Reference = sub.Reference
		return tx.CreateSubmission(again, []*dsr.Request{req}, act("request.create"))
	})
	wantKind(t, err, fault.Conflict)
	s.in(t, s.tenant(t), func(tx *store.Tx) error {
		other, req := sample()
		other.Reference = sub.Reference
		return tx.CreateSubmission(other, []*dsr.Request{req}, act("request.create"))
	})
}
