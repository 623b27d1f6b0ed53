// Command admin is the operators' API, the reading of messages, and the console.
package main

import (
	"context"

	"github.com/opennotify/notify/pkg/httpapi/messages"
	"github.com/opennotify/notify/pkg/httpapi/operate"
	"github.com/opennotify/notify/pkg/onaws"
	"github.com/opennotify/notify/pkg/onlambda"
	wireoperate "github.com/opennotify/notify/pkg/wire/operate"
	"github.com/opennotify/notify/pkg/wire/trace"
)

func main() {
	onaws.Main(func(ctx context.Context, a *onaws.AWS) (any, error) {
		tr, err := trace.New(&a.Backend)
		if err != nil {
			return nil, err
		}
		op, err := wireoperate.New(&a.Backend)
		if err != nil {
			return nil, err
		}
		endpoints := append(messages.Reading(tr), operate.Endpoints(op)...)
		return onlambda.HTTP(a.API(endpoints...), a.Metrics), nil
	})
}
