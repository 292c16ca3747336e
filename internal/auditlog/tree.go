package auditlog

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Reader is what this package asks of a tenant's stored log.
type Reader interface {
	// Size gives the number of sequenced leaves.
	Size(ctx context.Context) (int64, error)
	// Leaf gives leaf i, 0 <= i < Size; a fault.NotFound when it is gone.
	Leaf(ctx context.Context, i int64) ([]byte, error)
	// Hashes gives the stored hashes with these indexes (tlog.StoredHashIndex), in their order; a
	// fault.NotFound when one is gone.
	Hashes(ctx context.Context, idx []int64) ([]tlog.Hash, error)
}

// hashReader is a Reader as tlog wants it.
type hashReader struct {
	ctx context.Context
	r   Reader
}

func (h hashReader) ReadHashes(idx []int64) ([]tlog.Hash, error) {
	hashes, err := h.r.Hashes(h.ctx, idx)
	if err != nil {
		return nil, fmt.Errorf("reading stored hashes: %w", err)
	}
	if len(hashes) != len(idx) {
		return nil, fmt.Errorf("reading stored hashes: got %d of %d", len(hashes), len(idx))
	}
	return hashes, nil
}

// HashReader gives the stored hashes of r in the form the functions of this package take. It reads
// under ctx for as long as it is used.
func HashReader(ctx context.Context, r Reader) tlog.HashReader { return hashReader{ctx, r} }

// Append gives the hashes to store when leaf becomes number size: they take the indexes from
// tlog.StoredHashCount(size) on, one or more of them.
func Append(size int64, hr tlog.HashReader, leaf []byte) ([]tlog.Hash, error) {
	hashes, err := tlog.StoredHashes(size, leaf, hr)
	if err != nil {
		return nil, fmt.Errorf("appending audit leaf %d: %w", size, err)
	}
	return hashes, nil
}

// AppendAll is Append for many leaves at once: they become the numbers from size on. It gives the
// hashes to store from index tlog.StoredHashCount(size) on, about two a leaf, and the root of the grown
// tree.
func AppendAll(size int64, hr tlog.HashReader, leaves [][]byte) (hashes []tlog.Hash, root tlog.Hash, err error) {
	over := overlay{from: tlog.StoredHashCount(size), below: hr}
	for i, leaf := range leaves {
		add, err := Append(size+int64(i), &over, leaf)
		if err != nil {
			return nil, tlog.Hash{}, err
		}
		over.hashes = append(over.hashes, add...)
	}
	root, err = Root(size+int64(len(leaves)), &over)
	return over.hashes, root, err
}

// overlay shows hashes that are not stored yet on top of those that are.
type overlay struct {
	from   int64
	hashes []tlog.Hash
	below  tlog.HashReader
}

func (o *overlay) ReadHashes(idx []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(idx))
	var ask []int64
	var at []int
	for i, x := range idx {
		switch {
		case x >= o.from+int64(len(o.hashes)):
			return nil, fmt.Errorf("stored hash %d does not exist yet", x)
		case x >= o.from:
			out[i] = o.hashes[x-o.from]
		default:
			ask, at = append(ask, x), append(at, i)
		}
	}
	if len(ask) == 0 {
		return out, nil
	}
	got, err := o.below.ReadHashes(ask)
	if err != nil {
		return nil, err
	}
	if len(got) != len(ask) {
		return nil, fmt.Errorf("reading stored hashes: got %d of %d", len(got), len(ask))
	}
	for i, h := range got {
		out[at[i]] = h
	}
	return out, nil
}

// Root gives the root of the tree of the first size leaves; of the empty tree it is SHA-256 of nothing.
func Root(size int64, hr tlog.HashReader) (tlog.Hash, error) {
	root, err := tlog.TreeHash(size, hr)
	if err != nil {
		return tlog.Hash{}, fmt.Errorf("computing the audit tree's root: %w", err)
	}
	return root, nil
}

// ProveInclusion proves that leaf n stands in the tree of the first size leaves: about log2(size) hashes.
func ProveInclusion(size, n int64, hr tlog.HashReader) (tlog.RecordProof, error) {
	if n < 0 || n >= size {
		return nil, fmt.Errorf("there is no entry %d in a log of %d", n, size)
	}
	p, err := tlog.ProveRecord(size, n, hr)
	if err != nil {
		return nil, fmt.Errorf("proving audit entry %d: %w", n, err)
	}
	return p, nil
}

// CheckInclusion gives nil when the proof shows that leaf is number n under the checkpoint.
func CheckInclusion(p tlog.RecordProof, c Checkpoint, n int64, leaf []byte) error {
	if n < 0 || n >= c.Size {
		return fmt.Errorf("there is no entry %d in a log of %d", n, c.Size)
	}
	if tlog.CheckRecord(p, c.Size, c.Root, n, tlog.RecordHash(leaf)) != nil {
		return fmt.Errorf("the proof does not show that this is entry %d of the log of %d", n, c.Size)
	}
	return nil
}

// ProveConsistency proves that the tree of the first newSize leaves begins with that of the first oldSize.
func ProveConsistency(newSize, oldSize int64, hr tlog.HashReader) (tlog.TreeProof, error) {
	if oldSize < 0 || oldSize > newSize {
		return nil, fmt.Errorf("a log of %d can't begin with one of %d", newSize, oldSize)
	}
	if oldSize == 0 {
		return tlog.TreeProof{}, nil // everything begins with nothing
	}
	p, err := tlog.ProveTree(newSize, oldSize, hr)
	if err != nil {
		return nil, fmt.Errorf("proving consistency of %d with %d: %w", newSize, oldSize, err)
	}
	return p, nil
}

// CheckConsistency gives nil when the proof shows that the log of newer only adds to that of older.
func CheckConsistency(p tlog.TreeProof, newer, older Checkpoint) error {
	switch {
	case newer.Origin != older.Origin:
		return errors.New("the two checkpoints are of different logs")
	case older.Size < 0 || older.Size > newer.Size:
		return fmt.Errorf("a log of %d can't begin with one of %d", newer.Size, older.Size)
	case older.Size == 0:
		empty, err := Root(0, nil)
		if err != nil || older.Root != empty || len(p) != 0 {
			return errors.New("the older checkpoint is not that of an empty log")
		}
		return nil
	}
	if tlog.CheckTree(p, newer.Size, newer.Root, older.Size, older.Root) != nil {
		return fmt.Errorf("the proof does not show that the log of %d begins with that of %d", newer.Size, older.Size)
	}
	return nil
}

// frontier computes roots of a growing tree in memory of log2(n) hashes.
type frontier struct {
	size  int64
	peaks []tlog.Hash // roots of the perfect subtrees, biggest first
}

// add takes the hash of the next leaf.
func (f *frontier) add(h tlog.Hash) {
	// Each trailing one bit of the size is a subtree that becomes full now.
	for n := f.size; n&1 == 1; n >>= 1 {
		h = tlog.NodeHash(f.peaks[len(f.peaks)-1], h)
		f.peaks = f.peaks[:len(f.peaks)-1]
	}
	f.peaks = append(f.peaks, h)
	f.size++
}

// root gives the root over everything added so far.
func (f *frontier) root() tlog.Hash {
	if f.size == 0 {
		empty, _ := tlog.TreeHash(0, nil) // reads nothing, so it can't fail
		return empty
	}
	h := f.peaks[len(f.peaks)-1]
	for i := len(f.peaks) - 2; i >= 0; i-- {
		h = tlog.NodeHash(f.peaks[i], h)
	}
	return h
}
