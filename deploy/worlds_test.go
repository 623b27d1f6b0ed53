package deploy_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/opennotify/notify/pkg/local"
)

// step is a line of testdata/scenario.yaml.
type step struct {
	Name    string
	Request map[string]any
	Ends    string // the status in which it stays
	Refused string // or the problem that it is answered with
}

// One machine and the deployed stack keep the same records of the same story.
func (d *deployment) worlds(t *testing.T) {
	text, err := os.ReadFile("testdata/scenario.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var steps []step
	if err := yaml.Unmarshal(text, &steps); err != nil {
		t.Fatal(err)
	}
	here, to := onOneMachine(t)
	var both sync.WaitGroup
	var one, deployed []any
	both.Go(func() { one = tell(t, here, to, steps) })
	deployed = tell(t, d.api, d.sinks, steps)
	both.Wait()
	if t.Failed() {
		return
	}
	for i, s := range steps {
		if diff := cmp.Diff(one[i], deployed[i]); diff != "" {
			t.Errorf("%s (-one machine +deployed):\n%s", s.Name, diff)
		}
	}
}

// onOneMachine starts `notify local`, with the tenant, key and accounts that the stack has.
func onOneMachine(t *testing.T) (api, *sinks) {
	t.Helper()
	l, err := local.Start(t.Context(), local.Options{Addr: "127.0.0.1:0", Data: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	a := api{l.URL, string(l.Key)}
	a.call(t, http.StatusCreated, http.MethodPut, "/v1/tenants/shop", map[string]any{"title": "first tenant", "owner": map[string]string{"name": "Wang Li", "email": "wang.li@example.com"}})
	made := a.call(t, http.StatusCreated, http.MethodPost, "/v1/keys", map[string]any{"tenant": "shop", "title": "first admin key", "live": true, "scopes": []string{"send", "read", "operate", "admin"}})
	a.key = made.text("key")
	to := newSinks(t, "127.0.0.1")
	a.configure(t, to)
	return a, to
}

// One process of `notify local --aws` works beside the functions: what it accepts is the stack's, whoever sends it. When it
// ends, entries that it had taken come again later, so no other story is told meanwhile.
func (d *deployment) oneProcess(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), d.notify, "local", "--aws", "--stack", d.name, "--addr", "127.0.0.1:0", "--data", t.TempDir(), "--json")
	cmd.Env = append(os.Environ(), d.aws.Env()...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var at struct{ URL string }
	if err := json.NewDecoder(out).Decode(&at); err != nil {
		t.Errorf("it does not say where it is: %v", err)
	} else {
		here := api{at.URL, d.key}
		d.until(t, here.send(t, hook(d.sinks, "notice", "/ok/beside", 1)), "sent")
		here.until(t, d.send(t, hook(d.sinks, "notice", "/ok/beside", 2)), "sent")
		if calls, _, _ := d.sinks.webhooks("/ok/beside"); calls != 2 {
			t.Errorf("%d webhooks arrived", calls)
		}
	}
	if err := cmd.Cancel(); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil { // what other stories' receivers refuse it may have said
		t.Errorf("it ended with %v, and said %q", err, &said)
	}
}

// tell takes the steps, and gives the record or the refusal of each, without what differs by nature.
func tell(t *testing.T, a api, to *sinks, steps []step) []any {
	out := make([]any, len(steps))
	var all sync.WaitGroup
	for i, s := range steps {
		all.Go(func() {
			text, err := json.Marshal(s.Request)
			if err != nil {
				t.Error(err)
				return
			}
			got, err := a.try(t.Context(), http.MethodPost, "/v1/messages", []byte(strings.ReplaceAll(string(text), "$HOOK", to.hook.URL)), "Idempotency-Key: "+s.Name)
			if err != nil {
				t.Error(err)
				return
			}
			if s.Refused != "" {
				if got.text("code") != s.Refused {
					t.Errorf("%s: answered with %v", s.Name, got.body)
				}
				out[i] = alike(got.body, to)
				return
			}
			if !got.accepted() {
				t.Errorf("%s: answered with %d %v", s.Name, got.status, got.body)
				return
			}
			if got, err = a.ends(t.Context(), got.text("id"), s.Ends); err != nil {
				t.Errorf("%s: %v; last seen: %v", s.Name, err, got.body)
				return
			}
			id := got.text("id")
			if err := look(t.Context(), func() (bool, error) { return to.event(id, s.Ends) != nil, nil }); err != nil {
				t.Errorf("%s: the tenant was not told that it is %s: %v", s.Name, s.Ends, err)
				return
			}
			out[i] = []any{alike(got.body, to), alike(to.event(id, s.Ends), to)}
		})
	}
	all.Wait()
	return out
}

// alike blanks ids, times and what the wire adds; that they are there is still compared.
func alike(v any, to *sinks) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			switch {
			case strings.HasSuffix(k, "_at"), k == "id", k == "at", k == "url", k == "key", k == "ip", k == "ms", k == "until", k == "timestamp", strings.HasSuffix(k, "_id"):
				out[k] = "…"
			case k == "en", k == "zh": // words of a verdict, which say how long ago
				out[k] = "…"
			default:
				out[k] = alike(e, to)
			}
		}
		return out
	case []any:
		out := make([]any, 0, len(v))
		for _, e := range v {
			if step, ok := e.(map[string]any); ok && step["event"] == "requeued" { // the sweep was before a slow machine
				continue
			}
			out = append(out, alike(e, to))
		}
		return out
	case string:
		if strings.HasPrefix(v, "key:") {
			return "key:…"
		}
		return strings.ReplaceAll(v, to.hook.URL, "$HOOK")
	}
	return v
}
