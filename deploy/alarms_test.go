package deploy_test

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/expr-lang/expr"
)

// told is what CloudWatch was told in one period, by the metric's name.
type told map[string]float64

// alarms are those of all templates, resolved.
func alarms(t *testing.T) map[string]resource {
	t.Helper()
	out := parse(t, "alarms.yaml", "nested", map[string]string{"Stack": "main", "Channel": "sms", "Topic": "arn"}).Resources
	for name, res := range root(t, map[string]string{"AlarmTopic": "arn"}).Resources {
		if res.Type == "AWS::CloudWatch::Alarm" {
			out[name] = res
		}
	}
	return out
}

// Every alarm fires in its storm, keeps still in the calm, just below its threshold, after one bad period (where it
// wants more) and when nothing is told; and it ends when the storm is over.
func TestAlarms(t *testing.T) {
	t.Parallel()
	const age, depth = "ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"
	storms := map[string]struct {
		calm, below, storm told
		quiet              []told // no alarms either
	}{
		"FailureRate": {told{"sent": 1000, "failed": 10}, told{"sent": 951, "failed": 30, "dead": 19}, told{"sent": 950, "failed": 30, "dead": 20},
			[]told{{"sent": 20, "failed": 29}, {"failed": 49}, {"sent": 1e6}}},
		"DeadLetters":         {told{depth: 0}, told{depth: 0}, told{depth: 1}, nil},
		"ControlDeadLetters":  {told{depth: 0}, told{depth: 0}, told{depth: 1}, nil},
		"ReceiptsDeadLetters": {told{depth: 0}, told{depth: 0}, told{depth: 1}, nil},
		"DeadLettersOld":      {told{age: 3600}, told{age: 7*86400 - 1}, told{age: 7 * 86400}, nil},
		"UrgentLate":          {told{age: 1}, told{age: 59}, told{age: 60}, nil},
		"NormalLate":          {told{age: 30}, told{age: 899}, told{age: 900}, nil},
		"BulkLate":            {told{age: 600}, told{age: 10799}, told{age: 10800}, nil},
		"DeliverErrors":       {told{"Errors": 0}, told{"Errors": 0}, told{"Errors": 1}, nil},
		"DeliverThrottles":    {told{"Throttles": 0}, told{"Throttles": 0}, told{"Throttles": 1}, nil},
	}
	for name, res := range alarms(t) {
		s, ok := storms[name]
		if !ok {
			t.Errorf("%s has no storm here: what should it fire on, and what not?", name)
			continue
		}
		a := watch{t, name, res.Properties}
		for what, line := range map[string][]told{"calm": again(s.calm, 30), "below": again(s.below, 30), "silence": again(nil, 30)} {
			a.expect(what, line, false)
		}
		for _, q := range s.quiet {
			a.expect(fmt.Sprint(q), again(q, 30), false)
		}
		of, least := a.periods()
		if least > 1 {
			a.expect("one bad period", append(again(s.calm, 10), s.storm), false)
		}
		storm := append(again(s.calm, 10), again(s.storm, of)...)
		a.expect("the storm", storm, true)
		a.expect("after the storm", append(storm, again(s.calm, of)...), false)
		a.expect("silence after the storm", append(storm, again(nil, of)...), false)
	}
}

func again(v told, n int) (out []told) {
	for range n {
		out = append(out, v)
	}
	return out
}

// watch judges as CloudWatch does: so many of the last periods beyond the threshold.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html#alarm-evaluation
type watch struct {
	t    *testing.T
	name string
	p    map[string]any
}

func (a watch) number(property string, otherwise float64) float64 {
	if a.p[property] == nil {
		return otherwise
	}
	v, err := strconv.ParseFloat(fmt.Sprint(a.p[property]), 64)
	if err != nil {
		a.t.Fatalf("%s: %s is %v", a.name, property, a.p[property])
	}
	return v
}

func (a watch) periods() (of, least int) {
	of = int(a.number("EvaluationPeriods", 0))
	return of, int(a.number("DatapointsToAlarm", float64(of)))
}

func (a watch) expect(what string, line []told, want bool) {
	a.t.Helper()
	of, least := a.periods()
	beyond := 0
	for _, v := range line[max(0, len(line)-of):] {
		x, ok := a.point(v)
		switch op := a.p["ComparisonOperator"]; {
		case !ok: // nothing was told: not breaching
		case op == "GreaterThanThreshold" && x > a.number("Threshold", 0), op == "GreaterThanOrEqualToThreshold" && x >= a.number("Threshold", 0):
			beyond++
		case op != "GreaterThanThreshold" && op != "GreaterThanOrEqualToThreshold":
			a.t.Fatalf("%s compares by %v", a.name, op)
		}
	}
	if got := beyond >= least; got != want {
		a.t.Errorf("%s, %s: fires is %v with %d of %d periods beyond the threshold", a.name, what, got, beyond, of)
	}
}

// point is the value of a period; false when there is none.
func (a watch) point(v told) (float64, bool) {
	if name, ok := a.p["MetricName"].(string); ok {
		x, there := v[name]
		return x, there
	}
	env := map[string]any{}
	expression := ""
	for _, m := range a.p["Metrics"].([]any) {
		m := m.(map[string]any)
		if e, ok := m["Expression"].(string); ok {
			expression = e
			continue
		}
		env[m["Id"].(string)] = nil
		if x, ok := v[m["MetricStat"].(map[string]any)["Metric"].(map[string]any)["MetricName"].(string)]; ok {
			env[m["Id"].(string)] = x
		}
	}
	program, err := expr.Compile(expression,
		expr.Function("IF", func(p ...any) (any, error) {
			if p[0].(bool) {
				return p[1], nil
			}
			return p[2], nil
		}),
		expr.Function("FILL", func(p ...any) (any, error) {
			if p[0] == nil {
				return p[1], nil
			}
			return p[0], nil
		}))
	if err != nil {
		a.t.Fatalf("%s: %v", a.name, err)
	}
	out, err := expr.Run(program, env)
	if err != nil {
		a.t.Fatalf("%s: %v", a.name, err)
	}
	x, err := strconv.ParseFloat(fmt.Sprint(out), 64)
	return x, err == nil && !math.IsNaN(x)
}

// Every alarm says where the runbook says what to do.
func TestRunbook(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/runbook.md")
	if err != nil {
		t.Fatal(err)
	}
	entries := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^## ([a-z-]+)$`).FindAllStringSubmatch(string(text), -1) {
		entries[m[1]] = true
	}
	for name, res := range alarms(t) {
		_, entry, ok := strings.Cut(fmt.Sprint(res.Properties["AlarmDescription"]), "docs/runbook.md#")
		if !ok || !strings.HasSuffix(fmt.Sprint(res.Properties["AlarmName"]), "-"+entry) {
			t.Errorf("%s does not end with its entry in docs/runbook.md: %v", name, res.Properties["AlarmDescription"])
		}
		if !entries[entry] {
			t.Errorf("docs/runbook.md has no entry %q", entry)
		}
		delete(entries, entry)
	}
	for entry := range entries {
		t.Errorf("docs/runbook.md has an entry %q, and no alarm has", entry)
	}
}
