package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/opennotify/notify/client"
)

const (
	listenEvery = time.Second
	// listenFor is how long the service keeps what nobody reads, should this command be killed.
	listenFor = 12 * time.Hour
	// listenBack is how far a callback's id may lie behind its making.
	listenBack = 5 * time.Minute
)

func listenCommand(s *session) *cobra.Command {
	l := listening{session: s, seen: map[string]bool{}}
	var events []string
	c := &cobra.Command{
		Use:   "listen",
		Short: "Show what becomes of a tenant's messages as it happens, and forward it to a local port",
		Long: `Show the events that an endpoint of the tenant is told, one a line, and post them to an address of this
machine, signed as from the service: so a receiver is written without a public address. The secret is printed
at the start. While it listens the tenant has an endpoint more, which goes when this ends.`,
		Example: `  notify listen
  notify listen --forward http://localhost:3000/hook --events delivered,failed
  notify listen --json --count 1 | jq .data.status`,
		Args: takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, e := range events {
				l.events = append(l.events, client.Status(e))
			}
			return l.run(cmd.Context())
		},
	}
	f := c.Flags()
	f.StringVar(&l.forward, "forward", "", "post the events to this address")
	f.StringVar(&l.tenant, "tenant", "", "whose; needed where the key sees several")
	f.StringSliceVar(&events, "events", nil, "which statuses; all in which a message ends, without it")
	f.IntVar(&l.count, "count", 0, "end after so many events; 0 is never")
	return c
}

// listening is one run of the command.
type listening struct {
	*session
	forward, tenant string
	events          []client.Status
	count           int

	client *client.Client
	secret client.Key
	name   string
	since  time.Time
	seen   map[string]bool
}

func (l *listening) run(ctx context.Context) error {
	if u, err := url.Parse(l.forward); l.forward != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		return errors.New("--forward is an address such as http://localhost:3000/hook")
	}
	var err error
	if l.client, err = l.connect(); err != nil {
		return err
	}
	if err := l.whose(ctx); err != nil {
		return err
	}
	var random [38]byte
	if _, err := rand.Read(random[:]); err != nil {
		return err
	}
	l.name, l.since = "listen-"+hex.EncodeToString(random[:6]), l.now()
	l.secret = client.Key("whsec_" + base64.StdEncoding.EncodeToString(random[6:]))
	made, err := l.client.PutEndpoint(ctx, l.tenant, l.name, client.PutEndpointRequest{Until: l.since.Add(listenFor), Events: l.events, Reason: "notify listen"})
	if err != nil {
		return err
	}
	defer func() {
		ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer stop()
		if err := l.client.DeleteEndpoint(ctx, l.tenant, l.name, made.Version, "notify listen has ended"); err != nil {
			l.tell("endpoint %s is left, until %s: %v\n", l.name, clock(made.Until), err)
		}
	}()
	l.tell("%s\n", l.tr("正在监听租户 ", "listening for tenant ")+l.tenant+l.tr("，Ctrl-C 结束", "; Ctrl-C ends it"))
	if l.forward != "" {
		l.tell("%s%s\n%s%s\n", l.tr("转发到 ", "forwarding to "), l.forward, l.tr("签名密钥 ", "signed with "), string(l.secret))
	}
	return l.follow(ctx)
}

// whose finds the tenant of a key that sees one.
func (l *listening) whose(ctx context.Context) error {
	if l.tenant != "" {
		return nil
	}
	all, err := l.client.Tenants(ctx)
	if err != nil {
		return err
	}
	if len(all) != 1 {
		return fmt.Errorf("this key sees %d tenants; name one with --tenant", len(all))
	}
	l.tenant = all[0].Name
	return nil
}

// follow shows what is new, until it is enough.
func (l *listening) follow(ctx context.Context) error {
	tick := time.NewTicker(listenEvery)
	defer tick.Stop()
	for shown := 0; ; {
		fresh, err := l.fresh(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			l.tell("%v\n", err)
		}
		for i := range fresh {
			if err := l.show(ctx, &fresh[i]); err != nil {
				return err
			}
			if shown++; shown == l.count {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// fresh reads the callbacks that were not seen, the oldest first.
func (l *listening) fresh(ctx context.Context) ([]client.Callback, error) {
	f := client.CallbackFilter{From: l.since.Add(-listenBack), Limit: 100}
	if back := l.now().Add(-listenFor); f.From.Before(back) {
		f.From = back
	}
	var out []client.Callback
	for {
		page, err := l.client.Callbacks(ctx, l.tenant, l.name, f)
		if err != nil {
			return nil, err
		}
		known := false
		for _, c := range page.Items {
			if known = l.seen[c.ID]; !known {
				l.seen[c.ID] = true
				out = append(out, c)
			}
		}
		if f.After = page.Next; f.After == "" || known {
			slices.Reverse(out)
			return out, nil
		}
	}
}

func (l *listening) show(ctx context.Context, c *client.Callback) error {
	var e client.WebhookEvent
	if err := json.Unmarshal(c.Event, &e); err != nil {
		return fmt.Errorf("callback %s: %w", c.ID, err)
	}
	answer := ""
	if l.forward != "" {
		answer = "  -> " + l.post(ctx, c)
	}
	if l.json {
		return l.data(c.Event)
	}
	l.say("%s  %s  %s%s\n", clock(e.Timestamp), e.Type, e.Data.ID, answer)
	return nil
}

// post forwards one event, and says what was answered.
func (l *listening) post(ctx context.Context, c *client.Callback) string {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.forward, bytes.NewReader(c.Event))
	if err != nil {
		return err.Error()
	}
	req.Header.Set("Content-Type", "application/json")
	if err := client.SignWebhook(req.Header, l.secret, c.WebhookID, l.now(), c.Event); err != nil {
		return err.Error()
	}
	h := http.Client{Timeout: 15 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := h.Do(req)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	return resp.Status
}
