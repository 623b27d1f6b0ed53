package local

import (
	"embed"
	"encoding/json"
	"html/template"
	"net/http"
	"strings"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/devinbox"
)

//go:embed inbox.html
var inboxFile embed.FS

// inboxPage shows what "arrived": a plain page for people, JSON for programs, and buttons that make the
// receipts which a real provider would send.
func (l *Local) inboxPage() http.Handler {
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
	mux.Handle("POST /dev/inbox/{id}/{state}", http.NewCrossOriginProtection().Handler(http.HandlerFunc(l.inboxReceipt)))
	return mux
}

// inboxReceipt is a button: delivered, undelivered, bounced, complained.
func (l *Local) inboxReceipt(w http.ResponseWriter, r *http.Request) {
	e, ok := l.Inbox.Get(message.ID(r.PathValue("id")))
	state, known := message.ParseReceiptState(r.PathValue("state"))
	if !ok || !known {
		http.Error(w, "no such message in the inbox, or no such receipt (delivered, undelivered, bounced, complained)", http.StatusNotFound)
		return
	}
	l.receive(e.Account, provider.Receipt{ID: e.ID, Epoch: e.Epoch, ProviderID: e.ProviderID, State: state, At: message.At(l.Now()), Code: "devinbox"})
	if strings.Contains(r.Header.Get("Accept"), "text/html") {
		http.Redirect(w, r, "/dev/inbox", http.StatusSeeOther)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}
