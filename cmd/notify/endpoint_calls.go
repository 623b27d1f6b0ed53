package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/opennotify/notify/client"
)

// The verbs about the calls of an endpoint.

func endpointTestCommand(s *session) *cobra.Command {
	return s.endpointVerb("test", "Send an endpoint an event of type endpoint.test", `  notify endpoint test shop/orders
  notify endpoint test shop/orders --json && notify endpoint attempts shop/orders`,
		func(cmd *cobra.Command, c *client.Client, tenant, name string) error {
			made, err := c.TestEndpoint(cmd.Context(), tenant, name)
			if err != nil {
				return err
			}
			if s.json {
				return s.data(made)
			}
			s.say("%s  %s\n", made.ID, s.status(made.Status))
			s.tell("next: notify endpoint attempts %s/%s\n", tenant, name)
			return nil
		})
}

func endpointAttemptsCommand(s *session) *cobra.Command {
	f := client.CallbackFilter{Limit: 20}
	since := time.Duration(0)
	c := s.endpointVerb("attempts", "List what an endpoint was sent, the newest first", `  notify endpoint attempts shop/orders
  notify endpoint attempts shop/orders --since 2h --json`,
		func(cmd *cobra.Command, c *client.Client, tenant, name string) error {
			if since > 0 {
				f.From = s.now().Add(-since)
			}
			page, err := c.Callbacks(cmd.Context(), tenant, name, f)
			if err != nil {
				return err
			}
			if s.json {
				return s.data(page)
			}
			rows := [][]any{{"MADE", "ID", "STATUS", "CALLS", "LAST ANSWER", "NEXT TRY"}}
			for i := range page.Items {
				cb := &page.Items[i]
				last := "-"
				if n := len(cb.Attempts); n > 0 {
					a := cb.Attempts[n-1]
					last = strings.Join(some(number("HTTP ", a.HTTPStatus), a.Code), " ")
				}
				rows = append(rows, []any{clock(cb.CreatedAt), cb.ID, s.status(cb.Status), cb.Calls, last, clock(cb.NextTryAt)})
			}
			s.table(rows)
			if page.Next != "" {
				s.tell("! there are more; see them with --limit or --since\n")
			}
			return nil
		})
	c.Flags().IntVar(&f.Limit, "limit", 20, "how many, 1 to 100")
	lengthVar(c.Flags(), &since, "since", "only those made since, as 2h")
	return c
}

func endpointResendCommand(s *session) *cobra.Command {
	var r client.ResendCallbacksRequest
	since := time.Duration(0)
	c := s.endpointVerb("resend", "Tell an endpoint again: of one message, or of all that it missed", `  notify endpoint resend shop/orders --since 2h
  notify endpoint resend shop/orders --since 24h --all
  notify endpoint resend shop/orders --id msg_…`,
		func(cmd *cobra.Command, c *client.Client, tenant, name string) error {
			if (r.ID == "") == (since == 0) {
				return errors.New("say which: --id of a message or a callback, or --since a time, as 2h")
			}
			if since > 0 {
				r.From, r.To = s.now().Add(-since), s.now()
			}
			sum := client.Resent{}
			for {
				page, err := c.ResendCallbacks(cmd.Context(), tenant, name, r)
				if err != nil {
					return err
				}
				sum.Matched, sum.Made, sum.Callback = sum.Matched+page.Matched, sum.Made+page.Made, page.Callback
				if r.After = page.Next; r.After == "" {
					break
				}
			}
			if s.json {
				return s.data(sum)
			}
			if sum.Callback != nil {
				s.say("%s  %s\n", sum.Callback.ID, s.status(sum.Callback.Status))
				return nil
			}
			s.say("%d of %d are sent again\n", sum.Made, sum.Matched)
			return nil
		})
	c.Flags().StringVar(&r.ID, "id", "", "a message, or one callback")
	lengthVar(c.Flags(), &since, "since", "those made since, as 2h: what did not arrive")
	c.Flags().BoolVar(&r.All, "all", false, "with --since: those that arrived, too")
	return c
}

func endpointDeleteCommand(s *session) *cobra.Command {
	reason := ""
	c := s.endpointVerb("delete", "Delete an endpoint: it is told nothing more", `  notify endpoint delete shop/orders --reason "the shop is closed"
  notify endpoint delete shop/orders`,
		func(cmd *cobra.Command, c *client.Client, tenant, name string) error {
			have, err := c.Endpoint(cmd.Context(), tenant, name)
			if err != nil {
				return err
			}
			if err := c.DeleteEndpoint(cmd.Context(), tenant, name, have.Version, reason); err != nil {
				return err
			}
			if s.json {
				return s.data(map[string]string{"deleted": fmt.Sprintf("%s/%s", tenant, name)})
			}
			s.say("%s/%s  deleted\n", tenant, name)
			return nil
		})
	c.Flags().StringVar(&reason, "reason", "", "why, for the history")
	return c
}
