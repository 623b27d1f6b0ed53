package main_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// testFullDisk fills a disk of a few megabytes, which only the process sees: it answers 503 and keeps what
// it has; when there is room again it goes on.
func testFullDisk(t *testing.T, bin string) {
	dir := t.TempDir()
	inside := func(script string) *exec.Cmd {
		return exec.Command("unshare", "-Urm", "sh", "-c", `mount -t tmpfs -o size=6m tmpfs "$1" && `+script, "sh", dir, bin)
	}
	if out, err := inside("true").CombinedOutput(); err != nil {
		t.Logf("no disk of its own on this system (%s): %v %s", runtime.GOOS, err, out)
		return
	}
	p := start(t, inside(`head -c 2m /dev/zero >"$1/ballast" && exec "$2" local --json --addr 127.0.0.1:0 --data "$1/data" --log error`))
	var kept []string
	full := false
	for i := 0; !full; i++ {
		body := fmt.Sprintf(`{"to":"p%d@example.com","channel":"email","content":{"subject":"s","text":%q}}`, i, strings.Repeat("x", 20_000))
		code, header, answer, err := p.do(http.DefaultClient, "POST", "/v1/messages", body, "")
		switch {
		case err != nil || i > 1000:
			t.Fatal(i, err, p.stderr.String())
		case code == http.StatusAccepted:
			kept = append(kept, strings.Split(string(answer), `"`)[3])
		case code == http.StatusServiceUnavailable && header.Get("Retry-After") != "" && bytes.Contains(answer, []byte("unavailable")):
			full = true
		default:
			t.Fatalf("%d %s", code, answer)
		}
	}
	if err := os.Remove(filepath.Join("/proc", fmt.Sprint(p.cmd.Process.Pid), "root", dir, "ballast")); err != nil {
		t.Fatal(err)
	}
	kept = append(kept, p.accepted(`{"to":"late@example.com","channel":"email","content":{"subject":"s","text":"x"}}`))
	for _, id := range kept {
		if code, _, answer, err := p.do(http.DefaultClient, "GET", "/v1/messages/"+id, "", ""); err != nil || code != http.StatusOK {
			t.Errorf("%d %s %v", code, answer, err)
		}
	}
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Error(err)
	}
	if err := p.wait(); err != nil || strings.Contains(p.stderr.String(), "goroutine") {
		t.Errorf("%v %s", err, p.stderr.String())
	}
}
