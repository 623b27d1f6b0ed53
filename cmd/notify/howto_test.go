package main_test

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// Blocks of a how-to: what to type, and what it prints, if that is shown.
var (
	typed   = regexp.MustCompile("(?s)```sh\n(.*?)```\n(?:```text\n(.*?)```\n)?")
	howtos  = []string{"daily-bill-reminder", "marketing-campaign"}
	between = "-- the next block --"
)

// TestHowtos runs the how-tos as they are written, each block after the other in one shell, against a service
// of its own.
func TestHowtos(t *testing.T) {
	t.Parallel()
	for _, name := range howtos {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page, err := os.ReadFile("../../docs/howto-" + name + ".md")
			if err != nil {
				t.Fatal(err)
			}
			blocks := typed.FindAllStringSubmatch(string(page), -1)
			if len(blocks) < 8 {
				t.Fatal(len(blocks), "blocks")
			}
			p := newPlayer(t)
			var script strings.Builder
			for _, b := range blocks {
				script.WriteString(strings.ReplaceAll(b[1], "http://127.0.0.1:8080", p.url) + "\necho '" + between + "'\n")
			}
			if err := os.Symlink(p.data, filepath.Join(p.dir, "data")); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), "sh", "-c", script.String())
			cmd.Dir = p.dir
			cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(p.bin)+":"+os.Getenv("PATH"), "HOME="+p.dir, "XDG_CONFIG_HOME="+p.dir, "LANG=C.UTF-8", "LC_ALL=", "NO_COLOR=1",
				"NOTIFY_ADDR="+strings.TrimPrefix(p.url, "http://"), "NOTIFY_KEY=", "NOTIFY_URL=", "NOTIFY_DATA=", "NOTIFY_PROFILE=")
			said, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%v: %s", err, said)
			}
			parts := strings.Split(string(said), between+"\n")
			for i, b := range blocks {
				if i >= len(parts) {
					t.Fatalf("block %d was not run", i+1)
				}
				if b[2] == "" && !strings.Contains(parts[i], "notify: ") {
					continue
				}
				if diff := gocmp.Diff(p.stable(b[2]), p.stable(parts[i])); diff != "" {
					t.Errorf("%s (-shown +printed):\n%s", cmp.Or(strings.TrimSpace(b[1]), "?"), diff)
				}
			}
		})
	}
}
