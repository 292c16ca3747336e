package store

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/habeas-data/habeas/internal/auditlog"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
)

// Act is what the audit log says of a change: who did what, and how it ended.
type Act struct {
	By      auditlog.Actor
	Action  string            // such as "request.approve"
	Outcome string            // "" is auditlog.OutcomeOK
	Facts   map[string]string // by auditlog's list of facts
}

// AuditRecord is one sequenced entry.
type AuditRecord struct {
	Seq   int64 // from 0
	Entry auditlog.Entry
	Leaf  []byte
}

// AuditFilter narrows AuditEntries; zero fields don't.
type AuditFilter struct {
	Action   string
	ObjectID string
	From, To time.Time // of the entry's time: From <= at < To
	Cursor   string
	Limit    int // 1 to 500; 0 is 100
}

type leafRow struct {
	Tenant string
	ID     string
	At     stamp
	Leaf   []byte
}

type pendingRow struct {
	Tenant string
	ID     string
	At     stamp
}

type sequenceRow struct {
	Tenant string
	Seq    int64
	ID     string
	At     stamp
	Action string
	Object string
}

// Audit appends a leaf to the log in this transaction. Its number follows (Store.Sequence). An entry that auditlog
// refuses is an error: what can't be recorded is not done.
func (tx *Tx) Audit(act Act, object auditlog.Object) error {
	e := auditlog.Entry{
		ID: dsr.NewID(), Tenant: string(tx.Tenant), At: tx.Now, Actor: act.By, Action: act.Action,
		Object: object, Outcome: act.Outcome, Facts: act.Facts,
	}
	if e.Outcome == "" {
		e.Outcome = auditlog.OutcomeOK
	}
	leaf, err := auditlog.Encode(e)
	if err != nil {
		return err
	}
	if err := tx.insert("audit_leaf", &leafRow{string(tx.Tenant), e.ID, at(tx.Now), leaf}); err != nil {
		return fmt.Errorf("writing the audit log: %w", err)
	}
	if err := tx.insert("audit_pending", &pendingRow{string(tx.Tenant), e.ID, at(tx.Now)}); err != nil {
		return fmt.Errorf("writing the audit log: %w", err)
	}
	return nil
}

// AuditEntries lists sequenced entries in the order of the log. next is "" on the last page.
func (tx *Tx) AuditEntries(f AuditFilter) (items []AuditRecord, next string, err error) {
	limit := within(f.Limit, 100, 500)
	q := tx.in("audit_sequence")
	if f.Action != "" {
		q = q.Where("action = ?", f.Action)
	}
	if f.ObjectID != "" {
		q = q.Where("object = ?", f.ObjectID)
	}
	if !f.From.IsZero() {
		q = q.Where("at >= ?", at(f.From))
	}
	if !f.To.IsZero() {
		q = q.Where("at < ?", at(f.To))
	}
	if f.Cursor != "" {
		key, err := readCursor(f.Cursor, 1)
		if err != nil {
			return nil, "", err
		}
		after, err := strconv.ParseInt(key[0], 10, 64)
		if err != nil {
			return nil, "", errCursor()
		}
		q = q.Where("seq > ?", after)
	}
	rows, err := all[sequenceRow](q.Order("seq").Limit(limit + 1))
	if err != nil {
		return nil, "", err
	}
	if len(rows) > limit {
		rows = rows[:limit]
		next = writeCursor(strconv.FormatInt(rows[limit-1].Seq, 10))
	}
	leaves, err := tx.leaves(rows)
	if err != nil {
		return nil, "", err
	}
	for i, row := range rows {
		e, err := auditlog.Decode(leaves[i])
		if err != nil {
			return nil, "", fmt.Errorf("audit entry %d: %w", row.Seq, err)
		}
		items = append(items, AuditRecord{row.Seq, e, leaves[i]})
	}
	return items, next, nil
}

// leaves reads the leaves of sequence rows, in their order.
func (tx *Tx) leaves(rows []sequenceRow) ([][]byte, error) {
	byID := map[string][]byte{}
	for chunk := range slices.Chunk(rows, 500) {
		ids := make([]string, len(chunk))
		for i, r := range chunk {
			ids[i] = r.ID
		}
		found, err := all[leafRow](tx.in("audit_leaf").Where("id IN ?", ids))
		if err != nil {
			return nil, err
		}
		for _, l := range found {
			byID[l.ID] = l.Leaf
		}
	}
	out := make([][]byte, len(rows))
	for i, r := range rows {
		leaf, ok := byID[r.ID]
		if !ok {
			return nil, fault.New(fault.NotFound, "audit_leaf_gone", "Audit entry %d is gone.", r.Seq)
		}
		out[i] = leaf
	}
	return out, nil
}

type checkpointRow struct {
	Tenant string
	Size   int64
	Note   string
	At     stamp
}

// LatestCheckpoint gives the newest signed head of the log; a fault.NotFound before the first one.
func (tx *Tx) LatestCheckpoint() (signed []byte, err error) {
	row, err := take[checkpointRow](tx.in("audit_checkpoint").Order("size DESC"), errNoCheckpoint())
	return []byte(row.Note), err
}

// CheckpointAt gives the signed head of the log at one size, where one was made at that size.
func (tx *Tx) CheckpointAt(size int64) (signed []byte, err error) {
	row, err := take[checkpointRow](tx.in("audit_checkpoint").Where("size = ?", size), errNoCheckpoint())
	return []byte(row.Note), err
}

// AuditKeys gives the public key that verifies the tenant's checkpoints.
func (tx *Tx) AuditKeys() (vkey string, err error) {
	row, err := take[tenantRow](tx.in("tenant"), errNoTenant())
	return row.Vkey, err
}

func errNoCheckpoint() error {
	return notFound("no_checkpoint", "There is no signed head of that size.")
}
