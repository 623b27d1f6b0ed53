package deploy_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"go.yaml.in/yaml/v3"

	"github.com/opennotify/notify/deploy/emulators"
	"github.com/opennotify/notify/pkg/message"
	onstack "github.com/opennotify/notify/pkg/onaws/stack"
)

// The channels that the test deploys. The others are built with them, but taken out of the template before
// it is packaged: their parameters are off, and SAM would compress the same binary once for each.
var deployed = []string{"Email", "Webhook", "Other"}

// world is an emulator with the real SAM CLI.
type world struct {
	aws    *emulators.Emulator
	sam    *emulators.Emulator
	built  string // folder of what sam build made
	notify string // the command
	tmp    string
}

// newWorld builds what is deployed, once for all stacks.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{aws: emulators.Need(t, emulators.MiniStack), sam: emulators.Need(t, emulators.SAM), tmp: t.TempDir()}
	w.built, w.notify = filepath.Join(w.tmp, "build"), filepath.Join(w.tmp, "notify")
	var both sync.WaitGroup
	both.Go(func() { w.run(t, w.sam.Tool("sam"), "validate", "--lint") })
	w.run(t, w.sam.Tool("sam"), "build", "--parallel", "--build-in-source", "--build-dir", w.built)
	w.run(t, "go", "build", "-o", w.notify, "./cmd/notify")
	both.Wait()
	if !t.Failed() {
		w.prune(t)
	}
	if t.Failed() {
		t.FailNow()
	}
	return w
}

// run runs a command in the repository's root, and gives what it answered; what it told is for faults.
func (w *world) run(t *testing.T, argv ...string) string {
	t.Helper()
	begun := time.Now()
	cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	cmd.Dir = ".."
	own := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "AWS_") })
	cmd.Env = append(own, append(w.aws.Env(), "ARCH="+runtime.GOARCH, "SAM_CLI_TELEMETRY=0", "HOME="+w.tmp, "CI=1",
		"GOCACHE="+goEnv(t, "GOCACHE"), "GOMODCACHE="+goEnv(t, "GOMODCACHE"), "GOFLAGS="+goEnv(t, "GOFLAGS"), "GOPROXY="+goEnv(t, "GOPROXY"))...)
	cmd.WaitDelay = 5 * time.Second
	var told bytes.Buffer
	cmd.Stderr = &told
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("%s: %v\n%s%s", strings.Join(argv[:2], " "), err, out, &told)
	}
	t.Logf("%s %s: %.1f s", filepath.Base(argv[0]), argv[1], time.Since(begun).Seconds())
	return string(out)
}

// goEnv: HOME is elsewhere in what run starts, and go's settings may lie below the real one.
func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "env", name).Output()
	if err != nil {
		t.Error(err)
	}
	return strings.TrimSpace(string(out))
}

// prune takes the channels out that are not deployed.
func (w *world) prune(t *testing.T) {
	t.Helper()
	path := filepath.Join(w.built, "template.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	resources := member(doc.Content[0], "Resources")
	var kept []*yaml.Node
	for i := 0; i < len(resources.Content); i += 2 {
		name, channel := strings.CutSuffix(resources.Content[i].Value, "Channel")
		if !channel || strings.Contains(strings.Join(deployed, " "), name) {
			kept = append(kept, resources.Content[i:i+2]...)
		}
	}
	resources.Content = kept
	if text, err = yaml.Marshal(&doc); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
}

// member is the value of a key of a mapping; nil when there is none.
func member(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// stack is one that is deployed.
type stack struct {
	api
	name    string
	outputs map[string]string
	console string // the path that signs in once
}

// deploy deploys a stack, and makes its first key with the command.
func (w *world) deploy(t *testing.T, name string, parameters ...string) *stack {
	t.Helper()
	architecture := map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]
	argv := []string{w.sam.Tool("sam"), "deploy", "--template-file", filepath.Join(w.built, "template.yaml"), "--stack-name", name, "--resolve-s3",
		"--no-confirm-changeset", "--no-progressbar", "--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND",
		"--parameter-overrides", "Stage=dev", "Architecture=" + architecture, "Alarms=off", "Sms=off", "Reach=127.0.0.0/8", "Allow='*'",
		// The emulator's poller stumbles over a bound that comes out of a parameter, as a text.
		"UrgentConcurrency=0", "NormalConcurrency=0", "BulkConcurrency=0"}
	w.run(t, append(argv, parameters...)...)
	if t.Failed() {
		t.FailNow()
	}
	t.Cleanup(func() { w.remove(t, name) })
	out, err := cloudformation.NewFromConfig(w.aws.AWS()).DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: &name})
	if err != nil {
		t.Fatal(err)
	}
	s := &stack{name: name, outputs: map[string]string{}}
	for _, o := range out.Stacks[0].Outputs {
		s.outputs[aws.ToString(o.OutputKey)] = aws.ToString(o.OutputValue)
	}
	return s
}

// remove deletes a stack: its pollers and schedules would go on as long as the emulator lives, which other
// packages' tests share. `sam delete` stumbles over the emulator's addresses of nested templates.
func (w *world) remove(t *testing.T, name string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	client := cloudformation.NewFromConfig(w.aws.AWS())
	if _, err := client.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: &name}); err != nil {
		t.Error(err)
		return
	}
	if err := cloudformation.NewStackDeleteCompleteWaiter(client, func(o *cloudformation.StackDeleteCompleteWaiterOptions) {
		o.MinDelay, o.MaxDelay = 200*time.Millisecond, time.Second
	}).Wait(ctx, &cloudformation.DescribeStacksInput{StackName: &name}, time.Minute); err != nil {
		t.Error(err)
	}
}

// bootstrap makes the first tenant and key as an operator does, of a stack that has these channels.
func (w *world) bootstrap(t *testing.T, s *stack, has ...message.Channel) {
	t.Helper()
	out := w.run(t, w.notify, "bootstrap", "--json", "--stack", s.name, "--tenant", "shop", "--owner", "Wang Li <wang.li@example.com>")
	var made struct{ Tenant, Key, URL, Console string }
	if err := json.Unmarshal([]byte(out), &made); err != nil || made.Tenant != "shop" {
		t.Fatalf("bootstrap printed %q: %v", out, err)
	}
	s.key, s.console = made.Key, strings.TrimPrefix(made.Console, made.URL)
	// What notify local --aws would work on.
	env, _, err := onstack.Find(t.Context(), w.aws.AWS(), s.name)
	if err != nil || !slices.Equal(env.Channels, has) || len(env.Reach) != 1 || len(env.Allow) != 1 || env.Bucket == "" || env.Schedules == "" || env.ScheduleRole == "" {
		t.Errorf("the stack is found as %+v, %v", env, err)
	}
}

// logs gives what the functions of a stack have written, by name of the function.
func (w *world) logs(t *testing.T, s *stack) map[string]string {
	t.Helper()
	ask := func(operation string, in map[string]any, out any) {
		text, _ := json.Marshal(in)
		eventually(t, operation, func() (string, bool) { // the emulator stumbles over logs that are written meanwhile
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.aws.URL, bytes.NewReader(text))
			if err != nil {
				return err.Error(), false
			}
			req.Header.Set("X-Amz-Target", "Logs_20140328."+operation)
			req.Header.Set("Content-Type", "application/x-amz-json-1.1")
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				return err.Error(), false
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			return fmt.Sprintf("%d %.300s %v", resp.StatusCode, body, err), err == nil && resp.StatusCode == http.StatusOK && json.Unmarshal(body, out) == nil
		})
	}
	var groups struct {
		LogGroups []struct{ LogGroupName string }
	}
	prefix := "/aws/lambda/" + s.name + "-"
	ask("DescribeLogGroups", map[string]any{"logGroupNamePrefix": prefix}, &groups)
	out := map[string]string{}
	for _, g := range groups.LogGroups {
		var text strings.Builder
		for next := ""; ; {
			in := map[string]any{"logGroupName": g.LogGroupName, "limit": 10000}
			if next != "" {
				in["nextToken"] = next
			}
			var page struct {
				Events    []struct{ Message string }
				NextToken string
			}
			ask("FilterLogEvents", in, &page)
			for _, e := range page.Events {
				fmt.Fprintln(&text, e.Message)
			}
			if next = page.NextToken; next == "" {
				break
			}
		}
		out[strings.TrimPrefix(g.LogGroupName, prefix)] = text.String()
	}
	return out
}
