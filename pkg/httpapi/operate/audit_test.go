package operate_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/audit"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

type line struct{ By, What, Kind, Name, Reason string }

// audited reads the whole audit, page by page.
func (b *bench) audited(t *testing.T, key, query string) (out []line) {
	t.Helper()
	for after := ""; ; {
		var p struct {
			Items []line
			Next  string
		}
		b.must(t, key, "GET", "/v1/audit?"+query+after, "", &p)
		out = append(out, p.Items...)
		if p.Next == "" {
			return out
		}
		after = "&after=" + p.Next
	}
}

// Every change stands in the audit once, in the order of time, however it is paged.
func TestAudit(t *testing.T) {
	t.Parallel()
	b := setup(t)
	admin := "key:" + b.id(t, "admin")
	var want []line
	note := func(what, name, reason string) {
		want = append([]line{{admin, what, "route", name, reason}}, want...)
	}
	version := map[string]int{}
	for i, name := range []string{"one", "two", "one", "three", "one"} {
		reason := strings.Repeat("x", i+1)
		what := "made"
		body := `{"match":{"channel":"sms"},"dedup_seconds":` + string(rune('1'+i)) + `,"reason":"` + reason + `"}`
		if version[name] > 0 {
			what = "changed"
			body = strings.Replace(body, `{`, `{"version":`+string(rune('0'+version[name]))+`,`, 1)
		}
		version[name]++
		b.must(t, "admin", "PUT", "/v1/routes/"+name, body, nil)
		note(what, name, reason)
		b.sleep(30 * time.Hour) // over days
	}
	for _, limit := range []string{"1", "2", "100"} {
		if d := cmp.Diff(want, b.audited(t, "operate", "kind=route&limit="+limit)); d != "" {
			t.Errorf("limit %s: -want +got\n%s", limit, d)
		}
	}
	for query, n := range map[string]int{"name=one": 3, "by=" + admin: 5, "by=" + strings.TrimPrefix(admin, "key:"): 5, "by=nobody": 0, "what=made": 3, "from=2026-01-05T00:00:00Z": 2, "to=2026-01-04T00:00:00Z": 2} {
		if got := b.audited(t, "operate", "kind=route&"+query); len(got) != n {
			t.Errorf("%s: %v", query, got)
		}
	}
}

// A retry is in the audit, with what came of it; one that is refused is not.
func TestRetryIsAudited(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.dead(t, "shop", time.Hour, "1", message.Poison{Why: "x"})
	b.must(t, "operate", "POST", "/v1/dlq/"+string(id)+"/retry", `{"reason":"mended"}`, nil)
	if w := b.do("operate", "POST", "/v1/dlq/"+string(id)+"/retry", `{"reason":"again"}`); w.Code != 409 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	var got struct {
		Items []struct {
			line
			Tenant  string
			Changes []struct{ Path, Before, After string }
		}
	}
	b.must(t, "operate", "GET", "/v1/audit?kind=message", "", &got)
	if len(got.Items) != 1 {
		t.Fatalf("%+v", got.Items)
	}
	e := got.Items[0]
	if e.line != (line{"key:" + b.id(t, "operate"), "retried", "message", string(id), "mended"}) || e.Tenant != "shop" ||
		fmt.Sprint(e.Changes) != `[{/status "dead" "queued"}]` {
		t.Errorf("%+v", e)
	}
}

// A recipient is revealed to whoever may, says why, and is written down first.
func TestReveal(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.dead(t, "shop", 0, "1", message.Poison{Why: "x"})
	path := "/v1/messages/" + string(id) + "/reveal"
	b.key(t, "desk", "shop", tenant.Read, tenant.Reveal)
	b.key(t, "foreign", "bank", tenant.Read, tenant.Reveal)
	for key, code := range map[string]int{"read": 403, "operate": 403, "foreign": 404} {
		if w := b.do(key, "POST", path, `{"reason":"the user calls"}`); w.Code != code || strings.Contains(w.Body.String(), "47114711") {
			t.Errorf("%s: %d %s", key, w.Code, w.Body)
		}
	}
	if got := b.audited(t, "admin", "what=revealed"); len(got) != 0 {
		t.Errorf("what was refused is there: %v", got)
	}
	var shown struct{ To string }
	b.must(t, "desk", "POST", path, `{"reason":" the user calls "}`, &shown)
	if shown.To != "+8613947114711" {
		t.Errorf("%q", shown.To)
	}
	want := []line{{"key:" + b.id(t, "desk"), "revealed", "message", string(id), "the user calls"}}
	if d := cmp.Diff(want, b.audited(t, "operate", "what=revealed")); d != "" {
		t.Error(d)
	}
	if strings.Contains(b.log.String(), "47114711") {
		t.Error("the log has the address")
	}
	a, err := audit.New(audit.Ports{Store: deaf{b.Store}, Now: b.now, Log: slog.New(slog.DiscardHandler)})
	ok(t, err)
	if to, err := a.Reveal(t.Context(), tenant.Of(tenant.Key{Tenant: "shop", Scopes: []tenant.Scope{tenant.Reveal}}), string(id), "why", "", ""); err == nil || to != "" {
		t.Errorf("revealed %q without a note", to)
	}
}

// deaf is a store that keeps no deeds.
type deaf struct{ *store.Store }

func (deaf) AddDeed(context.Context, tenant.Principal, message.Time, store.Deed) error {
	return errors.New("down")
}

// id is the public part of a key.
func (b *bench) id(t *testing.T, name string) string {
	t.Helper()
	id, _, _, err := tenant.ParseKey(b.keys[name])
	ok(t, err)
	return id
}
