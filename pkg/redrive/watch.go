package redrive

import (
	"context"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
)

// Lying is what is dead in a channel's queue.
type Lying struct {
	N      int
	Oldest message.Time // when the first of them died
}

const (
	// keepDead is for how many days a dead-letter queue keeps an entry.
	keepDead = 14
	// perLook is how often a look reads the index, at most: it is made again and again.
	perLook = 300
	// fresh is how many days have half of a look's reads for themselves: most that die were accepted in them.
	fresh = 2
)

// Watch counts what lies in dead-letter queues, again and again. A look reads a bounded part of the index, and goes on
// where the one before stopped: however many tenants there are, and however much failed beside what is dead, after
// some looks all of it was seen. It is one goroutine's.
type Watch struct {
	*Redrive
	fresh, old round
	lying      map[place]map[message.Channel]Lying // what was found, by day and tenant, when they were read last
}

// round is how far reading all days and tenants came, and what it found of the one that it is in.
type round struct {
	at   place
	part map[message.Channel]Lying
}

// Watch begins to count.
func (r *Redrive) Watch() *Watch {
	return &Watch{Redrive: r, lying: map[place]map[message.Channel]Lying{}}
}

// Look reads on, and gives what is dead by the channel of its queue, as far back as dead-letter queues keep entries and
// as far as it was seen.
func (w *Watch) Look(ctx context.Context) (map[message.Channel]Lying, error) {
	now := w.now()
	days := store.Days(store.Range{From: now.Add(-keepDead * 24 * time.Hour), To: now.Add(time.Hour)}, keepDead+2)
	left, err := w.read(ctx, &w.fresh, days[:fresh], perLook/2)
	if err != nil {
		return nil, err
	}
	if _, err := w.read(ctx, &w.old, days[fresh:], perLook/2+left); err != nil {
		return nil, err
	}
	all, err := w.places(ctx, "", days, place{})
	if err != nil {
		return nil, err
	}
	kept, sum := make(map[place]map[message.Channel]Lying, len(w.lying)), map[message.Channel]Lying{}
	for _, at := range all { // what is not among them is too old, or of a tenant that is gone
		if of, ok := w.lying[at]; ok {
			kept[at] = of
			for channel, l := range of {
				sum[channel] = sum[channel].and(l)
			}
		}
	}
	w.lying = kept
	return sum, nil
}

// read goes on with a round, through each day and tenant once at most, and tells how many reads are left.
func (w *Watch) read(ctx context.Context, r *round, days []string, reads int) (int, error) {
	rest, err := w.places(ctx, "", days, r.at)
	if err != nil {
		return 0, err
	}
	all, err := w.places(ctx, "", days, place{})
	if err != nil {
		return 0, err
	}
	for _, at := range append(rest, all[:len(all)-len(rest)]...) {
		if at.After == "" {
			r.part = map[message.Channel]Lying{}
		}
		for more := true; more; more = at.After != "" {
			if r.at = at; reads == 0 {
				return 0, nil
			}
			reads--
			if at.After, err = w.page(ctx, at, r.part); err != nil {
				return 0, err
			}
		}
		if key := (place{Day: at.Day, Tenant: at.Tenant}); len(r.part) > 0 {
			w.lying[key] = r.part
		} else {
			delete(w.lying, key)
		}
	}
	r.at = place{}
	return reads, nil
}

// page adds what is dead in a page of the index, and gives where the next one begins; "" is nowhere.
func (w *Watch) page(ctx context.Context, at place, to map[message.Channel]Lying) (string, error) {
	found, err := w.Store.Troubles(ctx, w.as, at.Tenant, at.Day, store.Range{}, perRead, at.After)
	if err != nil {
		return at.After, err
	}
	w.unreadable(ctx, found)
	for _, rec := range found.Records {
		if rec.Status == message.Dead {
			to[rec.Channel.Queue()] = to[rec.Channel.Queue()].and(Lying{1, rec.Completed()})
		}
	}
	return found.Next, nil
}

// and is both.
func (l Lying) and(m Lying) Lying {
	if l.N == 0 || m.N > 0 && m.Oldest < l.Oldest {
		l.Oldest = m.Oldest
	}
	l.N += m.N
	return l
}
