package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"sync"
	"time"
)

// The noisy tenant: each of two tenants sends usual a second to a slow endpoint; then one of them floods.
const (
	usual = 20
	flood = 10 // times usual
	slow  = 20 * time.Millisecond
)

// noisy measures how long a tenant's messages take to be sent, beside one that sends as it does, and beside the
// same one in a flood, in turns.
func (b *bench) noisy(rounds int) error {
	b.sink.takes = slow
	t, err := b.start("notify", filepath.Join(b.dir, "noisy"))
	if err != nil {
		return err
	}
	defer t.child.stop()
	other, err := t.tenant("noisy")
	if err != nil {
		return err
	}
	t.closed(16, 2*time.Second) // warm-up
	var quiet, noisy []result
	for range rounds {
		quiet = append(quiet, t.beside(other, usual, b.length))
		noisy = append(noisy, t.beside(other, flood*usual, b.length))
	}
	fmt.Printf("%d/s of one tenant, %s a call; arrival in ms; medians of %d\n", usual, slow, rounds)
	p99 := map[bool]time.Duration{}
	for _, flooded := range []bool{false, true} {
		var half, most []time.Duration
		lost := 0
		for _, r := range map[bool][]result{false: quiet, true: noisy}[flooded] {
			half, most = append(half, r.Arrive50), append(most, r.Arrive99)
			lost += r.Lost + r.Bad + r.Doubled
		}
		p99[flooded] = median(most)
		fmt.Printf("beside %4d/s: p50 %6.1f  p99 %6.1f  lost, refused or doubled %d\n", map[bool]int{false: usual, true: flood * usual}[flooded],
			ms(median(half)), ms(p99[flooded]), lost)
	}
	fmt.Printf("p99 × %.2f\n", float64(p99[true])/float64(p99[false]))
	return nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// tenant makes another tenant on the same server, and gives a target that sends as it.
func (t *target) tenant(name string) (*target, error) {
	if _, err := t.ask(http.MethodPut, "/v1/tenants/"+name, []byte(`{"owner":{"name":"bench","email":"bench@example.com"},"free_content":true}`)); err != nil {
		return nil, err
	}
	b, err := t.call("/v1/keys", fmt.Appendf(nil, `{"tenant":%q,"title":"bench","live":true,"scopes":["send"]}`, name))
	if err != nil {
		return nil, err
	}
	other, c := *t, *t.child
	if err := json.Unmarshal(b, &struct{ Key *string }{&c.Key}); err != nil {
		return nil, err
	}
	other.child, other.content = &c, true
	return &other, nil
}

// beside measures this tenant's usual load while the other one sends at its rate.
func (t *target) beside(other *target, perSecond int, d time.Duration) (r result) {
	var both sync.WaitGroup
	stop := make(chan struct{})
	both.Go(func() {
		run := fmt.Sprintf("other%d", time.Now().UnixNano())
		var calls sync.WaitGroup
		tick := time.NewTicker(time.Second / time.Duration(perSecond))
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-stop:
				calls.Wait()
				return
			case now := <-tick.C:
				calls.Go(func() { other.post(fmt.Sprintf("%s-%d", run, i), int64(i), now) })
			}
		}
	})
	r = t.open(usual, d)
	close(stop)
	both.Wait()
	return r
}
