// Command run starts the emulators, runs a command beside them, and stops them:
//
//	run go test ./...    install all, start the servers that the packages share, run the command with their
//	                     addresses in its environment, and report which emulators were used or missing
//	run                  start MiniStack in the foreground and print how to use it
//
// It exits with the command's code.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/opennotify/notify/deploy/emulators"
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	run := foreground
	if len(os.Args) > 1 {
		run = func(ctx context.Context) error { return around(ctx, os.Args[1:]) }
	}
	if err := run(ctx); err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) && exit.Exited() {
			os.Exit(exit.ExitCode())
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func foreground(ctx context.Context) error {
	e, err := emulators.Start(ctx, emulators.MiniStack)
	if err != nil {
		return err
	}
	defer e.Stop()
	fmt.Printf("# MiniStack %s runs until Ctrl-C. To use it in another shell:\n", e.Name.Version())
	for _, v := range e.Env() {
		fmt.Println("export", v)
	}
	fmt.Printf("export %s=%s\n", e.Name.Var(), e.URL)
	<-ctx.Done()
	return nil
}

// result is how getting one emulator ended.
type result struct {
	emulator *emulators.Emulator // nil for those that each test starts itself
	err      error
}

func around(ctx context.Context, argv []string) error {
	log, err := os.CreateTemp("", "notify-emulators-")
	if err != nil {
		return err
	}
	log.Close()
	defer os.Remove(log.Name())
	got := prepare(ctx)
	defer func() {
		for _, r := range got {
			if r.emulator != nil {
				r.emulator.Stop()
			}
		}
	}()
	env := append(os.Environ(), emulators.LogVar+"="+log.Name())
	for name, r := range got {
		var missing *emulators.MissingError
		switch {
		case errors.As(r.err, &missing):
			env = append(env, name.Var()+"="+emulators.MissingPrefix+missing.Reason)
		case r.err != nil:
			return r.err
		case r.emulator != nil:
			env = append(env, name.Var()+"="+r.emulator.URL)
		}
	}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env, cmd.Stdout, cmd.Stderr = env, os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // go test then ends its children
	cmd.WaitDelay = 20 * time.Second
	err = cmd.Run()
	report(log.Name(), got)
	return err
}

// prepare gets all emulators side by side: most of an installation is waiting.
func prepare(ctx context.Context) map[emulators.Name]result {
	var (
		wg  sync.WaitGroup
		mu  sync.Mutex
		got = make(map[emulators.Name]result)
	)
	for _, name := range emulators.All() {
		wg.Go(func() {
			begun := time.Now()
			var r result
			did := "installed"
			if slices.Contains(emulators.Servers(), name) {
				did = "ready"
				r.emulator, r.err = emulators.Start(ctx, name)
			} else {
				_, r.err = emulators.Install(ctx, name)
			}
			mu.Lock()
			defer mu.Unlock()
			got[name] = r
			if r.err != nil {
				fmt.Println(r.err)
				return
			}
			fmt.Printf("emulator %s %s: %s in %.1f s\n", name, name.Version(), did, time.Since(begun).Seconds())
		})
	}
	wg.Wait()
	return got
}

// report says which emulators the tests used, which they could not have, and what else was not there.
func report(logPath string, got map[emulators.Name]result) {
	text, _ := os.ReadFile(logPath)
	skipped := 0
	used, missing := map[emulators.Name]bool{}, map[emulators.Name]string{}
	for name, r := range got {
		var m *emulators.MissingError
		if errors.As(r.err, &m) {
			missing[name] = m.Reason
		}
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), "\t", 3)
		if len(fields) != 3 {
			continue
		}
		name := emulators.Name(fields[1])
		switch fields[0] {
		case "used":
			used[name] = true
		case "skipped":
			fmt.Printf("TEST SKIPPED for want of %s: %s\n", name, fields[2])
			skipped++
		default:
			missing[name] = fields[2]
		}
	}
	var in, idle []string
	for _, name := range emulators.All() {
		switch {
		case missing[name] != "":
			fmt.Printf("EMULATOR MISSING: %s: %s\n", name, missing[name])
		case used[name]:
			in = append(in, string(name)+" "+name.Version())
		default:
			idle = append(idle, string(name))
		}
	}
	fmt.Printf("emulators used: %s\n", strings.Join(in, ", "))
	if len(idle) > 0 {
		fmt.Printf("emulators that no test asked for: %s\n", strings.Join(idle, ", "))
	}
	fmt.Printf("emulators missing: %d; tests skipped for want of something else: %d\n", len(missing), skipped)
}
