package recipes_test

import (
	"os"
	"path"
	"path/filepath"
	"testing"

	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/catalog"
	"github.com/opennotify/notify/pkg/provider/providertest"
	"github.com/opennotify/notify/pkg/provider/recipe"
	"github.com/opennotify/notify/recipes"
)

// TestEveryRecipe walks the disk: a folder is a recipe that parses, is embedded, and passes the suite with
// cases of its own.
func TestEveryRecipe(t *testing.T) {
	t.Parallel()
	c, err := catalog.Load(provider.Descriptors(), recipes.FS())
	if err != nil {
		t.Fatal(err)
	}
	folders, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range folders {
		if !f.IsDir() {
			continue
		}
		t.Run(f.Name(), func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(f.Name(), "recipe.yaml")
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			r, err := recipe.Parse(path.Join("recipes", f.Name(), "recipe.yaml"), data)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := recipe.Upload(f.Name(), data); err != nil {
				t.Errorf("it could not be uploaded: %v", err)
			}
			d, ok := c.Shipped(f.Name())
			if !ok || d.Name != f.Name() {
				t.Fatalf("the catalog does not list it: %v", ok)
			}
			for _, outcome := range []string{"sent", "permanent", "account", "throttled", "unknown"} {
				if _, err := os.Stat(filepath.Join(f.Name(), "cases", outcome+".txtar")); err != nil {
					t.Errorf("no case for %s: %v", outcome, err)
				}
			}
			providertest.Run(t, r.Open, d, os.DirFS(f.Name()))
		})
	}
}
