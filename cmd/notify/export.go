package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/opennotify/notify/client"
)

// keptRecords is how long the record of a message is kept at the longest: an export without a span reaches as far.
const keptRecords = 180 * 24 * time.Hour

func exportCommand(s *session) *cobra.Command {
	r := client.SearchRequest{}
	var span timeSpan
	details := false
	c := &cobra.Command{
		Use:   "export",
		Short: "Write out a tenant's messages, one line of JSON each",
		Long: `Write out every message of a tenant that is still kept, the newest first, one line of JSON each. Addresses are
masked, as everywhere. --details adds each message's timeline and content, at one more request a message. What
templates, routes and schedules a tenant has comes from notify template pull and from the API.`,
		Example: `  notify export --tenant shop > shop.jsonl
  notify export --tenant shop --from 2026-01-01T00:00:00Z --to 2026-02-01T00:00:00Z --details > january.jsonl
  notify export --tenant shop --status failed --since 24h | jq -r .reference`,
		Args: takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if r.Tenant == "" {
				return errors.New("--tenant is required: whose messages")
			}
			c, err := s.connect()
			if err != nil {
				return err
			}
			if r.From, r.To, err = span.read(s.now()); err != nil {
				return err
			}
			all, err := c.Tenants(cmd.Context())
			if err != nil {
				return err
			}
			if !slices.ContainsFunc(all, func(t client.Tenant) bool { return t.Name == r.Tenant }) { // of a misspelt one nothing would be written out
				return fmt.Errorf("this key sees no tenant %q", r.Tenant)
			}
			if r.From.IsZero() {
				r.From = s.now().Add(-keptRecords)
			}
			r.Limit = 200
			n := 0
			for m, err := range c.All(cmd.Context(), r) {
				if err == nil && details {
					m, err = c.Get(cmd.Context(), m.ID)
				}
				if err != nil {
					return err
				}
				if err := s.data(m); err != nil {
					return err
				}
				n++
			}
			s.tell("%d messages\n", n)
			return nil
		},
	}
	c.Flags().StringVar(&r.Tenant, "tenant", "", "whose messages")
	c.Flags().StringVar((*string)(&r.Status), "status", "", "those with this status only")
	c.Flags().StringVar((*string)(&r.Channel), "channel", "", "those over this channel only")
	c.Flags().BoolVar(&details, "details", false, "with timeline and content")
	span.flags(c)
	return c
}
