package deploy_test

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/httpapi/callbacks"
	"github.com/opennotify/notify/pkg/httpapi/campaigns"
	"github.com/opennotify/notify/pkg/httpapi/messages"
	"github.com/opennotify/notify/pkg/httpapi/operate"
	"github.com/opennotify/notify/pkg/httpapi/receipts"
	"github.com/opennotify/notify/pkg/httpapi/stats"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/store/dynamo"
)

// root is template.yaml with every channel on.
func root(t *testing.T, parameters map[string]string) template {
	t.Helper()
	all := map[string]string{"Stage": "prod", "Bus": "on", "Canary": "on", "StaticEgress": "on", "Domain": "notify.example.com", "AlarmRobot": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:robot-a1b2c3", "SesIdentity": "example.com", "SmsOrigination": "arn:aws:sms-voice:eu-west-1:123456789012:pool/pool-1"}
	for _, info := range message.Channels() {
		all[parameter(info.Channel)] = "on"
	}
	maps.Copy(all, parameters)
	return parse(t, "../template.yaml", "main", all)
}

// parameter is the name of a channel's parameter.
func parameter(c message.Channel) string {
	for _, name := range []string{"DingTalk", "WeCom", "WeChat", "WhatsApp"} {
		if strings.EqualFold(name, string(c)) {
			return name
		}
	}
	return strings.ToUpper(string(c[:1])) + string(c[1:])
}

// nested is the stack of a channel, with the parameters that template.yaml gives it.
func nested(t *testing.T, r template, c message.Channel) template {
	t.Helper()
	given := map[string]string{}
	parameters, _ := r.Resources[parameter(c)+"Channel"].Properties["Parameters"].(map[string]any)
	for name, v := range parameters {
		given[name] = fmt.Sprint(v)
	}
	return parse(t, "channel.yaml", "nested", given)
}

func every() []message.Channel {
	var all []message.Channel
	for _, info := range message.Channels() {
		all = append(all, info.Channel)
	}
	return append(all, message.Other)
}

// Each channel of message/channels.go has a parameter, a condition and a nested stack; other is always on.
func TestChannels(t *testing.T) {
	t.Parallel()
	r := root(t, nil)
	byDefault := parse(t, "../template.yaml", "main", map[string]string{"Stage": "prod"})
	for _, c := range every() {
		name := parameter(c) + "Channel"
		given, _ := r.Resources[name].Properties["Parameters"].(map[string]any)
		if given["Channel"] != string(c) {
			t.Errorf("%s is for channel %v", name, given["Channel"])
		}
		_, on := byDefault.Resources[name]
		if want := slices.Contains([]message.Channel{message.SMS, message.Email, message.Webhook, message.Other}, c); on != want {
			t.Errorf("%s is there by default: %v", name, on)
		}
		for _, p := range slices.Sorted(maps.Keys(nested(t, r, c).Parameters)) {
			if _, ok := given[p]; !ok && p != "SesIdentity" && p != "SmsOrigination" && p != "Channels" {
				t.Errorf("%s is not given parameter %s", name, p)
			}
		}
	}
	want := []string{"other", "sms", "email", "webhook"}
	variables := byDefault.Globals["Function"]["Environment"].(map[string]any)["Variables"].(map[string]any)
	if diff := cmp.Diff(want, strings.Split(variables["NOTIFY_CHANNELS"].(string), ","), cmpopts.SortSlices(strings.Compare)); diff != "" {
		t.Error("NOTIFY_CHANNELS (-want +got):", diff)
	}
	// Other works on what is left of those that are off, so it knows them as the others do.
	for _, r := range []template{r, byDefault} {
		told := r.Globals["Function"]["Environment"].(map[string]any)["Variables"].(map[string]any)["NOTIFY_CHANNELS"]
		deliver := nested(t, r, message.Other).Resources["Deliver"].Properties["Environment"].(map[string]any)["Variables"].(map[string]any)
		if deliver["NOTIFY_CHANNELS"] != told {
			t.Errorf("other is told of %v, the others of %v", deliver["NOTIFY_CHANNELS"], told)
		}
	}
}

// Queues keep and retry as DESIGN §7 says, and each has one function that reads it.
func TestQueues(t *testing.T) {
	t.Parallel()
	r := root(t, nil)
	want := map[string]bool{"control": true, "control-dlq": true, "receipts": true, "receipts-dlq": true}
	names := queues(t, r)
	for _, c := range every() {
		for _, l := range message.Lanes() {
			want[string(queue.Lane(c, l))] = true
		}
		want[string(queue.DLQ(c))] = true
		names = append(names, queues(t, nested(t, r, c))...)
	}
	for i := range names {
		names[i] = strings.TrimPrefix(names[i], "main-")
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), names, cmpopts.SortSlices(strings.Compare)); diff != "" {
		t.Error("queues (-want +got):", diff)
	}
}

const day = 24 * 3600

func queues(t *testing.T, tmpl template) (names []string) {
	for id, res := range tmpl.Resources {
		if res.Type != "AWS::SQS::Queue" {
			continue
		}
		p := res.Properties
		name := p["QueueName"].(string)
		names = append(names, name)
		if p["SqsManagedSseEnabled"] != true {
			t.Errorf("%s is not encrypted", name)
		}
		redrive, hasDead := p["RedrivePolicy"].(map[string]any)
		if strings.HasSuffix(name, "-dlq") {
			if hasDead || p["MessageRetentionPeriod"] != 14*day {
				t.Errorf("dead-letter queue %s keeps %v s", name, p["MessageRetentionPeriod"])
			}
			continue
		}
		dead := strings.Trim(fmt.Sprint(redrive["deadLetterTargetArn"]), "<>")
		dead = fmt.Sprint(tmpl.Resources[strings.TrimSuffix(dead, ".Arn")].Properties["QueueName"])
		if wanted := string(queue.Name(strings.TrimPrefix(name, "main-")).DLQ()); dead != "main-"+wanted || redrive["maxReceiveCount"] != queue.MaxReceives {
			t.Errorf("%s has %v receives until %s", name, redrive["maxReceiveCount"], dead)
		}
		if p["MessageRetentionPeriod"] != 4*day || p["VisibilityTimeout"] != 180 {
			t.Errorf("%s keeps %v s, and hides for %v s", name, p["MessageRetentionPeriod"], p["VisibilityTimeout"])
		}
		read(t, tmpl, id, name)
	}
	return names
}

// read checks who reads a queue. Fair queues need 30 messages in flight, and the control queue is nobody's.
func read(t *testing.T, tmpl template, id, name string) {
	readers := 0
	for _, res := range tmpl.Resources {
		p := res.Properties
		if res.Type != "AWS::Lambda::EventSourceMapping" || p["EventSourceArn"] != "<"+id+".Arn>" {
			continue
		}
		readers++
		if diff := cmp.Diff([]any{"ReportBatchItemFailures"}, p["FunctionResponseTypes"]); diff != "" {
			t.Errorf("%s: partial responses (-want +got): %s", name, diff)
		}
		scaling, _ := p["ScalingConfig"].(map[string]any)
		most, _ := strconv.Atoi(fmt.Sprint(scaling["MaximumConcurrency"]))
		if size := p["BatchSize"].(int); most*size < 50 || size > 10 {
			t.Errorf("%s is read by %d batches of %d at once", name, most, size)
		}
	}
	if readers != 1 {
		t.Errorf("%s has %d readers", name, readers)
	}
}

// The table is what the driver expects, and it survives.
func TestTable(t *testing.T) {
	t.Parallel()
	table := root(t, nil).Resources["Table"]
	p := table.Properties
	want := dynamo.Definition("x")
	keys := func(list any) (out []string) {
		for _, k := range list.([]any) {
			k := k.(map[string]any)
			out = append(out, fmt.Sprint(k["AttributeName"], " ", k["KeyType"], k["AttributeType"]))
		}
		return out
	}
	got := map[string][]string{"": keys(p["KeySchema"]), "attributes": keys(p["AttributeDefinitions"])}
	wanted := map[string][]string{}
	for _, k := range want.KeySchema {
		wanted[""] = append(wanted[""], fmt.Sprintf("%s %s<nil>", *k.AttributeName, k.KeyType))
	}
	for _, a := range want.AttributeDefinitions {
		wanted["attributes"] = append(wanted["attributes"], fmt.Sprintf("%s <nil>%s", *a.AttributeName, a.AttributeType))
	}
	for _, i := range want.GlobalSecondaryIndexes {
		wanted[*i.IndexName] = append(wanted[*i.IndexName], string(i.Projection.ProjectionType))
		for _, k := range i.KeySchema {
			wanted[*i.IndexName] = append(wanted[*i.IndexName], fmt.Sprintf("%s %s<nil>", *k.AttributeName, k.KeyType))
		}
	}
	for _, i := range p["GlobalSecondaryIndexes"].([]any) {
		i := i.(map[string]any)
		got[i["IndexName"].(string)] = append([]string{fmt.Sprint(i["Projection"].(map[string]any)["ProjectionType"])}, keys(i["KeySchema"])...)
	}
	if diff := cmp.Diff(wanted, got, cmpopts.SortSlices(strings.Compare)); diff != "" {
		t.Error("keys (-driver +template):", diff)
	}
	for name, want := range map[string]any{
		"BillingMode":                      "PAY_PER_REQUEST",
		"TimeToLiveSpecification":          map[string]any{"AttributeName": dynamo.TTLAttribute, "Enabled": true},
		"PointInTimeRecoverySpecification": map[string]any{"PointInTimeRecoveryEnabled": true},
		"SSESpecification":                 map[string]any{"SSEEnabled": true, "SSEType": "KMS"},
	} {
		if diff := cmp.Diff(want, p[name]); diff != "" {
			t.Errorf("%s (-want +got): %s", name, diff)
		}
	}
	for _, name := range []string{"Table", "Key", "Audiences"} {
		// A deployment that failed before there was a stack leaves nothing behind:
		// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html
		if res := root(t, nil).Resources[name]; res.DeletionPolicy != "RetainExceptOnCreate" || res.UpdateReplacePolicy != "Retain" {
			t.Errorf("%s goes with the stack, or is left of one that never was", name)
		}
	}
}

// What holds lists of recipients is encrypted, nobody's but its owner's, and does not keep them for good.
func TestBucket(t *testing.T) {
	t.Parallel()
	r := root(t, nil)
	p := r.Resources["Audiences"].Properties
	encryption := fmt.Sprint(p["BucketEncryption"])
	if !strings.Contains(encryption, "aws:kms") || !strings.Contains(encryption, "<Key.Arn>") {
		t.Error(encryption)
	}
	for _, name := range []string{"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"} {
		if p["PublicAccessBlockConfiguration"].(map[string]any)[name] != true {
			t.Error(name, "is not set")
		}
	}
	if rules := fmt.Sprint(p["LifecycleConfiguration"]); strings.Count(rules, "ExpirationInDays:30") != 3 {
		t.Error(rules)
	}
	if policy := fmt.Sprint(r.Resources["AudiencesPolicy"].Properties); !strings.Contains(policy, "aws:SecureTransport:false") || !strings.Contains(policy, "Effect:Deny") {
		t.Error(policy)
	}
}

// Every function is told all that it asks for, keeps its log for a time, and has a role that is written out:
// SAM would make a wider one.
func TestFunctions(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../pkg/onaws/env.go")
	if err != nil {
		t.Fatal(err)
	}
	asked := map[string]bool{}
	for _, m := range regexp.MustCompile(`"(NOTIFY_[A-Z_]+)"`).FindAllStringSubmatch(string(source), -1) {
		asked[m[1]] = true
	}
	delete(asked, "NOTIFY_CHANNELS") // only who takes messages needs it
	campaigns, canaries := []string{"NOTIFY_BUCKET", "NOTIFY_SCHEDULES", "NOTIFY_SCHEDULE_ROLE"}, []string{"NOTIFY_CANARY", "NOTIFY_API"}
	r := root(t, nil)
	check := func(tmpl template, res resource) {
		p := maps.Clone(tmpl.Globals["Function"])
		if p == nil {
			p = map[string]any{}
		}
		maps.Copy(p, res.Properties)
		name := p["FunctionName"]
		variables := map[string]any{} // a function's own are added to those of all
		for _, env := range []any{tmpl.Globals["Function"]["Environment"], res.Properties["Environment"]} {
			if env, ok := env.(map[string]any); ok {
				maps.Copy(variables, env["Variables"].(map[string]any))
			}
		}
		for v := range asked {
			only := slices.Contains(campaigns, v) && name != "main-admin" && name != "main-schedule" ||
				slices.Contains(canaries, v) && name != "main-schedule" || v == "NOTIFY_ROBOT" && name != "main-alarm"
			if _, ok := variables[v]; !ok && !only {
				t.Errorf("%s is not told %s", name, v)
			}
		}
		role := strings.TrimSuffix(strings.Trim(fmt.Sprint(p["Role"]), "<>"), ".Arn")
		log := strings.Trim(fmt.Sprint(p["LoggingConfig"].(map[string]any)["LogGroup"]), "<>")
		if tmpl.Resources[role].Type != "AWS::IAM::Role" || tmpl.Resources[log].Properties["LogGroupName"] != "/aws/lambda/"+name.(string) || tmpl.Resources[log].Properties["RetentionInDays"] == nil {
			t.Errorf("%s has role %q and log group %q", name, role, log)
		}
		if timeout := p["Timeout"].(int); timeout*6 > 180 {
			t.Errorf("%s runs for %d s: its queue must hide messages for six times as long", name, timeout)
		}
		if p["Policies"] != nil || p["Events"] != nil {
			t.Errorf("%s: SAM would add to its role", name)
		}
	}
	n := 0
	for _, tmpl := range []template{r, nested(t, r, message.Email)} {
		for _, res := range tmpl.Resources {
			if res.Type == "AWS::Serverless::Function" || res.Type == "AWS::Lambda::Function" {
				check(tmpl, res)
				n++
			}
		}
	}
	if n != 6 {
		t.Errorf("%d functions", n)
	}
}

// Whichever API is chosen, every operation comes to the function that has it.
func TestRoutes(t *testing.T) {
	t.Parallel()
	h := root(t, nil)
	rest := root(t, map[string]string{"ApiType": "rest"})
	if types := fmt.Sprint(rest.Resources["RestApi"].Properties["BinaryMediaTypes"]); types != "[*~1*]" { // SAM's way to write */*
		t.Errorf("a browser gets what is compressed as base64, unless it asks for %s", types)
	}
	routes := map[string]map[string]string{"http": {}, "rest": {}}
	for _, res := range h.Resources {
		if res.Type == "AWS::ApiGatewayV2::Route" {
			target := strings.TrimPrefix(res.Properties["Target"].(string), "integrations/")
			uri := h.Resources[strings.Trim(target, "<>")].Properties["IntegrationUri"].(string)
			routes["http"][res.Properties["RouteKey"].(string)] = strings.Trim(uri, "<>")
		}
	}
	paths := rest.Resources["RestApi"].Properties["DefinitionBody"].(map[string]any)["paths"].(map[string]any)
	function := regexp.MustCompile(`<(\w+\.Arn)>`)
	for path, methods := range paths {
		for method, m := range methods.(map[string]any) {
			uri := m.(map[string]any)["x-amazon-apigateway-integration"].(map[string]any)["uri"].(string)
			routes["rest"][strings.ToUpper(method)+" "+path] = function.FindStringSubmatch(uri)[1]
		}
	}
	for kind, byKey := range routes {
		goes := func(op httpapi.Op) string {
			for _, key := range []string{op.Method + " " + op.Path, op.Method + " /{proxy+}", "$default"} {
				if f := byKey[key]; f != "" {
					return strings.TrimSuffix(f, ".Arn")
				}
			}
			return "nowhere"
		}
		for want, endpoints := range map[string][]httpapi.Endpoint{"Ingest": messages.Sending(nil), "Receipt": receipts.Endpoints(nil),
			"Admin": slices.Concat(messages.Reading(nil), operate.Endpoints(nil), operate.Redriving(nil), operate.Auditing(nil), campaigns.Endpoints(nil), callbacks.Endpoints(nil), stats.Endpoints(nil))} {
			for _, e := range endpoints {
				if got := goes(e.Op); got != want {
					t.Errorf("%s: %s %s goes to %s, want %s", kind, e.Op.Method, e.Op.Path, got, want)
				}
			}
		}
	}
}

// Alarms on queues are on queues that there are, and nothing is said of one region or partition.
func TestTemplatesFit(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"../template.yaml", "channel.yaml", "alarms.yaml", "overall.yaml", "dashboard.yaml", "domain.yaml"} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if fixed := regexp.MustCompile(`arn:aws|amazonaws\.com[^"}\n]*\.|us-east-1`).FindString(strings.ReplaceAll(string(text), ".amazonaws.com}", "")); fixed != "" {
			t.Errorf("%s says %q: use AWS::Partition, AWS::Region, AWS::URLSuffix", path, fixed)
		}
	}
	r := root(t, map[string]string{"AlarmTopic": "arn"})
	there := append(queues(t, nested(t, r, message.SMS)), "main-deliver-sms", "sms", "<HttpApi>")
	there = append(there, queues(t, r)...)
	for _, res := range r.Resources {
		there = append(there, fmt.Sprint(res.Properties["FunctionName"]))
	}
	single, _ := alarms(t)
	for name, res := range single {
		if missing := res.Properties["TreatMissingData"]; missing != "notBreaching" && name != "TickMissing" && name != "CanaryMissing" || res.Properties["AlarmActions"] == nil {
			t.Errorf("%s alarms on silence, or tells nobody", name)
		}
		for _, value := range regexp.MustCompile(`map\[Name:\w+ Value:([^\]]+)\]`).FindAllStringSubmatch(fmt.Sprint(res.Properties), -1) {
			if !slices.Contains(there, value[1]) {
				t.Errorf("%s watches %s, which there is not", name, value[1])
			}
		}
	}
}
