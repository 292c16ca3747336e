package mail

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"maps"
	"mime"
	"mime/quotedprintable"
	netmail "net/mail"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/habeas-data/habeas/internal/fault"
)

// Message is one mail to one address.
type Message struct {
	From      string            // addr-spec; also the envelope sender
	FromName  string            // display name, may be empty
	To        string            // addr-spec
	Subject   string            // at most 500 characters
	Text      string            // plain text, UTF-8, lines parted by \n
	HTML      string            // the same as HTML; may be empty
	MessageID string            // id@domain without brackets; made when empty
	Language  string            // BCP 47, for Content-Language; may be empty
	ReplyTo   string            // addr-spec, may be empty
	Date      time.Time         // when it was written; must be set
	Headers   map[string]string // further fields, beginning with X- or one of extraHeaders
}

// extraHeaders gives the header fields besides X-… that a caller may set.
func extraHeaders() []string {
	return []string{"In-Reply-To", "References", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Feedback-Id"}
}

const (
	maxSubject = 500
	maxHeader  = 900 // one line may hold 998 (RFC 5322, 2.1.1)
	maxBodyRaw = 998
)

// Compose writes a message as RFC 5322 bytes with CRLF line ends, as Send would: text and, with HTML, a
// multipart/alternative. Every field is checked; a line break in a header field is a fault.Invalid.
// eightBit says that the way takes 8bit bodies; without it text that is not ASCII is quoted-printable.
func Compose(m Message, eightBit bool) ([]byte, error) {
	head, err := m.header()
	if err != nil {
		return nil, err
	}
	text, err := newPart("text/plain", m.Text, eightBit)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	for _, field := range head {
		fmt.Fprintf(&b, "%s: %s\r\n", field[0], field[1])
	}
	if m.HTML == "" {
		text.write(&b)
		return b.Bytes(), nil
	}
	html, err := newPart("text/html", m.HTML, eightBit)
	if err != nil {
		return nil, err
	}
	boundary := rand.Text() // 130 bits: not in the parts
	fmt.Fprintf(&b, "Content-Type: multipart/alternative; boundary=%q\r\n\r\n", boundary)
	for _, p := range []part{text, html} {
		fmt.Fprintf(&b, "--%s\r\n", boundary)
		p.write(&b)
	}
	fmt.Fprintf(&b, "--%s--\r\n", boundary)
	return b.Bytes(), nil
}

// header gives the checked and encoded header fields in order, without Content-Type.
func (m Message) header() ([][2]string, error) {
	from, err := ParseAddress(m.From)
	if err != nil {
		return nil, fmt.Errorf("sender: %w", err)
	}
	to, err := ParseAddress(m.To)
	if err != nil {
		return nil, fmt.Errorf("recipient: %w", err)
	}
	if m.Date.IsZero() {
		return nil, badMessage("The date of the mail is missing.")
	}
	if m.MessageID == "" {
		m.MessageID = rand.Text() + "@" + from.Domain
	}
	id, domain, _ := strings.Cut(m.MessageID, "@")
	if checkLocal(id) != "" || domain == "" || strings.ContainsFunc(domain, notHostRune) {
		return nil, badMessage("The Message-ID of the mail must look like id@example.com.")
	}
	if utf8.RuneCountInString(m.Subject) > maxSubject {
		return nil, badMessage("The subject of the mail has more than 500 characters.")
	}
	fields := [][2]string{
		{"Date", m.Date.UTC().Format(time.RFC1123Z)},
		{"From", m.FromName}, // checked as it is, and joined with the address below
		{"To", to.String()},
		{"Subject", m.Subject},
		{"Message-ID", "<" + m.MessageID + ">"},
	}
	if m.ReplyTo != "" {
		reply, err := ParseAddress(m.ReplyTo)
		if err != nil {
			return nil, fmt.Errorf("reply-to: %w", err)
		}
		fields = append(fields, [2]string{"Reply-To", reply.String()})
	}
	if m.Language != "" {
		fields = append(fields, [2]string{"Content-Language", m.Language})
	}
	for _, name := range slices.Sorted(maps.Keys(m.Headers)) {
		if !isExtraHeader(name) {
			return nil, badMessage("The mail has a header field that must not be set.")
		}
		fields = append(fields, [2]string{name, m.Headers[name]})
	}
	for i, f := range fields {
		if strings.ContainsFunc(f[1], func(r rune) bool { return r < ' ' || r == 0x7f }) || !utf8.ValidString(f[1]) || len(f[1]) > 4*maxHeader {
			return nil, badMessage("A header field of the mail holds a line break or a control character, or is too long.")
		}
		fields[i][1] = mime.QEncoding.Encode("utf-8", f[1]) // leaves printable ASCII alone
	}
	fields[1][1] = (&netmail.Address{Name: m.FromName, Address: from.String()}).String()
	for i := range fields {
		// Encoded words come parted by a space; a line of its own for each keeps the header's lines short.
		fields[i][1] = strings.ReplaceAll(fields[i][1], "?= =?", "?=\r\n =?")
	}
	if slices.ContainsFunc(fields, func(f [2]string) bool { return longLine(f[1], maxHeader) }) {
		return nil, badMessage("A header field of the mail is too long.")
	}
	return append(fields,
		// RFC 3834: no vacation replies, which would come back to the contact address.
		[2]string{"Auto-Submitted", "auto-generated"},
		[2]string{"X-Auto-Response-Suppress", "All"},
		[2]string{"MIME-Version", "1.0"},
	), nil
}

func badMessage(message string) error {
	return fault.New(fault.Invalid, "bad_mail", "%s", message)
}

func notHostRune(r rune) bool {
	return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-", r)
}

func isExtraHeader(name string) bool {
	if slices.Contains(extraHeaders(), name) {
		return true
	}
	return strings.HasPrefix(name, "X-") && len(name) > 2 && !strings.EqualFold(name, "X-Auto-Response-Suppress") &&
		strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == ""
}

// longLine tells whether a line of text is longer than limit bytes.
func longLine(text string, limit int) bool {
	for line := range strings.SplitSeq(text, "\n") {
		if len(line) > limit {
			return true
		}
	}
	return false
}

// part is one body with its transfer encoding.
type part struct {
	mediaType string
	encoding  string
	body      []byte
}

// newPart picks the plainest encoding that the way takes: 7bit for ASCII, then 8bit, then
// quoted-printable. Only the last changes what a naive reader sees.
func newPart(mediaType, body string, eightBit bool) (part, error) {
	body = strings.ReplaceAll(body, "\r\n", "\n")
	if !utf8.ValidString(body) || strings.ContainsFunc(body, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == 0x7f }) {
		return part{}, badMessage("The text of the mail holds a control character or is not UTF-8.")
	}
	if !strings.HasSuffix(body, "\n") {
		body += "\n"
	}
	body = strings.ReplaceAll(body, "\n", "\r\n")
	ascii := !strings.ContainsFunc(body, func(r rune) bool { return r >= 0x80 })
	fits := !longLine(body, maxBodyRaw+1) // the \r of the line counts here
	switch {
	case fits && ascii:
		return part{mediaType, "7bit", []byte(body)}, nil
	case fits && eightBit:
		return part{mediaType, "8bit", []byte(body)}, nil
	}
	var b bytes.Buffer
	w := quotedprintable.NewWriter(&b)
	if _, err := w.Write([]byte(body)); err != nil {
		return part{}, err
	}
	return part{mediaType, "quoted-printable", b.Bytes()}, w.Close()
}

func (p part) write(b *bytes.Buffer) {
	fmt.Fprintf(b, "Content-Type: %s; charset=utf-8\r\nContent-Transfer-Encoding: %s\r\n\r\n", p.mediaType, p.encoding)
	b.Write(p.body)
}
