package local_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/client"
	"github.com/opennotify/notify/pkg/local"
	"github.com/opennotify/notify/pkg/message"
)

// updated goes on with a data folder that notify wrote at 9f1eb20, on the day on which it was written.
func updated(t *testing.T) (*server, *client.Client) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.CopyFS(dir, os.DirFS("testdata/older")); err != nil {
		t.Fatal(err)
	}
	began, then := time.Now(), time.Date(2026, 11, 29, 18, 45, 0, 0, time.UTC)
	s := runWith(t, local.Options{Data: dir, World: func(ctx context.Context) (*local.World, error) {
		w, err := local.File(ctx, dir, slog.New(slog.DiscardHandler))
		if err == nil {
			w.Now = func() time.Time { return then.Add(time.Since(began)) }
			w.Chores = slices.DeleteFunc(w.Chores, func(c local.Chore) bool { return c.What == "remove what has expired" }) // by the real clock
		}
		return w, err
	}})
	c, err := client.New(client.Options{URL: s.URL, Key: client.Key(s.Key)})
	if err != nil {
		t.Fatal(err)
	}
	return s, c
}

// Whoever updates finds what was accepted, seen, held and configured before, and it is worked on.
func TestOlderData(t *testing.T) {
	t.Parallel()
	s, c := updated(t)
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	has := map[client.Status]int{}
	var failed, later string
	for m, err := range c.All(ctx, client.SearchRequest{Tenant: "demo"}) {
		must(err)
		has[m.Status]++
		switch m.Status {
		case "failed":
			failed = m.ID
		case "scheduled":
			later = m.ID
		}
	}
	if diff := cmp.Diff(map[client.Status]int{"delivered": 4, "failed": 2, "bounced": 1, "scheduled": 1}, has); diff != "" {
		t.Error(diff)
	}
	// The same request with the same key is the same message, and its text can be read.
	status, body := s.do("POST", "/v1/messages", `{"to":"+8613800138001","template":"login-code","vars":{"code":"482911"},"reference":"login-1"}`, "Idempotency-Key", "old-key")
	var sent client.Sent
	if err := json.Unmarshal([]byte(body), &sent); err != nil || status != 200 {
		t.Fatal(status, body)
	}
	m, err := c.Get(ctx, sent.ID)
	must(err)
	if m.Status != "delivered" || m.Reference != "login-1" || len(m.Timeline) < 3 {
		t.Errorf("%+v", m)
	}
	// To the recipient of then, with the variables of then.
	again, err := c.Resend(ctx, failed, "after the update")
	must(err)
	s.until(message.ID(again.ID), message.Failed)
	if m, err = c.Get(ctx, again.ID); err != nil || m.Content == nil || m.Hidden != "" {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err = c.Cancel(ctx, later, "after the update"); err != nil {
		t.Error(err)
	}
	no, err := c.Send(ctx, client.SendRequest{To: client.Address("+8613900139000"), Template: "order-shipped", Vars: map[string]any{"name": "Li", "order": "A-9"}})
	must(err)
	s.until(message.ID(no.ID), message.Suppressed)
}

// What was configured is in force, campaigns are there, and a schedule runs.
func TestOlderConfiguration(t *testing.T) {
	t.Parallel()
	s, c := updated(t)
	ctx := t.Context()
	a, err := c.Account(ctx, "old-hook")
	if err != nil || a.Provider != "feishu-bot" || !slices.Equal(a.Secrets, []string{"token"}) || a.Config["host"] != "open.feishu.cn" {
		t.Errorf("%+v, %v", a, err)
	}
	if kept, err := s.Vault.Get(ctx, "old-hook"); err != nil || string(kept["token"]) != "00000000-0000-4000-8000-000000000000" {
		t.Errorf("the account's secret of then: %v", err)
	}
	if e, err := c.Endpoint(ctx, "demo", "crm"); err != nil || e.URL != "https://crm.example.com/hooks" {
		t.Errorf("%+v, %v", e, err)
	}
	if code, body := s.do("GET", "/v1/routes/night", ""); code != 200 || !strings.Contains(body, `"from":"22:00"`) {
		t.Error(code, body)
	}
	f, err := c.Stats(ctx, client.StatsRequest{Tenant: "demo", Step: "hour"})
	if err != nil || f.Total.Counts["delivered"] != 4 || f.Total.Counts["failed"] != 2 {
		t.Errorf("%+v, %v", f, err)
	}
	page, err := c.Campaigns(ctx, "demo", 10, "")
	if err != nil || len(page.Items) != 1 || page.Items[0].Title != "old" || page.Items[0].State != "done" || page.Items[0].Made.Made != 2 {
		t.Errorf("%+v, %v", page, err)
	}
	if list, err := c.ScheduleHistory(ctx, "demo", "bills"); err != nil || len(list) != 1 || list[0].Cron != "0 9 * * ? *" || len(list[0].Next) == 0 {
		t.Errorf("%+v, %v", list, err)
	}
	r, err := c.RunSchedule(ctx, "demo", "bills", client.RunNow{Reason: "after the update"})
	if err != nil {
		t.Fatal(err)
	}
	waitUntil(t, func() bool { // over the list of then
		r, err = c.Campaign(ctx, r.ID)
		return err != nil || !r.FinishedAt.IsZero() && r.Messages.ByStatus["sent"] == 0 // its receipt is on its way
	})
	if err != nil || r.State != "done" || r.Made.Made != 1 || r.Messages.ByStatus["delivered"] != 1 {
		t.Errorf("%+v, %v", r, err)
	}
}
