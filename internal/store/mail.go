package store

import (
	"errors"
	"time"

	"github.com/habeas-data/habeas/internal/dsr"
)

// The states of mails and deliveries.
const (
	OutQueued = "queued"
	OutSent   = "sent"
	OutFailed = "failed" // for good
	OutKept   = "kept"   // not sent, kept in the demo mailbox
)

// OutMail is one mail of the outbox. To, Subject, Text, HTML, Language and MessageID are sealed together.
type OutMail struct {
	ID          string // UUIDv7; made by QueueMail when empty
	Kind        string // the template
	DedupeKey   string // unique in the tenant: the same cause queues one mail
	Submission  dsr.SubmissionID
	Request     dsr.RequestID
	To          string
	Subject     string
	Text        string
	HTML        string
	Language    string
	MessageID   string
	AddressHash string // made by QueueMail when empty: Tx.EmailHash(To)
	State       string // "" is queued
	Attempts    int
	NextAt      time.Time // zero at QueueMail: Tx.Now
	SentAt      time.Time
	LastError   string // coded
	Epoch       int64
	CreatedAt   time.Time
}

type mailRow struct {
	Tenant      string
	ID          string
	Kind        string
	DedupeKey   string
	Submission  string
	Request     string
	AddressHash string
	Letter      []byte
	State       string
	Attempts    int64
	Next        stamp `gorm:"column:next_at"`
	Sent        stamp `gorm:"column:sent_at"`
	LeaseUntil  stamp
	LastError   string
	Epoch       int64
	Created     stamp `gorm:"column:created_at"`
}

// letter is what is sealed of a mail.
type letter struct {
	To        string `json:"to"`
	Subject   string `json:"subject"`
	Text      string `json:"text"`
	HTML      string `json:"html"`
	Language  string `json:"language"`
	MessageID string `json:"message_id"`
}

// QueueMail puts a mail into the outbox; it goes out after the commit. queued is false when one with the same
// DedupeKey is there.
func (tx *Tx) QueueMail(m OutMail) (queued bool, err error) {
	if m.DedupeKey == "" || m.Kind == "" || m.To == "" {
		return false, errors.New("queueing a mail: kind, address and dedupe key are needed")
	}
	if m.AddressHash == "" {
		m.AddressHash = tx.EmailHash(m.To)
	}
	if m.State == "" {
		m.State = OutQueued
	}
	if m.NextAt.IsZero() && m.State == OutQueued {
		m.NextAt = tx.Now
	}
	key, err := tx.keyFor(m.Submission)
	if err != nil {
		return false, err
	}
	row := mailRow{
		Tenant: string(tx.Tenant), ID: newID(m.ID), Kind: m.Kind, DedupeKey: m.DedupeKey, Submission: string(m.Submission),
		Request: string(m.Request), AddressHash: m.AddressHash, State: m.State, Attempts: int64(m.Attempts),
		Next: at(m.NextAt), Sent: at(m.SentAt), LastError: m.LastError, Created: at(tx.Now),
	}
	content := letter{m.To, m.Subject, m.Text, m.HTML, m.Language, m.MessageID}
	if row.Letter, err = sealed(key, tx.place("mail", row.ID, "letter"), content); err != nil {
		return false, err
	}
	return tx.insertOnce("mail", &row)
}

func (tx *Tx) mail(r mailRow) (OutMail, error) {
	m := OutMail{
		ID: r.ID, Kind: r.Kind, DedupeKey: r.DedupeKey, Submission: dsr.SubmissionID(r.Submission), Request: dsr.RequestID(r.Request),
		AddressHash: r.AddressHash, State: r.State, Attempts: int(r.Attempts), NextAt: r.Next.Time, SentAt: r.Sent.Time,
		LastError: r.LastError, Epoch: r.Epoch, CreatedAt: r.Created.Time,
	}
	key, err := tx.keyFor(m.Submission)
	if err != nil {
		return OutMail{}, err
	}
	var l letter
	if err := open(key, tx.place("mail", r.ID, "letter"), r.Letter, &l); err != nil {
		return OutMail{}, err
	}
	m.To, m.Subject, m.Text, m.HTML, m.Language, m.MessageID = l.To, l.Subject, l.Text, l.HTML, l.Language, l.MessageID
	return m, nil
}

// Mail gives one mail.
func (tx *Tx) Mail(id string) (OutMail, error) {
	row, err := take[mailRow](tx.in("mail").Where("id = ?", id), notFound("unknown_mail", "There is no such mail."))
	if err != nil {
		return OutMail{}, err
	}
	return tx.mail(row)
}

// ClaimMail takes a queued mail that is due and that nobody holds, and raises its epoch.
func (tx *Tx) ClaimMail(id string, lease time.Duration) (m OutMail, ok bool, err error) {
	n, err := tx.exec(`UPDATE mail SET epoch = epoch + 1, lease_until = ? WHERE tenant = ? AND id = ? AND state = 'queued'
		AND next_at <= ? AND (lease_until IS NULL OR lease_until <= ?)`,
		at(tx.Now.Add(lease)), string(tx.Tenant), id, at(tx.Now), at(tx.Now))
	if err != nil || n != 1 {
		return OutMail{}, false, err
	}
	m, err = tx.Mail(id)
	return m, err == nil, err
}

// MarkMail ends a claim, counts the try and says how it went: a state, when to try again (for OutQueued) and a coded
// error. A claim that was overtaken is a fault.Conflict.
func (tx *Tx) MarkMail(id string, epoch int64, state string, nextAt time.Time, code string) error {
	var sent time.Time
	if state == OutSent {
		sent = tx.Now
	}
	return tx.exactlyOne(errOvertaken(), `UPDATE mail SET state = ?, attempts = attempts + 1, next_at = ?, sent_at = ?, last_error = ?,
		lease_until = NULL WHERE tenant = ? AND id = ? AND epoch = ? AND state = 'queued'`,
		state, at(nextAt), at(sent), code, string(tx.Tenant), id, epoch)
}

// ListMail gives one page of the outbox, newest first.
func (tx *Tx) ListMail(limit int, cursor string) (items []OutMail, next string, err error) {
	limit = within(limit, 50, 200)
	q := tx.in("mail")
	if cursor != "" {
		key, err := readCursor(cursor, 1)
		if err != nil {
			return nil, "", err
		}
		q = q.Where("id < ?", key[0])
	}
	rows, err := all[mailRow](q.Order("id DESC").Limit(limit + 1))
	if err != nil {
		return nil, "", err
	}
	if len(rows) > limit {
		rows = rows[:limit]
		next = writeCursor(rows[limit-1].ID)
	}
	for _, r := range rows {
		m, err := tx.mail(r)
		if err != nil {
			return nil, "", err
		}
		items = append(items, m)
	}
	return items, next, nil
}

// MailsTo counts the mails of a kind queued for an address since then.
func (tx *Tx) MailsTo(addressHash, kind string, since time.Time) (int, error) {
	var n int64
	err := tx.in("mail").Where("address_hash = ? AND kind = ? AND created_at >= ?", addressHash, kind, at(since)).Count(&n).Error
	return int(n), err
}
