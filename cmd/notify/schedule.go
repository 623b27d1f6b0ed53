package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/opennotify/notify/client"
)

func scheduleCommand(s *session) *cobra.Command {
	return group("schedule", "Send at a time, or again and again", `  notify schedule next --cron '0 9 * * ? *' --zone Asia/Shanghai
  notify schedule put shop/bills bill-reminder --cron '0 9 * * ? *' --zone Asia/Shanghai --path 'bills/{run_date}.csv'
  notify schedule pause shop/bills --reason holiday`,
		scheduleListCommand(s), scheduleShowCommand(s), schedulePutCommand(s), scheduleNextCommand(s), scheduleRunsCommand(s), scheduleRunCommand(s),
		scheduleSteerCommand(s, "pause", "Keep a schedule from starting runs; runs that go on, go on", (*client.Client).PauseSchedule),
		scheduleSteerCommand(s, "resume", "Let a paused schedule start runs again", (*client.Client).ResumeSchedule),
		scheduleCancelCommand(s))
}

// scheduleName reads TENANT/NAME.
func scheduleName(arg string) (tenant, name string, err error) {
	tenant, name, ok := strings.Cut(arg, "/")
	if !ok || tenant == "" || name == "" {
		return "", "", fmt.Errorf("name the schedule as TENANT/NAME, not %q; notify schedule list shows them", arg)
	}
	return tenant, name, nil
}

// ofSchedule is a verb about one schedule.
func (s *session) ofSchedule(use, short, example string, do func(ctx context.Context, c *client.Client, tenant, name string) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Example: example, Args: takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			tenant, name, err := scheduleName(args[0])
			if err != nil {
				return err
			}
			c, err := s.connect()
			if err != nil {
				return err
			}
			return do(cmd.Context(), c, tenant, name)
		}}
}

func scheduleListCommand(s *session) *cobra.Command {
	var tenant string
	c := &cobra.Command{
		Use: "list", Aliases: []string{"ls"},
		Short: "List the schedules, those too that somebody made with AWS tools",
		Example: `  notify schedule list
  notify schedule list --tenant shop --json`,
		Args: takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := s.connect()
			if err != nil {
				return err
			}
			all, err := c.Schedules(cmd.Context(), tenant)
			if err != nil {
				return err
			}
			if s.json {
				return s.data(all)
			}
			if len(all) == 0 {
				s.tell("no schedules\n")
				return nil
			}
			rows := [][]any{{"SCHEDULE", "WHEN", "TEMPLATE", "AUDIENCE", "NEXT", "STATE", "OWNER"}}
			for _, x := range all {
				next := time.Time{}
				if len(x.Next) > 0 {
					next = x.Next[0]
				}
				rows = append(rows, []any{x.Tenant + "/" + x.Name, dues(x.When), x.Template, source(x.Audience), clock(next), scheduleState(&x), x.Owner})
			}
			s.table(rows)
			return nil
		},
	}
	c.Flags().StringVar(&tenant, "tenant", "", "only this tenant's")
	return c
}

// dues says in a line when something is due.
func dues(w client.When) string {
	switch {
	case w.EveryMinutes > 0:
		every := (time.Duration(w.EveryMinutes) * time.Minute).String()
		return "every " + strings.NewReplacer("h0m0s", "h", "m0s", "m").Replace(every)
	case w.At != "":
		if at, err := time.Parse(time.RFC3339, w.At); err == nil {
			return "once, " + clock(at)
		}
	}
	return cmp.Or(strings.Join(some(w.At, w.Cron, w.Zone), " "), "-")
}

// source says in a line where recipients come from.
func source(a client.AudienceSource) string {
	switch a.Kind {
	case "path":
		return a.Path
	case "url":
		return a.URL
	case "failures":
		return "failures of " + a.Run
	}
	return cmp.Or(number("", a.Count, " rows"), "an upload")
}

func scheduleState(x *client.Schedule) string {
	switch {
	case x.External:
		return "external"
	case x.Paused:
		return "paused"
	case len(x.Next) == 0:
		return "over"
	}
	return "on"
}

func scheduleShowCommand(s *session) *cobra.Command {
	return s.ofSchedule("show TENANT/NAME", "Show a schedule, when it is due next, and its last runs", "  notify schedule show shop/bills",
		func(ctx context.Context, c *client.Client, tenant, name string) error {
			x, err := c.Schedule(ctx, tenant, name)
			if err != nil {
				return err
			}
			if s.json {
				return s.data(x)
			}
			s.schedule(x)
			runs, err := c.ScheduleRuns(ctx, tenant, name, 5, "")
			if err != nil {
				return err
			}
			if len(runs.Items) > 0 {
				s.say("\n")
				s.runs(runs.Items)
			}
			return nil
		})
}

func (s *session) schedule(x *client.Schedule) {
	s.say("%s  %s\n", s.paint(bold, x.Tenant+"/"+x.Name), x.Title)
	version := ""
	if x.TemplateVersion > 0 {
		version = fmt.Sprint(" v", x.TemplateVersion)
	}
	s.field("when", dues(x.When))
	s.field("template", x.Template+version)
	s.field("channel", string(x.Channel))
	s.field("audience", source(x.Audience))
	s.field("state", scheduleState(x))
	s.field("owner", x.Owner)
	s.field("version", fmt.Sprintf("%d, by %s at %s%s", x.Version, x.Author, clock(x.ChangedAt), prefixed(": ", x.Reason)))
	s.nexts(x.Next, x.Zone)
}

// nexts shows instants on the schedule's clock, and on the reader's.
func (s *session) nexts(next []time.Time, zone string) {
	at, err := time.LoadLocation(zone)
	for i, t := range next {
		label := "then"
		if i == 0 {
			label = "next"
		}
		text := clock(t)
		if err == nil && at.String() != time.Local.String() {
			text = t.In(at).Format("2006-01-02 15:04:05 -07:00") + " (here " + text + ")"
		}
		s.field(label, text)
	}
}

func scheduleNextCommand(s *session) *cobra.Command {
	f := timing{}
	c := &cobra.Command{
		Use:   "next [TENANT/NAME]",
		Short: "Say when a schedule is due next, or would be, before it is made",
		Long: `Say when a schedule is due the next five times, on its zone's clock and on yours; or when one would be that has
--at, --every or --cron; or, without any, what all schedules do next.`,
		Example: `  notify schedule next shop/bills
  notify schedule next --cron '0 9 ? * MON-FRI *' --zone Asia/Shanghai
  notify schedule next`,
		Args: takes(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			w, err := f.when()
			if err != nil {
				return err
			}
			if len(args) > 0 && f.set() {
				return errors.New("name a schedule, or give --at, --every or --cron, not both")
			}
			c, err := s.connect()
			if err != nil {
				return err
			}
			switch {
			case f.set():
				next, err := c.PreviewSchedule(cmd.Context(), w)
				return s.next(next, w.Zone, err)
			case len(args) > 0:
				tenant, name, err := scheduleName(args[0])
				if err != nil {
					return err
				}
				x, err := c.Schedule(cmd.Context(), tenant, name)
				if err != nil {
					return err
				}
				return s.next(x.Next, x.Zone, nil)
			}
			return s.upcoming(cmd.Context(), c)
		},
	}
	f.register(c)
	return c
}

func (s *session) next(next []time.Time, zone string, err error) error {
	if err != nil {
		return err
	}
	if s.json {
		return s.data(next)
	}
	if len(next) == 0 {
		s.tell("it is not due any more, or paused, or steered with AWS tools\n")
	}
	s.nexts(next, zone)
	return nil
}

// upcoming shows what all schedules do next, in the order of time.
func (s *session) upcoming(ctx context.Context, c *client.Client) error {
	all, err := c.Schedules(ctx, "")
	if err != nil {
		return err
	}
	type due struct {
		At       time.Time `json:"at"`
		Schedule string    `json:"schedule"`
		Template string    `json:"template"`
	}
	out := []due{}
	for _, x := range all {
		for _, at := range x.Next {
			out = append(out, due{at, x.Tenant + "/" + x.Name, x.Template})
		}
	}
	slices.SortStableFunc(out, func(a, b due) int { return a.At.Compare(b.At) })
	if s.json {
		return s.data(out)
	}
	if len(out) == 0 {
		s.tell("nothing is due\n")
		return nil
	}
	rows := [][]any{{"DUE", "SCHEDULE", "TEMPLATE"}}
	for _, d := range out {
		rows = append(rows, []any{clock(d.At), d.Schedule, d.Template})
	}
	s.table(rows)
	return nil
}

func scheduleRunsCommand(s *session) *cobra.Command {
	most := 0
	c := s.ofSchedule("runs TENANT/NAME", "List a schedule's runs, the newest first", "  notify schedule runs shop/bills --limit 7",
		func(ctx context.Context, c *client.Client, tenant, name string) error {
			return s.listRuns(c.AllScheduleRuns(ctx, tenant, name), most, "no runs yet")
		})
	c.Flags().IntVar(&most, "limit", 20, "at most so many; 0 is all")
	return c
}

func scheduleRunCommand(s *session) *cobra.Command {
	r := client.RunNow{}
	wait := false
	c := s.ofSchedule("run TENANT/NAME", "Start a run now, whatever the time", `  notify schedule run shop/bills --wait
  notify schedule run shop/bills --date 2026-03-31 --reason "yesterday's file came late"`,
		func(ctx context.Context, c *client.Client, tenant, name string) error {
			run, err := c.RunSchedule(ctx, tenant, name, r)
			if err != nil {
				return err
			}
			return s.started(ctx, c, run, wait)
		})
	c.Flags().StringVar(&r.Date, "date", "", "{run_date} of the run, as 2026-03-31; today in the schedule's zone without it")
	c.Flags().StringVar(&r.Reason, "reason", "", "why, for the record")
	c.Flags().BoolVar(&wait, "wait", false, "wait until its messages have ended")
	return c
}

func scheduleSteerCommand(s *session, verb, short string, do func(c *client.Client, ctx context.Context, tenant, name, reason string) (*client.Schedule, error)) *cobra.Command {
	var reason string
	c := s.ofSchedule(verb+" TENANT/NAME", short, "  notify schedule "+verb+" shop/bills --reason holiday",
		func(ctx context.Context, c *client.Client, tenant, name string) error {
			x, err := do(c, ctx, tenant, name, reason)
			if err != nil {
				return err
			}
			if s.json {
				return s.data(x)
			}
			s.say("%s/%s  %s\n", x.Tenant, x.Name, scheduleState(x))
			s.nexts(x.Next, x.Zone)
			return nil
		})
	c.Flags().StringVar(&reason, "reason", "", "why, for the history")
	return c
}

func scheduleCancelCommand(s *session) *cobra.Command {
	var reason string
	c := s.ofSchedule("cancel TENANT/NAME", "Cancel a schedule, and stop the runs that it has under way", `  notify schedule cancel shop/bills --reason "replaced by bills-v2"`,
		func(ctx context.Context, c *client.Client, tenant, name string) error {
			if err := c.DeleteSchedule(ctx, tenant, name, 0, reason); err != nil {
				return err
			}
			s.say("%s/%s  cancelled\n", tenant, name)
			if s.json {
				return s.data(map[string]string{"schedule": tenant + "/" + name, "state": "cancelled"})
			}
			return nil
		})
	c.Flags().StringVar(&reason, "reason", "", "why, for the history")
	return c
}
