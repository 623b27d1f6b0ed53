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
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/opennotify/notify/client"
)

const (
	listenEvery = time.Second
	// listenFor is how long the service keeps what nobody reads, should this command be killed. It is asked to anew when
	// half of it is over.
	listenFor = time.Hour
	// listenBack is how far a callback's id may lie behind its making.
	listenBack = 5 * time.Minute
	// listenLong is how far back callbacks are looked for at all.
	listenLong = 12 * time.Hour
)

func listenCommand(s *session) *cobra.Command {
	l := listening{session: s, seen: map[string]bool{}}
	var events []string
	c := &cobra.Command{
		Use:   "listen",
		Short: "Show what becomes of a tenant's messages as it happens, and forward it to a local port",
		Long: `Show the events that an endpoint of the tenant is told, one a line, and post them to an address of this
machine, signed as from the service: so a receiver is written without a public address. The secret is printed
at the start. While it listens the tenant has an endpoint more, which goes when this ends or nobody reads what it
prints; an hour later should it be killed.`,
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
	made   *client.EndpointSecret
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
	signal.Ignore(syscall.SIGPIPE) // a reader who has enough must not end this before the endpoint is gone
	if err := l.keep(ctx, 0); err != nil {
		return err
	}
	defer func() {
		ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer stop()
		if err := l.client.DeleteEndpoint(ctx, l.tenant, l.name, l.made.Version, "notify listen has ended"); err != nil && !gone(err) {
			l.tell("endpoint %s is left, until %s: %v\n", l.name, clock(l.made.Until), err)
		}
	}()
	l.tell("%s\n", l.tr("正在监听租户 ", "listening for tenant ")+l.tenant+l.tr("，Ctrl-C 结束", "; Ctrl-C ends it"))
	if l.forward != "" {
		l.tell("%s%s\n%s%s\n", l.tr("转发到 ", "forwarding to "), l.forward, l.tr("签名密钥 ", "signed with "), string(l.secret))
	}
	return l.follow(ctx)
}

// keep makes the endpoint (version 0), or keeps it for longer.
func (l *listening) keep(ctx context.Context, version int64) error {
	made, err := l.client.PutEndpoint(ctx, l.tenant, l.name, client.PutEndpointRequest{Until: l.now().Add(listenFor), Events: l.events, Version: version, Reason: "notify listen"})
	if err == nil {
		l.made = made
	}
	return err
}

// renew keeps the endpoint for longer when its time is half over. Its version is read, because an answer may be lost.
func (l *listening) renew(ctx context.Context) error {
	if l.made.Until.Sub(l.now()) > listenFor/2 {
		return nil
	}
	have, err := l.client.Endpoint(ctx, l.tenant, l.name)
	if err != nil {
		return err
	}
	return l.keep(ctx, have.Version)
}

// gone tells whether an error says that there is no such endpoint.
func gone(err error) bool {
	var refused *client.Error
	return errors.As(err, &refused) && refused.Status == http.StatusNotFound
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
		if err == nil {
			err = l.renew(ctx)
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case gone(err):
			return fmt.Errorf("endpoint %s/%s was deleted", l.tenant, l.name)
		case err != nil:
			l.tell("%v\n", err)
		}
		for i := range fresh {
			if err := l.show(ctx, &fresh[i]); err != nil && !errors.Is(err, syscall.EPIPE) {
				return err
			}
			if shown++; shown == l.count {
				return nil
			}
		}
		if l.unread() {
			return nil
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
	if back := l.now().Add(-listenLong); f.From.Before(back) {
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
				out = append(out, c)
			}
		}
		if f.After = page.Next; f.After == "" || known {
			for _, c := range out { // only now: had a page failed, they would be read again
				l.seen[c.ID] = true
			}
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
