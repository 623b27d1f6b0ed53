package emulators

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// What the command in run hands to the tests, and one test to itself inside a namespace.
const (
	// LogVar names a file to which every use and every miss is appended. It is a new file in every run,
	// which also keeps go from answering an emulator's test from its cache.
	LogVar       = "NOTIFY_EMULATOR_LOG"
	namespaceVar = "NOTIFY_TEST_NAMESPACE"
)

// Var is the environment variable by which a run tells its tests of an emulator: the URL of one that is
// running, or "missing: " and the reason.
func (n Name) Var() string {
	return "NOTIFY_TEST_" + strings.ToUpper(strings.ReplaceAll(string(n), "-", "_"))
}

// MissingPrefix starts the value of [Name.Var] when the emulator cannot be had.
const MissingPrefix = "missing: "

// Need gives the test a running emulator (or installed tools), and stops it at the test's end if it was
// started for it alone. If it cannot be had, the test is skipped with a line that `make test` counts; if
// it is installed but does not start, the test fails. Under -short every such test is skipped.
func Need(t testing.TB, name Name) *Emulator {
	t.Helper()
	if name == DynamoDBLocal {
		t.Fatal("DynamoDB Local listens on every interface: use emulators.InNamespace")
	}
	return need(t, name)
}

func need(t testing.TB, name Name) *Emulator {
	t.Helper()
	if testing.Short() {
		t.Skipf("-short: %s is not started", name)
	}
	e, err := shared(name)
	if e == nil && err == nil {
		if e, err = Start(t.Context(), name); err == nil {
			t.Cleanup(func() { finish(t, e) })
		}
	}
	orSkip(t, name, err)
	record("used", name, "")
	return e
}

// orSkip skips a test whose emulator is missing, and fails one whose emulator is broken.
func orSkip(t testing.TB, name Name, err error) {
	t.Helper()
	var missing *MissingError
	switch {
	case err == nil:
	case errors.As(err, &missing):
		record("missing", name, missing.Reason)
		t.Skip(missing)
	default:
		t.Fatal(err)
	}
}

// Skip skips a test for want of something that is no emulator, such as a browser. `make test` names and counts it.
func Skip(t testing.TB, what, reason string) {
	t.Helper()
	record("skipped", Name(what), t.Name()+": "+reason)
	t.Skipf("%s is missing: %s", what, reason)
}

// shared is the emulator that `make test` started for everybody; nil, nil if there is none.
func shared(name Name) (*Emulator, error) {
	value := os.Getenv(name.Var())
	if value == "" {
		return nil, nil
	}
	if reason, missing := strings.CutPrefix(value, MissingPrefix); missing {
		return nil, &MissingError{name, reason}
	}
	return &Emulator{Name: name, URL: value}, nil
}

func finish(t testing.TB, e *Emulator) {
	if t.Failed() && e.log != nil {
		t.Logf("the last lines of %s:\n%s", e.Name, e.log())
	}
	e.Stop()
}

// record is best effort: the count at the end of `make test` must not decide whether a test passes.
func record(what string, name Name, reason string) {
	path := os.Getenv(LogVar)
	if path == "" {
		return
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return
	}
	defer f.Close()
	fmt.Fprintf(f, "%s\t%s\t%s\n", what, name, strings.ReplaceAll(reason, "\n", " "))
}

// InNamespace runs body with an emulator that cannot be told to stay on 127.0.0.1 ([DynamoDBLocal]): the
// test binary starts itself again, for this test only, in a network namespace that has nothing but a
// loopback interface. Whatever the test does outside body happens twice: call it first and last.
// Where such namespaces are not allowed, or not Linux, the emulator is missing.
func InNamespace(t *testing.T, name Name, body func(t *testing.T, e *Emulator)) {
	t.Helper()
	if os.Getenv(namespaceVar) == t.Name() {
		body(t, need(t, name))
		return
	}
	if testing.Short() {
		t.Skipf("-short: %s is not started", name)
	}
	_, err := shared(name)
	if err == nil {
		_, err = Install(t.Context(), name) // here: inside there is no network
	}
	orSkip(t, name, err)
	unshare, err := namespaceCommand(t.Context())
	if err != nil {
		err = &MissingError{name, err.Error()}
	}
	orSkip(t, name, err)
	again(t, unshare)
}

// loopbackScript: ip is often outside the PATH of an ordinary user.
const loopbackScript = `PATH="$PATH:/usr/sbin:/sbin"; ip link set lo up && exec "$@"`

// namespaceCommand is what to write before a command to confine it.
func namespaceCommand(ctx context.Context) ([]string, error) {
	var said []string
	for _, flags := range []string{"-rn", "-n"} { // an ordinary user needs -r; some containers forbid it to root
		argv := []string{"unshare", flags, "sh", "-c", loopbackScript, "confine"}
		out, err := exec.CommandContext(ctx, argv[0], append(argv[1:], "true")...).CombinedOutput()
		if err == nil {
			return argv, nil
		}
		said = append(said, lastLines(fmt.Sprint(err, ": ", string(out)), 1))
	}
	return nil, errors.New("no network namespace: " + strings.Join(said, "; "))
}

// again runs this test, and nothing else, as a process of its own behind prefix.
func again(t *testing.T, prefix []string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	argv := append(prefix, self, "-test.run="+pattern(t.Name()), "-test.v", "-test.count=1")
	if end, bounded := t.Deadline(); bounded {
		argv = append(argv, "-test.timeout="+time.Until(end).String())
	}
	logPath := filepath.Join(t.TempDir(), "again.log")
	p, err := tether(argv, append(os.Environ(), namespaceVar+"="+t.Name()), "", logPath)
	if err != nil {
		t.Fatal(err)
	}
	defer p.kill()
	select {
	case <-p.done:
	case <-t.Context().Done():
		t.Fatal("ended before its part in the namespace")
	}
	out, _ := os.ReadFile(logPath)
	// The second check: a pattern that matches no test would pass having run nothing.
	if p.err != nil || !bytes.Contains(out, []byte("--- PASS: "+t.Name()+" (")) {
		t.Fatalf("in its namespace: %v\n%s", p.err, out)
	}
	t.Logf("in its namespace:\n%s", out)
}

// pattern matches the test of that name only.
func pattern(name string) string {
	parts := strings.Split(name, "/")
	for i, part := range parts {
		parts[i] = "^" + regexp.QuoteMeta(part) + "$"
	}
	return strings.Join(parts, "/")
}
