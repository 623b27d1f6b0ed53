package local

import (
	"context"

	"github.com/opennotify/notify/pkg/httpapi/console"
	"github.com/opennotify/notify/pkg/httpapi/session"
	"github.com/opennotify/notify/pkg/tenant"
	wireconsole "github.com/opennotify/notify/pkg/wire/console"
)

// console makes the console, and the one-time link that the terminal shows.
func (l *Local) console(ctx context.Context, s *session.Sessions) (*console.Console, error) {
	l.Console = l.URL + "/console/"
	if l.Key != "" {
		path, err := console.Link(ctx, l.Store, tenant.System("local"), l.Random, l.Key, l.Now())
		if err != nil {
			return nil, err
		}
		l.Console = l.URL + path
	}
	c := wireconsole.Config(&l.Backend, s)
	c.Inbox = "/dev/inbox"
	return console.New(c)
}
