package access

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/seal"
)

const (
	maxToken = 8 << 10          // bytes of a token; refused before anything is parsed (CVE-2025-30204)
	leeway   = time.Minute      // by which the clock of an issuer may be ahead
	freshFor = 15 * time.Minute // how long a sign-in counts as a fresh factor
	maxTTL   = 366 * 24 * time.Hour
)

// Verify gives the principal that a token proves at now, or a fault.Unauthorized: code "token_expired"
// for a good token whose time is over, "invalid_token" for everything else, with the reason for the log
// alone. fault.Unavailable says that the keys can't be had. (RFC 7519; RFC 8725 for what is refused.)
func (k *Keys) Verify(ctx context.Context, token string, now time.Time) (Principal, error) {
	head, body, err := split(token)
	if err != nil {
		return Principal{}, invalid(err)
	}
	kid, alg, err := checkHeader(head)
	if err != nil {
		return Principal{}, invalid(err)
	}
	key, err := k.source.find(ctx, kid, alg, now)
	if fault.Is(err, fault.Unavailable) {
		return Principal{}, err
	}
	if err != nil {
		return Principal{}, invalid(err)
	}
	parser := jwt.NewParser(jwt.WithValidMethods(key.algs), jwt.WithStrictDecoding(), jwt.WithoutClaimsValidation())
	if _, err := parser.Parse(token, func(*jwt.Token) (any, error) { return key.key, nil }); err != nil {
		return Principal{}, invalid(errors.New("the signature is not valid"))
	}
	// Only from here on is what the token says worth reading.
	c, err := readClaims(body)
	if err != nil {
		return Principal{}, invalid(err)
	}
	if c.Issuer != k.issuer {
		return Principal{}, invalid(errors.New("iss is not the pinned issuer"))
	}
	if !now.Before(c.Expires) {
		return Principal{}, fault.New(fault.Unauthorized, "token_expired", "The token has expired.")
	}
	if c.NotBefore.After(now.Add(leeway)) || c.IssuedAt.After(now.Add(leeway)) {
		return Principal{}, invalid(errors.New("nbf or iat lies in the future"))
	}
	return c.principal(k.local != nil, now), nil
}

// invalid is the one answer for every token that is not good: whoever tries is not told how near it was.
func invalid(cause error) error {
	return fault.Wrap(cause, fault.Unauthorized, "invalid_token", "The token is not valid.")
}

// split bounds the token and decodes header and claims.
func split(token string) (head, body map[string]any, err error) {
	if len(token) > maxToken {
		return nil, nil, errors.New("the token is longer than 8 KiB")
	}
	// Decoders of base64 pass over line breaks: of one token there would be many spellings.
	if strings.Count(token, ".") != 2 || strings.ContainsAny(token, "\r\n") {
		return nil, nil, errors.New("the token is not a signed compact JWT")
	}
	parts := strings.Split(token, ".")
	if head, err = decodeObject(parts[0]); err != nil {
		return nil, nil, err
	}
	body, err = decodeObject(parts[1])
	return head, body, err
}

// checkHeader gives kid and alg. Everything that would have the token say where its key comes from or how
// it is to be read is refused: crit and b64 (RFC 7797), nested and encrypted tokens, keys in the header.
func checkHeader(head map[string]any) (kid, alg string, err error) {
	for _, name := range []string{"crit", "b64", "cty", "zip", "enc", "jku", "jwk", "x5u", "x5c"} {
		if _, there := head[name]; there {
			return "", "", errors.New("the header has the refused field " + name)
		}
	}
	if typ, there := head["typ"]; there && typ != "JWT" && typ != "at+jwt" {
		return "", "", errors.New("typ is neither JWT nor at+jwt")
	}
	alg, ok := head["alg"].(string)
	if !ok || alg == "" {
		return "", "", errors.New("alg is missing")
	}
	if raw, there := head["kid"]; there {
		kid, ok = raw.(string)
		if !ok || kid == "" || len(kid) > 256 {
			return "", "", errors.New("kid is not a short text")
		}
	}
	return kid, alg, nil
}

// principal turns checked claims into a principal. Only a token of the local key may call itself fresh;
// others prove it with the time of sign-in.
func (c claims) principal(local bool, now time.Time) Principal {
	p := Principal{Kind: KindOfficer, Tenant: c.Tenant, Subject: c.Subject, Roles: c.Roles, Org: c.Org, Via: ViaJWT}
	if slices.Contains(c.Roles, RoleProduct) {
		p.Kind = KindProduct
	}
	switch {
	case local && c.Fresh:
		p.FreshUntil = c.Expires
	case !c.AuthTime.IsZero() && !c.AuthTime.After(now.Add(leeway)):
		p.FreshUntil = c.AuthTime.Add(freshFor)
		if p.FreshUntil.After(c.Expires) {
			p.FreshUntil = c.Expires
		}
	}
	return p
}

// CanMint tells whether there is a local key to mint with.
func (k *Keys) CanMint() bool { return k.local != nil }

// Mint makes a token with the local key, valid from now for ttl (at most 366 days). It counts as a
// fresh factor as long as it lives. Without the local key it is a fault.Conflict; a tenant, subject,
// role or organization that Verify would refuse is a fault.Invalid.
func (k *Keys) Mint(tenant, subject string, roles []Role, org string, ttl time.Duration, now time.Time) (string, error) {
	if k.local == nil {
		return "", fault.New(fault.Conflict, "no_local_key", "Tokens are minted by your identity provider; there is no local signing key.")
	}
	if ttl < time.Second || ttl > maxTTL {
		return "", fault.New(fault.Invalid, "bad_token_request", "The time to live of a token must lie between one second and 366 days.")
	}
	c := claims{Issuer: k.issuer, Subject: subject, Tenant: tenant, Roles: roles, Org: org}
	if err := c.check(); err != nil {
		return "", fault.Wrap(err, fault.Invalid, "bad_token_request", "A token can't be made: %v.", err)
	}
	body := jwt.MapClaims{
		"iss": k.issuer, "aud": audience, "sub": subject, "tenant": tenant, "roles": roles,
		"iat": now.Unix(), "exp": now.Add(ttl).Unix(), "jti": seal.Token(), "fresh": true,
	}
	if org != "" {
		body["org"] = org
	}
	t := jwt.NewWithClaims(jwt.SigningMethodHS256, body)
	t.Header["kid"] = localKeyID
	signed, err := t.SignedString(k.local)
	if err != nil {
		return "", err
	}
	if len(signed) > maxToken {
		return "", fault.New(fault.Invalid, "bad_token_request", "A token can't be made: it would be longer than 8 KiB.")
	}
	return signed, nil
}
