package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/habeas-data/habeas/internal/auditlog"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/store"
	"github.com/habeas-data/habeas/internal/store/storetest"
)

// TestPoolCarriesNoTenant mixes the calls of three tenants over one small pool of connections, with rollbacks, panics
// and canceled contexts among them: no call ever sees a row of another tenant, and none finds its own missing.
func TestPoolCarriesNoTenant(t *testing.T) {
	db := storetest.NewServer(t).Postgres(t)
	const tenants, workers = 3, 50
	calls := 100 // a twentieth of the full run
	if os.Getenv("HABEAS_SOAK") != "" {
		calls = 2000
	}
	own := map[dsr.TenantID]dsr.RequestID{}
	for i := range tenants {
		id := dsr.TenantID(fmt.Sprintf("pool-%d", i))
		if _, err := db.CreateTenant(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		own[id] = poolRequest(t, db.Store, id)
	}
	var foreign, missing, done atomic.Int64
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(7, uint64(w))) //nolint:gosec // a fixed seed on purpose
			for range calls {
				id := dsr.TenantID(fmt.Sprintf("pool-%d", r.IntN(tenants)))
				other := dsr.TenantID(fmt.Sprintf("pool-%d", r.IntN(tenants)))
				poolCall(db.Store, r.IntN(6), id, own[id], own[other], other != id, &foreign, &missing)
				done.Add(1)
			}
		})
	}
	wg.Wait()
	t.Logf("%d calls, %d foreign, %d missing", done.Load(), foreign.Load(), missing.Load())
	if foreign.Load()+missing.Load() > 0 || done.Load() != int64(workers*calls) {
		t.Errorf("%d foreign rows, %d empty by mistake in %d calls", foreign.Load(), missing.Load(), done.Load())
	}
}

func poolRequest(t *testing.T, s *store.Store, id dsr.TenantID) dsr.RequestID {
	t.Helper()
	sub := &dsr.Submission{ID: dsr.SubmissionID(dsr.NewID()), Tenant: id, Reference: dsr.NewReference(), Channel: dsr.ChannelForm, Language: "en"}
	req := &dsr.Request{ID: dsr.RequestID(dsr.NewID()), Tenant: id, Submission: sub.ID, Reference: sub.Reference, Right: dsr.RightAccess, Status: dsr.StatusReceived}
	err := s.InTx(t.Context(), id, func(tx *store.Tx) error {
		sub.ReceivedAt, req.ReceivedAt = tx.Now, tx.Now
		if _, _, err := tx.PutConfig(store.Config{PolicyVersion: "1", Policy: []byte("x"), DataMap: []byte("y"), Digest: "sha256:" + string(id)}, store.Act{By: auditlog.Actor{Kind: "system"}, Action: "tenant.apply"}); err != nil {
			return err
		}
		sub.ConfigVersion = 1
		return tx.CreateSubmission(sub, []*dsr.Request{req}, store.Act{By: auditlog.Actor{Kind: "public"}, Action: "request.create"})
	})
	if err != nil {
		t.Fatal(err)
	}
	return req.ID
}

// poolCall makes one call of a kind and counts what it must not see.
func poolCall(s *store.Store, kind int, id dsr.TenantID, mine, theirs dsr.RequestID, differ bool, foreign, missing *atomic.Int64) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	look := func(tx *store.Tx) error {
		items, _, err := tx.ListRequests(store.RequestFilter{})
		if err != nil {
			return err
		}
		found := false
		for _, r := range items {
			found = found || r.ID == mine
			if r.Tenant != id || r.ID != mine {
				foreign.Add(1)
			}
		}
		if !found {
			missing.Add(1)
		}
		if _, err := tx.Request(theirs); differ && !fault.Is(err, fault.NotFound) {
			foreign.Add(1)
		}
		return nil
	}
	errStop := errors.New("stop")
	switch kind {
	case 0, 1:
		_ = s.Read(ctx, id, look)
	case 2:
		_ = s.InTx(ctx, id, look)
	case 3: // rolled back
		_ = s.InTx(ctx, id, func(tx *store.Tx) error { return errors.Join(look(tx), errStop) })
	case 4: // broken
		func() {
			defer func() { _ = recover() }()
			_ = s.InTx(ctx, id, func(tx *store.Tx) error { _ = look(tx); panic("on purpose") })
		}()
	default: // given up in the middle
		_ = s.Read(ctx, id, func(tx *store.Tx) error { err := look(tx); cancel(); return err })
	}
}
