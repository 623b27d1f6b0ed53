package webhook_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/providertest"
	"github.com/opennotify/notify/pkg/provider/webhook"
)

// BenchmarkSend has many workers write to one receiver; conns tells whether connections are kept.
func BenchmarkSend(b *testing.B) {
	var conns atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			conns.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	e, _ := providertest.Env(b)
	s, err := webhook.Open(provider.Account{Secrets: map[string]message.Secret{"secret": secret}}, e)
	if err != nil {
		b.Fatal(err)
	}
	call := provider.Call{Key: "k1", To: message.Address(server.URL), Content: message.Content{Text: "x"}}
	b.SetParallelism(32) // times GOMAXPROCS
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if r := s.Send(b.Context(), call); r.Outcome != message.Accepted {
				b.Errorf("%+v", r)
				return
			}
		}
	})
	b.ReportMetric(float64(conns.Load()), "conns")
}
