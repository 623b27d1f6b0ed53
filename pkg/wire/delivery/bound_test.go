package delivery_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/httpapi/messages"
	"github.com/opennotify/notify/pkg/httpapi/operate"
	"github.com/opennotify/notify/pkg/intake/intaketest"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/accounts"
	"github.com/opennotify/notify/pkg/provider/catalog"
	"github.com/opennotify/notify/pkg/provider/senders"
	"github.com/opennotify/notify/pkg/queue"
	sealfile "github.com/opennotify/notify/pkg/seal/file"
	secretfile "github.com/opennotify/notify/pkg/secret/file"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/telemetry"
	"github.com/opennotify/notify/pkg/tenant"
	"github.com/opennotify/notify/pkg/wire"
	wiredelivery "github.com/opennotify/notify/pkg/wire/delivery"
	wireintake "github.com/opennotify/notify/pkg/wire/intake"
	wireoperate "github.com/opennotify/notify/pkg/wire/operate"
	wiretrace "github.com/opennotify/notify/pkg/wire/trace"
	"github.com/opennotify/notify/recipes"
)

// vendor is a server in Tencent's place; every request of the world's accounts reaches it.
type vendor struct {
	*httptest.Server
	mu      sync.Mutex
	actions []string
	sent    struct {
		TemplateID       string `json:"TemplateId"`
		SignName         string
		TemplateParamSet []string
	}
	state int // of its template
}

func (v *vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.actions = append(v.actions, r.Host+" "+r.Header.Get("X-TC-Action"))
	body, _ := io.ReadAll(r.Body)
	if r.Header.Get("X-TC-Action") == "DescribeSmsTemplateList" {
		fmt.Fprintf(w, `{"Response":{"DescribeTemplateStatusSet":[{"TemplateId":449739,"StatusCode":%d,"ReviewReply":"reply"}]}}`, v.state)
		return
	}
	_ = json.Unmarshal(body, &v.sent)
	_, _ = io.WriteString(w, `{"Response":{"SendStatusSet":[{"SerialNo":"2019:538884","Code":"Ok"}]}}`)
}

// RoundTrip leads a request here, whoever it is for.
func (v *vendor) RoundTrip(r *http.Request) (*http.Response, error) {
	out := r.Clone(r.Context())
	out.Host, out.URL.Scheme, out.URL.Host = r.URL.Host, "http", v.Listener.Addr().String()
	return http.DefaultTransport.RoundTrip(out)
}

// service is the whole over one file: API, intake, delivery with the recipes that we ship, and the vendor.
type service struct {
	*intaketest.World
	t       *testing.T
	vendor  *vendor
	handler http.Handler
	work    queue.Handler
	key     string
}

func started(t *testing.T) *service {
	t.Helper()
	s := &service{World: intaketest.New(t), t: t, vendor: &vendor{}}
	s.vendor.Server = httptest.NewServer(s.vendor)
	t.Cleanup(s.vendor.Close)
	dir := t.TempDir()
	keeper, err := sealfile.Open(filepath.Join(dir, "master.key"), rand.Reader)
	ok(t, err)
	vault, err := secretfile.Open(t.Context(), filepath.Join(dir, "secrets.json"), keeper, rand.Reader)
	ok(t, err)
	known, err := catalog.Load(provider.Descriptors(), recipes.FS())
	ok(t, err)
	log := slog.New(slog.NewJSONHandler(s.Log, nil))
	b := &wire.Backend{Store: s.Store, Config: s.Config, Queue: s.Queue, Vault: vault, Catalog: known, Metrics: telemetry.Nop{},
		Now: s.Now, Random: rand.Reader, Chance: func() float64 { return 0.5 }, NewULID: s.NewULID, Log: log}
	opened := accounts.New(accounts.Ports{Catalog: known, Senders: senders.All(nil), Vault: vault,
		Env: provider.Env{Client: &http.Client{Transport: s.vendor}, Now: s.Now, Nonce: func() string { return "n" }, Log: log}})
	in, err := wireintake.New(b)
	ok(t, err)
	op, err := wireoperate.New(b, opened)
	ok(t, err)
	tr, err := wiretrace.New(b)
	ok(t, err)
	s.work, err = wiredelivery.New(b, opened)
	ok(t, err)
	s.handler = httpapi.New(httpapi.Config{Auth: httpapi.KeyAuth(s.Config, s.Now), Now: s.Now, Log: log, NewRequestID: func() string { return "req_1" }},
		slices.Concat(messages.Sending(in), messages.Reading(tr), operate.Endpoints(op))...)
	k, text := tenant.NewKey([27]byte{1}, tenant.Key{Tenant: "shop", Title: "all", Live: true, Scopes: []tenant.Scope{tenant.Send, tenant.Read, tenant.Operate, tenant.Admin}}, s.Time())
	s.Put(store.APIKeys, k.ID, "shop", k)
	s.key = string(text)
	for _, name := range []string{"sms-a", "sms-b"} { // those of every world would carry it
		s.call("POST", "/v1/accounts/"+name+"/switch", `{"off":true}`, 200, nil)
	}
	return s
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// call makes a request that ends in a status, and reads the answer.
func (s *service) call(method, path, body string, status int, into any) string {
	s.t.Helper()
	r := httptest.NewRequestWithContext(s.t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+s.key)
	if body == "" {
		r.Body, r.ContentLength = http.NoBody, 0
	} else {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	if w.Code != status {
		s.t.Fatalf("%s %s: %d, want %d: %s", method, path, w.Code, status, w.Body)
	}
	if into != nil {
		ok(s.t, json.Unmarshal(w.Body.Bytes(), into))
	}
	return w.Body.String()
}

// deliver works on all hints of codes.
func (s *service) deliver() {
	s.t.Helper()
	lane := queue.Lane(message.SMS, message.Urgent)
	for _, it := range s.Queue.Peek(lane, 100) {
		s.Queue.Take(lane, it.ID)
		if again := s.work.Handle(s.t.Context(), []queue.Item{it}); len(again) > 0 {
			s.t.Fatalf("again: %s", s.Log)
		}
	}
}

// TestTencent: from a template without a binding, which is refused, to Tencent's own id and parameters in its
// order, and a template that Tencent rejects.
func TestTencent(t *testing.T) {
	t.Parallel()
	s := started(t)
	s.call("PUT", "/v1/accounts/tencent-main", `{"provider":"tencent-sms","config":{"secret_id":"id","sdk_app_id":"1400006666","sign_name":"示例商城"},"secrets":{"secret_key":"canary-key"}}`, 201, nil)
	s.call("PUT", "/v1/templates/shop/code", `{"class":"otp","variables":[{"name":"code"},{"name":"minutes","type":"number"},{"name":"shop","optional":true}],
		"variants":[{"channel":"sms","locale":"en","text":"[Shop] {{code}} is your code for {{minutes}} minutes{{#shop}} at {{shop}}{{/shop}}."}]}`, 201, nil)
	var published struct{ Warnings []string }
	s.call("POST", "/v1/templates/shop/code/publish", `{"version":1}`, 200, &published)
	if len(published.Warnings) != 1 || !strings.Contains(published.Warnings[0], "not bound over account tencent-main") {
		t.Errorf("published: %q", published.Warnings)
	}
	const send = `{"to":"+8613800138000","template":"code","vars":{"code":"482913","minutes":5}}`
	if refused := s.call("POST", "/v1/messages", send, 422, nil); !strings.Contains(refused, `"template_not_bound"`) || !strings.Contains(refused, "tencent-main") {
		t.Error(refused)
	}
	const binding = "/v1/templates/shop/code/versions/1/bindings/tencent-main"
	s.call("PUT", binding, `{"fields":{"template_id":"449739","params":"minutes,code,shop"}}`, 201, nil)
	var sent, read struct {
		ID       string
		Status   message.Status
		Content  message.Content
		Timeline []struct {
			Event   string
			Attempt struct {
				Account string
				Bound   string `json:"bound_template"`
			}
		}
	}
	s.call("POST", "/v1/messages", send, 202, &sent)
	s.deliver()
	if diff := cmp.Diff([]string{"5", "482913", ""}, s.vendor.sent.TemplateParamSet); diff != "" || s.vendor.sent.TemplateID != "449739" || s.vendor.sent.SignName != "示例商城" {
		t.Errorf("Tencent got %+v", s.vendor.sent)
	}
	s.call("GET", "/v1/messages/"+sent.ID, "", 200, &read)
	last := read.Timeline[len(read.Timeline)-1]
	if read.Status != message.Sent || last.Attempt.Account != "tencent-main" || last.Attempt.Bound != "449739" || !strings.Contains(read.Content.Text, "is your code for 5 minutes.") {
		t.Errorf("%+v", read)
	}
	s.vendor.state = -1
	var checked struct{ State, Note string }
	s.call("POST", binding+"/check", "", 200, &checked)
	if checked.State != "rejected" || checked.Note != "reply" {
		t.Errorf("%+v", checked)
	}
	if refused := s.call("POST", "/v1/messages", send, 422, nil); !strings.Contains(refused, "tencent-main (its vendor's template was rejected)") {
		t.Error(refused)
	}
	if diff := cmp.Diff([]string{"sms.tencentcloudapi.com SendSms", "sms.tencentcloudapi.com DescribeSmsTemplateList"}, s.vendor.actions); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(s.Log.String(), "canary-key") {
		t.Error("the log has the secret")
	}
}
