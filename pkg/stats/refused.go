package stats

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// So many refusals a process keeps in a minute; the others are counted only. A caller that is refused without
// end says the same each time.
const (
	mostAlike   = 20 // of one tenant and code
	mostRefused = 100
)

// Refusals takes down the requests that were refused. It is safe for concurrent use.
type Refusals struct {
	mu     sync.Mutex
	store  Keeper
	kept   []store.Refusal
	minute message.Time
	alike  map[[2]string]int
	all    int
}

// Keeper keeps refusals.
type Keeper interface {
	AddRefusals(ctx context.Context, now message.Time, refusals ...store.Refusal) error
}

// NewRefusals makes a list that keeps refusals in a store.
func NewRefusals(s Keeper) *Refusals { return &Refusals{store: s, alike: map[[2]string]int{}} }

// Note takes a refusal down, unless there were many like it.
func (l *Refusals) Note(r store.Refusal) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at := minutes.floor(r.At); at != l.minute {
		l.minute, l.all = at, 0
		clear(l.alike)
	}
	kind := [2]string{r.Tenant, r.Code}
	if l.alike[kind] >= mostAlike || l.all >= mostRefused {
		return
	}
	l.alike[kind]++
	l.all++
	l.kept = append(l.kept, r)
}

// Flush keeps what was taken down. What cannot be kept is lost: it is in the log.
func (l *Refusals) Flush(ctx context.Context, now message.Time) error {
	l.mu.Lock()
	kept := l.kept
	l.kept = nil
	l.mu.Unlock()
	if len(kept) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settling)
	defer cancel()
	if err := l.store.AddRefusals(ctx, now, kept...); err != nil {
		return fmt.Errorf("stats: %d refusals are lost: %w", len(kept), err)
	}
	return nil
}

// RefusedFilter says which refusals are looked for.
type RefusedFilter struct {
	Tenant   string
	Code     string // of the request, or of one of its values
	Request  string // its id, which the answer said
	From, To time.Time
	Limit    int    // 1 to 100; 0 is 50
	After    string // the next of the page before
}

const (
	defaultRefused = 50
	maxRefused     = 100
	maxLooked      = 1000 // at refusals, in one call
)

// Refused finds requests that were refused in the last 7 days, the newest first, and where the next page
// begins. A page may be short and not be the last. A tenant's key finds its own.
func (s *Stats) Refused(ctx context.Context, p tenant.Principal, f RefusedFilter) ([]store.Refusal, string, error) {
	if !p.May(tenant.Read) && !p.May(tenant.Operate) {
		return nil, "", problem.New(problem.Forbidden, "this needs a key with the scope read or operate")
	}
	in, err := f.check(p, s.now())
	if err != nil {
		return nil, "", err
	}
	out := []store.Refusal{}
	for looked, before := 0, f.After; ; {
		page, err := s.Store.Refusals(ctx, p, f.Tenant, in, before, maxRefused)
		if err != nil {
			return nil, "", problem.New(problem.Unavailable, "the refused requests cannot be read right now").Because(err)
		}
		for i := range page {
			before = page[i].Place()
			looked++
			if f.Request != "" && page[i].Request != f.Request {
				continue
			}
			if f.Code != "" && page[i].Code != f.Code && !slices.ContainsFunc(page[i].Fields, func(v store.Faulty) bool { return v.Code == f.Code }) {
				continue
			}
			if out = append(out, page[i]); len(out) == f.Limit {
				return out, before, nil
			}
		}
		if len(page) < maxRefused {
			if len(out) == 0 && f.After == "" && p.May(tenant.Operate) {
				err = s.known(ctx, f.Tenant, "", "")
			}
			return out, "", err
		}
		if looked >= maxLooked {
			return out, before, nil
		}
	}
}

func (f *RefusedFilter) check(p tenant.Principal, now message.Time) (store.Range, error) {
	var faults []problem.Field
	bad := func(name string, code problem.Code, format string, args ...any) {
		faults = append(faults, problem.At("query:"+name, code, format, args...))
	}
	if f.Tenant == "" && !p.May(tenant.Operate) {
		f.Tenant = p.Tenant
	}
	switch {
	case f.Tenant != "" && !tenant.ValidName(f.Tenant):
		bad("tenant", problem.BadValue, "a tenant's name has 1 to 32 lower-case letters, digits and -")
	case !p.Sees(f.Tenant):
		bad("tenant", problem.UnknownTenant, "there is no such tenant for this key; leave tenant out to see its own")
	}
	if f.Limit == 0 {
		f.Limit = defaultRefused
	}
	if f.Limit < 1 || f.Limit > maxRefused {
		bad("limit", problem.BadValue, "limit must be 1 to %d", maxRefused)
	}
	if f.Code != "" && !slices.ContainsFunc(problem.Kinds(), func(k problem.Kind) bool { return string(k.Code) == f.Code }) {
		bad("code", problem.BadValue, "there is no such code; docs/errors.md lists them")
	}
	if f.After != "" && !store.IsPlace(f.After) {
		bad("after", problem.BadValue, "after must be the next of an earlier answer; leave it out to begin")
	}
	in := store.Range{From: now.Add(-store.KeepRefusals), To: now.Add(settled)}
	if !f.From.IsZero() {
		in.From = max(in.From, message.At(f.From))
	}
	if !f.To.IsZero() {
		in.To = min(in.To, message.At(f.To))
	}
	if f.Request != "" {
		ulid, ok := strings.CutPrefix(f.Request, "req_")
		at := message.ULIDTime(ulid) // it was named when it came
		if in.From, in.To = max(in.From, at.Add(-time.Minute)), min(in.To, at.Add(time.Minute)); !ok || len(ulid) != 26 {
			bad("request", problem.BadValue, "a request's id is req_ and 26 letters and digits, as its answer said")
		} else if in.From >= in.To {
			in.To = in.From + 1 // it was before the time that is asked for
		}
	}
	if in.From >= in.To {
		bad("from", problem.BadTime, "from must be before to, and to within the last 7 days")
	}
	if len(faults) > 0 {
		return in, problem.Invalid(faults...)
	}
	return in, nil
}
