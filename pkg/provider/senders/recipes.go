package senders

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"sync"

	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/devinbox"
	"github.com/opennotify/notify/pkg/provider/recipe"
	"github.com/opennotify/notify/recipes"
)

// All is the coded providers and the recipes that we ship.
func All(inbox *devinbox.Inbox) map[string]provider.OpenFunc {
	all := Recipes(recipes.FS())
	maps.Copy(all, List(inbox))
	return all
}

// Recipes opens the recipes of a file system, which has NAME/recipe.yaml. A recipe is compiled when the
// first of its accounts is opened: a function that starts cold pays for none that it does not use.
func Recipes(fsys fs.FS) map[string]provider.OpenFunc {
	out := map[string]provider.OpenFunc{}
	files, _ := fs.Glob(fsys, "*/recipe.yaml") // only a malformed pattern is an error
	for _, file := range files {
		compiled := sync.OnceValues(func() (*recipe.Recipe, error) {
			data, err := fs.ReadFile(fsys, file)
			if err != nil {
				return nil, fmt.Errorf("recipe: %w", err)
			}
			return recipe.Parse(file, data)
		})
		out[path.Dir(file)] = func(a provider.Account, e provider.Env) (provider.Sender, error) {
			r, err := compiled()
			if err != nil {
				return nil, err
			}
			return r.Open(a, e)
		}
	}
	return out
}
