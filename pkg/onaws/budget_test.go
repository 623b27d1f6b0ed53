package onaws

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go/middleware"

	"github.com/opennotify/notify/deploy/emulators"
	"github.com/opennotify/notify/pkg/delivery"
	"github.com/opennotify/notify/pkg/intake"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/dynamo"
	"github.com/opennotify/notify/pkg/tenant"
	wiredelivery "github.com/opennotify/notify/pkg/wire/delivery"
	wireintake "github.com/opennotify/notify/pkg/wire/intake"
)

// bill is what was asked of AWS: calls by operation, and write units.
type bill struct {
	mu    sync.Mutex
	calls map[string]int
	units float64 // written
	reads float64
}

// count is a middleware that writes every call down, but not its repetition: the emulator now and then
// closes a connection that was about to be used.
func (b *bill) count(s *middleware.Stack) error {
	return s.Initialize.Add(middleware.InitializeMiddlewareFunc("bill", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
		b.mu.Lock()
		b.calls[awsmiddleware.GetServiceID(ctx)+" "+awsmiddleware.GetOperationName(ctx)]++
		b.mu.Unlock()
		return next.HandleInitialize(ctx, in)
	}), middleware.After)
}

func (b *bill) consumed(operation string, c types.ConsumedCapacity) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if operation == "put" || operation == "delete" || operation == "add" {
		b.units += aws.ToFloat64(c.CapacityUnits)
	} else {
		b.reads += aws.ToFloat64(c.CapacityUnits)
	}
}

// of runs do, and gives what it has cost.
func (b *bill) of(do func()) (calls int, units float64, lines string) {
	b.mu.Lock()
	b.calls, b.units, b.reads = map[string]int{}, 0, 0
	b.mu.Unlock()
	do()
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []string
	for _, name := range slices.Sorted(maps.Keys(b.calls)) {
		calls += b.calls[name]
		out = append(out, fmt.Sprintf("%s %d", name, b.calls[name]))
	}
	return calls, b.units, strings.Join(out, ", ")
}

// rig is a Backend on an emulator whose calls are counted.
type rig struct {
	*bill
	aws      *AWS
	intake   *intake.Intake
	delivery *delivery.Delivery
	as       tenant.Principal
	hook     string
	brake    *brake
	sqs      *sqs.Client // not counted
	url      *string     // of the one queue
}

func newRig(t *testing.T) *rig {
	t.Helper()
	cfg := emulators.Need(t, emulators.MiniStack).AWS()
	stack := "budget-" + strings.ToLower(t.Name())
	r := &rig{bill: &bill{calls: map[string]int{}}, brake: newBrake(), sqs: sqs.NewFromConfig(cfg)}
	db := dynamodb.NewFromConfig(cfg)
	if _, err := db.CreateTable(t.Context(), dynamo.Definition(stack)); err != nil {
		t.Fatal(err)
	}
	made, err := r.sqs.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(stack + "-" + string(queue.Lane(message.Webhook, message.Normal)))})
	if err != nil {
		t.Fatal(err)
	}
	r.url = made.QueueUrl
	t.Cleanup(func() { // what an emulator keeps would be found by the next run
		ctx := context.WithoutCancel(t.Context())
		_, err1 := db.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: aws.String(stack)})
		_, err2 := r.sqs.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: r.url})
		// The emulator now and then closes a connection, and what the client repeats was done the first time.
		if gone := (*types.ResourceNotFoundException)(nil); errors.As(err1, &gone) {
			err1 = nil
		}
		if err := errors.Join(err1, err2); err != nil {
			t.Error(err)
		}
	})
	key, err := kms.NewFromConfig(cfg).CreateKey(t.Context(), &kms.CreateKeyInput{})
	if err != nil {
		t.Fatal(err)
	}
	cfg.APIOptions, cfg.HTTPClient = append(cfg.APIOptions, r.count), r.brake
	env := Env{Stack: stack, Table: stack, KeyID: aws.ToString(key.KeyMetadata.Arn), Stage: "dev", Allow: []string{"*"}, DueShards: 4, Account: "000000000000",
		Reach: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	if r.aws, err = open(t.Context(), cfg, env, slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})), io.Discard, r.consumed); err != nil {
		t.Fatal(err)
	}
	sink := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(sink.Close)
	r.hook = sink.URL
	r.seed(t)
	if r.intake, err = wireintake.New(&r.aws.Backend); err != nil {
		t.Fatal(err)
	}
	if r.delivery, err = wiredelivery.New(&r.aws.Backend, wiredelivery.Accounts(&r.aws.Backend, nil)); err != nil {
		t.Fatal(err)
	}
	r.as = tenant.Of(tenant.Key{ID: "0123456789", Tenant: "shop", Live: true, Scopes: []tenant.Scope{tenant.Send}})
	return r
}

func (r *rig) seed(t *testing.T) {
	t.Helper()
	var docs []store.Doc
	for _, d := range []struct {
		kind             store.Kind
		name, body, from string
	}{
		{store.Tenants, "shop", `{"name":"shop","owner":{"name":"Li"},"free_content":true,"locale":"en"}`, "shop"},
		{store.TemplateVersions, "shop/notice@000001", `{"tenant":"shop","name":"notice","version":1,"class":"transactional","variables":[{"name":"n","type":"string"}],` +
			`"variants":[{"channel":"webhook","locale":"en","data":"{\"n\":\"{{n}}\"}"}]}`, "shop"},
		{store.Templates, "shop/notice", `{"name":"notice","tenant":"shop","class":"transactional","latest":1,"published":1}`, "shop"},
		{store.Accounts, "hooks", `{"name":"hooks","provider":"webhook","channel":"webhook","secrets":["secret"]}`, ""},
	} {
		docs = append(docs, store.Doc{Kind: d.kind, Name: d.name, Tenant: d.from, Body: []byte(d.body)})
	}
	if err := r.aws.Store.AddDocs(t.Context(), tenant.System("test"), message.At(time.Now()), docs...); err != nil {
		t.Fatal(err)
	}
	if err := r.aws.Vault.Put(t.Context(), "hooks", map[string]message.Secret{"secret": "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="}); err != nil {
		t.Fatal(err)
	}
}

// request is one to somebody new, with content that was not sent before.
func (r *rig) request(n int) *intake.Request {
	return &intake.Request{To: intake.To{One: fmt.Sprintf("%s/%d", r.hook, n)}, Channel: message.Webhook, Template: "notice", Vars: map[string]any{"n": fmt.Sprint(n)},
		Origin: intake.Origin{IP: "192.0.2.1", RequestID: "req_01m84x11yp920bakt8kkd5zqxs"}}
}

func (r *rig) send(t *testing.T, req *intake.Request) *intake.Answer {
	t.Helper()
	a, err := r.intake.Send(t.Context(), r.as, req)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// drain gives what waits in the queue.
func (r *rig) drain(t *testing.T) (items []queue.Item) {
	t.Helper()
	for {
		out, err := r.sqs.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: r.url, MaxNumberOfMessages: 10, VisibilityTimeout: 3600}) // it comes no second time
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Messages) == 0 {
			return items
		}
		for _, m := range out.Messages {
			items = append(items, queue.Item{ID: aws.ToString(m.MessageId), Body: []byte(aws.ToString(m.Body)), Group: "shop", Receives: 1})
		}
	}
}

// What a message costs on AWS: P11 and P12. Configuration, templates and data keys are read before, once
// for all messages.
func TestBudget(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.send(t, r.request(0))
	for _, it := range r.drain(t) {
		if again := r.delivery.Handle(t.Context(), []queue.Item{it}); len(again) > 0 {
			t.Fatal("the first message is not delivered")
		}
	}
	free := r.request(6)
	free.Template, free.Vars, free.Class, free.Content = "", nil, message.Transactional, &message.Content{Data: []byte(`{"n":"6"}`)}
	keyed := func(req *intake.Request, key string) *intake.Request {
		req.IdempotencyKey, req.Hash = key, []byte("hash")
		return req
	}
	referenced, listed := r.request(4), r.request(5)
	referenced.Reference = "order-1"
	listed.To = intake.To{List: []string{listed.To.One}}
	for _, tc := range []struct {
		name  string
		req   *intake.Request
		calls int
		units float64
	}{
		{"plain", r.request(2), 4, 4},
		{"with a key", keyed(r.request(3), "key"), 5, 5},
		{"with a reference", referenced, 5, 5},
		{"free content", free, 5, 5},
		{"a group of one", listed, 5, 5},
		{"the same key", keyed(r.request(3), "key"), 2, 1},
		{"the same content", r.request(2), 2, 1},
		{"the same content, another key", keyed(r.request(2), "other"), 4, 3},
	} {
		calls, units, lines := r.of(func() { r.send(t, tc.req) })
		t.Logf("%s: %d calls, %g write units: %s", tc.name, calls, units, lines)
		if calls > tc.calls || units > tc.units {
			t.Errorf("%s costs %d calls (%d are allowed) and %g write units (%g): %s", tc.name, calls, tc.calls, units, tc.units, lines)
		}
	}
	costs := map[string]int{}
	for _, it := range r.drain(t) {
		_, units, lines := r.of(func() {
			if again := r.delivery.Handle(t.Context(), []queue.Item{it}); len(again) > 0 {
				t.Error("not delivered")
			}
		})
		costs[lines]++
		if units > 3 {
			t.Errorf("delivery costs %g write units: %s", units, lines)
		}
	}
	// Free content is an item of its own: its delivery alone reads.
	if want := map[string]int{"DynamoDB PutItem 2": 4, "DynamoDB GetItem 1, DynamoDB PutItem 2": 1}; !maps.Equal(costs, want) {
		t.Errorf("deliveries cost %v, want %v", costs, want)
	}
}

// A hundred in one request: ten to a call of the queue, and nothing read twice.
func TestBatchBudget(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.send(t, r.request(0))
	var reqs []*intake.Request
	for i := range 100 {
		reqs = append(reqs, r.request(1000+i))
	}
	var accepted int
	_, units, lines := r.of(func() {
		a, err := r.intake.Batch(t.Context(), r.as, "", nil, reqs)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range a.Verdicts {
			if v != nil && v.New {
				accepted++
			}
		}
	})
	t.Logf("%g write units: %s", units, lines)
	others := 0
	for name, n := range r.calls {
		if !strings.HasPrefix(name, "SQS ") {
			others += n
		} else if n > 10 {
			t.Errorf("%s %d times, 10 are allowed", name, n)
		}
	}
	if accepted != 100 || others > 3*100+3 {
		t.Errorf("%d messages were accepted in %d other calls than the queue's: %s", accepted, others, lines)
	}
}

// What counting costs: a batch of ten messages of one tenant is one item to add to where they are accepted,
// and one where they are delivered.
func TestCountingBudget(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	flush := func(what string, most float64) {
		t.Helper()
		_, units, lines := r.of(func() {
			if err := r.aws.Metrics.counters.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
		t.Logf("%s: %g write units: %s", what, units, lines)
		if want := "DynamoDB UpdateItem 1"; lines != want || units > most {
			t.Errorf("%s: %s and %g write units, want %s and at most %g", what, lines, units, want, most)
		}
	}
	for i := range 10 {
		r.send(t, r.request(2000+i))
	}
	flush("ten accepted", 1)
	var batch []queue.Item
	for _, it := range r.drain(t) {
		it.ID = fmt.Sprint(len(batch))
		batch = append(batch, it)
	}
	if again := r.delivery.Handle(t.Context(), batch); len(batch) != 10 || len(again) > 0 {
		t.Fatalf("%d of %d are not delivered", len(again), len(batch))
	}
	flush("ten delivered", 1)
}
