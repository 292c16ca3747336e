package store

import (
	"errors"
	"time"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
)

// The purposes of tokens.
const (
	TokenVerify         = "verify"          // the link and the code of a verification mail
	TokenSession        = "session"         // the person's access_token
	TokenDownload       = "download"        // a download code
	TokenSignin         = "signin"          // an officer's sign-in link
	TokenOfficerSession = "officer_session" //nolint:gosec // a name, no credential
	TokenInvite         = "invite"          // an officer's first link
)

// Token is a secret that was given out, known here by its hash alone.
type Token struct {
	ID          string // UUIDv7; made by PutToken when empty
	Purpose     string
	Submission  dsr.SubmissionID
	Subject     string // of an officer
	Hash        string // seal.TokenHash; "" where there is a code alone
	CodeHash    string // keyed hash of a six-digit code; "" where there is none
	ExpiresAt   time.Time
	UsedAt      time.Time
	Tries       int // wrong codes so far
	AddressHash string
	Data        []byte // sealed
	CreatedAt   time.Time
}

// TokenKeep is how long an expired token stays to be told apart from one that never was. One that expired before is
// due to be swept; a sweep that left it would find it due for ever.
const TokenKeep = 7 * 24 * time.Hour

const tokenKeep = TokenKeep

type tokenRow struct {
	Tenant      string
	ID          string
	Purpose     string
	Submission  string
	Subject     string
	Hash        string
	CodeHash    string
	Expires     stamp `gorm:"column:expires_at"`
	Used        stamp `gorm:"column:used_at"`
	Tries       int64
	AddressHash string
	Data        []byte
	Created     stamp `gorm:"column:created_at"`
}

func (tx *Tx) token(row tokenRow) (Token, error) {
	t := Token{
		ID: row.ID, Purpose: row.Purpose, Submission: dsr.SubmissionID(row.Submission), Subject: row.Subject,
		Hash: row.Hash, CodeHash: row.CodeHash, ExpiresAt: row.Expires.Time, UsedAt: row.Used.Time,
		Tries: int(row.Tries), AddressHash: row.AddressHash, CreatedAt: row.Created.Time,
	}
	if row.Data == nil {
		return t, nil
	}
	key, err := tx.keyFor(t.Submission)
	if err != nil {
		return Token{}, err
	}
	return t, open(key, tx.place("token", row.ID, "data"), row.Data, &t.Data)
}

// PutToken stores a token that was just made. It needs a purpose, an expiry and a hash or a code's hash.
func (tx *Tx) PutToken(t Token) error {
	if t.Purpose == "" || t.ExpiresAt.IsZero() || t.Hash == "" && t.CodeHash == "" {
		return errors.New("storing a token: purpose, expiry and a hash are needed")
	}
	row := tokenRow{
		Tenant: string(tx.Tenant), ID: newID(t.ID), Purpose: t.Purpose, Submission: string(t.Submission), Subject: t.Subject,
		Hash: t.Hash, CodeHash: t.CodeHash, Expires: at(t.ExpiresAt), Used: at(t.UsedAt), Tries: int64(t.Tries),
		AddressHash: t.AddressHash, Created: at(tx.Now),
	}
	if t.Data != nil {
		key, err := tx.keyFor(t.Submission)
		if err != nil {
			return err
		}
		if row.Data, err = sealed(key, tx.place("token", row.ID, "data"), t.Data); err != nil {
			return err
		}
	}
	return tx.insert("token", &row)
}

// TokenByHash gives a live token without using it up: a session, or the page behind a link. One that was used or
// has expired is a fault.Gone, an unknown one a fault.NotFound.
func (tx *Tx) TokenByHash(purpose, hash string) (Token, error) {
	if hash == "" {
		return Token{}, errNoToken()
	}
	row, err := take[tokenRow](tx.in("token").Where("purpose = ? AND hash = ?", purpose, hash), errNoToken())
	if err != nil {
		return Token{}, err
	}
	if !row.Used.IsZero() || !row.Expires.After(tx.Now) {
		return Token{}, fault.New(fault.Gone, "token_over", "That link has been used or is too old.")
	}
	return tx.token(row)
}

// RedeemToken uses a token up: of any number of callers at once exactly one gets it, the others a fault.Gone. The
// one UPDATE decides, so nothing is read before it.
func (tx *Tx) RedeemToken(purpose, hash string) (Token, error) {
	if hash == "" {
		return Token{}, errNoToken()
	}
	n, err := tx.exec(`UPDATE token SET used_at = ? WHERE tenant = ? AND purpose = ? AND hash = ? AND used_at IS NULL AND expires_at > ?`,
		at(tx.Now), string(tx.Tenant), purpose, hash, at(tx.Now))
	if err != nil {
		return Token{}, err
	}
	row, err := take[tokenRow](tx.in("token").Where("purpose = ? AND hash = ?", purpose, hash), errNoToken())
	if err != nil {
		return Token{}, err
	}
	if n != 1 {
		return Token{}, fault.New(fault.Gone, "token_over", "That link has been used or is too old.")
	}
	return tx.token(row)
}

// RedeemCode uses up the token of a submission by its six-digit code. Each try is counted before the code is looked
// at, under a lock on the row, so that tries side by side can't outrun the count; after maxTries the code is dead.
//
// A wrong, dead or missing code is always the same fault.Forbidden with code "wrong_code". The transaction is then
// committed whatever its function returns, since a try that is rolled back would be none: RedeemCode must be the
// first write of its transaction, and after a wrong code nothing but the refusal's audit leaf, events and tokens can
// be written.
func (tx *Tx) RedeemCode(purpose string, sub dsr.SubmissionID, codeHash string, maxTries int) (Token, error) {
	if tx.guard.writes > 0 {
		return Token{}, errors.New("redeeming a code must be the first write of its transaction")
	}
	const live = `tenant = ? AND purpose = ? AND submission = ? AND code_hash <> '' AND used_at IS NULL AND expires_at > ?`
	args := []any{string(tx.Tenant), purpose, string(sub), at(tx.Now)}
	counted, err := tx.exec(`UPDATE token SET tries = tries + 1 WHERE `+live+` AND tries < ?`, append(args, maxTries)...)
	if err != nil {
		return Token{}, err
	}
	if counted > 0 && codeHash != "" {
		n, err := tx.exec(`UPDATE token SET used_at = ? WHERE `+live+` AND tries <= ? AND code_hash = ?`,
			append(append([]any{at(tx.Now)}, args...), maxTries, codeHash)...)
		if err != nil {
			return Token{}, err
		}
		if n > 0 {
			row, err := take[tokenRow](tx.in("token").Where("purpose = ? AND submission = ? AND code_hash = ? AND used_at = ?",
				purpose, string(sub), codeHash, at(tx.Now)).Order("id DESC"), errNoToken())
			if err != nil {
				return Token{}, err
			}
			return tx.token(row)
		}
	}
	tx.refusal = fault.New(fault.Forbidden, "wrong_code", "That code is not right, or it is not valid any more.")
	tx.guard.refused = true
	return Token{}, tx.refusal
}

// RevokeTokens ends all live tokens of a purpose that belong to a submission or, where subject is given, to an
// officer. One of the two must be given.
func (tx *Tx) RevokeTokens(purpose string, sub dsr.SubmissionID, subject string) error {
	if sub == "" && subject == "" {
		return errors.New("revoking tokens: whose is not said")
	}
	_, err := tx.exec(`UPDATE token SET used_at = ? WHERE tenant = ? AND purpose = ? AND submission = ? AND subject = ? AND used_at IS NULL`,
		at(tx.Now), string(tx.Tenant), purpose, string(sub), subject)
	return err
}

// CountTokens counts the tokens of a purpose given out for an address since then: the daily limit of mails.
func (tx *Tx) CountTokens(purpose, addressHash string, since time.Time) (int, error) {
	var n int64
	err := tx.in("token").Where("purpose = ? AND address_hash = ? AND created_at >= ?", purpose, addressHash, at(since)).Count(&n).Error
	return int(n), err
}

// TouchToken moves the expiry of a live token: a session that is in use.
func (tx *Tx) TouchToken(id string, expires time.Time) error {
	return tx.exactlyOne(errNoToken(), `UPDATE token SET expires_at = ? WHERE tenant = ? AND id = ? AND used_at IS NULL AND expires_at > ?`,
		at(expires), string(tx.Tenant), id, at(tx.Now))
}

// SweepTokens deletes what is of no more use: tokens that expired before then, answers to idempotent writes given
// before then, and the bodies of deliveries that ended 30 days earlier. It gives the number of tokens.
func (tx *Tx) SweepTokens(before time.Time) (int, error) {
	n, err := tx.exec(`DELETE FROM token WHERE tenant = ? AND expires_at <= ?`, string(tx.Tenant), at(before))
	if err != nil {
		return 0, err
	}
	if _, err := tx.exec(`DELETE FROM answer WHERE tenant = ? AND created_at <= ?`, string(tx.Tenant), at(before)); err != nil {
		return 0, err
	}
	_, err = tx.exec(`UPDATE delivery SET body = NULL WHERE tenant = ? AND state <> 'queued' AND body IS NOT NULL AND created_at <= ?`,
		string(tx.Tenant), at(before.AddDate(0, 0, -30)))
	return int(n), err
}

func errNoToken() error { return notFound("unknown_token", "That link is not known.") }
