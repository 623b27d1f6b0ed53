package docs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/opennotify/notify/pkg/message"
)

// The table of the doubtful is the code's, and so are the channels with receipts.
func TestReliability(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("reliability.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range message.Classes() {
		row := "| " + string(c)
		for _, can := range [][2]bool{{true, false}, {false, true}, {false, false}} {
			p, _ := message.DoubtOf(c, can[0], can[1])
			row += fmt.Sprintf(" | %s", p)
		}
		if !strings.Contains(string(b), row+" |\n") {
			t.Errorf("this row is missing: %s |", row)
		}
	}
	names := map[bool][]string{}
	for _, ch := range message.Channels() {
		names[ch.Receipts] = append(names[ch.Receipts], string(ch.Channel))
	}
	_, list, _ := strings.Cut(string(b), "receipts are usual on ")
	with, rest, _ := strings.Cut(list, ", and there are none on ")
	without, _, _ := strings.Cut(rest, ".")
	for receipts, text := range map[bool]string{true: with, false: without} {
		if got := strings.Split(strings.ReplaceAll(text, " and ", ", "), ", "); !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(names[receipts]))) {
			t.Errorf("receipts %v: it lists %v, the table has %v", receipts, got, names[receipts])
		}
	}
}

// Every test that the page names is in the tree, and every window and promise has one. Every fault that is planted is
// named, and every promise of the oracle.
func TestReliabilityNamesItsTests(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("reliability.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	named := regexp.MustCompile("`([a-z0-9/-]+):(Test[A-Za-z0-9]+)`")
	for _, m := range named.FindAllStringSubmatch(page, -1) {
		files, err := filepath.Glob(filepath.Join("..", m[1], "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(files, func(name string) bool {
			text, err := os.ReadFile(name)
			return err == nil && strings.Contains(string(text), "\nfunc "+m[2]+"(t *testing.T)")
		}) {
			t.Errorf("%s has no %s", m[1], m[2])
		}
	}
	_, windows, _ := strings.Cut(page, "\n## What can go wrong between two steps\n")
	windows, promises, _ := strings.Cut(windows, "\n## The promises")
	for n := range 32 {
		if !regexp.MustCompile(fmt.Sprintf("\\n\\| %d \\|.*`", n+1)).MatchString(windows) {
			t.Errorf("window %d is missing, or its test", n+1)
		}
	}
	for n := range 20 {
		if !strings.Contains(promises, fmt.Sprintf("\n| %d |", n+1)) {
			t.Errorf("promise %d is missing", n+1)
		}
	}
	names := map[string]string{} // of constants of pkg/sim
	for file, pattern := range map[string]string{"bug.go": `(Bug\w+) +Bug += "(.*)"`, "oracle.go": `(\w+) +Invariant += "(.*?)"`} {
		all := regexp.MustCompile(pattern).FindAllStringSubmatch(sim(t, file), -1)
		if len(all) < 20 {
			t.Errorf("%s: %d names", file, len(all))
		}
		for _, m := range all {
			if names[m[1]] = m[2]; !strings.Contains(promises, m[2]) {
				t.Errorf("%q of pkg/sim/%s is not on the page", m[2], file)
			}
		}
	}
	// And each fault stands beside the promise by which its test has it found.
	planted := regexp.MustCompile(`\{sim\.(Bug\w+), sim\.(\w+), \d+\}`).FindAllStringSubmatch(sim(t, "bugs_test.go"), -1)
	if len(planted) < 20 {
		t.Errorf("%d faults have a test", len(planted))
	}
	for _, m := range planted {
		bug, promise := regexp.QuoteMeta(names[m[1]]), regexp.QuoteMeta(names[m[2]])
		if !regexp.MustCompile(`\n\|[^|\n]*\|[^|\n]*\|[^|\n]*\b` + promise + `\b[^|\n]*\|[^|\n]*` + bug + `[^|\n]*\|`).MatchString(promises) {
			t.Errorf("%q does not stand beside %q", names[m[1]], names[m[2]])
		}
	}
}

// sim reads a file of the simulation.
func sim(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "pkg", "sim", file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
