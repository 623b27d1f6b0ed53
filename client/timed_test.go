package client_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/opennotify/notify/client"
)

// until reads a run until it is there.
func until(t *testing.T, c *client.Client, r *client.Run, there func(*client.Run) bool) *client.Run {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	for !there(r) {
		var err error
		if r, err = c.Campaign(ctx, r.ID); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func waiting(r *client.Run) bool { return r.State == client.RunWaiting || r.State.Ended() }
func over(r *client.Run) bool    { return r.State.Ended() }

// TestCampaigns goes through a campaign's life, from its file to the files of what went wrong.
func TestCampaigns(t *testing.T) {
	t.Parallel()
	c, ctx := started(t), t.Context()
	file := "to,name,order\n+8613800138001,Li,A-1\n+8613800130001,Wang,A-2\n12,Zhao,A-3\n+8613800138001,Li,A-4\n"
	id, err := c.UploadAudience(ctx, "", int64(len(file)), strings.NewReader(file))
	if err != nil || !strings.HasPrefix(id, "aud_") {
		t.Fatal(id, err)
	}
	if _, err := c.UploadAudience(ctx, "", 3, strings.NewReader("too long")); err == nil {
		t.Error("more than was announced")
	}
	order := client.CreateCampaignRequest{IdempotencyKey: "spring", Title: "Spring", TimedContent: client.TimedContent{Template: "order-shipped", Locale: "en", Channel: "sms"},
		Audience: client.Audience{Upload: id}}
	r, err := c.CreateCampaign(ctx, order)
	if err != nil || r.Title != "Spring" {
		t.Fatal(r, err)
	}
	if again, err := c.CreateCampaign(ctx, order); err != nil || again.ID != r.ID {
		t.Error(again, err)
	}
	r = until(t, c, r, waiting)
	if r.Rows != (client.RunRows{Total: 4, Bad: 1, Repeats: 1}) || r.Dry == nil || r.Dry.Valid < 2 || r.Dry.Cost["CNY"] == 0 {
		t.Errorf("%+v %+v %s", r.Rows, r.Dry, r.Fault)
	}
	bad := 0
	for b, err := range c.AllBadRows(ctx, r.ID) {
		if bad++; err != nil || b.Row != 3 || b.Faults[0].Column != "to" {
			t.Error(b, err)
		}
	}
	var rows, failed bytes.Buffer
	if err := c.DownloadBadRows(ctx, r.ID, &rows); err != nil || bad != 1 || !strings.HasPrefix(rows.String(), "to,name,order,error\n12,Zhao,A-3,") {
		t.Error(bad, rows.String(), err)
	}
	if _, err := c.ResumeCampaign(ctx, r.ID, ""); code(err) != client.CodeNotAllowedNow {
		t.Error(err)
	}
	if r, err = c.SendCampaign(ctx, r.ID, "looks right"); err != nil {
		t.Fatal(err)
	}
	r = until(t, c, r, over)
	if r.State != client.RunDone || r.Made.Made != 2 || r.Made.Rows() != 4 || r.Messages.ByStatus[client.StatusFailed] != 1 || r.Steps[0].Reason != "looks right" {
		t.Errorf("%+v", r)
	}
	if err := c.DownloadFailures(ctx, r.ID, &failed); err != nil || !strings.HasPrefix(failed.String(), "row,to,channel,status,code,text,message\n2,+8613800130001,sms,failed,") {
		t.Error(failed.String(), err)
	}
	again, err := c.ResendFailures(ctx, r.ID, "once more")
	if err != nil {
		t.Fatal(err)
	}
	if again = until(t, c, again, over); again.Made.Made != 1 || again.Audience.Run != r.ID {
		t.Errorf("%+v", again)
	}
	n := 0
	for r, err := range c.AllCampaigns(ctx, "") {
		if n++; err != nil || r.Tenant != "demo" {
			t.Error(r, err)
		}
	}
	if page, err := c.Campaigns(ctx, "demo", 1, ""); err != nil || n != 2 || len(page.Items) != 1 || page.Next == "" {
		t.Error(n, page, err)
	}
	order.IdempotencyKey, order.Audience = "", client.Audience{Rows: []client.AudienceRow{{To: "+8613800138009", Vars: map[string]any{"name": "Xu", "order": "A-9"}}}}
	if r, err = c.CreateCampaign(ctx, order); err != nil {
		t.Fatal(err)
	}
	until(t, c, r, waiting)
	if _, err := c.PauseCampaign(ctx, r.ID, ""); code(err) != client.CodeNotAllowedNow {
		t.Error("paused before it began:", err)
	}
	if _, err = c.CancelCampaign(ctx, r.ID, "no"); err != nil {
		t.Fatal(err)
	}
	if r = until(t, c, r, over); r.State != client.RunStopped || r.Made.Made != 0 {
		t.Errorf("%+v", r)
	}
}

// TestSchedules goes through a schedule's life.
func TestSchedules(t *testing.T) {
	t.Parallel()
	c, ctx := started(t), t.Context()
	w := client.When{Cron: "0 9 * * ? *", Zone: "Asia/Shanghai"}
	if next, err := c.PreviewSchedule(ctx, w); err != nil || len(next) != 5 {
		t.Error(next, err)
	}
	put := client.PutScheduleRequest{Title: "Bills", When: w, TimedContent: client.TimedContent{Template: "order-shipped", Channel: "email", Vars: map[string]any{"name": "Li", "order": "A-1"}},
		Audience: client.Audience{Rows: []client.AudienceRow{{To: "li@example.com"}}}, Reason: "first"}
	s, err := c.PutSchedule(ctx, "demo", "bills", put)
	if err != nil || s.Version != 1 || len(s.Next) != 5 || s.Audience.Count != 1 {
		t.Fatal(s, err)
	}
	if _, err := c.PutSchedule(ctx, "demo", "bills", put); code(err) != client.CodeConflict {
		t.Error(err)
	}
	if s, err = c.PauseSchedule(ctx, "demo", "bills", "holiday"); err != nil || !s.Paused || len(s.Next) != 0 {
		t.Error(s, err)
	}
	if s, err = c.ResumeSchedule(ctx, "demo", "bills", ""); err != nil || s.Paused {
		t.Error(s, err)
	}
	r, err := c.RunSchedule(ctx, "demo", "bills", client.RunNow{Date: "2026-03-31", Reason: "try"})
	if err != nil || r.Date != "2026-03-31" {
		t.Fatal(r, err)
	}
	if r = until(t, c, r, over); r.Made.Made != 1 || r.Schedule != "bills" || r.DueAt.IsZero() {
		t.Errorf("%+v", r)
	}
	if _, err := c.RunSchedule(ctx, "demo", "bills", client.RunNow{Date: "31.3."}); code(err) != client.CodeInvalidRequest {
		t.Error(err)
	}
	n := 0
	for r, err := range c.AllScheduleRuns(ctx, "demo", "bills") {
		if n++; err != nil || r.Reason != "try" {
			t.Error(r, err)
		}
	}
	all, err := c.Schedules(ctx, "demo")
	if err != nil || n != 1 || len(all) != 1 {
		t.Error(n, all, err)
	}
	if err := c.DeleteSchedule(ctx, "demo", "bills", s.Version, "over"); err != nil {
		t.Error(err)
	}
	if _, err := c.Schedule(ctx, "demo", "bills"); code(err) != client.CodeNotFound {
		t.Error(err)
	}
	if h, err := c.ScheduleHistory(ctx, "demo", "bills"); err != nil || len(h) != 4 || !h[0].Deleted {
		t.Error(h, err)
	}
	if secret, err := c.SourceSecret(ctx, "", 1); err != nil || !strings.HasPrefix(string(secret), "whsec_") {
		t.Error(err)
	}
}

// TestTemplateLife: a draft is tried, what sends with a version is found, and stopped.
func TestTemplateLife(t *testing.T) {
	t.Parallel()
	c, ctx := started(t), t.Context()
	content := client.TemplateContent{Class: client.Transactional, Variants: []client.TemplateVariant{{Channel: "sms", Locale: "zh", Text: "【演示商城】您好"}}}
	if _, err := c.PutTemplate(ctx, "demo", "hello", client.PutTemplateRequest{TemplateContent: content}); err != nil {
		t.Fatal(err)
	}
	tried, err := c.TestAccount(ctx, "inbox-sms", client.TestAccountRequest{To: "+8613800138001", Template: "hello", Version: 1, Reason: "look"})
	if err != nil || !tried.OK || tried.Sent == nil {
		t.Errorf("%+v, %v", tried, err)
	}
	if _, err := c.PublishTemplate(ctx, "demo", "hello", 1, "go"); err != nil {
		t.Fatal(err)
	}
	r, err := c.CreateCampaign(ctx, client.CreateCampaignRequest{TimedContent: client.TimedContent{Template: "hello"}, Audience: client.Audience{Rows: []client.AudienceRow{{To: "+8613800138002"}}}})
	if err != nil {
		t.Fatal(err)
	}
	until(t, c, r, waiting)
	u, err := c.TemplateUses(ctx, "demo", "hello", 1)
	if err != nil || len(u.Runs) != 1 || u.Runs[0].ID != r.ID || u.Runs[0].TemplateVersion != 1 || len(u.Schedules) != 0 {
		t.Errorf("%+v, %v", u, err)
	}
	if u, err = c.StopTemplate(ctx, "demo", "hello", 1, "wrong"); err != nil || len(u.Runs) != 1 {
		t.Errorf("%+v, %v", u, err)
	}
	if r = until(t, c, r, over); r.State != client.RunStopped {
		t.Errorf("%+v", r)
	}
}
