package robot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/opennotify/notify/recipes"
)

// event is one that AWS publishes as an example:
// https://github.com/aws/aws-lambda-go/tree/main/events/testdata
func event(t *testing.T, name string) (e events.SNSEvent) {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name + ".json")
	if err == nil {
		err = json.Unmarshal(text, &e)
	}
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// chat is where all vendors are, over HTTP on this machine.
type chat struct {
	*httptest.Server
	asked, body string // the last request
	answer      string
	calls       int
}

func newChat(t *testing.T, answer string) *chat {
	t.Helper()
	c := &chat{answer: answer}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		c.asked, c.body, c.calls = r.Host+r.URL.String(), string(body), c.calls+1
		_, _ = io.WriteString(w, c.answer)
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *chat) RoundTrip(r *http.Request) (*http.Response, error) {
	out := r.Clone(r.Context())
	out.Host, out.URL.Scheme, out.URL.Host = r.URL.Host, "http", strings.TrimPrefix(c.URL, "http://")
	return http.DefaultTransport.RoundTrip(out)
}

func (c *chat) robot(secret string) (*Robot, *bytes.Buffer) {
	var logs bytes.Buffer
	return &Robot{Secret: func(context.Context) (string, error) { return secret, nil }, Recipes: recipes.FS(), Runbook: "https://git.example.com/notify/",
		Client: &http.Client{Transport: c}, Now: func() time.Time { return time.Date(2026, 11, 29, 10, 0, 5, 0, time.UTC) }, Nonce: func() string { return "00" },
		Log: slog.New(slog.NewTextHandler(&logs, nil))}, &logs
}

// Each chat's robot is told by its real recipe, at the full hour too, of what AWS publishes as an alarm.
func TestRobots(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ secret, ok, bad, url string }{
		{`{"provider":"feishu-bot","token":"abcdef-0123","sign_key":"s3cret"}`, `{"code":0,"msg":"success"}`, `{"code":19001,"msg":"param invalid"}`, "open.feishu.cn/open-apis/bot/v2/hook/abcdef-0123"},
		{`{"provider":"dingtalk-robot","access_token":"abcdef0123","sign_key":"SECx"}`, `{"errcode":0,"errmsg":"ok"}`, `{"errcode":310000,"errmsg":"sign not match"}`, "oapi.dingtalk.com/robot/send?access_token=abcdef0123&sign="},
		{`{"provider":"wecom-robot","key":"abcdef-0123"}`, `{"errcode":0,"errmsg":"ok"}`, `{"errcode":93000,"errmsg":"invalid webhook url"}`, "qyapi.weixin.qq.com/cgi-bin/webhook/send?key=abcdef-0123"},
		{`{"provider":"slack-webhook","path":"T000/B000/abcdefgh0123"}`, "ok", "no_service", "hooks.slack.com/services/T000/B000/abcdefgh0123"},
	} {
		c := newChat(t, tc.ok)
		r, logs := c.robot(tc.secret)
		for _, name := range []string{"single-metric", "multiple-metrics"} {
			if err := r.Handle(t.Context(), event(t, name)); err != nil {
				t.Errorf("%s, %s: %v %s", tc.url, name, err, logs)
			}
			if !strings.HasPrefix(c.asked, tc.url) || !strings.Contains(c.body, "ALARM 告警 EXAMPLE") || !strings.Contains(c.body, "Threshold Crossed") {
				t.Errorf("%s got %s", c.asked, c.body)
			}
		}
		c.answer = tc.bad
		if err := r.Handle(t.Context(), event(t, "single-metric")); err == nil || !strings.Contains(err.Error(), "account") {
			t.Errorf("%s refuses: %v", tc.url, err)
		}
		for _, secret := range []string{"abcdef", "s3cret", "SECx"} {
			if strings.Contains(logs.String(), secret) {
				t.Errorf("%s: the log has a secret in it: %s", tc.url, logs)
			}
		}
	}
}

// An alarm of ours links its runbook entry; its end says so and links none. What is no alarm is told as it is.
func TestNews(t *testing.T) {
	t.Parallel()
	c := newChat(t, `{"errcode":0}`)
	r, _ := c.robot(`{"provider":"wecom-robot","key":"abcdef-0123"}`)
	e := event(t, "single-metric")
	ours := strings.NewReplacer(`"AlarmName": "EXAMPLE"`, `"AlarmName": "main-sms-failure-rate"`,
		`"AlarmDescription": "EXAMPLE"`, `"AlarmDescription": "5 % or more of the messages on sms fail. docs/runbook.md#failure-rate"`)
	e.Records[0].SNS.Message = ours.Replace(e.Records[0].SNS.Message)
	said := func(e events.SNSEvent) string {
		t.Helper()
		if err := r.Handle(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		var body struct{ Markdown struct{ Content string } }
		if err := json.Unmarshal([]byte(c.body), &body); err != nil {
			t.Fatal(err)
		}
		return body.Markdown.Content
	}
	want := "**🔴 ALARM 告警 main-sms-failure-rate**\n5 % or more of the messages on sms fail.\n\nRunbook 处理手册: https://git.example.com/notify/docs/runbook.md#failure-rate\n\nThreshold Crossed: 1 out of"
	if got := said(e); !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "INSUFFICIENT_DATA → ALARM, 2015-06-03T17:43:27.123+0000, EXAMPLE") {
		t.Errorf("%q", got)
	}
	e.Records[0].SNS.Message = strings.Replace(e.Records[0].SNS.Message, `"NewStateValue": "ALARM"`, `"NewStateValue": "OK"`, 1)
	if got := said(e); !strings.HasPrefix(got, "**🟢 OK 恢复 main-sms-failure-rate**\n5 %") || strings.Contains(got, "runbook") {
		t.Errorf("%q", got)
	}
	if got := said(event(t, "plain")); got != "**TestInvoke**\nHello from SNS!" {
		t.Errorf("%q", got)
	}
	e.Records[0].SNS.Message = strings.Repeat("很", 5000)
	if got := said(e); len(got) > 4096 || !strings.HasSuffix(got, "很…") {
		t.Errorf("%d bytes", len(got))
	}
}

// What is wrong with the secret is said, without the secret; nothing is sent.
func TestBadRobots(t *testing.T) {
	t.Parallel()
	c := newChat(t, "ok")
	for _, tc := range []struct{ secret, want string }{
		{`no json s3cret`, "not a JSON object"},
		{`{"provider":"nobody","token":"s3cret"}`, `there is no recipe "nobody"`},
		{`{"token":"s3cret"}`, `there is no recipe ""`},
		{`{"provider":"feishu-bot"}`, `"token"`},
		{`{"provider":"feishu-bot","token":"abcdef-0123","url":"s3cret"}`, `no field "url"`},
	} {
		r, _ := c.robot(tc.secret)
		if err := r.Handle(t.Context(), event(t, "single-metric")); err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", tc.secret, err)
		}
	}
	r, _ := c.robot("")
	r.Secret = func(context.Context) (string, error) { return "", errors.New("AccessDenied") }
	if err := r.Handle(t.Context(), event(t, "plain")); err == nil || !strings.Contains(err.Error(), "AccessDenied") {
		t.Error(err)
	}
	if c.calls > 0 {
		t.Errorf("%d calls", c.calls)
	}
}
