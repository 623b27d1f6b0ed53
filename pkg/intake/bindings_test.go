package intake_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/intake"
	"github.com/opennotify/notify/pkg/intake/intaketest"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/catalog"
	"github.com/opennotify/notify/pkg/store"
)

// binders describes the provider "bound" as one that takes its vendor's templates only.
type binders struct{ *catalog.Catalog }

func (binders) Get(_ context.Context, name string) (provider.Descriptor, bool, error) {
	d := provider.Descriptor{Name: name}
	if name == "bound" {
		d.Binding = []provider.Field{{Name: "template_id", Type: "string", Required: true}}
	}
	return d, true, nil
}

// boundWorld has two accounts of "bound" beside what every world has, on channels of their own.
func boundWorld(t *testing.T) (*intaketest.World, *intake.Intake) {
	t.Helper()
	w := intaketest.New(t)
	for _, a := range []config.Account{
		{Name: "sms-a", Provider: "bound", Channel: message.SMS}, {Name: "sms-b", Provider: "bound", Channel: message.SMS},
		{Name: "mail", Provider: "bound", Channel: message.Email},
	} {
		w.Put(store.Accounts, a.Name, "", a)
	}
	return w, w.Over(w.Store, w.Queue, func(p *intake.Ports) { p.Providers = binders{catalog.Open()} })
}

func bind(w *intaketest.World, name string, states map[string]provider.Approval) {
	w.Helper()
	b := config.Bindings{}
	for account, state := range states {
		b[account] = config.Binding{Fields: map[string]string{"template_id": "7"}, State: state}
	}
	w.Put(store.Bindings, config.VersionName("shop", name, 1), "shop", b)
}

// TestUnbound: what no account could carry is refused, with who could and what is to be done.
func TestUnbound(t *testing.T) {
	t.Parallel()
	w, in := boundWorld(t)
	detail := func(err error) string { return problem.From(err).Fields[0].Detail }
	_, err := in.Send(t.Context(), intaketest.Shop, hello(anna))
	refused(t, err, "/template", problem.NotBound)
	for _, want := range []string{"version 1 of template shop/hello", "channel sms", "sms-a, sms-b,", "/v1/templates/shop/hello/versions/1/bindings/{account}"} {
		if !strings.Contains(detail(err), want) || strings.Contains(detail(err), "sms-off") {
			t.Errorf("%q lacks %q, or names an account that is off", detail(err), want)
		}
	}
	// A fallback is not begun that would stop halfway.
	_, err = in.Send(t.Context(), intaketest.Shop, hello(anna, way(map[message.Channel]string{message.SMS: anna, message.WhatsApp: anna})))
	refused(t, err, "/template", problem.NotBound)
	if len(w.Records(message.Phone, anna)) != 0 {
		t.Error("something was kept")
	}
	bind(w, "hello", map[string]provider.Approval{"sms-b": provider.Rejected})
	if _, err = in.Send(t.Context(), intaketest.Shop, hello(anna)); !strings.Contains(detail(err), "sms-a, sms-b (its vendor's template was rejected)") {
		t.Errorf("%q", detail(err))
	}
	if a, err := in.Send(t.Context(), intaketest.ShopTest, hello(anna)); err != nil || a.Verdicts[0].Record.Status != message.Simulated {
		t.Errorf("with a test key: %v", err)
	}
	for _, state := range []provider.Approval{provider.Unchecked, provider.Pending, provider.Approved} {
		bind(w, "hello", map[string]provider.Approval{"sms-b": state})
		if _, err = in.Send(t.Context(), intaketest.Shop, hello(anna, window(0))); err != nil {
			t.Errorf("%s: %v", state, err)
		}
	}
}

// Free content has no way over accounts that send their vendor's templates only.
func TestUnboundContent(t *testing.T) {
	t.Parallel()
	w, in := boundWorld(t)
	free := content(message.Content{Subject: "s", Text: "t"})
	_, err := in.Send(t.Context(), intaketest.Shop, hello(anna, free))
	refused(t, err, "/content", problem.ContentRefused)
	w.Put(store.Accounts, "relay", "", config.Account{Name: "relay", Provider: "devinbox", Channel: message.Email})
	send(t, in, intaketest.Shop, hello(anna, free))
	x, err := in.Explain(t.Context(), intaketest.Shop, hello(anna, free))
	if err != nil || !maps.Equal(x[0].Barred, map[string]config.Bar{"mail": config.TemplatesOnly}) || !slices.Equal(x[0].Accounts, []string{"relay"}) {
		t.Errorf("%+v %v", x, err)
	}
}

// TestExplainBound: explain says of each account that is on whether it could carry the message.
func TestExplainBound(t *testing.T) {
	t.Parallel()
	w, in := boundWorld(t)
	bind(w, "hello", map[string]provider.Approval{"sms-a": provider.Rejected})
	for p, want := range map[string]map[string]config.Bar{
		"test": {"sms-a": config.Rejected, "sms-b": config.NoBinding},
		"live": {"sms-a": config.Rejected},
	} {
		who := intaketest.ShopTest
		if p == "live" {
			who = intaketest.Shop
			bind(w, "hello", map[string]provider.Approval{"sms-a": provider.Rejected, "sms-b": provider.Pending})
		} else {
			bind(w, "hello", map[string]provider.Approval{"sms-a": provider.Rejected})
		}
		x, err := in.Explain(t.Context(), who, hello(anna))
		if err != nil || !maps.Equal(x[0].Barred, want) || (p == "live") != slices.Equal(x[0].Accounts, []string{"sms-b"}) {
			t.Errorf("%s: %+v %v", p, x, err)
		}
	}
}
