package operate_test

import (
	"strings"
	"testing"
)

// Where a tenant wants it, a new version for sms, or for marketing, is published by a second person; an older
// one is restored by anybody.
func TestReview(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const sms, mail = `{"channel":"sms","locale":"zh","text":"【Shop】hello"}`, `{"channel":"email","locale":"zh","subject":"s","text":"hello https://shop.example.com/u"}`
	b.must(t, "admin", "PUT", "/v1/tenants/shop", `{"owner":{"name":"Li Lei","phone":"+8613900139000"},"region":"CN","locale":"zh","review_templates":true,"version":1}`, nil)
	draft := func(by, name, class, variant string, version string) {
		t.Helper()
		b.must(t, by, "PUT", "/v1/templates/shop/"+name, `{"class":"`+class+`","variants":[`+variant+`],"version":`+version+`}`, nil)
	}
	publish := func(by, name, version string, want int) {
		t.Helper()
		w := b.do(by, "POST", "/v1/templates/shop/"+name+"/publish", `{"version":`+version+`}`)
		if w.Code != want || want == 409 && !strings.Contains(w.Body.String(), "not_allowed_now") {
			t.Errorf("%s publishes %s v%s: %d %s", by, name, version, w.Code, w.Body)
		}
	}
	draft("operate", "text", "transactional", sms, "0")
	publish("operate", "text", "1", 409)
	publish("admin", "text", "1", 200)
	draft("admin", "text", "transactional", strings.Replace(sms, "hello", "goodbye", 1), "1")
	publish("admin", "text", "2", 409)
	publish("operate", "text", "2", 200)
	publish("operate", "text", "1", 200) // by its author: it was in force before
	draft("operate", "letter", "marketing", mail, "0")
	publish("operate", "letter", "1", 409)
	draft("operate", "notice", "transactional", mail, "0")
	publish("operate", "notice", "1", 200)
}
