package client_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/opennotify/notify/client"
)

// The vector of Standard Webhooks.
const (
	vectorSecret = client.Key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	vectorBody   = `{"test": 2432232314}`
	vectorTime   = 1614265330
)

func vector() http.Header {
	return http.Header{"Webhook-Id": {"msg_p5jXN8AQM9LWM0D4loKWxJek"}, "Webhook-Timestamp": {"1614265330"},
		"Webhook-Signature": {"v1a,x v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}}
}

func TestVerifyWebhook(t *testing.T) {
	t.Parallel()
	other := client.Key("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
	with := func(name, value string) http.Header {
		h := vector()
		h.Set(name, value)
		return h
	}
	for name, row := range map[string]struct {
		h       http.Header
		body    string
		age     time.Duration
		secrets []client.Key
		want    error
	}{
		"published":     {vector(), vectorBody, 0, []client.Key{vectorSecret}, nil},
		"second secret": {vector(), vectorBody, 0, []client.Key{other, vectorSecret}, nil},
		"5 minutes":     {vector(), vectorBody, 5 * time.Minute, []client.Key{vectorSecret}, nil},
		"late":          {vector(), vectorBody, 5*time.Minute + time.Second, []client.Key{vectorSecret}, client.ErrWebhookTime},
		"early":         {vector(), vectorBody, -5*time.Minute - time.Second, []client.Key{vectorSecret}, client.ErrWebhookTime},
		"other secret":  {vector(), vectorBody, 0, []client.Key{other}, client.ErrWebhookSignature},
		"no secret":     {vector(), vectorBody, 0, nil, client.ErrWebhookSignature},
		"other body":    {vector(), vectorBody + " ", 0, []client.Key{vectorSecret}, client.ErrWebhookSignature},
		"other id":      {with("Webhook-Id", "x"), vectorBody, 0, []client.Key{vectorSecret}, client.ErrWebhookSignature},
		"no id":         {with("Webhook-Id", ""), vectorBody, 0, []client.Key{vectorSecret}, client.ErrWebhookHeaders},
		"no signature":  {with("Webhook-Signature", ""), vectorBody, 0, []client.Key{vectorSecret}, client.ErrWebhookHeaders},
		"a word":        {with("Webhook-Timestamp", "now"), vectorBody, 0, []client.Key{vectorSecret}, client.ErrWebhookHeaders},
	} {
		e, err := client.VerifyWebhookAt(time.Unix(vectorTime, 0).Add(row.age), row.h, []byte(row.body), row.secrets...)
		if !errors.Is(err, row.want) || (err == nil) != (e != nil) || e != nil && e.ID != "msg_p5jXN8AQM9LWM0D4loKWxJek" {
			t.Errorf("%s: %+v %v, want %v", name, e, err, row.want)
		}
	}
	if _, err := client.VerifyWebhookAt(time.Unix(vectorTime, 0), vector(), []byte(vectorBody), "whsec_!"); err == nil {
		t.Error("a secret that is none")
	}
}

func TestSignWebhook(t *testing.T) {
	t.Parallel()
	h := http.Header{}
	if err := client.SignWebhook(h, vectorSecret, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(vectorTime, 0), []byte(vectorBody)); err != nil ||
		h.Get("Webhook-Signature") != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" || h.Get("Webhook-Timestamp") != "1614265330" {
		t.Errorf("%v %v", h, err)
	}
	if err := client.SignWebhook(h, "whsec_!", "x", time.Unix(1, 0), nil); err == nil {
		t.Error("signed with a secret that is none")
	}
}

// No webhook that was changed anywhere is taken.
func TestMutatedWebhooks(t *testing.T) {
	t.Parallel()
	chance := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		h, body := vector(), []byte(vectorBody)
		name := []string{"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature", ""}[chance.IntN(4)]
		text := body
		if name != "" {
			text = []byte(h.Get(name))
		}
		from := 0
		if name == "Webhook-Signature" { // those before are none that we know
			from = len("v1a,x v1,")
		}
		at := from + chance.IntN(len(text)-from)
		was := text[at]
		if text[at] = byte(33 + chance.IntN(94)); text[at] == was {
			continue
		}
		if name != "" {
			h.Set(name, string(text))
		}
		if e, err := client.VerifyWebhookAt(time.Unix(vectorTime, 0), h, body, vectorSecret); err == nil {
			t.Fatalf("taken with %s changed at %d to %q: %+v", name, at, text, e)
		}
	}
}

// receiver is a tenant's own server: it takes what verifies.
func receiver(t *testing.T, secret func() client.Key) (url string, events chan *client.WebhookEvent) {
	t.Helper()
	events = make(chan *client.WebhookEvent, 100)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		e, err := client.VerifyWebhook(r.Header, bytes.Clone(body), secret())
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		events <- e
	}))
	t.Cleanup(s.Close)
	return s.URL, events
}

// TestEndpointRound: a message's way into a tenant's own server, with everything that is done to endpoints.
func TestEndpointRound(t *testing.T) {
	t.Parallel()
	c, ctx := started(t), t.Context()
	secret := make(chan client.Key, 1)
	url, events := receiver(t, func() client.Key { s := <-secret; secret <- s; return s })
	next := func(want string) *client.WebhookEvent {
		t.Helper()
		select {
		case e := <-events:
			if e.Type != want {
				t.Errorf("%s came, want %s", e.Type, want)
			}
			return e
		case <-time.After(time.Minute):
			t.Fatalf("no %s came", want)
			return nil
		}
	}
	made, err := c.PutEndpoint(ctx, "demo", "orders", client.PutEndpointRequest{URL: url, Events: []client.Status{client.StatusDelivered, client.StatusFailed}})
	if err != nil || made.Secret == "" || made.Version != 1 {
		t.Fatalf("%+v, %v", made, err)
	}
	secret <- made.Secret
	sent, err := c.Send(ctx, client.SendRequest{To: client.Address("+8613800130007"), Channel: "sms", Template: "order-shipped", Locale: "en",
		Vars: map[string]any{"name": "Li", "order": "A-1"}, Reference: "r-1"})
	if err != nil {
		t.Fatal(err)
	}
	e := next("message.delivered")
	if e.Data.ID != sent.ID || e.Data.Status != client.StatusDelivered || e.Data.Reference != "r-1" || e.Data.To != "+86138****0007" || e.Data.Receipt == nil || e.ID == "" {
		t.Errorf("%+v", e)
	}
	tested, err := c.TestEndpoint(ctx, "demo", "orders")
	if err != nil || next("endpoint.test").ID != tested.WebhookID {
		t.Errorf("test: %+v, %v", tested, err)
	}
	again, err := c.ResendCallbacks(ctx, "demo", "orders", client.ResendCallbacksRequest{ID: e.ID})
	if err != nil || again.Callback == nil || next("message.delivered").ID != e.ID {
		t.Errorf("resend: %+v, %v", again, err)
	}
	m := wait(t, c, again.Callback.ID)
	page, err := c.Callbacks(ctx, "demo", "orders", client.CallbackFilter{Limit: 10, From: m.CreatedAt.Add(-time.Minute)})
	if err != nil || len(page.Items) != 3 || page.Items[0].ResendOf != e.ID || page.Items[2].Attempts[0].HTTPStatus != 200 {
		t.Errorf("attempts: %+v, %v", page, err)
	}
	if h, err := c.EndpointHealth(ctx, "demo", "orders"); err != nil || h.LastSuccessAt.IsZero() || h.Failures != 0 {
		t.Errorf("health: %+v, %v", h, err)
	}
	// The old secret signs on for a time; only a receiver that knows neither refuses.
	rotated, err := c.RotateEndpoint(ctx, "demo", "orders", client.RotateEndpointRequest{Version: 1})
	if err != nil || rotated.Secret == made.Secret || rotated.BothUntil.IsZero() {
		t.Errorf("rotate: %+v, %v", rotated, err)
	}
	if _, err := c.TestEndpoint(ctx, "demo", "orders"); err != nil {
		t.Error(err)
	}
	next("endpoint.test")
	if all, err := c.Endpoints(ctx, "demo"); err != nil || len(all) != 1 || all[0].Version != 2 {
		t.Errorf("list: %+v, %v", all, err)
	}
	if one, err := c.Endpoint(ctx, "demo", "orders"); err != nil || one.URL != url+"/" {
		t.Errorf("read: %+v, %v", one, err)
	}
	if err := c.DeleteEndpoint(ctx, "demo", "orders", 2, "over"); err != nil {
		t.Error(err)
	}
	if _, err := c.Endpoint(ctx, "demo", "orders"); code(err) != client.CodeNotFound {
		t.Errorf("deleted: %v", err)
	}
}
