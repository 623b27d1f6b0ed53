package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/opennotify/notify/client"
)

func providerCommand(s *session) *cobra.Command {
	return group("provider", "See what messages can be sent through, try accounts, add providers by recipe", `  notify provider list
  notify provider show tencent-sms --lang zh
  notify provider try tencent-main --to +8613800138000 --template login-code code=482913
  notify provider off tencent-main --reason "their status page says so"
  notify provider new acme-sms && notify provider push acme-sms`,
		providerListCommand(s), providerShowCommand(s), providerAccountsCommand(s), providerOffCommand(s), providerOnCommand(s), providerTryCommand(s), providerNewCommand(s), providerPushCommand(s))
}

func providerListCommand(s *session) *cobra.Command {
	channel := ""
	c := &cobra.Command{
		Use: "list", Aliases: []string{"ls"},
		Short: "List the providers that accounts can be made of, uploaded ones too",
		Example: `  notify provider list
  notify provider list --channel sms --json`,
		Args: takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := s.connect()
			if err != nil {
				return err
			}
			all, err := c.Providers(cmd.Context())
			if err != nil {
				return err
			}
			if channel != "" {
				all = slices.DeleteFunc(all, func(p client.Provider) bool { return !slices.Contains(p.Channels, client.Channel(channel)) })
			}
			if s.json {
				return s.data(all)
			}
			rows := [][]any{{"PROVIDER", "CHANNELS", "RECEIPTS", "DEDUP", "TITLE"}}
			for i := range all {
				p := &all[i]
				rows = append(rows, []any{p.Name, joined(p.Channels), heardOf(p), yes(p.Dedup), s.text(p.Title)})
			}
			s.table(rows)
			return nil
		},
	}
	c.Flags().StringVar(&channel, "channel", "", "only those that send on it")
	return c
}

func providerShowCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use:   "show PROVIDER",
		Short: "Show a provider: its form, limits, receipts, and what its codes mean",
		Example: `  notify provider show tencent-sms --lang zh
  notify provider show smtp --json | jq '.fields[].name'`,
		Args: takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := s.connect()
			if err != nil {
				return err
			}
			p, err := c.Provider(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if s.json {
				return s.data(p)
			}
			s.provider(p)
			return nil
		},
	}
}

// provider prints all that is known of one.
func (s *session) provider(p *client.Provider) {
	s.say("%s  %s\n", s.paint(bold, p.Name), s.text(p.Title))
	s.field("channels", joined(p.Channels))
	if p.Own != nil {
		s.field("address", p.Own.Address+", such as "+p.Own.Example)
	}
	s.field("limits", limitsOf(p.Limits))
	s.field("receipts", heardOf(p))
	if p.Polls != nil && p.Polls.Switch != "" {
		s.field("asked if", p.Polls.Switch+" is true")
	}
	s.field("dedup", yes(p.Dedup))
	if p.Uploaded > 0 {
		s.field("recipe", fmt.Sprintf("uploaded, v%d", p.Uploaded))
	}
	s.field("vendor", p.Docs)
	s.form("An account has", p.Fields)
	s.form("A template's binding has", p.Binding)
	if len(p.Codes) == 0 {
		return
	}
	s.say("\nIts codes:\n")
	rows := [][]any{}
	for _, code := range slices.Sorted(maps.Keys(p.Codes)) {
		means := s.text(p.Codes[code])
		if why := p.Suppresses[code]; why != "" {
			means += " (suppresses: " + why + ")"
		}
		rows = append(rows, []any{"  " + code, means})
	}
	s.table(rows)
}

// form prints the fields of an account or of a binding.
func (s *session) form(title string, fields []client.ProviderField) {
	if len(fields) == 0 {
		return
	}
	s.say("\n%s:\n", title)
	rows := [][]any{}
	for _, f := range fields {
		var is []string
		if f.Required {
			is = append(is, "required")
		}
		if f.Secret {
			is = append(is, "secret")
		}
		if f.Default != "" {
			is = append(is, "default "+f.Default)
		}
		kind := f.Type
		if len(f.Options) > 0 {
			kind = strings.Join(f.Options, "|")
		}
		help := s.text(f.Label)
		if more := s.text(f.Help); more != "" {
			help += ": " + more
		}
		rows = append(rows, []any{"  " + f.Name, kind, cmp.Or(strings.Join(is, ", "), "-"), help})
	}
	s.table(rows)
}

func (s *session) text(t client.Bilingual) string { return s.tr(t.Zh, t.En) }

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "-"
}

func joined(channels []client.Channel) string {
	out := make([]string, len(channels))
	for i, c := range channels {
		out[i] = string(c)
	}
	return strings.Join(out, ",")
}

// heardOf is how one hears what became of a provider's messages.
func heardOf(p *client.Provider) string {
	switch {
	case !p.Receipts:
		return "-"
	case p.Polls == nil:
		return "pushed"
	case p.Polls.Switch != "":
		return "pushed, polled"
	default:
		return "polled"
	}
}

func limitsOf(l client.ProviderLimits) string {
	var out []string
	for _, x := range []struct {
		n    int
		unit string
	}{{l.PerSecond, "a second"}, {l.PerMinute, "a minute"}, {l.PerDay, "a day"}, {l.Concurrency, "at once"}, {l.Payload, "bytes"},
		{l.Recipient.PerMinute, "a minute to one recipient"}, {l.Recipient.PerHour, "an hour to one recipient"}, {l.Recipient.PerDay, "a day to one recipient"}} {
		if x.n > 0 {
			out = append(out, fmt.Sprintf("%d %s", x.n, x.unit))
		}
	}
	return cmp.Or(strings.Join(out, ", "), "none that the vendor documents")
}
