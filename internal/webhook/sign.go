package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/seal"
)

// The header fields of Standard Webhooks.
const (
	HeaderID        = "Webhook-Id"
	HeaderTimestamp = "Webhook-Timestamp"
	HeaderSignature = "Webhook-Signature"
)

const (
	secretPrefix = "whsec_"
	scheme       = "v1"
	tolerance    = 5 * time.Minute // in both directions, as the specification's reference
	maxID        = 128
	maxSigs      = 16
)

// NewSecret makes a signing secret: "whsec_" and 32 random bytes in base64.
func NewSecret() string {
	return secretPrefix + base64.StdEncoding.EncodeToString(seal.Random(32))
}

// secretKey gives the 24 to 64 bytes of a secret.
func secretKey(secret string) ([]byte, error) {
	enc, ok := strings.CutPrefix(secret, secretPrefix)
	key, err := base64.StdEncoding.DecodeString(enc)
	if !ok || err != nil || len(key) < 24 || len(key) > 64 {
		return nil, fault.New(fault.Invalid, "bad_webhook_secret", "A webhook secret is whsec_ and 24 to 64 bytes in base64.")
	}
	return key, nil
}

// Sign gives the Webhook-Signature header of a message: one signature a secret, parted by spaces, so that
// while a secret is rotated the receiver may hold either. The time is cut to seconds, as
// Webhook-Timestamp is. An id with a dot, without secrets, or with an unreadable one is a fault.Invalid.
func Sign(secrets []string, id string, at time.Time, body []byte) (signature string, err error) {
	if !validID(id) {
		return "", fault.New(fault.Invalid, "bad_webhook_id", "The id of a webhook message holds letters, digits, dashes and underscores.")
	}
	if len(secrets) == 0 {
		return "", fault.New(fault.Invalid, "bad_webhook_secret", "A webhook message needs a secret to be signed.")
	}
	sigs := make([]string, 0, len(secrets))
	for _, secret := range secrets {
		key, err := secretKey(secret)
		if err != nil {
			return "", err
		}
		sigs = append(sigs, scheme+","+base64.StdEncoding.EncodeToString(mac(key, id, at.Unix(), body)))
	}
	return strings.Join(sigs, " "), nil
}

// mac is HMAC-SHA256 over id.timestamp.body.
func mac(key []byte, id string, at int64, body []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(id + "." + strconv.FormatInt(at, 10) + "."))
	h.Write(body)
	return h.Sum(nil)
}

// validID tells whether an id is plain. A dot would make two readings of id.timestamp.body possible.
func validID(id string) bool {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
	return id != "" && len(id) <= maxID && strings.Trim(id, plain) == ""
}

// Verify gives the id of a message when one of its signatures was made with one of the secrets over the
// body as it came in, at most five minutes before or after now. Everything else is a fault.Unauthorized
// with one sentence for all; what was wrong is for the log.
//
// The caller still has to see to it that an id does something once.
func Verify(secrets []string, headers http.Header, body []byte, now time.Time) (id string, err error) {
	id, stamp, err := readHeaders(headers)
	if err != nil {
		return "", unsigned(err)
	}
	at := time.Unix(stamp, 0)
	if now.Sub(at) > tolerance || at.Sub(now) > tolerance {
		return "", unsigned(errors.New("the timestamp is more than five minutes away"))
	}
	// Every pair is compared, so that the time taken tells nothing about which secret fits.
	good := false
	for _, secret := range secrets {
		key, err := secretKey(secret)
		if err != nil {
			return "", err
		}
		want := mac(key, id, stamp, body)
		for sig := range strings.SplitSeq(headers.Get(HeaderSignature), " ") {
			enc, ok := strings.CutPrefix(sig, scheme+",")
			got, err := base64.StdEncoding.Strict().DecodeString(enc)
			if ok && err == nil && hmac.Equal(got, want) {
				good = true
			}
		}
	}
	if !good {
		return "", unsigned(errors.New("no signature fits"))
	}
	return id, nil
}

// readHeaders checks the form of the three header fields: each there once, the time in plain decimals.
func readHeaders(headers http.Header) (id string, stamp int64, err error) {
	for _, name := range []string{HeaderID, HeaderTimestamp, HeaderSignature} {
		if len(headers.Values(name)) != 1 {
			return "", 0, errors.New("a header field is missing or doubled: " + name)
		}
	}
	id = headers.Get(HeaderID)
	if !validID(id) {
		return "", 0, errors.New("the id is not plain")
	}
	raw := headers.Get(HeaderTimestamp)
	stamp, err = strconv.ParseInt(raw, 10, 64)
	if err != nil || stamp < 0 || stamp > 253402300799 || strconv.FormatInt(stamp, 10) != raw {
		return "", 0, errors.New("the timestamp is not a number of seconds")
	}
	if n := strings.Count(headers.Get(HeaderSignature), " "); n >= maxSigs {
		return "", 0, errors.New("there are too many signatures")
	}
	return id, stamp, nil
}

func unsigned(cause error) error {
	return fault.Wrap(cause, fault.Unauthorized, "bad_signature", "The message is not signed with a valid signature.")
}
