package campaign_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/campaign"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/tenant"
)

const entry = `{"kind":"send","schedule":"report","due":"2026-03-02T09:00:00Z","tenant":"shop","template":"notice","channel":"email","locale":"en","vars":{"n":"1"},"to":["a@example.com","b@example.com"],"reference":"r"}`

func TestRuns(t *testing.T) {
	t.Parallel()
	refused := problem.New(problem.NotFound, "no such template")
	for _, tc := range []struct {
		name, body string
		err        error
		orders     int
		again      bool
		logged     string
	}{
		{"a send", entry, nil, 1, false, ""},
		{"refused for good", entry, refused, 1, false, "timed send refused"},
		{"a passing fault", entry, problem.New(problem.Unavailable, "try again"), 1, true, "it comes again"},
		{"too many", entry, problem.New(problem.RateLimited, "wait"), 1, true, "it comes again"},
		{"no problem.Error", entry, errors.New("unknown"), 1, true, "it comes again"},
		{"not JSON", `{`, nil, 0, false, "timed send refused"},
		{"an unknown field", `{"kind":"send","schedule":"s","recipients":["a@example.com"]}`, nil, 0, false, "timed send refused"},
		{"no schedule", `{"kind":"send","tenant":"shop","template":"notice","to":["a@example.com"]}`, nil, 0, false, "name the schedule"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			var orders []campaign.Order
			c, err := campaign.New(campaign.Ports{Log: slog.New(slog.NewJSONHandler(&log, nil)), Send: func(_ context.Context, p tenant.Principal, o campaign.Order) error {
				if !p.IsSystem() || !p.May(tenant.Send) {
					t.Error("not as a worker")
				}
				orders = append(orders, o)
				return tc.err
			}})
			if err != nil {
				t.Fatal(err)
			}
			again := c.Handle(t.Context(), []queue.Item{{ID: "q1", Body: []byte(tc.body)}})
			if len(orders) != tc.orders || (len(again) == 1) != tc.again || again == nil || !strings.Contains(log.String(), tc.logged) {
				t.Errorf("%d orders, again %v, the log: %s", len(orders), again, &log)
			}
			if strings.Contains(log.String(), "a@example.com") {
				t.Error("a recipient is in the log:", &log)
			}
		})
	}
}

// Firing twice is one run: the key is of the schedule and its due time. Where nobody filled in the time, the
// queue's id tells firings apart, and is the same for a redelivery.
func TestKeys(t *testing.T) {
	t.Parallel()
	unfilled := strings.Replace(entry, "2026-03-02T09:00:00Z", "<aws.scheduler.scheduled-time>", 1)
	var keys []string
	c, err := campaign.New(campaign.Ports{Log: slog.New(slog.DiscardHandler), Send: func(_ context.Context, _ tenant.Principal, o campaign.Order) error {
		keys = append(keys, o.Key)
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	c.Handle(t.Context(), []queue.Item{{ID: "q1", Body: []byte(entry)}, {ID: "q2", Body: []byte(entry)}, {ID: "q3", Body: []byte(unfilled)}, {ID: "q3", Body: []byte(unfilled), Receives: 2}})
	want := []string{"run/report/2026-03-02T09:00:00Z", "run/report/2026-03-02T09:00:00Z", "run/report/q3", "run/report/q3"}
	if diff := cmp.Diff(want, keys); diff != "" {
		t.Error("(-want +got):", diff)
	}
}

// One entry's panic is its own.
func TestPanic(t *testing.T) {
	t.Parallel()
	n := 0
	c, err := campaign.New(campaign.Ports{Log: slog.New(slog.DiscardHandler), Send: func(context.Context, tenant.Principal, campaign.Order) error {
		if n++; n == 1 {
			panic("a@example.com")
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	again := c.Handle(t.Context(), []queue.Item{{ID: "bad", Body: []byte(entry)}, {ID: "good", Body: []byte(entry)}})
	if diff := cmp.Diff([]string{"bad"}, again); diff != "" || n != 2 {
		t.Errorf("%d runs, again (-want +got): %s", n, diff)
	}
}

func TestPorts(t *testing.T) {
	t.Parallel()
	if _, err := campaign.New(campaign.Ports{}); err == nil {
		t.Error("nothing is missing")
	}
}
