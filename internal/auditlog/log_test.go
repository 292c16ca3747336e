package auditlog

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/habeas-data/habeas/internal/fault"
)

const tenant = "acme"

// memory is a stored log, for tests to break.
type memory struct {
	leaves [][]byte
	hashes []tlog.Hash
	gone   map[int64]bool // leaves that are gone
}

func (m *memory) Size(context.Context) (int64, error) { return int64(len(m.leaves)), nil }

func (m *memory) Leaf(_ context.Context, i int64) ([]byte, error) {
	if m.gone[i] || i >= int64(len(m.leaves)) {
		return nil, fault.New(fault.NotFound, "gone", "gone")
	}
	return m.leaves[i], nil
}

func (m *memory) Hashes(_ context.Context, idx []int64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, i := range idx {
		if i < 0 || i >= int64(len(m.hashes)) {
			return nil, fault.New(fault.NotFound, "gone", "gone")
		}
		out = append(out, m.hashes[i])
	}
	return out, nil
}

func (m *memory) reader() tlog.HashReader { return HashReader(context.Background(), m) }

func (m *memory) clone() *memory {
	return &memory{leaves: slices.Clone(m.leaves), hashes: slices.Clone(m.hashes), gone: map[int64]bool{}}
}

func entry(i int) Entry {
	return Entry{
		ID: fmt.Sprintf("0190f7a2-0000-7000-8000-%012x", i), Tenant: tenant,
		At:     time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC).Add(time.Duration(i) * time.Second),
		Actor:  Actor{Kind: "officer", Hash: "W78K3sqWuS-BfCwXc2CrtCauBNnwrUJxcIFYyOjU0OQ"},
		Action: "request.approve", Object: Object{Kind: "request", ID: fmt.Sprintf("0190f7a2-1111-7000-8000-%012x", i)},
		Outcome: OutcomeOK, Facts: map[string]string{"rows": strconv.Itoa(i), "system": "shop", "dataset": "public.Kunden"},
	}
}

// grown makes a log of n entries, appended in batches of different sizes.
func grown(t testing.TB, n int) *memory {
	t.Helper()
	m := &memory{gone: map[int64]bool{}}
	for batch := 1; len(m.leaves) < n; batch = batch%7 + 1 {
		var leaves [][]byte
		for i := range min(batch, n-len(m.leaves)) {
			leaf, err := Encode(entry(len(m.leaves) + i))
			if err != nil {
				t.Fatal(err)
			}
			leaves = append(leaves, leaf)
		}
		m.add(t, leaves)
	}
	return m
}

func (m *memory) add(t testing.TB, leaves [][]byte) {
	t.Helper()
	hashes, root, err := AppendAll(int64(len(m.leaves)), m.reader(), leaves)
	if err != nil {
		t.Fatal(err)
	}
	m.leaves, m.hashes = append(m.leaves, leaves...), append(m.hashes, hashes...)
	if again := m.head(t, int64(len(m.leaves))).Root; again != root {
		t.Fatalf("root %s while appending, %s from the store", root, again)
	}
}

func (m *memory) head(t testing.TB, size int64) Checkpoint {
	t.Helper()
	root, err := Root(size, m.reader())
	if err != nil {
		t.Fatal(err)
	}
	return Checkpoint{Origin: Origin(tenant), Size: size, Root: root}
}

// keys makes a signing key.
func keys(t testing.TB) (skey, vkey string) {
	t.Helper()
	skey, vkey, err := NewSignerKey(Origin(tenant))
	if err != nil {
		t.Fatal(err)
	}
	return skey, vkey
}

func sign(t testing.TB, c Checkpoint, skey string) []byte {
	t.Helper()
	signed, err := SignCheckpoint(c, skey)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}
