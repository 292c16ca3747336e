package webhook

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/habeas-data/habeas/internal/fault"
)

// The vector of the Standard Webhooks specification.
const (
	vectorSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	vectorID     = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	vectorBody   = `{"test": 2432232314}`
	vectorSig    = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
)

func vectorTime() time.Time { return time.Unix(1614265330, 0) }

func headers(id string, at time.Time, sig string) http.Header {
	return http.Header{HeaderID: {id}, HeaderTimestamp: {strconv.FormatInt(at.Unix(), 10)}, HeaderSignature: {sig}}
}

func TestVector(t *testing.T) {
	sig, err := Sign([]string{vectorSecret}, vectorID, vectorTime(), []byte(vectorBody))
	if err != nil || sig != vectorSig {
		t.Fatalf("signed %s, %v", sig, err)
	}
	id, err := Verify([]string{vectorSecret}, headers(vectorID, vectorTime(), vectorSig), []byte(vectorBody), vectorTime())
	if err != nil || id != vectorID {
		t.Fatalf("verified %s, %v", id, err)
	}
}

// TestReferenceLibrary holds Sign against the specification's own library, which a receiver may use.
func TestReferenceLibrary(t *testing.T) {
	secret, at, body := NewSecret(), vectorTime(), []byte("{\"n\":1}\n")
	theirs, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	sig, err := Sign([]string{NewSecret(), secret}, "msg_1", at, body)
	if err != nil {
		t.Fatal(err)
	}
	if err := theirs.VerifyIgnoringTimestamp(body, headers("msg_1", at, sig)); err != nil {
		t.Errorf("the library refuses our signature: %v", err)
	}
	sig, err = theirs.Sign("msg_1", at, body)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Verify([]string{secret}, headers("msg_1", at, sig), body, at); err != nil {
		t.Errorf("we refuse the library's: %v", err)
	}
}

func TestEveryFlipIsRefused(t *testing.T) {
	flips := 0
	check := func(id, stamp, sig string, body []byte) {
		t.Helper()
		h := http.Header{HeaderID: {id}, HeaderTimestamp: {stamp}, HeaderSignature: {sig}}
		if _, err := Verify([]string{vectorSecret}, h, body, vectorTime()); !fault.Is(err, fault.Unauthorized) {
			t.Fatalf("taken: %q %q %q %q: %v", id, stamp, sig, body, err)
		}
		flips++
	}
	stamp := "1614265330"
	for bit := range 8 {
		flip := func(s string, i int) string {
			b := []byte(s)
			b[i] ^= 1 << bit
			return string(b)
		}
		for i := range vectorID {
			check(flip(vectorID, i), stamp, vectorSig, []byte(vectorBody))
		}
		for i := range stamp {
			check(vectorID, flip(stamp, i), vectorSig, []byte(vectorBody))
		}
		for i := range vectorSig {
			check(vectorID, stamp, flip(vectorSig, i), []byte(vectorBody))
		}
		for i := range vectorBody {
			check(vectorID, stamp, vectorSig, []byte(flip(vectorBody, i)))
		}
	}
	for n := range vectorSig {
		check(vectorID, stamp, vectorSig[:n], []byte(vectorBody))
	}
	t.Logf("%d changes refused", flips)
}

func TestVerifyTable(t *testing.T) {
	old, other := vectorSecret, NewSecret()
	body := []byte(vectorBody)
	good := headers(vectorID, vectorTime(), vectorSig)
	with := func(name string, values ...string) http.Header {
		h := good.Clone()
		h[name] = values
		return h
	}
	dotted := base64.StdEncoding.EncodeToString(mac([]byte(mustKey(t, vectorSecret)), "msg.1", vectorTime().Unix(), body))
	for name, c := range map[string]struct {
		secrets []string
		h       http.Header
		now     time.Duration
		ok      bool
	}{
		"as it is":                   {[]string{old}, good, 0, true},
		"-299 s":                     {[]string{old}, good, -299 * time.Second, true},
		"+299 s":                     {[]string{old}, good, 299 * time.Second, true},
		"+300 s":                     {[]string{old}, good, 300 * time.Second, true},
		"-301 s":                     {[]string{old}, good, -301 * time.Second, false},
		"+301 s":                     {[]string{old}, good, 301 * time.Second, false},
		"the second secret":          {[]string{other, old}, good, 0, true},
		"another secret":             {[]string{other}, good, 0, false},
		"no secret":                  {nil, good, 0, false},
		"several signatures":         {[]string{old}, with(HeaderSignature, "v1,AAAA v2,xx "+vectorSig+" v1,BBBB"), 0, true},
		"another version":            {[]string{old}, with(HeaderSignature, "v2"+vectorSig[2:]), 0, false},
		"asymmetric version":         {[]string{old}, with(HeaderSignature, "v1a"+vectorSig[2:]), 0, false},
		"no version":                 {[]string{old}, with(HeaderSignature, vectorSig[3:]), 0, false},
		"a signature too long":       {[]string{old}, with(HeaderSignature, vectorSig+"AAAA"), 0, false},
		"no signature":               {[]string{old}, with(HeaderSignature), 0, false},
		"an empty signature":         {[]string{old}, with(HeaderSignature, ""), 0, false},
		"an empty mac":               {[]string{old}, with(HeaderSignature, "v1,"), 0, false},
		"two signature fields":       {[]string{old}, with(HeaderSignature, vectorSig, vectorSig), 0, false},
		"two ids":                    {[]string{old}, with(HeaderID, vectorID, "msg_other"), 0, false},
		"no id":                      {[]string{old}, with(HeaderID), 0, false},
		"an id with a dot":           {[]string{old}, http.Header{HeaderID: {"msg.1"}, HeaderTimestamp: good[HeaderTimestamp], HeaderSignature: {"v1," + dotted}}, 0, false},
		"no timestamp":               {[]string{old}, with(HeaderTimestamp), 0, false},
		"a timestamp with a plus":    {[]string{old}, with(HeaderTimestamp, "+1614265330"), 0, false},
		"a timestamp with a zero":    {[]string{old}, with(HeaderTimestamp, "01614265330"), 0, false},
		"a timestamp that is a text": {[]string{old}, with(HeaderTimestamp, "now"), 0, false},
		"a negative timestamp":       {[]string{old}, with(HeaderTimestamp, "-1"), 0, false},
		"a timestamp without end":    {[]string{old}, with(HeaderTimestamp, "9223372036854775807"), 0, false},
		"a thousand signatures":      {[]string{old}, with(HeaderSignature, strings.Repeat("v1,AAAA ", 1000)+vectorSig), 0, false},
	} {
		_, err := Verify(c.secrets, c.h, body, vectorTime().Add(c.now))
		if (err == nil) != c.ok || (err != nil && !fault.Is(err, fault.Unauthorized)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func mustKey(t *testing.T, secret string) []byte {
	t.Helper()
	key, err := secretKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestSignRefuses(t *testing.T) {
	for _, id := range []string{"", "msg.1", "msg 1", "msg\n1", strings.Repeat("a", 129)} {
		if _, err := Sign([]string{vectorSecret}, id, vectorTime(), nil); !fault.Is(err, fault.Invalid) {
			t.Errorf("id %q: %v", id, err)
		}
	}
	for _, secret := range []string{"", "whsec_", vectorSecret[6:], "whsec_!", "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 23)),
		"whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 65))} {
		if _, err := Sign([]string{secret}, "msg_1", vectorTime(), nil); !fault.Is(err, fault.Invalid) || (secret != "" && len(secret) > 8 && strings.Contains(err.Error(), secret)) {
			t.Errorf("secret %q: %v", secret, err)
		}
	}
	if _, err := Sign(nil, "msg_1", vectorTime(), nil); !fault.Is(err, fault.Invalid) {
		t.Errorf("no secret: %v", err)
	}
	a, b := NewSecret(), NewSecret()
	if !regexp.MustCompile(`^whsec_[A-Za-z0-9+/]{43}=$`).MatchString(a) || a == b || bytes.Equal(mustKey(t, a), mustKey(t, b)) {
		t.Errorf("secrets %s and %s", a, b)
	}
}
