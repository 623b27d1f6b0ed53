package deploy_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store/dynamo"
	"github.com/opennotify/notify/pkg/telemetry"
)

// The template, deployed by the real SAM CLI, runs the real bootstraps: over the wire of an emulator, what
// is promised holds.
func TestDeployed(t *testing.T) {
	t.Parallel()
	if *namedURL != "" {
		named(t)
		return
	}
	w := newWorld(t)
	// Names are short, and unique where `make test` shares the emulator.
	s := w.deploy(t, "e2e-http", "Bus=on", "Canary=on")
	s.url = w.aws.URL + "/_aws/execute-api/" + s.outputs["ApiId"] + "/$default"
	w.bootstrap(t, s, message.Email, message.Other, message.Webhook)
	to := newSinks(t, "127.0.0.1")
	s.configure(t, to)
	d := &deployment{world: w, stack: s, sinks: to, sqs: sqs.NewFromConfig(w.aws.AWS())}
	t.Run("stories", func(t *testing.T) {
		for _, story := range []struct {
			name string
			tell func(*testing.T)
		}{
			{"lost hint", d.lostHint}, {"REST", d.rest}, {"two worlds", d.worlds}, {"every minute", d.schedule("tick", everyMinute)}, {"ops' schedule", d.opsSchedule}, {"once", d.schedule("once", soon)},
			{"a real payload", d.realPayload}, {"campaign", d.campaign}, {"one of hundred", d.hundred}, {"dead", d.dead}, // the longest first
			{"recovers", d.recovers}, {"fails", d.fails}, {"both channels", d.bothChannels}, {"told", d.told}, {"bus", d.bus}, {"operator", d.operator}, {"asked", d.asked}, {"duplicates", d.duplicates}, {"refusals", d.refusals}, {"canary", d.canary},
		} {
			t.Run(story.name, func(t *testing.T) {
				t.Parallel()
				story.tell(t)
			})
		}
	})
	t.Run("one process", d.oneProcess)
	d.wrote(t)
}

type deployment struct {
	*world
	*stack
	sinks *sinks
	sqs   *sqs.Client
}

func (d *deployment) queue(name string) *string {
	return aws.String("https://sqs.us-east-1.amazonaws.com/" + d.outputs["Account"] + "/" + d.name + "-" + name)
}

// From the API through the table and the queue to where it should arrive, and read back.
func (d *deployment) bothChannels(t *testing.T) {
	hooked := d.send(t, hook(d.sinks, "notice", "/ok/both", 7))
	mailed := d.send(t, map[string]any{"to": "both@example.com", "channel": "email", "template": "notice", "locale": "en", "vars": map[string]any{"n": "7"}})
	got := d.until(t, hooked, "sent")
	if calls, _, last := d.sinks.webhooks("/ok/both"); calls != 1 || !strings.Contains(last, `"n":"7"`) {
		t.Errorf("%d webhooks arrived, the last %s", calls, last)
	}
	if got.text("account") != "hooks" || got.text("tenant") != "shop" || len(got.body["timeline"].([]any)) < 3 {
		t.Errorf("the record is %v", got.body)
	}
	d.until(t, mailed, "sent")
	if n := d.sinks.mailsTo("both@example.com"); n != 1 {
		t.Errorf("%d mails arrived", n)
	}
}

// A duplicate, by its key or by its content, is answered with the live record.
func (d *deployment) duplicates(t *testing.T) {
	request := hook(d.sinks, "notice", "/ok/duplicates", 1)
	id := d.send(t, request, "Idempotency-Key: order-1")
	d.until(t, id, "sent")
	for _, tc := range []struct {
		header, field string
	}{{"Idempotency-Key: order-1", "id"}, {"Idempotency-Key: order-2", "duplicate_of"}} {
		got := d.call(t, http.StatusOK, http.MethodPost, "/v1/messages", request, tc.header)
		if got.text(tc.field) != id || got.text("status") != "sent" {
			t.Errorf("%s is answered with %v, want the record of %s as it is now", tc.header, got.body, id)
		}
	}
	other := hook(d.sinks, "notice", "/ok/duplicates", 2)
	if got := d.call(t, http.StatusUnprocessableEntity, http.MethodPost, "/v1/messages", other, "Idempotency-Key: order-1"); got.text("code") != "idempotency_key_reused" {
		t.Errorf("a key with another body is answered with %v", got.body)
	}
	if calls, _, _ := d.sinks.webhooks("/ok/duplicates"); calls != 1 {
		t.Errorf("%d webhooks arrived", calls)
	}
}

// A hundred at once with one key are one message.
func (d *deployment) hundred(t *testing.T) {
	request := hook(d.sinks, "notice", "/ok/hundred", 1)
	var mu sync.Mutex
	var all sync.WaitGroup
	ids, statuses, asked := map[string]int{}, map[int]int{}, 0 // those asked for again
	for range 100 {
		all.Go(func() {
			got, err := d.try(t.Context(), http.MethodPost, "/v1/messages", request, "Idempotency-Key: hundred")
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
				return
			}
			ids[got.text("id")]++
			statuses[got.status]++
			if got.again {
				asked++
			}
		})
	}
	all.Wait()
	first := statuses[http.StatusAccepted]
	if len(ids) != 1 || first+statuses[http.StatusOK] != 100 || first > 1 || first == 0 && asked == 0 {
		t.Fatalf("a hundred requests, %d of them asked for again: ids %v, statuses %v", asked, ids, statuses)
	}
	for id := range ids {
		d.until(t, id, "sent")
	}
	if calls, _, _ := d.sinks.webhooks("/ok/hundred"); calls != 1 {
		t.Errorf("%d webhooks arrived", calls)
	}
}

// A provider that fails to the end leaves a dead record with a copy in the dead-letter queue. Moving the copy
// back, here beside a record that nobody can read, tries again.
func (d *deployment) dead(t *testing.T) {
	const path = "/down/dead"
	id := d.send(t, hook(d.sinks, "code", path, 1))
	d.until(t, id, "dead")
	calls, _, _ := d.sinks.webhooks(path)
	if calls < 2 {
		t.Errorf("given up after %d calls", calls)
	}
	var copied string
	eventually(t, "a copy in the dead-letter queue", func() (string, bool) {
		out, err := d.sqs.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: d.queue("webhook-dlq"), WaitTimeSeconds: 2})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range out.Messages {
			if strings.Contains(aws.ToString(m.Body), id) {
				copied = aws.ToString(m.Body)
			}
		}
		return fmt.Sprint(len(out.Messages), " entries"), copied != ""
	})
	d.sinks.repair(path)
	if _, err := d.sqs.SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{QueueUrl: d.queue("webhook-urgent"), Entries: []sqstypes.SendMessageBatchRequestEntry{
		{Id: aws.String("poison"), MessageBody: aws.String("nobody can read this")},
		{Id: aws.String("dead"), MessageBody: aws.String(copied)},
	}}); err != nil {
		t.Fatal(err)
	}
	d.until(t, id, "sent")
	if after, taken, _ := d.sinks.webhooks(path); after != calls+1 || taken != 1 {
		t.Errorf("%d calls after %d, %d were taken", after, calls, taken)
	}
}

// A provider that comes back is tried again, and only until it has taken the message.
func (d *deployment) recovers(t *testing.T) {
	const path = "/flaky2/recovers"
	got := d.until(t, d.send(t, hook(d.sinks, "code", path, 1)), "sent")
	if calls, taken, _ := d.sinks.webhooks(path); calls != 3 || taken != 1 || got.body["calls"] != 3.0 {
		t.Errorf("%d calls arrived, %d were taken, the record says %v", calls, taken, got.body["calls"])
	}
}

// What a receiver refuses for good is not tried again.
func (d *deployment) fails(t *testing.T) {
	const path = "/gone/fails"
	d.until(t, d.send(t, hook(d.sinks, "code", path, 1)), "failed")
	if calls, _, _ := d.sinks.webhooks(path); calls != 1 {
		t.Errorf("%d webhooks arrived", calls)
	}
}

// Operators' own schedules, made with plain AWS tools, send: see docs/schedules.md.
func (d *deployment) opsSchedule(t *testing.T) {
	at := time.Now().UTC().Add(2 * time.Second)
	_, err := scheduler.NewFromConfig(d.aws.AWS()).CreateSchedule(t.Context(), &scheduler.CreateScheduleInput{
		Name: aws.String("monday-report"), GroupName: aws.String(d.outputs["OpsScheduleGroup"]),
		ScheduleExpression:    aws.String(at.Format("at(2006-01-02T15:04:05)")),
		FlexibleTimeWindow:    &schedulertypes.FlexibleTimeWindow{Mode: schedulertypes.FlexibleTimeWindowModeOff},
		ActionAfterCompletion: schedulertypes.ActionAfterCompletionDelete,
		Target: &schedulertypes.Target{Arn: aws.String(d.outputs["ControlQueueArn"]), RoleArn: aws.String(d.outputs["OpsScheduleRoleArn"]),
			Input: aws.String(`{"kind":"send","schedule":"monday-report","due":"<aws.scheduler.scheduled-time>","tenant":"shop","template":"notice",` +
				`"channel":"webhook","locale":"en","vars":{"n":"1"},"to":["` + d.sinks.hook.URL + `/ok/schedule"]}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the schedule's webhook arrives", func() (string, bool) {
		calls, _, _ := d.sinks.webhooks("/ok/schedule")
		return fmt.Sprint(calls, " webhooks"), calls > 0
	})
	if calls, _, _ := d.sinks.webhooks("/ok/schedule"); calls != 1 {
		t.Errorf("%d webhooks arrived", calls)
	}
	eventually(t, "its run has ended", func() (string, bool) {
		got := d.call(t, http.StatusOK, http.MethodGet, "/v1/schedules/shop/monday-report/runs", nil)
		return fmt.Sprint(got.body), strings.Contains(fmt.Sprint(got.body), "state:done")
	})
	if got := d.call(t, http.StatusOK, http.MethodGet, "/v1/schedules/shop/monday-report", nil); got.body["external"] != true || got.text("owner") != "Wang Li" {
		t.Errorf("it is listed as %v", got.body)
	}
}

// A message whose entry in the queue is lost is found by the sweep, which the stack's own schedule starts.
func (d *deployment) lostHint(t *testing.T) {
	request := hook(d.sinks, "offer", "/ok/lost", 1)
	request["send_at"] = time.Now().UTC().Add(10 * time.Second).Format(time.RFC3339)
	id := d.send(t, request) // its entry waits in the queue; nobody else uses this lane
	if _, err := d.sqs.PurgeQueue(t.Context(), &sqs.PurgeQueueInput{QueueUrl: d.queue("webhook-bulk")}); err != nil {
		t.Fatal(err)
	}
	d.until(t, id, "sent")
	eventually(t, "the sweep tells that it was the one", func() (string, bool) { // at the end of its invocation
		return "it does not", strings.Contains(d.logs(t, d.stack)["schedule"], `"msg":"swept"`)
	})
}

// What is refused is refused by the function, whichever gateway is before it.
func (d *deployment) refusals(t *testing.T) {
	for _, tc := range []struct {
		name   string
		status int
		code   string
		body   any
	}{
		{"a channel without queues", http.StatusUnprocessableEntity, "channel_off", map[string]any{"to": "+8613800138000", "channel": "sms", "template": "notice", "vars": map[string]any{"n": "1"}}},
		{"not JSON", http.StatusBadRequest, "bad_json", []byte("{")},
		{"over 2 MiB", http.StatusRequestEntityTooLarge, "too_large", []byte(`{"to":"` + strings.Repeat("a", 2<<20) + `"}`)},
	} {
		if got := d.call(t, tc.status, http.MethodPost, "/v1/messages", tc.body); !strings.Contains(fmt.Sprint(got.body), "code:"+tc.code) {
			t.Errorf("%s is answered with %v", tc.name, got.body)
		}
	}
}

// The same behind a REST API, whose events have another form, and on a table that is not the stack's own.
func (d *deployment) rest(t *testing.T) {
	tables, table := dynamodb.NewFromConfig(d.world.aws.AWS()), "e2e-restored"
	if _, err := tables.CreateTable(t.Context(), dynamo.Definition(table)); err != nil {
		t.Fatal(err)
	}
	if err := dynamodb.NewTableExistsWaiter(tables).Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: &table}, time.Minute); err != nil {
		t.Fatal(err)
	}
	s := d.deploy(t, "e2e-rest", "ApiType=rest", "Email=off", "RestoredTable="+table)
	if got := s.outputs["Table"]; got != table {
		t.Errorf("the stack says that its table is %s", got)
	}
	s.url = d.world.aws.URL + "/restapis/" + s.outputs["ApiId"] + "/live/_user_request_"
	d.bootstrap(t, s, message.Other, message.Webhook)
	s.configure(t, d.sinks)
	request := hook(d.sinks, "notice", "/ok/rest", 1)
	id := s.send(t, request, "Idempotency-Key: rest")
	s.until(t, id, "sent")
	if got := s.call(t, http.StatusOK, http.MethodPost, "/v1/messages", request, "Idempotency-Key: rest"); got.text("id") != id || got.header.Get("Idempotency-Replay") != "true" {
		t.Errorf("a duplicate is answered with %v %v", got.header, got.body)
	}
	if got := s.call(t, http.StatusNotFound, http.MethodPost, "/v1/receipts/hooks/wrong", map[string]string{}); got.text("code") != "not_found" {
		t.Errorf("a forged callback is answered with %v", got.body)
	}
	if got := s.call(t, http.StatusOK, http.MethodGet, "/v1/tenants", nil); len(got.body["items"].([]any)) != 1 {
		t.Errorf("tenants are %v", got.body)
	}
}

// wrote looks at what the functions have written: nothing personal, and the metrics that are published, of which
// there are those that every such day has.
func (d *deployment) wrote(t *testing.T) {
	emitted := map[string]bool{}
	for function, text := range d.logs(t, d.stack) {
		if t.Failed() {
			t.Logf("%s wrote at last:\n%s", function, text[max(0, len(text)-20000):])
		}
		for _, secret := range []string{"both@example.com", d.key, "+8613800138000"} {
			if strings.Contains(text, secret) {
				t.Errorf("the log of %s has %s in it", function, secret)
			}
		}
		for line := range strings.Lines(text) {
			for _, m := range metricsOf(line) {
				emitted[m] = true
			}
		}
	}
	for _, want := range []string{"accepted channel", "sent channel", "failed channel", "dead channel", "called channel", "accept_to_sent channel,lane", "refused ", "canary_sent ", "swept "} {
		if !emitted["notify/"+d.name+" "+want] {
			t.Errorf("no function has written %q in all these stories", want)
		}
	}
	known := map[string]bool{}
	for _, m := range telemetry.Published("one") {
		name, values, _ := strings.Cut(m, " ")
		known["notify/"+d.name+" "+name+" "+map[int]string{0: "", 1: "channel", 2: "channel,lane"}[len(strings.Fields(values))]] = true
	}
	for m := range emitted {
		if !known[m] {
			t.Errorf("%q is written, and not published", m)
		}
	}
}

// metricsOf reads a line in the embedded metric format: "namespace name dimension,dimension".
func metricsOf(line string) []string {
	var emf struct {
		AWS struct {
			CloudWatchMetrics []struct {
				Namespace  string
				Dimensions [][]string
				Metrics    []struct{ Name string }
			}
		} `json:"_aws"`
	}
	if json.Unmarshal([]byte(line), &emf) != nil {
		return nil
	}
	var out []string
	for _, directive := range emf.AWS.CloudWatchMetrics {
		for _, m := range directive.Metrics {
			for _, dimensions := range directive.Dimensions {
				out = append(out, directive.Namespace+" "+m.Name+" "+strings.Join(dimensions, ","))
			}
		}
	}
	return out
}
