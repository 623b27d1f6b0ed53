package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/store"
)

// drive is the disk as a process reaches it.
type drive struct{ p *process }

func (d drive) call(what string, do func() error) error {
	w := d.p.w
	return d.p.call(what, StoreFails, StoreForgets, func() error {
		if w.throttled > w.now {
			return store.ErrThrottled
		}
		if d.p.meets(StoreThrottles) {
			w.throttled = w.now.Add(w.between(time.Second, 10*time.Minute))
			return store.ErrThrottled
		}
		return do()
	})
}

// Get implements store.Driver.
func (d drive) Get(ctx context.Context, keys ...store.Key) (out []*store.Item, err error) {
	err = d.call("get", func() (err error) {
		out, err = d.p.w.disk.Get(ctx, keys...)
		if d.p.saw == 0 && strings.HasPrefix(keys[0].PK, "j#") {
			d.p.saw = d.p.w.now
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Write implements store.Driver. Where the elements of a sequence are written one by one, as DynamoDB's are,
// anything may happen between two.
func (d drive) Write(ctx context.Context, now message.Time, sequences ...[]store.Op) ([]store.Result, error) {
	sequences = d.p.w.Bug.spoil(d.p.w.now, sequences)
	if !d.p.w.torn {
		return d.write(ctx, now, sequences...)
	}
	out := make([]store.Result, len(sequences))
	for i, seq := range sequences {
		for _, op := range seq {
			res, err := d.write(ctx, now, []store.Op{op})
			if err != nil {
				return nil, err
			}
			if res[0].Applied == 0 {
				out[i].Holder = res[0].Holder
				break
			}
			out[i].Applied++
		}
	}
	return out, nil
}

func (d drive) write(ctx context.Context, now message.Time, sequences ...[]store.Op) (out []store.Result, err error) {
	err = d.call("write", func() (err error) {
		d.p.w.purge()
		d.p.w.oracle.writes = d.p
		out, err = d.p.w.disk.Write(ctx, now, sequences...)
		if strings.HasPrefix(sequences[0][0].Item.PK, "j#") {
			d.p.saw = d.p.w.now
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Add implements store.Driver.
func (d drive) Add(ctx context.Context, deltas ...store.Delta) (sums []int64, err error) {
	err = d.call("add", func() (err error) { sums, err = d.p.w.disk.Add(ctx, deltas...); return err })
	if errors.Is(err, errForgot) {
		d.p.w.repeats(deltas)
	}
	if err != nil {
		return nil, err
	}
	return sums, nil
}

// lag is how long an index may lack what was written.
const lag = time.Minute

// Query implements store.Driver. An index other than the table's own may lag: the newest of a page is not
// there yet.
func (d drive) Query(ctx context.Context, q store.Query) (out store.Page, err error) {
	err = d.call("query", func() (err error) {
		out, err = d.p.w.disk.Query(ctx, q)
		if n := len(out.Items); q.Index != store.ByPartition && n > 0 && out.Next == "" && d.p.meets(StoreLags) && d.p.w.now.Sub(d.p.w.wrote[out.Items[n-1].Key]) < lag {
			out.Items = out.Items[:n-1]
		}
		return err
	})
	if err != nil {
		return store.Page{}, err
	}
	return out, nil
}

// Close implements store.Driver.
func (drive) Close() error { return nil }

// purge removes what has expired, where the disk does that at once.
func (w *world) purge() {
	if !w.purges {
		return
	}
	for _, e := range w.disk.Expired(int64(w.now) / 1000) {
		if !strings.HasPrefix(e.PK, "n#") { // counters are summed at the end
			w.disk.Remove(e)
		}
	}
}

// line is the queue as a process reaches it.
type line struct{ p *process }

// Send implements queue.Queue.
func (l line) Send(_ context.Context, to queue.Name, items ...queue.Item) error {
	p, w := l.p, l.p.w
	switch {
	case w.Bug == BugWrongLane && p.role == control && to != queue.Control:
		to = "nowhere-bulk"
	case w.Bug == BugDLQSkipped && strings.HasSuffix(string(to), "-dlq"):
		return nil
	}
	return p.call("send", QueueRefuses, QueueForgets, func() error {
		failed := map[int]error{}
		for i, it := range items {
			w.oracle.sent(to, it)
			if w.Bug == BugEarly && p.role == api {
				it.Delay = 0
			}
			if err := it.Check(); err != nil || p.meets(QueuePartly) {
				failed[i] = errRefused
				continue
			}
			w.enqueue(p, to, it)
		}
		if len(failed) > 0 {
			return &queue.SendError{Failed: failed}
		}
		return nil
	})
}

// posted is one copy of an item in a queue.
type posted struct {
	id       string
	to       queue.Name
	body     []byte
	receives int
	round    int // of being handed out
	done     bool
}

// sent is a hint that there was.
type sent struct {
	to   queue.Name
	body []byte
}

const visibility = 180 * time.Second

// enqueue keeps an item as often as this queue pleases.
func (w *world) enqueue(p *process, to queue.Name, it queue.Item) {
	dlq := strings.HasSuffix(string(to), "-dlq")
	hint := to != queue.Receipts && to != queue.Control
	if hint && len(w.hints) < 200 {
		w.hints = append(w.hints, sent{to, it.Body})
	}
	n := 1
	switch {
	case hint && !dlq && p.meets(QueueLoses):
		return
	case !dlq && p.meets(QueueDoubles):
		n += 1 + w.chance.IntN(2)
	}
	for range n {
		delay := it.Delay + w.between(0, time.Second)
		if p.meets(QueueDelays) {
			delay += w.between(0, 2*time.Minute)
		}
		w.put(to, it.Body, delay)
	}
}

func (w *world) put(to queue.Name, body []byte, delay time.Duration) {
	w.serial++
	c := &posted{id: strconv.Itoa(w.serial), to: to, body: body}
	if strings.HasSuffix(string(to), "-dlq") {
		w.dead = append(w.dead, c)
		return
	}
	w.after(delay, func() { w.ready(c) })
}

// ready hands a copy to a worker.
func (w *world) ready(c *posted) {
	if c.done {
		return
	}
	if c.receives >= queue.MaxReceives {
		c.done = true
		w.dead = append(w.dead, c)
		return
	}
	r := deliver
	switch {
	case c.to == queue.Receipts:
		r = receipts
	case c.to == queue.Control:
		r = control
	case strings.HasPrefix(string(c.to), "nowhere"):
		return
	}
	var again []string
	var who *process
	w.submit(r, job{
		what: string(c.to) + "/" + c.id,
		begin: func() {
			c.receives++
			c.round++
			round := c.round
			w.after(visibility, func() {
				if c.round == round {
					w.ready(c)
				}
			})
			if w.Bug == BugReceiptAckEarly && r == receipts {
				c.done = true
			}
		},
		work: func(ctx context.Context, p *process) {
			who = p
			again = p.handle(ctx, r, queue.Item{ID: c.id, Body: c.body, Receives: c.receives})
		},
		then: func(died bool) {
			if !died && len(again) == 0 && !who.meets(QueueRepeats) {
				c.done = true
			}
		},
	})
}

// named is the message that a hint names first of all.
func named(hint []byte) message.ID {
	rest, _ := bytes.CutPrefix(hint, []byte(`{"id":"`))
	id, _, _ := bytes.Cut(rest, []byte(`"`))
	return message.ID(id)
}

// aboutOf is the message that a receipt in the queue is about.
func aboutOf(body []byte) message.ID {
	var e struct {
		Receipt struct{ ID message.ID } `json:"receipt"`
	}
	if json.Unmarshal(body, &e) != nil {
		return ""
	}
	return e.Receipt.ID
}

func (p *process) handle(ctx context.Context, r role, it queue.Item) []string {
	batch := []queue.Item{it}
	switch r {
	case receipts:
		batch[0].Body = p.w.Bug.claimed(p.w, it.Body)
		p.about = aboutOf(it.Body)
		return p.receipts.Handle(ctx, batch)
	case control:
		return p.control(ctx, batch)
	}
	p.about = named(it.Body)
	return p.delivery.Handle(ctx, batch)
}

// wake sees to it that the minute's tick comes when something is due. Ticks that would find nothing by any
// clock, in any of their passes, are left out: nothing would come of them.
func (w *world) wake(due message.Time) {
	const minute = message.Time(60_000)
	t := (max(w.now+1, due) + minute - 1) / minute * minute
	if w.Bug == BugNoSweep || w.tick != 0 && w.tick <= t {
		return
	}
	w.tick = t
	w.at(t, func() {
		if w.tick != t {
			return
		}
		w.tick = 0
		if next, ok := w.nextDue(); !ok {
			return
		} else if next > t.Add(time.Minute+w.skew) {
			w.wake(next.Add(-w.skew))
			return
		}
		fires := 1
		if w.chaos { // the scheduler fires not at all, late, or twice
			fires = []int{0, 1, 1, 1, 1, 2, 3}[w.chance.IntN(7)]
		}
		for range fires {
			late := time.Duration(0)
			if w.chaos && w.percent(10) {
				late = w.between(0, 5*time.Minute)
			}
			w.put(queue.Control, []byte(`{"kind":"tick"}`), late)
		}
		if next, ok := w.nextDue(); ok {
			w.wake(next)
		}
	})
}
