package docs_test

import (
	"fmt"
	"os"
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
