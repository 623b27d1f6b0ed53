package deploy_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"github.com/opennotify/notify/deploy/emulators"
)

// CloudWatch takes every alarm as it is read from the templates, and has it then. (The emulator's CloudFormation
// refuses metric math, so a deployment there is without.)
func TestAlarmsAccepted(t *testing.T) {
	t.Parallel()
	client := cloudwatch.NewFromConfig(emulators.Need(t, emulators.MiniStack).AWS())
	single, composite := alarms(t)
	var names []string
	for name, res := range single {
		p := map[string]any{}
		for k, v := range res.Properties {
			p[k] = numbered(k, v)
		}
		var in cloudwatch.PutMetricAlarmInput
		fill(t, name, p, &in)
		if _, err := client.PutMetricAlarm(t.Context(), &in); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		names = append(names, aws.ToString(in.AlarmName))
	}
	out, err := client.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNames: names, MaxRecords: aws.Int32(100)})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.MetricAlarms) != len(names) {
		t.Errorf("%d of %d alarms are there", len(out.MetricAlarms), len(names))
	}
	for path, res := range composite {
		var in cloudwatch.PutCompositeAlarmInput
		fill(t, path, res.Properties, &in)
		if _, err := client.PutCompositeAlarm(t.Context(), &in); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if _, err := client.DeleteAlarms(t.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{aws.ToString(in.AlarmName)}}); err != nil {
			t.Error(err)
		}
	}
	if _, err := client.DeleteAlarms(t.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: names}); err != nil {
		t.Error(err)
	}
}

// fill reads the properties of a resource into a call, which names them alike; unknown ones are refused.
func fill(t *testing.T, name string, p map[string]any, call any) {
	t.Helper()
	text, err := json.Marshal(p)
	if err == nil {
		err = json.Unmarshal(text, call)
	}
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// numbered makes numbers of what parameters gave as text.
func numbered(name string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			v[k] = numbered(k, e)
		}
	case []any:
		for i, e := range v {
			v[i] = numbered(name, e)
		}
	case string:
		if n, err := strconv.ParseFloat(fmt.Sprint(v), 64); err == nil && (name == "Threshold" || name == "Period") {
			return n
		}
	}
	return v
}
