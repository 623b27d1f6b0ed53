// Command admin is the operators' API, the reading of messages, and the console.
package main

import (
	"context"
	"errors"

	"github.com/opennotify/notify/pkg/httpapi/console"
	"github.com/opennotify/notify/pkg/onaws"
	"github.com/opennotify/notify/pkg/onaws/campaigns"
	"github.com/opennotify/notify/pkg/onlambda"
	"github.com/opennotify/notify/pkg/wire/admin"
	wireconsole "github.com/opennotify/notify/pkg/wire/console"
	"github.com/opennotify/notify/pkg/wire/delivery"
)

func main() {
	onaws.Main(func(ctx context.Context, a *onaws.AWS) (any, error) {
		if err := campaigns.Open(a); err != nil {
			return nil, err
		}
		api, err1 := admin.New(&a.Backend, delivery.Accounts(&a.Backend, nil))
		con, err2 := console.New(wireconsole.Config(&a.Backend, a.Sessions()))
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		return onlambda.HTTP(a.API(append(api, con.Endpoints()...)...), a.Metrics, a.Log), nil
	})
}
