package blob

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// s3 is a Store in a bucket. The bucket is made by the operator, not by us.
type s3 struct {
	client *minio.Client
	bucket string
	prefix string // empty, or ends in a slash
}

const (
	// partSize is the memory of one upload of unknown length, in bytes; 10,000 parts make 160 GB.
	partSize = 16 << 20
	// smallSize is up to what size a file goes up in one request.
	smallSize = 1 << 20
)

func openS3(u *url.URL) (*s3, error) {
	q := u.Query()
	for name := range q {
		if name != "endpoint" && name != "region" && name != "prefix" {
			return nil, badURL(fmt.Sprintf("The S3 URL has the unknown parameter %q; known are endpoint, region and prefix.", name))
		}
	}
	if u.User != nil {
		return nil, badURL("The S3 URL must not hold credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.")
	}
	if u.Host == "" || strings.Trim(u.Path, "/") != "" {
		return nil, badURL("The S3 URL must name a bucket and nothing else before the question mark: s3://bucket?prefix=packages.")
	}
	host, secure, err := endpoint(q.Get("endpoint"))
	if err != nil {
		return nil, err
	}
	id, secret := os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY")
	if id == "" || secret == "" {
		return nil, badURL("The S3 store needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment.")
	}
	prefix := strings.Trim(q.Get("prefix"), "/")
	if prefix != "" {
		if err := checkKey(prefix); err != nil {
			return nil, badURL("The prefix of the S3 URL must be a plain relative path.")
		}
		prefix += "/"
	}
	client, err := minio.New(host, &minio.Options{
		Creds:  credentials.NewStaticV4(id, secret, os.Getenv("AWS_SESSION_TOKEN")),
		Secure: secure,
		Region: q.Get("region"),
	})
	if err != nil {
		return nil, fmt.Errorf("opening the S3 store: %w", err)
	}
	return &s3{client: client, bucket: u.Host, prefix: prefix}, nil
}

// endpoint parts an endpoint into host and whether TLS is used. Plain http is for loopback alone: what we
// store is sealed, but the credentials' signatures and the keys are not.
func endpoint(raw string) (host string, secure bool, err error) {
	if raw == "" {
		return "s3.amazonaws.com", true, nil
	}
	if !strings.Contains(raw, "://") {
		raw = "https://" + raw
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return "", false, badURL("The endpoint of the S3 URL must look like https://s3.example.com.")
	}
	switch {
	case u.Scheme == "https":
		return u.Host, true, nil
	case u.Scheme == "http" && isLoopback(u.Hostname()):
		return u.Host, false, nil
	}
	return "", false, badURL("The endpoint of the S3 URL must begin with https://; plain http is for loopback only.")
}

// Put streams an object: a small one in one request, a larger one in parts of 16 MiB. Either shows only
// when it is complete.
func (s *s3) Put(ctx context.Context, key string, r io.Reader) (int64, error) {
	if err := checkKey(key); err != nil {
		return 0, err
	}
	r = contextReader{ctx, r}
	head, err := io.ReadAll(io.LimitReader(r, smallSize))
	if err != nil {
		return 0, fmt.Errorf("reading what to store: %w", err)
	}
	body, size := io.Reader(bytes.NewReader(head)), int64(len(head))
	if size == smallSize {
		body, size = io.MultiReader(body, r), -1
	}
	info, err := s.client.PutObject(ctx, s.bucket, s.prefix+key, body, size, minio.PutObjectOptions{
		ContentType: "application/octet-stream",
		PartSize:    partSize,
		// The server checks each part by its MD5. A signature over the payload as well would keep us from
		// the many S3 servers that can't read a signed stream; what we store is authenticated by its seal.
		SendContentMd5:       true,
		DisableContentSha256: true,
	})
	if err != nil {
		return 0, fmt.Errorf("storing an object: %w", err)
	}
	return info.Size, nil
}

// Get opens an object. Its size comes from the answer that carries the bytes, so both are of one version.
func (s *s3) Get(ctx context.Context, key string) (io.ReadCloser, int64, error) {
	if err := checkKey(key); err != nil {
		return nil, 0, err
	}
	core := minio.Core{Client: s.client}
	body, info, _, err := core.GetObject(ctx, s.bucket, s.prefix+key, minio.GetObjectOptions{})
	if missing(err) {
		return nil, 0, notFound(err)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("fetching an object: %w", err)
	}
	return body, info.Size, nil
}

// Delete removes an object; S3 answers the same whether it was there or not. In a bucket with versions
// older ones stay until the bucket's own rule removes them.
func (s *s3) Delete(ctx context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	err := s.client.RemoveObject(ctx, s.bucket, s.prefix+key, minio.RemoveObjectOptions{})
	if err != nil && !missing(err) {
		return fmt.Errorf("deleting an object: %w", err)
	}
	return nil
}

// List pages through the bucket.
func (s *s3) List(ctx context.Context, prefix string, fn func(key string, size int64) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the listing when fn does
	for object := range s.client.ListObjects(ctx, s.bucket, minio.ListObjectsOptions{Prefix: s.prefix + prefix, Recursive: true}) {
		if object.Err != nil {
			return fmt.Errorf("listing objects: %w", object.Err)
		}
		if err := fn(strings.TrimPrefix(object.Key, s.prefix), object.Size); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// missing tells whether an error says that there is no such object. A missing bucket is not that.
func missing(err error) bool {
	if err == nil {
		return false
	}
	answer := minio.ToErrorResponse(err)
	return answer.Code == minio.NoSuchKey || (answer.StatusCode == http.StatusNotFound && answer.Code != minio.NoSuchBucket)
}

// String names the store for a log.
func (s *s3) String() string { return "s3://" + s.bucket + "/" + s.prefix }
