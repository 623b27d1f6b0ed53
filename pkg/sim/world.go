package sim

import (
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/route"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/memory"
)

// Options say which history is lived through.
type Options struct {
	Seed uint64
	// Bug breaks the world on purpose; "" does not.
	Bug Bug
	// Calm leaves out all faults but Accidents.
	Calm bool
	// Accidents happen each at its At-th call to the outside, counted from 1; 0 is none.
	Accidents [2]Accident
	// Record keeps the history as text.
	Record bool
	// Parts is what there is beside single messages; 0 is what the seed says.
	Parts Parts
	// Without leaves things out: for the smallest history that shows something.
	Without Without
	// Count has processes count what they write, and holds the counters against the records.
	Count bool
}

// Without is what a history goes without. Bit n is fault, order or plan n.
type Without struct {
	Faults, Orders, Plans uint64
	Operators             bool
}

// Parts are what a history may have beside single messages.
type Parts uint8

// The parts.
const (
	Schedules Parts = 1 << iota
	Campaigns
	Redrives // of many at once, where many die
	Outages  // an account that does nothing for a while
	Caps     // on what one person gets, and numbers together
	Budgets  // of a tenant: a day's messages, a month's money
	Erasures // of people, while messages to them are on their way
)

// partsOf is what a seed has: most have none, for they cost.
func partsOf(seed uint64) Parts {
	switch n := rand.New(rand.NewPCG(seed, 4)).IntN(128); {
	case n < 7:
		return Schedules
	case n < 14:
		return Campaigns
	case n < 18:
		return Redrives
	case n < 19:
		return Outages
	case n < 23:
		return Caps
	case n < 27:
		return Budgets
	case n < 29:
		return Erasures
	}
	return 0
}

// Result is what came of a history.
type Result struct {
	Seed       uint64
	Hash       uint64 // of everything that happened, in its order
	Violations []Violation
	History    []string // with Options.Record
	Coverage   Coverage
	Calls      int          // to the outside
	Messages   int          // that were recorded
	Ended      message.Time // on the virtual clock
}

// Violation is a promise that was not kept.
type Violation struct {
	Invariant Invariant
	Detail    string
}

// start is when histories begin.
const start = message.Time(1_767_225_600_000) // 2026-01-01

const (
	// life bounds a history after the chaos: the longest that anything waits is 72 h for a receipt.
	life = 80 * time.Hour
	// looksAfter is how much longer runs look after what was sent.
	looksAfter = 76 * time.Hour
	// maxEvents stops a world that never comes to rest: hours in which every minute finds something to do are no such.
	maxEvents = 200_000
)

type world struct {
	Options
	chance *rand.Rand // what happens
	random io.Reader  // what the use cases draw: ids, nonces, jitter
	jitter *rand.Rand
	log    *slog.Logger

	now    message.Time
	seq    uint64
	events heap
	chaos  bool
	healAt message.Time
	climate

	disk     *memory.Driver
	raw      *store.Store // without faults: what the oracle reads
	wrote    map[store.Key]message.Time
	pools    [roles]pool
	hints    []sent    // every hint that there ever was, up to a bound
	dead     []*posted // dead-letter queues
	tick     message.Time
	accounts map[string]*account
	clients  clients
	parts    Parts
	plans    plans
	timers   map[string]*armed
	objects  map[string][]byte
	numbers  map[number]number
	outage   outage
	oracle   *oracle

	repeated sums // what was added to counters and nobody heard of

	serial   int // numbers processes and copies
	calls    int
	hash     uint64
	history  []string
	coverage Coverage
}

// Run lives through one history.
func Run(o Options) Result {
	w := &world{Options: o, now: start, chaos: !o.Calm, hash: 14695981039346656037, accounts: map[string]*account{}, repeated: sums{},
		timers: map[string]*armed{}, wrote: map[store.Key]message.Time{}, objects: map[string][]byte{}, numbers: map[number]number{}, parts: cmp.Or(o.Parts, o.Bug.needs(), partsOf(o.Seed))}
	w.chance = rand.New(rand.NewPCG(o.Seed, 1))
	w.jitter = rand.New(rand.NewPCG(o.Seed, 2))
	w.random = noise{rand.New(rand.NewPCG(o.Seed, 3))}
	w.oracle = newOracle(w)
	w.log = slog.New(ears{w.oracle})
	w.disk = memory.New()
	w.climate = newClimate(w)
	w.found()
	w.disk.Watch(w.changed)
	w.clients.begin(w)
	w.plans.begin(w)
	w.at(w.healAt, w.heal)
	w.live()
	if len(w.oracle.violations) == 0 {
		w.oracle.quiet()
		if w.Count {
			w.oracle.tallied()
		}
		w.redriveAll()
		w.live()
		w.oracle.afterRedrive()
	}
	for i := range w.pools {
		for _, p := range w.pools[i].all {
			p.end()
		}
	}
	return Result{Seed: o.Seed, Hash: w.hash, Violations: w.oracle.violations, History: w.history, Coverage: w.coverage,
		Calls: w.calls, Messages: len(w.oracle.order), Ended: w.now}
}

// live lets events happen until there are none.
func (w *world) live() {
	end := max(w.now, w.healAt).Add(life)
	if w.parts != 0 {
		end = end.Add(looksAfter)
	}
	for n := 0; len(w.events) > 0 && len(w.oracle.violations) == 0; n++ {
		if n == maxEvents || w.events[0].at > end {
			w.oracle.violate(NoLoss, "the world does not come to rest: %d events wait at %s", len(w.events), w.now)
			return
		}
		e := w.events.pop()
		w.now = max(w.now, e.at)
		e.do()
	}
}

func (w *world) at(t message.Time, do func()) {
	w.seq++
	w.events.push(event{max(t, w.now), w.seq, do})
}

func (w *world) after(d time.Duration, do func()) { w.at(w.now.Add(d), do) }

// between draws a duration.
func (w *world) between(low, high time.Duration) time.Duration {
	return low + time.Duration(w.chance.Int64N(int64(high-low)+1))
}

func (w *world) percent(n int) bool { return w.chance.IntN(100) < n }

// nextDue is when something needs a tick.
func (w *world) nextDue() (message.Time, bool) {
	next, ok := w.disk.NextDue()
	if t := w.plans.due(); t != 0 && (!ok || t < next) {
		next, ok = t, true
	}
	if w.parts&Outages != 0 && w.now < w.healAt.Add(late) && w.oracle.owed() {
		next, ok = w.now, true
	}
	return next, ok
}

// heal ends the chaos.
func (w *world) heal() {
	w.mark("heal")
	w.chaos = false
	w.clients.heal()
	w.plans.heal()
}

// route is one as it is on the disk, for who is told of a change there.
func (w *world) route(name string) (r route.Route) {
	var doc store.Doc
	if it := w.disk.Item(store.Key{PK: "c#" + string(store.Routes), SK: name}); it != nil && json.Unmarshal(it.Data, &doc) == nil {
		_ = json.Unmarshal(doc.Body, &r)
	}
	return r
}

// changed hears of every change on the disk.
func (w *world) changed(before, after *store.Item) {
	it := after
	if it == nil {
		it = before
		w.mark("deleted", it.PK, it.SK)
	} else {
		w.mark("written", it.PK, it.SK)
		w.mix(uint64(it.Rev)<<20 ^ uint64(len(it.Data)))
	}
	w.wrote[it.Key] = w.now
	w.oracle.changed(before, after)
	if after != nil && after.DueShard != "" {
		w.wake(after.DueAt)
	}
}

// mark adds to the trace.
func (w *world) mark(what string, about ...string) {
	w.mix(uint64(w.now))
	w.mixString(what)
	for _, s := range about {
		w.mixString(s)
	}
	if w.Record {
		w.history = append(w.history, fmt.Sprintf("%12.3f %s %v", w.now.Sub(start).Seconds(), what, about))
	}
}

const prime = 1099511628211 // FNV-1a

func (w *world) mix(n uint64) { w.hash = (w.hash ^ n) * prime }

func (w *world) mixString(s string) {
	for i := range len(s) {
		w.hash = (w.hash ^ uint64(s[i])) * prime
	}
	w.hash = (w.hash ^ 0xff) * prime
}

// noise is chance as bytes.
type noise struct{ r *rand.Rand }

func (n noise) Read(b []byte) (int, error) {
	for i := 0; i < len(b); i += 8 {
		v := n.r.Uint64()
		for j := i; j < min(i+8, len(b)); j++ {
			b[j] = byte(v)
			v >>= 8
		}
	}
	return len(b), nil
}

// event is something that happens at a time; those of one time in the order in which they were asked for.
type event struct {
	at  message.Time
	seq uint64
	do  func()
}

type heap []event

func (h heap) less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].seq < h[j].seq
}

func (h *heap) push(e event) {
	*h = append(*h, e)
	a := *h
	for i := len(a) - 1; i > 0; {
		up := (i - 1) / 2
		if !a.less(i, up) {
			return
		}
		a[i], a[up] = a[up], a[i]
		i = up
	}
}

func (h *heap) pop() event {
	a := *h
	top, last := a[0], len(a)-1
	a[0] = a[last]
	a[last] = event{}
	a = a[:last]
	*h = a
	for i := 0; ; {
		low := 2*i + 1
		if low >= last {
			return top
		}
		if low+1 < last && a.less(low+1, low) {
			low++
		}
		if !a.less(low, i) {
			return top
		}
		a[i], a[low] = a[low], a[i]
		i = low
	}
}
