package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/opennotify/notify/client"
)

func cancelCommand(s *session) *cobra.Command {
	return s.steering("cancel ID", "Cancel a message that is not with a provider yet", `Cancel a message that is not with a provider yet. What waits with a template is stopped by notify template stop,
what a campaign made by notify campaign cancel. The reason is in the timeline, and in the audit.`,
		`  notify cancel msg_… --reason "wrong price"`, (*client.Client).Cancel)
}

func resendCommand(s *session) *cobra.Command {
	return s.steering("resend ID", "Send a message again, as a new one", `Send a message again, as a new one: with the template's version of now, and past the window for equal content. A
one-time code cannot be, as it is blanked at its end. The reason is in the new message's timeline, and in the audit.`,
		`  notify resend msg_… --reason "the user never got it"`, (*client.Client).Resend)
}

// steering is a verb that does something to a message and shows the one that came of it.
func (s *session) steering(use, short, long, example string, do func(c *client.Client, ctx context.Context, id, reason string) (*client.Sent, error)) *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use: use, Short: short, Long: long, Example: example,
		Args: takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := s.connect()
			if err != nil {
				return err
			}
			m, err := do(c, cmd.Context(), args[0], reason)
			if err != nil {
				return err
			}
			if s.json {
				return s.data(m)
			}
			s.say("%s  %s\n", m.ID, s.status(m.Status))
			s.tell("next: notify trace %s\n", m.ID)
			return nil
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "why: it is kept")
	return c
}
