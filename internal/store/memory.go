package store

import (
	"errors"
	"time"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/seal"
)

// Memory is what the next package of a person compares itself with: where its sealed bytes lie and the key that opens
// them. It outlives the submission that the package was made for, so its key is wrapped by the tenant's.
type Memory struct {
	ID          string    // UUIDv7; made by PutMemory when empty
	Identifiers []string  // keyed hashes of the person's identifiers; PutMemory alone reads them
	Right       dsr.Right // packages of two rights may hold different things, and are not compared
	BlobKey     string
	Key         seal.Key // zero when it was ended
	MadeAt      time.Time
	ExpiresAt   time.Time
}

type memoryRow struct {
	Tenant         string
	ID             string
	IdentifierHash string
	RightAsked     string
	BlobKey        string
	WrappedKey     []byte
	Made           stamp `gorm:"column:made_at"`
	Expires        stamp `gorm:"column:expires_at"`
}

// PutMemory stores a memory and ends those of the same right that share an identifier with it: a person has one.
func (tx *Tx) PutMemory(m Memory) (id string, err error) {
	if len(m.Identifiers) == 0 || m.Right == "" {
		return "", errors.New("storing a memory: it needs an identifier and a right")
	}
	if err := tx.endMemories(m.Identifiers, m.Right); err != nil {
		return "", err
	}
	m.ID = newID(m.ID)
	wrapped, err := m.Key.Wrap(tx.ctx, under{tx.key}, tx.place("memory", m.ID, "wrapped_key"))
	if err != nil {
		return "", err
	}
	rows := make([]memoryRow, len(m.Identifiers))
	for i, hash := range m.Identifiers {
		rows[i] = memoryRow{Tenant: string(tx.Tenant), ID: m.ID, IdentifierHash: hash, RightAsked: string(m.Right), BlobKey: m.BlobKey, WrappedKey: wrapped, Made: at(m.MadeAt), Expires: at(m.ExpiresAt)}
	}
	return m.ID, tx.insert("memory", &rows)
}

// MemoryOf gives the newest memory of a right that stands under one of the identifiers and is neither ended nor
// expired; a fault.NotFound when there is none.
func (tx *Tx) MemoryOf(identifiers []string, right dsr.Right) (Memory, error) {
	row, err := take[memoryRow](tx.in("memory").Where("identifier_hash IN ? AND right_asked = ? AND wrapped_key IS NOT NULL AND expires_at > ?",
		identifiers, string(right), at(tx.Now)).Order("made_at DESC, id DESC"), errNoMemory())
	if err != nil {
		return Memory{}, err
	}
	return tx.memory(row)
}

// Memory gives one memory, without its identifiers.
func (tx *Tx) Memory(id string) (Memory, error) {
	row, err := take[memoryRow](tx.in("memory").Where("id = ?", id), errNoMemory())
	if err != nil {
		return Memory{}, err
	}
	return tx.memory(row)
}

func (tx *Tx) memory(r memoryRow) (m Memory, err error) {
	m = Memory{ID: r.ID, Right: dsr.Right(r.RightAsked), BlobKey: r.BlobKey, MadeAt: r.Made.Time, ExpiresAt: r.Expires.Time}
	if r.WrappedKey != nil {
		m.Key, err = seal.Unwrap(tx.ctx, under{tx.key}, r.WrappedKey, tx.place("memory", r.ID, "wrapped_key"))
	}
	return m, err
}

// EndMemories destroys the keys of all memories that share an identifier with these, of every right. They are due at
// once, so that their bytes go too.
func (tx *Tx) EndMemories(identifiers []string) error {
	if len(identifiers) == 0 {
		return nil
	}
	return tx.endMemories(identifiers, "")
}

func (tx *Tx) endMemories(identifiers []string, right dsr.Right) error {
	q := tx.in("memory").Distinct("id").Where("identifier_hash IN ?", identifiers)
	if right != "" {
		q = q.Where("right_asked = ?", string(right))
	}
	rows, err := all[memoryRow](q)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if _, err := tx.exec(`UPDATE memory SET wrapped_key = NULL, expires_at = ? WHERE tenant = ? AND id = ? AND wrapped_key IS NOT NULL`,
			at(tx.Now), string(tx.Tenant), r.ID); err != nil {
			return err
		}
	}
	return nil
}

// DropMemory forgets a memory. Its bytes are the caller's to delete before; dropping twice changes nothing.
func (tx *Tx) DropMemory(id string) error {
	_, err := tx.exec(`DELETE FROM memory WHERE tenant = ? AND id = ?`, string(tx.Tenant), id)
	return err
}

func errNoMemory() error { return notFound("unknown_memory", "There is no such memory.") }
