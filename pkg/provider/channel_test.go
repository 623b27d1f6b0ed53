package provider_test

import (
	"strings"
	"testing"

	"github.com/opennotify/notify/pkg/address"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
)

func own() provider.Descriptor {
	return provider.Descriptor{Name: "line", Receipts: true, Channels: []message.Channel{"line"}, Own: &provider.Own{
		Name: "line", Title: provider.Text{Zh: "甲", En: "A"}, Address: "U[0-9a-f]{32}|C[0-9a-f]{32}", Example: "U4af4980629aa4af4980629aa4af49806", Content: message.PlainText,
	}}
}

// TestOwnChannel: a recipe's channel reads addresses by its pattern, as a whole, and is kept like an account's.
func TestOwnChannel(t *testing.T) {
	t.Parallel()
	ch, ok := own().OwnChannel()
	if !ok || !ch.Own() || ch.Channel != "line" || ch.Address != message.Account || ch.Content != message.PlainText || ch.Shards != 1 || !ch.Receipts {
		t.Fatalf("%+v %v", ch, ok)
	}
	good := "U4af4980629aa4af4980629aa4af49806"
	for _, raw := range []string{good, " " + good + "\u3000"} {
		n, err := ch.Read(address.Reader{}, raw, "CN")
		if err != nil || string(n.Send) != good || n.Key != n.Send || n.Region != "" {
			t.Errorf("%q: %v %v", raw, n, err)
		}
	}
	for _, raw := range []string{"", "x", good + "0", "x" + good, good + "\n", good[:10] + "\u200b" + good[10:], "\xff", strings.Repeat(good, 20), good + "|" + good} {
		n, err := ch.Read(address.Reader{}, raw, "")
		if err == nil || n != (address.Normal{}) {
			t.Errorf("%q is taken: %v", raw, n)
		}
	}
	if _, err := ch.Read(address.Reader{}, "@anna", ""); err == nil || !strings.Contains(err.Error(), "such as "+good) || strings.Contains(err.Error(), "anna") {
		t.Errorf("%v", err)
	}
	if masked := message.Address(good).String(); strings.Contains(masked, good[8:20]) {
		t.Errorf("shown as %s", masked)
	}
}

// TestBuiltIn: those of the table are read by their kind, and of a channel that nobody declares it is known how
// its addresses were kept.
func TestBuiltIn(t *testing.T) {
	t.Parallel()
	for _, info := range message.Channels() {
		ch, ok := provider.BuiltIn(info.Channel)
		if !ok || ch.Own() || ch.ChannelInfo != info || ch.Fits("x") {
			t.Errorf("%+v %v", ch, ok)
		}
	}
	mail, _ := provider.BuiltIn(message.Email)
	if n, err := mail.Read(address.Reader{}, "Li@Example.com", ""); err != nil || n.Key != "li@example.com" {
		t.Errorf("%v %v", n, err)
	}
	if _, ok := provider.BuiltIn("line"); ok {
		t.Error("line is built in")
	}
	line, _ := own().OwnChannel()
	if gone := provider.Undeclared("line"); gone.Address != line.Address || gone.Shards != line.Shards {
		t.Error("the messages of a channel whose recipe is gone are no longer found")
	}
	for _, bad := range []string{"", "(", "a)(b", strings.Repeat("x", provider.MaxPattern+1)} {
		d := own()
		d.Own.Address = bad
		if _, ok := d.OwnChannel(); ok {
			t.Errorf("the pattern %.10q is taken", bad)
		}
	}
}
