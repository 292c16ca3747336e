package blob

import (
	"context"
	"io"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/habeas-data/habeas/internal/fault"
)

// Store keeps files by key. A key is a relative path with slashes, such as
// "acme/0190f7a2/package.bin": no empty, "." or ".." element, no backslash or control character, at
// most 512 bytes, no element beginning with a dot. Other keys are refused with fault.Invalid. All
// methods may be called at the same time.
type Store interface {
	// Put stores everything r gives under key, in place of what was there, and gives its size in bytes.
	// When it fails, or ctx ends, what was there before stays.
	Put(ctx context.Context, key string, r io.Reader) (size int64, err error)
	// Get opens the file under key and gives its size; the caller closes it. A key that is not there is
	// a fault.NotFound.
	Get(ctx context.Context, key string) (io.ReadCloser, int64, error)
	// Delete removes the file under key. One that is not there is no error.
	Delete(ctx context.Context, key string) error
	// List calls fn for every key that begins with prefix, in the order of bytes, and stops at its
	// first error, which it gives back. The prefix is any beginning of a key, or empty for all.
	List(ctx context.Context, prefix string, fn func(key string, size int64) error) error
}

// Open gives the store that a URL names:
//
//	file:///var/lib/habeas/packages                        an absolute directory
//	file://habeas-data/packages                            a directory relative to the working one
//	s3://bucket?endpoint=https://…&region=…&prefix=…       credentials from AWS_ACCESS_KEY_ID,
//	                                                       AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
//
// A directory is made (mode 0700) when it does not exist. A URL that says something else is refused with a
// fault.Invalid.
func Open(raw string) (Store, error) {
	scheme, rest, ok := strings.Cut(raw, "://")
	switch {
	case ok && scheme == "file":
		dir, err := url.PathUnescape(rest)
		if err != nil || dir == "" || strings.ContainsAny(dir, "?#\x00") {
			return nil, badURL("The file URL must name a directory, such as file:///var/lib/habeas/packages.")
		}
		return openDisk(filepath.FromSlash(dir))
	case ok && scheme == "s3":
		u, err := url.Parse(raw)
		if err != nil {
			return nil, badURL("The S3 URL can't be read; it looks like s3://bucket?endpoint=https://host&region=eu-central-1.")
		}
		return openS3(u)
	}
	return nil, badURL("The blob URL must begin with file:// or s3://.")
}

// badURL never repeats the URL: it may hold credentials that do not belong there.
func badURL(message string) error {
	return fault.New(fault.Invalid, "bad_blob_url", "%s", message)
}

// notFound is the answer for a key that is not there.
func notFound(cause error) error {
	return fault.Wrap(cause, fault.NotFound, "unknown_file", "There is no such file.")
}

// maxKey is what both a file system and S3 hold with room to spare for a prefix.
const maxKey = 512

// checkKey refuses every key that might leave the store's directory or mean two things in two stores.
func checkKey(key string) error {
	bad := fault.New(fault.Invalid, "bad_blob_key", "The key of a file must be a plain relative path.")
	if key == "" || len(key) > maxKey || !filepath.IsLocal(filepath.FromSlash(key)) {
		return bad
	}
	if strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' || r == 0xfffd }) {
		return bad
	}
	for element := range strings.SplitSeq(key, "/") {
		// A leading dot is kept for the store's own temporary files.
		if element == "" || element[0] == '.' || len(element) > 255 {
			return bad
		}
	}
	return nil
}

// contextReader ends a copy when its context ends.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
