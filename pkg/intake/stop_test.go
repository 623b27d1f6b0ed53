package intake_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/intake"
	"github.com/opennotify/notify/pkg/intake/intaketest"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store/storetest"
)

// A call of Stop ends in time, though the store is slow and what is due is another's; the next one goes on where it
// stopped, and the last comes to the end.
func TestStopEndsInTime(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	for i := range 20 {
		var list []string
		for j := range 50 {
			list = append(list, fmt.Sprintf("+86138001%05d", i*50+j))
		}
		send(t, w.Intake, intaketest.Shop, hello("", to(list...)))
	}
	late := send(t, w.Intake, intaketest.Bank, hello("", tmpl("notice"), to(anna, berta), at(time.Hour))).Verdicts
	slow := storetest.Faults(w.DB, func(call string) (f storetest.Fault) {
		if call == "Query" {
			w.Advance(6 * time.Second)
		}
		return f
	})
	in := w.Over(w.Open(slow), w.Queue)
	for _, dry := range []bool{true, false} {
		f, calls, sum := intake.StopFilter{Template: "notice"}, 0, intake.Stopped{}
		for more := true; more; calls++ {
			began := w.Now()
			n, err := in.Stop(t.Context(), intaketest.Bank, f, dry, "wrong price")
			if err != nil || n.More != (n.Next != "") || strings.Contains(n.Next, "msg_") {
				t.Fatalf("%+v, %v", n, err)
			}
			if took := w.Now().Sub(began); took > 15*time.Second {
				t.Errorf("a call took %s", took)
			}
			sum.Matched, sum.Cancelled = sum.Matched+n.Matched, sum.Cancelled+n.Cancelled
			f.After, more = n.Next, n.More
		}
		want := intake.Stopped{Matched: len(late)}
		if !dry {
			want.Cancelled = len(late)
		}
		if diff := cmp.Diff(want, sum); diff != "" || calls < 3 {
			t.Errorf("dry %v: %d calls\n%s", dry, calls, diff)
		}
	}
	for _, after := range []string{"x", "!", strings.Repeat("A", 100)} {
		_, err := in.Stop(t.Context(), intaketest.Bank, intake.StopFilter{Template: "notice", After: after}, true, "")
		refused(t, err, "/after", problem.BadValue)
	}
	_, err := in.Stop(t.Context(), intaketest.Root, intake.StopFilter{After: "x"}, true, "") // a place narrows nothing
	refused(t, err, "", problem.Required)
}
