package local

import (
	"cmp"
	"context"
	"embed"
	"encoding/json"
	"html/template"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/devinbox"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/receipt"
)

//go:embed inbox.html
var inboxFile embed.FS

// inboxPage shows what "arrived": a plain page for people, JSON for programs, and buttons that make the
// receipts which a real provider would send.
func (l *Local) inboxPage(replies replier) http.Handler {
	page := template.Must(template.New("inbox.html").Funcs(template.FuncMap{
		"when": func(t message.Time) string { return t.Std().Local().Format("15:04:05") },
	}).ParseFS(inboxFile, "inbox.html"))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /dev/inbox", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		list := l.Inbox.List(devinbox.Filter{ID: message.ID(q.Get("id")), Channel: message.Channel(q.Get("channel")), To: q.Get("to"), Limit: 200})
		if !strings.Contains(r.Header.Get("Accept"), "text/html") || q.Get("format") == "json" {
			w.Header().Set("Content-Type", "application/json")
			if list == nil {
				list = []devinbox.Entry{}
			}
			_ = json.NewEncoder(w).Encode(map[string]any{"messages": list}) // the client has gone
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'")
		if err := page.Execute(w, list); err != nil {
			l.Log.Warn("inbox page", "error", err)
		}
	})
	changes := http.NewServeMux()
	changes.HandleFunc("POST /dev/inbox/{id}/reply", func(w http.ResponseWriter, r *http.Request) { l.inboxReply(w, r, replies) })
	changes.HandleFunc("POST /dev/inbox/{id}/{state}", l.inboxReceipt)
	mux.Handle("POST /dev/inbox/{id}/{state}", http.NewCrossOriginProtection().Handler(changes))
	return l.toThisMachine(mux)
}

// toThisMachine lets requests through that name this machine, where it is the only one that can ask: the inbox needs
// no key, and a page of anybody's whose own name leads here (DNS rebinding) could read it otherwise.
func (l *Local) toThisMachine(h http.Handler) http.Handler {
	at, err := netip.ParseAddrPort(l.listener.Addr().String())
	if err != nil || !at.Addr().IsLoopback() {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err != nil && host != "localhost" && !strings.HasSuffix(host, ".localhost") {
			http.Error(w, "the dev inbox is shown on this machine only: open it at "+l.URL+"/dev/inbox", http.StatusMisdirectedRequest)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// mostDelay is how late a receipt may be.
const mostDelay = 600

// inboxReceipt is a button: delivered, undelivered, bounced, complained; at once, or after so many seconds.
func (l *Local) inboxReceipt(w http.ResponseWriter, r *http.Request) {
	e, ok := l.Inbox.Get(message.ID(r.PathValue("id")))
	state, known := message.ParseReceiptState(r.PathValue("state"))
	if !ok || !known {
		http.Error(w, "no such message in the inbox, or no such receipt (delivered, undelivered, bounced, complained)", http.StatusNotFound)
		return
	}
	after, err := strconv.Atoi(cmp.Or(r.URL.Query().Get("after"), "0"))
	if err != nil || after < 0 || after > mostDelay {
		http.Error(w, "after must be 0 to 600 seconds", http.StatusUnprocessableEntity)
		return
	}
	it, err := receipt.Encode(e.Account, provider.Receipt{ID: e.ID, Epoch: e.Epoch, ProviderID: e.ProviderID, State: state, At: message.At(l.Now()), Code: "devinbox"})
	it.Delay = time.Duration(after) * time.Second
	l.inboxDone(w, r, it, err)
}

// replier makes the queue's entry of what a recipient wrote back.
type replier interface {
	EncodeReply(ctx context.Context, account string, r provider.Reply) (queue.Item, error)
}

const mostReply = 2000

// inboxReply is what a recipient writes back: STOP opts him out, as it would with a real provider.
func (l *Local) inboxReply(w http.ResponseWriter, r *http.Request, replies replier) {
	e, ok := l.Inbox.Get(message.ID(r.PathValue("id")))
	if !ok {
		http.Error(w, "no such message in the inbox", http.StatusNotFound)
		return
	}
	var said struct{ Text string }
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, mostReply)).Decode(&said); err != nil || strings.TrimSpace(said.Text) == "" {
		http.Error(w, `say what he writes, in at most 2000 bytes: {"text": "STOP"}`, http.StatusUnprocessableEntity)
		return
	}
	it, err := replies.EncodeReply(r.Context(), e.Account, provider.Reply{From: message.Address(e.To), Channel: e.Channel, Text: said.Text, At: message.At(l.Now())})
	l.inboxDone(w, r, it, err)
}

// inboxDone queues what a button made.
func (l *Local) inboxDone(w http.ResponseWriter, r *http.Request, it queue.Item, err error) {
	if err == nil {
		err = l.Queue.Send(r.Context(), queue.Receipts, it)
	}
	if err != nil {
		l.Log.Error("inbox button", "error", err)
		http.Error(w, "it could not be queued; the log says why", http.StatusServiceUnavailable)
		return
	}
	if strings.Contains(r.Header.Get("Accept"), "text/html") {
		http.Redirect(w, r, "/dev/inbox", http.StatusSeeOther)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}
