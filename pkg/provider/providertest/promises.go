package providertest

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
)

// overread is how much of an endless answer may leave the server before the suite calls it unbounded;
// the kernel's buffers take some megabytes by themselves.
const overread = 64 << 20

// promise is one way to spoil the last answer of the sent case, and what may come of it.
type promise struct {
	name   string
	spoil  func(t testing.TB, fire func()) http.HandlerFunc // fire ends the caller's context
	refuse bool
	ends   error // what fire ends the context with
	want   []message.Outcome
}

func promises() []promise {
	unknown := []message.Outcome{message.Unknown}
	taken := []message.Outcome{message.Accepted, message.Unknown}
	all := []promise{
		{name: "refused connection is tried again", refuse: true, want: []message.Outcome{message.Retry}},
		{name: "no answer by the deadline is unknown", spoil: stall, ends: context.DeadlineExceeded, want: unknown},
		{name: "cancelled after the request left is unknown", spoil: stall, ends: context.Canceled, want: unknown},
		{name: "cut connection is unknown", spoil: cut, want: unknown},
		{name: "stalled body returns by the deadline", spoil: drip, ends: context.DeadlineExceeded, want: taken},
		{name: "endless body is not read", spoil: endless, want: taken},
		{name: "endless headers are not read", spoil: headers, want: unknown},
	}
	for _, p := range provider.Promises() {
		all = append(all, promise{name: p.Name, spoil: answer(p.Status, p.Body), want: p.May})
	}
	return all
}

func (s *suite) promises(t *testing.T, sent *testCase) {
	for _, p := range promises() {
		t.Run("promise/"+p.name, func(t *testing.T) {
			t.Parallel()
			ctx := &endable{Context: t.Context(), done: make(chan struct{}), err: p.ends}
			v := &vendor{refuse: p.refuse}
			if p.spoil != nil {
				v.spoil = p.spoil(t, ctx.end)
			}
			sender, a, log := s.opened(t, sent, v)
			r := sender.Send(ctx, sent.call)
			if !within(r.Outcome, p.want...) {
				t.Errorf("outcome %s (%s %s), want one of %s", r.Outcome, r.Code, r.Text, names(p.want))
			}
			if n := v.requests(); n > len(sent.exchanges) {
				t.Errorf("%d requests: Send makes one attempt", n)
			}
			shown(t, a, sent.call, r, log)
		})
	}
	t.Run("promise/cancelled before is not sent", func(t *testing.T) { t.Parallel(); s.cancelled(t, sent) })
	t.Run("promise/concurrent calls do not mix", func(t *testing.T) { t.Parallel(); s.concurrent(t, sent) })
	t.Run("promise/faulty secrets are not shown", func(t *testing.T) { t.Parallel(); s.faultySecrets(t, sent) })
	for _, c := range s.cases {
		if c.want != nil && len(c.exchanges) > 0 {
			t.Run("promise/echoed secrets are blanked/"+c.name, func(t *testing.T) { t.Parallel(); s.echo(t, c) })
		}
	}
}

func (s *suite) cancelled(t *testing.T, sent *testCase) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	v := &vendor{}
	sender, _, _ := s.opened(t, sent, v)
	r := sender.Send(ctx, sent.call)
	if !within(r.Outcome, message.Retry, message.Unknown) {
		t.Errorf("outcome %s, want retry or unknown", r.Outcome)
	}
}

// concurrent also gives the race detector something to look at.
func (s *suite) concurrent(t *testing.T, sent *testCase) {
	sender, _, _ := s.opened(t, sent, &vendor{})
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			c := sent.call
			c.Key = fmt.Sprintf("%s%d", c.Key, i)
			if r := sender.Send(t.Context(), c); r.Outcome != message.Accepted {
				t.Errorf("call %d: %s %s %s", i, r.Outcome, r.Code, r.Text)
			}
		})
	}
	wg.Wait()
}

// faultySecrets opens the account with every secret broken in turn: the error may not quote it.
func (s *suite) faultySecrets(t *testing.T, sent *testCase) {
	for _, f := range s.descriptor.Fields {
		if !f.Secret {
			continue
		}
		e, log := s.env(t, sent)
		a := s.account(t, sent)
		a.Secrets[f.Name] = "canary-\x00" + a.Secrets[f.Name]
		if _, err := s.open(a, e); err != nil {
			Leaks(t, a, "", "the error of "+f.Name, err.Error())
		}
		Leaks(t, a, "", "the log", log.String())
	}
}

// echo answers with the secrets and the address in the provider's words.
func (s *suite) echo(t *testing.T, c *testCase) {
	canary := " " + string(c.call.To) + " " + strings.TrimPrefix(string(c.call.To), "+")
	for _, secret := range c.account.Secrets {
		canary += " " + strings.Join(strings.Fields(string(secret)), " ")
	}
	last := c.exchanges[len(c.exchanges)-1]
	for _, everywhere := range []bool{false, true} {
		v := &vendor{spoil: func(w http.ResponseWriter, _ *http.Request) {
			x := last
			x.answer = splice(last.answer, canary, everywhere)
			x.write(w)
		}}
		sender, a, log := s.opened(t, c, v)
		r := sender.Send(t.Context(), c.call)
		shown(t, a, c.call, r, log)
	}
}

// endable is a context that ends when a test says so, for the reason that the test says.
type endable struct {
	context.Context
	once sync.Once
	done chan struct{}
	err  error
}

func (c *endable) end()                  { c.once.Do(func() { close(c.done) }) }
func (c *endable) Done() <-chan struct{} { return c.done }

func (c *endable) Deadline() (time.Time, bool) { return time.Time{}, false }

func (c *endable) Err() error {
	select {
	case <-c.done:
		return c.err
	default:
		return nil
	}
}
