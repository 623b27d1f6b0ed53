package sim

import (
	"errors"
	"slices"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/store"
)

// moved judges what became of a record.
func (o *oracle) moved(s *story, prev *message.Message) {
	m := &s.m
	if m.Tenant != prev.Tenant || m.Template != prev.Template || m.Expires != prev.Expires || m.SendAt != prev.SendAt ||
		m.Created != prev.Created || m.Channel != prev.Channel || m.Class != prev.Class || m.Reference != prev.Reference {
		o.tell(Pinned, s, "what was accepted was changed")
	}
	if m.Class != message.Callback {
		o.turned(s, prev.Told)
	}
	if !follows(prev.Status, m.Status) && (!inParts(m) || m.Status == message.Queued || m.Status == message.Scheduled) {
		o.tell(Monotone, s, "%s follows %s", m.Status, prev.Status)
	}
	if prev.Claim != "" && m.Claim == "" && s.released == 0 {
		o.tell(ContentOnce, s, "its claim was given back while it was %s", m.Status)
	}
	if m.Tries > m.Class.Defaults().Attempts {
		o.tell(Attempts, s, "%d attempts count", m.Tries)
	}
	answered := false // in this write
	for i := range prev.Attempts {
		was := &prev.Attempts[i]
		is := m.Attempt(was.Epoch)
		switch {
		case is == nil: // folded, or trimmed
		case was.End == 0 && is.End != 0:
			answered = true
			o.finished(s, is)
		case was.End != is.End || was.Outcome != is.Outcome || was.Account != is.Account:
			o.tell(SingleOwner, s, "attempt %d was over, and changed", was.Epoch)
		}
	}
	waits := m.Base == message.Queued || m.Base == message.Scheduled
	if !answered && waits && (prev.Base == message.Dead || prev.Base == message.Failed || prev.Base == message.InDoubt) {
		s.redrives++
		s.redriven = o.w.now
	}
	for _, a := range m.Attempts {
		if a.Epoch < m.Epoch && a.Outcome == message.Unknown {
			s.doubted[a.Epoch] = true
		}
		for _, r := range a.Receipts {
			if r.Code == forged {
				o.tell(ReceiptScope, s, "it believed a forger")
			}
		}
	}
	o.triedAgain(s, prev)
	if m.Epoch != prev.Epoch {
		o.leased(s, prev)
	}
}

// leased judges the right to an attempt.
func (o *oracle) leased(s *story, prev *message.Message) {
	m, now, tolerance := &s.m, o.w.now, o.tolerance()
	a := m.Last()
	switch {
	case m.Epoch != prev.Epoch+1 || a == nil || a.Epoch != m.Epoch:
		o.tell(SingleOwner, s, "epoch %d follows %d", m.Epoch, prev.Epoch)
		return
	case prev.Base != message.Queued && prev.Base != message.Scheduled:
		o.tell(Guarded, s, "leased while it was %s", prev.Base)
	case now >= m.Expires.Add(tolerance+10*time.Minute): // the write may have been on its way for long
		o.tell(Guarded, s, "leased after it had expired")
	case s.cancelled:
		o.tell(Schedule, s, "leased, though somebody was told that it is cancelled")
	}
	if last := prev.Last(); last != nil && last.Outcome == message.Unknown && last.End == 0 && s.lease > now.Add(tolerance) {
		o.tell(SingleOwner, s, "leased while another worker holds it until %s", s.lease)
	}
	for _, before := range prev.Attempts {
		policy := m.Class.Defaults().InDoubt
		keyed := before.Provider == "keyed" && before.Account == a.Account
		if policy != message.Resend && before.Outcome == message.Unknown && !keyed && s.leases[before.Epoch] > s.redriven {
			o.tell(BlindResend, s, "attempt %d at %s may have been taken, and the policy is %s", before.Epoch, before.Account, policy)
		}
	}
	s.lease, s.leases[m.Epoch] = m.Lease, now
	o.moves(s)
}

// finished holds an attempt's outcome against what the provider said.
func (o *oracle) finished(s *story, a *message.Attempt) {
	c := s.call(a.Epoch)
	switch {
	case c == nil:
		if a.Outcome != message.Defer && a.Code != "limit" {
			o.tell(Truth, s, "attempt %d was %s, and nobody was called", a.Epoch, a.Outcome)
		}
	case c.end == 0 || c.outcome == a.Outcome:
	case c.outcome == message.Refresh && a.Outcome == message.AccountFault:
	case s.m.Class == message.Callback && a.Outcome == message.Retry: // whatever it says, it is asked again
	default:
		o.tell(Truth, s, "attempt %d was %s, and the provider said %s", a.Epoch, a.Outcome, c.outcome)
	}
}

func (s *story) call(epoch int) *call {
	for _, c := range s.calls {
		if c.epoch == epoch {
			return c
		}
	}
	return nil
}

// called judges a call to a provider.
func (o *oracle) called(p *process, account string, c *provider.Call) {
	w := o.w
	s := o.stories[c.ID]
	if s == nil || s.order == nil && s.m.Class != message.Callback {
		o.violate(Guarded, "a call for %s, which has no record", c.ID)
		return
	}
	m, now, tolerance := &s.m, w.now, o.tolerance()
	a := m.Attempt(c.Epoch)
	switch {
	case a == nil || a.Account != account || s.call(c.Epoch) != nil:
		o.tell(Guarded, s, "a call of epoch %d over %s, which is not recorded", c.Epoch, account)
	case tolerance == 0 && (m.Base != message.Sending || m.Epoch != c.Epoch || now >= m.Lease):
		o.tell(Guarded, s, "a call of epoch %d without a lease", c.Epoch)
	case now >= m.Expires.Add(tolerance):
		o.tell(Guarded, s, "a call after it had expired")
	case m.SendAt > now.Add(tolerance):
		o.tell(Schedule, s, "a call before its time")
	case s.key != "" && s.key != c.Key:
		o.tell(SameKey, s, "key %s, before %s", c.Key, s.key)
	}
	s.key = c.Key
	o.limited(p, s, account)
	if m.Class == message.Callback {
		o.calledBack(s, c)
	} else {
		o.pinned(s, c)
		o.frequent(s)
		o.paid(p, s)
	}
	counted := 0
	for _, before := range s.calls {
		switch before.outcome {
		case message.Retry, message.AccountFault, message.Unknown:
			if before.redrive == s.redrives {
				counted++
			}
		}
		if low := m.Class.Defaults().BackoffMin / 10; before.outcome == message.Retry && before.end != 0 && before.end.Sub(before.at) < provider.Timeout && before.redrive == s.redrives && now.Sub(before.end) < low-tolerance {
			o.tell(Attempts, s, "called again after %s", now.Sub(before.end))
		}
	}
	if counted >= m.Class.Defaults().Attempts {
		o.tell(Attempts, s, "called again after %d attempts", counted)
	}
	s.calls = append(s.calls, &call{epoch: c.Epoch, account: account, at: now, clock: p.now(), redrive: s.redrives})
}

// pinned holds what is sent against what was accepted.
func (o *oracle) pinned(s *story, c *provider.Call) {
	m := &s.m
	says := "free " + s.order.code
	if !m.Free {
		says = text(m.Template.Tenant, m.Template.Name, m.Template.Version, s.order.code)
	}
	if c.Content.Text != says || string(c.To) != s.to() || c.Tenant != s.order.tenant || m.Template.Tenant != "" && m.Template.Tenant != s.order.tenant {
		o.tell(Pinned, s, "%q to %s, accepted was %q to %s", c.Content.Text, string(c.To), says, s.to())
	}
}

// answered is told what a caller of a provider hears.
func (o *oracle) answered(c *provider.Call, outcome message.Outcome) {
	if s := o.stories[c.ID]; s != nil {
		if k := s.call(c.Epoch); k != nil {
			k.end, k.outcome = o.w.now, outcome
		}
	}
}

// taken is told that a provider took a message, whatever it answers.
func (o *oracle) taken(c *provider.Call) {
	s := o.stories[c.ID]
	if s == nil {
		return
	}
	s.taken++
	bound := 1 + s.redrives
	if s.m.Class.Defaults().InDoubt == message.Resend {
		bound += len(s.doubted)
	}
	if s.taken > bound {
		o.tell(SendBound, s, "taken %d times, at most %d is in order", s.taken, bound)
	}
}

// provenReceipt is one that a provider sent and was told 2xx for.
type provenReceipt struct {
	rc      provider.Receipt
	account string
}

func (o *oracle) heard(n notice, account string) {
	if s := o.stories[n.about]; s != nil {
		s.heard = append(s.heard, provenReceipt{n.Receipt, account})
	}
}

// answeredKey is what an idempotency key stands for.
type answeredKey struct {
	bodies []string
	body   string
	ids    []message.ID
}

func (o *oracle) asks(a *order) {
	o.orders[a.reference()] = a
	if a.key == "" {
		return
	}
	k := o.keys[a.tenant+a.key]
	if k == nil {
		k = &answeredKey{}
		o.keys[a.tenant+a.key] = k
	}
	if !slices.Contains(k.bodies, a.body) {
		k.bodies = append(k.bodies, a.body)
	}
}

// accepted judges a 2xx.
func (o *oracle) accepted(a *order, verdicts []store.Verdict) {
	var ids []message.ID
	for _, v := range verdicts {
		if v.Record == nil {
			continue
		}
		id := v.Record.ID
		ids = append(ids, id)
		s := o.stories[id]
		switch {
		case s == nil:
			o.violate(Durable, "%s was accepted, and there is no record %s", a.reference(), id)
		case s.m.Tenant != a.tenant || v.Record.Tenant != a.tenant:
			o.tell(Isolation, s, "%s of %s was answered with it", a.reference(), a.tenant)
		case v.Duplicate && !v.Replay && v.WindowEnds.Add(o.tolerance()+2*patience) < o.w.now:
			o.tell(ContentOnce, s, "%s is held to be the same, though the window ended at %s", a.reference(), v.WindowEnds)
		default:
			s.accepted = true
		}
	}
	if a.key == "" || len(ids) == 0 { // of a batch, every item may be refused
		return
	}
	switch k := o.keys[a.tenant+a.key]; {
	case k.body == "":
		k.body, k.ids = a.body, ids
	case k.body != a.body:
		o.violate(Idempotent, "key %s was accepted with two bodies", a.key)
	case !slices.Equal(k.ids, ids):
		o.violate(Idempotent, "key %s is %v, before %v", a.key, ids, k.ids)
	}
}

// refused judges a 4xx.
func (o *oracle) refused(a *order, pr *problem.Error, err error) {
	k := o.keys[a.tenant+a.key]
	switch {
	case pr == nil:
		o.violate(Truth, "%s has an error that is no problem: %v", a.reference(), err)
	case a.key != "" && k.body == a.body:
		o.violate(Idempotent, "key %s was accepted, and is refused now: %v", a.key, err)
	case pr.Code == problem.KeyReused && a.key != "" && len(k.bodies) > 1:
	case pr.Code == problem.NotAllowedNow:
	case pr.Code == problem.RecipientLimit && o.w.parts&Caps != 0:
	case (pr.Code == problem.RateLimited || pr.Code == problem.DailyLimit) && o.w.parts&Budgets != 0:
	case pr.Code == problem.InvalidRequest: // its channel is off, or its time has passed
	default:
		o.violate(Truth, "%s was refused: %v", a.reference(), err)
	}
}

// foreign judges what a tenant is answered that asks for another's message.
func (o *oracle) foreign(id message.ID, err error) {
	if pr := (*problem.Error)(nil); !errors.As(err, &pr) || pr.Code != problem.NotFound && pr.Status() < 500 {
		o.violate(Isolation, "another tenant was answered for %s: %v", id, err)
	}
}

// cancelled judges a cancel that was confirmed.
func (o *oracle) cancelled(id message.ID) {
	s := o.stories[id]
	if s == nil || s.m.Base != message.Cancelled && s.m.Base != message.Sent {
		o.violate(Schedule, "%s was cancelled, they said", id)
		return
	}
	s.cancelled = true
}

// inParts tells whether providers spoke of several parts. How many there are is known only when the last
// has been spoken of, and each may be worse than those before: then delivered does not last, and while a newer
// attempt is out it is that one's turn again. To be sent again it never waits.
func inParts(m *message.Message) bool {
	return slices.ContainsFunc(m.Attempts, func(a message.Attempt) bool {
		return slices.ContainsFunc(a.Receipts, func(r message.Receipt) bool { return r.Part > 0 })
	})
}
