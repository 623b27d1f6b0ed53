package senders_test

import (
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/opennotify/notify/pkg/provider/devinbox"
	"github.com/opennotify/notify/pkg/provider/senders"
)

// TestEveryFolderHasItsLine walks the disk, so that a new provider cannot be forgotten here.
func TestEveryFolderHasItsLine(t *testing.T) {
	t.Parallel()
	list := senders.List(devinbox.New(nil))
	files, err := filepath.Glob("../*/provider.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no provider.yaml found: %v", err)
	}
	var folders []string
	for _, file := range files {
		name := filepath.Base(filepath.Dir(file))
		folders = append(folders, name)
		if list[name] == nil {
			t.Errorf("pkg/provider/%s has a provider.yaml but no line in senders.go", name)
		}
	}
	for name := range maps.Keys(list) {
		if !slices.Contains(folders, name) {
			t.Errorf("senders.go has a line for %q but there is no pkg/provider/%s/provider.yaml", name, name)
		}
	}
}

func TestNoInboxNoDevelopmentProvider(t *testing.T) {
	t.Parallel()
	if _, ok := senders.List(nil)["devinbox"]; ok {
		t.Error("devinbox exists without an inbox")
	}
}

// TestOneForeign: an event of one service is not taken for another's.
func TestOneForeign(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../*/testdata/events/*.txtar")
	if err != nil || len(files) < 30 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		of := filepath.Base(filepath.Dir(filepath.Dir(filepath.Dir(file))))
		for _, read := range senders.Foreign() {
			if name, _, ok, err := read(a.Files[0].Data); ok && name != of || err != nil {
				t.Errorf("%s is taken for one of %s, %v", file, name, err)
			}
		}
	}
}
