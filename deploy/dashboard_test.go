package deploy_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"github.com/opennotify/notify/deploy/emulators"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/telemetry"
)

// board is the dashboard as CloudWatch gets it.
func board(t *testing.T) string {
	t.Helper()
	return fmt.Sprint(parse(t, "dashboard.yaml", "nested", map[string]string{"Stack": "main"}).Resources["Board"].Properties["DashboardBody"])
}

// The dashboard is JSON, and shows only what there is: metrics of ours that are published with these dimensions, queues
// and functions of the templates.
func TestDashboard(t *testing.T) {
	t.Parallel()
	var body struct {
		Widgets []struct {
			Properties struct {
				Title, Region string
				Metrics       [][]any
			}
		}
	}
	if err := json.Unmarshal([]byte(board(t)), &body); err != nil {
		t.Fatal(err)
	}
	r := root(t, nil)
	there := queues(t, r)
	functions := []string{"main-ingest", "main-admin", "main-receipt", "main-schedule"}
	for _, c := range every() {
		there = append(there, queues(t, nested(t, r, c))...)
		functions = append(functions, "main-deliver-"+string(c))
	}
	published := telemetry.Published(message.SMS)
	search := regexp.MustCompile(`SEARCH\('\{"notify/main",([a-z,]+)\} MetricName="([a-z_]+)"', '(Sum|Maximum|p50|p99)', 60\)`)
	shown := map[string]bool{}
	for _, w := range body.Widgets {
		if w.Properties.Title == "" || w.Properties.Region != "eu-west-1" || len(w.Properties.Metrics) == 0 {
			t.Errorf("a widget shows nothing: %+v", w)
		}
		for _, m := range w.Properties.Metrics {
			if q, ok := m[0].(map[string]any); ok {
				expression := q["expression"].(string)
				found := search.FindAllStringSubmatch(expression, -1)
				if strings.Count(expression, "SEARCH") != len(found) {
					t.Errorf("%s: this search is not understood: %s", w.Properties.Title, expression)
				}
				for _, f := range found {
					want := map[string]string{"channel": f[2] + " sms", "channel,lane": f[2] + " sms urgent"}[f[1]]
					if !slices.Contains(published, want) {
						t.Errorf("%s shows %s by %s, which is not published", w.Properties.Title, f[2], f[1])
					}
					shown[f[2]] = true
				}
				continue
			}
			name := fmt.Sprint(m[1])
			switch m[0] {
			case "AWS/SQS":
				if !slices.Contains(there, m[3].(string)) {
					t.Errorf("there is no queue %v", m[3])
				}
			case "AWS/Lambda":
				if !slices.Contains(functions, m[3].(string)) {
					t.Errorf("there is no function %v", m[3])
				}
			default:
				if m[0] != "notify/main" || !slices.Contains(published, name) {
					t.Errorf("there is no metric %v", m)
				}
			}
			shown[name] = true
		}
	}
	for _, name := range []string{"accepted", "sent", "failed", "delivered", "accept_to_sent", "sent_to_delivered", "limit_used_ratio", "ApproximateAgeOfOldestMessage"} {
		if !shown[name] {
			t.Errorf("nothing shows %s", name)
		}
	}
}

// CloudWatch takes it.
func TestDashboardAccepted(t *testing.T) {
	t.Parallel()
	client := cloudwatch.NewFromConfig(emulators.Need(t, emulators.MiniStack).AWS())
	if _, err := client.PutDashboard(t.Context(), &cloudwatch.PutDashboardInput{DashboardName: aws.String("main-try"), DashboardBody: aws.String(board(t))}); err != nil {
		t.Error(err)
	}
	if _, err := client.DeleteDashboards(t.Context(), &cloudwatch.DeleteDashboardsInput{DashboardNames: []string{"main-try"}}); err != nil {
		t.Error(err)
	}
}
