package main

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/opennotify/notify/client"
)

func auditCommand(s *session) *cobra.Command {
	f := client.AuditFilter{Limit: 100}
	var span timeSpan
	most := 0
	c := &cobra.Command{
		Use:   "audit",
		Short: "Tell who changed what, when and why",
		Long: `Tell who changed what, when and why, the newest first: every version of what is edited, and what people and
operators' keys did by hand: to messages, campaigns and addresses, and what they tried and uploaded. Without a time
it is the last 7 days; at once it is at most 92. With --json each entry is one line, printed as it is found, with
every value that it changed.`,
		Example: `  notify audit --since 24h
  notify audit --by user:li --what deleted
  notify audit --kind route --name otp --from 2026-01-01T00:00:00Z
  notify audit --what revealed --json | jq -r '[.at, .by, .name, .reason] | @tsv'`,
		Args: takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := s.connect()
			if err != nil {
				return err
			}
			if f.From, f.To, err = span.read(s.now()); err != nil {
				return err
			}
			head := []any{"WHEN", "WHO", "DID", "TO", "NAME", "CHANGES", "WHY"}
			return list(s, c.AllAudit(cmd.Context(), f), most, "nothing was done", head, func(e *client.AuditEntry) []any {
				return []any{clock(e.At), e.By, e.What, e.Kind, e.Name, cmp.Or(changed(e), "-"), e.Reason}
			})
		},
	}
	span.flags(c)
	c.Flags().StringVar(&f.By, "by", "", "only what this one did: key:<id> or user:<name>, or what follows the colon")
	c.Flags().StringVar(&f.What, "what", "", "only this: made, changed, deleted, revealed, cancelled, resent, tried, …")
	c.Flags().StringVar(&f.Kind, "kind", "", "only to this kind: tenant, template, account, route, message, address, …")
	c.Flags().StringVar(&f.Name, "name", "", "only where the name has this in it")
	c.Flags().IntVar(&most, "limit", 0, "at most so many; 0 is all")
	return c
}

// shownChanges is how many values a line has room for.
const shownChanges = 2

// changed says in a line what an entry changed.
func changed(e *client.AuditEntry) string {
	if e.What == "made" || e.What == "deleted" {
		return fmt.Sprintf("%d values", len(e.Changes))
	}
	var out []string
	for i, c := range e.Changes {
		if i == shownChanges {
			out = append(out, fmt.Sprintf("and %d more", len(e.Changes)-i))
			break
		}
		text := strings.TrimPrefix(c.Path, "/") + " " + cmp.Or(plain(c.Before), plain(c.After))
		if c.Before != "" {
			text += " → " + cmp.Or(plain(c.After), "-")
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

// plain is a JSON value as people read it.
func plain(value string) string {
	if text, err := strconv.Unquote(value); err == nil {
		return text
	}
	return value
}

func revealCommand(s *session) *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use:   "reveal ID",
		Short: "Show the recipient of a message in full",
		Long: `Show the recipient of a message in full, which everything else masks. Who asked, when and why is kept in the audit
before it is shown. It needs a key with the scope reveal, or admin.`,
		Example: `  notify reveal msg_… --reason "the user calls"`,
		Args:    takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := s.connect()
			if err != nil {
				return err
			}
			to, err := c.Reveal(cmd.Context(), args[0], reason)
			if err != nil {
				return err
			}
			if s.json {
				return s.data(map[string]string{"to": to})
			}
			s.say("%s\n", to)
			return nil
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "why: it is kept")
	return c
}
