package ses

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/mail"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/amazon"
)

type sender struct {
	http    *http.Client
	now     func() time.Time
	account provider.Account
	from    string // as in a header
	replyTo []string
	*amazon.Receiver

	mu  sync.Mutex
	api *api // made by the first call that needs it
}

// api is what is used of the SDK's client. Where a type that reflection can reach holds the client itself,
// the linker keeps all of its methods: a hundred operations and more than a megabyte.
type api struct {
	send  func(context.Context, *sesv2.SendEmailInput, ...func(*sesv2.Options)) (*sesv2.SendEmailOutput, error)
	about func(context.Context, *sesv2.GetAccountInput, ...func(*sesv2.Options)) (*sesv2.GetAccountOutput, error)
}

// Open is the provider's OpenFunc. It does not connect.
func Open(a provider.Account, e provider.Env) (provider.Sender, error) {
	s := &sender{http: amazon.Client(a, e), now: e.Now, account: a, Receiver: amazon.NewReceiver(a, e, Receipts)}
	if err := amazon.Check(a); err != nil {
		return nil, err
	}
	for _, name := range []string{"from", "reply_to"} {
		if v := a.Config[name]; (v != "" || name == "from") && !plainAddress(v) {
			return nil, fmt.Errorf("field %q must be a mail address", name)
		}
	}
	if broken(a.Config["from_name"]) {
		return nil, fmt.Errorf("field %q must be one line", "from_name")
	}
	s.from = a.Config["from"]
	if name := a.Config["from_name"]; name != "" {
		s.from = (&mail.Address{Name: name, Address: s.from}).String()
	}
	if v := a.Config["reply_to"]; v != "" {
		s.replyTo = []string{v}
	}
	return s, nil
}

// client is the SDK's client.
func (s *sender) client(ctx context.Context) (*api, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.api == nil {
		cfg, err := amazon.Config(ctx, s.account)
		if err != nil {
			return nil, err
		}
		c := sesv2.NewFromConfig(cfg)
		s.api = &api{send: c.SendEmail, about: c.GetAccount}
	}
	return s.api, nil
}

// Send makes one attempt.
func (s *sender) Send(ctx context.Context, c provider.Call) message.Result {
	in, err := s.compose(c)
	if err != nil {
		return message.Result{Outcome: message.Permanent, Code: "bad_content", Text: err.Error()}
	}
	ctx, cancel := context.WithTimeout(ctx, provider.Timeout)
	defer cancel()
	client, err := s.client(ctx)
	if err != nil {
		return s.classify(ctx, &provider.Courier{}, err, c.To)
	}
	by := &provider.Courier{Client: s.http}
	out, err := client.send(ctx, in, func(o *sesv2.Options) { o.HTTPClient = by })
	if err != nil {
		return s.classify(ctx, by, err, c.To)
	}
	r := message.Result{Outcome: message.Accepted, HTTPStatus: by.Answer.Status, ProviderID: provider.Clean(aws.ToString(out.MessageId), s.account, c.To)}
	if r.ProviderID == "" { // something else than SES has answered
		r.Outcome, r.Code, r.Text = message.Unknown, amazon.BadAnswer, "the answer has no message id"
	}
	return r
}

// Check asks for the AWS account's state.
func (s *sender) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, provider.Timeout)
	defer cancel()
	by := &provider.Courier{Client: s.http}
	client, err := s.client(ctx)
	var out *sesv2.GetAccountOutput
	if err == nil {
		out, err = client.about(ctx, &sesv2.GetAccountInput{}, func(o *sesv2.Options) { o.HTTPClient = by })
	}
	switch {
	case err != nil:
		r := s.classify(ctx, by, err, "")
		return fmt.Errorf("ses: check: %s %s", r.Code, r.Text)
	case !out.SendingEnabled:
		return errors.New("ses: check: sending is paused for this AWS account in this region")
	}
	return nil
}

// plainAddress takes one bare address, without a display name.
func plainAddress(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Name == "" && a.Address == s && !broken(s)
}

// broken finds what would end a header's line.
func broken(s string) bool { return strings.ContainsAny(s, "\r\n\x00") }
