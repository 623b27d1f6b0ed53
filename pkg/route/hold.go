package route

import (
	"fmt"
	"time"

	"github.com/opennotify/notify/pkg/message"
)

// Mode says what becomes of a message that a rule holds back.
type Mode string

// The modes.
const (
	Hold Mode = "hold" // it waits until the rule lets it go; one that would be too late then expires
	Drop Mode = "drop" // it ends as suppressed, with the rule as its reason
)

// ValidMode tells whether m is one of them.
func ValidMode(m Mode) bool { return m == Hold || m == Drop }

// Quiet is hours in which recipients are left alone. They are for classes that have QuietHours, which
// marketing has; a route that names another class is for that one too.
type Quiet struct {
	From string `json:"from"` // 22:00; the hours may pass midnight
	To   string `json:"to"`   // 08:00, the first minute that is not quiet
	// Zone is whose hours they are, as Asia/Shanghai, for recipients whose own is not known.
	Zone string `json:"zone"`
	Mode Mode   `json:"mode"`
}

// Silence stops all that a route matches until its end.
type Silence struct {
	Until message.Time `json:"until"`
	Mode  Mode         `json:"mode"`
	Why   string       `json:"why"` // for those who ask where their messages are
}

// Cap is how many messages of a route one recipient gets within a time.
type Cap struct {
	Messages int  `json:"messages"`
	Seconds  int  `json:"seconds"`
	Mode     Mode `json:"mode"`
}

// Verdict is what the rules say of a message at an instant: held until, or dropped.
type Verdict struct {
	Until message.Time // 0 with Drop
	Drop  bool
	Why   string // the reason as a code: silenced, quiet_hours
	Route string
}

// The reasons, as codes.
const (
	Silenced   = "silenced"
	QuietHours = "quiet_hours"
	Capped     = "capped"
)

// Holds tells whether a rule holds a message back at now. Every silence that matches counts; of quiet
// hours those of the route that says most.
func Holds(routes []Route, s Subject, now message.Time) (Verdict, bool) {
	out, held := Verdict{}, false
	for _, r := range routes {
		if r.Silence == nil || now >= r.Silence.Until || r.Match.score(s) < 0 {
			continue
		}
		v := Verdict{Until: r.Silence.Until, Why: Silenced, Route: r.Name}
		if r.Silence.Mode == Drop {
			return Verdict{Drop: true, Why: Silenced, Route: r.Name}, true
		}
		if !held || v.Until > out.Until || v.Until == out.Until && v.Route < out.Route {
			out, held = v, true
		}
	}
	if held {
		return out, true
	}
	r, ok := best(routes, s, func(r Route) bool {
		return r.Quiet != nil && (r.Match.Class != "" || s.Class.Defaults().QuietHours)
	})
	if !ok {
		return out, false
	}
	until, quiet := r.Quiet.until(s.Region, now)
	switch {
	case !quiet:
		return out, false
	case r.Quiet.Mode == Drop:
		return Verdict{Drop: true, Why: QuietHours, Route: r.Name}, true
	}
	return Verdict{Until: until, Why: QuietHours, Route: r.Name}, true
}

// CapOf is the cap that counts for a message: that of the route that says most. False without one.
func CapOf(routes []Route, s Subject) (Cap, string, bool) {
	r, ok := best(routes, s, func(r Route) bool { return r.Cap != nil })
	if !ok {
		return Cap{}, "", false
	}
	return *r.Cap, r.Name, true
}

// until is the end of the quiet hours that now lies in. Hours are those of the recipient's wall clock: a
// change of the clock inside them makes them shorter or longer, as it does the night.
func (q Quiet) until(region string, now message.Time) (message.Time, bool) {
	from, err := minute(q.From)
	if err != nil {
		return 0, false
	}
	to, err := minute(q.To)
	if err != nil || from == to {
		return 0, false
	}
	zone := q.zone(region)
	local := now.Std().In(zone)
	at := local.Hour()*60 + local.Minute()
	day := 0
	switch {
	case from < to && at >= from && at < to:
	case from > to && at >= from:
		day = 1
	case from > to && at < to:
	default:
		return 0, false
	}
	end := time.Date(local.Year(), local.Month(), local.Day()+day, to/60, to%60, 0, 0, zone)
	const wholeDay = 24 * 60
	if late := (to - end.Hour()*60 - end.Minute() + wholeDay) % wholeDay; late < wholeDay/2 { // the clock skips that minute
		end = end.Add(time.Duration(late) * time.Minute)
	}
	if !end.After(local) { // the clock was set back behind that minute, and shows it again
		end = local.Truncate(time.Minute).Add(time.Duration(to-at) * time.Minute)
	}
	return message.At(end), true
}

func (q Quiet) zone(region string) *time.Location {
	for _, name := range []string{Zone(region), q.Zone} {
		if z, err := time.LoadLocation(name); err == nil && name != "" {
			return z
		}
	}
	return time.UTC
}

// minute reads 22:00 as the minute of the day.
func minute(s string) (int, error) {
	t, err := time.Parse("15:04", s)
	if err != nil || len(s) != len("15:04") {
		return 0, fmt.Errorf("route: %q is no time of day as 22:00", s)
	}
	return t.Hour()*60 + t.Minute(), nil
}

// ValidMinute tells whether s is a time of day as 22:00.
func ValidMinute(s string) bool { _, err := minute(s); return err == nil }
