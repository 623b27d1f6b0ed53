package queue

import (
	"testing"

	"github.com/opennotify/notify/pkg/message"
)

func TestDLQ(t *testing.T) {
	t.Parallel()
	for name, want := range map[Name]Name{
		Lane(message.SMS, "urgent"):  DLQ(message.SMS),
		Lane("a-new-one", "bulk"):    "other-dlq",
		Control:                      "control-dlq",
		Receipts:                     "receipts-dlq",
		DLQ(message.Email):           "",
		"two-words-normal":           "two-words-dlq",
		DLQ(message.Channel("what")): "",
	} {
		if got := name.DLQ(); got != want {
			t.Errorf("DLQ of %q: %q, want %q", name, got, want)
		}
	}
}
