package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/sqlite"
)

// crashEnv names the file for the copy of this test that is to be killed.
const crashEnv = "NOTIFY_TEST_CRASH_FILE"

func TestMain(m *testing.M) {
	if path := os.Getenv(crashEnv); path != "" {
		fmt.Fprintln(os.Stderr, writeUntilKilled(path, os.Getenv(crashEnv+"_ROUND")))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

const crashWriters = 8

// writeUntilKilled prints every key after its write was acknowledged. Each writer numbers its keys, so
// that a gap shows.
func writeUntilKilled(path, round string) error {
	db, err := sqlite.Open(context.Background(), path, sqlite.Options{})
	if err != nil {
		return err
	}
	fmt.Println("ready")
	var wg sync.WaitGroup
	for w := range crashWriters {
		wg.Go(func() {
			for n := range 1000 {
				k := crashKey(round, w, n)
				if _, err := db.Write(context.Background(), 1, []store.Op{{Item: store.Item{Key: k, Rev: 1, Data: []byte(k.SK)}, Cond: store.Absent}}); err != nil {
					fmt.Println("error", err)
					return
				}
				fmt.Printf("%s %s\n", k.PK, k.SK)
			}
		})
	}
	wg.Wait()
	fmt.Println("end")
	_, err = io.Copy(io.Discard, os.Stdin) // until killed, or until the test is gone
	return err
}

func crashKey(round string, writer, n int) store.Key {
	return store.Key{PK: fmt.Sprintf("r%s-w%d", round, writer), SK: fmt.Sprintf("%06d", n)}
}

// crash runs the writers on a file, kills them after some acknowledged writes, and returns the keys of
// all that were acknowledged.
func crash(t *testing.T, path, round string, after int) (acked []store.Key) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), crashEnv+"="+path, crashEnv+"_ROUND="+round)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return acked // the end, or a line that was cut off by the kill
		}
		pk, sk, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch pk {
		case "error":
			t.Errorf("the child: %s", line)
		case "ready":
			if _, err := sqlite.Open(t.Context(), path, sqlite.Options{}); err == nil || !strings.Contains(err.Error(), "another process") {
				t.Errorf("opening a file in use: %v", err)
			}
		case "end":
		default:
			acked = append(acked, store.Key{PK: pk, SK: sk})
		}
		if len(acked) == after || pk == "end" {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Whatever was acknowledged before a kill -9 is there afterwards, and the file is sound.
func TestKilled(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "notify.db")
	random := rand.New(rand.NewPCG(1, 1))
	var acked []store.Key
	for i := range 24 {
		round := fmt.Sprint(i)
		acked = append(acked, crash(t, path, round, 1+random.IntN(300))...)
		if i%3 == 0 {
			continue // the next one begins with the log of this one
		}
		db, err := sqlite.Open(t.Context(), path, sqlite.Options{})
		if err != nil {
			t.Fatalf("round %d: %v", i, err)
		}
		got, err := db.Get(t.Context(), acked...)
		if err != nil {
			t.Fatalf("round %d: %v", i, err)
		}
		for j, it := range got {
			if it == nil || string(it.Data) != acked[j].SK {
				t.Errorf("round %d: %v was acknowledged and is %v", i, acked[j], it)
			}
		}
		prefixes(t, db, round)
		if err := db.Check(t.Context()); err != nil {
			t.Errorf("round %d: %v", i, err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
	if len(acked) < 24 {
		t.Errorf("only %d writes were acknowledged", len(acked))
	}
}

// A log whose end is missing or garbled, as after a power cut with a disk that lies, opens; what is left is
// what was written first.
func TestTornLog(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(2, 2))
	for i := range 12 {
		path := filepath.Join(t.TempDir(), "notify.db")
		crash(t, path, "0", 1+random.IntN(200))
		log, err := os.OpenFile(path+"-wal", os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		info, err := log.Stat()
		if err != nil {
			t.Fatal(err)
		}
		at := random.Int64N(info.Size())
		if i%3 == 0 {
			_, err = log.WriteAt(make([]byte, min(5000, info.Size()-at)), at)
		} else {
			err = log.Truncate(at)
		}
		if err != nil {
			t.Fatal(err)
		}
		log.Close()
		db, err := sqlite.Open(t.Context(), path, sqlite.Options{})
		if err != nil {
			t.Fatalf("log cut at %d of %d: %v", at, info.Size(), err)
		}
		prefixes(t, db, "0")
		if err := db.Check(t.Context()); err != nil {
			t.Errorf("log cut at %d of %d: %v", at, info.Size(), err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

// prefixes checks that no writer's key is missing before one that is there.
func prefixes(t *testing.T, db *sqlite.DB, round string) {
	t.Helper()
	for w := range crashWriters {
		page, err := db.Query(t.Context(), store.Query{Index: store.ByPartition, Value: crashKey(round, w, 0).PK, Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		for n, it := range page.Items {
			if want := crashKey(round, w, n); it.Key != want {
				t.Errorf("round %s: %v is there, %v is missing", round, it.Key, want)
				break
			}
		}
	}
}
