package ses

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/amazon"
)

// classify says what a call that failed means.
func (s *sender) classify(ctx context.Context, by *provider.Courier, err error, to message.Address) message.Result {
	r, why, refused := amazon.Failed(ctx, by, err, s.account, to)
	if !refused {
		return r
	}
	r.Outcome, r.After = outcome(why)
	if r.Outcome == message.Throttled || r.Outcome == message.Retry {
		r.After = max(r.After, provider.RetryAfter(by.Answer.Header, s.now()))
	}
	return r
}

// quotaWait is how long to wait when the quota of the last 24 hours is used up: it frees up bit by bit.
const quotaWait = 10 * time.Minute

// outcome reads a refusal. Quotas are reported in more ways than the API's model has.
// https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html#API_SendEmail_Errors
// https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas-errors.html
// https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-error-messages.html
func outcome(why amazon.Refusal) (message.Outcome, time.Duration) {
	says := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(strings.ToLower(why.Text), w) })
	}
	switch {
	case why.Code == "LimitExceededException", says("daily message quota exceeded"):
		return message.Throttled, quotaWait
	case says("maximum sending rate exceeded"):
		return message.Throttled, 0
	}
	switch why.Code {
	case "MailFromDomainNotVerifiedException", "AccountSuspendedException", "SendingPausedException",
		"NotFoundException": // the configuration set
		return message.AccountFault, 0
	case "MessageRejected", "BadRequestException":
		if says("not verified", "configuration set", "paused", "suspended") {
			return message.AccountFault, 0
		}
		return message.Permanent, 0
	}
	return why.Outcome(), 0
}
