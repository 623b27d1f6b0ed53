package devinbox_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/catalog"
	"github.com/opennotify/notify/pkg/provider/devinbox"
	"github.com/opennotify/notify/pkg/provider/providertest"
)

const id = message.ID("msg_0123456789abcdefghjkmnpq001kdyajy800000000000000000")

func open(t *testing.T, in *devinbox.Inbox, behaviour string) provider.Sender {
	t.Helper()
	e, _ := providertest.Env(t)
	s, err := in.Open(provider.Account{Name: "dev", Channel: message.SMS, Config: map[string]string{"behaviour": behaviour}}, e)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSend(t *testing.T) {
	t.Parallel()
	in := devinbox.New(nil)
	c := provider.Call{ID: id, Epoch: 2, Tenant: "shop", Channel: message.SMS, Class: message.OTP, To: "+8613800138000",
		Content: message.Content{Text: "code 123"}, Template: "login"}
	s := open(t, in, "")
	r := s.Send(t.Context(), c)
	if again := s.Send(t.Context(), c); r.Outcome != message.Accepted || r.ProviderID == "" || again != r {
		t.Errorf("%+v, again %+v", r, again)
	}
	got, ok := in.Get(id)
	want := devinbox.Entry{ID: id, Epoch: 2, ProviderID: r.ProviderID, Time: message.At(providertest.Now()), Account: "dev",
		Channel: message.SMS, To: "+8613800138000", Content: c.Content, Class: message.OTP, Tenant: "shop", Template: "login", Outcome: "sent"}
	if diff := cmp.Diff(want, got); !ok || diff != "" {
		t.Errorf("%v %s", ok, diff)
	}
	data, err := json.Marshal(got)
	var back devinbox.Entry
	if err != nil || json.Unmarshal(data, &back) != nil || !cmp.Equal(got, back) {
		t.Errorf("%s: %v", data, err)
	}
	c.Epoch = 3
	if r3 := s.Send(t.Context(), c); r3.ProviderID == r.ProviderID {
		t.Error("two attempts have one id")
	}
}

func TestBehaviours(t *testing.T) {
	t.Parallel()
	type want struct {
		first, second message.Outcome
		arrived       int // after two attempts
		receipt       message.ReceiptState
	}
	wants := map[string]want{
		"accept":   {message.Accepted, message.Accepted, 2, message.ReceiptNone},
		"deliver":  {message.Accepted, message.Accepted, 2, message.ReceiptDelivered},
		"bounce":   {message.Accepted, message.Accepted, 2, message.ReceiptBounced},
		"delay":    {message.Defer, message.Accepted, 1, message.ReceiptNone},
		"throttle": {message.Throttled, message.Accepted, 1, message.ReceiptNone},
		"timeout":  {message.Unknown, message.Unknown, 2, message.ReceiptNone},
		"fail":     {message.Permanent, message.Permanent, 0, message.ReceiptNone},
		"account":  {message.AccountFault, message.AccountFault, 0, message.ReceiptNone},
	}
	type ask struct{ behaviour, to, want string }
	asks := []ask{
		{"fail", "+8613800138000", "fail"}, {"fail", "accept@example.com", "accept"}, {"deliver", "user@fail.example", "deliver"},
		{"", "fail+tag@example.com", "fail"}, {"", "FAIL@example.com", "fail"}, {"", "https://example.com/hook/fail?x=/accept", "fail"},
		{"", "https://fail.example/hook", "accept"}, {"", "timeout-42", "timeout"}, {"", "token-fail", "accept"}, {"", "+001", "accept"},
	}
	for i, b := range []string{"fail", "throttle", "timeout", "account", "bounce", "delay", "deliver"} {
		asks = append(asks, ask{"", fmt.Sprintf("+861380013%04d", i+1), b}, ask{"", b + "@example.com", b}, ask{b, "someone@example.com", b})
	}
	for _, c := range asks {
		var receipts []provider.Receipt
		in := devinbox.New(func(_ string, r provider.Receipt) { receipts = append(receipts, r) })
		s := open(t, in, c.behaviour)
		call := provider.Call{ID: id, To: message.Address(c.to), Epoch: 1}
		first := s.Send(t.Context(), call)
		call.Epoch = 2
		second := s.Send(t.Context(), call)
		got := want{first.Outcome, second.Outcome, len(in.List(devinbox.Filter{})), message.ReceiptNone}
		if len(receipts) > 0 {
			got.receipt = receipts[0].State
			if receipts[0].ProviderID != first.ProviderID || receipts[0].Epoch != 1 {
				t.Errorf("%v: receipt %+v of %+v", c, receipts[0], first)
			}
		}
		if got != wants[c.want] {
			t.Errorf("%v: %+v, want %+v", c, got, wants[c.want])
		}
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	in := devinbox.New(nil)
	if r := open(t, in, "").Send(ctx, provider.Call{ID: id, To: "x"}); r.Outcome != message.Retry || len(in.List(devinbox.Filter{})) != 0 {
		t.Errorf("%+v", r)
	}
}

func TestRing(t *testing.T) {
	t.Parallel()
	in := devinbox.New(nil)
	s := open(t, in, "")
	for i := range devinbox.Capacity + 10 {
		tenant := []string{"a", "b"}[i%2]
		s.Send(t.Context(), provider.Call{ID: message.ID(fmt.Sprint(i)), To: "x", Tenant: tenant})
		if i == 4 {
			if got := in.List(devinbox.Filter{}); len(got) != 5 || got[0].ID != "4" || got[4].ID != "0" {
				t.Errorf("before it is full: %v", got)
			}
		}
	}
	all := in.List(devinbox.Filter{})
	if len(all) != devinbox.Capacity || all[0].ID != "1009" || all[len(all)-1].ID != "10" {
		t.Errorf("%d entries from %s to %s", len(all), all[0].ID, all[len(all)-1].ID)
	}
	if _, ok := in.Get("9"); ok {
		t.Error("the oldest is still there")
	}
	if b := in.List(devinbox.Filter{Tenant: "b", Limit: 3}); len(b) != 3 || b[0].ID != "1009" || b[1].ID != "1007" {
		t.Errorf("%v", b)
	}
	in.Clear()
	s.Send(t.Context(), provider.Call{ID: "new", To: "x"})
	if got := in.List(devinbox.Filter{}); len(got) != 1 || got[0].ID != "new" {
		t.Errorf("after clearing: %v", got)
	}
}

func TestWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		in := devinbox.New(nil)
		s, err := in.Open(provider.Account{}, provider.Env{Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * time.Second) // the bubble's clock
				s.Send(t.Context(), provider.Call{ID: message.ID(fmt.Sprint(i)), To: "x", Tenant: "shop"})
			})
		}
		got, err := in.Wait(t.Context(), devinbox.Filter{Tenant: "shop"}, 7)
		if err != nil || len(got) != 7 {
			t.Errorf("%d %v", len(got), err)
		}
		wg.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if got, err := in.Wait(ctx, devinbox.Filter{}, 21); err != context.DeadlineExceeded || len(got) != 20 {
			t.Errorf("%d %v", len(got), err)
		}
	})
}

func TestReceive(t *testing.T) {
	t.Parallel()
	r := open(t, devinbox.New(nil), "").(provider.Receiver)
	got, err := r.Receive(t.Context(), nil, []byte(`{"id":"`+id+`","epoch":2,"state":"bounced","code":"c","text":"t"}`))
	want := []provider.Receipt{{ID: id, Epoch: 2, State: message.ReceiptBounced, At: message.At(providertest.Now()), Code: "c", Text: "t"}}
	if diff := cmp.Diff(want, got.Receipts); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	for _, body := range []string{"", "{", `{"id":"x","state":"bounced"}`, `{"id":"` + string(id) + `","state":"none"}`, `{"id":"` + string(id) + `","state":"gone"}`} {
		if _, err := r.Receive(t.Context(), nil, []byte(body)); err == nil {
			t.Errorf("took %s", body)
		}
	}
}

// TestForm: the form offers what the code knows.
func TestForm(t *testing.T) {
	t.Parallel()
	c, err := catalog.Load(provider.Descriptors())
	if err != nil {
		t.Fatal(err)
	}
	d, _ := c.Shipped("devinbox")
	for _, option := range d.Fields[0].Options {
		open(t, devinbox.New(nil), option)
	}
	for _, row := range message.Channels() {
		if !d.Has(row.Channel) {
			t.Errorf("the inbox has no channel %s", row.Channel)
		}
	}
	if _, err := devinbox.New(nil).Open(provider.Account{Config: map[string]string{"behaviour": "explode"}}, provider.Env{}); err == nil {
		t.Error("opened with a behaviour that does not exist")
	}
}
