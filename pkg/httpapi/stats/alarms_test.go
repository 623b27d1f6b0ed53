package stats_test

import (
	"encoding/json"
	"testing"

	mount "github.com/opennotify/notify/pkg/httpapi/stats"
	"github.com/opennotify/notify/pkg/stats"
	"github.com/opennotify/notify/pkg/telemetry"
)

// Operators are told what is wrong, in both languages and with what to do; nobody else is.
func TestAlarms(t *testing.T) {
	t.Parallel()
	h := setup(t, func(c *stats.Counters) {
		c.Count(telemetry.AccountFault, 2, telemetry.Labels{Tenant: "shop", Channel: "sms", Account: "a"})
	})
	get(h, "nobody", "/v1/stats") // is refused, and flushes
	for key, want := range map[string]int{"nobody": 401, "send": 403, "read": 403, "operate": 200, "admin": 200} {
		w := get(h, key, "/v1/alarms")
		if w.Code != want {
			t.Errorf("%s gets %d %s", key, w.Code, w.Body)
		}
		if want != 200 {
			continue
		}
		var got mount.Alarms
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || len(got.Items) != 1 {
			t.Fatalf("%v %s", err, w.Body)
		}
		a := got.Items[0]
		if a.Name != "account-fault" || a.Channel != "sms" || a.Value != 2 || a.Threshold != 1 || !a.Page || a.Title.Zh == "" || a.Title.En == "" ||
			a.Runbook != "https://github.com/opennotify/notify/blob/main/docs/runbook.md#account-fault" {
			t.Errorf("%+v", a)
		}
	}
}
