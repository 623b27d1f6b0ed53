package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/opennotify/notify/client"
	"github.com/opennotify/notify/pkg/canary"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/tenant"
)

// canaryFile says whom canaries are sent to, as the secret of a stack does.
const canaryFile = "canary.json"

// order is whom canaries are sent to: what the file in the data folder says, or else an address of the demo tenant's,
// whose mail lands in the dev inbox. The file is read again each time, as keys change.
func (l *Local) order(dir string) func(context.Context) (canary.Order, error) {
	return func(context.Context) (canary.Order, error) {
		path, o := filepath.Join(dir, canaryFile), canary.Order{URL: l.URL}
		text, err := os.ReadFile(path)
		switch {
		case errors.Is(err, fs.ErrNotExist) && l.Key != "":
			o.Key, o.Channel, o.To, o.Template = client.Key(l.Key), client.Channel(message.Email), "canary@example.com", demoCanary
			return o, nil
		case errors.Is(err, fs.ErrNotExist):
			return o, fmt.Errorf(`there is no %s that says whom canaries are sent to: {"key":"…","channel":"email","to":"…","template":"…"}`, path)
		case err != nil:
			return o, err
		}
		if o, err = canary.ReadOrder(text, o); err != nil {
			return o, fmt.Errorf("%s: %w", path, err)
		}
		return o, nil
	}
}

// canaries sends them where they are asked for, the way that they go on AWS: an entry of the control queue for each. A
// stack's come from its own schedule.
func (l *Local) canaries(ctx context.Context) error {
	if !l.Watch.Canary {
		return nil
	}
	if _, err := l.Canary(ctx); err != nil {
		return fmt.Errorf("canary: %w", err)
	}
	if l.Key != "" {
		d, err := readDemo()
		if err != nil {
			return err
		}
		s := seeder{ctx: ctx, b: &l.Backend}
		s.template(d.Tenant.Name, d.Canary)
		if s.err != nil {
			return s.err
		}
		if err := l.Store.AddDocs(ctx, tenant.System("demo"), message.At(l.Now()), s.docs...); err != nil {
			return err
		}
	}
	l.world.Chores = append(l.world.Chores, Chore{What: "send a canary", Every: canary.Every, Do: func(ctx context.Context) error {
		return l.Queue.Send(ctx, queue.Control, queue.Item{Body: []byte(`{"kind":"` + canary.KindCanary + `"}`)})
	}})
	return nil
}
