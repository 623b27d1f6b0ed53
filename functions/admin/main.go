// Command admin is the operators' API, the reading of messages, and the console.
package main

import (
	"context"
	"slices"

	"github.com/opennotify/notify/pkg/httpapi/console"
	"github.com/opennotify/notify/pkg/httpapi/messages"
	"github.com/opennotify/notify/pkg/httpapi/operate"
	"github.com/opennotify/notify/pkg/httpapi/reference"
	"github.com/opennotify/notify/pkg/onaws"
	"github.com/opennotify/notify/pkg/onlambda"
	wireconsole "github.com/opennotify/notify/pkg/wire/console"
	"github.com/opennotify/notify/pkg/wire/delivery"
	wireoperate "github.com/opennotify/notify/pkg/wire/operate"
	"github.com/opennotify/notify/pkg/wire/trace"
)

func main() {
	onaws.Main(func(ctx context.Context, a *onaws.AWS) (any, error) {
		tr, err := trace.New(&a.Backend)
		if err != nil {
			return nil, err
		}
		op, err := wireoperate.New(&a.Backend, delivery.Accounts(&a.Backend, nil))
		if err != nil {
			return nil, err
		}
		con, err := console.New(wireconsole.Config(&a.Backend, a.Sessions()))
		if err != nil {
			return nil, err
		}
		api := a.API(slices.Concat(messages.Reading(tr), operate.Endpoints(op), reference.Endpoints(), con.Endpoints())...)
		return onlambda.HTTP(api, a.Metrics), nil
	})
}
