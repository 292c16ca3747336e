package storetest

import (
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/store"
)

// leases: a claim is renewed, given back, and forgotten at the start of the one writing process.
func (s suite) leases(t *testing.T) {
	tenant := s.tenant(t)
	id := s.plain(t, tenant, dsr.RightErasure).ID
	claim := func() (r dsr.Request, ok bool) {
		s.in(t, tenant, func(tx *store.Tx) (err error) {
			r, ok, err = tx.Claim(id, time.Minute)
			return err
		})
		return r, ok
	}
	renew := func(epoch int64) error {
		return s.db.InTx(t.Context(), tenant, func(tx *store.Tx) error { return tx.Renew(id, epoch, time.Minute) })
	}
	unclaim := func(epoch int64) {
		s.in(t, tenant, func(tx *store.Tx) error { return tx.Unclaim(id, epoch) })
	}
	first, ok := claim()
	if !ok {
		t.Fatal("nothing to claim")
	}
	s.db.Clock.Move(50 * time.Second)
	must(t, renew(first.Epoch))
	s.db.Clock.Move(50 * time.Second)
	if _, ok := claim(); ok {
		t.Fatal("a renewed lease was taken")
	}
	s.db.Clock.Move(11 * time.Second)
	second, ok := claim()
	if !ok || second.Epoch != first.Epoch+1 {
		t.Fatalf("a lease that ran out was not taken: %v, epoch %d after %d", ok, second.Epoch, first.Epoch)
	}
	wantKind(t, renew(first.Epoch), fault.Conflict)
	unclaim(first.Epoch) // of no effect: it is not theirs any more
	if _, ok := claim(); ok {
		t.Fatal("who was overtaken gave the claim of another back")
	}
	unclaim(second.Epoch)
	third, ok := claim()
	if !ok {
		t.Fatal("a claim that was given back can't be taken")
	}
	must(t, s.db.ForgetLeases(t.Context()))
	if fourth, ok := claim(); !ok || fourth.Epoch != third.Epoch+1 {
		t.Fatalf("after a new start the claim can't be taken: %v", ok)
	}
}

// answerClaims: a key is taken by a call that runs, given back by one that did nothing, and free again when a call
// never came to its end.
func (s suite) answerClaims(t *testing.T) {
	tenant := s.tenant(t)
	k := store.IdempotencyKey{Key: "k", Principal: "p", Target: "POST /x", BodyHash: "h"}
	get := func() (a *store.Answer) {
		s.in(t, tenant, func(tx *store.Tx) (err error) {
			a, err = tx.Idempotent(k)
			return err
		})
		return a
	}
	s.in(t, tenant, func(tx *store.Tx) error { return tx.ClaimAnswer(k) })
	if a := get(); a == nil || a.Status != 0 {
		t.Fatalf("a claimed key answers %v", a)
	}
	s.in(t, tenant, func(tx *store.Tx) error { return tx.DropStaleClaim(k, tx.Now.Add(-time.Minute)) })
	if get() == nil {
		t.Fatal("a fresh claim was dropped")
	}
	s.db.Clock.Move(2 * time.Minute)
	s.in(t, tenant, func(tx *store.Tx) error { return tx.DropStaleClaim(k, tx.Now.Add(-time.Minute)) })
	if a := get(); a != nil {
		t.Fatalf("a stale claim stays: %v", a)
	}
	s.in(t, tenant, func(tx *store.Tx) error { return tx.PutAnswer(k, store.Answer{Status: 201, Body: []byte("x")}) })
	s.db.Clock.Move(time.Hour)
	s.in(t, tenant, func(tx *store.Tx) error { return tx.DropStaleClaim(k, tx.Now) })
	if a := get(); a == nil || a.Status != 201 {
		t.Fatalf("an answer was taken for a claim: %v", a)
	}
	s.in(t, tenant, func(tx *store.Tx) error { return tx.DropAnswer(k) })
	if get() != nil {
		t.Fatal("a dropped answer stays")
	}
}
