package telemetry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
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
	e := NewEMF(&out, "notify", at)
	shop := Labels{Channel: "sms", Lane: "urgent", Tenant: "shop"}
	e.Count("sent", 2, shop)
	e.Observe("provider_ms", 12.5, Milliseconds, shop)
	e.Count("sent", 1, shop)
	e.Observe("provider_ms", 3, Milliseconds, shop)
	e.Observe("provider_ms", math.NaN(), Milliseconds, shop)
	e.Count("due", 7, Labels{})
	e.Count("bounced", 1, Labels{Channel: "email"})
	if err := e.Flush(); err != nil {
		t.Fatal(err)
	}
	want := `{"_aws":{"Timestamp":1767323045678,"CloudWatchMetrics":[{"Namespace":"notify","Dimensions":[[]],"Metrics":[{"Name":"due","Unit":"Count"}]}]},"due":7,"level":"INFO"}
{"_aws":{"Timestamp":1767323045678,"CloudWatchMetrics":[{"Namespace":"notify","Dimensions":[["channel"]],"Metrics":[{"Name":"bounced","Unit":"Count"}]}]},"bounced":1,"channel":"email","level":"INFO"}
{"_aws":{"Timestamp":1767323045678,"CloudWatchMetrics":[{"Namespace":"notify","Dimensions":[["channel"],["channel","lane"]],"Metrics":[{"Name":"provider_ms","Unit":"Milliseconds"},{"Name":"sent","Unit":"Count"}]}]},"channel":"sms","lane":"urgent","level":"INFO","provider_ms":[12.5,3],"sent":3,"tenant":"shop"}
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
	out.Reset()
	if err := e.Flush(); err != nil || out.Len() > 0 {
		t.Errorf("a second flush wrote %q, %v", &out, err)
	}
}

// A line may hold 100 metrics and 100 values of each; nothing may be lost or told twice.
func TestEMFLimits(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	e := NewEMF(&out, "notify", at)
	for i := range 150 {
		e.Count(fmt.Sprintf("m%03d", i), 1, Labels{Channel: "sms"})
	}
	for i := range 250 {
		e.Observe("m000_ms", float64(i), Milliseconds, Labels{Channel: "sms"})
	}
	if err := e.Flush(); err != nil {
		t.Fatal(err)
	}
	counts, values := map[string]float64{}, []any{}
	for line := range strings.Lines(out.String()) {
		var got map[string]any
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatal(err)
		}
		metrics := got["_aws"].(map[string]any)["CloudWatchMetrics"].([]any)[0].(map[string]any)["Metrics"].([]any)
		if len(metrics) > 100 {
			t.Errorf("%d metrics in a line", len(metrics))
		}
		for _, m := range metrics {
			name := m.(map[string]any)["Name"].(string)
			switch v := got[name].(type) {
			case float64:
				counts[name] += v
			case []any:
				if len(v) > 100 {
					t.Errorf("%d values in a line", len(v))
				}
				values = append(values, v...)
			}
		}
	}
	if len(counts) != 150 || len(values) != 250 || values[249] != 249.0 {
		t.Errorf("%d counters, %d values", len(counts), len(values))
	}
	for name, n := range counts {
		if n != 1 {
			t.Errorf("%s: %v", name, n)
		}
	}
}

func TestEMFSide(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	e := NewEMF(&out, "notify", at)
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
	e := NewEMF(full{}, "notify", at)
	e.Count("sent", 1, Labels{})
	if err := e.Flush(); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Error(err)
	}
	var m Metrics = Nop{}
	m.Count("sent", 1, Labels{})
	m.Observe("ms", 1, Bytes, Labels{})
}
