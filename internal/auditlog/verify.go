package auditlog

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/habeas-data/habeas/internal/fault"
)

// verifier takes entries in order and knows, at every size at which somebody kept a head, whether the
// log is still the same. Both verifications feed it.
type verifier struct {
	tenant string
	tree   frontier
	heads  []Checkpoint          // the signed head and the anchors, smallest first
	vouch  int64                 // entries before this one are vouched for by a head
	ids    map[[16]byte]struct{} // ids of entries seen
}

// newVerifier sorts the heads it will hold the log against; all are of one origin.
func newVerifier(signed Checkpoint, anchors []Checkpoint) *verifier {
	heads := append([]Checkpoint{signed}, anchors...)
	slices.SortStableFunc(heads, func(a, b Checkpoint) int { return cmp.Compare(a.Size, b.Size) })
	return &verifier{tenant: signed.Tenant(), heads: heads, ids: map[[16]byte]struct{}{}}
}

// add takes the next entry and the hash recorded for it. A problem it gives is that entry's own.
func (v *verifier) add(recorded tlog.Hash, leaf []byte) (problem string) {
	if tlog.RecordHash(leaf) != recorded {
		return "the entry was changed: it does not have the hash that was recorded for it"
	}
	e, err := Decode(leaf)
	switch {
	case err != nil:
		return "the entry can't be read: " + err.Error()
	case e.Tenant != v.tenant:
		return "the entry belongs to another tenant"
	}
	id := uuidBytes(e.ID)
	if _, seen := v.ids[id]; seen {
		return "the entry is duplicated: its id stands in the log already"
	}
	v.ids[id] = struct{}{}
	v.tree.add(recorded)
	return ""
}

// checkHeads checks all heads of the current size. A head that does not fit says that something since the
// head before it was rewritten, hashes and all; where exactly, nobody can say any more.
func (v *verifier) checkHeads() (problem string) {
	for len(v.heads) > 0 && v.heads[0].Size == v.tree.size {
		if v.heads[0].Root != v.tree.root() {
			return fmt.Sprintf("the log was rewritten: entries %d to %d are not those that the checkpoint of size %d vouches for",
				v.vouch, v.tree.size-1, v.tree.size)
		}
		v.vouch = v.tree.size
		v.heads = v.heads[1:]
	}
	return ""
}

// report tells how far the log was good.
func (v *verifier) report(firstBad int64, problem string) Report {
	return Report{Tenant: v.tenant, Size: v.tree.size, Root: v.tree.root(), FirstBad: firstBad, Problem: problem}
}

// step is add and checkHeads; done is true when the verification ends here with a problem.
func (v *verifier) step(recorded tlog.Hash, leaf []byte) (rep Report, done bool) {
	if problem := v.add(recorded, leaf); problem != "" {
		return v.report(v.tree.size, problem), true
	}
	if problem := v.checkHeads(); problem != "" {
		return v.report(v.vouch, problem), true
	}
	return Report{}, false
}

// end is called after the last entry of a log of the signed size: whoever holds a head beyond it knows of a rollback.
func (v *verifier) end() Report {
	if len(v.heads) > 0 {
		return v.report(v.tree.size, fmt.Sprintf(
			"the log was rolled back: it ends at %d entries, and a checkpoint vouches for %d", v.tree.size, v.heads[len(v.heads)-1].Size))
	}
	return v.report(noEntry, "")
}

// sameLog tells whether all anchors are of the log with this origin.
func sameLog(origin string, anchors []Checkpoint) bool {
	return !slices.ContainsFunc(anchors, func(c Checkpoint) bool { return c.Origin != origin })
}

// VerifyExport reads an export to its end and verifies all of it: form, order and hashes of the entries,
// the signature of the checkpoint and the root under it, and every anchor.
//
// vkey is the verification key that the reader trusts; when empty the key in the export is taken,
// and the result says only that the export agrees with itself. anchors are checkpoints that were kept
// elsewhere; without one, a log that was rolled back or written anew with a stolen key looks whole.
//
// The Report names the first bad entry and what is wrong; FirstBad is -1 when nothing is, or when it is
// the header. Where entries were rewritten together with their hashes, FirstBad is the first that no
// head vouches for. The error is only for a reader that fails.
func VerifyExport(r io.Reader, vkey string, anchors []Checkpoint) (Report, error) {
	in := bufio.NewReaderSize(r, maxLine)
	var h header
	if err := readLine(in, &h); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, errLine) {
			return Report{FirstBad: noEntry, Problem: "the header is not that of an export"}, nil
		}
		return Report{}, err
	}
	signed, problem := checkHeader(h, vkey, anchors)
	if problem != "" {
		return Report{Tenant: h.Tenant, FirstBad: noEntry, Problem: problem}, nil
	}
	v := newVerifier(signed, anchors)
	if problem := v.checkHeads(); problem != "" { // a head of size 0 has only one right root
		return v.report(noEntry, problem), nil
	}
	return v.lines(in, signed.Size)
}

// lines verifies the entries of an export from the verifier's size on, and that nothing follows them.
func (v *verifier) lines(in *bufio.Reader, size int64) (Report, error) {
	for v.tree.size < size {
		var l line
		if err := readLine(in, &l); err != nil {
			return v.badLine(err, in)
		}
		if l.N != v.tree.size {
			return v.outOfOrder(l.N, in)
		}
		if rep, done := v.step(l.Hash, []byte(l.Leaf)); done {
			return rep, nil
		}
	}
	if _, err := in.ReadByte(); err == nil {
		return v.report(v.tree.size, "the export goes on after the last entry that its checkpoint vouches for"), nil
	} else if !errors.Is(err, io.EOF) {
		return Report{}, fmt.Errorf("reading the export: %w", err)
	}
	return v.end(), nil
}

// checkHeader gives the signed checkpoint of an export, or what is wrong with its first line.
func checkHeader(h header, vkey string, anchors []Checkpoint) (Checkpoint, string) {
	if h.Format != Format {
		return Checkpoint{}, "the header is not that of an export of this version"
	}
	if vkey != "" && vkey != h.VKey {
		return Checkpoint{}, "the header names another verification key than the one that is trusted"
	}
	c, err := OpenCheckpoint([]byte(h.Checkpoint), h.VKey)
	switch {
	case err != nil:
		return Checkpoint{}, err.Error()
	case c.Tenant() != h.Tenant || c.Size != h.Size:
		return Checkpoint{}, "the header and its checkpoint are of different logs or sizes"
	case !sameLog(c.Origin, anchors):
		return Checkpoint{}, "an anchor is of another log"
	}
	return c, ""
}

// badLine reports a line that is none, or an end before the last entry.
func (v *verifier) badLine(err error, in *bufio.Reader) (Report, error) {
	switch {
	case errors.Is(err, io.EOF):
		return v.report(v.tree.size, "the tail is cut off: the entry and everything after it is missing"), nil
	case errors.Is(err, errLine):
		if _, err := in.Peek(1); errors.Is(err, io.EOF) {
			return v.report(v.tree.size, "the line of the entry was changed or cut off"), nil
		}
		return v.report(v.tree.size, "the line of the entry was changed"), nil
	}
	return Report{}, err
}

// outOfOrder reports a line with another number than the next. Whether the expected entry comes later
// decides between swapped and missing.
func (v *verifier) outOfOrder(n int64, in *bufio.Reader) (Report, error) {
	want := v.tree.size
	if n >= 0 && n < want {
		return v.report(want, fmt.Sprintf("entry %d is duplicated, where entry %d should stand", n, want)), nil
	}
	for {
		var l line
		switch err := readLine(in, &l); {
		case errors.Is(err, io.EOF):
			return v.report(want, fmt.Sprintf("the entry is missing: entry %d stands in its place", n)), nil
		case err != nil && !errors.Is(err, errLine):
			return Report{}, err
		case err == nil && l.N == want:
			return v.report(want, fmt.Sprintf("the entry is swapped: entry %d stands in its place", n)), nil
		}
	}
}

// VerifyStored verifies a stored log against its signed checkpoint: every leaf with its recorded hash,
// the root, and each inner hash that proofs are made from. What was appended after the checkpoint is
// held against its recorded hashes too; Report.Size and Root then go beyond the checkpoint.
//
// The error is for a store that fails, and for nothing else.
func VerifyStored(ctx context.Context, r Reader, signed []byte, vkey string, anchors ...Checkpoint) (Report, error) {
	c, err := OpenCheckpoint(signed, vkey)
	if err != nil {
		return Report{FirstBad: noEntry, Problem: err.Error()}, nil
	}
	if !sameLog(c.Origin, anchors) {
		return Report{Tenant: c.Tenant(), FirstBad: noEntry, Problem: "an anchor is of another log"}, nil
	}
	size, err := r.Size(ctx)
	if err != nil {
		return Report{}, fmt.Errorf("reading the size of the audit log: %w", err)
	}
	v := newVerifier(c, anchors)
	if problem := v.checkHeads(); problem != "" {
		return v.report(noEntry, problem), nil
	}
	for v.tree.size < size {
		rep, done, err := v.page(ctx, r, min(v.tree.size+pageSize, size))
		if err != nil || done {
			return rep, err
		}
	}
	return v.end(), nil
}

// page verifies the stored entries up to one number. Leaves and hashes are read in bulk; only when one
// is gone are they asked for one by one, to name it.
func (v *verifier) page(ctx context.Context, r Reader, to int64) (Report, bool, error) {
	from := v.tree.size
	leaves, err := leavesOf(ctx, r, from, to)
	if fault.Is(err, fault.NotFound) {
		leaves, err = untilGone(from, to, func(n int64) ([]byte, error) { return r.Leaf(ctx, n) })
	}
	if err != nil {
		return Report{}, false, err
	}
	start, end := tlog.StoredHashCount(from), tlog.StoredHashCount(from+int64(len(leaves)))
	hashes, err := v.hashes(ctx, r, start, end)
	if err != nil {
		return Report{}, false, err
	}
	for _, leaf := range leaves {
		n := v.tree.size
		first, next := tlog.StoredHashCount(n)-start, tlog.StoredHashCount(n+1)-start
		if int64(len(hashes)) < next {
			return v.report(n, "a stored hash of the entry is missing"), true, nil
		}
		peaks := slices.Clone(v.tree.peaks)
		if rep, done := v.step(hashes[first], leaf); done {
			return rep, true, nil
		}
		if !slices.Equal(hashes[first:next], innerHashes(peaks, hashes[first], int(next-first))) {
			return v.report(n, "a stored inner hash above the entry was changed"), true, nil
		}
	}
	if v.tree.size < to {
		return v.report(v.tree.size, "the entry is missing"), true, nil
	}
	return Report{}, false, nil
}

// hashes reads the stored hashes start..end-1, or those before the first that is gone.
func (v *verifier) hashes(ctx context.Context, r Reader, start, end int64) ([]tlog.Hash, error) {
	idx := make([]int64, 0, end-start)
	for i := start; i < end; i++ {
		idx = append(idx, i)
	}
	hashes, err := HashReader(ctx, r).ReadHashes(idx)
	if fault.Is(err, fault.NotFound) {
		return untilGone(start, end, func(i int64) (tlog.Hash, error) {
			one, err := HashReader(ctx, r).ReadHashes([]int64{i})
			if err != nil {
				return tlog.Hash{}, err
			}
			return one[0], nil
		})
	}
	return hashes, err
}

// untilGone reads one by one and stops before the first that is a fault.NotFound.
func untilGone[T any](from, to int64, read func(int64) (T, error)) ([]T, error) {
	var out []T
	for i := from; i < to; i++ {
		x, err := read(i)
		if fault.Is(err, fault.NotFound) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

// innerHashes gives the hashes that storing a leaf adds: its own, and one for each subtree that it makes full.
func innerHashes(peaks []tlog.Hash, h tlog.Hash, count int) []tlog.Hash {
	out := []tlog.Hash{h}
	for len(out) < count && len(peaks) > 0 {
		h = tlog.NodeHash(peaks[len(peaks)-1], h)
		peaks = peaks[:len(peaks)-1]
		out = append(out, h)
	}
	return out
}
