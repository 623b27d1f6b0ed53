package intake

import (
	"context"
	"strconv"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/limit"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/quota"
	"github.com/opennotify/notify/pkg/route"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// places are those of a tenant's day that drafts of one kind have; what turns out to be no new message gives
// its own back.
type places struct {
	of     store.Subject
	pass   quota.Pass
	urgent bool
	n      int
}

// counts tells whether a draft is one of those that a tenant's budgets are of: what goes out, by the tenant's
// own doing. What waits for a sibling of a fallback counts with that one.
func counts(m *message.Message) bool {
	return !m.Status.Terminal() && m.Trial == "" && !m.Hold && m.Class != message.Callback
}

// budget takes the places of what a request is about to make, or refuses it as a whole: a caller can then do
// something about it, while a message that was accepted could only wait. The size says where the request has
// its messages.
func (in *Intake) budget(ctx context.Context, drafts []*planned, size string) ([]places, error) {
	var n [2]int // others, urgent
	owner := ""
	for _, d := range drafts {
		if counts(&d.Message) {
			owner = d.Message.Tenant
			n[kindOf(&d.Message)]++
		}
	}
	t, ok := tenant.Tenant{}, false
	var err error
	if owner != "" {
		t, ok, err = in.Config.Tenant(ctx, owner)
	}
	if err != nil || !ok || t.PerSecond <= 0 && t.PerDay <= 0 {
		return nil, err
	}
	var out []places
	for kind, n := range n {
		urgent := kind == 1
		if n == 0 {
			continue
		}
		if most := share(config.BudgetOf(t, limit.Second), in.now(), urgent); t.PerSecond > 0 && n > most {
			return nil, problem.Invalid(problem.At(size, problem.TooMany, "%d messages are more than the %d that tenant %s may send in a second: split the request, or ask an operator for more", n, most, t.Name))
		}
		for _, k := range []limit.Kind{limit.Second, limit.Day} {
			pass, wait := in.take(ctx, t, k, n, urgent)
			if wait > 0 {
				in.giveBack(out, nil)
				return nil, spent(t, k, wait)
			}
			if k == limit.Day {
				out = append(out, places{store.TenantLimits(t.Name, k), pass, urgent, n})
			}
		}
	}
	return out, nil
}

func kindOf(m *message.Message) int {
	if m.Class == message.OTP {
		return 1
	}
	return 0
}

// take takes places of a tenant's budget. A store that cannot say is no reason to refuse: whether it can keep
// the message is seen next.
func (in *Intake) take(ctx context.Context, t tenant.Tenant, k limit.Kind, n int, urgent bool) (quota.Pass, time.Duration) {
	pass, wait, err := in.quota.TakeMany(ctx, store.TenantLimits(t.Name, k), config.BudgetOf(t, k), n, urgent)
	if err != nil {
		in.Log.WarnContext(ctx, "a tenant's budget cannot be looked at; its messages go on", "tenant", t.Name, "kind", k, "error", err)
		return pass, 0
	}
	return pass, wait
}

// share is how many places of a window are there for a kind of messages.
func share(l limit.Limits, now message.Time, urgent bool) int {
	ws := l.Windows(now)
	if len(ws) == 0 {
		return 0
	}
	if urgent {
		return ws[0].Most
	}
	return ws[0].Most - ws[0].Kept
}

// spent is the refusal that names the limit.
func spent(t tenant.Tenant, k limit.Kind, wait time.Duration) *problem.Error {
	code, most, span := problem.RateLimited, t.PerSecond, "a second"
	if k == limit.Day {
		code, most, span = problem.DailyLimit, t.PerDay, "a day (of UTC)"
	}
	kept := ""
	if ws := config.BudgetOf(t, k).Windows(0); len(ws) > 0 && ws[0].Kept > 0 {
		kept = ", " + strconv.Itoa(ws[0].Kept) + " of them kept for codes"
	}
	return problem.New(code, "tenant %s may send %d messages %s%s, and they are used up; wait, or ask an operator for more", t.Name, most, span, kept).After(wait)
}

// unused counts the places of what is no new message; without verdicts it is all of them.
func (t *places) unused(verdicts []store.Verdict) int {
	n := t.n
	for i := range verdicts {
		if v := &verdicts[i]; v.New && counts(&v.Record.Message) && t.urgent == (kindOf(&v.Record.Message) == 1) {
			n--
		}
	}
	return max(n, 0)
}

func (in *Intake) giveBack(days []places, verdicts []store.Verdict) {
	for i := range days {
		if d := &days[i]; d.unused(verdicts) > 0 {
			in.quota.Give(d.of, d.pass, d.unused(verdicts), d.urgent)
		}
	}
}

// today takes places of the tenant's day for as many rows of a run as there are, in their order. A run keeps to
// its accounts' pace, so the tenant's seconds are for those who call. When there is none, the refusal says how
// long the run waits.
func (in *Intake) today(ctx context.Context, drafts []*planned) (n int, days []places, err error) {
	first := &drafts[0].Message
	t, ok, err := in.Config.Tenant(ctx, first.Tenant)
	if err != nil || !ok || t.PerDay <= 0 {
		return len(drafts), nil, err
	}
	day, urgent := places{of: store.TenantLimits(t.Name, limit.Day), urgent: kindOf(first) == 1}, kindOf(first) == 1
	for _, d := range drafts {
		if counts(&d.Message) {
			day.n++
		}
	}
	var wait time.Duration
	if day.pass, wait = in.take(ctx, t, limit.Day, day.n, urgent); wait == 0 {
		return len(drafts), []places{day}, nil
	}
	for day.n = 0; n < len(drafts); n++ {
		if !counts(&drafts[n].Message) {
			continue
		}
		pass, wait := in.take(ctx, t, limit.Day, 1, urgent)
		if wait > 0 && day.n == 0 {
			return 0, nil, spent(t, limit.Day, wait)
		}
		if wait > 0 {
			break
		}
		day.pass = pass
		day.n++
	}
	return n, []places{day}, nil
}

// broke tells what holds marketing back whose tenant's money is used up: it waits where the account, and so
// the price, is known for good.
func (in *Intake) broke(ctx context.Context, now message.Time, d *planned, e *Explanation) (*route.Verdict, error) {
	t, ok, err := in.Config.Tenant(ctx, d.Message.Tenant)
	if err != nil || !ok || d.Message.Class != message.Marketing || !counts(&d.Message) || t.PerMonth <= 0 || e.Cost <= 0 || e.Currency != t.Currency {
		return nil, err
	}
	windows := config.BudgetOf(t, limit.Month).Windows(now)
	levels, err := in.Store.Levels(ctx, store.Metered{Of: store.TenantLimits(t.Name, limit.Month), Windows: windows})
	if err != nil || windows[0].Left(levels[0][0], false) >= int(config.Micros(e.Cost)) {
		return nil, err
	}
	return &route.Verdict{Until: windows[0].Until, Why: "budget"}, nil
}
