package ses_test

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"

	"github.com/opennotify/notify/deploy/emulators"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/catalog"
	"github.com/opennotify/notify/pkg/provider/guard"
	"github.com/opennotify/notify/pkg/provider/providertest"
	"github.com/opennotify/notify/pkg/provider/ses"
)

func descriptor(t testing.TB) provider.Descriptor {
	t.Helper()
	c, err := catalog.Load(provider.Descriptors())
	if err != nil {
		t.Fatal(err)
	}
	d, _ := c.Shipped("ses")
	return d
}

func TestSuite(t *testing.T) {
	t.Parallel()
	providertest.Run(t, ses.Open, descriptor(t), os.DirFS("."))
}

// account is one at an endpoint of the test's own.
func account(t testing.TB, endpoint string) provider.Account {
	t.Helper()
	a := provider.Account{
		Name: "mail", Provider: "ses", Channel: message.Email,
		Config:  map[string]string{"region": "us-east-1", "from": "noreply@shop.example", "from_name": "小店", "endpoint": endpoint},
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
	sender, err := ses.Open(a, e)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { providertest.Leaks(t, a, "", "the log", log.String()) })
	return sender
}

var call = provider.Call{
	ID: "msg_0123456789abcdefghjkmnpq001kdyajy800000000000000000", Epoch: 1, Key: "k", Channel: message.Email, To: "wang@example.org",
	Content: message.Content{
		Subject: "您的订单", Text: "你好", HTML: "<p>你好</p>",
		Attachments: []message.Attachment{{Name: "发票.pdf", Type: "application/pdf", Data: []byte("%PDF")}},
	},
	Binding: map[string]string{provider.BindingUnsubscribe: "https://shop.example/u"},
}

func TestMiniStack(t *testing.T) {
	t.Parallel()
	stack := emulators.Need(t, emulators.MiniStack)
	a := account(t, stack.URL)
	a.Config["from"] = "noreply@" + strings.ToLower(rand.Text()[:12]) + ".example"
	sender := open(t, a)
	if r := sender.Send(t.Context(), call); r.Outcome != message.AccountFault || r.Code != "MessageRejected" || r.HTTPStatus != 400 {
		t.Errorf("a sender that is not verified: %+v", r)
	}
	client := sesv2.NewFromConfig(stack.AWS())
	if _, err := client.CreateEmailIdentity(t.Context(), &sesv2.CreateEmailIdentityInput{EmailIdentity: aws.String(a.Config["from"])}); err != nil {
		t.Fatal(err)
	}
	if r := sender.Send(t.Context(), call); r.Outcome != message.Accepted || r.ProviderID == "" || r.HTTPStatus != 200 {
		t.Errorf("a verified sender: %+v", r)
	}
	if err := sender.(provider.Checker).Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// An address that somebody entered for an account leads to nothing that only this process reaches.
func TestEndpointIsGuarded(t *testing.T) {
	t.Parallel()
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was asked") }))
	t.Cleanup(inside.Close)
	e, _ := providertest.Env(t)
	e.Guarded = guard.Client(guard.Options{Public: true})
	for _, endpoint := range []string{inside.URL, strings.Replace(inside.URL, "http:", "https:", 1)} {
		sender, err := ses.Open(account(t, endpoint), e)
		if err != nil {
			t.Fatal(err)
		}
		if r := sender.Send(t.Context(), call); r.Outcome != message.AccountFault || r.Code != provider.CodeRefused {
			t.Errorf("%s: %+v", endpoint, r)
		}
		if err := sender.(provider.Checker).Check(t.Context()); err == nil {
			t.Errorf("%s: the check finds nothing wrong", endpoint)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status       int
		answer, want string
	}{
		{200, `{"SendingEnabled": true}`, ""},
		{200, `{"SendingEnabled": false}`, "paused"},
		{200, `<html>`, "bad_answer"},
		{403, `{"__type": "AccessDeniedException", "message": "not authorized: canary-s3cret"}`, "AccessDeniedException not authorized: ***"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/v2/email/account" {
				t.Errorf("asked for %s", r.URL.Path)
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
		"region":    func(a *provider.Account) { delete(a.Config, "region") },
		"from":      func(a *provider.Account) { a.Config["from"] = "Shop <noreply@shop.example>" },
		"reply_to":  func(a *provider.Account) { a.Config["reply_to"] = "nobody" },
		"from_name": func(a *provider.Account) { a.Config["from_name"] = "a\nb" },
	} {
		a := account(t, "")
		change(&a)
		e, _ := providertest.Env(t)
		if _, err := ses.Open(a, e); err == nil || !strings.Contains(err.Error(), `"`+field+`"`) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", field, err)
		}
	}
}
