package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/tenant"
)

// Cell is what is counted together. What does not apply is "".
type Cell struct {
	Tenant   string `json:"t,omitzero"`
	Channel  string `json:"c,omitzero"`
	Account  string `json:"a,omitzero"`
	Template string `json:"p,omitzero"`
}

// Tally is the counters of a cell in one minute. Many processes add to it.
type Tally struct {
	Cell
	Minute message.Time // its beginning
	Fields map[string]int64
}

// KeepTallies is how long tallies are kept. They are folded into figures long before.
const KeepTallies = 48 * time.Hour

// The tallies of an hour are spread over shards, of which a process writes to one: neither a busy hour nor
// a busy tenant is one hot item.
func tallyKey(t *Tally, shard int) Key {
	at := t.Minute.Std()
	return Key{"n#" + at.Format("2006010215") + "#" + strconv.Itoa(shard),
		at.Format("04") + "#" + strings.Join([]string{t.Tenant, t.Channel, t.Account, t.Template}, "#")}
}

// Count adds to tallies: one call of the driver, which updates one item for each of them. After an error
// some may have been counted.
func (s *Store) Count(ctx context.Context, p tenant.Principal, process uint32, tallies ...Tally) error {
	shard := int(process % uint32(s.opts.ListShards))
	var deltas []Delta
	for i := range tallies {
		t := &tallies[i]
		if !p.Sees(t.Tenant) {
			return ErrNotFound
		}
		key, until := tallyKey(t, shard), seconds(t.Minute.Add(KeepTallies))
		for _, field := range slices.Sorted(maps.Keys(t.Fields)) {
			deltas = append(deltas, Delta{Key: key, Field: field, N: t.Fields[field], Expires: until})
		}
	}
	if _, err := s.driver.Add(ctx, deltas...); err != nil {
		return fmt.Errorf("store: count: %w", err)
	}
	return nil
}

// Tallies reads all that was counted in the minutes from From to To, whosever it is; a cell may come several
// times.
func (s *Store) Tallies(ctx context.Context, p tenant.Principal, in Range) ([]Tally, error) {
	if !p.Sees("") {
		return nil, ErrNotFound
	}
	var out []Tally
	for hour := in.From.Std().Truncate(time.Hour); message.At(hour) < in.To; hour = hour.Add(time.Hour) {
		q := Query{Index: ByPartition, Limit: 1000}
		if at := message.At(hour); at < in.From {
			q.From = in.From.Std().Format("04")
		}
		if end := message.At(hour.Add(time.Hour)); end > in.To {
			q.To = in.To.Std().Format("04")
		}
		for shard := range s.opts.ListShards {
			q.Value = tallyKey(&Tally{Minute: message.At(hour)}, shard).PK
			items, err := s.all(ctx, q)
			if err != nil {
				return nil, fmt.Errorf("store: tallies: %w", err)
			}
			for i := range items {
				t, err := readTally(&items[i], hour)
				if err != nil {
					return nil, err
				}
				out = append(out, t)
			}
		}
	}
	return out, nil
}

func readTally(it *Item, hour time.Time) (Tally, error) {
	parts := strings.Split(it.SK, "#")
	minute, err := strconv.Atoi(parts[0])
	if err != nil || len(parts) != 5 {
		return Tally{}, fmt.Errorf("store: tally %s %s: not one", it.PK, it.SK)
	}
	t := Tally{Cell: Cell{parts[1], parts[2], parts[3], parts[4]}, Minute: message.At(hour.Add(time.Duration(minute) * time.Minute))}
	if err := json.Unmarshal(it.Data, &t.Fields); err != nil {
		return t, fmt.Errorf("store: tally %s %s: %w", it.PK, it.SK, err)
	}
	return t, nil
}

// Figures is what was counted for a tenant, or for all of them, in a span of time: tallies folded into what
// is read.
type Figures struct {
	Tenant string // "" is all
	Span   string // minute, hour, day: they are kept apart
	At     message.Time
	Data   []byte
	Until  message.Time // when they may be removed
}

// No tenant's name has a star.
func figuresKey(tenant, span string, at message.Time) Key {
	return Key{"f#" + span + "#" + or(tenant, "*"), at.Std().Format("200601021504")}
}

// PutFigures keeps figures, in place of those that were there.
func (s *Store) PutFigures(ctx context.Context, p tenant.Principal, now message.Time, figures ...Figures) error {
	sequences := make([][]Op, len(figures))
	for i, f := range figures {
		if !p.Sees(f.Tenant) {
			return ErrNotFound
		}
		sequences[i] = []Op{{Cond: Always, Item: Item{Key: figuresKey(f.Tenant, f.Span, f.At), Rev: int64(now), Data: f.Data, Expires: seconds(f.Until)}}}
	}
	if len(sequences) == 0 {
		return nil
	}
	if _, err := s.driver.Write(ctx, now, sequences...); err != nil {
		return fmt.Errorf("store: figures: %w", err)
	}
	return nil
}

// FiguresOf reads the figures of a tenant, or of all for "", in the order of time.
func (s *Store) FiguresOf(ctx context.Context, p tenant.Principal, tenant, span string, in Range) ([]Figures, error) {
	if !p.Sees(tenant) {
		return nil, ErrNotFound
	}
	if in.From >= in.To {
		return nil, nil
	}
	from, to := figuresKey(tenant, span, in.From), figuresKey(tenant, span, in.To)
	items, err := s.all(ctx, Query{Index: ByPartition, Value: from.PK, From: from.SK, To: to.SK, Limit: 1000})
	if err != nil {
		return nil, fmt.Errorf("store: figures: %w", err)
	}
	out := make([]Figures, len(items))
	for i, it := range items {
		at, err := time.Parse("200601021504", it.SK)
		if err != nil {
			return nil, fmt.Errorf("store: figures %s %s: %w", it.PK, it.SK, err)
		}
		out[i] = Figures{Tenant: tenant, Span: span, At: message.At(at), Data: it.Data}
	}
	return out, nil
}

var foldedKey = Key{"f#folded", "minute"}

// Folded tells up to when tallies were folded into figures; 0 when none ever was.
func (s *Store) Folded(ctx context.Context) (message.Time, error) {
	items, err := s.driver.Get(ctx, foldedKey)
	if err != nil || items[0] == nil {
		return 0, err
	}
	return message.Time(items[0].Rev), nil
}

// SetFolded says up to when tallies were folded.
func (s *Store) SetFolded(ctx context.Context, now, until message.Time) error {
	_, err := s.driver.Write(ctx, now, []Op{{Cond: Always, Item: Item{Key: foldedKey, Rev: int64(until), Data: []byte("{}")}}})
	return err
}
