package main_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opennotify/notify/deploy/emulators"
)

// delivered waits until a message's record says so, and gives its text in the dev inbox.
func (p *process) delivered(id string) string {
	p.t.Helper()
	get := func(path string, v any) {
		code, _, body, err := p.do(http.DefaultClient, "GET", path, "", "")
		if err := errors.Join(err, json.Unmarshal(body, v)); err != nil || code != http.StatusOK {
			p.t.Fatalf("%d %s %v", code, body, err)
		}
	}
	ctx, cancel := context.WithTimeout(p.t.Context(), deadline)
	defer cancel()
	var m struct{ Status string }
	for get("/v1/messages/"+id, &m); m.Status != "delivered"; get("/v1/messages/"+id, &m) {
		if ctx.Err() != nil {
			p.t.Fatalf("%s is %s: %s", id, m.Status, p.stderr.String())
		}
	}
	var list struct {
		Messages []struct{ Content struct{ Text string } }
	}
	if get("/dev/inbox?id="+id, &list); len(list.Messages) != 1 {
		p.t.Fatalf("the inbox shows %+v of %s", list.Messages, id)
	}
	return list.Messages[0].Content.Text
}

// The same handlers over DynamoDB, SQS, KMS and Secrets Manager: what is sent arrives, and after a kill -9 with
// messages still in the queues the next process has everything.
func testAWS(t *testing.T, bin string) {
	emulator := emulators.Need(t, emulators.MiniStack)
	dir, stack := filepath.Join(t.TempDir(), "data"), "local-"+strings.ToLower(rand.Text()[:8])
	onAWS := func(more ...string) *exec.Cmd {
		cmd := local(bin, dir, append([]string{"--aws", "--stack", stack}, more...)...)
		cmd.Env = append(os.Environ(), emulator.Env()...)
		return cmd
	}
	var fault bytes.Buffer
	none := onAWS()
	if none.Stderr = &fault; none.Run() == nil || !strings.Contains(fault.String(), "there is no such stack") || !strings.Contains(fault.String(), "--create") {
		t.Errorf("without a stack: %s", fault.String())
	}
	arrived := make(chan string, 10)
	sink := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { arrived <- r.Header.Get("webhook-id") }))
	t.Cleanup(sink.Close)

	p := start(t, onAWS("--create"))
	id := p.accepted(`{"to":"+8613800138000","template":"order-shipped","vars":{"name":"Li","order":"A-1"}}`)
	text := p.delivered(id)
	// They wait in the queue when the process dies.
	later := map[string]bool{}
	for i := range 3 {
		body := strings.Replace(hook(sink.URL, i), "{", fmt.Sprintf(`{"send_at":%q,`, time.Now().Add(5*time.Second).UTC().Format(time.RFC3339)), 1)
		later[p.accepted(body)] = true
	}
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = p.wait()

	again := start(t, onAWS("--create"))
	if again.Key != p.Key {
		t.Error("another key")
	}
	if got := again.delivered(id); got != text {
		t.Errorf("the inbox shows %q, and did %q", got, text)
	}
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	for len(later) > 0 {
		select {
		case got := <-arrived:
			delete(later, got)
		case <-ctx.Done():
			t.Fatalf("%d never arrived: %s", len(later), again.stderr.String())
		}
	}
	again.interrupt("it is tried again") // an emulator that others keep busy
}
