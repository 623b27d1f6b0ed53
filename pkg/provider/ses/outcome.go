package ses

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aws/smithy-go"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
)

// noCode is the SDK's word for an answer without a code.
const noCode = "UnknownError"

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
		return r // of the zero outcome: it was accepted, or something else than SES has answered
	}
	var code, text string
	var said smithy.APIError
	if errors.As(err, &said) && said.ErrorCode() != noCode {
		code, text = said.ErrorCode(), said.ErrorMessage()
		r.Code = provider.Clean(code, s.account, to)
		r.Text = provider.Clean(text, s.account, to)
	}
	r.Outcome, r.After = outcome(by.Answer.Status, code, strings.ToLower(text))
	if r.Outcome == message.Throttled || r.Outcome == message.Retry {
		r.After = max(r.After, provider.RetryAfter(by.Answer.Header, s.now()))
	}
	return r
}

// quotaWait is how long to wait when the quota of the last 24 hours is used up: it frees up bit by bit.
const quotaWait = 10 * time.Minute

// outcome reads a refusal; text is in lower case. Quotas are reported in more ways than the API's model has.
// https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html#API_SendEmail_Errors
// https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas-errors.html
// https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-error-messages.html
// https://docs.aws.amazon.com/ses/latest/APIReference-V2/CommonErrors.html
func outcome(status int, code, text string) (message.Outcome, time.Duration) {
	says := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(text, w) {
				return true
			}
		}
		return false
	}
	switch {
	case code == "LimitExceededException", says("daily message quota exceeded"):
		return message.Throttled, quotaWait
	case code == "TooManyRequestsException", code == "ThrottlingException", code == "Throttling",
		says("maximum sending rate exceeded"), status == http.StatusTooManyRequests:
		return message.Throttled, 0
	}
	switch code {
	case "MailFromDomainNotVerifiedException", "AccountSuspendedException", "SendingPausedException",
		"NotFoundException", // the configuration set
		"AccessDeniedException", "UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException",
		"SignatureDoesNotMatch", "IncompleteSignature", "MissingAuthenticationToken", "ExpiredTokenException",
		"ExpiredToken", "RequestExpired", "OptInRequired", "NotAuthorized":
		return message.AccountFault, 0
	case "MessageRejected", "BadRequestException":
		if says("not verified", "configuration set", "paused", "suspended") {
			return message.AccountFault, 0
		}
		return message.Permanent, 0
	}
	switch {
	case status == http.StatusServiceUnavailable, status == http.StatusRequestTimeout:
		return message.Retry, 0
	case status >= 500: // it may have been taken; the events tell
		return message.Unknown, 0
	case status == http.StatusRequestEntityTooLarge:
		return message.Permanent, 0
	case code == "", status == http.StatusUnauthorized, status == http.StatusForbidden: // without a code: it is not SES that answers
		return message.AccountFault, 0
	}
	return message.Permanent, 0
}
