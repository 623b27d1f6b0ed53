// Command admin is the operators' API, the reading of messages, and the console.
package main

import (
	"context"
	"errors"
	"slices"

	"github.com/opennotify/notify/pkg/httpapi/callbacks"
	"github.com/opennotify/notify/pkg/httpapi/campaigns"
	"github.com/opennotify/notify/pkg/httpapi/console"
	"github.com/opennotify/notify/pkg/httpapi/messages"
	"github.com/opennotify/notify/pkg/httpapi/operate"
	"github.com/opennotify/notify/pkg/httpapi/reference"
	"github.com/opennotify/notify/pkg/httpapi/stats"
	"github.com/opennotify/notify/pkg/onaws"
	onawscampaigns "github.com/opennotify/notify/pkg/onaws/campaigns"
	"github.com/opennotify/notify/pkg/onlambda"
	"github.com/opennotify/notify/pkg/wire/callback"
	wireconsole "github.com/opennotify/notify/pkg/wire/console"
	"github.com/opennotify/notify/pkg/wire/delivery"
	wireoperate "github.com/opennotify/notify/pkg/wire/operate"
	"github.com/opennotify/notify/pkg/wire/redrive"
	wirestats "github.com/opennotify/notify/pkg/wire/stats"
	"github.com/opennotify/notify/pkg/wire/trace"
)

func main() {
	onaws.Main(func(ctx context.Context, a *onaws.AWS) (any, error) {
		tr, err1 := trace.New(&a.Backend)
		op, err2 := wireoperate.New(&a.Backend, delivery.Accounts(&a.Backend, nil))
		camp, err7 := onawscampaigns.New(a)
		told, err3 := callback.New(&a.Backend)
		again, err6 := redrive.New(&a.Backend)
		figures, err5 := wirestats.New(&a.Backend)
		con, err4 := console.New(wireconsole.Config(&a.Backend, a.Sessions()))
		if err := errors.Join(err1, err2, err3, err4, err5, err6, err7); err != nil {
			return nil, err
		}
		return onlambda.HTTP(a.API(slices.Concat(messages.Reading(tr), operate.Endpoints(op), operate.Redriving(again), campaigns.Endpoints(camp), callbacks.Endpoints(told), stats.Endpoints(figures), reference.Endpoints(), con.Endpoints())...), a.Metrics), nil
	})
}
