package docs_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/opennotify/notify/docs"
)

// pages are all documents, by name.
func pages(t *testing.T) map[string]string {
	t.Helper()
	paths, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, path := range append(paths, "../README.md", "../README.zh-CN.md") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		out[path] = string(text)
	}
	return out
}

// Every endpoint that a page names with its method is one.
func TestPagesNameEndpoints(t *testing.T) {
	t.Parallel()
	var api struct {
		Paths map[string]map[string]any
	}
	if err := json.Unmarshal(docs.OpenAPI, &api); err != nil {
		t.Fatal(err)
	}
	var known []*regexp.Regexp
	for path, methods := range api.Paths {
		for method := range methods {
			known = append(known, regexp.MustCompile("^"+strings.ToUpper(method)+" "+regexp.MustCompile(`\{[^}/]+\}`).ReplaceAllString(path, `[^/]+`)+"$"))
		}
	}
	mention := regexp.MustCompile(`((?:(?:GET|PUT|POST|PATCH|DELETE)/?)+) (/v1/[A-Za-z0-9_/{}<>$.…-]+)`)
	found := 0
	for page, text := range pages(t) {
		for _, m := range mention.FindAllStringSubmatch(text, -1) {
			for method := range strings.SplitSeq(m[1], "/") {
				found++
				call := method + " " + strings.TrimRight(m[2], ".")
				if !slices.ContainsFunc(known, func(r *regexp.Regexp) bool { return r.MatchString(call) }) {
					t.Errorf("%s: there is no %s", page, call)
				}
			}
		}
	}
	if found < 30 {
		t.Errorf("only %d endpoints found", found)
	}
}

// The runbook says of every alarm what can be looked at or done, and names only parameters, outputs and targets that
// there are.
func TestRunbookCanBeFollowed(t *testing.T) {
	t.Parallel()
	template, err := os.ReadFile("../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	makefile, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	text := pages(t)["runbook.md"]
	for _, entry := range strings.Split(text, "\n## ")[1:] {
		name, body, _ := strings.Cut(entry, "\n")
		if !regexp.MustCompile("`[^`]+`|\\]\\(#[a-z-]+\\)").MatchString(body) {
			t.Errorf("%s names nothing to look at or to do", name)
		}
	}
	for _, m := range regexp.MustCompile("`([A-Z][a-z]+(?:[A-Z][a-z]+)+)(?:=[^`]*)?`").FindAllStringSubmatch(text, -1) {
		if !regexp.MustCompile(`(?m)^  ` + m[1] + `:`).Match(template) {
			t.Errorf("%s is neither a parameter nor an output of template.yaml", m[1])
		}
	}
	for _, m := range regexp.MustCompile("`make ([a-z]+)").FindAllStringSubmatch(text, -1) {
		if !regexp.MustCompile(`(?m)^` + m[1] + `:`).Match(makefile) {
			t.Errorf("there is no make %s", m[1])
		}
	}
	for _, m := range regexp.MustCompile(`\]\(#([a-z-]+)\)`).FindAllStringSubmatch(text, -1) {
		if !strings.Contains(text, "\n## "+m[1]+"\n") {
			t.Errorf("there is no entry %s", m[1])
		}
	}
}
