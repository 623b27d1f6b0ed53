package emulators

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// installTimeout bounds one installation; LocalStack, the largest, takes a minute, and many on a busy machine.
const installTimeout = 15 * time.Minute

// Install puts the emulator into the cache unless it is there, and returns its folder. Processes that ask
// at the same time wait for one of them. The error is a [MissingError] if this machine cannot have it.
func Install(ctx context.Context, name Name) (string, error) {
	r := recipeOf(name)
	install, python := installJava, ""
	if !r.java {
		path, version, err := findPython(ctx)
		if err != nil {
			return "", &MissingError{name, err.Error()}
		}
		python = path + " " + version // an environment points to its interpreter, so it lives as long
		install = func(ctx context.Context, dir, pins string) error { return installPython(ctx, path, dir, pins) }
	}
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(append([]byte(python+"\n"), r.pins...))
	dir := filepath.Join(cache, "emulators", string(name)+"-"+hex.EncodeToString(sum[:6]))
	unlock, err := lock(dir + ".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	// A virtual environment cannot be moved, so nothing is renamed into place: a mark written last says
	// that the folder is whole.
	whole := filepath.Join(dir, ".installed")
	if _, err := os.Stat(whole); err == nil {
		return dir, nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return "", fmt.Errorf("emulators: clear a broken installation: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("emulators: make the cache: %w", err)
	}
	pins := filepath.Join(dir, "pins")
	if err := os.WriteFile(pins, r.pins, 0o644); err != nil {
		return "", fmt.Errorf("emulators: write the pins: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, installTimeout)
	defer cancel()
	if err := install(ctx, dir, pins); err != nil {
		return "", &MissingError{name, err.Error()}
	}
	return dir, os.WriteFile(whole, nil, 0o644)
}

// cacheDir is NOTIFY_CACHE, or .cache beside the go.mod above the working directory.
func cacheDir() (string, error) {
	if dir := os.Getenv("NOTIFY_CACHE"); dir != "" {
		if !filepath.IsAbs(dir) {
			return "", fmt.Errorf("emulators: NOTIFY_CACHE=%q must be absolute: every package's tests run in a folder of their own", dir)
		}
		return dir, nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("emulators: find the repository: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, ".cache"), nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("emulators: no go.mod above the working directory: set NOTIFY_CACHE")
		}
		dir = parent
	}
}

// lock holds path against other processes until the returned function is called, or this process dies.
func lock(path string) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("emulators: make the cache: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("emulators: open the lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		f.Close()
		return nil, fmt.Errorf("emulators: lock %s: %w", path, err)
	}
	return func() { f.Close() }, nil
}

// findPython looks for an interpreter >= 3.12 that can make virtual environments: on PATH, then among
// pyenv's, whose commands on PATH refuse to run unless their version was chosen.
func findPython(ctx context.Context) (path, version string, err error) {
	candidates := []string{"python3.13", "python3.12", "python3"}
	if home, err := os.UserHomeDir(); err == nil {
		installed, _ := filepath.Glob(filepath.Join(home, ".pyenv", "versions", "3.1[2-9]*", "bin", "python3"))
		slices.Sort(installed)
		slices.Reverse(installed)
		candidates = append(candidates, installed...)
	}
	const probe = `import ensurepip, sys, venv; assert sys.version_info >= (3, 12); print(sys.executable, sys.version.split()[0])`
	for _, c := range candidates {
		out, err := exec.CommandContext(ctx, c, "-c", probe).Output()
		if fields := strings.Fields(string(out)); err == nil && len(fields) == 2 {
			return fields[0], fields[1], nil
		}
	}
	return "", "", errors.New("no Python >= 3.12 with venv: tried " + strings.Join(candidates, ", "))
}

func installPython(ctx context.Context, python, dir, pins string) error {
	if err := run(ctx, python, "-m", "venv", dir); err != nil {
		return err
	}
	// --no-deps: what is not in the list is not installed, so a new release upstream changes nothing here.
	// --no-compile: half of the time would go into modules that nobody imports.
	return run(ctx, filepath.Join(dir, "bin", "python"), "-m", "pip", "install", "--quiet",
		"--no-compile", "--disable-pip-version-check", "--no-input", "--retries", "2", "--no-deps", "--requirement", pins)
}

func installJava(ctx context.Context, dir, pins string) error {
	for _, tool := range []string{"java", "mvn"} {
		if _, err := exec.LookPath(tool); err != nil {
			return errors.New("no " + tool + " on PATH")
		}
	}
	return run(ctx, "mvn", "--batch-mode", "--quiet", "--file", pins,
		"org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies",
		"-DoutputDirectory="+filepath.Join(dir, "lib"), "-DincludeScope=runtime")
}

// run reports what a failing command said last.
func run(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(name), err, lastLines(string(out), 3))
	}
	return nil
}

func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], " | ")
}
