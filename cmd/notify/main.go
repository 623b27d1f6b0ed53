// Command notify runs notify on one machine, and talks to one anywhere.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends it at once
	s := newSession()
	err := refuseKeys(os.Args[1:])
	if err == nil {
		err = rootCommand(s).ExecuteContext(ctx)
	}
	stop()
	os.Exit(s.report(err))
}
