package main

import (
	"cmp"
	"fmt"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/opennotify/notify/pkg/local"
	"github.com/opennotify/notify/pkg/wire"
)

// localCommand runs the whole service in this process.
func localCommand() *cobra.Command {
	var addr, data, level string
	var asJSON bool
	c := &cobra.Command{
		Use:   "local",
		Short: "Run notify on this machine: API, workers, scheduler and dev inbox over one SQLite file",
		Example: `  notify local
  notify local --addr 127.0.0.1:9090 --data /tmp/notify
  NOTIFY_DATA=/tmp/notify notify local --json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var l slog.Level
			if err := l.UnmarshalText([]byte(level)); err != nil {
				return fmt.Errorf("--log must be debug, info, warn or error, not %q", level)
			}
			log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: l}))
			outside, err := wire.ReadOutside(os.Getenv)
			if err != nil {
				return err
			}
			n, err := local.Start(c.Context(), local.Options{Addr: addr, Data: data, Log: log, Outside: outside})
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
	c.Flags().StringVar(&data, "data", cmp.Or(os.Getenv("NOTIFY_DATA"), "./data"), "the data folder (NOTIFY_DATA)")
	c.Flags().StringVar(&level, "log", "warn", "what is logged to standard error: debug, info, warn, error")
	c.Flags().BoolVar(&asJSON, "json", false, "print one line of JSON instead of the welcome")
	return c
}
