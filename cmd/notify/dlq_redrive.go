package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/opennotify/notify/client"
)

func dlqRedriveCommand(s *session) *cobra.Command {
	r := client.RedriveRequest{}
	var span timeSpan
	var dry, yes bool
	c := &cobra.Command{
		Use:   "redrive",
		Short: "Try many dead messages again",
		Long: `Try the dead messages of the last 7 days again that the flags name; without any, all of them. First they are
counted, by why they died and whether they are too late, and you are asked for their number. Progress goes to
standard error. Ctrl-C stops watching, not the redrive: notify dlq stop does that. Exit code: 0 when it is done,
1 when it failed or was stopped.`,
		Example: `  notify dlq redrive --account tencent-main --since 2h --dry-run
  notify dlq redrive --account tencent-main --since 2h --reason "balance topped up"
  notify dlq redrive --tenant shop --template login-code --rate 10 --reason test --yes`,
		Args: takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			c, err := s.connect()
			if err != nil {
				return err
			}
			if r.Filter.From, r.Filter.To, err = span.read(s.now()); err != nil {
				return err
			}
			n, err := c.CountRedrive(cmd.Context(), r.Filter)
			if err != nil {
				return err
			}
			if dry && s.json {
				return s.data(n)
			}
			s.counted(n)
			if dry || n.Matched == n.Expired && !n.More {
				return nil
			}
			if !yes {
				if err := s.confirm(n.Matched-n.Expired, "try them again"); err != nil {
					return err
				}
			}
			j, err := c.StartRedrive(cmd.Context(), r)
			if err != nil {
				return err
			}
			return s.watchRedrive(cmd.Context(), c, j)
		},
	}
	f := c.Flags()
	span.flags(c)
	f.StringVar(&r.Filter.Tenant, "tenant", "", "only this tenant's")
	f.StringVar((*string)(&r.Filter.Channel), "channel", "", "only of this channel")
	f.StringVar(&r.Filter.Account, "account", "", "only whose last attempt was over this account")
	f.StringVar(&r.Filter.Template, "template", "", "only of this template: tenant/name, or name with --tenant")
	f.StringVar(&r.Filter.Reason, "died-of", "", "only those that died of this, as notify dlq ls says it first under WHY")
	f.IntVar(&r.Rate, "rate", 0, "at most so many a second, to 500 (default 50)")
	f.StringVar(&r.Reason, "reason", "", "why, for the timeline of each")
	f.BoolVar(&dry, "dry-run", false, "only count")
	f.BoolVar(&yes, "yes", false, "do not ask")
	return c
}

// counted says what a redrive would do.
func (s *session) counted(n *client.RedriveCount) {
	more := ""
	if n.More {
		more = " or more"
	}
	s.tell("%d%s dead, %d of them too late\n", n.Matched, more, n.Expired)
	for _, r := range n.Reasons {
		s.tell("  %d %s, %d too late\n", r.Matched, r.Reason, r.Expired)
	}
}

// confirm asks for a number or a word: whoever types it has read it.
func (s *session) confirm(word any, to string) error {
	if !s.terminal {
		return errors.New("nobody is there to confirm it; use --yes")
	}
	s.tell("Type %v to %s: ", word, to)
	line, _ := bufio.NewReader(s.in).ReadString('\n')
	if strings.TrimSpace(line) != fmt.Sprint(word) {
		return errors.New("not confirmed; nothing was done")
	}
	return nil
}

// watchRedrive shows how far a redrive is, until it has ended.
func (s *session) watchRedrive(ctx context.Context, c *client.Client, j *client.Redrive) error {
	s.tell("%s started; notify dlq stop %s stops it\n", j.ID, j.ID)
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for last := int64(-1); !j.Ended(); {
		if j.Redriven != last {
			last = j.Redriven
			s.tell("%d tried again, %d too late, %d skipped\n", j.Redriven, j.Expired, j.Skipped)
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return fmt.Errorf("%s goes on; see it with notify dlq status %s", j.ID, j.ID)
		}
		var err error
		if j, err = c.Redrive(ctx, j.ID); err != nil {
			return err
		}
	}
	return s.redriveEnd(j)
}

func (s *session) redriveEnd(j *client.Redrive) error {
	if s.json {
		if err := s.data(j); err != nil {
			return err
		}
	}
	s.say("%s  %s: %d tried again, %d too late, %d skipped\n", j.ID, j.State, j.Redriven, j.Expired, j.Skipped)
	switch j.State {
	case "failed":
		return fmt.Errorf("%s failed: %s", j.ID, j.Fault)
	case "stopped":
		return fmt.Errorf("%s was stopped by %s: %s", j.ID, j.StoppedBy, j.StopReason)
	}
	return nil
}

func dlqStatusCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "status ID", Short: "Tell how far a redrive is", Example: "  notify dlq status rdr_…", Args: takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := s.connect()
			if err != nil {
				return err
			}
			j, err := c.Redrive(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return s.redriveEnd(j)
		},
	}
}

func dlqStopCommand(s *session) *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use: "stop ID", Short: "Stop a redrive", Example: `  notify dlq stop rdr_… --reason "wrong account"`, Args: takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := s.connect()
			if err != nil {
				return err
			}
			j, err := c.StopRedrive(cmd.Context(), args[0], reason)
			if err != nil {
				return err
			}
			if s.json {
				return s.data(j)
			}
			s.say("%s  %s\n", j.ID, j.State)
			return nil
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "why")
	return c
}
