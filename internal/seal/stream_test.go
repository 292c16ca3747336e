package seal

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"
)

func sealStream(t *testing.T, k Key, plain, aad []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := k.Writer(&b, aad)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(w, bytes.NewReader(plain)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func openStream(k Key, sealed, aad []byte) ([]byte, error) {
	r, err := k.Reader(bytes.NewReader(sealed), aad)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// noise gives bytes that are the same in every run.
func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}

func TestStreamRoundTrip(t *testing.T) {
	k, aad := NewKey(), []byte("acme/package/1")
	for _, n := range []int{0, 1, 1000, segmentSize - 100, segmentSize - 57, segmentSize - 56, segmentSize - 55, segmentSize, 2*segmentSize + 17, 3 * segmentSize} {
		plain := noise(n)
		sealed := sealStream(t, k, plain, aad)
		got, err := openStream(k, sealed, aad)
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d bytes: %v", n, err)
		}
		r, err := k.Reader(iotest.OneByteReader(iotest.DataErrReader(bytes.NewReader(sealed))), aad)
		if n > 2000 || err != nil {
			continue
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d bytes, one at a time: %v", n, err)
		}
	}
}

func TestStreamRefusesEveryChange(t *testing.T) {
	k, aad := NewKey(), []byte("acme/package/1")
	small := sealStream(t, k, noise(100), aad)
	for i := range small {
		bad := bytes.Clone(small)
		bad[i] ^= 0x40
		if _, err := openStream(k, bad, aad); !errors.Is(err, ErrOpen) {
			t.Fatalf("byte %d flipped: %v", i, err)
		}
	}
	for n := range small {
		if _, err := openStream(k, small[:n], aad); !errors.Is(err, ErrOpen) {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
	}
	if _, err := openStream(k, append(bytes.Clone(small), 0), aad); !errors.Is(err, ErrOpen) {
		t.Fatalf("lengthened: %v", err)
	}
	if _, err := openStream(k, small, []byte("acme/package/2")); !errors.Is(err, ErrOpen) {
		t.Fatalf("another context: %v", err)
	}
	if _, err := openStream(NewKey(), small, aad); !errors.Is(err, ErrOpen) {
		t.Fatalf("another key: %v", err)
	}

	big := sealStream(t, k, noise(2*segmentSize+segmentSize/2), aad)
	first := segmentSize + 1 // our version byte stands before Tink's first segment
	for name, bad := range map[string][]byte{
		"cut after one segment":  big[:first],
		"cut after two segments": big[:first+segmentSize],
		"middle segment dropped": append(bytes.Clone(big[:first]), big[first+segmentSize:]...),
		"middle segment twice":   append(bytes.Clone(big[:first+segmentSize]), big[first:]...),
	} {
		if _, err := openStream(k, bad, aad); !errors.Is(err, ErrOpen) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStreamWithoutCloseIsTruncated(t *testing.T) {
	k := NewKey()
	var b bytes.Buffer
	w, err := k.Writer(&b, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(noise(3 * segmentSize)); err != nil {
		t.Fatal(err)
	}
	if _, err := openStream(k, b.Bytes(), nil); !errors.Is(err, ErrOpen) {
		t.Errorf("a stream without its end reads with %v", err)
	}
}

func TestStreamTellsABrokenDiskFromABrokenStream(t *testing.T) {
	k, broken := NewKey(), errors.New("input/output error")
	sealed := sealStream(t, k, noise(100), nil)
	r, err := k.Reader(io.MultiReader(bytes.NewReader(sealed[:80]), iotest.ErrReader(broken)), nil)
	if err == nil {
		_, err = io.ReadAll(r)
	}
	if !errors.Is(err, broken) || errors.Is(err, ErrOpen) {
		t.Errorf("got %v", err)
	}
}
