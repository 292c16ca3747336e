package store

import (
	"errors"
	"fmt"

	"github.com/habeas-data/habeas/internal/auditlog"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
)

// submissionRow keeps Person and Proofs sealed under a key of the submission's own.
type submissionRow struct {
	Tenant        string
	ID            string
	Reference     string
	Channel       string
	Subject       string
	Jurisdiction  string
	Language      string
	ConfigVersion int64
	PolicyVersion string
	Received      stamp `gorm:"column:received_at"`
	Verified      stamp `gorm:"column:verified_at"`
	Expires       stamp `gorm:"column:expires_at"`
	Org           string
	CreatedBy     string
	PurgeOn       civil
	Purged        stamp `gorm:"column:purged_at"`
	EmailHash     string
	WrappedKey    []byte
	Person        []byte
	Proofs        []byte
}

// CreateSubmission stores a submission with its requests, at least one, each with a first event "received", in one
// audit act. Empty ids, references and CreatedAt are filled in on the values given.
func (tx *Tx) CreateSubmission(sub *dsr.Submission, reqs []*dsr.Request, act Act) error {
	if len(reqs) == 0 {
		return errors.New("storing a submission: it asks for nothing")
	}
	sub.ID = dsr.SubmissionID(newID(string(sub.ID)))
	sub.Tenant = tx.Tenant
	if sub.Reference == "" {
		sub.Reference = dsr.NewReference()
	}
	wrapped, err := tx.newSubmissionKey(sub.ID)
	if err != nil {
		return err
	}
	row, err := tx.submissionRow(sub)
	if err != nil {
		return err
	}
	row.WrappedKey = wrapped
	if err := tx.insert("submission", &row); err != nil {
		return fmt.Errorf("storing a submission: %w", err)
	}
	if err := tx.Audit(act, auditlog.Object{Kind: "submission", ID: string(sub.ID)}); err != nil {
		return err
	}
	for _, req := range reqs {
		if err := tx.createRequest(sub, req, act); err != nil {
			return fmt.Errorf("storing a request: %w", err)
		}
	}
	return nil
}

func (tx *Tx) submissionRow(sub *dsr.Submission) (submissionRow, error) {
	key, err := tx.submissionKey(sub.ID)
	if err != nil {
		return submissionRow{}, err
	}
	row := submissionRow{
		Tenant: string(tx.Tenant), ID: string(sub.ID), Reference: string(sub.Reference), Channel: string(sub.Channel),
		Subject: sub.Subject, Jurisdiction: sub.Jurisdiction, Language: sub.Language,
		ConfigVersion: sub.ConfigVersion, PolicyVersion: sub.PolicyVersion,
		Received: at(sub.ReceivedAt), Verified: at(sub.VerifiedAt), Expires: at(sub.ExpiresAt),
		Org: sub.Org, CreatedBy: sub.CreatedBy, PurgeOn: on(sub.PurgeOn), EmailHash: tx.EmailHash(sub.Person.Email),
	}
	if row.Person, err = sealed(key, tx.place("submission", row.ID, "person"), sub.Person); err != nil {
		return submissionRow{}, err
	}
	row.Proofs, err = sealed(key, tx.place("submission", row.ID, "proofs"), sub.Proofs)
	return row, err
}

// UpdateSubmission writes what may change after it was received: Person, Proofs, Language, VerifiedAt, ExpiresAt and
// PurgeOn. A purged one is a fault.Gone.
func (tx *Tx) UpdateSubmission(sub *dsr.Submission, act Act) error {
	row, err := tx.submissionRow(sub)
	if err != nil {
		return err
	}
	if err := tx.exactlyOne(errNoSubmission(), `UPDATE submission SET person = ?, proofs = ?, email_hash = ?, language = ?,
		verified_at = ?, expires_at = ?, purge_on = ? WHERE tenant = ? AND id = ? AND purged_at IS NULL`,
		row.Person, row.Proofs, row.EmailHash, row.Language, row.Verified, row.Expires, row.PurgeOn, row.Tenant, row.ID); err != nil {
		return err
	}
	return tx.Audit(act, auditlog.Object{Kind: "submission", ID: row.ID})
}

// Submission gives one submission. Of a purged one Person and Proofs are empty.
func (tx *Tx) Submission(id dsr.SubmissionID) (dsr.Submission, error) {
	row, err := take[submissionRow](tx.in("submission").Where("id = ?", string(id)), errNoSubmission())
	if err != nil {
		return dsr.Submission{}, err
	}
	return tx.submission(row)
}

// SubmissionByReference gives the submission with that reference.
func (tx *Tx) SubmissionByReference(ref dsr.Reference) (dsr.Submission, error) {
	row, err := take[submissionRow](tx.in("submission").Where("reference = ?", string(ref)),
		notFound("unknown_reference", "There is no request with that reference."))
	if err != nil {
		return dsr.Submission{}, err
	}
	return tx.submission(row)
}

// SubmissionsByEmailHash lists those that came from one address (Tx.EmailHash), newest first.
func (tx *Tx) SubmissionsByEmailHash(hash string, limit int) ([]dsr.Submission, error) {
	if hash == "" {
		return nil, nil
	}
	rows, err := all[submissionRow](tx.in("submission").Where("email_hash = ?", hash).
		Order("received_at DESC, id DESC").Limit(within(limit, 50, 500)))
	if err != nil {
		return nil, err
	}
	out := make([]dsr.Submission, len(rows))
	for i, row := range rows {
		if out[i], err = tx.submission(row); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (tx *Tx) submission(row submissionRow) (dsr.Submission, error) {
	sub := dsr.Submission{
		ID: dsr.SubmissionID(row.ID), Tenant: tx.Tenant, Reference: dsr.Reference(row.Reference), Channel: dsr.Channel(row.Channel),
		Subject: row.Subject, Jurisdiction: row.Jurisdiction, Language: row.Language,
		ConfigVersion: row.ConfigVersion, PolicyVersion: row.PolicyVersion,
		ReceivedAt: row.Received.Time, VerifiedAt: row.Verified.Time, ExpiresAt: row.Expires.Time,
		Org: row.Org, CreatedBy: row.CreatedBy, PurgeOn: row.PurgeOn.Date,
	}
	key, err := tx.submissionKey(sub.ID)
	if err != nil {
		return dsr.Submission{}, err
	}
	if err := open(key, tx.place("submission", row.ID, "person"), row.Person, &sub.Person); err != nil {
		return dsr.Submission{}, err
	}
	err = open(key, tx.place("submission", row.ID, "proofs"), row.Proofs, &sub.Proofs)
	return sub, err
}

func errNoSubmission() error {
	return fault.New(fault.NotFound, "unknown_submission", "There is no such submission.")
}
