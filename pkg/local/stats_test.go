package local_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

type figures struct {
	Total  group
	Groups []group
	Other  *group
}

type group struct {
	Name         string
	Counts       map[string]int64
	Peaks        map[string]struct{ N int64 }
	DeliveryRate struct {
		Value float64
		Of    int64
	} `json:"delivery_rate"`
}

func (s *server) figures(query string) (f figures) {
	s.t.Helper()
	code, body := s.do("GET", "/v1/stats"+query, "")
	if err := json.Unmarshal([]byte(body), &f); err != nil || code != http.StatusOK {
		s.t.Fatalf("%d %s %v", code, body, err)
	}
	return f
}

// counted is what the figures must be, of the records themselves.
func counted(records []*store.Record) map[string]int64 {
	n := map[string]int64{"accepted": int64(len(records))}
	for _, r := range records {
		switch r.Status {
		case message.Delivered, message.Bounced:
			n["sent"]++
			n["tracked"]++
			n[string(r.Status)]++
		case message.Sent:
			n["sent"]++
			n["tracked"]++
		default:
			n[string(r.Status)]++
		}
		for _, a := range r.Attempts {
			n["called"]++
			if a.Outcome == message.Throttled {
				n["throttled"]++
				n["pushed_back"]++
			}
		}
	}
	return n
}

// A mix of everything goes through the real handlers, and the figures are what the store holds.
func TestFiguresAddUp(t *testing.T) {
	t.Parallel()
	s := run(t, t.TempDir())
	var items []string
	for i := range 45 {
		to := []string{"deliver", "bounce", "fail", "throttle", "timeout", "accept", "deliver", "someone", "deliver"}[i%9]
		items = append(items, order("Li", fmt.Sprintf("%s+%d@example.com", to, i)))
	}
	if code, body := s.do("POST", "/v1/messages/batch", `{"messages":[`+strings.Join(items, ",")+`]}`); code >= 300 {
		t.Fatal(code, body)
	}
	var later struct{ ID message.ID }
	code, body := s.do("POST", "/v1/messages", strings.TrimSuffix(order("Li", "later@example.com"), "}")+`,"send_at":"`+time.Now().Add(time.Hour).UTC().Format(time.RFC3339)+`"}`)
	if err := json.Unmarshal([]byte(body), &later); err != nil || code != http.StatusAccepted {
		t.Fatal(code, body)
	}
	for _, req := range [][3]string{
		{"POST", "/v1/messages", items[0]}, // a duplicate
		{"POST", "/v1/messages/" + string(later.ID) + "/cancel", `{}`},
		{"POST", "/v1/suppressions", `{"address":"stopped@example.com","channel":"email"}`},
		{"POST", "/v1/messages", order("Li", "stopped@example.com")},
	} {
		if code, body := s.do(req[0], req[1], req[2]); code >= 300 {
			t.Fatal(req, code, body)
		}
	}
	refused := 0
	for _, body := range []string{"{", `{"to":"a@example.com","template":"order-shipped"}`, `{"to":"nobody","template":"nothing"}`} {
		if code, answer := s.do("POST", "/v1/messages", body); code >= 400 && code < 500 {
			refused++
		} else {
			t.Fatal(code, answer)
		}
	}

	var want map[string]int64
	waitUntil(t, func() bool {
		records := s.records()
		want = counted(records)
		return !slices.ContainsFunc(records, func(r *store.Record) bool {
			return !r.Status.Terminal() && r.Status != message.Sent && r.Status != message.InDoubt
		}) &&
			want["delivered"] == 20 && want["bounced"] == 5
	})
	want["duplicate"], want["refused"] = 1, int64(refused)
	if len(want) < 11 {
		t.Errorf("the mix lacks something: %v", want)
	}
	var got figures
	waitUntil(t, func() bool { // a second, until it is kept
		got = s.figures("?by=account")
		return cmp.Equal(want, got.Total.Counts)
	})
	if diff := cmp.Diff(want, got.Total.Counts); diff != "" {
		t.Errorf("(-store +figures):\n%s", diff)
	}
	if len(got.Groups) != 1 || got.Groups[0].Name != "inbox-email" || got.Groups[0].Counts["sent"] != want["sent"] || got.Groups[0].Counts["accepted"] != 0 {
		t.Errorf("by account: %+v", got.Groups)
	}
	if got.Total.Peaks["accepted"].N < want["accepted"]/2 || got.Total.DeliveryRate.Of != want["sent"] {
		t.Errorf("%+v", got.Total)
	}
	for _, by := range []string{"tenant", "channel", "template"} {
		f, sum := s.figures("?by="+by), map[string]int64{}
		for _, g := range append(f.Groups, *f.Other) {
			for name, n := range g.Counts {
				sum[name] += n
			}
		}
		if diff := cmp.Diff(want, sum); diff != "" {
			t.Errorf("the groups by %s (-store +figures):\n%s", by, diff)
		}
	}
	if code, body := s.do("GET", "/metrics", ""); code != http.StatusOK ||
		!strings.Contains(body, fmt.Sprintf("notify_events_total{event=\"sent\",tenant=\"demo\",channel=\"email\",account=\"inbox-email\"} %d\n", want["sent"])) {
		t.Errorf("%d %s", code, body)
	}
	for _, query := range []string{"?step=hour&by=status", "?step=day&template=order-shipped&tenant=demo", "?channel=email"} {
		f := s.figures(query)
		if f.Total.Counts["delivered"] != want["delivered"] {
			t.Errorf("%s: %v", query, f.Total.Counts)
		}
	}
}

// records are all of the demo tenant's.
func (s *server) records() (out []*store.Record) {
	s.t.Helper()
	now := message.At(time.Now())
	in := store.Range{From: now.Add(-25 * time.Hour), To: now.Add(time.Minute)}
	for _, day := range store.Days(in, 3) {
		page, err := s.Store.ByTenant(s.t.Context(), tenant.System("test"), "demo", day, 0, in, 1000, "")
		if err != nil {
			s.t.Fatal(err)
		}
		out = append(out, page.Records...)
	}
	return out
}

// patience bounds waits that nothing else bounds, on a machine that does much else.
const patience = 2 * time.Minute

func waitUntil(t *testing.T, done func() bool) bool {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); {
		if time.Now().After(deadline) {
			t.Log("it takes too long")
			return false
		}
		select {
		case <-time.After(20 * time.Millisecond): // the counters are kept once a second
		case <-t.Context().Done():
			return false
		}
	}
	return true
}

// What was refused is found, by whose it was, by its code and by its time, and shows nothing of what it held.
func TestRefusedIsFound(t *testing.T) {
	t.Parallel()
	refuse := func() (s *server, began string, within bool) {
		s = run(t, t.TempDir())
		from := time.Now()
		for range 25 {
			if code, body := s.do("POST", "/v1/messages", `{"to":"secret@example.com","template":"order-shipped"}`); code != http.StatusUnprocessableEntity {
				t.Fatal(code, body)
			}
		}
		return s, from.Add(-time.Second).UTC().Format(time.RFC3339), time.Now().Truncate(time.Minute).Equal(from.Truncate(time.Minute))
	}
	s, began, within := refuse()
	for !within { // of those that are alike, 20 are kept of each minute
		s, began, within = refuse()
	}
	var ids []string
	if code, body := s.do("POST", "/v1/messages", `{"to":"secret@example.com"`); code != http.StatusBadRequest {
		t.Fatal(code, body)
	}
	if code, _ := s.do("POST", "/v1/messages", `{}`, "Authorization", "Bearer nfy_live_unknown"); code != http.StatusUnauthorized {
		t.Fatal(code)
	}
	type refusal struct {
		RequestID string `json:"request_id"`
		Tenant    string
		Route     string
		Code      string
		Errors    []struct{ Pointer, Code string }
	}
	find := func(query string) (all []refusal) {
		for after := ""; ; {
			var page struct {
				Items []refusal
				Next  string
			}
			code, body := s.do("GET", "/v1/refused?limit=7"+query+after, "")
			if err := json.Unmarshal([]byte(body), &page); err != nil || code != http.StatusOK || strings.Contains(body, "secret") {
				t.Fatalf("%d %s %v", code, body, err)
			}
			all = append(all, page.Items...)
			if page.Next == "" {
				return all
			}
			after = "&after=" + page.Next
		}
	}
	waitUntil(t, func() bool { return len(find("")) == 22 })
	for _, r := range find("") {
		ids = append(ids, r.RequestID)
	}
	if slices.Sort(ids); len(slices.Compact(ids)) != 22 {
		t.Errorf("%d refusals", len(ids))
	}
	for query, want := range map[string]int{"&tenant=demo": 21, "&tenant=demo&code=missing_variable": 20, "&code=unauthorized": 1, "&code=rate_limited": 0, "&from=" + began: 22, "&to=" + began: 0} {
		if got := find(query); len(got) != want {
			t.Errorf("%s: %d, want %d", query, len(got), want)
		}
	}
	one := find("&code=missing_variable")[0]
	if one.Tenant != "demo" || one.Route != "/v1/messages" || one.Code != "invalid_request" || !strings.HasPrefix(one.Errors[0].Pointer, "/vars/") {
		t.Errorf("%+v", one)
	}
	for query, pointer := range map[string]string{"?code=none": "query:code", "?limit=101": "query:limit", "?after=x": "query:after", "?from=now": "query:from", "?tenant=Demo": "query:tenant"} {
		if code, body := s.do("GET", "/v1/refused"+query, ""); code != http.StatusUnprocessableEntity || !strings.Contains(body, pointer) {
			t.Errorf("%s: %d %s", query, code, body)
		}
	}
	waitUntil(t, func() bool { return s.figures("").Total.Counts["refused"] >= 27 })
	if got := s.figures("?by=tenant").Groups[0].Counts["refused"]; got < 26 {
		t.Errorf("%d are counted", got)
	}
}
