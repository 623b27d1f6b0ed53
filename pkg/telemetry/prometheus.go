package telemetry

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Prometheus keeps sums since the start of the process, and tells them in Prometheus's text format
// (https://prometheus.io/docs/instrumenting/exposition_formats/). Templates are not told apart, nor tenants
// and accounts beyond a bound: every series costs whoever collects them.
type Prometheus struct {
	mu     sync.Mutex
	counts map[series]int64
	took   map[series]*histogram
	ratios map[series]float64 // as they were last
}

// series is the labels of one.
type series struct{ name, channel, lane, tenant, account string }

const maxSeries = 2000

// buckets are the bounds of distributions of time, in seconds.
var buckets = [...]float64{0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800}

type histogram struct {
	within [len(buckets)]int64
	count  int64
	sum    float64
}

// NewPrometheus makes one that has counted nothing.
func NewPrometheus() *Prometheus {
	return &Prometheus{counts: map[series]int64{}, took: map[series]*histogram{}, ratios: map[series]float64{}}
}

// Count adds to a counter.
func (p *Prometheus) Count(name string, n int64, l Labels) {
	s := series{name: name, channel: l.Channel, tenant: l.Tenant, account: l.Account}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, known := p.counts[s]; !known && len(p.counts) >= maxSeries {
		s.tenant, s.account = "other", "other"
	}
	p.counts[s] += n
}

// Observe adds one value to a distribution of times, or keeps a ratio; others are left out.
func (p *Prometheus) Observe(name string, value float64, unit Unit, l Labels) {
	if unit == Ratio {
		p.mu.Lock()
		defer p.mu.Unlock()
		if s := (series{name: name, channel: l.Channel, tenant: l.Tenant, account: l.Account}); len(p.ratios) < maxSeries {
			p.ratios[s] = value
		}
		return
	}
	if unit != Milliseconds {
		return
	}
	value /= float64(time.Second / time.Millisecond)
	s := series{name: name, channel: l.Channel, lane: l.Lane}
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.took[s]
	if h == nil {
		h = &histogram{}
		p.took[s] = h
	}
	h.count++
	h.sum += value
	for i, bound := range buckets {
		if value <= bound {
			h.within[i]++
		}
	}
}

// ServeHTTP tells all of it.
func (p *Prometheus) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = io.WriteString(w, p.text()) // fails when the collector has gone
}

func (p *Prometheus) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var b strings.Builder
	b.WriteString("# HELP notify_events_total What became of messages and requests, since the start.\n# TYPE notify_events_total counter\n")
	for _, s := range slices.SortedFunc(maps.Keys(p.counts), compareSeries) {
		fmt.Fprintf(&b, "notify_events_total{%s} %d\n", labelled("event", s.name, "tenant", s.tenant, "channel", s.channel, "account", s.account), p.counts[s])
	}
	last := ""
	for _, s := range slices.SortedFunc(maps.Keys(p.ratios), compareSeries) {
		if s.name != last {
			fmt.Fprintf(&b, "# HELP notify_%s What part of it is used, at last.\n# TYPE notify_%s gauge\n", s.name, s.name)
			last = s.name
		}
		fmt.Fprintf(&b, "notify_%s{%s} %g\n", s.name, labelled("tenant", s.tenant, "channel", s.channel, "account", s.account), p.ratios[s])
	}
	for _, s := range slices.SortedFunc(maps.Keys(p.took), compareSeries) {
		name := "notify_" + s.name + "_seconds"
		if name != last {
			fmt.Fprintf(&b, "# HELP %s How long it took.\n# TYPE %s histogram\n", name, name)
			last = name
		}
		of, h := labelled("channel", s.channel, "lane", s.lane), p.took[s]
		for i, bound := range buckets {
			fmt.Fprintf(&b, "%s_bucket{%s,le=\"%s\"} %d\n", name, of, strconv.FormatFloat(bound, 'g', -1, 64), h.within[i])
		}
		fmt.Fprintf(&b, "%s_bucket{%s,le=\"+Inf\"} %d\n%s_sum{%s} %g\n%s_count{%s} %d\n", name, of, h.count, name, of, h.sum, name, of, h.count)
	}
	return b.String()
}

func compareSeries(a, b series) int {
	return slices.Compare([]string{a.name, a.channel, a.lane, a.tenant, a.account}, []string{b.name, b.channel, b.lane, b.tenant, b.account})
}

// labelled writes pairs of a label and its value.
func labelled(pairs ...string) string {
	var out []string
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, pairs[i]+`="`+strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(pairs[i+1])+`"`)
	}
	return strings.Join(out, ",")
}
