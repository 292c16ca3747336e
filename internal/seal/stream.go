package seal

import (
	"errors"
	"fmt"
	"io"

	"github.com/tink-crypto/tink-go/v2/streamingaead/subtle"
)

// segmentSize is the ciphertext of one segment in bytes. A reader holds one segment in memory.
const segmentSize = 1 << 20

// Writer encrypts a stream of any length to w for one context: AES-256-GCM in segments of 1 MiB with a
// key derived per stream (the construction of Hoang, Reyhanitabar, Rogaway and Vizár, as in Tink's
// AES-GCM-HKDF). The stream is complete only after Close, which does not close w; without Close it
// reads as truncated.
func (k Key) Writer(w io.Writer, context []byte) (io.WriteCloser, error) {
	a, err := k.streaming()
	if err != nil {
		return nil, err
	}
	if _, err := w.Write([]byte{version1}); err != nil {
		return nil, fmt.Errorf("writing the stream header: %w", err)
	}
	return a.NewEncryptingWriter(w, aad(context))
}

// Reader decrypts what Writer wrote, for the same context. Every segment is authenticated before it is
// handed out; a stream that was changed, reordered, cut or lengthened ends with an error that is ErrOpen
// and not with io.EOF. Whoever must not act on part of a stream reads to io.EOF first.
func (k Key) Reader(r io.Reader, context []byte) (io.Reader, error) {
	a, err := k.streaming()
	if err != nil {
		return nil, err
	}
	head := make([]byte, 1)
	if _, err := io.ReadFull(r, head); err != nil {
		if errors.Is(err, io.EOF) {
			err = ErrOpen
		}
		return nil, fmt.Errorf("reading the stream header: %w", err)
	}
	if head[0] != version1 {
		return nil, fmt.Errorf("reading the stream header: unknown version: %w", ErrOpen)
	}
	src := &source{r: r}
	dec, err := a.NewDecryptingReader(src, aad(context))
	if err != nil {
		return nil, fmt.Errorf("reading the stream header: %w", src.blame(err))
	}
	return &reader{dec: dec, src: src}, nil
}

// streaming gives the AEAD of this key's streams.
func (k Key) streaming() (*subtle.AESGCMHKDF, error) {
	if k.wiped() {
		return nil, errors.New("streaming with a zero or wiped key")
	}
	return subtle.NewAESGCMHKDF(k.subkey("stream"), "SHA256", keySize, segmentSize, 0)
}

// source remembers an error of the underlying reader, to tell a broken disk from a broken stream.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// blame gives the error of the underlying reader if it had one, else ErrOpen with err as explanation.
func (s *source) blame(err error) error {
	if s.err != nil {
		return s.err
	}
	return fmt.Errorf("%w: %v", ErrOpen, err) //nolint:errorlint // an io error inside must not be taken for the caller's
}

// reader turns every failure of decryption into ErrOpen and makes it stick.
type reader struct {
	dec io.Reader
	src *source
	err error
}

func (r *reader) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.dec.Read(p)
	switch {
	case err == nil:
		return n, nil
	case err == io.EOF:
		r.err = io.EOF
	default:
		r.err = r.src.blame(err)
	}
	return n, r.err
}
