package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/opennotify/notify/client"
)

// TestListenReadsAgain: of two pages of news the second cannot be read; next time both are new.
func TestListenReadsAgain(t *testing.T) {
	t.Parallel()
	broken := true
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch after := r.URL.Query().Get("after"); {
		case after == "":
			_ = json.NewEncoder(w).Encode(client.CallbackPage{Items: []client.Callback{{ID: "msg_2"}}, Next: "msg_2"})
		case broken:
			w.WriteHeader(http.StatusConflict)
		default:
			_ = json.NewEncoder(w).Encode(client.CallbackPage{Items: []client.Callback{{ID: "msg_1"}}})
		}
	}))
	defer s.Close()
	c, err := client.New(client.Options{URL: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	l := listening{session: &session{now: time.Now}, client: c, tenant: "shop", name: "listen", seen: map[string]bool{}}
	if got, err := l.fresh(t.Context()); err == nil {
		t.Fatalf("%+v", got)
	}
	broken = false
	got, err := l.fresh(t.Context())
	if err != nil || len(got) != 2 || got[0].ID != "msg_1" || got[1].ID != "msg_2" {
		t.Errorf("%+v, %v", got, err)
	}
	if again, err := l.fresh(t.Context()); err != nil || len(again) != 0 {
		t.Errorf("%+v, %v", again, err)
	}
}

// TestListenRenews: its endpoint is asked for anew when half its time is over, in the version that it has, and not before;
// one that was deleted ends it.
func TestListenRenews(t *testing.T) {
	t.Parallel()
	now, version, puts := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), int64(3), 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e := client.Endpoint{Tenant: "shop", Name: "listen", Meta: client.Meta{Version: version}}
		switch {
		case version == 0:
			w.WriteHeader(http.StatusNotFound)
			return
		case r.Method == http.MethodPut:
			var asked client.PutEndpointRequest
			if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || asked.Version != version {
				t.Errorf("%+v, %v; want version %d", asked, err, version)
			}
			puts++
			version++
			e.Until, e.Version = asked.Until, version
		}
		_ = json.NewEncoder(w).Encode(e)
	}))
	defer s.Close()
	c, err := client.New(client.Options{URL: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	l := listening{session: &session{now: func() time.Time { return now }}, client: c, tenant: "shop", name: "listen",
		made: &client.EndpointSecret{Endpoint: client.Endpoint{Until: now.Add(listenFor), Meta: client.Meta{Version: 1}}}} // an answer was lost since
	for _, step := range []struct {
		after time.Duration
		puts  int
	}{{listenFor/2 - time.Second, 0}, {time.Second, 1}, {time.Minute, 1}, {listenFor / 2, 2}, {5 * listenFor, 3}} {
		now = now.Add(step.after)
		if err := l.renew(t.Context()); err != nil || puts != step.puts || !l.made.Until.After(now.Add(listenFor/2-time.Second)) {
			t.Errorf("%v later: %d renewals, %v, until %v", step.after, puts, err, l.made.Until)
		}
	}
	version, now = 0, now.Add(listenFor)
	if err := l.renew(t.Context()); !gone(err) {
		t.Error(err)
	}
}
