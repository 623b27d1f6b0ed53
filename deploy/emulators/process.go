package emulators

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// readyTimeout bounds the start. A second or two is usual; the first time, Python compiles what it imports.
const readyTimeout = 3 * time.Minute

// Start installs the emulator if need be, starts it on a free port of 127.0.0.1 and waits until it answers.
// The caller stops it; if this process dies first, however, it stops by itself. [SAM] is only installed.
func Start(ctx context.Context, name Name) (*Emulator, error) {
	dir, err := Install(ctx, name)
	if err != nil {
		return nil, err
	}
	r := recipeOf(name)
	if r.start == nil {
		return &Emulator{Name: name, Dir: dir}, nil
	}
	// Somebody may take the free port before the emulator does: then it exits at once, and a second try
	// finds another.
	for range 3 {
		var e *Emulator
		if e, err = start(ctx, name, r, dir); err == nil {
			return e, nil
		}
		if !errors.Is(err, errExited) {
			break
		}
	}
	return nil, fmt.Errorf("emulators: start %s: %w", name, err)
}

// errExited: the process ended before it was ready.
var errExited = errors.New("it exited before it was ready")

func start(ctx context.Context, name Name, r recipe, dir string) (*Emulator, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	scratch, err := os.MkdirTemp("", "notify-"+string(name)+"-")
	if err != nil {
		return nil, err
	}
	argv, env := r.start(dir, scratch, port)
	logPath := filepath.Join(scratch, "emulator.log")
	p, err := tether(argv, append(env, "PATH="+os.Getenv("PATH"), "HOME="+scratch, "TMPDIR="+scratch), scratch, logPath)
	if err != nil {
		os.RemoveAll(scratch)
		return nil, err
	}
	tail := func() string {
		out, _ := os.ReadFile(logPath)
		return lastLines(string(out), 30)
	}
	e := &Emulator{
		Name: name, Dir: dir, URL: "http://127.0.0.1:" + port, log: tail,
		stop: sync.OnceFunc(func() { p.kill(); os.RemoveAll(scratch) }),
	}
	if err := e.wait(ctx, r, p.done); err != nil {
		err = fmt.Errorf("%w: %s", err, tail())
		e.Stop()
		return nil, err
	}
	return e, nil
}

// wait returns when the health path answers, the process ends, or the time is over.
func (e *Emulator) wait(ctx context.Context, r recipe, exited <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if req, err := http.NewRequestWithContext(ctx, http.MethodGet, e.URL+r.health, nil); err != nil {
			return err
		} else if resp, err := client.Do(req); err == nil {
			resp.Body.Close()
			if r.healthy(resp.StatusCode) {
				return nil
			}
		}
		select {
		case <-exited:
			return errExited
		case <-ctx.Done():
			return fmt.Errorf("%s did not answer: %w", r.health, ctx.Err())
		case <-tick.C:
		}
	}
}

func freePort() (string, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

// process is a child with a process group of its own.
type process struct {
	cmd *exec.Cmd
	// rope is held open by this process; its end, by will or by death, ends the group.
	rope *os.File
	done chan struct{}
	err  error
}

// tetherScript runs "$@" with a watcher beside it that reads the rope: at its end it removes the scratch
// folder and kills the group. That holds after a panic, a timeout and kill -9, where no Go code runs.
const tetherScript = `exec 3<&0; scratch=$1; shift
(cat <&3 >/dev/null; if [ -n "$scratch" ]; then rm -rf "$scratch"; fi; kill -s KILL -- -$$) &
exec "$@" 3<&- </dev/null`

// tether starts argv, writing what it prints to the file at logPath.
func tether(argv, env []string, scratch, logPath string) (*process, error) {
	out, err := os.Create(logPath)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	end, rope, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer end.Close()
	cmd := exec.Command("sh", append([]string{"-c", tetherScript, "tether", scratch}, argv...)...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = env, end, out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		rope.Close()
		return nil, fmt.Errorf("start %s: %w", argv[0], err)
	}
	p := &process{cmd: cmd, rope: rope, done: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// kill ends the whole group: functions that an emulator runs are its children. An emulator of a test has
// nothing to save.
func (p *process) kill() {
	// The group outlives its leader while the watcher reads, so the id cannot have been given to another.
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.done
	p.rope.Close()
}
