package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/spf13/cobra"
	"pgregory.net/rapid"

	"github.com/opennotify/notify/client"
	"github.com/opennotify/notify/pkg/tenant"
)

// TestEveryVerb: each has an example, and is in a transcript.
func TestEveryVerb(t *testing.T) {
	t.Parallel()
	var played strings.Builder
	files, err := filepath.Glob("testdata/verbs/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		played.Write(text)
	}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Short == "" || c.Example == "" {
			t.Errorf("%s has no example, or is not described", c.CommandPath())
		}
		for line := range strings.Lines(c.Example) {
			if !strings.Contains(line, "notify ") {
				t.Errorf("%s: an example without the command: %s", c.CommandPath(), line)
			}
		}
		if c.HasParent() && c.Name() != "local" && c.Name() != "bootstrap" && !strings.Contains(played.String(), c.CommandPath()) { // those have tests of their own
			t.Errorf("%s is in no transcript", c.CommandPath())
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(rootCommand(&session{}))
}

func TestInstant(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"10m": now.Add(10 * time.Minute), "+2h": now.Add(2 * time.Hour), "3d": now.AddDate(0, 0, 3), "0d": now,
		"2026-05-06T07:08:09+08:00": time.Date(2026, 5, 5, 23, 8, 9, 0, time.UTC),
	} {
		if got, err := instant(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%s: %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "d", "-1h", "-1d", "1.5d", "99999d", "tomorrow", "2026-05-06", "2026-05-06T07:08:09", "10"} {
		if got, err := instant(text, now); err == nil {
			t.Errorf("%q is read as %v", text, got)
		}
	}
}

func TestSwitchedOn(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"": false, "0": false, "false": false, "OFF": false, "no": false, "1": true, "true": true, "on": true} {
		if got := switchedOn(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestLength(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{"7d": 7 * 24 * time.Hour, "0d": 0, "90m": 90 * time.Minute, "-1h": -time.Hour} {
		var got length
		if err := got.Set(text); err != nil || time.Duration(got) != want {
			t.Errorf("%s: %v, %v, want %v", text, time.Duration(got), err, want)
		}
	}
	for _, text := range []string{"", "d", "-1d", "1.5d", "99999d", "1d2h", "10", "week"} {
		if got := new(length); got.Set(text) == nil {
			t.Errorf("%q is read as %v", text, got)
		}
	}
}

func TestLanguageAndColour(t *testing.T) {
	t.Parallel()
	env := func(pairs ...string) func(string) string {
		return func(name string) string {
			for i := 0; i < len(pairs); i += 2 {
				if pairs[i] == name {
					return pairs[i+1]
				}
			}
			return ""
		}
	}
	for want, env := range map[string]func(string) string{
		"en": env("LC_ALL", "C", "LANG", "zh_CN.UTF-8"), "zh": env("LC_MESSAGES", "zh_TW", "LANG", "en_GB"),
	} {
		if got := language(env); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if !colourful(true, env()) || colourful(false, env()) || colourful(true, env("NO_COLOR", "1")) || colourful(true, env("TERM", "dumb")) {
		t.Error("colour where there should be none, or none where there should be")
	}
	var out bytes.Buffer
	s := &session{out: &out, colour: true}
	s.say("%s %s %s %d\n", s.paint(red, "a\x1b[0m"), client.Status("b\x1b"), "c\u202e", 4)
	if got, want := out.String(), "\x1b[31ma\ufffd[0m\x1b[0m b\ufffd c\ufffd 4\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestOutcome(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		m    client.Message
		want exit
	}{
		{client.Message{Status: client.StatusDelivered}, exitOK},
		{client.Message{Status: client.StatusSent, Verdict: client.Verdict{Code: "sent_final"}}, exitOK},
		{client.Message{Status: client.StatusSent, Verdict: client.Verdict{Code: "sent"}}, exitUndecided},
		{client.Message{Status: client.StatusQueued}, exitUndecided},
		{client.Message{Status: client.StatusInDoubt}, exitInDoubt},
		{client.Message{Status: client.StatusSuppressed}, exitSuppressed},
		{client.Message{Status: client.StatusCancelled}, exitSuppressed},
		{client.Message{Status: client.StatusDead}, exitFailed},
		{client.Message{Status: client.StatusExpired}, exitFailed},
		{client.Message{Status: client.StatusComplained}, exitFailed},
		{client.Message{Status: client.StatusSimulated, Outcome: client.StatusBounced}, exitFailed},
		{client.Message{Status: client.StatusSimulated, Outcome: client.StatusDelivered}, exitOK},
	} {
		if got := outcome(&tt.m); got != tt.want {
			t.Errorf("%s: exit %d, want %d", tt.m.Status, got, tt.want)
		}
	}
	codes := []exit{exitSuppressed, exitOK, exitInDoubt}
	if together(codes, false) != exitInDoubt || together(codes, true) != exitOK {
		t.Error("the worst and the best are mixed up")
	}
}

func TestRefuseKeys(t *testing.T) {
	t.Parallel()
	_, secret := tenant.NewKey([27]byte{1}, tenant.Key{Live: true}, 0)
	key := string(secret)
	for args, refused := range map[string]bool{
		"": false, "nfy_": false, "nfy_live_…": false, key[:len(key)-1]: false, "nfy_live_0123456789_0123456789abcdefghjkmnpqrstvwxyz000000": false,
		key: true, "--url=https://" + key + "@example.com": true, "nfy_ nfy_live_" + key: true,
	} {
		if err := refuseKeys([]string{"who", args}); (err != nil) != refused {
			t.Errorf("%q: %v", args, err)
		}
	}
}

func TestLocalURL(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]string{
		"": "http://127.0.0.1:8080", ":9090": "http://127.0.0.1:9090", "0.0.0.0:9090": "http://127.0.0.1:9090", "[::1]:9090": "http://[::1]:9090",
		"localhost:80": "http://localhost:80", "nonsense": "http://127.0.0.1:8080",
	} {
		s := &session{env: func(string) string { return addr }}
		if got := s.localURL(); got != want || !loopback(got) {
			t.Errorf("%q: %s, want %s", addr, got, want)
		}
	}
	for _, far := range []string{"https://notify.example.com", "http://127.0.0.1.example.com", "http://10.0.0.1", "%"} {
		if loopback(far) {
			t.Errorf("%s is not this machine", far)
		}
	}
}

// TestTemplateFiles: what pull writes, push reads as the same template, in both formats, whatever its texts.
func TestTemplateFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.StringMatching(`[ a-z0-9:#'"{}\[\]|>&*!%@,?~\\\t\n\r-]{0,30}`), rapid.String(),
			rapid.SampledFrom([]string{"true", "null", "0123", "1e3", "~", "=", "<<", " a\n  b\n", "\n", "a\n\n", "2026-01-02", "\ufeff", "\u2028", "😀", "\u0085"}))
		want := &templateFile{Tenant: "demo", Name: "hello", Class: "otp", DedupExclude: rapid.SliceOfN(text, 0, 2).Draw(t, "exclude"),
			Variables: []variableFile{{Name: text.Draw(t, "name"), Type: "string", Pattern: text.Draw(t, "pattern"), MaxLength: 3, Optional: true, Example: text.Draw(t, "example")}},
			Variants:  []variantFile{{Channel: "sms", Locale: "en", Subject: text.Draw(t, "subject"), Text: text.Draw(t, "text"), Data: text.Draw(t, "data")}}}
		for _, name := range []string{"a.yaml", "a.json"} {
			want.path = filepath.Join(dir, name)
			if err := want.write(); err != nil {
				t.Fatal(err)
			}
			got, err := readTemplate(want.path, "")
			if err != nil {
				t.Fatal(err)
			}
			ours, err := got.text()
			if err != nil {
				t.Fatal(err)
			}
			theirs, err := want.text()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.content().Variants, got.content().Variants); diff != "" || ours != theirs {
				written, _ := os.ReadFile(want.path)
				t.Fatalf("%s\n%s\n%s", diff, written, cmp.Diff(theirs, ours))
			}
		}
	})
}

// TestLineDiff: the lines that stay and go are a, those that stay and come are b; what is left out of the
// shown form are lines that stay.
func TestLineDiff(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		line := rapid.SampledFrom([]string{"a", "b", "c", ""})
		a, b := rapid.SliceOfN(line, 0, 12).Draw(t, "a"), rapid.SliceOfN(line, 0, 12).Draw(t, "b")
		var before, after, changed, shown []string
		all := lineDiff(a, b)
		for _, d := range all {
			if d[0] != '+' {
				before = append(before, d[2:])
			}
			if d[0] != '-' {
				after = append(after, d[2:])
			}
			if d[0] != ' ' {
				changed = append(changed, d)
			}
		}
		for _, d := range shortened(all) {
			if d[0] != ' ' && d != ".." {
				shown = append(shown, d)
			}
		}
		same := cmpopts.EquateEmpty()
		if diff := cmp.Diff(a, before, same) + cmp.Diff(b, after, same) + cmp.Diff(changed, shown, same); diff != "" || cmp.Equal(a, b, same) != (len(changed) == 0) {
			t.Fatalf("%q\n%s", all, diff)
		}
	})
}

// TestNotUTF8: a file in another encoding is refused, never read with other characters in it.
func TestNotUTF8(t *testing.T) {
	t.Parallel()
	gbk := "\xc0\xee\xc0\xd7"
	var v map[string]any
	if err := decode([]byte(`{"name":"`+gbk+`"}`), &v); !errors.Is(err, errNotUTF8) {
		t.Errorf("variables: %v, %q", err, v)
	}
	for name, text := range map[string]string{
		"a.json": `{"tenant":"demo","name":"hello","class":"otp","variants":[{"channel":"sms","locale":"zh","text":"` + gbk + `"}]}`,
		"a.yaml": "tenant: demo\nname: hello\nclass: otp\nvariants:\n  - {channel: sms, locale: zh, text: '" + gbk + "'}\n",
	} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := readTemplate(path, ""); !errors.Is(err, errNotUTF8) {
			t.Errorf("%s: %v, %+v", name, err, got)
		}
	}
}
