package auditlog

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// originPrefix begins the first line of every checkpoint of ours.
const originPrefix = "habeas/"

// Origin gives the name of a tenant's log, which is also the name of its signing key.
func Origin(tenant string) string { return originPrefix + tenant }

// Checkpoint is the head of a log at one size. Whoever holds one can later tell whether the log still
// begins with the same entries.
type Checkpoint struct {
	Origin string    // habeas/<tenant>
	Size   int64     // number of leaves
	Root   tlog.Hash // root of the tree of these leaves
}

// Tenant gives the tenant of the log.
func (c Checkpoint) Tenant() string { return strings.TrimPrefix(c.Origin, originPrefix) }

// Text gives the three lines that are signed (C2SP tlog-checkpoint).
func (c Checkpoint) Text() string {
	return fmt.Sprintf("%s\n%d\n%s\n", c.Origin, c.Size, c.Root)
}

// parseCheckpoint accepts only what Text gives.
func parseCheckpoint(text string) (Checkpoint, error) {
	bad := errors.New("the checkpoint does not hold an origin, a size and a root")
	lines := strings.Split(text, "\n")
	if len(lines) != 4 {
		return Checkpoint{}, bad
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 {
		return Checkpoint{}, bad
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return Checkpoint{}, bad
	}
	c := Checkpoint{Origin: lines[0], Size: size, Root: tlog.Hash(root)}
	if c.Text() != text || !isSlug(c.Tenant()) || c.Origin != Origin(c.Tenant()) {
		return Checkpoint{}, bad
	}
	return c, nil
}

// NewSignerKey makes an Ed25519 key for checkpoints. The name is the log's Origin. skey is secret; vkey
// is to be published, and kept by whoever wants to verify.
func NewSignerKey(name string) (skey, vkey string, err error) {
	skey, vkey, err = note.GenerateKey(rand.Reader, name)
	if err != nil {
		return "", "", fmt.Errorf("making a checkpoint key: %w", err)
	}
	return skey, vkey, nil
}

// SignCheckpoint gives the signed note of a checkpoint. The key's name must be the checkpoint's origin.
func SignCheckpoint(c Checkpoint, skey string) ([]byte, error) {
	signer, err := note.NewSigner(skey)
	if err != nil {
		return nil, errors.New("signing a checkpoint: the signing key can't be read")
	}
	if signer.Name() != c.Origin {
		return nil, fmt.Errorf("signing a checkpoint: the key is that of %s and the log is %s", signer.Name(), c.Origin)
	}
	if _, err := parseCheckpoint(c.Text()); err != nil {
		return nil, fmt.Errorf("signing a checkpoint: %w", err)
	}
	signed, err := note.Sign(&note.Note{Text: c.Text()}, signer)
	if err != nil {
		return nil, fmt.Errorf("signing a checkpoint: %w", err)
	}
	return signed, nil
}

// OpenCheckpoint gives the checkpoint of a signed note when one of the keys signed it and the key's name
// is the checkpoint's origin. Several keys are for the time of a rotation.
func OpenCheckpoint(signed []byte, vkeys ...string) (Checkpoint, error) {
	var known []note.Verifier
	for _, vkey := range vkeys {
		v, err := note.NewVerifier(vkey)
		if err != nil {
			return Checkpoint{}, errors.New("opening a checkpoint: a verification key can't be read")
		}
		known = append(known, v)
	}
	n, err := note.Open(signed, note.VerifierList(known...))
	if err != nil {
		return Checkpoint{}, errors.New("opening a checkpoint: its signature is not valid for this key")
	}
	c, err := parseCheckpoint(n.Text)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("opening a checkpoint: %w", err)
	}
	// note's decoder passes over the unused bits of the last base64 digit; one checkpoint has one spelling.
	for _, sig := range slices.Concat(n.Sigs, n.UnverifiedSigs) {
		raw, err := base64.StdEncoding.DecodeString(sig.Base64)
		if err != nil || base64.StdEncoding.EncodeToString(raw) != sig.Base64 {
			return Checkpoint{}, errors.New("opening a checkpoint: its signature is not in canonical form")
		}
	}
	if !slices.ContainsFunc(n.Sigs, func(sig note.Signature) bool { return sig.Name == c.Origin }) {
		return Checkpoint{}, errors.New("opening a checkpoint: it is signed by the key of another log")
	}
	return c, nil
}
