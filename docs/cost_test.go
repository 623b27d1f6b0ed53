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
func figures() map[string]string {
	return map[string]string{"metrics": metrics()}
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
	for mark, figures := range figures() {
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
