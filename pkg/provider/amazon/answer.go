package amazon

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/aws/smithy-go"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
)

// noCode is the SDK's word for an answer without a code.
const noCode = "UnknownError"

// BadAnswer is the code of an answer that is not the service's.
const BadAnswer = "bad_answer"

// Refusal is what a service said when it refused, as it said it. It may name the recipient.
type Refusal struct {
	Status     int
	Code, Text string // "" where the answer has none
}

// Failed reads a call of the SDK that failed. It is refused where the service answered that it will not: then
// the result lacks its outcome only.
func Failed(ctx context.Context, by *provider.Courier, err error, a provider.Account, to message.Address) (r message.Result, why Refusal, refused bool) {
	switch {
	case !by.Asked && ctx.Err() != nil:
		return provider.Fault(ctx.Err(), false), why, false
	case !by.Asked: // the SDK could not make a request
		return message.Result{Outcome: message.AccountFault, Code: "no_request", Text: "there are no credentials, or no endpoint for the region"}, why, false
	case by.Fault.Code == provider.CodeRefused: // the address is the account's, not the message's
		by.Fault.Outcome = message.AccountFault
		return by.Fault, why, false
	case !by.Answered:
		return by.Fault, why, false
	}
	why.Status = by.Answer.Status
	r = message.Result{HTTPStatus: why.Status, Code: "http_" + strconv.Itoa(why.Status), Text: http.StatusText(why.Status)}
	if why.Status < 300 {
		r.Code, r.Text = BadAnswer, "the answer cannot be read"
		return r, why, false // of the zero outcome: it was accepted, or something else than AWS has answered
	}
	var said smithy.APIError
	if errors.As(err, &said) && said.ErrorCode() != noCode {
		why.Code, why.Text = said.ErrorCode(), said.ErrorMessage()
		r.Code, r.Text = provider.Clean(why.Code, a, to), provider.Clean(why.Text, a, to)
	}
	return r, why, true
}

// Outcome is what a refusal means by the errors that every service of AWS has. Any other code is the request's
// fault.
// https://docs.aws.amazon.com/ses/latest/APIReference-V2/CommonErrors.html
// https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/CommonErrors.html
func (w Refusal) Outcome() message.Outcome {
	switch w.Code {
	case "ThrottlingException", "Throttling", "TooManyRequestsException":
		return message.Throttled
	case "AccessDeniedException", "UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException", "SignatureDoesNotMatch",
		"IncompleteSignature", "MissingAuthenticationToken", "MissingAuthenticationTokenException", "ExpiredTokenException", "ExpiredToken",
		"RequestExpired", "OptInRequired", "NotAuthorized":
		return message.AccountFault
	}
	switch {
	case w.Status == http.StatusTooManyRequests:
		return message.Throttled
	case w.Status == http.StatusServiceUnavailable, w.Status == http.StatusRequestTimeout:
		return message.Retry
	case w.Status >= 500: // it may have been taken; the events tell
		return message.Unknown
	case w.Status == http.StatusRequestEntityTooLarge:
		return message.Permanent
	case w.Code == "", w.Status == http.StatusUnauthorized, w.Status == http.StatusForbidden: // without a code: it is not AWS that answers
		return message.AccountFault
	}
	return message.Permanent
}
