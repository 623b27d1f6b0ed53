package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"os"

	"github.com/spf13/cobra"

	"github.com/opennotify/notify/client"
)

func campaignCommand(s *session) *cobra.Command {
	return group("campaign", "Send one template to many, once", `  notify campaign create spring-sale --csv members.csv --title "Spring sale"
  notify campaign start run_… --reason "numbers are right" --wait
  notify campaign failures run_… > failures.csv`,
		campaignListCommand(s), campaignShowCommand(s), campaignCreateCommand(s), campaignDryRunCommand(s),
		campaignSteerCommand(s, "start", "Let a campaign go that was checked and waits", true, (*client.Client).SendCampaign),
		campaignSteerCommand(s, "pause", "Keep a run from making more messages", false, (*client.Client).PauseCampaign),
		campaignSteerCommand(s, "resume", "Let a paused run go on", true, (*client.Client).ResumeCampaign),
		campaignSteerCommand(s, "cancel", "Stop a run for good, and take back what is not with a provider yet", true, (*client.Client).CancelCampaign),
		campaignSteerCommand(s, "resend-failures", "Send again to those whose message of a run failed, as a campaign of its own", true, (*client.Client).ResendFailures),
		campaignFailuresCommand(s))
}

func campaignListCommand(s *session) *cobra.Command {
	var tenant string
	most := 0
	c := &cobra.Command{
		Use: "list", Aliases: []string{"ls"},
		Short: "List a tenant's campaigns and runs, the newest first",
		Example: `  notify campaign list
  notify campaign list --tenant shop --limit 5`,
		Args: takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := s.connect()
			if err != nil {
				return err
			}
			return s.listRuns(c.AllCampaigns(cmd.Context(), tenant), most, "no campaigns")
		},
	}
	c.Flags().StringVar(&tenant, "tenant", "", "whose; everybody's whom the key sees without it")
	c.Flags().IntVar(&most, "limit", 20, "at most so many; 0 is all")
	return c
}

// listRuns shows runs; with --json each is a line, printed as it is found.
func (s *session) listRuns(all iter.Seq2[*client.Run, error], most int, none string) error {
	var out []client.Run
	for r, err := range all {
		if err != nil {
			return err
		}
		if most > 0 && len(out) == most {
			s.tell("there are more; see them with --limit\n")
			break
		}
		out = append(out, *r)
		if s.json {
			if err := s.data(r); err != nil {
				return err
			}
		}
	}
	if len(out) == 0 {
		s.tell("%s\n", none)
		return nil
	}
	s.runs(out)
	return nil
}

func (s *session) runs(all []client.Run) {
	rows := [][]any{{"ORDERED", "ID", "WHAT", "STATE", "ROWS", "MADE", "FAILED", "BY"}}
	for _, r := range all {
		what := cmp.Or(r.Title, r.Template)
		if r.Schedule != "" {
			what = r.Schedule + prefixed(" of ", r.Date)
		}
		rows = append(rows, []any{clock(r.CreatedAt), r.ID, what, r.State, r.Rows.Total, r.Made.Made, failures(&r), r.Author})
	}
	s.table(rows)
}

// failures is how many messages of a run did not reach anybody, as far as is known.
func failures(r *client.Run) (n int64) {
	for _, status := range []client.Status{client.StatusFailed, client.StatusDead, client.StatusUndelivered, client.StatusBounced} {
		n += r.Messages.ByStatus[status]
	}
	return n
}

// ofRun is a verb about one run.
func (s *session) ofRun(use, short, example string, do func(ctx context.Context, c *client.Client, id string) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Example: example, Args: takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := s.connect()
			if err != nil {
				return err
			}
			return do(cmd.Context(), c, args[0])
		}}
}

func campaignShowCommand(s *session) *cobra.Command {
	return s.ofRun("show ID", "Show a campaign, or a run of a schedule: what, to whom, how far", "  notify campaign show run_…",
		func(ctx context.Context, c *client.Client, id string) error {
			r, err := c.Campaign(ctx, id)
			if err != nil {
				return err
			}
			if s.json {
				return s.data(r)
			}
			return s.run(ctx, c, r)
		})
}

func campaignCreateCommand(s *session) *cobra.Command {
	f := &placing{}
	c := &cobra.Command{
		Use:   "create TEMPLATE [name=value…]",
		Short: "Order a campaign: its audience is checked and weighed, and it waits for notify campaign start",
		Long: `Order a campaign. Its audience is read, each row checked, and what would become of it counted: how many messages,
suppressed, capped, duplicates, the cost, and the minutes at the accounts' limits. It then waits for notify campaign
start; where the tenant wants a second person for so many recipients, for somebody else's. notify send --csv does all
of it in one go.`,
		Example: `  notify campaign create spring-sale --csv members.csv --title "Spring sale"
  notify campaign create spring-sale --csv members.csv --column to=手机号 --column name=姓名 --channel sms discount=20%`,
		Args: takes(1, -1),
		RunE: s.placed(f, func(ctx context.Context, c *client.Client, r *client.Run) error {
			if err := s.weighed(ctx, c, r); err != nil {
				return err
			}
			s.tell("next: notify campaign start %s\n", r.ID)
			return nil
		}),
	}
	f.register(c)
	return c
}

func campaignDryRunCommand(s *session) *cobra.Command {
	f := &placing{}
	c := &cobra.Command{
		Use:   "dry-run TEMPLATE [name=value…]",
		Short: "Say what a campaign would do, and send nothing",
		Long: `Say what a campaign would do: it is checked and weighed as by notify campaign create, and then cancelled, so that
nobody can start it.`,
		Example: `  notify campaign dry-run spring-sale --csv members.csv
  notify campaign dry-run spring-sale --csv members.csv --json`,
		Args: takes(1, -1),
		RunE: s.placed(f, func(ctx context.Context, c *client.Client, r *client.Run) error {
			if !r.State.Ended() {
				if _, err := c.CancelCampaign(ctx, r.ID, "it was a dry run"); err != nil {
					return err
				}
			}
			return s.weighed(ctx, c, r)
		}),
	}
	f.register(c)
	return c
}

func campaignSteerCommand(s *session, verb, short string, waits bool, do func(c *client.Client, ctx context.Context, id, reason string) (*client.Run, error)) *cobra.Command {
	var reason string
	wait := false
	c := s.ofRun(verb+" ID", short, "  notify campaign "+verb+" run_… --reason \"…\"",
		func(ctx context.Context, c *client.Client, id string) error {
			r, err := do(c, ctx, id, reason)
			if err != nil {
				return err
			}
			return s.started(ctx, c, r, wait)
		})
	c.Flags().StringVar(&reason, "reason", "", "why, for the record")
	if waits {
		c.Flags().BoolVar(&wait, "wait", false, "wait until its messages have ended")
	}
	return c
}

func campaignFailuresCommand(s *session) *cobra.Command {
	var rows bool
	var out string
	c := s.ofRun("failures ID", "Download whom a run did not reach, with the provider's reason, as CSV", `  notify campaign failures run_… > failures.csv
  notify campaign failures run_… --rows --out bad-rows.csv`,
		func(ctx context.Context, c *client.Client, id string) error {
			download := c.DownloadFailures
			if rows {
				download = c.DownloadBadRows
			}
			if out == "" {
				return download(ctx, id, s.out)
			}
			return toFile(out, func(w io.Writer) error { return download(ctx, id, w) })
		})
	c.Flags().BoolVar(&rows, "rows", false, "the rows of the audience that nothing could be sent to, as they were, with a column error")
	c.Flags().StringVar(&out, "out", "", "into this file, which only you can read")
	return c
}

// toFile writes a file that only its owner can read: it holds addresses.
func toFile(name string, write func(io.Writer) error) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	err = write(f)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
