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
		out[i] = alarm.Counts{"sent": 100, "called": 100, "tracked": 100, "delivered": 99, "limit_used_ratio": 0.3, "queue_age/urgent": 2, "queue_age/normal": 30, "queue_age/bulk": 600}
	}
	return append(out, last...)
}

// monday is in the business hours of China.
var monday = time.Date(2026, 11, 30, 4, 0, 30, 0, time.UTC)

func names(t *testing.T, open []alarm.Alarm, channel string) (out []string) {
	t.Helper()
	for _, a := range open {
		out = append(out, a.Name)
		if a.Channel != channel || a.Title[0] == "" || a.Title[1] == "" || !a.Beyond(a.At) {
			t.Errorf("%+v", a)
		}
	}
	return out
}

func TestJudge(t *testing.T) {
	t.Parallel()
	bad, good := alarm.Counts{"sent": 90, "failed": 6, "dead": 4, "delivered": 90, "tracked": 90}, minutes(1)[0]
	full, slow, late := alarm.Counts{"limit_used_ratio": 0.8}, alarm.Counts{"queue_age/urgent": 10}, alarm.Counts{"queue_age/urgent": 60}
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
		{"a full minute", minutes(40, full, full), nil},
		{"a limit is used", minutes(40, full, good, full, good, full), []string{"limit-used"}},
		{"and no more", minutes(40, full, full, full, good, good, good), nil},
		{"codes wait", minutes(40, slow, slow, slow, slow), []string{"urgent-slow"}},
		{"codes waited", minutes(40, slow, slow, slow, slow, good, good), nil},
		{"a code waits long", minutes(40, late), nil},
		{"codes wait long", minutes(40, late, late), []string{"urgent-late"}},
		{"messages wait", minutes(40, slices.Repeat([]alarm.Counts{{"queue_age/normal": 900}}, 3)...), []string{"normal-late"}},
		{"a campaign waits", minutes(40, slices.Repeat([]alarm.Counts{{"queue_age/bulk": 10800}}, 11)...), []string{"bulk-late"}},
		{"a campaign waits for a while", minutes(40, slices.Repeat([]alarm.Counts{{"queue_age/bulk": 10800}}, 10)...), nil},
		{"ages do not add up", minutes(40, slices.Repeat([]alarm.Counts{{"queue_age/bulk": 9000}}, 20)...), nil},
		{"one is dead", minutes(40, alarm.Counts{"dead_letters": 1}), []string{"dead-letters"}},
		{"one was dead", minutes(40, alarm.Counts{"dead_letters": 1}, good), nil},
		{"for a week", minutes(40, alarm.Counts{"dead_letters": 1, "dead_age": 7 * 86400}), []string{"dead-letters", "dead-letters-old"}},
		{"of the whole", minutes(40, slices.Repeat([]alarm.Counts{{"queue_age/control": 900, "queue_age/receipts": 900, "dead_letters/control": 1, "dead_letters/receipts": 1}}, 5)...), nil},
	} {
		open := alarm.Judge(alarm.Rules(alarm.Options{}), alarm.Series{Channel: "sms", Minutes: tc.of, Now: monday})
		if got := names(t, open, "sms"); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
	if got := alarm.Lookback(alarm.Rules(alarm.Options{})); got != 30*time.Minute {
		t.Error(got)
	}
}

// What belongs to no channel has rules of its own.
func TestWhole(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		last alarm.Counts
		want []string
	}{
		{"calm", alarm.Counts{"queue_age/control": 100, "queue_age/receipts": 500}, nil},
		{"channels", alarm.Counts{"dead_letters": 1, "queue_age/urgent": 900}, nil},
		{"late", alarm.Counts{"queue_age/control": 180, "queue_age/receipts": 600}, []string{"control-late", "receipts-late"}},
		{"dead", alarm.Counts{"dead_letters/control": 1, "dead_letters/receipts": 1}, []string{"control-dead-letters", "receipts-dead-letters"}},
	} {
		open := alarm.Judge(alarm.Rules(alarm.Options{}), alarm.Series{Minutes: minutes(40, slices.Repeat([]alarm.Counts{tc.last}, 3)...), Now: monday})
		if got := names(t, open, ""); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
}

// Silence is a fault in business hours, where somebody has listened for long enough.
func TestSilence(t *testing.T) {
	t.Parallel()
	rules := alarm.Rules(alarm.Options{Silent: time.Hour, From: 1, To: 10, Canary: true})
	if got := alarm.Lookback(rules); got != time.Hour {
		t.Error(got)
	}
	quiet, one := make([]alarm.Counts, 60), append(make([]alarm.Counts, 59), alarm.Counts{"sent": 1, "canary_sent": 1})
	hour := func(h int) time.Time { return monday.Add(time.Duration(h-4) * time.Hour) }
	for _, tc := range []struct {
		name           string
		now, since     time.Time
		of             []alarm.Counts
		silent, canary bool
	}{
		{"nothing was sent", monday, time.Time{}, quiet, true, true},
		{"one was", monday, time.Time{}, one, false, false},
		{"in the first hour", hour(2), time.Time{}, quiet, true, true},
		{"in the last", hour(10).Add(-time.Minute), time.Time{}, quiet, true, true},
		{"early", hour(1), time.Time{}, quiet, false, true},
		{"half an hour of silence, half before business", hour(1).Add(30 * time.Minute), time.Time{}, quiet, false, true},
		{"half an hour of silence, half after business", hour(10).Add(30 * time.Minute), time.Time{}, quiet, false, true},
		{"late", hour(11), time.Time{}, quiet, false, true},
		{"on Sunday", monday.Add(-24 * time.Hour), time.Time{}, quiet, false, true},
		{"on Saturday", monday.Add(-48 * time.Hour), time.Time{}, quiet, false, true},
		{"it has just started", monday, monday.Add(-10 * time.Minute), quiet, false, false},
		{"it started a while ago", monday, monday.Add(-20 * time.Minute), quiet, false, true},
	} {
		for channel, want := range map[string][]string{"sms": {"silent"}, "": {"canary-missing"}} {
			if channel == "" && !tc.canary || channel != "" && !tc.silent {
				want = nil
			}
			open := alarm.Judge(rules, alarm.Series{Channel: channel, Minutes: tc.of, Now: tc.now, Since: tc.since})
			if got := names(t, open, channel); !slices.Equal(got, want) {
				t.Errorf("%s, %q: %v, want %v", tc.name, channel, got, want)
			}
		}
	}
}

// Who works around the clock is told of silence over midnight, but not into the weekend.
func TestSilenceAroundTheClock(t *testing.T) {
	t.Parallel()
	rules := alarm.Rules(alarm.Options{Silent: 2 * time.Hour, From: 0, To: 24})
	midnight := monday.Truncate(24 * time.Hour)
	for day, want := range map[int]bool{0: false, 1: true, 2: true, 3: true, 4: true, 5: false, 6: false} {
		now := midnight.AddDate(0, 0, day).Add(30 * time.Minute)
		if open := alarm.Judge(rules, alarm.Series{Channel: "sms", Minutes: make([]alarm.Counts, 120), Now: now}); len(open) == 1 != want {
			t.Errorf("at the beginning of %s: %v", now.Weekday(), open)
		}
	}
}
