package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/opennotify/notify/pkg/local"
	"github.com/opennotify/notify/pkg/telemetry"
	"github.com/opennotify/notify/pkg/telemetry/otlp"
	"github.com/opennotify/notify/pkg/wire"
)

// localCommand runs the whole service in this process.
func localCommand() *cobra.Command {
	var addr, data, level, stack string
	var asJSON, onAWS, create, birds bool
	c := &cobra.Command{
		Use:   "local",
		Short: "Run notify on this machine: API, workers, scheduler and dev inbox over one SQLite file",
		Long: `local runs everything in this process: API, console, workers, sweep and a dev inbox, over one SQLite file in the
data folder. With --aws it runs the same over DynamoDB, SQS, KMS and Secrets Manager, wherever AWS_ENDPOINT_URL
and your AWS credentials lead: beside the functions of a deployed stack, or alone in an emulator. It alarms as
CloudWatch does, see GET /v1/alarms; NOTIFY_SILENT_SECONDS says from when on silence is a fault.`,
		Example: `  notify local
  notify local --addr 127.0.0.1:9090 --data /tmp/notify
  NOTIFY_DATA=/tmp/notify notify local --json
  AWS_ENDPOINT_URL=http://127.0.0.1:4566 notify local --aws --create
  notify local --aws --stack notify-dev`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var l slog.Level
			if err := l.UnmarshalText([]byte(level)); err != nil {
				return fmt.Errorf("--log must be debug, info, warn or error, not %q", level)
			}
			log := telemetry.NewLogger(os.Stderr, l)
			outside, err := wire.ReadOutside(os.Getenv)
			if err != nil {
				return err
			}
			spans, err := otlp.Open(os.Getenv, time.Now)
			if err != nil {
				return err
			}
			log = slog.New(spans.Handler(log.Handler()))
			outside.Watch.Canary = birds
			o := local.Options{Addr: addr, Data: data, Log: log, Outside: outside}
			if spans != nil {
				o.Chores = []local.Chore{{What: "send spans", Every: time.Second, Do: spans.Flush, AtEnd: true}}
			}
			switch {
			case onAWS && birds:
				return errors.New("--canary goes without --aws: a stack sends canaries of its own, with Canary=on")
			case onAWS:
				o.World = func(ctx context.Context) (*local.World, error) { return awsWorld(ctx, log, stack, create) }
			case create || c.Flags().Changed("stack"):
				return errors.New("--stack and --create go with --aws")
			}
			n, err := local.Start(c.Context(), o)
			if err != nil {
				return err
			}
			if asJSON {
				fmt.Fprintln(c.OutOrStdout(), n.JSON())
			} else {
				fmt.Fprint(c.OutOrStdout(), n.Welcome())
			}
			return n.Run(c.Context())
		},
	}
	c.Flags().StringVar(&addr, "addr", cmp.Or(os.Getenv("NOTIFY_ADDR"), "127.0.0.1:8080"), "where to listen (NOTIFY_ADDR)")
	c.Flags().StringVar(&data, "data", dataFolder(), "the data folder (NOTIFY_DATA)")
	c.Flags().StringVar(&level, "log", "warn", "what is logged to standard error: debug, info, warn, error")
	c.Flags().BoolVar(&onAWS, "aws", false, "work on a stack on AWS, or in an emulator, in place of the file; the data folder then holds the demo key only")
	c.Flags().StringVar(&stack, "stack", cmp.Or(os.Getenv("NOTIFY_STACK"), "notify-local"), "the stack's name, with --aws (NOTIFY_STACK)")
	c.Flags().BoolVar(&create, "create", false, "make what is missing in the emulator at AWS_ENDPOINT_URL: table, key, queues, the demo tenant")
	c.Flags().BoolVar(&birds, "canary", switchedOn(os.Getenv("NOTIFY_CANARY")), "send a message every five minutes through the API, and alarm when none comes through; within the demo tenant, or as canary.json in the data folder says (NOTIFY_CANARY)")
	c.Flags().BoolVar(&asJSON, "json", false, "print one line of JSON instead of the welcome")
	c.AddCommand(backupCommand(), restoreCommand())
	return c
}

// switchedOn reads a switch of the environment: anything is on, but for what says that it is not.
func switchedOn(text string) bool {
	return !slices.Contains([]string{"", "0", "false", "off", "no"}, strings.ToLower(text))
}
