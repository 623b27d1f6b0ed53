package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// child is a server under test: notify, or the bound.
type child struct {
	URL, Key string
	Started  time.Duration // from exec to the first line

	cmd    *exec.Cmd
	strace *exec.Cmd
	trace  string
}

// start runs a server on an empty folder and reads the line of JSON that it prints when it is ready.
func start(name string, args ...string) (*child, error) {
	cmd := exec.Command(name, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &child{cmd: cmd}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, c)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s did not start: %w", name, err), c.stop())
	}
	for { // the first answer
		res, err := http.Get(c.URL + "/")
		if err == nil {
			res.Body.Close()
			break
		}
	}
	c.Started = time.Since(began)
	return c, nil
}

func (c *child) pid() int { return c.cmd.Process.Pid }

// countSyncs attaches strace, where there is one.
func (c *child) countSyncs(dir string) {
	path, err := exec.LookPath("strace")
	if err != nil {
		return
	}
	c.trace = filepath.Join(dir, "strace")
	c.strace = exec.Command(path, "-f", "-q", "-e", "trace=fsync,fdatasync", "-o", c.trace, "-p", strconv.Itoa(c.pid()))
	if c.strace.Start() != nil {
		c.strace = nil
		return
	}
	time.Sleep(300 * time.Millisecond) // it says nothing when it is attached
}

func (c *child) stop() error {
	if c.cmd.Process == nil {
		return nil
	}
	err := c.cmd.Process.Signal(syscall.SIGINT)
	if len(c.cmd.Args) > 1 && c.cmd.Args[1] == "bound" {
		err = c.cmd.Process.Kill()
	}
	c.cmd.Wait()
	if c.strace != nil {
		c.strace.Wait()
	}
	return err
}

// usage is what a process has used so far.
type usage struct {
	cpu     time.Duration
	written int64
	syncs   int // negative: not counted
}

func (c *child) usage() usage {
	u := usage{syncs: -1}
	proc := "/proc/" + strconv.Itoa(c.pid())
	if b, err := os.ReadFile(proc + "/stat"); err == nil {
		// Fields 14 and 15 are user and system time in ticks of 10 ms; the name in field 2 may hold spaces.
		f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+2:]))
		user, _ := strconv.Atoi(f[11])
		system, _ := strconv.Atoi(f[12])
		u.cpu = time.Duration(user+system) * 10 * time.Millisecond
	}
	u.written = field(proc+"/io", "write_bytes:")
	if c.strace != nil {
		if b, err := os.ReadFile(c.trace); err == nil {
			u.syncs = bytes.Count(b, []byte("= 0"))
		}
	}
	return u
}

// anon is the anonymous memory of the process, in bytes.
func (c *child) anon() int64 {
	return field("/proc/"+strconv.Itoa(c.pid())+"/status", "RssAnon:") << 10
}

func field(path, name string) int64 {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	_, rest, ok := strings.Cut(string(b), name)
	if !ok {
		return 0
	}
	n, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	return n
}
