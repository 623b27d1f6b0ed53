package main_test

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/opennotify/notify/client"
)

// TestListen: what becomes of a message reaches a server of this machine that no other can reach, signed with
// the secret that was shown; and nothing is left behind.
func TestListen(t *testing.T) {
	t.Parallel()
	p := newPlayer(t)
	secret := make(chan client.Key, 1)
	heard := make(chan *client.WebhookEvent, 10)
	mine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s := <-secret
		secret <- s
		e, err := client.VerifyWebhook(r.Header, body, s)
		if err != nil {
			t.Error(err)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		heard <- e
	}))
	defer mine.Close()
	var out strings.Builder
	cmd, talk := p.listen(t, &out, "--forward", mine.URL+"/hook", "--count", "1")
	lines := bufio.NewScanner(talk)
	for lines.Scan() {
		if _, s, shown := strings.Cut(lines.Text(), "signed with "); shown {
			secret <- client.Key(s)
			break
		}
	}
	c, err := client.New(client.Options{URL: p.url, Key: client.Key(p.key)})
	if err != nil {
		t.Fatal(err)
	}
	sent, err := c.Send(t.Context(), client.SendRequest{To: client.Address("+8613800138000"), Template: "login-code", Vars: map[string]any{"code": "482913"}})
	if err != nil {
		t.Fatal(err)
	}
	if e := <-heard; e.Type != "message.delivered" || e.Data.ID != sent.ID {
		t.Errorf("%+v", e)
	}
	_, _ = io.Copy(io.Discard, talk)
	if err := cmd.Wait(); err != nil || !strings.HasSuffix(out.String(), "message.delivered  "+sent.ID+"  -> 200 OK\n") {
		t.Errorf("%q, %v", out.String(), err)
	}
	if left, err := c.Endpoints(t.Context(), ""); err != nil || len(left) != 0 {
		t.Errorf("left behind: %+v, %v", left, err)
	}
}

// listen starts the command. What it prints goes to out; what it says is read.
func (p *player) listen(t *testing.T, out io.Writer, args ...string) (*exec.Cmd, io.Reader) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), p.bin, append([]string{"listen"}, args...)...)
	cmd.Dir, cmd.Env, cmd.Stdout = p.dir, []string{"HOME=" + p.dir, "TZ=UTC", "NOTIFY_URL=" + p.url, "NOTIFY_KEY=" + p.key}, out
	talk, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, talk
}

// TestListenEnds: whether nobody reads what it prints, before anything came, or its terminal is closed: it ends, and
// nothing is left behind.
func TestListenEnds(t *testing.T) {
	t.Parallel()
	closed := syscall.SIGHUP
	if signal.Ignored(closed) { // the tests run under nohup, and so does what they start
		closed = syscall.SIGTERM
	}
	for name, end := range map[string]func(cmd *exec.Cmd, out io.Closer) error{
		"nobody reads":           func(_ *exec.Cmd, out io.Closer) error { return out.Close() },
		"the terminal is closed": func(cmd *exec.Cmd, _ io.Closer) error { return cmd.Process.Signal(closed) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlayer(t)
			out, in, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer out.Close()
			cmd, talk := p.listen(t, in)
			in.Close() // it has its own
			lines := bufio.NewScanner(talk)
			if !lines.Scan() || !strings.HasPrefix(lines.Text(), "listening") {
				t.Fatal(lines.Text(), lines.Err())
			}
			if err := end(cmd, out); err != nil {
				t.Fatal(err)
			}
			rest, _ := io.ReadAll(talk)
			if err := cmd.Wait(); err != nil || len(rest) > 0 {
				t.Errorf("%v: %s", err, rest)
			}
			c, err := client.New(client.Options{URL: p.url, Key: client.Key(p.key)})
			if err != nil {
				t.Fatal(err)
			}
			if left, err := c.Endpoints(t.Context(), ""); err != nil || len(left) != 0 {
				t.Errorf("left behind: %+v, %v", left, err)
			}
		})
	}
}
