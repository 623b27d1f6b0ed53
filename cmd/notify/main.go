// Command notify runs notify on one machine, and talks to one anywhere.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends it at once
	root := &cobra.Command{
		Use:           "notify",
		Short:         "The notification service that all of a company's systems send through",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(localCommand())
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "notify:", err)
		os.Exit(1)
	}
}
