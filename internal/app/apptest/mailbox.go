package apptest

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// Mailbox is a mail server that keeps what it gets.
type Mailbox struct {
	URL string

	t     testing.TB
	mu    sync.Mutex
	mails []Mail
}

// Mail is one mail as it arrived.
type Mail struct {
	From, To  string // of the envelope
	Subject   string
	MessageID string
	Text      string // the text part, decoded
	HTML      string
	Raw       string
}

// NewMailbox starts a mail server on loopback.
func NewMailbox(t testing.TB) *Mailbox {
	t.Helper()
	b := &Mailbox{t: t}
	s := smtp.NewServer(backend{b})
	s.Domain, s.AllowInsecureAuth = "mailbox.example", true
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b.URL = "smtp://" + l.Addr().String()
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	return b
}

type backend struct{ box *Mailbox }

func (b backend) NewSession(*smtp.Conn) (smtp.Session, error) { return &session{box: b.box}, nil }

type session struct {
	box  *Mailbox
	from string
	to   []string
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error { s.from = from; return nil }
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error   { s.to = append(s.to, to); return nil }
func (s *session) Reset()                                      { s.from, s.to = "", nil }
func (s *session) Logout() error                               { return nil }

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m, err := parse(raw)
	if err != nil {
		return err
	}
	m.From = s.from
	for _, to := range s.to {
		m.To = to
		s.box.mu.Lock()
		s.box.mails = append(s.box.mails, m)
		s.box.mu.Unlock()
	}
	return nil
}

func parse(raw []byte) (Mail, error) {
	msg, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return Mail{}, err
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject"))
	if err != nil {
		return Mail{}, err
	}
	m := Mail{Subject: subject, MessageID: msg.Header.Get("Message-ID"), Raw: string(raw)}
	kind, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil {
		return m, err
	}
	if !strings.HasPrefix(kind, "multipart/") {
		return m, m.part(kind, msg.Header.Get("Content-Transfer-Encoding"), msg.Body)
	}
	parts := multipart.NewReader(msg.Body, params["boundary"])
	for {
		p, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return m, nil
		}
		if err != nil {
			return m, err
		}
		kind, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type"))
		if err := m.part(kind, p.Header.Get("Content-Transfer-Encoding"), p); err != nil {
			return m, err
		}
	}
}

func (m *Mail) part(kind, encoding string, r io.Reader) error {
	if strings.EqualFold(encoding, "quoted-printable") {
		r = quotedprintable.NewReader(r)
	}
	b, err := io.ReadAll(r)
	text := strings.ReplaceAll(string(b), "\r\n", "\n")
	switch kind {
	case "text/html":
		m.HTML = text
	default:
		m.Text = text
	}
	return err
}

// All gives every mail so far.
func (b *Mailbox) All() []Mail {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]Mail(nil), b.mails...)
}

// Wait gives the first mail to an address that holds what is looked for, waiting for it.
func (b *Mailbox) Wait(to string, has func(Mail) bool) Mail {
	b.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		for _, m := range b.All() {
			if strings.EqualFold(m.To, to) && has(m) {
				return m
			}
		}
		if time.Now().After(deadline) {
			for _, m := range b.All() {
				b.t.Logf("mail to %s: %s\n%s", m.To, m.Subject, m.Text)
			}
			b.t.Fatalf("no such mail to %s", to)
		}
		time.Sleep(30 * time.Millisecond)
	}
}

var (
	linkForm = regexp.MustCompile(`(?m)^(https?://\S+/verify\?token=([A-Za-z0-9_-]{22,}))$`)
	codeForm = regexp.MustCompile(`\b\d{6}\b`)
)

// Token gives the token of a verification mail: of the one link that stands alone on its line.
func (m Mail) Token() string {
	if f := linkForm.FindStringSubmatch(m.Text); f != nil {
		return f[2]
	}
	return ""
}

// Code gives the code of a mail: the only six-digit number of its text part, or "".
func (m Mail) Code() string {
	found := codeForm.FindAllString(m.Text, -1)
	if len(found) != 1 {
		return ""
	}
	return found[0]
}
