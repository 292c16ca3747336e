package blob_test

import (
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/habeas-data/habeas/internal/blob"
	"github.com/habeas-data/habeas/internal/blob/blobtest"
	"github.com/habeas-data/habeas/internal/fault"
)

func TestDisk(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) blob.Store { return open(t, "file://"+filepath.ToSlash(t.TempDir())+"/new/dir") })
}

func TestS3(t *testing.T) {
	for name, params := range map[string]string{"whole bucket": "", "prefix": "&prefix=habeas/packages/"} {
		t.Run(name, func(t *testing.T) {
			blobtest.Run(t, func(t *testing.T) blob.Store {
				t.Setenv("AWS_ACCESS_KEY_ID", "test")
				t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
				backend := s3mem.New()
				if err := backend.CreateBucket("bucket"); err != nil {
					t.Fatal(err)
				}
				srv := httptest.NewServer(gofakes3.New(backend).Server())
				t.Cleanup(srv.Close)
				return open(t, "s3://bucket?region=us-east-1&endpoint="+srv.URL+params)
			})
		})
	}
}

func open(t *testing.T, url string) blob.Store {
	t.Helper()
	s, err := blob.Open(url)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestDiskModesAndLinks(t *testing.T) {
	t.Chdir(t.TempDir())
	s := open(t, "file://rel/packages") // relative to the working directory
	if _, err := s.Put(t.Context(), "acme/x", strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]os.FileMode{"rel/packages": 0o700, "rel/packages/acme": 0o700, "rel/packages/acme/x": 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	if err := os.WriteFile("secret", []byte("outside"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../../secret", "rel/packages/link"); err != nil {
		t.Fatal(err)
	}
	if r, _, err := s.Get(t.Context(), "link"); err == nil {
		raw, _ := io.ReadAll(r)
		t.Errorf("a link led out of the directory: %q", raw)
	}
	// What a crash left of a Put is not a file of ours.
	if err := os.WriteFile("rel/packages/acme/.put-LEFT", []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := s.List(t.Context(), "", func(key string, _ int64) error {
		if key != "acme/x" {
			t.Errorf("lists %s", key)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestDiskLeavesNothingBehind: a file that could not be stored whole is not on the disk under any name.
func TestDiskLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	s := open(t, "file://"+filepath.ToSlash(dir))
	if _, err := s.Put(t.Context(), "acme/x", io.MultiReader(strings.NewReader("half"), iotest.ErrReader(io.ErrUnexpectedEOF))); err == nil {
		t.Fatal("a broken source was stored")
	}
	left, err := os.ReadDir(filepath.Join(dir, "acme"))
	if err != nil || len(left) != 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	for _, url := range []string{
		"", "packages", "/var/packages", "ftp://x", "file://", "file://x?y=z", "s3://", "s3://bucket/path",
		"s3://user:secretword@bucket", "s3://bucket?enpoint=x", "s3://bucket?endpoint=http://s3.example.com",
		"s3://bucket?endpoint=ftp://s3.example.com", "s3://bucket?prefix=../up",
	} {
		_, err := blob.Open(url)
		if !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "secretword") {
			t.Errorf("%q: %v", url, err)
		}
	}
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	if _, err := blob.Open("s3://bucket"); !fault.Is(err, fault.Invalid) {
		t.Errorf("without credentials: %v", err)
	}
}

func TestS3BucketMissing(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	srv := httptest.NewServer(gofakes3.New(s3mem.New()).Server())
	t.Cleanup(srv.Close)
	s := open(t, "s3://nobucket?region=us-east-1&endpoint="+srv.URL)
	// A wrong setting must not look like a file that is gone.
	if _, _, err := s.Get(t.Context(), "x"); err == nil || fault.Is(err, fault.NotFound) {
		t.Errorf("get: %v", err)
	}
	if _, err := s.Put(t.Context(), "x", strings.NewReader("x")); err == nil {
		t.Error("put into a bucket that is not there")
	}
}
