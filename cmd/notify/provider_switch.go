package main

import "github.com/spf13/cobra"

func providerOffCommand(s *session) *cobra.Command {
	return s.switching(true, "Take an account out of use", `Take an account out of use, within 30 seconds everywhere. What waits goes over the other accounts of its route; where
it was the channel's last, it waits, and what is asked for meanwhile is refused (channel_off). notify provider on
puts it back.`,
		`  notify provider off tencent-main --reason "their status page says so"`)
}

func providerOnCommand(s *session) *cobra.Command {
	return s.switching(false, "Put an account back into use", `Put an account back into use that was taken out with notify provider off, or in the console.`,
		`  notify provider on tencent-main --reason "works again"`)
}

func (s *session) switching(off bool, short, long, example string) *cobra.Command {
	var reason string
	state := map[bool]string{true: "off", false: "on"}[off]
	c := &cobra.Command{
		Use: state + " ACCOUNT", Short: short, Long: long, Example: example,
		Args: takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := s.connect()
			if err != nil {
				return err
			}
			a, err := c.SwitchAccount(cmd.Context(), args[0], off, reason)
			if err != nil {
				return err
			}
			if s.json {
				return s.data(a)
			}
			s.say("%s  %s\n", a.Name, state)
			s.tell("next: notify provider accounts %s\n", a.Provider)
			return nil
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "why, for the history")
	return c
}
