package delivery_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/catalog"
	"github.com/opennotify/notify/pkg/route"
)

// Bindings are the same for every version.
func (w *world) Bindings(context.Context, message.Ref) (config.Bindings, error) {
	return w.bindings, w.unbound
}

// Get describes providers: those named bound- need a binding, those named may-bind- take one.
func (w *world) Get(_ context.Context, name string) (provider.Descriptor, bool, error) {
	d := provider.Descriptor{Name: name, Dedup: w.dedup, Receipts: w.receipts || w.named, ReceiptsByID: w.named, Suppresses: w.suppress, Limits: w.limits}
	if bound := strings.HasPrefix(name, "bound-"); bound || strings.HasPrefix(name, "may-bind-") {
		d.Binding = []provider.Field{{Name: "template_id", Type: "string", Required: bound}}
	}
	return d, true, nil
}

func (w *world) Channel(ctx context.Context, name message.Channel) (provider.Channel, bool, error) {
	return catalog.Open().Channel(ctx, name)
}

func to(id string, s provider.Approval) config.Binding {
	return config.Binding{Fields: map[string]string{"template_id": id}, State: s}
}

// TestBoundAccounts: an account whose provider sends its vendor's templates only carries a message if the
// version is bound over it, to a template that was not refused.
func TestBoundAccounts(t *testing.T) {
	t.Parallel()
	account := func(name, provider string) config.Account {
		return config.Account{Name: name, Provider: provider, Channel: message.SMS}
	}
	for name, c := range map[string]struct {
		accounts []config.Account
		bindings config.Bindings
		want     string // account and template, or why it waits
	}{
		"bound":            {[]config.Account{account("a", "bound-x")}, config.Bindings{"a": to("7", provider.Approved)}, "a 7"},
		"not checked":      {[]config.Account{account("a", "bound-x")}, config.Bindings{"a": to("7", provider.Unchecked)}, "a 7"},
		"pending":          {[]config.Account{account("a", "bound-x")}, config.Bindings{"a": to("7", provider.Pending)}, "a 7"},
		"rejected":         {[]config.Account{account("a", "bound-x")}, config.Bindings{"a": to("7", provider.Rejected)}, "no_binding"},
		"not bound":        {[]config.Account{account("a", "bound-x")}, nil, "no_binding"},
		"another's":        {[]config.Account{account("a", "bound-x")}, config.Bindings{"b": to("7", provider.Approved)}, "no_binding"},
		"the next":         {[]config.Account{account("a", "bound-x"), account("b", "bound-x")}, config.Bindings{"a": to("7", provider.Rejected), "b": to("8", "")}, "b 8"},
		"one without":      {[]config.Account{account("a", "bound-x"), account("b", "fake")}, nil, "b"},
		"off":              {[]config.Account{{Name: "a", Provider: "bound-x", Channel: message.SMS, Off: true}}, config.Bindings{"a": to("7", "")}, "no_account"},
		"takes one":        {[]config.Account{account("a", "may-bind-x")}, config.Bindings{"a": to("7", "")}, "a 7"},
		"takes none here":  {[]config.Account{account("a", "may-bind-x")}, nil, "a"},
		"whatever is kept": {[]config.Account{account("a", "fake")}, config.Bindings{"a": to("7", "")}, "a"},
	} {
		w := newWorld(t)
		w.accounts, w.bindings = c.accounts, c.bindings
		r := w.accept(message.Transactional)
		w.hint(r)
		w.deliver()
		got := w.record(r.ID).Reason
		if len(w.calls) == 1 {
			last := w.record(r.ID).Last()
			if got = strings.TrimSpace(last.Account + " " + last.Bound); w.calls[0].Binding["template_id"] != last.Bound {
				t.Errorf("%s: called with %v", name, w.calls[0].Binding)
			}
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestBoundLater: what waits for a binding goes out when there is one.
func TestBoundLater(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.accounts = []config.Account{{Name: "a", Provider: "bound-x", Channel: message.SMS}}
	r := w.accept(message.Transactional)
	w.hint(r)
	w.deliver()
	w.want(r.ID, message.Queued, 0)
	w.bindings = config.Bindings{"a": to("7", provider.Approved)}
	w.advance(2 * time.Minute)
	w.deliver()
	w.want(r.ID, message.Sent, 1)
}

// A route's account that cannot carry the message does not hide one that can.
func TestBoundBesideTheRoute(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.accounts = []config.Account{{Name: "a", Provider: "bound-x", Channel: message.SMS}, {Name: "b", Provider: "fake", Channel: message.SMS}}
	w.routes = []route.Route{{Name: "r", Accounts: []route.Weighted{{Account: "a"}}}}
	r := w.accept(message.Transactional)
	w.hint(r)
	w.deliver()
	if got := w.want(r.ID, message.Sent, 1).Last(); got.Account != "b" {
		t.Errorf("over %s", got.Account)
	}
}

// TestBindingsUnread: without knowing the bindings nothing is tried; the hint comes again.
func TestBindingsUnread(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.accounts, w.unbound = []config.Account{{Name: "a", Provider: "bound-x", Channel: message.SMS}}, errors.New("the store is away")
	if again := w.handle(w.hint(w.accept(message.OTP))); again != 1 || len(w.calls) != 0 {
		t.Errorf("%d again, %d calls", again, len(w.calls))
	}
}

// A variable that may be absent, and is, is still there to be filled in by its name.
func TestAbsentVariables(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.hint(w.accept(message.OTP))
	w.deliver()
	if got := slices.Sorted(maps.Keys(w.calls[0].Vars)); !slices.Contains(got, "code") || len(got) != len(w.compiled.Template().Variables) {
		t.Errorf("%v", got)
	}
}
