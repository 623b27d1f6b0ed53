package intake_test

import (
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/intake"
	"github.com/opennotify/notify/pkg/intake/intaketest"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/template"
	"github.com/opennotify/notify/pkg/tenant"
)

// A repeated request is answered with what was accepted, whatever has changed since.
func TestReplayAfterChanges(t *testing.T) {
	t.Parallel()
	soon := func(r *intake.Request) { r.SendAt = intaketest.Start.Add(time.Minute) }
	list := func(r *intake.Request) { r.To = intake.To{List: []string{anna, berta}} }
	ways := func(r *intake.Request) {
		r.Channel, r.To = "", intake.To{Ways: map[message.Channel]string{message.SMS: anna, message.Email: "a@example.com", message.Feishu: "anna"}}
	}
	steps := func(strategy string, channels ...message.Channel) func(*intaketest.World) {
		return func(w *intaketest.World) {
			all := make([]map[string]any, len(channels))
			for i, c := range channels {
				all[i] = map[string]any{"channel": c}
			}
			w.Put(store.Routes, "r", "", map[string]any{"name": "r", "strategy": strategy, "steps": all})
		}
	}
	for name, c := range map[string]struct {
		before func(*intaketest.World)
		shape  []func(*intake.Request)
		change func(*intaketest.World)
	}{
		"its time has passed":         {nil, []func(*intake.Request){soon}, func(w *intaketest.World) { w.Advance(time.Hour) }},
		"its time has passed, a list": {nil, []func(*intake.Request){soon, list}, func(w *intaketest.World) { w.Advance(time.Hour) }},
		"the window is over, a list":  {nil, []func(*intake.Request){list}, func(w *intaketest.World) { w.Advance(time.Hour) }},
		"the template is withdrawn":   {nil, nil, func(w *intaketest.World) { w.Template(helloTemplate(w, 2), 0) }},
		"the template wants more": {nil, []func(*intake.Request){list}, func(w *intaketest.World) {
			t := helloTemplate(w, 2)
			t.Variables = append(t.Variables, variable("more"))
			w.Template(t, 2)
		}},
		"the tenant is switched off": {nil, nil, func(w *intaketest.World) {
			w.Put(store.Tenants, "shop", "shop", tenant.Tenant{Name: "shop", Disabled: true})
		}},
		"one way became three":          {nil, []func(*intake.Request){ways}, steps("all", message.SMS, message.Email, message.Feishu)},
		"three ways became one":         {steps("all", message.SMS, message.Email, message.Feishu), []func(*intake.Request){ways}, steps("one", message.SMS)},
		"two ways became three":         {steps("all", message.SMS, message.Email), []func(*intake.Request){ways}, steps("all", message.SMS, message.Email, message.Feishu)},
		"three ways became two, turned": {steps("fallback", message.SMS, message.Email, message.Feishu), []func(*intake.Request){ways}, steps("fallback", message.Feishu, message.SMS)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := intaketest.New(t)
			if c.before != nil {
				c.before(w)
			}
			request := func() *intake.Request { return hello(anna, append(c.shape, keyed("k"))...) }
			first := send(t, w.Intake, intaketest.Shop, request())
			c.change(w)
			commits := w.DB.Stats().Commits
			again := send(t, w.Intake, intaketest.Shop, request())
			if !again.Replay || len(again.Verdicts) != len(first.Verdicts) || (again.Group == nil) != (first.Group == nil) {
				t.Fatalf("%+v, then %+v", first, again)
			}
			for i, v := range again.Verdicts {
				if v.Record.ID != first.Verdicts[i].Record.ID || v.New || v.Duplicate {
					t.Errorf("%d: %+v", i, v)
				}
			}
			if n := w.DB.Stats().Commits - commits; n != 0 {
				t.Errorf("a replay wrote %d times", n)
			}
			_, err := w.Intake.Send(t.Context(), intaketest.Shop, hello(anna, append(c.shape, keyed("k"), func(r *intake.Request) { r.Hash = []byte("another") })...))
			if problem.From(err).Status() != 422 {
				t.Errorf("another body: %v", err)
			}
		})
	}
}

func helloTemplate(w *intaketest.World, version int) template.Template {
	w.Helper()
	c, err := w.Config.Version(w.Context(), message.Ref{Tenant: "shop", Name: "hello", Version: 1})
	if err != nil {
		w.Fatal(err)
	}
	t := c.Template()
	t.Version = version
	return t
}

func variable(name string) template.Variable { return template.Variable{Name: name} }
