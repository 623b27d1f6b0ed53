package docs_test

import (
	"os"
	"strings"
	"testing"
)

// The recipe in add-a-provider.md is the one that pkg/local uploads, sends with and takes a receipt with.
func TestAddAProvider(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("add-a-provider.md")
	if err != nil {
		t.Fatal(err)
	}
	played, err := os.ReadFile("../pkg/local/testdata/vonage-viber/recipe.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(page), "```yaml\n")
	shown, _, ended := strings.Cut(rest, "```\n")
	if !found || !ended || shown != string(played) {
		t.Error("add-a-provider.md shows another recipe than the one that is tested")
	}
}
