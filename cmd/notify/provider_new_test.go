package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/opennotify/notify/pkg/provider/providertest"
	"github.com/opennotify/notify/pkg/provider/recipe"
)

// What notify provider new writes could be uploaded as it is, and passes the suite that every provider passes.
func TestScaffold(t *testing.T) {
	t.Parallel()
	bin, err := command()
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(t.TempDir(), "acme")
	if out, err := exec.CommandContext(t.Context(), bin, "provider", "new", "acme", "--folder", folder).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	text, err := os.ReadFile(filepath.Join(folder, "recipe.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := recipe.Upload("acme", text)
	if err != nil {
		t.Fatal(err)
	}
	providertest.Run(t, r.Open, r.Descriptor, os.DirFS(folder))
}
