package operate_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/secret"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// TestKeyLife: a key works at once, until it is revoked or expires, and its text is in no other answer.
func TestKeyLife(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var made struct{ ID, Key, Curl string }
	b.must(t, "admin", "POST", "/v1/keys", `{"tenant":"shop","title":"x","live":true,"scopes":["read"],"expires_at":"2026-02-01T00:00:00Z"}`, &made)
	b.keys["made"] = made.Key
	if !strings.Contains(made.Curl, `"http://notify.example.com/v1/templates" -H 'Authorization: Bearer `+made.Key+"'") {
		t.Errorf("curl: %s", made.Curl)
	}
	if w := b.do("made", "GET", "/v1/tenants/shop", ""); w.Code != 200 {
		t.Fatalf("a new key is refused: %d %s", w.Code, w.Body)
	}
	secretPart := made.Key[strings.LastIndexByte(made.Key, '_')+1:]
	for _, path := range []string{"/v1/keys", "/v1/keys/" + made.ID} {
		if w := b.do("admin", "GET", path, ""); strings.Contains(w.Body.String(), secretPart) || strings.Contains(w.Body.String(), "hash") {
			t.Errorf("%s shows the secret: %s", path, w.Body)
		}
	}
	var first, second map[string]any
	b.must(t, "admin", "DELETE", "/v1/keys/"+made.ID+"?reason=leaked", "", &first)
	if w := b.do("made", "GET", "/v1/tenants/shop", ""); w.Code != 401 {
		t.Errorf("a revoked key works: %d", w.Code)
	}
	b.must(t, "admin", "DELETE", "/v1/keys/"+made.ID+"?reason=again", "", &second)
	if d := cmp.Diff(first, second); d != "" || first["revoked"] != true || first["reason"] != "leaked" {
		t.Errorf("revoked again: %v\n%s", first, d)
	}
	b.must(t, "admin", "POST", "/v1/keys", `{"tenant":"shop","title":"y","live":true,"scopes":["read"],"expires_at":"2026-02-01T00:00:00Z"}`, &made)
	b.keys["made"] = made.Key
	b.sleep(30 * 24 * time.Hour)
	if w := b.do("made", "GET", "/v1/tenants/shop", ""); w.Code != 401 {
		t.Errorf("an expired key works: %d", w.Code)
	}
	if strings.Contains(b.log.String(), secretPart) {
		t.Error("the log has a key")
	}
}

// TestTenantWithoutKeys: revoked and expired keys do not keep a tenant, and its keys send nothing after.
func TestTenantWithoutKeys(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var keys struct{ Items []struct{ ID string } }
	b.must(t, "admin", "GET", "/v1/keys?tenant=bank", "", &keys)
	if w := b.do("admin", "DELETE", "/v1/tenants/bank?version=1", ""); w.Code != 409 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	for _, k := range keys.Items {
		b.must(t, "admin", "DELETE", "/v1/keys/"+k.ID, "", nil)
	}
	b.must(t, "admin", "POST", "/v1/keys", `{"tenant":"bank","title":"short","live":true,"scopes":["send"],"expires_at":"2026-01-02T04:00:00Z"}`, nil)
	b.sleep(time.Hour)
	b.must(t, "admin", "DELETE", "/v1/tenants/bank?version=1&reason=closed", "", nil)
	if w := b.do("admin", "POST", "/v1/keys", `{"tenant":"bank","title":"late","live":true,"scopes":["send"]}`); w.Code != 422 {
		t.Errorf("a key for a deleted tenant: %d %s", w.Code, w.Body)
	}
}

// TestVault: what the vault holds after each change, and that a refused change leaves it alone.
func TestVault(t *testing.T) {
	t.Parallel()
	b := setup(t)
	holds := func(want map[string]message.Secret) {
		t.Helper()
		got, err := b.Vault.Get(t.Context(), "acme-1")
		if want == nil && !errors.Is(err, secret.ErrNotFound) || want != nil && (err != nil || !maps.Equal(got, want)) {
			t.Errorf("the vault holds other secrets, or %v", err)
		}
	}
	put := func(body string) int { return b.do("admin", "PUT", "/v1/accounts/acme-1", body).Code }
	for _, c := range []struct {
		body   string
		status int
		want   map[string]message.Secret
	}{
		{`{"provider":"acme","channel":"sms","secrets":{"api_key":"a","pin":"1"}}`, 201, map[string]message.Secret{"api_key": "a", "pin": "1"}},
		{`{"provider":"acme","channel":"sms","secrets":{"api_key":"b"},"version":1}`, 200, map[string]message.Secret{"api_key": "b", "pin": "1"}},
		{`{"provider":"acme","channel":"sms","version":2}`, 200, map[string]message.Secret{"api_key": "b", "pin": "1"}},
		{`{"provider":"acme","channel":"sms","secrets":{"api_key":"c"},"version":2}`, 409, map[string]message.Secret{"api_key": "b", "pin": "1"}},
		{`{"provider":"acme","channel":"sms","secrets":{"api_key":"c","pin":"x"},"version":3}`, 422, map[string]message.Secret{"api_key": "b", "pin": "1"}},
		{`{"provider":"acme","channel":"sms","secrets":{"pin":""},"version":3}`, 200, map[string]message.Secret{"api_key": "b"}},
	} {
		if got := put(c.body); got != c.status {
			t.Errorf("%s: %d, want %d", c.body, got, c.status)
		}
		holds(c.want)
	}
	b.must(t, "admin", "DELETE", "/v1/accounts/acme-1?version=4", "", nil)
	holds(nil)
	// What a crash left behind is not inherited.
	ok(t, b.Vault.Put(t.Context(), "acme-1", map[string]message.Secret{"api_key": "old", "pin": "9"}))
	if got := put(`{"provider":"acme","channel":"sms"}`); got != 422 {
		t.Errorf("made with the secrets of a deleted account: %d", got)
	}
	if got := put(`{"provider":"acme","channel":"sms","secrets":{"api_key":"new"}}`); got != 201 {
		t.Errorf("made anew: %d", got)
	}
	holds(map[string]message.Secret{"api_key": "new"})
}

// TestCheckKeepsSecrets: a provider that repeats a secret in its error does not get it any further.
func TestCheckKeepsSecrets(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.must(t, "admin", "PUT", "/v1/accounts/acme-1", `{"provider":"acme","channel":"sms","secrets":{"api_key":"CANARY"}}`, nil)
	b.senders.check = errors.New("401: key CANARY is not known; " + strings.Repeat("x", 1000))
	var got struct {
		OK     bool
		Detail string
	}
	b.must(t, "operate", "POST", "/v1/accounts/acme-1/test", "", &got)
	if got.OK || strings.Contains(got.Detail, "CANARY") || !strings.HasPrefix(got.Detail, "401: key [redacted] is not known") || len(got.Detail) > 510 {
		t.Errorf("%+v", got)
	}
	if strings.Contains(b.log.String(), "CANARY") {
		t.Error("the log has the secret")
	}
}

// TestAtOnce: of many who change the same version at once, one wins, and nobody's change is lost silently.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.must(t, "admin", "PUT", "/v1/accounts/acme-1", `{"provider":"acme","channel":"sms","secrets":{"api_key":"first"}}`, nil)
	b.must(t, "operate", "PUT", "/v1/routes/r", `{"dedup_seconds":1}`, nil)
	b.must(t, "operate", "PUT", "/v1/templates/shop/t", `{"class":"otp","variants":[{"channel":"sms","locale":"en","text":"0"}]}`, nil)
	for _, c := range []struct{ key, path, body string }{
		{"admin", "/v1/tenants/shop", `{"title":"%d","owner":{"name":"Li Lei","email":"li@example.com"},"version":1}`},
		{"admin", "/v1/tenants/fresh", `{"title":"%d","owner":{"name":"Li Lei","email":"li@example.com"}}`},
		{"admin", "/v1/accounts/acme-1", `{"provider":"acme","channel":"sms","secrets":{"api_key":"k%d"},"version":1,"config":{"url":"https://acme.example/k%[1]d"}}`},
		{"operate", "/v1/routes/r", `{"dedup_seconds":%d,"version":1}`},
		{"operate", "/v1/templates/shop/t", `{"class":"otp","variants":[{"channel":"sms","locale":"en","text":"%d"}],"version":1}`},
	} {
		codes := map[int]int{}
		var mu sync.Mutex
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				w := b.do(c.key, "PUT", c.path, fmt.Sprintf(c.body, i+2))
				mu.Lock()
				defer mu.Unlock()
				codes[w.Code]++
			})
		}
		all.Wait()
		if codes[200]+codes[201] != 1 || codes[409] != 7 {
			t.Errorf("%s: %v", c.path, codes)
		}
	}
	// The account and its secrets are one writer's.
	var a struct{ Config map[string]string }
	b.must(t, "operate", "GET", "/v1/accounts/acme-1", "", &a)
	secrets, err := b.Vault.Get(t.Context(), "acme-1")
	ok(t, err)
	if "https://acme.example/"+string(secrets["api_key"]) != a.Config["url"] {
		t.Error("the account has one writer's form and another's secrets")
	}
}

// TestInForceAtOnce: the process that makes a change reads it back through config.
func TestInForceAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	_, _ = b.Config.Accounts(ctx, "") // snapshots are taken
	_, _ = b.Config.Routes(ctx)
	_, _, _ = b.Config.Template(ctx, "shop", "t")
	b.must(t, "admin", "PUT", "/v1/accounts/acme-1", `{"provider":"acme","channel":"sms","secrets":{"api_key":"a"},"off":true}`, nil)
	b.must(t, "operate", "PUT", "/v1/routes/r", `{"accounts":[{"account":"acme-1","weight":2}]}`, nil)
	b.must(t, "operate", "PUT", "/v1/templates/shop/t", `{"class":"otp","variants":[{"channel":"sms","locale":"en","text":"hello"}]}`, nil)
	b.must(t, "operate", "POST", "/v1/templates/shop/t/publish", `{"version":1}`, nil)
	a, found, err := b.Config.Account(ctx, "acme-1")
	if want := (config.Account{Name: "acme-1", Provider: "acme", Channel: "sms", Config: map[string]string{"region": "eu"}, Secrets: []string{"api_key"}, Off: true, Version: 1}); err != nil || !found || !cmp.Equal(a, want) {
		t.Errorf("%v %v %+v", found, err, a)
	}
	routes, err := b.Config.Routes(ctx)
	if err != nil || len(routes) != 1 || routes[0].Name != "r" || routes[0].Accounts[0].Weight != 2 {
		t.Errorf("%v %+v", err, routes)
	}
	head, found, err := b.Config.Template(ctx, "shop", "t")
	if want := (config.Template{Name: "t", Tenant: "shop", Class: message.OTP, Latest: 1, Published: 1}); err != nil || !found || head != want {
		t.Errorf("%v %v %+v", found, err, head)
	}
	c, err := b.Config.Version(ctx, message.Ref{Tenant: "shop", Name: "t", Version: 1})
	ok(t, err)
	if content, _, err := c.Render(message.SMS, "en", nil); err != nil || content.Text != "hello" {
		t.Errorf("%v %+v", err, content)
	}
	b.must(t, "operate", "DELETE", "/v1/templates/shop/t?version=1", "", nil)
	if _, found, _ = b.Config.Template(ctx, "shop", "t"); found {
		t.Error("a deleted template is in force")
	}
	if _, err := b.Config.Version(ctx, message.Ref{Tenant: "shop", Name: "t", Version: 1}); err != nil {
		t.Errorf("a version is gone with its template: %v", err)
	}
}

// dead keeps a message of a tenant, accepted ago, in the status that events make of it.
func (b *bench) dead(t *testing.T, owner string, ago time.Duration, ulid string, events ...message.Event) message.ID {
	t.Helper()
	at := message.At(b.now().Add(-ago))
	ulid = message.ULIDFloor(at)[:10] + strings.Repeat(ulid, 16)
	id := message.NewID(b.Store.Partition(message.Phone, "+86139"+ulid[10:18], 1, ""), ulid)
	m := message.New(message.Message{ID: id, Tenant: owner, Owner: "Li Lei", Channel: message.SMS, Class: message.Transactional,
		Template: message.Ref{Tenant: owner, Name: "t", Version: 1}, Created: at, Expires: at.Add(72 * time.Hour)}, at)
	sys := tenant.System("test")
	v, err := b.Store.Accept(t.Context(), sys, at, &store.Draft{Message: m, To: "+8613947114711", Vars: []byte("{}")})
	ok(t, err)
	r := v[0].Record
	for _, e := range events {
		r, err = b.Store.Update(t.Context(), sys, at, r, e)
		ok(t, err)
	}
	return id
}

func TestDeadLetters(t *testing.T) {
	t.Parallel()
	b := setup(t)
	poison := message.Poison{Why: "worker panicked"}
	day := 24 * time.Hour
	today := b.dead(t, "shop", 0, "1", poison)
	bank := b.dead(t, "bank", time.Hour, "2", poison)
	older := b.dead(t, "shop", 2*day, "3", poison)
	b.dead(t, "shop", 2*day, "4", message.Fail{Why: "no_account"}) // failed, not dead
	ancient := b.dead(t, "shop", 8*day, "5", poison)
	type page struct {
		Items []struct {
			ID                             message.ID
			Status, Reason, Tenant, Owner  string
			URL, Template, Account, Expire string
		}
		Next string
	}
	list := func(query string) (ids []message.ID) {
		t.Helper()
		after := ""
		for range 20 {
			var p page
			b.must(t, "operate", "GET", "/v1/dlq?"+query+after, "", &p)
			for _, i := range p.Items {
				if i.Status != "dead" || i.Reason != "poison" || i.Owner != "Li Lei" || i.Template != i.Tenant+"/t" || i.URL != "/v1/messages/"+string(i.ID) {
					t.Errorf("%+v", i)
				}
				ids = append(ids, i.ID)
			}
			if p.Next == "" {
				return ids
			}
			after = "&after=" + p.Next
		}
		t.Fatalf("%s does not end", query)
		return nil
	}
	for query, want := range map[string][]message.ID{
		"":                           {bank, today, older}, // a day's tenants by name
		"limit=1":                    {bank, today, older},
		"tenant=shop":                {today, older},
		"tenant=shop&limit=1":        {today, older},
		"tenant=shop&day=2025-12-31": {older},
		"day=2025-12-25":             {ancient},
		"day=2025-12-24":             nil,
		"template=shop/t&limit=1":    {today, older},
		"tenant=bank&template=t":     {bank},
		"reason=attempts_used_up":    nil,
		"reason=poison&channel=sms":  {bank, today, older},
		"channel=email":              nil,
		"to=2026-01-01T00:00:00Z":    {older},
		"from=2026-01-01T00:00:00Z":  {bank, today},
	} {
		if d := cmp.Diff(want, list(query)); d != "" {
			t.Errorf("%s: -want +got\n%s", query, d)
		}
	}
	for _, bad := range []string{"day=yesterday", "day=0001-01-01", "tenant=No%20One", "limit=0", "limit=x", "after=zzz", "colour=red", "template=t", "channel=X", "tenant=nobody", "account=none", "channel=fax", "from=noon", "to=2020-01-01T00:00:00Z&from=2021-01-01T00:00:00Z"} {
		if w := b.do("operate", "GET", "/v1/dlq?"+bad, ""); w.Code != 422 {
			t.Errorf("%s: %d %s", bad, w.Code, w.Body)
		}
	}
	if strings.Contains(b.log.String(), "47114711") {
		t.Error("the log has an address")
	}
}

func TestRetry(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.dead(t, "shop", time.Hour, "1", message.Poison{Why: "worker panicked"})
	live := b.dead(t, "shop", time.Hour, "2")
	expired := b.dead(t, "shop", 96*time.Hour, "3", message.Poison{})
	retry := func(id message.ID, body string) (int, string) {
		w := b.do("operate", "POST", "/v1/dlq/"+string(id)+"/retry", body)
		return w.Code, w.Body.String()
	}
	b.queue.err = errors.New("the queue is down") // the record says queued all the same: the sweep finds it
	if code, body := retry(id, `{"reason":"fixed"}`); code != 202 || !strings.Contains(body, `"status":"queued"`) {
		t.Fatalf("%d %s", code, body)
	}
	if d := cmp.Diff([]string{`sms-normal shop {"id":"` + string(id) + `"}`}, b.queue.sent); d != "" {
		t.Error(d)
	}
	r, err := b.Store.Message(t.Context(), tenant.System("test"), id)
	ok(t, err)
	last := r.Notes[len(r.Notes)-1]
	if last.What != "redriven" || last.Why != "fixed" || !strings.HasPrefix(last.By, "key:") {
		t.Errorf("%+v", last)
	}
	for _, c := range []struct {
		id     message.ID
		body   string
		status int
		want   string
	}{
		{id, "", 409, "is queued: only a dead, failed or doubtful message is tried again"},
		{live, "", 409, "is queued"},
		{expired, "", 409, "it has expired"},
		{message.NewID(strings.Repeat("0", message.PartitionLen), strings.Repeat("0", 26)), "", 404, "there is no message"},
		{"msg_1", "", 404, "there is no such message"},
		{expired, `{"reason":"` + strings.Repeat("x", 201) + `"}`, 422, "at most 200"},
	} {
		if code, body := retry(c.id, c.body); code != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s: %d %s", c.want, code, body)
		}
	}
	if len(b.queue.sent) != 1 {
		t.Errorf("%v", b.queue.sent)
	}
}

// TestSuppressionPages: pages in a row give every entry once, and none that is over.
func TestSuppressionPages(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i := range 7 {
		until := ""
		if i%3 == 0 {
			until = `,"until":"2026-01-03T00:00:00Z"`
		}
		b.must(t, "operate", "POST", "/v1/suppressions", fmt.Sprintf(`{"address":"+861394711000%d","note":"n%[1]d"%s}`, i, until), nil)
	}
	b.sleep(24 * time.Hour)
	var notes []string
	for after := ""; ; {
		var p struct {
			Items []struct{ Note string }
			Next  string
		}
		b.must(t, "operate", "GET", "/v1/suppressions?limit=2"+after, "", &p)
		for _, i := range p.Items {
			notes = append(notes, i.Note)
		}
		if p.Next == "" {
			break
		}
		after = "&after=" + p.Next
	}
	if d := cmp.Diff([]string{"n5", "n4", "n2", "n1"}, notes); d != "" {
		t.Error(d)
	}
}

// TestEndpointSecrets: what the vault holds after each change, and which secrets an endpoint's account has.
func TestEndpointSecrets(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const path, account = "/v1/endpoints/shop/orders", "endpoint/shop/orders"
	var made struct {
		Secret  string
		Version int
	}
	b.must(t, "both", "PUT", path, `{"url":"https://hooks.shop.example.com/"}`, &made)
	first := made.Secret
	kept := func() map[string]message.Secret {
		t.Helper()
		got, err := b.Vault.Get(t.Context(), account)
		ok(t, err)
		return got
	}
	signs := func(want ...string) {
		t.Helper()
		e, found, err := b.Config.Endpoint(t.Context(), "shop", "orders")
		ok(t, err)
		if got := e.Account(message.At(b.now())).Secrets; !found || !slices.Equal(got, want) {
			t.Errorf("signs with %v, want %v", got, want)
		}
	}
	signs("secret")
	b.must(t, "both", "POST", path+"/rotate", `{"version":1,"both_seconds":60}`, &made)
	if got := kept(); made.Secret == first || string(got["secret"]) != made.Secret || string(got["previous_secret"]) != first || len(got) != 2 {
		t.Errorf("after a rotation the vault has %d secrets, or others", len(got))
	}
	signs("secret", "previous_secret")
	b.sleep(time.Minute)
	signs("secret")
	if w := b.do("both", "POST", path+"/rotate", `{"version":1}`); w.Code != 409 || string(kept()["secret"]) != made.Secret {
		t.Errorf("a rotation that came too late: %d %s", w.Code, w.Body)
	}
	second := made.Secret
	b.must(t, "operate", "POST", path+"/rotate", `{"version":2}`, &made)
	if got := kept(); string(got["previous_secret"]) != second || len(got) != 2 {
		t.Error("after two rotations the vault has another secret than the last two")
	}
	signs("secret", "previous_secret")
	b.must(t, "both", "DELETE", path+"?version=3", "", nil)
	if _, err := b.Vault.Get(t.Context(), account); !errors.Is(err, secret.ErrNotFound) {
		t.Errorf("after the deletion: %v", err)
	}
	for _, s := range []string{first, second, made.Secret} {
		if strings.Contains(b.log.String(), s) {
			t.Error("the log has a secret")
		}
	}
	if b.do("send", "PUT", path, `{"url":"https://hooks.shop.example.com/"}`).Code != 403 || b.do("read", "PUT", path, `{"url":"https://hooks.shop.example.com/"}`).Code != 403 {
		t.Error("one scope is enough")
	}
}

// Operators are told which address providers see, on accounts and in the settings, where it is fixed.
func TestEgressAddress(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.must(t, "admin", "PUT", "/v1/accounts/main", `{"provider":"acme","channel":"sms","secrets":{"api_key":"k-1"}}`, nil)
	for _, egress := range []string{"", "203.0.113.7"} {
		b.use.Egress = egress
		for _, path := range []string{"/v1/settings", "/v1/accounts", "/v1/accounts/main"} {
			w := b.do("operate", "GET", path, "")
			if has := strings.Contains(w.Body.String(), `"egress_address":"203.0.113.7"`); w.Code != 200 || has != (egress != "") {
				t.Errorf("%s with %q: %d %s", path, egress, w.Code, w.Body)
			}
		}
	}
}
