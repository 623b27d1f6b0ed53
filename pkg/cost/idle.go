package cost

import (
	"strconv"
	"strings"
)

// Stack is what stands there while nothing is sent.
type Stack struct {
	Queues       int // that a function reads
	AlarmMetrics int // that alarms watch
	Composites   int
	Secrets      int // accounts' credentials
	Metrics      int // that are written though nothing is sent
}

// Idle is what a stack costs in a month in which nothing is sent. Other metrics are not part of it: what is not
// written is not paid for.
func Idle(s Stack) []Line {
	return []Line{
		{"polls of idle queues", strconv.Itoa(s.Queues) + " queues", float64(s.Queues) * IdleQueue(Pollers)},
		{"alarms", strconv.Itoa(s.AlarmMetrics) + " metrics, " + strconv.Itoa(s.Composites) + " composite", float64(s.AlarmMetrics)*AlarmMetric + float64(s.Composites)*Composite},
		{"metrics", strconv.Itoa(s.Metrics) + " that are written every minute", Metrics(s.Metrics)},
		{"dashboard", "1", Dashboard},
		{"KMS key", "1", KeyMonth},
		{"secrets", strconv.Itoa(s.Secrets), float64(s.Secrets) * SecretMonth},
		// Three passes of the sweep a minute, each with its entry sent, received and deleted, and 200 ms of a function.
		{"the sweep", "130,000 passes", passes*3*QueueRequest/1e6 + passes*(Invocation/1e6+passMillis/1e3*memoryGB*GBSecond)},
	}
}

const (
	passes     = 3 * 60 * 24 * 30
	passMillis = 200
)

// number writes a number with at most two decimals.
func number(x float64) string {
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(x, 'f', 2, 64), "0"), ".")
}
