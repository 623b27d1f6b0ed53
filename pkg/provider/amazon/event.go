package amazon

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/sign"
)

// The names of the tags, or of the context, that a message carries and its events bring back.
const (
	TagID    = "notify_id"
	TagEpoch = "notify_epoch"
)

// Attempt reads those tags: whose message it is and which attempt; nothing where they are not ours.
func Attempt(id, epoch string) (message.ID, int) {
	ours, err := message.ParseID(id)
	if err != nil {
		return "", 0
	}
	n, err := strconv.Atoi(epoch)
	if err != nil || n < 0 {
		return ours, 0
	}
	return ours, n
}

// Unwrap takes off the envelope of SNS, if the subscription is not a raw one, or that of EventBridge.
// https://docs.aws.amazon.com/sns/latest/dg/sns-large-payload-raw-message-delivery.html
// https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
func Unwrap(body []byte) []byte {
	var n struct {
		Type, Message string
		Source        string          `json:"source"`
		Detail        json.RawMessage `json:"detail"`
	}
	if json.Unmarshal(body, &n) != nil {
		return body
	}
	switch {
	case n.Type == "Notification" && n.Message != "":
		return []byte(n.Message)
	case n.Source == "aws.sms-voice" && len(n.Detail) > 0:
		return n.Detail
	}
	return body
}

// Topic is the field of an account that names the SNS topic whose events come over HTTPS.
const Topic = "topic"

// Receiver takes an account's events from SNS over HTTPS, where they do not come through a queue of the stack: on
// one machine, or from another AWS account.
type Receiver struct {
	topic string
	now   func() time.Time
	world sign.World
	read  func(event []byte) ([]provider.Receipt, error)
}

// NewReceiver is an account's; read reads an event out of its envelope.
func NewReceiver(a provider.Account, e provider.Env, read func(event []byte) ([]provider.Receipt, error)) *Receiver {
	return &Receiver{topic: a.Config[Topic], now: e.Now, read: read, world: sign.World{Client: e.Guarded, Certificates: &sign.Certificates{}}}
}

// Receive verifies SNS's signature, confirms the subscription when asked to, and reads the event.
func (r *Receiver) Receive(_ context.Context, req *http.Request, body []byte) (provider.Callback, error) {
	if r.topic == "" {
		return provider.Callback{}, errors.New("the account names no topic")
	}
	world := r.world
	world.Now = r.now()
	opened, err := sign.SNS(sign.Params{"topic": r.topic}, world, req, body)
	if err != nil || opened.Check {
		return provider.Callback{}, err
	}
	receipts, err := r.read(opened.Body)
	return provider.Callback{Receipts: receipts}, err
}
