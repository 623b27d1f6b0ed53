package local

import (
	"context"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/httpapi/console"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/web"
)

// console makes the console, and the one-time link that the terminal shows.
func (l *Local) console(ctx context.Context) (*console.Console, error) {
	box, err := l.Store.Box(ctx, message.At(l.Now()), "console")
	if err != nil {
		return nil, err
	}
	var links console.Links
	if l.Console, err = links.Make(l.Random, l.Key, l.Now()); err != nil {
		return nil, err
	}
	l.Console = l.URL + l.Console
	return console.New(console.Config{Files: web.Files(), Auth: httpapi.KeyAuth(l.Config, l.Now), Now: l.Now, Box: box, Random: l.Random,
		Links: &links, Inbox: "/dev/inbox"})
}
