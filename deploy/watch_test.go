package deploy_test

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/expr-lang/expr"
)

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

// period is the length of a point.
func (a watch) period() time.Duration {
	seconds := a.p["Period"]
	if metrics, ok := a.p["Metrics"].([]any); ok {
		seconds = metrics[1].(map[string]any)["MetricStat"].(map[string]any)["Period"]
	}
	n, err := strconv.Atoi(fmt.Sprint(seconds))
	if err != nil {
		a.t.Fatalf("%s: its period is %v", a.name, seconds)
	}
	return time.Duration(n) * time.Second
}

func (a watch) expect(what string, line []told, want bool) {
	a.t.Helper()
	of, least := a.periods()
	beyond := 0
	for _, v := range line[max(0, len(line)-of):] {
		x, ok := a.point(v)
		if limit := a.number("Threshold", 0); !ok {
			if a.p["TreatMissingData"] == "breaching" {
				beyond++
			}
		} else if a.beyond(x, limit) {
			beyond++
		}
	}
	if got := beyond >= least; got != want {
		a.t.Errorf("%s, %s: fires is %v with %d of %d periods beyond the threshold", a.name, what, got, beyond, of)
	}
}

func (a watch) beyond(x, limit float64) bool {
	switch op := a.p["ComparisonOperator"]; op {
	case "GreaterThanThreshold":
		return x > limit
	case "GreaterThanOrEqualToThreshold":
		return x >= limit
	case "LessThanThreshold":
		return x < limit
	default:
		a.t.Fatalf("%s compares by %v", a.name, op)
		return false
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
	options := functions()
	for _, part := range []string{"day", "hour", "minute"} {
		options = append(options, expr.Function(strings.ToUpper(part), func(...any) (any, error) { return v[part], nil }))
	}
	program, err := expr.Compile(strings.ReplaceAll(expression, " AND ", " && "), options...)
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

// functions are CloudWatch's, for one period:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
func functions() []expr.Option {
	return []expr.Option{
		expr.DisableBuiltin("max"),
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
		}),
		expr.Function("MAX", func(p ...any) (any, error) {
			most := math.Inf(-1)
			for _, x := range p[0].([]any) {
				v, err := strconv.ParseFloat(fmt.Sprint(x), 64)
				if err != nil {
					return nil, err
				}
				most = max(most, v)
			}
			return most, nil
		}),
	}
}
