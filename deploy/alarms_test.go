package deploy_test

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/opennotify/notify/pkg/alarm"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/onaws/checkup"
	"github.com/opennotify/notify/pkg/telemetry"
)

// told is what CloudWatch was told in one period, by the metric's name.
type told map[string]float64

// alarms are those of all templates, resolved, and apart those that are made of others.
func alarms(t *testing.T) (single, composite map[string]resource) {
	t.Helper()
	return alarmsWith(t, map[string]string{})
}

// alarmsWith are those with such parameters.
func alarmsWith(t *testing.T, set map[string]string) (single, composite map[string]resource) {
	t.Helper()
	single, composite = map[string]resource{}, map[string]resource{}
	set["AlarmTopic"], set["PageTopic"] = "arn", "pages"
	r := root(t, set)
	overall := map[string]string{}
	for name, v := range r.Resources["OverallAlarms"].Properties["Parameters"].(map[string]any) {
		overall[name] = fmt.Sprint(v)
	}
	channel := map[string]string{}
	for name, v := range nested(t, r, message.SMS).Resources["ChannelAlarms"].Properties["Parameters"].(map[string]any) {
		channel[name] = fmt.Sprint(v)
	}
	for path, given := range map[string]map[string]string{"overall.yaml": overall, "alarms.yaml": channel} {
		for name, res := range parse(t, path, "nested", given).Resources {
			switch res.Type {
			case "AWS::CloudWatch::Alarm":
				single[name] = res
			case "AWS::CloudWatch::CompositeAlarm":
				composite[path] = res
			}
		}
	}
	return single, composite
}

// storms are what each alarm fires on, and what not.
type storm struct {
	calm, below, storm told
	quiet              []told // no alarms either
}

func storms() map[string]storm {
	const age, depth = "ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"
	monday := func(hour, sent float64) told { return told{"day": 1, "hour": hour, "minute": 0, "sent": sent} }
	return map[string]storm{
		"FailureRate": {told{"sent": 1000, "failed": 10}, told{"sent": 951, "failed": 30, "dead": 19}, told{"sent": 950, "failed": 30, "dead": 20},
			[]told{{"sent": 20, "failed": 29}, {"failed": 49}, {"sent": 1e6}}},
		"DeliveryRate": {told{"delivered": 990, "bounced": 10}, told{"delivered": 800, "undelivered": 150, "bounced": 50}, told{"delivered": 799, "undelivered": 151, "bounced": 50},
			[]told{{"bounced": 49}, {"sent": 1000, "tracked": 1000}}},
		"ReceiptsMissing": {told{"tracked": 1000, "delivered": 900}, told{"tracked": 1000, "delivered": 60, "undelivered": 20, "bounced": 20}, told{"tracked": 1000, "delivered": 99},
			[]told{{"tracked": 49}, {"sent": 1e6}}},
		"ThrottleRatio": {told{"called": 1000, "pushed_back": 1}, told{"called": 1000, "pushed_back": 99}, told{"called": 1000, "pushed_back": 100},
			[]told{{"called": 49, "pushed_back": 49}, {"throttled": 1e6, "called": 1e4}}},
		"LimitUsed80":  {told{"limit_used_ratio": 0.3}, told{"limit_used_ratio": 0.79}, told{"limit_used_ratio": 0.8}, nil},
		"AccountFault": {told{"account_fault": 0}, told{"account_fault": 0}, told{"account_fault": 1}, nil},
		"InDoubt":      {told{"in_doubt": 1}, told{"in_doubt": 9}, told{"in_doubt": 10}, nil},
		"Stuck":        {told{"stuck": 0}, told{"stuck": 0}, told{"stuck": 1}, nil},
		"Silent": {monday(4, 100), monday(4, 1), monday(9, 0), []told{monday(0, 0), monday(10, 0), {"day": 1, "hour": 9, "minute": 1, "sent": 0}, {"day": 6, "hour": 4, "minute": 0, "sent": 0},
			{"day": 7, "hour": 4, "minute": 0, "sent": 0}, monday(1, 1)}},
		"DeadLetters":         {told{depth: 0}, told{depth: 0}, told{depth: 1}, nil},
		"ControlDeadLetters":  {told{depth: 0}, told{depth: 0}, told{depth: 1}, nil},
		"ReceiptsDeadLetters": {told{depth: 0}, told{depth: 0}, told{depth: 1}, nil},
		"DeadLettersOld":      {told{age: 3600}, told{age: 7*86400 - 1}, told{age: 7 * 86400}, nil},
		"UrgentSlow":          {told{age: 1}, told{age: 9}, told{age: 10}, nil},
		"UrgentLate":          {told{age: 1}, told{age: 59}, told{age: 60}, nil},
		"NormalLate":          {told{age: 30}, told{age: 899}, told{age: 900}, nil},
		"BulkLate":            {told{age: 600}, told{age: 10799}, told{age: 10800}, nil},
		"ControlLate":         {told{age: 1}, told{age: 179}, told{age: 180}, nil},
		"ReceiptsLate":        {told{age: 1}, told{age: 599}, told{age: 600}, nil},
		"DeliverErrors":       {told{"Errors": 0}, told{"Errors": 0}, told{"Errors": 1}, nil},
		"DeliverThrottles":    {told{"Throttles": 0}, told{"Throttles": 0}, told{"Throttles": 1}, nil},
		"DeliverSlow":         {told{"Duration": 800}, told{"Duration": 24999}, told{"Duration": 25000}, nil},
		"FunctionErrors":      {told{"Errors": 0}, told{"Errors": 0}, told{"Errors": 1}, nil},
		"FunctionThrottles":   {told{"Throttles": 0}, told{"Throttles": 0}, told{"Throttles": 1}, nil},
		"FunctionSlow":        {told{"Duration": 100}, told{"Duration": 19999}, told{"Duration": 20000}, nil},
		"ApiErrors":           {told{"5xx": 0}, told{"5xx": 4}, told{"5xx": 5}, nil},
		"TickMissing":         {told{"swept": 15}, told{"swept": 1}, nil, nil},
		"CanaryMissing":       {told{"canary_sent": 3}, told{"canary_sent": 1}, told{"canary_sent": 0}, nil},
		"SesBounces":          {told{"Reputation.BounceRate": 0.001}, told{"Reputation.BounceRate": 0.039}, told{"Reputation.BounceRate": 0.04}, nil},
		"SesComplaints":       {told{"Reputation.ComplaintRate": 0}, told{"Reputation.ComplaintRate": 0.0007}, told{"Reputation.ComplaintRate": 0.0008}, nil},
	}
}

// Every alarm fires in its storm, keeps still in the calm, just below its threshold, after one bad period (where it
// wants more) and when nothing is told; and it ends when the storm is over. Where silence is the fault, it fires on that.
func TestAlarms(t *testing.T) {
	t.Parallel()
	storms := storms()
	single, _ := alarms(t)
	for name := range storms {
		if single[name].Type == "" {
			t.Errorf("there is no alarm %s", name)
		}
	}
	for name, res := range single {
		s, ok := storms[name]
		if !ok {
			t.Errorf("%s has no storm here: what should it fire on, and what not?", name)
			continue
		}
		a := watch{t, name, res.Properties}
		silence := a.p["TreatMissingData"] == "breaching"
		a.expect("calm", again(s.calm, 30), false)
		a.expect("below", again(s.below, 30), false)
		a.expect("silence", again(nil, 30), silence)
		for _, q := range s.quiet {
			a.expect(fmt.Sprint(q), again(q, 30), false)
		}
		of, least := a.periods()
		if least > 1 {
			a.expect("one bad period", append(again(s.calm, 10), s.storm), false)
		}
		storm := append(again(s.calm, 10), again(s.storm, of)...)
		a.expect("the storm", storm, true)
		a.expect("after the storm", append(storm, again(s.calm, of)...), false)
		a.expect("silence after the storm", append(storm, again(nil, of)...), silence)
	}
}

// elsewhere are the alarms of CloudWatch that notify does not judge by itself, and why not.
func elsewhere() map[string]string {
	const lambda = "Lambda's: one process has no functions; what fails in it is in its log"
	return map[string]string{
		"deliver-errors": lambda, "deliver-throttles": lambda, "deliver-slow": lambda, "function-errors": lambda, "function-throttles": lambda, "function-slow": lambda,
		"tick-missing":   "who judges runs the sweep too",
		"api-errors":     "API Gateway's: who answers 500 would have to answer for it",
		"ses-bounces":    "SES's, of the whole AWS account; delivery-rate is about ours",
		"ses-complaints": "SES's, of the whole AWS account",
		"page":           "made of the others: the rules that are part of it say so",
	}
}

// judged are the alarms of CloudWatch by the names of rules.
func judged(t *testing.T) map[string]watch {
	t.Helper()
	single, composite := alarms(t)
	maps.Copy(single, composite)
	out := map[string]watch{}
	for name, res := range single {
		short := strings.TrimPrefix(strings.TrimPrefix(fmt.Sprint(res.Properties["AlarmName"]), "main-"), "sms-")
		out[short] = watch{t, name, res.Properties}
	}
	return out
}

// The rules by which notify judges by itself are CloudWatch's: the same points, and the same judgement of each. What has
// no rule has a reason.
func TestAlarmsAreTheRules(t *testing.T) {
	t.Parallel()
	_, composite := alarms(t)
	byName, reasons := judged(t), elsewhere()
	for _, r := range alarm.Rules(alarm.Options{Silent: time.Hour, From: 1, To: 10, Canary: true}) {
		a, ok := byName[r.Name]
		if !ok {
			t.Errorf("CloudWatch has no alarm %s", r.Name)
			continue
		}
		delete(byName, r.Name)
		if of, least := a.periods(); of != r.Of || least != r.Least || a.period() != r.Period {
			t.Errorf("%s is judged by %d of %d points of %s, in CloudWatch by %d of %d of %s", r.Name, r.Least, r.Of, r.Period, least, of, a.period())
		}
		file := map[bool]string{false: "alarms.yaml", true: "overall.yaml"}[r.Whole]
		paged := strings.Contains(fmt.Sprint(composite[file].Properties["AlarmRule"]), `-`+r.Name+`"`) || strings.Contains(fmt.Sprint(a.p["AlarmActions"]), "pages")
		if paged != r.Page {
			t.Errorf("%s pages: %v, in CloudWatch %v", r.Name, r.Page, paged)
		}
		if whole := !strings.Contains(fmt.Sprint(a.p["AlarmName"]), "-sms-"); whole != r.Whole {
			t.Errorf("%s is of no channel: %v, in CloudWatch %v", r.Name, r.Whole, whole)
		}
		if silence := a.p["TreatMissingData"] == "breaching" || r.Name == "silent"; silence != r.Silence {
			t.Errorf("%s fires on silence: %v, in CloudWatch %v", r.Name, r.Silence, silence)
		}
		rapid.Check(t, func(rt *rapid.T) { sameJudgement(rt, r, a) })
	}
	for name := range byName {
		if reasons[name] == "" {
			t.Errorf("notify has no rule %s, and nobody says why", name)
		}
		delete(reasons, name)
	}
	for name := range reasons {
		t.Errorf("%s has a rule, or is no alarm", name)
	}
}

// sameJudgement draws a point and has it judged by a rule and by CloudWatch's alarm.
func sameJudgement(t *rapid.T, r alarm.Rule, a watch) {
	began := monday.Add(time.Duration(rapid.IntRange(0, 7*24*60-1).Draw(t, "minute")) * time.Minute)
	counts, v := alarm.Counts{}, toldAt(began)
	for _, name := range []string{"sent", "failed", "dead", "delivered", "undelivered", "bounced", "tracked", "called", "pushed_back", "account_fault", "in_doubt", "stuck", "canary_sent"} {
		if n := rapid.Int64Range(-1, 120).Draw(t, name); n >= 0 || name == "sent" { // each tick counts none, so that it is there
			counts[name], v[name] = float64(max(n, 0)), float64(max(n, 0))
		}
	}
	v["limit_used_ratio"] = rapid.Float64Range(0, 1).Draw(t, "limit_used_ratio")
	counts["limit_used_ratio"] = v["limit_used_ratio"]
	// What SQS measures is of the queue that the alarm names.
	of := ""
	if m := regexp.MustCompile(`:main-(?:sms-)?(\w+)`).FindStringSubmatch(fmt.Sprint(a.p["Dimensions"])); m != nil {
		of = m[1]
	}
	age, depth := float64(rapid.SampledFrom([]int{0, 9, 10, 59, 60, 179, 180, 599, 600, 899, 900, 10799, 10800, 7*86400 - 1, 7 * 86400}).Draw(t, "age")), float64(rapid.IntRange(0, 2).Draw(t, "depth"))
	v["ApproximateAgeOfOldestMessage"], v["ApproximateNumberOfMessagesVisible"] = age, depth
	if of == "dlq" { // a channel's
		counts["dead_age"], counts["dead_letters"] = age, depth
	} else {
		counts[alarm.Gauge("queue_age", of)], counts[alarm.Gauge("dead_letters", of)] = age, depth
	}
	x, ok := a.point(v)
	there := ok && a.beyond(x, a.number("Threshold", 0)) || !ok && a.p["TreatMissingData"] == "breaching"
	if ours := r.Beyond(r.Value(counts)) && (r.When == nil || r.When(began, began.Add(r.Period))); there != ours {
		t.Fatalf("%s of %v is beyond: %v, in CloudWatch: %v (%g, %g)", r.Name, counts, ours, there, r.Value(counts), x)
	}
}

// toldAt says when a point began, as CloudWatch's functions do.
func toldAt(began time.Time) told {
	return told{"day": float64((began.Weekday()+6)%7 + 1), "hour": float64(began.Hour()), "minute": float64(began.Minute())}
}

// Silence is judged in both worlds of the same points, whatever the hours are, to the minute.
func TestBusinessHours(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		seconds  int
		from, to int
	}{{900, 1, 10}, {1800, 1, 10}, {3600, 1, 10}, {7200, 1, 10}, {7200, 0, 9}, {3600, 9, 24}, {7200, 3, 4}, {3600, 0, 24}, {7200, 0, 24}} {
		single, _ := alarmsWith(t, map[string]string{"SilentSeconds": fmt.Sprint(tc.seconds), "BusinessFrom": fmt.Sprint(tc.from), "BusinessTo": fmt.Sprint(tc.to)})
		a := watch{t, "Silent", single["Silent"].Properties}
		rules := alarm.Rules(alarm.Options{Silent: time.Duration(tc.seconds) * time.Second, From: tc.from, To: tc.to})
		rule := rules[slices.IndexFunc(rules, func(r alarm.Rule) bool { return r.Name == "silent" })]
		for began := monday; began.Before(monday.AddDate(0, 0, 7)); began = began.Add(5 * time.Minute) {
			v := toldAt(began)
			v["sent"] = 0
			x, _ := a.point(v)
			if looked := rule.When(began, began.Add(rule.Period)); looked != (x == 0) {
				t.Errorf("%+v: what begins on %s is looked at: %v, in CloudWatch: %v", tc, began.Format("Mon 15:04"), looked, x == 0)
			}
		}
	}
}

var monday = time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)

// Somebody is paged when one of what the page is made of fires, and each of these is an alarm.
func TestPage(t *testing.T) {
	t.Parallel()
	single, composite := alarms(t)
	names := map[string]bool{}
	for _, res := range single {
		names[fmt.Sprint(res.Properties["AlarmName"])] = true
	}
	if len(composite) != 2 {
		t.Errorf("there are %d pages", len(composite))
	}
	for path, res := range composite {
		rule := fmt.Sprint(res.Properties["AlarmRule"])
		of := regexp.MustCompile(`ALARM\("([^"]+)"\)`).FindAllStringSubmatch(rule, -1)
		if strings.Join(regexp.MustCompile(`ALARM\("[^"]+"\)`).Split(rule, -1), "") != strings.Repeat(" OR ", len(of)-1) {
			t.Errorf("%s pages by %q", path, rule)
		}
		for _, m := range of {
			if !names[m[1]] {
				t.Errorf("%s pages by %s, which there is not", path, m[1])
			}
		}
		if got := fmt.Sprint(res.Properties["AlarmActions"]); got != "[pages]" {
			t.Errorf("%s tells %s", path, got)
		}
	}
}

func again(v told, n int) (out []told) {
	for range n {
		out = append(out, v)
	}
	return out
}

// What alarms watch of ours is what CloudWatch gets.
func TestAlarmsWatch(t *testing.T) {
	t.Parallel()
	single, _ := alarms(t)
	watched := 0
	for name, res := range single {
		for _, m := range metricsIn(res.Properties) {
			if m.namespace != "notify/main" {
				continue
			}
			watched++
			want, dimension := m.name, ""
			if len(m.dimensions) > 0 {
				want, dimension = want+" sms", m.dimensions[0]
			}
			if !slices.Contains(telemetry.Published(message.SMS), want) || dimension != "" && dimension != "channel" || len(m.dimensions) > 1 {
				t.Errorf("%s watches %+v, which CloudWatch does not get", name, m)
			}
		}
	}
	if watched < 15 {
		t.Errorf("the alarms watch only %d metrics of ours", watched)
	}
}

type watched struct {
	namespace, name string
	dimensions      []string
}

// metricsIn lists the metrics of an alarm, wherever they are written.
func metricsIn(p map[string]any) (out []watched) {
	metric := func(m map[string]any) {
		w := watched{namespace: fmt.Sprint(m["Namespace"]), name: fmt.Sprint(m["MetricName"])}
		dimensions, _ := m["Dimensions"].([]any)
		for _, d := range dimensions {
			w.dimensions = append(w.dimensions, fmt.Sprint(d.(map[string]any)["Name"]))
		}
		out = append(out, w)
	}
	if p["MetricName"] != nil {
		metric(p)
	}
	queries, _ := p["Metrics"].([]any)
	for _, q := range queries {
		if stat, ok := q.(map[string]any)["MetricStat"].(map[string]any); ok {
			metric(stat["Metric"].(map[string]any))
		}
	}
	return out
}

// The doctor knows which alarms are a stack's, though another's name begins with its own.
func TestAlarmsAreTold(t *testing.T) {
	t.Parallel()
	all, composite := alarms(t)
	maps.Copy(all, composite)
	for name, res := range all {
		full := fmt.Sprint(res.Properties["AlarmName"])
		beside := strings.Replace(full, "main-", "main-dev-", 1)
		if !checkup.Ours("main", full) || !checkup.Ours("main-dev", beside) || checkup.Ours("main", beside) || checkup.Ours("main-dev", full) {
			t.Errorf("%s: it is not known whose %s and %s are", name, full, beside)
		}
	}
}

// Every alarm says where the runbook says what to do.
func TestRunbook(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/runbook.md")
	if err != nil {
		t.Fatal(err)
	}
	entries, used := map[string]bool{}, map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^## ([a-z-]+)$`).FindAllStringSubmatch(string(text), -1) {
		entries[m[1]] = true
	}
	all, composite := alarms(t)
	maps.Copy(all, composite)
	for name, res := range all {
		_, entry, ok := strings.Cut(fmt.Sprint(res.Properties["AlarmDescription"]), "docs/runbook.md#")
		if !ok || !strings.HasSuffix(fmt.Sprint(res.Properties["AlarmName"]), "-"+entry) {
			t.Errorf("%s does not end with its entry in docs/runbook.md: %v", name, res.Properties["AlarmDescription"])
		}
		if !entries[entry] {
			t.Errorf("docs/runbook.md has no entry %q", entry)
		}
		used[entry] = true
	}
	maps.DeleteFunc(entries, func(entry string, _ bool) bool { return used[entry] })
	for entry := range entries {
		t.Errorf("docs/runbook.md has an entry %q, and no alarm has", entry)
	}
}
