package alarm

import "time"

// Alarm is a rule that holds now.
type Alarm struct {
	Rule
	Channel string
	At      float64 // the newest value beyond the threshold
}

// Lookback is for how long counts are needed.
func Lookback() time.Duration {
	var most time.Duration
	for _, r := range Rules() {
		most = max(most, r.Period*time.Duration(r.Of))
	}
	return most
}

// Judge looks at a channel: minutes are its counts, one for each minute up to now, the newest last.
func Judge(channel string, minutes []Counts) (open []Alarm) {
	for _, r := range Rules() {
		if a, ok := r.judge(minutes); ok {
			a.Channel = channel
			open = append(open, a)
		}
	}
	return open
}

func (r Rule) judge(minutes []Counts) (Alarm, bool) {
	beyond, found := 0, Alarm{Rule: r}
	long := int(r.Period / time.Minute)
	for i := range r.Of {
		end := len(minutes) - (r.Of-1-i)*long
		sum := Counts{}
		for _, m := range minutes[max(0, end-long):max(0, end)] {
			for name, n := range m {
				sum[name] += n
			}
		}
		if v := r.Value(sum); r.Beyond(v) {
			beyond++
			found.At = v
		}
	}
	return found, beyond >= r.Least
}

// Beyond tells whether a point's value is.
func (r Rule) Beyond(v float64) bool {
	if r.Below {
		return v < r.Threshold
	}
	return v >= r.Threshold
}
