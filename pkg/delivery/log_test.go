package delivery_test

import (
	"strings"
	"testing"

	"github.com/opennotify/notify/pkg/message"
)

// An attempt's line can be joined with the request's by its id and by the caller's trace, and says nothing personal.
func TestAttemptIsLogged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.hint(w.accept(message.OTP, func(m *message.Message) {
		m.Request, m.Trace = "req_1", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	}))
	w.deliver()
	line := w.logs.String()
	for _, want := range []string{"msg=attempt", "tenant=shop", "channel=sms", "account=a1", "epoch=1", "outcome=sent", "request_id=req_1", "trace=4bf92f3577b34da6a3ce929d0e0e4736"} {
		if !strings.Contains(line, want) {
			t.Errorf("no %s in %s", want, line)
		}
	}
	if strings.Contains(line, "138") {
		t.Errorf("the address is in %s", line)
	}
}
