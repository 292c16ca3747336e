package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/habeas-data/habeas/internal/auditlog"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
)

// sequenceBatch is how many leaves one transaction numbers.
const sequenceBatch = 500

type hashRow struct {
	Tenant string
	Number int64
	Hash   []byte
}

// Sequence gives numbers to the leaves that wait for one, in the order of their times and ids, writes their hashes
// and signs the new head. It gives how many it numbered. Callers at the same time wait for one another.
func (s *Store) Sequence(ctx context.Context, tenant dsr.TenantID) (n int, err error) {
	for {
		var waiting bool
		err := s.Read(ctx, tenant, func(tx *Tx) error {
			rows, err := all[pendingRow](tx.in("audit_pending").Limit(1))
			waiting = len(rows) > 0
			return err
		})
		if err != nil || !waiting {
			return n, err
		}
		added := 0
		if err := s.InTx(ctx, tenant, func(tx *Tx) (err error) {
			added, err = tx.sequence()
			return err
		}); err != nil {
			return n, fmt.Errorf("numbering audit leaves: %w", err)
		}
		n += added
	}
}

// sequence numbers one batch.
func (tx *Tx) sequence() (int, error) {
	if err := tx.lock("audit"); err != nil {
		return 0, err
	}
	waiting, err := all[pendingRow](tx.in("audit_pending").Order("at, id").Limit(sequenceBatch))
	if err != nil || len(waiting) == 0 {
		return 0, err
	}
	size, err := tx.auditSize()
	if err != nil {
		return 0, err
	}
	rows := make([]sequenceRow, len(waiting))
	for i, w := range waiting {
		rows[i] = sequenceRow{Tenant: w.Tenant, Seq: size + int64(i), ID: w.ID, At: w.At}
	}
	leaves, err := tx.leaves(rows)
	if err != nil {
		return 0, err
	}
	for i, leaf := range leaves {
		e, err := auditlog.Decode(leaf)
		if err != nil {
			return 0, err
		}
		rows[i].Action, rows[i].Object = e.Action, e.Object.ID
	}
	hashes, root, err := auditlog.AppendAll(size, auditlog.HashReader(tx.ctx, txLog{tx}), leaves)
	if err != nil {
		return 0, err
	}
	if err := tx.putSequence(rows, tlog.StoredHashCount(size), hashes); err != nil {
		return 0, err
	}
	return len(rows), tx.signHead(auditlog.Checkpoint{
		Origin: auditlog.Origin(string(tx.Tenant)), Size: size + int64(len(rows)), Root: root,
	})
}

func (tx *Tx) putSequence(rows []sequenceRow, from int64, hashes []tlog.Hash) error {
	for chunk := range slices.Chunk(rows, 100) {
		if err := tx.insert("audit_sequence", &chunk); err != nil {
			return err
		}
		ids := make([]string, len(chunk))
		for i, r := range chunk {
			ids[i] = r.ID
		}
		done, err := tx.exec("DELETE FROM audit_pending WHERE tenant = ? AND id IN ?", string(tx.Tenant), ids)
		if err != nil {
			return err
		}
		if int(done) != len(ids) {
			return errors.New("a waiting audit leaf was numbered by somebody else")
		}
	}
	stored := make([]hashRow, len(hashes))
	for i, h := range hashes {
		stored[i] = hashRow{string(tx.Tenant), from + int64(i), h[:]}
	}
	for chunk := range slices.Chunk(stored, 200) {
		if err := tx.insert("audit_hash", &chunk); err != nil {
			return err
		}
	}
	return nil
}

// signHead signs with the tenant's key, which is only opened here.
func (tx *Tx) signHead(c auditlog.Checkpoint) error {
	row, err := take[tenantRow](tx.in("tenant"), errNoTenant())
	if err != nil {
		return err
	}
	var skey string
	if err := open(tx.key, tx.place("tenant", "", "signer"), row.Signer, &skey); err != nil {
		return err
	}
	note, err := auditlog.SignCheckpoint(c, skey)
	if err != nil {
		return err
	}
	return tx.insert("audit_checkpoint", &checkpointRow{string(tx.Tenant), c.Size, string(note), at(tx.Now)})
}

func (tx *Tx) auditSize() (int64, error) {
	rows, err := all[sequenceRow](tx.in("audit_sequence").Order("seq DESC").Limit(1))
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	return rows[0].Seq + 1, nil
}

// txLog reads the log within a transaction: auditlog.Reader.
type txLog struct{ tx *Tx }

// Size gives the number of sequenced leaves.
func (l txLog) Size(context.Context) (int64, error) { return l.tx.auditSize() }

// Leaf gives leaf i.
func (l txLog) Leaf(ctx context.Context, i int64) ([]byte, error) {
	leaves, err := l.Leaves(ctx, i, i+1)
	if err != nil {
		return nil, err
	}
	return leaves[0], nil
}

// Leaves gives the leaves from..to-1; a fault.NotFound when one is gone.
func (l txLog) Leaves(_ context.Context, from, to int64) ([][]byte, error) {
	rows, err := all[sequenceRow](l.tx.in("audit_sequence").Where("seq >= ? AND seq < ?", from, to).Order("seq"))
	if err != nil {
		return nil, err
	}
	if int64(len(rows)) != to-from {
		return nil, fault.New(fault.NotFound, "audit_leaf_gone", "An audit entry between %d and %d is gone.", from, to-1)
	}
	return l.tx.leaves(rows)
}

// Hashes gives stored hashes in the order of idx; a fault.NotFound when one is gone.
func (l txLog) Hashes(_ context.Context, idx []int64) ([]tlog.Hash, error) {
	byNumber := map[int64]tlog.Hash{}
	for chunk := range slices.Chunk(idx, 500) {
		rows, err := all[hashRow](l.tx.in("audit_hash").Where("number IN ?", chunk))
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			if len(r.Hash) != tlog.HashSize {
				return nil, fmt.Errorf("stored audit hash %d has %d bytes", r.Number, len(r.Hash))
			}
			byNumber[r.Number] = tlog.Hash(r.Hash)
		}
	}
	out := make([]tlog.Hash, len(idx))
	for i, x := range idx {
		h, ok := byNumber[x]
		if !ok {
			return nil, fault.New(fault.NotFound, "audit_hash_gone", "Stored audit hash %d is gone.", x)
		}
		out[i] = h
	}
	return out, nil
}

// storedLog reads the log call by call, each in a transaction of its own: what was sequenced never changes.
type storedLog struct {
	s      *Store
	tenant dsr.TenantID
}

// AuditReader gives the tenant's log for proofs, exports and verification.
func (s *Store) AuditReader(ctx context.Context, tenant dsr.TenantID) (auditlog.Reader, error) {
	if _, err := s.tenantKey(ctx, tenant); err != nil {
		return nil, err
	}
	return storedLog{s, tenant}, nil
}

func (l storedLog) read(ctx context.Context, fn func(txLog) error) error {
	return l.s.Read(ctx, l.tenant, func(tx *Tx) error { return fn(txLog{tx}) })
}

// Size gives the number of sequenced leaves.
func (l storedLog) Size(ctx context.Context) (n int64, err error) {
	err = l.read(ctx, func(t txLog) (err error) { n, err = t.Size(ctx); return err })
	return n, err
}

// Leaf gives leaf i.
func (l storedLog) Leaf(ctx context.Context, i int64) (leaf []byte, err error) {
	err = l.read(ctx, func(t txLog) (err error) { leaf, err = t.Leaf(ctx, i); return err })
	return leaf, err
}

// Leaves gives the leaves from..to-1.
func (l storedLog) Leaves(ctx context.Context, from, to int64) (leaves [][]byte, err error) {
	err = l.read(ctx, func(t txLog) (err error) { leaves, err = t.Leaves(ctx, from, to); return err })
	return leaves, err
}

// Hashes gives stored hashes in the order of idx.
func (l storedLog) Hashes(ctx context.Context, idx []int64) (hashes []tlog.Hash, err error) {
	err = l.read(ctx, func(t txLog) (err error) { hashes, err = t.Hashes(ctx, idx); return err })
	return hashes, err
}
