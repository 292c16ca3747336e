package seal

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestSealOpen(t *testing.T) {
	k := NewKey()
	rapid.Check(t, func(t *rapid.T) {
		plain := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "plain")
		aad := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "context")
		other := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "other")
		sealed := k.Seal(plain, aad)
		if len(sealed) != len(plain)+29 {
			t.Fatalf("sealed %d bytes to %d", len(plain), len(sealed))
		}
		got, err := k.Open(sealed, aad)
		if err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("opened %x, %v", got, err)
		}
		if _, err := k.Open(sealed, other); !bytes.Equal(aad, other) && !errors.Is(err, ErrOpen) {
			t.Fatalf("opened with another context: %v", err)
		}
	})
}

func TestOpenRefusesEveryChange(t *testing.T) {
	k, aad := NewKey(), []byte("acme/request/7")
	sealed := k.Seal([]byte("the plain text"), aad)
	for i := range sealed {
		for bit := range 8 {
			bad := bytes.Clone(sealed)
			bad[i] ^= 1 << bit
			if _, err := k.Open(bad, aad); !errors.Is(err, ErrOpen) {
				t.Fatalf("byte %d bit %d flipped: %v", i, bit, err)
			}
		}
	}
	for n := range sealed {
		if _, err := k.Open(sealed[:n], aad); !errors.Is(err, ErrOpen) {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
	}
	if _, err := k.Open(append(bytes.Clone(sealed), 0), aad); !errors.Is(err, ErrOpen) {
		t.Fatalf("lengthened: %v", err)
	}
	if _, err := NewKey().Open(sealed, aad); !errors.Is(err, ErrOpen) {
		t.Fatalf("another key: %v", err)
	}
	if bytes.Equal(sealed, k.Seal([]byte("the plain text"), aad)) {
		t.Fatal("sealing twice gave the same bytes: the nonce is not random")
	}
}

func TestHash(t *testing.T) {
	k := NewKey()
	h := k.Hash("subject", []byte("anna@example.com"))
	if !regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`).MatchString(h) {
		t.Fatalf("hash %q", h)
	}
	if h != k.Hash("subject", []byte("anna@example.com")) {
		t.Fatal("the hash is not the same twice")
	}
	for name, other := range map[string]string{
		"purpose": k.Hash("suppression", []byte("anna@example.com")),
		"value":   k.Hash("subject", []byte("anna@example.org")),
		"key":     NewKey().Hash("subject", []byte("anna@example.com")),
		"border":  k.Hash("subjecta", []byte("nna@example.com")),
	} {
		if other == h {
			t.Errorf("another %s gives the same hash", name)
		}
	}
}

// TestVectors pins the formats: what was sealed by an earlier build must open, and a hash that stands in
// a database must be found again.
func TestVectors(t *testing.T) {
	k := keyOf(bytes.Repeat([]byte{7}, keySize))
	if got, want := k.Hash("subject", []byte("anna@example.com")), vectorHash; got != want {
		t.Errorf("hash %s, want %s", got, want)
	}
	sealed, err := hex.DecodeString(vectorSealed)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := k.Open(sealed, []byte("context")); err != nil || string(plain) != "plain" {
		t.Errorf("opened %q, %v", plain, err)
	}
}

func TestKeyIsNeverPrinted(t *testing.T) {
	k := NewKey()
	type holder struct {
		key Key
		Key Key
	}
	secret := k.reveal()[:]
	forms := []string{
		hex.EncodeToString(secret), strings.ToUpper(hex.EncodeToString(secret)), string(secret),
		base64.StdEncoding.EncodeToString(secret), base64.RawURLEncoding.EncodeToString(secret),
		strings.Trim(fmt.Sprint(secret), "[]"), strings.Trim(fmt.Sprintf("%#v", secret), "[]byte{}"),
	}
	var printed []string
	for _, v := range []any{k, &k, holder{k, k}, &holder{k, k}, []Key{k}, map[string]Key{"k": k}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%b", "%c", "%U", "%t", "%p"} {
			printed = append(printed, fmt.Sprintf(verb, v))
		}
		if raw, err := json.Marshal(v); err == nil {
			printed = append(printed, string(raw))
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", v)
		printed = append(printed, log.String())
	}
	printed = append(printed, k.String(), k.GoString())
	for _, p := range printed {
		for _, form := range forms {
			if strings.Contains(p, form) {
				t.Errorf("the key is printed: %s", p)
			}
		}
	}
}

func TestZeroAndWipedKey(t *testing.T) {
	wiped := NewKey()
	sealed := wiped.Seal([]byte("x"), nil)
	same := wiped
	wiped.Wipe()
	for name, k := range map[string]Key{"zero": {}, "wiped": wiped, "copy of wiped": same} {
		if _, err := k.Open(sealed, nil); !errors.Is(err, ErrOpen) {
			t.Errorf("%s key opened: %v", name, err)
		}
		if _, err := k.Writer(&bytes.Buffer{}, nil); err == nil {
			t.Errorf("%s key writes a stream", name)
		}
		if _, err := k.Wrap(context.Background(), nil, nil); err == nil {
			t.Errorf("%s key is wrapped", name)
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s key sealed", name)
				}
			}()
			k.Seal([]byte("x"), nil)
		}()
	}
}

func TestTokens(t *testing.T) {
	seen := map[string]bool{}
	var firsts [10]int
	for range 2000 {
		token, code := Token(), Code()
		if !regexp.MustCompile(`^[A-Za-z0-9_-]{22}$`).MatchString(token) || seen[token] {
			t.Fatalf("token %q", token)
		}
		seen[token] = true
		if !regexp.MustCompile(`^[0-9]{6}$`).MatchString(code) {
			t.Fatalf("code %q", code)
		}
		firsts[code[0]-'0']++
	}
	for digit, n := range firsts { // expected 200, six standard deviations are 80
		if n < 120 || n > 280 {
			t.Errorf("digit %d begins %d of 2000 codes", digit, n)
		}
	}
	if got := TokenHash("abc"); got != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" {
		t.Errorf("token hash %s", got)
	}
	if len(Random(33)) != 33 || bytes.Equal(Random(16), Random(16)) {
		t.Error("Random is not random")
	}
}
