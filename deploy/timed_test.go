package deploy_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/opennotify/notify/client"
)

// client is the Go client of the deployed API.
func (d *deployment) client(t *testing.T) *client.Client {
	t.Helper()
	c, err := client.New(client.Options{URL: d.url, Key: client.Key(d.key)})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The canary goes through the API, and the next one finds it sent.
func (d *deployment) canary(t *testing.T) {
	secrets := secretsmanager.NewFromConfig(d.aws.AWS())
	order := fmt.Sprintf(`{"url":%q,"key":%q,"channel":"webhook","to":"%s/ok/canary","template":"canary","locale":"en"}`, d.url, d.key, d.sinks.hook.URL)
	if _, err := secrets.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String(d.name + "/canary"), SecretString: &order}); err != nil {
		t.Fatal(err)
	}
	d.call(t, http.StatusCreated, http.MethodPut, "/v1/templates/shop/canary", map[string]any{"class": "transactional", "variables": []any{map[string]any{"name": "at", "example": "now"}},
		"variants": []any{map[string]any{"channel": "webhook", "locale": "en", "data": `{"at":"{{at}}"}`}}})
	d.call(t, http.StatusOK, http.MethodPost, "/v1/templates/shop/canary/publish", map[string]any{"version": 1})
	eventually(t, "a canary that came through", func() (string, bool) { // configuration is in force within half a minute
		if _, err := d.sqs.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: d.queue("control"), MessageBody: aws.String(`{"kind":"canary"}`)}); err != nil {
			t.Fatal(err)
		}
		calls, _, _ := d.sinks.webhooks("/ok/canary")
		last := ""
		for line := range strings.Lines(d.logs(t, d.stack)["schedule"]) {
			if strings.Contains(line, `"canary_sent":`) && calls >= 2 { // the last one, and the one of now
				return "", true
			}
			if strings.Contains(line, "canary") {
				last = line
			}
		}
		return fmt.Sprint(calls, " webhooks, ", last), false
	})
	if calls, _, last := d.sinks.webhooks("/ok/canary"); calls > 4 || !strings.Contains(last, `"at":"20`) {
		t.Errorf("%d webhooks, the last %s", calls, last)
	}
	t.Run("doctor", d.doctor) // who misses the canary's secret before
}

// The doctor finds nothing wrong with a stack that was just deployed, but that it has no alarms.
func (d *deployment) doctor(t *testing.T) {
	out := d.run(t, d.notify, "doctor", "--stack", d.name)
	for _, want := range []string{"queues", "every queue is read", "2 schedules are enabled", "deploy with Alarms=on", "agrees with AWS's"} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q: %s", want, out)
		}
	}
}

// timers is how many schedules EventBridge has for one of ours.
func (d *deployment) timers(t *testing.T, name string) int {
	t.Helper()
	out, err := scheduler.NewFromConfig(d.aws.AWS()).ListSchedules(t.Context(), &scheduler.ListSchedulesInput{GroupName: aws.String(d.outputs["ScheduleGroup"])})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, s := range out.Schedules {
		if strings.HasPrefix(aws.ToString(s.Name), "shop."+name+".") {
			n++
		}
	}
	return n
}

// A schedule of the API is one of EventBridge, fires, and runs to its end: once, and every minute.
func (d *deployment) schedule(name string, when func() client.When) func(*testing.T) {
	return func(t *testing.T) {
		c, ctx, path := d.client(t), t.Context(), "/ok/schedule-"+name
		s, err := c.PutSchedule(ctx, "shop", name, client.PutScheduleRequest{When: when(),
			TimedContent: client.TimedContent{Template: "notice", Channel: "webhook", Locale: "en", Vars: map[string]any{"n": name}},
			Audience:     client.Audience{Rows: []client.AudienceRow{{To: d.sinks.hook.URL + path}}}})
		if err != nil || len(s.Next) == 0 {
			t.Fatal(s, err)
		}
		if n := d.timers(t, name); n != 1 {
			t.Errorf("EventBridge has %d schedules for it", n)
		}
		eventually(t, "a run that has ended", func() (string, bool) {
			page, err := c.ScheduleRuns(ctx, "shop", name, 10, "")
			if err != nil || len(page.Items) == 0 {
				return fmt.Sprint(err), false
			}
			r := page.Items[len(page.Items)-1]
			return fmt.Sprintf("%s %s %+v", r.State, r.Fault, r.Made), r.State == client.RunDone && r.Made.Made == 1
		})
		if _, taken, last := d.sinks.webhooks(path); taken < 1 || !strings.Contains(last, `"n":"`+name+`"`) {
			t.Errorf("%d webhooks arrived, the last %s", taken, last)
		}
		if err := c.DeleteSchedule(ctx, "shop", name, 0, "the test is over"); err != nil {
			t.Error(err)
		}
		if n := d.timers(t, name); n != 0 {
			t.Errorf("EventBridge has %d schedules for it after it was cancelled", n)
		}
	}
}

// soon is after the request has been answered on a slow machine too.
func soon() client.When {
	return client.When{At: time.Now().UTC().Add(20 * time.Second).Format(time.RFC3339)}
}
func everyMinute() client.When { return client.When{EveryMinutes: 1} }

// What AWS puts into the control queue, with the time in place of the attribute, which the emulator leaves as it
// is: fired twice it is one run, listed beside ours.
func (d *deployment) realPayload(t *testing.T) {
	const path = "/ok/replaced"
	due := time.Now().UTC().Truncate(time.Minute).Format("2006-01-02T15:04:05Z")
	body := `{"kind":"send","schedule":"replaced","due":"` + due + `","owner":"Zhao","tenant":"shop","template":"notice","channel":"webhook","locale":"en","vars":{"n":"1"},"to":["` +
		d.sinks.hook.URL + path + `"]}`
	if _, err := d.sqs.SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{QueueUrl: d.queue("control"), Entries: []sqstypes.SendMessageBatchRequestEntry{
		{Id: aws.String("1"), MessageBody: &body}, {Id: aws.String("2"), MessageBody: &body}}}); err != nil {
		t.Fatal(err)
	}
	c := d.client(t)
	eventually(t, "its run has ended", func() (string, bool) {
		page, err := c.ScheduleRuns(t.Context(), "shop", "replaced", 10, "")
		if err != nil || len(page.Items) != 1 {
			return fmt.Sprint(page, err), false
		}
		r := page.Items[0]
		return string(r.State), r.State == client.RunDone && r.DueAt.Format("2006-01-02T15:04:05Z") == due && r.Made.Made == 1 && r.Owner == "Zhao"
	})
	if calls, _, _ := d.sinks.webhooks(path); calls != 1 {
		t.Errorf("%d webhooks arrived", calls)
	}
	if s, err := c.Schedule(t.Context(), "shop", "replaced"); err != nil || !s.External || s.Owner != "Zhao" {
		t.Errorf("it is listed as %+v, %v", s, err)
	}
}

// A campaign over a file that was put into the bucket by a presigned address.
func (d *deployment) campaign(t *testing.T) {
	const people = 12
	var file strings.Builder
	file.WriteString("to,n\n")
	for i := range people {
		fmt.Fprintf(&file, "%s/ok/campaign-%d,%d\n", d.sinks.hook.URL, i, i)
	}
	file.WriteString("nobody,1\n")
	c, ctx := d.client(t), t.Context()
	id, err := c.UploadAudience(ctx, "", int64(file.Len()), strings.NewReader(file.String()))
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.CreateCampaign(ctx, client.CreateCampaignRequest{Title: "Spring", TimedContent: client.TimedContent{Template: "notice", Channel: "webhook", Locale: "en"}, Audience: client.Audience{Upload: id}})
	if err != nil {
		t.Fatal(err)
	}
	until := func(state client.RunState) {
		t.Helper()
		eventually(t, "the campaign is "+string(state), func() (string, bool) {
			var err error
			r, err = c.Campaign(ctx, r.ID)
			if err != nil {
				return err.Error(), false
			}
			return fmt.Sprintf("%s %s %+v", r.State, r.Fault, r.Messages), r.State == state
		})
	}
	until(client.RunWaiting)
	if r.Rows != (client.RunRows{Total: people + 1, Bad: 1}) || r.Dry == nil || r.Dry.Valid != people {
		t.Errorf("it was read as %+v, weighed as %+v", r.Rows, r.Dry)
	}
	var bad strings.Builder
	if err := c.DownloadBadRows(ctx, r.ID, &bad); err != nil || !strings.Contains(bad.String(), "\nnobody,1,") {
		t.Errorf("the bad rows are %q, %v", bad.String(), err)
	}
	if _, err := c.SendCampaign(ctx, r.ID, "looks right"); err != nil {
		t.Fatal(err)
	}
	until(client.RunDone)
	for i := range people {
		if calls, _, last := d.sinks.webhooks(fmt.Sprint("/ok/campaign-", i)); calls != 1 || !strings.Contains(last, fmt.Sprintf(`"n":"%d"`, i)) {
			t.Errorf("%d webhooks arrived at %d, the last %s", calls, i, last)
		}
	}
	if r.Made.Made != people || r.Messages.ByStatus[client.StatusSent] != people {
		t.Errorf("it made %+v, of which there are %+v", r.Made, r.Messages)
	}
	if got := d.call(t, http.StatusOK, http.MethodGet, "/v1/campaigns?limit=100", nil); !strings.Contains(fmt.Sprint(got.body["items"]), r.ID) {
		t.Errorf("it is not listed: %v", got.body)
	}
}
