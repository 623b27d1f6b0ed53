package awssms

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/pinpointsmsvoicev2"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/amazon"
)

type sender struct {
	http    *http.Client
	now     func() time.Time
	account provider.Account
	*amazon.Receiver

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
	if err := amazon.Check(a); err != nil {
		return nil, err
	}
	return &sender{http: amazon.Client(a, e), now: e.Now, account: a, Receiver: amazon.NewReceiver(a, e, Receipts)}, nil
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
		c := pinpointsmsvoicev2.NewFromConfig(cfg)
		s.api = &api{send: c.SendTextMessage, about: c.DescribeAccountAttributes}
	}
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
		r.Outcome, r.Code, r.Text = message.Unknown, amazon.BadAnswer, "the answer has no message id"
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
