package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// million fills the file over the batch endpoint with test-key-free real messages that are due far ahead,
// and compares the accept rate and the search by recipient with those of an empty file.
func (b *bench) million() error {
	t, err := b.start("notify", filepath.Join(b.dir, "million"))
	if err != nil {
		return err
	}
	defer t.child.stop()
	t.closed(16, 2*time.Second)
	empty := t.closed(16, b.length)
	const n, batch = 1_000_000, 500
	began := time.Now()
	for i := 0; i < n; i += batch {
		var body bytes.Buffer
		body.WriteString(`{"messages":[`)
		for j := range batch {
			if j > 0 {
				body.WriteByte(',')
			}
			// Two hundred thousand recipients with five messages each, a year ahead: they lie in the file
			// and are not sent.
			fmt.Fprintf(&body, `{"to":"+8613%09d","template":"order-shipped","channel":"sms","send_at":%q,"dedup_seconds":0,"vars":{"name":"Li Lei","order":"M-%d"}}`,
				(i+j)%200_000, began.AddDate(0, 11, 0).UTC().Format(time.RFC3339), i+j)
		}
		body.WriteString(`]}`)
		if _, err := t.call("/v1/messages/batch", body.Bytes()); err != nil {
			return err
		}
		if i%100_000 == 0 {
			fmt.Fprintf(os.Stderr, "filled %d in %v\n", i, time.Since(began).Round(time.Second))
		}
	}
	fmt.Printf("filled a million in %v\n", time.Since(began).Round(time.Second))
	full := t.closed(16, b.length)
	var search []time.Duration
	for i := range 200 {
		s := time.Now()
		if _, err := t.call("/v1/messages/search", fmt.Appendf(nil, `{"recipient":"+8613%09d"}`, i*997%200_000)); err != nil {
			return err
		}
		search = append(search, time.Since(s))
	}
	p50, p99 := quantiles(search)
	fmt.Printf("accept rate at c=16: empty %.0f/s, with a million %.0f/s (%.0f %%); search by recipient p50 %v, p99 %v; file %.0f MB\n",
		empty.PerSecond, full.PerSecond, 100*full.PerSecond/empty.PerSecond, p50, p99, size(filepath.Join(b.dir, "million", "notify.db")))
	return nil
}

func size(path string) float64 {
	st, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return float64(st.Size()) / (1 << 20)
}

func (t *target) call(path string, body []byte) ([]byte, error) {
	return t.ask(http.MethodPost, path, body)
}

func (t *target) ask(method, path string, body []byte) ([]byte, error) {
	r, err := http.NewRequest(method, t.child.URL+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+t.child.Key)
	r.Header.Set("Content-Type", "application/json")
	res, err := t.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode >= 300 {
		err = fmt.Errorf("%s: %d %s", path, res.StatusCode, answer)
	}
	return answer, err
}
