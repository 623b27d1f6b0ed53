package redrive

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/opennotify/notify/pkg/job"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// Count is what a redrive would do.
type Count struct {
	Matched, Expired int
	Reasons          []Reason // the most frequent first
	// More tells that there are more than were looked at.
	More bool
}

// Reason is how many died of one.
type Reason struct {
	Reason           string
	Matched, Expired int
}

const (
	maxCounted  = 20_000
	countFor    = 15 * time.Second // a request has 30
	defaultRate = 50
	// MaxRate is the most messages a second.
	MaxRate = 500
	// MaxReason is the length of a reason.
	MaxReason = 200
	// MaxPage is the longest page of a list.
	MaxPage = 100
)

func may(p tenant.Principal) error {
	if !p.May(tenant.Operate) {
		return problem.New(problem.Forbidden, "this needs a key with the scope operate")
	}
	return nil
}

func unread(err error) error {
	if p := (*problem.Error)(nil); errors.As(err, &p) {
		return err
	}
	return problem.New(problem.Unavailable, "try again").Because(err)
}

// Count tells what a redrive would do now, and how many are too late.
func (r *Redrive) Count(ctx context.Context, p tenant.Principal, f Filter) (Count, error) {
	if err := may(p); err != nil {
		return Count{}, err
	}
	now := r.now()
	if err := f.check(now, "/filter/"); err != nil {
		return Count{}, err
	}
	var out Count
	by := map[string]*Reason{}
	at, more, err := place{}, true, error(nil)
	for more && out.Matched < maxCounted && r.now().Sub(now) < countFor {
		at, more, err = r.walk(ctx, &f, span(now, ""), at, maxCounted, func(some []*store.Record) (int, error) {
			for _, rec := range some {
				of := by[rec.Reason]
				if of == nil {
					of = &Reason{Reason: rec.Reason}
					by[rec.Reason] = of
				}
				of.Matched++
				out.Matched++
				if now >= rec.Expires {
					of.Expired++
					out.Expired++
				}
			}
			return len(some), nil
		})
		if err != nil {
			return Count{}, unread(err)
		}
	}
	if out.More = more; out.Matched == 0 && !more {
		if err := r.known(ctx, &f, "/filter/"); err != nil {
			return Count{}, err
		}
	}
	for _, of := range slices.SortedFunc(maps.Values(by), func(a, b *Reason) int { return cmp.Or(b.Matched-a.Matched, cmp.Compare(a.Reason, b.Reason)) }) {
		out.Reasons = append(out.Reasons, *of)
	}
	return out, nil
}

// Start begins a redrive of what is dead now.
func (r *Redrive) Start(ctx context.Context, p tenant.Principal, f Filter, rate int, why string) (store.Job, error) {
	if err := may(p); err != nil {
		return store.Job{}, err
	}
	if err := f.check(r.now(), "/filter/"); err != nil {
		return store.Job{}, err
	}
	if err := r.known(ctx, &f, "/filter/"); err != nil {
		return store.Job{}, err
	}
	var faults []problem.Field
	if rate == 0 {
		rate = defaultRate
	}
	if rate < 1 || rate > MaxRate {
		faults = append(faults, problem.At("/rate", problem.BadValue, "rate must be 1 to %d messages a second", MaxRate))
	}
	if why == "" {
		faults = append(faults, problem.At("/reason", problem.Required, "say why: it is kept with each message, and with your key"))
	} else if len(why) > MaxReason {
		faults = append(faults, problem.At("/reason", problem.TooLong, "reason has at most %d bytes", MaxReason))
	}
	if len(faults) > 0 {
		return store.Job{}, problem.Invalid(faults...)
	}
	now := r.now()
	id := "rdr_" + r.NewULID(now)
	if err := r.Store.AddDeed(ctx, p, now, store.Deed{What: "redriven", Kind: Kind, Object: id, Tenant: f.Tenant, Reason: why}); err != nil {
		return store.Job{}, unread(err)
	}
	return r.start(ctx, p, id, f, rate, why)
}

func (r *Redrive) start(ctx context.Context, p tenant.Principal, id string, f Filter, rate int, why string) (store.Job, error) {
	spec, err := json.Marshal(f)
	if err != nil {
		return store.Job{}, fmt.Errorf("redrive: %w", err)
	}
	j, _, err := r.Jobs.Start(ctx, p, store.Job{ID: id, Kind: Kind, Spec: spec, Rate: rate, Author: p.Name, Reason: why})
	if err != nil {
		return j, unread(err)
	}
	return j, nil
}

// Get tells how far a redrive is.
func (r *Redrive) Get(ctx context.Context, p tenant.Principal, id string) (store.Job, error) {
	if err := may(p); err != nil {
		return store.Job{}, err
	}
	j, err := r.Store.Job(ctx, p, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && j.Kind != Kind {
		return store.Job{}, problem.New(problem.NotFound, "there is no such redrive; see GET /v1/redrives")
	}
	if err != nil {
		return j, unread(err)
	}
	return j, nil
}

// List lists redrives, the newest first, and where the next page begins.
func (r *Redrive) List(ctx context.Context, p tenant.Principal, limit int, after string) ([]store.Job, string, error) {
	if err := may(p); err != nil {
		return nil, "", err
	}
	if limit < 1 || limit > MaxPage {
		return nil, "", problem.Invalid(problem.At("query:limit", problem.BadValue, "limit must be 1 to %d", MaxPage))
	}
	from, ok := openCursor(after)
	if !ok {
		return nil, "", problem.Invalid(problem.At("query:after", problem.BadValue, "after must be the next of an earlier answer; leave it out to begin"))
	}
	page, err := r.Store.Jobs(ctx, p, "", Kind, "", limit, from)
	if err != nil {
		return nil, "", unread(err)
	}
	for _, bad := range page.Bad {
		r.Log.ErrorContext(ctx, "job unreadable", "error", bad)
	}
	if page.Next != "" {
		page.Next = cursor(page.Next)
	}
	return page.Jobs, page.Next, nil
}

// cursor makes a driver's cursor one for the caller. Its checksum tells a text that was cut or made up from
// a fault of ours.
func cursor(s string) string { return fmt.Sprintf("%08x%s", crc32.ChecksumIEEE([]byte(s)), s) }

// openCursor reads what cursor made; "" is the beginning.
func openCursor(s string) (string, bool) {
	if s == "" {
		return "", true
	}
	if len(s) < 8 || cursor(s[8:]) != s {
		return "", false
	}
	return s[8:], true
}

// Stop ends a redrive before its next page.
func (r *Redrive) Stop(ctx context.Context, p tenant.Principal, id, why string) (store.Job, error) {
	if _, err := r.Get(ctx, p, id); err != nil {
		return store.Job{}, err
	}
	if len(why) > MaxReason {
		return store.Job{}, problem.Invalid(problem.At("/reason", problem.TooLong, "reason has at most %d bytes", MaxReason))
	}
	j, err := r.Jobs.Steer(ctx, p, id, store.JobStopping, why)
	if errors.Is(err, job.ErrState) {
		return j, problem.New(problem.NotAllowedNow, "redrive %s is %s", id, j.State)
	}
	if err != nil {
		return j, unread(err)
	}
	return j, nil
}

// KindRedrive is the control queue's kind of a redrive that the service itself asks for: an account works
// again.
const KindRedrive = "redrive"

// entry asks for the dead of an account.
type entry struct {
	Kind    string         `json:"kind"`
	Account string         `json:"account"`
	Since   jsontext.Value `json:"since"` // when it stopped working: Unix milliseconds, or RFC 3339
	Reason  string         `json:"reason"`
	Rate    int            `json:"rate"`
}

// Handle starts what entries ask for. The same entry again is the same redrive.
func (r *Redrive) Handle(ctx context.Context, batch []queue.Item) []string {
	again := []string{}
	for _, it := range batch {
		var e entry
		since, err := message.Time(0), json.Unmarshal(it.Body, &e)
		if err == nil {
			since, err = instant(e.Since)
		}
		if err != nil || e.Account == "" {
			r.Log.ErrorContext(ctx, "a redrive that cannot be read is dropped", "item", it.ID, "error", err)
			continue
		}
		sum := sha256.Sum256([]byte(e.Account + "#" + since.String()))
		id := "rdr_" + message.ULIDFloor(since)[:10] + hex.EncodeToString(sum[:8])
		rate := min(max(cmp.Or(e.Rate, defaultRate), 1), MaxRate)
		if _, err := r.start(ctx, r.as, id, Filter{Account: e.Account, From: since}, rate, cmp.Or(e.Reason, "account works again")); err != nil {
			r.Log.ErrorContext(ctx, "redrive not started; it comes again", "account", e.Account, "error", err)
			again = append(again, it.ID)
		}
	}
	return again
}

func instant(v jsontext.Value) (message.Time, error) {
	var ms int64
	if len(v) == 0 {
		return 0, nil
	}
	if json.Unmarshal(v, &ms) == nil {
		return message.Time(max(ms, 0)), nil
	}
	var at time.Time
	err := json.Unmarshal(v, &at)
	return message.At(at), err
}
