package client_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/httpapi/operate"
	"github.com/opennotify/notify/pkg/local"
	wireoperate "github.com/opennotify/notify/pkg/wire/operate"
)

// operated serves what pkg/local does not mount yet in front of it.
func operated(l *local.Local) (string, func()) {
	op, err := wireoperate.New(&l.Backend, nil)
	must(err)
	api := httpapi.New(httpapi.Config{Auth: httpapi.KeyAuth(l.Config, l.Now), Now: l.Now, Log: l.Log, NewRequestID: func() string { return "req_front" }},
		operate.Endpoints(op)...)
	to, err := url.Parse(l.URL)
	must(err)
	mux := http.NewServeMux()
	mux.Handle("/", httputil.NewSingleHostReverseProxy(to))
	for _, path := range []string{"/v1/tenants", "/v1/keys", "/v1/templates", "/v1/dlq", "/v1/accounts"} {
		mux.Handle(path, api)
		mux.Handle(path+"/", api)
	}
	s := httptest.NewServer(mux)
	return s.URL, s.Close
}
