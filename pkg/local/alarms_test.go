package local_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opennotify/notify/pkg/alarm"
	"github.com/opennotify/notify/pkg/canary"
	"github.com/opennotify/notify/pkg/local"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider/devinbox"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/telemetry"
	"github.com/opennotify/notify/pkg/tenant"
	"github.com/opennotify/notify/pkg/wire"
	wirestats "github.com/opennotify/notify/pkg/wire/stats"
)

// chore does one of a world's chores.
func chore(t *testing.T, w *local.World, what string) {
	t.Helper()
	i := slices.IndexFunc(w.Chores, func(c local.Chore) bool { return c.What == what })
	if i < 0 {
		t.Fatalf("nobody has to %s", what)
	}
	if err := w.Chores[i].Do(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// A world of one machine measures what SQS measures on AWS, and it makes the same alarms.
func TestMeasured(t *testing.T) {
	t.Parallel()
	w := openFile(t)
	figures, err := wirestats.New(&w.Backend)
	if err != nil {
		t.Fatal(err)
	}
	want := func(what string, want ...string) {
		t.Helper()
		chore(t, w, "measure the queues")
		chore(t, w, "count the dead")
		open, err := figures.Alarms(t.Context(), tenant.Of(tenant.Key{ID: "op", Tenant: "ops", Live: true, Scopes: []tenant.Scope{tenant.Operate}}))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range open {
			got = append(got, strings.TrimSpace(a.Channel+" "+a.Name))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	want("nothing")
	if err := w.Queue.Send(t.Context(), queue.Receipts.DLQ(), queue.Item{Body: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	want("a receipt that nobody could work on", "receipts-dead-letters")
	if err := w.Queue.Send(t.Context(), queue.Control.DLQ(), queue.Item{Body: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	want("a tick as well", "control-dead-letters", "receipts-dead-letters")
}

// Each lane is measured, and the queues that are no channel's.
func TestLanesAreMeasured(t *testing.T) {
	t.Parallel()
	w := openFile(t)
	ages := gauges{Metrics: w.Metrics, of: map[string]float64{}}
	w.Metrics = ages
	if err := w.Queue.Send(t.Context(), queue.Lane(message.SMS, message.Urgent), queue.Item{Body: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	chore(t, w, "measure the queues")
	for _, lane := range []string{"sms/urgent", "sms/normal", "other/bulk", "/control", "/receipts"} {
		if age, ok := ages.of[lane]; !ok || (age > 0) != (lane == "sms/urgent") {
			t.Errorf("%s: %g, %v", lane, age, ok)
		}
	}
}

// gauges takes down the ages of queues.
type gauges struct {
	telemetry.Metrics
	of map[string]float64
}

func (g gauges) Observe(name string, value float64, _ telemetry.Unit, l telemetry.Labels) {
	if name == telemetry.QueueAge {
		g.of[l.Channel+"/"+l.Lane] = value
	}
}

func openFile(t *testing.T) *local.World {
	t.Helper()
	w, err := local.File(t.Context(), t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// Canaries go through the API into the dev inbox, and count when they have.
func TestCanary(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var w *local.World
	s := runWith(t, local.Options{Data: dir, Outside: wire.Outside{Watch: alarm.Options{Canary: true}}, World: func(ctx context.Context) (_ *local.World, err error) {
		w, err = local.File(ctx, dir, slog.New(slog.DiscardHandler))
		return w, err
	}})
	chore(t, w, "send a canary")
	found, err := s.Inbox.Wait(t.Context(), devinbox.Filter{To: "canary@example.com"}, 2) // and what the last one would have been
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range found {
		s.until(e.ID, message.Delivered)
	}
	waitUntil(t, func() bool {
		chore(t, w, "send a canary")
		return s.figures("").Total.Counts[telemetry.CanarySent] > 0
	})
	if code, body := s.do("GET", "/v1/alarms", ""); code != http.StatusOK || strings.TrimSpace(body) != `{"items":[]}` {
		t.Errorf("%d %s", code, body)
	}
}

// A world that has canaries of its own, as a stack has, queues them itself; whoever takes the entry sends them.
func TestCanaryOfAWorld(t *testing.T) {
	t.Parallel()
	asked, dir := make(chan struct{}, 100), t.TempDir()
	s := runWith(t, local.Options{Data: dir, World: func(ctx context.Context) (*local.World, error) {
		w, err := local.File(ctx, dir, slog.New(slog.DiscardHandler))
		if err == nil {
			w.Canary = func(context.Context) (canary.Order, error) {
				asked <- struct{}{}
				return canary.Order{}, errors.New("no order here")
			}
		}
		return w, err
	}})
	if len(asked) > 0 {
		t.Error("one was sent at the start")
	}
	if err := s.Queue.Send(t.Context(), queue.Control, queue.Item{Body: []byte(`{"kind":"canary"}`)}); err != nil {
		t.Fatal(err)
	}
	<-asked
}

// Whom they are sent to says a file of the data folder; what is wrong with it is said at the start, without its key.
func TestCanaryOrder(t *testing.T) {
	t.Parallel()
	const key = "nfy_live_0000000000_nobody"
	for text, want := range map[string]string{
		"": "that says whom canaries are sent to",
		`{"key":"` + key + `","channel":"email","to":"ops@example.com"}`: "template or url is missing",
		`{"key":"` + key + `"`: "not a JSON object with key, channel, to, template",
		`{"key":"` + key + `","channel":"email","to":"ops@example.com","template":"x"}`: "",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "canary.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if text == "" {
			if err := os.Remove(filepath.Join(dir, "canary.json")); err != nil {
				t.Fatal(err)
			}
		}
		log := slog.New(slog.DiscardHandler)
		ctx, stop := context.WithCancel(t.Context())
		l, err := local.Start(ctx, local.Options{Addr: "127.0.0.1:0", Data: dir, Log: log, Outside: wire.Outside{Watch: alarm.Options{Canary: true}}, World: func(ctx context.Context) (*local.World, error) {
			w, err := local.File(ctx, dir, log)
			if err == nil {
				w.Demo = false
			}
			return w, err
		}})
		stop()
		if err == nil {
			err = l.Run(ctx) // which ends at once
			if want != "" || err != nil {
				t.Errorf("%s: %v", text, err)
			}
		} else if want == "" || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "canary.json") || strings.Contains(err.Error(), key) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
