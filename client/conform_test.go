package client_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/client"
)

// started is a whole service and a strict client of its own.
func started(t *testing.T) *client.Client {
	t.Helper()
	o, stop := service()
	t.Cleanup(stop)
	c, err := client.Strict(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// patience bounds waits that nothing else bounds, on a machine that does much else.
const patience = 2 * time.Minute

func wait(t *testing.T, c *client.Client, id string) *client.Message {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	m, err := c.Wait(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func code(err error) string {
	var e *client.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// TestMessages goes through the life of messages with the real handlers behind it. Every answer is decoded
// strictly: a member that the client does not know fails.
func TestMessages(t *testing.T) {
	t.Parallel()
	c, ctx := started(t), t.Context()
	req := client.SendRequest{To: client.Address("+8613800130007"), Channel: "sms", Template: "order-shipped", Locale: "en",
		Vars: map[string]any{"name": "Li", "order": "A-482913"}, Reference: "r-1"}
	ex, err := c.Explain(ctx, req)
	if err != nil || len(ex.Messages) != 1 || !strings.Contains(ex.Messages[0].Content.Text, "A-482913") || ex.Messages[0].Segments.Count != 1 {
		t.Fatalf("explain: %+v, %v", ex, err)
	}
	sent, err := c.Send(ctx, req)
	if err != nil || sent.Status != client.StatusQueued || sent.Replayed || sent.Channel != "sms" {
		t.Fatalf("send: %+v, %v", sent, err)
	}
	m := wait(t, c, sent.ID)
	if m.Status != client.StatusDelivered || m.Calls != 1 || len(m.Timeline) < 3 || m.Reference != "r-1" {
		t.Errorf("delivered: %+v", m)
	}
	if v, err := c.Verdict(ctx, sent.ID); err != nil || v.Code != m.Verdict.Code || v.En.What == "" || v.Zh.What == "" {
		t.Errorf("verdict: %+v, %v", v, err)
	}
	dup, err := c.Send(ctx, req)
	if err != nil || dup.DuplicateOf != sent.ID || dup.WindowEndsAt.IsZero() {
		t.Errorf("duplicate: %+v, %v", dup, err)
	}
	if ex, err = c.Explain(ctx, req); err != nil || ex.Messages[0].Duplicate == nil || ex.Messages[0].Duplicate.ID != sent.ID {
		t.Errorf("explain of a duplicate: %+v, %v", ex, err)
	}
	again, err := c.Resend(ctx, sent.ID, "not seen")
	if err != nil || again.ID == sent.ID || again.ID == "" {
		t.Errorf("resend: %+v, %v", again, err)
	}
	page, err := c.Search(ctx, client.SearchRequest{Recipient: "138 0013 0007"})
	if err != nil || len(page.Messages) != 2 || page.Messages[1].ID != sent.ID || page.Messages[0].ResendOf != sent.ID {
		t.Errorf("search: %+v, %v", page, err)
	}
	none, err := c.Search(ctx, client.SearchRequest{Recipient: "+8613911110000"})
	if err != nil || len(none.Messages) != 0 || none.None == nil {
		t.Errorf("search without a result: %+v, %v", none, err)
	}
	who, err := c.Who(ctx, client.WhoRequest{Text: ex.Messages[0].Content.Text, Recipient: "+8613800130007"})
	if err != nil || len(who.Candidates) == 0 || who.Candidates[0].Owner.Phone == "" || len(who.Messages) == 0 {
		t.Errorf("who: %+v, %v", who, err)
	}
}

func TestSteering(t *testing.T) {
	t.Parallel()
	c, ctx := started(t), t.Context()
	later := client.SendRequest{IdempotencyKey: "k-1", To: client.Addresses("a@example.com", "b@example.com"), Template: "order-shipped",
		Vars: map[string]any{"name": "Li", "order": "A-1"}, SendAt: time.Now().Add(time.Hour), TTLSeconds: 600}
	many, err := c.Send(ctx, later)
	if err != nil || many.Group == nil || len(many.Messages) != 2 || many.Messages[0].Status != client.StatusScheduled {
		t.Fatalf("send to many: %+v, %v", many, err)
	}
	repeated, err := c.Send(ctx, later)
	if err != nil || !repeated.Replayed || repeated.Group.ID != many.Group.ID {
		t.Errorf("repeated: %+v, %v", repeated, err)
	}
	later.Reference = "another"
	if _, err = c.Send(ctx, later); code(err) != client.CodeKeyReused {
		t.Errorf("key reused: %v", err)
	}
	first := many.Messages[0].ID
	if s, err := c.Cancel(ctx, first, "test"); err != nil || s.Status != client.StatusCancelled {
		t.Errorf("cancel: %+v, %v", s, err)
	}
	if n, err := c.Stop(ctx, client.StopRequest{Group: many.Group.ID, DryRun: true}); err != nil || *n != (client.StopAnswer{DryRun: true, Matched: 1}) {
		t.Errorf("count: %+v, %v", n, err)
	}
	if n, err := c.Stop(ctx, client.StopRequest{Group: many.Group.ID, Reason: "test"}); err != nil || *n != (client.StopAnswer{Matched: 1, Cancelled: 1}) {
		t.Errorf("stop: %+v, %v", n, err)
	}
	g, err := c.Group(ctx, many.Group.ID)
	if err != nil || g.Counts[client.StatusCancelled] != 2 || len(g.Messages) != 2 {
		t.Errorf("group: %+v, %v", g, err)
	}
	ways := client.SendRequest{To: client.Ways(map[client.Channel]string{"sms": "+8613800130007", "email": "deliver@example.com"}), Template: "order-shipped",
		Vars: map[string]any{"name": "Li", "order": "A-2"}}
	if s, err := c.Send(ctx, ways); err != nil || s.ID == "" && s.Group == nil {
		t.Errorf("send over several channels: %+v, %v", s, err)
	}
	b, err := c.Batch(ctx, client.BatchRequest{Messages: []client.SendRequest{
		{To: client.Address("+8613800130001"), Template: "login-code", Vars: map[string]any{"code": "1234"}},
		{To: client.Address("+8613800130007"), Template: "login-code"},
		{To: client.Address("deliver@example.com"), Channel: "email", Content: &client.Content{Subject: "Hi", Text: "there"}, Class: client.Transactional},
	}})
	if err != nil || b.Accepted != 2 || b.Refused != 1 || b.Results[1].Problem == nil || !strings.HasSuffix(b.Results[1].Problem.Errors[0].Pointer, "/vars/code") {
		t.Fatalf("batch: %+v, %v", b, err)
	}
	if m := wait(t, c, b.Results[0].Message.ID); m.Status != client.StatusFailed {
		t.Errorf("failed: %+v", m)
	}
	wait(t, c, b.Results[2].Message.ID)
	seen := map[string]bool{}
	for m, err := range c.All(ctx, client.SearchRequest{Limit: 1}) {
		if err != nil || seen[m.ID] {
			t.Fatalf("all: %+v, %v", m, err)
		}
		seen[m.ID] = true
	}
	if !seen[first] || !seen[b.Results[2].Message.ID] || len(seen) < 5 {
		t.Errorf("all saw %d", len(seen))
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	o, stop := service()
	t.Cleanup(stop)
	c, err := client.New(o)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Send(t.Context(), client.SendRequest{To: client.Address("+8613800138000"), Template: "login-code", Vars: map[string]any{"otp": "1"}})
	var e *client.Error
	if !errors.As(err, &e) || e.Status != http.StatusUnprocessableEntity || e.Code != client.CodeInvalidRequest || len(e.Errors) != 2 || e.RequestID == "" || e.Type == "" || e.Title == "" {
		t.Errorf("%#v", err)
	}
	if _, err = c.Get(t.Context(), "msg_nothing"); code(err) != client.CodeNotFound {
		t.Error(err)
	}
	o.Key = o.Key[:len(o.Key)-1] + "_"
	if c, err = client.New(o); err != nil {
		t.Fatal(err)
	}
	if _, err = c.Get(t.Context(), "msg_nothing"); code(err) != client.CodeUnauthorized || strings.Contains(err.Error(), string(o.Key)) {
		t.Error(err)
	}
}

func TestOperating(t *testing.T) {
	t.Parallel()
	c, ctx := started(t), t.Context()
	tenants, err := c.Tenants(ctx)
	if err != nil || len(tenants) != 1 || tenants[0].Name != "demo" || tenants[0].Owner.Name == "" {
		t.Fatalf("tenants: %+v, %v", tenants, err)
	}
	accounts, err := c.Accounts(ctx)
	if err != nil || len(accounts) == 0 || accounts[0].Health == nil || accounts[0].Health.State != "closed" || accounts[0].Health.Polls != nil {
		t.Errorf("accounts: %+v, %v", accounts, err)
	}
	for _, off := range []bool{true, false} {
		if a, err := c.SwitchAccount(ctx, accounts[0].Name, off, "a try"); err != nil || a.Off != off || a.Reason != "a try" {
			t.Errorf("switched off %v: %+v, %v", off, a, err)
		}
	}
	if a, err := c.Account(ctx, accounts[0].Name); err != nil || a.Provider != accounts[0].Provider || a.CallbackPath == "" {
		t.Errorf("account: %+v, %v", a, err)
	}
	k, err := c.CreateKey(ctx, client.CreateKeyRequest{Tenant: "demo", Title: "test", Scopes: []client.Scope{client.ScopeSend, client.ScopeRead}, ExpiresAt: time.Now().Add(time.Hour)})
	if err != nil || !strings.HasPrefix(string(k.Text), "nfy_test_"+k.ID) || k.Live {
		t.Fatalf("create key: %+v, %v", k, err)
	}
	revoked, err := c.RevokeKey(ctx, k.ID, "test is over")
	if err != nil || !revoked.Revoked || revoked.RevokedAt.IsZero() {
		t.Errorf("revoke: %+v, %v", revoked, err)
	}
	if read, err := c.APIKey(ctx, k.ID); err != nil || cmp.Diff(read, revoked) != "" {
		t.Errorf("read: %+v, %v", read, err)
	}
	keys, err := c.Keys(ctx, "demo")
	if err != nil || !slices.ContainsFunc(keys, func(x client.APIKey) bool { return x.ID == k.ID }) {
		t.Errorf("keys: %+v, %v", keys, err)
	}
	dead, err := c.DeadLetters(ctx, client.DeadFilter{Tenant: "demo", Day: "2026-01-02", Limit: 1})
	if err != nil || len(dead.Items) != 0 {
		t.Errorf("dead letters: %+v, %v", dead, err)
	}
	for d, err := range c.AllDeadLetters(ctx, client.DeadFilter{}) {
		t.Errorf("%+v, %v", d, err)
	}
	if _, err := c.RetryDeadLetter(ctx, "msg_nothing", ""); code(err) != client.CodeNotFound {
		t.Errorf("retry: %v", err)
	}
}

func TestRedrives(t *testing.T) {
	t.Parallel()
	c, ctx := started(t), t.Context()
	n, err := c.CountRedrive(ctx, client.RedriveFilter{Tenant: "demo", From: time.Now().Add(-time.Hour)})
	if err != nil || n.Matched != 0 || n.More {
		t.Errorf("count: %+v, %v", n, err)
	}
	if _, err := c.StartRedrive(ctx, client.RedriveRequest{}); code(err) != client.CodeInvalidRequest {
		t.Errorf("without a reason: %v", err)
	}
	j, err := c.StartRedrive(ctx, client.RedriveRequest{Filter: client.RedriveFilter{Account: "inbox-sms"}, Rate: 10, Reason: "test"})
	for deadline := time.Now().Add(patience); err == nil && !j.Ended() && time.Now().Before(deadline); {
		j, err = c.Redrive(ctx, j.ID)
	}
	if err != nil || j.State != "done" || j.Filter.Account != "inbox-sms" || j.Rate != 10 || j.Reason != "test" || j.FinishedAt.IsZero() {
		t.Errorf("%+v, %v", j, err)
	}
	page, err := c.Redrives(ctx, 1, "")
	if err != nil || len(page.Items) != 1 || page.Items[0].ID != j.ID {
		t.Errorf("list: %+v, %v", page, err)
	}
	if _, err := c.StopRedrive(ctx, j.ID, "late"); code(err) != client.CodeNotAllowedNow {
		t.Errorf("stop: %v", err)
	}
	if _, err := c.Redrive(ctx, "rdr_nothing"); code(err) != client.CodeNotFound {
		t.Error(err)
	}
}

// Figures come in within a second or so.
func TestStats(t *testing.T) {
	t.Parallel()
	c, ctx := started(t), t.Context()
	_, err := c.Send(ctx, client.SendRequest{To: client.Address("li@example.com"), Template: "order-shipped", Vars: map[string]any{"name": "Li"}})
	if code(err) != client.CodeInvalidRequest {
		t.Fatal(err)
	}
	sent, err := c.Send(ctx, client.SendRequest{To: client.Address("deliver@example.com"), Template: "order-shipped", Vars: map[string]any{"name": "Li", "order": "A-3"}})
	if err != nil {
		t.Fatal(err)
	}
	wait(t, c, sent.ID)
	r := client.StatsRequest{By: "template", Step: "hour", Top: 3, Tenant: "demo", From: time.Now().Add(-time.Hour), To: time.Now().Add(time.Hour)}
	for deadline := time.Now().Add(patience); ; {
		f, err := c.Stats(ctx, r)
		if err != nil {
			t.Fatal(err)
		}
		if f.Total.Counts["delivered"] == 1 && f.Total.Counts["refused"] == 1 && f.Groups[0].Name == "demo/order-shipped" && f.Total.DeliveryRate.Value == 1 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%+v", f)
		}
	}
	// A refusal is written beside its figure, and so may be there a moment later.
	filter := client.RefusedFilter{Code: "missing_variable", Limit: 1, From: time.Now().Add(-time.Hour)}
	found := 0
	for deadline := time.Now().Add(patience); found == 0 && time.Now().Before(deadline); {
		for r, err := range c.AllRefused(ctx, filter) {
			if found++; err != nil || r.Route != "/v1/messages" || r.Errors[0].Pointer != "/vars/order" {
				t.Errorf("%+v, %v", r, err)
			}
		}
	}
	if found != 1 {
		t.Errorf("%d refusals", found)
	}
}

// TestAudit: what is done by hand to a message is in the audit, with what came of it.
func TestAudit(t *testing.T) {
	t.Parallel()
	c, ctx := started(t), t.Context()
	sent, err := c.Send(ctx, client.SendRequest{To: client.Address("+8613800130007"), Channel: "sms", Template: "order-shipped", Vars: map[string]any{"name": "Li", "order": "A-4"}, SendAt: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	if to, err := c.Reveal(ctx, sent.ID, "the user calls"); err != nil || to != "+8613800130007" {
		t.Errorf("reveal: %q, %v", to, err)
	}
	if _, err := c.Cancel(ctx, sent.ID, "wrong price"); err != nil {
		t.Error(err)
	}
	again, err := c.Resend(ctx, sent.ID, "right price")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for e, err := range c.AllAudit(ctx, client.AuditFilter{Kind: "message", Name: sent.ID, From: time.Now().Add(-time.Hour), Limit: 1}) {
		if err != nil || e.At.IsZero() || !strings.HasPrefix(e.By, "key:") || e.Tenant != "demo" {
			t.Fatalf("%+v, %v", e, err)
		}
		line := e.What + " " + e.Reason
		for _, x := range e.Changes {
			line += " " + strings.Join([]string{x.Path, x.Before, x.After}, " ")
		}
		got = append(got, line)
	}
	want := []string{"resent right price /resent_as  \"" + again.ID + "\"", `cancelled wrong price /status "scheduled" "cancelled"`, "revealed the user calls"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestTemplates(t *testing.T) {
	t.Parallel()
	c, ctx := started(t), t.Context()
	content := client.TemplateContent{Class: client.Transactional, Variables: []client.TemplateVariable{{Name: "name", Type: "string", MaxLength: 20, Example: "Li"}},
		Variants: []client.TemplateVariant{{Channel: "sms", Locale: "en", Text: "[Demo] Hello {{name}}"}}}
	p, err := c.PreviewTemplate(ctx, client.PreviewRequest{Template: &content, Tenant: "demo", Name: "hello"})
	if err != nil || p.Content.Text != "[Demo] Hello Li" || p.Segments == nil || len(p.Problems) != 0 {
		t.Errorf("preview: %+v, %v", p, err)
	}
	made, err := c.PutTemplate(ctx, "demo", "hello", client.PutTemplateRequest{TemplateContent: content})
	if err != nil || made.Version != 1 || made.Published != 0 {
		t.Fatalf("put: %+v, %v", made, err)
	}
	content.Variants[0].Text += "!"
	content.DedupExclude = []string{"name"}
	content.Variables = append(content.Variables, client.TemplateVariable{Name: "more", Type: "number", Optional: true})
	if _, err = c.PutTemplate(ctx, "demo", "hello", client.PutTemplateRequest{TemplateContent: content}); code(err) != client.CodeConflict {
		t.Errorf("put over what was not read: %v", err)
	}
	if _, err = c.PutTemplate(ctx, "demo", "hello", client.PutTemplateRequest{TemplateContent: content, Version: 1, Reason: "louder"}); err != nil {
		t.Fatal(err)
	}
	head, err := c.PublishTemplate(ctx, "demo", "hello", 2, "go")
	if err != nil || head.Published != 2 || head.Version != 2 {
		t.Errorf("publish: %+v, %v", head, err)
	}
	v, err := c.TemplateVersion(ctx, "demo", "hello", 2)
	if err != nil || cmp.Diff(v.TemplateContent, content) != "" || v.Reason != "louder" {
		t.Errorf("version: %+v, %v", v, err)
	}
	d, err := c.DiffTemplate(ctx, "demo", "hello", 1, 2)
	if err != nil || len(d.Variants) != 1 || len(d.Variables) != 1 || d.DedupExclude == nil {
		t.Errorf("diff: %+v, %v", d, err)
	}
	if head, err = c.Template(ctx, "demo", "hello"); err != nil || head.Published != 2 {
		t.Errorf("read: %+v, %v", head, err)
	}
	all, err := c.Templates(ctx, "demo")
	if err != nil || !slices.ContainsFunc(all, func(x client.Template) bool { return x.Name == "hello" }) {
		t.Errorf("list: %+v, %v", all, err)
	}
}

// TestRecipes uploads a provider, changes it, and takes it away again.
func TestRecipes(t *testing.T) {
	t.Parallel()
	c, ctx := started(t), t.Context()
	text, err := os.ReadFile("../recipes/slack-webhook/recipe.yaml")
	if err != nil {
		t.Fatal(err)
	}
	mine := strings.Replace(string(text), "name: slack-webhook", "name: slack-own", 1)
	if r, err := c.PutRecipe(ctx, "slack-own", client.PutRecipeRequest{Recipe: mine, Reason: "try"}); err != nil || r.Version != 1 || r.Recipe != mine {
		t.Fatalf("%+v, %v", r, err)
	}
	if p, err := c.Provider(ctx, "slack-own"); err != nil || p.Uploaded != 1 || len(p.Codes) == 0 || len(p.Fields) == 0 {
		t.Errorf("%+v, %v", p, err)
	}
	if got, err := c.Settings(ctx); err != nil || got.Codes.PerRecipient == nil || got.Codes.PerRecipient.Messages == 0 || got.PublicURL != "" {
		t.Errorf("%+v %v", got, err)
	}
	if all, err := c.Providers(ctx); err != nil || !slices.ContainsFunc(all, func(p client.Provider) bool { return p.Name == "slack-own" }) || len(all) < 20 {
		t.Errorf("%d providers, %v", len(all), err)
	}
	_, err = c.PutRecipe(ctx, "slack-own", client.PutRecipeRequest{Recipe: strings.Replace(mine, "outcome: sent", "outcome: gone", 1), Version: 1})
	var e *client.Error
	if !errors.As(err, &e) || e.Code != client.CodeInvalidRequest || !strings.HasPrefix(e.Errors[0].Pointer, "line:") {
		t.Errorf("%v", err)
	}
	if r, err := c.Recipe(ctx, "slack-own"); err != nil || r.Version != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	if all, err := c.Recipes(ctx); err != nil || len(all) != 1 || all[0].Reason != "try" {
		t.Errorf("%+v, %v", all, err)
	}
	if err := c.DeleteRecipe(ctx, "slack-own", 1, "over"); err != nil {
		t.Error(err)
	}
	if all, err := c.RecipeHistory(ctx, "slack-own"); err != nil || len(all) != 2 || !all[0].Deleted {
		t.Errorf("%+v, %v", all, err)
	}
	if _, err := c.Recipe(ctx, "slack-own"); code(err) != client.CodeNotFound {
		t.Errorf("%v", err)
	}
}
