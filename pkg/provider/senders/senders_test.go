package senders_test

import (
	"maps"
	"path/filepath"
	"slices"
	"testing"

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
