package store

import (
	"fmt"
	"strings"

	"github.com/habeas-data/habeas/internal/fault"
)

// IdempotencyKey is one write as its caller named it.
type IdempotencyKey struct {
	Key       string // the header
	Principal string // keyed hash of who calls
	Target    string // method and path
	BodyHash  string
}

// Answer is the stored answer to a write. Body is sealed.
type Answer struct {
	Status int
	Body   []byte
}

type answerRow struct {
	Tenant   string
	Key      string
	BodyHash string
	Status   int64
	Body     []byte
	Created  stamp `gorm:"column:created_at"`
}

// hashed keeps the caller's own words out of the database.
func (tx *Tx) hashed(k IdempotencyKey) string {
	return tx.Hash("idempotency", strings.Join([]string{k.Principal, k.Target, k.Key}, "\x00"))
}

// Idempotent gives the stored answer to an earlier write with the same key, nil when there was none, and a
// fault.Conflict when that write had another body. Called first in the transaction that has the effect and ends with
// PutAnswer, it makes writers with the same key wait for one another: the second finds the first's answer.
func (tx *Tx) Idempotent(k IdempotencyKey) (*Answer, error) {
	key := tx.hashed(k)
	if !tx.guard.readOnly {
		if err := tx.lock("answer/" + key); err != nil {
			return nil, err
		}
	}
	rows, err := all[answerRow](tx.in("answer").Where("key = ?", key))
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	if rows[0].BodyHash != k.BodyHash {
		return nil, fault.New(fault.Conflict, "idempotency_key_reused", "That Idempotency-Key was used before for something else.")
	}
	body, err := tx.key.Open(rows[0].Body, tx.place("answer", key, "body"))
	if err != nil {
		return nil, fmt.Errorf("opening answer.body: %w", err)
	}
	return &Answer{Status: int(rows[0].Status), Body: body}, nil
}

// PutAnswer stores the answer to a write, in the transaction of its effect.
func (tx *Tx) PutAnswer(k IdempotencyKey, a Answer) error {
	key := tx.hashed(k)
	return tx.insert("answer", &answerRow{
		Tenant: string(tx.Tenant), Key: key, BodyHash: k.BodyHash, Status: int64(a.Status),
		Body: tx.key.Seal(a.Body, tx.place("answer", key, "body")), Created: at(tx.Now),
	})
}
