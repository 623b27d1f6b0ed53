package ses_test

import (
	"os"
	"strings"
	"testing"

	"github.com/opennotify/notify/pkg/provider/providertest"
	"github.com/opennotify/notify/pkg/provider/ses"
)

func feed() providertest.Feed {
	return providertest.Feed{Name: "ses", Receipts: ses.Receipts, Foreign: ses.Foreign, Address: "@example"}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	providertest.Events(t, feed(), descriptor(t), os.DirFS("."))
}

func FuzzReceipts(f *testing.F) { providertest.FuzzEvents(f, feed(), os.DirFS(".")) }

func TestForeign(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]struct{ ok, fault bool }{
		"Successfully validated SNS topic for Amazon SES event publishing.":                                  {ok: true},
		`{"notificationType":"AmazonSnsSubscriptionSucceeded","message":"You have successfully subscribed"}`: {ok: true},
		`{"account":"mail-1","receipt":{"ID":"msg_1","State":3}}`:                                            {},
		`{"Type":"Notification","Message":"{\"account\":\"mail-1\"}"}`:                                       {},
		`{"eventType":"Send","mail":{}}`:                                                                     {ok: true, fault: true},
		`{"eventType":"Send","mail":"of recipient@example.com"}`:                                             {ok: true, fault: true},
		`{"eventType":"Bounce","mail":{"messageId":"m"},"bounce":["recipient@example.com"]}`:                 {ok: true, fault: true},
		`[]`: {}, ``: {}, `null`: {}, `{"eventType":`: {}, `{"eventType":7}`: {},
	} {
		name, receipts, ok, err := ses.Foreign([]byte(body))
		if ok != want.ok || (err != nil) != want.fault || (name == "ses") != want.ok || receipts != nil {
			t.Errorf("%s: %q %v %v %v", body, name, receipts, ok, err)
		}
		if err != nil && strings.Contains(err.Error(), "recipient") {
			t.Errorf("%s: the error quotes the event: %v", body, err)
		}
	}
	if _, err := ses.Receipts([]byte(`{"eventType":"Send"}`)); err == nil {
		t.Error("an event of no mail: no error")
	}
}
