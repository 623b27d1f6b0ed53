package main

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

var loads = []int{1, 16, 64}

func main() {
	if len(os.Args) == 4 && os.Args[1] == "bound" {
		fatal(runBound(os.Args[2], os.Args[3]))
		return
	}
	rounds := flag.Int("rounds", 3, "interleaved rounds; the table has medians")
	length := flag.Duration("t", 8*time.Second, "length of one load")
	binary := flag.String("notify", "", "the binary to measure; built when empty")
	million := flag.Bool("million", false, "fill the file with a million messages first, and measure that too")
	noisy := flag.Bool("noisy", false, "measure only how a tenant fares beside one that floods")
	rows := flag.Int("rows", 100_000, "of the campaign that is measured last; 0 is none, and with -rounds 0 it is all")
	read := flag.Bool("read", false, "only read and check the rows of the campaign, send nothing")
	syncs := flag.Bool("syncs", false, "count syncs with strace, which slows everything down: look at nothing else")
	flag.Parse()
	fatal(run(*rounds, *length, *binary, *million, *noisy, *syncs, *rows, !*read))
}

func fatal(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench is one run of everything.
type bench struct {
	dir, notify, self string
	sink              *sink
	length            time.Duration
	syncs             bool
	rows              map[string][]result // by server and load
	started           map[string][]time.Duration
	idle, busy        map[string][]int64 // anonymous memory
}

func run(rounds int, length time.Duration, binary string, million, noisy, syncs bool, rows int, send bool) error {
	dir, err := os.MkdirTemp("", "notify-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{dir: dir, notify: binary, length: length, syncs: syncs, rows: map[string][]result{}, started: map[string][]time.Duration{},
		idle: map[string][]int64{}, busy: map[string][]int64{}}
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	if b.notify == "" {
		b.notify = filepath.Join(dir, "notify")
		build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", b.notify, "./cmd/notify")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			return fmt.Errorf("build notify: %w", err)
		}
	}
	if b.sink, err = newSink(); err != nil {
		return err
	}
	if noisy {
		return b.noisy(rounds)
	}
	for i := range rounds {
		order := []string{"bound", "notify"}
		if i%2 == 1 {
			order = []string{"notify", "bound"}
		}
		for _, server := range order {
			if err := b.round(server, i); err != nil {
				return err
			}
		}
	}
	if rounds > 0 {
		b.report()
	}
	if million {
		if err := b.million(); err != nil {
			return err
		}
	}
	if rows > 0 {
		return b.campaign(rows, send)
	}
	return nil
}

func (b *bench) start(server, data string) (*target, error) {
	args := []string{"local", "--json", "--addr", "127.0.0.1:0", "--data", data, "--log", "error"}
	name := b.notify
	if server == "bound" {
		name, args = b.self, []string{"bound", "127.0.0.1:0", data}
	}
	c, err := start(name, args...)
	if err != nil {
		return nil, err
	}
	return &target{child: c, sink: b.sink, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 128}, Timeout: 30 * time.Second}}, nil
}

func (b *bench) round(server string, i int) error {
	data := filepath.Join(b.dir, fmt.Sprintf("%s-%d", server, i))
	t, err := b.start(server, data)
	if err != nil {
		return err
	}
	defer t.child.stop()
	b.started[server] = append(b.started[server], t.child.Started)
	b.idle[server] = append(b.idle[server], t.child.anon())
	if b.syncs {
		t.child.countSyncs(b.dir)
	}
	t.closed(16, min(2*time.Second, b.length)) // warm-up
	for _, c := range loads {
		r := t.closed(c, b.length)
		b.add(server, fmt.Sprintf("c=%d", c), r, i)
	}
	b.busy[server] = append(b.busy[server], t.child.anon())
	b.add(server, "200/s", t.open(200, b.length), i)
	return nil
}

func (b *bench) add(server, load string, r result, round int) {
	key := server + " " + load
	b.rows[key] = append(b.rows[key], r)
	fmt.Fprintf(os.Stderr, "round %d  %-14s %6.0f/s accepted %6.0f/s delivered  lost %d bad %d doubled %d\n", round+1, key, r.PerSecond, r.Delivered, r.Lost, r.Bad, r.Doubled)
}
