package docs_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/cost"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/telemetry"
)

// byDefault are the channels that are on when nobody says otherwise, but `other`, which is silent until a recipe uses it.
var byDefault = []message.Channel{message.SMS, message.Email, message.Webhook}

// figures are the parts of cost.md that are computed, by their mark.
func figures(t *testing.T) map[string]string {
	return map[string]string{"metrics": metrics(), "bill": bills(), "kinds": kinds(), "idle": idle(t)}
}

// bills is that of the plainest message, line by line.
func bills() string {
	var b strings.Builder
	b.WriteString("| what | a message | $ a million |\n|---|---|---|\n")
	lines := cost.Bill(cost.Kinds()[0])
	for _, l := range lines {
		fmt.Fprintf(&b, "| %s | %s | %.2f |\n", l.What, l.Of, l.Dollars)
	}
	fmt.Fprintf(&b, "| **in all** | | **%.2f** |\n", cost.Total(lines))
	return b.String()
}

func kinds() string {
	var b strings.Builder
	b.WriteString("| kind | store calls | write units | read units | sends | $ a million |\n|---|---|---|---|---|---|\n")
	for _, k := range cost.Kinds() {
		fmt.Fprintf(&b, "| `%s`: %s | %d + %d | %g + %g | %g + %g | %d | %.2f |\n", k.Name, k.Title, k.Accept.Store, k.Deliver.Store,
			k.Accept.Writes, k.Deliver.Writes, k.Accept.Reads, k.Deliver.Reads, k.Accept.Queue, cost.Total(cost.Bill(k)))
	}
	return b.String()
}

// idle is the stack that `make deploy` makes: three channels and other, with three lanes each, control and receipts;
// each metric of an alarm is a MetricName in the templates.
func idle(t *testing.T) string {
	t.Helper()
	count := func(path, what string) int {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(text), what)
	}
	const metric, composite = "MetricName:", "AWS::CloudWatch::CompositeAlarm"
	channels := len(byDefault) + 1
	s := cost.Stack{Queues: 3*channels + 2, Secrets: 3, Metrics: 2*len(byDefault) + 1, // sent and limit_used_ratio, and swept
		AlarmMetrics: channels*count("../deploy/alarms.yaml", metric) + count("../deploy/overall.yaml", metric),
		Composites:   channels*count("../deploy/alarms.yaml", composite) + count("../deploy/overall.yaml", composite)}
	var b strings.Builder
	b.WriteString("| what | how much | $ a month |\n|---|---|---|\n")
	lines := cost.Idle(s)
	for _, l := range lines {
		fmt.Fprintf(&b, "| %s | %s | %.2f |\n", l.What, l.Of, l.Dollars)
	}
	fmt.Fprintf(&b, "| **in all** | | **%.2f** |\n", cost.Total(lines))
	each := cost.Idle(cost.Stack{Queues: 3, AlarmMetrics: count("../deploy/alarms.yaml", metric), Composites: 1})
	fmt.Fprintf(&b, "| each further channel | 3 queues, its alarms | %.2f |\n", each[0].Dollars+each[1].Dollars)
	return b.String()
}

func metrics() string {
	var b strings.Builder
	total := len(telemetry.Published())
	b.WriteString("| channels | metrics | $ a month |\n|---|---|---|\n")
	for i, c := range byDefault {
		n := len(telemetry.Published(byDefault[:i+1]...))
		fmt.Fprintf(&b, "| %s%s | %d | %.2f |\n", strings.Repeat("… and ", min(i, 1)), c, n, cost.Metrics(n))
	}
	one := len(telemetry.Published(message.Push)) - total
	fmt.Fprintf(&b, "| each further channel | %d | %.2f |\n", one, cost.Metrics(one))
	return b.String()
}

// The figures of cost.md are those that the code makes; go test ./docs -run TestCost -update writes them again.
func TestCost(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("cost.md")
	if err != nil {
		t.Fatal(err)
	}
	got := string(text)
	for mark, figures := range figures(t) {
		begin, end := "<!-- "+mark+" -->\n", "<!-- /"+mark+" -->"
		before, rest, ok := strings.Cut(got, begin)
		_, after, closed := strings.Cut(rest, end)
		if !ok || !closed {
			t.Fatalf("cost.md has no place for the figures of %s, between %s and %s", mark, begin, end)
		}
		got = before + begin + figures + end + after
	}
	if *update {
		if err := os.WriteFile("cost.md", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if diff := cmp.Diff(string(text), got); diff != "" {
		t.Errorf("cost.md (-is +should be; go test ./docs -run TestCost -update writes it again):\n%s", diff)
	}
	if n := len(telemetry.Published(byDefault...)); cost.Metrics(n) > 25 {
		t.Errorf("%d metrics cost %.2f $ a month", n, cost.Metrics(n))
	}
}
