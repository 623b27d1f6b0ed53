package campaign

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/timer"
)

// Schedule is a timed send: when, what, to whom.
type Schedule struct {
	Tenant string `json:"tenant"`
	Name   string `json:"name"`
	Title  string `json:"title,omitzero"`
	When
	Content
	Class    message.Class `json:"class"`
	Audience Audience      `json:"audience"`
	// LateMinutes is how late a run may begin; 0 is an hour.
	LateMinutes int  `json:"late_minutes,omitzero"`
	Paused      bool `json:"paused,omitzero"`
	// External is one that somebody made with other tools: it is known by what it did.
	External bool   `json:"external,omitzero"`
	Owner    string `json:"owner,omitzero"`
	Live     bool   `json:"live,omitzero"`
	Key      string `json:"key,omitzero"`
	// Since is the version at which a schedule of this name was made: one that was deleted and made anew is another.
	Since int64 `json:"since,omitzero"`
}

// When says when a schedule is due: at one instant, every so many minutes, or as a cron expression says in
// its zone. See package timer.
type When struct {
	At    message.Time `json:"at,omitzero"`
	Every int          `json:"every_minutes,omitzero"`
	Cron  string       `json:"cron,omitzero"`
	Zone  string       `json:"zone,omitzero"`
	Start message.Time `json:"start,omitzero"`
	End   message.Time `json:"end,omitzero"`
}

// KindFire is the control queue's kind of a schedule that is due.
const KindFire = "run"

// Fire is what the timer puts into the control queue.
type Fire struct {
	Kind     string `json:"kind"` // run
	Tenant   string `json:"tenant"`
	Schedule string `json:"schedule"`
	Due      string `json:"due"`
}

// timer is the schedule as timers have it. Its name tells its version, so that the timers that there are can
// be compared with the documents.
func (s *Schedule) timer(version int64) (timer.Schedule, error) {
	payload, err := json.Marshal(Fire{KindFire, s.Tenant, s.Name, timer.Due})
	if err != nil {
		return timer.Schedule{}, fmt.Errorf("campaign: the payload of a schedule: %w", err)
	}
	t := s.When.timer()
	t.Name, t.Queue, t.Payload = timerName(s.Tenant, s.Name, version), queue.Control, payload
	return t, nil
}

func (w *When) timer() timer.Schedule {
	return timer.Schedule{Name: "preview", At: w.At.Std(), Every: w.every(), Cron: w.Cron, Zone: w.Zone,
		Start: w.Start.Std(), End: w.End.Std(), Queue: queue.Control, Payload: []byte("{}")}
}

func (w *When) every() time.Duration { return time.Duration(w.Every) * time.Minute }

// maxTimerName is the length of a timer's name.
const maxTimerName = 64

func timerName(tenant, name string, version int64) string {
	whole := tenant + "." + name + "." + strconv.FormatInt(version, 10)
	if len(whole) <= maxTimerName {
		return whole
	}
	sum := sha256.Sum256([]byte(whole))
	return whole[:maxTimerName-25] + "." + hex.EncodeToString(sum[:12])
}

// latest is the last instant of a plan at or before another and after the horizon; the zero time when there
// is none.
func latest(p timer.Plan, at, horizon time.Time) (last time.Time) {
	for next := p.Next(horizon); !next.IsZero() && !next.After(at); next = p.Next(next) {
		last = next
	}
	return last
}

// zone is where the schedule's days begin and end.
func (w *When) zone() *time.Location {
	if loc, err := time.LoadLocation(w.Zone); err == nil && w.Zone != "" {
		return loc
	}
	return time.UTC
}

// window bounds the content window of a run: it is over before the next one, or each run of something daily
// would meet the window of the day before.
func (w *When) window(p timer.Plan, due time.Time) int {
	next := p.Next(due)
	if next.IsZero() {
		return 0
	}
	return int(next.Sub(due).Seconds() / 2)
}

// spec is what a run for an instant is to do.
func (s *Schedule) spec(plan timer.Plan, due time.Time) Spec {
	return Spec{Title: s.Title, Content: s.Content, Class: s.Class, Audience: s.Audience, Schedule: s.Name, Since: s.Since, Due: message.At(due),
		Date: due.In(s.zone()).Format(time.DateOnly), Window: s.window(plan, due), Owner: s.Owner, Live: s.Live, Key: s.Key}
}

// runID is the same for every firing of a schedule for one instant.
func runID(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return "run_" + hex.EncodeToString(h.Sum(nil)[:12])
}

// topic is what a schedule's runs are listed under.
func topic(schedule string) string { return "schedule/" + schedule }

func docName(tenant, name string) string { return tenant + "/" + name }

func readSchedule(d store.Doc) (Schedule, error) {
	var s Schedule
	if err := json.Unmarshal(d.Body, &s); err != nil {
		return s, fmt.Errorf("campaign: schedule %s: %w", d.Name, err)
	}
	return s, nil
}
