package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/opennotify/notify/client"
)

// ofTemplate is a verb about one template.
func (s *session) ofTemplate(use, short, long, example string, most int, do func(ctx context.Context, c *client.Client, tenant, name string, args []string) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Long: long, Example: example, Args: takes(1, most),
		RunE: func(cmd *cobra.Command, args []string) error {
			tenant, name, ok := strings.Cut(args[0], "/")
			if !ok || tenant == "" || name == "" {
				return fmt.Errorf("name the template as TENANT/NAME, not %q; notify template list shows them", args[0])
			}
			c, err := s.connect()
			if err != nil {
				return err
			}
			return do(cmd.Context(), c, tenant, name, args)
		}}
}

func templatePublishCommand(s *session) *cobra.Command {
	var version int
	var reason string
	c := s.ofTemplate("publish TENANT/NAME", "Put a version in force: a new one, or an older one again", `Put a version in force: the newest, or with --version an older one again. What was accepted keeps the version that
it was accepted with. Where the tenant wants a second person for sms and marketing, a new version is published by
somebody else than its author; an older one may be restored by anybody.`,
		`  notify template publish shop/spring-sale --reason "approved"
  notify template publish shop/spring-sale --version 3 --reason "version 4 has the wrong price"`, 1,
		func(ctx context.Context, c *client.Client, tenant, name string, _ []string) error {
			if version == 0 {
				head, err := c.Template(ctx, tenant, name)
				if err != nil {
					return err
				}
				version = head.Version
			}
			t, err := c.PublishTemplate(ctx, tenant, name, version, reason)
			if err != nil {
				return err
			}
			if s.json {
				return s.data(t)
			}
			s.say("%s/%s: published v%d\n", t.Tenant, t.Name, t.Published)
			for _, w := range t.Warnings {
				s.tell("warning: %s\n", w)
			}
			return nil
		})
	c.Flags().IntVar(&version, "version", 0, "which; the newest without it")
	c.Flags().StringVar(&reason, "reason", "", "why, for the history")
	return c
}

func templateTryCommand(s *session) *cobra.Command {
	r := client.TestAccountRequest{}
	var account, vars string
	c := s.ofTemplate("try TENANT/NAME TO [name=value…]", "Send one real message with a version, a draft too, over one account", `Send one real message with a version over one account, whatever routes say: to yourself, before it is published. It
is marked as a trial and names your key. A variable without a value takes the template's example. Exit code: 0 when
the provider took it, 3 when not.`,
		`  notify template try shop/spring-sale +8613800138000 --account tencent-main
  notify template try shop/spring-sale +8613800138000 --account tencent-main --version 4 name=李雷`, -1,
		func(ctx context.Context, c *client.Client, tenant, name string, args []string) error {
			if account == "" || len(args) < 2 {
				return errors.New("say over which account, with --account, and to which address")
			}
			if r.Version == 0 {
				head, err := c.Template(ctx, tenant, name)
				if err != nil {
					return err
				}
				r.Version = head.Version
			}
			v, err := c.TemplateVersion(ctx, tenant, name, r.Version)
			if err != nil {
				return err
			}
			given, err := s.variables(vars, args, 2)
			if err != nil {
				return err
			}
			r.Tenant, r.To, r.Template, r.Vars = tenant, args[1], name, examples(v, given)
			t, err := c.TestAccount(ctx, account, r)
			if err != nil {
				return err
			}
			return s.trial(account, t)
		})
	c.Flags().StringVar(&account, "account", "", "over which account")
	c.Flags().IntVar(&r.Version, "version", 0, "which; the newest without it")
	c.Flags().StringVar(&r.Locale, "locale", "", "of the template, as zh or en; without it the tenant's")
	c.Flags().StringVar(&r.Reason, "reason", "", "why, for the timeline")
	c.Flags().StringVar(&vars, "vars", "", "the variables as a JSON object: @file, or - for standard input")
	return c
}

// examples are the variables that were given, and the template's examples of the others.
func examples(v *client.TemplateVersion, given map[string]any) map[string]any {
	for _, x := range v.Variables {
		if _, there := given[x.Name]; there || x.Example == "" {
			continue
		}
		switch x.Type {
		case "number":
			given[x.Name] = json.Number(x.Example)
		case "boolean":
			given[x.Name] = x.Example == "true"
		case "list":
			continue
		default:
			given[x.Name] = x.Example
		}
	}
	return given
}

func templateUsesCommand(s *session) *cobra.Command {
	var version int
	c := s.ofTemplate("uses TENANT/NAME", "Say what sends with a template: schedules, campaigns, waiting messages", "", `  notify template uses shop/spring-sale
  notify template uses shop/spring-sale --version 4`, 1,
		func(ctx context.Context, c *client.Client, tenant, name string, _ []string) error {
			u, err := c.TemplateUses(ctx, tenant, name, version)
			if err != nil {
				return err
			}
			n, err := stopAll(ctx, c, client.StopRequest{Tenant: tenant, Template: tenant + "/" + name, Version: version, DryRun: true})
			if err != nil {
				return err
			}
			if s.json {
				return s.data(struct {
					*client.TemplateUses
					Waiting int `json:"waiting"`
				}{u, n.Matched})
			}
			s.uses(u)
			s.say("%d messages wait\n", n.Matched)
			return nil
		})
	c.Flags().IntVar(&version, "version", 0, "only with this one")
	return c
}

func (s *session) uses(u *client.TemplateUses) {
	rows := [][]any{}
	for _, x := range u.Schedules {
		state := "on"
		if x.Paused {
			state = "paused"
		}
		version := "what is published"
		if x.TemplateVersion > 0 {
			version = fmt.Sprint("v", x.TemplateVersion)
		}
		rows = append(rows, []any{"schedule", x.Tenant + "/" + x.Name, version, state})
	}
	for _, r := range u.Runs {
		rows = append(rows, []any{"campaign", r.ID, fmt.Sprint("v", r.TemplateVersion), r.State, strings.Join(some(r.Title, r.Schedule), ", ")})
	}
	s.table(rows)
}

func templateStopCommand(s *session) *cobra.Command {
	var version int
	var reason string
	var dry, yes bool
	c := s.ofTemplate("stop TENANT/NAME", "Stop the press: everything that waits with a version, and the campaigns that make more of it", `Stop the press: cancel the tenant's messages that wait with a version and no provider has yet, and stop the
campaigns and runs that make more of them, for good. You are asked for the number of messages. Schedules are only
shown: they send with what is published next, so restore an older version with notify template publish, or pause
them.`,
		`  notify template stop shop/spring-sale --version 4 --dry-run
  notify template stop shop/spring-sale --version 4 --reason "wrong price"`, 1,
		func(ctx context.Context, c *client.Client, tenant, name string, _ []string) error {
			if version < 1 {
				return errors.New("say which version, with --version; notify template uses shows what sends with each")
			}
			r := client.StopRequest{Tenant: tenant, Template: tenant + "/" + name, Version: version, DryRun: true, Reason: reason}
			u, err := c.TemplateUses(ctx, tenant, name, version)
			if err != nil {
				return err
			}
			n, err := stopAll(ctx, c, r)
			if err != nil {
				return err
			}
			s.uses(u)
			if s.say("%d messages wait\n", n.Matched); dry || n.Matched == 0 && len(u.Runs) == 0 {
				return nil
			}
			if !yes {
				if err := s.confirm(n.Matched, "stop them"); err != nil {
					return err
				}
			}
			return s.stopPress(ctx, c, tenant, name, r)
		})
	c.Flags().IntVar(&version, "version", 0, "which version")
	c.Flags().StringVar(&reason, "reason", "", "why, for the records")
	c.Flags().BoolVar(&dry, "dry-run", false, "only say what that would be")
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return c
}

// stopPress stops first what makes messages, then the messages, until none is left.
func (s *session) stopPress(ctx context.Context, c *client.Client, tenant, name string, r client.StopRequest) error {
	u, err := c.StopTemplate(ctx, tenant, name, r.Version, r.Reason)
	if err != nil {
		return err
	}
	r.DryRun = false
	sum, err := stopAll(ctx, c, r)
	if err != nil {
		return err
	}
	if s.json {
		return s.data(struct {
			Runs []client.UsingRun `json:"runs"`
			client.StopAnswer
		}{u.Runs, sum})
	}
	s.say("%d campaigns stopped, %d messages cancelled, %d were too late\n", len(u.Runs), sum.Cancelled, sum.TooLate)
	return nil
}

// stopAll stops, or counts, all that matches, a part with each call.
func stopAll(ctx context.Context, c *client.Client, r client.StopRequest) (sum client.StopAnswer, err error) {
	for sum.DryRun = r.DryRun; ; {
		n, err := c.Stop(ctx, r)
		if err != nil {
			return sum, err
		}
		sum.Matched, sum.Cancelled, sum.TooLate = sum.Matched+n.Matched, sum.Cancelled+n.Cancelled, sum.TooLate+n.TooLate
		if r.After = n.Next; n.Next == "" {
			return sum, nil
		}
	}
}
