package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/opennotify/notify/client"
)

func throttlesCommand(s *session) *cobra.Command {
	r := client.ThrottlesRequest{}
	var span timeSpan
	c := &cobra.Command{
		Use:   "throttles",
		Short: "Tell in which seconds accounts were at their limits, and who held the quota",
		Long: `Tell in which seconds accounts were at their limits or throttled by their provider, and which tenants and
templates held the quota: the throttle ledger, kept 30 days, of at most 6 hours at once. PUT OFF are messages that
had to wait for it; they used up no attempt.`,
		Example: `  notify stats throttles
  notify stats throttles --account tencent-main --since 2h
  notify stats throttles --json | jq '.tenants'`,
		Args: takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := s.connect()
			if err != nil {
				return err
			}
			if r.From, r.To, err = span.read(s.now()); err != nil {
				return err
			}
			l, err := c.Throttles(cmd.Context(), r)
			if err != nil {
				return err
			}
			if s.json {
				return s.data(l)
			}
			s.ledger(l)
			return nil
		},
	}
	span.flags(c)
	c.Flags().StringVar(&r.Account, "account", "", "only of this account")
	c.Flags().IntVar(&r.Limit, "limit", 0, "how many seconds, the newest first (default 100)")
	return c
}

func (s *session) ledger(l *client.Throttles) {
	if l.Seconds == 0 {
		s.tell("nobody was put off from %s to %s\n", clock(l.From), clock(l.To))
		return
	}
	s.say("%s to %s: %d seconds, %d messages put off, %d calls refused by the provider\n", clock(l.From), clock(l.To), l.Seconds, l.PutOff, l.Refused)
	s.field("tenants", parts(l.Tenants))
	s.field("templates", parts(l.Templates))
	s.field("waiting", parts(l.Waiting))
	rows := [][]any{{"SECOND", "ACCOUNT", "CALLS", "PUT OFF", "REFUSED", "HELD BY", "TEMPLATES"}}
	for _, t := range l.Items {
		rows = append(rows, []any{t.At.Local().Format(time.DateTime), t.Account, t.Calls, t.PutOff, t.Refused, parts(t.Tenants), parts(t.Templates)})
	}
	s.table(rows)
}

func parts(list []client.QuotaPart) string {
	out := make([]string, len(list))
	for i, p := range list {
		out[i] = fmt.Sprintf("%s %d", p.Name, p.N)
	}
	return strings.Join(out, ", ")
}
