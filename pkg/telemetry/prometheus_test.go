package telemetry

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPrometheus(t *testing.T) {
	t.Parallel()
	p := NewPrometheus()
	l := Labels{Channel: "sms", Lane: "urgent", Tenant: "shop", Account: `a"\`, Template: "shop/hello"}
	p.Count("sent", 2, l)
	l.Template = "shop/other"
	p.Count("sent", 1, l)
	p.Count("refused", 1, Labels{})
	p.Observe("accept_to_sent", 50, Milliseconds, l)
	p.Observe("accept_to_sent", 7500, Milliseconds, l)
	p.Observe("body", 7, Bytes, l)
	p.Observe("limit_used_ratio", 0.5, Ratio, Labels{Channel: "sms", Account: "a"})
	p.Observe("limit_used_ratio", 0.25, Ratio, Labels{Channel: "sms", Account: "a"})
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	want := `# HELP notify_events_total What became of messages and requests, since the start.
# TYPE notify_events_total counter
notify_events_total{event="refused",tenant="",channel="",account=""} 1
notify_events_total{event="sent",tenant="shop",channel="sms",account="a\"\\"} 3
# HELP notify_limit_used_ratio What part of it is used, at last.
# TYPE notify_limit_used_ratio gauge
notify_limit_used_ratio{tenant="",channel="sms",account="a"} 0.25
# HELP notify_accept_to_sent_seconds How long it took.
# TYPE notify_accept_to_sent_seconds histogram
notify_accept_to_sent_seconds_bucket{channel="sms",lane="urgent",le="0.05"} 1
notify_accept_to_sent_seconds_bucket{channel="sms",lane="urgent",le="0.1"} 1
notify_accept_to_sent_seconds_bucket{channel="sms",lane="urgent",le="0.25"} 1
notify_accept_to_sent_seconds_bucket{channel="sms",lane="urgent",le="0.5"} 1
notify_accept_to_sent_seconds_bucket{channel="sms",lane="urgent",le="1"} 1
notify_accept_to_sent_seconds_bucket{channel="sms",lane="urgent",le="2.5"} 1
notify_accept_to_sent_seconds_bucket{channel="sms",lane="urgent",le="5"} 1
notify_accept_to_sent_seconds_bucket{channel="sms",lane="urgent",le="10"} 2
notify_accept_to_sent_seconds_bucket{channel="sms",lane="urgent",le="30"} 2
notify_accept_to_sent_seconds_bucket{channel="sms",lane="urgent",le="60"} 2
notify_accept_to_sent_seconds_bucket{channel="sms",lane="urgent",le="300"} 2
notify_accept_to_sent_seconds_bucket{channel="sms",lane="urgent",le="1800"} 2
notify_accept_to_sent_seconds_bucket{channel="sms",lane="urgent",le="+Inf"} 2
notify_accept_to_sent_seconds_sum{channel="sms",lane="urgent"} 7.55
notify_accept_to_sent_seconds_count{channel="sms",lane="urgent"} 2
`
	if diff := cmp.Diff(want, w.Body.String()); diff != "" || w.Header().Get("Content-Type") != "text/plain; version=0.0.4; charset=utf-8" {
		t.Error(diff)
	}
}

// However many tenants there are, the series are bounded, and nothing is missing from their sum.
func TestPrometheusIsBounded(t *testing.T) {
	t.Parallel()
	p := NewPrometheus()
	for i := range 3 * maxSeries {
		p.Count("sent", 1, Labels{Tenant: fmt.Sprint(i)})
	}
	var sum int64
	for _, n := range p.counts {
		sum += n
	}
	if len(p.counts) > maxSeries+1 || sum != 3*maxSeries || !strings.Contains(p.text(), `tenant="other",channel="",account="other"} 4000`) {
		t.Errorf("%d series, sum %d", len(p.counts), sum)
	}
}
