package providertest

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/provider"
)

// headerURL tells the server which URL was asked for.
const headerURL = "Providertest-Url"

// nobody is a loopback port that nothing listens on (tcpmux).
const nobody = "127.0.0.1:1"

// vendor plays a provider's side of a case on a real connection, whatever host the sender asks for.
type vendor struct {
	t         testing.TB
	server    *httptest.Server
	exchanges []exchange
	// spoil answers the last exchange instead of the case's answer.
	spoil http.HandlerFunc
	// refuse lets the last exchange find nobody listening.
	refuse bool
	// compare holds requests to the case; the promises leave it off.
	compare bool

	mu  sync.Mutex
	got []*http.Request
}

func (v *vendor) start(e provider.Env) provider.Env {
	v.server = httptest.NewServer(v)
	v.t.Cleanup(v.server.Close)
	return through(e, func(next http.RoundTripper) http.RoundTripper { return redirector{v, next} })
}

// redirector leads every request to the vendor's server.
type redirector struct {
	vendor *vendor
	next   http.RoundTripper
}

func (d redirector) RoundTrip(r *http.Request) (*http.Response, error) {
	asked := r.URL.String()
	host := strings.TrimPrefix(d.vendor.server.URL, "http://")
	if d.vendor.refuse && d.vendor.isLast(d.vendor.find(r.Method, asked)) {
		host = nobody
	}
	out := r.Clone(r.Context())
	if out.Host == "" {
		out.Host = r.URL.Host
	}
	out.URL.Scheme, out.URL.Host = "http", host
	out.Header.Set(headerURL, asked)
	return d.next.RoundTrip(out)
}

// ServeHTTP answers as the case says.
func (v *vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	asked := r.Header.Get(headerURL)
	r.Header.Del(headerURL)
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	v.mu.Lock()
	n := len(v.got)
	v.got = append(v.got, r)
	v.mu.Unlock()
	if !v.compare {
		n = v.find(r.Method, asked)
	}
	if n >= len(v.exchanges) {
		v.t.Errorf("unexpected request %d: %s", n+1, r.Method)
		http.Error(w, "unexpected", http.StatusTeapot)
		return
	}
	if v.compare {
		v.exchanges[n].expect(v.t, r, asked, body)
	}
	if v.spoil != nil && v.isLast(n) {
		v.spoil(w, r)
		return
	}
	v.exchanges[n].write(w)
}

// find is the exchange that a request belongs to, if it comes out of order: by method and URL.
func (v *vendor) find(method, asked string) int {
	for i, x := range v.exchanges {
		if x.method == method && x.url == asked {
			return i
		}
	}
	return max(len(v.exchanges)-1, 0)
}

func (v *vendor) isLast(n int) bool { return n >= len(v.exchanges)-1 }

func (v *vendor) requests() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.got)
}

func (x exchange) write(w http.ResponseWriter) {
	for name, values := range x.answerHeader {
		if name != "Content-Length" && name != "Transfer-Encoding" {
			w.Header()[name] = values
		}
	}
	w.WriteHeader(x.status)
	_, _ = w.Write(x.answer) // the sender may have gone away: that is its business
}

// expect compares a request with the case's.
func (x exchange) expect(t testing.TB, r *http.Request, asked string, body []byte) {
	t.Helper()
	if got, want := r.Method+" "+asked, x.method+" "+x.url; got != want {
		t.Errorf("request\n got %s\nwant %s", got, want)
	}
	for name, want := range x.header {
		got := r.Header.Values(name)
		if name == "Host" {
			got = []string{r.Host}
		}
		if len(want) == 1 && want[0] == "*" && len(got) > 0 {
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("header %s (-want +got):\n%s", name, diff)
		}
	}
	if diff := diffBody(r.Header.Get("Content-Type"), x.body, body); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
}

func diffBody(contentType string, want, got []byte) string {
	if len(want) == 0 { // the case is about something else
		return ""
	}
	kind, _, _ := mime.ParseMediaType(contentType)
	if kind == "application/x-www-form-urlencoded" {
		w, errW := url.ParseQuery(string(want))
		g, errG := url.ParseQuery(string(got))
		if errW == nil && errG == nil {
			return cmp.Diff(w, g)
		}
	}
	w, okW := decode(want)
	g, okG := decode(got)
	if okW && okG {
		return cmp.Diff(w, g)
	}
	return cmp.Diff(string(want), strings.TrimSuffix(string(got), "\n"))
}

func decode(data []byte) (v any, ok bool) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	err := dec.Decode(&v)
	return v, err == nil && !dec.More()
}
