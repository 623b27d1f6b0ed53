package operate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// Trial asks for one real message over an account: a template's, or a text. Without either it is a text that
// says what it is.
type Trial struct {
	Tenant   string // in whose name; "" is the key's
	To       string
	Template string
	Version  int // 0 is the published one, or the newest where none is: a trial may send a draft
	Vars     map[string]any
	Locale   string
	Text     string
	Reason   string

	IP, RequestID string
}

// Tried is what came of a trial: the message as it stands when its attempt has ended, or when nobody waited
// any longer.
type Tried struct {
	message.Message
	OK     bool
	Detail string        // why not
	Says   provider.Text // what the provider's code means
}

// TryAccount sends one message over exactly this account, on or off, whatever routes say, and shows what the provider
// answered. It is a message like any other: it is found by its recipient, and says who sent it and why.
func (o *Operate) TryAccount(ctx context.Context, p tenant.Principal, name string, t Trial) (Tried, error) {
	a, err := o.Account(ctx, p, name)
	if err != nil {
		return Tried{}, err
	}
	if o.Try == nil {
		return Tried{}, problem.New(problem.NotAllowedNow, "accounts cannot be tried here; send a message")
	}
	var f faults
	t.check(&f)
	if err := f.err(); err != nil {
		return Tried{}, err
	}
	ch, _, err := o.Catalog.Channel(ctx, a.Body.Channel)
	if err != nil {
		return Tried{}, unreadable(err)
	}
	var content *message.Content
	if t.Template == "" {
		content = t.content(ch.Content, name)
	}
	r, err := o.Try(ctx, p, a.Body, t, content)
	if err != nil {
		return Tried{}, renamed(err)
	}
	out, err := o.tried(ctx, r)
	if err != nil || r.Reason != "account_unusable" || r.Last() != nil {
		return out, err
	}
	why, err := o.TestAccount(ctx, p, name) // which tells what keeps it from being opened
	if err == nil && !why.OK {
		out.Detail += ": " + why.Detail
	}
	return out, err
}

func (t Trial) check(f *faults) {
	f.text("/reason", "reason", t.Reason, MaxReason, false)
	if t.To == "" {
		f.add("/to", problem.Required, "to is required for a message: an address of the account's channel; without a body the credentials are tried")
	}
	switch {
	case t.Template != "" && t.Text != "":
		f.add("/text", problem.BadValue, "send template or text, not both")
	case t.Template == "" && t.Version != 0:
		f.add("/template_version", problem.BadValue, "template_version goes with a template")
	case t.Template == "" && len(t.Vars) > 0:
		f.add("/vars", problem.BadValue, "vars go with a template")
	}
}

// content is the text as a channel's kind of content holds it.
func (t Trial) content(kind message.ContentKind, account string) *message.Content {
	title := "notify: test 测试"
	text := t.Text
	if strings.TrimSpace(text) == "" {
		text = fmt.Sprintf("A test of account %s. 账号 %s 的测试消息。", account, account)
	}
	switch kind {
	case message.MailText:
		return &message.Content{Subject: title, Text: text}
	case message.PushText:
		return &message.Content{Title: title, Text: text}
	case message.DataBody:
		data, err := json.Marshal(map[string]string{"test": text})
		if err != nil { // a string always can
			data = nil
		}
		return &message.Content{Data: data}
	}
	return &message.Content{Text: text}
}

// renamed points to the fields of this request, not to those of the one that was made of it.
func renamed(err error) error {
	var p *problem.Error
	if errors.As(err, &p) {
		for i, f := range p.Fields {
			switch {
			case strings.HasPrefix(f.Pointer, "/content"):
				p.Fields[i].Pointer = "/text"
			case f.Pointer == "/version":
				p.Fields[i].Pointer = "/template_version"
			}
		}
	}
	return err
}

func (o *Operate) tried(ctx context.Context, r *store.Record) (Tried, error) {
	out := Tried{Message: r.Message}
	last := r.Last()
	switch {
	case r.Status == message.Sent || r.Status == message.Delivered:
		out.OK = true
	case r.Status == message.Simulated && r.Reason == "test_key":
		out.Detail = "nothing was sent: this is a test key; use a live one"
	case r.Status == message.Simulated:
		out.Detail = "nothing was sent: this stage may not write to this address; see its allow-list"
	case r.Status == message.Suppressed:
		out.Detail = fmt.Sprintf("nothing was sent: the address is suppressed (%s)", r.Reason)
	case last == nil && r.Reason != "":
		out.Detail = fmt.Sprintf("nothing was sent yet: it waits (%s); it expires at %s", r.Reason, r.Expires)
	case last == nil || last.End == 0:
		out.Detail = "there is no answer yet; see the message"
	default:
		out.Detail = strings.TrimSpace(fmt.Sprintf("the provider says %s %s", last.Code, last.Text))
	}
	if last == nil || last.Code == "" {
		return out, nil
	}
	d, _, err := o.Catalog.Get(ctx, last.Provider)
	if err != nil {
		return out, unreadable(err)
	}
	out.Says, _ = d.Say(last.Code)
	return out, nil
}

// CallbackPath is where an account's provider posts receipts and replies, to be entered at the vendor: "" where
// it sends none.
func (o *Operate) CallbackPath(ctx context.Context, p tenant.Principal, a config.Account) (string, error) {
	if err := may(p, tenant.Operate); err != nil || o.CallbackSecret == nil {
		return "", err
	}
	d, _, err := o.Catalog.Get(ctx, a.Provider)
	if err != nil {
		return "", unreadable(err)
	}
	if !d.Receipts && !d.Replies {
		return "", nil
	}
	return "/v1/receipts/" + a.Name + "/" + o.CallbackSecret(a.Name), nil
}

// Sending is how a trial gets out: it makes the message, and waits a while for what comes of it.
type Sending func(ctx context.Context, p tenant.Principal, a config.Account, t Trial, free *message.Content) (*store.Record, error)
