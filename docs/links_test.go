package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	link    = regexp.MustCompile(`\]\(([^)#:]*)(#[^)]*)?\)`) // of this repository
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	dropped = regexp.MustCompile(`[^\p{L}\p{N}_\- ]`)
)

// Every link from a page to a file, or to a part of a page, leads there.
func TestLinks(t *testing.T) {
	t.Parallel()
	pages, _ := filepath.Glob("*.md")
	more, _ := filepath.Glob("../*.md")
	found := 0
	for _, page := range append(pages, more...) {
		for _, m := range link.FindAllStringSubmatch(text(t, page), -1) {
			found++
			to := page
			if m[1] != "" {
				to = filepath.Join(filepath.Dir(page), m[1])
			}
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s: there is no %s", page, m[1])
			} else if m[2] != "" && !parts(text(t, to))[m[2]] {
				t.Errorf("%s: %s has no %s", page, to, m[2])
			}
		}
	}
	if found < 100 {
		t.Errorf("only %d links found", found)
	}
}

// parts are the anchors of a page's headings, as GitHub makes them.
func parts(page string) map[string]bool {
	out := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(page, -1) {
		out["#"+strings.ReplaceAll(dropped.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-")] = true
	}
	return out
}

func text(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
