package telemetry

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/message"
)

// written is what CloudWatch makes of lines: "name value value" of each metric.
func written(t *testing.T, text string) []string {
	t.Helper()
	all := map[string]bool{}
	for line := range strings.Lines(text) {
		var values map[string]any
		var emf struct {
			AWS struct {
				CloudWatchMetrics []directive
			} `json:"_aws"`
		}
		if err := json.Unmarshal([]byte(line), &emf); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(line), &values); err != nil {
			t.Fatal(err)
		}
		for _, d := range emf.AWS.CloudWatchMetrics {
			for _, m := range d.Metrics {
				for _, set := range d.Dimensions {
					name := m.Name
					for _, dim := range set {
						name += " " + values[dim].(string)
					}
					all[name] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// Whatever is counted, of however many tenants, accounts and templates: CloudWatch gets what Published lists.
func TestPublished(t *testing.T) {
	t.Parallel()
	channels := []message.Channel{message.SMS, message.Email, message.Webhook}
	names := append(slices.Collect(maps.Keys(published)), "cancelled", "simulated", "redriven", "breaker_open", "receipt_polled", "made up")
	emit := func(accounts bool) []string {
		var out bytes.Buffer
		e := NewEMF(&out, "notify/main", accounts, at)
		for _, name := range names {
			for _, c := range append(channels, message.Channel(message.Callback), "") {
				for _, lane := range append(message.Lanes(), "") {
					for _, tenant := range []string{"", "shop", "bank"} {
						for _, account := range []string{"", "a", "b"} {
							e.Count(name, 1, Labels{string(c), string(lane), tenant, account, tenant + "/" + account})
						}
					}
				}
			}
		}
		if err := e.Flush(); err != nil {
			t.Fatal(err)
		}
		return written(t, out.String())
	}
	want := Published(channels...)
	if diff := cmp.Diff(want, emit(false)); diff != "" {
		t.Error("(-listed +written):", diff)
	}
	told := emit(true)
	if n := len(byAccount) * 2 * len(channels); len(told) != len(want)+n || !slices.Contains(told, "limit_used_ratio sms b") {
		t.Errorf("with accounts there are %d metrics, %d without and %d of accounts: %v", len(told), len(want), n, told)
	}
	t.Log(len(want), "metrics")
}
