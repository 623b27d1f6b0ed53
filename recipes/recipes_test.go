package recipes_test

import (
	"bytes"
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
			heard(t, f.Name(), data, d)
			providertest.Run(t, r.Open, d, os.DirFS(f.Name()))
		})
	}
}

// heard looks for the cases of what comes later: a receipt, a reply, and where callbacks are signed a forged one.
func heard(t *testing.T, folder string, recipe []byte, d provider.Descriptor) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "cases", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	var cases bytes.Buffer
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		cases.Write(data)
	}
	signs := bytes.Contains(recipe, []byte("verify: {scheme: ")) && !bytes.Contains(recipe, []byte("verify: {scheme: none}"))
	for what, c := range map[string]struct {
		has  bool
		text string
	}{
		"a receipt":         {d.Receipts, `"receipts": [`},
		"a reply":           {bytes.Contains(recipe, []byte("\nreplies:")), `"replies": [`},
		"a forged callback": {signs, `"refused": true`},
	} {
		if c.has && !bytes.Contains(cases.Bytes(), []byte(c.text)) {
			t.Errorf("no case for %s", what)
		}
	}
}
