package export

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"os"
	"strings"
	"unicode"

	"github.com/klauspost/compress/flate"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/seal"
)

// pageRows is how many rows stand on one page of a collection in index.html.
const pageRows = 1000

// spool keeps the rows as compressed HTML until index.html, which begins with their number, can be written. It is a
// file without a name, encrypted under a key that lives in this process alone: a crash leaves nothing to read.
type spool struct {
	file  *os.File
	key   seal.Key
	enc   io.WriteCloser
	flate *flate.Writer
	buf   *bufio.Writer
	words Words
	rows  int64
	n     int    // collections so far
	head  []byte // thead of the open collection
	line  []byte // the row being written

	hidden, yes, no []byte // cells, escaped
}

// spoolContext binds the stream to its use.
const spoolContext = "habeas package rows as html"

func newSpool(words Words) (*spool, error) {
	f, err := os.CreateTemp("", "habeas-*")
	if err != nil {
		return nil, fmt.Errorf("making a temporary file: %w", err)
	}
	_ = os.Remove(f.Name()) // where an open file can't lose its name, discard removes it
	s := &spool{file: f, key: seal.NewKey(), words: words}
	if s.enc, err = s.key.Writer(f, []byte(spoolContext)); err == nil {
		s.flate, err = flate.NewWriter(s.enc, level)
	}
	if err != nil {
		s.discard()
		return nil, fmt.Errorf("encrypting a temporary file: %w", err)
	}
	s.buf = bufio.NewWriterSize(s.flate, 64<<10)
	s.hidden, s.yes, s.no = []byte(escape(words.Say("package.value.hidden"))), []byte(escape(words.Say("package.value.yes"))), []byte(escape(words.Say("package.value.no")))
	return s, nil
}

// discard ends the spool, whatever became of it.
func (s *spool) discard() {
	if s == nil || s.file == nil {
		return
	}
	_ = s.file.Close() // nothing of it is needed any more
	_ = os.Remove(s.file.Name())
	s.key.Wipe()
	s.file = nil
}

// reader ends writing and gives the rows as a deflated stream that is not ended: another one can follow.
func (s *spool) reader() (io.Reader, error) {
	err := s.buf.Flush()
	if err == nil {
		err = s.flate.Flush()
	}
	if err == nil {
		err = s.enc.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("writing the temporary file: %w", err)
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("reading the temporary file: %w", err)
	}
	packed, err := s.key.Reader(s.file, []byte(spoolContext))
	if err != nil {
		return nil, fmt.Errorf("reading the temporary file: %w", err)
	}
	return packed, nil
}

// begin writes the head of a collection's section.
func (s *spool) begin(w Words, c connector.Collection, path, category string) error {
	s.rows = 0
	s.n++
	id := fmt.Sprintf("c%d", s.n)
	var head, style bytes.Buffer
	column := 0
	for _, col := range c.Columns {
		if !shown(col) {
			continue
		}
		column++
		head.WriteString("<th scope=\"col\">")
		template.HTMLEscape(&head, []byte(visible(w.Thing(col.Name))))
		head.WriteString("</th>")
		fmt.Fprintf(&style, "#%s td:nth-child(%d)::before{content:\"%s\"}", id, column, cssText(visible(w.Thing(col.Name))))
	}
	s.head = head.Bytes()
	b := s.buf
	fmt.Fprintf(b, "<section id=\"%s\">\n<style>@media (max-width:44em){%s}</style>\n<h2>%s</h2>\n<p class=\"meta\">", id, style.String(), escape(w.Thing(c.Table)))
	fmt.Fprintf(b, "%s", escape(w.Say("package.from", "system", w.Thing(c.System))))
	if category != "" {
		fmt.Fprintf(b, " · %s", escape(w.Say("package.kind", "category", w.Thing(category))))
	}
	_, err := fmt.Fprintf(b, " · <code>data/%s.json</code></p>\n", escape(path))
	return s.failed(err)
}

// row begins one row; a new page begins after every pageRows.
func (s *spool) row() {
	b := s.buf
	if s.rows%pageRows == 0 {
		open, label := " open", s.words.Say("package.rows")
		if s.rows > 0 {
			open, label = "", s.words.Say("package.page", "n", s.words.Number(s.rows+1))
			_, _ = b.WriteString("</tbody></table></div></details>\n") // errors stick to the buffer
		}
		_, _ = fmt.Fprintf(b, "<details%s><summary>%s</summary><div class=\"scroll\"><table><thead><tr>%s</tr></thead><tbody>\n", open,
			escape(label), s.head)
	}
	s.rows++
	s.line = append(s.line[:0], "<tr>\n"...) // HTML ends rows and cells by what follows them
}

func (s *spool) rowEnd() error {
	_, err := s.buf.Write(s.line)
	return s.failed(err)
}

// end writes the foot of a collection's section.
func (s *spool) end() error {
	if s.rows > 0 {
		_, _ = s.buf.WriteString("</tbody></table></div></details>\n")
	}
	_, err := fmt.Fprintf(s.buf, "<p class=\"meta\">%s <a href=\"#top\">%s</a></p>\n</section>\n", escape(s.words.Count("package.in_all", s.rows)), escape(s.words.Say("package.up")))
	return s.failed(err)
}

func (s *spool) failed(err error) error {
	if err != nil {
		return fmt.Errorf("writing the temporary file: %w", err)
	}
	return nil
}

const (
	cellPlain = "<td>"              // letters, digits and signs that have one direction, or none
	cellText  = "<td dir=\"auto\">" // no writing direction reaches beyond its cell
	cellNone  = "<td class=\"no\">" // said about a value
)

// cell writes one value for a person to read. The whole of it is in the JSON file; here nothing can run.
func (s *spool) cell(kind connector.JSONType, v []byte) error {
	switch {
	case v == nil:
		s.line = append(append(s.line, cellNone...), s.hidden...)
	case string(v) == "null":
		s.line = append(append(s.line, cellNone...), "–"...)
	case kind == connector.JSONBoolean && string(v) == "true":
		s.line = append(append(s.line, cellPlain...), s.yes...)
	case kind == connector.JSONBoolean && string(v) == "false":
		s.line = append(append(s.line, cellPlain...), s.no...)
	case v[0] == '"' && kind != connector.JSONBytes && kind != connector.JSONDateTime && plain(v[1:len(v)-1]):
		s.line = append(append(s.line, cellPlain...), v[1:len(v)-1]...)
	case v[0] != '"' && plain(v):
		s.line = append(append(s.line, cellPlain...), v...)
	default:
		return s.slowCell(kind, v)
	}
	return nil
}

// plain tells whether a text stands on a page as it is.
func plain(v []byte) bool {
	for _, c := range v {
		if c < ' ' || c >= 0x7f || c == '<' || c == '>' || c == '&' || c == '"' || c == '\'' || c == '\\' {
			return false
		}
	}
	return true
}

func (s *spool) slowCell(kind connector.JSONType, v []byte) error {
	open, text := cellText, string(v)
	if v[0] == '"' {
		if err := json.Unmarshal(v, &text); err != nil {
			return errors.New("a value is no JSON text")
		}
		switch kind {
		case connector.JSONBytes:
			open, text = cellNone, s.binary(text)
		case connector.JSONDateTime:
			text = readableTime(text)
			if plain([]byte(text)) {
				open = cellPlain
			}
		case connector.JSONNumber, connector.JSONInteger, connector.JSONString, connector.JSONBoolean, connector.JSONDate, connector.JSONAny:
		}
	}
	if tag, content, ok := untag(v); ok {
		text = content
		if tag == connector.TagBytes || tag == connector.TagTextBytes {
			open, text = cellNone, s.binary(content)
		}
	}
	s.line = append(append(s.line, open...), template.HTMLEscapeString(visible(text))...)
	return nil
}

// untag reads a value that is written as an object with a tag.
func untag(v []byte) (tag, content string, ok bool) {
	if !bytes.HasPrefix(v, []byte(`{"$`)) {
		return "", "", false
	}
	var object map[string]string
	if err := json.Unmarshal(v, &object); err != nil || len(object) != 1 {
		return "", "", false
	}
	for tag, content = range object {
	}
	return tag, content, true
}

func (s *spool) binary(encoded string) string {
	return s.words.Count("package.value.bytes", int64(base64.StdEncoding.DecodedLen(len(encoded))-strings.Count(encoded[max(0, len(encoded)-2):], "=")))
}

// readableTime parts day and time of an RFC 3339 text: 2024-03-01 10:20:30 UTC. What has another form stays.
func readableTime(s string) string {
	if len(s) < len("2024-03-01T10:20:30") || s[4] != '-' || s[10] != 'T' {
		return s
	}
	s = s[:10] + " " + s[11:]
	if at, utc := strings.CutSuffix(s, "Z"); utc {
		return at + " UTC"
	}
	return s
}

// visible replaces what a page can't hold or what would turn the text after it around.
func visible(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r >= 0x7f }) {
		return s // nearly all values
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r < ' ':
			return '\u2400' + r // the control pictures: NUL is ␀
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			return '\uFFFD'
		}
		return r
	}, s)
}

func escape(s string) string { return template.HTMLEscapeString(visible(s)) }

// cssText writes a text for a CSS string: everything but plain letters, digits and spaces as a number.
func cssText(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r == ' ' || r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "\\%06x", r)
		}
	}
	return b.String()
}
