// Package s3 keeps objects in an S3 bucket.
package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/opennotify/notify/pkg/blob"
)

// Store is a blob.Store in a bucket, which encrypts and expires by itself. It is safe for concurrent use.
type Store struct {
	client *s3.Client
	bucket string
	now    func() time.Time
}

var _ blob.Store = (*Store)(nil)

// Open makes a Store. It asks for nothing yet.
func Open(client *s3.Client, bucket string, now func() time.Time) *Store {
	return &Store{client, bucket, now}
}

func check(key string) error {
	if !blob.ValidKey(key) {
		return fmt.Errorf("blob: %.80q is no key", key)
	}
	return nil
}

// Put keeps an object.
func (s *Store) Put(ctx context.Context, key string, body []byte) error {
	if err := check(key); err != nil {
		return err
	}
	if len(body) > blob.MaxPut {
		return fmt.Errorf("blob: put %s: it has %d bytes", key, len(body))
	}
	if _, err := s.client.PutObject(ctx, &s3.PutObjectInput{Bucket: &s.bucket, Key: &key, Body: bytes.NewReader(body)}); err != nil {
		return fmt.Errorf("blob: put: %w", err)
	}
	return nil
}

// Copy keeps an object under another key too: the bucket does so by itself.
func (s *Store) Copy(ctx context.Context, from, to string) error {
	if err := errors.Join(check(from), check(to)); err != nil {
		return err
	}
	if _, err := s.client.CopyObject(ctx, &s3.CopyObjectInput{Bucket: &s.bucket, Key: &to, CopySource: aws.String(s.bucket + "/" + from)}); err != nil {
		var e smithy.APIError
		if errors.As(err, &e) && e.ErrorCode() == "NoSuchKey" { // the model does not list it here
			return blob.ErrNotFound
		}
		return missing("copy", err)
	}
	return nil
}

// missing makes the service's error blob's own.
func missing(what string, err error) error {
	if errors.As(err, new(*types.NoSuchKey)) || errors.As(err, new(*types.NotFound)) {
		return blob.ErrNotFound
	}
	return fmt.Errorf("blob: %s: %w", what, err)
}

// Open reads an object.
func (s *Store) Open(ctx context.Context, key string, from int64) (io.ReadCloser, error) {
	if err := check(key); err != nil {
		return nil, err
	}
	in := &s3.GetObjectInput{Bucket: &s.bucket, Key: &key}
	if from > 0 {
		in.Range = aws.String(fmt.Sprintf("bytes=%d-", from))
	}
	out, err := s.client.GetObject(ctx, in)
	var status *smithyhttp.ResponseError
	switch {
	case errors.As(err, &status) && status.HTTPStatusCode() == http.StatusRequestedRangeNotSatisfiable:
		return io.NopCloser(bytes.NewReader(nil)), nil
	case err != nil:
		return nil, missing("open", err)
	}
	return out.Body, nil
}

// Size is an object's.
func (s *Store) Size(ctx context.Context, key string) (int64, error) {
	if err := check(key); err != nil {
		return 0, err
	}
	out, err := s.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &s.bucket, Key: &key})
	if err != nil {
		var e smithy.APIError
		if errors.As(err, &e) && e.ErrorCode() == "NotFound" {
			return 0, blob.ErrNotFound
		}
		return 0, missing("size", err)
	}
	return aws.ToInt64(out.ContentLength), nil
}

// List gives the keys with a prefix.
func (s *Store) List(ctx context.Context, prefix, after string) ([]string, error) {
	in := &s3.ListObjectsV2Input{Bucket: &s.bucket, Prefix: &prefix}
	if after != "" {
		in.StartAfter = &after
	}
	out, err := s.client.ListObjectsV2(ctx, in)
	if err != nil {
		return nil, fmt.Errorf("blob: list: %w", err)
	}
	keys := make([]string, len(out.Contents))
	for i, o := range out.Contents {
		keys[i] = aws.ToString(o.Key)
	}
	return keys, nil
}

// Delete removes objects.
func (s *Store) Delete(ctx context.Context, keys ...string) error {
	for _, key := range keys {
		if err := check(key); err != nil {
			return err
		}
		if _, err := s.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &s.bucket, Key: &key}); err != nil {
			return fmt.Errorf("blob: delete: %w", err)
		}
	}
	return nil
}

// Upload grants a PUT to the bucket. Its size is signed: another is refused.
func (s *Store) Upload(ctx context.Context, key string, size int64, valid time.Duration) (blob.Grant, error) {
	if err := check(key); err != nil {
		return blob.Grant{}, err
	}
	out, err := s3.NewPresignClient(s.client).PresignPutObject(ctx, &s3.PutObjectInput{Bucket: &s.bucket, Key: &key, ContentLength: &size},
		s3.WithPresignExpires(valid))
	if err != nil {
		return blob.Grant{}, fmt.Errorf("blob: upload: %w", err)
	}
	header := out.SignedHeader.Clone()
	header.Del("Host")
	header.Del("Content-Length") // whoever sends it knows it
	return blob.Grant{Method: out.Method, URL: out.URL, Header: header, Until: s.now().Add(valid)}, nil
}
