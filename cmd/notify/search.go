package main

import (
	"github.com/spf13/cobra"

	"github.com/opennotify/notify/client"
)

func searchCommand(s *session) *cobra.Command {
	r := client.SearchRequest{}
	var span timeSpan
	most := 0
	c := &cobra.Command{
		Use:   "search",
		Short: "List messages by their status, channel, template, reference, run",
		Long: `List messages, the newest first, each with what became of it in a sentence: of the last 7 days, unless a reference or
a run says which. What failed, is dead, in doubt, undelivered, bounced or complained of is found quickly; any other
status by looking at all messages. notify trace shows one of them with its timeline, and finds those to a recipient.
With --json each is one line, printed as it is found.`,
		Example: `  notify search --status failed --since 1h
  notify search --status in_doubt --channel sms
  notify search --status queued --tenant shop --since 30m
  notify search --reference order-4711 --json | jq -r .id`,
		Args: takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := s.connect()
			if err != nil {
				return err
			}
			if r.From, r.To, err = span.read(s.now()); err != nil {
				return err
			}
			r.Limit = 100
			head := []any{"ACCEPTED", "STATUS", "CHANNEL", "TEMPLATE", "ID", "WHAT BECAME OF IT"}
			return list(s, c.All(cmd.Context(), r), most, "no such messages", head, s.line)
		},
	}
	f := c.Flags()
	span.flags(c)
	f.StringVar((*string)(&r.Status), "status", "", "only those that are failed, dead, in_doubt, undelivered, bounced, expired, queued, …")
	f.StringVar(&r.Tenant, "tenant", "", "only this tenant's")
	f.StringVar((*string)(&r.Channel), "channel", "", "only of this channel")
	f.StringVar((*string)(&r.Class), "class", "", "only otp, transactional or marketing")
	f.StringVar(&r.Template, "template", "", "only of this template: tenant/name, or name")
	f.StringVar(&r.Reference, "reference", "", "only with this id of the caller's own")
	f.StringVar(&r.Run, "run", "", "only of this campaign, or run of a schedule")
	f.IntVar(&most, "limit", 50, "at most so many; 0 is all")
	return c
}
