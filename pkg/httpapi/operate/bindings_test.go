package operate_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/opennotify/notify/pkg/provider"
)

// bound is an answer about one binding.
type bound struct {
	State, Note, Detail, Reason string
	Version                     int64
	CheckedAt                   string `json:"checked_at"`
}

const bindingPath = "/v1/templates/shop/code/versions/1/bindings/bolt-1"

// bindable has an account of bolt, with a secret, and a template that is bound over it.
func bindable(t *testing.T) *bench {
	t.Helper()
	b := setup(t)
	b.must(t, "admin", "PUT", "/v1/accounts/bolt-1", `{"provider":"bolt","secrets":{"api_key":"CANARY"}}`, nil)
	b.must(t, "operate", "PUT", "/v1/templates/shop/code", `{"class":"otp","variables":[{"name":"code"}],"variants":[{"channel":"sms","locale":"zh","text":"{{code}}"}]}`, nil)
	b.must(t, "operate", "PUT", bindingPath, `{"fields":{"template_id":"7","params":"code"},"note":"by hand"}`, nil)
	return b
}

// TestCheckBinding: the vendor's answer is kept; that it gives none changes nothing; nothing shows a secret.
func TestCheckBinding(t *testing.T) {
	t.Parallel()
	b := bindable(t)
	b.senders.approval, b.senders.note = provider.Rejected, "no CANARY, template "
	var got bound
	b.must(t, "operate", "POST", bindingPath+"/check", "", &got)
	if got.State != "rejected" || got.Note != "no [redacted], template 7" || got.CheckedAt == "" || got.Version != 2 || got.Reason != "checked: rejected" {
		t.Errorf("%+v", got)
	}
	b.senders.check = errors.New("401 for CANARY")
	b.must(t, "operate", "POST", bindingPath+"/check", "", &got)
	if got.State != "rejected" || got.Detail != "401 for [redacted]" || got.Version != 2 {
		t.Errorf("%+v", got)
	}
	var read bound
	b.must(t, "read", "GET", bindingPath, "", &read)
	if read.State != "rejected" || read.CheckedAt != got.CheckedAt || read.Detail != "" {
		t.Errorf("%+v", read)
	}
	if strings.Contains(b.log.String(), "CANARY") {
		t.Error("the log has the secret")
	}
}

// What others change while the vendor is asked is kept: another binding is none of the check's business, the
// same one makes its answer void.
func TestCheckBindingMeanwhile(t *testing.T) {
	t.Parallel()
	b := bindable(t)
	b.must(t, "admin", "PUT", "/v1/accounts/bolt-2", `{"provider":"bolt"}`, nil)
	b.senders.approval = provider.Approved
	b.senders.meantime = func() {
		b.must(t, "operate", "PUT", strings.Replace(bindingPath, "bolt-1", "bolt-2", 1), `{"fields":{"template_id":"8"},"version":1}`, nil)
	}
	var got bound
	b.must(t, "operate", "POST", bindingPath+"/check", "", &got)
	if got.State != "approved" || got.Version != 3 {
		t.Errorf("%+v", got)
	}
	b.senders.meantime = func() {
		b.must(t, "operate", "PUT", bindingPath, `{"fields":{"template_id":"9"},"version":3}`, nil)
	}
	if w := b.do("operate", "POST", bindingPath+"/check", ""); w.Code != 409 || !strings.Contains(w.Body.String(), "check it again") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	b.must(t, "read", "GET", bindingPath, "", &got)
	if got.State != "unchecked" || got.Version != 4 {
		t.Errorf("%+v", got)
	}
}

// A provider that cannot be asked says so.
func TestCheckBindingOfTheMute(t *testing.T) {
	t.Parallel()
	b := bindable(t)
	b.use.Approval = nil
	var got bound
	b.must(t, "operate", "POST", bindingPath+"/check", "", &got)
	if got.State != "unchecked" || !strings.Contains(got.Detail, "provider bolt cannot be asked") {
		t.Errorf("%+v", got)
	}
}

// TestPublishUnbound: who publishes is told what will not go out.
func TestPublishUnbound(t *testing.T) {
	t.Parallel()
	b := bindable(t)
	b.must(t, "admin", "PUT", "/v1/accounts/bolt-2", `{"provider":"bolt"}`, nil)
	var got struct{ Warnings []string }
	b.must(t, "operate", "POST", "/v1/templates/shop/code/publish", `{"version":1}`, &got)
	if len(got.Warnings) != 1 || !strings.Contains(got.Warnings[0], "not bound over account bolt-2 (bolt)") {
		t.Errorf("%q", got.Warnings)
	}
}
