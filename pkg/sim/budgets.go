package sim

import (
	"context"
	"strings"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/limit"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
)

// What the first tenant has where there are budgets: so many messages a day, and money a month, of which marketing
// may use what there is.
const (
	dayMost   = 5
	monthMost = 0.12
	price     = 0.05
)

// budgets is what the oracle knows of them.
type budgets struct {
	days map[int64]int // messages, by day
	// unseen are messages for which nobody could look at the day: they go on.
	unseen int
}

// budgeted judges a new message against its tenant's day.
func (o *oracle) budgeted(s *story) {
	m, b := &s.m, &o.bounds.spent
	if o.w.parts&Budgets == 0 || m.Tenant != tenants[0] || m.Hold || m.Status.Terminal() {
		return
	}
	day := int64(m.Created) / (24 * time.Hour).Milliseconds()
	if b.days[day]++; b.days[day] > dayMost+b.unseen {
		o.tell(Budgeted, s, "%d messages on one day, the budget is %d, of %d nobody could look at it", b.days[day], dayMost, b.unseen)
	}
}

// paid judges a call for marketing against its tenant's money: what may have been sent was paid for.
func (o *oracle) paid(p *process, s *story) {
	month := start.Add(time.Minute) // some clocks are in the month before
	if o.w.parts&Budgets == 0 || p.now() < month || s.m.Tenant != tenants[0] || s.m.Class != message.Marketing {
		return
	}
	sum := config.Micros(price)
	for _, other := range o.order {
		if other.m.Tenant != tenants[0] || other.m.Class != message.Marketing {
			continue
		}
		for _, c := range other.calls {
			if c.clock >= month && (c.outcome == message.Accepted || c.outcome == message.Unknown) {
				sum += config.Micros(price)
			}
		}
	}
	if sum > config.Micros(monthMost) {
		o.tell(Budgeted, s, "marketing for %d millionths, the month's budget is %d", sum, config.Micros(monthMost))
	}
}

// Meter counts places.
func (s bugged) Meter(ctx context.Context, of store.Subject, windows []limit.Window, n int, urgent bool) ([]limit.Level, error) {
	kind, _, _ := strings.Cut(string(of), "#")
	switch bug := s.bug(); {
	case bug == BugLimitEach && kind == "account", bug == BugBudgetEach && kind == "tenant", bug == BugRangeEach && kind == "range":
		of += store.Subject("#" + s.p.name)
	}
	levels, err := s.Store.Meter(ctx, of, windows, n, urgent)
	if err != nil && kind == "tenant" {
		s.p.w.oracle.bounds.spent.unseen += len(numbers)
	}
	return levels, err
}
