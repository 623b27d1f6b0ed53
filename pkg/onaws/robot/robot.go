package robot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/catalog"
	"github.com/opennotify/notify/pkg/provider/recipe"
)

// Robot tells one robot.
type Robot struct {
	// Secret reads which robot it is. It is asked for every alarm, so that a new one is in force at once.
	Secret  func(context.Context) (string, error)
	Recipes fs.FS // NAME/recipe.yaml
	Runbook string
	Client  *http.Client
	Now     func() time.Time
	Nonce   func() string
	Log     *slog.Logger
}

// Handle tells what the topic got. An error has Lambda try again, twice in three minutes: an alarm that may have been
// told is told again.
func (r *Robot) Handle(ctx context.Context, e events.SNSEvent) error {
	sender, err := r.open(ctx)
	if err != nil {
		return err
	}
	var fault error
	for _, record := range e.Records {
		call, cancel := context.WithTimeout(ctx, provider.Timeout)
		// As a code: robots put everything else off around the full hour, when everybody's timers fire.
		res := sender.Send(call, provider.Call{Epoch: 1, Key: record.SNS.MessageID, Class: message.OTP, Content: news(record.SNS, r.Runbook)})
		cancel()
		if res.Outcome != message.Accepted {
			r.Log.ErrorContext(ctx, "the robot does not take an alarm", "outcome", res.Outcome.String(), "status", res.HTTPStatus, "code", res.Code, "text", res.Text)
			fault = errors.Join(fault, fmt.Errorf("robot: the provider answers %s %s", res.Outcome, res.Code))
		}
	}
	return fault
}

// open makes the sender of the robot in the secret.
func (r *Robot) open(ctx context.Context) (provider.Sender, error) {
	text, err := r.Secret(ctx)
	if err != nil {
		return nil, fmt.Errorf("robot: read the secret: %w", err)
	}
	var fields map[string]string
	if json.Unmarshal([]byte(text), &fields) != nil { // its error would quote the secret
		return nil, errors.New(`robot: the secret is not a JSON object of texts, as {"provider":"feishu-bot","token":"…"}`)
	}
	name := fields["provider"]
	d, ok := catalog.Open(r.Recipes).Shipped(name)
	if !ok || len(d.Channels) == 0 {
		return nil, fmt.Errorf("robot: there is no recipe %q", name)
	}
	a := provider.Account{Name: "alarms", Provider: name, Channel: d.Channels[0], Config: map[string]string{}, Secrets: map[string]message.Secret{}}
	delete(fields, "provider")
	for field, value := range fields {
		at := slices.IndexFunc(d.Fields, func(f provider.Field) bool { return f.Name == field })
		switch {
		case at < 0:
			return nil, fmt.Errorf("robot: %s has no field %q", name, field)
		case d.Fields[at].Secret:
			a.Secrets[field] = message.Secret(value)
		default:
			a.Config[field] = value
		}
	}
	if err := d.Check(&a); err != nil {
		return nil, fmt.Errorf("robot: %w", err)
	}
	file := name + "/recipe.yaml"
	data, err := fs.ReadFile(r.Recipes, file)
	if err != nil {
		return nil, fmt.Errorf("robot: %w", err)
	}
	rec, err := recipe.Parse(file, data)
	if err != nil {
		return nil, err
	}
	return rec.Open(a, provider.Env{Client: r.Client, Guarded: r.Client, Now: r.Now, Nonce: r.Nonce, Log: r.Log})
}
