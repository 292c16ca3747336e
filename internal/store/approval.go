package store

import (
	"errors"
	"time"

	"github.com/habeas-data/habeas/internal/auditlog"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
)

// Approval is one pair of eyes on one digest of a plan.
type Approval struct {
	By      auditlog.Actor
	Subject string // `sub` of the officer; unique for each digest
	Role    string
	Digest  string
	At      time.Time // set to Tx.Now
	Note    string    // sealed
}

type approvalRow struct {
	Tenant    string
	Request   string
	Digest    string
	Subject   string
	ActorKind string
	ActorHash string
	Role      string
	At        stamp
	Note      []byte
}

func (tx *Tx) approvalPlace(r approvalRow) []byte {
	return tx.place("approval", r.Request+"/"+r.Digest+"/"+r.Subject, "note")
}

// AddApproval stores an approval. A second one by the same subject on the same digest is a fault.Conflict.
func (tx *Tx) AddApproval(id dsr.RequestID, a Approval) error {
	if a.Digest == "" || a.Subject == "" {
		return errors.New("storing an approval: it needs a digest and a subject")
	}
	row := approvalRow{
		Tenant: string(tx.Tenant), Request: string(id), Digest: a.Digest, Subject: a.Subject,
		ActorKind: a.By.Kind, ActorHash: a.By.Hash, Role: a.Role, At: at(tx.Now),
	}
	key, err := tx.requestKey(id)
	if err != nil {
		return err
	}
	if a.Note != "" {
		if row.Note, err = sealed(key, tx.approvalPlace(row), a.Note); err != nil {
			return err
		}
	}
	added, err := tx.insertOnce("approval", &row)
	if err == nil && !added {
		err = fault.New(fault.Conflict, "approved_already", "You have approved this plan already; the second approval must come from somebody else.")
	}
	return err
}

// Approvals gives the approvals of one digest, oldest first.
func (tx *Tx) Approvals(id dsr.RequestID, digest string) ([]Approval, error) {
	rows, err := all[approvalRow](tx.in("approval").Where("request = ? AND digest = ?", string(id), digest).Order("at, subject"))
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	key, err := tx.requestKey(id)
	if err != nil {
		return nil, err
	}
	out := make([]Approval, len(rows))
	for i, r := range rows {
		out[i] = Approval{
			By: auditlog.Actor{Kind: r.ActorKind, Hash: r.ActorHash}, Subject: r.Subject, Role: r.Role, Digest: r.Digest, At: r.At.Time,
		}
		if err := open(key, tx.approvalPlace(r), r.Note, &out[i].Note); err != nil {
			return nil, err
		}
	}
	return out, nil
}
