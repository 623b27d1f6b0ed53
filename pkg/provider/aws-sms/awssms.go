package awssms

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/pinpointsmsvoicev2"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
)

type sender struct {
	http    *http.Client
	now     func() time.Time
	account provider.Account

	mu  sync.Mutex
	api *api // made by the first call that needs it
}

// api is what is used of the SDK's client. Where a type that reflection can reach holds the client itself,
// the linker keeps all of its methods, which are a hundred operations and 3 MB.
type api struct {
	send  func(context.Context, *pinpointsmsvoicev2.SendTextMessageInput, ...func(*pinpointsmsvoicev2.Options)) (*pinpointsmsvoicev2.SendTextMessageOutput, error)
	about func(context.Context, *pinpointsmsvoicev2.DescribeAccountAttributesInput, ...func(*pinpointsmsvoicev2.Options)) (*pinpointsmsvoicev2.DescribeAccountAttributesOutput, error)
}

// Open is the provider's OpenFunc. It does not connect.
func Open(a provider.Account, e provider.Env) (provider.Sender, error) {
	if a.Config["region"] == "" {
		return nil, fmt.Errorf("field %q is required", "region")
	}
	if (a.Secrets["access_key_id"] == "") != (a.Secrets["secret_access_key"] == "") {
		return nil, errors.New(`fields "access_key_id" and "secret_access_key" belong together: fill in both, or none`)
	}
	return &sender{http: e.Client, now: e.Now, account: a}, nil
}

// client is the SDK's client, with its retries off: SendTextMessage takes no token by which AWS would know a
// repetition. What the process runs as, and AWS_ENDPOINT_URL, count only for an account without keys.
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
	c := pinpointsmsvoicev2.NewFromConfig(cfg, func(o *pinpointsmsvoicev2.Options) { o.Retryer = aws.NopRetryer{} })
	s.api = &api{send: c.SendTextMessage, about: c.DescribeAccountAttributes}
	return s.api, nil
}

// CodeDryRun is the code of what AWS checked and did not send, because the account says so.
const CodeDryRun = "dry_run"

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
	out, err := client.send(ctx, in, func(o *pinpointsmsvoicev2.Options) { o.HTTPClient = by })
	if err != nil {
		return s.classify(ctx, by, err, c.To)
	}
	r := message.Result{Outcome: message.Accepted, HTTPStatus: by.Answer.Status, ProviderID: provider.Clean(aws.ToString(out.MessageId), s.account, c.To)}
	switch {
	case r.ProviderID == "": // something else than AWS has answered
		r.Outcome, r.Code, r.Text = message.Unknown, "bad_answer", "the answer has no message id"
	case in.DryRun:
		r.Code = CodeDryRun
	}
	return r
}

// Check asks for the account's attributes.
func (s *sender) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, provider.Timeout)
	defer cancel()
	by := &provider.Courier{Client: s.http}
	client, err := s.client(ctx)
	if err == nil {
		_, err = client.about(ctx, &pinpointsmsvoicev2.DescribeAccountAttributesInput{}, func(o *pinpointsmsvoicev2.Options) { o.HTTPClient = by })
	}
	if err != nil {
		r := s.classify(ctx, by, err, "")
		return fmt.Errorf("aws-sms: check: %s %s", r.Code, r.Text)
	}
	return nil
}
