package stats

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/opennotify/notify/pkg/alarm"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// Store is what figures need of the store.
type Store interface {
	Tallies(ctx context.Context, p tenant.Principal, in store.Range) ([]store.Tally, error)
	PutFigures(ctx context.Context, p tenant.Principal, now message.Time, figures ...store.Figures) error
	FiguresOf(ctx context.Context, p tenant.Principal, tenant, span string, in store.Range) ([]store.Figures, error)
	Folded(ctx context.Context) (message.Time, error)
	SetFolded(ctx context.Context, now, until message.Time) error
	PutThrottles(ctx context.Context, p tenant.Principal, now message.Time, ledgers ...store.Throttles) error
	ThrottlesOf(ctx context.Context, p tenant.Principal, in store.Range) ([]store.Throttles, error)
	Refusals(ctx context.Context, p tenant.Principal, tenant string, in store.Range, before string, limit int) ([]store.Refusal, error)
}

// Ports is everything that figures need.
type Ports struct {
	Store Store
	// Known refuses names that never were anybody's, where nothing was counted; nil takes each for known.
	Known func(ctx context.Context, where, tenant string, ch message.Channel, account string) error
	Now   func() time.Time
	Log   *slog.Logger
	// Watch says what alarms are about besides. Gauges is what they are about that is not counted; nil where that is
	// measured elsewhere.
	Watch  alarm.Options
	Gauges *Gauges
}

// Stats folds and tells figures.
type Stats struct {
	Ports
	as tenant.Principal
}

// New checks that nothing is missing.
func New(p Ports) (*Stats, error) {
	if p.Store == nil || p.Now == nil || p.Log == nil {
		return nil, errors.New("stats: a port is missing")
	}
	return &Stats{p, tenant.System("stats")}, nil
}

func (s *Stats) now() message.Time { return message.At(s.Now()) }

// span is how long a figure is for, and how long it is kept.
type span struct {
	name string
	long time.Duration
	keep time.Duration
}

const day = 24 * time.Hour

// The spans. Days are those of UTC.
var (
	minutes = span{"minute", time.Minute, store.KeepTallies}
	hours   = span{"hour", time.Hour, 60 * day}
	days    = span{"day", day, 400 * day}
)

func (sp span) floor(t message.Time) message.Time { return message.At(t.Std().Truncate(sp.long)) }

func (sp span) ceil(t message.Time) message.Time { return sp.floor(t.Add(sp.long - time.Millisecond)) }

const (
	// settled is how old a minute is when it is folded: no process's counts come later, whatever its clock.
	settled = 5 * time.Minute
	// batch bounds what is folded before it is written down that it is.
	batch = time.Hour
)

// Fold makes figures of the minutes that are over, and of the hours and days that end with them. Several may
// fold at once, and one that is cut off is begun again: what is folded twice is the same.
func (s *Stats) Fold(ctx context.Context) error {
	now := s.now()
	from, err := s.Store.Folded(ctx)
	if err != nil {
		return err
	}
	// What has no tallies any more is not folded.
	from = max(from, hours.ceil(now.Add(time.Hour-store.KeepTallies)))
	for until := minutes.floor(now.Add(-settled)); from < until; {
		to := min(hours.floor(from.Add(batch)), until)
		if err := s.foldMinutes(ctx, now, from, to); err != nil {
			return err
		}
		for _, up := range [][2]span{{hours, minutes}, {days, hours}} {
			if end := up[0].floor(to); end > from && end == to {
				if err := s.foldUp(ctx, now, up[0], up[1], to); err != nil {
					return err
				}
			}
		}
		if err := s.Store.SetFolded(ctx, now, to); err != nil {
			return err
		}
		from = to
	}
	return nil
}

func (s *Stats) foldMinutes(ctx context.Context, now, from, to message.Time) error {
	tallies, err := s.Store.Tallies(ctx, s.as, store.Range{From: from, To: to})
	if err != nil {
		return err
	}
	byMinute := map[message.Time][]store.Tally{}
	for _, t := range tallies {
		byMinute[t.Minute] = append(byMinute[t.Minute], t)
	}
	for at := from; at < to; at = at.Add(time.Minute) {
		all := byMinute[at]
		if len(all) == 0 {
			continue
		}
		byTenant := map[string][]store.Tally{"": all}
		for _, t := range all {
			if t.Tenant != "" {
				byTenant[t.Tenant] = append(byTenant[t.Tenant], t)
			}
		}
		sheets := make(map[string]sheet, len(byTenant))
		for name, some := range byTenant {
			sheets[name] = fold(some, most(name))
		}
		if err := s.put(ctx, now, minutes, at, sheets); err != nil {
			return err
		}
		if err := s.keep(ctx, now, at, all); err != nil {
			return err
		}
	}
	return nil
}

// foldUp makes the figures of the span that ends at to of those of the shorter spans in it.
func (s *Stats) foldUp(ctx context.Context, now message.Time, up, of span, to message.Time) error {
	in := store.Range{From: to.Add(-up.long), To: to}
	all, err := s.read(ctx, "", of, in)
	if err != nil || len(all) == 0 {
		return err
	}
	whole := sum(sheetsOf(all), most(""))
	sheets := map[string]sheet{"": whole}
	for _, name := range whole.tenants() {
		if name == "" {
			continue
		}
		some, err := s.read(ctx, name, of, in)
		if err != nil {
			return err
		}
		sheets[name] = sum(sheetsOf(some), most(name))
	}
	return s.put(ctx, now, up, in.From, sheets)
}

func most(tenant string) int {
	if tenant == "" {
		return maxAllRows
	}
	return maxRows
}

func (s *Stats) put(ctx context.Context, now message.Time, sp span, at message.Time, sheets map[string]sheet) error {
	figures := make([]store.Figures, 0, len(sheets))
	for _, name := range slices.Sorted(maps.Keys(sheets)) {
		data, err := sheets[name].encode()
		if err != nil {
			return err
		}
		figures = append(figures, store.Figures{Tenant: name, Span: sp.name, At: at, Data: data, Until: at.Add(sp.keep)})
	}
	return s.Store.PutFigures(ctx, s.as, now, figures...)
}

// dated is a sheet with the beginning of its span.
type dated struct {
	at message.Time
	sheet
}

func sheetsOf(all []dated) []sheet {
	out := make([]sheet, len(all))
	for i := range all {
		out[i] = all[i].sheet
	}
	return out
}

// read gives what was folded of a tenant, or of all for "".
func (s *Stats) read(ctx context.Context, name string, sp span, in store.Range) ([]dated, error) {
	figures, err := s.Store.FiguresOf(ctx, s.as, name, sp.name, in)
	if err != nil {
		return nil, err
	}
	out := make([]dated, len(figures))
	for i, f := range figures {
		out[i].at = f.At
		if out[i].sheet, err = readSheet(f); err != nil {
			return nil, err
		}
	}
	return out, nil
}
