package file

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/opennotify/notify/pkg/blob"
)

// Prefix is where Handler is mounted.
const Prefix = "/uploads/"

// Upload grants a PUT to Handler.
func (s *Store) Upload(ctx context.Context, key string, size int64, valid time.Duration) (blob.Grant, error) {
	if err := check(ctx, key); err != nil {
		return blob.Grant{}, err
	}
	until := s.opts.Now().Add(valid)
	q := url.Values{"until": {strconv.FormatInt(until.Unix(), 10)}, "size": {strconv.FormatInt(size, 10)}}
	q.Set("signature", s.sign(key, q.Get("until"), q.Get("size")))
	return blob.Grant{Method: http.MethodPut, URL: s.opts.URL() + Prefix + key + "?" + q.Encode(), Until: until}, nil
}

func (s *Store) sign(key, until, size string) string {
	mac := hmac.New(sha256.New, s.opts.Key)
	fmt.Fprintf(mac, "upload\n%s\n%s\n%s", key, until, size)
	return hex.EncodeToString(mac.Sum(nil))
}

// Handler takes what was granted, from any page, as a bucket does: the console may be reached by another name
// (localhost) than its addresses have. It streams: an upload is never held whole.
func (s *Store) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		key, until, size := r.URL.Path[min(len(Prefix), len(r.URL.Path)):], q.Get("until"), q.Get("size")
		end, err := strconv.ParseInt(until, 10, 64)
		n, err2 := strconv.ParseInt(size, 10, 64)
		w.Header().Set("Access-Control-Allow-Origin", "*")
		signed := hmac.Equal([]byte(q.Get("signature")), []byte(s.sign(key, until, size)))
		switch {
		case r.Method == http.MethodOptions:
			w.Header().Set("Access-Control-Allow-Methods", http.MethodPut)
			w.Header().Set("Access-Control-Allow-Headers", "Content-Type")
			w.WriteHeader(http.StatusNoContent)
		case r.Method != http.MethodPut:
			w.Header().Set("Allow", http.MethodPut)
			http.Error(w, "an upload is a PUT", http.StatusMethodNotAllowed)
		case err != nil, err2 != nil, !signed, !blob.ValidKey(key):
			http.Error(w, "the address of this upload is not one that was given", http.StatusForbidden)
		case s.opts.Now().Unix() > end:
			http.Error(w, "the address of this upload is no longer good; ask for a new one", http.StatusForbidden)
		default:
			s.take(w, r, key, n)
		}
	})
}

func (s *Store) take(w http.ResponseWriter, r *http.Request, key string, size int64) {
	// The server's own deadline is for requests that are held whole.
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	err := s.put(r.Context(), key, http.MaxBytesReader(w, r.Body, size+1), size)
	switch {
	case errors.Is(err, errSize):
		http.Error(w, "the content has another size than was announced; ask for a new address with its size", http.StatusBadRequest)
	case err != nil:
		http.Error(w, "the content could not be kept; send it again", http.StatusServiceUnavailable)
	}
}
