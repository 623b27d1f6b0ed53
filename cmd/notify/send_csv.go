package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/opennotify/notify/client"
)

// mailing is what the flags of send say besides, for a file.
type mailing struct {
	csv, title, failed, reason string
	columns                    []string
	perSecond                  int
	yes                        bool
}

func (f *mailing) register(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.csv, "csv", "", "to each row of this file: CSV with a header, or JSON lines (.jsonl)")
	flags.StringArrayVar(&f.columns, "column", nil, "with --csv: a column, as to=手机号 or amount=金额; may be repeated. What is left out is found by its name")
	flags.StringVar(&f.title, "title", "", "with --csv: for people")
	flags.IntVar(&f.perSecond, "per-second", 0, "with --csv: messages at most; without it what the accounts take")
	flags.StringVar(&f.failed, "failures", "failures.csv", "with --csv: where to write whom it did not reach")
	flags.StringVar(&f.reason, "reason", "", "with --csv: why, for the record")
	flags.BoolVar(&f.yes, "yes", false, "with --csv: do not ask")
}

// mail reads the flags of send with a file.
func (s *session) mail(c *cobra.Command, f *sending, many *mailing, args []string) error {
	for _, name := range []string{"at", "wait", "explain"} {
		if c.Flags().Changed(name) {
			return errors.New("--csv goes at once and waits for its end: without --" + name + "; see notify schedule put and notify campaign dry-run")
		}
	}
	return s.sendCSV(c.Context(), &placing{tenant: f.tenant, title: many.title, reason: many.reason, key: f.key, perSecond: many.perSecond,
		ordering: ordering{channel: f.channel, locale: f.locale, reference: f.reference, vars: f.vars, ttl: f.ttl, csv: many.csv, columns: many.columns}},
		args, many.failed, many.yes)
}

// badRows is where send --csv puts the rows that are wrong.
const badRows = "bad-rows.csv"

// sendCSV does a whole campaign: checks, asks, sends, and keeps what went wrong.
func (s *session) sendCSV(ctx context.Context, f *placing, args []string, failed string, yes bool) error {
	c, err := s.connect()
	if err != nil {
		return err
	}
	r, err := s.order(ctx, c, f, args)
	if err != nil {
		return err
	}
	if err := s.check(ctx, c, r); err != nil {
		return err
	}
	if r.Rows.Bad > 0 {
		if err := toFile(badRows, func(w io.Writer) error { return c.DownloadBadRows(ctx, r.ID, w) }); err != nil {
			return err
		}
		s.tell("the rows that are wrong, with the reasons: %s\n", badRows)
	}
	switch {
	case r.State == client.RunFailed:
		return fmt.Errorf("%s failed: %s", r.ID, r.Fault)
	case r.State != client.RunWaiting: // an idempotency key that was used before
		return s.finish(ctx, c, r, failed)
	}
	if err := s.agree(r, yes); err != nil {
		if _, cancelled := c.CancelCampaign(ctx, r.ID, "it was not confirmed"); cancelled != nil {
			return cancelled
		}
		return err
	}
	sent, err := c.SendCampaign(ctx, r.ID, "")
	if err != nil {
		s.tell("%s waits: notify campaign start %s\n", r.ID, r.ID)
		return err
	}
	s.tell("%s goes; notify campaign pause %s, or cancel, stops it\n", r.ID, r.ID)
	return s.finish(ctx, c, sent, failed)
}

// agree asks whether it is to be sent.
func (s *session) agree(r *client.Run, yes bool) error {
	if r.Dry == nil || r.Dry.Valid == 0 {
		return errors.New("nothing of it would be sent")
	}
	if yes {
		return nil
	}
	return s.confirm(int(r.Dry.Valid), "send them")
}

// finish waits for a campaign's end, and keeps whom it did not reach.
func (s *session) finish(ctx context.Context, c *client.Client, r *client.Run, failed string) error {
	r, err := s.watch(ctx, c, r)
	if err != nil {
		return err
	}
	code := s.ended(r)
	if failures(r)+r.Messages.ByStatus[client.StatusInDoubt]+r.Messages.ByStatus[client.StatusExpired] == 0 {
		return code
	}
	if err := toFile(failed, func(w io.Writer) error { return c.DownloadFailures(ctx, r.ID, w) }); err != nil {
		return err
	}
	s.tell("whom it did not reach: %s; notify campaign resend-failures %s tries them again\n", failed, r.ID)
	return code
}
