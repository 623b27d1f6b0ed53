package intake_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/opennotify/notify/pkg/intake"
	"github.com/opennotify/notify/pkg/intake/intaketest"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

type change = func(*intake.Request)

func vars(v map[string]any) change { return func(r *intake.Request) { r.Vars = v } }

func tmpl(name string) change { return func(r *intake.Request) { r.Template = name } }

func content(c message.Content) change {
	return func(r *intake.Request) {
		r.Template, r.Vars, r.Content, r.Channel, r.To.One = "", nil, &c, message.Email, "a@example.com"
	}
}

func on(ch message.Channel, to string) change {
	return func(r *intake.Request) { r.Channel, r.To.One = ch, to }
}

func at(d time.Duration) change {
	return func(r *intake.Request) { r.SendAt = intaketest.Start.Add(d) }
}

func expires(d time.Duration) change {
	return func(r *intake.Request) { r.ExpiresAt = intaketest.Start.Add(d) }
}

// Every fault that intake finds: its pointer and its code; and nothing is written.
func TestFaults(t *testing.T) {
	t.Parallel()
	year, big := 365*24*time.Hour, strings.Repeat("x", 1000)
	lines := make([]any, 400)
	for i := range lines {
		lines[i] = map[string]any{"sku": "", "unused": big}
	}
	w := intaketest.New(t)
	w.Put(store.Accounts, "pager", "", map[string]any{"name": "pager", "provider": "pager", "channel": "pager", "off": true})
	for name, c := range map[string]struct {
		p       tenant.Principal
		change  []change
		pointer string
		code    problem.Code
	}{
		"no scope":                      {p: intaketest.Principal("shop", true, tenant.Read), code: problem.Forbidden},
		"no tenant":                     {intaketest.Root, nil, "/tenant", problem.Required},
		"another tenant":                {intaketest.Bank, []change{func(r *intake.Request) { r.Tenant = "shop" }}, "/tenant", problem.UnknownTenant},
		"no such tenant":                {intaketest.Root, []change{func(r *intake.Request) { r.Tenant = "nobody" }}, "/tenant", problem.UnknownTenant},
		"a tenant that is off":          {intaketest.Principal("closed", true, tenant.Send), nil, "/tenant", problem.UnknownTenant},
		"nobody":                        {change: []change{func(r *intake.Request) { r.To = intake.To{} }}, pointer: "/to", code: problem.Required},
		"101 recipients":                {change: []change{to(make([]string, 101)...)}, pointer: "/to", code: problem.TooMany},
		"101 ways":                      {change: []change{way(many(101))}, pointer: "/to", code: problem.TooMany},
		"ways and a channel":            {change: []change{way(map[message.Channel]string{message.SMS: anna}), func(r *intake.Request) { r.Channel = message.SMS }}, pointer: "/channel", code: problem.BadValue},
		"a way that is misspelt":        {change: []change{way(map[message.Channel]string{message.SMS: anna, "emial": "a@example.com"})}, pointer: "/to/emial", code: problem.UnknownChannel},
		"an empty address, no channel":  {change: []change{func(r *intake.Request) { r.Channel = "" }, to(anna, " ")}, pointer: "/to/1", code: problem.BadAddress},
		"no template":                   {change: []change{tmpl("")}, pointer: "/template", code: problem.Required},
		"template and content":          {change: []change{func(r *intake.Request) { r.Content = &message.Content{Text: "x"} }}, pointer: "/content", code: problem.BadValue},
		"vars with content":             {change: []change{content(message.Content{Subject: "s", Text: "t"}), vars(map[string]any{"a": "b"})}, pointer: "/vars", code: problem.BadValue},
		"class":                         {change: []change{func(r *intake.Request) { r.Class = "urgent" }}, pointer: "/class", code: problem.BadValue},
		"the template's class":          {change: []change{func(r *intake.Request) { r.Class = message.OTP }}, pointer: "/class", code: problem.BadValue},
		"long reference":                {change: []change{func(r *intake.Request) { r.Reference = strings.Repeat("é", 129) }}, pointer: "/reference", code: problem.TooLong},
		"reference with a line":         {change: []change{func(r *intake.Request) { r.Reference = "a\nb" }}, pointer: "/reference", code: problem.BadValue},
		"negative window":               {change: []change{window(-1)}, pointer: "/dedup_seconds", code: problem.BadValue},
		"long window":                   {change: []change{window(7*24*3600 + 1)}, pointer: "/dedup_seconds", code: problem.BadValue},
		"endless window":                {change: []change{window(math.MaxInt)}, pointer: "/dedup_seconds", code: problem.BadValue},
		"window that wraps around":      {change: []change{window(18446744074)}, pointer: "/dedup_seconds", code: problem.BadValue},
		"past":                          {change: []change{at(-2*time.Minute - time.Millisecond)}, pointer: "/send_at", code: problem.BadTime},
		"far":                           {change: []change{at(year + time.Millisecond)}, pointer: "/send_at", code: problem.BadTime},
		"negative ttl":                  {change: []change{func(r *intake.Request) { r.TTL = -1 }}, pointer: "/ttl_seconds", code: problem.BadValue},
		"long ttl":                      {change: []change{func(r *intake.Request) { r.TTL = message.MaxTTL + 1 }}, pointer: "/ttl_seconds", code: problem.BadValue},
		"two ends":                      {change: []change{func(r *intake.Request) { r.TTL = time.Hour }, expires(time.Hour)}, pointer: "/ttl_seconds", code: problem.BadValue},
		"over before it began":          {change: []change{expires(0)}, pointer: "/expires_at", code: problem.BadTime},
		"over before its time":          {change: []change{at(time.Hour), expires(time.Hour)}, pointer: "/expires_at", code: problem.BadTime},
		"a little late, over already":   {change: []change{at(-time.Minute), expires(-time.Second)}, pointer: "/expires_at", code: problem.BadTime},
		"endless":                       {change: []change{at(time.Hour), expires(time.Hour + message.MaxTTL + time.Millisecond)}, pointer: "/expires_at", code: problem.BadTime},
		"long key":                      {change: []change{keyed(strings.Repeat("k", 256))}, pointer: "header:Idempotency-Key", code: problem.TooLong},
		"no such template":              {change: []change{tmpl("nothing")}, pointer: "/template", code: problem.UnknownTemplate},
		"another's template":            {change: []change{tmpl("bank/private")}, pointer: "/template", code: problem.UnknownTemplate},
		"shared, by its bare name":      {change: []change{tmpl("notice")}, pointer: "/template", code: problem.UnknownTemplate},
		"odd template":                  {change: []change{tmpl("shop/hello/x")}, pointer: "/template", code: problem.UnknownTemplate},
		"path as a template":            {change: []change{tmpl("../../etc/passwd")}, pointer: "/template", code: problem.UnknownTemplate},
		"unpublished":                   {change: []change{tmpl("draft")}, pointer: "/template", code: problem.NotPublished},
		"a version, live":               {change: []change{func(r *intake.Request) { r.Version = 2 }}, pointer: "/version", code: problem.NotPublished},
		"negative version":              {change: []change{func(r *intake.Request) { r.Version = -1 }}, pointer: "/version", code: problem.BadValue},
		"no such version, test":         {intaketest.ShopTest, []change{func(r *intake.Request) { r.Version = 9 }}, "/version", problem.UnknownTemplate},
		"missing variable":              {change: []change{vars(nil)}, pointer: "/vars/name", code: problem.MissingVariable},
		"null variable":                 {change: []change{vars(map[string]any{"name": nil})}, pointer: "/vars/name", code: problem.MissingVariable},
		"unknown variable":              {change: []change{vars(map[string]any{"name": "a", "nmae": "b"})}, pointer: "/vars/nmae", code: problem.UnknownVariable},
		"unknown variable, not a name":  {change: []change{vars(map[string]any{"name": "a", anna: "b"})}, pointer: "/vars", code: problem.UnknownVariable},
		"long variable":                 {change: []change{vars(map[string]any{"name": strings.Repeat("x", 51)})}, pointer: "/vars/name", code: problem.TooLong},
		"number for a text":             {change: []change{vars(map[string]any{"name": json.Number("1")})}, pointer: "/vars/name", code: problem.BadType},
		"control in a variable":         {change: []change{vars(map[string]any{"name": "a\x1b[31m"})}, pointer: "/vars/name", code: problem.BadValue},
		"turned text":                   {change: []change{vars(map[string]any{"name": "a\u202eb"})}, pointer: "/vars/name", code: problem.BadValue},
		"pattern":                       {change: []change{tmpl("login"), vars(map[string]any{"code": "abcd"})}, pointer: "/vars/code", code: problem.BadValue},
		"infinite number":               {change: []change{tmpl("bill"), vars(map[string]any{"amount": math.Inf(1)})}, pointer: "/vars/amount", code: problem.BadValue},
		"too much of variables":         {change: []change{tmpl("bill"), vars(map[string]any{"amount": 1.0, "lines": lines})}, pointer: "/vars", code: problem.TooLong},
		"no variant":                    {change: []change{tmpl("login"), on(message.Feishu, "anna"), vars(map[string]any{"code": "4711"})}, pointer: "/template", code: problem.NoVariant},
		"no such channel":               {change: []change{on("pigeon", anna)}, pointer: "/channel", code: problem.UnknownChannel},
		"channel in capitals":           {change: []change{on("SMS", anna)}, pointer: "/channel", code: problem.UnknownChannel},
		"other is no channel":           {change: []change{on(message.Other, anna)}, pointer: "/channel", code: problem.UnknownChannel},
		"channel off":                   {change: []change{on(message.Push, "token")}, pointer: "/channel", code: problem.ChannelOff},
		"channel without an account":    {change: []change{on(message.Slack, "ops")}, pointer: "/channel", code: problem.ChannelOff},
		"own channel off":               {change: []change{on("pager", "ops")}, pointer: "/channel", code: problem.ChannelOff},
		"way off":                       {change: []change{way(map[message.Channel]string{message.Push: "token"})}, pointer: "/to/push", code: problem.ChannelOff},
		"way unknown":                   {change: []change{way(map[message.Channel]string{"pigeon": "x"})}, pointer: "/to/pigeon", code: problem.UnknownChannel},
		"way that is an address":        {change: []change{way(map[message.Channel]string{"a/~b@x.org": "x"})}, pointer: "/to", code: problem.UnknownChannel},
		"bad way":                       {change: []change{way(map[message.Channel]string{message.SMS: "x"})}, pointer: "/to/sms", code: problem.BadAddress},
		"empty address":                 {change: []change{to("")}, pointer: "/to/0", code: problem.BadAddress},
		"bad address":                   {change: []change{to(anna, "12")}, pointer: "/to/1", code: problem.BadAddress},
		"satellite":                     {change: []change{on(message.SMS, "+881612345678")}, pointer: "/to", code: problem.BadAddress},
		"a mail's display name":         {change: []change{on(message.Email, "A <a@example.com>")}, pointer: "/to", code: problem.BadAddress},
		"a mail with a header":          {change: []change{on(message.Email, "a@example.com\r\nBcc: b@example.com")}, pointer: "/to", code: problem.BadAddress},
		"a URL within":                  {change: []change{on(message.Webhook, "https://user@example.com/")}, pointer: "/to", code: problem.BadAddress},
		"a URL without s":               {change: []change{on(message.Webhook, "http://example.com/")}, pointer: "/to", code: problem.BadAddress},
		"a bot's URL":                   {change: []change{on(message.Feishu, "https://open.feishu.cn/open-apis/bot/v2/hook/s3cret")}, pointer: "/to", code: problem.BadAddress},
		"content, not allowed":          {intaketest.Bank, []change{content(message.Content{Subject: "s", Text: "t"})}, "/content", problem.ContentRefused},
		"content over sms":              {change: []change{content(message.Content{Text: "t"}), on(message.SMS, anna)}, pointer: "/content", code: problem.ContentRefused},
		"content over whatsapp":         {change: []change{content(message.Content{Text: "t"}), on(message.WhatsApp, anna)}, pointer: "/content", code: problem.ContentRefused},
		"content without a subject":     {change: []change{content(message.Content{Text: "t"})}, pointer: "/content/subject", code: problem.Required},
		"subject with a line":           {change: []change{content(message.Content{Subject: "a\r\nBcc: b@example.com", Text: "t"})}, pointer: "/content/subject", code: problem.BadValue},
		"subject with U+0085":           {change: []change{content(message.Content{Subject: "a\u0085b", Text: "t"})}, pointer: "/content/subject", code: problem.BadValue},
		"content without text":          {change: []change{content(message.Content{Subject: "s"})}, pointer: "/content", code: problem.Required},
		"data as a mail":                {change: []change{content(message.Content{Subject: "s", Data: []byte("{}")})}, pointer: "/content", code: problem.Required},
		"no chat text":                  {change: []change{content(message.Content{Subject: "s", HTML: "<p>"}), on(message.Feishu, "ops")}, pointer: "/content", code: problem.Required},
		"empty data":                    {change: []change{content(message.Content{}), on(message.Webhook, "https://example.com/")}, pointer: "/content", code: problem.Required},
		"content of 256 KB and 1":       {change: []change{content(message.Content{Subject: "s", Text: strings.Repeat("x", intake.MaxMessage+1-len(`{"subject":"s","text":""}`))})}, pointer: "/content", code: problem.TooLong},
		"attachment of 256 KB":          {change: []change{content(message.Content{Subject: "s", Text: "t", Attachments: []message.Attachment{{Name: "a", Type: "text/plain", Data: make([]byte, 200<<10)}}})}, pointer: "/content", code: problem.TooLong},
		"attachment's name with a line": {change: []change{content(message.Content{Subject: "s", Text: "t", Attachments: []message.Attachment{{Name: "a\r\nX: y", Type: "text/plain"}}})}, pointer: "/content/attachments/0/name", code: problem.BadValue},
		"attachment's type":             {change: []change{content(message.Content{Subject: "s", Text: "t", Attachments: []message.Attachment{{Name: "a", Type: "text/plain\r\nX: y"}}})}, pointer: "/content/attachments/0/type", code: problem.BadValue},
	} {
		t.Run(name, func(t *testing.T) {
			p := c.p
			if p.KeyID == "" {
				p = intaketest.Shop
			}
			before := w.DB.Stats().Commits
			_, err := w.Intake.Send(t.Context(), p, hello(anna, c.change...))
			refused(t, err, c.pointer, c.code)
			if n := w.DB.Stats().Commits - before; n != 0 {
				t.Errorf("%d commits", n)
			}
			_, err = w.Intake.Explain(t.Context(), p, hello(anna, c.change...))
			if c.code != problem.Forbidden {
				refused(t, err, c.pointer, c.code)
			}
		})
	}
}

func window(seconds int) change { return func(r *intake.Request) { r.DedupSeconds = &seconds } }

func many(n int) map[message.Channel]string {
	out := map[message.Channel]string{}
	for i := range n {
		out[message.Channel(fmt.Sprint("c", i))] = "x"
	}
	return out
}

// What lies just inside the bounds is accepted.
func TestBounds(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	hundred := make([]string, 100)
	for i := range hundred {
		hundred[i] = fmt.Sprintf("+86138001390%02d", i)
	}
	for name, change := range map[string][]change{
		"100 recipients":        {to(hundred...)},
		"long reference":        {func(r *intake.Request) { r.Reference = strings.Repeat("é", 128) }},
		"longest window":        {window(7 * 24 * 3600)},
		"a little late":         {at(-2 * time.Minute)},
		"a year ahead":          {at(365 * 24 * time.Hour)},
		"a year ahead and long": {at(365 * 24 * time.Hour), expires(365*24*time.Hour + message.MaxTTL)},
		"longest key":           {keyed(strings.Repeat("k", 255))},
		"shared template":       {tmpl("bank/notice")},
		"own template, in full": {tmpl("shop/hello")},
		"class of the template": {func(r *intake.Request) { r.Class = message.Transactional }},
		"its published version": {func(r *intake.Request) { r.Version = 1 }},
		"content of 256 KB":     {content(message.Content{Subject: "s", Text: strings.Repeat("x", intake.MaxMessage-len(`{"subject":"s","text":""}`))})},
		"an attachment":         {content(message.Content{Subject: "s", Text: "t", Attachments: []message.Attachment{{Name: "发票.pdf", Type: "application/pdf; a=b", Data: []byte{0, 255}}}})},
		"data":                  {content(message.Content{Data: []byte(`[1]`)}), on(message.Webhook, "https://example.com/")},
		"text of a webhook":     {content(message.Content{Text: "t"}), on(message.Webhook, "https://example.com/x")},
		"a chat's title":        {content(message.Content{Title: "t"}), on(message.Feishu, "ops")},
	} {
		if _, err := w.Intake.Send(t.Context(), intaketest.Shop, hello(anna, append(change, func(r *intake.Request) {
			if r.DedupSeconds == nil {
				r.DedupSeconds = new(int)
			}
		})...)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, change := range map[string][]change{
		"unpublished": {tmpl("draft")}, "unpublished version": {tmpl("draft"), func(r *intake.Request) { r.Version = 1 }}, "channel off": {on(message.Push, "token")},
	} {
		a, err := w.Intake.Send(t.Context(), intaketest.ShopTest, hello(anna, change...))
		if err != nil || a.Verdicts[0].Record.Status != message.Simulated {
			t.Errorf("%s with a test key: %v", name, err)
		}
	}
}

// Whatever instant is sent: accepted only within its bounds, and never over before it is due.
func TestAnyTime(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	instant := rapid.Custom(func(t *rapid.T) time.Time {
		year := rapid.OneOf(rapid.IntRange(0, 9999), rapid.IntRange(2025, 2028)).Draw(t, "year")
		return time.Date(year, 1, 1, 0, 0, rapid.IntRange(0, 366*24*3600).Draw(t, "second"), 0, time.UTC)
	})
	rapid.Check(t, func(rt *rapid.T) {
		r := hello(anna, window(0))
		if rapid.Bool().Draw(rt, "ahead") {
			r.SendAt = instant.Draw(rt, "send_at")
		}
		switch rapid.IntRange(0, 2).Draw(rt, "end") {
		case 1:
			r.ExpiresAt = instant.Draw(rt, "expires_at")
		case 2:
			r.TTL = time.Duration(rapid.Int64().Draw(rt, "ttl"))
		}
		a, err := w.Intake.Send(w.Context(), intaketest.Shop, r)
		if err != nil {
			if p := problem.From(err); p.Status() != 422 {
				rt.Fatalf("%v", err)
			}
			return
		}
		m := &a.Verdicts[0].Record.Message
		year := 365 * 24 * time.Hour
		from := max(m.Created, m.SendAt)
		if m.Expires < from || m.Expires > from.Add(message.MaxTTL) || m.SendAt > m.Created.Add(year) || !r.SendAt.IsZero() && r.SendAt.Before(w.Now().Add(-2*time.Minute)) ||
			!r.ExpiresAt.IsZero() && m.Expires != message.At(r.ExpiresAt) {
			rt.Fatalf("created %s, at %s, expires %s for %+v", m.Created, m.SendAt, m.Expires, r)
		}
	})
}

// Nothing of a request is in an answer or a log: not an address, a variable, a code, a key, wherever in
// the request it was written.
func TestNothingIsRepeated(t *testing.T) {
	t.Parallel()
	const phone, mail, code, secret = "+8613912345678", "canary@private.example", "99887766", "nfy_live_0123456789_0123456789abcdefghjkmnpqrstvwxyz012345"
	for _, canary := range []string{phone, phone[1:], mail, code, secret, "Geheim wort", "ÄÖÜ" + code} {
		w := intaketest.New(t)
		in := w.Over(w.Store, refusing{Queue: w.Queue, err: errors.New("no queue")})
		for name, change := range map[string]change{
			"to": on("", canary), "to sms": on(message.SMS, canary+"x"), "to mail": on(message.Email, canary+"@"), "to hook": on(message.Webhook, "http://"+canary),
			"channel": on(message.Channel(canary), anna), "tenant": func(r *intake.Request) { r.Tenant = canary },
			"template": tmpl(canary), "template in full": tmpl("shop/" + canary), "owner": tmpl(canary + "/hello"), "locale": func(r *intake.Request) { r.Locale, r.Version = canary, 9 },
			"class": func(r *intake.Request) { r.Class = message.Class(canary) }, "reference": func(r *intake.Request) { r.Reference = canary + "\n" },
			"variable's name": vars(map[string]any{canary: "x", "name": "x"}), "variable": vars(map[string]any{"name": canary + "\x00"}),
			"code": func(r *intake.Request) { r.Template, r.Vars = "login", map[string]any{"code": canary + "-"} },
			"list": func(r *intake.Request) {
				r.Template, r.Vars = "bill", map[string]any{"amount": canary, "lines": []any{map[string]any{canary: canary, "sku": []any{canary}}}}
			},
			"way": way(map[message.Channel]string{message.Channel(canary): canary}), "key": keyed(strings.Repeat(canary, 30)),
			"content": content(message.Content{Subject: canary + "\n", Text: canary, Attachments: []message.Attachment{{Name: canary + "\n", Type: canary}}}),
		} {
			_, err := in.Send(t.Context(), intaketest.Shop, hello(anna, change))
			if err == nil {
				continue // the secret's place takes any text
			}
			p := problem.From(err)
			told, _ := json.Marshal([]any{p.Detail, p.Fields})
			for _, what := range []string{canary, canary[1:], strings.TrimPrefix(canary, "ÄÖÜ")} {
				if bytes.Contains(told, []byte(what)) || strings.Contains(w.Log.String(), what) || strings.Contains(p.Error(), what) {
					t.Errorf("%s: %v %s", name, p, w.Log)
				}
			}
		}
	}
}
