package ses

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/amazon"
)

// event is what SES publishes of a mail, as far as it is read here.
// https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
type event struct {
	EventType        string `json:"eventType"`
	NotificationType string `json:"notificationType"` // instead, when it is sent for an identity
	Mail             *struct {
		Timestamp string              `json:"timestamp"`
		MessageID string              `json:"messageId"`
		Tags      map[string][]string `json:"tags"`
	} `json:"mail"`
	Bounce struct {
		Type       string      `json:"bounceType"`
		SubType    string      `json:"bounceSubType"`
		Timestamp  string      `json:"timestamp"`
		Recipients []recipient `json:"bouncedRecipients"`
	} `json:"bounce"`
	Complaint struct {
		Type      string `json:"complaintFeedbackType"`
		SubType   string `json:"complaintSubType"`
		Timestamp string `json:"timestamp"`
	} `json:"complaint"`
	Delivery struct {
		Timestamp string `json:"timestamp"`
		Answer    string `json:"smtpResponse"`
	} `json:"delivery"`
	Delay struct {
		Type       string      `json:"delayType"`
		Timestamp  string      `json:"timestamp"`
		Recipients []recipient `json:"delayedRecipients"`
	} `json:"deliveryDelay"`
	Reject struct {
		Reason string `json:"reason"`
	} `json:"reject"`
	Failure struct {
		Message string `json:"errorMessage"`
	} `json:"failure"`
}

// recipient is one of a mail; ours have one each.
type recipient struct {
	Status     string `json:"status"`
	Diagnostic string `json:"diagnosticCode"`
}

// greeting is what SES publishes once, when a topic becomes its destination. UNCONFIRMED: no page says so.
const greeting = "Successfully validated SNS topic for Amazon SES event publishing."

// Foreign reads an item of the queue of receipts that came from SES, over SNS, and not from us: the
// provider's name, and what Receipts says of it. It is not ok when the item is no event of SES.
func Foreign(body []byte) (providerName string, receipts []provider.Receipt, ok bool, err error) {
	body = amazon.Unwrap(body)
	var form struct {
		EventType, NotificationType string
		Mail                        json.RawMessage
	}
	switch {
	case strings.HasPrefix(string(body), greeting):
		return "ses", nil, true, nil
	case json.Unmarshal(body, &form) != nil, form.EventType == "" && form.NotificationType == "":
		return "", nil, false, nil
	case form.Mail == nil: // a greeting of another kind, or another service's event
		return "ses", nil, form.NotificationType != "", nil
	}
	receipts, err = Receipts(body)
	return "ses", receipts, true, err
}

// Receipts reads an event: one receipt, or none when it says nothing of a mail's delivery (opens, clicks,
// what SES may invent). A receipt has our ID if the mail has our tags; SES's always.
func Receipts(body []byte) ([]provider.Receipt, error) {
	var e event
	if json.Unmarshal(amazon.Unwrap(body), &e) != nil { // its error would quote the event
		return nil, errors.New("ses: the event is not JSON of the documented form")
	}
	if e.Mail == nil || e.Mail.MessageID == "" {
		return nil, errors.New("ses: the event is of no mail")
	}
	r, ok := e.receipt()
	if !ok {
		return nil, nil
	}
	r.ProviderID = e.Mail.MessageID
	r.Code, r.Text = clean(r.Code), clean(r.Text)
	if r.At == 0 {
		r.At = at(e.Mail.Timestamp)
	}
	r.ID, r.Epoch = amazon.Attempt(first(e.Mail.Tags[amazon.TagID]), first(e.Mail.Tags[amazon.TagEpoch]))
	return []provider.Receipt{r}, nil
}

// receipt reads what depends on the event's type; not ok if it says nothing of the delivery.
func (e *event) receipt() (r provider.Receipt, ok bool) {
	switch e.EventType + e.NotificationType {
	case "Send":
		return provider.Receipt{State: message.ReceiptSent}, true
	case "Delivery":
		return provider.Receipt{State: message.ReceiptDelivered, At: at(e.Delivery.Timestamp), Text: e.Delivery.Answer}, true
	case "DeliveryDelay": // SES goes on trying
		return provider.Receipt{State: message.ReceiptSent, At: at(e.Delay.Timestamp), Code: e.Delay.Type, Text: first(e.Delay.Recipients).text()}, true
	case "Bounce":
		r = provider.Receipt{State: message.ReceiptUndelivered, At: at(e.Bounce.Timestamp), Code: e.Bounce.Type + "/" + e.Bounce.SubType, Text: first(e.Bounce.Recipients).text()}
		if e.Bounce.Type == "Permanent" {
			r.State = message.ReceiptBounced
		}
		return r, true
	case "Complaint":
		r = provider.Receipt{State: message.ReceiptComplained, At: at(e.Complaint.Timestamp), Code: e.Complaint.Type}
		if r.Code == "" {
			r.Code = e.Complaint.SubType
		}
		return r, e.Complaint.Type != "not-spam"
	case "Reject": // a virus
		return provider.Receipt{State: message.ReceiptUndelivered, Code: "Reject", Text: e.Reject.Reason}, true
	case "Rendering Failure":
		return provider.Receipt{State: message.ReceiptUndelivered, Code: "RenderingFailure", Text: e.Failure.Message}, true
	}
	return r, false
}

// text is the remote server's words; they mostly begin with the status.
func (r recipient) text() string {
	if r.Diagnostic == "" {
		return r.Status
	}
	return r.Diagnostic
}

// addressLike is whatever may be a mail address.
var addressLike = regexp.MustCompile(`[^\s<>"'(),;:]+@[^\s<>"'(),;:]+`)

// clean blanks every address: a server may name others than the recipient's.
func clean(text string) string {
	return provider.Clean(addressLike.ReplaceAllString(text, "***"), provider.Account{}, "")
}

func first[T any](list []T) (v T) {
	if len(list) > 0 {
		v = list[0]
	}
	return v
}

func at(s string) message.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return 0
	}
	return message.At(t)
}
