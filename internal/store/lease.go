package store

import (
	"context"
	"time"

	"github.com/habeas-data/habeas/internal/dsr"
)

// Renew lengthens the lease of a claim while its step runs. A claim that was overtaken is a fault.Conflict.
func (tx *Tx) Renew(id dsr.RequestID, epoch int64, lease time.Duration) error {
	return tx.exactlyOne(errOvertaken(), `UPDATE request SET lease_until = ? WHERE tenant = ? AND id = ? AND epoch = ?`,
		at(tx.Now.Add(lease)), string(tx.Tenant), string(id), epoch)
}

// Unclaim ends a claim after its step wrote what it had to: the next action is whatever the step recorded. A claim
// that was overtaken is left to whoever has it now.
func (tx *Tx) Unclaim(id dsr.RequestID, epoch int64) error {
	_, err := tx.exec(`UPDATE request SET lease_until = NULL WHERE tenant = ? AND id = ? AND epoch = ?`,
		string(tx.Tenant), string(id), epoch)
	return err
}

// ForgetLeases ends all claims of all tenants: for the one writing process of a data directory, at its start, when
// whoever held them is certainly gone: the data directory's lock says so.
func (s *Store) ForgetLeases(ctx context.Context) error {
	tenants, err := s.Tenants(ctx)
	if err != nil {
		return err
	}
	for _, id := range tenants {
		err := s.InTx(ctx, id, func(tx *Tx) error {
			for _, table := range []string{"request", "obligation", "mail", "delivery"} {
				if _, err := tx.exec(`UPDATE `+table+` SET lease_until = NULL WHERE tenant = ? AND lease_until IS NOT NULL`, string(tx.Tenant)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// ClaimAnswer marks an idempotency key as taken by a call that still runs: an Answer with Status 0.
func (tx *Tx) ClaimAnswer(k IdempotencyKey) error { return tx.PutAnswer(k, Answer{}) }

// DropAnswer forgets a key: nothing was done under it, or its answer is about to be written anew.
func (tx *Tx) DropAnswer(k IdempotencyKey) error {
	_, err := tx.exec(`DELETE FROM answer WHERE tenant = ? AND key = ?`, string(tx.Tenant), tx.hashed(k))
	return err
}

// DropStaleClaim forgets a claim whose call began before `since` and never came to its end.
func (tx *Tx) DropStaleClaim(k IdempotencyKey, since time.Time) error {
	_, err := tx.exec(`DELETE FROM answer WHERE tenant = ? AND key = ? AND status = 0 AND created_at < ?`,
		string(tx.Tenant), tx.hashed(k), at(since))
	return err
}
