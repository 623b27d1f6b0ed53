// Command schedule works on the control queue: the sweep, and what EventBridge Scheduler starts.
package main

import (
	"context"

	"github.com/opennotify/notify/pkg/onaws"
	"github.com/opennotify/notify/pkg/onaws/campaigns"
	"github.com/opennotify/notify/pkg/onaws/canary"
	"github.com/opennotify/notify/pkg/onlambda"
	"github.com/opennotify/notify/pkg/wire/control"
)

func main() {
	onaws.Main(func(ctx context.Context, a *onaws.AWS) (any, error) {
		if err := campaigns.Open(a); err != nil {
			return nil, err
		}
		canary.Open(a)
		c, err := control.New(&a.Backend)
		if err != nil {
			return nil, err
		}
		return onlambda.SQS(c, a.Metrics, a.Log), nil
	})
}
