package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/opennotify/notify/client"
)

func eraseCommand(s *session) *cobra.Command {
	r := client.EraseRequest{}
	list, yes := false, false
	c := &cobra.Command{
		Use:   "erase ADDRESS",
		Short: "Forget a recipient: blank the address and content of every message to it",
		Long: `Forget a recipient. What waits is cancelled; of every message to the address the address, the variables and the
content are blanked. That something was sent stays, with its end, and so do suppressions, which know a hash. The
answer is the proof, and is kept: --list shows all. It needs an admin key, and cannot be undone.`,
		Example: `  notify erase +8613800138000 --reason "request 2026-17"
  notify erase ou_84aad35d08 --channel feishu --tenant shop --reason "left the company" --yes
  notify erase --list`,
		Args: takes(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := s.connect()
			switch {
			case err != nil:
				return err
			case list != (len(args) == 0):
				return errors.New("name one address, or say --list")
			case list:
				all, err := c.Erasures(cmd.Context())
				if err != nil {
					return err
				}
				return s.erasures(all)
			}
			if !yes {
				if err := s.confirm(args[0], "forget this recipient; it cannot be undone"); err != nil {
					return err
				}
			}
			r.Address = args[0]
			e, err := c.Erase(cmd.Context(), r)
			if err != nil {
				return err
			}
			return s.erasures([]client.Erasure{*e})
		},
	}
	c.Flags().StringVar((*string)(&r.Channel), "channel", "", "the channel, where the address does not tell its kind; all with such addresses without it")
	c.Flags().StringVar(&r.Tenant, "tenant", "", "messages of this tenant only")
	c.Flags().StringVar(&r.Reason, "reason", "", "why: it is kept")
	c.Flags().BoolVar(&list, "list", false, "list who was forgotten, why and by whom")
	c.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return c
}

func (s *session) erasures(all []client.Erasure) error {
	if s.json {
		for _, e := range all {
			if err := s.data(e); err != nil {
				return err
			}
		}
		return nil
	}
	rows := [][]any{{"ERASED", "WHO", "MESSAGES", "CANCELLED", "LEFT", "BY", "WHY"}}
	for _, e := range all {
		rows = append(rows, []any{clock(e.ChangedAt), e.Address, e.Messages, e.Cancelled, e.Left, e.Author, e.Reason})
		if e.Left > 0 {
			s.tell("%d of %s were being sent just then; run it again\n", e.Left, e.Address)
		}
	}
	s.table(rows)
	return nil
}
