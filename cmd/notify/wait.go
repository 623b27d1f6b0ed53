package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/opennotify/notify/client"
)

// send sends, and waits if it shall.
func (s *session) send(ctx context.Context, r client.SendRequest, wait time.Duration) error {
	c, err := s.connect()
	if err != nil {
		return err
	}
	sent, err := c.Send(ctx, r)
	if err != nil {
		return err
	}
	all := sent.Messages
	if sent.Group == nil {
		all = []client.Sent{*sent}
	}
	if wait > 0 {
		return s.await(ctx, c, sent, all, wait)
	}
	for _, m := range all {
		s.say("%s  %s%s\n", m.ID, s.status(m.Status), s.duplicate(&m, sent.Replayed))
		// The verdict needs the scope read, which a key that sends may lack.
		if v, err := c.Verdict(ctx, m.ID); err == nil && !s.json {
			s.say("  %s\n", s.words(*v).What)
		}
	}
	if s.json {
		return s.data(sent)
	}
	s.tell("%s\n", s.tr("后续：", "next: ")+"notify trace "+all[0].ID)
	return nil
}

func (s *session) duplicate(m *client.Sent, replayed bool) string {
	switch {
	case m.DuplicateOf != "":
		return s.tr("（内容相同，就是之前那条）", " (equal content: this is the earlier message)")
	case replayed:
		return s.tr("（幂等键相同，就是之前那条）", " (the same idempotency key: this is the earlier message)")
	}
	return ""
}

// await follows the messages of a request to their ends.
func (s *session) await(ctx context.Context, c *client.Client, sent *client.Sent, all []client.Sent, wait time.Duration) error {
	bounded, stop := context.WithTimeout(ctx, wait)
	defer stop()
	fallback := sent.Group != nil && sent.Group.Kind == "fallback"
	var codes []exit
	for i := range all {
		m, err := c.Wait(bounded, all[i].ID)
		switch {
		case err != nil && ctx.Err() != nil:
			return errors.New("interrupted; the message goes its way: notify trace " + all[i].ID)
		case err != nil && bounded.Err() == nil:
			return err
		case m == nil: // not even read once in the time
			if m, err = c.Get(ctx, all[i].ID); err != nil {
				return err
			}
		}
		code := outcome(m)
		codes = append(codes, code)
		if sent.Group == nil && s.json {
			if err := s.data(m); err != nil {
				return err
			}
		}
		s.say("%s  %s%s\n", m.ID, s.status(m.Status), s.duplicate(&all[i], sent.Replayed))
		if text := s.words(m.Verdict).What; text != "" {
			s.say("  %s\n", text)
		}
		if fallback && code == exitOK {
			break // the others are not needed
		}
	}
	if sent.Group != nil && s.json {
		g, err := c.Group(ctx, sent.Group.ID)
		if err != nil {
			return err
		}
		if err := s.data(g); err != nil {
			return err
		}
	}
	if code := together(codes, fallback); code != exitOK {
		return code
	}
	return nil
}

// outcome is the exit code of a message, of a simulated one that of what it stands for.
func outcome(m *client.Message) exit {
	status := m.Status
	if status == client.StatusSimulated {
		status = m.Outcome
	}
	switch status {
	case client.StatusDelivered:
		return exitOK
	case client.StatusInDoubt:
		return exitInDoubt
	case client.StatusSuppressed, client.StatusCancelled:
		return exitSuppressed
	case client.StatusSent:
		if m.Settled() {
			return exitOK
		}
		return exitUndecided
	case client.StatusScheduled, client.StatusQueued, client.StatusSending:
		return exitUndecided
	}
	return exitFailed
}

// together is the worst of several codes, or the best.
func together(codes []exit, best bool) exit {
	order := []exit{exitOK, exitSuppressed, exitUndecided, exitInDoubt, exitFailed}
	rank := func(a, b exit) int { return slices.Index(order, a) - slices.Index(order, b) }
	if best {
		return slices.MinFunc(codes, rank)
	}
	return slices.MaxFunc(codes, rank)
}
