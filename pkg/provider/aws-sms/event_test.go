package awssms_test

import (
	"os"
	"strings"
	"testing"

	awssms "github.com/opennotify/notify/pkg/provider/aws-sms"
	"github.com/opennotify/notify/pkg/provider/providertest"
)

func feed() providertest.Feed {
	return providertest.Feed{Name: "aws-sms", Receipts: awssms.Receipts, Foreign: awssms.Foreign, Address: "4255550156"}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	providertest.Events(t, feed(), descriptor(t), os.DirFS("."))
}

func FuzzReceipts(f *testing.F) { providertest.FuzzEvents(f, feed(), os.DirFS(".")) }

func TestForeign(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]struct{ ok, fault bool }{
		`{"eventType":"TEXT_DELIVERED","eventVersion":"1.0"}`:                                            {ok: true, fault: true},
		`{"eventType":"TEXT_DELIVERED","eventVersion":"1.0","destinationPhoneNumber":7}`:                 {ok: true, fault: true},
		`{"eventType":"TEXT_DELIVERED","eventVersion":"1.0","messageId":"m","context":["+14255550156"]}`: {ok: true, fault: true},
		`{"eventType":"REGISTRATION_STATUS_CHANGE","eventVersion":"1.0"}`:                                {ok: true},
		`{"eventType":"Delivery","mail":{"messageId":"m"}}`:                                              {}, // of SES
		`{"eventType":"TEXT_DELIVERED"}`:                                                                 {},
		`{"account":"sms-1","receipt":{"ID":"msg_1","State":3}}`:                                         {},
		`{"Type":"Notification","Message":"{\"account\":\"sms-1\"}"}`:                                    {},
		`{"source":"aws.ec2","detail":{"eventType":"TEXT_DELIVERED"}}`:                                   {},
		`[]`: {}, ``: {}, `null`: {}, `{"eventType":`: {}, `{"eventType":7,"eventVersion":"1.0"}`: {},
	} {
		name, receipts, ok, err := awssms.Foreign([]byte(body))
		if ok != want.ok || (err != nil) != want.fault || (name == "aws-sms") != want.ok || receipts != nil {
			t.Errorf("%s: %q %v %v %v", body, name, receipts, ok, err)
		}
		if err != nil && strings.Contains(err.Error(), "4255550156") {
			t.Errorf("%s: the error quotes the event: %v", body, err)
		}
	}
}
