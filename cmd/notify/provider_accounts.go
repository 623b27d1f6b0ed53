package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/opennotify/notify/client"
)

func providerAccountsCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use:   "accounts [PROVIDER]",
		Short: "List the accounts, and how they do right now",
		Long: `List the accounts, of one provider or of all, and how they do right now: whether they work, how much of their
limits is used, and when their provider was last asked what became of messages (ASKED; - where it tells by itself,
or is asked about each message).`,
		Example: `  notify provider accounts
  notify provider accounts tencent-sms --json | jq '.[] | {name, polls: .health.polls}'`,
		Args: takes(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := s.connect()
			if err != nil {
				return err
			}
			all, err := c.Accounts(cmd.Context())
			if err != nil {
				return err
			}
			list := []client.Account{}
			rows := [][]any{{"ACCOUNT", "PROVIDER", "CHANNEL", "STATE", "USED", "ASKED"}}
			for i := range all {
				a := &all[i]
				if len(args) == 0 || a.Provider == args[0] {
					list = append(list, *a)
					rows = append(rows, []any{a.Name, a.Provider, a.Channel, accountState(a), accountUse(a), accountAsked(a)})
				}
			}
			if s.json {
				return s.data(list)
			}
			if len(list) == 0 {
				s.tell("no accounts\n")
				return nil
			}
			s.table(rows)
			return nil
		},
	}
}

func accountState(a *client.Account) string {
	switch h := a.Health; {
	case a.Off:
		return "off"
	case h == nil || h.State == "closed":
		return "works"
	case h.State == "open":
		return "fails since " + clock(h.Since)
	default:
		return fmt.Sprintf("coming back, %.0f %%", h.Share*100)
	}
}

func accountUse(a *client.Account) string {
	if a.Health == nil || len(a.Health.Used) == 0 {
		return "-"
	}
	out := make([]string, len(a.Health.Used))
	for i, u := range a.Health.Used {
		out[i] = fmt.Sprintf("%d of %d a %s", u.Used, u.Limit, u.Window)
	}
	return strings.Join(out, ", ")
}

func accountAsked(a *client.Account) string {
	if a.Health == nil || a.Health.Polls == nil {
		return "-"
	}
	p := a.Health.Polls
	text := "never yet"
	if !p.Last.IsZero() {
		text = clock(p.Last)
	}
	if p.Failures > 0 {
		text += fmt.Sprintf(" (no answer, %d in a row; next %s)", p.Failures, clock(p.Next))
	}
	return text
}
