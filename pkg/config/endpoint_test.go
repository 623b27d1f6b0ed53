package config_test

import (
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
)

func TestEndpoints(t *testing.T) {
	t.Parallel()
	d := &docs{docs: map[store.Kind][]store.Doc{}}
	var bodies []string
	for _, name := range []string{"a-b/x", "a/x", "a/y", "a0/x", "b/x"} { // in the order of keys
		owner, of := name[:len(name)-2], name[len(name)-1:]
		bodies = append(bodies, fmt.Sprintf(`%s {"tenant":%q,"name":%q,"url":"https://e.example/"}`, name, owner, of))
	}
	d.set(store.Endpoints, bodies...)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := config.New(d, func() time.Time { return now }, slog.New(slog.DiscardHandler))
	for owner, want := range map[string][]string{"a": {"x", "y"}, "a-b": {"x"}, "a0": {"x"}, "b": {"x"}, "": nil, "a-": nil, "c": nil, "aa": nil} {
		all, err := s.Endpoints(t.Context(), owner)
		var got []string
		for _, e := range all {
			got = append(got, e.Name)
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v %v, want %v", owner, got, err, want)
		}
	}
	e, ok, err := s.Endpoint(t.Context(), "a", "y")
	if err != nil || !ok || e.Version != 7 {
		t.Errorf("%+v %v %v", e, ok, err)
	}
	before := d.count()
	s.RenewEndpoints(message.At(now))
	if _, _, err := s.Endpoint(t.Context(), "a", "y"); err != nil || d.count() != before {
		t.Errorf("read again, though it was read since: %v", err)
	}
	s.RenewEndpoints(message.At(now) + 1)
	if _, _, err := s.Endpoint(t.Context(), "a", "y"); err != nil || d.count() != before+1 {
		t.Errorf("not read again: %v", err)
	}
}

// While a secret is replaced both sign, and the time of that is over by itself.
func TestEndpointAccount(t *testing.T) {
	t.Parallel()
	e := config.Endpoint{Tenant: "a", Name: "x", URL: "https://e.example/", Both: 100, Version: 3}
	for now, want := range map[message.Time][]string{99: {"secret", "previous_secret"}, 100: {"secret"}} {
		if a := e.Account(now); !slices.Equal(a.Secrets, want) || a.Name != "endpoint/a/x" || a.Version != 3 || a.Provider != "webhook" || a.Channel != message.Webhook {
			t.Errorf("at %d: %+v", now, a)
		}
	}
	for _, live := range []struct {
		e    config.Endpoint
		want bool
	}{{config.Endpoint{}, true}, {config.Endpoint{Off: true}, false}, {config.Endpoint{Until: 10}, false}, {config.Endpoint{Until: 11}, true}} {
		if live.e.Live(10) != live.want {
			t.Errorf("%+v", live.e)
		}
	}
	if e.Tell() != message.TellEnds() {
		t.Error(e.Tell())
	}
}
