package intake

import (
	"context"
	"strconv"
	"time"

	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// TryFor is how long a test of an account may be sent.
const TryFor = 5 * time.Minute

// Try sends one message over exactly one account, whether it is on or off and whatever routes say: an operator
// tests it. It is a message like any other, with the key that sent it, and is marked as a trial; the audit names it. What nobody
// may be sent stays so: suppressed addresses, text that no template allows on channels of templates only, and
// whom this stage does not write to.
func (in *Intake) Try(ctx context.Context, p tenant.Principal, account string, req *Request) (*store.Record, error) {
	if !p.May(tenant.Operate) {
		return nil, problem.New(problem.Forbidden, "this key lacks the scope operate")
	}
	now := in.now()
	req.Origin.Trial, req.TTL = account, TryFor
	req.To = To{One: req.To.One}
	pl, err := in.plan(ctx, p, req, now)
	if err != nil {
		return nil, err
	}
	d := &pl.drafts[0].Draft
	if _, err := in.deed(ctx, p, store.Deed{What: "tried", Kind: "account", Object: account, Tenant: d.Message.Tenant, Reason: req.Origin.Why, IP: req.Origin.IP,
		Request: req.Origin.RequestID, Changes: []store.Change{{Path: "/message", After: strconv.Quote(string(d.Message.ID))}}}); err != nil {
		return nil, err
	}
	verdicts, err := in.accept(ctx, p, now, []*store.Draft{d})
	if err != nil {
		return nil, err
	}
	return verdicts[0].Record, nil
}
