package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// sink receives the webhooks and notes when each arrived. The order number in the payload names the request.
type sink struct {
	url   string
	takes time.Duration // to answer

	mu      sync.Mutex
	arrived map[string]time.Time
	doubles int
	changed chan struct{}
}

func newSink() (*sink, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &sink{url: "http://" + l.Addr().String(), arrived: map[string]time.Time{}, changed: make(chan struct{}, 1)}
	go http.Serve(l, s)
	return s, nil
}

func (s *sink) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	now := time.Now()
	var p struct {
		Order string `json:"order"`
	}
	if err != nil || json.Unmarshal(body, &p) != nil {
		return
	}
	s.mu.Lock()
	if _, again := s.arrived[p.Order]; again {
		s.doubles++
	}
	s.arrived[p.Order] = now
	s.mu.Unlock()
	time.Sleep(s.takes)
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// wait gives the arrivals of a run once there are n, or when the time is up.
func (s *sink) wait(run string, n int, patience time.Duration) (map[string]time.Time, int) {
	end := time.NewTimer(patience)
	defer end.Stop()
	for {
		s.mu.Lock()
		out := map[string]time.Time{}
		for id, at := range s.arrived {
			if strings.HasPrefix(id, run) {
				out[id] = at
			}
		}
		doubles := s.doubles
		s.mu.Unlock()
		if len(out) >= n {
			return out, doubles
		}
		select {
		case <-end.C:
			return out, doubles
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (s *sink) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.arrived, s.doubles = map[string]time.Time{}, 0
}
