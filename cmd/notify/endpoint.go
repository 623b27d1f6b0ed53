package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/opennotify/notify/client"
)

func endpointCommand(s *session) *cobra.Command {
	return group("endpoint", "Say where a tenant is told what becomes of its messages, and see how that goes", `  notify endpoint list
  notify endpoint put shop/orders --to https://shop.example.com/notify > secret
  notify endpoint test shop/orders
  notify endpoint attempts shop/orders
  notify endpoint resend shop/orders --since 2h`,
		endpointListCommand(s), endpointShowCommand(s), endpointPutCommand(s), endpointRotateCommand(s), endpointTestCommand(s),
		endpointAttemptsCommand(s), endpointResendCommand(s), endpointDeleteCommand(s))
}

// endpointName reads TENANT/NAME.
func endpointName(arg string) (tenant, name string, err error) {
	tenant, name, ok := strings.Cut(arg, "/")
	if !ok || tenant == "" || name == "" || strings.Contains(name, "/") {
		return "", "", fmt.Errorf("%q is no endpoint; write it as TENANT/NAME, as in shop/orders", arg)
	}
	return tenant, name, nil
}

// endpointVerb is a verb about one endpoint.
func (s *session) endpointVerb(use, short, example string, do func(cmd *cobra.Command, c *client.Client, tenant, name string) error) *cobra.Command {
	return &cobra.Command{Use: use + " TENANT/NAME", Short: short, Example: example, Args: takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			tenant, name, err := endpointName(args[0])
			if err != nil {
				return err
			}
			c, err := s.connect()
			if err != nil {
				return err
			}
			return do(cmd, c, tenant, name)
		}}
}

func endpointListCommand(s *session) *cobra.Command {
	tenant := ""
	c := &cobra.Command{
		Use: "list", Aliases: []string{"ls"},
		Short: "List the endpoints that the key may know of",
		Example: `  notify endpoint list
  notify endpoint list --tenant shop --json`,
		Args: takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := s.connect()
			if err != nil {
				return err
			}
			all, err := c.Endpoints(cmd.Context(), tenant)
			if err != nil {
				return err
			}
			if s.json {
				return s.data(all)
			}
			rows := [][]any{{"ENDPOINT", "STATE", "EVENTS", "TO"}}
			for i := range all {
				e := &all[i]
				rows = append(rows, []any{e.Tenant + "/" + e.Name, stateOf(e), eventsOf(e), goesTo(e)})
			}
			s.table(rows)
			return nil
		},
	}
	c.Flags().StringVar(&tenant, "tenant", "", "only this tenant's")
	return c
}

func endpointShowCommand(s *session) *cobra.Command {
	return s.endpointVerb("show", "Show an endpoint, and how it has answered of late", `  notify endpoint show shop/orders
  notify endpoint show shop/orders --json`,
		func(cmd *cobra.Command, c *client.Client, tenant, name string) error {
			e, err := c.Endpoint(cmd.Context(), tenant, name)
			if err != nil {
				return err
			}
			h, err := c.EndpointHealth(cmd.Context(), tenant, name)
			if err != nil {
				return err
			}
			if s.json {
				return s.data(struct {
					*client.Endpoint
					Health *client.EndpointHealth `json:"health"`
				}{e, h})
			}
			s.say("%s/%s  %s\n", e.Tenant, e.Name, stateOf(e))
			s.field("to", goesTo(e))
			s.field("events", eventsOf(e))
			if !h.LastSuccessAt.IsZero() {
				s.field("last took one", clock(h.LastSuccessAt))
			}
			if !h.FailingSince.IsZero() {
				s.field("failing", strings.Join(some("since "+clock(h.FailingSince), number("", h.Failures, " failures"), number("HTTP ", h.LastStatus), h.LastCode), ", "))
			}
			return nil
		})
}

func endpointPutCommand(s *session) *cobra.Command {
	var r client.PutEndpointRequest
	var events []string
	c := s.endpointVerb("put", "Make an endpoint, or change one; a new one's secret is printed this once", `  notify endpoint put shop/orders --to https://shop.example.com/notify > secret
  notify endpoint put shop/orders --to https://shop.example.com/notify --events delivered,failed
  notify endpoint put shop/orders --to https://shop.example.com/notify --off --reason "moving"`,
		func(cmd *cobra.Command, c *client.Client, tenant, name string) error {
			if r.URL == "" {
				return errors.New("say where it is with --to https://…")
			}
			for _, e := range events {
				r.Events = append(r.Events, client.Status(strings.TrimSpace(e)))
			}
			have, err := c.Endpoint(cmd.Context(), tenant, name)
			var refused *client.Error
			switch {
			case errors.As(err, &refused) && refused.Status == http.StatusNotFound:
			case err != nil:
				return err
			default:
				r.Version = have.Version
			}
			made, err := c.PutEndpoint(cmd.Context(), tenant, name, r)
			if err != nil {
				return err
			}
			return s.secret(made, "kept")
		})
	f := c.Flags()
	f.StringVar(&r.URL, "to", "", "its address: https, and public")
	f.StringSliceVar(&events, "events", nil, "what it is told: sent, in_doubt, or statuses in which a message ends; all of the latter without it")
	f.BoolVar(&r.Off, "off", false, "it is told nothing for now")
	f.StringVar(&r.Reason, "reason", "", "why, for the history")
	return c
}

func endpointRotateCommand(s *session) *cobra.Command {
	var r client.RotateEndpointRequest
	both := 0
	c := s.endpointVerb("rotate", "Give an endpoint a new secret; the old one signs too, for a day", `  notify endpoint rotate shop/orders > secret
  notify endpoint rotate shop/orders --both-seconds 0 --reason "leaked"`,
		func(cmd *cobra.Command, c *client.Client, tenant, name string) error {
			have, err := c.Endpoint(cmd.Context(), tenant, name)
			if err != nil {
				return err
			}
			if r.Version = have.Version; cmd.Flags().Changed("both-seconds") {
				r.BothSeconds = &both
			}
			made, err := c.RotateEndpoint(cmd.Context(), tenant, name, r)
			if err != nil {
				return err
			}
			return s.secret(made, "rotated")
		})
	c.Flags().IntVar(&both, "both-seconds", 0, "how long the old secret signs, too; a day without it")
	c.Flags().StringVar(&r.Reason, "reason", "", "why, for the history")
	return c
}

// secret prints an endpoint's new secret alone on standard output.
func (s *session) secret(e *client.EndpointSecret, did string) error {
	if s.json {
		return s.data(struct {
			client.Endpoint
			Secret string `json:"secret,omitzero"`
		}{e.Endpoint, string(e.Secret)})
	}
	if e.Secret != "" {
		s.say("%s\n", string(e.Secret))
	}
	s.tell("%s/%s %s, %s\n", e.Tenant, e.Name, did, stateOf(&e.Endpoint))
	if e.Secret != "" {
		s.tell("Store the secret now: it is not shown again. docs/clients.md shows how to verify with it.\n")
	}
	return nil
}

func stateOf(e *client.Endpoint) string {
	if e.Off {
		return "off (" + cmp.Or(e.OffWhy, "by_hand") + ")"
	}
	return "on"
}

func goesTo(e *client.Endpoint) string {
	if e.URL != "" {
		return e.URL
	}
	return "kept to be read until " + clock(e.Until)
}

func eventsOf(e *client.Endpoint) string {
	if len(e.Events) == 0 {
		return "all ends"
	}
	out := make([]string, len(e.Events))
	for i, v := range e.Events {
		out[i] = string(v)
	}
	return strings.Join(out, ",")
}
