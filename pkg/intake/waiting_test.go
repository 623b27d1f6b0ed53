package intake_test

import (
	"testing"

	"github.com/opennotify/notify/pkg/intake"
	"github.com/opennotify/notify/pkg/intake/intaketest"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// A request for a fallback may be cut off anywhere: if its first way is there to be sent, then so are those
// that wait for it. It may end before the request is repeated, and tells its siblings once.
func TestFirstWayIsWrittenLast(t *testing.T) {
	t.Parallel()
	for crash, over := 0, false; !over; crash++ {
		w := intaketest.New(t)
		routes(w)
		d := &dying{Driver: w.DB, left: -1}
		in := w.Over(w.Open(d), w.Queue)
		d.left = crash
		ways := way(map[message.Channel]string{message.SMS: anna, message.Email: "a@example.com", message.Feishu: "anna"})
		request := func() *intake.Request { return hello("", ways, keyed("k")) }
		_, err := in.Send(t.Context(), intaketest.Shop, request())
		over = err == nil
		_, g, err := w.Store.ByKey(t.Context(), intaketest.Shop, w.Time(), "shop", &store.KeyClaim{Key: "k", Hash: request().Hash})
		if err != nil {
			continue
		}
		records, _, err := w.Store.Messages(t.Context(), tenant.System("test"), g.IDs...)
		if err != nil {
			t.Fatal(err)
		}
		if first := records[0]; first != nil && !first.Hold && (records[1] == nil || records[2] == nil) {
			t.Errorf("after %d elements the first way is there and %v, %v", crash, records[1], records[2])
		}
	}
}
