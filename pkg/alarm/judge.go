package alarm

import "time"

// Alarm is a rule that holds now.
type Alarm struct {
	Rule
	Channel string  // "" is notify as a whole
	At      float64 // the newest value beyond the threshold
}

// Series is what is known of a channel, or of notify as a whole.
type Series struct {
	Channel string // "" is the whole
	// Minutes are its counts, one for each minute up to now, the newest last: that minute may still run.
	Minutes []Counts
	// Now is in the newest minute.
	Now time.Time
	// Since is from when on the lack of counts means that there was nothing: before, nobody looked.
	Since time.Time
}

// Lookback is for how long counts are needed.
func Lookback(rules []Rule) time.Duration {
	var most time.Duration
	for _, r := range rules {
		most = max(most, r.Period*time.Duration(r.Of))
	}
	return most
}

// Judge tells which rules hold now.
func Judge(rules []Rule, s Series) (open []Alarm) {
	for _, r := range rules {
		if r.Whole != (s.Channel == "") {
			continue
		}
		if a, ok := r.judge(s); ok {
			open = append(open, a)
		}
	}
	return open
}

func (r Rule) judge(s Series) (Alarm, bool) {
	beyond, found := 0, Alarm{Rule: r, Channel: s.Channel}
	long, next := int(r.Period/time.Minute), s.Now.Truncate(time.Minute).Add(time.Minute)
	for i := range r.Of {
		back := (r.Of - 1 - i) * long
		end := len(s.Minutes) - back
		ended := next.Add(-time.Duration(back) * time.Minute)
		began := ended.Add(-time.Duration(long) * time.Minute)
		if r.Silence && began.Before(s.Since) || r.When != nil && !r.When(began, ended) {
			continue
		}
		if v := r.Value(r.point(s.Minutes[max(0, end-long):max(0, end)])); r.Beyond(v) {
			beyond++
			found.At = v
		}
	}
	return found, beyond >= r.Least
}

// point is the counts of some minutes together.
func (r Rule) point(minutes []Counts) Counts {
	sum := Counts{}
	for _, m := range minutes {
		for name, n := range m {
			if r.Gauge {
				sum[name] = max(sum[name], n)
			} else {
				sum[name] += n
			}
		}
	}
	return sum
}

// Beyond tells whether a point's value is.
func (r Rule) Beyond(v float64) bool {
	if r.Below {
		return v < r.Threshold
	}
	return v >= r.Threshold
}
