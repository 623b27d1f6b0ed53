package awssms

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/amazon"
)

// event is what AWS publishes of a text message, as far as it is read here.
// https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-format.html
type event struct {
	Type        string            `json:"eventType"`
	At          int64             `json:"eventTimestamp"` // milliseconds since 1970
	To          string            `json:"destinationPhoneNumber"`
	MessageID   string            `json:"messageId"`
	Description string            `json:"messageStatusDescription"`
	Context     map[string]string `json:"context"`
}

// texts is how the types of events about text messages begin. Those about media, voice and registrations
// have no message of ours.
const texts = "TEXT_"

// kinds are how the types of all events of the service begin.
// https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-types.html
func kinds() []string { return []string{texts, "MEDIA_", "VOICE_", "RCS_", "REGISTRATION_"} }

// Foreign reads an item of the queue of receipts that came from AWS, over SNS or EventBridge, and not from
// us: the provider's name, and what Receipts says of it. It is not ok when the item is no such event.
func Foreign(body []byte) (providerName string, receipts []provider.Receipt, ok bool, err error) {
	body = amazon.Unwrap(body)
	var form struct {
		Type    string `json:"eventType"`
		Version string `json:"eventVersion"`
	}
	if json.Unmarshal(body, &form) != nil || form.Version == "" {
		return "", nil, false, nil
	}
	for _, kind := range kinds() {
		if strings.HasPrefix(form.Type, kind) {
			receipts, err = Receipts(body)
			return "aws-sms", receipts, true, err
		}
	}
	return "", nil, false, nil
}

// Receipts reads an event: one receipt, or none when it says nothing of a message of ours. A receipt has our
// ID if the message has our context; AWS's always.
func Receipts(body []byte) ([]provider.Receipt, error) {
	var e event
	if json.Unmarshal(amazon.Unwrap(body), &e) != nil { // its error would quote the event
		return nil, errors.New("aws-sms: the event is not JSON of the documented form")
	}
	if !strings.HasPrefix(e.Type, texts) {
		return nil, nil
	}
	if e.MessageID == "" {
		return nil, errors.New("aws-sms: the event is of no message")
	}
	r := provider.Receipt{State: state(e.Type), ProviderID: e.MessageID}
	if r.State == message.ReceiptNone {
		return nil, nil
	}
	if e.At > 0 {
		r.At = message.Time(e.At)
	}
	if r.State == message.ReceiptUndelivered {
		r.Code = provider.Clean(e.Type, provider.Account{}, "")
		r.Text = provider.Clean(e.Description, provider.Account{}, message.Address(e.To))
	}
	r.ID, r.Epoch = amazon.Attempt(e.Context[amazon.TagID], e.Context[amazon.TagEpoch])
	return []provider.Receipt{r}, nil
}

// state reads a type. Which of SUCCESSFUL and DELIVERED comes depends on the country; isFinal says nothing, as
// DELIVERED may come after a SUCCESSFUL that is final. UNKNOWN, after 72 hours, says nothing either.
func state(eventType string) message.ReceiptState {
	switch strings.TrimPrefix(eventType, texts) {
	case "SENT", "QUEUED", "PENDING":
		return message.ReceiptSent
	case "SUCCESSFUL", "DELIVERED":
		return message.ReceiptDelivered
	case "INVALID", "INVALID_MESSAGE", "UNREACHABLE", "CARRIER_UNREACHABLE", "BLOCKED", "CARRIER_BLOCKED", "SPAM", "TTL_EXPIRED", "PROTECT_BLOCKED":
		return message.ReceiptUndelivered
	}
	return message.ReceiptNone
}
