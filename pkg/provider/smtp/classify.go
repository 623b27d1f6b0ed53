package smtp

import (
	"context"
	"errors"
	"net/textproto"
	"strconv"
	"strings"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
)

// classify says what a fault at a stage means.
func (s *sender) classify(ctx context.Context, at stage, err error, to message.Address) message.Result {
	var (
		refused *textproto.Error
		setup   *setupError
	)
	switch {
	case errors.Is(err, errTooLarge):
		return message.Result{Outcome: message.Permanent, Code: "too_large", Text: "the mail is larger than the server takes"}
	case errors.As(err, &setup):
		return message.Result{Outcome: message.AccountFault, Code: setup.code, Text: setup.text}
	case errors.As(err, &refused):
		enhanced := enhancedCode(refused.Msg)
		return message.Result{
			Outcome: outcome(at, refused.Code, enhanced, strings.ToLower(refused.Msg)),
			Code:    strings.TrimSpace(strconv.Itoa(refused.Code) + " " + enhanced),
			Text:    provider.Clean(strings.TrimSpace(strings.TrimPrefix(refused.Msg, enhanced)), s.account, to),
		}
	}
	if ctx.Err() != nil { // the connection was ended by us; its own error does not tell why
		err = ctx.Err()
	}
	r := provider.Fault(err, at == atDot)
	if r.Code == provider.CodeTLS {
		r.Outcome = message.AccountFault
	}
	if r.Code == provider.CodeConnect && at > atConnect {
		r.Code, r.Text = provider.CodeCut, "the connection ended before the mail was handed over"
	}
	return r
}

// outcome reads a server's refusal: https://www.rfc-editor.org/rfc/rfc5321#section-4.2 and
// https://www.rfc-editor.org/rfc/rfc3463. The text is in lower case.
func outcome(at stage, code int, enhanced, text string) message.Outcome {
	says := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(text, w) {
				return true
			}
		}
		return false
	}
	switch {
	case code >= 400 && code < 500:
		slow := says("too many", "throttl", "rate limit", "ratelimit", "sending rate")
		// 4.7.x while signing in is a passing fault of the server's user database or TLS, not a rate.
		policy := strings.HasPrefix(enhanced, "4.7.") && at > atConnect && !says("greylist", "graylist")
		if slow || policy {
			return message.Throttled
		}
		return message.Retry
	case code >= 500 && code < 600:
		switch {
		case code == 530, code == 534, code == 535, code == 538, at == atConnect:
			return message.AccountFault
		case code == 552, enhanced == "5.3.4", enhanced == "5.2.3": // the size; or 5.2.2, a full mailbox
			return message.Permanent
		case at == atMail: // our sender's address
			return message.AccountFault
		case says("relay", "authenticat"): // we may not send through it, or our domain's SPF or DKIM fails
			return message.AccountFault
		}
		return message.Permanent
	}
	if at == atDot {
		return message.Unknown
	}
	return message.Retry
}

// enhancedCode is the "5.1.1" in front of a reply's text, or "".
func enhancedCode(text string) string {
	word, _, _ := strings.Cut(text, " ")
	parts := strings.Split(word, ".")
	if len(parts) != 3 || (parts[0] != "2" && parts[0] != "4" && parts[0] != "5") {
		return ""
	}
	for _, p := range parts[1:] {
		if n, err := strconv.ParseUint(p, 10, 16); err != nil || n > 999 {
			return ""
		}
	}
	return word
}
