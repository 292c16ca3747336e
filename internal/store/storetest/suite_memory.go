package storetest

import (
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/seal"
	"github.com/habeas-data/habeas/internal/store"
)

func (s suite) memories(t *testing.T) {
	tenant := s.tenant(t)
	key := seal.NewKey()
	box := key.Seal([]byte("marks"), nil)
	first := store.Memory{ID: dsr.NewID(), Identifiers: []string{"email", "user"}, Right: dsr.RightAccess, BlobKey: "b/1", Key: key, MadeAt: utc(instant(1))}
	put := func(m store.Memory) (id string) {
		t.Helper()
		s.in(t, tenant, func(tx *store.Tx) (err error) {
			m.ExpiresAt = tx.Now.AddDate(0, 13, 0)
			id, err = tx.PutMemory(m)
			return err
		})
		return id
	}
	of := func(right dsr.Right, identifiers ...string) (id string) {
		t.Helper()
		s.read(t, tenant, func(tx *store.Tx) error {
			m, err := tx.MemoryOf(identifiers, right)
			if err != nil {
				wantKind(t, err, fault.NotFound)
			}
			id = m.ID
			return nil
		})
		return id
	}
	put(first)
	s.read(t, tenant, func(tx *store.Tx) error {
		want := first
		want.ExpiresAt = tx.Now.AddDate(0, 13, 0)
		filled(t, want)
		for _, hash := range first.Identifiers {
			got, err := tx.MemoryOf([]string{hash, "unknown"}, dsr.RightAccess)
			must(t, err)
			plain, err := got.Key.Open(box, nil)
			must(t, err)
			wantEqual(t, "what the key opens", string(plain), "marks")
			got.Key, want.Key, want.Identifiers, want.ExpiresAt = seal.Key{}, seal.Key{}, nil, got.ExpiresAt
			wantEqual(t, "memory", got, want)
		}
		return nil
	})
	wantEqual(t, "of another right or person", []string{of(dsr.RightPortability, "email"), of(dsr.RightAccess, "other")}, []string{"", ""})
	// The next one ends the one before it, under whichever identifier; not those of another right or person.
	ported := put(store.Memory{Identifiers: []string{"email"}, Right: dsr.RightPortability, BlobKey: "b/2", Key: seal.NewKey(), MadeAt: utc(instant(1))})
	other := put(store.Memory{Identifiers: []string{"other"}, Right: dsr.RightAccess, BlobKey: "b/3", Key: seal.NewKey(), MadeAt: utc(instant(1))})
	second := put(store.Memory{Identifiers: []string{"user"}, Right: dsr.RightAccess, BlobKey: "b/4", Key: seal.NewKey(), MadeAt: utc(instant(2))})
	wantEqual(t, "after the next one", []string{of(dsr.RightAccess, "email"), of(dsr.RightAccess, "email", "user"), of(dsr.RightPortability, "email"), of(dsr.RightAccess, "other")}, []string{"", second, ported, other})
	wantEqual(t, "due", s.dueMemories(t, tenant, 0), map[string]int{first.ID: 1})
	s.in(t, tenant, func(tx *store.Tx) error {
		m, err := tx.Memory(first.ID)
		must(t, err)
		wantEqual(t, "an ended one", []any{m.Key.IsZero(), m.BlobKey, m.ExpiresAt.After(tx.Now)}, []any{true, "b/1", false})
		must(t, tx.DropMemory(first.ID))
		must(t, tx.DropMemory(first.ID))
		_, err = tx.Memory(first.ID)
		wantKind(t, err, fault.NotFound)
		must(t, tx.EndMemories(nil))
		return tx.EndMemories([]string{"email", "user"})
	})
	wantEqual(t, "after the end of all", []string{of(dsr.RightAccess, "email", "user"), of(dsr.RightPortability, "email"), of(dsr.RightAccess, "other")}, []string{"", "", other})
	wantEqual(t, "due in 14 months", s.dueMemories(t, tenant, 14), map[string]int{second: 1, ported: 1, other: 1})
	err := s.db.InTx(t.Context(), tenant, func(tx *store.Tx) error {
		_, err := tx.PutMemory(store.Memory{Right: dsr.RightAccess, Key: key})
		return err
	})
	if err == nil {
		t.Error("a memory of nobody was stored")
	}
}

// dueMemories counts how often each memory of a tenant is due after some months.
func (s suite) dueMemories(t *testing.T, tenant dsr.TenantID, months int) map[string]int {
	t.Helper()
	list, err := s.db.Due(t.Context(), s.db.Clock.Now().AddDate(0, months, 0).Add(time.Second), 10_000)
	must(t, err)
	out := map[string]int{}
	for _, d := range list {
		if d.Tenant == tenant && d.Kind == store.DueMemory {
			out[d.ID]++
		}
	}
	return out
}
