package wire_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/alarm"
	"github.com/opennotify/notify/pkg/wire"
)

func TestReadOutside(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		vars string // NAME=value, by blanks, without the NOTIFY_
		want wire.Outside
		bad  string // the variable that is refused
	}{
		{"", wire.Outside{}, ""},
		{"PUBLIC_URL=https://notify.example.com/ EGRESS=203.0.113.7", wire.Outside{PublicURL: "https://notify.example.com", Egress: "203.0.113.7"}, ""},
		{"SILENT_SECONDS=3600 CANARY=main/canary", wire.Outside{Watch: alarm.Options{Silent: time.Hour, From: 1, To: 10, Canary: true}}, ""},
		{"SILENT_SECONDS=900 BUSINESS_FROM=8 BUSINESS_TO=24", wire.Outside{Watch: alarm.Options{Silent: 15 * time.Minute, From: 8, To: 24}}, ""},
		{"SILENT_SECONDS=0 BUSINESS_FROM=8", wire.Outside{}, ""},
		{"EGRESS=notify.example.com", wire.Outside{}, "EGRESS"},
		{"SILENT_SECONDS=1h", wire.Outside{}, "SILENT_SECONDS"},
		{"SILENT_SECONDS=90", wire.Outside{}, "SILENT_SECONDS"},
		{"SILENT_SECONDS=7260", wire.Outside{}, "SILENT_SECONDS"},
		{"SILENT_SECONDS=900 BUSINESS_TO=25", wire.Outside{}, "BUSINESS_TO"},
		{"PUBLIC_URL=notify.example.com", wire.Outside{}, "PUBLIC_URL"},
		{"OIDC_TRUST_EMAIL=false", wire.Outside{}, ""},
		{"OIDC_TRUST_EMAIL=on", wire.Outside{}, "OIDC_TRUST_EMAIL"},
		{"OIDC_ISSUER=https://id.example.com", wire.Outside{}, "OIDC_ISSUER"},
	} {
		vars := map[string]string{}
		for _, v := range strings.Fields(tc.vars) {
			name, value, _ := strings.Cut(v, "=")
			vars["NOTIFY_"+name] = value
		}
		got, err := wire.ReadOutside(func(name string) string { return vars[name] })
		if tc.bad != "" {
			if err == nil || !strings.Contains(err.Error(), "NOTIFY_"+tc.bad+" ") {
				t.Errorf("%s: %v", tc.vars, err)
			}
		} else if diff := cmp.Diff(tc.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", tc.vars, err, diff)
		}
	}
}
