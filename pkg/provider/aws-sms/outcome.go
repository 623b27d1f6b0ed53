package awssms

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/aws/smithy-go"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
)

// noCode is the SDK's word for an answer without a code.
const noCode = "UnknownError"

// refusal is what an error says beside its type and its words.
type refusal struct {
	Reason string
	Fields []struct{ Name string }
}

// classify says what a call that failed means.
func (s *sender) classify(ctx context.Context, by *provider.Courier, err error, to message.Address) message.Result {
	switch {
	case !by.Asked && ctx.Err() != nil:
		return provider.Fault(ctx.Err(), false)
	case !by.Asked: // the SDK could not make a request
		return message.Result{Outcome: message.AccountFault, Code: "no_request", Text: "there are no credentials, or no endpoint for the region"}
	case !by.Answered:
		return by.Fault
	}
	r := message.Result{HTTPStatus: by.Answer.Status, Code: "http_" + strconv.Itoa(by.Answer.Status), Text: http.StatusText(by.Answer.Status)}
	if by.Answer.Status < 300 {
		r.Code, r.Text = "bad_answer", "the answer cannot be read"
		return r // of the zero outcome: it was accepted, or something else than AWS has answered
	}
	var code string
	var why refusal
	var said smithy.APIError
	if errors.As(err, &said) && said.ErrorCode() != noCode {
		code = said.ErrorCode()
		_ = json.Unmarshal(by.Answer.Body, &why) // not every error has a reason
		r.Code = provider.Clean(code, s.account, to)
		if why.Reason != "" {
			r.Code = provider.Clean(why.Reason, s.account, to)
		}
		r.Text = provider.Clean(said.ErrorMessage(), s.account, to)
	}
	r.Outcome = outcome(by.Answer.Status, code, why)
	if r.Outcome == message.Throttled || r.Outcome == message.Retry {
		r.After = provider.RetryAfter(by.Answer.Header, s.now())
	}
	return r
}

// outcome reads a refusal.
// https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_SendTextMessage.html#API_SendTextMessage_Errors
// https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/CommonErrors.html
func outcome(status int, code string, why refusal) message.Outcome {
	switch code {
	case "ThrottlingException", "Throttling", "TooManyRequestsException":
		return message.Throttled
	case "ConflictException":
		return conflict(why.Reason)
	case "ValidationException":
		return validation(why)
	case "ServiceQuotaExceededException", "ResourceNotFoundException", // whatever is named in a request is the account's, but for the number
		"AccessDeniedException", "UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException", "SignatureDoesNotMatch",
		"IncompleteSignature", "MissingAuthenticationToken", "MissingAuthenticationTokenException", "ExpiredTokenException", "ExpiredToken",
		"RequestExpired", "OptInRequired", "NotAuthorized":
		return message.AccountFault
	}
	switch {
	case status == http.StatusTooManyRequests:
		return message.Throttled
	case status == http.StatusServiceUnavailable, status == http.StatusRequestTimeout:
		return message.Retry
	case status >= 500: // it may have been taken; the events tell
		return message.Unknown
	case code == "", status == http.StatusUnauthorized, status == http.StatusForbidden: // without a code: it is not AWS that answers
		return message.AccountFault
	}
	return message.Permanent
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
func validation(why refusal) message.Outcome {
	switch why.Reason {
	case "SENDER_ID_NOT_REGISTERED", "SENDER_ID_NOT_SUPPORTED", "SENDER_ID_REQUIRES_REGISTRATION", "INVALID_IDENTITY_FOR_DESTINATION_COUNTRY",
		"COUNTRY_NOT_ENABLED", "INTERNATIONAL_SENDING_NOT_SUPPORTED", "CHANNEL_NOT_ENABLED", "RESOURCE_NOT_ACCESSIBLE", "INVALID_ARN",
		"PARAMETERS_CANNOT_BE_USED_TOGETHER", "UNSPECIFIED_PARAMETER_NOT_SUPPORTED":
		return message.AccountFault
	}
	for _, f := range why.Fields {
		switch f.Name {
		case "OriginationIdentity", "ConfigurationSetName", "ProtectConfigurationId", "MaxPrice", "DestinationCountryParameters":
			return message.AccountFault
		}
	}
	return message.Permanent
}
