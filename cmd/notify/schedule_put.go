package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/opennotify/notify/client"
)

// timing is what flags say of when something is due.
type timing struct {
	at, cron, zone, start, end string
	every                      time.Duration
}

func (f *timing) register(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.at, "at", "", "once: RFC 3339, or 2026-03-31T09:00 with --zone")
	lengthVar(flags, &f.every, "every", "again and again, as 15m or 24h, counted from --start")
	flags.StringVar(&f.cron, "cron", "", "six fields as EventBridge has them: minutes hours day-of-month month day-of-week year")
	flags.StringVar(&f.zone, "zone", "", "IANA time zone of --at and --cron, as Asia/Shanghai; UTC without it")
	flags.StringVar(&f.start, "start", "", "not before: RFC 3339")
	flags.StringVar(&f.end, "end", "", "not after: RFC 3339")
}

func (f *timing) set() bool { return f.at != "" || f.cron != "" || f.every != 0 }

func (f *timing) when() (client.When, error) {
	w := client.When{At: f.at, Cron: f.cron, Zone: f.zone, EveryMinutes: int(f.every / time.Minute)}
	if f.every < 0 || f.every%time.Minute != 0 {
		return w, errors.New("--every must be whole minutes, as 15m or 24h")
	}
	for _, x := range []struct {
		name, text string
		into       *time.Time
	}{{"start", f.start, &w.Start}, {"end", f.end, &w.End}} {
		if x.text == "" {
			continue
		}
		var err error
		if *x.into, err = time.Parse(time.RFC3339, x.text); err != nil {
			return w, fmt.Errorf("--%s must be RFC 3339 with a zone, as 2026-01-02T15:04:05+08:00", x.name)
		}
	}
	return w, nil
}

func schedulePutCommand(s *session) *cobra.Command {
	var when timing
	var f ordering
	var title, reason string
	var late time.Duration
	c := &cobra.Command{
		Use: "put TENANT/NAME TEMPLATE [name=value…]", Aliases: []string{"create"},
		Short: "Make or change a schedule",
		Long: `Make or change a schedule: when it is due, which template it sends, and to whom. What is left out is empty
afterwards. Variables that are given here are the same for all; those of a row go before.

The recipients are a few addresses (--to), a file (--csv) that is uploaded now and kept, or a source that is read
at each run: a file in the tenant's folder of sources (--path), with {run_date} in its name, or the tenant's own
system (--source-url), which is asked page by page.`,
		Example: `  notify schedule put shop/bills bill-reminder --cron '0 9 * * ? *' --zone Asia/Shanghai --path 'bills/{run_date}.csv'
  notify schedule put shop/new-year greeting --at 2027-01-01T08:00 --zone Asia/Shanghai --csv members.csv
  notify schedule put shop/report weekly-report --cron '0 9 ? * MON *' --to team@example.com,boss@example.com`,
		Args: takes(2, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			tenant, name, err := scheduleName(args[0])
			if err != nil {
				return err
			}
			r := client.PutScheduleRequest{Title: title, LateMinutes: int(late / time.Minute), Reason: reason}
			if r.When, err = when.when(); err != nil {
				return err
			}
			if r.TimedContent, err = s.timed(&f, args, 1); err != nil {
				return err
			}
			if late < 0 || late%time.Minute != 0 {
				return errors.New("--late must be whole minutes, as 30m or 2h")
			}
			c, err := s.connect()
			if err != nil {
				return err
			}
			return s.putSchedule(cmd.Context(), c, tenant, name, r, &f)
		},
	}
	when.register(c)
	f.register(c)
	c.Flags().StringVar(&title, "title", "", "for people")
	lengthVar(c.Flags(), &late, "late", "how late a run may begin (default 1h); a later one is recorded as missed")
	c.Flags().StringVar(&reason, "reason", "", "why, for the history")
	return c
}

// putSchedule keeps it, over the version that there is.
func (s *session) putSchedule(ctx context.Context, c *client.Client, tenant, name string, r client.PutScheduleRequest, f *ordering) error {
	if _, err := c.PreviewSchedule(ctx, r.When); err != nil { // before anything is uploaded
		return err
	}
	var refused *client.Error
	switch x, err := c.Schedule(ctx, tenant, name); {
	case err == nil:
		r.Version = x.Version
	case !errors.As(err, &refused) || refused.Code != client.CodeNotFound && refused.Code != client.CodeForbidden:
		return err
	}
	var err error
	if r.Audience, err = s.audience(ctx, c, tenant, f); err != nil {
		return err
	}
	x, err := c.PutSchedule(ctx, tenant, name, r)
	if err != nil {
		return err
	}
	if s.json {
		return s.data(x)
	}
	s.schedule(x)
	s.tell("next: notify schedule run %s/%s\n", tenant, name)
	return nil
}
