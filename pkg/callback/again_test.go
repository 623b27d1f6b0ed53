package callback_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/callback"
	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/intake/intaketest"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// end moves a callback to an end.
func (w *world) end(id message.ID, events ...message.Event) {
	w.Helper()
	r, err := w.Store.Message(w.Context(), system, id)
	for _, e := range events {
		if err == nil {
			r, err = w.Store.Update(w.Context(), system, w.Time(), r, e)
		}
	}
	if err != nil {
		w.Fatal(err)
	}
}

// What did not arrive is sent again under its webhook-id, once for one asking; the rest only if all is said.
func TestResend(t *testing.T) {
	t.Parallel()
	w := newWorld(t, config.Endpoint{Name: "all", URL: "https://a.example/"})
	lease := message.Lease{Account: "endpoint/shop/all", Until: w.Time().Add(time.Minute)}
	var ids []message.ID
	for _, events := range [][]message.Event{
		{message.Cancel{Code: "endpoint_off"}},
		{lease, message.Finish{Epoch: 1, Result: message.Result{Outcome: message.Permanent}}},
		{lease, message.Finish{Epoch: 1, Result: message.Result{Outcome: message.Accepted}}},
		nil, // still on its way
	} {
		s, err := w.told.Test(t.Context(), intaketest.Shop, "shop", "all")
		if err != nil {
			t.Fatal(err)
		}
		w.end(s.ID, events...)
		ids = append(ids, s.ID)
	}
	w.Advance(time.Minute)
	begun := w.Now()
	var made callback.Again
	f := callback.Filter{To: begun, Limit: 3}
	for range 2 {
		a, err := w.told.Resend(t.Context(), intaketest.Shop, "shop", "all", f, false)
		if err != nil {
			t.Fatal(err)
		}
		made.Matched, made.Made, f.Before = made.Matched+a.Matched, made.Made+a.Made, a.Before
	}
	if made.Matched != 2 || made.Made != 2 || f.Before != "" {
		t.Errorf("%+v, then %s", made, f.Before)
	}
	copies := map[message.ID]string{}
	for _, s := range w.list("all") {
		if s.ResendOf != "" {
			copies[s.ResendOf] = string(s.Event)
			w.end(s.ID, message.Cancel{})
		}
	}
	if len(copies) != 2 || copies[ids[0]] == "" || !strings.Contains(copies[ids[1]], "endpoint.test") {
		t.Errorf("copies of %v", copies)
	}
	// A copy that failed is of its first, and is not itself copied.
	if a, err := w.told.Resend(t.Context(), intaketest.Shop, "shop", "all", callback.Filter{Limit: 100}, true); err != nil || a.Made != 3 {
		t.Errorf("all: %+v %v", a, err)
	}
	var copied message.ID
	for id := range copies {
		copied = id
	}
	one, err := w.told.ResendOne(t.Context(), intaketest.Shop, "shop", "all", copied)
	if err != nil || one.ResendOf != copied {
		t.Errorf("%+v %v", one, err)
	}
	two, err := w.told.ResendOne(t.Context(), intaketest.Shop, "shop", "all", one.ID)
	if err != nil || two.ResendOf != copied {
		t.Errorf("a copy of a copy: %+v %v", two, err)
	}
}

// A message that nobody was told of can be told of later.
func TestResendOfMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.delivered(intaketest.Shop)
	w.endpoint(config.Endpoint{Name: "all", URL: "https://a.example/"})
	s, err := w.told.ResendOne(t.Context(), intaketest.Shop, "shop", "all", r.ID)
	if err != nil || !strings.Contains(string(s.Event), `"message.delivered","timestamp":"2026-07-01T12:00:00.4Z"`) {
		t.Errorf("%s %v", s.Event, err)
	}
	stranger := w.delivered(intaketest.Bank)
	for _, id := range []message.ID{stranger.ID, message.NewID(r.ID.Partition(), message.ULIDFloor(1))} {
		_, err = w.told.ResendOne(t.Context(), intaketest.Operator, "shop", "all", id)
		refused(t, err, problem.NotFound)
	}
	w.endpoint(config.Endpoint{Name: "other", URL: "https://b.example/"})
	_, err = w.told.ResendOne(t.Context(), intaketest.Shop, "shop", "other", s.ID)
	refused(t, err, problem.NotAllowedNow)
	// No way around the endpoint leads to a second copy.
	_, err = w.World.Intake.Resend(t.Context(), intaketest.Shop, s.ID, nil)
	refused(t, err, problem.NotAllowedNow)
}

// What anybody may do with one tenant's endpoint. Having callbacks made takes both scopes.
func TestMay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, config.Endpoint{Name: "all", URL: "https://a.example/"})
	r := w.delivered(intaketest.Shop)
	for _, row := range []struct {
		name         string
		p            tenant.Principal
		reads, makes problem.Code
	}{
		{"sender and reader", intaketest.Shop, "", ""},
		{"reader", intaketest.Principal("shop", true, tenant.Read), "", problem.Forbidden},
		{"sender", intaketest.Principal("shop", true, tenant.Send), problem.Forbidden, problem.Forbidden},
		{"operator", intaketest.Operator, "", ""},
		{"another tenant's, who sees all", intaketest.Principal("bank", true, tenant.Send, tenant.Read, tenant.Support), "", problem.Forbidden},
		{"another tenant", intaketest.Bank, problem.NotFound, problem.NotFound},
	} {
		check := func(what string, err error, want problem.Code) {
			if want == "" {
				if err != nil {
					t.Errorf("%s %s: %v", row.name, what, err)
				}
				return
			}
			refused(t, err, want)
		}
		_, _, err := w.told.List(t.Context(), row.p, "shop", "all", callback.Filter{Limit: 1})
		check("lists", err, row.reads)
		_, err = w.told.Health(t.Context(), row.p, "shop", "all")
		check("sees its health", err, row.reads)
		_, err = w.told.Test(t.Context(), row.p, "shop", "all")
		check("tests", err, row.makes)
		_, err = w.told.Resend(t.Context(), row.p, "shop", "all", callback.Filter{Limit: 1}, true)
		check("resends", err, row.makes)
		_, err = w.told.ResendOne(t.Context(), row.p, "shop", "all", r.ID)
		check("resends one", err, row.makes)
	}
	_, err := w.told.Test(t.Context(), intaketest.Shop, "shop", "none")
	refused(t, err, problem.NotFound)
}

// Who tests an endpoint by hand, or sends to it again, is in the audit, and nothing is made that is not; what the
// tenant's own system asks for is not.
func TestDeeds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.delivered(intaketest.Shop)
	w.endpoint(config.Endpoint{Name: "all", URL: "https://a.example/"})
	for _, p := range []tenant.Principal{intaketest.Shop, intaketest.Operator} {
		_, err1 := w.told.Test(t.Context(), p, "shop", "all")
		w.Advance(time.Second)
		_, err2 := w.told.Resend(t.Context(), p, "shop", "all", callback.Filter{Limit: 1}, false)
		w.Advance(time.Second)
		_, err3 := w.told.ResendOne(t.Context(), p, "shop", "all", r.ID)
		if err := errors.Join(err1, err2, err3); err != nil {
			t.Fatal(err)
		}
	}
	list, _, err := w.Store.Audit(t.Context(), system, store.Day(w.Time()), "", 100)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range list {
		if d := a.Deed; d != nil {
			got = append(got, fmt.Sprint(d.By, " ", d.What, " ", d.Kind, " ", d.Object, " of ", d.Tenant, " ", d.Changes))
		}
	}
	by := intaketest.Operator.Name
	want := []string{by + ` resent endpoint shop/all of shop [{/message  "` + string(r.ID) + `"}]`, by + " resent endpoint shop/all of shop []", by + " tested endpoint shop/all of shop []"}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
	w.ports.Store = deaf{w.Store}
	down, err := callback.New(w.ports)
	if err != nil {
		t.Fatal(err)
	}
	before := len(w.list("all"))
	_, err1 := down.Test(t.Context(), intaketest.Operator, "shop", "all")
	_, err2 := down.Resend(t.Context(), intaketest.Operator, "shop", "all", callback.Filter{Limit: 10}, true)
	_, err3 := down.ResendOne(t.Context(), intaketest.Operator, "shop", "all", r.ID)
	for _, err := range []error{err1, err2, err3} {
		refused(t, err, problem.Unavailable)
	}
	if n := len(w.list("all")); n != before {
		t.Errorf("%d callbacks, before %d", n, before)
	}
}

// deaf is a store that keeps no deeds.
type deaf struct{ *store.Store }

func (deaf) AddDeed(context.Context, tenant.Principal, message.Time, store.Deed) error {
	return errors.New("down")
}
