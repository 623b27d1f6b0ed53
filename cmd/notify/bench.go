package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/opennotify/notify/pkg/cost"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/telemetry"
)

// bill is what AWS asks.
type bill struct {
	Kind     string      `json:"kind"`
	Messages int         `json:"messages"`
	Lines    []cost.Line `json:"lines"`
	Total    float64     `json:"total"`
	Metrics  int         `json:"metrics"` // custom metrics of the channels
	PerMonth float64     `json:"metrics_a_month"`
}

func benchCommand(s *session) *cobra.Command {
	return group("bench", "Tell what messages cost on AWS", "  notify bench cost --messages 30000000 --kind code", costCommand(s))
}

// costCommand computes; it asks nobody. Speed is measured by `make bench`, which needs the sources.
func costCommand(s *session) *cobra.Command {
	var kind string
	var channels []string
	b := bill{}
	c := &cobra.Command{
		Use:   "cost",
		Short: "Compute the bill of AWS for a number of messages",
		Long: `Compute what AWS asks for a number of messages, from the calls and write units that notify's tests count, at the
prices of us-east-1 without free tiers. What the providers ask comes on top, and is most of it. docs/cost.md has the
prices' sources, what is assumed, and what can be saved.`,
		Example: `  notify bench cost
  notify bench cost --messages 30000000 --kind code --channels sms,email
  notify bench cost --json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			k, ok := cost.Of(kind)
			if !ok {
				return fmt.Errorf("--kind must be one of %s", strings.Join(kinds(), ", "))
			}
			if b.Messages < 1 {
				return fmt.Errorf("--messages must be 1 or more")
			}
			var on []message.Channel
			for _, name := range channels {
				if _, known := message.Channel(name).Info(); !known {
					return fmt.Errorf("--channels: there is no channel %q", name)
				}
				on = append(on, message.Channel(name))
			}
			b.Kind, b.Lines = kind, cost.Bill(k)
			for i := range b.Lines {
				b.Lines[i].Dollars *= float64(b.Messages) / 1e6
			}
			b.Total, b.Metrics = cost.Total(b.Lines), len(telemetry.Published(on...))
			b.PerMonth = cost.Metrics(b.Metrics)
			return s.billed(k, &b)
		},
	}
	c.Flags().IntVar(&b.Messages, "messages", 1_000_000, "how many")
	c.Flags().StringVar(&kind, "kind", "plain", "how they are sent: "+strings.Join(kinds(), ", "))
	c.Flags().StringSliceVar(&channels, "channels", []string{"sms", "email", "webhook"}, "the channels that are on, for the metrics")
	return c
}

func kinds() (names []string) {
	for _, k := range cost.Kinds() {
		names = append(names, k.Name)
	}
	return names
}

func (s *session) billed(k cost.Kind, b *bill) error {
	if s.json {
		return s.data(b)
	}
	s.say("%d messages: %s\n\n", b.Messages, k.Title)
	for _, l := range b.Lines {
		s.say("%9.2f  %s: %s a message\n", l.Dollars, l.What, l.Of)
	}
	s.say("%9.2f  US dollars in all; providers come on top\n\n", b.Total)
	s.say("%9.2f  a month for %d metrics in CloudWatch\n", b.PerMonth, b.Metrics)
	return nil
}
