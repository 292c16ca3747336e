package seal

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/habeas-data/habeas/internal/fault"
)

func TestKeyFileIsMadeOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "master.key")
	ids := make([]string, 8)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			m, err := OpenKeyFile(path)
			if err != nil {
				t.Error(err)
				return
			}
			ids[i] = m.ID()
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id == "" || id != ids[0] {
			t.Fatalf("openers at the same time got %v", ids)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	if dir, err := os.Stat(filepath.Dir(path)); err != nil || dir.Mode().Perm() != 0o700 {
		t.Fatalf("directory mode %v, %v", dir.Mode(), err)
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Fatalf("left behind: %v, %v", left, err)
	}
}

func TestKeyFileRefused(t *testing.T) {
	good := "k1 " + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{9}, 32)) + "\n"
	for name, c := range map[string]struct {
		content string
		mode    os.FileMode
		says    string
	}{
		"group may read":  {good, 0o640, "chmod 600"},
		"world may read":  {good, 0o604, "chmod 600"},
		"group may write": {good, 0o620, "chmod 600"},
		"empty":           {"", 0o600, "0 bytes"},
		"short key":       {"k1 " + base64.StdEncoding.EncodeToString(make([]byte, 31)) + "\n", 0o600, "has 31 bytes and must have 32"},
		"long key":        {"k1 " + base64.StdEncoding.EncodeToString(make([]byte, 33)) + "\n", 0o600, "has 33 bytes and must have 32"},
		"not base64":      {"k1 !!!!\n", 0o600, "not base64"},
		"no id":           {good[3:], 0o600, "an id, one space"},
		"id twice":        {good + good, 0o600, "twice"},
		"blank line":      {good + "\n" + strings.Replace(good, "k1", "k2", 1), 0o600, "Line 2"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "master.key")
			if err := os.WriteFile(path, []byte(c.content), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, c.mode); err != nil {
				t.Fatal(err)
			}
			_, err := OpenKeyFile(path)
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("got %v", err)
			}
			if now, _ := os.ReadFile(path); string(now) != c.content {
				t.Fatal("the file was changed")
			}
		})
	}
	if _, err := OpenKeyFile(t.TempDir()); !fault.Is(err, fault.Invalid) {
		t.Errorf("a directory: %v", err)
	}
	if _, err := SecretFile(filepath.Join(t.TempDir(), "none"), nil); !fault.Is(err, fault.NotFound) {
		t.Errorf("a missing file that must be there: %v", err)
	}
}

func TestWrapUnwrap(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "master.key")
	m, err := OpenKeyFile(path)
	if err != nil {
		t.Fatal(err)
	}
	k := NewKey()
	wrapped, err := k.Wrap(ctx, m, []byte("acme/key/1"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := Unwrap(ctx, m, wrapped, []byte("acme/key/1"))
	if err != nil || *got.reveal() != *k.reveal() {
		t.Fatalf("unwrapped another key, %v", err)
	}
	if _, err := Unwrap(ctx, m, wrapped, []byte("acme/key/2")); !errors.Is(err, ErrOpen) {
		t.Errorf("another context: %v", err)
	}
	for i := range wrapped {
		bad := bytes.Clone(wrapped)
		bad[i] ^= 1
		if _, err := Unwrap(ctx, m, bad, []byte("acme/key/1")); !errors.Is(err, ErrOpen) {
			t.Fatalf("byte %d flipped: %v", i, err)
		}
		if _, err := Unwrap(ctx, m, wrapped[:i], []byte("acme/key/1")); !errors.Is(err, ErrOpen) {
			t.Fatalf("cut to %d bytes: %v", i, err)
		}
	}
	file, _ := os.ReadFile(path)
	secret := strings.Fields(string(file))[1]
	if p := fmt.Sprintf("%v %+v %#v %s", m, m, m, m); strings.Contains(p, secret) || !strings.Contains(p, m.ID()) {
		t.Errorf("printed as %s", p)
	}
}

func TestRotation(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "master.key")
	old, err := OpenKeyFile(path)
	if err != nil {
		t.Fatal(err)
	}
	k := NewKey()
	wrapped, err := k.Wrap(ctx, old, nil)
	if err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(path)
	line := "next " + base64.StdEncoding.EncodeToString(Random(32)) + "\n"
	if err := os.WriteFile(path, append([]byte(line), before...), 0o600); err != nil {
		t.Fatal(err)
	}
	both, err := OpenKeyFile(path)
	if err != nil || both.ID() != "next" {
		t.Fatalf("rotated to %v, %v", both, err)
	}
	if got, err := Unwrap(ctx, both, wrapped, nil); err != nil || *got.reveal() != *k.reveal() {
		t.Fatalf("the old key does not unwrap: %v", err)
	}
	again, err := k.Wrap(ctx, both, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Unwrap(ctx, old, again, nil); !errors.Is(err, ErrOpen) {
		t.Fatalf("the old master unwraps what the new one wrapped: %v", err)
	}
	// The old line removed: what it wrapped is destroyed, what was wrapped anew lives.
	if err := os.WriteFile(path, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	only, err := OpenKeyFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Unwrap(ctx, only, wrapped, nil); !errors.Is(err, ErrOpen) || !strings.Contains(err.Error(), old.ID()) {
		t.Fatalf("a destroyed master key: %v", err)
	}
	if _, err := Unwrap(ctx, only, again, nil); err != nil {
		t.Fatal(err)
	}
}
