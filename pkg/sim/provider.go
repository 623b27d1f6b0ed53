package sim

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
)

// account is one account at a provider of this world: what really happened there.
type account struct {
	name string
	// taken are the keys that it took, with the id that it gave.
	taken map[string]string
	n     int
}

// senders opens accounts for a process.
type senders struct{ p *process }

// Open implements delivery.Senders and receipt.Senders.
func (s senders) Open(_ context.Context, a config.Account) (provider.Sender, provider.Descriptor, error) {
	w := s.p.w
	d := provider.Descriptor{Name: a.Provider, Dedup: a.Provider == "keyed" || a.Provider == config.EndpointProvider, ReceiptsByID: a.Provider == "named"}
	if a.Name == "sms-b" {
		d.Limits.PerSecond = w.limit
	}
	if s.p.meets(Unopened) {
		return nil, d, errors.New("sim: the vault is away")
	}
	return sender{s.p, a.Name, d.Dedup}, d, nil
}

type sender struct {
	p       *process
	account string
	dedup   bool
}

// Send implements provider.Sender: it answers whatever providers answer.
func (s sender) Send(_ context.Context, c provider.Call) message.Result {
	p, w := s.p, s.p.w
	if p.dead {
		return message.Result{}
	}
	if w.Bug == BugNewKey {
		c.Key += strconv.Itoa(c.Epoch)
	}
	w.calls++
	w.mark("call", s.account, string(c.ID), strconv.Itoa(c.Epoch))
	w.oracle.called(p, s.account, &c)
	accident := w.accident()
	if accident == AccidentDiesBefore || p.meets(DiesBefore) {
		p.die()
		return message.Result{}
	}
	res, panics := s.answer(&c)
	switch {
	case accident == AccidentFails:
		res = message.Result{Outcome: message.Retry, Code: "503"}
	case res.Outcome == message.Accepted || panics:
		res.ProviderID = s.take(&c)
	case res.Code == "mum":
		s.take(&c)
	}
	wait := w.latency()
	if res.Outcome == message.Unknown && !panics {
		wait = provider.Timeout
	}
	if !p.pause(wait) || p.meets(Freezes) && !p.pause(w.between(20*time.Second, 400*time.Second)) {
		return message.Result{}
	}
	if accident == AccidentDiesAfter || p.meets(DiesAfter) {
		p.die()
		return message.Result{}
	}
	if accident == AccidentForgets {
		res = message.Result{Outcome: message.Unknown, Code: "timeout"}
	}
	if panics {
		w.oracle.answered(&c, message.Unknown)
		panic("sim: a provider's code")
	}
	w.oracle.answered(&c, res.Outcome)
	return w.Bug.mishear(res)
}

// answer draws what the provider says. In peace it takes everything.
func (s sender) answer(c *provider.Call) (res message.Result, panics bool) {
	p := s.p
	if res, is := p.w.out(s.account); is {
		return res, false
	}
	switch {
	case p.meets(ProviderRetry):
		return message.Result{Outcome: message.Retry, Code: "503", HTTPStatus: 503}, false
	case p.meets(ProviderThrottles):
		return message.Result{Outcome: message.Throttled, Code: "429", HTTPStatus: 429, After: p.w.between(0, time.Minute)}, false
	case p.meets(ProviderRefuses):
		return message.Result{Outcome: message.Permanent, Code: "bad_number", HTTPStatus: 200}, false
	case p.meets(ProviderBlames):
		return message.Result{Outcome: message.AccountFault, Code: "no_balance", HTTPStatus: 200}, false
	case p.meets(ProviderRefresh):
		return message.Result{Outcome: message.Refresh, Code: "401", HTTPStatus: 401}, false
	case p.meets(ProviderDefers):
		return message.Result{Outcome: message.Defer, Code: "quiet", After: p.w.between(time.Second, 5*time.Minute)}, false
	case p.meets(ProviderSilent):
		return message.Result{Outcome: message.Unknown, Code: "timeout"}, false
	case p.meets(ProviderTakesMum):
		return message.Result{Outcome: message.Unknown, Code: "mum"}, false
	case p.meets(ProviderPanics):
		return message.Result{Outcome: message.Unknown}, true
	}
	return message.Result{Outcome: message.Accepted, HTTPStatus: 200}, false
}

// take makes the provider take a message; one that deduplicates takes a key once.
func (s sender) take(c *provider.Call) string {
	w := s.p.w
	a := w.accounts[s.account]
	if a == nil {
		a = &account{name: s.account, taken: map[string]string{}}
		w.accounts[s.account] = a
	}
	if id, have := a.taken[c.Key]; have && s.dedup {
		return id
	}
	a.n++
	id := s.account + "-" + strconv.Itoa(a.n)
	a.taken[c.Key] = id
	w.mark("taken", s.account, id)
	w.oracle.taken(c)
	if c.Class != message.Callback {
		w.report(s.account, id, c)
	}
	return id
}

// notice is the body of a callback in this world.
type notice struct {
	Signed  bool
	Receipt provider.Receipt
	about   message.ID
}

// Receive implements provider.Receiver.
func (s sender) Receive(_ context.Context, _ *http.Request, body []byte) (provider.Callback, error) {
	var n notice
	if err := json.Unmarshal(body, &n); err != nil {
		return provider.Callback{}, err
	}
	if !n.Signed && s.p.w.Bug != BugUnsigned {
		return provider.Callback{}, errors.New("sim: bad signature")
	}
	return provider.Callback{Receipts: []provider.Receipt{n.Receipt}}, nil
}

// forged marks what no provider said.
const forged = "forged"

var fates = [][]message.ReceiptState{
	{message.ReceiptSent, message.ReceiptDelivered}, {message.ReceiptDelivered}, {message.ReceiptDelivered}, {message.ReceiptUndelivered},
	{message.ReceiptBounced}, {message.ReceiptDelivered, message.ReceiptComplained}, {message.ReceiptSent}, nil, nil,
}

// report lets the provider say what became of a message: early, late, twice, in any order. Others say
// things too.
func (w *world) report(from, id string, c *provider.Call) {
	parts := 1 + w.chance.IntN(5)/4
	for part := range parts {
		for _, state := range fates[w.chance.IntN(len(fates))] {
			rc := provider.Receipt{ID: c.ID, ProviderID: id, Part: part, State: state, At: w.now, Code: "000"}
			if w.percent(w.echoes) {
				rc.Epoch = c.Epoch
			}
			if rc.Epoch != 0 && w.percent(30) {
				rc.ProviderID = ""
			}
			if from == "sms-n" {
				rc.ID, rc.Epoch, rc.ProviderID = "", 0, id
			}
			for range 1 + w.chance.IntN(8)/6 {
				delay := w.between(0, 3*time.Second)
				switch n := w.chance.IntN(100); {
				case n < w.late:
					delay = w.between(time.Minute, 70*time.Hour)
				case n >= 80:
					delay = 0 // it is there before the answer
				}
				w.after(delay, func() { w.callback(from, "", notice{true, rc, c.ID}, 0) })
			}
		}
	}
	if w.chaos && w.percent(15) {
		rc := provider.Receipt{ID: c.ID, Epoch: c.Epoch, State: message.ReceiptComplained, At: w.now, Code: forged}
		account, secret, signed := "mallory", "", true
		switch w.chance.IntN(3) {
		case 0:
			account, secret = from, "guessed"
		case 1:
			account, signed = from, false
		}
		w.after(w.between(0, time.Minute), func() { w.callback(account, secret, notice{signed, rc, c.ID}, 0) })
	}
}

// callback calls our endpoint, until it hears 2xx. A forger tries once.
func (w *world) callback(from, secret string, n notice, tries int) {
	if secret == "" {
		secret = w.raw.CallbackSecret(from)
	}
	var err error
	w.submit(api, job{
		what: "callback",
		work: func(ctx context.Context, p *process) {
			p.about = n.about
			body, _ := json.Marshal(n)
			_, err = p.receipts.Callback(ctx, from, secret, nil, body)
			if err != nil && w.Bug == BugCallbackAcks {
				err = nil
			}
		},
		then: func(died bool) {
			switch {
			case n.Receipt.Code == forged:
			case died || err != nil:
				if tries < 200 {
					w.after(w.between(time.Second, time.Minute), func() { w.callback(from, secret, n, tries+1) })
				}
			default:
				w.oracle.heard(n, from)
			}
		},
	})
}
