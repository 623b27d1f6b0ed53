package timer

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/timer/cron"
)

// FieldError is a field of a schedule that cannot be, and what to do about it.
type FieldError struct {
	Field   string // in lower case: name, at, every, cron, zone, start, end, queue, payload
	Problem string
}

// Error names the field and the problem.
func (e *FieldError) Error() string { return "timer: " + e.Field + ": " + e.Problem }

// Plan is when a valid schedule fires, if it is not paused.
type Plan struct {
	at         time.Time
	every      time.Duration
	cron       *cron.Schedule
	zone       *time.Location
	start, end time.Time
}

// Plan checks the schedule: every timer accepts the same ones. The error joins a *FieldError for each field
// that is wrong.
func (s Schedule) Plan() (Plan, error) {
	var errs []error
	wrong := func(field, format string, args ...any) {
		errs = append(errs, &FieldError{field, fmt.Sprintf(format, args...)})
	}
	p := Plan{at: s.At.Round(0), every: s.Every, start: s.Start.Round(0), end: s.End.Round(0), zone: time.UTC}
	if !isName(s.Name) {
		wrong("name", "%.70q is not a name: use 1 to 64 letters, digits, - _ .", s.Name)
	}
	switch kinds := s.kinds(); {
	case len(kinds) == 0:
		wrong("at", "nothing says when: set one of at, every and cron")
	case len(kinds) > 1:
		wrong(kinds[1], "%s are set: set one of them", strings.Join(kinds, " and "))
	case s.At.IsZero():
	case !s.Start.IsZero():
		wrong("start", "at fires once: a start is only for every and cron")
	case !s.End.IsZero():
		wrong("end", "at fires once: an end is only for every and cron")
	}
	if s.Every != 0 && (s.Every < time.Minute || s.Every%time.Minute != 0) {
		wrong("every", "%v is not a period: use whole minutes, from 1 min", s.Every)
	}
	if s.Cron != "" {
		c, err := cron.Parse(s.Cron)
		if err != nil {
			wrong("cron", "%v", err)
		}
		p.cron = &c
	}
	if s.Zone != "" {
		zone, err := time.LoadLocation(s.Zone)
		if err != nil || s.Zone == "Local" {
			wrong("zone", "%.70q is not an IANA time zone: use one as Asia/Shanghai, or none for UTC", s.Zone)
		}
		p.zone = zone
	}
	if !s.Start.IsZero() && !s.End.IsZero() && s.End.Before(s.Start) {
		wrong("end", "it is before start")
	}
	if s.Queue == "" {
		wrong("queue", "it is missing")
	}
	if err := (queue.Item{Body: s.Body(time.Unix(0, 0))}).Check(); err != nil {
		wrong("payload", "%v", err)
	}
	if len(errs) > 0 {
		return Plan{}, errors.Join(errs...)
	}
	return p, nil
}

// kinds names which of at, every and cron are set.
func (s Schedule) kinds() (set []string) {
	if !s.At.IsZero() {
		set = append(set, "at")
	}
	if s.Every != 0 {
		set = append(set, "every")
	}
	if s.Cron != "" {
		set = append(set, "cron")
	}
	return set
}

func isName(s string) bool {
	for _, c := range s {
		if !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.", c) {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// Body is the payload for an instant.
func (s Schedule) Body(due time.Time) []byte {
	return bytes.ReplaceAll(s.Payload, []byte(Due), due.UTC().AppendFormat(nil, time.RFC3339))
}

// Next is the first instant after another that the schedule fires for, in UTC; the zero time when there is
// none. Called again with what it returned it shows the next runs. A period without a start is counted from
// 1970, so that a restart does not move it.
func (p Plan) Next(after time.Time) time.Time {
	var next time.Time
	switch {
	case !p.at.IsZero():
		if p.at.After(after) {
			next = p.at
		}
	case p.every > 0:
		first := p.start
		if first.IsZero() {
			first = time.Unix(0, 0)
		}
		next = first
		if !first.After(after) {
			next = first.Add((after.Sub(first)/p.every + 1) * p.every)
		}
	case p.cron != nil:
		if before := p.start.Add(-1); after.Before(before) {
			after = before
		}
		next = p.cron.Next(after, p.zone)
	}
	if next.IsZero() || !p.end.IsZero() && next.After(p.end) {
		return time.Time{}
	}
	return next.UTC()
}
