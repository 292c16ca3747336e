package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/smtp"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/habeas-data/habeas/internal/fault"
)

// Sender sends one message to one address.
type Sender interface {
	// Send gives nil when the next mail server has taken the message over. Of an error, Temporary tells
	// whether to try again. After a lost answer the message may have gone out; its Message-ID lets the
	// recipient's server see that the second is the same.
	Send(ctx context.Context, m Message) error
}

const (
	dialTimeout = 10 * time.Second
	sendTimeout = 60 * time.Second
)

// Open gives the Sender that a URL names: smtp://[user:password@]host[:port] with STARTTLS, or
// smtps://… with TLS from the first byte; ports default to 587 and 465. With smtp, STARTTLS is used where
// the server offers it, and demanded beyond loopback unless the URL ends in ?tls=none; credentials go over
// an encrypted or loopback connection and no other. A URL that says something else is a fault.Invalid.
func Open(raw string) (Sender, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || (u.Path != "" && u.Path != "/") || u.Fragment != "" {
		return nil, badURL("The mail URL must look like smtp://user:password@mail.example.com:587.")
	}
	s := &server{host: u.Hostname(), port: u.Port(), loopback: isLoopback(u.Hostname())}
	switch u.Scheme {
	case "smtp":
		s.port = orElse(s.port, "587")
	case "smtps":
		s.implicit = true
		s.port = orElse(s.port, "465")
	default:
		return nil, badURL("The mail URL must begin with smtp:// or smtps://.")
	}
	if n, err := strconv.Atoi(s.port); err != nil || n < 1 || n > 65535 {
		return nil, badURL("The port of the mail URL must lie between 1 and 65535.")
	}
	for name, values := range u.Query() {
		if name != "tls" || len(values) != 1 || values[0] != "none" {
			return nil, badURL("The mail URL knows one parameter: ?tls=none.")
		}
		s.noTLS = true
	}
	if s.noTLS && s.implicit {
		return nil, badURL("The mail URL asks for TLS by smtps:// and for none by ?tls=none.")
	}
	if u.User != nil {
		s.user = u.User.Username()
		s.password, _ = u.User.Password()
		if s.user == "" || s.password == "" {
			return nil, badURL("The mail URL must hold a user and a password, or neither.")
		}
		if s.noTLS && !s.loopback {
			return nil, badURL("The mail URL would send its password unencrypted; leave out ?tls=none.")
		}
	}
	return s, nil
}

// badURL never repeats the URL: it holds a password.
func badURL(message string) error {
	return fault.New(fault.Invalid, "bad_mail_url", "%s", message)
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// isLoopback tells whether a host is this machine by its literal form.
func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || (err == nil && addr.Unmap().IsLoopback())
}

// server is the mail server that takes our mail.
type server struct {
	host, port     string
	user, password string
	implicit       bool // TLS from the first byte
	noTLS          bool // no STARTTLS even where offered
	loopback       bool
	roots          *x509.CertPool // nil: those of the system
}

// String names the server without its password.
func (s *server) String() string { return "mail server " + net.JoinHostPort(s.host, s.port) }

// GoString is String.
func (s *server) GoString() string { return s.String() }

// Format is String for every verb.
func (s *server) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.String())) }

// Send opens a connection of its own: mails are few, and a kept connection fails at the worst moment.
func (s *server) Send(ctx context.Context, m Message) error {
	// Found out before a connection is made: a message that can't be written never will be.
	if _, err := Compose(m, true); err != nil {
		return fmt.Errorf("composing a mail: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	client, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	// Cancellation must reach a read that is waiting.
	defer context.AfterFunc(ctx, func() { _ = client.Close() })()
	if err := s.auth(client); err != nil {
		return err
	}
	return deliver(client, m)
}

// connect dials, greets and encrypts.
func (s *server) connect(ctx context.Context) (*smtp.Client, error) {
	dialer := net.Dialer{Timeout: dialTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(s.host, s.port))
	if err != nil {
		return nil, &sendError{stage: "connecting", cause: err}
	}
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return nil, errors.Join(&sendError{stage: "connecting", cause: err}, conn.Close())
		}
	}
	if s.implicit {
		conn = tls.Client(conn, s.tlsConfig())
	}
	client, err := smtp.NewClient(conn, s.host)
	if err != nil {
		return nil, errors.Join(failed("greeting", err), conn.Close())
	}
	if err := s.startTLS(client); err != nil {
		return nil, errors.Join(err, client.Close())
	}
	return client, nil
}

func (s *server) startTLS(client *smtp.Client) error {
	offered, _ := client.Extension("STARTTLS")
	switch {
	case s.implicit || s.noTLS:
		return nil
	case offered:
		config := s.tlsConfig()
		// Nobody stands between two ends of one machine, and mail servers there have made-up certificates.
		config.InsecureSkipVerify = s.loopback
		if err := client.StartTLS(config); err != nil {
			return failed("starting TLS", err)
		}
		return nil
	case s.loopback:
		return nil
	}
	return &sendError{stage: "starting TLS", cause: errors.New("the server does not offer STARTTLS, and ?tls=none is not set")}
}

func (s *server) tlsConfig() *tls.Config {
	return &tls.Config{ServerName: s.host, MinVersion: tls.VersionTLS12, RootCAs: s.roots}
}

// auth signs in by PLAIN, or by LOGIN where the server knows only that.
func (s *server) auth(client *smtp.Client) error {
	if s.user == "" {
		return nil
	}
	offered, mechanisms := client.Extension("AUTH")
	if !offered {
		return &sendError{stage: "signing in", cause: errors.New("the server does not offer AUTH")}
	}
	if _, encrypted := client.TLSConnectionState(); !encrypted && !s.loopback {
		return &sendError{stage: "signing in", cause: errors.New("the connection is not encrypted")}
	}
	known := strings.Fields(strings.ToUpper(mechanisms))
	var method smtp.Auth = plainAuth{s.user, s.password}
	if !slices.Contains(known, "PLAIN") && slices.Contains(known, "LOGIN") {
		method = &loginAuth{answers: []string{s.user, s.password}}
	}
	if err := client.Auth(method); err != nil {
		return failed("signing in", err)
	}
	return nil
}

// plainAuth is AUTH PLAIN (RFC 4616). net/smtp's own takes "localhost" for loopback and 127.0.0.2 not;
// whether the connection is fit for a password was decided before.
type plainAuth struct{ user, password string }

func (a plainAuth) Start(*smtp.ServerInfo) (string, []byte, error) {
	return "PLAIN", []byte("\x00" + a.user + "\x00" + a.password), nil
}

func (a plainAuth) Next(_ []byte, more bool) ([]byte, error) {
	if more {
		return nil, errors.New("the server asks more than AUTH PLAIN has")
	}
	return nil, nil
}

// loginAuth is AUTH LOGIN: the server asks for user and password, in this order.
type loginAuth struct{ answers []string }

func (a *loginAuth) Start(*smtp.ServerInfo) (string, []byte, error) { return "LOGIN", nil, nil }

func (a *loginAuth) Next(_ []byte, more bool) ([]byte, error) {
	if !more {
		return nil, nil
	}
	if len(a.answers) == 0 {
		return nil, errors.New("the server asks more than AUTH LOGIN has")
	}
	answer := a.answers[0]
	a.answers = a.answers[1:]
	return []byte(answer), nil
}

// deliver hands over one message. Up to here nothing was said about it, so a refusal from here on is one
// of this message.
func deliver(client *smtp.Client, m Message) error {
	from, err := ParseAddress(m.From)
	if err != nil {
		return err
	}
	to, err := ParseAddress(m.To)
	if err != nil {
		return err
	}
	eightBit, _ := client.Extension("8BITMIME")
	raw, err := Compose(m, eightBit)
	if err != nil {
		return fmt.Errorf("composing a mail: %w", err)
	}
	if err := client.Mail(from.String()); err != nil {
		return refused("naming the sender", err)
	}
	if err := client.Rcpt(to.String()); err != nil {
		return refused("naming the recipient", err)
	}
	w, err := client.Data()
	if err != nil {
		return refused("beginning the message", err)
	}
	if _, err := w.Write(raw); err != nil {
		return failed("sending the message", err)
	}
	if err := w.Close(); err != nil {
		return refused("ending the message", err)
	}
	_ = client.Quit() // the message is theirs already
	return nil
}

// sendError is a failure on the way to the server, or its answer. It holds no word of the server's: they
// repeat addresses.
type sendError struct {
	stage string
	code  int   // the SMTP reply, 0 for none
	final bool  // the server refused this message for good
	cause error // not a reply
}

func (e *sendError) Error() string {
	if e.code != 0 {
		return fmt.Sprintf("sending a mail: %s: the server answered %d", e.stage, e.code)
	}
	return fmt.Sprintf("sending a mail: %s: %v", e.stage, e.cause)
}

// Unwrap gives a network error, and nothing for a reply.
func (e *sendError) Unwrap() error { return e.cause }

// failed is a failure that says nothing about the message: a wrong password must not turn the letter of
// every person into one that can't be delivered.
func failed(stage string, err error) error {
	var reply *textproto.Error
	if errors.As(err, &reply) {
		return &sendError{stage: stage, code: reply.Code}
	}
	return &sendError{stage: stage, cause: err}
}

// refused is failed, where a reply of 5xx is the end of this message.
func refused(stage string, err error) error {
	var reply *textproto.Error
	if errors.As(err, &reply) {
		// 530 and 538 ask for sign-in or encryption: the configuration is wrong, not the message.
		final := reply.Code >= 500 && reply.Code != 530 && reply.Code != 538
		return &sendError{stage: stage, code: reply.Code, final: final}
	}
	return &sendError{stage: stage, cause: err}
}

// Temporary tells whether sending again later may help: for everything but a message that can't be written
// (fault.Invalid) or that the server refused with 5xx. nil is not temporary.
func Temporary(err error) bool {
	if err == nil || fault.Is(err, fault.Invalid) {
		return false
	}
	var e *sendError
	return !errors.As(err, &e) || !e.final
}
