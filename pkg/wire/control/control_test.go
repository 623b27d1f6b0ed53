package control_test

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	blobfile "github.com/opennotify/notify/pkg/blob/file"
	"github.com/opennotify/notify/pkg/canary"
	"github.com/opennotify/notify/pkg/intake/intaketest"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/catalog"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/telemetry"
	"github.com/opennotify/notify/pkg/timer/memory"
	"github.com/opennotify/notify/pkg/wire"
	"github.com/opennotify/notify/pkg/wire/control"
)

// world hears of the first pass that is put into the queue, and of canaries that came through.
type world struct {
	*intaketest.World
	telemetry.Nop
	once  sync.Once
	swept chan struct{}
	mu    sync.Mutex
	came  int64
}

func (w *world) Send(ctx context.Context, to queue.Name, items ...queue.Item) error {
	w.once.Do(func() { close(w.swept) })
	return w.Queue.Send(ctx, to, items...)
}

func (w *world) Count(name string, n int64, _ telemetry.Labels) {
	if name == telemetry.CanarySent {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.came += n
	}
}

// A canary holds up nothing that lies behind it in the batch, and is waited for: here the API answers only when the tick
// was worked on.
func TestCanaryBesideTheTick(t *testing.T) {
	t.Parallel()
	w := &world{World: intaketest.New(t), swept: make(chan struct{})}
	api := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		select {
		case <-w.swept:
			rw.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(rw, `{"id":"msg_1","status":"sent"}`)
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(api.Close)
	blobs, err1 := blobfile.Open(t.TempDir(), blobfile.Options{Now: w.Now, Key: []byte("k"), URL: func() string { return api.URL }})
	known, err2 := catalog.Load(provider.Descriptors())
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	t.Cleanup(func() { blobs.Close() })
	c, err := control.New(&wire.Backend{Store: w.Store, Config: w.Config, Queue: w, Timer: memory.New(w.Now, w, memory.Options{}), Blobs: blobs, Catalog: known, Metrics: w,
		Now: w.Now, Random: rand.Reader, Chance: func() float64 { return 0.5 }, NewULID: w.NewULID, Log: slog.New(slog.NewTextHandler(w.Log, nil)),
		Canary: func(context.Context) (canary.Order, error) {
			return canary.Order{URL: api.URL, Key: "nfy_live_0123456789_x", Channel: "email", To: "a@example.com", Template: "canary"}, nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	again := c.Handle(t.Context(), []queue.Item{{ID: "a", Body: []byte(`{"kind":"canary"}`)}, {ID: "b", Body: []byte(`{"kind":"tick"}`)}})
	if len(again) > 0 || w.came != 1 {
		t.Errorf("%v come again, %d canaries came through: %s", again, w.came, w.Log)
	}
}
