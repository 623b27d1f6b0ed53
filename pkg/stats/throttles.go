package stats

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/telemetry"
	"github.com/opennotify/notify/pkg/tenant"
)

// Throttle is a second in which an account's messages were put off, by its limit or by its provider, and who
// held what there was of it. It is made of the counters: it costs a message nothing.
type Throttle struct {
	Account string       `json:"-"`
	At      message.Time `json:"at"`
	// Called is how many calls were made in it, PutOff how many messages had to wait, and Refused how many of
	// those calls the provider refused because there were too many.
	Called  int64 `json:"c,omitzero"`
	PutOff  int64 `json:"w,omitzero"`
	Refused int64 `json:"r,omitzero"`
	// Tenants and Templates are those with the most calls, Waiting the tenants with the most messages put off.
	Tenants   []Holder `json:"t,omitzero"`
	Templates []Holder `json:"p,omitzero"`
	Waiting   []Holder `json:"q,omitzero"`
}

// Holder is a part of a second.
type Holder struct {
	Name string `json:"n"`
	N    int64  `json:"c"`
}

const (
	// holders is how many of each kind are told of a second.
	holders = 5
	// maxThrottled bounds the time of one question.
	maxThrottled = 6 * time.Hour
	mostSeconds  = 500
	fewSeconds   = 100
)

// throttles finds the seconds of a minute in which an account's messages were put off.
func throttles(minute message.Time, tallies []store.Tally) []Throttle {
	type second struct {
		account string
		n       int
	}
	type part struct {
		Throttle
		tenants, templates, waiting map[string]int64
	}
	found := map[second]*part{}
	each := func(do func(t *store.Tally, name string, at second, n int64)) {
		for i := range tallies {
			t := &tallies[i]
			if t.Account == "" {
				continue
			}
			for field, n := range t.Fields {
				if name, s := readSlot(field); s >= 0 {
					do(t, name, second{t.Account, s}, n)
				}
			}
		}
	}
	each(func(_ *store.Tally, name string, at second, _ int64) {
		if (name == telemetry.Throttled || name == telemetry.PushedBack) && found[at] == nil {
			found[at] = &part{Throttle{Account: at.account, At: minute.Add(time.Duration(at.n) * time.Second)}, map[string]int64{}, map[string]int64{}, map[string]int64{}}
		}
	})
	if len(found) == 0 {
		return nil
	}
	each(func(t *store.Tally, name string, at second, n int64) {
		p := found[at]
		if p == nil {
			return
		}
		switch name {
		case telemetry.Called:
			p.Called += n
			p.tenants[t.Tenant] += n
			p.templates[t.Template] += n
		case telemetry.Throttled:
			p.PutOff += n
			p.waiting[t.Tenant] += n
		case telemetry.PushedBack:
			p.Refused += n
		}
	})
	out := make([]Throttle, 0, len(found))
	for _, p := range found {
		p.Tenants, p.Templates, p.Waiting = top(p.tenants), top(p.templates), top(p.waiting)
		out = append(out, p.Throttle)
	}
	slices.SortFunc(out, byTime)
	return out
}

func byTime(a, b Throttle) int {
	return cmp.Or(cmp.Compare(a.At, b.At), strings.Compare(a.Account, b.Account))
}

// top are the largest.
func top(by map[string]int64) []Holder {
	names := slices.SortedFunc(maps.Keys(by), func(x, y string) int { return cmp.Or(cmp.Compare(by[y], by[x]), strings.Compare(x, y)) })
	var out []Holder
	for _, name := range names[:min(len(names), holders)] {
		out = append(out, Holder{name, by[name]})
	}
	return out
}

// keep writes the ledger of a minute: a record for each account that had such a second.
func (s *Stats) keep(ctx context.Context, now, minute message.Time, tallies []store.Tally) error {
	byAccount := map[string][]Throttle{}
	for _, t := range throttles(minute, tallies) {
		byAccount[t.Account] = append(byAccount[t.Account], t)
	}
	var records []store.Throttles
	for _, name := range slices.Sorted(maps.Keys(byAccount)) {
		data, err := json.Marshal(byAccount[name])
		if err != nil {
			return fmt.Errorf("stats: throttles of %s: %w", name, err)
		}
		records = append(records, store.Throttles{Account: name, Minute: minute, Data: data})
	}
	return s.Store.PutThrottles(ctx, s.as, now, records...)
}

// ThrottleQuery says which seconds are asked for. What is zero does not narrow, or has a default.
type ThrottleQuery struct {
	From, To time.Time // an hour up to now
	Account  string
	Limit    int // 1 to 500 seconds, the newest first; 0 is 100
}

// Ledger is the answer: all seconds are summed up, the newest are told.
type Ledger struct {
	From, To                    message.Time
	Seconds                     int
	PutOff, Refused             int64
	Tenants, Templates, Waiting []Holder
	Items                       []Throttle
}

// Throttles tells in which seconds accounts' messages were put off, and who held the quota.
func (s *Stats) Throttles(ctx context.Context, p tenant.Principal, q ThrottleQuery) (*Ledger, error) {
	if !p.May(tenant.Operate) {
		return nil, problem.New(problem.Forbidden, "this needs a key with the scope operate: it names other tenants")
	}
	now := s.now()
	in, err := q.check(now)
	if err != nil {
		return nil, err
	}
	all, err := s.throttled(ctx, in, q.Account, now)
	if err != nil {
		return nil, problem.New(problem.Unavailable, "the ledger cannot be read right now").Because(err)
	}
	if len(all) == 0 {
		if err := s.known(ctx, "", "", q.Account); err != nil {
			return nil, err
		}
	}
	out := &Ledger{From: in.From, To: in.To, Seconds: len(all)}
	tenants, templates, waiting := map[string]int64{}, map[string]int64{}, map[string]int64{}
	for _, t := range all {
		out.PutOff += t.PutOff
		out.Refused += t.Refused
		for to, from := range map[*map[string]int64][]Holder{&tenants: t.Tenants, &templates: t.Templates, &waiting: t.Waiting} {
			for _, h := range from {
				(*to)[h.Name] += h.N
			}
		}
	}
	out.Tenants, out.Templates, out.Waiting = top(tenants), top(templates), top(waiting)
	slices.Reverse(all)
	out.Items = all[:min(len(all), q.Limit)]
	return out, nil
}

// throttled reads the ledger, and makes what is not folded yet.
func (s *Stats) throttled(ctx context.Context, in store.Range, account string, now message.Time) ([]Throttle, error) {
	folded, err := s.Store.Folded(ctx)
	if err != nil {
		return nil, err
	}
	edge := min(max(folded, in.From), in.To)
	records, err := s.Store.ThrottlesOf(ctx, s.as, store.Range{From: in.From, To: edge})
	if err != nil {
		return nil, err
	}
	var out []Throttle
	for _, r := range records {
		var some []Throttle
		if err := json.Unmarshal(r.Data, &some); err != nil {
			return nil, fmt.Errorf("stats: throttles of %s: %w", r.Account, err)
		}
		for i := range some {
			some[i].Account = r.Account
		}
		out = append(out, some...)
	}
	if edge < in.To {
		tallies, err := s.Store.Tallies(ctx, s.as, store.Range{From: max(edge, hours.floor(now.Add(-store.KeepTallies))), To: in.To})
		if err != nil {
			return nil, err
		}
		byMinute := map[message.Time][]store.Tally{}
		for _, t := range tallies {
			byMinute[t.Minute] = append(byMinute[t.Minute], t)
		}
		for at, some := range byMinute {
			out = append(out, throttles(at, some)...)
		}
	}
	out = slices.DeleteFunc(out, func(t Throttle) bool {
		return t.At < in.From || t.At >= in.To || account != "" && t.Account != account
	})
	slices.SortFunc(out, byTime)
	return out, nil
}

func (q *ThrottleQuery) check(now message.Time) (store.Range, error) {
	var faults []problem.Field
	bad := func(name string, code problem.Code, format string, args ...any) {
		faults = append(faults, problem.At("query:"+name, code, format, args...))
	}
	if q.Limit == 0 {
		q.Limit = fewSeconds
	}
	if q.Limit < 1 || q.Limit > mostSeconds {
		bad("limit", problem.BadValue, "limit must be 1 to %d", mostSeconds)
	}
	if q.Account != "" && !tenant.ValidName(q.Account) {
		bad("account", problem.BadValue, "an account's name has 1 to 32 lower-case letters, digits and -")
	}
	in := store.Range{To: minutes.ceil(now + 1)}
	if !q.To.IsZero() {
		in.To = min(in.To, minutes.ceil(message.At(q.To)))
	}
	in.From = in.To.Add(-time.Hour)
	if !q.From.IsZero() {
		in.From = minutes.floor(message.At(q.From))
	}
	switch {
	case in.From >= in.To:
		bad("from", problem.BadTime, "from must be before to, and not in the future")
	case in.To.Sub(in.From) > maxThrottled:
		bad("from", problem.BadTime, "at most %d hours are told at once; take a shorter time", maxThrottled/time.Hour)
	case in.From < minutes.floor(now.Add(-store.KeepThrottles)):
		bad("from", problem.BadTime, "the ledger is kept for %d days", store.KeepThrottles/day)
	}
	if len(faults) > 0 {
		return in, problem.Invalid(faults...)
	}
	return in, nil
}
