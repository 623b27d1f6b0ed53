// Command ingest accepts messages: API Gateway calls it.
package main

import (
	"context"

	"github.com/opennotify/notify/pkg/httpapi/messages"
	"github.com/opennotify/notify/pkg/onaws"
	"github.com/opennotify/notify/pkg/onlambda"
	"github.com/opennotify/notify/pkg/wire/intake"
)

func main() {
	onaws.Main(func(ctx context.Context, a *onaws.AWS) (any, error) {
		in, err := intake.New(&a.Backend)
		if err != nil {
			return nil, err
		}
		return onlambda.HTTP(a.API(messages.Sending(in)...), a.Metrics, a.Log), nil
	})
}
