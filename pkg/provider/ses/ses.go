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
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
)

type sender struct {
	http    *http.Client
	now     func() time.Time
	account provider.Account
	from    string // as in a header
	replyTo []string

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
	s := &sender{http: e.Client, now: e.Now, account: a}
	if a.Config["region"] == "" {
		return nil, fmt.Errorf("field %q is required", "region")
	}
	for _, name := range []string{"from", "reply_to"} {
		if v := a.Config[name]; (v != "" || name == "from") && !plainAddress(v) {
			return nil, fmt.Errorf("field %q must be a mail address", name)
		}
	}
	if broken(a.Config["from_name"]) {
		return nil, fmt.Errorf("field %q must be one line", "from_name")
	}
	if (a.Secrets["access_key_id"] == "") != (a.Secrets["secret_access_key"] == "") {
		return nil, errors.New(`fields "access_key_id" and "secret_access_key" belong together: fill in both, or none`)
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

// client is the SDK's client, with its retries off: SES takes no token by which it would know a repetition.
// What the process runs as, and AWS_ENDPOINT_URL, count only for an account without keys.
func (s *sender) client(ctx context.Context) (*api, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.api != nil {
		return s.api, nil
	}
	cfg := aws.Config{
		Region:      s.account.Config["region"],
		Credentials: credentials.NewStaticCredentialsProvider(string(s.account.Secrets["access_key_id"]), string(s.account.Secrets["secret_access_key"]), ""),
	}
	if s.account.Secrets["access_key_id"] == "" {
		var err error
		if cfg, err = config.LoadDefaultConfig(ctx, config.WithRegion(cfg.Region)); err != nil {
			return nil, err
		}
	}
	if endpoint := s.account.Config["endpoint"]; endpoint != "" {
		cfg.BaseEndpoint = &endpoint
	}
	c := sesv2.NewFromConfig(cfg, func(o *sesv2.Options) { o.Retryer = aws.NopRetryer{} })
	s.api = &api{send: c.SendEmail, about: c.GetAccount}
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
		r.Outcome, r.Code, r.Text = message.Unknown, "bad_answer", "the answer has no message id"
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
