package access

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"github.com/habeas-data/habeas/internal/fault"
)

const (
	// minRefetch keeps tokens with invented key ids from making us call the identity provider.
	minRefetch = time.Minute
	// maxAge is how long a key that was withdrawn may still verify while the provider answers.
	maxAge = 15 * time.Minute
	// maxStale is how long known keys verify while the provider does not answer.
	maxStale = 24 * time.Hour
)

// remote is a JWKS behind a URL. Keys are cached; an unknown key id leads to a fetch, once a minute at most.
type remote struct {
	url    string
	client *http.Client

	fetching sync.Mutex // held by the one who fetches

	mu      sync.Mutex // guards what follows
	set     keySet
	fetched time.Time // last success
	tried   time.Time // last attempt
}

// newRemote checks the URL and fetches nothing yet, so that a start does not depend on the provider.
func newRemote(raw string) (*remote, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		return nil, badKeys("HABEAS_JWT_KEYS must be a file or a URL such as https://login.example.com/jwks.json.")
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())) {
		return nil, badKeys("The URL in HABEAS_JWT_KEYS must begin with https://; plain http is for loopback only.")
	}
	return &remote{url: raw, client: &http.Client{
		Timeout: 10 * time.Second,
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			TLSHandshakeTimeout:    5 * time.Second,
			ForceAttemptHTTP2:      true,
			IdleConnTimeout:        time.Minute,
			MaxResponseHeaderBytes: 64 << 10,
		},
		// The keys of whoever a redirect names are not the keys of whom the operator named.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// isLoopback tells whether a host is this machine by its literal form.
func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || (err == nil && addr.Unmap().IsLoopback())
}

func (r *remote) find(ctx context.Context, kid, alg string, now time.Time) (verifyKey, error) {
	key, err := r.cached(ctx, kid, alg, now)
	if err == nil && !r.older(now, maxAge) {
		return key, nil
	}
	if err == nil && !r.fetching.TryLock() {
		return key, nil // somebody fetches already; what we know serves until then
	} else if err != nil {
		r.fetching.Lock()
	}
	fetchErr := r.refetch(ctx, now)
	r.fetching.Unlock()
	key, err = r.cached(ctx, kid, alg, now)
	if err != nil && fetchErr != nil {
		return verifyKey{}, fault.Wrap(fetchErr, fault.Unavailable, "keys_unavailable", "The token can't be checked at the moment.")
	}
	return key, err
}

// cached looks among the known keys, as long as they are not too old to be trusted.
func (r *remote) cached(ctx context.Context, kid, alg string, now time.Time) (verifyKey, error) {
	if r.older(now, maxStale) {
		return verifyKey{}, errNoKey
	}
	r.mu.Lock()
	set := r.set
	r.mu.Unlock()
	return set.find(ctx, kid, alg, now)
}

func (r *remote) older(now time.Time, age time.Duration) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.fetched.IsZero() || now.Sub(r.fetched) >= age
}

// refetch gets the keys anew, unless that was tried within the last minute: those who waited for a fetch
// that was under way find it done. The caller holds fetching.
func (r *remote) refetch(ctx context.Context, now time.Time) error {
	r.mu.Lock()
	tried := r.tried
	if now.Sub(tried) >= minRefetch {
		r.tried = now
	}
	r.mu.Unlock()
	if now.Sub(tried) < minRefetch {
		if r.older(now, maxAge) {
			return errors.New("the keys could not be fetched less than a minute ago")
		}
		return nil
	}
	// The caller's going away must not leave everybody else without keys for a minute.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	set, err := r.fetch(ctx)
	if err != nil {
		return fmt.Errorf("fetching the token keys: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.set, r.fetched = set, now
	return nil
}

func (r *remote) fetch(ctx context.Context) (keySet, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/jwk-set+json, application/json")
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer has status %d", resp.StatusCode)
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxKeyData+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > maxKeyData {
		return nil, errors.New("the answer is longer than 1 MiB")
	}
	return parseJWKS(raw)
}
