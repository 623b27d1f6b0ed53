package awssms

import (
	"context"
	"encoding/json"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/amazon"
)

// detail is what an error says beside its type and its words.
type detail struct {
	Reason string
	Fields []struct{ Name string }
}

// classify says what a call that failed means. What says more than an error's type is its code.
func (s *sender) classify(ctx context.Context, by *provider.Courier, err error, to message.Address) message.Result {
	r, why, refused := amazon.Failed(ctx, by, err, s.account, to)
	if !refused {
		return r
	}
	var more detail
	if why.Code != "" {
		_ = json.Unmarshal(by.Answer.Body, &more) // not every error has a reason
	}
	if more.Reason != "" {
		r.Code = provider.Clean(more.Reason, s.account, to)
	}
	r.Outcome = outcome(why, more)
	if r.Outcome == message.Throttled || r.Outcome == message.Retry {
		r.After = provider.RetryAfter(by.Answer.Header, s.now())
	}
	return r
}

// outcome reads a refusal.
// https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_SendTextMessage.html#API_SendTextMessage_Errors
func outcome(why amazon.Refusal, more detail) message.Outcome {
	switch why.Code {
	case "ConflictException":
		return conflict(more.Reason)
	case "ValidationException":
		return validation(more)
	case "ServiceQuotaExceededException", "ResourceNotFoundException": // whatever is named in a request is the account's, but for the number
		return message.AccountFault
	}
	return why.Outcome()
}

// conflict tells the recipient's from the account's.
func conflict(reason string) message.Outcome {
	switch reason {
	case "DESTINATION_PHONE_NUMBER_OPTED_OUT", "DESTINATION_PHONE_NUMBER_NOT_VERIFIED", "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION",
		"DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE":
		return message.Permanent
	}
	return message.AccountFault
}

// validation tells a faulty message from one that this account cannot send, and another one may.
func validation(more detail) message.Outcome {
	switch more.Reason {
	case "SENDER_ID_NOT_REGISTERED", "SENDER_ID_NOT_SUPPORTED", "SENDER_ID_REQUIRES_REGISTRATION", "INVALID_IDENTITY_FOR_DESTINATION_COUNTRY",
		"COUNTRY_NOT_ENABLED", "INTERNATIONAL_SENDING_NOT_SUPPORTED", "CHANNEL_NOT_ENABLED", "RESOURCE_NOT_ACCESSIBLE", "INVALID_ARN",
		"PARAMETERS_CANNOT_BE_USED_TOGETHER", "UNSPECIFIED_PARAMETER_NOT_SUPPORTED":
		return message.AccountFault
	}
	for _, f := range more.Fields {
		switch f.Name {
		case "OriginationIdentity", "ConfigurationSetName", "ProtectConfigurationId", "MaxPrice", "DestinationCountryParameters":
			return message.AccountFault
		}
	}
	return message.Permanent
}
