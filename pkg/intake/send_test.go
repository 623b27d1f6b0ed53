package intake_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/intake"
	"github.com/opennotify/notify/pkg/intake/intaketest"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/store/storetest"
	"github.com/opennotify/notify/pkg/tenant"
)

const (
	anna  = "+8613800138000"
	berta = "+8613800138001"
)

// hello asks for the template hello over sms.
func hello(to string, change ...func(*intake.Request)) *intake.Request {
	r := &intake.Request{To: intake.To{One: to}, Channel: message.SMS, Template: "hello", Vars: map[string]any{"name": "Anna"}}
	for _, f := range change {
		f(r)
	}
	return r
}

func keyed(key string) func(*intake.Request) {
	return func(r *intake.Request) { r.IdempotencyKey, r.Hash = key, []byte("hash of the body") }
}

// send must succeed; the answer to a single message is its verdict.
func send(t testing.TB, in *intake.Intake, p tenant.Principal, r *intake.Request) *intake.Answer {
	t.Helper()
	a, err := in.Send(t.Context(), p, r)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// refused must be refused with one fault, and leaves nothing.
func refused(t testing.TB, err error, pointer string, code problem.Code) {
	t.Helper()
	var p *problem.Error
	if !errors.As(err, &p) {
		t.Errorf("want %s at %s, got %v", code, pointer, err)
		return
	}
	if pointer == "" && p.Code == code {
		return
	}
	for _, f := range p.Fields {
		if f.Pointer == pointer && f.Code == code && f.Detail != "" {
			return
		}
	}
	t.Errorf("want %s at %s, got %v", code, pointer, p)
}

func TestReplayIsTheLiveRecord(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	a := send(t, w.Intake, intaketest.Shop, hello(anna, keyed("order-1")))
	first := a.Verdicts[0]
	if a.Replay || a.Group != nil || !first.New || first.Record.Status != message.Queued || first.Record.Owner != "Wang" || first.Record.Key != "key0000001" {
		t.Fatalf("%+v", first)
	}
	if h := w.Hints(message.SMS, message.Normal); len(h) != 1 || h[0].ID != first.Record.ID || h[0].Record == nil {
		t.Errorf("hints %+v", h)
	}
	if _, err := w.Intake.Cancel(t.Context(), intaketest.Shop, first.Record.ID, ""); err != nil {
		t.Fatal(err)
	}
	a = send(t, w.Intake, intaketest.Shop, hello(anna, keyed("order-1")))
	if v := a.Verdicts[0]; !a.Replay || v.New || v.Record.ID != first.Record.ID || v.Record.Status != message.Cancelled {
		t.Errorf("replay: %+v", v)
	}
	_, err := w.Intake.Send(t.Context(), intaketest.Shop, hello(anna, keyed("order-1"), func(r *intake.Request) { r.Hash = []byte("another") }))
	refused(t, err, "", problem.KeyReused)
	// The same key of another tenant, and of a test key, is another key.
	if a := send(t, w.Intake, intaketest.Bank, hello(berta, keyed("order-1"), func(r *intake.Request) { r.Template = "notice" })); !a.Verdicts[0].New {
		t.Error("another tenant's key answered")
	}
	if a := send(t, w.Intake, intaketest.ShopTest, hello(anna, keyed("order-1"))); !a.Verdicts[0].New || a.Verdicts[0].Record.Status != message.Simulated {
		t.Errorf("a live message answered a test: %+v", a.Verdicts[0])
	}
	send(t, w.Intake, intaketest.ShopTest, hello(anna, keyed("tried-first")))
	if a := send(t, w.Intake, intaketest.Shop, hello(anna, keyed("tried-first"))); !a.Verdicts[0].New || a.Verdicts[0].Record.Status != message.Queued {
		t.Errorf("a test answered the live request: %+v", a.Verdicts[0])
	}
}

// refusing is a queue that refuses, all or in part, and may keep what it refuses.
type refusing struct {
	queue.Queue
	err  error
	keep bool
}

func (q refusing) Send(ctx context.Context, to queue.Name, items ...queue.Item) error {
	if q.keep {
		if err := q.Queue.Send(ctx, to, items...); err != nil {
			return err
		}
	}
	return q.err
}

// A queue that refuses the hint changes nothing: the record is there, and due.
func TestQueueThatRefuses(t *testing.T) {
	t.Parallel()
	for name, q := range map[string]refusing{
		"all": {err: errors.New("no queue")}, "some": {err: &queue.SendError{Failed: map[int]error{0: queue.ErrFull}}}, "kept": {err: errors.New("no answer"), keep: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := intaketest.New(t)
			q.Queue = w.Queue
			in := w.Over(w.Store, q)
			a := send(t, in, intaketest.Shop, hello("", keyed("k"), func(r *intake.Request) { r.To = intake.To{List: []string{anna, berta}} }))
			due := map[message.ID]message.Time{}
			for _, shard := range w.Store.DueShards() {
				list, _, err := w.Store.Due(t.Context(), shard, w.Time().Add(time.Minute), 100, "")
				if err != nil {
					t.Fatal(err)
				}
				for _, d := range list {
					due[d.ID] = d.At
				}
			}
			for _, v := range a.Verdicts {
				if !v.New || due[v.Record.ID] != w.Time().Add(message.Grace) {
					t.Errorf("%+v is due at %s", v, due[v.Record.ID])
				}
			}
			if !strings.Contains(w.Log.String(), "the sweep will") {
				t.Error("nothing in the log")
			}
		})
	}
}

// Whatever a caller's texts hold, a hint goes out at once: one that no queue would take is a bare one.
func TestEveryHintIsTaken(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	a := send(t, w.Intake, intaketest.Shop, hello(anna, func(r *intake.Request) { r.Reference = "a\uffffb\ufffe\u2028<&>" }))
	if h := w.Hints(message.SMS, message.Normal); len(h) != 1 || h[0].ID != a.Verdicts[0].Record.ID {
		t.Errorf("%+v %s", h, w.Log)
	}
	big := strings.Repeat("x", 1000)
	lines := make([]any, 200)
	for i := range lines {
		lines[i] = map[string]any{"sku": big}
	}
	a = send(t, w.Intake, intaketest.Shop, hello(anna, func(r *intake.Request) {
		r.Template, r.Vars = "bill", map[string]any{"amount": json.Number("1"), "lines": lines}
	}))
	h := w.Hints(message.SMS, message.Normal)
	if len(h) != 2 || h[1].ID != a.Verdicts[0].Record.ID || h[1].Record != nil {
		t.Errorf("%d hints %s", len(h), w.Log)
	}
}

func TestSendAt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		ahead  time.Duration
		delay  time.Duration // of the hint; -1: none
		due    time.Duration // from now
		status message.Status
	}{
		{-time.Minute, 0, message.Grace, message.Queued}, {0, 0, message.Grace, message.Queued},
		{time.Millisecond, time.Second, time.Millisecond + message.Grace, message.Scheduled},
		{1500 * time.Millisecond, 2 * time.Second, 1500*time.Millisecond + message.Grace, message.Scheduled},
		{15 * time.Minute, 15 * time.Minute, 15*time.Minute + message.Grace, message.Scheduled},
		{15*time.Minute - time.Millisecond, 15 * time.Minute, 15*time.Minute - time.Millisecond + message.Grace, message.Scheduled},
		{15*time.Minute + time.Millisecond, -1, 15*time.Minute + time.Millisecond, message.Scheduled},
		{365 * 24 * time.Hour, -1, 365 * 24 * time.Hour, message.Scheduled},
	} {
		w := intaketest.New(t)
		at := w.Now().Add(c.ahead)
		r := send(t, w.Intake, intaketest.Shop, hello(anna, func(r *intake.Request) { r.SendAt = at })).Verdicts[0].Record
		from := max(w.Time(), message.At(at))
		if r.Status != c.status || r.Due != w.Time().Add(c.due) || r.Expires != from.Add(24*time.Hour) {
			t.Errorf("%s: %s due %s expires %s", c.ahead, r.Status, r.Due, r.Expires)
		}
		items := w.Queue.Peek(queue.Lane(message.SMS, message.Normal), 10)
		if (len(items) == 0) != (c.delay < 0) {
			t.Errorf("%s: %d hints", c.ahead, len(items))
		}
		ready, delayed, _ := w.Queue.Len(queue.Lane(message.SMS, message.Normal))
		if c.delay > 0 && (ready != 0 || delayed != 1) || c.delay == 0 && ready != 1 {
			t.Errorf("%s: %d ready, %d delayed", c.ahead, ready, delayed)
		}
	}
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	at := w.Now().Add(time.Hour)
	for name, c := range map[string]struct {
		change func(*intake.Request)
		want   time.Time
	}{
		"ttl":             {func(r *intake.Request) { r.TTL = time.Minute }, w.Now().Add(time.Minute)},
		"ttl, ahead":      {func(r *intake.Request) { r.TTL, r.SendAt = time.Minute, at }, at.Add(time.Minute)},
		"instant, ahead":  {func(r *intake.Request) { r.ExpiresAt, r.SendAt = at.Add(time.Second), at }, at.Add(time.Second)},
		"the class's":     {func(*intake.Request) {}, w.Now().Add(24 * time.Hour)},
		"a code's":        {func(r *intake.Request) { r.Template, r.Vars = "login", map[string]any{"code": "4711"} }, w.Now().Add(5 * time.Minute)},
		"marketing's":     {func(r *intake.Request) { r.Template = "promo" }, w.Now().Add(72 * time.Hour)},
		"the longest ttl": {func(r *intake.Request) { r.TTL = message.MaxTTL }, w.Now().Add(message.MaxTTL)},
	} {
		r := send(t, w.Intake, intaketest.Shop, hello(anna, c.change, func(r *intake.Request) { r.DedupSeconds = new(int) })).Verdicts[0].Record
		if r.Expires != message.At(c.want) {
			t.Errorf("%s: %s", name, r.Expires)
		}
	}
}

// What the recipient gets is what was accepted: numbers and all, in the version of that time.
func TestContentIsPinned(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	for _, n := range []string{"19.90", "12345678901234567890", "1e3", "-0", "0.10"} {
		bill := func(r *intake.Request) {
			r.Template, r.Vars = "bill", map[string]any{"amount": json.Number(n)}
		}
		x, err := w.Intake.Explain(t.Context(), intaketest.Shop, hello(anna, bill))
		if err != nil {
			t.Fatal(err)
		}
		r := send(t, w.Intake, intaketest.Shop, hello(anna, bill)).Verdicts[0].Record
		vars, err := w.Store.Vars(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		c, err := w.Config.Version(t.Context(), r.Template)
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := c.Render(r.Channel, r.Template.Locale, vars)
		if err != nil || got.Text != x[0].Content.Text || len(c.Check(vars)) > 0 {
			t.Errorf("%s: %q, explained %q, %v", n, got.Text, x[0].Content.Text, err)
		}
		if a, err := w.Intake.Resend(t.Context(), intaketest.Shop, r.ID, &intake.Request{}); err != nil || a.Verdicts[0].Record.ResendOf != r.ID {
			t.Errorf("resend: %v", err)
		}
	}
}

// faulty is an intake over a driver that fails by chance.
func faulty(w *intaketest.World, decide func(string) storetest.Fault) *intake.Intake {
	w.Helper()
	on := false
	s := w.Open(storetest.Faults(w.DB, func(call string) storetest.Fault {
		if !on {
			return storetest.Fault{}
		}
		return decide(call)
	}))
	on = true
	return w.Over(s, w.Queue)
}
