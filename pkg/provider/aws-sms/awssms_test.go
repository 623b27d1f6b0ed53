package awssms_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

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
		"region":        func(a *provider.Account) { delete(a.Config, "region") },
		"access_key_id": func(a *provider.Account) { delete(a.Secrets, "secret_access_key") },
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

// Without keys the process's own are used; there are none here, or not.
func TestTheProcessesOwnKeys(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDOFTHEPROCESS")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "of-the-process")
	var asked string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.Header.Get("Authorization")
		_, _ = w.Write([]byte(`{"MessageId": "m"}`))
	}))
	t.Cleanup(server.Close)
	a := account(t, server.URL)
	a.Secrets = nil
	call := provider.Call{To: "+14255550156", Content: message.Content{Text: "x"}}
	if r := open(t, a).Send(t.Context(), call); r.Outcome != message.Accepted || r.ProviderID != "m" {
		t.Errorf("%+v", r)
	}
	if !strings.Contains(asked, "Credential=AKIDOFTHEPROCESS/") || !strings.Contains(asked, "/us-east-1/sms-voice/") {
		t.Errorf("signed as %q", asked)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
	if r := open(t, a).Send(t.Context(), call); r.Outcome != message.AccountFault || r.Code != "no_request" {
		t.Errorf("nobody's keys: %+v", r)
	}
}

// TestSentences: every code of AWS's in a case or an event has its words in both languages.
func TestSentences(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("cases/*.txtar")
	if err != nil || len(files) < 20 {
		t.Fatal(files, err)
	}
	own := []string{"", "bad_content", "bad_answer"}
	d, codes := descriptor(t), []string{awssms.CodeDryRun}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(a.Comment), "made up") {
			continue
		}
		var want struct{ Code string }
		if err := json.Unmarshal(a.Files[len(a.Files)-1].Data, &want); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		codes = append(codes, want.Code)
	}
	for _, file := range eventFiles(t) {
		_, receipts := readEvent(t, file)
		for _, r := range receipts {
			codes = append(codes, r.Code)
		}
	}
	for _, code := range codes {
		if words, ok := d.Say(code); !slices.Contains(own, code) && (!ok || words.Zh == "" || words.En == "") {
			t.Errorf("%s has no words", code)
		}
	}
}
