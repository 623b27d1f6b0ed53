// Command deliver sends the messages of one channel: the channel's queues call it.
package main

import (
	"context"

	"github.com/opennotify/notify/pkg/onaws"
	"github.com/opennotify/notify/pkg/onlambda"
	"github.com/opennotify/notify/pkg/wire/delivery"
)

func main() {
	onaws.Main(func(ctx context.Context, a *onaws.AWS) (any, error) {
		del, err := delivery.New(&a.Backend, delivery.Accounts(&a.Backend, nil))
		if err != nil {
			return nil, err
		}
		return onlambda.SQS(del, a.Metrics, a.Log), nil
	})
}
