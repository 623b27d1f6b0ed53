package receipt_test

import (
	"testing"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/store/memory"
)

// A provider that names the message and not the attempt, and one of two answers is lost, or both: what it says of
// one is never taken for news of the other. So a delivery stays one, whatever else is said, in any order; and
// once an answer tells which is which, each attempt has its own receipts.
func TestReceiptsWithoutAttempt(t *testing.T) {
	t.Parallel()
	const first, second, answer = 0, 1, 2
	states := []message.ReceiptState{message.ReceiptSent, message.ReceiptDelivered, message.ReceiptUndelivered, message.ReceiptBounced}
	for _, order := range [][]int{{first, second, answer}, {first, answer, second}, {second, first, answer}, {second, answer, first}, {answer, first, second}, {answer, second, first}} {
		for _, of1 := range states {
			for _, of2 := range states {
				for _, lost := range []bool{false, true} {
					w := worldOver(t, memory.New())
					w.accounts["a"] = provider.Descriptor{Receipts: true}
					r := w.update(w.send("a"), message.Finish{Epoch: 1, Result: message.Result{Outcome: message.Unknown}, Next: start, Doubt: message.Resend})
					r = w.update(r, message.Lease{Account: "a", Provider: "of-a", Until: start.Add(message.Grace)})
					delivered := false
					for _, what := range order {
						switch {
						case what == first:
							w.handle("a", provider.Receipt{ID: r.ID, ProviderID: "p1", State: of1})
							delivered = delivered || of1 == message.ReceiptDelivered
						case what == second:
							w.handle("a", provider.Receipt{ID: r.ID, ProviderID: "p2", State: of2})
							delivered = delivered || of2 == message.ReceiptDelivered
						case !lost:
							w.finish(w.record(r.ID), message.Accepted, "p2")
						}
						if now := w.record(r.ID); delivered != (now.Status == message.Delivered) {
							t.Fatalf("%v: %v and %v, lost %v: %s: %+v", order, of1, of2, lost, now.Status, now.Attempts)
						}
					}
					as := w.record(r.ID).Attempts
					if lost {
						if n := len(as[0].Receipts) + len(as[1].Receipts); n != 2 {
							t.Fatalf("%v: %d receipts: %+v", order, n, as)
						}
						continue
					}
					for i, want := range []message.ReceiptState{of1, of2} {
						if len(as[i].Receipts) != 1 || as[i].Receipts[0].State != want || as[1].Receipts[0].Of != "" {
							t.Fatalf("%v: %v and %v: attempt %d has %+v", order, of1, of2, i+1, as)
						}
					}
				}
			}
		}
	}
}
