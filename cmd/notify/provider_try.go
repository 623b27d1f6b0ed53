package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/opennotify/notify/client"
)

func providerTryCommand(s *session) *cobra.Command {
	var r client.TestAccountRequest
	vars := ""
	c := &cobra.Command{
		Use:   "try ACCOUNT [--to ADDRESS] [name=value…]",
		Short: "Try an account: its credentials, or with one real message",
		Long: `Try an account. Without --to its credentials are tried, and nothing is sent. With --to one message is really
sent, over exactly this account, whether it is on or off and whatever routes say; what the provider answered is
shown as it came, without secrets and addresses. Exit code 3: it does not work, or cannot be told to.`,
		Example: `  notify provider try tencent-main
  notify provider try tencent-main --to +8613800138000 --template login-code code=482913
  notify provider try alarm-bot --to alarms --text "is this on?" --json`,
		Args: takes(1, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			given, err := s.variables(vars, args, 1)
			if err != nil {
				return err
			}
			if r.Vars = given; len(given) == 0 {
				r.Vars = nil
			}
			if r.To == "" && (r.Template+r.Text != "" || len(r.Vars) > 0) {
				return errors.New("say who gets it with --to; without it nothing is sent")
			}
			c, err := s.connect()
			if err != nil {
				return err
			}
			got, err := c.TestAccount(cmd.Context(), args[0], r)
			if err != nil {
				return err
			}
			return s.trial(args[0], got)
		},
	}
	f := c.Flags()
	f.StringVar(&r.To, "to", "", "an address of the account's channel: one message is sent to it")
	f.StringVar(&r.Template, "template", "", "the template to send; needed on channels that send templates only")
	f.StringVar(&r.Text, "text", "", "a text to send instead; without either, one that says what it is")
	f.StringVar(&r.Locale, "locale", "", "the template's language")
	f.StringVar(&r.Tenant, "tenant", "", "in whose name; the key's without it")
	f.StringVar(&r.Reason, "reason", "", "why, for the timeline")
	f.StringVar(&vars, "vars", "", "the variables as a JSON object: @file, or - for standard input")
	return c
}

// trial prints what came of it, and gives the exit code.
func (s *session) trial(account string, t *client.AccountTest) error {
	if s.json {
		if err := s.data(t); err != nil {
			return err
		}
	}
	s.tried(account, t)
	if !t.OK {
		return exit(exitFailed)
	}
	return nil
}

// tried prints what came of it, for people.
func (s *session) tried(account string, t *client.AccountTest) {
	how := s.paint(green, "works")
	switch {
	case t.OK:
	case t.Sent == nil: // wrong, or nothing to ask
		how = s.paint(red, "credentials not confirmed")
	default:
		how = s.paint(red, "does not work")
	}
	s.say("%s  %s\n", account, how)
	if t.Detail != "" {
		s.field("says", t.Detail)
	}
	a := t.Sent
	if a == nil {
		return
	}
	s.field("message", a.ID)
	if a.Outcome == "" { // no answer yet, or none that will come
		s.field("status", strings.Join(some(string(a.Status), a.Reason), ", "))
	}
	s.field("outcome", a.Outcome)
	s.field("answer", strings.Join(some(number("HTTP ", a.HTTPStatus), prefixed("id ", a.ProviderID), prefixed("code ", a.Code), a.Text), ", "))
	if a.Says != nil {
		s.field("means", s.text(*a.Says))
	}
	s.tell("next: notify trace %s\n", a.ID)
}
