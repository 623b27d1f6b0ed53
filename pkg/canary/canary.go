package canary

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/opennotify/notify/client"
	"github.com/opennotify/notify/pkg/telemetry"
)

// KindCanary is the kind of the control queue's entry that sends one.
const KindCanary = "canary"

// Every is how often one is sent. The last one must have gone all the way by then.
const Every = 5 * time.Minute

// Order is whom to send to, as whom, and what. The template has one variable, at.
type Order struct {
	URL      string         `json:"url"`
	Key      client.Key     `json:"key"`
	Channel  client.Channel `json:"channel"`
	To       string         `json:"to"`
	Template string         `json:"template"`
	Locale   string         `json:"locale,omitzero"`
}

// ReadOrder reads an order as it is kept, a JSON object, and adds it to what is said already. It holds a key, so no
// error quotes it.
func ReadOrder(text []byte, o Order) (Order, error) {
	if json.Unmarshal(text, &o) != nil {
		return Order{}, errors.New("not a JSON object with key, channel, to, template, and where it differs url and locale")
	}
	if o.Key == "" || o.To == "" || o.Channel == "" || o.Template == "" || o.URL == "" {
		return Order{}, errors.New("key, channel, to, template or url is missing")
	}
	return o, nil
}

// Ports is everything that canaries need.
type Ports struct {
	// Order reads the order: it holds a key, so it is not kept.
	Order   func(context.Context) (Order, error)
	HTTP    *http.Client
	Now     func() time.Time
	Metrics telemetry.Metrics
	Log     *slog.Logger
}

// Canary sends them.
type Canary struct{ Ports }

// New checks that nothing is missing.
func New(p Ports) (*Canary, error) {
	if p.Order == nil || p.HTTP == nil || p.Now == nil || p.Metrics == nil || p.Log == nil {
		return nil, errors.New("canary: a port is missing")
	}
	return &Canary{p}, nil
}

// Send looks what became of the last canary, and sends the next. Its own faults are told in the log and by the lack of
// the metric: an entry that came again would only be late.
func (c *Canary) Send(ctx context.Context) {
	defer func() {
		if v := recover(); v != nil { // it is sent beside others, where nobody else would catch it; its text may hold the key
			c.Log.ErrorContext(ctx, "panic while sending the canary", "panic", fmt.Sprintf("%T", v), "stack", string(debug.Stack()))
		}
	}()
	if err := c.send(ctx); err != nil {
		c.Log.ErrorContext(ctx, "the canary did not come through", "error", err)
	}
}

func (c *Canary) send(ctx context.Context) error {
	o, err := c.Order(ctx)
	if err != nil {
		return err
	}
	api, err := client.New(client.Options{URL: o.URL, Key: o.Key, HTTP: c.HTTP, Tries: 1, UserAgent: "notify-canary"})
	if err != nil {
		return err
	}
	now := c.Now().UTC().Truncate(Every)
	// Asking again for the last one, with its key, sends nothing and is answered with the message as it is now.
	last, fault := c.one(ctx, api, o, now.Add(-Every))
	switch {
	case fault != nil:
	case last.Status == client.StatusSent || last.Status == client.StatusDelivered:
		c.Metrics.Count(telemetry.CanarySent, 1, telemetry.Labels{})
	case !last.CreatedAt.Before(now): // by this very request
		fault = fmt.Errorf("none was sent %s ago: this is the first, or its entry did not come", Every)
	default:
		fault = fmt.Errorf("message %s of %s ago is %s", last.ID, Every, last.Status)
	}
	_, err = c.one(ctx, api, o, now)
	return errors.Join(fault, err)
}

func (c *Canary) one(ctx context.Context, api *client.Client, o Order, at time.Time) (*client.Sent, error) {
	name := at.Format(time.RFC3339)
	return api.Send(ctx, client.SendRequest{IdempotencyKey: "canary-" + name, To: client.Address(o.To), Channel: o.Channel, Template: o.Template,
		Locale: o.Locale, Vars: map[string]any{"at": name}, Reference: "canary"})
}
