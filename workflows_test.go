package notify_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A tag of somebody else's action may be moved to other code, which then has our tokens: every use names a commit,
// the same in all workflows, and beside it the version for people and for Dependabot.
func TestActionsArePinned(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(".github/workflows/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	pinned := regexp.MustCompile(`^([\w.-]+/[\w./-]+)@([0-9a-f]{40} # v\d+\.\d+\.\d+)$`)
	at := map[string]string{}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			_, used, is := strings.Cut(line, "uses: ")
			if !is {
				continue
			}
			m := pinned.FindStringSubmatch(strings.TrimSpace(used))
			switch {
			case m == nil:
				t.Errorf("%s: %q: write it as owner/name@commit # v1.2.3", name, strings.TrimSpace(used))
			case at[m[1]] != "" && at[m[1]] != m[2]:
				t.Errorf("%s: %s is %s here and %s elsewhere", name, m[1], m[2], at[m[1]])
			default:
				at[m[1]] = m[2]
			}
		}
	}
	if len(at) < 5 {
		t.Errorf("only %d actions were found", len(at))
	}
}
