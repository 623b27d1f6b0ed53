package main_test

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
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
	cmd := exec.CommandContext(t.Context(), p.bin, "listen", "--forward", mine.URL+"/hook", "--count", "1")
	cmd.Dir, cmd.Env = p.dir, []string{"HOME=" + p.dir, "TZ=UTC", "NOTIFY_URL=" + p.url, "NOTIFY_KEY=" + p.key}
	var out strings.Builder
	cmd.Stdout = &out
	talk, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
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
