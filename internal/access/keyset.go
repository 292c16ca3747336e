package access

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"
)

// verifyKey is one key with the only algorithms it may be used for: a token can't choose (RFC 8725, 3.1).
type verifyKey struct {
	kid  string
	algs []string
	key  any // []byte, *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey
}

// keySet is a fixed set of keys.
type keySet []verifyKey

// errNoKey is the answer for a token whose key is not known.
var errNoKey = errors.New("no key with this id for this algorithm")

// find gives the key with that id, if it is for that algorithm. A token without an id gets the one key
// that is for its algorithm, and none when there are two: guessing among keys is how confusions begin.
func (s keySet) find(_ context.Context, kid, alg string, _ time.Time) (verifyKey, error) {
	var found []verifyKey
	for _, k := range s {
		if (kid == "" || k.kid == kid) && slices.Contains(k.algs, alg) {
			found = append(found, k)
		}
	}
	if len(found) != 1 {
		return verifyKey{}, errNoKey
	}
	return found[0], nil
}

// parsePEM reads public keys and certificates. Their ids are RFC 7638 thumbprints; a signer that sends
// another kid needs a JWKS.
func parsePEM(raw []byte) (keySet, error) {
	var set keySet
	for {
		var block *pem.Block
		block, raw = pem.Decode(raw)
		if block == nil {
			break
		}
		if strings.Contains(block.Type, "PRIVATE") {
			return nil, errors.New("it holds a private key, which belongs to the signer alone; give the public one")
		}
		var key any
		var err error
		switch block.Type {
		case "PUBLIC KEY":
			key, err = x509.ParsePKIXPublicKey(block.Bytes)
		case "RSA PUBLIC KEY":
			key, err = x509.ParsePKCS1PublicKey(block.Bytes)
		case "CERTIFICATE":
			var cert *x509.Certificate
			if cert, err = x509.ParseCertificate(block.Bytes); err == nil {
				key = cert.PublicKey
			}
		default:
			return nil, fmt.Errorf("it holds a PEM block of type %q, which is no public key", block.Type)
		}
		if err != nil {
			return nil, errors.New("it holds a public key that can't be read")
		}
		algs, err := algsOf(key, "")
		if err != nil {
			return nil, err
		}
		kid, err := thumbprint(key)
		if err != nil {
			return nil, err
		}
		set = append(set, verifyKey{kid: kid, algs: algs, key: key})
	}
	if strings.TrimSpace(string(raw)) != "" {
		return nil, errors.New("it holds something else than PEM blocks")
	}
	return set.checked()
}

// jwk is the part of a JSON Web Key (RFC 7517) that a public signing key needs.
type jwk struct {
	Kty string `json:"kty"`
	Use string `json:"use"`
	Alg string `json:"alg"`
	Kid string `json:"kid"`
	Crv string `json:"crv"`
	N   string `json:"n"`
	E   string `json:"e"`
	X   string `json:"x"`
	Y   string `json:"y"`
	D   string `json:"d"`
	K   string `json:"k"`
}

// parseJWKS reads a JSON Web Key Set. Keys for encryption and of types we don't verify with are passed
// over, as RFC 7517 section 5 asks; a secret or private key is refused, because it must not lie there.
func parseJWKS(raw []byte) (keySet, error) {
	var doc struct {
		Keys []jwk `json:"keys"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, errors.New("it is not a JSON Web Key Set")
	}
	var set keySet
	for _, j := range doc.Keys {
		if j.D != "" || j.K != "" || j.Kty == "oct" {
			return nil, errors.New("it holds a private or secret key, which belongs to the signer alone")
		}
		if (j.Use != "" && j.Use != "sig") || !slices.Contains([]string{"RSA", "EC", "OKP"}, j.Kty) {
			continue
		}
		key, err := j.public()
		if err != nil {
			return nil, err
		}
		if key == nil {
			continue
		}
		algs, err := algsOf(key, j.Alg)
		if err != nil {
			return nil, err
		}
		if algs != nil {
			set = append(set, verifyKey{kid: j.Kid, algs: algs, key: key})
		}
	}
	return set.checked()
}

// public gives the key; nil for a curve that we don't verify with.
func (j jwk) public() (any, error) {
	n, e, x, y := decode(j.N), decode(j.E), decode(j.X), decode(j.Y)
	switch {
	case j.Kty == "RSA":
		exp := new(big.Int).SetBytes(e)
		if len(n) == 0 || !exp.IsInt64() || exp.Int64() < 3 || exp.Int64() > 1<<31-1 || exp.Bit(0) == 0 {
			return nil, errors.New("it holds an RSA key that can't be read")
		}
		return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exp.Int64())}, nil
	case j.Kty == "EC":
		curve, ok := curveOf(j.Crv)
		if !ok {
			return nil, nil
		}
		size := (curve.Params().BitSize + 7) / 8
		if len(x) != size || len(y) != size {
			return nil, errors.New("it holds an EC key that can't be read")
		}
		// ParseUncompressedPublicKey refuses a point that is not on the curve.
		key, err := ecdsa.ParseUncompressedPublicKey(curve, slices.Concat([]byte{4}, x, y))
		if err != nil {
			return nil, errors.New("it holds an EC key that is not on its curve")
		}
		return key, nil
	case j.Crv == "Ed25519":
		if len(x) != ed25519.PublicKeySize {
			return nil, errors.New("it holds an Ed25519 key that can't be read")
		}
		return ed25519.PublicKey(x), nil
	}
	return nil, nil
}

func decode(s string) []byte {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return nil
	}
	return b
}

func curveOf(name string) (elliptic.Curve, bool) {
	switch name {
	case "P-256":
		return elliptic.P256(), true
	case "P-384":
		return elliptic.P384(), true
	case "P-521":
		return elliptic.P521(), true
	}
	return nil, false
}

// algsOf gives the algorithms a key may verify: the declared one if it fits the key, else the usual one.
// nil says that the key is declared for something that is no signature of ours.
func algsOf(key any, declared string) ([]string, error) {
	var fit []string
	switch k := key.(type) {
	case *rsa.PublicKey:
		if k.N.BitLen() < 2048 {
			return nil, errors.New("it holds an RSA key of less than 2048 bits")
		}
		fit = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
	case *ecdsa.PublicKey:
		switch k.Curve {
		case elliptic.P256():
			fit = []string{"ES256"}
		case elliptic.P384():
			fit = []string{"ES384"}
		case elliptic.P521():
			fit = []string{"ES512"}
		default:
			return nil, errors.New("it holds an EC key on a curve that is not supported")
		}
	case ed25519.PublicKey:
		fit = []string{"EdDSA"}
	default:
		return nil, errors.New("it holds a key that is neither RSA, EC nor Ed25519")
	}
	if declared == "" {
		return fit[:1], nil
	}
	if _, ed := key.(ed25519.PublicKey); ed && declared == "Ed25519" { // RFC 9864 name of the same
		declared = "EdDSA"
	}
	if !slices.Contains(fit, declared) {
		return nil, nil
	}
	return []string{declared}, nil
}

// checked refuses an empty set and two keys of one id.
func (s keySet) checked() (keySet, error) {
	if len(s) == 0 {
		return nil, errors.New("it holds no public key for signatures")
	}
	seen := map[string]bool{}
	for _, k := range s {
		if k.kid != "" && seen[k.kid] {
			return nil, errors.New("it holds two keys with the same id")
		}
		seen[k.kid] = true
	}
	return s, nil
}

// thumbprint gives the RFC 7638 id of a public key.
func thumbprint(key crypto.PublicKey) (string, error) {
	b64 := base64.RawURLEncoding.EncodeToString
	var text string
	switch k := key.(type) {
	case *rsa.PublicKey:
		text = fmt.Sprintf(`{"e":%q,"kty":"RSA","n":%q}`, b64(big.NewInt(int64(k.E)).Bytes()), b64(k.N.Bytes()))
	case *ecdsa.PublicKey:
		raw, err := k.Bytes()
		if err != nil {
			return "", errors.New("it holds an EC key that is not on its curve")
		}
		half := (len(raw) - 1) / 2
		text = fmt.Sprintf(`{"crv":%q,"kty":"EC","x":%q,"y":%q}`, k.Curve.Params().Name, b64(raw[1:1+half]), b64(raw[1+half:]))
	case ed25519.PublicKey:
		text = fmt.Sprintf(`{"crv":"Ed25519","kty":"OKP","x":%q}`, b64(k))
	default:
		return "", errors.New("it holds a key that is neither RSA, EC nor Ed25519")
	}
	sum := sha256.Sum256([]byte(text))
	return b64(sum[:]), nil
}
