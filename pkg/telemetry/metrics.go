package telemetry

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"sync"
	"time"
)

// Metrics takes measurements. It never fails and never blocks on I/O.
type Metrics interface {
	// Count adds to a counter.
	Count(name string, n int64, labels Labels)
	// Observe adds one value to a distribution.
	Observe(name string, value float64, unit Unit, labels Labels)
}

// Labels say what a measurement is of. In CloudWatch, Channel and Lane are dimensions, of which every
// combination is a metric that is paid for, and Account is one where it is asked for; Tenant is a property, found
// by a query of the log; Template is left to the counters in the store.
type Labels struct{ Channel, Lane, Tenant, Account, Template string }

// Tee hands every measurement to several.
type Tee []Metrics

// Count adds to a counter of each.
func (t Tee) Count(name string, n int64, labels Labels) {
	for _, m := range t {
		m.Count(name, n, labels)
	}
}

// Observe adds one value to a distribution of each.
func (t Tee) Observe(name string, value float64, unit Unit, labels Labels) {
	for _, m := range t {
		m.Observe(name, value, unit, labels)
	}
}

// Unit is one of CloudWatch's units:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html
type Unit string

// The units in use.
const (
	Count        Unit = "Count"
	Milliseconds Unit = "Milliseconds"
	Seconds      Unit = "Seconds"
	Bytes        Unit = "Bytes"
	Ratio        Unit = "None" // of something, 0 to 1
)

// Nop drops everything.
type Nop struct{}

// Count does nothing.
func (Nop) Count(string, int64, Labels) {}

// Observe does nothing.
func (Nop) Observe(string, float64, Unit, Labels) {}

// maxValues is how many values a metric may have in a line, which is as many as a line may have metrics; there are
// fewer names than that:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
const maxValues = 100

// EMF sums measurements in memory and writes them in the CloudWatch embedded metric format, one line for each
// set of labels: a function flushes at the end of an invocation, a server now and then.
type EMF struct {
	w         io.Writer
	namespace string
	accounts  bool
	now       func() time.Time

	mu   sync.Mutex
	sums map[Labels]map[string]*metric
}

type metric struct {
	name   string
	unit   Unit
	count  int64     // of a counter
	values []float64 // of a distribution
}

// NewEMF makes a writer of metrics in a namespace. Each line is one Write. accounts tells them apart, in a few
// metrics, each of which is paid for.
func NewEMF(w io.Writer, namespace string, accounts bool, now func() time.Time) *EMF {
	return &EMF{w: w, namespace: namespace, accounts: accounts, now: now, sums: map[Labels]map[string]*metric{}}
}

// Count adds to a counter.
func (e *EMF) Count(name string, n int64, labels Labels) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.metric(name, Count, labels).count += n
}

// Observe adds one value to a distribution. A value that is not finite is dropped: JSON has no word for it.
func (e *EMF) Observe(name string, value float64, unit Unit, labels Labels) {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	m := e.metric(name, unit, labels)
	m.values = append(m.values, value)
}

func (e *EMF) metric(name string, unit Unit, labels Labels) *metric {
	labels.Template = "" // a line for each would cost more than it tells
	if !e.accounts || !byAccount[name] {
		labels.Account = ""
	}
	byName := e.sums[labels]
	if byName == nil {
		byName = map[string]*metric{}
		e.sums[labels] = byName
	}
	m := byName[name]
	if m == nil {
		m = &metric{name: name, unit: unit}
		byName[name] = m
	}
	return m
}

// Flush writes what came since the last one. What cannot be written is lost: a metric is not worth a
// message.
func (e *EMF) Flush() error {
	e.mu.Lock()
	sums := e.sums
	e.sums = map[Labels]map[string]*metric{}
	e.mu.Unlock()

	all := make([]Labels, 0, len(sums))
	for l := range sums {
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b Labels) int {
		return cmp.Or(strings.Compare(a.Channel, b.Channel), strings.Compare(a.Lane, b.Lane), strings.Compare(a.Tenant, b.Tenant), strings.Compare(a.Account, b.Account))
	})
	for _, l := range all {
		metrics := make([]*metric, 0, len(sums[l]))
		for _, m := range sums[l] {
			metrics = append(metrics, m)
		}
		slices.SortFunc(metrics, func(a, b *metric) int { return strings.Compare(a.name, b.name) })
		if err := e.write(l, metrics); err != nil {
			return err
		}
	}
	return nil
}

// write writes some metrics of one set of labels, in as many lines as their values need.
func (e *EMF) write(l Labels, metrics []*metric) error {
	for len(metrics) > 0 {
		line := e.line(l)
		var listed directives
		var rest []*metric
		for _, m := range metrics {
			listed.add(e.namespace, dimensions(m.name, l), definition{m.name, m.unit})
			if m.values == nil {
				line[m.name] = m.count
				continue
			}
			n := min(maxValues, len(m.values))
			line[m.name] = m.values[:n]
			if m.values = m.values[n:]; len(m.values) > 0 {
				rest = append(rest, m)
			}
		}
		if len(listed) > 0 {
			line["_aws"] = header{Timestamp: e.now().UnixMilli(), Metrics: listed}
		}
		b, err := json.Marshal(line)
		if err != nil {
			return fmt.Errorf("telemetry: encode metrics: %w", err)
		}
		if _, err := e.w.Write(append(b, '\n')); err != nil {
			return fmt.Errorf("telemetry: write metrics: %w", err)
		}
		metrics = rest
	}
	return nil
}

type header struct {
	Timestamp int64      `json:"Timestamp"`
	Metrics   directives `json:"CloudWatchMetrics"`
}

type directive struct {
	Namespace  string       `json:"Namespace"`
	Dimensions [][]string   `json:"Dimensions"`
	Metrics    []definition `json:"Metrics"`
}

// directives say which members of a line are metrics, one for each set of dimensions.
type directives []directive

func (all *directives) add(namespace string, dimensions [][]string, d definition) {
	if dimensions == nil {
		return
	}
	for i := range *all {
		if have := &(*all)[i]; slices.EqualFunc(have.Dimensions, dimensions, slices.Equal) {
			have.Metrics = append(have.Metrics, d)
			return
		}
	}
	*all = append(*all, directive{Namespace: namespace, Dimensions: dimensions, Metrics: []definition{d}})
}

type definition struct {
	Name string `json:"Name"`
	Unit Unit   `json:"Unit"`
}

// line has the labels, and the level without which a filter of the log at WARN would drop the metrics.
func (e *EMF) line(l Labels) map[string]any {
	line := map[string]any{"level": "INFO"}
	for name, v := range map[string]string{"channel": l.Channel, "lane": l.Lane, "tenant": l.Tenant, "account": l.Account} {
		if v != "" {
			line[name] = v
		}
	}
	return line
}
