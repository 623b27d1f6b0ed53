package message_test

import (
	"errors"
	"testing"

	m "github.com/opennotify/notify/pkg/message"
)

// A job tries a message once, though its page slept with the record of before; somebody else may try it again.
func TestJobRedrivesOnce(t *testing.T) {
	t.Parallel()
	r := m.New(m.Message{ID: "msg_1", Channel: m.SMS, Class: m.OTP, Expires: 1e12}, 1000)
	for i, c := range []struct {
		e    m.Redrive
		goes bool
	}{
		{m.Redrive{By: "ann", Why: "rdr_1: it works again", Job: "rdr_1"}, true},
		{m.Redrive{By: "ann", Why: "rdr_1: it works again", Job: "rdr_1"}, false},
		{m.Redrive{By: "bob", Why: "rdr_2: now", Job: "rdr_2"}, true},
		{m.Redrive{By: "bob", Why: "by hand"}, true},
	} {
		dead, err := r.Apply(m.Poison{Why: "test"}, 2000)
		if err != nil {
			t.Fatal(err)
		}
		next, err := dead.Apply(c.e, 3000)
		if goes := err == nil; goes != c.goes || !goes && !errors.As(err, new(*m.Refused)) {
			t.Errorf("%d: %v", i, err)
		}
		if err == nil {
			r = next
		}
	}
}
