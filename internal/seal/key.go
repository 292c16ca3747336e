package seal

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
)

// keySize is the length of every key in bytes: AES-256 and HMAC-SHA256.
const keySize = 32

// version1 is the first byte of everything sealed, wrapped or streamed by this version of the package.
// It is authenticated together with the context.
const version1 = 1

// ErrOpen is what opening gives for bytes that were changed, cut, sealed under another key or for another
// context. Which of these it was is not told apart: AES-GCM can't, and a caller must treat all alike.
var ErrOpen = errors.New("sealed bytes do not open with this key and context")

// Key is a 256-bit data key in memory. The zero Key is not a key: it refuses to open and panics when
// asked to seal. Formatting, logging and marshaling a Key give a fixed word, never the key.
//
// Sealing, streaming and each purpose of hashing use subkeys of their own (HKDF-SHA256, RFC 5869), so
// that no use of a key weakens another.
type Key struct {
	// Behind a function, because fmt prints the unexported fields of an enclosing struct by reflection
	// and doesn't ask Format then. It follows a pointer for some verbs; of a function it prints the address.
	reveal func() *[keySize]byte
}

// keyOf makes a Key of 32 bytes, which it copies.
func keyOf(raw []byte) Key {
	secret := [keySize]byte(raw)
	return Key{reveal: func() *[keySize]byte { return &secret }}
}

// NewKey makes a data key from the system's random source.
func NewKey() Key {
	return keyOf(Random(keySize))
}

// IsZero tells whether there is no key.
func (k Key) IsZero() bool { return k.reveal == nil }

// Wipe overwrites the key in memory; every copy of this Key is unusable afterwards. The Go runtime may
// have moved bytes before, so this narrows the window and does not close it.
func (k Key) Wipe() {
	if k.reveal != nil {
		clear(k.reveal()[:])
	}
}

// wiped tells whether there is no usable key. An all-zero key is never made, so it stands for wiped.
func (k Key) wiped() bool {
	return k.reveal == nil || *k.reveal() == [keySize]byte{}
}

// subkey derives the 32-byte key of one use. Uses are constants of this package, followed by the
// purpose for hashes.
func (k Key) subkey(use string) []byte {
	if k.wiped() {
		panic("seal: use of a zero or wiped Key")
	}
	sub, err := hkdf.Key(sha256.New, k.reveal()[:], nil, "habeas/seal/1/"+use, keySize)
	if err != nil {
		panic("seal: " + err.Error()) // only for lengths that HKDF can't give
	}
	return sub
}

// Seal encrypts and authenticates plain for one context and gives 29 bytes more than plain: version,
// random nonce, AES-256-GCM ciphertext and tag. It panics on a zero Key. One key seals at most 2^32
// values (NIST SP 800-38D, random nonces).
func (k Key) Seal(plain, context []byte) []byte {
	return sealWith(k.subkey("seal"), plain, context)
}

// Open gives back what Seal got. It gives ErrOpen for anything else than the unchanged bytes in the
// same context.
func (k Key) Open(sealed, context []byte) ([]byte, error) {
	if k.wiped() {
		return nil, ErrOpen
	}
	return openWith(k.subkey("seal"), sealed, context)
}

// Hash gives the keyed hash of a value for one purpose (HMAC-SHA256): 43 characters of unpadded
// base64url, the same for the same key, purpose and value, and telling nothing without the key. Hashes
// of different purposes can't be joined. The caller brings the value into its canonical form first.
func (k Key) Hash(purpose string, value []byte) string {
	mac := hmac.New(sha256.New, k.subkey("hash/"+purpose))
	mac.Write(value)
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// Wrap gives the key encrypted under the master key for one context, fit to be stored.
func (k Key) Wrap(ctx context.Context, m Master, context []byte) ([]byte, error) {
	if k.wiped() {
		return nil, errors.New("wrapping a zero or wiped key")
	}
	wrapped, err := m.WrapKey(ctx, k.reveal()[:], context)
	if err != nil {
		return nil, fmt.Errorf("wrapping a data key under master key %s: %w", m.ID(), err)
	}
	return wrapped, nil
}

// Unwrap gives the key that Wrap got, for the same context.
func Unwrap(ctx context.Context, m Master, wrapped, context []byte) (Key, error) {
	plain, err := m.UnwrapKey(ctx, wrapped, context)
	if err != nil {
		return Key{}, fmt.Errorf("unwrapping a data key: %w", err)
	}
	defer clear(plain)
	if len(plain) != keySize {
		return Key{}, fmt.Errorf("unwrapping a data key: it has %d bytes and not %d", len(plain), keySize)
	}
	return keyOf(plain), nil
}

// redacted is what stands for a key wherever one is printed.
const redacted = "[key]"

// Format prints a fixed word for every verb.
func (k Key) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte(redacted)) }

// String gives a fixed word.
func (k Key) String() string { return redacted }

// GoString gives a fixed word.
func (k Key) GoString() string { return redacted }

// MarshalJSON gives a fixed word; a key is stored wrapped and in no other way.
func (k Key) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText gives a fixed word.
func (k Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// sealWith encrypts under a raw 32-byte key: version || nonce || ciphertext || tag.
func sealWith(key, plain, context []byte) []byte {
	out := make([]byte, 1, 1+12+len(plain)+16)
	out[0] = version1
	return gcm(key).Seal(out, nil, plain, aad(context))
}

// openWith is the inverse of sealWith.
func openWith(key, sealed, context []byte) ([]byte, error) {
	if len(sealed) == 0 || sealed[0] != version1 {
		return nil, ErrOpen
	}
	plain, err := gcm(key).Open(nil, nil, sealed[1:], aad(context))
	if err != nil {
		return nil, ErrOpen
	}
	return plain, nil
}

// gcm gives AES-256-GCM that draws its own nonce and puts it in front of the ciphertext.
func gcm(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err == nil {
		var a cipher.AEAD
		if a, err = cipher.NewGCMWithRandomNonce(block); err == nil {
			return a
		}
	}
	panic("seal: " + err.Error()) // only for a key that is not 32 bytes long
}

// aad binds the version to the context.
func aad(context []byte) []byte {
	return append([]byte{version1}, context...)
}
