package store

import (
	"context"
	"encoding/base64"
	"strconv"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/tenant"
)

// RunULID is the ULID of a run's message to one recipient, the same whenever it is asked for: the record's
// own key keeps a run from writing to anybody twice, at no further write. All of a run have its instant in
// their ids, which finds them in the lists of a day.
func (s *Store) RunULID(run string, began message.Time, kind message.AddressKind, key string) string {
	return message.ULIDFloor(began)[:10] + s.digest("run", run, string(kind), key)[:16]
}

// ByRun reads one shard of a run's messages, in no order that means anything. Of is their tenant.
func (s *Store) ByRun(ctx context.Context, p tenant.Principal, of, run string, began message.Time, shard, limit int, after string) (Found, error) {
	found, err := s.ByTenant(ctx, p, of, Day(began), shard, Range{began, began + 1}, limit, after)
	return ofRun(found, run), err
}

// RunTroubles reads those of a run's messages that went wrong.
func (s *Store) RunTroubles(ctx context.Context, p tenant.Principal, of, run string, began message.Time, limit int, after string) (Found, error) {
	found, err := s.Troubles(ctx, p, of, Day(began), Range{began, began + 1}, limit, after)
	return ofRun(found, run), err
}

// ofRun leaves out what else was accepted in the same instant.
func ofRun(f Found, run string) Found {
	own := f.Records[:0]
	for _, r := range f.Records {
		if r.Request == run {
			own = append(own, r)
		}
	}
	f.Records = own
	return f
}

// SourceSecret is what a request for a tenant's rows is signed with, as Standard Webhooks have it. It needs
// no keeping: it follows from the key of the hashes. Another generation is another secret.
func (s *Store) SourceSecret(tenant string, generation int) message.Secret {
	n := strconv.Itoa(generation)
	key := s.digest("source", tenant, n, "1") + s.digest("source", tenant, n, "2") // 30 bytes' worth
	return message.Secret("whsec_" + base64.StdEncoding.EncodeToString([]byte(key)))
}

// UploadSecret signs the addresses of uploads, where no cloud does.
func (s *Store) UploadSecret() string { return s.digest("upload") }
