package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	blobfile "github.com/opennotify/notify/pkg/blob/file"
	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/httpapi/messages"
	"github.com/opennotify/notify/pkg/httpapi/receipts"
	"github.com/opennotify/notify/pkg/httpapi/refused"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/devinbox"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/receipt"
	"github.com/opennotify/notify/pkg/stats"
	"github.com/opennotify/notify/pkg/wire"
	"github.com/opennotify/notify/pkg/wire/admin"
	"github.com/opennotify/notify/pkg/wire/control"
	wiredelivery "github.com/opennotify/notify/pkg/wire/delivery"
	wireintake "github.com/opennotify/notify/pkg/wire/intake"
	wirereceipt "github.com/opennotify/notify/pkg/wire/receipt"
	wiresession "github.com/opennotify/notify/pkg/wire/session"
)

// Options say where and how.
type Options struct {
	Addr string // host:port to listen on; port 0 takes a free one
	Data string // the data folder
	// World opens what notify runs over; nil is [File] over the data folder.
	World func(ctx context.Context) (*World, error)
	// Outside is what notify is told of the world around it; its zero value does. Where it watches for canaries, they
	// are sent: to whom the file canary.json of the data folder says, or within the demo tenant.
	Outside wire.Outside
	// Chores are done besides those of the world.
	Chores []Chore
	Log    *slog.Logger
}

// Local is a running notify.
type Local struct {
	wire.Backend
	URL   string
	Inbox *devinbox.Inbox
	// Key is the demo tenant's key, as it is pasted into a request; "" without one.
	Key message.Secret
	// Console is a link that signs in to the console as the demo tenant, once; without one, the console's.
	Console string

	world    *World
	refusals *stats.Refusals

	listener net.Listener
	server   *http.Server
	control  *control.Control
	handlers map[queue.Name]queue.Consumer
	fire     func(context.Context) // the loop of a timer in this process
}

// Start opens the data, listens, and makes everything ready; Run then works.
func Start(ctx context.Context, o Options) (*Local, error) {
	listener, err := listen(o.Addr)
	if err != nil {
		return nil, err
	}
	if o.World == nil {
		o.World = func(ctx context.Context) (*World, error) { return File(ctx, o.Data, o.Log) }
	}
	w, err := o.World(ctx)
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	w.Outside = o.Outside
	w.Chores = append(w.Chores, o.Chores...)
	l := &Local{Backend: w.Backend, world: w, refusals: stats.NewRefusals(w.Store), listener: listener, URL: "http://" + listener.Addr().String()}
	if err := l.build(ctx, o.Data); err != nil {
		return nil, errors.Join(err, listener.Close(), w.Close())
	}
	return l, nil
}

func listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is in use by another program; stop it, or choose another address with --addr", addr)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", addr, err)
	}
	return l, nil
}

// build wires the use cases over the backend.
func (l *Local) build(ctx context.Context, dir string) error {
	l.Inbox = devinbox.New(l.receive)
	if l.Watch.Canary {
		l.Canary = l.order(dir)
	}
	uploads, err := l.campaigns(dir, cmp.Or(l.world.PublicURL, l.URL))
	if err != nil {
		return err
	}
	in, err := wireintake.New(&l.Backend)
	if err != nil {
		return err
	}
	accounts := wiredelivery.Accounts(&l.Backend, l.Inbox)
	del, err := wiredelivery.New(&l.Backend, accounts)
	if err != nil {
		return err
	}
	rec, err := wirereceipt.New(&l.Backend, accounts)
	if err != nil {
		return err
	}
	people, err := admin.New(&l.Backend, accounts)
	if err != nil {
		return err
	}
	if l.control, err = control.New(&l.Backend); err != nil {
		return err
	}
	if l.Key, err = demo(ctx, l.world, dir); err != nil {
		return fmt.Errorf("demo tenant: %w", err)
	}
	if err := l.canaries(ctx); err != nil {
		return err
	}
	l.consumers(del, rec)
	sessions := wiresession.New(&l.Backend, strings.HasPrefix(l.PublicURL, "https://"))
	con, err := l.console(ctx, sessions)
	if err != nil {
		return fmt.Errorf("console: %w", err)
	}
	api := httpapi.New(httpapi.Config{
		Auth: sessions, Now: l.Now, Log: l.Log,
		Refused:      refused.Watch(l.Metrics, l.refusals),
		NewRequestID: func() string { return "req_" + l.NewULID(message.At(l.Now())) },
	}, slices.Concat(messages.Sending(in), people, receipts.Endpoints(rec), con.Endpoints())...)
	mux := http.NewServeMux()
	mux.Handle("/", sessions.Handler(api))
	if l.world.Totals != nil {
		mux.Handle("GET /metrics", l.world.Totals)
	}
	inbox := l.inboxPage(rec)
	mux.Handle(blobfile.Prefix, uploads)
	mux.Handle("/dev/inbox", inbox)
	mux.Handle("/dev/inbox/", inbox)
	l.server = httpapi.Server(l.listener.Addr().String(), mux)
	return nil
}

// consumers says who works on which queue.
func (l *Local) consumers(del, rec queue.Handler) {
	// Receipts keep pace with what is sent: they wait in memory.
	l.handlers = map[queue.Name]queue.Consumer{queue.Receipts: {Handler: rec, Workers: 48, Batch: 1}, queue.Control: {Handler: l.control, Workers: 4, Batch: 1}}
	for _, info := range append(message.Channels(), message.ChannelInfo{Channel: message.Other}) {
		if l.Deployed != nil && !l.Deployed(info.Channel) {
			continue
		}
		for lane, workers := range map[message.Lane]int{message.Urgent: 16, message.Normal: 96, message.Bulk: 16} {
			l.handlers[queue.Lane(info.Channel, lane)] = queue.Consumer{Handler: del, Workers: workers, Batch: 1}
		}
	}
}

// receive is what the development provider does in place of a callback over HTTP.
func (l *Local) receive(account string, r provider.Receipt) {
	it, err := receipt.Encode(account, r)
	if err == nil {
		err = l.Queue.Send(context.Background(), queue.Receipts, it)
	}
	if err != nil {
		l.Log.Error("receipt not queued", "message", r.ID, "error", err)
	}
}

const drainFor = 15 * time.Second

// Run works until ctx ends, then drains: it takes no new requests, finishes those it has and the calls
// that are under way, and closes the world.
func (l *Local) Run(ctx context.Context) error {
	if err := l.rebuild(ctx); err != nil || ctx.Err() != nil { // or stopped before it began
		return errors.Join(err, l.listener.Close(), l.world.Close())
	}
	l.refill(ctx)
	served := make(chan error, 1)
	go func() { served <- l.server.Serve(l.listener) }()
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	var loops sync.WaitGroup
	for name, c := range l.handlers {
		c.Grace = drainFor
		loops.Go(func() {
			if err := l.world.Source.Consume(work, name, c); err != nil {
				l.Log.Warn("not drained", "queue", name, "error", err)
			}
		})
	}
	for _, c := range l.chores() {
		loops.Go(func() { l.every(work, c) })
	}
	loops.Go(func() { l.fire(work) })

	var err error
	select {
	case <-ctx.Done():
	case err = <-served:
	}
	down, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainFor)
	defer cancel()
	if e := l.server.Shutdown(down); e != nil {
		l.Log.Warn("requests cut off", "error", e)
	}
	stop()
	loops.Wait()
	for _, c := range l.chores() {
		if c.AtEnd {
			l.do(context.WithoutCancel(ctx), c)
		}
	}
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return errors.Join(err, l.world.Close())
}

// rebuild fills queues that forget.
func (l *Local) rebuild(ctx context.Context) error {
	if !l.world.Forgets {
		return nil
	}
	n, err := l.control.Rebuild(ctx)
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		return fmt.Errorf("rebuild the queues: %w", err)
	case n > 0:
		l.Log.Info("queues rebuilt", "messages", n)
	}
	return nil
}

func (l *Local) pass(ctx context.Context) error {
	n, err := l.control.Pass(ctx)
	if err == nil && n.Queued > 0 {
		l.Log.Info("swept", "due", n.Due, "queued", n.Queued)
	}
	return err
}

func (l *Local) refused(ctx context.Context) error {
	return l.refusals.Flush(ctx, message.At(l.Now()))
}

// Welcome is what a developer reads after the start.
func (l *Local) Welcome() string {
	fill := strings.NewReplacer("$URL", l.URL, "$CONSOLE", l.Console, "$KEY", string(l.Key))
	if l.Key == "" {
		return fill.Replace(`notify is running.

  Console    $CONSOLE
  API        $URL/v1
  Dev inbox  $URL/dev/inbox

Its keys are those that were made before; notify bootstrap makes the first. Ctrl-C stops notify.
`)
	}
	return fill.Replace(`notify is running.

  Console    $CONSOLE   (signs in once)
  API        $URL/v1
  Dev inbox  $URL/dev/inbox

Send a code, as the demo tenant:

curl -sS $URL/v1/messages \
  -H 'Authorization: Bearer $KEY' \
  -H 'Content-Type: application/json' \
  -d '{"to":"+8613800138000","template":"login-code","vars":{"code":"482913"}}'

It arrives in the dev inbox. Ctrl-C stops notify; nothing that was accepted is lost.
`)
}

// JSON is the same for programs, in one line.
func (l *Local) JSON() string {
	return fmt.Sprintf(`{"url":%q,"console":%q,"inbox":%q,"key":%q,"pid":%d}`, l.URL, l.Console, l.URL+"/dev/inbox", string(l.Key), os.Getpid())
}
