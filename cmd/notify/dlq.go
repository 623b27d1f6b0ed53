package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/opennotify/notify/client"
)

func dlqCommand(s *session) *cobra.Command {
	return group("dlq", "See the messages whose attempts are used up, and try them again", `  notify dlq ls
  notify dlq retry msg_… --reason "balance topped up"
  notify dlq redrive --account tencent-main --since 2h --dry-run`,
		dlqListCommand(s), dlqRetryCommand(s), dlqRedriveCommand(s), dlqStatusCommand(s), dlqStopCommand(s))
}

func dlqListCommand(s *session) *cobra.Command {
	f := client.DeadFilter{}
	most := 0
	c := &cobra.Command{
		Use: "ls", Aliases: []string{"list"},
		Short: "List dead messages, the newest day first",
		Long: `List dead messages of the last 7 days, the newest day first. With --json each is one line, printed as it is
found.`,
		Example: `  notify dlq ls
  notify dlq ls --tenant shop --day 2026-01-02
  notify dlq ls --json | jq -r .id | xargs -n 1 notify dlq retry`,
		Args: takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := s.connect()
			if err != nil {
				return err
			}
			f.Limit = 100
			head := []any{"DIED", "ID", "TENANT", "TEMPLATE", "ACCOUNT", "ATTEMPTS", "WHY", "EXPIRES"}
			return list(s, c.AllDeadLetters(cmd.Context(), f), most, "no dead messages", head, func(d *client.DeadLetter) []any {
				return []any{clock(d.DiedAt), d.ID, d.Tenant, d.Template, d.Account, d.Attempts,
					strings.Join(some(d.Reason, d.Code, d.Text), ", "), clock(d.ExpiresAt)}
			})
		},
	}
	c.Flags().StringVar(&f.Tenant, "tenant", "", "only this tenant's")
	c.Flags().StringVar(&f.Channel, "channel", "", "only of this channel")
	c.Flags().StringVar(&f.Account, "account", "", "only of this account")
	c.Flags().StringVar(&f.Template, "template", "", "only of this template: tenant/name, or name with --tenant")
	c.Flags().StringVar(&f.Reason, "died-of", "", "only those that died of this, as the list says it first under WHY")
	c.Flags().StringVar(&f.Day, "day", "", "only those accepted on this day, in UTC, as 2026-01-02")
	c.Flags().IntVar(&most, "limit", 0, "at most so many; 0 is all")
	return c
}

func dlqRetryCommand(s *session) *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use:   "retry ID",
		Short: "Try a message again that is dead, failed or in doubt",
		Long: `Try a message again that is dead, failed or in doubt. It goes through its lane anew and keeps its expiry. One in
doubt may have been sent: it may then arrive twice.`,
		Example: `  notify dlq retry msg_… --reason "balance topped up"`,
		Args:    takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := s.connect()
			if err != nil {
				return err
			}
			d, err := c.RetryDeadLetter(cmd.Context(), args[0], reason)
			if err != nil {
				return err
			}
			if s.json {
				return s.data(d)
			}
			s.say("%s  %s\n", d.ID, s.status(d.Status))
			s.tell("next: notify trace %s\n", d.ID)
			return nil
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "why, for the timeline")
	return c
}
