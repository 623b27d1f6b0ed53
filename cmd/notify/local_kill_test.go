package main_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/message"
	sealfile "github.com/opennotify/notify/pkg/seal/file"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/sqlite"
	"github.com/opennotify/notify/pkg/tenant"
)

// The kill -9 test: several clients send, the process is killed in the middle, again and again. What
// counts is the clients' log: what was answered with 202 or 200 exists, and arrives.
const (
	rounds  = 100 // of one folder
	clients = 3
)

var trials = flag.Int("kill.trials", 2*rounds, "how often the process is killed")

// sink counts what arrives, by webhook-id.
type sink struct {
	*httptest.Server
	mu      sync.Mutex
	arrived map[string]int
	orders  map[string]map[string]bool // the ids under which an order arrived
	more    chan struct{}              // something arrived
}

func newSink(t *testing.T) *sink {
	s := &sink{arrived: map[string]int{}, orders: map[string]map[string]bool{}, more: make(chan struct{}, 1)}
	s.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var event struct{ Order string }
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = json.Unmarshal(body, &event)
		}
		id := r.Header.Get("webhook-id")
		if err != nil || id == "" || event.Order == "" {
			t.Errorf("%q %q %v", id, body, err)
			return
		}
		s.mu.Lock()
		s.arrived[id]++
		if s.orders[event.Order] == nil {
			s.orders[event.Order] = map[string]bool{}
		}
		s.orders[event.Order][id] = true
		s.mu.Unlock()
		select {
		case s.more <- struct{}{}:
		default:
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// missing are ids that have not arrived.
func (s *sink) missing(ids map[string]string) (out []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range ids {
		if s.arrived[id] == 0 {
			out = append(out, id)
		}
	}
	return out
}

// load is the clients of one process over all its lives.
type load struct {
	t     *testing.T
	to    string
	mu    sync.Mutex
	acks  map[string]string // id: order
	next  int
	open  []int // orders that were sent and not answered
	kills int
}

// order gives one to send: first those whose answer was lost.
func (l *load) order() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.open); n > 0 {
		o := l.open[n-1]
		l.open = l.open[:n-1]
		return o
	}
	l.next++
	return l.next
}

// run sends until the process is gone; each answer is told to acked.
func (l *load) run(p *process, acked chan<- struct{}) {
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for {
		order := l.order()
		code, _, answer, err := p.do(client, "POST", "/v1/messages", hook(l.to, order), fmt.Sprint("key-", order))
		if err != nil {
			l.mu.Lock()
			l.open = append(l.open, order)
			l.mu.Unlock()
			return
		}
		var sent struct{ ID string }
		if err := json.Unmarshal(answer, &sent); err != nil || code != http.StatusAccepted && code != http.StatusOK || sent.ID == "" {
			l.t.Errorf("%d %s", code, answer)
			return
		}
		l.mu.Lock()
		l.acks[sent.ID] = fmt.Sprint(order)
		l.mu.Unlock()
		acked <- struct{}{}
	}
}

// round is one life of the process: it ends by kill -9 after so many answers.
func (l *load) round(p *process, answers int) {
	acked := make(chan struct{})
	var all sync.WaitGroup
	for range clients {
		all.Go(func() { l.run(p, acked) })
	}
	gone := make(chan struct{})
	go func() { all.Wait(); close(gone) }()
	for n := 0; ; n++ {
		if n == answers {
			if err := p.cmd.Process.Kill(); err != nil {
				l.t.Error(err)
			}
		}
		select {
		case <-acked:
		case <-gone:
			if n < answers {
				l.t.Errorf("the clients ended before the kill: %s", p.stderr.String())
			}
			_ = p.wait()
			return
		}
	}
}

// tear leaves behind the log what a power cut leaves of a write that nobody was told of: the beginning of a frame,
// or anything.
func tear(t *testing.T, log string, random *mathrand.Rand) {
	b, err := os.ReadFile(log)
	if err != nil || len(b) < 4096 {
		return // it was killed before its first write
	}
	tail := b[len(b)-1-random.IntN(4095):]
	if random.IntN(2) == 0 {
		for i := range tail {
			tail[i] = byte(random.Uint32())
		}
	}
	f, err := os.OpenFile(log, os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = f.Write(tail)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.Error(err)
	}
}

func testKill(t *testing.T, bin string, seed, kills int) {
	random := mathrand.New(mathrand.NewPCG(uint64(seed), 1))
	dir, s := t.TempDir(), newSink(t)
	l := &load{t: t, to: s.URL, acks: map[string]string{}, kills: kills}
	for range kills {
		p := start(t, local(bin, dir, "--log", "error"))
		l.round(p, random.IntN(12))
		tear(t, filepath.Join(dir, "notify.db-wal"), random)
		if t.Failed() {
			return
		}
	}
	p := start(t, local(bin, dir))
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	for left := s.missing(l.acks); len(left) > 0; left = s.missing(l.acks) {
		select {
		case <-s.more:
		case <-ctx.Done():
			t.Fatalf("%d of %d never arrived: %s …", len(left), len(l.acks), left[0])
		}
	}
	p.interrupt()
	judge(t, dir, s, l)
}

// judge looks at the records of all that was accepted.
func judge(t *testing.T, dir string, s *sink, l *load) {
	db, err := sqlite.Open(t.Context(), filepath.Join(dir, "notify.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Check(t.Context()); err != nil {
		t.Error(err)
	}
	keeper, err := sealfile.Open(filepath.Join(dir, "master.key"), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(t.Context(), db, keeper, message.At(time.Now()), store.Options{DueShards: 1, ListShards: 1, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	doubles, doubts, kills := 0, 0, l.kills
	for id, order := range l.acks {
		r, err := st.Message(t.Context(), tenant.System("test"), message.ID(id))
		if err != nil {
			t.Errorf("accepted and lost: %s: %v", id, err)
			continue
		}
		unknown := 0
		for _, a := range r.Attempts {
			if a.Outcome == message.Unknown {
				unknown += 1 + a.Repeats
			}
		}
		if n := s.arrived[id]; n < 1 || n > 1+unknown || r.Status != message.Sent && r.Status != message.InDoubt && r.Status != message.Queued {
			t.Errorf("%s arrived %d times with %d doubts and is %s (%s)", id, n, unknown, r.Status, r.Reason)
		}
		if len(s.orders[order]) != 1 {
			t.Errorf("order %s arrived under %v", order, s.orders[order])
		}
		doubles, doubts = doubles+s.arrived[id]-1, doubts+unknown
	}
	t.Logf("%d kills, %d accepted, 0 lost, %d arrived twice, %d doubts", kills, len(l.acks), doubles, doubts)
}
