package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/tenant"
)

// Refusal is a request that was refused: enough to find it, and nothing of what it held.
type Refusal struct {
	At      message.Time `json:"at"`
	Request string       `json:"rq"`
	Tenant  string       `json:"t,omitzero"` // "" where the key was not known
	Key     string       `json:"k,omitzero"`
	IP      string       `json:"ip,omitzero"`
	Method  string       `json:"m"`
	Route   string       `json:"r"` // the pattern
	Status  int          `json:"s"`
	Code    string       `json:"c"`
	Fields  []Faulty     `json:"f,omitzero"`
	// Marks are what it is found by, beside its tenant and its time: RefusedTo and RefusedAs. They are not read
	// back.
	Marks []string `json:"-"`
}

// Faulty is a value that was refused.
type Faulty struct {
	Pointer string `json:"p"`
	Code    string `json:"c"`
}

// KeepRefusals is how long refusals are kept.
const KeepRefusals = 7 * 24 * time.Hour

// Place is where a refusal stands in their order, as a cursor.
func (r *Refusal) Place() string { return DueSort(r.At) + "-" + r.Request }

// Those of a tenant are a partition for each day; a list of the day has them all.
func refusalKey(tenant, day, place string) Key { return Key{"x#" + or(tenant, "-") + "#" + day, place} }

// A mark's are a partition for the time that they are kept.
func markKey(mark, place string) Key { return Key{"xm#" + mark, place} }

// RefusedTo marks a refusal of what was to go to a recipient; RefusedAs one of the caller's own id.
func (s *Store) RefusedTo(kind message.AddressKind, key string) string {
	return s.digest("refused to", string(kind), key)
}

// RefusedAs marks a refusal of what had the caller's own id.
func (s *Store) RefusedAs(reference string) string { return s.digest("refused as", reference) }

func refusalList(day string) string { return "refused#" + day }

// AddRefusals keeps refusals.
func (s *Store) AddRefusals(ctx context.Context, now message.Time, refusals ...Refusal) error {
	sequences := make([][]Op, len(refusals))
	for i := range refusals {
		r := &refusals[i]
		data, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("store: refusal: %w", err)
		}
		sequences[i] = []Op{{Cond: Always, Item: Item{Key: refusalKey(r.Tenant, Day(r.At), r.Place()), Rev: 1, Data: data,
			List: refusalList(Day(r.At)), ListSort: r.Place(), Expires: seconds(r.At.Add(KeepRefusals))}}}
		for _, mark := range r.Marks {
			sequences[i] = append(sequences[i], Op{Cond: Always, Item: Item{Key: markKey(mark, r.Place()), Rev: 1, Data: data, Expires: seconds(r.At.Add(KeepRefusals))}})
		}
	}
	if len(sequences) == 0 {
		return nil
	}
	if _, err := s.driver.Write(ctx, now, sequences...); err != nil {
		return fmt.Errorf("store: refusals: %w", err)
	}
	return nil
}

// Refusals reads those of a tenant, or everybody's for "", the newest first; before is the place that they
// all come before, "" for none. There is no more when it gives fewer than limit.
func (s *Store) Refusals(ctx context.Context, p tenant.Principal, tenant string, in Range, before string, limit int) ([]Refusal, error) {
	if !p.Sees(tenant) {
		return nil, ErrNotFound
	}
	var out []Refusal
	for _, day := range Days(in, int(KeepRefusals/(24*time.Hour))+2) {
		q := Query{Index: ByPartition, Value: refusalKey(tenant, day, "").PK, From: DueSort(in.From), To: DueSort(in.To), Desc: true}
		if before != "" && before < q.To {
			q.To = before
		}
		if q.From >= q.To {
			continue
		}
		if tenant == "" {
			q.Index, q.Value = ByList, refusalList(day)
		}
		for more := true; more && len(out) < limit; more = q.After != "" {
			q.Limit = limit - len(out)
			page, err := s.driver.Query(ctx, q)
			if err != nil {
				return nil, fmt.Errorf("store: refusals: %w", err)
			}
			if q.After = page.Next; tenant == "" {
				if page.Items, err = s.whole(ctx, page.Items); err != nil {
					return nil, fmt.Errorf("store: refusals: %w", err)
				}
			}
			for _, it := range page.Items {
				var r Refusal
				if err := json.Unmarshal(it.Data, &r); err != nil {
					return nil, fmt.Errorf("store: refusal %s: %w", it.SK, err)
				}
				out = append(out, r)
			}
		}
	}
	return out, nil
}

// The bounds of a search for refusals by one mark: others may have many more of it than who searches.
const (
	perMark   = 100 // are read at once
	markReads = 20
)

// RefusalsOf reads the newest refusals with any of some marks that the principal may know of: those of a tenant, or
// everybody's for "".
func (s *Store) RefusalsOf(ctx context.Context, p tenant.Principal, tenant string, in Range, limit int, marks ...string) ([]Refusal, error) {
	found := map[string]Refusal{}
	for _, mark := range marks {
		q := Query{Index: ByPartition, Value: markKey(mark, "").PK, From: DueSort(in.From), Desc: true, Limit: perMark}
		if in.To > 0 {
			q.To = DueSort(in.To)
		}
		for reads, own := 0, 0; own < limit && reads < markReads; reads++ {
			page, err := s.driver.Query(ctx, q)
			if err != nil {
				return nil, fmt.Errorf("store: refusals: %w", err)
			}
			for _, it := range page.Items {
				var r Refusal
				if err := json.Unmarshal(it.Data, &r); err != nil {
					return nil, fmt.Errorf("store: refusal %s: %w", it.SK, err)
				}
				if p.Sees(r.Tenant) && (tenant == "" || r.Tenant == tenant) {
					found[r.Place()] = r
					own++
				}
			}
			if q.After = page.Next; q.After == "" {
				break
			}
		}
	}
	places := slices.Sorted(maps.Keys(found))
	slices.Reverse(places)
	out := make([]Refusal, 0, min(len(places), limit))
	for _, place := range places[:min(len(places), limit)] {
		out = append(out, found[place])
	}
	return out, nil
}

// whole reads the items of a page of keys; those that are gone are left out.
func (s *Store) whole(ctx context.Context, page []Item) ([]Item, error) {
	if len(page) == 0 {
		return nil, nil
	}
	keys := make([]Key, len(page))
	for i, it := range page {
		keys[i] = it.Key
	}
	items, err := s.driver.Get(ctx, keys...)
	if err != nil {
		return nil, err
	}
	out := make([]Item, 0, len(items))
	for _, it := range items {
		if it != nil {
			out = append(out, *it)
		}
	}
	return out, nil
}

// IsPlace tells whether a text from outside can be a refusal's place.
func IsPlace(s string) bool {
	at, request, ok := strings.Cut(s, "-")
	return ok && len(at) == 14 && strings.Trim(at, "0123456789") == "" && len(request) <= 40 && strings.Trim(request, alphabet+"_ilou") == ""
}
