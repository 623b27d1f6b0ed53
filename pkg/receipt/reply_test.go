package receipt_test

import (
	"bytes"
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/suppress"
)

// answering is a provider whose callback says what the test says.
type answering struct {
	provider.Sender
	says *provider.Callback
	err  error
}

func (a answering) Receive(context.Context, *http.Request, []byte) (provider.Callback, error) {
	return *a.says, a.err
}

// hears lets a callback of an account say something, and works on what it put into the queue.
func (w *world) hears(account string, replies ...provider.Reply) {
	w.t.Helper()
	w.sender = answering{says: &provider.Callback{Replies: replies}}
	w.hints = nil
	if _, err := w.receipts.Callback(w.t.Context(), account, w.CallbackSecret(account), nil, nil); err != nil {
		w.t.Fatal(err)
	}
	for i, it := range w.hints {
		if bytes.Contains(it.Body, []byte("+1202")) || bytes.Contains(it.Body, []byte(canary)) || it.Check() != nil {
			w.t.Errorf("in the queue: %s", it.Body)
		}
		it.ID = string(rune('a' + i))
		for range 2 { // a queue gives an item twice
			if again := w.receipts.Handle(w.t.Context(), []queue.Item{it}); len(again) > 0 {
				w.t.Error("comes again")
			}
		}
	}
}

func (w *world) stops(tenant string, c message.Class, to string) bool {
	w.t.Helper()
	all, err := w.store.Suppressions(w.t.Context(), message.Phone, to)
	if err != nil {
		w.t.Fatal(err)
	}
	_, stops := suppress.Find(all, tenant, message.SMS, c, start.Add(time.Hour))
	return stops
}

// STOP stops everything of the tenant but codes, START lets it go again, and the timeline tells; what else was
// written is kept nowhere.
func TestReplies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.accounts["a"], w.accounts["b"] = provider.Descriptor{}, provider.Descriptor{}
	older, newest, foreign := w.sendTo("+12025550100", "a"), w.sendTo("+12025550100", "a"), w.sendTo("+12025550100", "b")
	reply := func(text string, at time.Duration) provider.Reply {
		return provider.Reply{From: "+12025550100", Channel: message.SMS, Text: text, At: start.Add(at)}
	}
	w.hears("a", reply("thanks, I live at "+canary, time.Second))
	if w.stops("shop", message.Marketing, "+12025550100") {
		t.Error("thanks is no STOP")
	}
	w.hears("a", reply("stop.", 2*time.Second))
	for class, want := range map[message.Class]bool{message.OTP: false, message.Transactional: true, message.Marketing: true} {
		if w.stops("shop", class, "+12025550100") != want || w.stops("bank", class, "+12025550100") {
			t.Errorf("%s: %t", class, !want)
		}
	}
	w.hears("a", reply("START", 3*time.Second))
	w.hears("a", reply("stop.", 2*time.Second)) // the provider says it again
	if w.stops("shop", message.Marketing, "+12025550100") {
		t.Error("what was said before START came back")
	}
	w.hears("a", reply("退订", 4*time.Second))
	if !w.stops("shop", message.Marketing, "+12025550100") {
		t.Error("not stopped again")
	}
	var words []string
	for _, n := range w.record(newest.ID).Notes {
		words = append(words, n.What+" "+n.Why)
	}
	if len(words) != 4 || words[0] != "replied other" || words[1] != "replied stop" || words[2] != "replied start" {
		t.Errorf("%q", words)
	}
	if n := len(w.record(older.ID).Notes) + len(w.record(foreign.ID).Notes); n > 0 || bytes.Contains(w.logs.Bytes(), []byte(canary)) || bytes.Contains(w.logs.Bytes(), []byte("+1202")) {
		t.Errorf("%d notes elsewhere, log %s", n, w.logs.String())
	}
	w.hears("b", provider.Reply{From: "+12025550199", Channel: message.SMS, Text: "STOP"}, provider.Reply{From: "12025550199", Channel: message.SMS, Text: "STOP"})
	if !w.stops("bank", message.Marketing, "+12025550199") || w.counts["receipt_unknown"] != 2 {
		t.Errorf("who was never written to stops everybody; a number of no form, nobody: %v", w.counts)
	}
}

// A STOP that comes behind the START that was said after it, as a queue may have it, brings nothing back.
func TestRepliesOutOfOrder(t *testing.T) {
	t.Parallel()
	for _, known := range []bool{true, false} { // somebody wrote to him over the account
		w := newWorld(t)
		w.accounts["a"] = provider.Descriptor{}
		owner := "bank"
		if known {
			w.sendTo("+12025550100", "a")
			owner = "shop"
		}
		reply := func(text string, at time.Duration) provider.Reply {
			return provider.Reply{From: "+12025550100", Channel: message.SMS, Text: text, At: start.Add(at)}
		}
		w.hears("a", reply("START", 3*time.Second))
		w.hears("a", reply("STOP", 2*time.Second))
		if w.stops(owner, message.Marketing, "+12025550100") {
			t.Error("what was said before START holds")
		}
		w.hears("a", reply("STOP", 4*time.Second), reply("START", time.Second))
		if !w.stops(owner, message.Marketing, "+12025550100") {
			t.Error("what was said after START does not")
		}
	}
}

// Who answers means what he had got by then, not what came from another tenant since.
func TestReplyIsToWhatWasSentBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.accounts["a"] = provider.Descriptor{}
	w.sendTo("+12025550100", "a")
	w.now = start.Add(time.Minute)
	id := message.NewID(w.store.Partition(message.Phone, "+12025550100", 1, ""), message.ULIDFloor(w.now))
	m := message.Message{ID: id, Tenant: "bank", Channel: message.SMS, Class: message.OTP, Created: w.now, Expires: w.now.Add(time.Minute)}
	v, err := w.store.Accept(t.Context(), system, w.now, &store.Draft{Message: message.New(m, w.now), To: "+12025550100"})
	if err == nil {
		_, err = w.store.Update(t.Context(), system, w.now, v[0].Record, message.Lease{Account: "a", Until: w.now.Add(time.Second)})
	}
	if err != nil {
		t.Fatal(err)
	}
	w.hears("a", provider.Reply{From: "+12025550100", Channel: message.SMS, Text: "STOP", At: start.Add(30 * time.Second)})
	if !w.stops("shop", message.Marketing, "+12025550100") || w.stops("bank", message.Marketing, "+12025550100") {
		t.Error("it stopped the one who wrote later")
	}
	w.hears("a", provider.Reply{From: "+12025550100", Channel: message.SMS, Text: "STOP", At: start.Add(2 * time.Minute)})
	if !w.stops("bank", message.Marketing, "+12025550100") {
		t.Error("it did not stop the one who wrote last")
	}
}

// A reply on a channel that a recipe declares finds its message and its address, which are kept like an account's.
func TestReplyOnARecipesChannel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.accounts["a"] = provider.Descriptor{}
	sent := w.sendOn("line", message.Account, "U4af4980629", "a")
	w.hears("a", provider.Reply{From: "U4af4980629", Channel: "line", Text: "ＴＤ", At: start.Add(time.Second)})
	all, err := w.store.Suppressions(t.Context(), message.Account, "U4af4980629")
	if _, stops := suppress.Find(all, "shop", "line", message.Marketing, start.Add(time.Hour)); err != nil || !stops {
		t.Errorf("not stopped: %+v %v", all, err)
	}
	if n := w.record(sent.ID).Notes; len(n) != 1 || n[0].Why != "stop" {
		t.Errorf("%+v", n)
	}
}

// The first that is heard of a new account may be its provider, as of a trial: it is not sent away, and nobody without the
// secret has anything read.
func TestCallbackOfANewAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sender = answering{says: &provider.Callback{}}
	w.news = map[string]provider.Descriptor{"b": {}}
	if _, err := w.receipts.Callback(t.Context(), "b", w.CallbackSecret("a"), nil, nil); err == nil || w.renewed > 0 {
		t.Errorf("without the secret: %v, accounts were read %d times", err, w.renewed)
	}
	if _, err := w.receipts.Callback(t.Context(), "b", w.CallbackSecret("b"), nil, nil); err != nil {
		t.Error(err)
	}
	if _, err := w.receipts.Callback(t.Context(), "c", w.CallbackSecret("c"), nil, nil); err == nil {
		t.Error("an account that is gone was called back")
	}
}
