package sim

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/opennotify/notify/pkg/address"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/operate"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/provider/catalog"
	"github.com/opennotify/notify/pkg/secret"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

var admin = tenant.Of(tenant.Key{ID: "admin", Live: true, Scopes: []tenant.Scope{tenant.Admin}})

// erasures have people forgotten, while messages to them are on their way.
func (o *operators) erasures(span time.Duration) {
	w := o.w
	for range 2 + w.chance.IntN(3) {
		to := numbers[w.chance.IntN(len(numbers))]
		if w.percent(40) {
			to = mailOf(to)
		}
		w.after(w.between(0, span*5/4), func() { o.erase(to) })
	}
}

// erase has a recipient forgotten, and again while something is left.
func (o *operators) erase(to string) {
	var meant []*story
	var got operate.Versioned[operate.Erasure]
	o.w.oracle.erasing++
	o.w.plans.insist("erase", func(ctx context.Context, p *process) (err error) {
		meant = o.w.oracle.written(to)
		got, err = p.operate.Erase(ctx, admin, operate.Target{Address: to}, "asked to")
		return err
	}, func(pr *problem.Error, _ int) {
		o.w.oracle.erasing--
		if pr != nil {
			o.w.oracle.violate(Truth, "an erasure was refused: %v", pr)
			return
		}
		if o.w.oracle.forgot(meant, got.Body.Left); got.Body.Left > 0 {
			o.w.after(o.w.between(time.Second, 2*time.Minute), func() { o.erase(to) })
		}
	})
}

// written are the messages to a recipient that there are.
func (o *oracle) written(to string) []*story {
	return slices.DeleteFunc(slices.Clone(o.order), func(s *story) bool { return s.order == nil || s.to() != to })
}

// forgot judges an erasure that was answered: of what there was when it began nothing is known, but of so many.
func (o *oracle) forgot(meant []*story, left int) {
	for _, s := range meant {
		if s.erased = o.unknown(s); !s.erased {
			if left--; left < 0 {
				o.tell(Forgotten, s, "its recipient was erased, they said")
			}
		}
	}
}

// unknown tells whether nobody knows to whom a message went, and what it said.
func (o *oracle) unknown(s *story) bool {
	ctx := context.Background()
	r, err := o.w.raw.Message(ctx, tenant.System("sim"), s.m.ID)
	if err != nil {
		o.violate(Truth, "%s cannot be read: %v", s.m.ID, err)
		return true
	}
	_, err = o.w.raw.Content(ctx, r)
	return r.Erased() && !s.vars && errors.Is(err, store.ErrErased)
}

// quietErasures judges at rest that what was forgotten is.
func (o *oracle) quietErasures() {
	if o.erasing > 0 {
		o.violate(NoLoss, "%d erasures were not answered", o.erasing)
	}
	for _, s := range o.order {
		if s.erased && !o.unknown(s) {
			o.tell(Forgotten, s, "its recipient was erased, and is there again")
		}
	}
}

// bootOperate makes what erases. It asks for no secret of an account.
func (p *process) bootOperate(seen bugged) (err error) {
	w := p.w
	p.operate, err = operate.New(operate.Ports{Documents: seen, Suppressions: seen, Messages: found{seen}, Accounting: seen, Deeds: seen, Vault: struct{ secret.Vault }{}, Config: p.config,
		Catalog: catalog.Open(), Queue: line{p}, Addresses: address.Reader{Phone: w.normalise}, Now: p.clock, Random: w.random, Log: w.log})
	return err
}

// found is what an erasure finds, but for the bug that is planted.
type found struct{ bugged }

// ByRecipient implements operate.Messages.
func (f found) ByRecipient(ctx context.Context, p tenant.Principal, partition string, in store.Range, limit int, after string) (store.Found, error) {
	page, err := f.bugged.ByRecipient(ctx, p, partition, in, limit, after)
	switch f.bug() {
	case BugLeftUntold:
		page.Records = slices.DeleteFunc(page.Records, func(r *store.Record) bool { return r.Status == message.Sending })
	case BugErasedHalf:
		page.Records = slices.DeleteFunc(page.Records, func(r *store.Record) bool { return r.Erased() })
	}
	return page, err
}
