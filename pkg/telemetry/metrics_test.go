package telemetry

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func at() time.Time { return time.UnixMilli(1767323045678) }

func TestEMF(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	e := NewEMF(&out, "notify", false, at)
	shop := Labels{Channel: "sms", Lane: "urgent", Tenant: "shop"}
	e.Count("sent", 2, shop)
	e.Observe(AcceptToSent, 12.5, Milliseconds, shop)
	e.Count("sent", 1, shop)
	e.Observe(AcceptToSent, 3, Milliseconds, shop)
	e.Observe(AcceptToSent, math.NaN(), Milliseconds, shop)
	e.Count(Refused, 7, Labels{})
	e.Count("cancelled", 1, Labels{Channel: "email"})
	e.Count("bounced", 1, Labels{Channel: "email"})
	if err := e.Flush(); err != nil {
		t.Fatal(err)
	}
	want := `{"_aws":{"Timestamp":1767323045678,"CloudWatchMetrics":[{"Namespace":"notify","Dimensions":[[]],"Metrics":[{"Name":"refused","Unit":"Count"}]}]},"level":"INFO","refused":7}
{"_aws":{"Timestamp":1767323045678,"CloudWatchMetrics":[{"Namespace":"notify","Dimensions":[["channel"]],"Metrics":[{"Name":"bounced","Unit":"Count"}]}]},"bounced":1,"cancelled":1,"channel":"email","level":"INFO"}
{"_aws":{"Timestamp":1767323045678,"CloudWatchMetrics":[{"Namespace":"notify","Dimensions":[["channel","lane"]],"Metrics":[{"Name":"accept_to_sent","Unit":"Milliseconds"}]},{"Namespace":"notify","Dimensions":[["channel"]],"Metrics":[{"Name":"sent","Unit":"Count"}]}]},"accept_to_sent":[12.5,3],"channel":"sms","lane":"urgent","level":"INFO","sent":3,"tenant":"shop"}
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
	out.Reset()
	if err := e.Flush(); err != nil || out.Len() > 0 {
		t.Errorf("a second flush wrote %q, %v", &out, err)
	}
}

// A line may hold 100 values of a metric; nothing may be lost or told twice.
func TestEMFLimits(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	e := NewEMF(&out, "notify", false, at)
	e.Count("sent", 7, Labels{Channel: "sms", Lane: "bulk"})
	for i := range 250 {
		e.Observe(AcceptToSent, float64(i), Milliseconds, Labels{Channel: "sms", Lane: "bulk"})
	}
	if err := e.Flush(); err != nil {
		t.Fatal(err)
	}
	sent, values := 0.0, []any{}
	for line := range strings.Lines(out.String()) {
		var got map[string]any
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatal(err)
		}
		n, _ := got["sent"].(float64)
		sent += n
		v := got[AcceptToSent].([]any)
		if len(v) > 100 {
			t.Errorf("%d values in a line", len(v))
		}
		values = append(values, v...)
	}
	if sent != 7 || len(values) != 250 || values[249] != 249.0 {
		t.Errorf("%v sent, %d values", sent, len(values))
	}
	if len(published) > 100 {
		t.Errorf("%d metrics may come into one line", len(published))
	}
}

func TestEMFSide(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	e := NewEMF(&out, "notify", false, at)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				e.Count("sent", 1, Labels{})
			}
		})
	}
	wg.Wait()
	if err := e.Flush(); err != nil || !strings.Contains(out.String(), `"sent":800`) {
		t.Errorf("%v: %s", err, &out)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestEMFTellsThatItCannotWrite(t *testing.T) {
	t.Parallel()
	e := NewEMF(full{}, "notify", false, at)
	e.Count("sent", 1, Labels{})
	if err := e.Flush(); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Error(err)
	}
	var m Metrics = Nop{}
	m.Count("sent", 1, Labels{})
	m.Observe("ms", 1, Bytes, Labels{})
}
