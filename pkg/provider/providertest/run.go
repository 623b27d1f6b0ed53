package providertest

import (
	"bytes"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
)

// suite is a provider under test.
type suite struct {
	open       provider.OpenFunc
	descriptor provider.Descriptor
	cases      []*testCase
}

// Run holds a provider to its cases and to the promises. fsys is the provider's folder.
func Run(t *testing.T, open provider.OpenFunc, d provider.Descriptor, fsys fs.FS) {
	t.Helper()
	cases, err := load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	s := &suite{open: open, descriptor: d, cases: cases}
	var sent *testCase
	confirmed := 0
	for _, c := range cases {
		if c.name == "sent" {
			sent = c
		}
		if c.confirmed {
			confirmed++
		}
		t.Run("case/"+c.name, func(t *testing.T) {
			t.Parallel()
			s.bound(t, c)
			s.sentences(t, c)
			switch {
			case c.question != nil:
				s.poll(t, c)
			case c.receipts != nil:
				s.receive(t, c)
			case c.approval != nil:
				s.approve(t, c)
			default:
				s.send(t, c)
			}
		})
	}
	t.Logf("%s: %d cases from the vendor's pages, %d unconfirmed", d.Name, confirmed, len(cases)-confirmed)
	if sent == nil || sent.want == nil || sent.want.Outcome != message.Accepted.String() || len(sent.exchanges) == 0 {
		t.Fatal("cases/sent.txtar must exist, ask the provider, and end in sent")
	}
	if ours, receipts := s.named(); receipts > 0 && ours == 0 && !d.ReceiptsByID {
		t.Error("no receipt of any case names a message by our id: the descriptor must say receipts_by_id: true")
	}
	s.promises(t, sent)
}

// named counts the receipts that name a message by our id.
func (s *suite) named() (ours, receipts int) {
	for _, c := range s.cases {
		if c.receipts == nil {
			continue
		}
		if c.question != nil && s.descriptor.Asks(provider.OfMessage, c.account.Config) {
			continue // the question names it
		}
		for _, r := range c.receipts.Receipts {
			if receipts++; r.ID != "" {
				ours++
			}
		}
	}
	return ours, receipts
}

// account is a fresh copy, checked against the form, as the console would.
func (s *suite) account(t testing.TB, c *testCase) provider.Account {
	t.Helper()
	a := provider.Account{
		Name: c.account.Name, Provider: s.descriptor.Name, Channel: c.account.Channel,
		Config: map[string]string{}, Secrets: map[string]message.Secret{},
	}
	for k, v := range c.account.Config {
		a.Config[k] = v
	}
	for k, v := range c.account.Secrets {
		a.Secrets[k] = v
	}
	if err := s.descriptor.Check(&a); err != nil {
		t.Fatalf("account.json: %v", err)
	}
	return a
}

func (s *suite) env(t testing.TB, c *testCase) (provider.Env, *Log) {
	e, log := Env(t)
	e.Now = func() time.Time { return c.now }
	e.Nonce = func() string { return c.nonce }
	return e, log
}

// opened is a sender on a vendor's connection.
func (s *suite) opened(t testing.TB, c *testCase, v *vendor) (provider.Sender, provider.Account, *Log) {
	t.Helper()
	e, log := s.env(t, c)
	v.t, v.exchanges = t, c.exchanges
	a := s.account(t, c)
	sender, err := s.open(a, v.start(e))
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return sender, a, log
}

func (s *suite) send(t *testing.T, c *testCase) {
	v := &vendor{compare: true}
	sender, a, log := s.opened(t, c, v)
	r := sender.Send(t.Context(), c.call)
	got := wantOutcome{
		Outcome: r.Outcome.String(), Code: r.Code, ProviderID: r.ProviderID, Status: r.HTTPStatus, After: r.After.String(),
	}
	want := *c.want
	if want.After == "" {
		want.After = "0s"
	}
	if want.Text != nil {
		got.Text = &r.Text
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("outcome (-want +got):\n%s\ntext: %s", diff, r.Text)
	}
	if n := v.requests(); n != len(c.exchanges) {
		t.Errorf("the provider got %d requests, not %d", n, len(c.exchanges))
	}
	shown(t, a, c.call, r, log)
}

// shown checks what people will see of a call.
func shown(t testing.TB, a provider.Account, c provider.Call, r message.Result, log *Log) {
	t.Helper()
	if len(r.Text) > message.MaxText {
		t.Errorf("the text has %d bytes", len(r.Text))
	}
	Leaks(t, a, c.To, "the result", r.Text, r.Code)
	Leaks(t, a, c.To, "the log", log.String())
}

func (s *suite) receive(t *testing.T, c *testCase) {
	sender, a, log := s.opened(t, c, &vendor{})
	receiver, ok := sender.(provider.Receiver)
	if !ok {
		t.Fatal("the provider has a callback case but is no Receiver")
	}
	if !s.descriptor.Receipts && !s.descriptor.Replies {
		t.Error("the descriptor must say receipts: true, or replies: true")
	}
	req, err := http.NewRequestWithContext(t.Context(), c.callback.method, c.callback.url, bytes.NewReader(c.callback.body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = c.callback.header
	callback, err := receiver.Receive(t.Context(), req, c.callback.body)
	got := heard(callback.Receipts, callback.Replies)
	got.Status, got.Refused = callback.Status, err != nil
	if diff := cmp.Diff(*c.receipts, got); diff != "" {
		t.Errorf("receipts (-want +got):\n%s\nerror: %v", diff, err)
	}
	if err != nil {
		Leaks(t, a, c.call.To, "the error", err.Error())
	}
	Leaks(t, a, c.call.To, "the log", log.String())
}

func heard(receipts []provider.Receipt, replies []provider.Reply) (out wantCallback) {
	for _, r := range receipts {
		out.Receipts = append(out.Receipts, wantReceipt{r.ID, r.Epoch, r.ProviderID, r.Part, r.State.String(), r.At, r.Code, r.Text})
	}
	for _, r := range replies {
		out.Replies = append(out.Replies, wantReply{string(r.From), r.Channel, r.Text, r.At})
	}
	return out
}

func (s *suite) poll(t *testing.T, c *testCase) {
	v := &vendor{compare: true}
	sender, a, log := s.opened(t, c, v)
	poller, ok := sender.(provider.Poller)
	if !ok || s.descriptor.Polls == nil || !s.descriptor.Receipts {
		t.Fatal("a case polls, but the provider is no Poller, or its descriptor does not say polls and receipts: true")
	}
	news, err := poller.Poll(t.Context(), *c.question)
	got := heard(news.Receipts, news.Replies)
	got.Cursor, got.More, got.Refused = news.Cursor, news.More, err != nil
	if diff := cmp.Diff(*c.receipts, got); diff != "" {
		t.Errorf("news (-want +got):\n%s\nerror: %v", diff, err)
	}
	if n := v.requests(); n != len(c.exchanges) {
		t.Errorf("the provider got %d requests, not %d", n, len(c.exchanges))
	}
	if err != nil {
		Leaks(t, a, c.question.To, "the error", err.Error())
	}
	Leaks(t, a, c.question.To, "the log", log.String())
}

// bound checks that a call's binding has no field but those of the form: others could never be filled in.
func (s *suite) bound(t *testing.T, c *testCase) {
	for name := range c.call.Binding {
		if !slices.ContainsFunc(s.descriptor.Binding, func(f provider.Field) bool { return f.Name == name }) {
			t.Errorf("the form of a binding has no field %q", name)
		}
	}
}

func (s *suite) approve(t *testing.T, c *testCase) {
	v := &vendor{compare: true}
	sender, a, log := s.opened(t, c, v)
	approver, ok := sender.(provider.Approver)
	if !ok || !s.descriptor.Approvals {
		t.Fatal("a case asks for an approval, but the provider is no Approver, or its descriptor does not say approvals: true")
	}
	state, note, err := approver.Approval(t.Context(), c.call.Binding)
	got := wantApproval{State: string(state), Note: note}
	if err != nil {
		got.Refused = err.Error()
	}
	if diff := cmp.Diff(*c.approval, got); diff != "" {
		t.Errorf("approval (-want +got):\n%s", diff)
	}
	if n := v.requests(); n != len(c.exchanges) {
		t.Errorf("the provider got %d requests, not %d", n, len(c.exchanges))
	}
	Leaks(t, a, c.call.To, "the answer", got.Note, got.Refused)
	Leaks(t, a, c.call.To, "the log", log.String())
}

// within tells whether an outcome is one of a list.
func within(o message.Outcome, list ...message.Outcome) bool {
	return strings.Contains(names(list), "|"+o.String()+"|")
}

func names(list []message.Outcome) string {
	out := "|"
	for _, o := range list {
		out += o.String() + "|"
	}
	return out
}
