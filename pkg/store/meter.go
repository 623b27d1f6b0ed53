package store

import (
	"context"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/limit"
	"github.com/opennotify/notify/pkg/message"
)

// Subject is what limits are kept of: an account, a tenant.
type Subject string

// AccountLimits are the limits of an account.
func AccountLimits(name string) Subject { return Subject("account#" + name) }

// TenantLimits are a tenant's: each kind is counted by itself, as places of a second lapse with it, while
// those of a day must not.
func TenantLimits(name string, k limit.Kind) Subject {
	return Subject("tenant#" + name + "#" + string(k))
}

// RecipientLimits are what one recipient gets over an account.
func RecipientLimits(account string, id message.ID) Subject {
	return Subject("recipient#" + account + "#" + id.Partition()[:message.PartitionLen-1])
}

// RangeLimits are what the recipients of a range get together, as phone numbers with a prefix, from a tenant.
func (s *Store) RangeLimits(tenant string, kind message.AddressKind, prefix string) Subject {
	return Subject("range#" + tenant + "#" + s.Partition(kind, prefix, 1, ""))
}

// meterKept is how long windows are kept after their end, for whoever looks at them.
const meterKept = time.Hour

// long are the kinds whose windows have items of their own.
var long = map[limit.Kind]string{limit.Hour: "h", limit.Day: "d", limit.Month: "y", limit.Span: "s"}

// meterAt is where a window is counted: the windows of a minute that begin in it share an item, so that
// those of a second and of a minute are counted by one call.
func meterAt(of Subject, w limit.Window) (k Key, urgent, others string) {
	k.PK = "l#" + string(of)
	if at, ok := long[w.Kind]; ok {
		k.SK = at + DueSort(w.From)
		return k, "u", "o"
	}
	second := int(w.From/1000) % 60
	k.SK = "m" + DueSort(w.From/60_000*60_000)
	field := fmt.Sprintf("%.1s%02d", string(w.Kind), second)
	return k, field + "u", field + "o"
}

// Meter counts n places in windows of a subject, and gives what each holds then. A call whose answer is
// lost leaves places that nobody has.
func (s *Store) Meter(ctx context.Context, of Subject, windows []limit.Window, n int, urgent bool) ([]limit.Level, error) {
	deltas := make([]Delta, 0, 2*len(windows))
	for _, w := range windows {
		key, u, o := meterAt(of, w)
		d := [2]Delta{{Key: key, Field: u}, {Key: key, Field: o}}
		for i := range d {
			d[i].Expires = seconds(w.Until.Add(meterKept))
		}
		if urgent {
			d[0].N = int64(n)
		} else {
			d[1].N = int64(n)
		}
		deltas = append(deltas, d[:]...)
	}
	sums, err := s.driver.Add(ctx, deltas...)
	if err != nil {
		return nil, fmt.Errorf("store: limits of %s: %w", of, err)
	}
	out := make([]limit.Level, len(windows))
	for i := range out {
		out[i] = limit.Level{Urgent: int(sums[2*i]), Others: int(sums[2*i+1])}
	}
	return out, nil
}

// Metered asks what some windows of a subject hold.
type Metered struct {
	Of      Subject
	Windows []limit.Window
}

// Levels reads what windows hold: for each that asks, in the order of its windows.
func (s *Store) Levels(ctx context.Context, asks ...Metered) ([][]limit.Level, error) {
	var keys []Key
	at := map[Key]int{}
	for _, a := range asks {
		for _, w := range a.Windows {
			k, _, _ := meterAt(a.Of, w)
			if _, have := at[k]; !have {
				at[k] = len(keys)
				keys = append(keys, k)
			}
		}
	}
	out := make([][]limit.Level, len(asks))
	if len(keys) == 0 {
		return out, nil
	}
	items, err := s.driver.Get(ctx, keys...)
	if err != nil {
		return nil, fmt.Errorf("store: limits: %w", err)
	}
	sums := make([]map[string]int, len(items))
	for i, it := range items {
		if it == nil {
			continue
		}
		if err := json.Unmarshal(it.Data, &sums[i]); err != nil {
			return nil, fmt.Errorf("store: limits: %w", err)
		}
	}
	for i, a := range asks {
		for _, w := range a.Windows {
			k, u, o := meterAt(a.Of, w)
			have := sums[at[k]]
			out[i] = append(out[i], limit.Level{Urgent: have[u], Others: have[o]})
		}
	}
	return out, nil
}
