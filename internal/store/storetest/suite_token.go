package storetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/store"
)

func (s suite) tokens(t *testing.T) {
	tenant := s.tenant(t)
	req := s.plain(t, tenant, dsr.RightAccess)
	s.in(t, tenant, func(tx *store.Tx) error {
		want := store.Token{
			ID: dsr.NewID(), Purpose: store.TokenVerify, Submission: req.Submission, Subject: "officer-1", Hash: "hash-1", CodeHash: "code-1",
			ExpiresAt: tx.Now.Add(time.Hour), UsedAt: tx.Now, Tries: 2, AddressHash: tx.EmailHash("a@example.org"), Data: []byte("planted data"), CreatedAt: tx.Now,
		}
		filled(t, want)
		want.UsedAt = time.Time{}
		must(t, tx.PutToken(want))
		got, err := tx.TokenByHash(store.TokenVerify, "hash-1")
		must(t, err)
		wantEqual(t, "token", got, want)
		for _, wrong := range [][2]string{{store.TokenSession, "hash-1"}, {store.TokenVerify, "hash-2"}, {store.TokenVerify, ""}} {
			_, err = tx.TokenByHash(wrong[0], wrong[1])
			wantKind(t, err, fault.NotFound)
			_, err = tx.RedeemToken(wrong[0], wrong[1])
			wantKind(t, err, fault.NotFound)
		}
		got, err = tx.RedeemToken(store.TokenVerify, "hash-1")
		must(t, err)
		want.UsedAt = tx.Now
		wantEqual(t, "redeemed token", got, want)
		_, err = tx.RedeemToken(store.TokenVerify, "hash-1")
		wantKind(t, err, fault.Gone)
		_, err = tx.TokenByHash(store.TokenVerify, "hash-1")
		wantKind(t, err, fault.Gone)

		must(t, tx.PutToken(store.Token{Purpose: store.TokenSession, Submission: req.Submission, Hash: "s", ExpiresAt: tx.Now.Add(time.Hour)}))
		session, err := tx.TokenByHash(store.TokenSession, "s")
		must(t, err)
		must(t, tx.TouchToken(session.ID, tx.Now.Add(2*time.Hour)))
		must(t, tx.PutToken(store.Token{Purpose: store.TokenSignin, Subject: "officer-9", Hash: "i", ExpiresAt: tx.Now.Add(time.Hour), Data: []byte("x")}))
		must(t, tx.RevokeTokens(store.TokenSignin, "", "officer-9"))
		_, err = tx.TokenByHash(store.TokenSignin, "i")
		wantKind(t, err, fault.Gone)
		if tx.RevokeTokens(store.TokenSession, "", "") == nil {
			t.Error("all sessions were revoked at once")
		}
		n, err := tx.CountTokens(store.TokenVerify, tx.EmailHash("A@example.org"), tx.Now.Add(-time.Hour))
		must(t, err)
		wantEqual(t, "tokens for the address", n, 1)
		return nil
	})
	// One microsecond before its end a token lives, at its end it does not.
	s.db.Clock.Move(2*time.Hour - time.Microsecond)
	s.in(t, tenant, func(tx *store.Tx) error { _, err := tx.TokenByHash(store.TokenSession, "s"); return err })
	s.db.Clock.Move(time.Microsecond)
	s.in(t, tenant, func(tx *store.Tx) error {
		_, err := tx.TokenByHash(store.TokenSession, "s")
		wantKind(t, err, fault.Gone)
		_, err = tx.RedeemToken(store.TokenSession, "s")
		wantKind(t, err, fault.Gone)
		n, err := tx.SweepTokens(tx.Now)
		wantEqual(t, "swept", n, 3)
		return err
	})
}

// parallel runs fn n times at once.
func parallel(n int, fn func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Add(1)
		go func() {
			defer wg.Done()
			<-start
			fn(i)
		}()
	}
	close(start)
	wg.Wait()
}

func (s suite) redeemOnce(t *testing.T) {
	tenant := s.tenant(t)
	for round := range 3 {
		hash := fmt.Sprint("once-", round)
		s.in(t, tenant, func(tx *store.Tx) error {
			return tx.PutToken(store.Token{Purpose: store.TokenDownload, Hash: hash, ExpiresAt: tx.Now.Add(time.Hour)})
		})
		var won, gone atomic.Int64
		parallel(100, func(int) {
			err := s.db.InTx(t.Context(), tenant, func(tx *store.Tx) error {
				_, err := tx.RedeemToken(store.TokenDownload, hash)
				return err
			})
			switch {
			case err == nil:
				won.Add(1)
			case fault.Is(err, fault.Gone):
				gone.Add(1)
			default:
				t.Errorf("redeeming: %v", err)
			}
		})
		wantEqual(t, "who got the token, and who did not", []int64{won.Load(), gone.Load()}, []int64{1, 99})
	}
}

// code makes a submission with one live code and gives a function that tries one.
func (s suite) code(t *testing.T, tenant dsr.TenantID, maxTries int) (sub dsr.SubmissionID, try func(hash string) error) {
	t.Helper()
	sub = s.plain(t, tenant, dsr.RightAccess).Submission
	s.in(t, tenant, func(tx *store.Tx) error {
		return tx.PutToken(store.Token{Purpose: store.TokenVerify, Submission: sub, Hash: "h-" + string(sub), CodeHash: "right", ExpiresAt: tx.Now.Add(time.Hour)})
	})
	return sub, func(hash string) error {
		return s.db.InTx(t.Context(), tenant, func(tx *store.Tx) error {
			_, err := tx.RedeemCode(store.TokenVerify, sub, hash, maxTries)
			return err
		})
	}
}

func (s suite) codes(t *testing.T) {
	tenant := s.tenant(t)
	_, try := s.code(t, tenant, 5)
	for range 4 {
		wantKind(t, try("wrong"), fault.Forbidden)
	}
	must(t, try("right")) // the fifth
	wantKind(t, try("right"), fault.Forbidden)

	sub, try := s.code(t, tenant, 5)
	for range 5 {
		wantKind(t, try("wrong"), fault.Forbidden)
	}
	wantKind(t, try("right"), fault.Forbidden)
	s.read(t, tenant, func(tx *store.Tx) error {
		token, err := tx.TokenByHash(store.TokenVerify, "h-"+string(sub))
		wantEqual(t, "tries", token.Tries, 5)
		return err
	})
	wantKind(t, try(""), fault.Forbidden)

	// A refusal can be written down, and nothing else; the try counts even then.
	sub, _ = s.code(t, tenant, 5)
	for _, c := range []struct {
		write func(*store.Tx) error
		ok    bool
	}{
		{func(tx *store.Tx) error { return tx.Audit(act("request.verify"), object(sub)) }, true},
		{func(tx *store.Tx) error {
			_, err := tx.QueueMail(store.OutMail{Kind: "k", DedupeKey: "d", To: "a@example.org"})
			return err
		}, false},
	} {
		var written error
		err := s.db.InTx(t.Context(), tenant, func(tx *store.Tx) error {
			_, err := tx.RedeemCode(store.TokenVerify, sub, "wrong", 5)
			written = c.write(tx)
			return err
		})
		wantKind(t, err, fault.Forbidden)
		wantEqual(t, "written after a wrong code", written == nil, c.ok)
	}
	err := s.db.InTx(t.Context(), tenant, func(tx *store.Tx) error {
		must(t, tx.Audit(act("request.verify"), object(sub)))
		_, err := tx.RedeemCode(store.TokenVerify, sub, "right", 5)
		return err
	})
	if err == nil || fault.Is(err, fault.Forbidden) {
		t.Fatalf("a code was redeemed after other writes: %v", err)
	}
	s.db.Clock.Move(time.Hour)
	err = s.db.InTx(t.Context(), tenant, func(tx *store.Tx) error {
		_, err := tx.RedeemCode(store.TokenVerify, sub, "right", 5)
		return err
	})
	wantKind(t, err, fault.Forbidden)
}

// codesParallel: a hundred guesses at once get no more tries than five.
func (s suite) codesParallel(t *testing.T) {
	tenant := s.tenant(t)
	sub, try := s.code(t, tenant, 5)
	parallel(60, func(i int) {
		if err := try(fmt.Sprint("wrong-", i)); !fault.Is(err, fault.Forbidden) {
			t.Errorf("guess: %v", err)
		}
	})
	wantKind(t, try("right"), fault.Forbidden)
	s.read(t, tenant, func(tx *store.Tx) error {
		token, err := tx.TokenByHash(store.TokenVerify, "h-"+string(sub))
		wantEqual(t, "tries", token.Tries, 5)
		return err
	})
	// And of many right ones one gets through.
	_, try = s.code(t, tenant, 50)
	var won atomic.Int64
	parallel(30, func(int) {
		if try("right") == nil {
			won.Add(1)
		}
	})
	wantEqual(t, "right codes that got through", won.Load(), int64(1))
}

func (s suite) idempotency(t *testing.T) {
	tenant := s.tenant(t)
	key := store.IdempotencyKey{Key: "k1", Principal: "p1", Target: "POST /v1/requests", BodyHash: "b1"}
	answer := store.Answer{Status: 201, Body: []byte(`{"planted":"answer"}`)}
	filled(t, key)
	s.in(t, tenant, func(tx *store.Tx) error {
		got, err := tx.Idempotent(key)
		must(t, err)
		if got != nil {
			t.Fatal("an answer before the first call")
		}
		return tx.PutAnswer(key, answer)
	})
	s.in(t, tenant, func(tx *store.Tx) error {
		got, err := tx.Idempotent(key)
		must(t, err)
		wantEqual(t, "answer", *got, answer)
		other := key
		other.BodyHash = "b2"
		_, err = tx.Idempotent(other)
		wantKind(t, err, fault.Conflict)
		for _, change := range []func(*store.IdempotencyKey){
			func(k *store.IdempotencyKey) { k.Key = "k2" },
			func(k *store.IdempotencyKey) { k.Principal = "p2" },
			func(k *store.IdempotencyKey) { k.Target = "POST /v1/other" },
		} {
			k := key
			change(&k)
			got, err := tx.Idempotent(k)
			must(t, err)
			if got != nil {
				t.Errorf("%+v got somebody else's answer", k)
			}
		}
		return nil
	})
	s.db.Clock.Move(time.Hour)
	s.in(t, tenant, func(tx *store.Tx) error {
		_, err := tx.SweepTokens(tx.Now)
		must(t, err)
		got, err := tx.Idempotent(key)
		if got != nil {
			t.Error("an old answer was not swept")
		}
		return err
	})
}

// idempotencyParallel: many calls with one key have one effect, and all get its answer.
func (s suite) idempotencyParallel(t *testing.T) {
	tenant := s.tenant(t)
	key := store.IdempotencyKey{Key: "same", Principal: "p", Target: "POST /v1/requests", BodyHash: "b"}
	var effects atomic.Int64
	answers := make([]string, 40)
	parallel(len(answers), func(i int) {
		err := s.db.InTx(t.Context(), tenant, func(tx *store.Tx) error {
			old, err := tx.Idempotent(key)
			if err != nil || old != nil {
				if old != nil {
					answers[i] = string(old.Body)
				}
				return err
			}
			effects.Add(1)
			time.Sleep(20 * time.Millisecond) // the effect takes its time: the others are surely waiting
			answers[i] = fmt.Sprint("answer of ", i)
			return tx.PutAnswer(key, store.Answer{Status: 201, Body: []byte(answers[i])})
		})
		if err != nil {
			t.Errorf("call %d: %v", i, err)
		}
	})
	wantEqual(t, "effects", effects.Load(), int64(1))
	for i, a := range answers {
		if a != answers[0] {
			t.Fatalf("call %d got %q, call 0 %q", i, a, answers[0])
		}
	}
}
