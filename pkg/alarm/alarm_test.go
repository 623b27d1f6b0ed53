package alarm_test

import (
	"slices"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/alarm"
)

// minutes is a calm past of so many minutes, and then some.
func minutes(n int, last ...alarm.Counts) []alarm.Counts {
	out := make([]alarm.Counts, n, n+len(last))
	for i := range out {
		out[i] = alarm.Counts{"sent": 100, "called": 100, "tracked": 100, "delivered": 99}
	}
	return append(out, last...)
}

func TestJudge(t *testing.T) {
	t.Parallel()
	bad, good := alarm.Counts{"sent": 90, "failed": 6, "dead": 4, "delivered": 90, "tracked": 90}, minutes(1)[0]
	for _, tc := range []struct {
		name string
		of   []alarm.Counts
		want []string
	}{
		{"nothing", nil, nil},
		{"calm", minutes(40), nil},
		{"one bad minute", minutes(40, bad), nil},
		{"two", minutes(40, bad, bad), nil},
		{"three of five", minutes(40, bad, good, bad, good, bad), []string{"failure-rate"}},
		{"three, and then two good ones", minutes(40, bad, bad, bad, good, good), []string{"failure-rate"}},
		{"it is over", minutes(40, bad, bad, bad, good, good, good), nil},
		{"too few to tell", slices.Repeat([]alarm.Counts{{"failed": 49}}, 40), nil},
		{"one account's fault", minutes(40, alarm.Counts{"sent": 100, "delivered": 100, "account_fault": 1}, good, good), []string{"account-fault"}},
		{"five minutes ago", minutes(40, alarm.Counts{"account_fault": 1}, good, good, good, good, good), nil},
		{"no receipts", slices.Repeat([]alarm.Counts{{"sent": 100, "tracked": 100}}, 30), []string{"receipts-missing"}},
		{"no receipts for a quarter of an hour", append(minutes(15), slices.Repeat([]alarm.Counts{{"sent": 100, "tracked": 100}}, 15)...), nil},
		{"much is in doubt", minutes(40, slices.Repeat([]alarm.Counts{{"in_doubt": 2, "delivered": 50}}, 10)...), []string{"in-doubt"}},
		{"nobody at work", minutes(40, alarm.Counts{"stuck": 3}), []string{"stuck"}},
	} {
		var got []string
		for _, a := range alarm.Judge("sms", tc.of) {
			got = append(got, a.Name)
			if a.Channel != "sms" || a.Title[0] == "" || a.Title[1] == "" || !a.Beyond(a.At) {
				t.Errorf("%s: %+v", tc.name, a)
			}
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
	if alarm.Lookback() != 30*time.Minute {
		t.Error(alarm.Lookback())
	}
}
