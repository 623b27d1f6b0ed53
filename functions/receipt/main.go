// Command receipt takes what providers say later: their callbacks over HTTP, and the queue of receipts.
package main

import (
	"context"

	"github.com/opennotify/notify/pkg/httpapi/receipts"
	"github.com/opennotify/notify/pkg/onaws"
	"github.com/opennotify/notify/pkg/onlambda"
	"github.com/opennotify/notify/pkg/wire/delivery"
	"github.com/opennotify/notify/pkg/wire/receipt"
)

func main() {
	onaws.Main(func(ctx context.Context, a *onaws.AWS) (any, error) {
		rec, err := receipt.New(&a.Backend, delivery.Accounts(&a.Backend, nil))
		if err != nil {
			return nil, err
		}
		return onlambda.Either(
			onlambda.HTTP(a.API(receipts.Endpoints(rec)...), a.Metrics, a.Log),
			onlambda.SQS(rec, a.Metrics, a.Log),
		), nil
	})
}
