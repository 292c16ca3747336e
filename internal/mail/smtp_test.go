package mail

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/habeas-data/habeas/internal/fault"
)

// backend is a real SMTP server's memory: what it was told, and how it answers.
type backend struct {
	mu        sync.Mutex
	got       []string // bodies
	from, to  string
	tls       bool
	signedIn  bool
	mechanism string           // SASL mechanism offered; empty for none
	answer    map[string]error // by stage: mail, rcpt, data
}

type session struct {
	b    *backend
	conn *smtp.Conn
}

func (b *backend) NewSession(c *smtp.Conn) (smtp.Session, error) { return &session{b, c}, nil }

func (s *session) AuthMechanisms() []string {
	if s.b.mechanism == "" {
		return nil
	}
	return []string{s.b.mechanism}
}

func (s *session) Auth(mech string) (sasl.Server, error) {
	check := func(user, password string) error {
		if user != "user" || password != "p@ss:word" {
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "no, user anna@example.org"}
		}
		s.b.signedIn = true
		return nil
	}
	if mech == "LOGIN" {
		return &loginServer{check: check}, nil
	}
	return sasl.NewPlainServer(func(_, user, password string) error { return check(user, password) }), nil
}

// loginServer is the server side of AUTH LOGIN.
type loginServer struct {
	answers []string
	check   func(user, password string) error
}

func (l *loginServer) Next(response []byte) (challenge []byte, done bool, err error) {
	if response != nil {
		l.answers = append(l.answers, string(response))
	}
	switch len(l.answers) {
	case 0:
		return []byte("Username:"), false, nil
	case 1:
		return []byte("Password:"), false, nil
	}
	return nil, true, l.check(l.answers[0], l.answers[1])
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.b.from = from
	return s.b.answer["mail"]
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.b.to = to
	return s.b.answer["rcpt"]
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if err := s.b.answer["data"]; err != nil {
		return err
	}
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	_, s.b.tls = s.conn.TLSConnectionState()
	s.b.got = append(s.b.got, string(raw))
	return nil
}

func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }

// certificate makes a certificate for 127.0.0.1 that is its own authority.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2120, 1, 1, 0, 0, 0, 0, time.UTC),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"mail.example.com"},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// serve starts the server: mode plain, starttls or tls.
func serve(t *testing.T, b *backend, mode string) (port string, roots *x509.CertPool) {
	t.Helper()
	srv := smtp.NewServer(b)
	srv.Domain, srv.AllowInsecureAuth, srv.ErrorLog = "mail.example.com", true, quiet{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ = net.SplitHostPort(l.Addr().String())
	if mode != "plain" {
		cert, pool := certificate(t)
		roots = pool
		srv.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}}
	}
	if mode == "tls" {
		l = tls.NewListener(l, srv.TLSConfig)
		srv.TLSConfig = nil
	}
	done := make(chan struct{})
	go func() { _ = srv.Serve(l); close(done) }()
	t.Cleanup(func() { _ = srv.Close(); <-done })
	return port, roots
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

func openServer(t *testing.T, url string, roots *x509.CertPool) *server {
	t.Helper()
	s, err := Open(url)
	if err != nil {
		t.Fatal(err)
	}
	s.(*server).roots = roots
	return s.(*server)
}

func TestSend(t *testing.T) {
	for name, c := range map[string]struct {
		mode, url, mechanism string
		wantTLS              bool
	}{
		"plain on loopback":        {"plain", "smtp://127.0.0.1:%s", "", false},
		"STARTTLS offered":         {"starttls", "smtp://127.0.0.1:%s", "", true},
		"STARTTLS switched off":    {"starttls", "smtp://127.0.0.1:%s?tls=none", "", false},
		"implicit TLS":             {"tls", "smtps://127.0.0.1:%s", "", true},
		"AUTH PLAIN over STARTTLS": {"starttls", "smtp://user:p%%40ss%%3Aword@127.0.0.1:%s", "PLAIN", true},
		"AUTH LOGIN over TLS":      {"tls", "smtps://user:p%%40ss%%3Aword@127.0.0.1:%s", "LOGIN", true},
	} {
		t.Run(name, func(t *testing.T) {
			b := &backend{mechanism: c.mechanism}
			port, roots := serve(t, b, c.mode)
			if err := openServer(t, fmt.Sprintf(c.url, port), roots).Send(t.Context(), sample()); err != nil {
				t.Fatal(err)
			}
			b.mu.Lock()
			defer b.mu.Unlock()
			if len(b.got) != 1 || b.tls != c.wantTLS || b.signedIn != (c.mechanism != "") || b.from != "privacy@example.com" || b.to != "anna@example.org" {
				t.Fatalf("got %d mails, TLS %v, signed in %v, from %s to %s", len(b.got), b.tls, b.signedIn, b.from, b.to)
			}
			if !strings.Contains(b.got[0], "\r\n"+link+"\r\n") || !strings.Contains(b.got[0], "\r\n.\r\nEnde\r\n") {
				t.Errorf("arrived as:\n%s", b.got[0])
			}
		})
	}
}

func TestTLSIsDemanded(t *testing.T) {
	b := &backend{mechanism: "PLAIN"}
	port, _ := serve(t, b, "plain")
	s := openServer(t, "smtp://user:p%40ss%3Aword@127.0.0.1:"+port, nil)
	s.loopback = false // as if it were beyond
	err := s.Send(t.Context(), sample())
	if err == nil || !strings.Contains(err.Error(), "STARTTLS") || !Temporary(err) {
		t.Errorf("without STARTTLS: %v", err)
	}
	s.noTLS = true // Open refuses this; the password must stay even so
	if err := s.Send(t.Context(), sample()); err == nil || b.signedIn {
		t.Errorf("a password went unencrypted: %v", err)
	}
	for _, mode := range []string{"starttls", "tls"} {
		port, _ := serve(t, b, mode)
		s := openServer(t, map[string]string{"starttls": "smtp", "tls": "smtps"}[mode]+"://127.0.0.1:"+port, nil)
		s.loopback = false
		if err := s.Send(t.Context(), sample()); err == nil || !Temporary(err) {
			t.Errorf("%s with a certificate of nobody: %v", mode, err)
		}
	}
	if len(b.got) != 0 {
		t.Errorf("%d mails went out", len(b.got))
	}
}

func TestTemporary(t *testing.T) {
	reply := func(code int) error {
		return &smtp.SMTPError{Code: code, EnhancedCode: smtp.NoEnhancedCode, Message: "about anna@example.org"}
	}
	for name, c := range map[string]struct {
		answer map[string]error
		url    string
		want   bool
	}{
		"sender refused for good":     {map[string]error{"mail": reply(550)}, "", false},
		"sender later":                {map[string]error{"mail": reply(451)}, "", true},
		"recipient unknown":           {map[string]error{"rcpt": reply(550)}, "", false},
		"greylisted":                  {map[string]error{"rcpt": reply(450)}, "", true},
		"mailbox full":                {map[string]error{"data": reply(452)}, "", true},
		"content refused":             {map[string]error{"data": reply(554)}, "", false},
		"sign-in needed":              {map[string]error{"mail": reply(530)}, "", true},
		"wrong password":              {nil, "user:wrong@", true},
		"recipient later, then never": {map[string]error{"rcpt": reply(421)}, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			b := &backend{answer: c.answer, mechanism: "PLAIN"}
			port, _ := serve(t, b, "plain")
			err := openServer(t, "smtp://"+c.url+"127.0.0.1:"+port, nil).Send(t.Context(), sample())
			if err == nil || Temporary(err) != c.want {
				t.Errorf("temporary %v: %v", Temporary(err), err)
			}
			for e := err; e != nil; e = errors.Unwrap(e) {
				if strings.Contains(e.Error(), "anna") {
					t.Errorf("the error repeats the address: %v", e)
				}
			}
		})
	}
	bad := sample()
	bad.To = "not an address"
	if err := openServer(t, "smtp://127.0.0.1:1", nil).Send(t.Context(), bad); !fault.Is(err, fault.Invalid) || Temporary(err) {
		t.Errorf("a bad message: %v", err)
	}
	if err := openServer(t, "smtp://127.0.0.1:1", nil).Send(t.Context(), sample()); err == nil || !Temporary(err) {
		t.Errorf("nobody there: %v", err)
	}
	if Temporary(nil) {
		t.Error("nil is temporary")
	}
}

func TestSendEndsWithItsContext(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := openServer(t, "smtp://"+l.Addr().String(), nil).Send(ctx, sample()); err == nil || !Temporary(err) {
		t.Errorf("a silent server: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, url := range []string{
		"", "mail.example.com", "http://mail.example.com", "smtp://", "smtp://mail.example.com/path", "smtp://mail.example.com:0",
		"smtp://mail.example.com?tls=no", "smtp://mail.example.com?tsl=none", "smtp://mail.example.com?tls=none&tls=none",
		"smtps://mail.example.com?tls=none", "smtp://user@mail.example.com", "smtp://:secretword@mail.example.com",
		"smtp://user:secretword@mail.example.com?tls=none", "smtp://user:secretword@mail.example.com:99999",
	} {
		if _, err := Open(url); !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "secretword") {
			t.Errorf("%q: %v", url, err)
		}
	}
	s, err := Open("smtp://user:secretword@mail.example.com")
	if err != nil {
		t.Fatal(err)
	}
	if p := fmt.Sprintf("%v %+v %#v %s %d", s, s, s, s, s); strings.Contains(p, "secretword") || !strings.Contains(p, "mail.example.com:587") {
		t.Errorf("printed as %s", p)
	}
}
