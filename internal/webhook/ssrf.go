package webhook

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/habeas-data/habeas/internal/fault"
)

// ErrForbiddenAddress says that a connection to an address inside was about to be made, and was not.
var ErrForbiddenAddress = errors.New("the address is not a public one")

// maxHeaderBytes bounds the header of an answer. Bodies are bounded by whoever reads them.
const maxHeaderBytes = 64 << 10

// forbidden is every range that is not the public Internet, by the IANA special-purpose registries
// (RFC 6890 and its successors), and the metadata address of Azure, which lies in a public range. The
// predicates of net/netip miss more than half of them. Ranges that carry an IPv4 address inside are forbidden
// as a whole: nothing public lies behind them that has no plain address too.
func forbidden() []netip.Prefix {
	list := []string{
		"0.0.0.0/8",         // this network
		"10.0.0.0/8",        // private
		"100.64.0.0/10",     // carrier-grade NAT, and metadata of Alibaba
		"127.0.0.0/8",       // loopback
		"168.63.129.16/32",  // Azure's host
		"169.254.0.0/16",    // link-local, and metadata of most clouds
		"172.16.0.0/12",     // private
		"192.0.0.0/24",      // IETF protocol assignments
		"192.0.2.0/24",      // documentation
		"192.31.196.0/24",   // AS112
		"192.52.193.0/24",   // AMT
		"192.88.99.0/24",    // 6to4 relays
		"192.168.0.0/16",    // private
		"192.175.48.0/24",   // AS112
		"198.18.0.0/15",     // benchmarking
		"198.51.100.0/24",   // documentation
		"203.0.113.0/24",    // documentation
		"224.0.0.0/4",       // multicast
		"240.0.0.0/4",       // reserved, and broadcast
		"::/96",             // unspecified, loopback, IPv4-compatible
		"::ffff:0:0:0/96",   // IPv4-translated
		"64:ff9b::/96",      // NAT64
		"64:ff9b:1::/48",    // local NAT64
		"100::/64",          // discard
		"100:0:0:1::/64",    // dummy
		"2001::/23",         // IETF protocol assignments, Teredo, ORCHID
		"2001:db8::/32",     // documentation
		"2002::/16",         // 6to4
		"2620:4f:8000::/48", // AS112
		"3fff::/20",         // documentation
		"5f00::/16",         // segment routing
		"fc00::/7",          // unique local, and metadata of Amazon
		"fe80::/10",         // link-local
		"fec0::/10",         // site-local
		"ff00::/8",          // multicast
	}
	prefixes := make([]netip.Prefix, 0, len(list))
	for _, s := range list {
		prefixes = append(prefixes, netip.MustParsePrefix(s))
	}
	return prefixes
}

// guard decides about addresses.
type guard struct {
	prefixes     []netip.Prefix
	allowPrivate bool
}

// public tells whether an address lies on the public Internet. IPv6 outside 2000::/3 is not assigned.
func (g guard) public(addr netip.Addr) bool {
	if addr.Zone() != "" {
		return false
	}
	addr = addr.Unmap()
	if addr.Is6() && !netip.MustParsePrefix("2000::/3").Contains(addr) {
		return false
	}
	for _, p := range g.prefixes {
		if p.Contains(addr) {
			return false
		}
	}
	return addr.IsValid()
}

// control looks at the address of the connection that is about to be made: after the name was resolved, so
// that a name that answers differently the second time gains nothing.
func (g guard) control(network, address string, _ syscall.RawConn) error {
	if network != "tcp4" && network != "tcp6" {
		return ErrForbiddenAddress
	}
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return ErrForbiddenAddress
	}
	if g.allowPrivate {
		return nil
	}
	if !g.public(to.Addr()) || (to.Port() != 443 && to.Port() != 80) {
		return ErrForbiddenAddress
	}
	return nil
}

// NewClient gives a client for addresses that somebody else chose. It connects to public addresses on
// ports 443 and 80 alone (allowPrivate, for development: to any), takes no proxy from the environment,
// follows no redirect (the 3xx answer is given back), verifies TLS of at least 1.2, keeps no connection,
// asks for no compression, and takes at most 64 KiB of headers and timeout in all. URLs that CheckURL
// refuses are refused here too. The caller bounds what it reads of a body.
func NewClient(allowPrivate bool, timeout time.Duration) *http.Client {
	g := guard{prefixes: forbidden(), allowPrivate: allowPrivate}
	dialer := &net.Dialer{Timeout: min(timeout, 10*time.Second), KeepAlive: -1, Control: g.control}
	return &http.Client{
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: checked{allowPrivate: allowPrivate, next: &http.Transport{
			// A proxy would make the guard see the proxy's address and not the target's.
			Proxy:                  nil,
			DialContext:            dialer.DialContext,
			TLSHandshakeTimeout:    min(timeout, 10*time.Second),
			ResponseHeaderTimeout:  timeout,
			MaxResponseHeaderBytes: maxHeaderBytes,
			// A kept HTTP/2 connection may serve other hosts; each delivery makes its own, past the guard.
			DisableKeepAlives:  true,
			DisableCompression: true,
		}},
	}
}

// checked holds every request against CheckURL first.
type checked struct {
	allowPrivate bool
	next         http.RoundTripper
}

func (c checked) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := CheckURL(r.URL.String(), c.allowPrivate); err != nil {
		if r.Body != nil {
			_ = r.Body.Close() // as a RoundTripper must
		}
		return nil, err
	}
	return c.next.RoundTrip(r)
}

// CheckURL gives nil for a URL that a webhook may be sent to, else a fault.Invalid that says what would be
// right: https (allowPrivate: http too), a host that is a name or a public address in its usual form, no
// user, no fragment, port 443 or 80 (allowPrivate: any). It looks at the text alone; the address behind a
// name is looked at when a connection is made.
func CheckURL(raw string, allowPrivate bool) error {
	if raw == "" || len(raw) > 2048 || strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '\\' }) {
		return badURL("A webhook URL has at most 2048 plain characters, without spaces and backslashes.")
	}
	u, err := url.Parse(raw)
	if err != nil || u.Opaque != "" || u.Host == "" {
		return badURL("A webhook URL must look like https://example.com/hooks.")
	}
	switch {
	case u.Scheme != "https" && (u.Scheme != "http" || !allowPrivate):
		return badURL("A webhook URL must begin with https://.")
	case u.User != nil:
		return badURL("A webhook URL must not hold a user or password.")
	case u.Fragment != "" || strings.Contains(raw, "#"):
		return badURL("A webhook URL must not hold a fragment (#).")
	}
	if err := checkPort(u, allowPrivate); err != nil {
		return err
	}
	return checkHost(u.Hostname(), allowPrivate)
}

func checkPort(u *url.URL, allowPrivate bool) error {
	if u.Port() == "" {
		if strings.HasSuffix(u.Host, ":") {
			return badURL("The port of the webhook URL is missing after the colon.")
		}
		return nil
	}
	n, err := strconv.Atoi(u.Port())
	switch {
	case err != nil || n < 1 || n > 65535 || strconv.Itoa(n) != u.Port():
		return badURL("The port of a webhook URL must lie between 1 and 65535.")
	case n != 443 && n != 80 && !allowPrivate:
		return badURL("The port of a webhook URL must be 443 or 80.")
	}
	return nil
}

// checkHost refuses the hosts that are inside by their very name, and the numbers that some resolvers take
// for an address.
func checkHost(host string, allowPrivate bool) error {
	inside := badURL("The host of a webhook URL must be on the public Internet.")
	if addr, err := netip.ParseAddr(host); err == nil {
		if !allowPrivate && !(guard{prefixes: forbidden()}).public(addr) {
			return inside
		}
		return nil
	}
	name := strings.ToLower(host)
	if name == "" || len(name) > 253 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789.-_") != "" {
		return badURL("The host of a webhook URL must be a name such as hooks.example.com.")
	}
	if allowPrivate {
		return nil
	}
	labels := strings.Split(strings.TrimSuffix(name, "."), ".")
	last := labels[len(labels)-1]
	if len(labels) < 2 || last == "" {
		return inside
	}
	switch last {
	case "localhost", "local", "internal", "intranet", "lan", "home", "corp", "localdomain", "onion", "test", "invalid", "example":
		return inside
	}
	// 127.1, 0177.0.0.1, 0x7f.1: names by the letter, addresses for inet_aton.
	if last[0] >= '0' && last[0] <= '9' {
		return badURL("The host of a webhook URL must be a name or an address in its usual form.")
	}
	return nil
}

func badURL(message string) error {
	return fault.New(fault.Invalid, "bad_webhook_url", "%s", message)
}
