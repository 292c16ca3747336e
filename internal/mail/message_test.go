package mail

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/fault"
)

const link = "https://privacy.example.com/acme/verify?token=abcdefghijklmnopqrstuv-0123456789_abcdefghijklmnopqrstuv-0123456789_x"

func sample() Message {
	return Message{
		From: "privacy@example.com", FromName: "Bücher, GmbH", To: "anna@example.org", ReplyTo: "dpo@example.com",
		Subject: "Ihre Anfrage – Prüfung", Language: "de", MessageID: "m1@example.com",
		Text: "Grüße\n\n" + link + "\n\n.\nEnde", HTML: "<p>Grüße</p>",
		Date: time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC), Headers: map[string]string{"X-Habeas-Kind": "verify"},
	}
}

// parts reads a message with the parsers of the standard library.
func parts(t *testing.T, raw []byte) (netmail.Header, map[string]string) {
	t.Helper()
	m, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	add := func(mediaType, encoding string, r io.Reader) {
		if encoding == "quoted-printable" {
			r = quotedprintable.NewReader(r)
		}
		body, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		// The last line end belongs to the boundary in a multipart, and to the text without one.
		found[mediaType] = strings.TrimSuffix(strings.ReplaceAll(string(body), "\r\n", "\n"), "\n")
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(kind, "multipart/") {
		add(kind, m.Header.Get("Content-Transfer-Encoding"), m.Body)
		return m.Header, found
	}
	mr := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := mr.NextRawPart()
		if err == io.EOF {
			return m.Header, found
		}
		if err != nil {
			t.Fatal(err)
		}
		mediaType, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type"))
		add(mediaType, p.Header.Get("Content-Transfer-Encoding"), p)
	}
}

func TestCompose(t *testing.T) {
	for _, eightBit := range []bool{true, false} {
		raw, err := Compose(sample(), eightBit)
		if err != nil {
			t.Fatal(err)
		}
		h, found := parts(t, raw)
		var dec mime.WordDecoder
		subject, _ := dec.DecodeHeader(h.Get("Subject"))
		from, err := netmail.ParseAddress(h.Get("From"))
		if err != nil || subject != "Ihre Anfrage – Prüfung" || from.Name != "Bücher, GmbH" || from.Address != "privacy@example.com" {
			t.Errorf("subject %q, from %v, %v", subject, from, err)
		}
		for name, want := range map[string]string{
			"To": "anna@example.org", "Reply-To": "dpo@example.com", "Message-Id": "<m1@example.com>", "Content-Language": "de",
			"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All", "Mime-Version": "1.0",
			"Date": "Sun, 22 Nov 2026 04:00:00 +0000", "X-Habeas-Kind": "verify",
		} {
			if got := h[name]; len(got) != 1 || got[0] != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		if found["text/plain"] != sample().Text || found["text/html"] != sample().HTML {
			t.Errorf("8bit %v: parts %q", eightBit, found)
		}
		if bytes.Contains(raw, []byte("\r\n"+link+"\r\n")) != eightBit {
			t.Errorf("8bit %v: the link does not stand as expected", eightBit)
		}
		for _, line := range bytes.Split(raw, []byte("\r\n")) {
			if len(line) > 998 || bytes.ContainsAny(line, "\r\n") || (!eightBit && bytes.ContainsFunc(line, func(r rune) bool { return r >= 0x80 })) {
				t.Errorf("8bit %v: line %q", eightBit, line)
			}
		}
	}
}

// TestLinkStaysWhole: ASCII text goes out in 7bit whatever the server offers.
func TestLinkStaysWhole(t *testing.T) {
	m := sample()
	m.Text, m.HTML = "Hello,\r\n\r\n"+link+"\r\n\r\nYour code: 123456", ""
	for _, eightBit := range []bool{true, false} {
		raw, err := Compose(m, eightBit)
		if err != nil || !bytes.Contains(raw, []byte("\r\n\r\n"+link+"\r\n\r\n")) {
			t.Errorf("8bit %v: %v\n%s", eightBit, err, raw)
		}
	}
	m.Text = strings.Repeat("x", 998) + "\n" + link
	if raw, err := Compose(m, true); err != nil || !bytes.Contains(raw, []byte("\r\n"+link+"\r\n")) {
		t.Errorf("a line of 998: %v", err)
	}
	m.Text = strings.Repeat("x", 999) + "\nend"
	raw, err := Compose(m, true)
	if err != nil || !bytes.Contains(raw, []byte("quoted-printable")) {
		t.Fatalf("a line of 999: %v", err)
	}
	if _, found := parts(t, raw); found["text/plain"] != m.Text {
		t.Error("a long line was changed")
	}
}

func TestHeaderInjection(t *testing.T) {
	fields := map[string]func(*Message, string){
		"From":       func(m *Message, s string) { m.From += s },
		"FromName":   func(m *Message, s string) { m.FromName += s },
		"To":         func(m *Message, s string) { m.To += s },
		"Subject":    func(m *Message, s string) { m.Subject += s },
		"MessageID":  func(m *Message, s string) { m.MessageID += s },
		"Language":   func(m *Message, s string) { m.Language += s },
		"ReplyTo":    func(m *Message, s string) { m.ReplyTo += s },
		"value":      func(m *Message, s string) { m.Headers = map[string]string{"X-A": s} },
		"name":       func(m *Message, s string) { m.Headers = map[string]string{"X-A" + s: "v"} },
		"empty name": func(m *Message, s string) { m.Headers = map[string]string{s: "v"} },
	}
	for name, set := range fields {
		for _, attack := range []string{"\r\nBcc: eve@evil.com", "\nBcc: eve@evil.com", "\rBcc: eve@evil.com", "\x00", "\r\n\r\nbody", "\x7f", "\x0bX", "\xff\r\n"} {
			m := sample()
			set(&m, attack)
			if raw, err := Compose(m, true); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s%q: %v\n%s", name, attack, err, raw)
			}
		}
	}
	for _, reserved := range []string{"Bcc", "bcc", "To", "From", "Content-Type", "Received", "Auto-Submitted", "X-", "X-A:b", "X A", "x-auto-response-suppress"} {
		m := sample()
		m.Headers = map[string]string{reserved: "v"}
		if _, err := Compose(m, true); !fault.Is(err, fault.Invalid) {
			t.Errorf("header %q: %v", reserved, err)
		}
	}
	for _, body := range []string{"a\rb", "a\x00b", "a\x1b[31m", "\xff"} {
		m := sample()
		m.Text = body
		if _, err := Compose(m, true); !fault.Is(err, fault.Invalid) {
			t.Errorf("text %q: %v", body, err)
		}
	}
	m := sample()
	m.Date = time.Time{}
	if _, err := Compose(m, true); !fault.Is(err, fault.Invalid) {
		t.Errorf("without a date: %v", err)
	}
	m = sample()
	m.Subject = strings.Repeat("ü", 501)
	if _, err := Compose(m, true); !fault.Is(err, fault.Invalid) {
		t.Errorf("a subject of 501: %v", err)
	}
	m.Subject = strings.Repeat("ü", 500)
	if _, err := Compose(m, true); err != nil {
		t.Errorf("a subject of 500: %v", err)
	}
}
