package sim

import (
	"context"
	"errors"
	"iter"
	"strconv"
	"time"

	"github.com/opennotify/notify/pkg/address"
	"github.com/opennotify/notify/pkg/address/phone"
	"github.com/opennotify/notify/pkg/callback"
	"github.com/opennotify/notify/pkg/campaign"
	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/delivery"
	"github.com/opennotify/notify/pkg/intake"
	pages "github.com/opennotify/notify/pkg/job"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/operate"
	"github.com/opennotify/notify/pkg/provider/catalog"
	"github.com/opennotify/notify/pkg/receipt"
	"github.com/opennotify/notify/pkg/redrive"
	"github.com/opennotify/notify/pkg/seal"
	"github.com/opennotify/notify/pkg/stats"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/sweep"
	"github.com/opennotify/notify/pkg/telemetry"
	"github.com/opennotify/notify/pkg/wire"
	wirecallback "github.com/opennotify/notify/pkg/wire/callback"
)

// role is what a process does. As with Lambdas, each does one thing at a time.
type role int

const (
	api role = iota
	deliver
	receipts
	control
	roles
)

var roleNames = [roles]string{"api", "deliver", "receipts", "control"}

// pool is the processes of a role.
type pool struct {
	all, idle []*process
	waiting   []job
}

var poolSizes = [roles]int{3, 3, 2, 2}

// job is one invocation. Then is told whether the process died before the end.
type job struct {
	what  string
	begin func() // when a process takes it
	work  func(ctx context.Context, p *process)
	then  func(died bool)
}

// process is one running binary, with memory and a clock of its own.
type process struct {
	w    *world
	role role
	name string
	skew time.Duration
	// dead: it runs on, to its end, but nothing that it does reaches anybody.
	dead bool
	gone bool // and it has come to its end
	idle bool
	job  job
	// about is what it works on, since began.
	about message.ID
	began message.Time
	// saw is when it saw the job whose page it does.
	saw   message.Time
	yield func(struct{}) bool
	step  func() // runs it to its next pause
	stop  func()

	store    *store.Store
	counters *stats.Counters
	intake   *intake.Intake
	delivery *delivery.Delivery
	receipts *receipt.Receipts
	sweep    *sweep.Sweep
	config   *config.Source
	// Where there is more than single messages.
	campaigns *campaign.Campaigns
	jobs      *pages.Jobs
	redrive   *redrive.Redrive
	operate   *operate.Operate
}

var errDead = errors.New("sim: the process is dead")

func (w *world) newProcess(r role) *process {
	w.serial++
	p := &process{w: w, role: r, name: roleNames[r] + strconv.Itoa(w.serial)}
	if w.skew > 0 {
		p.skew = w.between(-w.skew, w.skew)
	}
	w.pools[r].all = append(w.pools[r].all, p)
	return p
}

// submit hands a job to a process that is idle, or that becomes so.
func (w *world) submit(r role, j job) {
	w.pools[r].waiting = append(w.pools[r].waiting, j)
	w.dispatch(r)
}

func (w *world) dispatch(r role) {
	for pl := &w.pools[r]; len(pl.waiting) > 0; {
		var p *process
		switch {
		case len(pl.idle) > 0:
			last := len(pl.idle) - 1 // the warmest, as platforms do
			p, pl.idle = pl.idle[last], pl.idle[:last]
		case len(pl.all) < poolSizes[r]:
			p = w.newProcess(r)
		default:
			return
		}
		j := pl.waiting[0]
		pl.waiting = pl.waiting[1:]
		w.start(p, j)
	}
}

// start runs a job on a process: on a stack of the process's own, which only pause leaves.
func (w *world) start(p *process, j job) {
	if j.begin != nil {
		j.begin()
	}
	w.mark("begins", p.name, j.what)
	p.job, p.began, p.saw, p.idle = j, w.now, 0, false
	if p.step == nil {
		next, stop := iter.Pull(p.live)
		p.stop = stop
		p.step = func() {
			if next(); p.idle || p.gone {
				w.ended(p, p.job)
			}
		}
	}
	p.step()
}

// deepen makes the stack as large as it is going to be, at once: growing step by step is a tenth of all work.
//
//go:noinline
func deepen() byte {
	var frame [24 << 10]byte
	for i := 0; i < len(frame); i += 4 << 10 {
		frame[i] = byte(i)
	}
	return frame[len(frame)/2]
}

// live is the process's stack: one job after the other, until it dies.
func (p *process) live(yield func(struct{}) bool) {
	_ = deepen()
	p.yield = yield
	ctx := context.Background()
	if err := p.boot(ctx); err != nil {
		p.w.mark("no start", p.name, err.Error())
		p.die()
	}
	for !p.dead {
		p.job.work(ctx, p)
		if !p.dead {
			_ = p.counters.Flush(ctx) // what cannot be kept is kept with the next
		}
		if p.overdue() {
			p.die()
		}
		if p.idle = !p.dead; p.idle && !yield(struct{}{}) {
			return
		}
	}
	p.gone = true
}

func (w *world) ended(p *process, j job) {
	p.about = ""
	died := p.dead
	pl := &w.pools[p.role]
	if died {
		w.mark("died", p.name, j.what)
		for i, q := range pl.all {
			if q == p {
				pl.all = append(pl.all[:i], pl.all[i+1:]...)
				break
			}
		}
	} else {
		w.mark("ends", p.name, j.what)
		pl.idle = append(pl.idle, p)
	}
	if j.then != nil {
		j.then(died)
	}
	w.after(0, func() { w.dispatch(p.role) })
}

// end unwinds a process that the world's end finds at work.
func (p *process) end() {
	p.dead = true
	if p.stop != nil {
		p.stop()
	}
}

// overdue tells whether the request took longer than its platform waits.
func (p *process) overdue() bool { return p.role == api && p.w.now.Sub(p.began) > patience }

func (p *process) die() { p.dead = true }

// pause lets others run. It tells whether the process lives on.
func (p *process) pause(d time.Duration) bool {
	if p.dead {
		return false
	}
	p.w.after(d, p.step)
	if !p.yield(struct{}{}) {
		p.dead = true
	}
	return !p.dead
}

// clock is the process's own.
func (p *process) clock() time.Time {
	if p.w.Bug == BugStoppedClock && p.role == deliver {
		return p.began.Add(p.skew).Std()
	}
	return p.w.now.Add(p.skew).Std()
}

func (p *process) now() message.Time { return message.At(p.clock()) }

// keeper wraps nothing: what is secret is not this world's question.
type keeper struct{ w *world }

func (k keeper) Generate(context.Context, string) (key, wrapped []byte, err error) {
	key = make([]byte, seal.KeySize)
	_, err = k.w.random.Read(key)
	return key, key, err
}

func (keeper) Unwrap(_ context.Context, wrapped []byte, _ string) ([]byte, error) {
	return wrapped, nil
}

// number is a phone number as it was read.
type number struct{ e164, country string }

// normalise reads a phone number: those of this world are few, and reading one takes long.
func (w *world) normalise(raw, region string) (e164, country string, err error) {
	if n, known := w.numbers[number{raw, region}]; known {
		return n.e164, n.country, nil
	}
	if e164, country, err = phone.Normalise(raw, region); err == nil {
		w.numbers[number{raw, region}] = number{e164, country}
	}
	return e164, country, err
}

// boot is a cold start: all that a binary makes before its first event.
func (p *process) boot(ctx context.Context) error {
	w := p.w
	p.counters = stats.NewCounters(p.clock, 0)
	opts := store.Options{DueShards: 2, ListShards: 1, Random: w.random}
	if w.Count {
		opts.Moved = w.Bug.moved(telemetry.Statuses{Metrics: p.counters, Receipts: receipted}.Moved)
	}
	s, err := store.Open(ctx, drive{p}, keeper{w}, p.now(), opts)
	if err != nil {
		return err
	}
	p.counters.KeepIn(s)
	p.store, p.config = s, config.New(s, p.clock, w.log)
	seen := bugged{s, p}
	if p.intake, err = intake.New(intake.Ports{Store: seen, Config: p.config, Queue: line{p}, Addresses: address.Reader{Phone: w.normalise},
		Now: p.clock, NewULID: wire.ULIDs(w.random), Providers: catalog.Open(), Metrics: telemetry.Nop{}, Log: w.log}); err != nil {
		return err
	}
	callbacks, err := callback.New(callback.Ports{Store: seen, Config: p.config, Make: p.orders(wirecallback.Make(p.intake)), Now: p.clock,
		NewULID: wire.ULIDs(w.random), Log: w.log})
	if err != nil {
		return err
	}
	if p.delivery, err = delivery.New(delivery.Ports{Store: seen, Config: documents{p.config, p}, Providers: catalog.Open(), Senders: senders{p}, Callbacks: told{callbacks, p}, Queue: line{p},
		Now: p.clock, Random: w.jitter.Float64, Metrics: telemetry.Nop{}, Log: w.log}); err != nil {
		return err
	}
	if p.receipts, err = receipt.New(receipt.Ports{Store: seen, Secrets: s, Config: p.config, Senders: senders{p}, Queue: line{p},
		Now: p.clock, Metrics: telemetry.Nop{}, Log: w.log}); err != nil {
		return err
	}
	if p.sweep, err = sweep.New(sweep.Ports{Store: seen, Queue: line{p}, Now: p.clock, Metrics: telemetry.Nop{}, Log: w.log}); err != nil || w.parts == 0 {
		return err
	}
	return p.bootPlans(seen)
}
