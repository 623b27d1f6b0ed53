package otlp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Exporter keeps spans until Flush sends them. A nil one has nothing to send.
type Exporter struct {
	url     string
	header  http.Header
	service string
	client  *http.Client
	now     func() time.Time

	mu      sync.Mutex
	spans   []span
	dropped int // for want of room since the last flush
	rest    time.Time
}

const (
	// room is how many spans wait for the next flush; what comes after is dropped and counted, because the
	// messages are worth more than what is told of them.
	room = 2048
	// patience is how long a collector may take. It is to be near: on Lambda each invocation waits for it.
	patience = time.Second
	// pause is how long one that failed is left alone, so that it is not waited for again and again.
	pause = 10 * time.Second
)

// Open reads the variables that OpenTelemetry's own exporters read
// (https://opentelemetry.io/docs/specs/otel/protocol/exporter/): OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, or
// OTEL_EXPORTER_OTLP_ENDPOINT to which /v1/traces is added; OTEL_EXPORTER_OTLP_HEADERS, name=value by commas;
// OTEL_SERVICE_NAME, "notify" without it. It is nil where no endpoint is given.
func Open(getenv func(string) string, now func() time.Time) (*Exporter, error) {
	const base, exact, headers = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS"
	name, to := exact, getenv(exact)
	if to == "" {
		if name, to = base, getenv(base); to == "" {
			return nil, nil
		}
		to = strings.TrimRight(to, "/") + "/v1/traces"
	}
	u, err := url.Parse(to)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("environment variable %s must be the address of a collector, as http://127.0.0.1:4318", name)
	}
	e := &Exporter{url: to, header: http.Header{"Content-Type": {"application/json"}}, service: "notify", client: &http.Client{
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // the headers are for this one
	}, now: now}
	if s := getenv("OTEL_SERVICE_NAME"); s != "" {
		e.service = s
	}
	for pair := range strings.SplitSeq(getenv(headers), ",") {
		if pair = strings.TrimSpace(pair); pair == "" {
			continue
		}
		k, v, ok := strings.Cut(pair, "=")
		value, err := url.PathUnescape(strings.TrimSpace(v))
		if !ok || err != nil {
			return nil, fmt.Errorf("environment variable %s must be name=value, percent-encoded and separated by commas", headers)
		}
		e.header.Set(strings.TrimSpace(k), value)
	}
	return e, nil
}

func (e *Exporter) keep(s span) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.spans) >= room {
		e.dropped++
		return
	}
	e.spans = append(e.spans, s)
}

// Flush sends what came since the last one. What cannot be sent is lost, and the error says how much.
func (e *Exporter) Flush(ctx context.Context) error {
	if e == nil {
		return nil
	}
	e.mu.Lock()
	if e.now().Before(e.rest) {
		e.mu.Unlock()
		return nil
	}
	spans, dropped := e.spans, e.dropped
	e.spans, e.dropped = nil, 0
	e.mu.Unlock()
	var lost error
	if dropped > 0 {
		lost = fmt.Errorf("%d spans were dropped: more than %d came between two flushes", dropped, room)
	}
	if len(spans) == 0 {
		return lost
	}
	if err := e.post(ctx, spans); err != nil {
		e.mu.Lock()
		e.rest = e.now().Add(pause)
		e.mu.Unlock()
		return errors.Join(lost, fmt.Errorf("%d spans were not taken by the collector: %w", len(spans), err))
	}
	return lost
}

func (e *Exporter) post(ctx context.Context, spans []span) error {
	body, err := json.Marshal(request(e.service, spans))
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header = e.header
	res, err := e.client.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // the address may hold a token
		}
		return err
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<16)) // so that the connection is used again
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("it answered %d", res.StatusCode)
	}
	return nil
}
