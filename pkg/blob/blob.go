// Package blob keeps what is too large for a record: audiences, and what became of their rows. Stores live
// in folders of their own (file, s3) and pass the one suite in blobtest.
//
// Objects hold addresses in the clear, as their owners sent them: the store's own encryption, its access
// and its expiry protect them, and nothing of them goes into a log.
package blob

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

// ErrNotFound: there is no such object.
var ErrNotFound = errors.New("blob: not found")

// MaxPut is the size of the largest object that Put takes, in bytes: it is held whole. Larger ones are
// uploaded by their owners.
const MaxPut = 16 << 20

// MaxList is how many keys List gives at most.
const MaxList = 1000

// Grant lets somebody put one object himself: an HTTP request that is good until a time.
type Grant struct {
	Method string
	URL    string // it is a credential
	Header http.Header
	Until  time.Time
}

// Store keeps objects. It is safe for concurrent use.
type Store interface {
	// Put keeps an object whole or not at all, in place of one of the same key.
	Put(ctx context.Context, key string, body []byte) error
	// Copy keeps what there is under a key under another one too, however large it is.
	Copy(ctx context.Context, from, to string) error
	// Open reads an object from an offset on; at or past its end there is nothing to read.
	Open(ctx context.Context, key string, from int64) (io.ReadCloser, error)
	// Size is an object's, in bytes.
	Size(ctx context.Context, key string) (int64, error)
	// List gives the keys with a prefix, in order, at most MaxList, after one of them.
	List(ctx context.Context, prefix, after string) ([]string, error)
	// Delete removes objects; those that are not there are no fault.
	Delete(ctx context.Context, keys ...string) error
	// Upload grants that an object of exactly this size is put under the key.
	Upload(ctx context.Context, key string, size int64, valid time.Duration) (Grant, error)
}

// MaxKey is the length of the longest key, in bytes.
const MaxKey = 512

// ValidKey tells whether every store takes a key: names of letters, digits and . _ = -, with / between
// them; none is empty or begins with a dot.
func ValidKey(key string) bool {
	if len(key) > MaxKey {
		return false
	}
	for name := range strings.SplitSeq(key, "/") {
		if name == "" || name[0] == '.' || strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._=-") != "" {
			return false
		}
	}
	return true
}
