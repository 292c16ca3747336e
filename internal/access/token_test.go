package access

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/habeas-data/habeas/internal/fault"
)

func testNow() time.Time { return time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC) }

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func openLocal(t *testing.T) (*Keys, string) {
	t.Helper()
	dir := t.TempDir()
	k, err := OpenKeys("", "", dir, true)
	if err != nil {
		t.Fatal(err)
	}
	return k, dir
}

// goodClaims are those of an officer's token that is valid at testNow.
func goodClaims() map[string]any {
	return map[string]any{"iss": "habeas", "aud": "habeas", "sub": "s1", "tenant": "acme", "roles": []string{"officer"},
		"iat": testNow().Unix(), "exp": testNow().Add(time.Hour).Unix()}
}

// raw makes an HS256 token of any header and claims, as JSON texts.
func raw(key []byte, head, body string) string {
	signed := b64([]byte(head)) + "." + b64([]byte(body))
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(signed))
	return signed + "." + b64(mac.Sum(nil))
}

func js(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func refused(t *testing.T, k *Keys, name, token string) {
	t.Helper()
	p, err := k.Verify(context.Background(), token, testNow())
	e, ok := fault.As(err)
	if !ok || e.Kind != fault.Unauthorized || !reflect.DeepEqual(p, Principal{}) {
		t.Errorf("%s: %+v, %v", name, p, err)
		return
	}
	if len(token) > 20 && strings.Contains(err.Error(), token[len(token)-20:]) {
		t.Errorf("%s: the error repeats the token", name)
	}
}

func TestMintAndVerify(t *testing.T) {
	k, dir := openLocal(t)
	token, err := k.Mint("acme", "s1", []Role{RoleOrgAdmin, RoleOfficer}, "org-1", time.Hour, testNow())
	if err != nil {
		t.Fatal(err)
	}
	want := Principal{Kind: KindOfficer, Tenant: "acme", Subject: "s1", Roles: []Role{RoleOrgAdmin, RoleOfficer}, Org: "org-1", FreshUntil: testNow().Add(time.Hour), Via: ViaJWT}
	if p, err := k.Verify(t.Context(), token, testNow()); err != nil || !reflect.DeepEqual(p, want) {
		t.Errorf("%+v, %v", p, err)
	}
	again, err := OpenKeys("", "", dir, true) // another process on the same directory
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.Verify(t.Context(), token, testNow().Add(time.Hour-time.Second)); err != nil {
		t.Error(err)
	}
	_, err = again.Verify(t.Context(), token, testNow().Add(time.Hour))
	if e, ok := fault.As(err); !ok || e.Code != "token_expired" {
		t.Errorf("at its end: %v", err)
	}
	product, err := k.Mint("acme", "shop", []Role{RoleProduct}, "", time.Hour, testNow())
	if err != nil {
		t.Fatal(err)
	}
	if p, err := k.Verify(t.Context(), product, testNow()); err != nil || p.Kind != KindProduct {
		t.Errorf("%+v, %v", p, err)
	}
	if info, err := os.Stat(filepath.Join(dir, localKeyFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key file: %v, %v", info.Mode(), err)
	}
	other, _ := openLocal(t)
	refused(t, other, "the key of another environment", token)
	if p := fmt.Sprintf("%v %+v %#v %s %d", k, k, k, k, k); strings.Contains(p, b64(k.local)[:10]) || strings.Contains(p, fmt.Sprint(k.local)[1:20]) {
		t.Errorf("printed as %s", p)
	}
	for name, mint := range map[string]func() (string, error){
		"no tenant": func() (string, error) { return k.Mint("", "s", []Role{RoleOfficer}, "", time.Hour, testNow()) },
		"tenant":    func() (string, error) { return k.Mint("../x", "s", []Role{RoleOfficer}, "", time.Hour, testNow()) },
		"no roles":  func() (string, error) { return k.Mint("acme", "s", nil, "", time.Hour, testNow()) },
		"role":      func() (string, error) { return k.Mint("acme", "s", []Role{"root"}, "", time.Hour, testNow()) },
		"no org":    func() (string, error) { return k.Mint("acme", "s", []Role{RoleOrgAdmin}, "", time.Hour, testNow()) },
		"no sub":    func() (string, error) { return k.Mint("acme", "", []Role{RoleOfficer}, "", time.Hour, testNow()) },
		"mixed": func() (string, error) {
			return k.Mint("acme", "s", []Role{RoleProduct, RoleOfficer}, "", time.Hour, testNow())
		},
		"no time": func() (string, error) { return k.Mint("acme", "s", []Role{RoleOfficer}, "", 0, testNow()) },
		"for ever": func() (string, error) {
			return k.Mint("acme", "s", []Role{RoleOfficer}, "", 400*24*time.Hour, testNow())
		},
	} {
		if _, err := mint(); !fault.Is(err, fault.Invalid) {
			t.Errorf("minting with %s: %v", name, err)
		}
	}
}

func TestRefusedClaims(t *testing.T) {
	k, _ := openLocal(t)
	const head = `{"alg":"HS256","typ":"JWT","kid":"local"}`
	for _, ok := range []string{head, `{"alg":"HS256"}`, `{"alg":"HS256","typ":"at+jwt","kid":"local","x5t":"ignored"}`} {
		if _, err := k.Verify(t.Context(), raw(k.local, ok, js(t, goodClaims())), testNow()); err != nil {
			t.Errorf("header %s: %v", ok, err)
		}
	}
	now := testNow().Unix()
	for name, change := range map[string]any{
		"aud missing": nil, "aud other": "other", "aud list of other": []string{"other"}, "aud with other": []string{"habeas", "other"}, "aud number": 7, "aud empty": []string{}, "aud case": "Habeas",
		"iss missing": nil, "iss other": "evil", "iss list": []string{"habeas"}, "exp missing": nil, "exp past": now - 1, "exp now": now, "exp zero": 0, "exp negative": -1, "exp 1e300": 1e300,
		"exp text": fmt.Sprint(now + 60), "exp null": json.RawMessage("null"), "exp bool": true, "nbf future": now + 61, "nbf text": "x", "iat future": now + 61, "iat list": []int{1},
		"tenant missing": nil, "tenant path": "../acme", "tenant case": "Acme", "tenant list": []string{"acme"}, "tenant long": strings.Repeat("a", 64), "tenant empty": "", "tenant newline": "acme\n",
		"roles missing": nil, "roles empty": []string{}, "roles unknown": []string{"root"}, "roles one unknown": []string{"officer", "root"}, "roles text": "officer", "roles numbers": []int{1}, "roles mixed": []string{"officer", "product"},
		"sub missing": nil, "sub empty": "", "sub number": 7, "sub control": "a\x00b", "sub long": strings.Repeat("s", 257), "org number": 7, "auth_time text": "x",
	} {
		c := goodClaims()
		claim, _, _ := strings.Cut(name, " ")
		c[claim] = change
		if change == nil {
			delete(c, claim)
		}
		refused(t, k, name, raw(k.local, head, js(t, c)))
	}
	noOrg := goodClaims()
	noOrg["roles"] = []string{"org_admin"}
	refused(t, k, "org_admin without org", raw(k.local, head, js(t, noOrg)))
	for claim, at := range map[string]int64{"nbf": now + 60, "iat": now + 60} {
		c := goodClaims()
		c[claim] = at
		if _, err := k.Verify(t.Context(), raw(k.local, head, js(t, c)), testNow()); err != nil {
			t.Errorf("%s within the leeway: %v", claim, err)
		}
	}
	body := js(t, goodClaims())
	for name, bad := range map[string]string{
		"doubled claim":        strings.Replace(body, "{", `{"tenant":"victim",`, 1),
		"claim in other case":  strings.Replace(body, `"exp"`, `"EXP"`, 1),
		"doubled deep":         strings.Replace(body, "{", `{"x":{"a":1,"a":2},`, 1),
		"deep":                 strings.Replace(body, "{", `{"x":`+strings.Repeat("[", 50)+strings.Repeat("]", 50)+`,`, 1),
		"list":                 "[" + body + "]",
		"two values":           body + body,
		"not JSON":             "x" + body,
		"cut":                  body[:len(body)-1],
		"not UTF-8":            strings.Replace(body, "s1", "s\xff", 1),
		"nested token as text": `"` + raw(k.local, head, body) + `"`,
	} {
		refused(t, k, name, raw(k.local, head, bad))
	}
}

func TestRefusedHeadersAndForms(t *testing.T) {
	k, _ := openLocal(t)
	body := js(t, goodClaims())
	for name, head := range map[string]string{
		"alg missing": `{"typ":"JWT"}`, "alg empty": `{"alg":""}`, "alg number": `{"alg":256}`, "alg none": `{"alg":"none"}`, "alg None": `{"alg":"None"}`, "alg nOnE": `{"alg":"nOnE"}`,
		"alg hs256": `{"alg":"hs256"}`, "HS384": `{"alg":"HS384"}`, "HS512": `{"alg":"HS512"}`, "RS256": `{"alg":"RS256"}`, "ES256": `{"alg":"ES256"}`, "EdDSA": `{"alg":"EdDSA"}`, "alg doubled": `{"alg":"HS256","alg":"none"}`,
		"typ refresh": `{"alg":"HS256","typ":"refresh+jwt"}`, "typ session": `{"alg":"HS256","typ":"session"}`, "typ number": `{"alg":"HS256","typ":1}`, "typ JWE": `{"alg":"HS256","typ":"JWE"}`,
		"crit": `{"alg":"HS256","crit":["exp"]}`, "crit unknown": `{"alg":"HS256","crit":["x"],"x":1}`, "crit empty": `{"alg":"HS256","crit":[]}`, "b64": `{"alg":"HS256","b64":false,"crit":["b64"]}`, "b64 alone": `{"alg":"HS256","b64":false}`,
		"cty": `{"alg":"HS256","cty":"JWT"}`, "zip": `{"alg":"HS256","zip":"DEF"}`, "enc": `{"alg":"dir","enc":"A256GCM"}`,
		"jku": `{"alg":"HS256","jku":"https://evil.com/jwks.json"}`, "jwk": `{"alg":"HS256","jwk":{"kty":"oct","k":"AAAA"}}`, "x5u": `{"alg":"HS256","x5u":"https://evil.com"}`, "x5c": `{"alg":"HS256","x5c":["AAAA"]}`,
		"kid path": `{"alg":"HS256","kid":"../../../dev/null"}`, "kid SQL": `{"alg":"HS256","kid":"' or '1'='1"}`, "kid other": `{"alg":"HS256","kid":"acme"}`, "kid NUL": `{"alg":"HS256","kid":"local\u0000"}`,
		"kid long": `{"alg":"HS256","kid":"` + strings.Repeat("k", 300) + `"}`, "kid empty": `{"alg":"HS256","kid":""}`, "kid number": `{"alg":"HS256","kid":1}`, "kid null": `{"alg":"HS256","kid":null}`,
	} {
		refused(t, k, name, raw(k.local, head, body))
	}
	const head = `{"alg":"HS256","typ":"JWT"}`
	good := raw(k.local, head, body)
	parts := strings.Split(good, ".")
	none := b64([]byte(`{"alg":"none"}`)) + "." + parts[1] + "."
	sha5 := hmac.New(sha512.New, k.local)
	sha5.Write([]byte(b64([]byte(`{"alg":"HS512"}`)) + "." + parts[1]))
	for name, token := range map[string]string{
		"empty": "", "dots": "..", "one part": parts[0], "two parts": parts[0] + "." + parts[1], "no signature": parts[0] + "." + parts[1] + ".", "none": none, "none with a signature": none + parts[2],
		"four parts": good + ".", "five parts (JWE)": good + ".a.b", "two signatures": good + "." + parts[2], "padded": good + "=", "space": good + " ", "line break": good + "\n", "line break inside": parts[0] + "." + parts[1][:9] + "\n" + parts[1][9:] + "." + parts[2],
		"Bearer": "Bearer " + good, "cut": good[:len(good)-1], "JSON": `{"payload":"` + parts[1] + `","signatures":[]}`, "own HS512": b64([]byte(`{"alg":"HS512"}`)) + "." + parts[1] + "." + b64(sha5.Sum(nil)),
		"empty key": raw(nil, head, body), "zero key": raw(make([]byte, 32), head, body), "10 MB of dots": strings.Repeat(".", 10<<20), "8 KiB and one": raw(k.local, head, js(t, map[string]any{"x": strings.Repeat("x", 8000)})),
		"other claims": parts[0] + "." + b64([]byte(strings.Replace(body, "acme", "evil", 1))) + "." + parts[2],
	} {
		refused(t, k, name, token)
	}
	for i := range good { // every character, by another of the alphabet
		c := byte('A')
		if good[i] == 'A' {
			c = 'B'
		}
		refused(t, k, fmt.Sprintf("character %d", i), good[:i]+string(c)+good[i+1:])
	}
}

// signers makes one key of each kind, a JWKS of the public ones, and a way to sign with them.
func signers(t *testing.T) (jwks []byte, sign func(kid, alg string, claims map[string]any) string, rsaKey *rsa.PrivateKey) {
	t.Helper()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	edPub, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := ec.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	jwks = []byte(js(t, map[string]any{"keys": []map[string]any{
		{"kty": "RSA", "kid": "rsa", "use": "sig", "alg": "RS256", "n": b64(rsaKey.N.Bytes()), "e": b64(big.NewInt(int64(rsaKey.E)).Bytes())},
		{"kty": "EC", "kid": "ec", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])},
		{"kty": "OKP", "kid": "ed", "crv": "Ed25519", "x": b64(edPub)},
		{"kty": "RSA", "kid": "enc", "use": "enc", "n": b64(rsaKey.N.Bytes()), "e": "AQAB"},
		{"kty": "OKP", "kid": "x", "crv": "X25519", "x": b64(edPub)},
	}}))
	private := map[string]any{"rsa": rsaKey, "enc": rsaKey, "ec": ec, "ed": ed}
	return jwks, func(kid, alg string, claims map[string]any) string {
		t.Helper()
		tok := jwt.NewWithClaims(jwt.GetSigningMethod(alg), jwt.MapClaims(claims))
		if kid != "" {
			tok.Header["kid"] = kid
		}
		for _, key := range []string{kid, "rsa", "ec", "ed"} {
			if signed, err := tok.SignedString(private[key]); err == nil {
				return signed
			}
		}
		t.Fatalf("can't sign with %s", alg)
		return ""
	}, rsaKey
}

func TestPublicKeys(t *testing.T) {
	jwks, sign, rsaKey := signers(t)
	path := filepath.Join(t.TempDir(), "jwks.json")
	if err := os.WriteFile(path, jwks, 0o600); err != nil {
		t.Fatal(err)
	}
	k, err := OpenKeys(path, "https://idp.example.com", t.TempDir(), false)
	if err != nil {
		t.Fatal(err)
	}
	good := goodClaims()
	good["iss"] = "https://idp.example.com"
	for kid, alg := range map[string]string{"rsa": "RS256", "ec": "ES256", "ed": "EdDSA"} {
		for _, id := range []string{kid, ""} {
			if _, err := k.Verify(t.Context(), sign(id, alg, good), testNow()); err != nil {
				t.Errorf("%s with kid %q: %v", alg, id, err)
			}
		}
	}
	ours := goodClaims()
	refused(t, k, "the default issuer", sign("rsa", "RS256", ours))
	refused(t, k, "RS512 with a key for RS256", sign("rsa", "RS512", good))
	refused(t, k, "PS256 with a key for RS256", sign("rsa", "PS256", good))
	refused(t, k, "RS256 under the kid of another key", sign("ec", "RS256", good))
	refused(t, k, "a key for encryption", sign("enc", "RS256", good))
	es := strings.Split(sign("ec", "ES256", good), ".")
	refused(t, k, "ES256 of zeros", es[0]+"."+es[1]+"."+b64(make([]byte, 64)))
	der, _ := x509.MarshalPKIXPublicKey(&rsaKey.PublicKey)
	for name, secret := range map[string][]byte{"DER": der, "PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), "n": rsaKey.N.Bytes(), "JWKS": jwks} {
		refused(t, k, "HS256 with the public key as "+name, raw(secret, `{"alg":"HS256","kid":"rsa"}`, js(t, good)))
	}
	if _, err := k.Mint("acme", "s", []Role{RoleOfficer}, "", time.Hour, testNow()); !fault.Is(err, fault.Conflict) || k.CanMint() {
		t.Errorf("mints without a local key: %v", err)
	}

	// Freshness comes from the time of sign-in, and not from a claim that any issuer could always set.
	for name, c := range map[string]struct {
		set  map[string]any
		want time.Time
	}{
		"none": {nil, time.Time{}}, "fresh by itself": {map[string]any{"fresh": true}, time.Time{}},
		"just now": {map[string]any{"auth_time": testNow().Unix()}, testNow().Add(freshFor)}, "long ago": {map[string]any{"auth_time": testNow().Add(-time.Hour).Unix()}, testNow().Add(-time.Hour + freshFor)},
		"in the future":        {map[string]any{"auth_time": testNow().Add(time.Hour).Unix()}, time.Time{}},
		"not beyond the token": {map[string]any{"auth_time": testNow().Unix(), "exp": testNow().Add(time.Minute).Unix()}, testNow().Add(time.Minute)},
	} {
		claims := maps.Clone(good)
		maps.Copy(claims, c.set)
		if p, err := k.Verify(t.Context(), sign("ed", "EdDSA", claims), testNow()); err != nil || !p.FreshUntil.Equal(c.want) {
			t.Errorf("%s: fresh until %s, %v", name, p.FreshUntil, err)
		}
	}

	pemPath := filepath.Join(t.TempDir(), "keys.pem")
	if err := os.WriteFile(pemPath, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	byPEM, err := OpenKeys(pemPath, "https://idp.example.com", "", false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := byPEM.Verify(t.Context(), sign("", "RS256", good), testNow()); err != nil {
		t.Errorf("by PEM: %v", err)
	}
	refused(t, byPEM, "a kid that PEM does not know", sign("rsa", "RS256", good))
}

func TestThumbprint(t *testing.T) { // the example of RFC 7638, 3.1
	n, err := base64.RawURLEncoding.DecodeString("0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw")
	if err != nil {
		t.Fatal(err)
	}
	got, err := thumbprint(crypto.PublicKey(&rsa.PublicKey{N: new(big.Int).SetBytes(n), E: 65537}))
	if err != nil || got != "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs" {
		t.Errorf("%s, %v", got, err)
	}
}

func TestRemoteKeys(t *testing.T) {
	oldSet, signOld, _ := signers(t)
	newSet, signNew, _ := signers(t)
	newSet = bytes.ReplaceAll(newSet, []byte(`"kid":"ed"`), []byte(`"kid":"ed2"`))
	var calls, status atomic.Int64
	status.Store(200)
	var mu sync.Mutex
	served := oldSet
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		mu.Lock()
		defer mu.Unlock()
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(int(status.Load()))
		_, _ = w.Write(served)
	}))
	defer srv.Close()
	k, err := OpenKeys(srv.URL+"/jwks.json", "", "", false)
	if err != nil || calls.Load() != 0 {
		t.Fatalf("%v after %d calls", err, calls.Load())
	}
	verify := func(token string, after time.Duration) error {
		_, err := k.Verify(t.Context(), token, testNow().Add(after))
		return err
	}
	long := goodClaims()
	long["exp"] = testNow().Add(100 * time.Hour).Unix()
	oldToken := signOld("ed", "EdDSA", long)
	unknown := signOld("unknown", "EdDSA", long)

	status.Store(503)
	if err := verify(oldToken, 0); !fault.Is(err, fault.Unavailable) {
		t.Errorf("no keys yet: %v", err)
	}
	if err := verify(oldToken, 30*time.Second); !fault.Is(err, fault.Unavailable) || calls.Load() != 1 {
		t.Errorf("asked again within a minute: %v, %d calls", err, calls.Load())
	}
	status.Store(200)
	if err := verify(oldToken, time.Minute); err != nil || calls.Load() != 2 {
		t.Errorf("after a minute: %v, %d calls", err, calls.Load())
	}
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if err := verify(oldToken, 2*time.Minute); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if calls.Load() != 2 {
		t.Errorf("known keys were fetched: %d calls", calls.Load())
	}
	// Unknown ids ask once a minute, however many there are.
	for i := range 50 {
		if err := verify(unknown, 3*time.Minute+time.Duration(i)*time.Second); !fault.Is(err, fault.Unauthorized) {
			t.Errorf("an unknown kid: %v", err)
		}
	}
	if calls.Load() != 3 {
		t.Errorf("unknown ids led to %d calls", calls.Load())
	}
	// Rotation: the new key works at once, the old one no longer.
	mu.Lock()
	served = newSet
	mu.Unlock()
	good2 := signNew("ed2", "EdDSA", long)
	if err := verify(good2, 5*time.Minute); err != nil {
		t.Errorf("the new key: %v", err)
	}
	if err := verify(oldToken, 5*time.Minute+time.Second); !fault.Is(err, fault.Unauthorized) {
		t.Errorf("the withdrawn key: %v", err)
	}
	// The provider away, or redirecting: what is known serves for a day.
	status.Store(302)
	if err := verify(good2, 10*time.Hour); err != nil {
		t.Errorf("the provider away for hours: %v", err)
	}
	if err := verify(good2, 30*time.Hour); !fault.Is(err, fault.Unavailable) {
		t.Errorf("the provider away for more than a day: %v", err)
	}
}

func TestOpenKeysRefuses(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	smallDER, _ := x509.MarshalPKIXPublicKey(&small.PublicKey)
	privateDER, _ := x509.MarshalPKCS8PrivateKey(small)
	rsaJWK := func(extra string) string {
		return `{"keys":[{"kty":"RSA","kid":"a","n":"` + b64(bytes.Repeat([]byte{0xff}, 256)) + `","e":"AQAB"` + extra + `}]}`
	}
	for name, source := range map[string]string{
		"missing file": filepath.Join(dir, "none"), "directory": dir, "http beyond loopback": "http://idp.example.com/jwks.json", "ftp": "ftp://idp.example.com/x", "user in URL": "https://user:secretword@idp.example.com/",
		"empty": write("empty", ""), "text": write("text", "hello"), "no keys": write("nokeys", `{"keys":[]}`), "only oct": write("oct", `{"keys":[{"kty":"oct","k":"AAAA","kid":"a"}]}`),
		"private JWK": write("private", rsaJWK(`,"d":"AAAA"`)), "small RSA": write("small", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: smallDER}))),
		"private PEM": write("pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: privateDER}))), "even exponent": write("even", strings.Replace(rsaJWK(""), "AQAB", "Ag", 1)),
		"twice":         write("twice", strings.Replace(rsaJWK(""), `{"keys":[`, `{"keys":[`+strings.TrimSuffix(strings.TrimPrefix(rsaJWK(""), `{"keys":[`), `]}`)+",", 1)),
		"off the curve": write("curve", `{"keys":[{"kty":"EC","crv":"P-256","x":"`+b64(make([]byte, 32))+`","y":"`+b64(make([]byte, 32))+`"}]}`), "only for encryption": write("enc", rsaJWK(`,"use":"enc"`)),
	} {
		if _, err := OpenKeys(source, "", dir, true); !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "secretword") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := OpenKeys("", "", t.TempDir(), false); !fault.Is(err, fault.Invalid) {
		t.Errorf("the local key beyond loopback: %v", err)
	}
	local := t.TempDir()
	if err := os.WriteFile(filepath.Join(local, localKeyFile), []byte("c2hvcnQ=\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenKeys("", "", local, true); !fault.Is(err, fault.Invalid) {
		t.Errorf("a short local key: %v", err)
	}
	if err := os.Chmod(filepath.Join(local, localKeyFile), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenKeys("", "", local, true); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "chmod") {
		t.Errorf("a local key for all to read: %v", err)
	}
}
