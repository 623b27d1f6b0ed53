package campaigns_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	blobfile "github.com/opennotify/notify/pkg/blob/file"
	"github.com/opennotify/notify/pkg/campaign"
	"github.com/opennotify/notify/pkg/httpapi"
	mount "github.com/opennotify/notify/pkg/httpapi/campaigns"
	"github.com/opennotify/notify/pkg/intake/intaketest"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/catalog"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/telemetry"
	"github.com/opennotify/notify/pkg/tenant"
	"github.com/opennotify/notify/pkg/timer/memory"
	"github.com/opennotify/notify/pkg/wire"
	wirecampaign "github.com/opennotify/notify/pkg/wire/campaign"
	"github.com/opennotify/notify/pkg/wire/control"
)

// access is who may do what, by operation: every operation is here.
const access = `
                     send read operate admin
cancelCampaign        x    .    x       x
createAudience        x    .    x       x
createCampaign        x    .    x       x
deleteSchedule        x    .    x       x
downloadBadRows       .    x    x       x
downloadFailures      .    x    x       x
getCampaign           .    x    x       x
getSchedule           .    x    x       x
getSourceSecret       x    .    x       x
listBadRows           .    x    x       x
listCampaigns         .    x    x       x
listScheduleHistory   .    x    x       x
listScheduleRuns      .    x    x       x
listSchedules         .    x    x       x
listTemplateUses      .    x    x       x
pauseCampaign         x    .    x       x
pauseSchedule         x    .    x       x
previewSchedule       x    .    x       x
putSchedule           x    .    x       x
resendFailures        x    .    x       x
resumeCampaign        x    .    x       x
resumeSchedule        x    .    x       x
runSchedule           x    .    x       x
sendCampaign          x    .    x       x
stopTemplateUses      x    .    x       x
`

var principals = map[string]tenant.Principal{
	"none": intaketest.Principal("shop", true), "send": intaketest.Principal("shop", true, tenant.Send), "read": intaketest.Principal("shop", true, tenant.Read),
	"operate": intaketest.Principal("ops", true, tenant.Operate), "admin": intaketest.Principal("ops", true, tenant.Admin),
	"shop": intaketest.Shop, "bank": intaketest.Bank,
}

// site is the API over real campaigns. Its key is the name of a principal.
type site struct {
	*intaketest.World
	t       *testing.T
	use     *campaign.Campaigns
	api     http.Handler
	uploads http.Handler
	control *control.Control
	items   []queue.Item
}

// names authenticates by the name of a principal.
type names struct{}

func (names) Authenticate(_ context.Context, bearer string) (tenant.Principal, error) {
	if p, ok := principals[bearer]; ok {
		return p, nil
	}
	return tenant.Principal{}, problem.New(problem.Unauthorized, "no such key")
}

func (s *site) Send(_ context.Context, to queue.Name, items ...queue.Item) error {
	if to == queue.Control {
		s.items = append(s.items, items...)
	}
	return nil
}

func open(t *testing.T) *site {
	t.Helper()
	s := &site{World: intaketest.New(t), t: t}
	blobs, err := blobfile.Open(t.TempDir(), blobfile.Options{Now: s.Now, Key: []byte("k"), URL: func() string { return "http://local" }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { blobs.Close() })
	known, err := catalog.Load(provider.Descriptors())
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	b := &wire.Backend{Store: s.Store, Config: s.Config, Queue: s, Timer: memory.New(s.Now, s, memory.Options{}), Blobs: blobs, Catalog: known, Metrics: telemetry.Nop{},
		Now: s.Now, Random: rand.Reader, Chance: func() float64 { return 0.5 }, NewULID: s.NewULID, Log: log}
	if s.use, err = wirecampaign.New(b); err != nil {
		t.Fatal(err)
	}
	if s.control, err = control.New(b); err != nil {
		t.Fatal(err)
	}
	s.api = httpapi.New(httpapi.Config{Auth: names{}, Now: s.Now, Log: log, NewRequestID: func() string { return "req" }}, mount.Endpoints(s.use)...)
	s.uploads = blobs.Handler()
	return s
}

func (s *site) do(key, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(s.t.Context(), method, path, strings.NewReader(body))
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	s.api.ServeHTTP(w, r)
	return w
}

// must does it as the tenant, and gives the answer.
func (s *site) must(want int, method, path, body string) map[string]any {
	s.t.Helper()
	w := s.do("shop", method, path, body)
	if w.Code != want {
		s.t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	var out map[string]any
	if strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
			s.t.Fatal(err)
		}
	}
	return out
}

// work has everything done that is in the control queue.
func (s *site) work() {
	s.t.Helper()
	for n := 0; len(s.items) > 0 && n < 50; n++ {
		batch := s.items
		s.items = nil
		for i, it := range batch {
			it.ID = fmt.Sprint(n, "-", i)
			if again := s.control.Handle(s.t.Context(), []queue.Item{it}); len(again) > 0 {
				s.t.Error("not done:", string(it.Body))
			}
		}
		s.Advance(time.Second)
	}
}

func TestAccess(t *testing.T) {
	t.Parallel()
	s := open(t)
	endpoints := mount.Endpoints(s.use)
	for _, e := range endpoints {
		path := strings.NewReplacer("{tenant}", "shop", "{name}", "nothing", "{id}", "run_000000000000000000000000").Replace(e.Op.Path)
		body := ""
		if e.In != nil {
			body = "{}"
		}
		may := row(t, e.Op.ID)
		for _, key := range []string{"", "none", "send", "read", "operate", "admin"} {
			w := s.do(key, e.Op.Method, path, body)
			switch refused := w.Code == http.StatusUnauthorized || w.Code == http.StatusForbidden; {
			case refused == slices.Contains(may, key), key == "" && w.Code != http.StatusUnauthorized, w.Code >= 500:
				t.Errorf("%s with the key %q: %d %s", e.Op.ID, key, w.Code, w.Body)
			}
		}
	}
	if lines := strings.Count(access, "\n") - 2; lines != len(endpoints) {
		t.Errorf("%d operations, %d rows", len(endpoints), lines)
	}
}

func row(t *testing.T, id string) (may []string) {
	t.Helper()
	for line := range strings.SplitSeq(access, "\n") {
		if f := strings.Fields(line); len(f) == 5 && f[0] == id {
			for i, scope := range []string{"send", "read", "operate", "admin"} {
				if f[i+1] == "x" {
					may = append(may, scope)
				}
			}
			return may
		}
	}
	t.Fatalf("%s has no row", id)
	return nil
}

// A campaign's life over HTTP, from its file to the files of what went wrong.
func TestCampaignLife(t *testing.T) {
	t.Parallel()
	s := open(t)
	file := "手机号,name,betrag\n+8613800138001,Anna,1\n=1+1,Berta,2\n+8613800138001,again,3\n+8613800138003,,4\n"
	up := s.must(201, "POST", "/v1/audiences", fmt.Sprintf(`{"size":%d}`, len(file)))
	put := httptest.NewRequestWithContext(t.Context(), up["method"].(string), up["url"].(string), strings.NewReader(file))
	w := httptest.NewRecorder()
	if s.uploads.ServeHTTP(w, put); w.Code != 200 {
		t.Fatal(w.Code, w.Body)
	}
	c := s.must(202, "POST", "/v1/campaigns", fmt.Sprintf(`{"title":"Spring","template":"hello","channel":"sms","audience":{"upload":%q}}`, up["id"]))
	id := c["id"].(string)
	s.work()
	c = s.must(200, "GET", "/v1/campaigns/"+id, "")
	if c["state"] != "waiting" || fmt.Sprint(c["rows"]) != "map[bad:2 repeats:1 total:4]" || !strings.Contains(fmt.Sprint(c["dry_run"]), "valid:1") {
		t.Error(c["state"], c["rows"], c["dry_run"], c["fault"])
	}
	bad := s.must(200, "GET", "/v1/campaigns/"+id+"/rows", "")
	if got := fmt.Sprint(bad["items"]); !strings.Contains(got, "column:手机号") || !strings.Contains(got, "missing_variable") || strings.Contains(got, "1+1") {
		t.Error(got)
	}
	w = s.do("shop", "GET", "/v1/campaigns/"+id+"/rows.csv", "")
	if got := w.Body.String(); !strings.HasPrefix(got, "手机号,name,betrag,error\n'=1+1,Berta,2,\"手机号: ") || w.Header().Get("Content-Type") != "text/csv; charset=utf-8" {
		t.Error(got)
	}
	s.must(200, "POST", "/v1/campaigns/"+id+"/send", `{"reason":"looks right"}`)
	s.work()
	c = s.must(200, "GET", "/v1/campaigns/"+id, "")
	if got := fmt.Sprint(c["made"]); got != "map[duplicate:0 made:1 refused:2 repeated:1 suppressed:0]" {
		t.Error(got)
	}
	if got := s.must(200, "GET", "/v1/campaigns", ""); len(got["items"].([]any)) != 1 {
		t.Error(got)
	}
	s.must(200, "POST", "/v1/campaigns/"+id+"/cancel", "")
	s.work()
	if c = s.must(200, "GET", "/v1/campaigns/"+id, ""); c["state"] != "stopped" || fmt.Sprint(c["messages"].(map[string]any)["by_status"]) != "map[cancelled:1]" {
		t.Error(c["state"], c["messages"])
	}
	w = s.do("shop", "GET", "/v1/campaigns/"+id+"/failures.csv", "")
	if w.Body.String() != "row,to,channel,status,code,text,message\n" {
		t.Error(w.Body)
	}
	if w := s.do("bank", "GET", "/v1/campaigns/"+id, ""); w.Code != 404 {
		t.Error("another tenant:", w.Code)
	}
}

// Operators list everybody's campaigns, page by page, the newest first; a tenant its own.
func TestEverybodysCampaigns(t *testing.T) {
	t.Parallel()
	s := open(t)
	order := func(key, template string) string {
		t.Helper()
		w := s.do(key, "POST", "/v1/campaigns", fmt.Sprintf(`{"template":%q,"channel":"sms","audience":{"rows":[{"to":"+8613800138001","vars":{"name":"A"}}]}}`, template))
		if w.Code != 202 {
			t.Fatal(w.Code, w.Body)
		}
		s.Advance(time.Second)
		var run struct{ ID string }
		if err := json.Unmarshal(w.Body.Bytes(), &run); err != nil {
			t.Fatal(err)
		}
		return run.ID
	}
	list := func(key, query string) (ids []string, next string) {
		t.Helper()
		var out struct {
			Items []struct{ ID string }
			Next  string
		}
		w := s.do(key, "GET", "/v1/campaigns"+query, "")
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code != 200 {
			t.Fatal(w.Code, w.Body, err)
		}
		for _, r := range out.Items {
			ids = append(ids, r.ID)
		}
		return ids, out.Next
	}
	first, second, third := order("shop", "hello"), order("bank", "notice"), order("shop", "hello")
	page, next := list("operate", "?limit=2")
	if !slices.Equal(page, []string{third, second}) || next == "" {
		t.Error(page, next)
	}
	if page, next = list("operate", "?limit=2&after="+url.QueryEscape(next)); !slices.Equal(page, []string{first}) || next != "" {
		t.Error(page, next)
	}
	if page, _ = list("shop", ""); !slices.Equal(page, []string{third, first}) {
		t.Error(page)
	}
	if w := s.do("operate", "GET", "/v1/campaigns?after=x", ""); w.Code != 422 {
		t.Error(w.Code, w.Body)
	}
}

// A schedule's life over HTTP.
func TestScheduleLife(t *testing.T) {
	t.Parallel()
	s := open(t)
	p := s.must(200, "POST", "/v1/schedules/preview", `{"cron":"0 9 * * ? *","zone":"Asia/Shanghai"}`)
	if got := fmt.Sprint(p["next"]); !strings.HasPrefix(got, "[2026-07-02T01:00:00Z 2026-07-03T01:00:00Z") {
		t.Error(got)
	}
	body := `{"title":"Bills","at":"2026-07-02T09:00","zone":"Asia/Shanghai","template":"bill","vars":{"amount":12.50},"audience":{"rows":[{"to":"+8613800138001"},{"to":"+8613800138002","vars":{"amount":3.10}}]}}`
	v := s.must(201, "PUT", "/v1/schedules/shop/bills", body)
	if v["at"] != "2026-07-02T01:00:00Z" || fmt.Sprint(v["audience"]) != "map[count:2 format:jsonl kind:rows]" || len(v["next"].([]any)) != 1 || v["class"] != "transactional" {
		t.Error(v)
	}
	if w := s.do("shop", "PUT", "/v1/schedules/shop/bills", body); w.Code != 409 {
		t.Error(w.Code, w.Body)
	}
	s.must(200, "POST", "/v1/schedules/shop/bills/pause", `{"reason":"holiday"}`)
	// A change leaves the list, if it says so, and the pause.
	v = s.must(200, "PUT", "/v1/schedules/shop/bills", `{"title":"Bills","at":"2026-07-03T09:00","zone":"Asia/Shanghai","template":"bill","vars":{"amount":12.50},"audience":{"unchanged":true},"version":2}`)
	if v["paused"] != true || fmt.Sprint(v["audience"]) != "map[count:2 format:jsonl kind:rows]" || v["at"] != "2026-07-03T01:00:00Z" {
		t.Error(v)
	}
	for _, wrong := range []string{`"at":"2026-07-03T09:00","audience":{"unchanged":true,"path":"a.csv"},"version":3`, `"at":"2026-07-03T09:00","audience":{"unchanged":true}`} {
		path := "/v1/schedules/shop/bills"
		if !strings.Contains(wrong, "version") {
			path = "/v1/schedules/shop/others"
		}
		if w := s.do("shop", "PUT", path, `{"zone":"Asia/Shanghai","template":"bill","vars":{"amount":1},`+wrong+`}`); w.Code != 422 || !strings.Contains(w.Body.String(), "/audience") {
			t.Error(w.Code, w.Body)
		}
	}
	v = s.must(200, "POST", "/v1/schedules/shop/bills/resume", "")
	r := s.must(202, "POST", "/v1/schedules/shop/bills/run", "")
	s.work()
	if r = s.must(200, "GET", "/v1/campaigns/"+r["id"].(string), ""); fmt.Sprint(r["made"]) != "map[duplicate:0 made:2 refused:0 repeated:0 suppressed:0]" || r["schedule"] != "bills" {
		t.Error(r["made"], r["state"], r["fault"])
	}
	for path, want := range map[string]int{"/v1/schedules": 1, "/v1/schedules?tenant=bank": 0, "/v1/schedules/shop/bills/history": 4, "/v1/schedules/shop/bills/runs": 1} {
		if got := s.must(200, "GET", path, ""); len(got["items"].([]any)) != want {
			t.Error(path, got)
		}
	}
	s.must(204, "DELETE", fmt.Sprintf("/v1/schedules/shop/bills?version=%v&reason=wrong", v["version"]), "")
	if w := s.do("shop", "GET", "/v1/schedules/shop/bills", ""); w.Code != 404 {
		t.Error(w.Code)
	}
	if got := s.must(200, "POST", "/v1/audiences/secret", `{"generation":1}`); !strings.HasPrefix(got["secret"].(string), "whsec_") {
		t.Error(got)
	}
}

// Times on a zone's clock.
func TestAt(t *testing.T) {
	t.Parallel()
	s := open(t)
	for body, want := range map[string]string{
		`{"at":"2026-07-02T09:00:00+08:00"}`:                       "2026-07-02T01:00:00Z",
		`{"at":"2026-07-02T09:00:30","zone":"Asia/Shanghai"}`:      "2026-07-02T01:00:30Z",
		`{"at":"2026-11-01T01:30","zone":"America/New_York"}`:      "2026-11-01T05:30:00Z", // twice on the clock: the first
		`{"at":"2027-03-14T02:30","zone":"America/New_York"}`:      "bad_time",             // the clock is put over it
		`{"at":"2026-07-02T09:00"}`:                                "bad_time",
		`{"at":"tomorrow","zone":"Asia/Shanghai"}`:                 "bad_time",
		`{"at":"2026-06-02T09:00","zone":"Asia/Shanghai"}`:         "in the past",
		`{"every_minutes":5,"start":"2026-07-02T00:00:00Z"}`:       "2026-07-02T00:00:00Z 2026-07-02T00:05:00Z",
		`{"cron":"0 9 * * ? *","every_minutes":5}`:                 "/cron",
		`{"cron":"0 9 * * * *"}`:                                   "/cron",
		`{"every_minutes":5,"start":"2026-07-02T00:00:00Z","x":1}`: "there is no field",
	} {
		if got := s.do("shop", "POST", "/v1/schedules/preview", body).Body.String(); !strings.Contains(strings.ReplaceAll(got, `","`, " "), want) {
			t.Errorf("%s: %s", body, got)
		}
	}
}

// TestOrderedAgain: one key, in either spelling, is one campaign; what says something else is refused, and so is an empty
// key.
func TestOrderedAgain(t *testing.T) {
	t.Parallel()
	s := open(t)
	rows := `{"to":"+8613800138001"}`
	order := func(name string, keys ...string) (int, string) {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/v1/campaigns",
			strings.NewReader(fmt.Sprintf(`{"template":"hello","channel":"sms","vars":{"name":%q},"audience":{"rows":[%s]}}`, name, rows)))
		r.Header = http.Header{"Authorization": {"Bearer shop"}, "Content-Type": {"application/json"}, "Idempotency-Key": keys}
		w := httptest.NewRecorder()
		s.api.ServeHTTP(w, r)
		var a struct{ ID, Code string }
		if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
			t.Fatal(err)
		}
		return w.Code, a.ID + a.Code
	}
	_, first := order("Anna", "spring")
	if code, again := order("Anna", `"spring"`); code != 202 || again != first {
		t.Error(code, again, "want", first)
	}
	if code, why := order("Berta", "spring"); code != 422 || why != "idempotency_key_reused" {
		t.Error(code, why)
	}
	rows += `,{"to":"+8613800138002"}`
	if code, why := order("Anna", "spring"); code != 422 || why != "idempotency_key_reused" {
		t.Error(code, why)
	}
	for _, keys := range [][]string{{""}, {`""`}, {"a", "b"}, {strings.Repeat("k", 256)}, {"é"}} {
		if code, why := order("Anna", keys...); code != 422 || why != "invalid_request" {
			t.Error(keys, code, why)
		}
	}
}
