package intake

import (
	"context"
	"errors"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// Run is what a row of a run has beside a request: the run and the recipient are its key. A run writes to
// nobody twice, however often its rows are sent.
type Run struct {
	ID    string
	Began message.Time // the run's, not the row's
	Row   int          // from 1
	// Window bounds the content window: of a daily run it must end before the next. 0 is no bound.
	Window time.Duration
}

// Fate is what became of a row.
type Fate string

// The fates.
const (
	Made       Fate = "made"
	Held       Fate = "suppressed" // made, and ended at once
	Duplicate  Fate = "duplicate"  // another message holds the content window
	Repeated   Fate = "repeated"   // the run has written to this recipient, for an earlier row
	RowRefused Fate = "refused"    // nothing was made, see Problem
)

// RowVerdict is what became of a row. Record is the message, or the one that stands in its way.
type RowVerdict struct {
	Fate    Fate
	Record  *store.Record
	Problem *problem.Error
}

// sideBySide is how many rows are planned at once, and few how many are too few for that.
const (
	sideBySide = 16
	few        = 16
)

// Rows accepts rows of runs: requests for one message each. One row's fault does not touch the others. After
// an error some may be accepted; sent again they have the same fates. Their version may be any that there
// is: whoever ordered the run pinned it.
func (in *Intake) Rows(ctx context.Context, p tenant.Principal, reqs []*Request) ([]RowVerdict, error) {
	now := in.now()
	plans, out, err := in.planRows(ctx, p, reqs, now)
	if err != nil {
		return nil, err
	}
	seen := make(map[message.ID]bool, len(reqs))
	var drafts []*planned
	var rows []int
	for i, d := range plans {
		switch {
		case d == nil:
		case seen[d.Message.ID]:
			out[i].Fate = Repeated
		default:
			seen[d.Message.ID] = true
			drafts, rows = append(drafts, d), append(rows, i)
		}
	}
	for len(drafts) > 0 {
		n, days, err := in.today(ctx, drafts)
		if err != nil {
			return nil, unavailable(err)
		}
		some := make([]*store.Draft, n)
		for k := range some {
			some[k] = &drafts[k].Draft
		}
		verdicts, err := in.accept(ctx, p, now, some)
		if err != nil {
			return nil, err
		}
		in.giveBack(days, verdicts)
		for k, v := range verdicts {
			out[rows[k]] = rowVerdict(&drafts[k].Message, v)
		}
		drafts, rows = drafts[n:], rows[n:]
	}
	return out, nil
}

func rowVerdict(m *message.Message, v store.Verdict) RowVerdict {
	out := RowVerdict{Fate: Made, Record: v.Record}
	switch r := v.Record; {
	case r.ID != m.ID, r.Request != m.Request: // it has this id, and the claim that this row left behind in a crash
		out.Fate = Duplicate
	case r.Place != m.Place:
		out.Fate = Repeated
	case r.Base == message.Suppressed && len(r.Attempts) == 0:
		out.Fate = Held
	}
	return out
}

// planRows plans each row; a row that is refused has its verdict already.
func (in *Intake) planRows(ctx context.Context, p tenant.Principal, reqs []*Request, now message.Time) ([]*planned, []RowVerdict, error) {
	drafts, out, faults := make([]*planned, len(reqs)), make([]RowVerdict, len(reqs)), make([]error, len(reqs))
	plan := func(i int) {
		pl, err := in.plan(ctx, p, reqs[i], now)
		switch pr := (*problem.Error)(nil); {
		case err == nil && pl.kind != "":
			out[i] = RowVerdict{Fate: RowRefused, Problem: problem.Invalid(problem.At("/to", problem.BadValue, "a row is one message: name one address"))}
		case err == nil:
			drafts[i] = pl.drafts[0]
		case errors.As(err, &pr) && pr.Status() < 500:
			out[i] = RowVerdict{Fate: RowRefused, Problem: pr}
		default:
			faults[i] = unavailable(err)
		}
	}
	spread(len(reqs), plan)
	return drafts, out, errors.Join(faults...)
}

// ulid is a message's: of a run the one that its recipient always has.
func (pl *planner) ulid(kind message.AddressKind, key message.Address, m *message.Message) string {
	r := pl.req.Run
	if r == nil {
		return pl.in.NewULID(pl.now)
	}
	m.Place = r.Row
	return pl.in.Store.RunULID(r.ID, r.Began, kind, string(key))
}

// Checked is a row of which no more was looked at than what is in it.
type Checked struct {
	Recipient string // the same for the same recipient, however it is written
	Channel   message.Channel
	Problem   *problem.Error
}

// Check tells what is wrong with rows, without reading anything of their recipients.
func (in *Intake) Check(ctx context.Context, p tenant.Principal, reqs []*Request) ([]Checked, error) {
	planned, verdicts, err := in.planRows(ctx, p, reqs, in.now())
	if err != nil {
		return nil, err
	}
	out := make([]Checked, len(reqs))
	for i, d := range planned {
		if d == nil {
			out[i].Problem = verdicts[i].Problem
			continue
		}
		out[i] = Checked{Recipient: recipient(d.Message.ID), Channel: d.Message.Channel}
	}
	return out, nil
}

// Weight is what a row would be, if it were sent now.
type Weight struct {
	Channel   message.Channel
	Stopped   string // why it would end at once: a suppression's reason, or "stage"
	Duplicate bool
	Segments  int
	Cost      float64
	Currency  string
	Problem   *problem.Error
}

// Weigh says what Rows would do with each row, and sends nothing, writes nothing.
func (in *Intake) Weigh(ctx context.Context, p tenant.Principal, reqs []*Request) ([]Weight, error) {
	now := in.now()
	planned, verdicts, err := in.planRows(ctx, p, reqs, now)
	if err != nil {
		return nil, err
	}
	routes, err := in.Config.Routes(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	out := make([]Weight, len(reqs))
	for i, d := range planned {
		if d == nil {
			out[i].Problem = verdicts[i].Problem
			continue
		}
		accounts, err := in.Config.Accounts(ctx, d.Message.Channel)
		if err != nil {
			return nil, unavailable(err)
		}
		bars, err := config.Bars(ctx, accounts, in.Providers.Get, d.Message.Template, in.Config.Bindings)
		if err != nil {
			return nil, unavailable(err)
		}
		held, err := in.foresee(ctx, p, now, d)
		if err != nil {
			return nil, err
		}
		e := Explanation{}
		e.choose(routes, d, accounts, bars)
		w := Weight{Channel: d.Message.Channel, Duplicate: held.Record != nil, Cost: e.Cost, Currency: e.Currency, Segments: d.Message.Segments}
		if d.Message.Status.Terminal() {
			w.Stopped, w.Cost = d.Message.Reason, 0
		}
		out[i] = w
	}
	return out, nil
}
