package export

import (
	"bufio"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"strings"
)

// Signatures and sizes of PKWARE's APPNOTE.TXT 6.3.
const (
	sigLocal      = 0x04034b50 // 4.3.7
	sigDescriptor = 0x08074b50 // 4.3.9
	sigCentral    = 0x02014b50 // 4.3.12
	sigEnd        = 0x06054b50 // 4.3.16
	sigEnd64      = 0x06064b50 // 4.3.14
	sigLocator64  = 0x07064b50 // 4.3.15

	methodStore, methodDeflate = 0, 8
	flagDescriptor             = 0x8
	flagUTF8                   = 0x800
)

// unzip reads a ZIP from its first byte to its last, without going back, and takes nothing that two readers could
// read in two ways: the directory at the end must say exactly what was read on the way.
type unzip struct {
	in      *position
	entries []unzipped
	names   map[string]bool // folded to lower case
}

// unzipped is what was read of one file.
type unzipped struct {
	name          string
	method, flags uint16
	crc           uint32
	packed, size  int64
	offset        int64
}

// position counts the bytes taken. It is an io.ByteReader, so that inflating takes not a byte too many.
type position struct {
	r  *bufio.Reader
	at int64
}

func (p *position) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	p.at += int64(n)
	return n, err
}

func (p *position) ReadByte() (byte, error) {
	b, err := p.r.ReadByte()
	if err == nil {
		p.at++
	}
	return b, err
}

func newUnzip(r io.Reader) *unzip {
	return &unzip{in: &position{r: bufio.NewReaderSize(r, 64<<10)}, names: map[string]bool{}}
}

// fixed reads a fixed number of bytes; the end of the stream within them is an error.
func (u *unzip) fixed(n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(u.in, b); err != nil {
		return nil, cut(err)
	}
	return b, nil
}

func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the package is cut off")
	}
	return fmt.Errorf("reading the package: %w", err)
}

func u16(b []byte, at int) uint16 { return binary.LittleEndian.Uint16(b[at:]) }
func u32(b []byte, at int) uint32 { return binary.LittleEndian.Uint32(b[at:]) }
func u64(b []byte, at int) uint64 { return binary.LittleEndian.Uint64(b[at:]) }

// each gives every file to visit, in the order of the stream, then holds the directory against what was read.
func (u *unzip) each(visit func(name string, body io.Reader) error) error {
	for {
		start := u.in.at
		head, err := u.fixed(4)
		if err != nil {
			return err
		}
		switch u32(head, 0) {
		case sigLocal:
			if err := u.file(start, visit); err != nil {
				return err
			}
		case sigCentral:
			return u.directory(start)
		default:
			return errors.New("the package holds something between its files")
		}
	}
}

func (u *unzip) file(start int64, visit func(name string, body io.Reader) error) error {
	h, err := u.fixed(26) // from the version on
	if err != nil {
		return err
	}
	e := unzipped{flags: u16(h, 2), method: u16(h, 4), offset: start}
	name, err := u.fixed(int(u16(h, 22)))
	if err != nil {
		return err
	}
	if _, err := u.fixed(int(u16(h, 24))); err != nil { // extra fields: times
		return err
	}
	e.name = string(name)
	if err := u.checkName(e.name); err != nil {
		return err
	}
	// Our files are streamed: their sizes follow them. A file that tells its size before is not ours.
	if e.flags&^(flagDescriptor|flagUTF8) != 0 || e.flags&flagDescriptor == 0 || e.method != methodDeflate || u32(h, 10)|u32(h, 14)|u32(h, 18) != 0 {
		return fmt.Errorf("%s is not written the way of packages", e.name)
	}
	begin := u.in.at
	body := &checkedBody{in: flate.NewReader(u.in), crc: crc32.NewIEEE()}
	if err := visit(e.name, body); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, body); err != nil {
		return fmt.Errorf("reading %s: %w", e.name, cut(err))
	}
	e.packed, e.size, e.crc = u.in.at-begin, body.n, body.crc.Sum32()
	if err := u.descriptor(e); err != nil {
		return err
	}
	u.entries = append(u.entries, e)
	return nil
}

// checkedBody is the content of one file on its way.
type checkedBody struct {
	in  io.Reader
	crc interface {
		io.Writer
		Sum32() uint32
	}
	n int64
}

func (c *checkedBody) Read(b []byte) (int, error) {
	n, err := c.in.Read(b)
	c.n += int64(n)
	_, _ = c.crc.Write(b[:n]) // a hash never fails
	return n, err
}

func (u *unzip) descriptor(e unzipped) error {
	size := 16
	wide := e.packed >= math.MaxUint32 || e.size >= math.MaxUint32
	if wide {
		size = 24
	}
	d, err := u.fixed(size)
	if err != nil {
		return err
	}
	packed, plain := int64(u32(d, 8)), int64(0)
	if wide {
		packed, plain = int64(u64(d, 8)), int64(u64(d, 16)) //nolint:gosec // compared with what was read, whatever it is
	} else {
		plain = int64(u32(d, 12))
	}
	if u32(d, 0) != sigDescriptor || u32(d, 4) != e.crc || packed != e.packed || plain != e.size {
		return fmt.Errorf("%s does not fit its checksum or its size", e.name)
	}
	return nil
}

// checkName takes plain relative paths of ASCII, each once by any file system's reckoning.
func (u *unzip) checkName(name string) error {
	if name == "" || len(name) > 1000 || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`\:*?"<>|`, r) }) {
		return errors.New("a file of the package has a name that is not safe")
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part == "." || part == ".." {
			return errors.New("a file of the package has a name that is not safe")
		}
	}
	folded := strings.ToLower(name)
	if u.names[folded] {
		return fmt.Errorf("%s is there twice", name)
	}
	u.names[folded] = true
	return nil
}

// directory reads the central directory, whose first signature is read, and what ends the stream.
func (u *unzip) directory(start int64) error {
	for i, e := range u.entries {
		if i > 0 {
			sig, err := u.fixed(4)
			if err != nil {
				return err
			}
			if u32(sig, 0) != sigCentral {
				return errors.New("the package's directory lacks a file")
			}
		}
		if err := u.directoryEntry(e); err != nil {
			return err
		}
	}
	size := u.in.at - start
	for {
		sig, err := u.fixed(4)
		if err != nil {
			return err
		}
		switch u32(sig, 0) {
		case sigEnd64:
			if _, err := u.fixed(52); err != nil {
				return err
			}
			continue
		case sigLocator64:
			if _, err := u.fixed(16); err != nil {
				return err
			}
			continue
		case sigCentral:
			return errors.New("the package's directory names a file that is not there")
		case sigEnd:
			return u.end(start, size)
		}
		return errors.New("the package's directory does not end")
	}
}

func (u *unzip) directoryEntry(e unzipped) error {
	h, err := u.fixed(42)
	if err != nil {
		return err
	}
	name, err := u.fixed(int(u16(h, 24)))
	if err != nil {
		return err
	}
	extra, err := u.fixed(int(u16(h, 26)))
	if err != nil {
		return err
	}
	got := unzipped{name: string(name), flags: u16(h, 4), method: u16(h, 6), crc: u32(h, 12), packed: int64(u32(h, 16)), size: int64(u32(h, 20)), offset: int64(u32(h, 38))}
	widen(extra, &got)
	if comment := u16(h, 28); got != e || comment != 0 {
		return fmt.Errorf("the package's directory says something else of %s than was read", e.name)
	}
	return nil
}

// widen reads the sizes that do not fit 32 bits from the ZIP64 extra field (4.5.3).
func widen(extra []byte, e *unzipped) {
	for len(extra) >= 4 {
		id, n := u16(extra, 0), int(u16(extra, 2))
		if len(extra) < 4+n {
			return
		}
		field := extra[4 : 4+n]
		extra = extra[4+n:]
		if id != 1 {
			continue
		}
		for _, v := range []*int64{&e.size, &e.packed, &e.offset} {
			if *v == math.MaxUint32 && len(field) >= 8 {
				*v, field = int64(u64(field, 0)), field[8:] //nolint:gosec // compared with what was read, whatever it is
			}
		}
	}
}

func (u *unzip) end(start, size int64) error {
	h, err := u.fixed(18)
	if err != nil {
		return err
	}
	n := len(u.entries)
	fits := u16(h, 0) == 0 && u16(h, 2) == 0 && u16(h, 4) == u16(h, 6) &&
		(int(u16(h, 6)) == n || n >= math.MaxUint16 && u16(h, 6) == math.MaxUint16) &&
		(int64(u32(h, 8)) == size || size >= math.MaxUint32) && (int64(u32(h, 12)) == start || start >= math.MaxUint32) && u16(h, 16) == 0
	if !fits {
		return errors.New("the end of the package does not fit its directory")
	}
	if rest, err := io.ReadAll(io.LimitReader(u.in, 1)); err != nil || !bytes.Equal(rest, nil) {
		return errors.New("something follows the end of the package")
	}
	return nil
}
