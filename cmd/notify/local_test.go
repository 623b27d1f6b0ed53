package main_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestLocal runs the built command as a process of its own.
func TestLocal(t *testing.T) {
	t.Parallel()
	bin := build(t)
	t.Run("drains", func(t *testing.T) { t.Parallel(); testDrains(t, bin) })
	for left, i := *trials, 0; left > 0; left, i = left-rounds, i+1 {
		t.Run(fmt.Sprint("kill ", i), func(t *testing.T) { t.Parallel(); testKill(t, bin, i, min(left, rounds)) })
	}
	t.Run("refuses", func(t *testing.T) { t.Parallel(); testRefuses(t, bin) })
	t.Run("aws", func(t *testing.T) { t.Parallel(); testAWS(t, bin) })
	t.Run("full disk", func(t *testing.T) { t.Parallel(); testFullDisk(t, bin) })
}

// build makes the command; it is removed after the last of the tests that run in it.
func build(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "notify")
	c := exec.CommandContext(t.Context(), "go", "build", "-o", bin, ".")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return bin
}

// process is a running "notify local".
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	URL    string
	Key    string
	stderr bytes.Buffer
	wait   func() error // once
}

// start runs a command that listens, and reads the line that it prints.
func start(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{t: t, cmd: cmd}
	cmd.Stderr = &p.stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.wait = sync.OnceValue(cmd.Wait)
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = p.wait() })
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, p)
	}
	if err != nil {
		_ = cmd.Process.Kill()
		_ = p.wait()
		t.Fatalf("%v: %q %s", err, line, p.stderr.String())
	}
	return p
}

// UnmarshalJSON reads what --json prints.
func (p *process) UnmarshalJSON(b []byte) error {
	var line struct{ URL, Key string }
	err := json.Unmarshal(b, &line)
	p.URL, p.Key = line.URL, line.Key
	return err
}

func local(bin, dir string, more ...string) *exec.Cmd {
	return exec.Command(bin, append([]string{"local", "--json", "--addr", "127.0.0.1:0", "--data", dir}, more...)...)
}

// interrupt is Ctrl-C, and what comes of it: exit code 0 and silence, but for lines with what may have been said before.
func (p *process) interrupt(but ...string) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		p.t.Error(err)
	}
	err := p.wait()
	for line := range strings.Lines(p.stderr.String()) {
		if !slices.ContainsFunc(but, func(b string) bool { return strings.Contains(line, b) }) {
			p.t.Error(line)
		}
	}
	if err != nil {
		p.t.Error(err)
	}
}

// do makes a request; an error is that of the connection.
func (p *process) do(client *http.Client, method, path, body, key string) (int, http.Header, []byte, error) {
	req, err := http.NewRequestWithContext(context.WithoutCancel(p.t.Context()), method, p.URL+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+p.Key)
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, nil, nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, res.Header, b, err
}

// accepted sends and gives the id.
func (p *process) accepted(body string) string {
	p.t.Helper()
	code, _, answer, err := p.do(http.DefaultClient, "POST", "/v1/messages", body, "")
	var sent struct{ ID string }
	if err := errors.Join(err, json.Unmarshal(answer, &sent)); err != nil || code != http.StatusAccepted {
		p.t.Fatalf("%d %s %v", code, answer, err)
	}
	return sent.ID
}

func hook(url string, order int) string {
	return fmt.Sprintf(`{"to":%q,"channel":"webhook","template":"order-card","vars":{"order":"%d","amount":1,"customer":"c"}}`, url, order)
}

// Ctrl-C in the middle of a call: the call is finished and its outcome written, then the process ends. The
// next one has everything.
func testDrains(t *testing.T, bin string) {
	dir := filepath.Join(t.TempDir(), "data")
	arrived, release := make(chan string, 10), make(chan struct{})
	sink := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		arrived <- r.Header.Get("webhook-id")
		<-release
	}))
	defer sink.Close()
	p := start(t, local(bin, dir))
	id := p.accepted(hook(sink.URL, 1))
	if got := <-arrived; got != id {
		t.Errorf("webhook-id %s of %s", got, id)
	}
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	for { // it listens no more
		c, err := net.Dial("tcp", strings.TrimPrefix(p.URL, "http://"))
		if err != nil {
			break
		}
		c.Close()
	}
	close(release)
	if err := p.wait(); err != nil || p.stderr.Len() > 0 {
		t.Errorf("%v: %s", err, p.stderr.String())
	}
	again := start(t, local(bin, dir))
	if again.Key != p.Key {
		t.Error("another key")
	}
	code, _, body, err := again.do(http.DefaultClient, "GET", "/v1/messages/"+id, "", "")
	if err != nil || code != http.StatusOK || !bytes.Contains(body, []byte(`"status":"sent"`)) {
		t.Errorf("%d %s %v", code, body, err)
	}
	again.interrupt()
	if len(arrived) != 0 {
		t.Error("it was sent again")
	}
}

// What cannot be started says why in one line, ends with 1, and shows no stack.
func testRefuses(t *testing.T, bin string) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() })
	used := filepath.Join(t.TempDir(), "data")
	p := start(t, local(bin, used))
	tests := map[string]struct {
		cmd  func(dir string) *exec.Cmd
		want string
	}{
		"port in use":         {func(dir string) *exec.Cmd { return local(bin, dir, "--addr", taken.Addr().String()) }, "is in use by another program"},
		"folder in use":       {func(string) *exec.Cmd { return local(bin, used) }, "in use by another process"},
		"newer data":          {func(dir string) *exec.Cmd { return newer(t, bin, dir) }, "written by a newer version"},
		"unwritable folder":   {func(dir string) *exec.Cmd { return unwritable(t, bin, dir) }, "permission denied"},
		"unwritable database": {func(dir string) *exec.Cmd { return unwritableFile(t, bin, dir) }, "permission denied"},
		"not a folder":        {func(string) *exec.Cmd { return local(bin, bin) }, "not a directory"},
		"a wrong level":       {func(dir string) *exec.Cmd { return local(bin, dir, "--log", "loud") }, "--log must be"},
		"create on AWS": {func(dir string) *exec.Cmd {
			cmd := local(bin, dir, "--aws", "--create")
			cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL=", "AWS_REGION=eu-west-1")
			return cmd
		}, "--create is for an emulator"},
		"create a file":      {func(dir string) *exec.Cmd { return local(bin, dir, "--create") }, "go with --aws"},
		"an unknown flag":    {func(dir string) *exec.Cmd { return local(bin, dir, "--nonsense") }, "unknown flag"},
		"too many arguments": {func(dir string) *exec.Cmd { return local(bin, dir, "extra") }, "unknown command"},
	}
	var all sync.WaitGroup
	for name, tt := range tests {
		cmd := tt.cmd(t.TempDir())
		all.Go(func() {
			var out, fault bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &fault
			err := cmd.Run()
			var exit *exec.ExitError
			line := fault.String()
			if !errors.As(err, &exit) || exit.ExitCode() != 1 || out.Len() > 0 || !strings.HasPrefix(line, "notify: ") || strings.Count(line, "\n") != 1 ||
				!strings.Contains(line, tt.want) || strings.Contains(line, "goroutine") {
				t.Errorf("%s: %v, %q, %q", name, err, out.String(), line)
			}
		})
	}
	all.Wait()
	p.interrupt() // it did not notice
}

// newer makes a folder as a later version would leave it: the version stands in the file's header.
// https://www.sqlite.org/fileformat2.html#user_version_number
func newer(t *testing.T, bin, dir string) *exec.Cmd {
	t.Helper()
	start(t, local(bin, dir)).interrupt()
	f, err := os.OpenFile(filepath.Join(dir, "notify.db"), os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteAt([]byte{0, 0, 0, 99}, 60)
	}
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	return local(bin, dir)
}

// unwritable makes a folder that the process may not write to. Root may write everywhere, so it becomes
// somebody else.
func unwritable(t *testing.T, bin, dir string) *exec.Cmd {
	t.Helper()
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	return nobody(t, local(bin, dir))
}

func unwritableFile(t *testing.T, bin, dir string) *exec.Cmd {
	t.Helper()
	start(t, local(bin, dir)).interrupt()
	if err := errors.Join(os.Chmod(dir, 0o777), os.Chmod(filepath.Join(dir, "notify.db"), 0o444), os.Chmod(filepath.Join(dir, "notify.db.lock"), 0o666)); err != nil {
		t.Fatal(err)
	}
	return nobody(t, local(bin, dir))
}

func nobody(t *testing.T, cmd *exec.Cmd) *exec.Cmd {
	t.Helper()
	if os.Getuid() != 0 {
		return cmd
	}
	for _, path := range []string{cmd.Path, cmd.Args[6]} { // the tests' folders are their user's
		for dir := filepath.Dir(path); strings.HasPrefix(dir, os.TempDir()) && dir != filepath.Clean(os.TempDir()); dir = filepath.Dir(dir) {
			if err := os.Chmod(dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	cmd.Dir = "/"
	return cmd
}

// deadline bounds waits that nothing else bounds.
const deadline = 2 * time.Minute
