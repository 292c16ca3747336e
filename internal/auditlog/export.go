package auditlog

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"golang.org/x/mod/sumdb/tlog"
)

// header is the first line of an export.
type header struct {
	Format     string `json:"format"`
	Tenant     string `json:"tenant"`
	Size       int64  `json:"size"`
	VKey       string `json:"vkey"`
	Checkpoint string `json:"checkpoint"` // the signed note over exactly Size entries
}

// line is every further line: entry N, the hash recorded for it when it was appended, and its leaf.
// With the recorded hash a verifier can say which entry was changed, and not only that one was.
type line struct {
	N    int64     `json:"n"`
	Hash tlog.Hash `json:"hash"` // SHA-256 of 0x00 and the leaf (RFC 6962)
	Leaf string    `json:"leaf"` // the bytes of the leaf, which are UTF-8
}

// maxLine bounds a line of an export in bytes; a leaf is under 8 KiB, doubled at worst by escapes.
const maxLine = 64 << 10

// WriteExport writes the log up to a signed checkpoint as NDJSON: one header line and one line an entry,
// everything that VerifyExport needs. The checkpoint must open with vkey; its signature is not the proof
// that the stored leaves are right, which is what a verification of the export finds out.
func WriteExport(ctx context.Context, w io.Writer, r Reader, signed []byte, vkey string) error {
	c, err := OpenCheckpoint(signed, vkey)
	if err != nil {
		return fmt.Errorf("exporting the audit log: %w", err)
	}
	out := bufio.NewWriterSize(w, maxLine)
	err = writeLine(out, header{Format: Format, Tenant: c.Tenant(), Size: c.Size, VKey: vkey, Checkpoint: string(signed)})
	if err != nil {
		return err
	}
	err = eachLeaf(ctx, r, c.Size, func(n int64, recorded tlog.Hash, leaf []byte) error {
		return writeLine(out, line{N: n, Hash: recorded, Leaf: string(leaf)})
	})
	if err != nil {
		return fmt.Errorf("exporting the audit log: %w", err)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("exporting the audit log: %w", err)
	}
	return nil
}

func writeLine(w io.Writer, v any) error {
	text, err := marshal(v)
	if err == nil {
		_, err = w.Write(append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("writing an export line: %w", err)
	}
	return nil
}

// pageSize is how many leaves are read at once.
const pageSize = 512

// pager is a Reader that gives many leaves in one call.
type pager interface {
	// Leaves gives the leaves from..to-1.
	Leaves(ctx context.Context, from, to int64) ([][]byte, error)
}

// eachLeaf gives the first size leaves in order, each with the hash recorded for it.
func eachLeaf(ctx context.Context, r Reader, size int64, fn func(n int64, recorded tlog.Hash, leaf []byte) error) error {
	for from := int64(0); from < size; from += pageSize {
		to := min(from+pageSize, size)
		idx := make([]int64, 0, to-from)
		for n := from; n < to; n++ {
			idx = append(idx, tlog.StoredHashIndex(0, n))
		}
		hashes, err := HashReader(ctx, r).ReadHashes(idx)
		if err != nil {
			return err
		}
		leaves, err := leavesOf(ctx, r, from, to)
		if err != nil {
			return err
		}
		for i, leaf := range leaves {
			if err := fn(from+int64(i), hashes[i], leaf); err != nil {
				return err
			}
		}
	}
	return nil
}

// leavesOf reads the leaves from..to-1, in one call if the Reader has one for it.
func leavesOf(ctx context.Context, r Reader, from, to int64) ([][]byte, error) {
	if p, ok := r.(pager); ok {
		leaves, err := p.Leaves(ctx, from, to)
		if err == nil && int64(len(leaves)) != to-from {
			err = fmt.Errorf("reading audit leaves: got %d of %d", len(leaves), to-from)
		}
		return leaves, err
	}
	leaves := make([][]byte, 0, to-from)
	for n := from; n < to; n++ {
		leaf, err := r.Leaf(ctx, n)
		if err != nil {
			return nil, fmt.Errorf("reading audit leaf %d: %w", n, err)
		}
		leaves = append(leaves, leaf)
	}
	return leaves, nil
}

// errLine says that a line is not one that WriteExport writes.
var errLine = errors.New("not a line of an export")

// readLine reads one line into v and accepts only what writeLine gives, byte for byte; io.EOF at the end.
func readLine(r *bufio.Reader, v any) error {
	text, err := r.ReadSlice('\n')
	switch {
	case errors.Is(err, io.EOF) && len(text) == 0:
		return io.EOF
	case errors.Is(err, io.EOF) || errors.Is(err, bufio.ErrBufferFull):
		return errLine
	case err != nil:
		return fmt.Errorf("reading the export: %w", err)
	}
	text = text[:len(text)-1]
	if unmarshal(text, v) != nil {
		return errLine
	}
	again, err := marshal(v)
	if err != nil || !bytes.Equal(again, text) {
		return errLine
	}
	return nil
}
