package webhook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/fault"
)

// inside is every kind of address that must never be connected to.
func inside() []string {
	return strings.Fields(`127.0.0.1 127.1.2.3 0.0.0.0 0.1.2.3 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254
		169.254.170.2 100.100.100.200 100.64.0.1 192.0.0.1 192.0.2.1 192.88.99.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1
		239.255.255.255 240.0.0.1 255.255.255.255 168.63.129.16 :: ::1 ::ffff:127.0.0.1 ::ffff:169.254.169.254 ::ffff:10.0.0.1
		::127.0.0.1 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b:1::7f00:1 2002:7f00:1:: 2002:a9fe:a9fe:: 2001::1 2001:db8::1 fc00::1
		fd00:ec2::254 fe80::1 fec0::1 ff02::1 100::1 5f00::1`)
}

func TestGuard(t *testing.T) {
	g := guard{prefixes: forbidden()}
	if len(inside()) != 43 {
		t.Fatalf("%d addresses", len(inside()))
	}
	for _, s := range inside() {
		addr := netip.MustParseAddr(s)
		if g.public(addr) {
			t.Errorf("%s counts as public", s)
		}
		for _, network := range []string{"tcp4", "tcp6"} {
			if err := g.control(network, netip.AddrPortFrom(addr, 443).String(), nil); !errors.Is(err, ErrForbiddenAddress) {
				t.Errorf("%s is dialed: %v", s, err)
			}
		}
	}
	for _, s := range []string{"1.1.1.1", "8.8.8.8", "93.184.216.34", "172.32.0.1", "100.128.0.1", "192.0.3.1", "2606:4700:4700::1111", "2a00:1450::1", "::ffff:1.1.1.1"} {
		if !g.public(netip.MustParseAddr(s)) {
			t.Errorf("%s does not count as public", s)
		}
	}
	for address, ok := range map[string]bool{
		"1.1.1.1:443": true, "1.1.1.1:80": true, "[2606:4700:4700::1111]:443": true, "1.1.1.1:22": false, "1.1.1.1:6379": false,
		"1.1.1.1:0": false, "[fe80::1%lo]:443": false, "[::1%lo]:443": false, "localhost:443": false, "": false, "/var/run/docker.sock": false,
	} {
		if err := g.control("tcp4", address, nil); (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
	}
	if err := g.control("unix", "1.1.1.1:443", nil); err == nil {
		t.Error("a socket of the file system is dialed")
	}
}

func TestCheckURL(t *testing.T) {
	for _, raw := range []string{"https://hooks.example.com/x?y=z", "https://hooks.example.com:443", "https://example.com:80/", "https://1.1.1.1/", "https://[2606:4700:4700::1111]/"} {
		if err := CheckURL(raw, false); err != nil {
			t.Errorf("%s: %v", raw, err)
		}
	}
	bad := []string{
		"", "hooks.example.com", "//hooks.example.com", "http://hooks.example.com", "https://", "https:///x", "https:hooks.example.com", "https://localhost", "https://LOCALHOST.",
		"https://127.1", "https://0x7f000001", "https://2130706433", "https://0177.0.0.1", "https://①②⑦.⓪.⓪.①", "https://[::1%25lo]/", "https://[::1]/",
		"https://user@hooks.example.com", "https://user:pw@hooks.example.com", "https://hooks.example.com@127.0.0.1/", "https://hooks.example.com#@evil.example.org", "https://hooks.example.com#",
		"https://evil.com\\@hooks.example.com", "https://hooks.exa\tmple.com", "https://hooks.example.com\n", "https://hooks.example.com/ x", "https://hooks.example.com:22", "https://hooks.example.com:25",
		"https://hooks.example.com:6379", "https://hooks.example.com:5432", "https://hooks.example.com:0", "https://hooks.example.com:", "https://hooks.example.com:65536", "https://hooks.example.com:0443",
		"file:///etc/passwd", "gopher://hooks.example.com", "ftp://hooks.example.com", "dict://hooks.example.com", "unix:///var/run/docker.sock",
		"https://metadata.google.internal/", "https://db.local", "https://intranet", "https://host.docker.internal", "https://" + strings.Repeat("a.", 200) + "com", "https://x.com/" + strings.Repeat("a", 2100),
	}
	for _, s := range inside() {
		host := s
		if strings.Contains(s, ":") {
			host = "[" + s + "]"
		}
		bad = append(bad, "https://"+host+"/hook")
	}
	for _, raw := range bad {
		if err := CheckURL(raw, false); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", raw, err)
		}
	}
	for _, raw := range []string{"http://localhost:3000/hook", "http://127.0.0.1:9", "https://[::1]:8443/", "http://api:8080/"} {
		if err := CheckURL(raw, true); err != nil {
			t.Errorf("%s for development: %v", raw, err)
		}
	}
	for _, raw := range []string{"ftp://localhost", "http://user@localhost", "http://localhost:0", "http://local host"} {
		if err := CheckURL(raw, true); err == nil {
			t.Errorf("%s for development is taken", raw)
		}
	}
}

// TestClientNeverConnectsInside resolves a public-looking name to a listener of ours, as a rebinding
// resolver would, and watches the listener.
func TestClientNeverConnectsInside(t *testing.T) {
	var accepted atomic.Int64
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }))
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			accepted.Add(1)
		}
	}
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	defer srv.Close()
	g := guard{prefixes: forbidden()}
	for _, target := range []string{"127.0.0.1", "::ffff:127.0.0.1", "0.0.0.0"} {
		_, port, _ := net.SplitHostPort(srv.Listener.Addr().String())
		conn, err := (&net.Dialer{Timeout: time.Second, Control: g.control}).DialContext(t.Context(), "tcp", net.JoinHostPort(target, port))
		if !errors.Is(err, ErrForbiddenAddress) {
			t.Errorf("%s: %v", target, err)
		}
		if conn != nil {
			_ = conn.Close()
		}
	}
	// A name of the hosts file that the URL check lets pass: the guard alone stands between.
	client := NewClient(false, time.Second)
	next := client.Transport.(checked).next
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, strings.Replace(srv.URL, "127.0.0.1", "localhost", 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := next.RoundTrip(req); !errors.Is(err, ErrForbiddenAddress) {
		if resp != nil {
			_ = resp.Body.Close()
		}
		t.Errorf("localhost by name: %v", err)
	}
	if n := accepted.Load(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
	// The observer sees what is allowed, so its silence above says something.
	permitted := NewClient(true, time.Second)
	if resp, err := permitted.Get(srv.URL); err == nil {
		_ = resp.Body.Close()
		t.Error("a certificate of nobody was taken")
	}
	if accepted.Load() == 0 {
		t.Error("the observer saw nothing")
	}
}

func TestClientIgnoresTheProxy(t *testing.T) {
	var proxied atomic.Int64
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { proxied.Add(1) }))
	defer proxy.Close()
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"} {
		t.Setenv(name, proxy.URL)
	}
	transport := NewClient(true, time.Second).Transport.(checked).next.(*http.Transport)
	if transport.Proxy != nil {
		// net/http reads the environment once a process, so asking the function is surer than a call.
		if u, _ := transport.Proxy(&http.Request{URL: &url.URL{Scheme: "https", Host: "example.com"}}); u != nil {
			t.Errorf("goes through %s", u)
		}
		t.Error("asks for a proxy")
	}
	if proxied.Load() != 0 {
		t.Error("the proxy was called")
	}
}

func TestClientFollowsNoRedirect(t *testing.T) {
	var second atomic.Int64
	target := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { second.Add(1) }))
	defer target.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, to := range []string{target.URL, "http://169.254.169.254/", "http://[::1]/", "file:///etc/passwd", "//localhost", "/again"} {
			var first atomic.Int64
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				first.Add(1)
				w.Header().Set("Location", to)
				w.WriteHeader(status)
			}))
			resp, err := NewClient(true, time.Second).Post(srv.URL, "application/json", strings.NewReader("{}"))
			if err != nil || resp.StatusCode != status || first.Load() != 1 {
				t.Errorf("%d to %s: %v after %d calls", status, to, err, first.Load())
			}
			if err == nil {
				_ = resp.Body.Close()
			}
			srv.Close()
		}
	}
	if second.Load() != 0 {
		t.Errorf("%d redirects were followed", second.Load())
	}
}

func TestClientLimits(t *testing.T) {
	release := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/headers":
			for i := range 100 {
				w.Header().Set(fmt.Sprintf("X-%d", i), strings.Repeat("h", 1000))
			}
		case "/slow":
			<-release
		case "/drip":
			w.WriteHeader(http.StatusOK)
			w.(http.Flusher).Flush()
			<-release
		}
		if r.Header.Get("Accept-Encoding") != "" {
			t.Error("asks for a compressed answer")
		}
	}))
	defer srv.Close()
	defer close(release)
	client := NewClient(true, 100*time.Millisecond)
	for _, path := range []string{"/headers", "/slow", "/drip"} {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		req, _ := http.NewRequestWithContext(ctx, http.MethodPost, srv.URL+path, strings.NewReader("{}"))
		resp, err := client.Do(req)
		if err == nil {
			_, err = io.ReadAll(resp.Body)
			_ = resp.Body.Close()
		}
		if err == nil || ctx.Err() != nil {
			t.Errorf("%s: %v", path, err)
		}
		cancel()
	}
	for _, raw := range []string{"ftp://127.0.0.1/", "http://user@127.0.0.1/"} {
		if resp, err := client.Get(raw); !fault.Is(err, fault.Invalid) {
			if resp != nil {
				_ = resp.Body.Close()
			}
			t.Errorf("%s: %v", raw, err)
		}
	}
}
