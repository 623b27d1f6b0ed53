// Command notify runs notify on one machine, and talks to one anywhere.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // nohup ignores it
		ends = append(ends, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), ends...)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends it at once
	s := newSession()
	err := refuseKeys(os.Args[1:])
	if err == nil {
		err = rootCommand(s).ExecuteContext(ctx)
	}
	stop()
	os.Exit(s.report(err))
}
