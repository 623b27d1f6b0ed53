package intake

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/limit"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
)

// rangeDigits are the last digits in which the numbers of a range differ.
const rangeDigits = 4

// coded tells whether a draft is a code to a person, of which floods are made: by whoever enters a number
// into a form again and again, his own or many.
func coded(d *planned) bool {
	return d.person && d.Message.Class == message.OTP && !d.Message.Status.Terminal() && d.Message.Trial == ""
}

// spans are the caps on numbers together that a code is under.
func (in *Intake) spans(c config.Codes, d *planned) []span {
	if d.kind != message.Phone {
		return nil
	}
	number := string(d.key)
	var out []span
	add := func(prefix string, most config.Cap, setting string) {
		out = append(out, span{in.Store.RangeLimits(d.Message.Tenant, d.kind, prefix), most, setting})
	}
	if c.PerRange != nil && !c.PerRange.None() && len(number) > rangeDigits {
		add(number[:len(number)-rangeDigits], *c.PerRange, "codes.per_range")
	}
	best := config.PrefixCap{}
	for _, p := range c.Prefixes {
		if strings.HasPrefix(number, p.Prefix) && len(p.Prefix) > len(best.Prefix) && !p.None() {
			best = p
		}
	}
	if best.Prefix != "" {
		add(best.Prefix, best.Cap, "codes.prefixes "+best.Prefix)
	}
	return out
}

// span is a cap on what numbers get together in a span of time.
type span struct {
	of store.Subject
	config.Cap
	setting string
}

// caps holds codes to the operators' caps. Each draft that is refused has its problem; one that is none has a
// place, or is about to be answered with a message that was there. Of refused ones the places are given back. Each
// try of a request with a key has the same places.
func (in *Intake) caps(ctx context.Context, now message.Time, drafts []*planned, key *store.KeyClaim) ([]*problem.Error, error) {
	refused, faults := make([]*problem.Error, len(drafts)), make([]error, len(drafts))
	settings, loaded := config.Settings{}, false
	var codes []int
	for i, d := range drafts {
		if !coded(d) {
			continue
		}
		if !loaded {
			var err error
			if settings, err = in.Config.Settings(ctx); err != nil {
				return nil, unavailable(err)
			}
			loaded = true
		}
		codes = append(codes, i)
	}
	spread(len(codes), func(k int) {
		i := codes[k]
		drafts[i].took.id = in.Store.Asked(&drafts[i].Message, key)
		refused[i], faults[i] = in.cap(ctx, now, settings.Codes, drafts[i])
	})
	if err := errors.Join(faults...); err != nil {
		in.uncap(ctx, now, drafts)
		return nil, unavailable(err)
	}
	return refused, nil
}

// cap takes the places of one code, or refuses it.
func (in *Intake) cap(ctx context.Context, now message.Time, c config.Codes, d *planned) (*problem.Error, error) {
	p, err := in.capped(ctx, now, c, d)
	if p == nil || err != nil {
		return nil, err
	}
	in.give(ctx, now, d)
	// What is a duplicate makes no code, so it is answered as ever.
	v, err := in.Store.Peek(ctx, in.as, now, &d.Draft)
	if err != nil || v.Record != nil {
		return nil, err
	}
	return p, nil
}

// capped takes the recipient's place last of all: a try that finds it there was counted everywhere by the one
// before, which was cut off or is at work.
func (in *Intake) capped(ctx context.Context, now message.Time, c config.Codes, d *planned) (*problem.Error, error) {
	most, of, spans := c.Recipient(), store.CodesCap(d.Message.Tenant), in.spans(c, d)
	switch {
	case most.None():
	case most.Messages == 0:
		return flood(d, most, oneRecipient, "codes.per_recipient", most.Within()), nil
	case len(spans) > 0:
		has, wait, err := in.Store.PlaceIn(ctx, in.as, now, of, d.took.id, most.Messages, most.Within())
		if has || err != nil {
			return nil, err
		}
		if wait > 0 {
			return flood(d, most, oneRecipient, "codes.per_recipient", wait), nil
		}
	}
	for _, s := range spans {
		w := limit.SpanAt(now, s.Within(), s.Messages)
		levels, err := in.Store.Meter(ctx, s.of, []limit.Window{w}, 1, false)
		if err != nil {
			return nil, err
		}
		d.took.spans = append(d.took.spans, counted{s.of, w})
		if w.Grant(levels[0], 1, false) == 0 {
			return flood(d, s.Cap, manyNumbers, s.setting, w.Until.Sub(now)), nil
		}
	}
	if most.None() {
		return nil, nil
	}
	took, wait, err := in.Store.TakePlace(ctx, in.as, now, of, d.took.id, most.Messages, most.Within())
	switch {
	case err != nil: // it may be there, so that the next try will not count again
		d.took.spans = nil
		return nil, err
	case wait > 0:
		return flood(d, most, oneRecipient, "codes.per_recipient", wait), nil
	case took:
		d.took.within = most.Within()
	default: // by another try, meanwhile
		in.give(ctx, now, d)
	}
	return nil, nil
}

// Whom a cap is of.
const (
	oneRecipient = "this recipient"
	manyNumbers  = "the numbers around this one, together,"
)

// flood is the refusal that names the cap.
func flood(d *planned, c config.Cap, who, setting string, wait time.Duration) *problem.Error {
	const text = "%s may be sent %d codes in %s (settings: %s); use the code that came, or wait"
	e := problem.New(problem.RecipientLimit, text, who, c.Messages, c.Within(), setting).After(wait)
	e.Fields = []problem.Field{problem.At(d.pointer, problem.RecipientLimit, text, who, c.Messages, c.Within(), setting)}
	return e
}

// taken are the places that a draft has of the caps.
type taken struct {
	id     message.ID    // in whose name: the draft may become another
	within time.Duration // of the recipient's; 0 is none, or that an earlier try has it
	spans  []counted
}

// lasts is how long what was taken counts.
func (t *taken) lasts() time.Duration {
	if t.within == 0 && len(t.spans) > 0 {
		return t.spans[0].window.Until.Sub(t.spans[0].window.From)
	}
	return t.within
}

type counted struct {
	of     store.Subject
	window limit.Window
}

// uncap gives back the places of codes that are no new messages.
func (in *Intake) uncap(ctx context.Context, now message.Time, drafts []*planned) {
	spread(len(drafts), func(i int) {
		if d := drafts[i]; d.took.within > 0 || len(d.took.spans) > 0 {
			in.give(ctx, now, d)
		}
	})
}

// give gives back. A place that cannot be given back is one code less in its time.
func (in *Intake) give(ctx context.Context, now message.Time, d *planned) {
	var err error
	if d.took.within > 0 {
		err = in.Store.GivePlace(ctx, in.as, now, store.CodesCap(d.Message.Tenant), d.took.id, d.took.within)
	}
	for _, s := range d.took.spans {
		if err == nil { // else the next try finds the recipient's place, and does not count again
			_, err = in.Store.Meter(ctx, s.of, []limit.Window{s.window}, -1, false)
		}
	}
	d.took = taken{id: d.took.id}
	if err != nil {
		in.Log.WarnContext(ctx, "a place of a cap on codes is not given back", "tenant", d.Message.Tenant, "error", err)
	}
}

// spread does n things, some side by side.
func spread(n int, do func(i int)) {
	if n <= few {
		for i := range n {
			do(i)
		}
		return
	}
	var all sync.WaitGroup
	for w := range sideBySide {
		all.Go(func() {
			for i := w; i < n; i += sideBySide {
				do(i)
			}
		})
	}
	all.Wait()
}
