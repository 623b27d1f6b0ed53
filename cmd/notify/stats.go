package main

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/opennotify/notify/client"
)

func statsCommand(s *session) *cobra.Command {
	r := client.StatsRequest{}
	var span timeSpan
	var points bool
	c := &cobra.Command{
		Use:   "stats",
		Short: "Tell how much was sent, failed, was throttled, and by whom",
		Long: `Tell how much was accepted, sent, delivered, failed, throttled: in all, told apart with --by, or in time with
--points. A rate in brackets is one of too few to mean much. PEAK is the second in which most was sent, of
minutes.`,
		Example: `  notify stats
  notify stats --by tenant --since 24h --step hour
  notify stats --account tencent-main --points
  notify stats --by template --json | jq '.groups[] | {name, counts}'
  notify stats refused --tenant shop --since 1h
  notify stats throttles --account tencent-main --since 2h`,
		Args: takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := s.connect()
			if err != nil {
				return err
			}
			if r.From, r.To, err = span.read(s.now()); err != nil {
				return err
			}
			f, err := c.Stats(cmd.Context(), r)
			if err != nil {
				return err
			}
			if s.json {
				return s.data(f)
			}
			s.figures(f, points)
			return nil
		},
	}
	f := c.Flags()
	span.flags(c)
	f.StringVar(&r.Step, "step", "", "minute, hour or day; minute without it")
	f.StringVar(&r.Zone, "zone", "", "whose days, as Asia/Shanghai; UTC's without it")
	f.StringVar(&r.By, "by", "", "tell apart by tenant, channel, account, template or status")
	f.IntVar(&r.Top, "top", 0, "how many groups, the largest first (default 10)")
	f.StringVar(&r.Tenant, "tenant", "", "only this tenant's")
	f.StringVar((*string)(&r.Channel), "channel", "", "only of this channel")
	f.StringVar(&r.Account, "account", "", "only over this account")
	f.StringVar(&r.Template, "template", "", "only of this template: tenant/name, or name with --tenant")
	f.BoolVar(&points, "points", false, "a line for each step")
	c.AddCommand(refusedCommand(s), throttlesCommand(s))
	return c
}

// timeSpan is what --since, --from and --to say.
type timeSpan struct {
	since    time.Duration
	from, to string
}

func (t *timeSpan) flags(c *cobra.Command) {
	lengthVar(c.Flags(), &t.since, "since", "how far back, as 90m, 24h or 7d")
	c.Flags().StringVar(&t.from, "from", "", "since when, as 2026-01-02T10:30:00Z")
	c.Flags().StringVar(&t.to, "to", "", "until when; now without it")
}

func (t *timeSpan) read(now time.Time) (from, to time.Time, err error) {
	for _, f := range []struct {
		name, text string
		into       *time.Time
	}{{"from", t.from, &from}, {"to", t.to, &to}} {
		if f.text == "" {
			continue
		}
		if *f.into, err = time.Parse(time.RFC3339, f.text); err != nil {
			return from, to, fmt.Errorf("--%s must be a time such as %s", f.name, now.UTC().Format(time.RFC3339))
		}
	}
	switch {
	case t.since < 0:
		return from, to, errors.New("--since must not be negative")
	case t.since > 0 && t.from != "":
		return from, to, errors.New("give --since or --from, not both")
	case t.since > 0:
		from = now.Add(-t.since)
	}
	return from, to, nil
}

// columns are the counters that people are shown, some only where there are any; --json has them all.
func columns(total map[string]int64) (names []string, heads []any) {
	for _, name := range []string{"accepted", "sent", "delivered", "undelivered", "bounced", "complained", "failed", "dead", "expired", "suppressed", "throttled", "in_doubt"} {
		if seldom := name == "undelivered" || name == "bounced" || name == "complained"; !seldom || total[name] > 0 {
			names, heads = append(names, name), append(heads, strings.ToUpper(strings.ReplaceAll(name, "_", " ")))
		}
	}
	return names, heads
}

func (s *session) figures(f *client.Stats, points bool) {
	s.say("%s to %s, by the %s\n", clock(f.From), clock(f.To), f.Step)
	if f.By == "status" && !points {
		var rows [][]any
		for _, g := range f.Groups {
			rows = append(rows, []any{g.Name, g.Counts[g.Name]})
		}
		s.table(rows)
		return
	}
	first := map[bool]string{true: "TIME", false: "NAME"}[points]
	shown, heads := columns(f.Total.Counts)
	counts := func(name string, of map[string]int64) []any {
		row := []any{name}
		for _, c := range shown {
			row = append(row, of[c])
		}
		return row
	}
	group := func(name string, g client.StatsGroup) []any {
		return append(counts(name, g.Counts), percent(g.FailureRate), percent(g.DeliveryRate), peak(g.Peaks))
	}
	rows := [][]any{append(append([]any{first}, heads...), "FAILURE", "DELIVERY", "PEAK")}
	if points {
		for _, p := range f.Total.Points {
			rows = append(rows, append(counts(clock(p.At), p.Counts), "", "", peak(p.Peaks)))
		}
	}
	for _, g := range f.Groups {
		if !points {
			rows = append(rows, group(g.Name, g))
		}
	}
	if f.Other != nil && len(f.Other.Counts) > 0 && !points {
		rows = append(rows, group("(other)", *f.Other))
	}
	s.table(append(rows, group("total", f.Total)))
}

func percent(r client.StatsRate) string {
	switch {
	case r.Of == 0:
		return "-"
	case r.TooFew:
		return fmt.Sprintf("(%.1f %%)", r.Value*100)
	}
	return fmt.Sprintf("%.2f %%", r.Value*100)
}

func peak(peaks map[string]client.StatsPeak) string {
	p, ok := peaks["sent"]
	if !ok {
		return "-"
	}
	return fmt.Sprintf("%d/s at %s", p.N, p.At.Local().Format(time.TimeOnly))
}

func refusedCommand(s *session) *cobra.Command {
	f := client.RefusedFilter{}
	var span timeSpan
	most := 0
	c := &cobra.Command{
		Use:   "refused",
		Short: "List the requests that were refused in the last 7 days",
		Long: `List the requests that were refused in the last 7 days, the newest first: for "we called you and nothing came".
Of many that are alike in one minute only some are listed. With --json each is one line, printed as it is found.`,
		Example: `  notify stats refused --tenant shop --since 1h
  notify stats refused --code missing_variable`,
		Args: takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := s.connect()
			if err != nil {
				return err
			}
			if f.From, f.To, err = span.read(s.now()); err != nil {
				return err
			}
			head := []any{"TIME", "TENANT", "KEY", "REQUEST", "STATUS", "CODE", "WHERE", "ID"}
			return list(s, c.AllRefused(cmd.Context(), f), most, "no refused requests", head, func(r *client.Refusal) []any {
				code, where := r.Code, ""
				if len(r.Errors) > 0 {
					code, where = r.Errors[0].Code, r.Errors[0].Pointer
				}
				return []any{clock(r.At), cmp.Or(r.Tenant, "-"), cmp.Or(r.Key, "-"), r.Method + " " + r.Route, r.Status, code, where, r.RequestID}
			})
		},
	}
	span.flags(c)
	c.Flags().StringVar(&f.Tenant, "tenant", "", "only this tenant's")
	c.Flags().StringVar(&f.Code, "code", "", "only with this code, of the request or of a value")
	c.Flags().IntVar(&most, "limit", 100, "at most so many; 0 is all")
	return c
}
