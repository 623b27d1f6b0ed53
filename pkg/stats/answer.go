package stats

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/telemetry"
	"github.com/opennotify/notify/pkg/tenant"
)

// Answer is the figures that were asked for.
type Answer struct {
	From, To message.Time
	AsOf     message.Time // counts come in for some seconds more
	Step, By string
	Total    Group
	Groups   []Group // the largest first
	// Other is what is in none of the groups; nil without groups.
	Other *Group
}

// Group is the figures of one tenant, channel, … or of all.
type Group struct {
	Name   string
	Counts map[string]int64
	// Peaks is the second in which most was counted, of accepted, sent and throttled: where minutes are
	// asked for, and no more than one thing narrows the group.
	Peaks             map[string]Peak
	Failure, Delivery Rate
	Points            []Point // those in which something was counted, in the order of time
}

// Point is the figures of one step.
type Point struct {
	At     message.Time // its beginning
	Counts map[string]int64
	Peaks  map[string]Peak
}

// Peak is a second.
type Peak struct {
	At message.Time
	N  int64
}

// Rate is a part of something.
type Rate struct {
	Value float64 // 0 to 1
	Of    int64
	// TooFew tells that Of is too small for the value to mean much.
	TooFew bool
}

// fewest is what a rate is of at least, to mean something.
const fewest = 50

// Read tells figures. A tenant's key is told of its own only.
func (s *Stats) Read(ctx context.Context, p tenant.Principal, q Query) (*Answer, error) {
	if !p.May(tenant.Read) && !p.May(tenant.Operate) {
		return nil, problem.New(problem.Forbidden, "this needs a key with the scope read or operate")
	}
	now := s.now()
	a, err := q.check(p, now)
	if err != nil {
		return nil, err
	}
	sheets, err := s.gather(ctx, a.filter.Tenant, a.span, store.Range{From: a.span.floor(a.in.From), To: a.in.To}, now)
	if err != nil {
		return nil, problem.New(problem.Unavailable, "the figures cannot be read right now").Because(err)
	}
	if a.zone != nil {
		for i := range sheets {
			sheets[i].at = a.floor(sheets[i].at)
		}
	}
	out := &Answer{From: a.in.From, To: a.in.To, AsOf: now, Step: a.step(), By: a.by, Total: a.total(sheets).group("")}
	if len(out.Total.Counts) == 0 && p.May(tenant.Operate) {
		if err := s.known(ctx, q.Tenant, q.Channel, q.Account); err != nil {
			return nil, err
		}
	}
	switch a.by {
	case "":
	case ByStatus:
		out.Groups = byStatus(out.Total)
	default:
		out.Groups, out.Other = a.groups(sheets)
	}
	return out, nil
}

// known refuses a name that never was anybody's: zeros would say that all is quiet.
func (s *Stats) known(ctx context.Context, owner, channel, account string) error {
	if s.Known == nil {
		return nil
	}
	return s.Known(ctx, "query:", owner, message.Channel(channel), account)
}

// gather gives the sheets of a tenant, or of all for "": those that were folded, and the rest made of what
// is shorter.
func (s *Stats) gather(ctx context.Context, name string, sp span, in store.Range, now message.Time) ([]dated, error) {
	folded, err := s.Store.Folded(ctx)
	if err != nil {
		return nil, err
	}
	edge := min(max(sp.floor(folded), in.From), in.To)
	out, err := s.read(ctx, name, sp, store.Range{From: in.From, To: edge})
	if err != nil || edge == in.To {
		return out, err
	}
	rest := store.Range{From: edge, To: in.To}
	if sp == minutes {
		live, err := s.live(ctx, name, rest, now)
		return append(out, live...), err
	}
	shorter := minutes
	if sp == days {
		shorter = hours
	}
	parts, err := s.gather(ctx, name, shorter, rest, now)
	for len(parts) > 0 {
		at := sp.floor(parts[0].at)
		n := slices.IndexFunc(parts, func(d dated) bool { return sp.floor(d.at) != at })
		if n < 0 {
			n = len(parts)
		}
		out = append(out, dated{at, sum(sheetsOf(parts[:n]), most(name))})
		parts = parts[n:]
	}
	return out, err
}

// live makes sheets of minutes that are not folded yet.
func (s *Stats) live(ctx context.Context, name string, in store.Range, now message.Time) ([]dated, error) {
	in.From = max(in.From, hours.floor(now.Add(-store.KeepTallies)))
	in.To = min(in.To, minutes.ceil(now.Add(settled))) // another's clock may be ahead
	tallies, err := s.Store.Tallies(ctx, s.as, in)
	if err != nil {
		return nil, err
	}
	byMinute := map[message.Time][]store.Tally{}
	for _, t := range tallies {
		if name == "" || t.Tenant == name {
			byMinute[t.Minute] = append(byMinute[t.Minute], t)
		}
	}
	var out []dated
	for _, at := range slices.Sorted(maps.Keys(byMinute)) {
		out = append(out, dated{at, fold(byMinute[at], most(name))})
	}
	return out, nil
}

// part is figures on the way to a group.
type part struct{ points map[message.Time]*Point }

func (p *part) at(t message.Time) *Point {
	if p.points == nil {
		p.points = map[message.Time]*Point{}
	}
	if p.points[t] == nil {
		p.points[t] = &Point{At: t, Counts: map[string]int64{}}
	}
	return p.points[t]
}

func (p *part) add(t message.Time, counts map[string]int64) {
	to := p.at(t).Counts
	for name, n := range counts {
		to[name] += n
	}
}

// peak adds the peaks that sheets have.
func (p *part) peak(sheets []dated, a *asked, by, value string) {
	key, ok := a.peaks(by, value)
	for _, d := range sheets {
		to := p.points[d.at]
		if to == nil || !ok {
			continue
		}
		for name, top := range d.Peaks[key] {
			if to.Peaks == nil {
				to.Peaks = map[string]Peak{}
			}
			to.Peaks[name] = Peak{d.at.Add(time.Duration(top.Second) * time.Second), top.N}
		}
	}
}

// group sums a part up.
func (p *part) group(name string) Group {
	g := Group{Name: name, Counts: map[string]int64{}}
	for _, at := range slices.Sorted(maps.Keys(p.points)) {
		point := *p.points[at]
		g.Points = append(g.Points, point)
		for name, n := range point.Counts {
			g.Counts[name] += n
		}
		for name, top := range point.Peaks {
			if g.Peaks == nil {
				g.Peaks = map[string]Peak{}
			}
			if top.N > g.Peaks[name].N {
				g.Peaks[name] = top
			}
		}
	}
	lost := g.Counts[string(message.Failed)] + g.Counts[string(message.Dead)]
	g.Failure = rate(lost, g.Counts[string(message.Sent)]+lost)
	g.Delivery = rate(g.Counts[string(message.Delivered)], g.Counts[telemetry.Tracked])
	return g
}

// rate is rounded to hundredths of a percent. What is delivered now may have been sent before, so it can be
// more than all.
func rate(n, of int64) Rate {
	r := Rate{Of: of, TooFew: of < fewest}
	if of > 0 {
		r.Value = math.Round(min(float64(n)/float64(of), 1)*1e4) / 1e4
	}
	return r
}

// matches tells whether a row is asked for.
func (a *asked) matches(c *store.Cell) bool {
	for _, d := range dimensions {
		if want := *d.of(&a.filter); want != "" && *d.of(c) != want {
			return false
		}
	}
	return true
}

// peaks is where sheets have the peaks of what a group is narrowed to: by "" of all that is asked for. There
// are none of what is narrowed by several things. A tenant's sheets need no narrowing to the tenant.
func (a *asked) peaks(by, value string) (key string, ok bool) {
	for _, d := range dimensions {
		want := *d.of(&a.filter)
		if d.name == by {
			want = value
		}
		if want == "" || d.name == "tenant" && a.filter.Tenant != "" {
			continue
		}
		if key != "" {
			return "", false
		}
		key = d.value(want)
	}
	return key, true
}

func (a *asked) total(sheets []dated) *part {
	total := &part{}
	a.each(sheets, func(d dated, r *row) { total.add(d.at, r.N) })
	total.peak(sheets, a, "", "")
	return total
}

// groups tells the largest values of a dimension apart.
func (a *asked) groups(sheets []dated) ([]Group, *Group) {
	of := dimensions[slices.IndexFunc(dimensions, func(d dimension) bool { return d.name == a.by })].of
	volumes := map[string]int64{}
	a.each(sheets, func(_ dated, r *row) { volumes[*of(&r.Cell)] += volume(r.N) })
	delete(volumes, "")
	names := slices.SortedFunc(maps.Keys(volumes), func(x, y string) int {
		return cmp.Or(cmp.Compare(volumes[y], volumes[x]), strings.Compare(x, y))
	})
	names = names[:min(len(names), a.top)]
	parts, other := map[string]*part{}, &part{}
	for _, name := range names {
		parts[name] = &part{}
	}
	a.each(sheets, func(d dated, r *row) {
		cmp.Or(parts[*of(&r.Cell)], other).add(d.at, r.N)
	})
	out := make([]Group, len(names))
	for i, name := range names {
		parts[name].peak(sheets, a, a.by, name)
		out[i] = parts[name].group(name)
	}
	rest := other.group("")
	return out, &rest
}

func (a *asked) each(sheets []dated, do func(d dated, r *row)) {
	for _, d := range sheets {
		for i := range d.Rows {
			if r := &d.Rows[i]; a.matches(&r.Cell) {
				do(d, r)
			}
		}
	}
}

// byStatus makes a group of each counter.
func byStatus(total Group) []Group {
	var out []Group
	for name, n := range total.Counts {
		g := Group{Name: name, Counts: map[string]int64{name: n}}
		if top, ok := total.Peaks[name]; ok {
			g.Peaks = map[string]Peak{name: top}
		}
		for _, p := range total.Points {
			if p.Counts[name] == 0 {
				continue
			}
			point := Point{At: p.At, Counts: map[string]int64{name: p.Counts[name]}}
			if top, ok := p.Peaks[name]; ok {
				point.Peaks = map[string]Peak{name: top}
			}
			g.Points = append(g.Points, point)
		}
		out = append(out, g)
	}
	slices.SortFunc(out, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Counts[b.Name], a.Counts[a.Name]), strings.Compare(a.Name, b.Name))
	})
	return out
}
