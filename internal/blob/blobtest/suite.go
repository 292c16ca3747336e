package blobtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/habeas-data/habeas/internal/blob"
	"github.com/habeas-data/habeas/internal/fault"
)

// Run runs the suite on stores that open makes, each empty.
func Run(t *testing.T, open func(t *testing.T) blob.Store) {
	for name, test := range map[string]func(*testing.T, blob.Store){
		"put and get":               putAndGet,
		"put replaces":              putReplaces,
		"a failed put changes none": failedPut,
		"missing":                   missing,
		"list":                      list,
		"bad keys":                  badKeys,
		"at the same time":          concurrently,
		"canceled":                  canceled,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func put(t *testing.T, s blob.Store, key, content string) {
	t.Helper()
	n, err := s.Put(t.Context(), key, strings.NewReader(content))
	if err != nil || n != int64(len(content)) {
		t.Fatalf("put %s: %d bytes, %v", key, n, err)
	}
}

func get(t *testing.T, s blob.Store, key string) string {
	t.Helper()
	r, size, err := s.Get(t.Context(), key)
	if err != nil {
		t.Fatalf("get %s: %v", key, err)
	}
	defer r.Close()
	raw, err := io.ReadAll(r)
	if err != nil || int64(len(raw)) != size {
		t.Fatalf("get %s: %d bytes of %d, %v", key, len(raw), size, err)
	}
	return string(raw)
}

func keys(t *testing.T, s blob.Store, prefix string) []string {
	t.Helper()
	found := []string{}
	err := s.List(t.Context(), prefix, func(key string, size int64) error {
		found = append(found, fmt.Sprintf("%s=%d", key, size))
		return nil
	})
	if err != nil {
		t.Fatalf("list %s: %v", prefix, err)
	}
	return found
}

func putAndGet(t *testing.T, s blob.Store) {
	for key, content := range map[string]string{
		"a":                           "one",
		"acme/0190/package.bin":       "",
		"acme/0190/ü ?&=#%20+'\".bin": "odd name",
		"big":                         strings.Repeat("0123456789abcdef", 200_000),
	} {
		put(t, s, key, content)
		if got := get(t, s, key); got != content {
			t.Errorf("%s: got %d bytes that differ", key, len(got))
		}
	}
}

func putReplaces(t *testing.T, s blob.Store) {
	put(t, s, "acme/x", "the first, which is longer")
	put(t, s, "acme/x", "second")
	if got := get(t, s, "acme/x"); got != "second" {
		t.Errorf("got %q", got)
	}
}

func failedPut(t *testing.T, s blob.Store) {
	put(t, s, "acme/x", "before")
	broken := errors.New("the source broke")
	for _, key := range []string{"acme/x", "acme/new"} {
		_, err := s.Put(t.Context(), key, io.MultiReader(bytes.NewReader(make([]byte, 100_000)), iotest.ErrReader(broken)))
		if !errors.Is(err, broken) {
			t.Errorf("put %s from a broken source: %v", key, err)
		}
	}
	if got := get(t, s, "acme/x"); got != "before" {
		t.Errorf("a failed put left %d bytes", len(got))
	}
	if got := keys(t, s, ""); !slices.Equal(got, []string{"acme/x=6"}) {
		t.Errorf("a failed put left %v", got)
	}
}

func missing(t *testing.T, s blob.Store) {
	put(t, s, "acme/x", "here")
	for _, key := range []string{"y", "acme", "acme/y", "acme/x/y"} {
		if _, _, err := s.Get(t.Context(), key); !fault.Is(err, fault.NotFound) {
			t.Errorf("get %s: %v", key, err)
		}
		if err := s.Delete(t.Context(), key); err != nil {
			t.Errorf("delete %s: %v", key, err)
		}
	}
	if got := get(t, s, "acme/x"); got != "here" {
		t.Errorf("got %q", got)
	}
	for range 2 {
		if err := s.Delete(t.Context(), "acme/x"); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := s.Get(t.Context(), "acme/x"); !fault.Is(err, fault.NotFound) {
		t.Errorf("get of what was deleted: %v", err)
	}
	put(t, s, "acme/x", "again")
}

func list(t *testing.T, s blob.Store) {
	if got := keys(t, s, ""); len(got) != 0 {
		t.Fatalf("an empty store lists %v", got)
	}
	for _, key := range []string{"a/2", "a/1", "a.b", "a/b/3", "ab", "b/1"} {
		put(t, s, key, key)
	}
	for prefix, want := range map[string][]string{
		"":     {"a.b=3", "a/1=3", "a/2=3", "a/b/3=5", "ab=2", "b/1=3"},
		"a":    {"a.b=3", "a/1=3", "a/2=3", "a/b/3=5", "ab=2"},
		"a/":   {"a/1=3", "a/2=3", "a/b/3=5"},
		"a/b":  {"a/b/3=5"},
		"none": {},
	} {
		if got := keys(t, s, prefix); !slices.Equal(got, want) {
			t.Errorf("list %q: %v, want %v", prefix, got, want)
		}
	}
	stop, calls := errors.New("stop"), 0
	err := s.List(t.Context(), "", func(string, int64) error { calls++; return stop })
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("stopped with %v after %d calls", err, calls)
	}
	// A sweep deletes what it is shown.
	err = s.List(t.Context(), "a/", func(key string, _ int64) error { return s.Delete(t.Context(), key) })
	if got := keys(t, s, ""); err != nil || !slices.Equal(got, []string{"a.b=3", "ab=2", "b/1=3"}) {
		t.Errorf("after a sweep: %v, %v", got, err)
	}
}

func badKeys(t *testing.T, s blob.Store) {
	for _, key := range []string{
		"", ".", "..", "/", "/etc/passwd", "../x", "a/../x", "a/../../x", "a/./b", "a//b", "a/", "a\\b", "..\\x", "a\x00b",
		"a\nb", ".hidden", "a/.put-x", "\xff", strings.Repeat("a", 600), "a/" + strings.Repeat("b", 300),
	} {
		if _, err := s.Put(t.Context(), key, strings.NewReader("x")); !fault.Is(err, fault.Invalid) {
			t.Errorf("put %q: %v", key, err)
		}
		if _, _, err := s.Get(t.Context(), key); !fault.Is(err, fault.Invalid) {
			t.Errorf("get %q: %v", key, err)
		}
		if err := s.Delete(t.Context(), key); !fault.Is(err, fault.Invalid) {
			t.Errorf("delete %q: %v", key, err)
		}
	}
	if got := keys(t, s, ""); len(got) != 0 {
		t.Errorf("bad keys left %v", got)
	}
}

func concurrently(t *testing.T, s blob.Store) {
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			// All of one length, so that a mixture would show as one.
			content := strings.Repeat(string(rune('a'+i)), 50_000)
			for range 5 {
				if _, err := s.Put(t.Context(), "acme/same", strings.NewReader(content)); err != nil {
					t.Error(err)
				}
				if got := get(t, s, "acme/same"); len(got) != 50_000 || strings.Trim(got, got[:1]) != "" {
					t.Error("read a mixture of two files")
				}
			}
		})
	}
	wg.Wait()
	if got := keys(t, s, ""); !slices.Equal(got, []string{"acme/same=50000"}) {
		t.Errorf("left %v", got)
	}
}

func canceled(t *testing.T, s blob.Store) {
	put(t, s, "acme/x", "before")
	ctx, cancel := context.WithCancel(t.Context())
	source := readerFunc(func(p []byte) (int, error) {
		cancel()
		return len(p), nil // would never end
	})
	if _, err := s.Put(ctx, "acme/x", source); err == nil {
		t.Error("a canceled put succeeded")
	}
	if got := get(t, s, "acme/x"); got != "before" {
		t.Errorf("a canceled put left %d bytes", len(got))
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
