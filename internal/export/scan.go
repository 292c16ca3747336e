package export

import (
	"errors"
	"io"
	"unicode/utf8"
)

// maxDepth is how deep values may be nested, as in encoding/json.
const maxDepth = 10000

// errMore says that a value does not end within the bytes at hand; errJSON that they are no JSON.
var (
	errMore = errors.New("cut off")
	errJSON = errors.New("not JSON")
)

// skipSpace gives the index of the first byte of b from i on that is no white space.
func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// skipValue gives the index behind the JSON value (RFC 8259) that begins at b[i]. Texts must be UTF-8. A number at the
// end of b may go on: errMore.
func skipValue(b []byte, i, depth int) (int, error) {
	if i >= len(b) {
		return i, errMore
	}
	if depth > maxDepth {
		return i, errJSON
	}
	switch c := b[i]; {
	case c == '"':
		return skipString(b, i)
	case c == '{':
		return skipList(b, i, '}', depth)
	case c == '[':
		return skipList(b, i, ']', depth)
	case c == 't':
		return skipWord(b, i, "true")
	case c == 'f':
		return skipWord(b, i, "false")
	case c == 'n':
		return skipWord(b, i, "null")
	}
	return skipNumber(b, i)
}

func skipWord(b []byte, i int, word string) (int, error) {
	for k := range len(word) {
		if i+k >= len(b) {
			return i, errMore
		}
		if b[i+k] != word[k] {
			return i, errJSON
		}
	}
	return i + len(word), nil
}

func skipString(b []byte, i int) (int, error) {
	for i++; i < len(b); {
		switch c := b[i]; {
		case c == '"':
			return i + 1, nil
		case c == '\\':
			n, err := skipEscape(b, i)
			if err != nil {
				return i, err
			}
			i = n
		case c < 0x20:
			return i, errJSON
		case c < utf8.RuneSelf:
			i++
		case !utf8.FullRune(b[i:]):
			return i, errMore
		default:
			r, n := utf8.DecodeRune(b[i:])
			if r == utf8.RuneError && n == 1 {
				return i, errJSON
			}
			i += n
		}
	}
	return i, errMore
}

func skipEscape(b []byte, i int) (int, error) {
	if i+1 >= len(b) {
		return i, errMore
	}
	switch b[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2, nil
	case 'u':
		for k := i + 2; k < i+6; k++ {
			if k >= len(b) {
				return i, errMore
			}
			if c := b[k] | 0x20; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
				return i, errJSON
			}
		}
		return i + 6, nil
	}
	return i, errJSON
}

// skipList reads an object or an array.
func skipList(b []byte, i int, closing byte, depth int) (int, error) {
	for first := true; ; first = false {
		i = skipSpace(b, i+1) // behind the bracket, then behind each comma
		if i >= len(b) {
			return i, errMore
		}
		if first && b[i] == closing {
			return i + 1, nil
		}
		var err error
		if closing == '}' {
			if i, err = skipName(b, i); err != nil {
				return i, err
			}
		}
		if i, err = skipValue(b, i, depth+1); err != nil {
			return i, err
		}
		if i = skipSpace(b, i); i >= len(b) {
			return i, errMore
		}
		switch b[i] {
		case closing:
			return i + 1, nil
		case ',':
		default:
			return i, errJSON
		}
	}
}

// skipName reads a member's name and what stands between it and the value.
func skipName(b []byte, i int) (int, error) {
	if i >= len(b) {
		return i, errMore
	}
	if b[i] != '"' {
		return i, errJSON
	}
	i, err := skipString(b, i)
	if err != nil {
		return i, err
	}
	if i = skipSpace(b, i); i >= len(b) {
		return i, errMore
	}
	if b[i] != ':' {
		return i, errJSON
	}
	return skipSpace(b, i+1), nil
}

func skipNumber(b []byte, i int) (int, error) {
	digits := func() error {
		start := i
		for i < len(b) && b[i] >= '0' && b[i] <= '9' {
			i++
		}
		switch {
		case i == len(b):
			return errMore
		case i == start:
			return errJSON
		}
		return nil
	}
	if b[i] == '-' {
		i++
	}
	whole := i
	if err := digits(); err != nil {
		return i, err
	}
	if b[whole] == '0' && i > whole+1 {
		return i, errJSON
	}
	if b[i] == '.' {
		i++
		if err := digits(); err != nil {
			return i, err
		}
	}
	if b[i]|0x20 == 'e' {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		if err := digits(); err != nil {
			return i, err
		}
	}
	return i, nil
}

// rows reads a JSON array element by element.
type rows struct {
	in    io.Reader
	buf   []byte
	at    int // of what is not read yet
	ended bool
}

func newRows(in io.Reader) *rows { return &rows{in: in, buf: make([]byte, 0, 64<<10)} }

// more reads on; false at the end of the stream.
func (r *rows) more() (bool, error) {
	if r.ended {
		return false, nil
	}
	if r.at > 0 {
		r.buf = r.buf[:copy(r.buf, r.buf[r.at:])]
		r.at = 0
	}
	if len(r.buf) == cap(r.buf) {
		r.buf = append(make([]byte, 0, 2*cap(r.buf)), r.buf...)
	}
	n, err := r.in.Read(r.buf[len(r.buf):cap(r.buf)])
	r.buf = r.buf[:len(r.buf)+n]
	if errors.Is(err, io.EOF) {
		r.ended = true
		return n > 0, nil
	}
	if err != nil {
		return false, cut(err)
	}
	return true, nil
}

// next gives the next byte that is no white space, without taking it; 0 at the end.
func (r *rows) next() (byte, error) {
	for {
		if r.at = skipSpace(r.buf, r.at); r.at < len(r.buf) {
			return r.buf[r.at], nil
		}
		if ok, err := r.more(); err != nil || !ok && r.ended && r.at >= len(r.buf) {
			return 0, err
		}
	}
}

// element hands what is at hand to read, which gives the index behind the element that begins there, or errMore: then
// it is called again with more.
func (r *rows) element(read func(b []byte, i int) (int, error)) error {
	for {
		end, err := read(r.buf, r.at)
		if !errors.Is(err, errMore) {
			r.at = end
			return err
		}
		ok, err := r.more()
		if err != nil {
			return err
		}
		if !ok {
			return errors.New("the array does not end")
		}
	}
}

// each gives every element of the array to read, and takes nothing after it.
func (r *rows) each(read func(b []byte, i int) (int, error)) error {
	if c, err := r.next(); err != nil || c != '[' {
		return errors.Join(err, errors.New("it is not a JSON array"))
	}
	r.at++
	c, err := r.next()
	for first := true; err == nil && c != ']'; first = false {
		if !first {
			if c != ',' {
				return errors.New("the array does not end")
			}
			r.at++
			if _, err = r.next(); err != nil {
				break
			}
		}
		if err = r.element(read); err != nil {
			break
		}
		c, err = r.next()
	}
	if err != nil {
		return err
	}
	r.at++
	if c, err = r.next(); err != nil || c != 0 || r.at < len(r.buf) {
		return errors.Join(err, errors.New("something follows the array"))
	}
	return nil
}
