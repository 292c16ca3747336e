package seal

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/big"
)

// Random gives n bytes from the system's random source. It does not fail: crypto/rand ends the program
// when the system has no randomness.
func Random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

// Token gives a secret for a link: 128 random bits as 22 characters of unpadded base64url. Only its
// TokenHash is stored.
func Token() string { return base64.RawURLEncoding.EncodeToString(Random(16)) }

// TokenHash gives the hash under which a token is stored and looked up: SHA-256 as 64 hex digits. It is
// unkeyed, which is enough for a value of 128 random bits and for nothing shorter.
func TokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// Code gives six digits, each of the million equally likely. It holds 20 bits: the caller binds it to
// one session and counts the tries.
func Code() string {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		panic("seal: " + err.Error()) // crypto/rand ends the program before this
	}
	return fmt.Sprintf("%06d", n)
}
