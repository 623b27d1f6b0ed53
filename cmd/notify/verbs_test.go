package main_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	notifylocal "github.com/opennotify/notify/pkg/local"
)

// command is the built command, made once for all tests.
var command = sync.OnceValues(func() (string, error) {
	bin := filepath.Join(os.TempDir(), "notify-verbs-"+rand.Text(), "notify")
	cmd := exec.Command("go", "build", "-o", bin, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return bin, fmt.Errorf("%w: %s", err, out)
	}
	return bin, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if bin, err := command(); err == nil {
		_ = os.RemoveAll(filepath.Dir(bin))
	}
	os.Exit(code)
}

var update = flag.Bool("update", false, "write the transcripts of testdata/verbs again")

// TestVerbs plays transcripts. Each has a service of its own, in this process, and runs the built command
// as a process. A transcript's lines are "$ " and a command, what it prints, with "! " before lines of
// standard error and "." for an empty one, and "exit N" unless it is 0; what changes from run to run has a name in capitals. The
// files are in the folder that the commands run in.
func TestVerbs(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/verbs/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal(err, len(files))
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			script, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p := newPlayer(t)
			for _, f := range script.Files {
				if err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(p.dir, f.Name)), 0o700), os.WriteFile(filepath.Join(p.dir, f.Name), f.Data, 0o600)); err != nil {
					t.Fatal(err)
				}
			}
			played := p.play(string(script.Comment))
			if *update {
				script.Comment = []byte(played)
				if err := os.WriteFile(file, txtar.Format(script), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := gocmp.Diff(string(script.Comment), played); diff != "" {
				t.Errorf("%s (-want +got):\n%s", file, diff)
			}
		})
	}
}

// player runs commands against a service.
type player struct {
	t        *testing.T
	bin, dir string // the command, and the folder that it runs in
	url, key string
	data     string // the service's folder
	stop     func() // the service
}

func newPlayer(t *testing.T) *player {
	t.Helper()
	bin, err := command()
	if err != nil {
		t.Fatal(err)
	}
	p := &player{t: t, bin: bin, dir: t.TempDir(), data: t.TempDir()}
	ctx, stop := context.WithCancel(context.Background())
	l, err := notifylocal.Start(ctx, notifylocal.Options{Addr: "127.0.0.1:0", Data: p.data, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	p.url, p.key = l.URL, string(l.Key)
	p.stop = sync.OnceFunc(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(p.stop)
	return p
}

// play runs the commands of a transcript and gives the transcript as it went.
func (p *player) play(script string) string {
	var out strings.Builder
	for line := range strings.Lines(script) {
		switch {
		case strings.HasPrefix(line, "#"), line == "\n":
			out.WriteString(line)
		case strings.HasPrefix(line, "$ "):
			out.WriteString(line)
			p.command(&out, strings.TrimSpace(line[2:]))
		}
	}
	return out.String()
}

// command runs one: assignments, notify, arguments, and "< file" or "> file".
func (p *player) command(out *strings.Builder, line string) {
	cmd := exec.CommandContext(p.t.Context(), p.bin)
	cmd.Dir = p.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Join(p.dir, "home"), "TZ=UTC", "NOTIFY_URL=" + p.url, "NOTIFY_KEY=" + p.key}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	words, into, asJSON := shellWords(line), "", false
	for i := 0; i < len(words); i++ {
		w := strings.NewReplacer("$URL", p.url, "$KEY", p.key, "$DATA", p.data).Replace(words[i])
		switch {
		case len(cmd.Args) == 1 && w == "notify" && cmd.Args[0] == p.bin:
			cmd.Args[0] = w
		case cmd.Args[0] == p.bin: // an assignment, before the command
			cmd.Env = append(cmd.Env, w)
		case w == "<":
			i++
			text, err := os.ReadFile(filepath.Join(p.dir, words[i]))
			if err != nil && words[i] != "$KEY" {
				p.t.Fatal(err)
			}
			if words[i] == "$KEY" {
				text = []byte(p.key + "\n")
			}
			cmd.Stdin = bytes.NewReader(text)
		case w == ">":
			i++
			into = words[i]
		default:
			asJSON = asJSON || w == "--json"
			cmd.Args = append(cmd.Args, w)
		}
	}
	err := cmd.Run()
	if code := (*exec.ExitError)(nil); err != nil && !errors.As(err, &code) {
		p.t.Fatal(err)
	}
	if strings.Contains(stdout.String()+stderr.String(), p.key) || strings.Contains(stdout.String()+stderr.String(), "\x1b") {
		p.t.Errorf("%s: the key, or a terminal's codes, are shown:\n%q\n%q", line, stdout.String(), stderr.String())
	}
	if asJSON {
		p.isJSON(line, stdout.Bytes())
	}
	if into != "" {
		if err := os.WriteFile(filepath.Join(p.dir, into), stdout.Bytes(), 0o600); err != nil {
			p.t.Fatal(err)
		}
		stdout.Reset()
	}
	for l := range strings.Lines(p.stable(stdout.String())) {
		out.WriteString(cmp.Or(strings.TrimRight(l, " \n"), ".") + "\n")
	}
	for l := range strings.Lines(p.stable(stderr.String())) {
		out.WriteString(strings.TrimRight("! "+l, " \n") + "\n")
	}
	if code := cmd.ProcessState.ExitCode(); code != 0 {
		out.WriteString("exit " + string(rune('0'+code)) + "\n")
	}
}

// isJSON checks that standard output is whole values and nothing else.
func (p *player) isJSON(line string, text []byte) {
	d := json.NewDecoder(bytes.NewReader(text))
	for {
		var v any
		if err := d.Decode(&v); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			p.t.Errorf("%s: %v in %q", line, err, text)
			return
		}
	}
}

var changing = []struct {
	what *regexp.Regexp
	name string
}{
	{regexp.MustCompile(`msg_[0-9a-z]{51}`), "msg_ID"},
	{regexp.MustCompile(`grp_[0-9a-z]{26}`), "grp_ID"},
	{regexp.MustCompile(`req_[0-9a-z]{26}`), "req_ID"},
	{regexp.MustCompile(`run_[0-9a-z]{24,26}`), "run_ID"},
	{regexp.MustCompile(`\b(of|for) \d{4}-\d\d-\d\d`), "$1 DATE"},
	{regexp.MustCompile(`[0-9.e+]+ a second`), "N a second"},
	{regexp.MustCompile(`nfy_(live|test)_[0-9a-z]{10}_[0-9a-z]+`), "nfy_${1}_KEY"},
	{regexp.MustCompile(`(nfy_(live|test)_|\bkey[ :]|"id":"|"key":"|"key:|(?m:^))[0-9a-z]{10}(…|"| |,|\n)`), "${1}KEYID${3}"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?Z?`), "TIME"},
	{regexp.MustCompile(`, \d+ ms\n`), "\n"}, // not said of less than a millisecond
	{regexp.MustCompile(`\b\d+( ms)`), "N${1}"},
	{regexp.MustCompile(`("provider_id":"|\bid )dev-[0-9a-f]+`), "${1}PROVIDERID"},
	{regexp.MustCompile(`\bjust now|\d+ seconds? ago`), "AGO"},
	{regexp.MustCompile(`go1\.[0-9.]+`), "GOVERSION"},
}

// stable gives names to what is different each time.
func (p *player) stable(text string) string {
	text = strings.NewReplacer(p.url, "$URL", p.dir, "$WORK", p.data, "$DATA").Replace(text)
	for _, c := range changing {
		text = c.what.ReplaceAllString(text, c.name)
	}
	return text
}

// shellWords splits at spaces, but not inside quotes.
func shellWords(line string) []string {
	var words []string
	for _, m := range regexp.MustCompile(`(?:[^\s"']|"[^"]*"|'[^']*')+`).FindAllString(line, -1) {
		var w strings.Builder
		quote := rune(0)
		for _, r := range m {
			switch {
			case quote == 0 && (r == '"' || r == '\''):
				quote = r
			case r == quote:
				quote = 0
			default:
				w.WriteRune(r)
			}
		}
		words = append(words, w.String())
	}
	return words
}
