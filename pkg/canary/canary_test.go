package canary_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/opennotify/notify/client"
	"github.com/opennotify/notify/pkg/canary"
	"github.com/opennotify/notify/pkg/local"
	"github.com/opennotify/notify/pkg/telemetry"
)

// counts is how often each counter was added to.
type counts struct {
	telemetry.Nop
	of map[string]int64
}

func (c counts) Count(name string, n int64, _ telemetry.Labels) { c.of[name] += n }

// A canary goes through a whole notify; the one before it counts when it was sent, and only then.
func TestCanary(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	l, err := local.Start(ctx, local.Options{Addr: "127.0.0.1:0", Data: t.TempDir(), Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	api, err := client.New(client.Options{URL: l.URL, Key: client.Key(l.Key)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := api.PutTemplate(ctx, "demo", "canary", client.PutTemplateRequest{TemplateContent: client.TemplateContent{Class: client.Transactional,
		Variables: []client.TemplateVariable{{Name: "at", Example: "now"}}, Variants: []client.TemplateVariant{{Channel: "email", Locale: "en", Subject: "canary", Text: "of {{at}}"}}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := api.PublishTemplate(ctx, "demo", "canary", 1, ""); err != nil {
		t.Fatal(err)
	}
	var logs bytes.Buffer
	now, got := time.Now().UTC().Truncate(canary.Every), counts{of: map[string]int64{}}
	order := canary.Order{URL: l.URL, Key: client.Key(l.Key), Channel: "email", To: "canary@example.com", Template: "canary", Locale: "en"}
	var missing error
	c, err := canary.New(canary.Ports{Order: func(context.Context) (canary.Order, error) { return order, missing }, HTTP: http.DefaultClient,
		Now: func() time.Time { return now }, Metrics: got, Log: slog.New(slog.NewTextHandler(&logs, nil))})
	if err != nil {
		t.Fatal(err)
	}
	sent := func(at string) *client.Message {
		t.Helper()
		s, err := api.Send(ctx, client.SendRequest{IdempotencyKey: "canary-" + at, To: client.Address(order.To), Channel: "email", Template: "canary", Locale: "en",
			Vars: map[string]any{"at": at}, Reference: "canary"})
		if err != nil {
			t.Fatal(err)
		}
		m, err := api.Wait(ctx, s.ID)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	c.Send(ctx)
	if !strings.Contains(logs.String(), "none was sent 5m0s ago") {
		t.Errorf("the first: %s", &logs)
	}
	m := sent(now.Format(time.RFC3339))
	before := got.of[telemetry.CanarySent]
	now = now.Add(canary.Every)
	c.Send(ctx)
	if got.of[telemetry.CanarySent] != before+1 {
		t.Errorf("message %s is %s, and %d canaries came through: %s", m.ID, m.Status, got.of[telemetry.CanarySent], &logs)
	}
	before = got.of[telemetry.CanarySent]
	logs.Reset()
	key := order.Key
	now, order.Key = now.Add(canary.Every), client.Key("nfy_live_0000000000_nobody")
	c.Send(ctx)
	missing = errors.New("secret x is not there")
	c.Send(ctx)
	if got.of[telemetry.CanarySent] != before || strings.Count(logs.String(), "did not come through") != 2 || !strings.Contains(logs.String(), "secret x is not there") || strings.Contains(logs.String(), string(key)) {
		t.Errorf("%v: %s", got.of, &logs)
	}
	if _, err := canary.New(canary.Ports{}); err == nil {
		t.Error("without ports")
	}
}

// A panic ends the canary, and not the process that sends it beside the rest of its work; what it says is not told.
func TestPanic(t *testing.T) {
	t.Parallel()
	var logs bytes.Buffer
	c, err := canary.New(canary.Ports{Order: func(context.Context) (canary.Order, error) { panic("nfy_live_key") }, HTTP: http.DefaultClient, Now: time.Now,
		Metrics: telemetry.Nop{}, Log: slog.New(slog.NewTextHandler(&logs, nil))})
	if err != nil {
		t.Fatal(err)
	}
	c.Send(t.Context())
	if said := logs.String(); !strings.Contains(said, "panic while sending the canary") || strings.Contains(said, "nfy_live_key") {
		t.Error(said)
	}
}
