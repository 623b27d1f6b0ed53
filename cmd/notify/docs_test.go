package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// mention is a command in a text, `notify stats --by account`; in blocks it begins a line.
var mention = regexp.MustCompile("(?m)(?:`|^    (?:bin/)?)notify ([a-z][^`|#\n]*)")

// Every command that a page names is one, with the flags that it has there.
func TestPagesNameCommands(t *testing.T) {
	t.Parallel()
	bin, err := command()
	if err != nil {
		t.Fatal(err)
	}
	pages, _ := filepath.Glob("../../docs/*.md")
	help := map[string]string{}
	helpOf := func(verbs string) string {
		if _, ok := help[verbs]; !ok {
			out, err := exec.CommandContext(t.Context(), bin, append(strings.Fields(verbs), "--help")...).Output()
			if err != nil {
				t.Errorf("notify %s --help: %v", verbs, err)
			}
			help[verbs] = string(out)
		}
		return help[verbs]
	}
	found := 0
	for _, page := range append(pages, "../../README.md", "../../README.zh-CN.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range mention.FindAllStringSubmatch(string(text), -1) {
			words := strings.Fields(m[1])
			verbs := words[0]
			if strings.Contains(helpOf(verbs), "notify "+verbs+" [command]") && len(words) > 1 && !strings.HasPrefix(words[1], "-") {
				verbs += " " + words[1]
			}
			found++
			if !strings.Contains(helpOf(verbs), "Usage:\n  notify "+verbs) {
				t.Errorf("%s: notify %s is no command", page, m[1])
				continue
			}
			for _, w := range words {
				if flag, _, _ := strings.Cut(w, "="); strings.HasPrefix(flag, "--") && !strings.Contains(helpOf(verbs), flag+" ") {
					t.Errorf("%s: notify %s has no flag %s", page, verbs, flag)
				}
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d commands found", found)
	}
}
