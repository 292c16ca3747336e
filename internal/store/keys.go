package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/seal"
)

// under makes a key wrap others, in the way a Master does: tenant's key > submission's key > package's key.
type under struct{ key seal.Key }

// WrapKey seals a key.
func (u under) WrapKey(_ context.Context, plain, at []byte) ([]byte, error) {
	return u.key.Seal(plain, at), nil
}

// UnwrapKey opens what WrapKey gave.
func (u under) UnwrapKey(_ context.Context, wrapped, at []byte) ([]byte, error) {
	return u.key.Open(wrapped, at)
}

// ID names no key: these have no names.
func (under) ID() string { return "data key" }

// place is the context of a sealed value: it opens in its own column of its own row of its own tenant alone.
func (tx *Tx) place(table, id, column string) []byte { return place(tx.Tenant, table, id, column) }

func place(tenant dsr.TenantID, table, id, column string) []byte {
	return []byte(strings.Join([]string{"habeas", string(tenant), table, id, column}, "\x00"))
}

// sealed gives a value as sealed JSON. A destroyed key is a fault.Gone.
func sealed(key seal.Key, at []byte, v any) ([]byte, error) {
	if key.IsZero() {
		return nil, errPurged()
	}
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("sealing: %w", err)
	}
	defer clear(plain)
	return key.Seal(plain, at), nil
}

// open reads what sealed wrote. Where the bytes or their key were destroyed, v stays as it is.
func open(key seal.Key, at, box []byte, v any) error {
	if box == nil || key.IsZero() {
		return nil
	}
	plain, err := key.Open(box, at)
	if err != nil {
		where := strings.Split(string(at), "\x00")
		return fmt.Errorf("opening %s.%s: %w", where[2], where[len(where)-1], err)
	}
	defer clear(plain)
	return json.Unmarshal(plain, v)
}

func errPurged() error {
	return fault.New(fault.Gone, "purged", "The personal data of this request were deleted.")
}

// newSubmissionKey makes the data key of a new submission and gives it wrapped.
func (tx *Tx) newSubmissionKey(id dsr.SubmissionID) (wrapped []byte, err error) {
	key := seal.NewKey()
	if wrapped, err = key.Wrap(tx.ctx, under{tx.key}, tx.place("submission", string(id), "wrapped_key")); err != nil {
		return nil, err
	}
	tx.keepKey(id, key)
	return wrapped, nil
}

func (tx *Tx) keepKey(id dsr.SubmissionID, key seal.Key) {
	if tx.subKeys == nil {
		tx.subKeys = map[dsr.SubmissionID]seal.Key{}
	}
	tx.subKeys[id] = key
}

type submissionKeyRow struct {
	ID         string
	WrappedKey []byte
}

// loadKeys unwraps the keys of submissions that were not used yet. A destroyed one is the zero Key.
func (tx *Tx) loadKeys(ids ...dsr.SubmissionID) error {
	var missing []string
	for _, id := range ids {
		if _, have := tx.subKeys[id]; !have {
			missing = append(missing, string(id))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	rows, err := all[submissionKeyRow](tx.in("submission").Where("id IN ?", missing))
	if err != nil {
		return err
	}
	for _, row := range rows {
		var key seal.Key
		if row.WrappedKey != nil {
			if key, err = seal.Unwrap(tx.ctx, under{tx.key}, row.WrappedKey, tx.place("submission", row.ID, "wrapped_key")); err != nil {
				return err
			}
		}
		tx.keepKey(dsr.SubmissionID(row.ID), key)
	}
	return nil
}

// submissionKey gives the key of one submission; zero when it was destroyed.
func (tx *Tx) submissionKey(id dsr.SubmissionID) (seal.Key, error) {
	if err := tx.loadKeys(id); err != nil {
		return seal.Key{}, err
	}
	key, ok := tx.subKeys[id]
	if !ok {
		return seal.Key{}, errNoSubmission()
	}
	return key, nil
}

// keyFor gives the submission's key, or the tenant's where there is no submission.
func (tx *Tx) keyFor(id dsr.SubmissionID) (seal.Key, error) {
	if id == "" {
		return tx.key, nil
	}
	return tx.submissionKey(id)
}

// requestKey gives the key of the submission that a request belongs to.
func (tx *Tx) requestKey(id dsr.RequestID) (seal.Key, error) {
	var owner struct{ Submission string }
	res := tx.in("request").Select("submission").Where("id = ?", string(id)).Limit(1).Find(&owner)
	if res.Error != nil {
		return seal.Key{}, res.Error
	}
	if res.RowsAffected == 0 {
		return seal.Key{}, errNoRequest()
	}
	return tx.submissionKey(dsr.SubmissionID(owner.Submission))
}

// tenantKey gives the key of a tenant, which is unwrapped once a process. The master key may lie behind a network,
// so this happens before a transaction begins.
func (s *Store) tenantKey(ctx context.Context, tenant dsr.TenantID) (seal.Key, error) {
	s.mu.Lock()
	key, ok := s.keys[tenant]
	s.mu.Unlock()
	if ok {
		return key, nil
	}
	row, err := s.tenantRow(ctx, tenant)
	if err != nil {
		return seal.Key{}, err
	}
	key, err = seal.Unwrap(ctx, s.master, row.WrappedKey, place(tenant, "tenant", "", "wrapped_key"))
	if errors.Is(err, seal.ErrOpen) {
		return seal.Key{}, fault.Wrap(err, fault.Unavailable, "wrong_master_key", "The master key is not the one that this database was made with.")
	}
	if err != nil {
		return seal.Key{}, fault.Wrap(err, fault.Unavailable, "no_master_key", "The master key is out of reach.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[tenant] = key
	return key, nil
}
