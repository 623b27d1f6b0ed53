package senders

import (
	"context"
	"fmt"
	"sync"

	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/catalog"
	"github.com/opennotify/notify/pkg/provider/recipe"
)

// Uploads opens the recipes that operators uploaded. Each version is compiled once.
type Uploads struct {
	from catalog.Uploads

	mu       sync.Mutex
	compiled map[string]*recipe.Recipe // the version used last, by name
}

// UploadsOf are those of a configuration.
func UploadsOf(from catalog.Uploads) *Uploads {
	return &Uploads{from: from, compiled: map[string]*recipe.Recipe{}}
}

// Open gives what opens the accounts of an uploaded recipe, and what it describes. Nobody but an operator has
// looked at it, so whatever it says, it reaches public addresses over https only.
func (u *Uploads) Open(ctx context.Context, name string) (provider.OpenFunc, provider.Descriptor, error) {
	text, ok, err := u.from.Recipe(ctx, name)
	if err != nil {
		return nil, provider.Descriptor{}, err
	}
	if !ok {
		return nil, provider.Descriptor{}, fmt.Errorf("there is no recipe %q", name)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	r := u.compiled[name]
	if r == nil || r.Descriptor.Uploaded != text.Version {
		if r, err = recipe.Parse(name, []byte(text.Text)); err != nil {
			return nil, provider.Descriptor{}, err
		}
		r.Descriptor.Uploaded = text.Version
		u.compiled[name] = r
	}
	return func(a provider.Account, e provider.Env) (provider.Sender, error) {
		e.Client = e.Guarded
		return r.Open(a, e)
	}, r.Descriptor, nil
}
