package store

import (
	"github.com/habeas-data/habeas/internal/auditlog"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
)

// PurgeSubmission forgets the person of a submission: its data key and everything sealed under it are destroyed, so
// that copies in backups can't be read either; so are the hashes by which the address could be found, and its tokens.
// What stays is evidence without personal data: rights, dates, statuses, history, digests, counts, grounds.
// Suppressions stay, for they are what the person asked for, and known by a keyed hash alone.
//
// A request that is still open is a fault.Conflict. Captured keys stay where an open obligation needs them to delete
// rows later. A package that was not destroyed loses its key now and becomes due, so that its bytes are deleted.
// Purging twice changes nothing.
func (tx *Tx) PurgeSubmission(id dsr.SubmissionID, act Act) error {
	reqs, err := tx.RequestsOf(id)
	if err != nil {
		return err
	}
	if len(reqs) == 0 {
		return errNoSubmission()
	}
	for _, r := range reqs {
		if !r.Status.Final() {
			return fault.New(fault.Conflict, "request_open", "A request of this submission is still open.")
		}
	}
	tenant := string(tx.Tenant)
	n, err := tx.exec(`UPDATE submission SET wrapped_key = NULL, person = NULL, proofs = NULL, email_hash = '', purged_at = ?
		WHERE tenant = ? AND id = ? AND purged_at IS NULL`, at(tx.Now), tenant, string(id))
	if err != nil || n == 0 {
		return err
	}
	for _, r := range reqs {
		if err := tx.purgeRequest(r.ID); err != nil {
			return err
		}
	}
	if err := tx.purgeLetters(id); err != nil {
		return err
	}
	if key, ok := tx.subKeys[id]; ok {
		key.Wipe()
	}
	delete(tx.subKeys, id)
	return tx.Audit(act, auditlog.Object{Kind: "submission", ID: string(id)})
}

func (tx *Tx) purgeRequest(id dsr.RequestID) error {
	for _, q := range []string{
		`UPDATE request SET changes = NULL, decision = NULL WHERE tenant = ? AND id = ?`,
		`UPDATE plan SET body = NULL WHERE tenant = ? AND request = ?`,
		`UPDATE approval SET note = NULL WHERE tenant = ? AND request = ?`,
		`UPDATE hold SET reason = NULL WHERE tenant = ? AND request = ?`,
		`UPDATE note SET body = NULL WHERE tenant = ? AND request = ?`,
	} {
		if _, err := tx.exec(q, string(tx.Tenant), string(id)); err != nil {
			return err
		}
	}
	var owed int64
	if err := tx.in("obligation").Where("request = ? AND kind = ? AND state <> ?", string(id), ObligationDeleteRows, ObligationDone).
		Count(&owed).Error; err != nil || owed > 0 {
		return err
	}
	return tx.DropCapture(id)
}

// purgeLetters destroys correspondence, mails, tokens and packages of a submission.
func (tx *Tx) purgeLetters(id dsr.SubmissionID) error {
	tenant, sub := string(tx.Tenant), string(id)
	for _, s := range []struct {
		query string
		args  []any
	}{
		{`DELETE FROM attachment WHERE tenant = ? AND message IN (SELECT m.id FROM message m WHERE m.tenant = ? AND m.submission = ?)`, []any{tenant, tenant, sub}},
		{`UPDATE message SET body = NULL WHERE tenant = ? AND submission = ?`, []any{tenant, sub}},
		{`UPDATE mail SET letter = NULL, address_hash = '' WHERE tenant = ? AND submission = ?`, []any{tenant, sub}},
		{`UPDATE mail SET state = 'failed', last_error = 'purged', next_at = NULL WHERE tenant = ? AND submission = ? AND state = 'queued'`, []any{tenant, sub}},
		{`DELETE FROM token WHERE tenant = ? AND submission = ?`, []any{tenant, sub}},
		{`UPDATE package SET wrapped_key = NULL, manifest = NULL WHERE tenant = ? AND submission = ?`, []any{tenant, sub}},
		{`UPDATE package SET expires_at = ? WHERE tenant = ? AND submission = ? AND destroyed_at IS NULL AND expires_at > ?`, []any{at(tx.Now), tenant, sub, at(tx.Now)}},
	} {
		if _, err := tx.exec(s.query, s.args...); err != nil {
			return err
		}
	}
	return nil
}
