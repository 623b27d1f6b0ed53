package callbacks

import (
	"net/http"
	"reflect"

	"github.com/opennotify/notify/pkg/callback"
	"github.com/opennotify/notify/pkg/httpapi"
)

// Webhooks describes what endpoints are sent.
func Webhooks() []httpapi.Webhook {
	of := httpapi.Webhook{Tags: []string{"endpoints"}, Body: reflect.TypeFor[callback.Event](),
		Headers: []httpapi.Param{
			{Name: "webhook-id", Required: true, Description: "The callback's. It stays the same over all tries and over copies: drop one that you have."},
			{Name: "webhook-timestamp", Required: true, Description: "When this try was made, in Unix seconds. Refuse what is more than 5 minutes off.", Example: "1767323045"},
			{Name: "webhook-signature", Required: true, Description: "`v1,` and base64 of the HMAC-SHA256 of `{webhook-id}.{webhook-timestamp}.{body}`, keyed with the endpoint's secret (base64 behind `whsec_`); several with spaces between them while a secret is rotated. One that matches is enough.",
				Example: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
			{Name: "traceparent", Description: "W3C Trace Context, where the message came with one."},
		},
		Answers: map[int]string{
			http.StatusOK:   "Taken; so is every other 2xx, within 10 seconds.",
			http.StatusGone: "The endpoint is switched off.",
			0:               "Tried again after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 10 h, a longer `Retry-After` kept; after 28 hours it has expired. Redirects are not followed.",
		}}
	told, test := of, of
	told.Name, told.ID, told.Summary = "message", "tellMessage", "A message took a status that the endpoint is told of"
	told.Description = "At least once, and in any order: `timestamp` grows with each event of one message, so drop what is older than what you have. New members may be added to `data`. " +
		"Standard Webhooks: https://www.standardwebhooks.com."
	test.Name, test.ID, test.Summary = callback.Test, "tellTest", "Somebody tests the endpoint"
	test.Description = "It tells of no message: `data` has the tenant and the endpoint. It is signed and tried like any other."
	return []httpapi.Webhook{told, test}
}
