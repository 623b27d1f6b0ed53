package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/opennotify/notify/client"
)

// showFaults is how many wrong rows are shown.
const showFaults = 10

// weighed shows what was found in an audience and what would become of it. A run that failed is an error.
func (s *session) weighed(ctx context.Context, c *client.Client, r *client.Run) error {
	if s.json {
		if err := s.data(r); err != nil {
			return err
		}
	} else if err := s.check(ctx, c, r); err != nil {
		return err
	}
	if r.State == client.RunFailed {
		return fmt.Errorf("%s failed: %s", r.ID, r.Fault)
	}
	return nil
}

// check is a table of an audience, and of its first wrong rows.
func (s *session) check(ctx context.Context, c *client.Client, r *client.Run) error {
	s.say("%s  %s\n", s.paint(bold, r.ID), cmp.Or(r.Title, r.Template))
	if r.Rows.Total > 0 {
		rows := [][]any{{"  rows", r.Rows.Total}, {"  wrong", r.Rows.Bad}, {"  repeated recipients", r.Rows.Repeats}}
		if d := r.Dry; d != nil {
			rows = append(rows, []any{"  suppressed", d.Suppressed}, []any{"  over a cap", d.Capped}, []any{"  duplicates", d.Duplicate}, []any{"  to be sent", d.Valid})
			if d.Segments > 0 {
				rows = append(rows, []any{"  SMS segments", d.Segments})
			}
			for _, currency := range slices.Sorted(maps.Keys(d.Cost)) {
				rows = append(rows, []any{"  cost", fmt.Sprintf("%.2f %s", d.Cost[currency], currency)})
			}
			if d.Minutes > 0 {
				rows = append(rows, []any{"  takes", "about " + span(time.Duration(d.Minutes*float64(time.Minute)))})
			}
		}
		s.table(rows)
	}
	if r.Rows.Bad == 0 {
		return nil
	}
	rows := [][]any{{"ROW", "COLUMN", "WRONG"}}
	for b, err := range c.AllBadRows(ctx, r.ID) {
		if err != nil {
			return err
		}
		if len(rows) > showFaults {
			break
		}
		for _, f := range b.Faults {
			rows = append(rows, []any{b.Row, cmp.Or(f.Column, "-"), f.Detail})
		}
	}
	s.say("\n")
	s.table(rows)
	s.tell("all of them, as they were: notify campaign failures %s --rows\n", r.ID)
	return nil
}

// span is a duration as people say it.
func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(max(d.Round(time.Second), time.Second)/time.Second))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Round(time.Minute)/time.Minute))
	}
	return fmt.Sprintf("%.1f h", d.Hours())
}

// run shows how far a run is.
func (s *session) run(ctx context.Context, c *client.Client, r *client.Run) error {
	if err := s.check(ctx, c, r); err != nil {
		return err
	}
	s.field("state", strings.Join(some(string(r.State), r.Fault), ": "))
	s.field("schedule", strings.Join(some(r.Schedule, prefixed("for ", r.Date), r.Late), ", "))
	version := ""
	if r.TemplateVersion > 0 {
		version = fmt.Sprint(" v", r.TemplateVersion)
	}
	s.field("template", r.Template+version)
	s.field("audience", source(r.Audience))
	m := r.Made
	if m.Rows() > 0 {
		s.field("made", fmt.Sprintf("%d messages; %d suppressed, %d duplicates, %d repeated, %d refused, %d taken back", m.Made, m.Suppressed, m.Duplicate, m.Repeated, m.Refused, m.Cancelled))
	}
	s.field("speed", s.pace(r))
	s.field("ordered", fmt.Sprintf("by %s at %s%s", r.Author, clock(r.CreatedAt), prefixed(": ", r.Reason)))
	for _, step := range r.Steps {
		s.field(step.To, fmt.Sprintf("by %s at %s%s", step.By, clock(step.At), prefixed(": ", step.Reason)))
	}
	if !r.FinishedAt.IsZero() {
		s.field("ended", clock(r.FinishedAt))
	}
	s.statuses(r)
	return nil
}

// pace is how fast a run goes, and how long it takes.
func (s *session) pace(r *client.Run) string {
	var words []string
	if r.PerSecond > 0 {
		words = append(words, fmt.Sprintf("%.3g a second", r.PerSecond))
	}
	if r.SecondsLeft > 0 {
		words = append(words, span(time.Duration(r.SecondsLeft)*time.Second)+" left")
	}
	return strings.Join(words, ", ")
}

func (s *session) statuses(r *client.Run) {
	rows := [][]any{}
	for _, status := range slices.Sorted(maps.Keys(r.Messages.ByStatus)) {
		rows = append(rows, []any{"  " + s.status(status), r.Messages.ByStatus[status]})
	}
	s.table(rows)
}

// started says that a run goes, or waits for its end.
func (s *session) started(ctx context.Context, c *client.Client, r *client.Run, wait bool) error {
	if wait {
		var err error
		if r, err = s.watch(ctx, c, r); err != nil {
			return err
		}
		return s.ended(r)
	}
	if s.json {
		return s.data(r)
	}
	s.say("%s  %s\n", r.ID, r.State)
	s.tell("next: notify campaign show %s\n", r.ID)
	return nil
}

// receiptsFor is how long watch looks for receipts after the end of a run: most come within seconds.
const receiptsFor = 10 * time.Second

// watch shows how far a run is, until it has ended or somebody paused it.
func (s *session) watch(ctx context.Context, c *client.Client, r *client.Run) (*client.Run, error) {
	p := s.progress()
	defer p.end()
	var ended time.Time
	return s.until(ctx, c, r, func(r *client.Run) bool {
		gone := r.Made.Rows() - r.Made.Made
		for status, n := range r.Messages.ByStatus {
			if status != client.StatusQueued && status != client.StatusScheduled && status != client.StatusSending {
				gone += n
			}
		}
		p.show(gone, r.Rows.Total, strings.Join(some(fmt.Sprintf("%d of %d", gone, r.Rows.Total), s.pace(r)), ", "))
		if r.State != client.RunDone || r.Messages.ByStatus[client.StatusSent] == 0 {
			return r.State.Ended() || r.State == client.RunPaused
		}
		if ended.IsZero() {
			ended = s.now()
		}
		return s.now().Sub(ended) > receiptsFor
	})
}

// ended tells what became of a run, and gives the exit code: that of the worst of its messages.
func (s *session) ended(r *client.Run) error {
	if s.json {
		if err := s.data(r); err != nil {
			return err
		}
	}
	s.say("%s  %s: %d messages of %d rows\n", r.ID, r.State, r.Made.Made, r.Rows.Total)
	if !s.json {
		s.statuses(r)
	}
	switch {
	case r.State == client.RunFailed:
		return fmt.Errorf("%s failed: %s", r.ID, r.Fault)
	case r.State == client.RunPaused:
		return fmt.Errorf("%s is paused: %s; notify campaign resume %s", r.ID, cmp.Or(r.Fault, lastWord(r)), r.ID)
	case failures(r) > 0 || r.Messages.ByStatus[client.StatusExpired] > 0:
		return exit(exitFailed)
	case r.Messages.ByStatus[client.StatusInDoubt] > 0:
		return exit(exitInDoubt)
	}
	return nil
}

// lastWord is who steered a run last, and why.
func lastWord(r *client.Run) string {
	if len(r.Steps) == 0 {
		return "nobody said why"
	}
	last := r.Steps[len(r.Steps)-1]
	return "by " + last.By + prefixed(": ", last.Reason)
}
