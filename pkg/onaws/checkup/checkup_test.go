package checkup

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/opennotify/notify/deploy/emulators"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/onaws"
	"github.com/opennotify/notify/pkg/onaws/stack"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// patient is a stack on the emulator, without functions at first.
type patient struct {
	*testing.T
	*Checkup
	account string
}

func newPatient(t *testing.T) *patient {
	t.Helper()
	cfg := emulators.Need(t, emulators.MiniStack).AWS()
	env, err := stack.Create(t.Context(), cfg, fmt.Sprintf("checkup-%d", time.Now().UnixNano()))
	if err != nil {
		t.Fatal(err)
	}
	env.Channels = []message.Channel{message.Other, message.Email, message.Webhook}
	a, err := onaws.Assemble(t.Context(), cfg, env, slog.New(slog.DiscardHandler), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return &patient{t, New(a), env.Account}
}

// want looks, and wants findings that begin with a name and a state and have a text.
func (p *patient) want(what string, findings ...string) {
	p.Helper()
	var got []string
	for _, f := range p.Look(p.Context()) {
		got = append(got, f.Name+" "+string(f.State)+": "+f.Detail)
	}
	for _, w := range findings {
		head, text, _ := strings.Cut(w, ": ")
		found := false
		for _, g := range got {
			found = found || strings.HasPrefix(g, head+": ") && strings.Contains(g, text)
		}
		if !found {
			p.Errorf("%s: %q is not found in\n%s", what, w, strings.Join(got, "\n"))
		}
	}
	if p.Failed() {
		p.FailNow()
	}
}

// read gives a queue a function that reads it.
func (p *patient) read(queue string) *lambda.CreateEventSourceMappingOutput {
	p.Helper()
	out, err := p.lambda.CreateEventSourceMapping(p.Context(), &lambda.CreateEventSourceMappingInput{FunctionName: aws.String(p.Env.Stack + "-reader"),
		EventSourceArn: aws.String(fmt.Sprintf("arn:aws:sqs:us-east-1:%s:%s-%s", p.account, p.Env.Stack, queue))})
	if err != nil {
		p.Fatal(err)
	}
	return out
}

// Over the wire of an emulator: what is missing is found, each by its name, and no longer when it is mended.
func TestCheckup(t *testing.T) {
	t.Parallel()
	p := newPatient(t)
	ctx := t.Context()
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	p.want("a stack without functions", "queues ok: 16 looked at, 0 entries wait", "mappings failed: nobody reads "+p.Env.Stack+"-control:", "mappings failed: -webhook-urgent",
		"ticks failed: there is no schedule "+p.Env.Stack+"-tick", "alarms warning: there are none", "secrets ok: 0 accounts", "lambda ok: executions at once are free", "clock ok: agrees", "ses ok: sends to everybody")

	var code bytes.Buffer
	z := zip.NewWriter(&code)
	f, err := z.Create("bootstrap")
	if err == nil {
		_, err = f.Write([]byte("#!/bin/sh\n"))
	}
	must(nil, err)
	must(nil, z.Close())
	must(p.lambda.CreateFunction(ctx, &lambda.CreateFunctionInput{FunctionName: aws.String(p.Env.Stack + "-reader"), Role: aws.String("arn:aws:iam::" + p.account + ":role/x"),
		Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"), Code: &lambdatypes.FunctionCode{ZipFile: code.Bytes()}}))
	var control *lambda.CreateEventSourceMappingOutput
	for _, name := range p.lanes() {
		if m := p.read(string(name)); name == "control" {
			control = m
		}
	}
	p.want("with readers", "mappings ok: every queue is read")
	must(p.lambda.UpdateEventSourceMapping(ctx, &lambda.UpdateEventSourceMappingInput{UUID: control.UUID, Enabled: aws.Bool(false)}))
	p.want("one is switched off", "mappings failed: -control is not read: its mapping is Disabled")

	tick := &scheduler.CreateScheduleInput{Name: aws.String(p.Env.Stack + "-tick"), ScheduleExpression: aws.String("rate(1 minute)"), State: schedulertypes.ScheduleStateDisabled,
		FlexibleTimeWindow: &schedulertypes.FlexibleTimeWindow{Mode: schedulertypes.FlexibleTimeWindowModeOff},
		Target:             &schedulertypes.Target{Arn: control.EventSourceArn, RoleArn: aws.String("arn:aws:iam::" + p.account + ":role/x")}}
	must(p.timers.CreateSchedule(ctx, tick))
	p.want("no ticks", "ticks failed: schedule "+*tick.Name+" is DISABLED")
	must(p.timers.UpdateSchedule(ctx, &scheduler.UpdateScheduleInput{Name: tick.Name, ScheduleExpression: tick.ScheduleExpression, State: schedulertypes.ScheduleStateEnabled,
		FlexibleTimeWindow: tick.FlexibleTimeWindow, Target: tick.Target}))
	p.want("ticks", "ticks ok: 1 schedules are enabled")
	p.Env.Canary = p.Env.Stack + "/canary"
	p.want("no canaries", "ticks failed: there is no schedule "+p.Env.Stack+"-canary")
	p.Env.Canary = ""
	must(p.timers.DeleteSchedule(ctx, &scheduler.DeleteScheduleInput{Name: tick.Name}))

	at := func(name string) *string {
		out, err := p.sqs.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String(p.Env.Stack + "-" + name)})
		must(out, err)
		return out.QueueUrl
	}
	must(p.sqs.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: at("email-dlq"), MessageBody: aws.String("dead")}))
	must(p.sqs.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: at("webhook-bulk")}))
	p.want("queues", "queues warning: 1 entries lie in "+p.Env.Stack+"-email-dlq", "queues failed: there is no queue "+p.Env.Stack+"-webhook-bulk")

	topic, err := p.topics.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String(p.Env.Stack)})
	must(topic, err)
	alarm := func(name string, actions ...string) {
		must(p.alarms.PutMetricAlarm(ctx, &cloudwatch.PutMetricAlarmInput{AlarmName: aws.String(p.Env.Stack + "-" + name), AlarmDescription: aws.String("docs/runbook.md#" + name), AlarmActions: actions,
			Namespace: aws.String("x"), MetricName: aws.String("x"), Statistic: types.StatisticSum, Period: aws.Int32(60), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(1),
			ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold}))
	}
	alarm("dev-sms-stuck") // of a stack beside this one
	p.want("a neighbour's alarms", "alarms warning: there are none")
	alarm("sms-stuck", *topic.TopicArn)
	alarm("page")
	must(p.alarms.SetAlarmState(ctx, &cloudwatch.SetAlarmStateInput{AlarmName: aws.String(p.Env.Stack + "-sms-stuck"), StateValue: types.StateValueAlarm, StateReason: aws.String("a try")}))
	p.want("nobody is told", "alarms failed: nobody is subscribed to "+*topic.TopicArn, "alarms warning: 1 of 2 tell nobody", "alarms warning: "+p.Env.Stack+"-sms-stuck: docs/runbook.md#sms-stuck")
	must(p.topics.Subscribe(ctx, &sns.SubscribeInput{TopicArn: topic.TopicArn, Protocol: aws.String("sqs"), Endpoint: aws.String("arn:aws:sqs:us-east-1:" + p.account + ":" + p.Env.Stack + "-control")}))
	for _, f := range p.Look(ctx) {
		if strings.Contains(f.Detail, "nobody is subscribed") {
			t.Error(f)
		}
	}

	must(nil, p.Store.AddDocs(ctx, tenant.System("test"), message.At(time.Now()), store.Doc{Kind: store.Accounts, Name: "hooks",
		Body: []byte(`{"name":"hooks","provider":"webhook","channel":"webhook","secrets":["secret"]}`)}))
	p.Config.Changed(store.Accounts)
	p.want("an account without its secret", "secrets failed: account hooks has none", "egress ok: changes; no account's vendor")
	must(nil, p.Store.AddDocs(ctx, tenant.System("test"), message.At(time.Now()), store.Doc{Kind: store.Accounts, Name: "fans",
		Body: []byte(`{"name":"fans","provider":"wechat-template","channel":"wechat"}`)}))
	p.Config.Changed(store.Accounts)
	p.want("an account whose vendor keeps a list", "egress warning: fans are of vendors that may allow listed addresses only: deploy with StaticEgress=on")
	p.Env.Egress = "203.0.113.7"
	p.want("a fixed address", "egress ok: providers see 203.0.113.7; it must be on the list of allowed addresses that fans have")
	if f := p.Secret(ctx, "robot", p.Env.Stack+"/robot"); f.State != Failed {
		t.Error(f)
	}
	must(p.secrets.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: aws.String(p.Env.Stack + "/robot"), SecretString: aws.String("{}")}))
	if f := p.Secret(ctx, "robot", p.Env.Stack+"/robot"); f.State != OK {
		t.Error(f)
	}
}
