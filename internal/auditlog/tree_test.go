package auditlog

import (
	"context"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"
)

func TestFrontierAgreesWithTlog(t *testing.T) {
	m := grown(t, 300)
	var f frontier
	for n := range int64(301) {
		if f.root() != m.head(t, n).Root {
			t.Fatalf("roots of size %d differ", n)
		}
		if n < 300 {
			f.add(tlog.RecordHash(m.leaves[n]))
		}
	}
	if int64(len(m.hashes)) != tlog.StoredHashCount(300) {
		t.Errorf("%d stored hashes", len(m.hashes))
	}
}

func TestProofs(t *testing.T) {
	m := grown(t, 100)
	other := grown(t, 100)
	other.leaves, other.hashes = other.leaves[:40], other.hashes[:tlog.StoredHashCount(40)]
	forged := entry(1040)
	leaf, err := Encode(forged)
	if err != nil {
		t.Fatal(err)
	}
	other.add(t, append([][]byte{leaf}, m.leaves[41:]...))
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.Int64Range(1, 100).Draw(t, "size")
		n := rapid.Int64Range(0, size-1).Draw(t, "n")
		root, err := Root(size, m.reader())
		if err != nil {
			t.Fatal(err)
		}
		c := Checkpoint{Origin(tenant), size, root}
		p, err := ProveInclusion(size, n, m.reader())
		if err != nil {
			t.Fatal(err)
		}
		if err := CheckInclusion(p, c, n, m.leaves[n]); err != nil {
			t.Fatal(err)
		}
		if CheckInclusion(p, c, n, m.leaves[(n+1)%100]) == nil || CheckInclusion(p, c, (n+1)%100, m.leaves[n]) == nil || CheckInclusion(p, c, -1, m.leaves[n]) == nil {
			t.Fatal("another entry is proven by the same proof")
		}
		if len(p) > 0 {
			p[0][3] ^= 1
			if CheckInclusion(p, c, n, m.leaves[n]) == nil {
				t.Fatal("a changed proof proves")
			}
		}
		// Any two heads of one log are consistent; heads of the two forks only before the fork at 40.
		older := rapid.Int64Range(0, size).Draw(t, "older")
		oldRoot, err := Root(older, m.reader())
		if err != nil {
			t.Fatal(err)
		}
		old := Checkpoint{Origin(tenant), older, oldRoot}
		tp, err := ProveConsistency(size, older, m.reader())
		if err != nil {
			t.Fatal(err)
		}
		if err := CheckConsistency(tp, c, old); err != nil {
			t.Fatal(err)
		}
		forkRoot, err := Root(size, other.reader())
		if err != nil {
			t.Fatal(err)
		}
		fork := Checkpoint{Origin(tenant), size, forkRoot}
		fp, err := ProveConsistency(size, older, other.reader())
		if err != nil {
			t.Fatal(err)
		}
		if err := CheckConsistency(fp, fork, old); (err == nil) != (older <= 40) {
			t.Fatalf("a fork at 40 is consistent with size %d: %v", older, err)
		}
		if older > 0 && older < size && CheckConsistency(tp, old, c) == nil {
			t.Fatal("a rollback is consistent")
		}
	})
	if _, err := ProveInclusion(10, 10, m.reader()); err == nil {
		t.Error("an entry beyond the end is proven")
	}
	if _, err := ProveConsistency(10, 11, m.reader()); err == nil {
		t.Error("a longer beginning is proven")
	}
	if err := CheckConsistency(nil, m.head(t, 5), Checkpoint{Origin: "habeas/other", Size: 0}); err == nil {
		t.Error("two logs are consistent")
	}
}

func TestCheckpoint(t *testing.T) {
	m := grown(t, 3)
	skey, vkey := keys(t)
	c := m.head(t, 3)
	signed := sign(t, c, skey)
	if !strings.HasPrefix(string(signed), "habeas/acme\n3\n"+c.Root.String()+"\n\n— habeas/acme ") {
		t.Errorf("signed note:\n%s", signed)
	}
	if got, err := OpenCheckpoint(signed, vkey); err != nil || got != c || got.Tenant() != tenant {
		t.Errorf("opened %v, %v", got, err)
	}
	for i := range 8 * len(signed) {
		bad := slices.Clone(signed)
		bad[i/8] ^= 1 << (i % 8)
		if got, err := OpenCheckpoint(bad, vkey); err == nil {
			t.Fatalf("bit %d flipped opens as %v", i, got)
		}
	}
	_, foreign := keys(t)
	if _, err := OpenCheckpoint(signed, foreign); err == nil {
		t.Error("opens with another key")
	}
	if got, err := OpenCheckpoint(signed, foreign, vkey); err != nil || got != c {
		t.Errorf("with two keys during a rotation: %v", err)
	}
	if _, err := SignCheckpoint(Checkpoint{Origin: "habeas/other", Size: 3, Root: c.Root}, skey); err == nil {
		t.Error("signs the head of another log")
	}
	for _, bad := range []Checkpoint{{Origin: "habeas/acme", Size: -1}, {Origin: "acme"}, {Origin: "habeas/a\nb"}, {}} {
		if _, err := SignCheckpoint(bad, skey); err == nil {
			t.Errorf("signs %+v", bad)
		}
	}
}

func TestVerifyStored(t *testing.T) {
	const n = 1000
	whole := grown(t, n)
	skey, vkey := keys(t)
	signed := sign(t, whole.head(t, 990), skey)
	verify := func(m *memory, anchors ...Checkpoint) Report {
		t.Helper()
		rep, err := VerifyStored(context.Background(), m, signed, vkey, anchors...)
		if err != nil {
			t.Fatal(err)
		}
		return rep
	}
	if rep := verify(whole, whole.head(t, 0), whole.head(t, 512), whole.head(t, n)); !rep.OK() || rep.FirstBad != -1 || rep.Size != n || rep.Root != whole.head(t, n).Root || rep.Tenant != tenant {
		t.Fatalf("a whole log: %+v", rep)
	}
	for _, at := range []int64{0, 1, 511, 512, 777, 989, 999} {
		for name, breakIt := range map[string]func(*memory){
			"changed":        func(m *memory) { m.leaves[at] = []byte(strings.Replace(string(m.leaves[at]), "shop", "shot", 1)) },
			"gone":           func(m *memory) { m.gone[at] = true },
			"hash changed":   func(m *memory) { m.hashes[tlog.StoredHashIndex(0, at)][5] ^= 1 },
			"hashes cut":     func(m *memory) { m.hashes = m.hashes[:tlog.StoredHashIndex(0, at)] },
			"deleted":        func(m *memory) { m.leaves = slices.Delete(m.leaves, int(at), int(at)+1) },
			"foreign tenant": func(m *memory) { rewrite(t, m, at, func(e *Entry) { e.Tenant = "other" }) },
		} {
			if name == "deleted" && at == n-1 {
				continue // a cut tail after the last checkpoint: only an anchor knows
			}
			m := whole.clone()
			breakIt(m)
			if rep := verify(m); rep.OK() || rep.FirstBad != at {
				t.Errorf("entry %d %s: first bad %d, %s", at, name, rep.FirstBad, rep.Problem)
			}
		}
		if at > 0 {
			m := whole.clone()
			rewrite(t, m, at, func(e *Entry) { e.ID = entry(0).ID })
			if rep := verify(m); rep.FirstBad != at || !strings.Contains(rep.Problem, "duplicated") {
				t.Errorf("entry %d with the id of entry 0: %+v", at, rep)
			}
		}
	}
	// Hashes and all: the leaf is right by its hashes, and only a head tells.
	m := whole.clone()
	rewrite(t, m, 600, func(e *Entry) { e.Outcome = OutcomeFailed })
	if rep := verify(m); rep.FirstBad != 0 || !strings.Contains(rep.Problem, "rewritten") {
		t.Errorf("rewritten: %+v", rep)
	}
	if rep := verify(m, whole.head(t, 512), whole.head(t, 700)); rep.FirstBad != 512 || !strings.Contains(rep.Problem, "entries 512 to 699") {
		t.Errorf("rewritten between anchors: %+v", rep)
	}
	m = whole.clone()
	rewrite(t, m, 995, func(e *Entry) { e.Outcome = OutcomeFailed })
	if rep := verify(m, whole.head(t, n)); rep.FirstBad != 990 {
		t.Errorf("rewritten after the checkpoint: %+v", rep)
	}
	// An inner hash carries proofs and no leaf.
	m = whole.clone()
	m.hashes[tlog.StoredHashIndex(3, 5)][0] ^= 1
	if rep := verify(m); rep.FirstBad != 47 || !strings.Contains(rep.Problem, "inner hash") {
		t.Errorf("an inner hash: %+v", rep)
	}
	// A cut tail, and a rollback with its own good checkpoint.
	m = whole.clone()
	m.leaves = m.leaves[:900]
	if rep := verify(m); rep.FirstBad != 900 || !strings.Contains(rep.Problem, "rolled back") {
		t.Errorf("a cut tail: %+v", rep)
	}
	rep, err := VerifyStored(context.Background(), m, sign(t, whole.head(t, 900), skey), vkey, whole.head(t, 950))
	if err != nil || rep.FirstBad != 900 || !strings.Contains(rep.Problem, "rolled back") {
		t.Errorf("a rollback: %+v, %v", rep, err)
	}
}

// rewrite changes an entry and makes every stored hash anew, as somebody with the database would.
func rewrite(t *testing.T, m *memory, at int64, change func(*Entry)) {
	t.Helper()
	e, err := Decode(m.leaves[at])
	if err != nil {
		t.Fatal(err)
	}
	change(&e)
	leaves := slices.Clone(m.leaves)
	if leaves[at], err = Encode(e); err != nil {
		t.Fatal(err)
	}
	m.leaves, m.hashes = nil, nil
	m.add(t, leaves)
}
