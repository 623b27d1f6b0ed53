package intake_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/intake"
	"github.com/opennotify/notify/pkg/intake/intaketest"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/catalog"
	"github.com/opennotify/notify/pkg/route"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/suppress"
	"github.com/opennotify/notify/pkg/template"
)

// flare declares a channel whose contents are of a kind.
func flare(kind string) string {
	return `name: flare
title: {zh: 信号弹, en: Flare}
docs: https://flare.example/docs
channels: [flare]
channel: {name: flare, title: {zh: 信号弹, en: Flare}, address: "[0-9]{2}-[0-9]{4}", example: "07-1234", content: ` + kind + `}
`
}

// declared is an intake that knows a recipe's channel, with an account on it.
func declared(t *testing.T, w *intaketest.World, kind string) *intake.Intake {
	t.Helper()
	known, err := catalog.Load(provider.Descriptors(), fstest.MapFS{"flare/recipe.yaml": {Data: []byte(flare(kind))}})
	if err != nil {
		t.Fatal(err)
	}
	w.Put(store.Accounts, "flare", "", config.Account{Name: "flare", Provider: "flare", Channel: "flare"})
	return w.Over(w.Store, w.Queue, func(p *intake.Ports) { p.Providers = known })
}

// TestOwnChannel: addresses of a recipe's channel have its form, its content is escaped as it says, its
// suppressions hold, and its messages travel through the queues of other.
func TestOwnChannel(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	in := declared(t, w, "text")
	w.Template(template.Template{Tenant: "shop", Name: "alert", Version: 1, Class: message.Transactional, Variables: []template.Variable{{Name: "name"}},
		Variants: []template.Variant{{Channel: "flare", Locale: "en", Text: "Look, {{name}}!", Kind: message.PlainText}}}, 1)
	alert := func(to string) *intake.Request {
		return &intake.Request{To: intake.To{One: to}, Channel: "flare", Template: "alert", Vars: map[string]any{"name": "<@all> *x*"}}
	}
	_, err := in.Send(t.Context(), intaketest.Shop, alert(anna))
	refused(t, err, "/to", problem.BadAddress)
	if p := problem.From(err); !strings.Contains(p.Fields[0].Detail, "such as 07-1234") {
		t.Errorf("no example: %+v", p.Fields)
	}
	a := send(t, in, intaketest.Shop, alert(" 07-5678"))
	if hints := w.Hints(message.Other, message.Normal); len(hints) != 1 || hints[0].ID != a.Verdicts[0].Record.ID {
		t.Errorf("hints: %+v", hints)
	}
	if records := w.Records(message.Account, "07-5678"); len(records) != 1 {
		t.Errorf("%d records of its recipient", len(records))
	}
	e, err := in.Explain(t.Context(), intaketest.Shop, alert("07-9999"))
	if err != nil || e[0].Content.Text != "Look, <@all> *x*!" || e[0].Segments != nil {
		t.Errorf("%+v %v", e, err)
	}
	if err := w.Store.PutSuppression(t.Context(), intaketest.Operator, w.Time(), message.Account, "07-9999", suppress.Entry{Channel: "flare", Reason: suppress.OptOut}); err != nil {
		t.Fatal(err)
	}
	if m := send(t, in, intaketest.Shop, alert("07-9999")).Verdicts[0].Record; m.Status != message.Suppressed {
		t.Errorf("%s", m.Status)
	}
}

// TestOwnContent: what free content needs follows from what the recipe says that its channel holds.
func TestOwnContent(t *testing.T) {
	t.Parallel()
	for kind, c := range map[string]struct {
		content message.Content
		ok      bool
	}{
		"text": {message.Content{Text: "x"}, true},
		"push": {message.Content{Title: "x"}, true},
		"data": {message.Content{Data: json.RawMessage(`{"a":1}`)}, true},
		"chat": {message.Content{Data: json.RawMessage(`{"a":1}`)}, false},
	} {
		in := declared(t, intaketest.New(t), kind)
		_, err := in.Send(t.Context(), intaketest.Shop, &intake.Request{To: intake.To{One: "07-1234"}, Channel: "flare", Content: &c.content})
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// TestOwnIsGuessed: where the route begins with a recipe's channel, an address of its form needs no channel.
func TestOwnIsGuessed(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	in := declared(t, w, "chat")
	w.Put(store.Routes, "r", "", route.Route{Name: "r", Strategy: route.One, Steps: []route.Step{{Channel: "flare"}, {Channel: message.SMS}}})
	for to, want := range map[string]message.Channel{"07-1234": "flare", anna: message.SMS} {
		free := &intake.Request{To: intake.To{One: to}, Template: "hello", Vars: map[string]any{"name": "x"}}
		if want == "flare" {
			free.Template, free.Vars, free.Content = "", nil, &message.Content{Text: "x"}
		}
		if m := send(t, in, intaketest.Shop, free).Verdicts[0].Record; m.Channel != want {
			t.Errorf("%s goes over %s", to, m.Channel)
		}
	}
	_, err := in.Send(t.Context(), intaketest.Shop, &intake.Request{To: intake.To{One: "7-1"}, Content: &message.Content{Text: "x"}})
	refused(t, err, "/to", problem.UnknownChannel)
}

// TestChannelsAway: a store that cannot say whether there is such a channel is no "there is none".
func TestChannelsAway(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	in := w.Over(w.Store, w.Queue, func(p *intake.Ports) {
		p.Providers = catalog.Open(provider.Descriptors()).With(config.New(noDocs{}, w.Now, p.Log))
	})
	_, err := in.Send(t.Context(), intaketest.Shop, hello("07-1234", on("flare", "07-1234")))
	if p := problem.From(err); p.Code != problem.Unavailable {
		t.Errorf("%v", err)
	}
	send(t, in, intaketest.Shop, hello(anna))
}

type noDocs struct{}

func (noDocs) Doc(context.Context, store.Kind, string) (store.Doc, error) {
	return store.Doc{}, errors.New("the store is away")
}

func (noDocs) Docs(context.Context, store.Kind) ([]store.Doc, []error, error) {
	return nil, nil, errors.New("the store is away")
}
