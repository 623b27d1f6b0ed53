package awssms_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/opennotify/notify/pkg/message"
	awssms "github.com/opennotify/notify/pkg/provider/aws-sms"
)

// wantReceipt is a receipt as a case file has it.
type wantReceipt struct {
	ID         message.ID `json:"id"`
	Epoch      int        `json:"epoch"`
	ProviderID string     `json:"provider_id"`
	State      string     `json:"state"`
	At         string     `json:"at"`
	Code       string     `json:"code"`
	Text       string     `json:"text"`
}

func readEvent(t testing.TB, file string) (event []byte, want []wantReceipt) {
	t.Helper()
	a, err := txtar.ParseFile(file)
	if err != nil || len(a.Files) != 2 || !strings.Contains(string(a.Comment), "https://") {
		t.Fatalf("%s: %v: not an event and its receipts, with the page that it is from", file, err)
	}
	if err := json.Unmarshal(a.Files[1].Data, &want); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return a.Files[0].Data, want
}

func eventFiles(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/events/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no events", err)
	}
	return files
}

func TestEvents(t *testing.T) {
	t.Parallel()
	for _, file := range eventFiles(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			event, want := readEvent(t, file)
			receipts, err := awssms.Receipts(event)
			if err != nil {
				t.Fatal(err)
			}
			got := []wantReceipt{}
			for _, r := range receipts {
				if r.Part != 0 {
					t.Errorf("part %d", r.Part)
				}
				got = append(got, wantReceipt{r.ID, r.Epoch, r.ProviderID, r.State.String(), r.At.String(), r.Code, r.Text})
				shown(t, r.Code, r.Text)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			name, again, ok, err := awssms.Foreign(event)
			if diff := cmp.Diff(receipts, again); diff != "" || name != "aws-sms" || !ok || err != nil {
				t.Errorf("Foreign: %q, %v, %v (-Receipts +Foreign):\n%s", name, ok, err, diff)
			}
		})
	}
}

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

func FuzzReceipts(f *testing.F) {
	for _, file := range eventFiles(f) {
		event, _ := readEvent(f, file)
		f.Add(event)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		receipts, err := awssms.Receipts(body)
		if len(receipts) > 1 || err != nil && receipts != nil {
			t.Errorf("%v %v", receipts, err)
		}
		for _, r := range receipts {
			if r.ProviderID == "" || r.State == message.ReceiptNone || r.Epoch < 0 || r.ID == "" && r.Epoch > 0 {
				t.Errorf("%+v", r)
			}
			shown(t, r.Code, r.Text)
		}
	})
}

// shown fails the test if what is kept has a number, or is too long.
func shown(t testing.TB, texts ...string) {
	t.Helper()
	for _, s := range texts {
		if len(s) > message.MaxText || strings.Contains(s, "4255550156") {
			t.Errorf("kept: %q", s)
		}
	}
}
