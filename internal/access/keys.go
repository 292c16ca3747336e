package access

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/seal"
)

// The pinned claims of our tokens.
const (
	audience      = "habeas"
	defaultIssuer = "habeas"
	localKeyID    = "local"
	localKeyFile  = "jwt.key"
)

// Keys verifies tokens, and mints them when it holds the local key. Its methods may be called at the
// same time.
type Keys struct {
	issuer string
	source keySource
	local  []byte // HS256 key of the data dir; nil with keys from elsewhere
}

// keySource finds the key for a token. kid is empty when the token names none.
type keySource interface {
	find(ctx context.Context, kid, alg string, now time.Time) (verifyKey, error)
}

// OpenKeys gives the keys that a setting names:
//
//	""                          an HS256 key in dataDir, made when absent (mode 0600); only on loopback
//	"/etc/habeas/jwt.pem"       a file of PEM public keys, or a JWKS as JSON
//	"https://idp/…/jwks.json"   a JWKS fetched when needed; plain http on loopback hosts alone
//
// issuer is the only `iss` that is accepted; empty means "habeas". loopback says that everything listens
// and is reached on loopback alone. A setting that can't be used is a fault.Invalid.
func OpenKeys(source, issuer, dataDir string, loopback bool) (*Keys, error) {
	if issuer == "" {
		issuer = defaultIssuer
	}
	k := &Keys{issuer: issuer}
	var err error
	switch {
	case source == "":
		// Whoever holds an HS256 key can make tokens as well as check them. That is for one machine.
		if !loopback {
			return nil, badKeys("The local signing key is for loopback only; name the public keys of your identity provider in HABEAS_JWT_KEYS.")
		}
		k.local, err = openLocalKey(filepath.Join(dataDir, localKeyFile))
		k.source = keySet{{kid: localKeyID, algs: []string{"HS256"}, key: k.local}}
	case strings.Contains(source, "://"):
		k.source, err = newRemote(source)
	default:
		k.source, err = openKeyFile(source)
	}
	if err != nil {
		return nil, err
	}
	return k, nil
}

// badKeys says what is wrong with the setting.
func badKeys(format string, args ...any) error {
	return fault.New(fault.Invalid, "bad_jwt_keys", format, args...)
}

// openLocalKey reads or makes the HS256 key: 32 random bytes, as base64 on one line.
func openLocalKey(path string) ([]byte, error) {
	raw, err := seal.SecretFile(path, func() []byte {
		return []byte(base64.StdEncoding.EncodeToString(seal.Random(32)) + "\n")
	})
	if err != nil {
		return nil, err
	}
	key, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSuffix(string(raw), "\n"))
	if err != nil || len(key) != 32 {
		return nil, badKeys("The signing key file %s does not hold 32 bytes in base64; remove it to have a new one made.", path)
	}
	return key, nil
}

// maxKeyData bounds a key file and a JWKS answer in bytes.
const maxKeyData = 1 << 20

// openKeyFile reads PEM public keys or a JWKS.
func openKeyFile(path string) (keySet, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, badKeys("The key file %s of HABEAS_JWT_KEYS does not exist.", path)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the key file: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxKeyData {
		return nil, badKeys("The key file %s of HABEAS_JWT_KEYS is not a regular file of at most 1 MiB.", path)
	}
	raw, err := os.ReadFile(path) //nolint:gosec // the path is a setting of the operator
	if err != nil {
		return nil, fmt.Errorf("reading the key file: %w", err)
	}
	var set keySet
	if bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) {
		set, err = parseJWKS(raw)
	} else {
		set, err = parsePEM(raw)
	}
	if err != nil {
		return nil, badKeys("The key file %s of HABEAS_JWT_KEYS can't be used: %v.", path, err)
	}
	return set, nil
}

// String names the source without showing a key.
func (k *Keys) String() string {
	if k.local != nil {
		return "local signing key"
	}
	return "public keys"
}

// GoString is String, so that %#v shows no key either.
func (k *Keys) GoString() string { return k.String() }

// Format is String for every verb.
func (k *Keys) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte(k.String())) }
