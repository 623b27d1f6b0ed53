package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// result is what one load showed.
type result struct {
	Accepted, Lost, Bad, Doubled int
	PerSecond, Delivered         float64 // accepted, and delivered until the last arrival
	Accept50, Accept99           time.Duration
	Arrive50, Arrive99           time.Duration
	CPU                          time.Duration // of the server, a message
	Written                      int64         // bytes to the disk, a message
	Syncs                        float64       // a message; negative: could not be counted
}

// target is a running server.
type target struct {
	child  *child
	sink   *sink
	client *http.Client
	runs   int
	// content: the tenant has no template, and sends what it likes.
	content bool
}

type sent struct {
	id    string
	due   time.Time // when it was to be sent: an open loop counts from then
	took  time.Duration
	valid bool
}

func (t *target) post(id string, n int64, due time.Time) sent {
	body := fmt.Appendf(nil, `{"to":"%s/hook/%d","template":"order-card","vars":{"order":%q,"amount":99.5,"customer":"Li Lei"}}`, t.sink.url, n%10000, id)
	if t.content {
		body = fmt.Appendf(nil, `{"to":"%s/hook/%d","channel":"webhook","content":{"data":{"order":%q}}}`, t.sink.url, n%10000, id)
	}
	r, err := http.NewRequest(http.MethodPost, t.child.URL+"/v1/messages", bytes.NewReader(body))
	if err != nil {
		return sent{}
	}
	r.Header.Set("Authorization", "Bearer "+t.child.Key)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", id)
	res, err := t.client.Do(r)
	if err != nil {
		return sent{}
	}
	io.Copy(io.Discard, res.Body)
	res.Body.Close()
	return sent{id, due, time.Since(due), res.StatusCode == http.StatusAccepted}
}

// closed keeps c callers busy for d.
func (t *target) closed(c int, d time.Duration) result {
	return t.measure(func(run string) ([]sent, time.Duration) {
		var n atomic.Int64
		var mu sync.Mutex
		var all []sent
		var callers sync.WaitGroup
		start := time.Now()
		for range c {
			callers.Go(func() {
				var mine []sent
				for time.Since(start) < d {
					i := n.Add(1)
					mine = append(mine, t.post(fmt.Sprintf("%s-%d", run, i), i, time.Now()))
				}
				mu.Lock()
				defer mu.Unlock()
				all = append(all, mine...)
			})
		}
		callers.Wait()
		return all, time.Since(start)
	})
}

// open sends at a fixed rate, whatever the server does.
func (t *target) open(perSecond int, d time.Duration) result {
	return t.measure(func(run string) ([]sent, time.Duration) {
		var mu sync.Mutex
		var all []sent
		var calls sync.WaitGroup
		start := time.Now()
		n := int(d.Seconds() * float64(perSecond))
		for i := range n {
			due := start.Add(time.Duration(i) * time.Second / time.Duration(perSecond))
			time.Sleep(time.Until(due))
			calls.Go(func() {
				s := t.post(fmt.Sprintf("%s-%d", run, i), int64(i), due)
				mu.Lock()
				defer mu.Unlock()
				all = append(all, s)
			})
		}
		calls.Wait()
		return all, time.Since(start)
	})
}

func (t *target) measure(load func(run string) ([]sent, time.Duration)) result {
	t.runs++
	run := fmt.Sprintf("run%d-%d", t.child.pid(), t.runs)
	t.sink.forget()
	before := t.child.usage()
	start := time.Now()
	all, took := load(run)
	var ok []sent
	for _, s := range all {
		if s.valid {
			ok = append(ok, s)
		}
	}
	arrived, doubles := t.sink.wait(run, len(ok), 30*time.Second)
	after := t.child.usage()
	r := result{Accepted: len(ok), Bad: len(all) - len(ok), Doubled: doubles, PerSecond: float64(len(ok)) / took.Seconds(), Syncs: -1}
	if len(ok) == 0 {
		return r
	}
	var accept, arrive []time.Duration
	last := start
	for _, s := range ok {
		accept = append(accept, s.took)
		at, there := arrived[s.id]
		if !there {
			r.Lost++
			continue
		}
		arrive = append(arrive, at.Sub(s.due))
		if at.After(last) {
			last = at
		}
	}
	r.Delivered = float64(len(arrive)) / last.Sub(start).Seconds()
	r.Accept50, r.Accept99 = quantiles(accept)
	r.Arrive50, r.Arrive99 = quantiles(arrive)
	r.CPU = (after.cpu - before.cpu) / time.Duration(len(ok))
	r.Written = (after.written - before.written) / int64(len(ok))
	if after.syncs >= 0 && before.syncs >= 0 {
		r.Syncs = float64(after.syncs-before.syncs) / float64(len(ok))
	}
	return r
}

func quantiles(d []time.Duration) (p50, p99 time.Duration) {
	if len(d) == 0 {
		return 0, 0
	}
	slices.Sort(d)
	return d[len(d)/2], d[len(d)*99/100]
}
