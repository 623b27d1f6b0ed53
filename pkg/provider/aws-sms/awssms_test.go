package awssms_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	awssms "github.com/opennotify/notify/pkg/provider/aws-sms"
	"github.com/opennotify/notify/pkg/provider/catalog"
	"github.com/opennotify/notify/pkg/provider/providertest"
)

func descriptor(t testing.TB) provider.Descriptor {
	t.Helper()
	c, err := catalog.Load(provider.Descriptors())
	if err != nil {
		t.Fatal(err)
	}
	d, _, _ := c.Get(t.Context(), "aws-sms")
	return d
}

func TestSuite(t *testing.T) {
	t.Parallel()
	providertest.Run(t, awssms.Open, descriptor(t), os.DirFS("."))
}

// account is one at an endpoint of the test's own.
func account(t testing.TB, endpoint string) provider.Account {
	t.Helper()
	a := provider.Account{
		Name: "sms", Provider: "aws-sms", Channel: message.SMS,
		Config:  map[string]string{"region": "us-east-1", "endpoint": endpoint},
		Secrets: map[string]message.Secret{"access_key_id": "test", "secret_access_key": "canary-s3cret"},
	}
	if err := descriptor(t).Check(&a); err != nil {
		t.Fatal(err)
	}
	return a
}

func open(t *testing.T, a provider.Account) provider.Sender {
	t.Helper()
	e, log := providertest.Env(t)
	sender, err := awssms.Open(a, e)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { providertest.Leaks(t, a, "", "the log", log.String()) })
	return sender
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status       int
		answer, want string
	}{
		{200, `{"AccountAttributes": [{"Name": "ACCOUNT_TIER", "Value": "SANDBOX"}]}`, ""},
		{200, `<html>`, "bad_answer"},
		{400, `{"__type": "AccessDeniedException", "Message": "not authorized: canary-s3cret"}`, "AccessDeniedException not authorized: ***"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if got := r.Header.Get("X-Amz-Target"); got != "PinpointSMSVoiceV2.DescribeAccountAttributes" {
				t.Errorf("asked for %s", got)
			}
			w.WriteHeader(c.status)
			_, _ = w.Write([]byte(c.answer))
		}))
		t.Cleanup(server.Close)
		err := open(t, account(t, server.URL)).(provider.Checker).Check(t.Context())
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.answer, err, c.want)
		}
	}
}

func TestFaultyAccounts(t *testing.T) {
	t.Parallel()
	for field, change := range map[string]func(*provider.Account){
		"region": func(a *provider.Account) { delete(a.Config, "region") },
	} {
		a := account(t, "")
		change(&a)
		e, _ := providertest.Env(t)
		if _, err := awssms.Open(a, e); err == nil || !strings.Contains(err.Error(), `"`+field+`"`) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// One attempt is one request, whatever the answer: the SDK does not try again by itself.
func TestNoRetries(t *testing.T) {
	t.Parallel()
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write([]byte(`{"__type": "InternalServerException", "Message": "x"}`))
	}))
	t.Cleanup(server.Close)
	call := provider.Call{ID: "msg_0123456789abcdefghjkmnpq001kdyajy800000000000000000", Epoch: 1, To: "+14255550156", Content: message.Content{Text: "x"}}
	if r := open(t, account(t, server.URL)).Send(t.Context(), call); r.Outcome != message.Unknown || asked != 1 {
		t.Errorf("%+v after %d requests", r, asked)
	}
}
