package seal

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/habeas-data/habeas/internal/fault"
)

// Master wraps data keys with a key that never lies in the database: a local key file or a key
// management service. Both calls may go over a network and honor ctx.
type Master interface {
	// WrapKey encrypts a data key (32 bytes) for one context; the answer names the master key it used.
	WrapKey(ctx context.Context, plain, context []byte) ([]byte, error)
	// UnwrapKey decrypts what WrapKey gave under the current or an older master key.
	UnwrapKey(ctx context.Context, wrapped, context []byte) ([]byte, error)
	// ID names the current master key. It is no secret and is fit for a log.
	ID() string
}

// keyFile is a Master that lies in a file of lines "id base64", newest first.
type keyFile struct {
	newest string
	keys   map[string][]byte
}

// OpenKeyFile opens the local master key, and makes it when the file does not exist yet (mode 0600, its
// directory 0700). Each line holds an id and 32 random bytes in standard base64, parted by one space.
// The first line wraps; every line unwraps. To rotate, put a new line on top and keep the old ones
// until nothing is wrapped by them any more.
//
// A file that others may read, or that holds something else, is refused with a fault.Invalid that says
// what would be right.
func OpenKeyFile(path string) (Master, error) {
	raw, err := SecretFile(path, newKeyLine)
	if err != nil {
		return nil, err
	}
	defer clear(raw)
	m := &keyFile{keys: map[string][]byte{}}
	for i, line := range bytes.Split(bytes.TrimRight(raw, "\n"), []byte("\n")) {
		id, key, err := parseKeyLine(string(line))
		if err != nil {
			return nil, fault.New(fault.Invalid, "bad_key_file", "Line %d of the master key file %s: %v.", i+1, path, err)
		}
		if _, twice := m.keys[id]; twice {
			return nil, fault.New(fault.Invalid, "bad_key_file", "Line %d of the master key file %s: the id %s stands there twice.", i+1, path, id)
		}
		if m.newest == "" {
			m.newest = id
		}
		m.keys[id] = key
	}
	return m, nil
}

// newKeyLine makes the content of a fresh key file.
func newKeyLine() []byte {
	id := hex.EncodeToString(Random(4))
	return []byte(id + " " + base64.StdEncoding.EncodeToString(Random(keySize)) + "\n")
}

// parseKeyLine reads "id base64". Errors never repeat the line.
func parseKeyLine(line string) (id string, key []byte, err error) {
	id, enc, ok := strings.Cut(line, " ")
	if !ok || id == "" {
		return "", nil, fmt.Errorf("it must hold an id, one space and a base64 key")
	}
	if len(id) > 64 || strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") != "" {
		return "", nil, fmt.Errorf("the id must be 1 to 64 letters, digits, dots, dashes or underscores")
	}
	key, decodeErr := base64.StdEncoding.Strict().DecodeString(enc)
	if decodeErr != nil {
		return "", nil, fmt.Errorf("the key is not base64")
	}
	if len(key) != keySize {
		return "", nil, fmt.Errorf("the key has %d bytes and must have %d", len(key), keySize)
	}
	return id, key, nil
}

// ID gives the id of the first line.
func (m *keyFile) ID() string { return m.newest }

// WrapKey gives: length of id (one byte) || id || sealed key. The id is authenticated with the context.
func (m *keyFile) WrapKey(_ context.Context, plain, context []byte) ([]byte, error) {
	head := append([]byte{byte(len(m.newest))}, m.newest...)
	return append(head, sealWith(m.keys[m.newest], plain, append(bytes.Clone(head), context...))...), nil
}

// UnwrapKey opens with the key that the wrapped bytes name.
func (m *keyFile) UnwrapKey(_ context.Context, wrapped, context []byte) ([]byte, error) {
	if len(wrapped) == 0 || len(wrapped) < 1+int(wrapped[0]) {
		return nil, ErrOpen
	}
	head, sealed := wrapped[:1+int(wrapped[0])], wrapped[1+int(wrapped[0]):]
	key, ok := m.keys[string(head[1:])]
	if !ok {
		return nil, fmt.Errorf("the key file does not hold master key %q: %w", head[1:], ErrOpen)
	}
	return openWith(key, sealed, append(bytes.Clone(head), context...))
}

// String names the master key without showing it.
func (m *keyFile) String() string { return "key file " + m.newest }

// GoString names the master key without showing it.
func (m *keyFile) GoString() string { return m.String() }
