package devinbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
)

// Behaviour is what the inbox plays for a message.
type Behaviour string

// The behaviours; provider.yaml says what each means.
const (
	Accept   Behaviour = "accept"
	Deliver  Behaviour = "deliver"
	Bounce   Behaviour = "bounce"
	Delay    Behaviour = "delay"
	Throttle Behaviour = "throttle"
	Timeout  Behaviour = "timeout"
	Fail     Behaviour = "fail"
	Account  Behaviour = "account"
)

// The waits that Delay and Throttle ask for.
const (
	delayFor    = 30 * time.Second
	throttleFor = time.Second
)

type sender struct {
	inbox     *Inbox
	account   string
	behaviour Behaviour
	now       func() time.Time
}

// Open is the provider's OpenFunc, as a method value of the inbox that messages shall land in.
func (in *Inbox) Open(a provider.Account, e provider.Env) (provider.Sender, error) {
	b := Behaviour(a.Config["behaviour"])
	if b == "" {
		b = Accept
	}
	if _, known := parse(string(b)); !known {
		return nil, fmt.Errorf("field %q has no behaviour %q", "behaviour", b)
	}
	return &sender{inbox: in, account: a.Name, behaviour: b, now: e.Now}, nil
}

// Send plays one attempt.
func (s *sender) Send(ctx context.Context, c provider.Call) message.Result {
	if ctx.Err() != nil {
		return provider.Fault(ctx.Err(), false)
	}
	b, magic := ofAddress(string(c.To))
	if !magic {
		b = s.behaviour
	}
	switch b {
	case Fail:
		return message.Result{Outcome: message.Permanent, Code: "dev_fail", Text: "the development inbox was asked to fail"}
	case Account:
		return message.Result{Outcome: message.AccountFault, Code: "dev_account", Text: "the development inbox was asked to blame the account"}
	case Throttle:
		if s.inbox.hold(c.ID) {
			return message.Result{Outcome: message.Throttled, Code: "dev_throttle", Text: "the development inbox was asked to throttle", After: throttleFor}
		}
	case Delay:
		if s.inbox.hold(c.ID) {
			return message.Result{Outcome: message.Defer, Code: "dev_delay", Text: "the development inbox was asked to delay", After: delayFor}
		}
	}
	r := message.Result{Outcome: message.Accepted, ProviderID: providerID(c)}
	if b == Timeout {
		r = message.Result{Code: provider.CodeTimeout, Text: "the development inbox was asked not to answer"}
	}
	s.inbox.add(Entry{
		ID: c.ID, Epoch: c.Epoch, ProviderID: providerID(c), Time: message.At(s.now()), Account: s.account,
		Channel: c.Channel, To: string(c.To), Content: c.Content, Class: c.Class, Tenant: c.Tenant, Template: c.Template,
		Outcome: r.Outcome.String(),
	})
	s.receipt(b, c)
	return r
}

func (s *sender) receipt(b Behaviour, c provider.Call) {
	if s.inbox.receipt == nil {
		return
	}
	r := provider.Receipt{ID: c.ID, Epoch: c.Epoch, ProviderID: providerID(c), At: message.At(s.now())}
	switch b {
	case Deliver:
		r.State = message.ReceiptDelivered
	case Bounce:
		r.State, r.Code, r.Text = message.ReceiptBounced, "dev_bounce", "the development inbox was asked to bounce"
	default:
		return
	}
	s.inbox.receipt(s.account, r)
}

// Receive reads the receipt that the console's buttons post:
// {"id":"msg_…","epoch":1,"state":"delivered","code":"","text":""}.
func (s *sender) Receive(_ context.Context, _ *http.Request, body []byte) (provider.Callback, error) {
	var in struct {
		ID    message.ID `json:"id"`
		Epoch int        `json:"epoch"`
		State string     `json:"state"`
		Code  string     `json:"code"`
		Text  string     `json:"text"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return provider.Callback{}, fmt.Errorf("devinbox: read receipt: %w", err)
	}
	state, known := message.ParseReceiptState(in.State)
	if _, err := message.ParseID(string(in.ID)); err != nil || !known {
		return provider.Callback{}, fmt.Errorf("devinbox: a receipt needs an id and a state")
	}
	return provider.Callback{Receipts: []provider.Receipt{{
		ID: in.ID, Epoch: in.Epoch, State: state, At: message.At(s.now()), Code: in.Code, Text: in.Text,
	}}}, nil
}

// providerID is the same whenever the same attempt is played.
func providerID(c provider.Call) string {
	sum := sha256.Sum256([]byte(string(c.ID) + "." + strconv.Itoa(c.Epoch)))
	return "dev-" + hex.EncodeToString(sum[:8])
}

// ofAddress is the behaviour that an address asks for.
func ofAddress(to string) (Behaviour, bool) {
	if strings.HasPrefix(to, "+") && len(to) > 4 {
		switch to[len(to)-4:] {
		case "0001":
			return Fail, true
		case "0002":
			return Throttle, true
		case "0003":
			return Timeout, true
		case "0004":
			return Account, true
		case "0005":
			return Bounce, true
		case "0006":
			return Delay, true
		case "0007":
			return Deliver, true
		}
		return "", false
	}
	if strings.Contains(to, "://") {
		to, _, _ = strings.Cut(to, "?")
		return parse(to[strings.LastIndexByte(to, '/')+1:])
	}
	if local, _, isMail := strings.Cut(to, "@"); isMail {
		word, _, _ := strings.Cut(local, "+")
		return parse(word)
	}
	word, _, _ := strings.Cut(to, "-")
	return parse(word)
}

func parse(word string) (Behaviour, bool) {
	switch b := Behaviour(strings.ToLower(word)); b {
	case Accept, Deliver, Bounce, Delay, Throttle, Timeout, Fail, Account:
		return b, true
	}
	return "", false
}
