package onaws

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"github.com/opennotify/notify/pkg/httpapi/messages"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// brake is an HTTP client for the SDK: once it is set, DynamoDB answers only so many calls, and throttles
// all that come after, whether they are new or tried again.
type brake struct {
	next aws.HTTPClient
	mu   sync.Mutex
	set  bool
	free int
}

func newBrake() *brake { return &brake{next: awshttp.NewBuildableClient()} }

func (b *brake) after(free int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.set, b.free = true, free
}

func (b *brake) release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.set = false
}

func (b *brake) Do(r *http.Request) (*http.Response, error) {
	if !strings.HasPrefix(r.Header.Get("X-Amz-Target"), "DynamoDB_") || !b.throttles() {
		return b.next.Do(r)
	}
	const body = `{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slow down",` +
		`"ThrottlingReasons":[{"reason":"TableWriteKeyRangeThroughputExceeded","resource":"table"}]}`
	return &http.Response{StatusCode: http.StatusBadRequest, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r}, nil
}

func (b *brake) throttles() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free--
	return b.set && b.free < 0
}

// api serves the API of a rig, and gives a call of it with a live key of the shop.
func (r *rig) api(t *testing.T) (post func(key, body string) (*http.Response, map[string]any)) {
	t.Helper()
	k, secret := tenant.NewKey([27]byte{1}, tenant.Key{Tenant: "shop", Live: true, Scopes: []tenant.Scope{tenant.Send}}, message.At(r.aws.Now()))
	doc, err := json.Marshal(k)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.aws.Store.AddDocs(t.Context(), tenant.System("test"), message.At(r.aws.Now()), store.Doc{Kind: store.APIKeys, Name: k.ID, Tenant: "shop", Body: doc}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(r.aws.API(messages.Sending(r.intake)...))
	t.Cleanup(server.Close)
	return func(key, body string) (*http.Response, map[string]any) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/v1/messages", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+string(secret))
		req.Header.Set("Content-Type", "application/json")
		if key != "" {
			req.Header.Set("Idempotency-Key", key)
		}
		res, err := server.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		raw, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		var answer map[string]any
		if err := json.Unmarshal(raw, &answer); err != nil {
			t.Fatalf("%s: %s", res.Status, raw)
		}
		if bytes.Contains(raw, []byte("hunter2")) && res.StatusCode >= 400 {
			t.Errorf("an error tells what was sent: %s", raw)
		}
		return res, answer
	}
}

// A table that throttles at any call of a request: 503 with Retry-After, and nothing half kept. No record is
// there, nothing is due or queued; and the caller who does as he is told has one message.
func TestThrottledTable(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	post := r.api(t)
	records := func() (all []*store.Record) {
		t.Helper()
		for shard := range r.aws.Store.ListShards() {
			f, err := r.aws.Store.ByTenant(t.Context(), tenant.System("test"), "shop", store.Day(message.At(r.aws.Now())), shard, store.Range{}, 1000, "")
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, f.Records...)
		}
		return all
	}
	accepted := 0
	for free := 0; ; free++ {
		if free > 12 {
			t.Fatal("a request never ends")
		}
		body := fmt.Sprintf(`{"to":%q,"channel":"webhook","template":"notice","vars":{"n":"hunter2 %d"},"reference":"order-1"}`, r.hook, free)
		key := "key-" + strconv.Itoa(free)
		r.brake.after(free)
		res, answer := post(key, body)
		r.brake.release()
		if res.StatusCode == http.StatusAccepted {
			if free < 4 { // at least the claims, the suppressions and the record
				t.Errorf("accepted after %d calls", free)
			}
			break
		}
		seconds, err := strconv.Atoi(res.Header.Get("Retry-After"))
		if res.StatusCode != http.StatusServiceUnavailable || err != nil || seconds < 1 || answer["code"] != "unavailable" || res.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("after %d calls: %s, Retry-After %q: %v", free, res.Status, res.Header.Get("Retry-After"), answer)
		}
		if got, queued := records(), r.drain(t); len(got) != accepted || len(queued) != 0 {
			t.Errorf("after %d calls: %d records, want %d; %d in the queue", free, len(got), accepted, len(queued))
		}
		first, answer := post(key, body)
		again, replay := post(key, body)
		if first.StatusCode != http.StatusAccepted || again.StatusCode != http.StatusOK || answer["id"] != replay["id"] {
			t.Errorf("after %d calls: repeated, it is %s %v, then %s %v", free, first.Status, answer, again.Status, replay)
		}
		if accepted++; len(records()) != accepted || len(r.drain(t)) != 1 {
			t.Errorf("after %d calls: %d records, want %d, and one hint", free, len(records()), accepted)
		}
	}
	if accepted < 4 {
		t.Errorf("%d places to throttle at", accepted)
	}
}
